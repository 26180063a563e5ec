//! What is there, read.

use std::io;
use std::sync::{Mutex, PoisonError};

use rusqlite::types::ValueRef;
use rusqlite::{OptionalExtension, Row};

use super::connection::Store;
use super::error::StoreError;
use super::packed::{unpacked, unpacked_json};
use super::sightings::wrong_blocks;
use super::words::confidence_named;
use crate::groups::CrashKey;
use crate::record::{Reason, Record, RecordStatus};
use obit_causes::CauseClass;
use obit_redact::{Origin, Shown};
use obit_report::{Cause, Signature};

/// Rows of records that one of two readers checks before the next.
const TOGETHER: i64 = 1_024;

/// How much is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Dumps, failed ones among them.
    pub dumps: u64,
    /// Files that could not be read as a core.
    pub failed: u64,
    /// Groups with at least one dump.
    pub groups: u64,
}

/// A record, as far as it is there.
enum Body {
    There(Box<Record>),
    /// Given up for its age.
    Removed(Box<Record>),
    Damaged,
}

/// What [`body`] reads.
const BODY: &str = "record.json, bug.id, dump.kept, dump.id, dump.crash, dump.status, dump.time,
    host.name, (SELECT shown FROM path WHERE path.dump = dump.n ORDER BY key LIMIT 1),
    CASE WHEN kept THEN NULL ELSE trace.json END, dump.class, dump.severity, dump.confidence,
    dump.reason, build.program, build.id";
