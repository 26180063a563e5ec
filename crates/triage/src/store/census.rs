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
        self.read_census().map_err(|source| self.failed(source))
    }

    /// Of the programs that dumps came of behind the row `after`; all, if none came.
    pub(super) fn census_of_programs(&self, after: i64) -> Result<Census, StoreError> {
        let mut census = self.census()?;
        let Census { builds, sightings, .. } = &mut census;
        let program = |sighting: &Sighting| {
            builds.get(sighting.event.build).map(|build| build.program.as_str())
        };
        let new = sightings.iter().filter(|sighting| sighting.dump > after);
        let programs: HashSet<&str> = new.filter_map(program).collect();
        if !programs.is_empty() {
            sightings.retain(|one| program(one).is_some_and(|name| programs.contains(name)));
        }
        Ok(census)
    }

    fn read_census(&self) -> rusqlite::Result<Census> {
        let mut census = Census::default();
        let builds = self.read_builds(&mut census)?;
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
        Ok(census)
    }

    fn read_builds(&self, census: &mut Census) -> rusqlite::Result<Places> {
        let mut places = Places::default();
        let mut statement =
            self.connection.prepare("SELECT n, id, program, version, variant, local FROM build")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            places.insert(row.get(0)?, census.builds.len());
            census.builds.push(Build {
                id: row.get(1)?,
                program: row.get(2)?,
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
        let mut statement = self.connection.prepare("SELECT n, name FROM host")?;
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
            .prepare("SELECT n, id, name, state, state_build, state_time, assignee, link FROM bug ORDER BY n")?;
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
        let mut statement = self.connection.prepare("SELECT n, bug FROM trace")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            if let Some(group) = row.get::<_, Option<i64>>(1)?.and_then(|bug| places.get(bug)) {
                of_key.insert(row.get(0)?, group);
            }
        }
        Ok(of_key)
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
        })
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
