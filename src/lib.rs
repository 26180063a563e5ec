//! obit tells you what a dead process died of.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod addr;
pub mod arch;
pub mod debuginfo;
pub mod dump;
pub mod elf;
pub mod limits;
pub mod mapped_file;
pub mod memory;
pub mod module;
pub mod notice;
pub mod process;
pub mod redact;
pub mod render;
pub mod report;
#[doc(hidden)]
#[cfg(any(test, feature = "testkit"))]
pub mod testkit;
pub mod unwind;
