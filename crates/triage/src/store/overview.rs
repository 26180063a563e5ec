//! What the views ask of the store.

use std::collections::HashMap;

use rusqlite::types::ValueRef;
use rusqlite::{OptionalExtension, params};

use super::{Store, StoreError};
use crate::history::{Build, Event, State};
use crate::incoming::unpacked;
use crate::overview::{
    Census, CensusGroup, GroupSummary, Overview, Sighting, ViewOptions, overview,
};
use crate::{Record, Trace};
use obit_report::Confidence;

/// What an id, or its start, stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// A group, by its id.
    Group(String),
    /// A dump, by its id.
    Dump(String),
    /// More than one thing: some of their ids.
    Several(Vec<String>),
    /// Nothing.
    Nothing,
}

/// A remark of the user's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Seconds since 1970.
    pub time: i64,
    /// What was said.
    pub text: String,
}

/// Things that one shortened id is said to stand for, at most.
const MOST_ALIKE: i64 = 8;

impl Store {
    /// Everything that is counted.
    ///
    /// # Errors
    /// Those of the database.
    pub fn census(&self) -> Result<Census, StoreError> {
        self.read_census().map_err(|source| self.failed(source))
    }

    /// The groups as `options` ask for them, at most `most`, each with its signature and
    /// what its example says.
    ///
    /// # Errors
    /// Those of the database.
    pub fn overview(&self, options: &ViewOptions, most: usize) -> Result<Overview, StoreError> {
        let mut census = self.census()?;
        let mut found = overview(&mut census, options);
        self.sign(&mut found)?;
        found.retain(&options.filter);
        found.groups.truncate(most);
        for group in &mut found.groups {
            self.describe(group).map_err(|source| self.failed(source))?;
        }
        Ok(found)
    }

