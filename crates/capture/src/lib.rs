//! Records crashes: core files of processes that die, hang or live, without harming them.
//!
//! | to … | use |
//! |---|---|
//! | run a command and record what crashes | [`run()`] |
//! | write a core of a process that is held | [`write_core`] |
//! | store a core that the kernel writes | [`handler::handle`], [`spool::Spool`] |
//! | write one of a process that lives, and let it go on | [`snapshot()`] |
//!
//! Not for: reading cores (`obit-corefile`) or explaining them. It parses nothing that a
//! process wrote but what the kernel says about it in `/proc`.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

mod core_writer;
mod dumpable;
pub mod handler;
mod held;
pub mod journal;
#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod live_program;
mod proc;
mod ptrace;
mod run;
mod snapshot;
pub mod spool;
mod surroundings;
mod unix_sockets;

pub use core_writer::{Limits, WriteError, Written, write_core};
pub use held::{Held, Tid};
pub use run::{
    Chosen, CommandError, Crash, CrashDirectory, DirectoryError, Ended, Event, NoCore, OnExit,
    Outcome, RunError, RunOptions, Trigger, Untraced, run,
};
pub use snapshot::{Activity, Refused, Snapshot, SnapshotError, snapshot};
pub use surroundings::{FileRecord, PipeRecord, SharedRecord, SocketRecord, Surroundings};
