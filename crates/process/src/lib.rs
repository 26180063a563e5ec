//! A crashed process as a debugger sees it: modules, threads, stacks with every register,
//! variables and expressions.
//!
//! [`Process::open`](process::Process::open) reads a core and finds the files that belong to
//! it. A partial answer is an answer: what is missing or damaged costs what depends on it and
//! is reported as a [`Notice`](obit_corefile::notice::Notice); only a file that is not a core
//! is an error.
//!
//! Not for: live processes, running code of the process, and why it crashed
//! (`obit-analysis`).
//!
//! ```
//! use std::path::Path;
//!
//! use obit_process::print::evaluate;
//! use obit_process::process::{Options, Process};
//! use obit_process::value::Budget;
//!
//! let core = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/null-field/core.zst");
//! let core = Path::new(core);
//! let mut options = Options::default();
//! options.rules.core_directory = core.parent().map(Path::to_owned);
//! let process = Process::open(core, options, &())?;
//!
//! let thread = process.threads.iter().position(|t| t.crashed).ok_or("no crashed thread")?;
//! let frame = process.frame_view(thread, 0).ok_or("no frame")?;
//! assert_eq!(frame.frame().function.as_deref(), Some("next_serial"));
//! for name in frame.names() {
//!     let value = evaluate(&process, &frame, &name, &Budget::default())?;
//!     println!("{name}: {:?}", value.state);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | question | where |
//! |---|---|
//! | a core and all that belongs to it; threads, frames, arguments, variables of a frame | [`process`] |
//! | what was loaded where, and which file it is | [`module`] |
//! | the stack of a thread from its registers | [`unwind`] |
//! | what typed bytes mean; containers and strings of C++, Rust and Go | [`value`] |
//! | expressions of C, C++, Rust and Go | [`mod@print`] |
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
// What reads files must survive any: no index, no sum that may overflow.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

pub mod module;
pub mod print;
#[allow(clippy::arithmetic_side_effects)]
pub mod process;
pub mod unwind;
pub mod value;
