//! Builders of input for tests.

#[cfg(test)]
pub(crate) mod dwarf_builder;
pub mod sample_types;
