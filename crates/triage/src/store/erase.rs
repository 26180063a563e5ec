//! A value or a person is taken out of everything that is stored.

use std::collections::BTreeMap;

use obit_redact::{FORGOTTEN, Wanted};
use rusqlite::types::{Value as Cell, ValueRef};
use rusqlite::{OptionalExtension, Transaction, ffi, params, params_from_iter};
use serde_json::Value;

use super::connection::Store;
use super::error::StoreError;
use super::packed::{packed, unpacked_json};
use crate::record::read_record;

/// Places that are listed.
const LISTED: usize = 10_000;
/// Numbers that are tried for a value that must differ from all others.
const MOST_NUMBERS: u64 = 1 << 20;

/// What held the value, or would be changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Erased {
    /// How often it was in clear text.
    pub count: u64,
    /// Records that held it.
    pub records: u64,
    /// Records that could not do without it, and are deleted; the dumps are still counted.
    pub deleted: u64,
    /// Rows of tables that held it, by table.
    pub rows: BTreeMap<String, u64>,
    /// Where it was, and how often: the dump and the field, or the table and the column.
    pub places: Vec<(String, u64)>,
    /// Places beyond those that are listed.
    pub unlisted: u64,
    /// Records that are damaged, so that they could not be searched.
    pub unread: u64,
}

impl Erased {
    fn note(&mut self, place: String, count: u64) {
        self.count = self.count.saturating_add(count);
        match self.places.len() < LISTED {
            true => self.places.push((place, count)),
            false => self.unlisted += 1,
        }
    }
}

impl Store {
    /// Replaces `wanted` everywhere by [`FORGOTTEN`]: in records, paths, notes, names and
    /// traces; then compacts the file, so that the bytes are gone from it. If `is_dry`, nothing
    /// is written.
    ///
    /// # Errors
    /// Those of the database.
    pub fn erase(&mut self, wanted: &Wanted, is_dry: bool) -> Result<Erased, StoreError> {
        let secure = self.connection.pragma_update(None, "secure_delete", true);
        secure.map_err(|source| self.failed(source))?;
        let work = |transaction: &Transaction<'_>| {
            let mut erased = Erased::default();
            in_records(transaction, wanted, &mut erased)?;
            in_tables(transaction, wanted, &mut erased)?;
            Ok(erased)
        };
        if is_dry {
            return self.rehearse(work);
        }
        if let Some(central) = &mut self.central {
            central.may_forget().map_err(|error| self.given_up(error))?;
        }
        let erased = self.change(work)?;
        if erased.count > 0 {
            self.regroup()?;
        }
        if let Some(central) = &mut self.central {
            central.forget_gone().map_err(|error| self.given_up(error))?;
        }
        // Even if nothing was found: an earlier one may have ended before it.
        self.compact().map_err(|source| self.failed(source))?;
        Ok(erased)
    }

    /// Rewrites the file without what was deleted in it, and empties the log.
    fn compact(&self) -> rusqlite::Result<()> {
        self.checkpoint()?;
        self.connection.execute_batch("VACUUM")?;
        self.checkpoint()
    }

    /// Moves all of the log into the file. A reader that holds the log up is an error: old
    /// contents would stay.
    fn checkpoint(&self) -> rusqlite::Result<()> {
        let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
        let is_busy: bool = self.connection.query_row(sql, [], |row| row.get(0))?;
        match is_busy {
            true => Err(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_BUSY), None)),
            false => Ok(()),
        }
    }
}

