//! Strings of a stated length (DWARF 5 § 5.11), as Fortran has them.

use gimli::constants as dw;

use crate::model::location::{Bound, VariableId};
use crate::model::types::StringType;
use crate::types::arrays;
use crate::types::described::Described;
use crate::types::table::TypeTable;
use crate::units::attributes::{Attributes, Reference};
use crate::units::location_attribute;

/// The string type at `it`.
pub(crate) fn string(table: &TypeTable, it: &Described<'_, '_>) -> StringType {
    let typed = it.stating(dw::DW_AT_type);
    StringType {
        character: typed.and_then(|of| table.referred(of, dw::DW_AT_type)),
        length: it.stating(dw::DW_AT_string_length).map(length),
        descriptor: arrays::descriptor(it),
    }
}

/// The length of the string type `of`: the value of a variable, or what is stored at a
/// location.
fn length(of: &Attributes<'_, '_>) -> Bound {
    let Some(value) = of.value(dw::DW_AT_string_length) else { return Bound::Unknown };
    if let Some(Reference::To(entry)) = of.reference(dw::DW_AT_string_length) {
        return match Attributes::read(entry).map(|found| found.tag()) {
            Some(dw::DW_TAG_variable | dw::DW_TAG_formal_parameter) => {
                Bound::Variable(VariableId(entry.key()))
            }
            _ => Bound::Unknown,
        };
    }
    // Before DWARF 5 `DW_AT_byte_size` said how large the length is.
    let bits = of.unsigned(dw::DW_AT_string_length_bit_size).map(|bits| bits.div_ceil(8));
    let stated = of.unsigned(dw::DW_AT_string_length_byte_size).or(bits);
    let size = stated.or_else(|| of.unsigned(dw::DW_AT_byte_size));
    let size = size.unwrap_or(of.at.unit.inner.header.address_size().into());
    match u8::try_from(size) {
        Ok(size @ 1..=8) => Bound::Stored(location_attribute::location(&of.at, value), size),
        _ => Bound::Unknown,
    }
}
