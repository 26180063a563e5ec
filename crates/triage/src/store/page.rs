//! A part of the list of groups, with what the whole list counts.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::connection::Store;
use super::error::StoreError;
use crate::views::{Counted, GroupPage, ViewOptions, ranked};

/// Classes and builds that are counted by name.
const NAMED: usize = 24;
/// Characters of a build ID where it names a build.
const SHORT_ID: usize = 12;

impl Store {
    /// The groups as `options` ask for them, `most` of those behind the first `skipped`; and
    /// how many dumps each class and each build has.
    ///
    /// # Errors
    /// Those of the database.
    pub fn group_page(
        &self,
        options: &ViewOptions,
        skipped: usize,
        most: usize,
    ) -> Result<GroupPage, StoreError> {
        let mut census = self.census()?;
        let mut ranked = ranked(&mut census, options, None);
        self.select(&mut ranked, options)?;
        let mut overview = std::mem::take(&mut ranked.overview);
        overview.groups.drain(..skipped.min(overview.groups.len()));
        overview.groups.truncate(most);
        for group in &mut overview.groups {
            ranked.complete(group);
            self.fill_in(group)?;
        }
        let census = ranked.census();
        let mut classes: BTreeMap<usize, u64> = BTreeMap::new();
        let mut builds: BTreeMap<usize, u64> = BTreeMap::new();
        for sighting in census.sightings.iter().filter(|sighting| ranked.takes(sighting)) {
            if let Some(class) = sighting.class {
                *classes.entry(class).or_default() += 1;
            }
            *builds.entry(sighting.event.build).or_default() += 1;
        }
        let class = |at: usize| census.words.get(at).cloned().unwrap_or_default();
        let build = |at: usize| match census.builds.get(at) {
            Some(build) => {
                let id: String = build.id.chars().take(SHORT_ID).collect();
                let version = build.version.clone().unwrap_or(id);
                format!("{} {version}", build.program).trim_end().to_owned()
            }
            None => String::new(),
        };
        Ok(GroupPage { overview, classes: most_of(classes, class), builds: most_of(builds, build) })
    }
}

/// The most frequent ones by name.
fn most_of(counts: BTreeMap<usize, u64>, name: impl Fn(usize) -> String) -> Vec<Counted> {
    let mut counts: Vec<(usize, u64)> = counts.into_iter().collect();
    counts.sort_by_key(|(at, count)| (Reverse(*count), *at));
    let named = counts.into_iter().take(NAMED);
    named.map(|(at, dumps)| Counted { name: name(at), dumps }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::Rules;
    use crate::store::PackedRecord;
    use crate::testkit::crash;

    #[test]
    fn pages_have_the_groups_of_the_list_in_its_order() {
        let mut store = Store::temporary().unwrap();
        let rules = Rules::built_in();
        let crashes: Vec<_> = (0..120)
            .map(|n| crash(5, n, &rules))
            .map(|crash| (crash.stamp, PackedRecord::of(&crash.record).unwrap()))
            .collect();
        store.add(&crashes, 7).unwrap();
        store.regroup().unwrap();
        let options = ViewOptions::default();
        let all = store.overview(&options, usize::MAX).unwrap();
        let mut paged = Vec::new();
        for at in (0..all.groups.len() + 7).step_by(7) {
            let page = store.group_page(&options, at, 7).unwrap();
            assert_eq!(page.overview.groups_total, all.groups_total);
            assert_eq!(page.classes.iter().map(|one| one.dumps).sum::<u64>(), all.dumps);
            paged.extend(page.overview.groups);
        }
        assert_eq!(paged, all.groups);
        assert!(store.group_page(&options, usize::MAX, 7).unwrap().overview.groups.is_empty());
    }
}
