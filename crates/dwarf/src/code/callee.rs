//! The function that an entry defines, declares or says it calls.

use gimli::constants as dw;

use crate::names::naming::Naming;
use crate::sections::sources::{Slice, Value};
use crate::units::file::DwarfFile;
use crate::units::range_attributes::RangeAttributes;
use crate::units::unit::Die;

/// The name a declaration is found by in a symbol table; `None` for a definition.
pub(crate) fn declared_name<'d>(file: &DwarfFile<'d>, die: Die<'_, 'd>) -> Option<Slice<'d>> {
    let naming = Naming::read(file, die);
    if !naming.is_declaration { None } else { naming.linkage.or(naming.name) }
}

/// The function that the call site at `die` says it calls.
pub(crate) fn call_origin<'x, 'd>(
    file: &'x DwarfFile<'d>,
    die: Die<'x, 'd>,
) -> Option<Die<'x, 'd>> {
    let value = attribute(file, die, |name| {
        matches!(name, dw::DW_AT_call_origin | dw::DW_AT_abstract_origin)
    })?;
    file.resolve(die.unit, value)
}

/// Where the function defined at `die` is entered.
pub(crate) fn entry_pc<'d>(file: &DwarfFile<'d>, die: Die<'_, 'd>) -> Option<u64> {
    let mut covers = RangeAttributes::default();
    let entries = die.unit.inner.entry(die.offset);
    let entry = entries.map_err(|error| file.context().report("a called function", error)).ok()?;
    for attribute in entry.attrs() {
        covers.note(attribute.name(), attribute.value());
    }
    file.ranges(die.unit, &covers).first().map(|range| range.0)
}

fn attribute<'d>(
    file: &DwarfFile<'d>,
    die: Die<'_, 'd>,
    wanted: impl Fn(gimli::DwAt) -> bool,
) -> Option<Value<'d>> {
    let entry = die.unit.inner.entry(die.offset);
    let entry = entry.map_err(|error| file.context().report("an entry", error)).ok()?;
    entry.attrs().iter().find(|attribute| wanted(attribute.name())).map(gimli::Attribute::value)
}
