//! Whatever takes a look at all units: names, variables by address, the neighbourhood of an
//! address.

pub(crate) mod kept_names;
pub(crate) mod name_hash;
pub(crate) mod name_index;
pub(crate) mod name_query;
pub(crate) mod name_scan;
pub(crate) mod name_tables;
pub(crate) mod named_tags;
pub(crate) mod scan_all;
pub(crate) mod unit_of_address;
