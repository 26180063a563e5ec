//! Whatever takes a look at all units: names, variables by address, the neighbourhood of an
//! address.

pub(crate) mod name_index;
pub(crate) mod name_scan;
pub(crate) mod unit_of_address;
