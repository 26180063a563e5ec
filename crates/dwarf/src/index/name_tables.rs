//! The names of an image as rows of 16 bytes, which are the same in memory and on disk.

use crate::index::name_scan::{Named, Placed, ScannedNames, UnitPlace};
use crate::model::keys::{DwarfPart, List};
use crate::sections::cache::CachedSection;

/// A header with the number of rows of each table, then the tables, each sorted.
pub(crate) struct NameTables {
    bytes: Bytes,
    /// Row numbers at which the tables end.
    ends: [usize; TABLES],
}

enum Bytes {
    Made(Vec<u8>),
    Kept(CachedSection),
}

/// The tables with [`Named`] in them, by their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Table {
    Records = 2,
    LocalRecords = 3,
    PlainTypes = 4,
    Variables = 5,
    Constants = 6,
    Functions = 7,
    Unions = 8,
    Enumerations = 9,
}

const UNITS: usize = 0;
const PLACES: usize = 1;
const TABLES: usize = 10;

/// Bytes of a row.
const ROW: usize = 16;

/// Rows of the header: two counts each.
const HEADER: usize = TABLES / 2;

/// Flag in the field of a unit that holds its list.
const HAS_SCOPES: u32 = 0x100;

/// Sorted rows of one kind.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'x, Row> {
    rows: &'x [[u8; ROW]],
    read: fn(&[u8; ROW]) -> Row,
}

impl NameTables {
    pub(crate) fn new(mut found: ScannedNames) -> Self {
        let counts = [
            found.units.len(),
            found.places.len(),
            found.records.len(),
            found.local_records.len(),
            found.plain_types.len(),
            found.variables.len(),
            found.constants.len(),
            found.functions.len(),
            found.unions.len(),
            found.enumerations.len(),
        ];
        let rows = counts.iter().fold(HEADER, |sum, count| sum.saturating_add(*count));
        let mut bytes = Vec::with_capacity(rows.saturating_mul(ROW));
        for count in counts {
            bytes.extend_from_slice(&(count as u64).to_le_bytes());
        }
        bytes.extend(std::mem::take(&mut found.units).iter().flat_map(unit_row));
        bytes.extend(std::mem::take(&mut found.places).iter().flat_map(place_row));
        for names in [
            &mut found.records,
            &mut found.local_records,
            &mut found.plain_types,
            &mut found.variables,
            &mut found.constants,
            &mut found.functions,
            &mut found.unions,
            &mut found.enumerations,
        ] {
            bytes.extend(std::mem::take(names).iter().flat_map(named_row));
        }
        let ends = ends(&bytes).unwrap_or_default();
        Self { bytes: Bytes::Made(bytes), ends }
    }

    /// The tables as they were kept; `None` if they are damaged.
    pub(crate) fn kept(kept: CachedSection) -> Option<Self> {
        let ends = ends(kept.bytes())?;
        Some(Self { bytes: Bytes::Kept(kept), ends })
    }

    /// Whether `length` bytes that begin with those of `start`, which reach beyond a header, may be
    /// such tables.
    pub(crate) fn may_begin(start: &[u8], length: u64) -> bool {
        let is_header = start.len() >= HEADER.saturating_mul(ROW);
        let length = usize::try_from(length).ok().filter(|_| is_header);
        length.is_some_and(|length| ends_of(start, length).is_some())
    }

    /// As they are kept.
    pub(crate) fn bytes(&self) -> &[u8] {
        match &self.bytes {
            Bytes::Made(bytes) => bytes,
            Bytes::Kept(kept) => kept.bytes(),
        }
    }

    /// The place of unit number `number`.
    pub(crate) fn unit(&self, number: u32) -> Option<UnitPlace> {
        unit_of(self.table(UNITS).get(usize::try_from(number).ok()?)?)
    }

