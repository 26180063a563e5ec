//! The attributes that say what an entry is called.

use gimli::constants as dw;

use crate::sections::sources::{Slice, Value};
use crate::units::file::DwarfFile;
use crate::units::unit::Die;

/// The parts of an entry that say what it is called.
#[derive(Default)]
pub(crate) struct Naming<'d> {
    pub(crate) tag: Option<gimli::DwTag>,
    pub(crate) name: Option<Slice<'d>>,
    pub(crate) linkage: Option<Slice<'d>>,
    /// `DW_AT_specification` or `DW_AT_abstract_origin`.
    pub(crate) origin: Option<Value<'d>>,
    pub(crate) signature: Option<Value<'d>>,
    pub(crate) is_declaration: bool,
}

impl<'d> Naming<'d> {
    /// Those of the entry `die` of `file`.
    pub(crate) fn read(file: &DwarfFile<'d>, die: Die<'_, 'd>) -> Self {
        let mut naming = Self::default();
        let mut read = || {
            let mut entries = die.unit.inner.entries_raw(Some(die.offset))?;
            let Some(abbreviation) = entries.read_abbreviation()? else { return Ok(()) };
            naming.tag = Some(abbreviation.tag());
            for specification in abbreviation.attributes() {
                let attribute = entries.read_attribute(*specification)?;
                let value = attribute.value();
                match attribute.name() {
                    dw::DW_AT_name => naming.name = file.string(die.unit, value),
                    dw::DW_AT_linkage_name | dw::DW_AT_MIPS_linkage_name => {
                        naming.linkage = file.string(die.unit, value);
                    }
                    dw::DW_AT_specification => naming.origin = Some(value),
                    dw::DW_AT_abstract_origin => naming.origin = naming.origin.or(Some(value)),
                    dw::DW_AT_signature => naming.signature = Some(value),
                    dw::DW_AT_declaration => {
                        naming.is_declaration = value == gimli::AttributeValue::Flag(true);
                    }
                    _ => {}
                }
            }
            Ok(())
        };
        if let Err(error) = read() {
            file.context().report("the name of an entry", error);
        }
        naming
    }
}
