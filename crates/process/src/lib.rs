//! A crashed process as a debugger sees it: modules, threads, stacks with every register,
//! variables and expressions.
//!
//! [`process::Process::open`] reads a core and the files that belong to it. [`unwind`] walks
//! stacks, [`module`] knows what was loaded where, [`value`] decodes typed bytes, [`print`]
//! evaluates expressions of C, C++, Rust and Go without running any.
//!
//! Not for: live processes; why the process crashed (`obit-analysis`).
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
// What reads files must survive any: no index, no sum that may overflow.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

pub mod module;
pub mod print;
#[allow(clippy::arithmetic_side_effects)]
pub mod process;
pub mod unwind;
pub mod value;
