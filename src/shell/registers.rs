//! Registers of the chosen frame.

use std::io::Write;

use super::state::{Done, Shell, refuse};
use obit_render::{prompt, visible};

/// As gdb has them; what is not here follows by name.
const X86_64: [&str; 24] = [
    "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11", "r12", "r13",
    "r14", "r15", "rip", "eflags", "cs", "ss", "ds", "es", "fs", "gs",
];

/// Bits of `eflags` that have names (Intel SDM, volume 1, section 3.4.3).
const FLAGS: [(u32, &str); 16] = [
    (0, "CF"),
    (2, "PF"),
    (4, "AF"),
    (6, "ZF"),
    (7, "SF"),
    (8, "TF"),
    (9, "IF"),
    (10, "DF"),
    (11, "OF"),
    (14, "NT"),
    (16, "RF"),
    (17, "VM"),
    (18, "AC"),
    (19, "VIF"),
    (20, "VIP"),
    (21, "ID"),
];

/// `info registers`, `info registers rip`, `info all-registers`.
pub(super) fn list(shell: &mut Shell, names: &str, are_all: bool, out: &mut dyn Write) -> Done {
    let Some(thread) = shell.chosen_thread() else { return refuse("the dump has no threads") };
    let vectors = thread.vector_registers.clone();
    let known: Vec<String> = thread.registers.keys().cloned().collect();
    let mut wanted: Vec<String> =
        names.split_whitespace().map(|name| name.trim_start_matches('$').to_owned()).collect();
    let is_chosen = !wanted.is_empty();
    if !is_chosen {
        wanted = known;
        wanted.sort_by_key(|name| order(name));
    }
    for name in wanted {
        if let Some(value) = vectors.get(&name) {
            writeln!(out, "{name:<14} {}", visible(value))?;
            continue;
        }
        one(shell, &name, is_chosen, out)?;
    }
    if are_all && !is_chosen {
        for (name, value) in &vectors {
            writeln!(out, "{name:<14} {}", visible(value))?;
        }
    }
    Ok(())
}

fn one(shell: &mut Shell, name: &str, is_chosen: bool, out: &mut dyn Write) -> Done {
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let has_own = shell.chosen_thread().is_some_and(|thread| thread.registers.contains_key(name));
    let found = match is_name {
        true => shell.variables(&format!("/x ${name}")),
        false => refuse(format!("no register `{name}`")),
    };
    // A number that is there and is not written as one is hidden.
    let is_hidden = found.as_ref().is_ok_and(|found| {
        found.first().is_some_and(|one| {
            one.status == obit_report::VariableStatus::Ok && !one.whole_words().starts_with("0x")
        })
    });
    let value = match found {
        Ok(found) => found.first().map(obit_report::Variable::whole_words).unwrap_or_default(),
        // One of all that the frame does not know is no failure of the rest.
        Err(_) if !is_chosen || has_own => "<not known>".to_owned(),
        Err(trouble) => return Err(trouble),
    };
    // Of the innermost frame, the thread's own registers are all that it has.
    let own = || {
        let thread = shell.chosen_thread()?;
        let is_innermost = shell.chosen_frame()?.pc == thread.frames.first()?.pc;
        thread.registers.get(name).filter(|_| is_innermost).map(ToString::to_string)
    };
    let value = match is_hidden || value.starts_with("0x") {
        true => value,
        false => own().unwrap_or(value),
    };
    let number = value.strip_prefix("0x").and_then(|hex| u64::from_str_radix(hex, 16).ok());
    let natural = match (name, number) {
        (_, None) => String::new(),
        ("rip" | "eip" | "pc", Some(_)) => {
            let place = shell.variables(&format!("/a ${name}")).unwrap_or_default();
            place.first().map(obit_report::Variable::whole_words).unwrap_or_default()
        }
        ("rsp" | "rbp" | "esp" | "ebp" | "sp", Some(_)) => value.clone(),
        ("eflags", Some(bits)) => flags(bits),
        (_, Some(number)) => number.cast_signed().to_string(),
    };
    writeln!(out, "{name:<14} {:<18} {}", visible(&value), prompt_plain(&natural))?;
    Ok(())
}

fn prompt_plain(text: &str) -> String {
    prompt::plain(&obit_redact::Shown::from_report(text.to_owned()))
}

fn flags(bits: u64) -> String {
    let set = FLAGS.iter().filter(|(bit, _)| bits >> bit & 1 == 1);
    let set: Vec<_> = set.map(|(_, name)| *name).collect();
    format!("[ {} ]", set.join(" "))
}

/// x86's as gdb lists them, others by the number in their name.
fn order(name: &str) -> (usize, String, u64) {
    let known = X86_64.iter().position(|known| *known == name).unwrap_or(X86_64.len());
    let letters = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = name.get(letters.len()..).and_then(|digits| digits.parse().ok()).unwrap_or(0);
    (known, letters.to_owned(), number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_named_from_the_lowest() {
        assert_eq!(flags(0x10206), "[ PF IF RF ]");
    }

    #[test]
    fn registers_are_in_the_order_of_the_machine() {
        let mut names = vec!["r10", "x2", "rip", "rax", "x10", "x1", "r8"];
        names.sort_by_key(|name| order(name));
        assert_eq!(names, ["rax", "r8", "r10", "rip", "x1", "x2", "x10"]);
    }
}
