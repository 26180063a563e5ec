//! Records crashes: core files of processes that die, hang or live, without harming them.
//!
//! | to … | use |
//! |---|---|
//! | write a core of a process that is held | [`write_core`] |
//!
//! Not for: reading cores (`obit-corefile`) or explaining them. It parses nothing that a
//! process wrote but what the kernel says about it in `/proc`.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

mod core_writer;
mod held;
mod proc;
mod ptrace;

pub use core_writer::{Limits, WriteError, Written, write_core};
pub use held::{Held, Tid};
