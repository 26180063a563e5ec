//! What belongs to the unit of an address: of several things of one name, the one meant is
//! most often the nearest.

use gimli::{UnitOffset, constants as dw};

use crate::model::keys::DieKey;
use crate::model::location::VariableId;
use crate::model::types::TypeId;
use crate::sections::context::Meter;
use crate::types::table::TypeTable;
use crate::units::entry::Entry;
use crate::units::file::DwarfFile;
use crate::units::line_rows::Lines;
use crate::units::split;
use crate::units::unit::Unit;

/// Whether `variable` is in a unit that has code at `at`.
pub(crate) fn has_code_at(root: &DwarfFile<'_>, variable: VariableId, at: u64) -> bool {
    let key = variable.0;
    root.units_at(at).any(|unit| {
        let (file, unit) = split::whole(root, unit);
        (file.part, unit.list, unit.index) == (key.part, key.list, key.unit)
    })
}

/// The source file of the variable's unit, as the compiler was given it.
pub(crate) fn source_of(root: &DwarfFile<'_>, variable: VariableId) -> Option<String> {
    let entry = Entry::at(root, variable.0)?;
    let name = entry.unit.inner.name?;
    Some(String::from_utf8_lossy(&name).into_owned())
}

/// The path of file number `number` in the table of the unit of an entry.
pub(crate) fn file_of_unit(root: &DwarfFile<'_>, entry: DieKey, number: u64) -> Option<String> {
    let entry = Entry::at(root, entry)?;
    let lines = Lines::of(entry.file, entry.unit);
    Some(lines.location(entry.file, entry.unit, number, 0, 0)?.file)
}

/// The enumeration with an enumerator called `name`, in a unit that has code at `at`: C
/// has most of them without a name of their own.
pub(crate) fn enumeration_with(
    root: &DwarfFile<'_>,
    table: &TypeTable,
    at: u64,
    name: &[u8],
) -> Option<TypeId> {
    root.units_at(at).find_map(|unit| {
        let (file, unit) = split::whole(root, unit);
        let offset = enumeration_in(file, unit, name).ok()??;
        Some(table.intern(Entry::new(root, file, unit, offset)))
    })
}

fn enumeration_in<'d>(
    file: &DwarfFile<'d>,
    unit: &Unit<'d>,
    name: &[u8],
) -> gimli::Result<Option<UnitOffset>> {
    let mut entries = unit.inner.entries_raw(None)?;
    let mut meter = Meter::new(file.context(), file.context().limits.entries_per_lookup);
    let mut enumeration = None;
    while !entries.is_empty() && meter.step() {
        let offset = entries.next_offset();
        let Some(abbreviation) = entries.read_abbreviation()? else { continue };
        let tag = abbreviation.tag();
        if tag == dw::DW_TAG_enumeration_type {
            enumeration = Some(offset);
        }
        if tag != dw::DW_TAG_enumerator {
            entries.skip_attributes(abbreviation.attributes())?;
            continue;
        }
        for specification in abbreviation.attributes() {
            let attribute = entries.read_attribute(*specification)?;
            if attribute.name() == dw::DW_AT_name
                && file.string(unit, attribute.value()).is_some_and(|known| &*known == name)
            {
                return Ok(enumeration);
            }
        }
    }
    Ok(None)
}
