//! The last lines of a run: what crashed, and where its files are.

use std::path::Path;

use obit::capture::{Outcome, Trigger, Written};
use obit::dump::signal_name;
use obit::render::formats::ReportView;
use obit::render::{Format, PageOptions};
use obit::report::Report;

use super::analyst::Analyzed;
use crate::cli::message::{say, say_line};

/// Says nothing of a run in which nothing crashed.
pub(super) fn say_all(analyzed: &[Analyzed], outcome: &Outcome, directory: &Path, most: usize) {
    if !analyzed.is_empty() {
        let what = match analyzed.len() {
            1 => "1 process was".to_owned(),
            count => format!("{count} processes were"),
        };
        say(&format!("{what} recorded in {}", directory.display()));
    }
    let mut seen: Vec<(String, &Analyzed, usize)> = Vec::new();
    for one in analyzed {
        let kind = kind(one);
        match seen.iter_mut().find(|(known, ..)| *known == kind) {
            Some((.., count)) => *count += 1,
            None => seen.push((kind, one, 1)),
        }
    }
    for (_, one, count) in seen {
        say_one(one, count);
    }
    for (program, trigger, count) in &outcome.excess {
        say(&format!(
            "{count} more of {program} ({}) not recorded: the limit is {most} (--max-crashes)",
            words(*trigger)
        ));
    }
}

/// The same for crashes that one line can stand for.
fn kind(one: &Analyzed) -> String {
    let signature = one.report.as_ref().and_then(|report| report.signature.as_ref());
    let problems = one.problems.concat();
    match signature.filter(|_| problems.is_empty()) {
        Some(signature) => {
            let trigger = words(one.crash.trigger);
            format!("{} {trigger} {}", one.crash.program, signature.text.as_str())
        }
        None => one.crash.core.display().to_string(),
    }
}

fn say_one(one: &Analyzed, count: usize) {
    let files = one.files.iter().filter_map(|file| file.file_name()?.to_str());
    let mut files = files.collect::<Vec<_>>().join(", ");
    if count > 1 {
        files = format!("{files} and {} more alike", count - 1);
    }
    let process = format!("{} ({})", one.crash.program, one.crash.process);
    let trigger = words(one.crash.trigger);
    let found = one.report.as_ref().and_then(brief);
    let found = match (found, one.crash.trigger) {
        (Some(line), Trigger::Signal(_)) => line,
        (Some(line), _) => format!("{trigger}: {line}"),
        (None, _) => format!("{process}: {trigger}"),
    };
    // Of a report, which is redacted.
    say_line("obit: ", &format!("  {files}: {found}"));
    if let Some(missing) = missing_memory(one.crash.written) {
        say(&format!("  {process}: {missing}"));
    }
    for problem in &one.problems {
        say(&format!("  {process}: {problem}"));
    }
}

/// What is not in a core, and why.
fn missing_memory(written: Written) -> Option<String> {
    let Written { left_out, is_cut, .. } = written;
    match (is_cut, left_out) {
        (true, _) => Some(format!(
            "it was killed while its core was written; {left_out} bytes of memory are not in the \
             core"
        )),
        (false, 0) => None,
        (false, _) => Some(format!("{left_out} bytes of memory are not in the core: disk space")),
    }
}

/// The report in one line.
fn brief(report: &Report) -> Option<String> {
    let writer = Format::named("brief")?.report()?;
    let mut line = Vec::new();
    writer.write(&mut line, report, ReportView::Page, &PageOptions::default()).ok()?;
    Some(String::from_utf8_lossy(&line).trim_end().to_owned())
}

/// What a process was recorded for.
pub(super) fn words(trigger: Trigger) -> String {
    match trigger {
        Trigger::Signal(number) => {
            let name = u16::try_from(number).ok().and_then(signal_name);
            name.map_or_else(|| format!("signal {number}"), str::to_owned)
        }
        Trigger::Timeout => "timeout".to_owned(),
        Trigger::Exit(status) => format!("exit status {status}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_that_was_cut_says_by_what() {
        let written = |left_out, is_cut| Written { left_out, is_cut, ..Written::default() };
        let cut = missing_memory(written(4096, true)).unwrap();
        assert!(cut.contains("killed") && cut.contains("4096 bytes"), "{cut}");
        // Killed after the last byte: what came last may be torn all the same.
        assert!(missing_memory(written(0, true)).is_some());
        let full = missing_memory(written(4096, false)).unwrap();
        assert!(full.contains("4096 bytes") && full.contains("disk space"), "{full}");
        assert_eq!(missing_memory(written(0, false)), None);
    }
}
