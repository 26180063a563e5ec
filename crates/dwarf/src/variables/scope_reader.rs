//! From the entries of a function to its variables.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use gimli::{UnitOffset, constants as dw};

use crate::model::keys::DieKey;
use crate::model::location::{Location, VariableId};
use crate::model::scope::{Scope, Scopes, Variable};
use crate::names::function_name;
use crate::sections::context::Meter;
use crate::sections::sources::{Slice, Value};
use crate::types::table::TypeTable;
use crate::units::entry::Entry;
use crate::units::file::DwarfFile;
use crate::units::functions::Functions;
use crate::units::{location_attribute, split};
use crate::variables::location;
use obit_corefile::addr::Svma;

/// Variables of one block that are read.
const MOST_VARIABLES: usize = 1 << 14;

/// Blocks around one address whose variables are read, the innermost first; each is a walk
/// over all that is inside of it. Compilers stay below a hundred.
const MOST_BLOCKS: usize = 512;

/// Blocks without addresses that may nest, and abstract functions that may refer on.
const DEEPEST: usize = 64;

/// What is known of scopes, by address.
#[derive(Default)]
pub(crate) struct ScopeTable {
    known: Mutex<HashMap<u64, Arc<Scopes>>>,
}

impl ScopeTable {
    /// The variables in scope at `at`.
    pub(crate) fn get<'d>(&self, root: &DwarfFile<'d>, types: &TypeTable, at: u64) -> Arc<Scopes> {
        let lock = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = lock().get(&at) {
            return Arc::clone(found);
        }
        let found = Arc::new(read(root, types, at));
        lock().insert(at, Arc::clone(&found));
        found
    }
}

fn read<'d>(root: &DwarfFile<'d>, types: &TypeTable, at: u64) -> Scopes {
    for unit in root.units_at(at) {
        let (file, unit) = split::whole(root, unit);
        let Some(function) = Functions::at(file, unit, at) else { continue };
        let entry = |offset| Entry::new(root, file, unit, offset);
        let body = function.body(file, unit);
        let mut frames = Vec::new();
        let mut reader = VariableReader { types, found: Vec::new(), meter: meter(root) };
        for (nth, block) in body.blocks_at(at, root.context().limits.inline_depth).enumerate() {
            if nth < MOST_BLOCKS {
                reader.block(entry(block.offset));
            }
            let Some(inline) = block.inline else { continue };
            let name = inline
                .name
                .get_or_init(|| function_name::name_of(file, entry(inline.offset).die()));
            // As in the list of frames: code of a function without a name is its caller's.
            if name.shown.is_some() {
                frames.push(Arc::new(Scope { variables: std::mem::take(&mut reader.found) }));
            } else {
                frames.clear();
            }
        }
        let physical = entry(function.offset);
        reader.block(physical);
        frames.push(Arc::new(Scope { variables: reader.found }));
        let frame_base = Attributes::read(&physical).frame_base;
        return Scopes {
            frames,
            frame_base: frame_base.map(|value| location_attribute::location(&physical, value)),
            entry: Some(Svma(function.entry)),
        };
    }
    Scopes::default()
}

fn meter<'x>(root: &'x DwarfFile<'_>) -> Meter<'x> {
    Meter::new(root.context(), root.context().limits.entries_per_lookup)
}

/// The variable of one entry, wherever that is.
pub(crate) fn variable<'d>(
    root: &DwarfFile<'d>,
    types: &TypeTable,
    key: DieKey,
) -> Option<Variable> {
    VariableReader { types, found: Vec::new(), meter: meter(root) }.variable(Entry::at(root, key)?)
}

/// The attributes of a variable or a block.
#[derive(Default)]
struct Attributes<'d> {
    tag: Option<gimli::DwTag>,
    name: Option<Slice<'d>>,
    ty: Option<Value<'d>>,
    location: Option<Value<'d>>,
    constant: Option<Value<'d>>,
    frame_base: Option<Value<'d>>,
    origin: Option<Value<'d>>,
    line: Option<u32>,
    is_artificial: bool,
    is_declaration: bool,
    is_external: bool,
    has_addresses: bool,
}

