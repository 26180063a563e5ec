//! What a function is called, as gdb shows it: demangled, with the scopes around it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use gimli::{UnitOffset, constants as dw};

use super::bounds::Bounds;
use super::demangle::{Language, demangle};
use super::entry::Entry;
use super::reader::{Meter, Slice, Value};
use super::units::{Die, DwarfFile, Unit};

/// The names of one function.
#[derive(Clone, Debug, Default)]
pub(super) struct Name {
    /// For people.
    pub(super) shown: Option<Arc<str>>,
    /// For linkers: `DW_AT_linkage_name`.
    pub(super) linkage: Option<Arc<str>>,
    /// The language of the unit that defines it.
    pub(super) language: Option<Language>,
}

/// The parts of an entry that say what it is called.
#[derive(Default)]
struct Naming<'d> {
    tag: Option<gimli::DwTag>,
    name: Option<Slice<'d>>,
    linkage: Option<Slice<'d>>,
    /// `DW_AT_specification` or `DW_AT_abstract_origin`.
    origin: Option<Value<'d>>,
    signature: Option<Value<'d>>,
    is_declaration: bool,
}

impl<'d> Naming<'d> {
    fn read(file: &DwarfFile<'d>, die: Die<'_, 'd>) -> Self {
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

/// The names of the function at `die`, a definition, an inlined call or a declaration.
pub(super) fn name_of<'d>(file: &DwarfFile<'d>, die: Die<'_, 'd>) -> Name {
    let limits = &file.context().limits;
    let language = die.unit.language;
    let (mut plain, mut linkage) = (None, None);
    // Where the chain of origins ends, the function was declared: its scopes count.
    let mut declared = die;
    for _ in 0..limits.reference_depth {
        let naming = Naming::read(file, declared);
        plain = plain.or(naming.name);
        linkage = linkage.or(naming.linkage);
        match naming.origin.and_then(|origin| file.resolve(declared.unit, origin)) {
            Some(origin) => declared = origin,
            None => break,
        }
    }
    let text = |name: Slice<'d>| {
        let bytes = name.slice();
        String::from_utf8_lossy(bytes.get(..limits.name_bytes).unwrap_or(bytes)).into_owned()
    };
    let plain = plain.map(text).filter(|name| !name.is_empty());
    let linkage = linkage.map(text).filter(|name| !name.is_empty());
    let demangled = || demangle(linkage.as_deref()?, language, limits);
    let qualified = || {
        let plain = plain.clone()?;
        if !language.has_scopes() {
            return Some(plain);
        }
        let entry = Entry { root: file, file, unit: declared.unit, offset: declared.offset };
        Some(with_scopes(entry, plain))
    };
    let shown = match language {
        Language::Cpp => demangled().or_else(qualified),
        _ => qualified().or_else(demangled),
    };
    let shown = shown.or_else(|| linkage.clone());
    // A call inlined from another unit (LTO) is in the language of its origin.
    let language = match declared.unit.language {
        Language::Unknown => language,
        of_origin => of_origin,
    };
    let language = Some(language).filter(|language| *language != Language::Unknown);
    Name { shown: shown.map(Arc::from), linkage: linkage.map(Arc::from), language }
}

/// The name a declaration is found by in a symbol table; `None` for a definition.
pub(super) fn declared_name<'d>(file: &DwarfFile<'d>, die: Die<'_, 'd>) -> Option<Slice<'d>> {
    let naming = Naming::read(file, die);
    if !naming.is_declaration { None } else { naming.linkage.or(naming.name) }
}

/// The function that the call site at `die` says it calls.
pub(super) fn call_origin<'x, 'd>(
    file: &'x DwarfFile<'d>,
    die: Die<'x, 'd>,
) -> Option<Die<'x, 'd>> {
    let value = attribute(file, die, |name| {
        matches!(name, dw::DW_AT_call_origin | dw::DW_AT_abstract_origin)
    })?;
    file.resolve(die.unit, value)
}

