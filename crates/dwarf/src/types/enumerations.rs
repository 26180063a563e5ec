//! Enumerations (DWARF 5 § 5.8).

use gimli::constants as dw;

use crate::model::types::Enumeration;
use crate::types::described::{Described, integer_type};
use crate::types::table::TypeTable;
use crate::units::attributes::Children;

/// Enumerators of one type that are kept; the largest honest lists, of instructions and
/// error codes, have some ten thousand.
const MAX_ENUMERATORS: usize = 1 << 18;

/// The enumeration at `it`.
pub(crate) fn enumeration(table: &TypeTable, it: &Described<'_, '_>) -> Enumeration {
    let typed = it.stating(dw::DW_AT_type);
    let ty = typed.and_then(integer_type);
    let mut enumeration = Enumeration {
        underlying: typed.and_then(|of| table.referred(of, dw::DW_AT_type)),
        enumerators: Vec::new(),
        is_class: it.own().flag(dw::DW_AT_enum_class),
        is_declaration: it.is_declaration(),
    };
    let mut children = it.children();
    while let Some(child) = children.as_mut().and_then(Children::next) {
        if child.tag() != dw::DW_TAG_enumerator {
            continue;
        }
        if enumeration.enumerators.len() >= MAX_ENUMERATORS {
            break;
        }
        let value = child.number(dw::DW_AT_const_value);
        if let Some((name, value)) = child.text(dw::DW_AT_name).zip(value) {
            enumeration.enumerators.push((name, value.of_type(ty)));
        }
    }
    enumeration
}