/// Columns of [`BODY`]: what else is read comes behind them.
const WIDTH: usize = 16;
const JOINED: &str = "LEFT JOIN record ON record.dump = dump.n
    LEFT JOIN trace ON trace.n = dump.trace LEFT JOIN bug ON bug.n = trace.bug
    LEFT JOIN host ON host.n = dump.host LEFT JOIN build ON build.n = dump.build";

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

    /// Hands every record to `take`, in the order in which they came, until it fails. Of a
    /// record that was deleted for its age, what the history keeps.
    ///
    /// # Errors
    /// Those of the database; damaged records, after all others were handed over.
    pub fn each_record(
        &self,
        take: &mut dyn FnMut(Record) -> io::Result<()>,
    ) -> Result<(), StoreError> {
        let failed = |source| self.failed(source);
        let sql = format!("SELECT {BODY} FROM dump {JOINED} ORDER BY dump.n");
        let mut statement = self.connection.prepare(&sql).map_err(failed)?;
        let mut rows = statement.query([]).map_err(failed)?;
        let mut damaged = 0_u64;
        while let Some(row) = rows.next().map_err(failed)? {
            match body(row).map_err(failed)? {
                Body::There(record) | Body::Removed(record) => {
                    if take(self.seen(*record)).is_err() {
                        return Ok(());
                    }
                }
                Body::Damaged => damaged += 1,
            }
        }
        self.none_damaged(damaged)
    }

    /// Hands the records of these rows to `take`, in this order, until it fails.
    pub(super) fn each_record_in_rows(
        &self,
        rows: &[i64],
        take: &mut dyn FnMut(Record) -> io::Result<()>,
    ) -> Result<(), StoreError> {
        let failed = |source| self.failed(source);
        let sql = format!("SELECT {BODY} FROM dump {JOINED} WHERE dump.n = ?1");
        let mut statement = self.connection.prepare(&sql).map_err(failed)?;
        let mut damaged = 0_u64;
        for n in rows {
            let mut rows = statement.query([n]).map_err(failed)?;
            let Some(row) = rows.next().map_err(failed)? else { continue };
            match body(row).map_err(failed)? {
                Body::There(record) | Body::Removed(record) => {
                    if take(self.seen(*record)).is_err() {
                        return Ok(());
                    }
                }
                Body::Damaged => damaged += 1,
            }
        }
        self.none_damaged(damaged)
    }

    /// Hands the records of files to `take`, each under the path of the file, in this order,
    /// until it fails. `files` are SHA-256 digests of absolute paths.
    ///
    /// # Errors
    /// Those of the database; damaged records, after all others were handed over.
    pub fn each_record_of(
        &self,
        files: &[[u8; 32]],
        take: &mut dyn FnMut(Record) -> io::Result<()>,
    ) -> Result<(), StoreError> {
        let failed = |source| self.failed(source);
        let sql = format!(
            "SELECT {BODY}, here.shown FROM path AS here JOIN dump ON dump.n = here.dump {JOINED}
             WHERE here.key = ?1"
        );
        let mut statement = self.connection.prepare(&sql).map_err(failed)?;
        let mut damaged = 0_u64;
        for key in files {
            let mut rows = statement.query([key.as_slice()]).map_err(failed)?;
            let Some(row) = rows.next().map_err(failed)? else { continue };
            match body(row).map_err(failed)? {
                Body::There(mut record) | Body::Removed(mut record) => {
                    let path = self.seen_text(Origin::Path, row.get(WIDTH).map_err(failed)?);
                    record.core.path = Shown::from_report(path);
                    if take(self.seen(*record)).is_err() {
                        return Ok(());
                    }
                }
                Body::Damaged => damaged += 1,
            }
        }
        self.none_damaged(damaged)
    }

    /// How much is there.
    ///
    /// # Errors
    /// Those of the database.
    pub fn counts(&self) -> Result<Counts, StoreError> {
        let count = |row: &Row<'_>, at| {
            row.get::<_, i64>(at).map(|count| u64::try_from(count).unwrap_or(0))
        };
        self.connection
            .query_row(
                "SELECT (SELECT count(*) FROM dump),
                   (SELECT count(*) FROM dump WHERE status <> 'ok'),
                   (SELECT count(DISTINCT bug) FROM trace WHERE dumps > 0)",
                [],
                |row| {
                    Ok(Counts {
                        dumps: count(row, 0)?,
                        failed: count(row, 1)?,
                        groups: count(row, 2)?,
                    })
                },
            )
            .map_err(|source| self.failed(source))
    }

    /// How many dumps were redacted at each level; `unknown` of before that was stored.
    ///
    /// # Errors
    /// Those of the database.
    pub fn levels(&self) -> Result<Vec<(String, u64)>, StoreError> {
        let read = || {
            let mut statement = self.connection.prepare(
                "SELECT coalesce(level, 'unknown'), count(*) FROM dump GROUP BY 1 ORDER BY 1",
            )?;
            let rows = statement.query_map([], |row| {
                Ok((row.get(0)?, u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0)))
            })?;
            rows.collect::<rusqlite::Result<_>>()
        };
        read().map_err(|source| self.failed(source))
    }

    /// Whether the file is whole, to the last record.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self) -> Result<Counts, StoreError> {
        let failed = |source| self.failed(source);
        // Another reader costs nothing: it takes blocks of records, and this one the tables
        // first and then such blocks, too.
        let next = Mutex::new(i64::MIN);
        let damaged = std::thread::scope(|scope| {
            // A copy is read by its own connection alone.
            let has_file = self.connection.path().is_some_and(|path| !path.is_empty());
            let beside = has_file.then(|| {
                let path = self.path.clone();
                let next = &next;
                scope.spawn(move || {
                    let store = Self::open(&path)?;
                    store.damaged_records(next).map_err(|source| store.failed(source))
                })
            });
            self.said_ok("integrity_check(10)")?;
            let here = self.damaged_records(&next).map_err(failed)?;
            match beside.map(std::thread::ScopedJoinHandle::join) {
                Some(Ok(there)) => Ok(here + there?),
                None => Ok(here),
                Some(Err(_)) => self.damaged_records(&Mutex::new(i64::MIN)).map_err(failed),
            }
        })?;
        let damaged = damaged + self.lost_records().map_err(failed)?;
        match wrong_blocks(&self.connection).map_err(failed)? {
            0 => {}
            1 => return Err(self.damaged("one block of `sightings` is not what the dumps are")),
            some => {
                let problem = format!("{some} blocks of `sightings` are not what the dumps are");
                return Err(self.damaged(&problem));
            }
        }
        let lost: Option<String> = self
            .connection
            .query_row("PRAGMA foreign_key_check", [], |row| row.get(0))
            .optional()
            .map_err(failed)?;
        if let Some(table) = lost {
            return Err(self.damaged(&format!("rows of `{table}` refer to missing rows")));
        }
        self.none_damaged(damaged)?;
        self.counts()
    }

    /// Dumps that lost their records.
    fn lost_records(&self) -> rusqlite::Result<u64> {
        let lost: i64 = self.connection.query_row(
            "SELECT count(*) FROM dump WHERE kept AND NOT EXISTS
               (SELECT 1 FROM record WHERE record.dump = dump.n)",
            [],
            |row| row.get(0),
        )?;
        Ok(u64::try_from(lost).unwrap_or(0))
    }

    /// Records that cannot be read, of those from row `next` on that no other reader takes.
    /// The checksum of a record shows whether it is as it was written.
    fn damaged_records(&self, next: &Mutex<i64>) -> rusqlite::Result<u64> {
        let mut last = self.connection.prepare(
            "SELECT max(dump) FROM (SELECT dump FROM record WHERE dump >= ?1 ORDER BY dump LIMIT ?2)",
        )?;
        let mut records =
            self.connection.prepare("SELECT json FROM record WHERE dump BETWEEN ?1 AND ?2")?;
        let mut damaged = 0;
        loop {
            let (from, to) = {
                let mut next = next.lock().unwrap_or_else(PoisonError::into_inner);
                let from = *next;
                let to = last.query_row([from, TOGETHER], |row| row.get::<_, Option<i64>>(0))?;
                let Some(to) = to else { return Ok(damaged) };
                *next = to.saturating_add(1);
                (from, to)
            };
            let mut rows = records.query([from, to])?;
            while let Some(row) = rows.next()? {
                let is_whole = match row.get_ref(0)? {
                    ValueRef::Blob(packed) => unpacked_json(packed).is_some(),
                    _ => false,
                };
                damaged += u64::from(!is_whole);
            }
        }
    }

    fn none_damaged(&self, damaged: u64) -> Result<(), StoreError> {
        match damaged {
            0 => Ok(()),
            1 => Err(self.damaged("one record cannot be read")),
            some => Err(self.damaged(&format!("{some} records cannot be read"))),
        }
    }
}

