//! The store as one side of a comparison.

use std::collections::BTreeMap;

use super::connection::Store;
use super::error::StoreError;
use crate::census::Sighting;
use crate::views::{Bundle, Side, ViewOptions, headline};

impl Store {
    /// All that could be read and that the period of `options` has, by what grouping sees of
    /// it. Dumps that nothing distinguishes from others count among all, and are in no bundle.
    ///
    /// # Errors
    /// Those of the database.
    pub fn bundles(
        &self,
        name: &str,
        options: &ViewOptions,
    ) -> Result<(Side, Vec<Bundle>), StoreError> {
        let mut census = self.census()?;
        census.sightings.retain(|sighting| options.takes_time(sighting.event.time));
        let keys = self.keys()?;
        let mut by_key: BTreeMap<i64, (u64, &Sighting)> = BTreeMap::new();
        for sighting in &census.sightings {
            let (count, best) = by_key.entry(sighting.key).or_insert((0, sighting));
            *count += 1;
            let better = |s: &Sighting| (s.is_complete, s.confidence, s.event.time, s.tie);
            if better(sighting) > better(best) {
                *best = sighting;
            }
        }
        let mut bundles = Vec::new();
        for (key, (count, best)) in by_key {
            let Some(key) = keys.get(&key) else { continue };
            let word = |at: Option<usize>| at.and_then(|at| census.words.get(at)).cloned();
            let record = self.record(best.dump)?;
            let signature = record.as_ref().and_then(|record| record.signature.clone());
            let cause = record.and_then(|record| record.cause);
            bundles.push(Bundle {
                key: key.clone(),
                count,
                class: word(best.class),
                severity: word(best.severity),
                headline: cause.as_ref().map(|cause| headline(cause, signature.as_ref())),
                title: cause.map(|cause| cause.title.into_string()),
                example_row: Some(best.dump),
            });
        }
        let side = Side {
            name: name.to_owned(),
            dumps: census.sightings.len() as u64,
            failed: census.failed,
        };
        Ok((side, bundles))
    }
}