impl<'d> Attributes<'d> {
    fn read(entry: &Entry<'_, 'd>) -> Self {
        let mut found = Self::default();
        let mut read = || {
            let mut entries = entry.unit.inner.entries_raw(Some(entry.offset))?;
            let Some(abbreviation) = entries.read_abbreviation()? else { return Ok(()) };
            found.tag = Some(abbreviation.tag());
            for specification in abbreviation.attributes() {
                let attribute = entries.read_attribute(*specification)?;
                let value = attribute.value();
                let is_set = || value == gimli::AttributeValue::Flag(true);
                match attribute.name() {
                    dw::DW_AT_name => found.name = entry.string(value),
                    dw::DW_AT_type => found.ty = Some(value),
                    dw::DW_AT_location => found.location = Some(value),
                    dw::DW_AT_const_value => found.constant = Some(attribute.raw_value()),
                    dw::DW_AT_frame_base => found.frame_base = Some(value),
                    dw::DW_AT_abstract_origin => found.origin = Some(value),
                    dw::DW_AT_specification => found.origin = found.origin.or(Some(value)),
                    dw::DW_AT_decl_line => {
                        found.line = value.udata_value().and_then(|line| u32::try_from(line).ok());
                    }
                    dw::DW_AT_artificial => found.is_artificial = is_set(),
                    dw::DW_AT_declaration => found.is_declaration = is_set(),
                    dw::DW_AT_external => found.is_external = is_set(),
                    dw::DW_AT_low_pc | dw::DW_AT_ranges => found.has_addresses = true,
                    _ => {}
                }
            }
            Ok(())
        };
        if let Err(error) = read() {
            entry.file.context().report("a variable", error);
        }
        found
    }
}

struct VariableReader<'t, 'x> {
    types: &'t TypeTable,
    found: Vec<Variable>,
    meter: Meter<'x>,
}

/// A child of a block, as far as it matters here.
#[derive(Clone, Copy)]
struct Child {
    tag: gimli::DwTag,
    offset: UnitOffset,
}

fn is_variable(tag: gimli::DwTag) -> bool {
    matches!(
        tag,
        dw::DW_TAG_variable | dw::DW_TAG_formal_parameter | dw::DW_TAG_constant | dw::DW_TAG_label
    )
}

fn is_block(tag: gimli::DwTag) -> bool {
    matches!(
        tag,
        dw::DW_TAG_lexical_block
            | dw::DW_TAG_try_block
            | dw::DW_TAG_catch_block
            | dw::DW_TAG_with_stmt
            // Fortran's, whose variables each have a place of their own.
            | dw::DW_TAG_common_block
            | dw::DW_TAG_GNU_formal_parameter_pack
    )
}

