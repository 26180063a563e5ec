//! The units of `.debug_info` and `.debug_types`: which one describes an address, and
//! what its root entry says.

use std::collections::HashMap;
use std::sync::OnceLock;
use std::sync::atomic::AtomicU32;

use gimli::{DebugAbbrevOffset, UnitHeader, UnitOffset, UnitType, constants as dw};

use super::abbreviations::{Table, Tables, scan_table};
use super::bounds::Bounds;
use super::demangle::Language;
use super::functions::Functions;
use super::lines::Lines;
use super::names::ScopeIndex;
use super::range_map::RangeMap;
use super::reader::{Context, Dwarf, Slice, Sources, Value};
use super::split::Split;

/// The DWARF of one file, parsed as far as it was asked about.
pub(super) struct DwarfFile<'d> {
    pub(super) dwarf: Dwarf<'d>,
    pub(super) sources: &'d Sources,
    /// Which of the files of its image this is.
    pub(super) part: Part,
    /// What a skeleton unit in the main file lends to the units of a split file.
    lent: Option<Lent>,
    info: OnceLock<UnitList<'d>>,
    types: OnceLock<UnitList<'d>>,
    supplement: OnceLock<UnitList<'d>>,
    signatures: OnceLock<HashMap<u64, (List, usize)>>,
    aranges: OnceLock<Aranges>,
    roots: OnceLock<RangeMap>,
    tables: Tables,
    main_language: OnceLock<Language>,
    package: OnceLock<Option<gimli::DwarfPackage<Slice<'d>>>>,
    pub(super) package_types: OnceLock<Vec<OnceLock<Option<Box<DwarfFile<'d>>>>>>,
    main_locations: OnceLock<gimli::LocationLists<Slice<'d>>>,
    supplement_locations: OnceLock<gimli::LocationLists<Slice<'d>>>,
}

/// Which list of units one stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum List {
    /// `.debug_info`.
    Info,
    /// `.debug_types`.
    Types,
    /// `.debug_info` of the file dwz shares.
    Supplement,
}

/// An entry by numbers alone: good for the [`DwarfFile`] of its image, and for no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct DieKey {
    pub(super) part: Part,
    pub(super) list: List,
    /// Number of the unit in its list.
    pub(super) unit: u32,
    /// Offset of the entry in its unit.
    pub(super) offset: usize,
}

/// Which of the files of an image an entry stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Part {
    /// The main file and its supplement.
    Main,
    /// The split half of the unit of this number in `.debug_info` of the main file.
    Split(u32),
    /// A type unit of the `.dwp` package, by its row in the index.
    PackageType(u32),
}

/// Attributes that stand in the skeleton only (DWARF 5 § 3.1.3).
#[derive(Clone, Copy)]
pub(super) struct Lent {
    pub(super) low_pc: u64,
    pub(super) addr_base: gimli::DebugAddrBase<usize>,
    pub(super) ranges_base: gimli::DebugRngListsBase<usize>,
    pub(super) language: Language,
}

/// Units whose languages are compared.
const UNITS_ASKED: usize = 64;

type UnitList<'d> = Vec<LazyUnit<'d>>;

struct LazyUnit<'d> {
    header: UnitHeader<Slice<'d>>,
    start: usize,
    unit: OnceLock<Option<Box<Unit<'d>>>>,
}

#[derive(Default)]
struct Aranges {
    map: RangeMap,
    /// Per unit: whether a set of ranges speaks for it.
    covered: Vec<bool>,
}

