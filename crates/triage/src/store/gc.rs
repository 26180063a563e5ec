//! Room is made: old records go, what is counted stays.

use rusqlite::params;

use super::connection::Store;
use super::error::StoreError;

/// What is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Records of dumps from this time on, seconds since 1970.
    pub since: i64,
    /// The newest records of each group, whatever their age.
    pub per_group: u64,
}

/// What is gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Removed {
    /// Records.
    pub records: u64,
    /// Bytes that the file is shorter by.
    pub bytes: u64,
}

impl Store {
    /// Gives up the records of old dumps: stack, values, modules. That there was a dump,
    /// when, where, of which build and group stays for ever, so neither counts nor history
    /// change.
    ///
    /// # Errors
    /// Those of the database.
    pub fn collect(&mut self, keep: Keep) -> Result<Removed, StoreError> {
        let before = self.bytes()?;
        let per_group = i64::try_from(keep.per_group).unwrap_or(i64::MAX);
        let records = self.change(|transaction| {
            let records = transaction.execute(
                "WITH ranked AS (
                   SELECT dump.n, coalesce(time, added) AS ended, row_number() OVER (
                     PARTITION BY coalesce(trace.bug, -1)
                     ORDER BY coalesce(time, added) DESC, dump.n DESC) AS place
                   FROM dump LEFT JOIN trace ON trace.n = dump.trace WHERE kept)
                 UPDATE dump SET kept = 0
                 WHERE n IN (SELECT n FROM ranked WHERE ended < ?1 AND place > ?2)",
                params![keep.since, per_group],
            )?;
            transaction.execute(
                "DELETE FROM record WHERE dump IN (SELECT n FROM dump WHERE NOT kept)",
                [],
            )?;
            Ok(records)
        })?;
        self.connection
            .execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)")
            .map_err(|source| self.failed(source))?;
        let bytes = before.saturating_sub(self.bytes()?);
        Ok(Removed { records: records as u64, bytes })
    }

    fn bytes(&self) -> Result<u64, StoreError> {
        self.connection
            .query_row(
                "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
                [],
                |row| row.get::<_, i64>(0),
            )
            .map(|bytes| u64::try_from(bytes).unwrap_or(0))
            .map_err(|source| self.failed(source))
    }
}
