//! What the crashed thread runs in Python: its frames show the interpreter only.

use super::place_of_task;
use crate::report::{Evidence, EvidenceKind, Finding};
use obit_process::process::Process;
use obit_redact::{Origin, Redactor};
use obit_runtime::{TaskFrame, TaskFrameKind, python_of};

/// What the finding is called.
pub(in crate::report) const KIND: &str = "python-stack";
/// Functions that are shown: the innermost.
const MOST: usize = 8;

/// The finding, where the crashed thread runs Python code that could be read.
pub(in crate::report) fn finding(process: &Process, redactor: &mut Redactor) -> Option<Finding> {
    let thread = process.threads.iter().position(|thread| thread.crashed)?;
    let runtime = python_of(process, thread)?;
    let task = runtime.tasks.iter().find(|task| task.thread == Some(thread))?;
    let is_python = |frame: &&TaskFrame| frame.kind == TaskFrameKind::Interpreted;
    let frames: Vec<&TaskFrame> = task.frames.iter().filter(is_python).collect();
    let own = frames.iter().position(|frame| !is_of_library(frame));
    let frames: Vec<String> =
        frames.into_iter().map(|frame| place_of_task(frame, redactor)).collect();
    let innermost = frames.first()?;
    let title = match own.and_then(|at| Some((at, frames.get(at)?))) {
        None | Some((0, _)) => format!("in Python: {innermost}"),
        Some((1, own)) => format!("in Python: {innermost} \u{2190} {own}"),
        Some((_, own)) => format!("in Python: {innermost} \u{2190} \u{2026} \u{2190} {own}"),
    };
    let more = (frames.len().saturating_sub(MOST) as u64).saturating_add(task.frames_omitted);
    let mut lines: Vec<String> = frames.into_iter().take(MOST).collect();
    if more > 0 {
        lines.push(format!("{more} more: `obit tasks` shows them"));
    }
    lines.extend(task.doubts.iter().map(|doubt| (*doubt).to_owned()));
    let evidence = lines.iter().map(|line| Evidence {
        kind: EvidenceKind::Memory,
        text: redactor.show(Origin::OwnWords, line),
        ..Evidence::default()
    });
    let evidence = evidence.collect();
    Some(Finding {
        kind: KIND.to_owned(),
        title: redactor.show(Origin::OwnWords, &title),
        evidence,
        ..Finding::default()
    })
}

/// Whether a function is of Python's library or of an installed package.
fn is_of_library(frame: &TaskFrame) -> bool {
    let Some(place) = &frame.place else { return true };
    place.file.starts_with('<')
        || ["/lib/python", "/lib64/python"].iter().any(|part| place.file.contains(part))
}
