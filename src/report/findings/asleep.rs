//! Goroutines that all wait, so that Go's runtime ended the process: where each does. The threads
//! show the runtime only.

use super::place_of_task;
use crate::report::{
    Blame, Confidence, Evidence, EvidenceKind, Finding, FrameReport, ModulePlace, SourcePlace,
};
use obit_process::process::Process;
use obit_redact::{Origin, Redactor, Shown};
use obit_runtime::{Runtime, Task, Verdict, go};

/// What the finding is called.
pub(in crate::report) const KIND: &str = "all-asleep";
/// The goroutine that runs `main.main`.
const MAIN: u64 = 1;
/// Goroutines whose place is shown, and frames of each: those of the program.
const MOST: usize = 5;
const FRAMES: usize = 4;

/// Go's runtime, where it found that nothing can go on.
pub(in crate::report) fn read(process: &Process) -> Option<Runtime> {
    go(process).filter(|runtime| runtime.verdicts.contains(&Verdict::AllAsleep))
}

/// Where the program waits: of the goroutine of `main`, else of the first, the innermost frame that
/// is the program's.
pub(in crate::report) fn blame(
    runtime: &Runtime,
    executable: Option<&Shown>,
    redactor: &mut Redactor,
) -> Option<Blame> {
    let mut waiting = runtime.tasks.iter().filter(|task| !task.is_of_runtime);
    let task = waiting.clone().find(|task| task.id == MAIN).or_else(|| waiting.next())?;
    let (function, source) = task.frames.iter().find_map(|frame| {
        let function = redactor.show(Origin::SymbolName, frame.function.as_deref()?);
        let source = frame.place.as_ref().map(|place| SourcePlace {
            file: redactor.show(Origin::SourcePath, &place.file),
            line: place.line.and_then(|line| u32::try_from(line).ok()),
            ..SourcePlace::default()
        });
        let shown = FrameReport {
            function: Some(function.clone()),
            source: source.clone(),
            module: executable.map(|path| ModulePlace { path: path.clone(), ..Default::default() }),
            ..FrameReport::default()
        };
        let owner = shown.ownership(executable.map(Shown::as_str)).owner;
        let is_of_program = owner.is_application();
        is_of_program.then_some((function, source))
    })?;
    let reason = format!("goroutine {} waits here, and nothing can wake it", task.id);
    Some(Blame {
        task: Some(task.id),
        function: Some(function),
        source,
        reason: Some(redactor.show(Origin::OwnWords, &reason)),
        confidence: Confidence::Likely,
        ..Blame::default()
    })
}

/// The finding.
pub(in crate::report) fn finding(runtime: &Runtime, redactor: &mut Redactor) -> Finding {
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
    Finding {
        kind: KIND.to_owned(),
        title: redactor.show(Origin::OwnWords, &title),
        evidence,
        ..Finding::default()
    }
}

/// `goroutine 1, chan receive: main.recv at main.go:2 ← main.main at main.go:3`.
fn place(task: &Task, redactor: &mut Redactor) -> String {
    let of_program = task.frames.iter().filter(|frame| {
        frame.function.as_deref().is_some_and(|name| !name.starts_with("runtime."))
    });
    let frames: Vec<String> =
        of_program.take(FRAMES).map(|frame| place_of_task(frame, redactor)).collect();
    let reason = task.wait.as_ref().map(|wait| {
        let reason = redactor.show(Origin::SymbolName, &wait.reason);
        format!(", {}", reason.as_str())
    });
    let who = format!("goroutine {}{}", task.id, reason.unwrap_or_default());
    if frames.is_empty() { who } else { format!("{who}: {}", frames.join(" \u{2190} ")) }
}