    /// Variables by address.
    pub(crate) fn places(&self) -> Rows<'_, Placed> {
        Rows { rows: self.table(PLACES), read: placed_of }
    }

    /// Entries by the hash of their names.
    pub(crate) fn named(&self, table: Table) -> Rows<'_, Named> {
        Rows { rows: self.table(table as usize), read: named_of }
    }

    fn table(&self, number: usize) -> &[[u8; ROW]] {
        let end = self.ends.get(number).copied().unwrap_or(HEADER);
        let start = number.checked_sub(1).and_then(|before| self.ends.get(before));
        let (rows, _) = self.bytes().as_chunks::<ROW>();
        rows.get(start.copied().unwrap_or(HEADER)..end).unwrap_or_default()
    }
}

impl<Row> Rows<'_, Row> {
    pub(crate) fn get(&self, row: usize) -> Option<Row> {
        self.rows.get(row).map(self.read)
    }

    /// The number of rows, from the first on, that `is_before` is true of.
    pub(crate) fn partition_point(&self, is_before: impl Fn(&Row) -> bool) -> usize {
        self.rows.partition_point(|row| is_before(&(self.read)(row)))
    }
}

impl<'x> Rows<'x, Named> {
    /// The entries under both hashes.
    pub(crate) fn called(self, name: u32, qualified: u32) -> impl Iterator<Item = Named> + 'x {
        let wanted = (name, qualified);
        let first = self.partition_point(|it| (it.name, it.qualified) < wanted);
        let rest = self.rows.get(first..).unwrap_or_default();
        rest.iter().map(self.read).take_while(move |it| (it.name, it.qualified) == wanted)
    }

    /// The entries under this hash.
    pub(crate) fn under(self, hash: u32) -> impl Iterator<Item = Named> + 'x {
        let first = self.partition_point(|it| it.name < hash);
        let rest = self.rows.get(first..).unwrap_or_default();
        rest.iter().map(self.read).take_while(move |it| it.name == hash)
    }
}

/// Where the tables end, by the header; `None` if that is not where the bytes end.
fn ends(bytes: &[u8]) -> Option<[usize; TABLES]> {
    ends_of(bytes, bytes.len())
}

/// The same of `length` bytes that begin with those of `start`.
fn ends_of(start: &[u8], length: usize) -> Option<[usize; TABLES]> {
    let (fields, _) = start.as_chunks::<8>();
    let mut ends = [0; TABLES];
    let mut end = HEADER;
    for (to, count) in ends.iter_mut().zip(fields) {
        end = end.checked_add(usize::try_from(u64::from_le_bytes(*count)).ok()?)?;
        *to = end;
    }
    (end.checked_mul(ROW)? == length).then_some(ends)
}

fn row_of(numbers: [u32; 4]) -> [u8; ROW] {
    let mut row = [0; ROW];
    for (to, number) in row.as_chunks_mut::<4>().0.iter_mut().zip(numbers) {
        *to = number.to_le_bytes();
    }
    row
}

fn numbers_of(row: &[u8; ROW]) -> [u32; 4] {
    let mut numbers = [0; 4];
    for (to, bytes) in numbers.iter_mut().zip(row.as_chunks::<4>().0) {
        *to = u32::from_le_bytes(*bytes);
    }
    numbers
}

fn named_row(named: &Named) -> [u8; ROW] {
    row_of([named.name, named.qualified, named.unit, named.offset])
}

fn named_of(row: &[u8; ROW]) -> Named {
    let [name, qualified, unit, offset] = numbers_of(row);
    Named { name, qualified, unit, offset }
}

fn place_row(placed: &Placed) -> [u8; ROW] {
    let [low, high] = [placed.address, placed.address >> 32].map(|half| half as u32);
    row_of([low, high, placed.unit, placed.offset])
}

fn placed_of(row: &[u8; ROW]) -> Placed {
    let [low, high, unit, offset] = numbers_of(row);
    Placed { address: u64::from(high) << 32 | u64::from(low), unit, offset }
}

fn unit_row(place: &UnitPlace) -> [u8; ROW] {
    let (part, number) = match place.part {
        DwarfPart::Main => (0, 0),
        DwarfPart::Split(unit) => (1, unit),
        DwarfPart::PackageType(row) => (2, row),
    };
    let list = match place.list {
        List::Info => 0,
        List::Types => 1,
        List::Supplement => 2,
    };
    let list = if place.has_scopes { list | HAS_SCOPES } else { list };
    row_of([part, number, list, place.unit])
}

