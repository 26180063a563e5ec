//! One pass over the units of an image for the names of its types, functions, and global
//! and static variables. Bodies of functions are jumped over.

use std::borrow::Cow;

use gimli::{UnitOffset, constants as dw};

use crate::model::keys::{DwarfPart, List};
use crate::model::language::Language;
use crate::names::scopes::with_scopes;
use crate::sections::sources::{Slice, Value};
use crate::types::type_names::canonical;
use crate::units::attributes::{Attributes, Reference};
use crate::units::entry::Entry;
use crate::units::file::DwarfFile;
use crate::units::split::whole;
use crate::units::unit::Unit;

/// Where a unit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UnitPlace {
    pub(crate) part: DwarfPart,
    pub(crate) list: List,
    pub(crate) unit: u32,
}

/// An entry under the hashes of its names. Small: there may be millions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Named {
    /// Of `DW_AT_name`.
    pub(crate) name: u32,
    /// Of the name with its scopes.
    pub(crate) qualified: u32,
    /// Number of the unit in [`ScannedNames::units`].
    pub(crate) unit: u32,
    /// Offset in the unit.
    pub(crate) offset: u32,
}

/// What was found in some units.
#[derive(Default)]
pub(crate) struct ScannedNames {
    pub(crate) units: Vec<UnitPlace>,
    /// Definitions.
    pub(crate) types: Vec<Named>,
    /// Definitions, and declarations that state a value.
    pub(crate) variables: Vec<Named>,
    /// Those with code.
    pub(crate) functions: Vec<Named>,
    /// Address, unit and offset of variables that have one place for good.
    pub(crate) places: Vec<(u64, u32, u32)>,
}

/// The hash of a name: FNV-1a over its bytes without spaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NameHash(u64);

impl NameHash {
    /// Of the empty name.
    pub(crate) const EMPTY: Self = Self(0xcbf2_9ce4_8422_2325);

    /// Of what was hashed so far and `bytes`.
    pub(crate) fn and(self, bytes: &[u8]) -> Self {
        let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        Self(bytes.iter().filter(|byte| **byte != b' ').fold(self.0, step))
    }

    /// Of `name` in this scope.
    fn inside(self, name: &[u8]) -> Self {
        let scope = if self == Self::EMPTY { self } else { self.and(b"::") };
        scope.and(name)
    }

    /// Half of it.
    pub(crate) fn short(self) -> u32 {
        let [low, high] = [self.0, self.0 >> 32].map(|half| half as u32);
        low ^ high
    }
}

/// A name as it is hashed and compared.
pub(crate) fn comparable(name: &[u8], language: Language) -> Cow<'_, [u8]> {
    let is_c = matches!(language, Language::C | Language::Cpp | Language::Unknown);
    if is_c && name.windows(4).any(|part| part == b" int") {
        return Cow::Owned(canonical(&String::from_utf8_lossy(name)).into_bytes());
    }
    Cow::Borrowed(name)
}

impl ScannedNames {
    /// Adds what the `count` units of `list` from number `first` on name.
    pub(crate) fn list(&mut self, root: &DwarfFile<'_>, list: List, first: u32, count: u32) {
        let mut table = None;
        for index in first..first.saturating_add(count) {
            let Some(unit) = root.passing_unit(list, index, &mut table) else { continue };
            if unit.dwo_name.is_some() {
                self.split(root, index);
            } else {
                self.unit(root, root, &unit);
            }
        }
    }

    /// Adds what the split half of unit number `index` names.
    fn split(&mut self, root: &DwarfFile<'_>, index: u32) {
        let skeleton = usize::try_from(index).ok().and_then(|index| root.unit(List::Info, index));
        let Some(skeleton) = skeleton else { return };
        let (file, _) = whole(root, skeleton);
        if file.part != DwarfPart::Main {
            self.file(root, file);
        }
    }

    /// Adds what the type unit in `row` of the package names.
    pub(crate) fn package_type(&mut self, root: &DwarfFile<'_>, row: u32) {
        if let Some(file) = root.part(DwarfPart::PackageType(row)) {
            self.file(root, file);
        }
    }

