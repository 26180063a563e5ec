//! One pass over the units of an image for the names of its types and of its global and
//! static variables, or for those of its functions. Bodies of functions are jumped over.

use gimli::{UnitOffset, constants as dw};

use crate::index::name_hash::{NameHash, comparable, is_spelled_freely};
use crate::index::named_tags::{counts, is_class, is_scope, is_unit};
use crate::model::keys::{DwarfPart, List};
use crate::names::scopes::with_scopes;
use crate::sections::sources::{Slice, Value};
use crate::units::attributes::{Attributes, Reference};
use crate::units::entry::Entry;
use crate::units::file::DwarfFile;
use crate::units::skim::{Head, Walk};
use crate::units::split::whole;
use crate::units::unit::Unit;

/// Where a unit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UnitPlace {
    pub(crate) part: DwarfPart,
    pub(crate) list: List,
    pub(crate) unit: u32,
    /// Its language has namespaces or their like.
    pub(crate) has_scopes: bool,
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

/// A variable that has one place for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Placed {
    pub(crate) address: u64,
    /// As in [`Named`].
    pub(crate) unit: u32,
    pub(crate) offset: u32,
}

/// What is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// Types and variables.
    Data,
    /// Functions with code.
    Functions,
}

/// What was found in some units.
#[derive(Default)]
pub(crate) struct ScannedNames {
    pub(crate) units: Vec<UnitPlace>,
    /// Definitions of structures and classes.
    pub(crate) records: Vec<Named>,
    pub(crate) unions: Vec<Named>,
    pub(crate) enumerations: Vec<Named>,
    /// The same of all three in a namespace without a name: each unit has its own.
    pub(crate) local_records: Vec<Named>,
    /// Other types.
    pub(crate) plain_types: Vec<Named>,
    /// Definitions.
    pub(crate) variables: Vec<Named>,
    /// Definitions and declarations that state a value and have no place.
    pub(crate) constants: Vec<Named>,
    pub(crate) functions: Vec<Named>,
    pub(crate) places: Vec<Placed>,
    /// Some unit has its entries in another file.
    pub(crate) has_splits: bool,
}

/// Entries of one name and kind that are kept, where each says the same: units that include
/// a header have their own each.
const KEPT_PER_NAME: usize = 64;

impl ScannedNames {
    /// Adds what the `count` units of `list` from number `first` on name. `hashes` are of names
    /// in the main file and its supplement.
    pub(crate) fn list(
        &mut self,
        root: &DwarfFile<'_>,
        subject: Subject,
        (list, first, count): (List, u32, u32),
        hashes: &mut Hashes,
    ) {
        let mut table = None;
        for index in first..first.saturating_add(count) {
            let Some(unit) = root.passing_unit(list, index, &mut table) else { continue };
            if unit.dwo_name.is_some() {
                self.split(root, subject, index);
            } else {
                self.unit(root, root, subject, &unit, hashes);
            }
        }
    }

    /// Adds what the split half of unit number `index` names.
    fn split(&mut self, root: &DwarfFile<'_>, subject: Subject, index: u32) {
        self.has_splits = true;
        let skeleton = usize::try_from(index).ok().and_then(|index| root.unit(List::Info, index));
        let Some(skeleton) = skeleton else { return };
        let (file, _) = whole(root, skeleton);
        if file.part != DwarfPart::Main {
            self.file(root, subject, file);
        }
    }

    /// Adds what the type unit in `row` of the package names.
    pub(crate) fn package_type(&mut self, root: &DwarfFile<'_>, subject: Subject, row: u32) {
        if let Some(file) = root.part(DwarfPart::PackageType(row)) {
            self.file(root, subject, file);
        }
    }