/// Where the function defined at `die` is entered.
pub(super) fn entry_pc<'d>(file: &DwarfFile<'d>, die: Die<'_, 'd>) -> Option<u64> {
    let mut bounds = Bounds::default();
    let entries = die.unit.inner.entry(die.offset);
    let entry = entries.map_err(|error| file.context().report("a called function", error)).ok()?;
    for attribute in entry.attrs() {
        bounds.note(attribute.name(), attribute.value());
    }
    bounds.ranges(file, die.unit).first().map(|range| range.0)
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

/// `name` behind the namespaces and types around `entry`, by gdb's rule: a type without a
/// name hides the scopes further out, and so does a function.
pub(super) fn with_scopes(entry: Entry<'_, '_>, name: String) -> String {
    let limits = &entry.file.context().limits;
    let mut scopes: Vec<String> = Vec::new();
    let mut length = name.len();
    let mut inside = Some((entry, ancestors(entry.file, entry.die())));
    let mut jumps = 0_usize;
    while let Some((entry, mut around)) = inside.take() {
        while let Some((tag, offset)) = around.pop() {
            let is_type = matches!(
                tag,
                dw::DW_TAG_class_type
                    | dw::DW_TAG_structure_type
                    | dw::DW_TAG_union_type
                    | dw::DW_TAG_interface_type
                    | dw::DW_TAG_enumeration_type
            );
            if tag == dw::DW_TAG_subprogram {
                break;
            }
            if !is_type && !matches!(tag, dw::DW_TAG_namespace | dw::DW_TAG_module) {
                continue;
            }
            let scope = entry.sibling(offset);
            let naming = Naming::read(scope.file, scope.die());
            // What stands elsewhere, in a type unit or before, has its scopes there.
            // A declaration may have the name only, at the top of a unit, and leave the
            // scopes to the type unit.
            let elsewhere = naming.origin.or(naming.signature);
            let mut elsewhere = elsewhere.and_then(|value| scope.follow(value));
            let mut found = naming.name;
            // The definition in a type unit may refer to a declaration in its turn.
            while let Some(there) = elsewhere {
                let naming = Naming::read(there.file, there.die());
                found = found.or(naming.name);
                let further = naming.origin.and_then(|origin| there.follow(origin));
                if further.is_none() || jumps >= limits.reference_depth {
                    break;
                }
                jumps = jumps.saturating_add(1);
                elsewhere = further;
            }
            let scope = match found {
                Some(found) => found.to_string_lossy().into_owned(),
                None if is_type => break,
                None => "(anonymous namespace)".to_owned(),
            };
            length = length.saturating_add(scope.len()).saturating_add(2);
            if length > limits.name_bytes {
                break;
            }
            scopes.push(scope);
            if let Some(there) = elsewhere
                && jumps < limits.reference_depth
            {
                jumps = jumps.saturating_add(1);
                inside = Some((there, ancestors(there.file, there.die())));
                break;
            }
        }
    }
    let mut text = String::with_capacity(length);
    for scope in scopes.iter().rev() {
        text.push_str(scope);
        text.push_str("::");
    }
    text.push_str(&name);
    text
}

/// All entries with children of a unit that can be scopes of others, for units whose
/// entries cannot be jumped over.
#[derive(Default)]
pub(super) struct ScopeIndex {
    scopes: Vec<Scope>,
}

struct Scope {
    tag: gimli::DwTag,
    start: UnitOffset,
    end: usize,
    parent: Option<usize>,
}

/// Entries looked at one by one before a unit's scopes are indexed.
const WALK: usize = 2048;
/// Such walks in one unit before its scopes are indexed: what names many types gains.
const WALKS: u32 = 32;

/// The entries around `die`, the outermost first.
fn ancestors<'d>(file: &DwarfFile<'d>, die: Die<'_, 'd>) -> Vec<(gimli::DwTag, UnitOffset)> {
    let may_walk = die.unit.scopes_asked.fetch_add(1, Ordering::Relaxed) < WALKS;
    let walked = if may_walk && die.unit.scopes.get().is_none() {
        walk_to(file, die.unit, die.offset).unwrap_or_else(|error| {
            file.context().report("the entries of a unit", error);
            Some(Vec::new())
        })
    } else {
        None
    };
    walked.unwrap_or_else(|| {
        let index = die.unit.scopes.get_or_init(|| {
            let mut index = ScopeIndex::default();
            if let Err(error) = index.read(file, die.unit) {
                file.context().report("the entries of a unit", error);
            }
            index
        });
        index.around(die.offset)
    })
}

