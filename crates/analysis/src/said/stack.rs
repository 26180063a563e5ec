//! The stack of the crashed thread, as the search for its last words goes through it.

use super::super::owner::{is_foreign, names};
use crate::signals::{SIGABRT, SIGILL, SIGTRAP};
use obit_corefile::addr::Avma;
use obit_process::process::{Frame, FrameKind, Process};

/// The frames of the crashed thread.
pub(super) struct Stack<'p> {
    pub(super) process: &'p Process,
    /// Index of the thread.
    pub(super) thread: usize,
    pub(super) frames: &'p [Frame],
}

impl<'p> Stack<'p> {
    /// That of the crashed thread.
    pub(super) fn of_crashed(process: &'p Process) -> Option<Self> {
        let thread = process.threads.iter().position(|thread| thread.crashed)?;
        let frames = &process.threads.get(thread)?.frames;
        Some(Self { process, thread, frames })
    }

    /// Whether the process ended by SIGABRT.
    pub(super) fn is_aborted(&self) -> bool {
        self.process.dump.signal.as_ref().is_some_and(|signal| signal.number == SIGABRT)
    }

    /// Whether it ended by an instruction that is there to end it: SIGILL or SIGTRAP.
    pub(super) fn is_trapped(&self) -> bool {
        let signal = self.process.dump.signal.as_ref();
        signal.is_some_and(|signal| matches!(signal.number, SIGILL | SIGTRAP))
    }

    /// The memory that the frames inward of frame `end` take.
    pub(super) fn extent(&self, end: usize) -> Option<(Avma, Avma)> {
        let thread = self.process.threads.get(self.thread)?;
        let machine = self.process.dump.machine.facts()?;
        let start = thread.registers.get(machine.sp)?;
        let last = match self.frames.get(end) {
            Some(outside) => outside.activation.checked_sub(1)?,
            None => self.frames.last()?.activation,
        };
        let last = thread.stack.frames.get(last)?;
        Some((Avma(start), last.cfa?))
    }

    /// The innermost frame of a function that `is_wanted` by its name.
    pub(super) fn find(&self, is_wanted: impl Fn(&str) -> bool) -> Option<usize> {
        self.find_from(0, is_wanted)
    }

    /// The same, of the frames from frame `from` outward.
    pub(super) fn find_from(&self, from: usize, is_wanted: impl Fn(&str) -> bool) -> Option<usize> {
        let found = |frame: &Frame| names(frame).any(|name| is_wanted(&name));
        self.frames.get(from..)?.iter().position(found)?.checked_add(from)
    }

    /// The innermost frame of one of `functions`.
    pub(super) fn find_one_of(&self, functions: &[&str]) -> Option<usize> {
        self.find(|name| functions.contains(&name))
    }

    /// Whether frame `at` is of `function`.
    pub(super) fn is_called(&self, at: usize, function: &str) -> bool {
        self.frames.get(at).is_some_and(|frame| names(frame).any(|name| name == function))
    }

    /// The innermost frame outward of frame `from` that is of no library. What is known
    /// to be called at `from` decides where the libraries end: the program may be called
    /// back by a library further out.
    pub(super) fn raised_below(&self, from: usize) -> Option<usize> {
        let mut outward = self.frames.iter().enumerate().skip(from);
        let (index, frame) = outward.find(|(_, frame)| !is_foreign(self.process, frame))?;
        // The owner of a frame with neither name nor file is not known.
        (frame.function.is_some() || frame.module.is_some()).then_some(index)
    }

    /// Whether a frame is of a library.
    pub(super) fn is_foreign(&self, frame: &Frame) -> bool {
        is_foreign(self.process, frame)
    }

    /// Whether every frame inward of frame `to` is of a library.
    pub(super) fn is_library_up_to(&self, to: usize) -> bool {
        self.is_library_between(0, to)
    }

    /// The same, from frame `from` outward.
    pub(super) fn is_library_between(&self, from: usize, to: usize) -> bool {
        self.frames.iter().take(to).skip(from).all(|frame| is_foreign(self.process, frame))
    }

    /// The linkage name of the symbol that holds `at`, and bytes from its start.
    pub(super) fn symbol_at(&self, at: Avma) -> Option<(String, u64)> {
        let modules = &self.process.modules;
        let index = modules.index_at(at)?;
        let symbol = modules.debug(index)?.symbol_at(modules.get(index)?.to_svma(at))?;
        (symbol.offset < symbol.size).then_some((symbol.linkage_name, symbol.offset))
    }
}

/// Index of the frame of one of the functions `aborting` that a handler of SIGABRT interrupted,
/// where the handler ended the process in its turn and none of the functions `writing` a
/// message was called from it; else 0.
pub(super) fn aborted_from(frames: &[Frame], aborting: &[&str], writing: &[&str]) -> usize {
    let is_one_of = |frame: &Frame, functions: &[&str]| {
        names(frame).any(|name| functions.contains(&name.as_ref()))
    };
    let made = frames.iter().rposition(|frame| frame.kind == FrameKind::Signal);
    let split = made.and_then(|made| Some((frames.get(..made)?, made.checked_add(1)?)));
    let Some((inward, from)) = split else { return 0 };
    let was_aborting = frames.get(from).is_some_and(|frame| is_one_of(frame, aborting));
    let has_written = inward.iter().any(|frame| is_one_of(frame, writing));
    if was_aborting && !has_written { from } else { 0 }
}

#[cfg(test)]
pub(super) mod testing {
    use super::*;
    use obit_process::process::{FrameKind, FrameTrust};

    /// Frames of these functions, the innermost first; `!` is the frame of a signal handler.
    pub(in crate::said) fn frames_of(functions: &[&str]) -> Vec<Frame> {
        let frame = |function: &&str| Frame {
            kind: if *function == "!" { FrameKind::Signal } else { FrameKind::Normal },
            trust: FrameTrust::CallFrameInfo,
            activation: 0,
            pc: Avma(0),
            function: Some((*function).into()),
            linkage_name: None,
            from_symbol: true,
            language: None,
            module: None,
            source: None,
            tail_calls: Vec::new(),
        };
        functions.iter().map(frame).collect()
    }
}
