//! Which unit a variable belongs to: of several of one name, the one meant is most often
//! the nearest.

use super::entry::Entry;
use super::expression::VariableId;
use super::split;
use super::units::DwarfFile;

/// Whether `variable` stands in a unit that has code at `at`.
pub(super) fn has_code_at(root: &DwarfFile<'_>, variable: VariableId, at: u64) -> bool {
    let key = variable.0;
    root.units_at(at).any(|unit| {
        let (file, unit) = split::whole(root, unit);
        (file.part, unit.list, unit.index) == (key.part, key.list, key.unit)
    })
}

/// The source file of the variable's unit, as the compiler was given it.
pub(super) fn source_of(root: &DwarfFile<'_>, variable: VariableId) -> Option<String> {
    let entry = Entry::at(root, variable.0)?;
    let name = entry.unit.inner.name?;
    Some(String::from_utf8_lossy(&name).into_owned())
}
