//! A store as lines of JSON, and back: to move it, to bring two together, to save what can
//! be read of a damaged one.
//!
//! The first line is `{"schema": "obit.store/1"}`. Each other has one key, which says what
//! it is: `dump` (its row, with its build, host, trace and record instead of their numbers,
//! and its paths), `bug` (a group: what the user said of it, and its traces), `wish`. Columns
//! have the names of the tables.

use std::io::{self, BufRead, Write};

use rusqlite::types::{Value as Cell, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};
use serde_json::{Map, Value, json};

use super::{Store, StoreError};
use crate::Record;
use crate::incoming::{packed, unpacked};

const SCHEMA: &str = "obit.store/1";
/// Bytes of one line that are read.
const LONGEST: u64 = 512 << 20;

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Dumps.
    pub dumps: u64,
    /// Rows that could not be read.
    pub lost: u64,
}

/// What was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Dumps that were not there.
    pub new: u64,
    /// Dumps that were.
    pub known: u64,
}

type Object = Map<String, Value>;

impl Store {
    /// Writes all that can be read.
    ///
    /// # Errors
    /// When `out` fails, or nothing can be read at all.
    pub fn export(&self, out: &mut dyn Write) -> Result<io::Result<Exported>, StoreError> {
        let mut exported = Exported::default();
        if let Err(error) = writeln!(out, "{}", json!({ "schema": SCHEMA })) {
            return Ok(Err(error));
        }
        for (table, read) in TABLES {
            for n in self.numbers(table)? {
                // Row by row: behind one that cannot be read there may be others.
                match read(&self.connection, n) {
                    Ok(Some(row)) => {
                        exported.dumps += u64::from(*table == "dump");
                        if row.contains_key("damaged") {
                            exported.lost += 1;
                        }
                        if let Err(error) = writeln!(out, "{}", json!({ *table: row })) {
                            return Ok(Err(error));
                        }
                    }
                    Ok(None) => {}
                    Err(_) => exported.lost += 1,
                }
            }
        }
        Ok(Ok(exported))
    }

    /// The numbers of the rows of `table`; of a damaged table, all that there may be.
    fn numbers(&self, table: &str) -> Result<Vec<i64>, StoreError> {
        let all = || -> rusqlite::Result<Vec<i64>> {
            let mut statement = self
                .connection
                .prepare(&format!("SELECT rowid FROM {table} NOT INDEXED ORDER BY rowid"))?;
            let rows = statement.query_map([], |row| row.get(0))?;
            rows.collect()
        };
        match all() {
            Ok(numbers) => Ok(numbers),
            Err(_) => {
                let last: i64 = self
                    .connection
                    .query_row(&format!("SELECT max(rowid) FROM {table}"), [], |row| row.get(0))
                    .map_err(|source| self.failed(source))?;
                // A row takes some bytes at least.
                let size = self.path.metadata().map(|metadata| metadata.len()).unwrap_or(0);
                Ok((1..=last.min(i64::try_from(size / 8).unwrap_or(0))).collect())
            }
        }
    }

    /// Adds what an [`export`](Self::export) wrote; all of it, or on an error nothing. What
    /// is there already is not counted twice; of two words on a group, the newer counts.
    ///
    /// # Errors
    /// When `from` cannot be read or makes no sense, and those of the database.
    pub fn import(&mut self, mut from: impl BufRead) -> Result<Imported, StoreError> {
        let path = self.path.clone();
        let failed = |source| StoreError::Database { path: path.clone(), source };
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed)?;
        let mut imported = Imported::default();
        let mut text = Vec::new();
        for line in 1_u64.. {
            let wrong = |problem: String| StoreError::Import { line, problem };
            text.clear();
            let read = io::Read::take(&mut from, LONGEST).read_until(b'\n', &mut text);
            if read.map_err(|error| wrong(error.to_string()))? == 0 {
                if line == 1 {
                    return Err(wrong("it is empty".to_owned()));
                }
                break;
            }
            let value: Value =
                serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
            if line == 1 {
                if value.get("schema").and_then(Value::as_str) != Some(SCHEMA) {
                    return Err(wrong(format!("`schema` is not {SCHEMA}")));
                }
                continue;
            }
            let Value::Object(object) = value else { return Err(wrong("no object".to_owned())) };
            for (kind, value) in object {
                let Value::Object(row) = value else { return Err(wrong(format!("no {kind}"))) };
                match kind.as_str() {
                    "dump" => match import_dump(&transaction, row).map_err(failed)? {
                        true => imported.new += 1,
                        false => imported.known += 1,
                    },
                    "bug" => import_bug(&transaction, row).map_err(failed)?,
                    "wish" => {
                        insert(&transaction, "wish", &row).map_err(failed)?;
                    }
                    // Of a newer obit; what is known is taken.
                    _ => {}
                }
            }
        }
        transaction.commit().map_err(failed)?;
        self.regroup()?;
        Ok(imported)
    }
}

