//! What a damaged store still gives: which rows there are, what of a dump its record says, and
//! what is lost.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;
use serde_json::Value;

use super::head::{BuildHead, RecordHead};
use super::rows::Object;
use super::words::confidence_word;
use crate::record::RecordStatus;

/// Rows that are tried one by one behind the last that can be found.
const TRIED: i64 = 1 << 14;

/// Something that a damaged store does not give back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Lost {
    /// A dump with its record and paths.
    Dump {
        /// Its id.
        id: String,
    },
    /// The record of a dump: stack, values, modules. The dump itself is there and counts.
    Record {
        /// The id of the dump.
        id: String,
        /// A file that it was read from, redacted.
        path: Option<String>,
    },
    /// What the user recorded about a group: state, name, assignee, ticket, notes. Its crashes
    /// are grouped again.
    Group {
        /// Its id.
        id: String,
    },
    /// Notes on a group.
    Notes {
        /// The id of the group.
        group: String,
    },
    /// Rows that cannot be read, with names that cannot be read either.
    Rows {
        /// Their table.
        table: &'static str,
        /// There may be fewer.
        at_most: u64,
    },
    /// The hashes of functions: they are read again from the files of programs.
    Code,
}

/// What could not be read while a store was exported.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    rows: BTreeMap<&'static str, BTreeSet<i64>>,
    parts: Vec<Lost>,
    /// When the last dump came that could be read.
    pub(super) last_added: Option<i64>,
}

impl Gaps {
    pub(super) fn row(&mut self, table: &'static str, n: i64) {
        self.rows.entry(table).or_default().insert(n);
    }

    pub(super) fn code(&mut self) {
        self.parts.push(Lost::Code);
    }

    pub(super) fn record(&mut self, dump: &Object, paths: &[Value]) {
        let path = paths.iter().find_map(|path| path.get("shown")?.as_str());
        self.parts.push(Lost::Record { id: text(dump, "id"), path: path.map(str::to_owned) });
    }

    pub(super) fn notes(&mut self, group: &Object) {
        self.parts.push(Lost::Notes { group: text(group, "id") });
    }

    /// How many things they are.
    pub(super) fn count(&self) -> u64 {
        self.rows.values().map(BTreeSet::len).sum::<usize>() as u64 + self.parts.len() as u64
    }

    /// What is lost: `was` are the names that the damaged store still has, `is` those that were
    /// saved.
    pub(super) fn lost(self, was: &Names, is: &Names) -> Vec<Lost> {
        let mut lost: BTreeSet<Lost> = self.parts.into_iter().collect();
        let gone = |was: &NamesOf, is: &NamesOf| -> Vec<String> {
            let is: BTreeSet<&String> = is.ids.values().collect();
            was.ids.values().filter(|id| !is.contains(id)).cloned().collect()
        };
        lost.extend(gone(&was.dumps, &is.dumps).into_iter().map(|id| Lost::Dump { id }));
        lost.extend(gone(&was.groups, &is.groups).into_iter().map(|id| Lost::Group { id }));
        for (table, rows) in self.rows {
            let names = match table {
                "dump" => Some(&was.dumps),
                "bug" => Some(&was.groups),
                _ => None,
            };
            // Where all names are known, a row without one was never there.
            let at_most = match names {
                Some(names) if names.are_all => 0,
                Some(names) => rows.iter().filter(|n| !names.ids.contains_key(n)).count(),
                None => rows.len(),
            };
            if at_most > 0 {
                lost.insert(Lost::Rows { table, at_most: at_most as u64 });
            }
        }
        lost.into_iter().collect()
    }
}

fn text(row: &Object, key: &str) -> String {
    row.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// What dumps and groups are called, by their rows. The index of a table has these, too, so
/// they are known where the table is damaged.
#[derive(Debug)]
pub(super) struct Names {
    dumps: NamesOf,
    groups: NamesOf,
}

#[derive(Debug, Default)]
struct NamesOf {
    ids: BTreeMap<i64, String>,
    are_all: bool,
}

impl Names {
    pub(super) fn of(connection: &Connection) -> Self {
        Self { dumps: NamesOf::of(connection, "dump"), groups: NamesOf::of(connection, "bug") }
    }

    /// Whether there is neither a dump nor a group.
    pub(super) fn are_none(&self) -> bool {
        self.dumps.ids.is_empty() && self.groups.ids.is_empty()
    }
}

impl NamesOf {
    fn of(connection: &Connection, table: &str) -> Self {
        let mut names = Self::default();
        // From both ends: in the middle there may be damage.
        names.are_all = names.read(connection, table, "ASC").is_ok();
        if !names.are_all {
            let _ = names.read(connection, table, "DESC");
        }
        names
    }

    fn read(&mut self, connection: &Connection, table: &str, order: &str) -> rusqlite::Result<()> {
        let sql = format!("SELECT n, id FROM {table} ORDER BY id {order}");
        let mut statement = connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            self.ids.insert(row.get(0)?, row.get(1)?);
        }
        Ok(())
    }
}

