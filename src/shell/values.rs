//! Values, memory, types.

use std::io::Write;

use super::state::{Done, Shell, Trouble, refuse};
use super::words::Words;
use obit_render::write_printed;
use obit_report::answer::{Answer, MemoryDump, Printed};

/// Options of gdb's `print`, which are options of the program here.
const OPTIONS: [&str; 12] = [
    "-pretty",
    "-elements",
    "-object",
    "-array",
    "-symbol",
    "-union",
    "-raw-values",
    "-repeats",
    "-static-members",
    "-vtbl",
    "-max-depth",
    "-null-stop",
];

/// What `x` goes on with.
#[derive(Clone, Debug, Default)]
pub(super) struct LastExamined {
    format: Option<char>,
    size: Option<char>,
    next: Option<u64>,
}

/// Writes what a command of `obit print` comes to.
fn write(shell: &mut Shell, text: &str, out: &mut dyn Write) -> Done {
    for printed in shell.evaluate(text)? {
        write_printed(out, &printed, &shell.page)?;
    }
    Ok(())
}

pub(super) fn print(shell: &mut Shell, words: &Words<'_>, out: &mut dyn Write) -> Done {
    let (first, _) = Words::first(words.rest);
    if OPTIONS.contains(&first) {
        return refuse(format!(
            "{first}: values are shown in full; --max-elements and --max-depth of `obit shell` \
             say how much"
        ));
    }
    if words.rest.is_empty() {
        return refuse("an expression is missing: `print job->owner`");
    }
    if is_history(words.rest) {
        return refuse("values are not numbered here: write the expression again");
    }
    match words.format {
        // Raw values: what a formatter made of them is in addition.
        Some("r") => write(shell, &format!("print -- {}", words.rest), out),
        Some(format) => write(shell, &format!("print/{format} {}", words.rest), out),
        None => write(shell, &format!("print -- {}", words.rest), out),
    }
}

/// `$`, `$$`, `$1`, `$$2`: gdb's values that were printed before.
fn is_history(text: &str) -> bool {
    let digits = text.strip_prefix('$').map(|rest| rest.strip_prefix('$').unwrap_or(rest));
    digits.is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
}

pub(super) fn ptype(shell: &mut Shell, words: &Words<'_>, out: &mut dyn Write) -> Done {
    of_type(shell, words, out)
}

pub(super) fn whatis(shell: &mut Shell, words: &Words<'_>, out: &mut dyn Write) -> Done {
    of_type(shell, words, out)
}

fn of_type(shell: &mut Shell, words: &Words<'_>, out: &mut dyn Write) -> Done {
    let command = match words.command.starts_with('w') {
        true => "whatis",
        false => "ptype",
    };
    words.no_format()?;
    if words.rest.is_empty() {
        return refuse(format!("an expression or a type is missing: `{command} job`"));
    }
    write(shell, &format!("{command} -- {}", words.rest), out)
}

/// `info locals`, `info args`.
pub(super) fn variables(shell: &mut Shell, what: &str, out: &mut dyn Write) -> Done {
    let found = shell.evaluate(&format!("info {what}"))?;
    if found.is_empty() {
        writeln!(out, "No {}.", if what == "args" { "arguments" } else { "locals" })?;
    }
    for printed in found {
        write_printed(out, &printed, &shell.page)?;
    }
    Ok(())
}

/// `x/NFU ADDRESS`.
struct Wanted {
    count: u64,
    format: char,
    size: Option<char>,
}

impl Wanted {
    /// What the letters say, and for the rest what was said last.
    fn of(text: Option<&str>, last: &LastExamined) -> Result<Self, Trouble> {
        let text = text.unwrap_or_default();
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (count, letters) = text.split_at_checked(digits).unwrap_or((text, ""));
        let (mut format, mut size) = (None, None);
        for letter in letters.chars() {
            match letter {
                'b' | 'h' | 'w' | 'g' => size = Some(letter),
                'x' | 'd' | 'u' | 'o' | 't' | 'z' | 'c' | 'a' | 'f' | 's' | 'i' => {
                    format = Some(letter);
                }
                _ => {
                    return refuse(format!(
                        "x has no format `{letter}`: formats are x d u o t z c a f s i, sizes b h w g"
                    ));
                }
            }
        }
        let count = match count {
            "" => 1,
            count => count
                .parse()
                .map_err(|_| Trouble::Said(format!("`{count}` is too large a count")))?,
        };
        let format = format.or(last.format).unwrap_or('x');
        let has_size = !matches!(format, 's' | 'i' | 'a' | 'c');
        let size = size.or(last.size.filter(|_| has_size));
        Ok(Self { count, format, size })
    }

    /// Bytes of a unit; none where units differ.
    fn unit(&self) -> Option<u64> {
        match (self.format, self.size) {
            ('s' | 'i', _) => None,
            (_, Some('b')) | ('c', None) => Some(1),
            (_, Some('h')) => Some(2),
            (_, Some('g')) => Some(8),
            ('a', None) => None,
            _ => Some(4),
        }
    }
}