/// Walks from the root to `target`, jumping over what does not contain it; `None` when
/// that takes too long.
fn walk_to<'d>(
    file: &DwarfFile<'d>,
    unit: &Unit<'d>,
    target: UnitOffset,
) -> gimli::Result<Option<Vec<(gimli::DwTag, UnitOffset)>>> {
    let mut entries = unit.inner.entries_raw(None)?;
    // Each jump starts a new reader, which counts depths from 0.
    let mut base = 0_isize;
    let mut around: Vec<(isize, gimli::DwTag, UnitOffset)> = Vec::new();
    let mut meter = Meter::new(file.context(), WALK);
    while meter.step() {
        let offset = entries.next_offset();
        let depth = base.saturating_add(entries.next_depth());
        if entries.is_empty() || offset.0 >= target.0 {
            around.retain(|scope| scope.0 < depth);
            return Ok(Some(around.into_iter().map(|(_, tag, at)| (tag, at)).collect()));
        }
        let Some(abbreviation) = entries.read_abbreviation()? else { continue };
        while around.pop_if(|scope| scope.0 >= depth).is_some() {}
        if !abbreviation.has_children() {
            entries.skip_attributes(abbreviation.attributes())?;
            continue;
        }
        let mut sibling = None;
        for specification in abbreviation.attributes() {
            let attribute = entries.read_attribute(*specification)?;
            if let (dw::DW_AT_sibling, gimli::AttributeValue::UnitRef(to)) =
                (attribute.name(), attribute.raw_value())
            {
                sibling = Some(to);
            }
        }
        match sibling {
            Some(to) if to.0 <= target.0 && to.0 >= entries.next_offset().0 => {
                entries = unit.inner.entries_raw(Some(to))?;
                base = depth;
            }
            _ => around.push((depth, abbreviation.tag(), offset)),
        }
    }
    Ok(None)
}

impl ScopeIndex {
    fn read<'d>(&mut self, file: &DwarfFile<'d>, unit: &Unit<'d>) -> gimli::Result<()> {
        let mut entries = unit.inner.entries_raw(None)?;
        let mut open: Vec<(isize, usize)> = Vec::new();
        let mut meter = Meter::new(file.context(), file.context().limits.entries_per_lookup);
        while !entries.is_empty() && meter.step() {
            let (offset, depth) = (entries.next_offset(), entries.next_depth());
            let Some(abbreviation) = entries.read_abbreviation()? else { continue };
            while let Some((_, closed)) = open.pop_if(|scope| scope.0 >= depth) {
                if let Some(closed) = self.scopes.get_mut(closed) {
                    closed.end = offset.0;
                }
            }
            if abbreviation.has_children() {
                let parent = open.last().map(|scope| scope.1);
                open.push((depth, self.scopes.len()));
                let tag = abbreviation.tag();
                self.scopes.push(Scope { tag, start: offset, end: usize::MAX, parent });
            }
            entries.skip_attributes(abbreviation.attributes())?;
        }
        Ok(())
    }

    fn around(&self, target: UnitOffset) -> Vec<(gimli::DwTag, UnitOffset)> {
        let after = self.scopes.partition_point(|scope| scope.start.0 < target.0);
        let mut here = after.checked_sub(1);
        let mut found = Vec::new();
        // A parent always stands before its children, so this ends.
        while let Some(scope) = here.and_then(|number| self.scopes.get(number)) {
            if target.0 < scope.end {
                found.push((scope.tag, scope.start));
            }
            here = scope.parent;
        }
        found.reverse();
        found
    }
}
