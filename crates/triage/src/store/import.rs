//! An exported store is read back.

use std::collections::BTreeMap;
use std::io::{self, BufRead};

use rusqlite::types::Value as Cell;
use rusqlite::{ErrorCode, OptionalExtension, Transaction, params};
use serde_json::Value;
use serde_json::value::RawValue;

use super::connection::{GivenUp, Store};
use super::error::{ImportProblem, StoreError};
use super::exchange::SCHEMA;
use super::packed::packed;
use super::rows::{Object, cell_of, insert, interned};
use crate::record::read_record;

/// Bytes of one line that are read.
const LONGEST: u64 = 512 << 20;

/// What was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Imported {
    /// Dumps that were not there.
    pub new: u64,
    /// Dumps that were.
    pub known: u64,
}

impl Store {
    /// Adds what an [`export`](Self::export) wrote; all of it, or on an error nothing. What
    /// is there already is not counted twice; of two words on a group, the newer counts.
    ///
    /// # Errors
    /// When `from` cannot be read or makes no sense, and those of the database.
    pub fn import(&mut self, mut from: impl BufRead) -> Result<Imported, StoreError> {
        let imported =
            self.change_once(|transaction| import(transaction, &mut from, Refused::Ends))?;
        self.regroup()?;
        Ok(imported)
    }

    /// Adds what can be added of an export of a damaged store, which may hold anything.
    pub(super) fn import_what_can_be(&mut self, mut from: impl BufRead) -> Result<(), StoreError> {
        self.change_once(|transaction| import(transaction, &mut from, Refused::IsLeftOut))?;
        self.regroup()?;
        Ok(())
    }
}

/// What becomes of a line that the tables refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refused {
    /// Nothing is imported.
    Ends,
    /// All others are.
    IsLeftOut,
}

fn import(
    transaction: &Transaction<'_>,
    from: &mut impl BufRead,
    refused: Refused,
) -> Result<Imported, GivenUp> {
    let mut imported = Imported::default();
    // Groups, and those they were merged into.
    let mut merged = Vec::new();
    let mut text = Vec::new();
    for line in 1_u64.. {
        let wrong = |problem| StoreError::Import { line, problem };
        text.clear();
        let read = io::Read::take(&mut *from, LONGEST).read_until(b'\n', &mut text);
        if read.map_err(|error| wrong(ImportProblem::Unreadable(error.to_string())))? == 0 {
            if line == 1 {
                return Err(wrong(ImportProblem::Empty).into());
            }
            break;
        }
        let object: BTreeMap<String, &RawValue> =
            serde_json::from_slice(&text).map_err(|error| match is_json(&text) {
                true if line == 1 => wrong(ImportProblem::OtherSchema { wanted: SCHEMA }),
                true => wrong(ImportProblem::NoObject),
                false => wrong(ImportProblem::NotJson(error.to_string())),
            })?;
        if line == 1 {
            let schema = object.get("schema").and_then(|raw| serde_json::from_str(raw.get()).ok());
            if schema != Some(SCHEMA) {
                return Err(wrong(ImportProblem::OtherSchema { wanted: SCHEMA }).into());
            }
            continue;
        }
        for (kind, raw) in object {
            let mut import = || import_row(transaction, &kind, raw, &mut imported, &mut merged);
            let done = match refused {
                Refused::Ends => import(),
                Refused::IsLeftOut => {
                    transaction.execute_batch("SAVEPOINT line")?;
                    import().or_else(|error| match error.sqlite_error_code() {
                        // What the line has is wrong, and not the store or its disk.
                        None
                        | Some(
                            ErrorCode::ConstraintViolation
                            | ErrorCode::TypeMismatch
                            | ErrorCode::TooBig,
                        ) => transaction.execute_batch("ROLLBACK TO line"),
                        Some(_) => Err(error),
                    })?;
                    transaction.execute_batch("RELEASE line")
                }
            };
            done.map_err(|error| match error {
                rusqlite::Error::QueryReturnedNoRows => wrong(ImportProblem::NoRow { kind }).into(),
                error => GivenUp::from(error),
            })?;
        }
    }
    for (id, into) in merged {
        transaction
            .prepare_cached(
                "UPDATE bug SET merged = (SELECT n FROM bug WHERE id = ?2)
                 WHERE id = ?1 AND merged IS NULL",
            )?
            .execute([id, into])?;
    }
    Ok(imported)
}

/// Adds what one line holds.
fn import_row(
    transaction: &Transaction<'_>,
    kind: &str,
    raw: &RawValue,
    imported: &mut Imported,
    merged: &mut Vec<(String, String)>,
) -> rusqlite::Result<()> {
    let Ok(mut row) = serde_json::from_str::<BTreeMap<String, &RawValue>>(raw.get()) else {
        return Err(rusqlite::Error::QueryReturnedNoRows);
    };
    // The largest part of a dump is read once, as what it is.
    let record = row.remove("record").filter(|_| kind == "dump");
    let row: Object = row
        .into_iter()
        .filter_map(|(name, raw)| Some((name, serde_json::from_str(raw.get()).ok()?)))
        .collect();
    match kind {
        "dump" => match import_dump(transaction, row, record)? {
            true => imported.new += 1,
            false => imported.known += 1,
        },
        "bug" => import_bug(transaction, row, merged)?,
        "wish" => drop(insert(transaction, "wish", &row)?),
        "code" => drop(insert(transaction, "code", &row)?),
        // Of a newer obit; what is known is taken.
        _ => {}
    }
    Ok(())
}

