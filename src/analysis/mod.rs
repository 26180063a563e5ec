//! Judgement: why the process died, as data. No text for people is made here, and nothing
//! is said that the core does not show.

mod blame;
mod cause;
mod fault;
mod library;
mod said;

pub use cause::{Cause, CauseClass, Confidence, Severity};
pub use fault::{Access, AccessKind, Fault, Reason};
pub use said::{Said, Speaker};

use crate::process::Process;

/// Why the process died, as far as its core tells; `None` where no signal ended it, or
/// its stacks were not read.
pub fn analyze(process: &Process) -> Option<Cause> {
    process.crashed()?;
    let fault = fault::fault(process);
    let said = said::said(process);
    cause::judge(process, fault, said)
}
