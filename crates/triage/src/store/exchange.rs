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
use super::head::RecordHead;
use super::packed::unpacked_json;
use super::rows::{Object, cell, object, row_of};
use super::salvage::{Gaps, build_of, numbers, numbers_where, of_head, trace_of};
use crate::record::read_record;

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
        let mut gaps = Gaps::default();
        let written = self.export_beside(out, &mut gaps)?;
        Ok(written.map(|dumps| Exported { dumps, lost: gaps.count() }))
    }

    /// Writes all that can be read; the number of dumps. What cannot be read is in `gaps`.
    pub(super) fn export_beside(
        &self,
        out: &mut dyn Write,
        gaps: &mut Gaps,
    ) -> Result<io::Result<u64>, StoreError> {
        let mut dumps = 0;
        if let Err(error) = writeln!(out, "{}", json!({ "schema": SCHEMA })) {
            return Ok(Err(error));
        }
        let size = self.path.metadata().map(|metadata| metadata.len()).unwrap_or(0);
        for (table, key, read) in TABLES {
            let numbers = numbers(&self.connection, table, key, size);
            let numbers = numbers.map_err(|source| self.failed(source))?;
            for n in numbers {
                // Row by row: behind one that cannot be read there may be others.
                match read(&self.connection, n, gaps) {
                    Ok(Some(row)) => {
                        let row = self.seen_row(row);
                        dumps += u64::from(*table == "dump");
                        if let Err(error) = row.write(table, out) {
                            return Ok(Err(error));
                        }
                    }
                    Ok(None) => {}
                    Err(_) => gaps.row(table, n),
                }
            }
        }
        match self.export_code(out) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Ok(Err(error)),
            Err(_) => gaps.code(),
        }
        Ok(Ok(dumps))
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

type ReadRow = fn(&Connection, i64, &mut Gaps) -> rusqlite::Result<Option<Line>>;

/// Tables, what begins an index of each, and how a row is read.
const TABLES: &[(&str, &str, ReadRow)] = &[
    ("dump", "id", read_dump),
    ("bug", "id", read_bug),
    ("wish", "one", |connection, n, _| Ok(row_of(connection, "wish", n)?.map(Line::from))),
];

/// A dump with all that belongs to it. What cannot be read in the tables is made of its
/// record again.
fn read_dump(connection: &Connection, n: i64, gaps: &mut Gaps) -> rusqlite::Result<Option<Line>> {
    let body: rusqlite::Result<Option<Vec<u8>>> = connection
        .prepare_cached("SELECT json FROM record WHERE dump = ?1")
        .and_then(|mut statement| statement.query_row([n], |row| row.get(0)).optional());
    let record = body.as_ref().ok().and_then(Option::as_ref).and_then(|body| unpacked_json(body));
    let head = || {
        let record = read_record(record.as_ref()?).ok()?;
        Some(RecordHead::of(&record))
    };
    let mut row = match row_of(connection, "dump", n) {
        Ok(None) => return Ok(None),
        Ok(Some(row)) => {
            gaps.last_added = row.get("added").and_then(Value::as_i64);
            of_row(connection, row, &head)?
        }
        Err(error) => of_head(&head().ok_or(error)?, gaps.last_added),
    };
    if let Ok(Some(stack)) = cell(connection, "SELECT json FROM stack WHERE dump = ?1", n) {
        row.insert("stack".to_owned(), stack.into());
    }
    let mut paths = Vec::new();
    // A damaged index of paths costs a second look at the files, no more.
    for path in numbers_where(connection, "path", "dump", n).unwrap_or_default() {
        if let Ok(Some(mut path)) = row_of(connection, "path", path) {
            path.remove("dump");
            paths.push(Value::Object(path));
        }
    }
    let is_kept = row.get("kept").and_then(Value::as_i64) != Some(0);
    if record.is_none() && is_kept {
        gaps.record(&row, &paths);
        row.insert("kept".to_owned(), 0.into());
        row.insert("damaged".to_owned(), true.into());
        // Its files count as unread, so that the record comes back with the next run.
        return Ok(Some(row.into()));
    }
    row.insert("paths".to_owned(), Value::Array(paths));
    Ok(Some(Line { columns: row, record }))
}

/// The row of a dump, with what its numbers refer to instead of them.
fn of_row(
    connection: &Connection,
    mut row: Object,
    head: &dyn Fn() -> Option<RecordHead>,
) -> rusqlite::Result<Object> {
    row.remove("n");
    let number = |row: &mut Object, key: &str| row.remove(key).and_then(|n| n.as_i64());
    if let Some(n) = number(&mut row, "build") {
        let build = match row_of(connection, "build", n) {
            Ok(build) => {
                let mut build = build.unwrap_or_default();
                build.remove("n");
                build
            }
            Err(error) => build_of(head().and_then(|head| head.build).as_ref().ok_or(error)?),
        };
        row.insert("build".to_owned(), Value::Object(build));
    }
    if let Some(n) = number(&mut row, "host") {
        let host = match cell(connection, "SELECT name FROM host WHERE n = ?1", n) {
            Ok(name) => name.unwrap_or_default(),
            Err(error) => head().and_then(|head| head.host).ok_or(error)?,
        };
        row.insert("host".to_owned(), host.into());
    }
    if let Some(n) = number(&mut row, "trace") {
        let trace = match cell(connection, "SELECT json FROM trace WHERE n = ?1", n) {
            Ok(trace) => trace.unwrap_or_default(),
            Err(error) => head().as_ref().and_then(trace_of).ok_or(error)?,
        };
        row.insert("trace".to_owned(), trace.into());
    }
    Ok(row)
}

fn read_bug(connection: &Connection, n: i64, gaps: &mut Gaps) -> rusqlite::Result<Option<Line>> {
    let Some(mut row) = row_of(connection, "bug", n)? else { return Ok(None) };
    row.remove("n");
    if let Some(merged) = row.remove("merged").and_then(|n| n.as_i64())
        && let Ok(id) = cell(connection, "SELECT id FROM bug WHERE n = ?1", merged)
    {
        row.insert("merged".to_owned(), id.into());
    }
    let mut traces = Vec::new();
    // What is not known to be of the group is grouped again.
    for trace in numbers_where(connection, "trace", "bug", n).unwrap_or_default() {
        let trace = cell(connection, "SELECT json FROM trace WHERE n = ?1", trace);
        traces.extend(trace.ok().flatten().map(Value::from));
    }
    row.insert("traces".to_owned(), traces.into());
    let mut notes = Vec::new();
    let mut are_whole = true;
    match numbers_where(connection, "note", "bug", n) {
        Ok(numbers) => {
            for number in numbers {
                match row_of(connection, "note", number) {
                    Ok(Some(mut note)) => {
                        note.remove("n");
                        note.remove("bug");
                        notes.push(Value::Object(note));
                    }
                    Ok(None) => {}
                    Err(_) => are_whole = false,
                }
            }
        }
        Err(_) => are_whole = false,
    }
    if !are_whole {
        gaps.notes(&row);
    }
    row.insert("notes".to_owned(), Value::Array(notes));
    Ok(Some(row.into()))
}
