//! One frame, from which variables, registers and callers are seen.

use std::cell::Cell;
use std::sync::Arc;

use super::Process;
use super::frame::Frame;
use super::parked::ParkedStack;
use crate::unwind::Stack;
use obit_corefile::addr::Avma;
use obit_corefile::dump::DumpedThread;
use obit_dwarf::Scopes;

/// One frame, as the locations of its variables refer to it.
pub struct FrameView<'p> {
    pub(super) process: &'p Process,
    pub(super) stack: &'p Stack,
    /// All frames of the stack.
    pub(super) frames: &'p [Frame],
    /// The thread as the core holds it; `None` where none runs on this stack.
    pub(super) dumped: Option<&'p DumpedThread>,
    pub(super) frame: &'p Frame,
    pub(super) scopes: Arc<Scopes>,
    /// Its place in `scopes.frames`.
    pub(super) nth: usize,
    /// Another instruction of the function to look from than where execution goes on.
    pub(super) instruction: Option<Avma>,
    pub(super) depth: Cell<usize>,
}

/// A place in the chain of calls: a physical frame, or a function that ended in a tail call
/// and left none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Level {
    /// Index in the stack; of a tail call, that of the frame it led to.
    pub(super) activation: usize,
    /// How many tail calls lie between that frame and this.
    pub(super) tail_calls: usize,
}

impl Level {
    pub(super) fn of(frame: &Frame) -> Self {
        Self { activation: frame.activation, tail_calls: 0 }
    }
}

impl Process {
    /// Frame number `frame` of [`Thread::frames`](super::Thread::frames) of thread number `thread`.
    pub fn frame_view(&self, thread: usize, frame: usize) -> Option<FrameView<'_>> {
        // Threads are kept in the order of the core.
        let dumped = self.dump.threads.get(thread)?;
        let thread = self.threads.get(thread)?;
        self.view(&thread.stack, &thread.frames, Some(dumped), frame)
    }

    /// Frame number `frame` of a stack that no thread runs on.
    pub fn parked_frame_view<'p>(
        &'p self,
        stack: &'p ParkedStack,
        frame: usize,
    ) -> Option<FrameView<'p>> {
        self.view(&stack.stack, &stack.frames, None, frame)
    }

    fn view<'p>(
        &'p self,
        stack: &'p Stack,
        frames: &'p [Frame],
        dumped: Option<&'p DumpedThread>,
        frame: usize,
    ) -> Option<FrameView<'p>> {
        let frame_at = frames.get(frame)?;
        let before = |other: &Frame| other.activation < frame_at.activation;
        let first = frames.partition_point(before);
        let mut view = FrameView {
            process: self,
            stack,
            frames,
            dumped,
            frame: frame_at,
            scopes: Arc::default(),
            nth: frame.checked_sub(first)?,
            instruction: None,
            depth: Cell::new(0),
        };
        view.scopes = view.scopes_of(Level::of(frame_at));
        Some(view)
    }
}
