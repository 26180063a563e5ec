//! All units of an image, scanned for names by as many threads as there are processors.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::index::name_scan::{Hashes, Named, Placed, ScannedNames, Subject};
use crate::model::keys::List;
use crate::units::file::DwarfFile;

/// Units that are read in one go.
const PORTION: u32 = 16;

/// Threads that read.
const MAX_THREADS: usize = 8;

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
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        let mut hashes = Hashes::new(names_at_a_time);
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(portion) = portions.get(number) else { return done };
            let mut found = ScannedNames::default();
            match *portion {
                Portion::Units { list, first, count } => {
                    found.list(root, subject, (list, first, count), &mut hashes);
                }
                Portion::PackageTypes { first, count } => {
                    for row in first..first.saturating_add(count) {
                        found.package_type(root, subject, row);
                    }
                }
            }
            found.settle();
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
    let mut all = ScannedNames::default();
    for (_, found) in done {
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
