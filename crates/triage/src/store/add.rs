//! Dumps come in.

use std::io;

use rusqlite::{OptionalExtension, Transaction, params};
use sha2::{Digest, Sha256};

use super::connection::Store;
use super::error::StoreError;
use super::head::{BuildHead, RecordHead};
use super::packed::{PackedRecord, unpacked};
use super::rows::interned;
use super::words::confidence_word;
use crate::record::RecordStatus;

/// What shows whether a file is still the one that was read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FileStamp {
    /// SHA-256 of the absolute path.
    pub key: [u8; 32],
    /// Bytes.
    pub size: u64,
    /// Time of the last change, nanoseconds since 1970.
    pub mtime: i64,
    /// Inode number.
    pub inode: u64,
    /// Device.
    pub device: u64,
}

/// What became of records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Added {
    /// Were not known.
    pub new: u64,
    /// Were known from another path, or from an earlier run.
    pub known: u64,
    /// Now replace an incomplete one.
    pub completed: u64,
}

impl Store {
    /// Whether the file was read before and is still the same.
    ///
    /// # Errors
    /// Those of the database.
    pub fn is_known(&self, file: &FileStamp) -> Result<bool, StoreError> {
        let found = self
            .connection
            .prepare_cached(
                "SELECT 1 FROM path WHERE key = ?1 AND size = ?2 AND mtime = ?3
                 AND inode = ?4 AND device = ?5",
            )
            .and_then(|mut statement| {
                let (inode, device) = (signed(file.inode), signed(file.device));
                let values = params![file.key.as_slice(), size_of(file), file.mtime, inode, device];
                statement.query_row(values, |_| Ok(())).optional()
            })
            .map_err(|source| self.failed(source))?;
        Ok(found.is_some())
    }

    /// Whether a file was read before, whatever became of it since.
    ///
    /// # Errors
    /// Those of the database.
    pub fn has_file(&self, key: &[u8; 32]) -> Result<bool, StoreError> {
        self.connection
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM path WHERE key = ?1)")
            .and_then(|mut statement| statement.query_row([key.as_slice()], |row| row.get(0)))
            .map_err(|source| self.failed(source))
    }

    /// Adds records in one transaction: all of them or, on an error, none.
    /// `now` is in seconds since 1970.
    ///
    /// # Errors
    /// Those of the database.
    pub fn add(
        &mut self,
        records: &[(FileStamp, PackedRecord)],
        now: i64,
    ) -> Result<Added, StoreError> {
        self.change(|transaction| {
            let mut added = Added::default();
            for (stamp, record) in records {
                add(transaction, stamp, record, now, &mut added)?;
            }
            Ok(added)
        })
    }
}

impl Store {
    /// Adds all records that `next` gives, in one transaction: all of them or, on an error,
    /// none. They may be of other machines, where another file has a path that is known here.
    /// `now` is in seconds since 1970.
    ///
    /// # Errors
    /// Those of the database and of `next`.
    pub fn add_all(
        &mut self,
        next: &mut dyn Iterator<Item = io::Result<(FileStamp, PackedRecord)>>,
        now: i64,
    ) -> Result<Added, StoreError> {
        self.change_once(|transaction| {
            let mut added = Added::default();
            for entry in next {
                let (mut stamp, record) = entry.map_err(StoreError::Records)?;
                let host = record.head().host.as_deref();
                if is_of_other_file(transaction, &stamp, host)? {
                    stamp.key = key_beside(&stamp, host);
                }
                add(transaction, &stamp, &record, now, &mut added)?;
            }
            Ok(added)
        })
    }
}

