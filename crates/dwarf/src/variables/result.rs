//! What type the value has that a function returns.

use gimli::constants as dw;

use crate::model::types::TypeId;
use crate::types::table::TypeTable;
use crate::units::attributes::{Attributes, Reference};
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
