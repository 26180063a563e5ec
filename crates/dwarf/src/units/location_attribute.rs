//! From an attribute of class exprloc or loclist to a [`Location`] (DWARF 5 § 2.6).

use crate::model::location::{Expression, ListAt, Location, LocationList};
use crate::sections::sources::Value;
use crate::units::entry::Entry;

/// What an attribute of `entry` with this value says: `DW_AT_location`,
/// `DW_AT_frame_base`, `DW_AT_string_length`.
pub(crate) fn location(entry: &Entry<'_, '_>, value: Value<'_>) -> Location {
    let list = |at| Location::List(LocationList { unit: entry.key(), at });
    match value {
        gimli::AttributeValue::Exprloc(found) if found.0.is_empty() => Location::OptimizedOut,
        gimli::AttributeValue::Exprloc(found) => {
            Location::Expression(Expression::new(found.0.slice(), entry.key()))
        }
        gimli::AttributeValue::LocationListsRef(at) => list(ListAt::Offset(at.0 as u64)),
        gimli::AttributeValue::SecOffset(at) => list(ListAt::Offset(at as u64)),
        gimli::AttributeValue::DebugLocListsIndex(at) => list(ListAt::Index(at.0 as u64)),
        _ => Location::OptimizedOut,
    }
}
