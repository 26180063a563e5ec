//! The DWARF of one file: its sections, and its units by number, offset and signature.

use std::collections::HashMap;
use std::sync::OnceLock;

use gimli::{DebugAbbrevOffset, Section, UnitHeader, UnitOffset, UnitType, constants as dw};

use crate::model::keys::{DwarfPart, List};
use crate::model::language::Language;
use crate::sections::context::Context;
use crate::sections::sources::{Dwarf, Slice, Sources, Value};
use crate::units::abbreviations::{Table, Tables, scan_table};
use crate::units::range_attributes::RangeAttributes;
use crate::units::range_map::RangeMap;
use crate::units::root::UnitNumber;
use crate::units::unit::{Die, Lent, Unit};
use crate::units::unit_list::UnitList;

/// The DWARF of one file, parsed as far as it was asked about.
pub(crate) struct DwarfFile<'d> {
    pub(crate) dwarf: Dwarf<'d>,
    pub(crate) sources: &'d Sources,
    /// Which of the files of its image this is.
    pub(crate) part: DwarfPart,
    /// What a skeleton unit in the main file lends to the units of a split file.
    lent: Option<Lent>,
    info: OnceLock<UnitList<'d>>,
    types: OnceLock<UnitList<'d>>,
    supplement: OnceLock<UnitList<'d>>,
    signatures: OnceLock<HashMap<u64, (List, usize)>>,
    pub(crate) aranges: OnceLock<Aranges>,
    /// Addresses of the units that `.debug_aranges` does not mention, by their roots.
    pub(crate) roots: OnceLock<RangeMap>,
    tables: Tables,
    main_language: OnceLock<Language>,
    package: OnceLock<Option<gimli::DwarfPackage<Slice<'d>>>>,
    /// The split halves of the units of `.debug_info`.
    pub(crate) splits: OnceLock<Vec<OnceLock<Option<Box<DwarfFile<'d>>>>>>,
    pub(crate) package_types: OnceLock<Vec<OnceLock<Option<Box<DwarfFile<'d>>>>>>,
    main_locations: OnceLock<gimli::LocationLists<Slice<'d>>>,
    supplement_locations: OnceLock<gimli::LocationLists<Slice<'d>>>,
}

/// Units whose languages are compared.
const UNITS_ASKED: usize = 64;

/// `.debug_aranges`.
#[derive(Default)]
pub(crate) struct Aranges {
    pub(crate) map: RangeMap,
    /// Per unit: whether a set of ranges speaks for it.
    pub(crate) covered: Vec<bool>,
}

impl<'d> DwarfFile<'d> {
    /// The main file of an image.
    pub(crate) fn main(sources: &'d Sources) -> Self {
        Self::new(sources.dwarf(), sources, DwarfPart::Main, None)
    }

    /// One `.dwo` file, or one unit of a package.
    pub(crate) fn split(
        dwarf: Dwarf<'d>,
        sources: &'d Sources,
        part: DwarfPart,
        lent: Lent,
    ) -> Self {
        Self::new(dwarf, sources, part, Some(lent))
    }

    /// One type unit of a package, by its row in the index.
    pub(crate) fn package_part(dwarf: Dwarf<'d>, sources: &'d Sources, row: u32) -> Self {
        Self::new(dwarf, sources, DwarfPart::PackageType(row), None)
    }

    fn new(dwarf: Dwarf<'d>, sources: &'d Sources, part: DwarfPart, lent: Option<Lent>) -> Self {
        Self {
            dwarf,
            sources,
            part,
            lent,
            info: OnceLock::new(),
            types: OnceLock::new(),
            supplement: OnceLock::new(),
            signatures: OnceLock::new(),
            aranges: OnceLock::new(),
            roots: OnceLock::new(),
            tables: Tables::default(),
            main_language: OnceLock::new(),
            package: OnceLock::new(),
            splits: OnceLock::new(),
            package_types: OnceLock::new(),
            main_locations: OnceLock::new(),
            supplement_locations: OnceLock::new(),
        }
    }

