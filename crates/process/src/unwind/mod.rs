//! From a thread's registers and memory to its stack of activations.
//!
//! The main step is gimli's unwind rows with a full register file, each register known
//! or not; where no table covers a pc come the frame pointer and the scan, and the frame
//! says so. Never asks for names; of symbols only where a function without a table starts.

mod activation;
mod budget;
mod cfi;
mod exidx;
mod fde_index;
mod go;
#[cfg(test)]
mod machine_tests;
mod prologue;
mod return_address;
mod row;
mod signal_frame;
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
    /// Why unwinding ended, unless at the outermost frame.
    pub stopped: Option<UnwindStop>,
}