fn is_json(text: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok()
}

/// Whether the dump was not there.
fn import_dump(
    transaction: &Transaction<'_>,
    mut row: Object,
    record: Option<&RawValue>,
) -> rusqlite::Result<bool> {
    let paths = row.remove("paths");
    let stack = row.remove("stack");
    row.remove("damaged");
    let number = |text: &str| {
        let found = transaction.prepare_cached("SELECT n FROM dump WHERE id = ?1")?;
        { found }.query_row([text], |row| row.get::<_, i64>(0)).optional()
    };
    let id = row.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let known = number(&id)?;
    let n = match known {
        Some(n) => n,
        None => {
            for (key, table, column) in [("host", "host", "name"), ("trace", "trace", "json")] {
                if let Some(Value::String(text)) = row.get(key) {
                    let n = interned(transaction, table, column, text)?;
                    row.insert(key.to_owned(), n.into());
                }
            }
            if let Some(Value::Object(build)) = row.remove("build") {
                insert(transaction, "build", &build)?;
                let text = |key: &str| build.get(key).and_then(Value::as_str).unwrap_or_default();
                let n: i64 = transaction
                    .prepare_cached("SELECT n FROM build WHERE program = ?1 AND id = ?2")?
                    .query_row([text("program"), text("id")], |row| row.get(0))?;
                row.insert("build".to_owned(), n.into());
            }
            if !insert(transaction, "dump", &row)? {
                return Err(rusqlite::Error::QueryReturnedNoRows);
            }
            transaction.last_insert_rowid()
        }
    };
    if let Some(stack) = stack.as_ref().and_then(Value::as_str) {
        transaction
            .prepare_cached("INSERT OR IGNORE INTO stack (dump, json) VALUES (?1, ?2)")?
            .execute(params![n, stack])?;
    }
    let record = record.and_then(|record| read_record(record.get().as_bytes()).ok());
    if let Some(packed) = record.and_then(|record| packed(&record).ok()) {
        // One that was deleted here and is there in the other comes back.
        let added = transaction
            .prepare_cached("INSERT OR IGNORE INTO record (dump, json) VALUES (?1, ?2)")?
            .execute(params![n, packed])?;
        if added > 0 {
            transaction.execute("UPDATE dump SET kept = 1 WHERE n = ?1", [n])?;
        }
    }
    for path in paths.iter().filter_map(Value::as_array).flatten() {
        if let Value::Object(path) = path {
            let mut path = path.clone();
            path.insert("dump".to_owned(), n.into());
            insert(transaction, "path", &path)?;
        }
    }
    Ok(known.is_none())
}

fn import_bug(
    transaction: &Transaction<'_>,
    mut row: Object,
    merged: &mut Vec<(String, String)>,
) -> rusqlite::Result<()> {
    let (traces, notes) = (row.remove("traces"), row.remove("notes"));
    let id = row.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    if let Some(Value::String(into)) = row.remove("merged") {
        merged.push((id.clone(), into));
    }
    let is_new = insert(transaction, "bug", &row)?;
    let n: i64 =
        transaction.query_row("SELECT n FROM bug WHERE id = ?1", [&id], |row| row.get(0))?;
    if !is_new {
        // Of two words the newer counts; any counts more than none.
        let set: Vec<&str> = ["state", "state_build", "state_time"]
            .into_iter()
            .filter(|c| row.contains_key(*c))
            .collect();
        let theirs = row.get("state_time").and_then(Value::as_i64).unwrap_or(i64::MIN);
        let ours: Option<i64> =
            transaction
                .query_row("SELECT state_time FROM bug WHERE n = ?1", [n], |row| row.get(0))?;
        if theirs > ours.unwrap_or(i64::MIN) {
            for column in set {
                let value = row.get(column).map_or(Cell::Null, cell_of);
                let sql = format!("UPDATE bug SET {column} = ?1 WHERE n = ?2");
                transaction.execute(&sql, params![value, n])?;
            }
        }
        // What has no time is taken where there is nothing.
        for column in ["name", "assignee", "link"] {
            if let Some(Value::String(text)) = row.get(column) {
                let sql = format!("UPDATE bug SET {column} = coalesce({column}, ?1) WHERE n = ?2");
                transaction.execute(&sql, params![text, n])?;
            }
        }
    }
    for trace in traces.iter().filter_map(Value::as_array).flatten().filter_map(Value::as_str) {
        // A group that is here keeps its traces; grouping anew decides on the others.
        let sql = "UPDATE trace SET bug = ?1 WHERE json = ?2 AND bug IS NULL";
        transaction.prepare_cached(sql)?.execute(params![n, trace])?;
    }
    for note in notes.iter().filter_map(Value::as_array).flatten().filter_map(Value::as_object) {
        let text = note.get("text").and_then(Value::as_str).unwrap_or_default();
        let time = note.get("time").and_then(Value::as_i64).unwrap_or(0);
        transaction.execute(
            "INSERT INTO note (bug, time, text) SELECT ?1, ?2, ?3 WHERE NOT EXISTS
               (SELECT 1 FROM note WHERE bug = ?1 AND time = ?2 AND text = ?3)",
            params![n, time, text],
        )?;
    }
    Ok(())
}