    fn file<'d>(&mut self, root: &DwarfFile<'d>, file: &DwarfFile<'d>) {
        let mut table = None;
        for list in [List::Info, List::Types] {
            for index in 0..file.unit_count(list) {
                let Ok(index) = u32::try_from(index) else { break };
                if let Some(unit) = file.passing_unit(list, index, &mut table) {
                    self.unit(root, file, &unit);
                }
            }
        }
    }

    fn unit<'d>(&mut self, root: &DwarfFile<'d>, file: &DwarfFile<'d>, unit: &Unit<'d>) {
        let Ok(number) = u32::try_from(self.units.len()) else { return };
        self.units.push(UnitPlace { part: file.part, list: unit.list, unit: unit.index });
        let entry = Entry::new(root, file, unit, UnitOffset(0));
        let mut scan = UnitScan {
            entry,
            number,
            has_scopes: unit.language.has_scopes(),
            // Attributes may cost no byte each, so a short unit could name very many.
            work: unit.inner.header.length_including_self().saturating_mul(8),
            scopes: Vec::new(),
            open: Vec::new(),
            waiting: Vec::new(),
            found: self,
        };
        if let Err(error) = scan.run() {
            file.context().report("the names of a unit", error);
        }
        scan.resolve();
    }
}

/// A namespace or a record.
struct Scope {
    start: usize,
    end: usize,
    parent: Option<usize>,
    hash: NameHash,
}

/// What a name is of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Type,
    Variable,
    Function,
}

struct UnitScan<'s, 'x, 'd> {
    entry: Entry<'x, 'd>,
    number: u32,
    has_scopes: bool,
    work: usize,
    /// In the order of their starts.
    scopes: Vec<Scope>,
    /// Depth and number of those around the current entry.
    open: Vec<(isize, usize)>,
    /// Entries that are named by another one.
    waiting: Vec<(Kind, UnitOffset, Value<'d>)>,
    found: &'s mut ScannedNames,
}

/// The attributes that count here.
#[derive(Default)]
struct Seen<'d> {
    name: Option<Value<'d>>,
    origin: Option<Value<'d>>,
    location: Option<Value<'d>>,
    sibling: Option<UnitOffset>,
    has_constant: bool,
    has_code: bool,
    is_declaration: bool,
    is_external: bool,
}

impl<'d> UnitScan<'_, '_, 'd> {
    fn run(&mut self) -> gimli::Result<()> {
        let unit = self.entry.unit;
        let mut entries = unit.inner.entries_raw(None)?;
        // Each jump starts a new reader, which counts depths from 0.
        let mut base = 0_isize;
        let mut ignored_below = isize::MAX;
        while !entries.is_empty() {
            let offset = entries.next_offset();
            let depth = base.saturating_add(entries.next_depth());
            let Some(abbreviation) = entries.read_abbreviation()? else { continue };
            let attributes = abbreviation.attributes();
            let Some(left) = self.work.checked_sub(attributes.len()) else { break };
            self.work = left;
            if depth > ignored_below {
                entries.skip_attributes(attributes)?;
                continue;
            }
            ignored_below = isize::MAX;
            while let Some((_, closed)) = self.open.pop_if(|scope| scope.0 >= depth) {
                if let Some(closed) = self.scopes.get_mut(closed) {
                    closed.end = offset.0;
                }
            }
            let tag = abbreviation.tag();
            if is_unit(tag) {
                entries.skip_attributes(attributes)?;
                continue;
            }
            let has_children = abbreviation.has_children();
            let counts = counts(tag, attributes);
            if !counts && !has_children {
                entries.skip_attributes(attributes)?;
                continue;
            }
            let mut seen = Seen::default();
            for specification in attributes {
                let attribute = entries.read_attribute_inline(*specification)?;
                seen.note(attribute.name(), attribute.raw_value());
            }
            let name = if counts { self.name(&seen) } else { None };
            if counts {
                self.take(tag, offset, &seen, name);
            }
            if is_scope(tag) && has_children {
                let hash = self.scope_hash(tag, name);
                let parent = self.open.last().map(|open| open.1);
                self.open.push((depth, self.scopes.len()));
                self.scopes.push(Scope { start: offset.0, end: usize::MAX, parent, hash });
            } else if has_children {
                match seen.sibling {
                    Some(to) if to.0 >= entries.next_offset().0 => {
                        entries = unit.inner.entries_raw(Some(to))?;
                        base = depth;
                    }
                    _ => ignored_below = depth,
                }
            }
        }
        Ok(())
    }