    fn file<'d>(&mut self, root: &DwarfFile<'d>, subject: Subject, file: &DwarfFile<'d>) {
        let mut table = None;
        let mut hashes = Hashes::new(1 << 8);
        for list in [List::Info, List::Types] {
            for index in 0..file.unit_count(list) {
                let Ok(index) = u32::try_from(index) else { break };
                if let Some(unit) = file.passing_unit(list, index, &mut table) {
                    self.unit(root, file, subject, &unit, &mut hashes);
                }
            }
        }
    }

    fn unit<'d>(
        &mut self,
        root: &DwarfFile<'d>,
        file: &DwarfFile<'d>,
        subject: Subject,
        unit: &Unit<'d>,
        hashes: &mut Hashes,
    ) {
        let Ok(number) = u32::try_from(self.units.len()) else { return };
        self.units.push(UnitPlace {
            part: file.part,
            list: unit.list,
            unit: unit.index,
            has_scopes: unit.language.has_scopes(),
        });
        let entry = Entry::new(root, file, unit, UnitOffset(0));
        let mut scan = UnitScan {
            entry,
            subject,
            number,
            has_scopes: unit.language.has_scopes(),
            // Attributes may cost no byte each, so a short unit could name very many.
            work: unit.inner.header.length_including_self().saturating_mul(8),
            scopes: Vec::new(),
            open: Vec::new(),
            waiting: Vec::new(),
            hashes,
            found: self,
        };
        if let Err(error) = scan.run() {
            file.context().report("the names of a unit", error);
        }
        scan.resolve();
    }

    /// Sorts what was found, and drops what more of the same would not add to.
    pub(crate) fn settle(&mut self) {
        for (names, says_the_same) in [
            (&mut self.records, true),
            (&mut self.unions, true),
            (&mut self.enumerations, true),
            (&mut self.local_records, false),
            (&mut self.plain_types, true),
            (&mut self.variables, false),
            (&mut self.constants, true),
            (&mut self.functions, false),
        ] {
            names.sort_unstable();
            if says_the_same {
                keep_some(names, &self.units);
            }
        }
        self.places.sort_unstable();
    }
}

/// Keeps the first entries of each name among the sorted `names`; those of languages with and
/// without scopes are counted apart, since one never stands for the other.
fn keep_some(names: &mut Vec<Named>, units: &[UnitPlace]) {
    let mut last = None;
    let mut counts = [0_usize; 2];
    names.retain(|it| {
        let this = Some((it.name, it.qualified));
        if last != this {
            (last, counts) = (this, [0; 2]);
        }
        let unit = usize::try_from(it.unit).ok().and_then(|unit| units.get(unit));
        let [with, without] = &mut counts;
        let count = if unit.is_some_and(|unit| unit.has_scopes) { with } else { without };
        *count = count.saturating_add(1);
        *count <= KEPT_PER_NAME
    });
}

/// Hashes of texts by where they are: the units of a program name the same types.
pub(crate) struct Hashes(Vec<Option<(u64, NameHash)>>);

impl Hashes {
    /// Room for so many at a time.
    pub(crate) fn new(room: usize) -> Self {
        Self(vec![None; room])
    }

    /// The hash of what `value` refers to, as it was computed by `read` now or before.
    fn get(
        &mut self,
        value: Value<'_>,
        unit: &Unit<'_>,
        read: impl FnOnce() -> Option<NameHash>,
    ) -> Option<NameHash> {
        let (section, at) = match value {
            gimli::AttributeValue::DebugStrRef(at) => (0, at.0),
            gimli::AttributeValue::DebugStrRefSup(at) => (1, at.0),
            gimli::AttributeValue::DebugLineStrRef(at) => (2, at.0),
            _ => return read(),
        };
        let Ok(at) = u64::try_from(at) else { return read() };
        // A text in the supplement is in another section for units that are there themselves.
        let place = (at << 4)
            | (section << 2)
            | (u64::from(unit.list == List::Supplement) << 1)
            | u64::from(is_spelled_freely(unit.language));
        let mixed = place.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let slot =
            mixed.checked_rem(self.0.len() as u64).and_then(|slot| usize::try_from(slot).ok());
        let slot = slot.and_then(|slot| self.0.get_mut(slot));
        let Some(slot) = slot else { return read() };
        if let Some((known, hash)) = slot
            && *known == place
        {
            return Some(*hash);
        }
        let hash = read()?;
        *slot = Some((place, hash));
        Some(hash)
    }
}

/// A namespace or a record.
struct Scope {
    start: usize,
    end: usize,
    parent: Option<usize>,
    hash: NameHash,
    /// It is in a namespace without a name, or is one.
    is_local: bool,
}

/// What a name is of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Record,
    Union,
    Enumeration,
    PlainType,
    Variable,
    Constant,
    Function,
}

/// What the entries of an abbreviation are to a scan.
#[derive(Clone, Copy, Debug)]
struct Role {
    tag: gimli::DwTag,
    /// It may have a name that is asked for.
    counts: bool,
    /// Nothing below it has one, or what is does not count.
    is_closed: bool,
}