/// The numbers of the rows of `table` in a file of `size` bytes: by the table, else by the index
/// that begins with `key`, else all that there may be.
pub(super) fn numbers(
    connection: &Connection,
    table: &str,
    key: &str,
    size: u64,
) -> rusqlite::Result<Vec<i64>> {
    let by = |how: &str| -> rusqlite::Result<Vec<i64>> {
        let mut statement = connection.prepare(&format!("SELECT rowid FROM {table} {how}"))?;
        let most = usize::try_from(size / 8).unwrap_or(usize::MAX);
        let mut rows = statement.query([])?;
        let mut numbers = Vec::new();
        while let Some(row) = rows.next()? {
            // Damaged pages may lead back, again and again.
            if numbers.len() >= most {
                return Err(rusqlite::Error::QueryReturnedMoreThanOneRow);
            }
            numbers.push(row.get(0)?);
        }
        Ok(numbers)
    };
    by("NOT INDEXED ORDER BY rowid")
        .and_then(|numbers| match numbers.is_sorted_by(|one, next| one < next) {
            true => Ok(numbers),
            false => Err(rusqlite::Error::QueryReturnedNoRows),
        })
        .or_else(|_| {
            let mut numbers = by(&format!("ORDER BY {key}"))?;
            numbers.sort_unstable();
            numbers.dedup();
            Ok(numbers)
        })
        .or_else(|_: rusqlite::Error| possible_numbers(connection, table, size))
}

fn possible_numbers(connection: &Connection, table: &str, size: u64) -> rusqlite::Result<Vec<i64>> {
    let sql = format!("SELECT rowid FROM {table} NOT INDEXED WHERE rowid >= ?1 ORDER BY rowid");
    let mut statement = connection.prepare(&sql)?;
    // A row takes some bytes at least, and few numbers were given up.
    let last = i64::try_from(size / 8).unwrap_or(i64::MAX);
    let mut numbers: Vec<i64> = Vec::new();
    let mut from = i64::MIN;
    loop {
        let mut read = || -> rusqlite::Result<()> {
            let mut rows = statement.query([from])?;
            while let Some(row) = rows.next()? {
                let n = row.get(0)?;
                // A damaged page may lead back.
                if numbers.last().is_some_and(|last| n <= *last) {
                    return Err(rusqlite::Error::QueryReturnedNoRows);
                }
                numbers.push(n);
            }
            Ok(())
        };
        if read().is_ok() {
            return Ok(numbers);
        }
        let done = numbers.last().copied().unwrap_or(0).max(from.saturating_sub(1));
        // Behind the damage, the next row that can be found.
        let mut step = 1_i64;
        let next = loop {
            let at = done.saturating_add(step);
            if at > last {
                break None;
            }
            let found = statement
                .query([at])
                .and_then(|mut rows| rows.next()?.map(|row| row.get::<_, i64>(0)).transpose());
            match found {
                // A damaged page may lead back here, too.
                Ok(next) if next.is_none_or(|next| next >= at) => break Some(next.unwrap_or(at)),
                _ => step = step.saturating_mul(2),
            }
        };
        let end = next.unwrap_or_else(|| last.min(done.saturating_add(TRIED)).saturating_add(1));
        numbers.extend((done.saturating_add(1)..end).take(usize::try_from(TRIED).unwrap_or(0)));
        match next {
            Some(next) => from = next,
            None => return Ok(numbers),
        }
    }
}

/// The numbers of the rows of `table` that have this in `column`: by its index, or without.
pub(super) fn numbers_where(
    connection: &Connection,
    table: &str,
    column: &str,
    value: i64,
) -> rusqlite::Result<Vec<i64>> {
    let read = |how: &str| -> rusqlite::Result<Vec<i64>> {
        let sql = format!("SELECT rowid FROM {table} {how} WHERE {column} = ?1 ORDER BY rowid");
        let mut statement = connection.prepare_cached(&sql)?;
        statement.query_map([value], |row| row.get(0))?.collect()
    };
    read("").or_else(|_| read("NOT INDEXED"))
}

/// The row of a dump, as its record gives it.
pub(super) fn of_head(head: &RecordHead, added: Option<i64>) -> Object {
    let mut row = Object::new();
    let status = if head.status == RecordStatus::Ok { "ok" } else { "failed" };
    let texts = [
        ("id", Some(head.dump.clone())),
        ("crash", Some(head.crash.clone())),
        ("status", Some(status.to_owned())),
        ("reason", head.reason.as_ref().map(|reason| reason.code.as_str().to_owned())),
        ("host", head.host.clone()),
        ("trace", trace_of(head)),
        ("class", head.class.clone()),
        ("severity", head.severity.clone()),
        ("confidence", head.confidence.map(|confidence| confidence_word(confidence).to_owned())),
        ("module", head.module.clone()),
    ];
    let numbers = [
        ("complete", Some(i64::from(head.is_complete))),
        ("kept", Some(1)),
        ("time", head.time),
        // Dumps are stored in the order in which they came.
        ("added", added.or(head.time).or(Some(0))),
    ];
    for (name, text) in texts {
        row.extend(text.map(|text| (name.to_owned(), text.into())));
    }
    for (name, number) in numbers {
        row.extend(number.map(|number| (name.to_owned(), number.into())));
    }
    if let Some(build) = &head.build {
        row.insert("build".to_owned(), Value::Object(build_of(build)));
    }
    row
}

/// The trace of a crash as the tables have it.
pub(super) fn trace_of(head: &RecordHead) -> Option<String> {
    head.key.as_ref().and_then(|key| serde_json::to_string(key).ok())
}

/// The row of a build.
pub(super) fn build_of(build: &BuildHead) -> Object {
    let mut row = Object::new();
    row.insert("id".to_owned(), build.id.clone().into());
    row.insert("program".to_owned(), build.program.clone().into());
    row.insert("local".to_owned(), i64::from(build.is_local).into());
    for (name, text) in [("version", &build.version), ("variant", &build.variant)] {
        row.extend(text.clone().map(|text| (name.to_owned(), text.into())));
    }
    row
}
