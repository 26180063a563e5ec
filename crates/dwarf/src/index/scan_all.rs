//! All units of an image, scanned for names by as many threads as there are processors.

use crate::index::name_scan::{Hashes, Named, Placed, ScannedNames, Subject};
use crate::model::keys::List;
use crate::units::file::DwarfFile;
use obit_corefile::parallel;

/// Units that are read in one go.
const PORTION: u32 = 16;

/// Names whose hashes each thread remembers at most: more than the headers that a unit includes have.
const NAMES_AT_A_TIME: usize = 1 << 16;

/// Units that are read together.
#[derive(Clone, Copy)]
enum Portion {
    Units { list: List, first: u32, count: u32 },
    PackageTypes { first: u32, count: u32 },
}

/// The names of `subject` in the image whose main file is `root`, sorted.
pub(crate) fn scan_all(root: &DwarfFile<'_>, subject: Subject) -> ScannedNames {
    let portions = portions(root);
    let names_at_a_time = root.described_bytes().checked_div(64).unwrap_or(0);
    let names_at_a_time = names_at_a_time.clamp(256, NAMES_AT_A_TIME);
    let hashes = || Hashes::new(names_at_a_time);
    let found = parallel::map(portions.len(), hashes, |hashes, number| {
        let mut found = ScannedNames::default();
        match portions.get(number).copied() {
            Some(Portion::Units { list, first, count }) => {
                found.list(root, subject, (list, first, count), hashes);
            }
            Some(Portion::PackageTypes { first, count }) => {
                for row in first..first.saturating_add(count) {
                    found.package_type(root, subject, row);
                }
            }
            None => {}
        }
        found.settle();
        found
    });
    let mut all = ScannedNames::default();
    for found in found {
        all.add(found);
    }
    all.settle();
    all
}

impl ScannedNames {
    /// Adds what was found in further units.
    fn add(&mut self, found: Self) {
        let Ok(before) = u32::try_from(self.units.len()) else { return };
        let moved = |named: Named| Some(Named { unit: named.unit.checked_add(before)?, ..named });
        let Self { units, records, local_records, plain_types, variables, .. } = self;
        units.extend(found.units);
        for (all, more) in [
            (records, found.records),
            (local_records, found.local_records),
            (&mut self.unions, found.unions),
            (&mut self.enumerations, found.enumerations),
            (plain_types, found.plain_types),
            (variables, found.variables),
            (&mut self.constants, found.constants),
            (&mut self.functions, found.functions),
        ] {
            all.extend(more.into_iter().filter_map(moved));
        }
        let moved = |it: Placed| Some(Placed { unit: it.unit.checked_add(before)?, ..it });
        self.places.extend(found.places.into_iter().filter_map(moved));
        self.has_splits |= found.has_splits;
    }
}

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
