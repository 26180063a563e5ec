//! `info`.

use std::io::Write;

use super::state::{Done, Shell, refuse, say};
use super::words::{Words, one_of};
use super::{code, own, registers, stack, threads, values};
use obit_render::prompt;
use obit_report::module::{DebugReport, ModuleFile};

/// Subjects and what they show; those of gdb that a dump has nothing of, and why.
const SUBJECTS: &[(&str, &str)] = &[
    ("threads", "all threads"),
    ("locals", "local variables of the frame"),
    ("args", "its arguments"),
    ("registers", "registers, or those that are named"),
    ("all-registers", "with those of vectors"),
    ("frame", "the frame"),
    ("stack", "as bt"),
    ("symbol", "what is at an address"),
    ("line", "the line of a function or an address"),
    ("source", "the file of the frame"),
    ("sources", "files of all frames"),
    ("sharedlibrary", "what was loaded"),
    ("signals", "the signal that ended the process"),
    ("program", "how the process ended"),
    ("proc", "the process; `info proc mappings` its memory"),
    ("files", "the dump and its program"),
    ("inferiors", "the process"),
    ("locks", "who waits for whom"),
    ("notices", "what is missing"),
];
const OTHER_NAMES: &[(&str, &str)] = &[
    ("r", "registers"),
    ("lo", "locals"),
    ("s", "stack"),
    ("f", "frame"),
    ("dll", "sharedlibrary"),
    ("target", "files"),
];
const REFUSED: &[(&str, &str)] = &[
    ("breakpoints", "the process has ended: nothing runs that could stop"),
    ("watchpoints", "the process has ended: nothing runs that could stop"),
    ("display", "the process does not go on, so nothing changes"),
    ("functions", "all functions are not listed; `info symbol ADDRESS` and `print NAME` find one"),
    ("variables", "all globals are not listed; `print NAME` shows one"),
    ("types", "all types are not listed; `ptype NAME` shows one"),
    ("scope", "`info locals` lists the variables of the frame"),
    ("macro", "macros are not read"),
    ("auxv", "`obit CORE --json` has what is known of the process"),
    ("os", "a dump has one process"),
    ("checkpoints", "a dump has one moment"),
    ("record", "a dump has one moment: nothing was recorded"),
    ("skip", "the process has ended"),
    ("vector", "`info all-registers` has them"),
    ("float", "`info all-registers` has them"),
    ("address", "`print &NAME` has it"),
];

/// Lists the subjects.
pub(super) fn list(out: &mut dyn Write) -> Done {
    for (name, about) in SUBJECTS {
        writeln!(out, "  info {name:<14} {about}")?;
    }
    Ok(())
}

/// Names of subjects.
pub(super) fn subjects() -> impl Iterator<Item = &'static str> {
    SUBJECTS.iter().map(|(name, _)| *name)
}

pub(super) fn info(shell: &mut Shell, words: &Words<'_>, out: &mut dyn Write) -> Done {
    words.no_format()?;
    let (word, rest) = Words::first(words.rest);
    if word.is_empty() {
        return list(out);
    }
    let same = |(name, _): &(&'static str, &'static str)| (*name, *name);
    let names = SUBJECTS.iter().chain(REFUSED).map(same).chain(OTHER_NAMES.iter().copied());
    let exact = names.clone().find(|(name, _)| *name == word).map(|(_, subject)| subject);
    let subject = match exact {
        Some(subject) => subject,
        None => one_of(word, names, "subject of info")?,
    };
    if let Some((_, why)) = REFUSED.iter().find(|(name, _)| *name == subject) {
        return refuse(format!("info {subject}: {why}"));
    }
    match subject {
        "threads" => threads::list(shell, rest, out),
        "locals" | "args" => values::variables(shell, subject, out),
        "registers" => registers::list(shell, rest, false, out),
        "all-registers" => registers::list(shell, rest, true, out),
        "frame" => stack::describe(shell, out),
        "stack" => stack::backtrace(shell, &Words { rest, ..words.clone() }, out),
        "symbol" => symbol(shell, rest, out),
        "line" => code::line_of(shell, rest, out),
        "source" => source(shell, out),
        "sources" => sources(shell, out),
        "sharedlibrary" => modules(shell, rest, out),
        "signals" | "program" => program(shell, out),
        "locks" => own::locks(shell, &Words { rest: "", ..words.clone() }, out),
        "notices" => own::notices(shell, &Words { rest: "", ..words.clone() }, out),
        "proc" if !rest.is_empty() => mappings(shell, rest, out),
        _ => process(shell, out),
    }
}

fn symbol(shell: &mut Shell, text: &str, out: &mut dyn Write) -> Done {
    if text.is_empty() {
        return refuse("an address is missing: `info symbol $pc`");
    }
    let found = shell.variables(&format!("/a {text}"))?;
    let words = found.first().map(obit_report::Variable::whole_words).unwrap_or_default();
    let module_at = |address: u64| {
        let mut modules = shell.report.modules.iter();
        let module = modules.find(|module| {
            address.checked_sub(module.base.0).is_some_and(|offset| offset < module.size)
        });
        module.map(|module| format!(" in {}", prompt::plain(&module.path)))
    };
    match words.split_once('<') {
        Some((address, symbol)) => {
            let address = address.trim().strip_prefix("0x");
            let address = address.and_then(|digits| u64::from_str_radix(digits, 16).ok());
            let module = address.and_then(module_at).unwrap_or_default();
            say(out, &format!("{}{module}", symbol.trim_end_matches('>')))
        }
        None => refuse(format!("no symbol is known at {words}")),
    }
}