fn unit_of(row: &[u8; ROW]) -> Option<UnitPlace> {
    let [part, number, list, unit] = numbers_of(row);
    let part = match part {
        0 => DwarfPart::Main,
        1 => DwarfPart::Split(number),
        2 => DwarfPart::PackageType(number),
        _ => return None,
    };
    let has_scopes = list & HAS_SCOPES != 0;
    let list = match list & !HAS_SCOPES {
        0 => List::Info,
        1 => List::Types,
        2 => List::Supplement,
        _ => return None,
    };
    Some(UnitPlace { part, list, unit, has_scopes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sections::cache::{SectionCache, SectionKey};
    use obit_corefile::mapped_file::FileIdentity;

    fn found() -> ScannedNames {
        let named = |name, unit| Named { name, qualified: name, unit, offset: 0x40 + unit };
        let unit = |part, list| UnitPlace { part, list, unit: 3, has_scopes: list != List::Types };
        let mut found = ScannedNames {
            units: vec![
                unit(DwarfPart::Main, List::Supplement),
                unit(DwarfPart::Split(7), List::Info),
                unit(DwarfPart::PackageType(2), List::Types),
            ],
            records: (0..200).map(|unit| named(5, unit)).collect(),
            unions: vec![named(5, 2)],
            local_records: (0..200).map(|unit| named(5, unit)).collect(),
            plain_types: vec![named(9, 0), named(2, 1), named(9, 2)],
            places: vec![
                Placed { address: u64::MAX - 1, unit: 1, offset: 8 },
                Placed { address: 0x1000, unit: 0, offset: 4 },
            ],
            ..ScannedNames::default()
        };
        found.settle();
        found
    }

    fn check(tables: &NameTables) {
        let units: Vec<_> = (0..4).map(|number| tables.unit(number).map(|it| it.part)).collect();
        let parts = [DwarfPart::Main, DwarfPart::Split(7), DwarfPart::PackageType(2)];
        assert_eq!(units, [Some(parts[0]), Some(parts[1]), Some(parts[2]), None]);
        assert_eq!(tables.unit(0).unwrap().list, List::Supplement);
        assert_eq!([0, 2].map(|number| tables.unit(number).unwrap().has_scopes), [true, false]);
        let under = |table, hash| tables.named(table).under(hash).map(|it| it.unit);
        assert_eq!(under(Table::PlainTypes, 9).collect::<Vec<_>>(), [0, 2]);
        assert_eq!(under(Table::PlainTypes, 3).count(), 0);
        assert_eq!(under(Table::Functions, 9).count(), 0);
        // What each unit repeats is kept 64 times, for languages with scopes (here of the first
        // two units) and without apart; what is a unit's own is kept always.
        assert_eq!(under(Table::Records, 5).count(), 66);
        assert_eq!(under(Table::LocalRecords, 5).count(), 200);
        assert_eq!(under(Table::Unions, 5).count(), 1);
        assert_eq!(tables.named(Table::Records).called(5, 5).count(), 66);
        assert_eq!(tables.named(Table::Records).called(5, 6).count(), 0);
        let places = tables.places();
        assert_eq!(places.get(1).unwrap().address, u64::MAX - 1);
        assert_eq!(places.partition_point(|place| place.address <= 0x1000), 1);
    }

    #[test]
    fn tables_read_back_from_disk_are_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let cache = SectionCache::new(dir.path().join("sections"), 1 << 20);
        let identity = FileIdentity { inode: (1, 2), len: 10, modified_ns: 7, changed_ns: 7 };
        let key = SectionKey::of_files(&[&identity], "names");
        let made = NameTables::new(found());
        check(&made);
        cache.put(&key, made.bytes());
        check(&NameTables::kept(cache.get_any(&key).unwrap()).unwrap());
        let cut = made.bytes().len() - ROW;
        cache.put(&key, &made.bytes()[..cut]);
        assert!(NameTables::kept(cache.get_any(&key).unwrap()).is_none());
    }
}