    /// Fills in the signatures.
    pub(super) fn sign(&self, found: &mut Overview) -> Result<(), StoreError> {
        let signatures = self.foremost_signatures().map_err(|source| self.failed(source))?;
        for group in &mut found.groups {
            let signature = group.trace_row.and_then(|row| signatures.get(&row));
            group.signature = signature.cloned().unwrap_or_default();
        }
        Ok(())
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
                    ValueRef::Text(b"proved") => Some(Confidence::Proved),
                    ValueRef::Text(b"likely") => Some(Confidence::Likely),
                    ValueRef::Text(b"guess") => Some(Confidence::Guess),
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

    /// Signatures in words, by row of their trace.
    fn foremost_signatures(&self) -> rusqlite::Result<HashMap<i64, String>> {
        let mut statement =
            self.connection.prepare("SELECT n, json_extract(json, '$.text') FROM trace")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect()
    }

    /// Fills in what the example says.
    fn describe(&self, group: &mut GroupSummary) -> rusqlite::Result<()> {
        let Some(row) = group.example_row else { return Ok(()) };
        let id = self
            .connection
            .query_row("SELECT id FROM dump WHERE n = ?1", [row], |row| row.get::<_, String>(0));
        group.example = id.optional()?;
        let record = self.record_in(row)?;
        let cause = record.and_then(|record| record.cause);
        group.title = cause.map(|cause| cause.title.into_string());
        Ok(())
    }

    /// Fills in a group's signature and what its example says.
    pub(super) fn fill_in(&self, group: &mut GroupSummary) -> Result<(), StoreError> {
        let read = |group: &mut GroupSummary| -> rusqlite::Result<()> {
            let signature: Option<String> = self
                .connection
                .prepare_cached("SELECT json_extract(json, '$.text') FROM trace WHERE n = ?1")?
                .query_row([group.trace_row], |row| row.get(0))
                .optional()?;
            group.signature = signature.unwrap_or_default();
            self.describe(group)
        };
        read(group).map_err(|source| self.failed(source))
    }

    /// Ids of the dump in a row: the dump's and the crash's.
    pub(super) fn ids_of(&self, row: i64) -> Result<Option<(String, String)>, StoreError> {
        self.connection
            .prepare_cached("SELECT id, crash FROM dump WHERE n = ?1")
            .and_then(|mut statement| {
                statement.query_row([row], |row| Ok((row.get(0)?, row.get(1)?))).optional()
            })
            .map_err(|source| self.failed(source))
    }

    fn record_in(&self, row: i64) -> rusqlite::Result<Option<Record>> {
        let packed: Option<Vec<u8>> = self
            .connection
            .prepare_cached("SELECT json FROM record WHERE dump = ?1")?
            .query_row([row], |row| row.get(0))
            .optional()?;
        Ok(packed.and_then(|packed| unpacked(&packed)))
    }

    /// The record of a dump's row, if its body is still there.
    ///
    /// # Errors
    /// Those of the database.
    pub fn record(&self, row: i64) -> Result<Option<Record>, StoreError> {
        self.record_in(row).map_err(|source| self.failed(source))
    }

    /// The record of the dump called `id`, with its group.
    ///
    /// # Errors
    /// Those of the database.
    pub fn record_of(&self, id: &str) -> Result<Option<Record>, StoreError> {
        let read = || {
            let row: Option<i64> = self
                .connection
                .query_row("SELECT n FROM dump WHERE id = ?1", [id], |row| row.get(0))
                .optional()?;
            match row {
                Some(row) => self.record_in(row),
                None => Ok(None),
            }
        };
        let mut record = read().map_err(|source| self.failed(source))?;
        if let Some(record) = &mut record {
            record.group = self.group_of(id)?;
        }
        Ok(record)
    }

    /// What `id` stands for: a group's id or name, a crash's or a dump's id, or the start
    /// of one that no other has. The name in whole goes before the start of others.
    ///
    /// # Errors
    /// Those of the database.
    pub fn find(&self, id: &str) -> Result<Found, StoreError> {
        let read = || {
            let exact: Option<String> = self
                .connection
                .query_row("SELECT id FROM bug WHERE id = ?1 OR name = ?1", [id], |row| row.get(0))
                .optional()?;
            if let Some(group) = exact {
                return Ok(Found::Group(group));
            }
            let all = |sql: &str| -> rusqlite::Result<Vec<String>> {
                let mut statement = self.connection.prepare(sql)?;
                let end = format!("{id}\u{10ffff}");
                let rows = statement.query_map(params![id, end, MOST_ALIKE], |row| row.get(0))?;
                rows.collect()
            };
            let groups = all("SELECT id FROM bug WHERE id >= ?1 AND id < ?2 AND EXISTS
                   (SELECT 1 FROM trace WHERE trace.bug = bug.n) ORDER BY id LIMIT ?3")?;
            let dumps = all("SELECT id FROM (SELECT id FROM dump WHERE crash >= ?1 AND crash < ?2
                   UNION SELECT id FROM dump WHERE id >= ?1 AND id < ?2) ORDER BY id LIMIT ?3")?;
            Ok(match (groups.as_slice(), dumps.as_slice()) {
                _ if id.is_empty() => Found::Nothing,
                ([], []) => Found::Nothing,
                ([group], []) => Found::Group(group.clone()),
                ([], [dump]) => Found::Dump(dump.clone()),
                _ => Found::Several(groups.into_iter().chain(dumps).collect()),
            })
        };
        read().map_err(|source| self.failed(source))
    }

    /// Writes down what the user says of a group. `at` is when, in seconds since 1970.
    ///
    /// # Errors
    /// Those of the database.
    pub fn set_state(&mut self, group: &str, state: &State, at: i64) -> Result<(), StoreError> {
        let (word, build) = match state {
            State::Open => ("open", None),
            State::Resolved { in_build, .. } => ("resolved", in_build.clone()),
            State::Ignored => ("ignored", None),
        };
        self.connection
            .execute(
                "UPDATE bug SET state = ?2, state_build = ?3, state_time = ?4 WHERE id = ?1",
                params![group, word, build, at],
            )
            .map(drop)
            .map_err(|source| self.failed(source))
    }

    /// Adds a remark to a group.
    ///
    /// # Errors
    /// Those of the database.
    pub fn add_note(&mut self, group: &str, text: &str, at: i64) -> Result<(), StoreError> {
        self.connection
            .execute(
                "INSERT INTO note (bug, time, text) SELECT n, ?2, ?3 FROM bug WHERE id = ?1",
                params![group, at, text],
            )
            .map(drop)
            .map_err(|source| self.failed(source))
    }

    /// The remarks on a group, oldest first.
    ///
    /// # Errors
    /// Those of the database.
    pub fn notes(&self, group: &str) -> Result<Vec<Note>, StoreError> {
        let read = || {
            let mut statement = self.connection.prepare(
                "SELECT note.time, note.text FROM note JOIN bug ON bug.n = note.bug
                 WHERE bug.id = ?1 ORDER BY note.time, note.n",
            )?;
            let rows = statement
                .query_map([group], |row| Ok(Note { time: row.get(0)?, text: row.get(1)? }))?;
            rows.collect::<rusqlite::Result<_>>()
        };
        read().map_err(|source| self.failed(source))
    }

    /// Groups that may be the same as this, and how alike they are, the most alike first.
    ///
    /// # Errors
    /// Those of the database.
    pub fn suspected_same(&self, group: &str) -> Result<Vec<(String, f64)>, StoreError> {
        let read = || {
            let mut statement = self.connection.prepare(
                "SELECT other.id, likeness FROM suspected
                 JOIN bug AS this ON this.n IN (suspected.one, suspected.other)
                 JOIN bug AS other ON other.n IN (suspected.one, suspected.other)
                   AND other.n <> this.n
                 WHERE this.id = ?1 ORDER BY likeness DESC, other.id",
            )?;
            let rows = statement.query_map([group], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect::<rusqlite::Result<_>>()
        };
        read().map_err(|source| self.failed(source))
    }

    /// The same of all groups, by their ids.
    pub(super) fn all_suspected_same(
        &self,
    ) -> Result<HashMap<String, Vec<(String, f64)>>, StoreError> {
        let read = || {
            let mut statement = self.connection.prepare(
                "SELECT a.id, b.id, likeness FROM suspected
                 JOIN bug AS a ON a.n = suspected.one JOIN bug AS b ON b.n = suspected.other",
            )?;
            let mut rows = statement.query([])?;
            let mut all: HashMap<String, Vec<(String, f64)>> = HashMap::new();
            while let Some(row) = rows.next()? {
                let (one, other): (String, String) = (row.get(0)?, row.get(1)?);
                let likeness = row.get(2)?;
                all.entry(one.clone()).or_default().push((other.clone(), likeness));
                all.entry(other).or_default().push((one, likeness));
            }
            for likes in all.values_mut() {
                likes.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            }
            Ok(all)
        };
        read().map_err(|source| self.failed(source))
    }

    /// Paths under which a dump was found.
    ///
    /// # Errors
    /// Those of the database.
    pub fn paths_of(&self, row: i64) -> Result<Vec<String>, StoreError> {
        let read = || {
            let mut statement =
                self.connection.prepare_cached("SELECT shown FROM path WHERE dump = ?1 LIMIT 8")?;
            let rows = statement.query_map([row], |row| row.get(0))?;
            rows.collect::<rusqlite::Result<_>>()
        };
        read().map_err(|source| self.failed(source))
    }

    /// The trace in a row.
    ///
    /// # Errors
    /// Those of the database.
    pub fn traces(&self) -> Result<HashMap<i64, Trace>, StoreError> {
        let read = || {
            let mut statement = self.connection.prepare("SELECT n, json FROM trace")?;
            let rows = statement.query_map([], |row| {
                let json: String = row.get(1)?;
                Ok((row.get(0)?, serde_json::from_str(&json).unwrap_or_default()))
            })?;
            rows.collect::<rusqlite::Result<_>>()
        };
        read().map_err(|source| self.failed(source))
    }
}