fn in_records(
    transaction: &Transaction<'_>,
    wanted: &Wanted,
    erased: &mut Erased,
) -> rusqlite::Result<()> {
    let mut next = transaction.prepare(
        "SELECT record.dump, dump.id, record.json FROM record JOIN dump ON dump.n = record.dump
         WHERE record.dump > ?1 ORDER BY record.dump LIMIT 1",
    )?;
    let mut last = i64::MIN;
    loop {
        // One at a time: each may be large, and is changed.
        let found: Option<(i64, String, Vec<u8>)> =
            next.query_row([last], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
        let Some((n, id, body)) = found else { return Ok(()) };
        last = n;
        let value = unpacked_json(&body).and_then(|json| serde_json::from_slice(&json).ok());
        let Some(mut value) = value else {
            erased.unread += 1;
            continue;
        };
        let mut way = id;
        let before = erased.count;
        let mut walk = Walk { wanted, erased };
        walk.value(&mut value, &mut way);
        if erased.count == before {
            continue;
        }
        erased.records += 1;
        let left = serde_json::to_vec(&value).ok().and_then(|json| read_record(&json).ok());
        match left.and_then(|record| packed(&record).ok()) {
            Some(body) => {
                transaction
                    .execute("UPDATE record SET json = ?2 WHERE dump = ?1", params![n, body])?;
            }
            None => {
                erased.deleted += 1;
                transaction.execute("DELETE FROM record WHERE dump = ?1", [n])?;
                transaction.execute("UPDATE dump SET kept = 0 WHERE n = ?1", [n])?;
            }
        }
    }
}

struct Walk<'w> {
    wanted: &'w Wanted,
    erased: &'w mut Erased,
}

