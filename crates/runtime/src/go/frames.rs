//! Frames of goroutines.

use obit_process::process::{Frame, FrameKind, Process};

use crate::{Place, Task, TaskFrame, TaskFrameKind};

/// Functions by which the runtime ends the process.
const ENDING: [&str; 4] =
    ["runtime.fatalpanic", "runtime.throw", "runtime.fatal", "runtime.fatalthrow"];
/// The outermost function of goroutines.
const BEGINS: &str = "runtime.goexit";
/// The function that finds that no goroutine can go on.
const FINDS_ALL_ASLEEP: &str = "runtime.checkdead";

fn task_frame(frame: &Frame) -> TaskFrame {
    let kind =
        if frame.kind == FrameKind::Inline { TaskFrameKind::Inline } else { TaskFrameKind::Native };
    TaskFrame {
        kind,
        function: frame.function.as_deref().map(|name| plain(name).to_owned()),
        pc: Some(frame.pc),
        place: frame
            .source
            .as_ref()
            .map(|source| Place { file: source.file.clone(), line: source.line.map(u64::from) }),
        physical: Some(frame.activation),
        locals: Vec::new(),
    }
}

/// Up to the function that all goroutines begin in: what is beyond it on the stack is nothing.
pub(super) fn task_frames<'f>(frames: impl Iterator<Item = &'f Frame>) -> Vec<TaskFrame> {
    let mut found = Vec::new();
    for frame in frames {
        let frame = task_frame(frame);
        let is_first = frame.function.as_deref() == Some(BEGINS);
        found.push(frame);
        if is_first {
            break;
        }
    }
    found
}

/// Without the mark of the linker for functions of the stack-based convention, which the runtime
/// does not print.
pub(super) fn plain(name: &str) -> &str {
    name.strip_suffix(".abi0").unwrap_or(name)
}

/// Whether it ends the process: nothing but the runtime's own functions is above the one that
/// does.
pub(super) fn is_ending(task: &Task) -> bool {
    let names = task.frames.iter().map(|frame| frame.function.as_deref().unwrap_or_default());
    let mut own = names.take_while(|name| name.starts_with("runtime."));
    own.any(|name| ENDING.contains(&name))
}

/// Whether the runtime ended the process because no goroutine can go on.
pub(super) fn found_all_asleep(process: &Process) -> bool {
    process.threads.iter().any(|thread| {
        let names = thread.frames.iter().filter_map(|frame| frame.function.as_deref());
        let names: Vec<&str> = names.map(plain).collect();
        let found = names.iter().position(|name| *name == FINDS_ALL_ASLEEP);
        let inner = found.and_then(|at| names.get(..at)).unwrap_or_default();
        inner.iter().any(|name| ENDING.contains(name))
    })
}
