//! The types of a function: of the value that it returns, and those it was made for.

use std::sync::Arc;

use gimli::constants as dw;

use crate::model::types::TypeId;
use crate::types::table::TypeTable;
use crate::units::attributes::{Attributes, Children, Reference};
use crate::units::entry::Entry;
use crate::units::file::DwarfFile;
use crate::units::functions::Functions;
use crate::units::split;

/// The type that the function entered at `entry` returns (`DW_AT_type` of its entry, or of the
/// declaration or the abstract instance that this refers to); `None` for `void`, and if no DWARF
/// describes it.
pub(crate) fn type_at(root: &DwarfFile<'_>, types: &TypeTable, entry: u64) -> Option<TypeId> {
    root.units_at(entry).find_map(|unit| {
        let (file, unit) = split::whole(root, unit);
        let function = Functions::at(file, unit, entry).filter(|found| found.entry == entry)?;
        let mut at = Entry::new(root, file, unit, function.offset);
        for _ in 0..root.context().limits.reference_depth {
            let attributes = Attributes::read(at)?;
            if let Some(found) = types.referred(&attributes, dw::DW_AT_type) {
                return Some(found);
            }
            let origin = attributes.reference(dw::DW_AT_abstract_origin);
            let Reference::To(next) =
                origin.or_else(|| attributes.reference(dw::DW_AT_specification))?
            else {
                return None;
            };
            at = next;
        }
        None
    })
}

/// The type parameters of the generic function entered at `entry`, each with its name and the type
/// it stands for (`DW_TAG_template_type_parameter` of its entry, or of the declaration or the
/// abstract instance that this refers to).
pub(crate) fn type_arguments(
    root: &DwarfFile<'_>,
    types: &TypeTable,
    entry: u64,
) -> Option<Vec<(Arc<str>, TypeId)>> {
    root.units_at(entry).find_map(|unit| {
        let (file, unit) = split::whole(root, unit);
        let function = Functions::at(file, unit, entry).filter(|found| found.entry == entry)?;
        let mut at = Entry::new(root, file, unit, function.offset);
        for _ in 0..root.context().limits.reference_depth {
            let attributes = Attributes::read(at)?;
            let found = arguments(types, &attributes);
            if !found.is_empty() {
                return Some(found);
            }
            let origin = attributes.reference(dw::DW_AT_abstract_origin);
            let Reference::To(next) =
                origin.or_else(|| attributes.reference(dw::DW_AT_specification))?
            else {
                return None;
            };
            at = next;
        }
        None
    })
}

fn arguments(types: &TypeTable, of: &Attributes<'_, '_>) -> Vec<(Arc<str>, TypeId)> {
    let mut found = Vec::new();
    let mut children = Children::of(of);
    while let Some(child) = children.as_mut().and_then(Children::next) {
        if child.tag() == dw::DW_TAG_template_type_parameter
            && found.len() < MOST_ARGUMENTS
            && let Some(ty) = types.referred(child, dw::DW_AT_type)
        {
            found.push((child.text(dw::DW_AT_name).unwrap_or_default(), ty));
        }
    }
    found
}

/// Type parameters of one function.
const MOST_ARGUMENTS: usize = 256;
