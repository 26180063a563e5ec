//! Builders of input for tests: cores and images that say exactly what a test needs. Not
//! a stable interface.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod core_builder;
mod core_file;
pub mod elf_builder;
#[cfg(test)]
mod round_trips;

pub use core_builder::{CoreBuilder, siginfo_64};
pub use core_file::CoreFile;
