//! From names to entries, and from addresses to variables, over all units of an image.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use gimli::constants as dw;

use crate::code::callee::entry_pc;
use crate::index::name_scan::{NameHash, Named, ScannedNames, UnitPlace, comparable};
use crate::model::code::NamedFunction;
use crate::model::keys::{DieKey, List};
use crate::model::language::Language;
use crate::model::location::{Bound, Location};
use crate::model::scope::Variable;
use crate::model::types::{DimensionEnd, TypeId, TypeKind};
use crate::names::function_name::name_of;
use crate::names::scopes::with_scopes;
use crate::types::described::{Described, entry_of};
use crate::types::table::TypeTable;
use crate::units::entry::Entry;
use crate::units::file::DwarfFile;
use crate::variables::scope_reader;
use obit_corefile::addr::Svma;

/// Entries of one name that are given: each unit that includes a header has its own.
const MAX_FOUND: usize = 64;

/// Entries of one name that are looked at.
const MAX_TRIED: usize = 4096;

/// Units that are read in one go.
const PORTION: u32 = 16;

/// Threads that read.
const MAX_THREADS: usize = 8;

/// The names of an image.
pub(crate) struct NameIndex {
    units: Vec<UnitPlace>,
    types: Vec<Named>,
    variables: Vec<Named>,
    functions: Vec<Named>,
    /// Address, unit and offset of variables, by address.
    places: Vec<(u64, u32, u32)>,
    definitions: Mutex<HashMap<TypeId, Option<TypeId>>>,
}

/// Units that are read together.
#[derive(Clone, Copy)]
enum Portion {
    Units { list: List, first: u32, count: u32 },
    PackageTypes { first: u32, count: u32 },
}

