//! Files of the store's dumps.

use std::collections::BTreeMap;

use obit_redact::Origin;
use rusqlite::{OptionalExtension, params};

use super::add::FileStamp;
use super::connection::Store;
use super::error::StoreError;

/// A file of a dump.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFile {
    /// SHA-256 of its absolute path.
    pub key: [u8; 32],
    /// The path, as far as it may be shown: of one with a part that is hidden, another.
    pub shown: String,
    /// The group of its dump.
    pub group: Option<String>,
}

impl Store {
    /// The files of the dumps of `group`, or of all; one for each dump.
    ///
    /// # Errors
    /// Those of the database.
    pub fn files(&self, group: Option<&str>) -> Result<Vec<StoredFile>, StoreError> {
        let read = || {
            let mut statement = self.connection.prepare(
                "SELECT min(path.key), path.shown, bug.id FROM dump
                 JOIN path ON path.dump = dump.n
                 LEFT JOIN trace ON trace.n = dump.trace LEFT JOIN bug ON bug.n = trace.bug
                 WHERE ?1 IS NULL OR bug.id = ?1 GROUP BY dump.n ORDER BY dump.n",
            )?;
            let rows = statement.query_map(params![group], |row| {
                let shown = self.seen_text(Origin::Path, row.get(1)?);
                Ok(StoredFile { key: row.get(0)?, shown, group: row.get(2)? })
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|source| self.failed(source))
    }

    /// A file of the dump in a row.
    pub(super) fn file(&self, row: i64) -> Result<Option<StoredFile>, StoreError> {
        let read = || {
            let mut statement = self.connection.prepare_cached(
                "SELECT key, shown FROM path WHERE dump = ?1 ORDER BY key LIMIT 1",
            )?;
            let mut rows = statement.query([row])?;
            let Some(row) = rows.next()? else { return Ok(None) };
            let shown = self.seen_text(Origin::Path, row.get(1)?);
            Ok(Some(StoredFile { key: row.get(0)?, shown, group: None }))
        };
        read().map_err(|source| self.failed(source))
    }

    /// The state of a file when it was read, by the digest of its path.
    ///
    /// # Errors
    /// Those of the database.
    pub fn stamp(&self, key: &[u8; 32]) -> Result<Option<FileStamp>, StoreError> {
        let read = || {
            let mut statement = self
                .connection
                .prepare_cached("SELECT size, mtime, inode, device FROM path WHERE key = ?1")?;
            let row = statement.query_row([key.as_slice()], |row| {
                let unsigned = |at| row.get::<_, i64>(at).map(i64::cast_unsigned);
                Ok(FileStamp {
                    key: *key,
                    size: unsigned(0)?,
                    mtime: row.get(1)?,
                    inode: unsigned(2)?,
                    device: unsigned(3)?,
                })
            });
            row.optional()
        };
        read().map_err(|source| self.failed(source))
    }

    /// The group of each file of the store.
    ///
    /// # Errors
    /// Those of the database.
    pub fn group_of_files(&self) -> Result<BTreeMap<[u8; 32], String>, StoreError> {
        let read = || {
            let mut statement = self.connection.prepare(
                "SELECT path.key, bug.id FROM path JOIN dump ON dump.n = path.dump
                 JOIN trace ON trace.n = dump.trace JOIN bug ON bug.n = trace.bug",
            )?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect::<rusqlite::Result<BTreeMap<_, _>>>()
        };
        read().map_err(|source| self.failed(source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::Rules;
    use crate::store::PackedRecord;
    use crate::testkit::crash;

    #[test]
    fn each_dump_has_a_file_and_a_group() {
        let mut store = Store::temporary().unwrap();
        for number in 1..4 {
            let crash = crash(number, 1, &Rules::built_in());
            store.add(&[(crash.stamp, PackedRecord::of(&crash.record).unwrap())], 0).unwrap();
        }
        store.regroup().unwrap();
        let all = store.files(None).unwrap();
        assert_eq!(all.len(), 3);
        let group = all[0].group.clone().unwrap();
        let of_group = store.files(Some(&group)).unwrap();
        assert!(of_group.contains(&all[0]));
        assert!(of_group.iter().all(|file| file.group.as_ref() == Some(&group)));
        assert_eq!(store.group_of_files().unwrap().get(&all[0].key), Some(&group));
        assert_eq!(store.files(Some("no such group")).unwrap(), []);
    }
}
