//! The root entry of a unit.

use std::sync::OnceLock;
use std::sync::atomic::AtomicU32;

use gimli::{UnitHeader, UnitType, constants as dw};

use crate::model::keys::List;
use crate::model::language::Language;
use crate::sections::sources::{Dwarf, Slice, Value};
use crate::units::abbreviations::Table;
use crate::units::range_attributes::RangeAttributes;
use crate::units::unit::{Lent, Unit};

/// What a unit's root entry says, apart from the bases that go straight into gimli's unit.
#[derive(Default)]
struct Root<'d> {
    line_program: Option<gimli::DebugLineOffset<usize>>,
    language: Option<Language>,
    first_index: i64,
    ranges: RangeAttributes<'d>,
    names: RootNames<'d>,
}

/// The strings of a root entry, which cannot be read before the unit's bases are known.
#[derive(Clone, Copy, Default)]
pub(crate) struct RootNames<'d> {
    name: Option<Value<'d>>,
    comp_dir: Option<Value<'d>>,
    dwo_name: Option<Value<'d>>,
}

/// Where a unit is listed.
#[derive(Clone, Copy)]
pub(crate) struct UnitNumber {
    pub(crate) list: List,
    pub(crate) index: u32,
}

impl<'d> Unit<'d> {
    /// Reads the root entry. Like `gimli::Unit::new`, except that an attribute that cannot
    /// be read costs that attribute and not the unit, and the line program is left alone.
    /// `lent` is what a skeleton lends to its split half. Strings are left to
    /// [`Unit::read_names`].
    pub(crate) fn open(
        place: UnitNumber,
        dwarf: &Dwarf<'d>,
        header: &UnitHeader<Slice<'d>>,
        table: Table,
        lent: Option<Lent>,
    ) -> gimli::Result<(Self, RootNames<'d>)> {
        let mut inner = without_root(dwarf, header, &table);
        let mut entries = inner.entries();
        entries.next_entry()?;
        let root = entries.current().cloned().ok_or(gimli::Error::MissingUnitDie)?;
        drop(entries);
        let mut said = Root::read(&root, &mut inner);
        if let Some(lent) = lent {
            inner.low_pc = lent.low_pc;
            inner.addr_base = lent.addr_base;
            if header.version() < 5 {
                inner.rnglists_base = lent.ranges_base;
            }
            said.language = said.language.or(Some(lent.language));
        }
        let unit = Self {
            inner,
            list: place.list,
            index: place.index,
            language: said.language.unwrap_or(Language::Unknown),
            first_index: said.first_index,
            line_program: said.line_program,
            dwo_name: None,
            tag: root.tag(),
            ranges: said.ranges,
            has_scattered: table.has_scattered,
            has_code: table.has_code,
            shallow: OnceLock::new(),
            deep: OnceLock::new(),
            lines: OnceLock::new(),
            scopes: OnceLock::new(),
            scopes_asked: AtomicU32::new(0),
        };
        Ok((unit, said.names))
    }

    /// Reads the strings of the root entry by `string`.
    pub(crate) fn read_names(
        &mut self,
        names: RootNames<'d>,
        string: impl Fn(&Self, Value<'d>) -> Option<Slice<'d>>,
    ) {
        self.inner.name = names.name.and_then(|value| string(self, value));
        self.inner.comp_dir = names.comp_dir.and_then(|value| string(self, value));
        self.dwo_name = names.dwo_name.and_then(|value| string(self, value));
    }
}

/// The unit as its header alone describes it.
fn without_root<'d>(
    dwarf: &Dwarf<'d>,
    header: &UnitHeader<Slice<'d>>,
    table: &Table,
) -> gimli::Unit<Slice<'d>> {
    let (encoding, file_type) = (header.encoding(), dwarf.file_type);
    gimli::Unit {
        header: *header,
        abbreviations: table.abbreviations.clone(),
        name: None,
        comp_dir: None,
        low_pc: 0,
        str_offsets_base: gimli::DebugStrOffsetsBase::default_for_encoding_and_file(
            encoding, file_type,
        ),
        addr_base: gimli::DebugAddrBase(0),
        loclists_base: gimli::DebugLocListsBase::default_for_encoding_and_file(encoding, file_type),
        rnglists_base: gimli::DebugRngListsBase::default_for_encoding_and_file(encoding, file_type),
        line_program: None,
        dwo_id: match header.type_() {
            UnitType::Skeleton(id) | UnitType::SplitCompilation(id) => Some(id),
            _ => None,
        },
    }
}

impl<'d> Root<'d> {
    /// Reads the attributes of `root`; bases and `DW_AT_GNU_dwo_id` go into `unit`.
    fn read(
        root: &gimli::DebuggingInformationEntry<Slice<'d>>,
        unit: &mut gimli::Unit<Slice<'d>>,
    ) -> Self {
        let mut said = Self::default();
        for attribute in root.attrs() {
            let value = attribute.value();
            said.ranges.note(attribute.name(), value);
            match (attribute.name(), value) {
                (dw::DW_AT_name, value) => said.names.name = Some(value),
                (dw::DW_AT_comp_dir, value) => said.names.comp_dir = Some(value),
                (dw::DW_AT_dwo_name | dw::DW_AT_GNU_dwo_name, value) => {
                    said.names.dwo_name = Some(value);
                }
                (dw::DW_AT_stmt_list, gimli::AttributeValue::DebugLineRef(offset)) => {
                    said.line_program = Some(offset);
                }
                (dw::DW_AT_language, gimli::AttributeValue::Language(tag)) => {
                    said.language = Some(Language::from_dwarf(tag.0));
                    said.first_index = i64::from(counts_from_one(tag));
                }
                (_, gimli::AttributeValue::DebugStrOffsetsBase(base)) => {
                    unit.str_offsets_base = base;
                }
                (_, gimli::AttributeValue::DebugAddrBase(base)) => unit.addr_base = base,
                (_, gimli::AttributeValue::DebugLocListsBase(base)) => unit.loclists_base = base,
                (_, gimli::AttributeValue::DebugRngListsBase(base)) => unit.rnglists_base = base,
                (dw::DW_AT_GNU_dwo_id, gimli::AttributeValue::DwoId(id)) => {
                    unit.dwo_id = unit.dwo_id.or(Some(id));
                }
                _ => {}
            }
        }
        said
    }
}

/// Whether the first element of an array is number 1 unless the program says otherwise.
fn counts_from_one(language: gimli::DwLang) -> bool {
    matches!(
        language,
        dw::DW_LANG_Ada83
            | dw::DW_LANG_Ada95
            | dw::DW_LANG_Cobol74
            | dw::DW_LANG_Cobol85
            | dw::DW_LANG_Fortran77
            | dw::DW_LANG_Fortran90
            | dw::DW_LANG_Fortran95
            | dw::DW_LANG_Fortran03
            | dw::DW_LANG_Fortran08
            | dw::DW_LANG_Pascal83
            | dw::DW_LANG_Modula2
            | dw::DW_LANG_Modula3
            | dw::DW_LANG_PLI
            | dw::DW_LANG_Julia
    )
}