struct UnitScan<'s, 'x, 'd> {
    entry: Entry<'x, 'd>,
    subject: Subject,
    number: u32,
    has_scopes: bool,
    work: usize,
    /// In the order of their starts.
    scopes: Vec<Scope>,
    /// Depth and number of those around the current entry.
    open: Vec<(isize, usize)>,
    /// Entries that are named by another one.
    waiting: Vec<(Kind, UnitOffset, Value<'d>)>,
    hashes: &'s mut Hashes,
    found: &'s mut ScannedNames,
}

/// The attributes that count here.
#[derive(Default)]
struct Seen<'d> {
    name: Option<Value<'d>>,
    origin: Option<Value<'d>>,
    location: Option<Value<'d>>,
    sibling: Option<usize>,
    has_constant: bool,
    has_code: bool,
    is_declaration: bool,
    is_external: bool,
}

/// The scopes around an entry.
#[derive(Clone, Copy)]
struct Around {
    hash: NameHash,
    is_local: bool,
}

impl Around {
    const NOTHING: Self = Self { hash: NameHash::EMPTY, is_local: false };
}

impl<'d> UnitScan<'_, '_, 'd> {
    fn run(&mut self) -> gimli::Result<()> {
        let mut walk = Walk::new(&self.entry.unit.inner)?;
        let subject = self.subject;
        let mut ignored_below = isize::MAX;
        let note = |tag, attributes: &[_]| Role {
            tag,
            counts: counts(subject, tag, attributes),
            is_closed: !is_scope(tag) && !is_unit(tag),
        };
        while let Some(head) = walk.next(note)? {
            let Some(left) = self.work.checked_sub(head.attributes.max(1)) else { break };
            self.work = left;
            if head.depth > ignored_below {
                walk.pass()?;
                continue;
            }
            ignored_below = isize::MAX;
            self.close(head.depth, head.offset);
            let Role { tag, counts, is_closed } = head.note;
            let sibling = if counts {
                let mut seen = Seen::default();
                walk.read(head.offset, |it| seen.note(it.name(), it.raw_value()))?;
                let name = self.name(&seen);
                self.take(tag, head.offset, &seen, name);
                if is_scope(tag) && head.has_children {
                    self.open(head, name);
                }
                seen.sibling
            } else {
                walk.pass()?.sibling
            };
            let may_jump = is_closed && head.has_children;
            if may_jump && !sibling.is_some_and(|to| walk.jump(to, head.depth)) {
                ignored_below = head.depth;
            }
        }
        Ok(())
    }

    /// Begins the scope that this entry is.
    fn open(&mut self, head: Head<Role>, name: Option<NameHash>) {
        let around = self.inside(head.note.tag, name);
        let parent = self.open.last().map(|open| open.1);
        self.open.push((head.depth, self.scopes.len()));
        self.scopes.push(Scope {
            start: head.offset.0,
            end: usize::MAX,
            parent,
            hash: around.hash,
            is_local: around.is_local,
        });
    }

    /// Ends the scopes that an entry at this depth is not in.
    fn close(&mut self, depth: isize, offset: UnitOffset) {
        while let Some((_, closed)) = self.open.pop_if(|scope| scope.0 >= depth) {
            if let Some(closed) = self.scopes.get_mut(closed) {
                closed.end = offset.0;
            }
        }
    }

    fn name(&mut self, seen: &Seen<'d>) -> Option<NameHash> {
        let (mut value, entry) = (seen.name?, self.entry);
        if let gimli::AttributeValue::DebugStrOffsetsIndex(index) = value {
            let dwarf = entry.file.dwarf_of(entry.unit);
            let at = dwarf.string_offset(&entry.unit.inner, index).ok()?;
            value = gimli::AttributeValue::DebugStrRef(at);
        }
        self.hashes.get(value, entry.unit, || hash_of(entry, entry.string(value)?))
    }

    /// The scopes that the one that begins is the innermost of.
    fn inside(&self, tag: gimli::DwTag, name: Option<NameHash>) -> Around {
        if !self.has_scopes {
            return Around::NOTHING;
        }
        let Around { hash, is_local } = self.around();
        match name {
            Some(name) => Around { hash: hash.inside(name), is_local },
            None if tag == dw::DW_TAG_namespace => {
                Around { hash: hash.inside(NameHash::of(ANONYMOUS)), is_local: true }
            }
            None => Around::NOTHING,
        }
    }

    /// The scopes around the entry being read.
    fn around(&self) -> Around {
        let around = self.open.last().and_then(|open| self.scopes.get(open.1));
        around.map_or(Around::NOTHING, Scope::around)
    }