pub(super) fn examine(shell: &mut Shell, words: &Words<'_>, out: &mut dyn Write) -> Done {
    let wanted = Wanted::of(words.format, &shell.examined)?;
    let address = match (words.rest, shell.examined.next) {
        ("", Some(next)) => format!("{next:#x}"),
        ("", None) => return refuse("an address is missing: `x/4gx $sp`"),
        (rest, _) => rest.to_owned(),
    };
    let Wanted { count, format, size } = wanted;
    let unit = wanted.unit();
    // What follows begins where the last one ends, which only the next one says.
    let asked = if unit.is_some() { count } else { count.saturating_add(1) };
    let size_letter = size.map(String::from).unwrap_or_default();
    let mut found = shell.evaluate(&format!("x/{asked}{format}{size_letter} {address}"))?;
    let mut next = None;
    for printed in &mut found {
        let Answer::Memory(memory) = &mut printed.answer else { continue };
        next = match unit {
            Some(unit) => end_of(memory, unit),
            None => without_last(memory, count, format),
        };
    }
    shell.examined =
        LastExamined { format: Some(format), size: size.or(shell.examined.size), next };
    for printed in found {
        write_printed(out, &printed, &shell.page)?;
    }
    Ok(())
}

/// The address behind the last unit of a fixed size.
fn end_of(memory: &MemoryDump, unit: u64) -> Option<u64> {
    let last = memory.rows.last()?;
    let bytes = (last.values.len() as u64).saturating_mul(unit);
    last.unavailable.is_none().then(|| last.address.0.saturating_add(bytes))
}

/// Takes out the one that was not asked for, and says where it begins.
fn without_last(memory: &mut MemoryDump, count: u64, format: char) -> Option<u64> {
    if format == 'a' {
        return take_address(memory, count);
    }
    let is_surplus = memory.rows.len() as u64 > count;
    if !is_surplus {
        memory.omitted = memory.omitted.saturating_sub(1);
        return None;
    }
    memory.rows.pop().map(|row| row.address.0)
}

/// Addresses are several in a row, of the pointer's size.
fn take_address(memory: &mut MemoryDump, count: u64) -> Option<u64> {
    let units: u64 = memory.rows.iter().map(|row| row.values.len() as u64).sum();
    if units <= count {
        memory.omitted = memory.omitted.saturating_sub(1);
        return None;
    }
    let first = memory.rows.first()?.address.0;
    let last = memory.rows.last_mut()?;
    last.values.pop();
    let (address, is_empty) = (last.address.0, last.values.is_empty());
    let before = last.values.len() as u64;
    if is_empty {
        memory.rows.pop();
        return Some(address);
    }
    // The size of a word: the distance of the rows, or the only row's share is not known.
    match (address > first, memory.rows.first().map(|row| row.values.len() as u64)) {
        (true, Some(in_row @ 1..)) => {
            let second = memory.rows.get(1)?.address.0;
            let word = second.checked_sub(first)?.checked_div(in_row)?;
            Some(address.saturating_add(before.saturating_mul(word)))
        }
        _ => None,
    }
}

/// The address that an expression gives.
pub(super) fn address(shell: &mut Shell, text: &str) -> Result<u64, Trouble> {
    for printed in shell.evaluate(&format!("x/1xb {text}"))? {
        match printed {
            Printed { answer: Answer::Memory(memory), .. } => {
                if let Some(row) = memory.rows.first() {
                    return Ok(row.address.0);
                }
            }
            Printed { answer: Answer::Value(value), .. } => {
                return refuse(format!("`{text}` gives no address: {}", value.whole_words()));
            }
            Printed { .. } => {}
        }
    }
    refuse(format!("`{text}` gives no address"))
}

/// The whole number that an expression gives.
pub(super) fn number(shell: &mut Shell, text: &str) -> Result<u64, Trouble> {
    let found = shell.variables(&format!("print/x {text}"))?;
    let words = found.first().map(obit_report::Variable::whole_words).unwrap_or_default();
    let digits = words.strip_prefix("0x").and_then(|digits| u64::from_str_radix(digits, 16).ok());
    digits.map_or_else(|| refuse(format!("`{text}` gives no whole number: {words}")), Ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_and_sizes_that_are_not_given_are_those_used_last() {
        let last = LastExamined { format: Some('d'), size: Some('g'), next: None };
        let wanted = |text| {
            let Wanted { count, format, size } = Wanted::of(Some(text), &last).unwrap();
            (count, format, size)
        };
        assert_eq!(wanted("4"), (4, 'd', Some('g')));
        assert_eq!(wanted("xb"), (1, 'x', Some('b')));
        assert_eq!(wanted("3i"), (3, 'i', None));
        assert_eq!(wanted("gx"), (1, 'x', Some('g')));
        assert!(Wanted::of(Some("q"), &last).is_err());
        assert!(Wanted::of(Some("99999999999999999999x"), &last).is_err());
    }

    #[test]
    fn numbers_of_printed_values_are_recognised() {
        for text in ["$", "$$", "$1", "$$3"] {
            assert!(is_history(text), "{text}");
        }
        for text in ["$pc", "$x1", "1", "$_siginfo"] {
            assert!(!is_history(text), "{text}");
        }
    }
}
