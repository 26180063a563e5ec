//! Dumps come in.

use rusqlite::{OptionalExtension, Transaction, params};

use super::{Store, StoreError};
use crate::report::Confidence;
use crate::triage::version::version_of_path;
use crate::triage::{Record, RecordStatus, module_name, write_record};

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
                let FileStamp { key, size, mtime, inode, device } = file;
                let device = i64::from_ne_bytes(device.to_ne_bytes());
                let inode = i64::from_ne_bytes(inode.to_ne_bytes());
                let size = i64::try_from(*size).unwrap_or(i64::MAX);
                let values = params![key.as_slice(), size, mtime, inode, device];
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
    pub fn add(&mut self, records: &[(FileStamp, Record)], now: i64) -> Result<Added, StoreError> {
        let path = self.path.clone();
        let failed = |source| StoreError::Database { path: path.clone(), source };
        let transaction = self.connection.transaction().map_err(failed)?;
        let mut added = Added::default();
        for (stamp, record) in records {
            add(&transaction, stamp, record, now, &mut added).map_err(failed)?;
        }
        transaction.commit().map_err(failed)?;
        Ok(added)
    }
}

/// A file that was read when only a part of it was there is replaced, not counted beside.
fn add(
    transaction: &Transaction<'_>,
    stamp: &FileStamp,
    record: &Record,
    now: i64,
    added: &mut Added,
) -> rusqlite::Result<()> {
    let before: Option<(i64, String, bool)> = transaction
        .prepare_cached(
            "SELECT dump.n, dump.id, complete FROM path JOIN dump ON dump.n = path.dump
             WHERE key = ?1",
        )?
        .query_row([stamp.key.as_slice()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let same: Option<(i64, bool)> = transaction
        .prepare_cached("SELECT n, complete FROM dump WHERE id = ?1")?
        .query_row([&record.dump], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let is_complete = record.status == RecordStatus::Ok && !record.core.truncated;
    let dump = match same {
        Some((n, was_complete)) if was_complete || !is_complete => {
            added.known += 1;
            n
        }
        Some((n, _)) => {
            transaction.execute("DELETE FROM dump WHERE n = ?1", [n])?;
            added.completed += 1;
            insert(transaction, record, is_complete, now)?
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
            record.core.path.as_str(),
            i64::try_from(stamp.size).unwrap_or(i64::MAX),
            stamp.mtime,
            i64::from_ne_bytes(stamp.inode.to_ne_bytes()),
            i64::from_ne_bytes(stamp.device.to_ne_bytes()),
            dump,
        ])?;
    if let Some((old, id, false)) = before
        && id != record.dump
    {
        let unnamed = "DELETE FROM dump WHERE n = ?1 AND NOT EXISTS
             (SELECT 1 FROM path WHERE path.dump = dump.n)";
        if transaction.execute(unnamed, [old])? > 0 {
            added.completed += 1;
            added.new = added.new.saturating_sub(1);
        }
    }
    Ok(())
}

fn insert(
    transaction: &Transaction<'_>,
    record: &Record,
    is_complete: bool,
    now: i64,
) -> rusqlite::Result<i64> {
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
    let mut json = Vec::new();
    // Writing to memory does not fail.
    let _ = write_record(record, &mut json);
    let packed = zstd::bulk::compress(&json, 3).unwrap_or(json);
    transaction
        .prepare_cached("INSERT INTO record (dump, json) VALUES (?1, ?2)")?
        .execute(params![dump, packed])?;
    Ok(dump)
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
fn interned(
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
