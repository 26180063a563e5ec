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

/// Whether a function is of Python's library or of an installed package. What `python -c` and
/// `exec` run has a name in angle brackets, too, and is the program's.
fn is_of_library(frame: &TaskFrame) -> bool {
    frame.place.as_ref().is_none_or(|place| is_library_file(&place.file))
}

fn is_library_file(file: &str) -> bool {
    let mut places = ["/lib/python", "/lib64/python"].iter();
    file.starts_with("<frozen ")
        || places.any(|place| {
            let version = file.split_once(place).map(|(_, rest)| rest);
            version.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_a_python_that_is_installed_are_its_librarys() {
        for file in [
            "/usr/lib/python3.11/ctypes/__init__.py",
            "/usr/lib64/python3.12/site-packages/numpy/core.py",
            "<frozen importlib._bootstrap>",
        ] {
            assert!(is_library_file(file), "{file}");
        }
        for file in ["<string>", "<stdin>", "/opt/lib/python-app/main.py", "app.py", ""] {
            assert!(!is_library_file(file), "{file}");
        }
    }
}
