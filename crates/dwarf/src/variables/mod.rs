//! The variables in scope at an address, and where they are for one frame.

pub(crate) mod call_site;
pub(crate) mod evaluate;
pub(crate) mod location;
pub(crate) mod result;
pub(crate) mod scope_reader;

#[cfg(test)]
mod arithmetic_tests;
