//! obit tells you what a dead process died of.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod addr;
pub mod arch;
pub mod dump;
pub mod elf;
pub mod limits;
pub mod mapped_file;
pub mod memory;
pub mod notice;
#[doc(hidden)]
#[cfg(any(test, feature = "testkit"))]
pub mod testkit;
