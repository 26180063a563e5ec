//! What `show` asks of the store.

use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use super::connection::Store;
use super::error::StoreError;
use crate::census::{Census, Sighting};
use crate::history::{Build, State};
use crate::record::Record;
use crate::views::{
    CrashFacts, CrashRecord, DumpLine, GroupDetail, GroupSummary, NoteReport, ReleaseCount,
    SHOW_SCHEMA, SUSPECTS, ViewOptions, correlations, ranked,
};

/// Crashes of the group, and as many of others, whose values are compared.
const COMPARED: usize = 100;
/// Of how many of these what they hold is kept for the next group.
const KEPT: usize = 1_000;
/// Records that are read for all comparisons of a page, about: that takes most of its time.
const READ: usize = 2_500;
/// Builds and hosts that are listed.
const LISTED: usize = 200;

/// What groups are seen against: read once for all of them.
pub(super) struct Surroundings<'c> {
    census: &'c Census,
    /// Dumps of each group, the newest first.
    members: Vec<Vec<&'c Sighting>>,
    /// Dumps of each host.
    of_host: Vec<u64>,
    /// Of dumps that others are compared with, by row.
    facts: RefCell<HashMap<i64, Rc<CrashFacts>>>,
    /// Records that were read for comparisons.
    read: Cell<usize>,
}

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
        let mut suspects = self.suspected_same(id)?;
        suspects.truncate(SUSPECTS);
        let shown = suspects.iter().map(|(group, _)| group.as_str()).chain([id]);
        let shown: BTreeSet<String> = shown.map(str::to_owned).collect();
        let mut ranked = ranked(&mut census, options, Some(&shown));
        let mut found = std::mem::take(&mut ranked.overview);
        let Some(at) = found.groups.iter().position(|group| group.id == id) else {
            return Ok(None);
        };
        let mut group = found.groups.swap_remove(at);
        ranked.complete(&mut group);
        self.fill_in(&mut group)?;
        let mut detail = self.in_full(group, &Surroundings::of(ranked.census()), newest)?;
        self.sign(&mut found)?;
        let signature = |id: &str| {
            let mut others = found.groups.iter();
            others.find(|other| other.id == id).map(|other| other.signature.clone())
        };
        detail.suspect(&suspects, signature);
        Ok(Some(detail))
    }

    /// All of `group` but those that may be the same.
    pub(super) fn in_full(
        &self,
        group: GroupSummary,
        around: &Surroundings<'_>,
        newest: usize,
    ) -> Result<GroupDetail, StoreError> {
        let census = around.census;
        let place = group.place;
        let members = around.members.get(place).map_or(&[][..], Vec::as_slice);
        let mut detail =
            GroupDetail { schema: SHOW_SCHEMA.to_owned(), group, ..GroupDetail::default() };
        if let Some(State::Resolved { in_build, at }) =
            census.groups.get(place).map(|group| &group.state)
        {
            detail.state_since = Some(*at);
            detail.state_build.clone_from(in_build);
        }
        let notes = self.notes(&detail.group.id)?.into_iter();
        detail.notes = notes.map(|note| NoteReport { time: note.time, text: note.text }).collect();
        if let Some(example) = detail.group.example_row
            && let Some(record) = self.record(example)?
        {
            detail.describe(&record);
        }
        let signatures = self.signatures_of(&detail.group.id);
        detail.signatures = signatures.map_err(|source| self.failed(source))?;
        self.compare(&mut detail, around, members)?;
        detail.builds = counts(
            members,
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
            members,
            |sighting| sighting.event.host,
            |at| ReleaseCount {
                name: census.hosts.get(at).cloned().unwrap_or_default(),
                dumps: around.of_host.get(at).copied().unwrap_or(0),
                ..ReleaseCount::default()
            },
        );
        for sighting in members.iter().take(newest) {
            detail.dumps.extend(self.dump_line(sighting, census, &detail.group.releases)?);
        }
        Ok(detail)
    }

    /// Compares some of the group with some others of its programs.
    fn compare(
        &self,
        detail: &mut GroupDetail,
        around: &Surroundings<'_>,
        members: &[&Sighting],
    ) -> Result<(), StoreError> {
        if around.read.get() >= READ {
            return Ok(());
        }
        let place = detail.group.place;
        let builds: Vec<bool> = around
            .census
            .builds
            .iter()
            .map(|build| detail.group.programs.contains(&build.program))
            .collect();
        let mut others: Vec<i64> = around
            .census
            .sightings
            .iter()
            .filter(|sighting| sighting.group != Some(place))
            .filter(|sighting| builds.get(sighting.event.build).is_some_and(|is_of| *is_of))
            .map(|sighting| sighting.dump)
            .collect();
        // The newest alone would be those of one release; and groups that are compared with
        // the same others read each of them once.
        if others.len() > COMPARED {
            others.select_nth_unstable_by_key(COMPARED, |row| shuffled(*row));
            others.truncate(COMPARED);
        }
        let step = members.len().div_ceil(COMPARED).max(1);
        let mut here = Vec::new();
        for sighting in members.iter().step_by(step) {
            around.read.set(around.read.get() + 1);
            here.extend(self.facts(sighting.dump)?);
        }
        let mut there = Vec::new();
        for row in others {
            let known = around.facts.borrow().get(&row).cloned();
            if let Some(known) = known {
                there.push(known);
                continue;
            }
            around.read.set(around.read.get() + 1);
            let Some(facts) = self.facts(row)? else { continue };
            let mut kept = around.facts.borrow_mut();
            if kept.len() < KEPT {
                kept.insert(row, Rc::clone(&facts));
            }
            there.push(facts);
        }
        detail.traits = correlations(&here, &there);
        detail.compared = (here.len() as u64, there.len() as u64);
        Ok(())
    }

    fn facts(&self, row: i64) -> Result<Option<Rc<CrashFacts>>, StoreError> {
        let json = self.json_in(row).map_err(|source| self.failed(source))?;
        let record = json.and_then(|json| CrashRecord::read(&json));
        Ok(record.map(|record| Rc::new(CrashFacts::of(&record))))
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
    pub fn report_of(&self, dump: &str) -> Result<Option<obit_report::Report>, StoreError> {
        Ok(self.record_of(dump)?.map(Record::into_report))
    }
}

impl<'c> Surroundings<'c> {
    /// Those of a census whose dumps are counted.
    pub(super) fn of(census: &'c Census) -> Self {
        let mut members: Vec<Vec<&Sighting>> = vec![Vec::new(); census.groups.len()];
        let mut of_host = vec![0_u64; census.hosts.len()];
        for sighting in &census.sightings {
            let group = sighting.group.and_then(|group| members.get_mut(group));
            group.into_iter().for_each(|group| group.push(sighting));
            let host = sighting.event.host.and_then(|host| of_host.get_mut(host));
            host.into_iter().for_each(|count| *count += 1);
        }
        for members in &mut members {
            members.sort_by_key(|one| (Reverse(one.event.time), Reverse(one.tie)));
        }
        Self { census, members, of_host, facts: RefCell::default(), read: Cell::default() }
    }
}

/// The order in which others are drawn: that of splitmix64, the same for all groups.
fn shuffled(row: i64) -> u64 {
    let mixed = row.cast_unsigned().wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
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
