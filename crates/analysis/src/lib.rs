//! Analysis: why the process crashed, as data. No text for people is made here, and nothing
//! is reported that the core does not show.
//!
//! [`analyze`] judges an opened [`Process`]; every claim carries its [`Confidence`].
//!
//! Not for: sentences about the cause and redaction, both of which the report has.
//!
//! ```
//! use std::path::Path;
//!
//! use obit_analysis::{CauseClass, Confidence, analyze};
//! use obit_process::process::{Options, Process};
//!
//! let core = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/null-field/core.zst");
//! let core = Path::new(core);
//! let mut options = Options::default();
//! options.rules.core_directory = core.parent().map(Path::to_owned);
//! let process = Process::open(core, options, &())?;
//!
//! let cause = analyze(&process).cause.ok_or("no cause")?;
//! assert_eq!((cause.class, cause.confidence), (CauseClass::NullRead, Confidence::Proved));
//! assert_eq!(cause.blame, Some(1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | question | where |
//! |---|---|
//! | what kind of crash, how sure, which frame is to blame | [`Cause`], [`CauseClass`], [`Confidence`] |
//! | which access failed, at which address | [`Fault`], [`Access`], [`Reason`] |
//! | where the bad value came from, in terms of the source | [`Origin`], [`Source`], [`SourceTerms`] |
//! | the last message of the program | [`Said`], [`Fact`] |
//! | what else is wrong: heap, locks | [`Finding`], [`memory`], [`LockFinding`] |
//! | whose frame is this | [`Owners`] |
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

mod assertion;
mod blame;
mod cause;
mod confidence;
mod fault;
mod finding;
mod goroutine;
mod locks;
pub mod memory;
mod misuse;
mod null;
mod origin;
mod outside;
mod owner;
mod said;
mod signals;
mod source;

pub use cause::Cause;
pub use confidence::Confidence;
pub use fault::{Access, AccessKind, Caught, Division, Fault, Purpose, Reason};
pub use finding::Finding;
pub use locks::{
    Held, Link, Lock, LockFinding, LockKind, LockName, ThreadWait, Wanted, Whereabouts, waits,
};
pub use obit_causes::{CauseClass, Severity};
pub use origin::{Gone, Origin, Source, Through};
pub use owner::Owners;
pub use said::{Fact, Said, Speaker, Subject};
pub use source::{LedFrom, SourceTerms, Words, WordsFrom, spelling};

use obit_process::process::Process;

/// What is wrong in a crashed process.
#[derive(Clone, Debug, Default)]
pub struct Analysis {
    /// Why it crashed, as far as the core shows; `None` where no signal ended it, or its
    /// stacks were not read.
    pub cause: Option<Cause>,
    /// What else is wrong.
    pub findings: Vec<Finding>,
}

/// Analyzes a crashed process.
pub fn analyze(process: &Process) -> Analysis {
    if process.crashed().is_none() {
        return Analysis::default();
    }
    let fault = fault::fault(process);
    let said = said::said(process);
    let locks = locks::findings(process);
    let is_deadlock = |finding: &&LockFinding| matches!(finding, LockFinding::Deadlock(_));
    let deadlock = locks.iter().find(is_deadlock).cloned();
    let locks = locks.into_iter().map(Finding::Lock);
    let memory = memory::findings(process, fault.as_ref(), said.as_ref());
    let memory = memory.into_iter().map(Finding::Memory);
    let mut findings: Vec<Finding> = locks.chain(memory).collect();
    let cause = cause::judge(process, fault, said, deadlock.as_ref());
    if let Some(cause) = &cause {
        memory::add(process, cause, &mut findings);
    }
    Analysis { cause, findings }
}