/// One unit and what was found in it so far.
pub(super) struct Unit<'d> {
    pub(super) inner: gimli::Unit<Slice<'d>>,
    pub(super) list: List,
    /// Its number there.
    pub(super) index: u32,
    pub(super) language: Language,
    /// The first index of arrays that state none (DWARF 5 table 7.17).
    pub(super) first_index: i64,
    pub(super) line_program: Option<gimli::DebugLineOffset<usize>>,
    /// The name of the `.dwo` file, if the unit is a skeleton.
    pub(super) dwo_name: Option<Slice<'d>>,
    tag: gimli::DwTag,
    bounds: Bounds<'d>,
    /// Some function or block may have `DW_AT_ranges`.
    pub(super) has_scattered: bool,
    pub(super) shallow: OnceLock<Functions>,
    pub(super) deep: OnceLock<Functions>,
    pub(super) lines: OnceLock<Lines>,
    pub(super) scopes: OnceLock<ScopeIndex>,
    /// How often the scopes around an entry were asked for.
    pub(super) scopes_asked: AtomicU32,
    pub(super) split: OnceLock<Option<Box<Split<'d>>>>,
}

/// An entry: its unit and its offset there.
#[derive(Clone, Copy)]
pub(super) struct Die<'x, 'd> {
    pub(super) unit: &'x Unit<'d>,
    pub(super) offset: UnitOffset,
}

impl<'d> DwarfFile<'d> {
    /// The main file of an image.
    pub(super) fn main(sources: &'d Sources) -> Self {
        Self::new(sources.dwarf(), sources, Part::Main, None)
    }

    /// One `.dwo` file, or one unit of a package.
    pub(super) fn split(dwarf: Dwarf<'d>, sources: &'d Sources, part: Part, lent: Lent) -> Self {
        Self::new(dwarf, sources, part, Some(lent))
    }

    /// One type unit of a package, by its row in the index.
    pub(super) fn package_part(dwarf: Dwarf<'d>, sources: &'d Sources, row: u32) -> Self {
        Self::new(dwarf, sources, Part::PackageType(row), None)
    }