impl NameIndex {
    /// Reads the names of the image whose main file is `root`.
    pub(crate) fn build(root: &DwarfFile<'_>) -> Self {
        let portions = portions(root);
        let next = AtomicUsize::new(0);
        let work = || {
            let mut done = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(portion) = portions.get(number) else { return done };
                let mut found = ScannedNames::default();
                match *portion {
                    Portion::Units { list, first, count } => found.list(root, list, first, count),
                    Portion::PackageTypes { first, count } => {
                        for row in first..first.saturating_add(count) {
                            found.package_type(root, row);
                        }
                    }
                }
                done.push((number, found));
            }
        };
        let wanted = thread::available_parallelism().map_or(1, usize::from);
        let others = wanted.min(MAX_THREADS).min(portions.len()).saturating_sub(1);
        let mut done = thread::scope(|scope| {
            // A thread that cannot be had is done without.
            let threads: Vec<_> = (0..others)
                .map_while(|_| thread::Builder::new().spawn_scoped(scope, work).ok())
                .collect();
            let mut done = work();
            done.extend(threads.into_iter().filter_map(|thread| thread.join().ok()).flatten());
            done
        });
        done.sort_unstable_by_key(|portion| portion.0);
        let mut index = Self {
            units: Vec::new(),
            types: Vec::new(),
            variables: Vec::new(),
            functions: Vec::new(),
            places: Vec::new(),
            definitions: Mutex::default(),
        };
        for (_, found) in done {
            index.add(found);
        }
        for names in [&mut index.types, &mut index.variables, &mut index.functions] {
            names.shrink_to_fit();
            names.sort_unstable();
        }
        index.places.sort_unstable();
        index
    }

    fn add(&mut self, found: ScannedNames) {
        let Ok(before) = u32::try_from(self.units.len()) else { return };
        let moved = |named: Named| Some(Named { unit: named.unit.checked_add(before)?, ..named });
        self.units.extend(found.units);
        self.types.extend(found.types.into_iter().filter_map(moved));
        self.variables.extend(found.variables.into_iter().filter_map(moved));
        self.functions.extend(found.functions.into_iter().filter_map(moved));
        let moved =
            |(at, unit, offset): (u64, u32, u32)| Some((at, unit.checked_add(before)?, offset));
        self.places.extend(found.places.into_iter().filter_map(moved));
    }

    /// The definitions of types called `name`, with or without the scopes around.
    pub(crate) fn types(&self, root: &DwarfFile<'_>, table: &TypeTable, name: &str) -> Vec<TypeId> {
        let wanted = NameQuery::new(name);
        let of = |entry: Entry<'_, '_>| {
            let it = Described::read(entry)?;
            let fits = wanted.is_kind(it.tag()) && wanted.is(&qualified(&it)?);
            fits.then(|| table.intern(entry))
        };
        self.search(root, &self.types, &wanted, of)
    }

    /// The global and static variables called `name`; those that have a place come first.
    pub(crate) fn variables(
        &self,
        root: &DwarfFile<'_>,
        table: &TypeTable,
        name: &str,
    ) -> Vec<Variable> {
        let wanted = NameQuery::new(name);
        let of = |entry: Entry<'_, '_>| {
            wanted.is(&qualified(&Described::read(entry)?)?).then_some(())?;
            scope_reader::variable(root, table, entry.key())
        };
        let mut found = self.search(root, &self.variables, &wanted, of);
        found.sort_by_key(|variable| variable.location == Location::OptimizedOut);
        found
    }

    /// The functions called `name` that have code.
    pub(crate) fn functions(&self, root: &DwarfFile<'_>, name: &str) -> Vec<NamedFunction> {
        let wanted = NameQuery::new(name);
        let of = |entry: Entry<'_, '_>| {
            let name = name_of(entry.file, entry.die()).shown?;
            wanted.is(&plain(name.as_bytes(), entry.unit.language)).then_some(())?;
            Some(NamedFunction { name, entry: Svma(entry_pc(entry.file, entry.die())?) })
        };
        self.search(root, &self.functions, &wanted, of)
    }

    /// The variable that holds the byte at `at`, and where it starts.
    pub(crate) fn variable_at(
        &self,
        root: &DwarfFile<'_>,
        table: &TypeTable,
        at: u64,
    ) -> Option<(Variable, Svma)> {
        let after = self.places.partition_point(|place| place.0 <= at);
        let last = self.places.get(after.checked_sub(1)?)?.0;
        let first = self.places.partition_point(|place| place.0 < last);
        let inside = at.saturating_sub(last);
        let same = self.places.get(first..after)?.iter().take(MAX_FOUND);
        let mut keys = same.filter_map(|(_, unit, offset)| self.key(*unit, *offset));
        keys.find_map(|key| {
            let variable = scope_reader::variable(root, table, key)?;
            let size = || size(table, root, variable.ty?);
            (inside == 0 || size().is_some_and(|size| inside < size))
                .then_some((variable, Svma(last)))
        })
    }

    /// The definition, elsewhere in the image, of the type `id`, which is only declared.
    pub(crate) fn definition(
        &self,
        root: &DwarfFile<'_>,
        table: &TypeTable,
        id: TypeId,
    ) -> Option<TypeId> {
        let known = || self.definitions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known().get(&id) {
            return *found;
        }
        let found = self.find_definition(root, table, id);
        known().insert(id, found);
        found
    }

    fn find_definition(
        &self,
        root: &DwarfFile<'_>,
        table: &TypeTable,
        id: TypeId,
    ) -> Option<TypeId> {
        let declared = Described::read(entry_of(root, table.entry(id)?)?)?;
        if !declared.is_declaration() {
            return None;
        }
        let full = qualified(&declared)?;
        let short = NameHash::EMPTY.and(&full).short();
        let language = declared.language();
        let own = declared.text(dw::DW_AT_name)?;
        let name = NameHash::EMPTY.and(&comparable(own.as_bytes(), language)).short();
        // What is local to a unit is defined there or nowhere.
        let is_local = full.windows(ANONYMOUS.len()).any(|part| part == ANONYMOUS);
        let home = declared.own().at.key();
        let mut candidates = named(&self.types, name).iter().filter(|it| it.qualified == short);
        candidates.by_ref().take(MAX_TRIED).find_map(|candidate| {
            let key = self.key(candidate.unit, candidate.offset)?;
            if is_local && (key.part, key.list, key.unit) != (home.part, home.list, home.unit) {
                return None;
            }
            let it = Described::read(entry_of(root, key)?)?;
            let fits = is_same_kind(it.tag(), declared.tag())
                && it.language().has_scopes() == language.has_scopes()
                && qualified(&it)? == full;
            fits.then(|| table.intern(key))
        })
    }

    fn search<'d, T>(
        &self,
        root: &DwarfFile<'d>,
        names: &[Named],
        wanted: &NameQuery,
        of: impl Fn(Entry<'_, 'd>) -> Option<T>,
    ) -> Vec<T> {
        let candidates = wanted.hashes().flat_map(|hash| named(names, hash)).take(MAX_TRIED);
        let keys = candidates.filter_map(|it| self.key(it.unit, it.offset));
        keys.filter_map(|key| of(entry_of(root, key)?)).take(MAX_FOUND).collect()
    }

    fn key(&self, unit: u32, offset: u32) -> Option<DieKey> {
        let place = self.units.get(usize::try_from(unit).ok()?)?;
        let offset = usize::try_from(offset).ok()?;
        Some(DieKey { part: place.part, list: place.list, unit: place.unit, offset })
    }
}

const ANONYMOUS: &[u8] = b"(anonymousnamespace)";

fn portions(root: &DwarfFile<'_>) -> Vec<Portion> {
    let steps = |count: usize| {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let step = usize::try_from(PORTION).unwrap_or(1);
        (0..count).step_by(step).map(move |first| (first, PORTION.min(count.saturating_sub(first))))
    };
    let mut all = Vec::new();
    for list in [List::Info, List::Types, List::Supplement] {
        let units = steps(root.unit_count(list));
        all.extend(units.map(|(first, count)| Portion::Units { list, first, count }));
    }
    // Rows count from 1.
    let rows = root.package().map_or(0, |package| package.tu_index.unit_count());
    let rows = steps(usize::try_from(rows).unwrap_or(0));
    all.extend(rows.map(|(first, count)| {
        let first = first.saturating_add(1);
        Portion::PackageTypes { first, count }
    }));
    all
}

