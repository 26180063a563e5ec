//! Builders of input files for tests. Not a stable API.

pub mod elf_builder;
