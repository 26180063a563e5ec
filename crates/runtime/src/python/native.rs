//! Which frame of machine code runs which frames of Python.

use obit_process::process::{Frame, FrameKind, Thread};

use super::EVALUATION;
use super::frames::{Chain, PythonFrame};
use crate::{TaskFrame, TaskFrameKind};

const NOT_JOINED: &str =
    "which frames of the thread run which of Python is not known: their numbers differ";

/// Whether the frame is a call of the evaluation loop.
pub(super) fn is_evaluation(frame: &Frame) -> bool {
    frame.kind == FrameKind::Normal && frame.function.as_deref() == Some(EVALUATION)
}

/// The frames of Python by themselves.
pub(super) fn alone(chain: Chain) -> Vec<TaskFrame> {
    chain.frames.into_iter().map(|frame| interpreted(frame, None)).collect()
}

/// The frames of Python, with those of the thread between them that are not the interpreter's
/// own, and what is wrong with that. `interpreter` is the index of its module.
pub(super) fn joined(
    thread: &Thread,
    interpreter: usize,
    chain: Chain,
) -> (Vec<TaskFrame>, Option<&'static str>) {
    let calls = thread.frames.iter().filter(|frame| is_evaluation(frame)).count();
    let is_whole = thread.omitted.is_none() && chain.omitted == 0 && !chain.is_cut;
    if calls != chain.runs.len() || !is_whole {
        let is_doubtful = !chain.frames.is_empty();
        return (alone(chain), is_doubtful.then_some(NOT_JOINED));
    }
    let Chain { runs, frames, .. } = chain;
    let (mut runs, mut frames) = (runs.into_iter(), frames.into_iter());
    let mut found = Vec::new();
    let mut left = calls;
    for frame in &thread.frames {
        // What is further out started the interpreter.
        if left == 0 {
            break;
        }
        if is_evaluation(frame) {
            left = left.saturating_sub(1);
            let run = frames.by_ref().take(runs.next().unwrap_or_default());
            found.extend(run.map(|python| interpreted(python, Some(frame.activation))));
        } else if frame.module != Some(interpreter) {
            found.push(machine_code(frame));
        }
    }
    (found, None)
}

fn interpreted(frame: PythonFrame, physical: Option<usize>) -> TaskFrame {
    TaskFrame {
        kind: TaskFrameKind::Interpreted,
        function: frame.function,
        pc: None,
        place: frame.place,
        physical,
        locals: Vec::new(),
    }
}

fn machine_code(frame: &Frame) -> TaskFrame {
    let is_inline = frame.kind == FrameKind::Inline;
    TaskFrame {
        kind: if is_inline { TaskFrameKind::Inline } else { TaskFrameKind::Native },
        function: frame.function.as_deref().map(str::to_owned),
        pc: Some(frame.pc),
        place: None,
        physical: Some(frame.activation),
        locals: Vec::new(),
    }
}
