//! Builders of input for tests: cores that say exactly what a test needs. Not a stable
//! interface.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod core_builder;
mod core_file;

pub use core_builder::{CoreBuilder, siginfo_64};
pub use core_file::CoreFile;
