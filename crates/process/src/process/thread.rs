//! One thread with its stack.

use crate::unwind::Stack;
use obit_corefile::arch::Registers;

use super::Frame;

/// A thread of the process.
#[derive(Clone, Debug)]
pub struct Thread {
    /// The kernel's thread id.
    pub tid: i64,
    /// Its name, where the core holds it.
    pub name: Option<String>,
    /// Whether this thread brought the process down.
    pub crashed: bool,
    /// The signal it was handling (`pr_cursig`), 0 for none.
    pub signal: u16,
    /// Registers at the time of the dump.
    pub registers: Registers,
    /// Physical frames, innermost first.
    pub stack: Stack,
    /// Frames as people count them, innermost first. Of a very deep stack only the
    /// innermost and the outermost; see `omitted`.
    pub frames: Vec<Frame>,
    /// Physical frames left out of `frames`, and the index of the entry they follow.
    pub omitted: Option<(usize, usize)>,
    /// How a deep stack repeats.
    pub recursion: Option<Recursion>,
}

impl Thread {
    /// The number for people of the frame at this place in `frames`: those that are left out
    /// count.
    pub fn number_of(&self, frame: usize) -> usize {
        match self.omitted {
            Some((count, after)) if frame > after => frame.saturating_add(count),
            _ => frame,
        }
    }
}

/// A run of frames that repeats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recursion {
    /// Functions of one round, innermost first.
    pub cycle: Vec<String>,
    /// How often the round repeats.
    pub rounds: usize,
    /// Stack bytes of one round.
    pub bytes_per_round: u64,
}