type ReadRow = fn(&Connection, i64) -> rusqlite::Result<Option<Object>>;

const TABLES: &[(&str, ReadRow)] =
    &[("dump", read_dump), ("bug", read_bug), ("wish", |c, n| row_of(c, "wish", n))];

fn read_dump(connection: &Connection, n: i64) -> rusqlite::Result<Option<Object>> {
    let Some(mut row) = row_of(connection, "dump", n)? else { return Ok(None) };
    row.remove("n");
    let number = |row: &mut Object, key: &str| row.remove(key).and_then(|n| n.as_i64());
    if let Some(build) = number(&mut row, "build") {
        let mut build = row_of(connection, "build", build)?.unwrap_or_default();
        build.remove("n");
        row.insert("build".to_owned(), Value::Object(build));
    }
    if let Some(host) = number(&mut row, "host") {
        let name = cell(connection, "SELECT name FROM host WHERE n = ?1", host)?;
        row.insert("host".to_owned(), name.unwrap_or_default().into());
    }
    if let Some(trace) = number(&mut row, "trace") {
        let trace = cell(connection, "SELECT json FROM trace WHERE n = ?1", trace)?;
        row.insert("trace".to_owned(), trace.unwrap_or_default().into());
    }
    let body: rusqlite::Result<Option<Vec<u8>>> = connection
        .query_row("SELECT json FROM record WHERE dump = ?1", [n], |row| row.get(0))
        .optional();
    let record = body.as_ref().ok().and_then(Option::as_ref).and_then(|body| unpacked(body));
    let is_kept = row.get("kept").and_then(Value::as_i64) != Some(0);
    match record.and_then(|record| serde_json::to_value(record).ok()) {
        Some(record) => {
            row.insert("record".to_owned(), record);
        }
        None if is_kept => {
            row.insert("kept".to_owned(), 0.into());
            row.insert("damaged".to_owned(), true.into());
            // Its files count as unread, so that the record comes back with the next run.
            return Ok(Some(row));
        }
        None => {}
    }
    let mut paths = connection.prepare_cached("SELECT rowid FROM path WHERE dump = ?1")?;
    let numbers: rusqlite::Result<Vec<i64>> = paths.query_map([n], |row| row.get(0))?.collect();
    let mut paths = Vec::new();
    // A damaged index of paths costs a second look at the files, no more.
    for path in numbers.unwrap_or_default() {
        if let Ok(Some(mut path)) = row_of(connection, "path", path) {
            path.remove("dump");
            paths.push(Value::Object(path));
        }
    }
    row.insert("paths".to_owned(), Value::Array(paths));
    Ok(Some(row))
}

fn read_bug(connection: &Connection, n: i64) -> rusqlite::Result<Option<Object>> {
    let Some(mut row) = row_of(connection, "bug", n)? else { return Ok(None) };
    row.remove("n");
    let mut traces = connection.prepare_cached("SELECT json FROM trace WHERE bug = ?1")?;
    let traces: rusqlite::Result<Vec<String>> = traces.query_map([n], |row| row.get(0))?.collect();
    row.insert("traces".to_owned(), traces?.into());
    let mut notes =
        connection.prepare_cached("SELECT rowid FROM note WHERE bug = ?1 ORDER BY n")?;
    let numbers: rusqlite::Result<Vec<i64>> = notes.query_map([n], |row| row.get(0))?.collect();
    let mut notes = Vec::new();
    for number in numbers? {
        if let Some(mut note) = row_of(connection, "note", number)? {
            note.remove("n");
            note.remove("bug");
            notes.push(Value::Object(note));
        }
    }
    row.insert("notes".to_owned(), Value::Array(notes));
    Ok(Some(row))
}

