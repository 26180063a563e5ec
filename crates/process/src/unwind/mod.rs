//! From a thread's registers and memory to its stack of activations.
//!
//! The main step is gimli's unwind rows with a full register file, each register known
//! or not; where no table covers a pc, the frame pointer and the stack scan are used, and the
//! frame says so. Names are not needed; symbols only for the start of a function without a
//! table.

mod activation;
mod budget;
mod by_code;
mod cfi;
mod exidx;
mod fde_index;
mod go;
mod goroutine;
#[cfg(test)]
mod machine_tests;
mod prologue;
mod repetition;
mod return_address;
mod row;
mod signal_frame;
#[cfg(test)]
mod signal_tests;
#[cfg(test)]
mod tests;
mod trampoline;
mod walk;
mod without_cfi;

pub use activation::{Activation, Left, Trust};
pub(crate) use return_address::{CallBefore, call_before};
pub use walk::Unwinder;

use obit_corefile::notice::UnwindStop;

/// A stack, innermost activation first.
#[derive(Clone, Debug, Default)]
pub struct Stack {
    /// The physical frames; at least one when the thread has a pc.
    pub frames: Vec<Activation>,
    /// Frames of a recursion that were not unwound one by one.
    pub skipped: Option<Skipped>,
    /// Why unwinding ended, unless at the outermost frame.
    pub stopped: Option<UnwindStop>,
}

/// Frames that are counted and not in [`Stack::frames`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Frames before them.
    pub after: usize,
    /// How many they are.
    pub count: usize,
}

impl Stack {
    /// Physical frames, those that were skipped included.
    pub fn depth(&self) -> usize {
        let skipped = self.skipped.map_or(0, |skipped| skipped.count);
        self.frames.len().saturating_add(skipped)
    }
}