fn body(row: &Row<'_>) -> rusqlite::Result<Body> {
    let packed: Option<Vec<u8>> = row.get(0)?;
    let group: Option<String> = row.get(1)?;
    let is_kept: bool = row.get(2)?;
    if let Some(packed) = packed {
        return Ok(match unpacked(&packed) {
            Some(record) => Body::There(Box::new(Record { group, ..record })),
            None => Body::Damaged,
        });
    }
    if is_kept {
        return Ok(Body::Damaged);
    }
    let shown = |text: Option<String>| text.map(Shown::from_report);
    let is_ok = row.get::<_, String>(5)? == "ok";
    let mut record = Record {
        group,
        dump: row.get(3)?,
        id: row.get(4)?,
        status: if is_ok { RecordStatus::Ok } else { RecordStatus::Failed },
        time: row.get(6)?,
        host: shown(row.get(7)?),
        ..Record::default()
    };
    record.core.path = shown(row.get(8)?).unwrap_or_default();
    let key: Option<CrashKey> =
        row.get::<_, Option<String>>(9)?.and_then(|json| serde_json::from_str(&json).ok());
    record.signature = key.map(|key| Signature {
        id: key.signature,
        text: Shown::from_report(key.text),
        frames: key.functions.into_iter().map(Shown::from_report).collect(),
        ..Signature::default()
    });
    record.cause = row.get::<_, Option<String>>(10)?.map(|class| {
        let title = CauseClass::named(&class).map(|class| class.title().to_owned());
        let title = Shown::from_report(title.unwrap_or_else(|| class.clone()));
        Cause { title, class, ..Cause::default() }
    });
    if let Some(cause) = &mut record.cause {
        cause.severity = row.get(11)?;
        let word: Option<String> = row.get(12)?;
        cause.confidence =
            word.and_then(|word| confidence_named(word.as_bytes())).unwrap_or_default();
    }
    record.reason = row
        .get::<_, Option<String>>(13)?
        .map(|code| Reason { code, text: Shown::from_report("its record was deleted".to_owned()) });
    record.process.exe = shown(row.get(14)?);
    record.process.build_id = row.get::<_, Option<String>>(15)?.filter(|id| !id.is_empty());
    Ok(Body::Removed(Box::new(record)))
}