/// Whether the dump was not there.
fn import_dump(transaction: &Transaction<'_>, mut row: Object) -> rusqlite::Result<bool> {
    let paths = row.remove("paths");
    let record = row.remove("record");
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
                    let n = super::add::interned(transaction, table, column, text)?;
                    row.insert(key.to_owned(), n.into());
                }
            }
            if let Some(Value::Object(build)) = row.remove("build") {
                insert(transaction, "build", &build)?;
                let text = |key: &str| build.get(key).and_then(Value::as_str).unwrap_or_default();
                let n: i64 = transaction.query_row(
                    "SELECT n FROM build WHERE program = ?1 AND id = ?2",
                    [text("program"), text("id")],
                    |row| row.get(0),
                )?;
                row.insert("build".to_owned(), n.into());
            }
            insert(transaction, "dump", &row)?;
            transaction.last_insert_rowid()
        }
    };
    let record = record.and_then(|record| serde_json::from_value::<Record>(record).ok());
    if let Some(packed) = record.and_then(|record| packed(&record).ok()) {
        // One that was given up here and is there in the other comes back.
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

fn import_bug(transaction: &Transaction<'_>, mut row: Object) -> rusqlite::Result<()> {
    let (traces, notes) = (row.remove("traces"), row.remove("notes"));
    let id = row.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
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
        if let Some(Value::String(name)) = row.get("name") {
            let sql = "UPDATE bug SET name = coalesce(name, ?1) WHERE n = ?2";
            transaction.execute(sql, params![name, n])?;
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

/// Puts a row into `table` unless its like is there; columns that are unknown are left out.
fn insert(transaction: &Transaction<'_>, table: &str, row: &Object) -> rusqlite::Result<bool> {
    let mut columns = Vec::new();
    {
        let statement = transaction.prepare_cached(&format!("SELECT * FROM {table}"))?;
        columns.extend(statement.column_names().map(str::to_owned));
    }
    columns.retain(|column| row.contains_key(column));
    let places: Vec<_> = (1..=columns.len()).map(|place| format!("?{place}")).collect();
    let sql = format!(
        "INSERT OR IGNORE INTO {table} ({}) VALUES ({})",
        columns.join(", "),
        places.join(", ")
    );
    let cells = columns.iter().map(|column| match (table, column.as_str(), row.get(column)) {
        ("path", "key", Some(Value::String(hex))) => Cell::Blob(of_hex(hex)),
        (_, _, value) => value.map_or(Cell::Null, cell_of),
    });
    let added = transaction.prepare_cached(&sql)?.execute(rusqlite::params_from_iter(cells))?;
    Ok(added > 0)
}

fn row_of(connection: &Connection, table: &str, n: i64) -> rusqlite::Result<Option<Object>> {
    connection
        .prepare_cached(&format!("SELECT * FROM {table} NOT INDEXED WHERE rowid = ?1"))?
        .query_row([n], object)
        .optional()
}

fn object(row: &Row<'_>) -> rusqlite::Result<Object> {
    let statement: &rusqlite::Statement<'_> = row.as_ref();
    let mut object = Object::new();
    for (at, name) in statement.column_names().enumerate() {
        let value = match row.get_ref(at)? {
            ValueRef::Null => continue,
            ValueRef::Integer(number) => number.into(),
            ValueRef::Real(number) => number.into(),
            ValueRef::Text(text) => String::from_utf8_lossy(text).into(),
            ValueRef::Blob(bytes) => {
                bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into()
            }
        };
        object.insert(name.to_owned(), value);
    }
    Ok(object)
}

fn cell(connection: &Connection, sql: &str, n: i64) -> rusqlite::Result<Option<String>> {
    connection.prepare_cached(sql)?.query_row([n], |row| row.get(0)).optional()
}

fn cell_of(value: &Value) -> Cell {
    match value {
        Value::Null | Value::Array(_) | Value::Object(_) => Cell::Null,
        Value::Bool(yes) => Cell::Integer(i64::from(*yes)),
        Value::Number(number) => match number.as_i64() {
            Some(number) => Cell::Integer(number),
            None => Cell::Real(number.as_f64().unwrap_or(0.0)),
        },
        Value::String(text) => Cell::Text(text.clone()),
    }
}

fn of_hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        text.chars().filter_map(|c| c.to_digit(16)).filter_map(|d| u8::try_from(d).ok()).collect();
    digits
        .chunks_exact(2)
        .map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit))
        .collect()
}
