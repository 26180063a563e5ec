//! Everything that is counted, read.

use std::collections::{HashMap, HashSet};

use rusqlite::types::ValueRef;

use super::connection::Store;
use super::error::StoreError;
use super::sightings::{about, each_block};
use super::states::is_web_link;
use crate::census::{Census, CensusGroup, Sighting};
use crate::history::{Build, Event, State};

impl Store {
    /// Everything that is counted.
    pub(super) fn census(&self) -> Result<Census, StoreError> {
        let census = self.read_census().map_err(|source| self.failed(source))?;
        Ok(self.seen_census(census))
    }

    /// Of the programs that dumps came of behind the row `after`; all, if none came. Hosts and
    /// what is known of groups are left out.
    pub(super) fn census_of_programs(&self, after: i64) -> Result<Census, StoreError> {
        let read = || {
            let mut programs = self.connection.prepare(
                "SELECT DISTINCT program FROM build WHERE n IN
                   (SELECT build FROM dump WHERE n > ?1 AND status = 'ok')",
            )?;
            let programs = programs.query_map([after], |row| row.get(0))?;
            let programs: HashSet<String> = programs.collect::<rusqlite::Result<_>>()?;
            let mut census = Census::default();
            let builds = self.read_builds(&mut census, |program| {
                programs.is_empty() || programs.contains(program)
            })?;
            let mut groups = Places::default();
            self.read_traces(&mut |trace, bug| {
                usize::try_from(bug).into_iter().for_each(|bug| groups.insert(trace, bug));
            })?;
            self.read_sightings(&mut census, &builds, &Places::default(), &groups)?;
            census.code = self.read_code()?;
            self.break_ties(&mut census)?;
            Ok(census)
        };
        read().map_err(|source| self.failed(source))
    }

    fn read_census(&self) -> rusqlite::Result<Census> {
        let mut census = Census::default();
        let builds = self.read_builds(&mut census, |_| true)?;
        let hosts = self.read_hosts(&mut census)?;
        let groups = self.read_groups(&mut census)?;
        self.read_sightings(&mut census, &builds, &hosts, &groups)?;
        let failed: i64 = self.connection.query_row(
            "SELECT count(*) FROM dump WHERE status <> 'ok'",
            [],
            |row| row.get(0),
        )?;
        census.failed = u64::try_from(failed).unwrap_or(0);
        census.code = self.read_code()?;
        census.key_order = self.key_order()?;
        census.sort_words();
        self.break_ties(&mut census)?;
        Ok(census)
    }

    /// The builds of the programs that `takes` wants.
    fn read_builds(
        &self,
        census: &mut Census,
        takes: impl Fn(&str) -> bool,
    ) -> rusqlite::Result<Places> {
        let mut places = Places::default();
        let mut statement = self.connection.prepare(
            "SELECT n, id, program, version, variant, local FROM build ORDER BY program, id",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let program: String = row.get(2)?;
            if !takes(&program) {
                continue;
            }
            places.insert(row.get(0)?, census.builds.len());
            census.builds.push(Build {
                id: row.get(1)?,
                program,
                version: row.get(3)?,
                variant: row.get(4)?,
                is_local: row.get(5)?,
                ..Build::default()
            });
        }
        Ok(places)
    }

    fn read_hosts(&self, census: &mut Census) -> rusqlite::Result<Places> {
        let mut places = Places::default();
        let mut statement = self.connection.prepare("SELECT n, name FROM host ORDER BY name")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            places.insert(row.get(0)?, census.hosts.len());
            census.hosts.push(row.get(1)?);
        }
        Ok(places)
    }

    /// The groups; gives the place of the group that crashes with each key are in.
    fn read_groups(&self, census: &mut Census) -> rusqlite::Result<Places> {
        let mut places = Places::default();
        let mut statement = self
            .connection
            .prepare("SELECT n, id, name, state, state_build, state_time, assignee, link FROM bug ORDER BY id")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            places.insert(row.get(0)?, census.groups.len());
            let state = match row.get_ref(3)? {
                ValueRef::Text(b"resolved") => State::Resolved {
                    in_build: row.get(4)?,
                    at: row.get::<_, Option<i64>>(5)?.unwrap_or(0),
                },
                ValueRef::Text(b"ignored") => State::Ignored,
                _ => State::Open,
            };
            census.groups.push(CensusGroup {
                id: row.get(1)?,
                name: row.get(2)?,
                state,
                assignee: row.get(6)?,
                // Another store may have had anything in it.
                link: row.get::<_, Option<String>>(7)?.filter(|link| is_web_link(link)),
            });
        }
        let mut of_key = Places::default();
        self.read_traces(&mut |trace, bug| {
            places.get(bug).into_iter().for_each(|group| of_key.insert(trace, group));
        })?;
        Ok(of_key)
    }

    /// Hands the row of each key to `take`, with that of the group that crashes with it are in.
    fn read_traces(&self, take: &mut dyn FnMut(i64, i64)) -> rusqlite::Result<()> {
        let mut statement = self.connection.prepare("SELECT n, bug FROM trace")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            if let Some(bug) = row.get(1)? {
                take(row.get(0)?, bug);
            }
        }
        Ok(())
    }

    fn read_sightings(
        &self,
        census: &mut Census,
        builds: &Places,
        hosts: &Places,
        groups: &Places,
    ) -> rusqlite::Result<()> {
        let Census { words, sightings, .. } = census;
        sightings.reserve(about(&self.connection)?);
        let mut known: HashMap<String, usize> = HashMap::new();
        each_block(&self.connection, &mut |block| {
            let mut place = |word: &String| {
                known.get(word).copied().unwrap_or_else(|| {
                    known.insert(word.clone(), words.len());
                    words.push(word.clone());
                    words.len() - 1
                })
            };
            let places: Vec<usize> = block.words.iter().map(&mut place).collect();
            for counted in &block.dumps {
                let Some(build) = counted.build.and_then(|n| builds.get(n)) else { continue };
                let word = |at: Option<usize>| at.and_then(|at| places.get(at)).copied();
                let [class, severity, module] = counted.words.map(word);
                sightings.push(Sighting {
                    dump: counted.dump,
                    group: counted.trace.and_then(|n| groups.get(n)),
                    tie: 0,
                    key: counted.trace.unwrap_or(0),
                    event: Event {
                        time: counted.time,
                        added: counted.added,
                        build,
                        host: counted.host.and_then(|n| hosts.get(n)),
                    },
                    is_dated: counted.is_dated,
                    class,
                    severity,
                    module,
                    confidence: counted.confidence,
                    is_complete: counted.is_complete,
                });
            }
        })?;
        census.doubt_later_dates();
        Ok(())
    }
}

/// Where in a list what has this row is. Rows are numbered from 1 and have few gaps, but a
/// file may say anything.
#[derive(Default)]
struct Places {
    near: Vec<Option<usize>>,
    far: HashMap<i64, usize>,
}

impl Places {
    /// Rows up to which places are in a list.
    const NEAR: usize = 1 << 20;

    fn insert(&mut self, n: i64, place: usize) {
        match usize::try_from(n) {
            Ok(at) if at < Self::NEAR => {
                if self.near.len() <= at {
                    self.near.resize(at + 1, None);
                }
                if let Some(slot) = self.near.get_mut(at) {
                    *slot = Some(place);
                }
            }
            _ => drop(self.far.insert(n, place)),
        }
    }

    fn get(&self, n: i64) -> Option<usize> {
        match usize::try_from(n) {
            Ok(at) if at < Self::NEAR => self.near.get(at).copied().flatten(),
            _ => self.far.get(&n).copied(),
        }
    }
}
