//! Single dumps and groups, found by their ids.

use std::collections::HashMap;

use obit_redact::Origin;
use rusqlite::types::ValueRef;
use rusqlite::{OptionalExtension, params};

use super::connection::Store;
use super::error::StoreError;
use super::merge_split::merged_into;
use super::packed::unpacked_json;
use crate::groups::CrashKey;
use crate::record::{Record, read_record};

/// What an id, or its start, stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// A group, by its id.
    Group(String),
    /// A group that was merged into another since: its id, and the other's.
    Merged(String, String),
    /// A dump, by its id.
    Dump(String),
    /// More than one thing: some of their ids.
    Several(Vec<String>),
    /// Nothing.
    Nothing,
}

/// Things that one shortened id is said to stand for, at most.
const MOST_ALIKE: i64 = 8;

impl Store {
    /// What `id` stands for: a group's id or name, a crash's or a dump's id, or the start
    /// of one that no other has. The name in whole goes before the start of others.
    ///
    /// # Errors
    /// Those of the database.
    pub fn find(&self, id: &str) -> Result<Found, StoreError> {
        let read = || {
            // One that has dumps before one that was merged into it and has its name.
            let exact: Option<(String, bool)> = self
                .connection
                .query_row(
                    "SELECT id, EXISTS (SELECT 1 FROM trace WHERE bug = bug.n AND dumps > 0)
                     FROM bug WHERE id = ?1 OR (?2 AND name = ?1) ORDER BY 2 DESC LIMIT 1",
                    params![id, self.shows_names()],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )
                .optional()?;
            if let Some((group, has_dumps)) = exact {
                let into = if has_dumps { None } else { merged_into(&self.connection, &group)? };
                return Ok(match into {
                    Some((_, into)) => Found::Merged(group, into),
                    None => Found::Group(group),
                });
            }
            let all = |sql: &str| -> rusqlite::Result<Vec<String>> {
                let mut statement = self.connection.prepare(sql)?;
                let end = format!("{id}\u{10ffff}");
                let rows = statement.query_map(params![id, end, MOST_ALIKE], |row| row.get(0))?;
                rows.collect()
            };
            let groups = all("SELECT id FROM bug WHERE id >= ?1 AND id < ?2 AND EXISTS
                   (SELECT 1 FROM trace WHERE trace.bug = bug.n AND dumps > 0) ORDER BY id LIMIT ?3")?;
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

    pub(super) fn record_in(&self, row: i64) -> rusqlite::Result<Option<Record>> {
        Ok(self.json_in(row)?.and_then(|json| read_record(&json).ok()))
    }

    /// The JSON of a dump's record.
    pub(super) fn json_in(&self, row: i64) -> rusqlite::Result<Option<Vec<u8>>> {
        let mut statement =
            self.connection.prepare_cached("SELECT json FROM record WHERE dump = ?1")?;
        let mut rows = statement.query([row])?;
        let packed = rows.next()?.map(|row| row.get_ref(0)).transpose()?;
        Ok(match packed {
            Some(ValueRef::Blob(packed)) => {
                unpacked_json(packed).and_then(|json| self.seen_json(json))
            }
            _ => None,
        })
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

    /// Paths under which a dump was found.
    ///
    /// # Errors
    /// Those of the database.
    pub fn paths_of(&self, row: i64) -> Result<Vec<String>, StoreError> {
        let read = || {
            let mut statement =
                self.connection.prepare_cached("SELECT shown FROM path WHERE dump = ?1 LIMIT 8")?;
            let rows = statement.query_map([row], |row| row.get(0))?;
            rows.map(|path| Ok(self.seen_text(Origin::Path, path?)))
                .collect::<rusqlite::Result<_>>()
        };
        read().map_err(|source| self.failed(source))
    }

    /// What grouping sees of crashes, by row.
    pub(super) fn keys(&self) -> Result<HashMap<i64, CrashKey>, StoreError> {
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
