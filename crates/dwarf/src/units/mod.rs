//! The units of a file and their entries, and what is kept with each unit once read.

pub(crate) mod abbreviations;
pub(crate) mod attributes;
pub(crate) mod entry;
pub(crate) mod file;
pub(crate) mod functions;
pub(crate) mod line_rows;
pub(crate) mod location_attribute;
pub(crate) mod range_attributes;
pub(crate) mod range_map;
pub(crate) mod root;
pub(crate) mod scope_index;
pub(crate) mod skim;
pub(crate) mod split;
pub(crate) mod unit;
pub(crate) mod unit_list;
