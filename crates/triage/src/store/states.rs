//! What the user says of a group: its state and remarks.

use rusqlite::params;

use super::connection::Store;
use super::error::StoreError;
use crate::history::State;

/// A remark of the user's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Seconds since 1970.
    pub time: i64,
    /// What was said.
    pub text: String,
}

impl Store {
    /// Writes down what the user says of a group. `at` is when, in seconds since 1970.
    ///
    /// # Errors
    /// Those of the database.
    pub fn set_state(&mut self, group: &str, state: &State, at: i64) -> Result<(), StoreError> {
        let build = match state {
            State::Resolved { in_build, .. } => in_build.as_deref(),
            State::Open | State::Ignored => None,
        };
        self.connection
            .execute(
                "UPDATE bug SET state = ?2, state_build = ?3, state_time = ?4 WHERE id = ?1",
                params![group, state.word(), build, at],
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
}
