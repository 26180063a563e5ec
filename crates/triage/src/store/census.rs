//! Everything that is counted, read.

use std::collections::HashMap;

use rusqlite::types::ValueRef;

use super::connection::Store;
use super::error::StoreError;
use super::words::confidence_named;
use crate::census::{Census, CensusGroup, Sighting};
use crate::history::{Build, Event, State};

impl Store {
    /// Everything that is counted.
    ///
    /// # Errors
    /// Those of the database.
    pub fn census(&self) -> Result<Census, StoreError> {
        self.read_census().map_err(|source| self.failed(source))
    }

    fn read_census(&self) -> rusqlite::Result<Census> {
        let mut census = Census::default();
        // Rows are numbered from 1 and may have gaps.
        let mut builds: HashMap<i64, usize> = HashMap::new();
        let mut statement =
            self.connection.prepare("SELECT n, id, program, version, variant FROM build")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            builds.insert(row.get(0)?, census.builds.len());
            census.builds.push(Build {
                id: row.get(1)?,
                program: row.get(2)?,
                version: row.get(3)?,
                variant: row.get(4)?,
                ..Build::default()
            });
        }
        let mut hosts: HashMap<i64, usize> = HashMap::new();
        let mut statement = self.connection.prepare("SELECT n, name FROM host")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            hosts.insert(row.get(0)?, census.hosts.len());
            census.hosts.push(row.get(1)?);
        }
        let mut groups: HashMap<i64, usize> = HashMap::new();
        let mut statement = self
            .connection
            .prepare("SELECT n, id, name, state, state_build, state_time FROM bug ORDER BY n")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            groups.insert(row.get(0)?, census.groups.len());
            let state: String = row.get(3)?;
            let state = match state.as_str() {
                "resolved" => State::Resolved {
                    in_build: row.get(4)?,
                    at: row.get::<_, Option<i64>>(5)?.unwrap_or(0),
                },
                "ignored" => State::Ignored,
                _ => State::Open,
            };
            census.groups.push(CensusGroup { id: row.get(1)?, name: row.get(2)?, state });
        }
        let mut of_trace: HashMap<i64, usize> = HashMap::new();
        let mut statement = self.connection.prepare("SELECT n, bug FROM trace")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            if let Some(group) = row.get::<_, Option<i64>>(1)?.and_then(|bug| groups.get(&bug)) {
                of_trace.insert(row.get(0)?, *group);
            }
        }
        let mut words: HashMap<Vec<u8>, usize> = HashMap::new();
        let mut statement = self.connection.prepare(
            "SELECT n, trace, build, host, coalesce(time, added), added, class, severity, module,
               confidence, complete FROM dump WHERE status = 'ok'",
        )?;
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
            let trace: Option<i64> = row.get(1)?;
            let build: Option<i64> = row.get(2)?;
            let host: Option<i64> = row.get(3)?;
            let Some(build) = build.and_then(|build| builds.get(&build)) else { continue };
            census.sightings.push(Sighting {
                dump: row.get(0)?,
                group: trace.and_then(|trace| of_trace.get(&trace)).copied(),
                trace: trace.unwrap_or(0),
                event: Event {
                    time: row.get(4)?,
                    added: row.get(5)?,
                    build: *build,
                    host: host.and_then(|host| hosts.get(&host)).copied(),
                },
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
        let failed: i64 = self.connection.query_row(
            "SELECT count(*) FROM dump WHERE status <> 'ok'",
            [],
            |row| row.get(0),
        )?;
        census.code = self.read_code()?;
        census.failed = u64::try_from(failed).unwrap_or(0);
        Ok(census)
    }
}