    fn take(
        &mut self,
        tag: gimli::DwTag,
        offset: UnitOffset,
        seen: &Seen<'d>,
        name: Option<NameHash>,
    ) {
        if (self.subject == Subject::Functions) != (tag == dw::DW_TAG_subprogram) {
            return;
        }
        let is_stated = seen.has_constant && seen.location.is_none();
        let kind = match tag {
            dw::DW_TAG_subprogram if seen.has_code => Kind::Function,
            dw::DW_TAG_subprogram | dw::DW_TAG_namespace | dw::DW_TAG_module => return,
            dw::DW_TAG_variable if seen.is_declaration && !seen.has_constant => return,
            dw::DW_TAG_variable if is_stated => Kind::Constant,
            dw::DW_TAG_variable => Kind::Variable,
            dw::DW_TAG_member if seen.has_constant && (seen.is_declaration || seen.is_external) => {
                Kind::Constant
            }
            dw::DW_TAG_member => return,
            _ if seen.is_declaration => return,
            dw::DW_TAG_union_type => Kind::Union,
            dw::DW_TAG_enumeration_type => Kind::Enumeration,
            _ if is_class(tag) => Kind::Record,
            _ => Kind::PlainType,
        };
        if kind == Kind::Variable
            && let Some(address) = seen.location.and_then(|location| self.fixed_place(location))
            && let Ok(offset) = u32::try_from(offset.0)
        {
            self.found.places.push(Placed { address, unit: self.number, offset });
        }
        if let Some(origin) = seen.origin {
            self.waiting.push((kind, offset, origin));
        } else if let Some(name) = name {
            self.put(kind, offset, name, self.around());
        }
    }

    fn put(&mut self, kind: Kind, offset: UnitOffset, name: NameHash, around: Around) {
        let Ok(offset) = u32::try_from(offset.0) else { return };
        let around = if self.has_scopes { around } else { Around::NOTHING };
        let named = Named {
            name: name.short(),
            qualified: around.hash.inside(name).short(),
            unit: self.number,
            offset,
        };
        let list = match kind {
            Kind::Record | Kind::Union | Kind::Enumeration if around.is_local => {
                &mut self.found.local_records
            }
            Kind::Record => &mut self.found.records,
            Kind::Union => &mut self.found.unions,
            Kind::Enumeration => &mut self.found.enumerations,
            Kind::PlainType => &mut self.found.plain_types,
            Kind::Variable => &mut self.found.variables,
            Kind::Constant => &mut self.found.constants,
            Kind::Function => &mut self.found.functions,
        };
        list.push(named);
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
                if let Some(name) = name.and_then(|name| hash_of(here, name)) {
                    self.put(kind, offset, name, self.around_entry(here));
                }
                break;
            }
        }
    }

    /// The scopes around an entry that was passed or is elsewhere.
    fn around_entry(&self, of: Entry<'_, 'd>) -> Around {
        if !self.has_scopes {
            return Around::NOTHING;
        }
        if !std::ptr::eq(of.unit, self.entry.unit) {
            let scopes = with_scopes(of, String::new());
            let scopes = scopes.strip_suffix("::").unwrap_or(&scopes).as_bytes();
            return Around {
                hash: NameHash::of(&comparable(scopes, of.unit.language)),
                is_local: scopes.windows(ANONYMOUS.len()).any(|part| part == ANONYMOUS),
            };
        }
        let after = self.scopes.partition_point(|scope| scope.start < of.offset.0);
        let mut here = after.checked_sub(1);
        // A parent always comes before its children, so this ends.
        while let Some(scope) = here.and_then(|number| self.scopes.get(number)) {
            if of.offset.0 < scope.end {
                return scope.around();
            }
            here = scope.parent;
        }
        Around::NOTHING
    }
}

impl Scope {
    fn around(&self) -> Around {
        Around { hash: self.hash, is_local: self.is_local }
    }
}

const ANONYMOUS: &[u8] = b"(anonymous namespace)";

/// The hash of a name that is not empty, if it can be paid for: many entries may share a
/// long one.
fn hash_of(entry: Entry<'_, '_>, name: Slice<'_>) -> Option<NameHash> {
    let long = (name.len() as u64) >> 12;
    let may = !gimli::Reader::is_empty(&name) && (long == 0 || entry.file.context().spend(long));
    may.then(|| NameHash::of(&comparable(name.slice(), entry.unit.language)))
}

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
                    self.sibling = Some(to.0);
                }
            }
            _ => {}
        }
    }
}
