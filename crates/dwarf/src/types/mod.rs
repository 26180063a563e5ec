//! From entries to types and their names (DWARF 5 chapter 5).

pub(crate) mod arrays;
pub(crate) mod described;
pub(crate) mod enumerations;
pub(crate) mod fortran_names;
pub(crate) mod go_types;
pub(crate) mod members;
pub(crate) mod reader;
pub(crate) mod strings;
pub(crate) mod table;
#[cfg(test)]
mod tests;
pub(crate) mod type_names;
