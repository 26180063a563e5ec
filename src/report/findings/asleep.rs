//! Goroutines that all wait, so that Go's runtime ended the process: where each does. The threads
//! show the runtime only.

use crate::report::{Evidence, EvidenceKind, Finding};
use obit_process::process::Process;
use obit_redact::{Origin, Redactor};
use obit_runtime::{Task, Verdict, go};

/// What the finding is called.
pub(in crate::report) const KIND: &str = "all-asleep";
/// Goroutines whose place is shown, and frames of each: those of the program.
const MOST: usize = 5;
const FRAMES: usize = 4;

/// The finding, where the runtime found that nothing can go on.
pub(in crate::report) fn finding(process: &Process, redactor: &mut Redactor) -> Option<Finding> {
    let runtime = go(process)?;
    if !runtime.verdicts.contains(&Verdict::AllAsleep) {
        return None;
    }
    let waiting: Vec<&Task> = runtime.tasks.iter().filter(|task| !task.is_of_runtime).collect();
    let evidence = waiting.iter().take(MOST).map(|task| {
        let text = place(task, redactor);
        Evidence {
            kind: EvidenceKind::Memory,
            text: redactor.show(Origin::OwnWords, &text),
            ..Evidence::default()
        }
    });
    let evidence = evidence.collect();
    let title = match waiting.len() {
        1 => "the only goroutine waits, and nothing can wake it".to_owned(),
        count => format!("all {count} goroutines wait, and nothing can wake one"),
    };
    Some(Finding {
        kind: KIND.to_owned(),
        title: redactor.show(Origin::OwnWords, &title),
        evidence,
        ..Finding::default()
    })
}

/// `goroutine 1, chan receive: main.recv at main.go:2 ← main.main at main.go:3`.
fn place(task: &Task, redactor: &mut Redactor) -> String {
    let of_program = task.frames.iter().filter(|frame| {
        frame.function.as_deref().is_some_and(|name| !name.starts_with("runtime."))
    });
    let frames: Vec<String> = of_program
        .take(FRAMES)
        .map(|frame| {
            let name = frame.function.as_deref().unwrap_or_default();
            let name = redactor.show(Origin::SymbolName, name);
            let line = frame.place.as_ref().and_then(|place| {
                let file = redactor.show(Origin::SourcePath, &place.file);
                let file = file.as_str().rsplit('/').next()?.to_owned();
                Some(format!(" at {file}:{}", place.line?))
            });
            format!("{}{}", name.as_str(), line.unwrap_or_default())
        })
        .collect();
    let reason = task.wait.as_ref().map(|wait| {
        let reason = redactor.show(Origin::SymbolName, &wait.reason);
        format!(", {}", reason.as_str())
    });
    let who = format!("goroutine {}{}", task.id, reason.unwrap_or_default());
    if frames.is_empty() { who } else { format!("{who}: {}", frames.join(" \u{2190} ")) }
}
