//! Dumps come in.

use rusqlite::{OptionalExtension, Transaction, TransactionBehavior, params};

use super::{Store, StoreError};
use crate::incoming::unpacked;
use crate::version::version_of_path;
use crate::{Incoming, Record, RecordStatus, module_name};
use obit_report::Confidence;

/// What tells whether a file is still the one that was read.
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

/// What the store knows of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// Nothing, or of another content under that path.
    No,
    /// It was read, and has not changed since.
    Unchanged,
}

/// What became of records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Added {
    /// Were not known.
    pub new: u64,
    /// Were known from another path, or from an earlier run.
    pub known: u64,
    /// Stand now where a part of them had been.
    pub completed: u64,
}

impl Store {
    /// Whether the file was read before and is still the same.
    ///
    /// # Errors
    /// Those of the database.
    pub fn known(&self, file: &FileStamp) -> Result<Known, StoreError> {
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
        Ok(if found.is_some() { Known::Unchanged } else { Known::No })
    }

    /// Adds records in one transaction: all of them or, on an error, none.
    /// `now` is in seconds since 1970.
    ///
    /// # Errors
    /// Those of the database.
    pub fn add(
        &mut self,
        records: &[(FileStamp, Incoming)],
        now: i64,
    ) -> Result<Added, StoreError> {
        let path = self.path.clone();
        let failed = |source| StoreError::Database { path: path.clone(), source };
        // From the start as a writer: one that reads first cannot become one if another
        // process wrote meanwhile.
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed)?;
        let mut added = Added::default();
        for (stamp, record) in records {
            add(&transaction, stamp, record, now, &mut added).map_err(failed)?;
        }
        transaction.commit().map_err(failed)?;
        Ok(added)
    }
}

/// What of a dump that may be the same as a new one is looked at.
struct Old {
    n: i64,
    id: String,
    crash: String,
    is_complete: bool,
    is_kept: bool,
}

impl Old {
    const COLUMNS: &'static str = "dump.n, dump.id, dump.crash, dump.complete, dump.kept";

    fn of(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        let (n, id, crash) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(Self { n, id, crash, is_complete: row.get(3)?, is_kept: row.get(4)? })
    }
}

/// A file that was read when only a part of it was there is replaced, not counted beside.
fn add(
    transaction: &Transaction<'_>,
    stamp: &FileStamp,
    incoming: &Incoming,
    now: i64,
    added: &mut Added,
) -> rusqlite::Result<()> {
    let record = incoming.head();
    let columns = Old::COLUMNS;
    let before = transaction
        .prepare_cached(&format!(
            "SELECT {columns}, path.size, path.inode, path.device FROM path
             JOIN dump ON dump.n = path.dump WHERE key = ?1"
        ))?
        .query_row([stamp.key.as_slice()], |row| {
            Ok((Old::of(row)?, (row.get(5)?, row.get(6)?, row.get(7)?)))
        })
        .optional()?;
    let is_complete = record.status == RecordStatus::Ok && !record.core.truncated;
    let dump = match same(transaction, record, is_complete)? {
        Some(old) if old.is_complete || !is_complete => {
            added.known += 1;
            if !old.is_kept && is_complete == old.is_complete {
                keep_again(transaction, old.n, incoming)?;
            }
            old.n
        }
        Some(old) => {
            added.completed += 1;
            replaced(transaction, old.n, incoming, now)?
        }
        None => {
            added.new += 1;
            insert(transaction, incoming, is_complete, now)?
        }
    };
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO path (key, shown, size, mtime, inode, device, dump)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            stamp.key.as_slice(),
            record.core.path.as_str(),
            size_of(stamp),
            stamp.mtime,
            signed(stamp.inode),
            signed(stamp.device),
            dump,
        ])?;
    let Some((old, was)) = before.filter(|(old, _)| old.n != dump && !old.is_complete) else {
        return Ok(());
    };
    let is_elsewhere: bool = transaction
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM path WHERE dump = ?1)")?
        .query_row([old.n], |row| row.get(0))?;
    if !is_elsewhere && is_part_of(transaction, &old, was, stamp, record)? {
        transaction.execute("DELETE FROM dump WHERE n = ?1", [old.n])?;
        added.completed += 1;
        added.new = added.new.saturating_sub(1);
    }
    Ok(())
}