impl Walk<'_> {
    /// Calls itself as often as values are nested, which `serde_json` bounds by 128.
    fn value(&mut self, value: &mut Value, way: &mut String) {
        match value {
            Value::String(text) => {
                if let Some((left, count)) = self.wanted.erase(text) {
                    *text = left;
                    self.erased.note(way.clone(), count);
                }
            }
            Value::Number(number) => {
                if self.wanted.is_in(&number.to_string()) {
                    *value = FORGOTTEN.into();
                    self.erased.note(way.clone(), 1);
                }
            }
            Value::Array(all) => {
                if spelled(all).is_some_and(|text| self.wanted.is_in(&text)) {
                    all.clear();
                    self.erased.note(way.clone(), 1);
                }
                let length = way.len();
                all.iter_mut().for_each(|one| self.value(one, way));
                way.truncate(length);
            }
            Value::Object(fields) => {
                let length = way.len();
                for (name, field) in fields.iter_mut() {
                    way.push(if length == way.len() && !way.contains(' ') { ' ' } else { '.' });
                    way.push_str(name);
                    self.value(field, way);
                    way.truncate(length);
                }
                self.names(fields, way);
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// Names of fields may be data in a record of another obit.
    fn names(&mut self, fields: &mut serde_json::Map<String, Value>, way: &str) {
        let found: Vec<String> =
            fields.keys().filter(|name| self.wanted.is_in(name)).cloned().collect();
        for name in found {
            fields.remove(&name);
            self.erased.note(way.to_owned(), 1);
        }
    }
}

/// What values in a row spell, if each is a byte or a character: members of a text.
fn spelled(all: &[Value]) -> Option<String> {
    let letter = |value: &Value| {
        let code = value.get("value").unwrap_or(value).as_i64()?;
        char::from_u32(u32::try_from(code.rem_euclid(256)).ok()?)
    };
    if all.is_empty() { None } else { all.iter().map(letter).collect() }
}

/// Tables whose rows can be made again: they are emptied.
const CACHES: [&str; 1] = ["sightings"];

fn in_tables(
    transaction: &Transaction<'_>,
    wanted: &Wanted,
    erased: &mut Erased,
) -> rusqlite::Result<()> {
    let tables: Vec<String> = all(
        transaction,
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY 1",
        &[],
    )?;
    for table in tables {
        // Those that are computed of others change with them.
        let columns: Vec<String> = all(
            transaction,
            "SELECT name FROM pragma_table_xinfo(?1) WHERE type = 'TEXT' AND hidden = 0",
            &[&table],
        )?;
        let keys: Vec<String> =
            all(transaction, "SELECT name FROM pragma_table_info(?1) WHERE pk > 0", &[&table])?;
        let count = in_table(transaction, wanted, &table, &columns, &keys, erased)?;
        if count > 0 {
            erased.rows.insert(table, count);
        }
    }
    if erased.count > 0 {
        for table in CACHES {
            transaction.execute(&format!("DELETE FROM {table}"), [])?;
        }
        // What is like what else may have changed.
        transaction.execute("UPDATE trace SET grouped = -1", [])?;
    }
    Ok(())
}

/// A row that holds the value.
struct Held {
    key: Vec<Cell>,
    /// Places of columns, their texts without it, and how often it was there.
    columns: Vec<(usize, String, u64)>,
}

/// Rows of `table` that were changed.
fn in_table(
    transaction: &Transaction<'_>,
    wanted: &Wanted,
    table: &str,
    columns: &[String],
    keys: &[String],
    erased: &mut Erased,
) -> rusqlite::Result<u64> {
    if columns.is_empty() || keys.is_empty() {
        return Ok(0);
    }
    let rows = held(transaction, wanted, table, columns, keys)?;
    let of_key: Vec<String> =
        keys.iter().enumerate().map(|(at, name)| format!("{name} = ?{}", at + 1)).collect();
    let of_key = of_key.join(" AND ");
    let mut number = 0_u64;
    for row in &rows {
        let mut is_deleted = false;
        for (at, left, count) in &row.columns {
            let Some(column) = columns.get(*at) else { continue };
            erased.note(format!("{table}.{column}"), *count);
            // Rows that are known by the value alone are of no use without it.
            if keys.contains(column) {
                let sql = format!("DELETE FROM {table} WHERE {of_key}");
                transaction.execute(&sql, params_from_iter(&row.key))?;
                is_deleted = true;
                continue;
            }
            if is_deleted {
                continue;
            }
            let place = keys.len() + 1;
            let sql = format!("UPDATE OR IGNORE {table} SET {column} = ?{place} WHERE {of_key}");
            let set = |left: &str| {
                let cells = row.key.iter().cloned().chain([Cell::Text(left.to_owned())]);
                transaction.execute(&sql, params_from_iter(cells))
            };
            // Two that differed in the value alone stay two, those of an earlier run included.
            let mut is_set = set(left)? > 0;
            while !is_set {
                number += 1;
                is_set = set(&left.replace(FORGOTTEN, &format!("<forgotten:{number}>")))? > 0;
                if !is_set && number > MOST_NUMBERS {
                    return Err(rusqlite::Error::StatementChangedRows(0));
                }
            }
        }
    }
    Ok(rows.len() as u64)
}

fn held(
    transaction: &Transaction<'_>,
    wanted: &Wanted,
    table: &str,
    columns: &[String],
    keys: &[String],
) -> rusqlite::Result<Vec<Held>> {
    let both: Vec<&str> = keys.iter().chain(columns).map(String::as_str).collect();
    let mut statement = transaction.prepare(&format!("SELECT {} FROM {table}", both.join(", ")))?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let mut changed = Vec::new();
        for at in 0..columns.len() {
            let ValueRef::Text(text) = row.get_ref(keys.len() + at)? else { continue };
            if let Some((left, count)) = wanted.erase(&String::from_utf8_lossy(text)) {
                changed.push((at, left, count));
            }
        }
        if !changed.is_empty() {
            let key: rusqlite::Result<Vec<Cell>> = (0..keys.len()).map(|at| row.get(at)).collect();
            found.push(Held { key: key?, columns: changed });
        }
    }
    Ok(found)
}

fn all(
    transaction: &Transaction<'_>,
    sql: &str,
    values: &[&dyn rusqlite::ToSql],
) -> rusqlite::Result<Vec<String>> {
    let mut statement = transaction.prepare(sql)?;
    statement.query_map(values, |row| row.get(0))?.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::Rules;
    use crate::store::PackedRecord;
    use crate::testkit::crash;
    use crate::views::ViewOptions;
    use obit_redact::Shown;
    use obit_report::{Variable, VariableValue};

    fn shown(text: &str) -> Shown {
        Shown::from_report(text.to_owned())
    }

    /// A store in which a person is in a path, a name, a variable, letter by letter, a number,
    /// a note and the name of a host.
    fn store(path: &std::path::Path) -> Store {
        let rules = Rules::built_in();
        let mut store = Store::create(path).unwrap();
        for n in 0..12 {
            let mut crash = crash(4, n, &rules);
            if n < 2 {
                let record = &mut crash.record;
                record.core.path = shown("/home/ann.lee/core");
                record.host = Some(shown(&format!("annlee-laptop{n}")));
                record.threads[0].name = Some(shown("for Ann Lee"));
                let letter = |c: char| Variable {
                    value: Some(VariableValue::Integer(i64::from(u32::from(c)))),
                    ..Variable::default()
                };
                let spelled = Variable {
                    members: "Ann Lee\0".chars().map(letter).collect(),
                    ..Variable::default()
                };
                let number = Variable {
                    name: shown("account"),
                    value: Some(VariableValue::Integer(4_711_081_500)),
                    ..Variable::default()
                };
                record.threads[0].frames[0].locals = vec![spelled, number];
            }
            let packed = PackedRecord::of(&crash.record).unwrap();
            store.add(&[(crash.stamp, packed)], 0).unwrap();
        }
        store.regroup().unwrap();
        let group = store.overview(&ViewOptions::default(), 1).unwrap().groups[0].id.clone();
        store.add_note(&group, "Ann Lee called", 0).unwrap();
        store
    }

    fn everything(store: &Store) -> String {
        let mut exported = Vec::new();
        store.export(&mut exported).unwrap().unwrap();
        String::from_utf8(exported).unwrap()
    }

    #[test]
    fn a_person_is_gone_from_records_tables_and_the_bytes_of_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store.db");
        let mut store = store(&path);
        let counts = store.counts().unwrap();
        let person = Wanted::person("Ann Lee", None).unwrap();
        let before = everything(&store);
        let would = store.erase(&person, true).unwrap();
        assert_eq!(everything(&store), before);
        let done = store.erase(&person, false).unwrap();
        assert_eq!(would, done);
        assert_eq!((done.records, done.deleted), (2, 0), "{done:?}");
        assert_eq!(done.rows.get("path"), Some(&2));
        assert_eq!((done.rows.get("host"), done.rows.get("note")), (Some(&2), Some(&1)));
        assert!(done.places.iter().any(|(place, _)| place.ends_with("threads.name")), "{done:?}");
        assert_eq!(store.counts().unwrap(), counts);
        let after = everything(&store);
        for text in ["Ann Lee", "ann.lee", "annlee", "\"value\":110"] {
            assert!(!after.contains(text), "{text}");
        }
        store.check().unwrap();
        assert_eq!(store.erase(&person, true).unwrap().count, 0);
        drop(store);
        for file in std::fs::read_dir(directory.path()).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            let text = String::from_utf8_lossy(&bytes);
            assert!(!text.contains("ann.lee") && !text.contains("Ann Lee called"));
        }
    }

    #[test]
    fn a_number_is_found_as_a_number() {
        let directory = tempfile::tempdir().unwrap();
        let mut store = store(&directory.path().join("store.db"));
        let account = Wanted::value("4711081500", None).unwrap();
        assert_eq!(store.erase(&account, false).unwrap().count, 2);
        assert!(!everything(&store).contains("4711081500"));
    }
    #[test]
    fn a_reader_that_keeps_old_contents_is_an_error_and_the_next_run_compacts() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store.db");
        let mut store = store(&path);
        let person = Wanted::person("Ann Lee", None).unwrap();
        let reader = rusqlite::Connection::open(&path).unwrap();
        reader.execute_batch("BEGIN; SELECT * FROM dump").unwrap();
        store.connection.busy_timeout(std::time::Duration::from_millis(20)).unwrap();
        assert!(store.erase(&person, false).is_err());
        reader.execute_batch("COMMIT").unwrap();
        assert_eq!(store.erase(&person, false).unwrap().count, 0);
        drop((store, reader));
        let bytes = std::fs::read(&path).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains("Ann Lee called"));
    }

    #[test]
    fn records_that_cannot_be_read_are_counted() {
        let directory = tempfile::tempdir().unwrap();
        let mut store = store(&directory.path().join("store.db"));
        let damage = "UPDATE record SET json = x'00' WHERE dump = (SELECT min(dump) FROM record)";
        store.connection.execute(damage, []).unwrap();
        let person = Wanted::person("Ann Lee", None).unwrap();
        let done = store.erase(&person, true).unwrap();
        assert_eq!((done.unread, done.records), (1, 1), "{done:?}");
    }
}