/// Those among the sorted `names` under this hash.
fn named(names: &[Named], hash: u32) -> &[Named] {
    let first = names.partition_point(|it| it.name < hash);
    let rest = names.get(first..).unwrap_or_default();
    let count = rest.partition_point(|it| it.name == hash);
    rest.get(..count).unwrap_or_default()
}

/// The name of a type or a variable with its scopes, without spaces.
fn qualified(it: &Described<'_, '_>) -> Option<Vec<u8>> {
    let name = it.text(dw::DW_AT_name)?;
    let language = it.language();
    Some(match language.has_scopes() {
        true => plain(with_scopes(it.declared(), name.to_string()).as_bytes(), language),
        false => plain(name.as_bytes(), language),
    })
}

fn plain(name: &[u8], language: Language) -> Vec<u8> {
    comparable(name, language).iter().copied().filter(|byte| *byte != b' ').collect()
}

fn is_same_kind(one: gimli::DwTag, other: gimli::DwTag) -> bool {
    let is_class = |tag| {
        matches!(tag, dw::DW_TAG_structure_type | dw::DW_TAG_class_type | dw::DW_TAG_interface_type)
    };
    one == other || (is_class(one) && is_class(other))
}

/// A name that is asked for.
struct NameQuery {
    /// Without spaces.
    text: Vec<u8>,
    /// Starts of the name and of what follows each `::` outside of brackets.
    starts: Vec<usize>,
    /// What kind of type C's keyword before it says.
    keyword: Option<gimli::DwTag>,
    /// It begins with `::`: no further scopes are around it.
    is_whole: bool,
}

impl NameQuery {
    fn new(name: &str) -> Self {
        let name = name.trim();
        let keywords = [
            ("struct ", dw::DW_TAG_structure_type),
            ("class ", dw::DW_TAG_class_type),
            ("union ", dw::DW_TAG_union_type),
            ("enum ", dw::DW_TAG_enumeration_type),
        ];
        let found = keywords.iter().find_map(|(word, tag)| Some((name.strip_prefix(word)?, *tag)));
        let (name, keyword) = found.map_or((name, None), |(name, tag)| (name, Some(tag)));
        let (name, is_whole) = match name.trim().strip_prefix("::") {
            Some(name) => (name, true),
            None => (name, false),
        };
        let text = plain(name.as_bytes(), Language::Unknown);
        let mut starts = vec![0];
        let mut depth = 0_usize;
        let mut last = 0;
        for (at, byte) in text.iter().enumerate() {
            match byte {
                b'<' | b'(' | b'[' | b'{' => depth = depth.saturating_add(1),
                // The arrow of a function's result closes nothing.
                b'>' if last == b'-' => {}
                b'>' | b')' | b']' | b'}' => depth = depth.saturating_sub(1),
                b':' if last == b':' && depth == 0 => starts.push(at.saturating_add(1)),
                _ => {}
            }
            last = *byte;
        }
        Self { text, starts, keyword, is_whole }
    }

    fn is_kind(&self, tag: gimli::DwTag) -> bool {
        self.keyword.is_none_or(|keyword| is_same_kind(keyword, tag))
    }

    /// Hashes of the names entries may have that this is about: Rust's vtables and Go's
    /// variables have `::` and `.` in their own.
    fn hashes(&self) -> impl Iterator<Item = u32> {
        let parts = self.starts.iter().rev().filter_map(|start| self.text.get(*start..));
        parts.filter(|part| !part.is_empty()).map(|part| NameHash::EMPTY.and(part).short())
    }

    /// Whether it means what is called `full`.
    fn is(&self, full: &[u8]) -> bool {
        match full.strip_suffix(self.text.as_slice()) {
            Some([]) => true,
            Some(scopes) => !self.is_whole && scopes.ends_with(b"::"),
            None => false,
        }
    }
}

/// The size of a type in bytes, if it is the same for all its objects.
fn size(table: &TypeTable, root: &DwarfFile<'_>, id: TypeId) -> Option<u64> {
    let mut id = id;
    let mut count = 1_u64;
    for _ in 0..root.context().limits.reference_depth {
        let ty = table.get(root, id);
        if let Some(size) = ty.byte_size {
            return size.checked_mul(count);
        }
        id = match &ty.kind {
            TypeKind::Typedef(target) | TypeKind::Qualified { target, .. } => (*target)?,
            TypeKind::Array(array) => {
                for dimension in &array.dimensions {
                    let elements = match (&dimension.lower, &dimension.end) {
                        (_, DimensionEnd::Count(Bound::Constant(count))) => Some(*count),
                        (Bound::Constant(lower), DimensionEnd::Upper(Bound::Constant(upper))) => {
                            upper.checked_sub(*lower)?.checked_add(1)
                        }
                        _ => None,
                    };
                    count = count.checked_mul(u64::try_from(elements?).ok()?)?;
                }
                array.element?
            }
            _ => return None,
        };
    }
    None
}

impl std::fmt::Debug for NameIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NameIndex")
            .field("types", &self.types.len())
            .field("variables", &self.variables.len())
            .field("functions", &self.functions.len())
            .field("places", &self.places.len())
            .finish_non_exhaustive()
    }
}