    fn name(&self, seen: &Seen<'d>) -> Option<Slice<'d>> {
        let name = self.entry.string(seen.name?)?;
        self.affordable(name)
    }

    /// `name` if it is not empty and can be paid for: many entries may share a long one.
    fn affordable(&self, name: Slice<'d>) -> Option<Slice<'d>> {
        let long = (name.len() as u64) >> 12;
        let context = self.entry.file.context();
        (!gimli::Reader::is_empty(&name) && (long == 0 || context.spend(long))).then_some(name)
    }

    /// The hash of the names of the scopes from the outermost to the one that begins.
    fn scope_hash(&self, tag: gimli::DwTag, name: Option<Slice<'d>>) -> NameHash {
        if !self.has_scopes {
            return NameHash::EMPTY;
        }
        match name {
            Some(name) => {
                let name = comparable(name.slice(), self.entry.unit.language);
                self.around().inside(&name)
            }
            None if tag == dw::DW_TAG_namespace => self.around().inside(ANONYMOUS),
            None => NameHash::EMPTY,
        }
    }

    /// The scopes around the entry being read.
    fn around(&self) -> NameHash {
        let around = self.open.last().and_then(|open| self.scopes.get(open.1));
        around.map_or(NameHash::EMPTY, |scope| scope.hash)
    }

    fn take(
        &mut self,
        tag: gimli::DwTag,
        offset: UnitOffset,
        seen: &Seen<'d>,
        name: Option<Slice<'d>>,
    ) {
        let kind = match tag {
            dw::DW_TAG_subprogram if seen.has_code => Kind::Function,
            dw::DW_TAG_subprogram | dw::DW_TAG_namespace | dw::DW_TAG_module => return,
            dw::DW_TAG_variable if seen.is_declaration && !seen.has_constant => return,
            dw::DW_TAG_variable => Kind::Variable,
            dw::DW_TAG_member if seen.has_constant && (seen.is_declaration || seen.is_external) => {
                Kind::Variable
            }
            dw::DW_TAG_member => return,
            _ if seen.is_declaration => return,
            _ => Kind::Type,
        };
        if kind == Kind::Variable
            && let Some(at) = seen.location.and_then(|location| self.fixed_place(location))
            && let Ok(offset) = u32::try_from(offset.0)
        {
            self.found.places.push((at, self.number, offset));
        }
        if let Some(origin) = seen.origin {
            self.waiting.push((kind, offset, origin));
        } else if let Some(name) = name {
            self.put(kind, offset, name, self.around());
        }
    }

    fn put(&mut self, kind: Kind, offset: UnitOffset, name: Slice<'d>, scope: NameHash) {
        let Ok(offset) = u32::try_from(offset.0) else { return };
        let name = comparable(name.slice(), self.entry.unit.language);
        let scope = if self.has_scopes { scope } else { NameHash::EMPTY };
        let named = Named {
            name: NameHash::EMPTY.and(&name).short(),
            qualified: scope.inside(&name).short(),
            unit: self.number,
            offset,
        };
        match kind {
            Kind::Type => self.found.types.push(named),
            Kind::Variable => self.found.variables.push(named),
            Kind::Function => self.found.functions.push(named),
        }
    }

    /// The address in a location that is nothing but one.
    fn fixed_place(&self, location: Value<'d>) -> Option<u64> {
        let mut code = match location {
            gimli::AttributeValue::Exprloc(code) => code.0,
            gimli::AttributeValue::Block(code) => code,
            _ => return None,
        };
        let (file, unit) = (self.entry.file, self.entry.unit);
        let at = match gimli::Operation::parse(&mut code, unit.inner.header.encoding()).ok()? {
            gimli::Operation::Address { address } => address,
            gimli::Operation::AddressIndex { index } => {
                file.dwarf_of(unit).address(&unit.inner, index).ok()?
            }
            _ => return None,
        };
        // The linker leaves 0 where it threw the variable away.
        (gimli::Reader::is_empty(&code) && at != 0).then_some(at)
    }

    /// Names what is named by another entry: a definition by its declaration, the parts of
    /// a program that was optimised as a whole by what they were made of.
    fn resolve(&mut self) {
        for (kind, offset, origin) in std::mem::take(&mut self.waiting) {
            let context = self.entry.file.context();
            let mut at = self.entry.follow(origin);
            for _ in 0..context.limits.reference_depth {
                let Some(here) = at.filter(|_| context.spend(1)) else { break };
                let Some(attributes) = Attributes::read(here) else { break };
                let origin = attributes
                    .reference(dw::DW_AT_specification)
                    .or_else(|| attributes.reference(dw::DW_AT_abstract_origin));
                if let Some(Reference::To(origin)) = origin {
                    at = Some(origin);
                    continue;
                }
                let name = attributes.bytes(dw::DW_AT_name);
                if let Some(name) = name.and_then(|name| self.affordable(name)) {
                    let scope = self.scope_of(here);
                    self.put(kind, offset, name, scope);
                }
                break;
            }
        }
    }

    /// The scopes around an entry that was passed or is elsewhere.
    fn scope_of(&self, of: Entry<'_, 'd>) -> NameHash {
        if !self.has_scopes {
            return NameHash::EMPTY;
        }
        if !std::ptr::eq(of.unit, self.entry.unit) {
            let scopes = with_scopes(of, String::new());
            let scopes = scopes.strip_suffix("::").unwrap_or(&scopes);
            return NameHash::EMPTY.and(&comparable(scopes.as_bytes(), of.unit.language));
        }
        let after = self.scopes.partition_point(|scope| scope.start < of.offset.0);
        let mut here = after.checked_sub(1);
        // A parent always comes before its children, so this ends.
        while let Some(scope) = here.and_then(|number| self.scopes.get(number)) {
            if of.offset.0 < scope.end {
                return scope.hash;
            }
            here = scope.parent;
        }
        NameHash::EMPTY
    }
}

const ANONYMOUS: &[u8] = b"(anonymous namespace)";

impl<'d> Seen<'d> {
    fn note(&mut self, name: gimli::DwAt, value: Value<'d>) {
        match name {
            dw::DW_AT_name => self.name = Some(value),
            dw::DW_AT_specification => self.origin = Some(value),
            dw::DW_AT_abstract_origin => self.origin = self.origin.or(Some(value)),
            dw::DW_AT_location => self.location = Some(value),
            dw::DW_AT_const_value => self.has_constant = true,
            dw::DW_AT_low_pc | dw::DW_AT_ranges => self.has_code = true,
            dw::DW_AT_declaration => {
                self.is_declaration = value == gimli::AttributeValue::Flag(true);
            }
            dw::DW_AT_external => self.is_external = value == gimli::AttributeValue::Flag(true),
            dw::DW_AT_sibling => {
                if let gimli::AttributeValue::UnitRef(to) = value {
                    self.sibling = Some(to);
                }
            }
            _ => {}
        }
    }
}

fn is_unit(tag: gimli::DwTag) -> bool {
    matches!(
        tag,
        dw::DW_TAG_compile_unit
            | dw::DW_TAG_partial_unit
            | dw::DW_TAG_type_unit
            | dw::DW_TAG_skeleton_unit
    )
}

/// Whether what is below may have names of its own.
fn is_scope(tag: gimli::DwTag) -> bool {
    matches!(
        tag,
        dw::DW_TAG_namespace
            | dw::DW_TAG_module
            | dw::DW_TAG_structure_type
            | dw::DW_TAG_class_type
            | dw::DW_TAG_interface_type
            | dw::DW_TAG_union_type
    )
}

/// Whether an entry may have a name that can be asked for.
fn counts(tag: gimli::DwTag, attributes: &[gimli::AttributeSpecification]) -> bool {
    let has = |name| attributes.iter().any(|specification| specification.name() == name);
    match tag {
        dw::DW_TAG_subprogram => has(dw::DW_AT_low_pc) || has(dw::DW_AT_ranges),
        dw::DW_TAG_member => has(dw::DW_AT_const_value),
        dw::DW_TAG_base_type
        | dw::DW_TAG_unspecified_type
        | dw::DW_TAG_typedef
        | dw::DW_TAG_template_alias
        | dw::DW_TAG_enumeration_type
        | dw::DW_TAG_variable => true,
        dw::DW_TAG_pointer_type
        | dw::DW_TAG_reference_type
        | dw::DW_TAG_array_type
        | dw::DW_TAG_subroutine_type
        | dw::DW_TAG_subrange_type => has(dw::DW_AT_name),
        tag => is_scope(tag),
    }
}
