//! Periods of one build that are stated twice.

use std::collections::{BTreeMap, BTreeSet};

use super::Row;
use crate::history::release_lists::is_build_id;

/// The periods of a table, by build.
#[derive(Debug, Default)]
pub(super) struct Periods {
    of: BTreeMap<String, BTreeMap<Period, usize>>,
}

/// A period as a row states it. The amount is there to be compared only.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Period {
    from: i64,
    to: i64,
    program: Option<String>,
    amount: u64,
}

/// Where a period ends, and its line.
type End = (i64, usize);

impl Periods {
    /// Whether the row of this line counts: the same row was not there before.
    pub(super) fn add(&mut self, line: usize, name: &str, row: &Row) -> bool {
        // Hosts of two periods are not added anyway.
        let Some((from, to)) = row.stretch.period.filter(|_| !row.is_hosts) else { return true };
        let name = if is_build_id(name) { name.to_ascii_lowercase() } else { name.to_owned() };
        let amount = row.stretch.amount.to_bits();
        let period = Period { from, to, program: row.program.clone(), amount };
        let known = self.of.entry(name).or_default();
        let is_new = !known.contains_key(&period);
        known.entry(period).or_insert(line);
        is_new
    }

    /// Fails with the two lines whose periods have time in common, the later line first.
    pub(super) fn check(&self) -> Result<(), (usize, usize)> {
        let mut overlaps = BTreeSet::new();
        for periods in self.of.values() {
            // A row without a program is of all of them.
            let mut of_program: BTreeMap<&str, End> = BTreeMap::new();
            let (mut of_all, mut latest): (Option<End>, Option<End>) = (None, None);
            for (period, line) in periods {
                let before = match &period.program {
                    Some(program) => of_program.get(program.as_str()).copied().max(of_all),
                    None => latest,
                };
                if let Some((_, other)) = before.filter(|(end, _)| period.from < *end) {
                    overlaps.insert((*line.max(&other), *line.min(&other)));
                }
                let end = Some((period.to, *line));
                latest = latest.max(end);
                match &period.program {
                    Some(program) => {
                        let known = of_program.entry(program).or_insert((period.to, *line));
                        *known = (*known).max((period.to, *line));
                    }
                    None => of_all = of_all.max(end),
                }
            }
        }
        overlaps.first().map_or(Ok(()), |lines| Err(*lines))
    }
}