/// Whether the path is known, of another file. Machines that are copies of each other may have
/// the same numbers.
fn is_of_other_file(
    transaction: &Transaction<'_>,
    stamp: &FileStamp,
    host: Option<&str>,
) -> rusqlite::Result<bool> {
    let known: Option<(i64, i64, Option<String>)> = transaction
        .prepare_cached(
            "SELECT path.inode, path.device, host.name FROM path
             JOIN dump ON dump.n = path.dump LEFT JOIN host ON host.n = dump.host WHERE key = ?1",
        )?
        .query_row([stamp.key.as_slice()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    Ok(known.is_some_and(|(inode, device, name)| {
        let is_elsewhere = name.as_deref().zip(host).is_some_and(|(known, host)| known != host);
        is_elsewhere || (inode, device) != (signed(stamp.inode), signed(stamp.device))
    }))
}

/// What the file is known by beside the one whose path it has.
fn key_beside(stamp: &FileStamp, host: Option<&str>) -> [u8; 32] {
    let hasher = Sha256::new().chain_update(b"obit.file/2\n").chain_update(stamp.key);
    let hasher = hasher.chain_update(stamp.inode.to_le_bytes());
    let hasher = hasher.chain_update(stamp.device.to_le_bytes());
    hasher.chain_update(host.unwrap_or_default()).finalize().into()
}

/// What of a dump that may be the same as a new one is looked at.
struct OldDump {
    n: i64,
    id: String,
    crash: String,
    is_complete: bool,
    is_kept: bool,
    time: Option<i64>,
}

impl OldDump {
    const COLUMNS: &'static str =
        "dump.n, dump.id, dump.crash, dump.complete, dump.kept, dump.time";

    fn of(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        let (n, id, crash) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let (is_complete, is_kept) = (row.get(3)?, row.get(4)?);
        Ok(Self { n, id, crash, is_complete, is_kept, time: row.get(5)? })
    }
}

/// A file that was read when only a part of it was there is replaced, not counted beside.
fn add(
    transaction: &Transaction<'_>,
    stamp: &FileStamp,
    record: &PackedRecord,
    now: i64,
    added: &mut Added,
) -> rusqlite::Result<()> {
    let head = record.head();
    let columns = OldDump::COLUMNS;
    let before = transaction
        .prepare_cached(&format!(
            "SELECT {columns}, path.size, path.inode, path.device FROM path
             JOIN dump ON dump.n = path.dump WHERE key = ?1"
        ))?
        .query_row([stamp.key.as_slice()], |row| {
            Ok((OldDump::of(row)?, (row.get(6)?, row.get(7)?, row.get(8)?)))
        })
        .optional()?;
    let is_complete = head.is_complete;
    let mut gone = None;
    let dump = match same(transaction, head)? {
        Some(old) if old.is_complete || !is_complete => {
            added.known += 1;
            let is_copy = is_complete == old.is_complete;
            if is_copy && head.dump == old.id && is_earlier(head.time, old.time) {
                gone = Some(old.n);
                replaced(transaction, old.n, record, now)?
            } else {
                if !old.is_kept && is_copy {
                    keep_again(transaction, old.n, record)?;
                }
                old.n
            }
        }
        Some(old) => {
            added.completed += 1;
            gone = Some(old.n);
            replaced(transaction, old.n, record, now)?
        }
        None => {
            added.new += 1;
            insert(transaction, record, is_complete, now)?
        }
    };
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO path (key, shown, size, mtime, inode, device, dump)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            stamp.key.as_slice(),
            head.path,
            size_of(stamp),
            stamp.mtime,
            signed(stamp.inode),
            signed(stamp.device),
            dump,
        ])?;
    let is_other = |old: &OldDump| old.n != dump && Some(old.n) != gone && !old.is_complete;
    let Some((old, was)) = before.filter(|(old, _)| is_other(old)) else { return Ok(()) };
    let is_elsewhere: bool = transaction
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM path WHERE dump = ?1)")?
        .query_row([old.n], |row| row.get(0))?;
    if !is_elsewhere && is_part_of(transaction, &old, was, stamp, head)? {
        transaction.execute("DELETE FROM dump WHERE n = ?1", [old.n])?;
        added.completed += 1;
        added.new = added.new.saturating_sub(1);
    }
    Ok(())
}

/// Whether a copy of a dump has a time before that of the other. A file that is copied may
/// get the time of the copy; which of the two is read first does not count.
fn is_earlier(time: Option<i64>, than: Option<i64>) -> bool {
    time.is_some_and(|time| than.is_none_or(|than| time < than))
}

/// The dump that `record` is another copy of. A cut core may lack what its name ends with.
fn same(transaction: &Transaction<'_>, head: &RecordHead) -> rusqlite::Result<Option<OldDump>> {
    let columns = OldDump::COLUMNS;
    let same = transaction
        .prepare_cached(&format!("SELECT {columns} FROM dump WHERE id = ?1"))?
        .query_row([&head.dump], OldDump::of)
        .optional()?;
    if same.is_some() || head.crash.is_empty() {
        return Ok(same);
    }
    let mut statement = transaction
        .prepare_cached(&format!("SELECT {columns} FROM dump WHERE crash = ?1 ORDER BY n"))?;
    let named = statement.query_map([&head.crash], OldDump::of)?;
    for old in named {
        let old = old?;
        let is_prefix = |short: &str, long: &str| long.starts_with(short);
        let is_cut_off = |old: &OldDump| {
            (!old.is_complete && is_prefix(&old.id, &head.dump))
                || (!head.is_complete && is_prefix(&head.dump, &old.id))
        };
        if is_cut_off(&old) {
            return Ok(Some(old));
        }
    }
    Ok(None)
}