/// The dump that `record` is another copy of. A cut core may lack what its name ends with.
fn same(
    transaction: &Transaction<'_>,
    record: &Record,
    is_complete: bool,
) -> rusqlite::Result<Option<Old>> {
    let columns = Old::COLUMNS;
    let same = transaction
        .prepare_cached(&format!("SELECT {columns} FROM dump WHERE id = ?1"))?
        .query_row([&record.dump], Old::of)
        .optional()?;
    if same.is_some() || record.id.is_empty() {
        return Ok(same);
    }
    let mut statement = transaction
        .prepare_cached(&format!("SELECT {columns} FROM dump WHERE crash = ?1 ORDER BY n"))?;
    let named = statement.query_map([&record.id], Old::of)?;
    for old in named {
        let old = old?;
        let is_prefix = |short: &str, long: &str| long.starts_with(short);
        let is_cut_off = |old: &Old| {
            (!old.is_complete && is_prefix(&old.id, &record.dump))
                || (!is_complete && is_prefix(&record.dump, &old.id))
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
    old: &Old,
    (size, inode, device): (i64, i64, i64),
    stamp: &FileStamp,
    record: &Record,
) -> rusqlite::Result<bool> {
    // Nothing was known of it but its name.
    if old.crash.is_empty() {
        return Ok(true);
    }
    if old.crash == record.id {
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
    let was = packed.and_then(|packed| unpacked(&packed));
    Ok(was.is_some_and(|was| {
        let pids = was.process.pid.zip(record.process.pid);
        pids.is_none_or(|(was, is)| was == is) && place_of(&was) == place_of(record)
    }))
}

/// Which thread crashed, and where.
fn place_of(record: &Record) -> Option<(i64, u64)> {
    let thread = record.threads.iter().find(|thread| thread.crashed)?;
    Some((thread.tid, thread.frames.first()?.pc.0))
}

fn size_of(stamp: &FileStamp) -> i64 {
    i64::try_from(stamp.size).unwrap_or(i64::MAX)
}

fn signed(number: u64) -> i64 {
    i64::from_ne_bytes(number.to_ne_bytes())
}

/// Puts back a record that was given up or lost.
fn keep_again(
    transaction: &Transaction<'_>,
    dump: i64,
    incoming: &Incoming,
) -> rusqlite::Result<()> {
    insert_body(transaction, dump, incoming)?;
    transaction.execute("UPDATE dump SET kept = 1 WHERE n = ?1", [dump])?;
    Ok(())
}

/// The row of a dump that was cut, with `record` in its place. Its paths stay.
fn replaced(
    transaction: &Transaction<'_>,
    old: i64,
    incoming: &Incoming,
    now: i64,
) -> rusqlite::Result<i64> {
    // The name may be the same.
    transaction.execute("UPDATE dump SET id = 'replaced ' || n WHERE n = ?1", [old])?;
    let new = insert(transaction, incoming, true, now)?;
    transaction.execute("UPDATE path SET dump = ?1 WHERE dump = ?2", [new, old])?;
    transaction.execute("DELETE FROM dump WHERE n = ?1", [old])?;
    Ok(new)
}

fn insert(
    transaction: &Transaction<'_>,
    incoming: &Incoming,
    is_complete: bool,
    now: i64,
) -> rusqlite::Result<i64> {
    let record = incoming.head();
    let is_ok = record.status == RecordStatus::Ok;
    let trace = match record.trace() {
        Some(trace) => {
            let json = serde_json::to_string(&trace).unwrap_or_default();
            Some(interned(transaction, "trace", "json", &json)?)
        }
        None => None,
    };
    let host = match &record.host {
        Some(host) => Some(interned(transaction, "host", "name", host.as_str())?),
        None => None,
    };
    let build = if is_ok { Some(build(transaction, record)?) } else { None };
    let cause = record.cause.as_ref();
    let blame = cause.and_then(|cause| cause.blame.as_ref()).and_then(|blame| blame.frame);
    let frames = record.threads.iter().find(|thread| thread.crashed).map(|t| &t.frames);
    let frame = frames.and_then(|frames| {
        frames.iter().find(|frame| blame.is_none_or(|blame| frame.index == blame))
    });
    let module = frame.and_then(|frame| frame.module.as_ref());
    transaction
        .prepare_cached(
            "INSERT INTO dump (id, crash, status, reason, complete, time, added, host, build,
               trace, class, severity, confidence, module)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        )?
        .execute(params![
            record.dump,
            record.id,
            if is_ok { "ok" } else { "failed" },
            record.reason.as_ref().map(|reason| reason.code.as_str()),
            is_complete,
            record.time,
            now,
            host,
            build,
            trace,
            cause.map(|cause| cause.class.as_str()),
            cause.and_then(|cause| cause.severity.as_deref()),
            cause.map(|cause| confidence(cause.confidence)),
            module.map(|module| module_name(module.path.as_str())),
        ])?;
    let dump = transaction.last_insert_rowid();
    insert_body(transaction, dump, incoming)?;
    Ok(dump)
}

fn insert_body(
    transaction: &Transaction<'_>,
    dump: i64,
    incoming: &Incoming,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("INSERT OR REPLACE INTO record (dump, json) VALUES (?1, ?2)")?
        .execute(params![dump, incoming.packed()])?;
    Ok(())
}

fn build(transaction: &Transaction<'_>, record: &Record) -> rusqlite::Result<i64> {
    let process = &record.process;
    let program = process.exe.as_ref().map(|exe| module_name(exe.as_str()));
    let program = program.or_else(|| process.comm.as_ref().map(|c| c.as_str().to_owned()));
    let program = program.unwrap_or_default();
    let id = process.build_id.clone().unwrap_or_default();
    let version = process.package.as_ref().and_then(|package| package.version.as_ref());
    let by_path = process.exe.as_ref().and_then(|exe| version_of_path(exe.as_str()));
    let (by_path, variant) = by_path.map_or((None, None), |named| {
        let variant = Some(named.variant).filter(|variant| !variant.is_empty());
        (Some(named.version), variant)
    });
    let version = version.map(|version| version.as_str().to_owned()).or(by_path);
    transaction
        .prepare_cached(
            "INSERT INTO build (id, program, version, variant) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (program, id) DO UPDATE SET version = coalesce(version, excluded.version),
               variant = coalesce(variant, excluded.variant)
             RETURNING n",
        )?
        .query_row(params![id, program, version, variant], |row| row.get(0))
}

/// The row of `table` whose `column` holds `text`, made if it is not there.
pub(super) fn interned(
    transaction: &Transaction<'_>,
    table: &str,
    column: &str,
    text: &str,
) -> rusqlite::Result<i64> {
    let found = transaction
        .prepare_cached(&format!("SELECT n FROM {table} WHERE {column} = ?1"))?
        .query_row([text], |row| row.get(0))
        .optional()?;
    if let Some(n) = found {
        return Ok(n);
    }
    transaction
        .prepare_cached(&format!("INSERT INTO {table} ({column}) VALUES (?1)"))?
        .execute([text])?;
    Ok(transaction.last_insert_rowid())
}

fn confidence(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Guess => "guess",
        Confidence::Likely => "likely",
        Confidence::Proved => "proved",
    }
}