impl<'d> VariableReader<'_, '_> {
    /// The variables of the block or function at `entry`: its own, and those its abstract
    /// origin has besides, of which nothing is left (§ 3.3.8.2).
    fn block(&mut self, entry: Entry<'_, 'd>) {
        let mut waiting = vec![(entry, 0_usize)];
        let mut seen = HashSet::new();
        while let Some((entry, depth)) = waiting.pop() {
            if depth > DEEPEST || !seen.insert(entry.key()) {
                continue;
            }
            let deeper = depth.saturating_add(1);
            let children = self.children(&entry);
            for child in &children {
                let inner = entry.sibling(child.offset);
                if is_variable(child.tag) {
                    self.push(inner);
                } else if is_block(child.tag) && !Attributes::read(&inner).has_addresses {
                    // A block that claims no address is in scope wherever its parent is.
                    waiting.push((inner, deeper));
                }
            }
            let Some(origin) = origin_of(&entry) else { continue };
            let theirs = self.children(&origin);
            let taken = self.taken(&entry, &children, &origin, &theirs);
            for child in theirs {
                let inner = origin.sibling(child.offset);
                if taken.contains(&inner.key()) {
                    continue;
                }
                if is_variable(child.tag) {
                    self.push(inner);
                } else if is_block(child.tag) {
                    waiting.push((inner, deeper));
                }
            }
        }
    }

    /// Which of `theirs`, the children of the abstract `origin`, appear among ours.
    fn taken(
        &mut self,
        entry: &Entry<'_, 'd>,
        ours: &[Child],
        origin: &Entry<'_, 'd>,
        theirs: &[Child],
    ) -> HashSet<DieKey> {
        // clang's blocks do not name their origins: both trees have the same shape then.
        let same_shape = ours.len() == theirs.len()
            && ours.iter().zip(theirs).all(|(one, other)| one.tag == other.tag);
        let mut taken = HashSet::new();
        for (at, child) in ours.iter().enumerate() {
            let mut last = entry.sibling(child.offset);
            let mut named = false;
            for _ in 0..DEEPEST {
                let Some(next) = origin_of(&last) else { break };
                (last, named) = (next, true);
            }
            if named {
                taken.insert(last.key());
            } else if same_shape && is_block(child.tag) {
                let other = theirs.get(at).map(|other| origin.sibling(other.offset).key());
                taken.extend(other);
            }
        }
        taken
    }

    /// The variables and blocks directly inside `entry`.
    fn children(&mut self, entry: &Entry<'_, 'd>) -> Vec<Child> {
        let mut found = Vec::new();
        let mut read = || {
            let unit = &entry.unit.inner;
            let mut entries = unit.entries_raw(Some(entry.offset))?;
            let Some(abbreviation) = entries.read_abbreviation()? else { return Ok(()) };
            entries.skip_attributes(abbreviation.attributes())?;
            if !abbreviation.has_children() {
                return Ok(());
            }
            // Depths count from where the reader started: after a jump, from 0 again.
            let mut children = entries.next_depth();
            while !entries.is_empty() && self.meter.step() && found.len() < MOST_VARIABLES {
                let (offset, depth) = (entries.next_offset(), entries.next_depth());
                if depth < children {
                    break;
                }
                let Some(abbreviation) = entries.read_abbreviation()? else { continue };
                let tag = abbreviation.tag();
                if depth == children && (is_variable(tag) || is_block(tag)) {
                    found.push(Child { tag, offset });
                }
                if !abbreviation.has_children() || depth > children {
                    entries.skip_attributes(abbreviation.attributes())?;
                    continue;
                }
                let mut sibling = None;
                for specification in abbreviation.attributes() {
                    let attribute = entries.read_attribute_inline(*specification)?;
                    if let (dw::DW_AT_sibling, gimli::AttributeValue::UnitRef(to)) =
                        (attribute.name(), attribute.raw_value())
                    {
                        sibling = Some(to);
                    }
                }
                if let Some(to) = sibling.filter(|to| to.0 >= entries.next_offset().0) {
                    entries = unit.entries_raw(Some(to))?;
                    children = 0;
                }
            }
            Ok(())
        };
        if let Err(error) = read() {
            entry.file.context().report("the entries of a block", error);
        }
        found
    }

    fn push(&mut self, entry: Entry<'_, 'd>) {
        if self.found.len() >= MOST_VARIABLES {
            return;
        }
        // The compiler's own have no name, so no one can ask for them.
        let found = self.variable(entry).filter(|variable| variable.name.is_some());
        self.found.extend(found);
    }

    /// `None` for what only declares a variable of elsewhere.
    fn variable(&self, entry: Entry<'_, 'd>) -> Option<Variable> {
        let own = Attributes::read(&entry);
        let limits = &entry.root.context().limits;
        let is_argument = own.tag == Some(dw::DW_TAG_formal_parameter);
        let mut found = Variable {
            id: VariableId(entry.key()),
            name: None,
            ty: None,
            location: Location::OptimizedOut,
            is_argument,
            is_artificial: false,
            line: None,
        };
        // What an entry does not say its origin says.
        let (mut here, mut attributes) = (entry, own);
        let mut place = None;
        let (mut is_declaration, mut is_external) = (false, false);
        let (mut is_label, mut has_address) = (false, false);
        for _ in 0..limits.reference_depth {
            let name = attributes.name.map(|name| {
                let bytes = name.slice();
                let bytes = bytes.get(..limits.name_bytes).unwrap_or(bytes);
                Arc::from(String::from_utf8_lossy(bytes).as_ref())
            });
            found.name = found.name.or(name);
            if found.ty.is_none() {
                let ty = attributes.ty.and_then(|value| here.follow(value));
                found.ty = ty.map(|ty| self.types.intern(ty));
            }
            place = place
                .or_else(|| Some(location_attribute::location(&here, attributes.location?)))
                .or_else(|| location::of_constant(&here, attributes.constant?));
            found.line = found.line.or(attributes.line);
            found.is_artificial |= attributes.is_artificial;
            // A definition refers to its declaration, not the other way round.
            if here.key() == entry.key() {
                (is_declaration, is_external) = (attributes.is_declaration, attributes.is_external);
            }
            is_label |= attributes.tag == Some(dw::DW_TAG_label);
            has_address |= attributes.has_addresses;
            let Some(origin) = attributes.origin.and_then(|value| here.follow(value)) else {
                break;
            };
            attributes = Attributes::read(&origin);
            here = origin;
        }
        // gdb counts a label without an address as a variable that was optimized away.
        if is_label && has_address {
            return None;
        }
        if place.is_none() && is_declaration && (is_external || !is_argument) {
            return None;
        }
        found.location = place.unwrap_or(Location::OptimizedOut);
        Some(found)
    }
}

fn origin_of<'x, 'd>(entry: &Entry<'x, 'd>) -> Option<Entry<'x, 'd>> {
    let mut found = None;
    let mut read = || {
        let mut entries = entry.unit.inner.entries_raw(Some(entry.offset))?;
        let Some(abbreviation) = entries.read_abbreviation()? else { return Ok(()) };
        for specification in abbreviation.attributes() {
            let attribute = entries.read_attribute_inline(*specification)?;
            if attribute.name() == dw::DW_AT_abstract_origin {
                found = entry.follow(attribute.value());
            }
        }
        Ok(())
    };
    if let Err(error) = read() {
        entry.file.context().report("the origin of an entry", error);
    }
    found
}
