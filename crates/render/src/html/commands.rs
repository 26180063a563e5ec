//! The commands that show on a terminal what the page shows.

use maud::{Markup, html};

use super::page::command;
use crate::name;
use obit_report::Report;

/// Stands for the core file in the report's steps.
const CORE: &str = "CORE";
/// Threads whose commands are listed.
const THREADS: usize = 8;

/// The list of them.
pub(super) fn part(report: &Report) -> Markup {
    let core = quoted_core(report);
    let commands = [
        (format!("obit {core}"), "the first screen"),
        (format!("obit {core} --all-threads"), "every thread"),
        (format!("obit {core} -v --registers"), "everything, registers too"),
        (format!("obit modules {core}"), "what was loaded"),
        (format!("obit signature {core} --explain"), "what distinguishes this bug"),
        (format!("obit --json {core}"), "all of it, for programs"),
        (format!("obit {core} --format html -o crash.html"), "this page"),
    ];
    html! {
        dl.commands {
            @for (text, what) in &commands {
                div { dt { (what) } dd { (command(text)) } }
            }
        }
    }
}

/// The commands for single threads, the first few of `tids`.
pub(super) fn of_threads(report: &Report, tids: impl Iterator<Item = i64>) -> Markup {
    let core = quoted_core(report);
    html! {
        @for tid in tids.take(THREADS) { (command(&format!("obit {core} --thread {tid}"))) " " }
    }
}

/// A step of the report as a command for this core, and what follows it for people:
/// `(and 507)`; `None` if it is no command.
pub(super) fn runnable<'s>(step: &'s str, report: &Report) -> Option<(String, &'s str)> {
    if !step.starts_with("obit ") {
        return None;
    }
    let end = step.find(" (and ").unwrap_or(step.len());
    let (step, rest) = step.split_at_checked(end)?;
    let words = step.split(' ').map(|word| match word {
        CORE => quoted_core(report),
        word => word.to_owned(),
    });
    Some((words.collect::<Vec<_>>().join(" "), rest.trim_start()))
}

/// The core's path as the user gave it, redacted, for a shell.
pub(super) fn quoted_core(report: &Report) -> String {
    let path = name::shown(&report.core.path);
    if path.is_empty() {
        return CORE.to_owned();
    }
    // Nor may it be taken for an option.
    let path = if path.starts_with('-') { format!("./{path}") } else { path };
    quoted(&path)
}

/// As one word for a shell.
pub(super) fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_./+-:,@%=".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::text;

    #[test]
    fn a_path_is_quoted_for_a_shell() {
        assert_eq!(quoted("/tmp/core.12"), "/tmp/core.12");
        assert_eq!(quoted("/tmp/my core"), "'/tmp/my core'");
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("it's; rm $(x)"), "'it'\\''s; rm $(x)'");
    }

    #[test]
    fn a_step_names_this_core() {
        let mut report = Report::default();
        let step = |step: &'static str, report: &Report| runnable(step, report);
        assert_eq!(step("obit CORE", &report), Some(("obit CORE".to_owned(), "")));
        let printed = Some(("obit CORE --thread 7".to_owned(), "(and 8)"));
        assert_eq!(step("obit CORE --thread 7 (and 8)", &report), printed);
        report.core.path = text("-core one");
        let printed = "obit print './-core one' '*job' -f 1".to_owned();
        assert_eq!(step("obit print CORE '*job' -f 1", &report), Some((printed, "")));
        assert_eq!(step("install libfoo-dbgsym", &report), None);
    }
}
