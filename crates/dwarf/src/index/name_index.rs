//! From names to entries, and from addresses to variables, over all units of an image.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use gimli::constants as dw;

use crate::code::callee::entry_pc;
use crate::index::name_hash::{NameHash, comparable};
use crate::index::name_query::{NameQuery, is_same_kind, plain};
use crate::index::name_scan::{Named, Subject};
use crate::index::name_tables::{NameTables, Table};
use crate::index::{kept_names, scan_all::scan_all};
use crate::model::code::NamedFunction;
use crate::model::keys::DieKey;
use crate::model::location::{Bound, Location};
use crate::model::scope::Variable;
use crate::model::types::{DimensionEnd, TypeId, TypeKind};
use crate::names::function_name::name_of;
use crate::names::scopes::with_scopes;
use crate::types::described::{Described, entry_of};
use crate::types::table::TypeTable;
use crate::units::entry::Entry;
use crate::units::file::DwarfFile;
use crate::units::split;
use crate::variables::scope_reader;
use obit_corefile::addr::Svma;

/// Entries of one name that are given: each unit that includes a header has its own.
const MAX_FOUND: usize = 64;

/// Entries of one name that are looked at.
const MAX_TRIED: usize = 4096;

/// The names of an image.
pub(crate) struct NameIndex {
    tables: NameTables,
    definitions: Mutex<HashMap<TypeId, Option<TypeId>>>,
}

impl NameIndex {
    /// Reads the names of the types and variables of the image whose main file is `root`, or
    /// takes them as they were kept.
    pub(crate) fn of_data(root: &DwarfFile<'_>) -> Self {
        let place = kept_names::place(root);
        let kept = place.as_ref().and_then(kept_names::get);
        let tables = kept.unwrap_or_else(|| {
            let scanned = scan_all(root, Subject::Data);
            // A file of a split unit may change, and is not in the key.
            let may_keep = !scanned.has_splits;
            let tables = NameTables::new(scanned);
            let place = place.filter(|_| may_keep && root.context().log.is_empty());
            place.and_then(|place| kept_names::put(&place, &tables)).unwrap_or(tables)
        });
        Self { tables, definitions: Mutex::default() }
    }

    /// Reads the names of the functions of the image whose main file is `root`.
    pub(crate) fn of_functions(root: &DwarfFile<'_>) -> Self {
        let tables = NameTables::new(scan_all(root, Subject::Functions));
        Self { tables, definitions: Mutex::default() }
    }

    /// The definitions of types called `name`, with or without the scopes around.
    pub(crate) fn types(&self, root: &DwarfFile<'_>, table: &TypeTable, name: &str) -> Vec<TypeId> {
        let wanted = NameQuery::new(name);
        let of = |entry: Entry<'_, '_>| type_called(table, &wanted, entry);
        self.search(root, &TYPES, &wanted, of)
    }

    /// The first of the types called `name` that `accept` takes. What has just this name with
    /// its scopes comes first.
    pub(crate) fn find_type(
        &self,
        root: &DwarfFile<'_>,
        table: &TypeTable,
        name: &str,
        mut accept: impl FnMut(TypeId) -> bool,
    ) -> Option<TypeId> {
        let wanted = NameQuery::new(name);
        let candidates = self.candidates(&TYPES, &wanted);
        let keys = candidates.iter().filter_map(|it| self.key(it.unit, it.offset));
        keys.filter_map(|key| type_called(table, &wanted, entry_of(root, key)?))
            .take(MAX_FOUND)
            .find(|id| accept(*id))
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
        let mut found = self.search(root, &[Table::Variables], &wanted, of);
        found.extend(self.search(root, &[Table::Constants], &wanted, of));
        found.truncate(MAX_FOUND);
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
        self.search(root, &[Table::Functions], &wanted, of)
    }

    /// The variables that have one place, at most `most`.
    pub(crate) fn placed_variables(
        &self,
        root: &DwarfFile<'_>,
        table: &TypeTable,
        most: usize,
    ) -> Vec<Variable> {
        let places = self.tables.places();
        let rows = (0..most).map_while(|row| places.get(row));
        let keys = rows.filter_map(|place| self.key(place.unit, place.offset));
        keys.filter_map(|key| scope_reader::variable(root, table, key)).collect()
    }

