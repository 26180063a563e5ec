//! What is there, read.

use std::io;

use rusqlite::OptionalExtension;

use super::{Store, StoreError};
use crate::triage::{Record, read_record};

impl Store {
    /// The group of the dump called `id`.
    ///
    /// # Errors
    /// Those of the database.
    pub fn group_of(&self, id: &str) -> Result<Option<String>, StoreError> {
        self.connection
            .prepare_cached(
                "SELECT bug.id FROM dump JOIN trace ON trace.n = dump.trace
                 JOIN bug ON bug.n = trace.bug WHERE dump.id = ?1",
            )
            .and_then(|mut statement| statement.query_row([id], |row| row.get(0)).optional())
            .map_err(|source| self.failed(source))
    }

    /// Hands every record to `take`, in the order in which they came, until it fails.
    ///
    /// # Errors
    /// Those of the database.
    pub fn each_record(
        &self,
        take: &mut dyn FnMut(Record) -> io::Result<()>,
    ) -> Result<(), StoreError> {
        let failed = |source| self.failed(source);
        let mut statement = self
            .connection
            .prepare(
                "SELECT record.json, bug.id FROM dump JOIN record ON record.dump = dump.n
                 LEFT JOIN trace ON trace.n = dump.trace LEFT JOIN bug ON bug.n = trace.bug
                 ORDER BY dump.n",
            )
            .map_err(failed)?;
        let mut rows = statement.query([]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            let packed: Vec<u8> = row.get(0).map_err(failed)?;
            let Some(mut record) = unpacked(&packed) else { continue };
            record.group = row.get(1).map_err(failed)?;
            if take(record).is_err() {
                break;
            }
        }
        Ok(())
    }

    /// Whether the file is whole.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self) -> Result<(), StoreError> {
        let said: String = self
            .connection
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .map_err(|source| self.failed(source))?;
        if said == "ok" {
            return Ok(());
        }
        Err(StoreError::NotAStore {
            path: self.path.clone(),
            problem: format!("is damaged: {said}"),
        })
    }
}

pub(super) fn unpacked(packed: &[u8]) -> Option<Record> {
    const MOST: usize = 64 << 20;
    let json = zstd::bulk::decompress(packed, MOST).ok()?;
    read_record(&json).ok()
}
