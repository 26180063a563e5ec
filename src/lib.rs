//! obit tells you what a dead process died of.
//!
//! A core file goes in, a [`Report`](report::Report) comes out. Between them lie floors
//! that import downward only (`docs/architecture.md`): the core file ([`dump`]), what was
//! loaded and from which files ([`module`]), memory ([`memory`]), stacks ([`unwind`]),
//! names ([`debuginfo`]), and the threads with all of that put together ([`process`]).
//! What leaves does so through the [`Redactor`](redact::Redactor) and the report, which
//! [`render`] lays out.
//!
//! A partial answer is an answer: a core that is cut short, a library that is gone or a
//! table that is broken costs what hangs on it and is told as a [`Notice`](notice::Notice);
//! only what is no core at all is an error.
//!
//! ```
//! use std::path::Path;
//!
//! use obit::process::{Options, Process};
//! use obit::report::{BuildOptions, build};
//!
//! let core = Path::new("tests/fixtures/null-field/core.zst");
//! let mut options = Options::default();
//! options.rules.core_directory = core.parent().map(Path::to_owned);
//!
//! let process = Process::open(core, options, &())?;
//! let crashed = process.crashed().ok_or("no crashed thread")?;
//! assert_eq!(crashed.frames[0].function.as_deref(), Some("next_serial"));
//!
//! let report = build(&process, BuildOptions::default());
//! assert_eq!(report.signal.map(|signal| signal.name).as_deref(), Some("SIGSEGV"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

pub use obit_corefile::{addr, arch, dump, elf, limits, mapped_file, memory, notice};
pub use obit_process::{module, print, process, unwind, value};
pub use {
    obit_analysis as analysis, obit_disassembly as disassembly, obit_dwarf as debuginfo,
    obit_redact as redact, obit_render as render, obit_triage as triage,
};

pub mod batch;
pub mod report;
pub mod scrub;