    pub(crate) fn context(&self) -> &'d Context {
        &self.sources.context
    }

    /// The byte order of the image.
    pub(crate) fn endian(&self) -> gimli::RunTimeEndian {
        gimli::Reader::endian(self.dwarf.debug_info.reader())
    }

    pub(crate) fn is_little_endian(&self) -> bool {
        self.endian() == gimli::RunTimeEndian::Little
    }

    /// The location lists that `unit` refers to. Of the main file they are unpacked now:
    /// naming addresses does without them, and they are large.
    pub(crate) fn locations(&self, unit: &Unit<'d>) -> &gimli::LocationLists<Slice<'d>> {
        match self.part {
            DwarfPart::Main => {
                let of = |in_supplement| self.sources.locations(in_supplement);
                match unit.list {
                    List::Supplement => self.supplement_locations.get_or_init(|| of(true)),
                    List::Info | List::Types => self.main_locations.get_or_init(|| of(false)),
                }
            }
            DwarfPart::Split(_) | DwarfPart::PackageType(_) => &self.dwarf.locations,
        }
    }

    /// The sections `unit` refers to.
    pub(crate) fn dwarf_of(&self, unit: &Unit<'d>) -> &Dwarf<'d> {
        self.dwarf_of_list(unit.list)
    }

    fn dwarf_of_list(&self, list: List) -> &Dwarf<'d> {
        match list {
            List::Supplement => self.dwarf.sup().unwrap_or(&self.dwarf),
            List::Info | List::Types => &self.dwarf,
        }
    }

    /// The address in `value`, direct or by index; `None` for another kind of value.
    pub(crate) fn address(&self, unit: &Unit<'d>, value: Value<'d>) -> Option<u64> {
        let found = self.dwarf_of(unit).attr_address(&unit.inner, value);
        found.map_err(|error| self.context().report("an address", error)).ok()?
    }

    /// `DW_AT_low_pc` of an entry of `unit`.
    pub(crate) fn low_pc(&self, unit: &Unit<'d>, of: &RangeAttributes<'d>) -> Option<u64> {
        self.address(unit, of.low?)
    }

    /// The ranges of an entry of `unit`, in the order given. Those that start at 0 are code
    /// the linker threw away; no image has code there.
    pub(crate) fn ranges(&self, unit: &Unit<'d>, of: &RangeAttributes<'d>) -> Vec<(u64, u64)> {
        let mut found = Vec::new();
        if let Some(ranges) = of.ranges {
            let mut read = || {
                let Some(mut list) = self.dwarf_of(unit).attr_ranges(&unit.inner, ranges)? else {
                    return Ok(());
                };
                while let Some(range) = list.next()? {
                    if !self.context().spend(1) {
                        break;
                    }
                    if range.begin != 0 && range.begin < range.end {
                        found.push((range.begin, range.end));
                    }
                }
                Ok(())
            };
            if let Err(error) = read() {
                self.context().report("a list of ranges", error);
            }
            return found;
        }
        let Some(low) = self.low_pc(unit, of).filter(|low| *low != 0) else { return found };
        let high = match of.high {
            Some(gimli::AttributeValue::Udata(size)) => low.checked_add(size),
            Some(value) => self.address(unit, value),
            None => None,
        };
        found.extend(high.filter(|high| low < *high).map(|high| (low, high)));
        found
    }

    /// The string in `value`, wherever it is kept.
    pub(crate) fn string(&self, unit: &Unit<'d>, value: Value<'d>) -> Option<Slice<'d>> {
        let found = self.dwarf_of(unit).attr_string(&unit.inner, value);
        found.map_err(|error| self.context().report("a string", error)).ok()
    }

    /// Whether some unit describes types: more than names and lines.
    pub(crate) fn has_types(&self) -> bool {
        let section = *self.dwarf.debug_abbrev.reader();
        (0..self.unit_count(List::Info)).any(|index| {
            let Ok(header) = self.header(List::Info, index) else { return false };
            let mut described =
                !matches!(header.type_(), UnitType::Compilation | UnitType::Partial);
            let offset = header.debug_abbrev_offset().0;
            scan_table(section, offset, &mut |tag, _| {
                described |= matches!(
                    tag,
                    dw::DW_TAG_base_type | dw::DW_TAG_variable | dw::DW_TAG_formal_parameter
                );
            });
            described
        })
    }

    /// The package of split units that belongs to this file.
    pub(crate) fn package(&self) -> Option<&gimli::DwarfPackage<Slice<'d>>> {
        self.package.get_or_init(|| self.sources.package()).as_ref()
    }

    /// The units of a section.
    pub(crate) fn list(&self, list: List) -> &UnitList<'d> {
        match list {
            List::Info => self.info.get_or_init(|| self.read_list(List::Info)),
            List::Types => self.types.get_or_init(|| self.read_list(List::Types)),
            List::Supplement => self.supplement.get_or_init(|| match self.dwarf.sup() {
                Some(_) => self.read_list(List::Supplement),
                None => UnitList::default(),
            }),
        }
    }

    fn read_list(&self, list: List) -> UnitList<'d> {
        let (units, error) = UnitList::read(list, self.dwarf_of_list(list));
        if let Some(error) = error {
            self.context().report("the headers of the units", error);
        }
        units
    }

    fn header(&self, list: List, index: usize) -> gimli::Result<UnitHeader<Slice<'d>>> {
        self.list(list).header(list, index, self.dwarf_of_list(list))
    }

    /// Unit number `index` of `list`; `None` if it cannot be read.
    pub(crate) fn unit(&self, list: List, index: usize) -> Option<&Unit<'d>> {
        let cell = self.list(list).cell(index)?;
        let number = u32::try_from(index).ok()?;
        let unit = cell.get_or_init(|| {
            let open = || {
                let header = self.header(list, index)?;
                let table = self.table(list, header.debug_abbrev_offset())?;
                self.open(list, number, &header, table)
            };
            match open() {
                Ok(unit) => Some(Box::new(unit)),
                Err(error) => {
                    self.context().report("a unit", error);
                    None
                }
            }
        });
        unit.as_deref()
    }

    /// As [`DwarfFile::unit`], but nothing is kept: for what looks at all units once.
    /// `last` is the table of the unit before, which the next one often shares.
    pub(crate) fn passing_unit(
        &self,
        list: List,
        index: u32,
        last: &mut Option<(List, DebugAbbrevOffset<usize>, Table)>,
    ) -> Option<Unit<'d>> {
        let header = self.header(list, usize::try_from(index).ok()?);
        let header = header.map_err(|error| self.context().report("a unit", error)).ok()?;
        let offset = header.debug_abbrev_offset();
        let table = match last {
            Some((of, at, table)) if (*of, *at) == (list, offset) => Ok(table.clone()),
            _ => Tables::read(&self.dwarf_of_list(list).debug_abbrev, offset, self.context()),
        };
        if let Ok(table) = &table {
            *last = Some((list, offset, table.clone()));
        }
        let unit = table.and_then(|table| self.open(list, index, &header, table));
        unit.map_err(|error| self.context().report("a unit", error)).ok()
    }

    /// Bytes of the units, those of the supplement included.
    pub(crate) fn described_bytes(&self) -> usize {
        let all = [Some(&self.dwarf), self.dwarf.sup()].into_iter().flatten().map(|dwarf| {
            let (info, types) = (dwarf.debug_info.reader(), dwarf.debug_types.reader());
            info.len().saturating_add(types.len())
        });
        all.fold(0, usize::saturating_add)
    }

    /// The number of units in `list`.
    pub(crate) fn unit_count(&self, list: List) -> usize {
        self.list(list).len()
    }

    /// The first unit that is not a type unit: the only one of a `.dwo` file.
    pub(crate) fn first_compilation(&self) -> Option<&Unit<'d>> {
        let is_compilation = |index: &usize| {
            let header = self.header(List::Info, *index);
            let is_type = |header: UnitHeader<_>| {
                matches!(header.type_(), UnitType::Type { .. } | UnitType::SplitType { .. })
            };
            header.is_ok_and(|header| !is_type(header))
        };
        let index = (0..self.unit_count(List::Info)).find(is_compilation)?;
        self.unit(List::Info, index)
    }

    /// The language of the program, if its first units agree on one: that of dwz's partial
    /// units, which state none.
    pub(crate) fn main_language(&self) -> Language {
        *self.main_language.get_or_init(|| {
            let mut found = None;
            for index in 0..self.list(List::Info).len().min(UNITS_ASKED) {
                let Some(unit) = self.unit(List::Info, index) else { continue };
                if unit.language != Language::Unknown
                    && *found.get_or_insert(unit.language) != unit.language
                {
                    return Language::Unknown;
                }
            }
            found.unwrap_or(Language::Unknown)
        })
    }

    /// The entry `value` refers to from within `unit`.
    pub(crate) fn resolve<'x>(
        &'x self,
        unit: &'x Unit<'d>,
        value: Value<'d>,
    ) -> Option<Die<'x, 'd>> {
        match value {
            gimli::AttributeValue::UnitRef(offset) => Some(Die { unit, offset }),
            gimli::AttributeValue::DebugInfoRef(offset) => {
                let list =
                    if unit.list == List::Supplement { List::Supplement } else { List::Info };
                self.die_at(list, offset.0)
            }
            gimli::AttributeValue::DebugInfoRefSup(offset) => {
                self.die_at(List::Supplement, offset.0)
            }
            gimli::AttributeValue::DebugTypesRef(signature) => self.type_die(signature.0),
            _ => None,
        }
    }

    pub(crate) fn die_at(&self, list: List, offset: usize) -> Option<Die<'_, 'd>> {
        let units = self.list(list);
        let index = units.index_at(offset)?;
        let start = units.start(index)?;
        let unit = self.unit(list, index)?;
        Some(Die { unit, offset: UnitOffset(offset.checked_sub(start)?) })
    }

    /// The type that a type unit of this file describes under `signature`.
    pub(crate) fn type_die(&self, signature: u64) -> Option<Die<'_, 'd>> {
        let all = self.signatures.get_or_init(|| {
            let mut all = HashMap::new();
            for list in [List::Types, List::Info] {
                for index in 0..self.unit_count(list) {
                    let Ok(header) = self.header(list, index) else { continue };
                    if let UnitType::Type { type_signature, .. }
                    | UnitType::SplitType { type_signature, .. } = header.type_()
                    {
                        all.entry(type_signature.0).or_insert((list, index));
                    }
                }
            }
            all
        });
        let (list, index) = *all.get(&signature)?;
        let unit = self.unit(list, index)?;
        match unit.inner.header.type_() {
            UnitType::Type { type_offset, .. } | UnitType::SplitType { type_offset, .. } => {
                Some(Die { unit, offset: type_offset })
            }
            _ => None,
        }
    }

    fn open(
        &self,
        list: List,
        index: u32,
        header: &UnitHeader<Slice<'d>>,
        table: Table,
    ) -> gimli::Result<Unit<'d>> {
        let (place, dwarf) = (UnitNumber { list, index }, self.dwarf_of_list(list));
        let (mut unit, names) = Unit::open(place, dwarf, header, table, self.lent)?;
        unit.read_names(names, |unit, value| self.string(unit, value));
        if let Some(low) = self.low_pc(&unit, &unit.ranges) {
            unit.inner.low_pc = low;
        }
        Ok(unit)
    }

    fn table(&self, list: List, offset: DebugAbbrevOffset<usize>) -> gimli::Result<Table> {
        let in_supplement = list == List::Supplement;
        let section = &self.dwarf_of_list(list).debug_abbrev;
        self.tables.get(in_supplement, section, offset, self.context())
    }
}
