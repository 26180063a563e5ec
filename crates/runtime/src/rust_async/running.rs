//! Tasks that threads run: which thread, and its frames.

use super::names;
use super::spot::{Reader, Spot};
use crate::model::{Place, TaskFrame, TaskFrameKind};
use obit_process::process::{Frame, FrameKind, Thread};

/// Frames of a thread that a task shows.
const MOST_FRAMES: usize = 256;

/// The number of the task that a thread runs, by tokio's context of it.
pub(super) fn current_task<'p>(reader: &Reader<'p>, context: Spot<'p>) -> Option<u64> {
    let mut spot = reader.field(context, "current_task_id")?;
    // Cells, an option, and the number within its type.
    for _ in 0..16 {
        let Some(record) = spot.record() else { break };
        let is_enum = !record.variant_parts.is_empty();
        let fields = if is_enum {
            let active = reader.active(spot)?;
            active.first().and_then(|member| spot.member(member))
        } else {
            record.members.first().and_then(|member| spot.member(member))
        };
        spot = fields?;
    }
    reader.unsigned(spot.at, 8).filter(|id| *id != 0)
}

/// The frames of a thread down to those of the runtime that polls the task.
pub(super) fn frames(thread: &Thread) -> Vec<TaskFrame> {
    let frames = thread.frames.iter().enumerate().take(MOST_FRAMES);
    let is_poll = |frame: &Frame| {
        frame.function.as_deref().is_some_and(|name| {
            name.starts_with("tokio::runtime::task::raw::poll")
                || name.starts_with("tokio::runtime::task::core::")
        })
    };
    frames.take_while(|(_, frame)| !is_poll(frame)).map(|(at, frame)| of(at, frame)).collect()
}

/// The frames of a thread within frame number `outer`.
pub(super) fn frames_within(thread: &Thread, outer: usize) -> Vec<TaskFrame> {
    let frames = thread.frames.iter().enumerate().take(MOST_FRAMES.min(outer));
    frames.map(|(at, frame)| of(at, frame)).collect()
}

fn of(at: usize, frame: &Frame) -> TaskFrame {
    TaskFrame {
        kind: match frame.kind {
            FrameKind::Inline => TaskFrameKind::Inline,
            _ => TaskFrameKind::Native,
        },
        function: frame.function.as_deref().map(str::to_owned),
        pc: Some(frame.pc),
        place: frame
            .source
            .as_ref()
            .map(|source| Place { file: source.file.clone(), line: source.line.map(u64::from) }),
        physical: Some(at),
        locals: Vec::new(),
    }
}

/// The frame in which a thread blocks on a future.
pub(super) fn block_on(thread: &Thread) -> Option<usize> {
    let blocks = |frame: &Frame| {
        frame.function.as_deref().is_some_and(|it| names::future_blocked_on(it).is_some())
    };
    thread.frames.iter().position(blocks)
}

/// Whether a thread within frame number `outer` runs async code that is not of a task: that of
/// the future that it blocks on.
pub(super) fn polls_its_own(thread: &Thread, outer: usize) -> bool {
    let inner = || thread.frames.iter().take(outer);
    let names = || inner().filter_map(|frame| frame.function.as_deref());
    // Of the runtime's functions only the arguments are called so.
    names().any(|name| names::plain(name).contains("::{async_"))
        && !names().any(|name| name.starts_with("tokio::runtime::task::raw::poll"))
}

/// Whether a thread runs a closure of the pool for blocking work.
pub(super) fn is_blocking(thread: &Thread) -> bool {
    has(thread, "tokio::runtime::blocking::")
}

/// Whether a thread is a worker of the scheduler itself, which is a closure of that pool, too.
pub(super) fn is_worker(thread: &Thread) -> bool {
    has(thread, "tokio::runtime::scheduler::multi_thread::worker::")
        || has(thread, "tokio::runtime::thread_pool::worker::")
}

fn has(thread: &Thread, part: &str) -> bool {
    thread.frames.iter().any(|it| it.function.as_deref().is_some_and(|it| it.contains(part)))
}
