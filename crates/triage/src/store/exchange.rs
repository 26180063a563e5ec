//! A store as lines of JSON, and back: to move it, to bring two together, to save what can
//! be read of a damaged one.
//!
//! The first line is `{"schema": "obit.store/1"}`. Each other has one key, which says what
//! it is: `dump` (its row, with its build, host, trace and record instead of their numbers,
//! its paths, and the functions on its stack whose code is compared), `bug` (a group: what
//! the user recorded about it, and its traces), `wish`, `code` (the hash of a function in
//! one build). Columns have the names of the tables.

use std::io::{self, Write};

use obit_redact::Origin;
use rusqlite::{Connection, OptionalExtension};
use serde_json::{Value, json};

use super::connection::Store;
use super::error::StoreError;
use super::packed::unpacked_json;
use super::rows::{Object, cell, object, row_of};

/// What the first line says.
pub(super) const SCHEMA: &str = "obit.store/1";

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exported {
    /// Dumps.
    pub dumps: u64,
    /// Rows that could not be read.
    pub lost: u64,
}

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
                        let row = self.seen_row(row);
                        exported.dumps += u64::from(*table == "dump");
                        if row.columns.contains_key("damaged") {
                            exported.lost += 1;
                        }
                        if let Err(error) = row.write(table, out) {
                            return Ok(Err(error));
                        }
                    }
                    Ok(None) => {}
                    Err(_) => exported.lost += 1,
                }
            }
        }
        match self.export_code(out) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Ok(Err(error)),
            // It can be read again from the files of programs.
            Err(_) => exported.lost += 1,
        }
        Ok(Ok(exported))
    }

    /// A row as it is shown: its record, paths and notes.
    fn seen_row(&self, mut row: Line) -> Line {
        row.record = row.record.and_then(|json| self.seen_json(json));
        for (column, name, origin) in
            [("paths", "shown", Origin::Path), ("notes", "text", Origin::OwnWords)]
        {
            let all = row.columns.get_mut(column).and_then(Value::as_array_mut);
            for text in all.into_iter().flatten().filter_map(|one| one.get_mut(name)) {
                if let Some(seen) = text.as_str().map(|it| self.seen_text(origin, it.to_owned())) {
                    *text = seen.into();
                }
            }
        }
        row
    }

    fn export_code(&self, out: &mut dyn Write) -> rusqlite::Result<io::Result<()>> {
        let mut statement =
            self.connection.prepare("SELECT build, module, symbol, hash FROM code")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            if let Err(error) = Line::from(object(row)?).write("code", out) {
                return Ok(Err(error));
            }
        }
        Ok(Ok(()))
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
}

/// A row, and its record as it is stored: that is written without being understood.
struct Line {
    columns: Object,
    record: Option<Vec<u8>>,
}

impl From<Object> for Line {
    fn from(columns: Object) -> Self {
        Self { columns, record: None }
    }
}

impl Line {
    fn write(&self, kind: &str, out: &mut dyn Write) -> io::Result<()> {
        write!(out, "{{{}:{{", Value::from(kind))?;
        let mut between = "";
        for (name, value) in &self.columns {
            write!(out, "{between}{}:{value}", Value::from(name.as_str()))?;
            between = ",";
        }
        if let Some(record) = &self.record {
            write!(out, "{between}\"record\":")?;
            out.write_all(record)?;
        }
        out.write_all(b"}}\n")
    }
}

type ReadRow = fn(&Connection, i64) -> rusqlite::Result<Option<Line>>;

const TABLES: &[(&str, ReadRow)] = &[
    ("dump", read_dump),
    ("bug", read_bug),
    ("wish", |c, n| Ok(row_of(c, "wish", n)?.map(Line::from))),
];

fn read_dump(connection: &Connection, n: i64) -> rusqlite::Result<Option<Line>> {
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
    if let Some(stack) = cell(connection, "SELECT json FROM stack WHERE dump = ?1", n)? {
        row.insert("stack".to_owned(), stack.into());
    }
    let body: rusqlite::Result<Option<Vec<u8>>> = connection
        .prepare_cached("SELECT json FROM record WHERE dump = ?1")?
        .query_row([n], |row| row.get(0))
        .optional();
    let record = body.as_ref().ok().and_then(Option::as_ref).and_then(|body| unpacked_json(body));
    let is_kept = row.get("kept").and_then(Value::as_i64) != Some(0);
    if record.is_none() && is_kept {
        row.insert("kept".to_owned(), 0.into());
        row.insert("damaged".to_owned(), true.into());
        // Its files count as unread, so that the record comes back with the next run.
        return Ok(Some(row.into()));
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
    Ok(Some(Line { columns: row, record }))
}

fn read_bug(connection: &Connection, n: i64) -> rusqlite::Result<Option<Line>> {
    let Some(mut row) = row_of(connection, "bug", n)? else { return Ok(None) };
    row.remove("n");
    if let Some(merged) = row.remove("merged").and_then(|n| n.as_i64()) {
        let id = cell(connection, "SELECT id FROM bug WHERE n = ?1", merged)?;
        row.insert("merged".to_owned(), id.into());
    }
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
    Ok(Some(row.into()))
}