    fn new(dwarf: Dwarf<'d>, sources: &'d Sources, part: Part, lent: Option<Lent>) -> Self {
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
            package_types: OnceLock::new(),
            main_locations: OnceLock::new(),
            supplement_locations: OnceLock::new(),
        }
    }

    pub(super) fn context(&self) -> &'d Context {
        &self.sources.context
    }

    /// The byte order of the image.
    pub(super) fn endian(&self) -> gimli::RunTimeEndian {
        gimli::Reader::endian(gimli::Section::reader(&self.dwarf.debug_info))
    }

    pub(super) fn is_little_endian(&self) -> bool {
        self.endian() == gimli::RunTimeEndian::Little
    }

    /// The location lists that `unit` refers to. Of the main file they are unpacked now:
    /// naming addresses does without them, and they are large.
    pub(super) fn locations(&self, unit: &Unit<'d>) -> &gimli::LocationLists<Slice<'d>> {
        match self.part {
            Part::Main => {
                let of = |in_supplement| self.sources.locations(in_supplement);
                match unit.list {
                    List::Supplement => self.supplement_locations.get_or_init(|| of(true)),
                    List::Info | List::Types => self.main_locations.get_or_init(|| of(false)),
                }
            }
            Part::Split(_) | Part::PackageType(_) => &self.dwarf.locations,
        }
    }

    /// The sections `unit` refers to.
    pub(super) fn dwarf_of(&self, unit: &Unit<'d>) -> &Dwarf<'d> {
        self.dwarf_of_list(unit.list)
    }

    fn dwarf_of_list(&self, list: List) -> &Dwarf<'d> {
        match list {
            List::Supplement => self.dwarf.sup().unwrap_or(&self.dwarf),
            List::Info | List::Types => &self.dwarf,
        }
    }

    /// The address in `value`, direct or by index; `None` for another kind of value.
    pub(super) fn address(&self, unit: &Unit<'d>, value: Value<'d>) -> Option<u64> {
        let found = self.dwarf_of(unit).attr_address(&unit.inner, value);
        found.map_err(|error| self.context().report("an address", error)).ok()?
    }

    /// The string in `value`, wherever it is kept.
    pub(super) fn string(&self, unit: &Unit<'d>, value: Value<'d>) -> Option<Slice<'d>> {
        let found = self.dwarf_of(unit).attr_string(&unit.inner, value);
        found.map_err(|error| self.context().report("a string", error)).ok()
    }

    /// Whether some unit describes types: more than names and lines.
    pub(super) fn has_types(&self) -> bool {
        let section = *gimli::Section::reader(&self.dwarf.debug_abbrev);
        self.list(List::Info).iter().any(|lazy| {
            let mut described = lazy.header.type_() != UnitType::Compilation
                && !matches!(lazy.header.type_(), UnitType::Partial);
            let offset = lazy.header.debug_abbrev_offset().0;
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
    pub(super) fn package(&self) -> Option<&gimli::DwarfPackage<Slice<'d>>> {
        self.package.get_or_init(|| self.sources.package()).as_ref()
    }

    fn list(&self, list: List) -> &UnitList<'d> {
        match list {
            List::Info => self.info.get_or_init(|| self.read_list(List::Info)),
            List::Types => self.types.get_or_init(|| self.read_list(List::Types)),
            List::Supplement => self.supplement.get_or_init(|| match self.dwarf.sup() {
                Some(_) => self.read_list(List::Supplement),
                None => Vec::new(),
            }),
        }
    }

    fn read_list(&self, list: List) -> UnitList<'d> {
        let dwarf = self.dwarf_of_list(list);
        let mut units: UnitList<'d> = Vec::new();
        let mut add = |header: UnitHeader<Slice<'d>>, start| {
            units.push(LazyUnit { header, start, unit: OnceLock::new() });
        };
        let mut read = || {
            if list == List::Types {
                let mut headers = dwarf.type_units();
                while let Some(header) = headers.next()? {
                    let start = header.debug_types_offset().map_or(0, |offset| offset.0);
                    add(header, start);
                }
            } else {
                let mut headers = dwarf.units();
                while let Some(header) = headers.next()? {
                    let start = header.debug_info_offset().map_or(0, |offset| offset.0);
                    add(header, start);
                }
            }
            Ok(())
        };
        if let Err(error) = read() {
            self.context().report("the headers of the units", error);
        }
        units
    }

    /// Unit number `index` of `list`; `None` if it cannot be read.
    pub(super) fn unit(&self, list: List, index: usize) -> Option<&Unit<'d>> {
        let lazy = self.list(list).get(index)?;
        let number = u32::try_from(index).ok()?;
        let unit = lazy.unit.get_or_init(|| {
            let table = self.table(list, lazy.header.debug_abbrev_offset());
            match table.and_then(|table| self.open(list, number, &lazy.header, table)) {
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
    pub(super) fn passing_unit(
        &self,
        list: List,
        index: u32,
        last: &mut Option<(List, DebugAbbrevOffset<usize>, Table)>,
    ) -> Option<Unit<'d>> {
        let lazy = self.list(list).get(usize::try_from(index).ok()?)?;
        let offset = lazy.header.debug_abbrev_offset();
        let table = match last {
            Some((of, at, table)) if (*of, *at) == (list, offset) => Ok(table.clone()),
            _ => Tables::read(&self.dwarf_of_list(list).debug_abbrev, offset, self.context()),
        };
        if let Ok(table) = &table {
            *last = Some((list, offset, table.clone()));
        }
        // What is wrong with it is reported when something asks for the unit itself.
        table.and_then(|table| self.open(list, index, &lazy.header, table)).ok()
    }

    /// The number of units in `list`.
    pub(super) fn unit_count(&self, list: List) -> usize {
        self.list(list).len()
    }

    /// The first unit that is not a type unit: the only one of a `.dwo` file.
    pub(super) fn first_compilation(&self) -> Option<&Unit<'d>> {
        let index = self.list(List::Info).iter().position(|lazy| {
            !matches!(lazy.header.type_(), UnitType::Type { .. } | UnitType::SplitType { .. })
        })?;
        self.unit(List::Info, index)
    }

    /// The language of the program, if its first units agree on one: that of dwz's partial
    /// units, which state none.
    pub(super) fn main_language(&self) -> Language {
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
    pub(super) fn resolve<'x>(
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

    pub(super) fn die_at(&self, list: List, offset: usize) -> Option<Die<'_, 'd>> {
        let units = self.list(list);
        let index = units.partition_point(|unit| unit.start <= offset).checked_sub(1)?;
        let start = units.get(index)?.start;
        let unit = self.unit(list, index)?;
        Some(Die { unit, offset: UnitOffset(offset.checked_sub(start)?) })
    }

    /// The type that a type unit of this file describes under `signature`.
    pub(super) fn type_die(&self, signature: u64) -> Option<Die<'_, 'd>> {
        let all = self.signatures.get_or_init(|| {
            let mut all = HashMap::new();
            for list in [List::Types, List::Info] {
                for (index, lazy) in self.list(list).iter().enumerate() {
                    if let UnitType::Type { type_signature, .. }
                    | UnitType::SplitType { type_signature, .. } = lazy.header.type_()
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

    /// The units that may describe `at`, the likeliest first.
    pub(super) fn units_at(&self, at: u64) -> impl Iterator<Item = &Unit<'d>> {
        let by_table = self.aranges().map.find(at);
        // Units that the table is silent about are looked at only when it is of no help.
        let by_root = std::iter::once_with(move || self.roots().find(at)).flatten();
        let numbers = by_table.into_iter().chain(by_root.filter(move |n| Some(*n) != by_table));
        numbers.filter_map(|number| self.unit(List::Info, usize::try_from(number).ok()?))
    }

    fn aranges(&self) -> &Aranges {
        self.aranges.get_or_init(|| {
            let units = self.list(List::Info);
            let mut covered = vec![false; units.len()];
            let mut ranges = Vec::new();
            let section = self.sources.aranges();
            let mut headers = section.headers();
            let mut read = || {
                while let Some(header) = headers.next()? {
                    let start = header.debug_info_offset().0;
                    let Ok(index) = units.binary_search_by_key(&start, |unit| unit.start) else {
                        continue;
                    };
                    let Ok(number) = u32::try_from(index) else { break };
                    let mut entries = header.entries();
                    while let Some(entry) = entries.next()? {
                        let range = entry.range();
                        if range.begin == 0 || range.end <= range.begin {
                            continue;
                        }
                        ranges.push((range.begin, range.end, number));
                        if let Some(covered) = covered.get_mut(index) {
                            *covered = true;
                        }
                    }
                }
                Ok(())
            };
            if let Err(error) = read() {
                self.context().report(".debug_aranges", error);
            }
            Aranges { map: RangeMap::new(ranges), covered }
        })
    }

    /// Addresses of the units that `.debug_aranges` does not mention, by their roots.
    fn roots(&self) -> &RangeMap {
        self.roots.get_or_init(|| {
            let covered = &self.aranges().covered;
            let mut ranges = Vec::new();
            for index in 0..self.list(List::Info).len() {
                if covered.get(index).copied().unwrap_or(false) || !self.context().spend(1) {
                    continue;
                }
                let Some(unit) = self.unit(List::Info, index) else { continue };
                if !matches!(unit.tag, dw::DW_TAG_compile_unit | dw::DW_TAG_skeleton_unit) {
                    continue;
                }
                let Ok(number) = u32::try_from(index) else { break };
                let mut own = unit.bounds.ranges(self, unit);
                if unit.bounds.is_empty() && unit.dwo_name.is_none() {
                    // Some producers leave it to the functions to say.
                    let functions = Functions::of(self, unit, &unit.shallow);
                    own = functions.ranges().collect();
                }
                ranges.extend(own.into_iter().map(|(start, end)| (start, end, number)));
            }
            RangeMap::new(ranges)
        })
    }

    /// Reads the root entry. Like `gimli::Unit::new`, except that an attribute that cannot
    /// be read costs that attribute and not the unit, and the line program is left alone.
    fn open(
        &self,
        list: List,
        index: u32,
        header: &UnitHeader<Slice<'d>>,
        table: Table,
    ) -> gimli::Result<Unit<'d>> {
        let dwarf = self.dwarf_of_list(list);
        let encoding = header.encoding();
        let mut inner = gimli::Unit {
            header: *header,
            abbreviations: table.abbreviations,
            name: None,
            comp_dir: None,
            low_pc: 0,
            str_offsets_base: gimli::DebugStrOffsetsBase::default_for_encoding_and_file(
                encoding,
                dwarf.file_type,
            ),
            addr_base: gimli::DebugAddrBase(0),
            loclists_base: gimli::DebugLocListsBase::default_for_encoding_and_file(
                encoding,
                dwarf.file_type,
            ),
            rnglists_base: gimli::DebugRngListsBase::default_for_encoding_and_file(
                encoding,
                dwarf.file_type,
            ),
            line_program: None,
            dwo_id: match header.type_() {
                UnitType::Skeleton(id) | UnitType::SplitCompilation(id) => Some(id),
                _ => None,
            },
        };
        let mut entries = inner.entries();
        entries.next_entry()?;
        let root = entries.current().cloned().ok_or(gimli::Error::MissingUnitDie)?;
        drop(entries);
        let mut line_program = None;
        let mut language = None;
        let mut first_index = 0;
        let mut bounds = Bounds::default();
        let (mut name, mut comp_dir, mut dwo_name) = (None, None, None);
        for attribute in root.attrs() {
            let value = attribute.value();
            bounds.note(attribute.name(), value);
            match (attribute.name(), value) {
                (dw::DW_AT_name, value) => name = Some(value),
                (dw::DW_AT_comp_dir, value) => comp_dir = Some(value),
                (dw::DW_AT_dwo_name | dw::DW_AT_GNU_dwo_name, value) => dwo_name = Some(value),
                (dw::DW_AT_stmt_list, gimli::AttributeValue::DebugLineRef(offset)) => {
                    line_program = Some(offset);
                }
                (dw::DW_AT_language, gimli::AttributeValue::Language(tag)) => {
                    language = Some(Language::from_dwarf(tag.0));
                    first_index = i64::from(counts_from_one(tag));
                }
                (_, gimli::AttributeValue::DebugStrOffsetsBase(base)) => {
                    inner.str_offsets_base = base;
                }
                (_, gimli::AttributeValue::DebugAddrBase(base)) => inner.addr_base = base,
                (_, gimli::AttributeValue::DebugLocListsBase(base)) => inner.loclists_base = base,
                (_, gimli::AttributeValue::DebugRngListsBase(base)) => inner.rnglists_base = base,
                (dw::DW_AT_GNU_dwo_id, gimli::AttributeValue::DwoId(id)) => {
                    inner.dwo_id = inner.dwo_id.or(Some(id));
                }
                _ => {}
            }
        }
        if let Some(lent) = self.lent {
            inner.low_pc = lent.low_pc;
            inner.addr_base = lent.addr_base;
            if header.version() < 5 {
                inner.rnglists_base = lent.ranges_base;
            }
            language = language.or(Some(lent.language));
        }
        let mut unit = Unit {
            inner,
            list,
            index,
            language: language.unwrap_or(Language::Unknown),
            first_index,
            line_program,
            dwo_name: None,
            tag: root.tag(),
            bounds,
            has_scattered: table.has_scattered,
            shallow: OnceLock::new(),
            deep: OnceLock::new(),
            lines: OnceLock::new(),
            scopes: OnceLock::new(),
            scopes_asked: AtomicU32::new(0),
            split: OnceLock::new(),
        };
        unit.inner.name = name.and_then(|value| self.string(&unit, value));
        unit.inner.comp_dir = comp_dir.and_then(|value| self.string(&unit, value));
        unit.dwo_name = dwo_name.and_then(|value| self.string(&unit, value));
        if let Some(low) = bounds.low_pc(self, &unit) {
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
