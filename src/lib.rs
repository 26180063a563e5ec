//! obit explains why a process crashed, from its core dump.
//!
//! ```
//! let crash = obit::open("tests/fixtures/null-field/core.zst")?;
//! let report = crash.report();
//!
//! let cause = report.cause.as_ref().ok_or("no cause")?;
//! assert_eq!(cause.class, "null-read");
//! assert_eq!(cause.blame.as_ref().and_then(|blame| blame.frame), Some(1));
//! assert!(report.signature.is_some());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`open`] reads the core and the files that belong to it; [`Crash::report`] gives the
//! [`Report`](report::Report), a versioned document that the program, its pages and its
//! triage store are made from. The report is redacted; [`Crash::process`] is not.
//!
//! A partial answer is an answer: a truncated core, a missing library or a malformed table
//! costs what depends on it and is reported as a notice. Only a file that is not a core dump at
//! all is an error.
//!
//! # Not for
//!
//! Live processes, minidumps of Windows, Mach-O cores, dumps of the Linux kernel. Nothing of
//! the crashed program is executed.
//!
//! # Map
//!
//! Each layer is a crate of its own that can be used alone, and is re-exported here. They
//! import downward only (`docs/architecture.md`).
//!
//! | module | crate | answers |
//! |---|---|---|
//! | [`dump`], [`mod@archive`], [`elf`], [`memory`], [`arch`], [`addr`], [`limits`], [`notice`] | `obit-corefile` | what the core file holds |
//! | [`disassembly`] | `obit-disassembly` | what an instruction is and does |
//! | [`debuginfo`] | `obit-dwarf` | what an address, a name or a type of an image is |
//! | [`module`], [`unwind`], [`process`], [`value`], [`mod@print`] | `obit-process` | threads, stacks, variables, expressions |
//! | [`analysis`] | `obit-analysis` | why the process crashed, as data |
//! | [`redact`] | `obit-redact` | what of a text may be shown |
//! | [`report`] | `obit-report` and this crate | the document, and how it is built |
//! | [`capture`] | `obit-capture` | how a crash is recorded while it happens |
//! | [`triage`] | `obit-triage` | which crashes are of one bug, and which matter |
//! | [`render`] | `obit-render` | reports and groups for people and other programs |
//! | [`session`], [`mcp`], [`dap`], [`shell`] | `obit-session` and this crate | a crash that stays open for questions; that for agents, for editors, and at a prompt |
//! | `serve` (feature `serve`) | `obit-serve` | the store as pages and an HTTP API |
//! | [`scrub`], [`pack`], [`batch`], [`query`], [`incident`], [`watch`], [`delivery`] | this crate | a core without personal data; one with all files it needs; many cores at once; questions about many; which belong together; directories in which cores appear; ways by which documents leave |
//!
//! Stable within a version of its schema: the report as JSON. The Rust interface below
//! [`open`], [`Crash`] and [`report`] may change with each release.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

pub use obit_corefile::{addr, arch, archive, dump, elf, limits, mapped_file, memory, notice};
pub use obit_process::{module, print, process, unwind, value};
pub use {
    obit_analysis as analysis, obit_capture as capture, obit_disassembly as disassembly,
    obit_dwarf as debuginfo, obit_redact as redact, obit_render as render, obit_triage as triage,
};

#[cfg(feature = "serve")]
pub use obit_serve as serve;

pub mod batch;
mod circumstances;
pub mod dap;
pub mod delivery;
pub mod incident;
pub mod logs;
pub mod mcp;
mod open;
pub mod pack;
pub mod query;
pub mod report;
pub mod sandbox;
pub mod scrub;
pub mod session;
pub mod shell;
pub mod watch;

pub use open::{Crash, OpenError, Options, open, open_with};