fn source(shell: &mut Shell, out: &mut dyn Write) -> Done {
    let source = shell.chosen_frame().and_then(|frame| frame.source.as_ref());
    let Some(source) = source else { return refuse("no line information for this frame") };
    say(out, &format!("Current source file is {}", prompt::plain(&source.file)))?;
    if let Some(directory) = &source.directory {
        say(out, &format!("Compilation directory is {}", prompt::plain(directory)))?;
    }
    if let Some(found) = &source.found {
        say(out, &format!("Located in {}", prompt::plain(found)))?;
    }
    Ok(())
}

fn sources(shell: &mut Shell, out: &mut dyn Write) -> Done {
    for file in crate::session::of_report::sources(&shell.report).files {
        say(out, &prompt::plain(&file))?;
    }
    Ok(())
}

fn modules(shell: &Shell, matching: &str, out: &mut dyn Write) -> Done {
    let mut rows = vec![["From", "To", "Syms", "File"].map(str::to_owned).to_vec()];
    for module in &shell.report.modules {
        let path = prompt::plain(&module.path);
        if !path.contains(matching) {
            continue;
        }
        let symbols = match (module.file, module.debug) {
            (_, DebugReport::Full) => "yes".to_owned(),
            (_, DebugReport::LineTables) => "lines".to_owned(),
            (_, DebugReport::Symbols) => "names".to_owned(),
            (ModuleFile::Missing, _) => "no file".to_owned(),
            (ModuleFile::Mismatch, _) => "other build".to_owned(),
            _ => "no".to_owned(),
        };
        let end = module.base.0.saturating_add(module.size);
        rows.push(vec![module.base.to_string(), format!("{end:#x}"), symbols, path]);
    }
    if rows.len() == 1 {
        return refuse("no such module was loaded");
    }
    for row in prompt::columns(&rows) {
        writeln!(out, "{row}")?;
    }
    Ok(())
}

/// The signal that ended the process.
pub(super) fn program(shell: &Shell, out: &mut dyn Write) -> Done {
    let Some(signal) = &shell.report.signal else {
        return say(out, "The dump does not say by which signal the process ended.");
    };
    let code = signal.code_name.as_deref().map(|code| format!(" ({code})")).unwrap_or_default();
    let at = signal.fault_address.map(|at| format!(" at {at}")).unwrap_or_default();
    let meaning = signal.meaning().map(|meaning| format!(": {meaning}")).unwrap_or_default();
    let sender =
        signal.sender_pid.map(|pid| format!(", sent by process {pid}")).unwrap_or_default();
    let verb = if shell.report.is_snapshot() { "was stopped by" } else { "terminated with" };
    say(out, &format!("Program {verb} signal {}{code}{at}{meaning}{sender}.", signal.name))
}

fn process(shell: &Shell, out: &mut dyn Write) -> Done {
    let report = &shell.report;
    let pid = report.process.pid.map_or_else(|| "not known".to_owned(), |pid| pid.to_string());
    say(out, &format!("process {pid}"))?;
    if !report.process.args.is_empty() {
        let args: Vec<_> = report.process.args.iter().map(prompt::plain).collect();
        say(out, &format!("cmdline = '{}'", args.join(" ")))?;
    }
    if let Some(exe) = &report.process.exe {
        say(out, &format!("exe = '{}'", prompt::plain(exe)))?;
    }
    if let Some(build_id) = &report.process.build_id {
        say(out, &format!("build ID = {build_id}"))?;
    }
    say(out, &format!("dump = {} ({}, {} bytes)", report.id, report.core.arch, report.core.size))
}

fn mappings(shell: &Shell, what: &str, out: &mut dyn Write) -> Done {
    if !"mappings".starts_with(what) {
        return refuse(format!("info proc has `mappings`, not `{what}`"));
    }
    let Some(memory) = &shell.report.memory else {
        return refuse("the map of memory was not read");
    };
    let heads = ["Start", "End", "Size", "Perms", "In core", "What"];
    let mut rows = vec![heads.map(str::to_owned).to_vec()];
    for range in &memory.ranges {
        let what = range.path.as_ref().map(prompt::plain);
        let what = what.unwrap_or_else(|| match range.thread {
            Some(tid) => format!("stack of thread {tid}"),
            None => format!("{:?}", range.kind).to_lowercase(),
        });
        let end = range.start.0.saturating_add(range.size);
        let number = |number: u64| format!("{number:#x}");
        rows.push(vec![
            range.start.to_string(),
            number(end),
            number(range.size),
            range.permissions.clone(),
            number(range.in_core),
            what,
        ]);
    }
    for row in prompt::columns(&rows) {
        writeln!(out, "{row}")?;
    }
    if memory.omitted > 0 {
        say(out, &format!("\u{2026} {} smaller ranges left out", memory.omitted))?;
    }
    Ok(())
}