    /// Those of them in a unit that has code at `at`, at most `most`.
    pub(crate) fn placed_variables_at(
        &self,
        root: &DwarfFile<'_>,
        table: &TypeTable,
        at: u64,
        most: usize,
    ) -> Vec<Variable> {
        let units: Vec<_> = root
            .units_at(at)
            .map(|unit| {
                let (file, unit) = split::whole(root, unit);
                (file.part, unit.list, unit.index)
            })
            .collect();
        let places = self.tables.places();
        let rows = (0..).map_while(|row| places.get(row));
        let keys = rows.filter_map(|place| self.key(place.unit, place.offset));
        let here = keys.filter(|key| units.contains(&(key.part, key.list, key.unit)));
        here.filter_map(|key| scope_reader::variable(root, table, key)).take(most).collect()
    }

    /// The variable that holds the byte at `at`, and where it starts.
    pub(crate) fn variable_at(
        &self,
        root: &DwarfFile<'_>,
        table: &TypeTable,
        at: u64,
    ) -> Option<(Variable, Svma)> {
        let places = self.tables.places();
        let after = places.partition_point(|place| place.address <= at);
        let last = places.get(after.checked_sub(1)?)?.address;
        let first = places.partition_point(|place| place.address < last);
        let inside = at.saturating_sub(last);
        let same = (first..after).take(MAX_FOUND).filter_map(|row| places.get(row));
        let mut keys = same.filter_map(|it| self.key(it.unit, it.offset));
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
        let short = NameHash::of(&full).short();
        let language = declared.language();
        let own = declared.text(dw::DW_AT_name)?;
        let name = NameHash::of(&comparable(own.as_bytes(), language)).short();
        // What is local to a unit is defined there or nowhere.
        let is_local = full.windows(ANONYMOUS.len()).any(|part| part == ANONYMOUS);
        let home = declared.own().at.key();
        let is_near =
            |key: &DieKey| (key.part, key.list, key.unit) == (home.part, home.list, home.unit);
        let names = self.tables.named(match declared.tag() {
            _ if is_local => Table::LocalRecords,
            dw::DW_TAG_union_type => Table::Unions,
            dw::DW_TAG_enumeration_type => Table::Enumerations,
            _ => Table::Records,
        });
        let candidates = names.called(name, short);
        let keys = candidates.filter_map(|it| self.key(it.unit, it.offset));
        keys.filter(|key| !is_local || is_near(key)).take(MAX_TRIED).find_map(|key| {
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
        tables: &[Table],
        wanted: &NameQuery,
        of: impl Fn(Entry<'_, 'd>) -> Option<T>,
    ) -> Vec<T> {
        let candidates = self.candidates(tables, wanted);
        let keys = candidates.iter().filter_map(|it| self.key(it.unit, it.offset));
        keys.filter_map(|key| of(entry_of(root, key)?)).take(MAX_FOUND).collect()
    }

    /// Entries under the hashes of what is wanted: those with just this name and its scopes
    /// first, then by what is hashed, in the order of the units, whatever they are.
    fn candidates(&self, tables: &[Table], wanted: &NameQuery) -> Vec<Named> {
        let whole = wanted.whole_hash();
        let mut candidates: Vec<Named> = Vec::new();
        for hash in wanted.hashes() {
            let called =
                tables.iter().flat_map(|table| self.tables.named(*table).called(hash, whole));
            candidates.extend(called.take(MAX_TRIED));
        }
        for hash in wanted.hashes() {
            let before = candidates.len();
            for table in tables {
                let under = self.tables.named(*table).under(hash);
                candidates.extend(under.filter(|it| it.qualified != whole).take(MAX_TRIED));
            }
            candidates.get_mut(before..).unwrap_or_default().sort_unstable();
        }
        candidates.truncate(MAX_TRIED);
        candidates
    }

    fn key(&self, unit: u32, offset: u32) -> Option<DieKey> {
        let place = self.tables.unit(unit)?;
        let offset = usize::try_from(offset).ok()?;
        Some(DieKey { part: place.part, list: place.list, unit: place.unit, offset })
    }
}

const TYPES: [Table; 5] =
    [Table::Records, Table::Unions, Table::Enumerations, Table::LocalRecords, Table::PlainTypes];

const ANONYMOUS: &[u8] = b"(anonymousnamespace)";

/// The type that `entry` defines, if it has the name.
fn type_called(table: &TypeTable, wanted: &NameQuery, entry: Entry<'_, '_>) -> Option<TypeId> {
    let it = Described::read(entry)?;
    (wanted.is_kind(it.tag()) && wanted.is(&qualified(&it)?)).then(|| table.intern(entry))
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
