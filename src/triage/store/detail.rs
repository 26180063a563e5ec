//! What `show` asks of the store.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::{Store, StoreError};
use crate::triage::Record;
use crate::triage::detail::{DumpLine, GroupDetail, NoteReport, SHOW_SCHEMA, Suspect};
use crate::triage::history::{Build, State};
use crate::triage::overview::{Census, Overview, ReleaseCount, Sighting, ViewOptions, overview};
use crate::triage::traits::{Facts, traits};

/// Crashes of the group, and as many of others, whose values are compared.
const COMPARED: usize = 100;
/// Builds and hosts that are listed.
const LISTED: usize = 200;

impl Store {
    /// The group called `id` in full, with its newest dumps, at most `newest`. `None` where
    /// it has no dump, or none that `options` ask for.
    ///
    /// # Errors
    /// Those of the database.
    pub fn detail(
        &self,
        id: &str,
        options: &ViewOptions,
        newest: usize,
    ) -> Result<Option<GroupDetail>, StoreError> {
        let mut census = self.census()?;
        let mut found = overview(&mut census, options);
        let Some(at) = found.groups.iter().position(|group| group.id == id) else {
            return Ok(None);
        };
        let mut group = found.groups.swap_remove(at);
        self.fill_in(&mut group)?;
        let place = group.place;
        let mut members: Vec<&Sighting> =
            census.sightings.iter().filter(|sighting| sighting.group == Some(place)).collect();
        members.sort_by_key(|sighting| (Reverse(sighting.event.time), Reverse(sighting.dump)));
        let mut detail =
            GroupDetail { schema: SHOW_SCHEMA.to_owned(), group, ..GroupDetail::default() };
        if let Some(State::Resolved { in_build, at }) =
            census.groups.get(place).map(|group| &group.state)
        {
            detail.state_since = Some(*at);
            detail.state_build.clone_from(in_build);
        }
        let notes = self.notes(id)?.into_iter();
        detail.notes = notes.map(|note| NoteReport { time: note.time, text: note.text }).collect();
        if let Some(example) = detail.group.example_row
            && let Some(record) = self.record(example)?
        {
            detail.describe(&record);
        }
        self.compare(&mut detail, &census, &members)?;
        detail.builds = counts(
            &members,
            |sighting| Some(sighting.event.build),
            |at| {
                let build = census.builds.get(at);
                let words = |build: &Build| {
                    let words = [build.version.clone(), build.variant.clone()];
                    words.into_iter().flatten().collect::<Vec<_>>().join(" ")
                };
                ReleaseCount {
                    name: build.map(words).unwrap_or_default(),
                    builds: build.map(|build| build.id.clone()).into_iter().collect(),
                    dumps: build.map_or(0, |build| build.dumps),
                    ..ReleaseCount::default()
                }
            },
        );
        detail.hosts = counts(
            &members,
            |sighting| sighting.event.host,
            |at| ReleaseCount {
                name: census.hosts.get(at).cloned().unwrap_or_default(),
                dumps: census.sightings.iter().filter(|s| s.event.host == Some(at)).count() as u64,
                ..ReleaseCount::default()
            },
        );
        detail.suspected_same = self.suspects(id, &found)?;
        for sighting in members.iter().take(newest) {
            detail.dumps.extend(self.dump_line(sighting, &census, &detail.group.releases)?);
        }
        Ok(Some(detail))
    }

    /// Compares the newest of the group with the newest others of its program.
    fn compare(
        &self,
        detail: &mut GroupDetail,
        census: &Census,
        members: &[&Sighting],
    ) -> Result<(), StoreError> {
        let program = |sighting: &Sighting| {
            census.builds.get(sighting.event.build).map(|build| build.program.as_str())
        };
        let programs = &detail.group.programs;
        let place = detail.group.place;
        let mut others: Vec<&Sighting> = census
            .sightings
            .iter()
            .filter(|sighting| sighting.group != Some(place))
            .filter(|s| program(s).is_some_and(|name| programs.iter().any(|known| known == name)))
            .collect();
        // Every n-th: the newest alone would be those of one release.
        let step = others.len().div_ceil(COMPARED).max(1);
        others = others.into_iter().step_by(step).collect();
        let step = members.len().div_ceil(COMPARED).max(1);
        let facts = |rows: &mut dyn Iterator<Item = i64>| -> Result<Vec<Facts>, StoreError> {
            let mut facts = Vec::new();
            for row in rows {
                facts.extend(self.record(row)?.as_ref().map(Facts::of));
            }
            Ok(facts)
        };
        let here = facts(&mut members.iter().step_by(step).map(|sighting| sighting.dump))?;
        let there = facts(&mut others.iter().map(|sighting| sighting.dump))?;
        detail.traits = traits(&here, &there);
        detail.compared = (here.len() as u64, there.len() as u64);
        Ok(())
    }

    fn suspects(&self, id: &str, found: &Overview) -> Result<Vec<Suspect>, StoreError> {
        let mut suspects = Vec::new();
        for (group, likeness) in self.suspected_same(id)?.into_iter().take(16) {
            let other = found.groups.iter().find(|other| other.id == group);
            let mut other = other.cloned().unwrap_or_default();
            self.fill_in(&mut other)?;
            suspects.push(Suspect { group, likeness, signature: other.signature });
        }
        Ok(suspects)
    }

    fn dump_line(
        &self,
        sighting: &Sighting,
        census: &Census,
        releases: &[ReleaseCount],
    ) -> Result<Option<DumpLine>, StoreError> {
        let Some((dump, crash)) = self.ids_of(sighting.dump)? else { return Ok(None) };
        let build = census.builds.get(sighting.event.build);
        let release = build.and_then(|build| {
            let mut all = releases.iter();
            all.find(|release| release.builds.contains(&build.id)).map(|r| r.name.clone())
        });
        Ok(Some(DumpLine {
            dump,
            crash,
            time: sighting.event.time,
            release,
            host: sighting.event.host.and_then(|host| census.hosts.get(host)).cloned(),
            path: self.paths_of(sighting.dump)?.into_iter().next(),
            confidence: sighting.confidence,
            is_complete: sighting.is_complete,
        }))
    }

    /// The stored report of a dump, as far as it was kept.
    ///
    /// # Errors
    /// Those of the database.
    pub fn report_of(&self, dump: &str) -> Result<Option<crate::report::Report>, StoreError> {
        Ok(self.record_of(dump)?.map(Record::into_report))
    }
}

/// Counts, first and last time of each `key`, the most frequent first.
fn counts(
    members: &[&Sighting],
    key: impl Fn(&Sighting) -> Option<usize>,
    new: impl Fn(usize) -> ReleaseCount,
) -> Vec<ReleaseCount> {
    let mut counts: BTreeMap<usize, (u64, i64, i64)> = BTreeMap::new();
    for sighting in members {
        let Some(key) = key(sighting) else { continue };
        let time = sighting.event.time;
        let (count, first, last) = counts.entry(key).or_insert((0, time, time));
        (*count, *first, *last) = (*count + 1, (*first).min(time), (*last).max(time));
    }
    let mut counts: Vec<(usize, (u64, i64, i64))> = counts.into_iter().collect();
    counts.sort_by_key(|(at, (count, ..))| (Reverse(*count), *at));
    counts
        .into_iter()
        .take(LISTED)
        .map(|(at, (count, first, last))| ReleaseCount {
            count,
            first: Some(first),
            last: Some(last),
            ..new(at)
        })
        .collect()
}