/// Whether what was read of a file before was a part of what it holds now, and not another
/// crash that was written to the same name.
fn is_part_of(
    transaction: &Transaction<'_>,
    old: &OldDump,
    (size, inode, device): (i64, i64, i64),
    stamp: &FileStamp,
    head: &RecordHead,
) -> rusqlite::Result<bool> {
    // Nothing was known of it but its name.
    if old.crash.is_empty() {
        return Ok(true);
    }
    if old.crash == head.crash {
        return Ok(true);
    }
    // It grew: its last notes came, and with them another name.
    let has_grown =
        (inode, device) == (signed(stamp.inode), signed(stamp.device)) && size <= size_of(stamp);
    if !has_grown {
        return Ok(false);
    }
    let packed: Option<Vec<u8>> = transaction
        .query_row("SELECT json FROM record WHERE dump = ?1", [old.n], |row| row.get(0))
        .optional()?;
    // The thread that crashed comes first, so a part of its core has it.
    let was = packed.and_then(|packed| unpacked(&packed)).map(|was| RecordHead::of(&was));
    Ok(was.is_some_and(|was| {
        let pids = was.pid.zip(head.pid);
        pids.is_none_or(|(was, is)| was == is) && was.crashed_at == head.crashed_at
    }))
}

fn size_of(stamp: &FileStamp) -> i64 {
    i64::try_from(stamp.size).unwrap_or(i64::MAX)
}

fn signed(number: u64) -> i64 {
    i64::from_ne_bytes(number.to_ne_bytes())
}

/// Puts back a record that was deleted or lost.
fn keep_again(
    transaction: &Transaction<'_>,
    dump: i64,
    record: &PackedRecord,
) -> rusqlite::Result<()> {
    insert_body(transaction, dump, record)?;
    transaction.execute(
        "UPDATE dump SET kept = 1, level = ?2 WHERE n = ?1",
        params![dump, record.head().level],
    )?;
    Ok(())
}

/// The row of a dump that was cut, with `record` in its place. Its paths stay.
fn replaced(
    transaction: &Transaction<'_>,
    old: i64,
    record: &PackedRecord,
    now: i64,
) -> rusqlite::Result<i64> {
    // The name may be the same.
    transaction.execute("UPDATE dump SET id = 'replaced ' || n WHERE n = ?1", [old])?;
    let new = insert(transaction, record, record.head().is_complete, now)?;
    transaction.execute("UPDATE path SET dump = ?1 WHERE dump = ?2", [new, old])?;
    transaction.execute("DELETE FROM dump WHERE n = ?1", [old])?;
    Ok(new)
}

fn insert(
    transaction: &Transaction<'_>,
    record: &PackedRecord,
    is_complete: bool,
    now: i64,
) -> rusqlite::Result<i64> {
    let head = record.head();
    let key = match &head.key {
        Some(key) => {
            let json = serde_json::to_string(key).unwrap_or_default();
            Some(interned(transaction, "trace", "json", &json)?)
        }
        None => None,
    };
    let host = match &head.host {
        Some(host) => Some(interned(transaction, "host", "name", host)?),
        None => None,
    };
    let build = match &head.build {
        Some(build) => Some(insert_build(transaction, build)?),
        None => None,
    };
    transaction
        .prepare_cached(
            "INSERT INTO dump (id, crash, status, reason, complete, time, added, host, build,
               trace, class, severity, confidence, module, level)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        )?
        .execute(params![
            head.dump,
            head.crash,
            if head.status == RecordStatus::Ok { "ok" } else { "failed" },
            head.reason.as_ref().map(|reason| reason.code.as_str()),
            is_complete,
            head.time,
            now,
            host,
            build,
            key,
            head.class,
            head.severity,
            head.confidence.map(confidence_word),
            head.module,
            head.level,
        ])?;
    let dump = transaction.last_insert_rowid();
    insert_body(transaction, dump, record)?;
    Ok(dump)
}

fn insert_body(
    transaction: &Transaction<'_>,
    dump: i64,
    record: &PackedRecord,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("INSERT OR REPLACE INTO record (dump, json) VALUES (?1, ?2)")?
        .execute(params![dump, record.body()])?;
    Ok(())
}

fn insert_build(transaction: &Transaction<'_>, build: &BuildHead) -> rusqlite::Result<i64> {
    transaction
        .prepare_cached(
            "INSERT INTO build (id, program, version, variant, local) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (program, id) DO UPDATE SET
               version = coalesce(min(version, excluded.version), version, excluded.version),
               variant = coalesce(min(variant, excluded.variant), variant, excluded.variant),
               local = min(local, excluded.local)
             RETURNING n",
        )?
        .query_row(
            params![build.id, build.program, build.version, build.variant, build.is_local],
            |row| row.get(0),
        )
}
