//! Everything that is counted, read.

use std::collections::HashMap;

use rusqlite::types::ValueRef;

use super::connection::Store;
use super::error::StoreError;
use super::states::is_web_link;
use super::words::confidence_named;
use crate::census::{Census, CensusGroup, Sighting};
use crate::history::{Build, Event, State};

/// The condition that holds for all dumps.
const ALL: &str = "TRUE";

/// Where in a list what has this row is: rows are numbered from 1 and may have gaps.
type Places = HashMap<i64, usize>;

impl Store {
    /// Everything that is counted.
    pub(super) fn census(&self) -> Result<Census, StoreError> {
        self.read_census(ALL).map_err(|source| self.failed(source))
    }

    /// Of the programs that dumps came of behind the row `after`; all, if none came.
    pub(super) fn census_of_programs(&self, after: i64) -> Result<Census, StoreError> {
        let read = || {
            let has_new = self.connection.query_row(
                "SELECT EXISTS (SELECT 1 FROM dump WHERE n > ?1 AND status = 'ok')",
                [after],
                |row| row.get::<_, bool>(0),
            )?;
            if !has_new {
                return self.read_census(ALL);
            }
            self.read_census(&format!(
                "build IN (SELECT n FROM build WHERE program IN
                   (SELECT program FROM build WHERE n IN (SELECT build FROM dump WHERE n > {after})))"
            ))
        };
        read().map_err(|source| self.failed(source))
    }

    /// `which` is a condition on dumps.
    fn read_census(&self, which: &str) -> rusqlite::Result<Census> {
        let mut census = Census::default();
        let builds = self.read_builds(&mut census)?;
        let hosts = self.read_hosts(&mut census)?;
        let groups = self.read_groups(&mut census)?;
        self.read_sightings(&mut census, which, &builds, &hosts, &groups)?;
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
        let mut places = Places::new();
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
        let mut places = Places::new();
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
        let mut places = Places::new();
        let mut statement = self
            .connection
            .prepare("SELECT n, id, name, state, state_build, state_time, assignee, link FROM bug ORDER BY n")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            places.insert(row.get(0)?, census.groups.len());
            let state: String = row.get(3)?;
            let state = match state.as_str() {
                "resolved" => State::Resolved {
                    in_build: row.get(4)?,
                    at: row.get::<_, Option<i64>>(5)?.unwrap_or(0),
                },
                "ignored" => State::Ignored,
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
        let mut of_key = Places::new();
        let mut statement = self.connection.prepare("SELECT n, bug FROM trace")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            if let Some(group) = row.get::<_, Option<i64>>(1)?.and_then(|bug| places.get(&bug)) {
                of_key.insert(row.get(0)?, *group);
            }
        }
        Ok(of_key)
    }

    fn read_sightings(
        &self,
        census: &mut Census,
        which: &str,
        builds: &Places,
        hosts: &Places,
        groups: &Places,
    ) -> rusqlite::Result<()> {
        let mut words: HashMap<Vec<u8>, usize> = HashMap::new();
        let mut statement = self.connection.prepare(&format!(
            "SELECT n, trace, build, host, coalesce(time, added), added, class, severity, module,
               confidence, complete, time IS NOT NULL FROM dump WHERE status = 'ok' AND {which} ORDER BY n"
        ))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let mut word = |column: usize| -> rusqlite::Result<Option<usize>> {
                let ValueRef::Text(text) = row.get_ref(column)? else { return Ok(None) };
                if let Some(at) = words.get(text) {
                    return Ok(Some(*at));
                }
                words.insert(text.to_owned(), census.words.len());
                census.words.push(String::from_utf8_lossy(text).into_owned());
                Ok(Some(census.words.len() - 1))
            };
            let (class, severity, module) = (word(6)?, word(7)?, word(8)?);
            let place = |column: usize, places: &Places| -> rusqlite::Result<Option<usize>> {
                let n: Option<i64> = row.get(column)?;
                Ok(n.and_then(|n| places.get(&n)).copied())
            };
            let Some(build) = place(2, builds)? else { continue };
            census.sightings.push(Sighting {
                dump: row.get(0)?,
                group: place(1, groups)?,
                key: row.get::<_, Option<i64>>(1)?.unwrap_or(0),
                event: Event {
                    time: row.get(4)?,
                    added: row.get(5)?,
                    build,
                    host: place(3, hosts)?,
                },
                is_dated: row.get(11)?,
                class,
                severity,
                module,
                confidence: match row.get_ref(9)? {
                    ValueRef::Text(word) => confidence_named(word),
                    _ => None,
                },
                is_complete: row.get(10)?,
            });
        }
        Ok(())
    }
}
