//! The tables as rows that can be taken elsewhere: what identifies a row, and its columns.
//!
//! Tables that are made from others (`sightings`) and what says who made the file are not
//! among them; neither are columns that SQLite computes.

use rusqlite::types::Value as Cell;
use rusqlite::{Connection, Transaction, params_from_iter};

use super::connection::Store;
use super::error::{CopyProblem, StoreError};
use super::sightings::complete_blocks;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Integer,
    Real,
    Text,
    Blob,
}

/// A table.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    /// The columns that identify a row.
    pub(super) key: &'static [&'static str],
    pub(super) columns: &'static [(&'static str, Kind)],
}

impl Table {
    /// The names of all columns.
    pub(super) fn names(&self) -> Vec<&'static str> {
        self.columns.iter().map(|(name, _)| *name).collect()
    }

    /// Statement that puts a row in.
    pub(super) fn insert(&self) -> String {
        let places: Vec<_> = (1..=self.columns.len()).map(|place| format!("?{place}")).collect();
        let names = self.names().join(", ");
        format!("INSERT INTO {} ({names}) VALUES ({})", self.name, places.join(", "))
    }

    /// What a column of the key holds.
    #[cfg(feature = "postgres")]
    pub(super) fn key_kinds(&self) -> impl Iterator<Item = Kind> + '_ {
        let kind = |name: &&str| self.columns.iter().find(|(column, _)| column == name);
        self.key.iter().filter_map(kind).map(|(_, kind)| *kind)
    }
}

use Kind::{Blob, Integer, Real, Text};

/// All tables. Rows of `dump` are written before those of `trace`, which have their number:
/// it is counted by triggers otherwise.
pub(super) const TABLES: &[Table] = &[
    Table {
        name: "build",
        key: &["n"],
        columns: &[
            ("n", Integer),
            ("id", Text),
            ("program", Text),
            ("version", Text),
            ("variant", Text),
            ("local", Integer),
        ],
    },
    Table { name: "host", key: &["n"], columns: &[("n", Integer), ("name", Text)] },
    Table {
        name: "bug",
        key: &["n"],
        columns: &[
            ("n", Integer),
            ("id", Text),
            ("name", Text),
            ("state", Text),
            ("state_build", Text),
            ("state_time", Integer),
            ("assignee", Text),
            ("link", Text),
            ("merged", Integer),
        ],
    },
    Table {
        name: "dump",
        key: &["n"],
        columns: &[
            ("n", Integer),
            ("id", Text),
            ("crash", Text),
            ("status", Text),
            ("reason", Text),
            ("complete", Integer),
            ("kept", Integer),
            ("time", Integer),
            ("added", Integer),
            ("host", Integer),
            ("build", Integer),
            ("trace", Integer),
            ("class", Text),
            ("severity", Text),
            ("confidence", Text),
            ("module", Text),
            ("level", Text),
        ],
    },
    Table {
        name: "trace",
        key: &["n"],
        columns: &[
            ("n", Integer),
            ("json", Text),
            ("cell", Text),
            ("bug", Integer),
            ("why", Text),
            ("dumps", Integer),
            ("grouped", Integer),
        ],
    },
    Table { name: "record", key: &["dump"], columns: &[("dump", Integer), ("json", Blob)] },
    Table {
        name: "path",
        key: &["key"],
        columns: &[
            ("key", Blob),
            ("shown", Text),
            ("size", Integer),
            ("mtime", Integer),
            ("inode", Integer),
            ("device", Integer),
            ("dump", Integer),
        ],
    },
    Table {
        name: "wish",
        key: &["one", "other"],
        columns: &[("one", Text), ("other", Text), ("together", Integer)],
    },
    Table {
        name: "suspected",
        key: &["one", "other"],
        columns: &[("one", Integer), ("other", Integer), ("likeness", Real)],
    },
    Table {
        name: "note",
        key: &["n"],
        columns: &[("n", Integer), ("bug", Integer), ("time", Integer), ("text", Text)],
    },
    Table {
        name: "code",
        key: &["build", "module", "symbol"],
        columns: &[("build", Text), ("module", Text), ("symbol", Text), ("hash", Text)],
    },
    Table { name: "stack", key: &["dump"], columns: &[("dump", Integer), ("json", Text)] },
    Table { name: "grouping", key: &["rules"], columns: &[("rules", Integer)] },
];

impl Store {
    /// Copies everything into `to`, which must be empty: dumps, groups with what people
    /// recorded of them, and history. All of it or, on an error, nothing. The number of dumps.
    ///
    /// # Errors
    /// When `to` holds something, and those of both databases.
    pub fn copy_to(&self, to: &mut Self) -> Result<u64, StoreError> {
        let from = &self.connection;
        let path = to.path().to_owned();
        // One state of all tables, whatever others write meanwhile.
        from.execute_batch("BEGIN").map_err(|source| self.failed(source))?;
        let copied = to.change(|transaction| {
            if !is_empty(transaction)? {
                let problem = CopyProblem::NotEmpty;
                return Err(StoreError::Copy { path: path.clone(), problem }.into());
            }
            Ok(copy(from, transaction)?)
        });
        from.execute_batch("ROLLBACK").map_err(|source| self.failed(source))?;
        copied
    }
}

fn is_empty(connection: &Connection) -> rusqlite::Result<bool> {
    let sql = "SELECT NOT EXISTS (SELECT 1 FROM dump) AND NOT EXISTS (SELECT 1 FROM bug)
        AND NOT EXISTS (SELECT 1 FROM wish)";
    connection.query_row(sql, [], |row| row.get(0))
}

fn copy(from: &Connection, to: &Transaction<'_>) -> Result<u64, rusqlite::Error> {
    to.pragma_update(None, "defer_foreign_keys", true)?;
    let mut dumps = 0;
    for table in TABLES {
        // What is made before anything is stored.
        to.execute(&format!("DELETE FROM {}", table.name), [])?;
        let names = table.names().join(", ");
        let order = table.key.join(", ");
        let sql = format!("SELECT {names} FROM {} ORDER BY {order}", table.name);
        let mut statement = from.prepare(&sql)?;
        let mut insert = to.prepare(&table.insert())?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let cells: Vec<Cell> =
                (0..table.columns.len()).map(|at| row.get(at)).collect::<rusqlite::Result<_>>()?;
            insert.execute(params_from_iter(cells))?;
            dumps += u64::from(table.name == "dump");
        }
    }
    complete_blocks(to)?;
    Ok(dumps)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::Rules;
    use crate::store::{GroupChange, PackedRecord};
    use crate::testkit::crash;
    use crate::views::ViewOptions;

    #[test]
    fn every_table_and_column_is_listed_but_those_that_are_made_from_others() {
        let store = Store::temporary().unwrap();
        let names = |sql: &str| -> Vec<String> {
            let mut statement = store.connection.prepare(sql).unwrap();
            let rows = statement.query_map([], |row| row.get(0)).unwrap();
            rows.collect::<rusqlite::Result<_>>().unwrap()
        };
        let mut tables = names("SELECT name FROM sqlite_schema WHERE type = 'table'");
        tables.retain(|name| name != "sightings" && name != "made_by");
        tables.sort();
        let mut listed: Vec<_> = TABLES.iter().map(|table| table.name).collect();
        listed.sort_unstable();
        assert_eq!(tables, listed);
        for table in TABLES {
            let sql = format!("SELECT name FROM pragma_table_info('{}')", table.name);
            assert_eq!(names(&sql), table.names(), "{}", table.name);
            let kinds = names(&format!("SELECT type FROM pragma_table_info('{}')", table.name));
            for ((column, kind), is) in table.columns.iter().zip(kinds) {
                assert_eq!(format!("{kind:?}").to_uppercase(), is, "{column}");
            }
            let names = table.names();
            assert!(table.key.iter().all(|key| names.contains(key)));
        }
    }

    #[test]
    fn a_copy_has_the_same_rows_and_goes_only_into_an_empty_store() {
        let (rules, mut from) = (Rules::built_in(), Store::temporary().unwrap());
        for number in 0..40 {
            let crash = crash(number % 7, number, &rules);
            from.add(&[(crash.stamp, PackedRecord::of(&crash.record).unwrap())], 9).unwrap();
        }
        from.regroup().unwrap();
        let group = from.overview(&ViewOptions::default(), 1).unwrap().groups[0].id.clone();
        let note = GroupChange { note: Some("seen".to_owned()), ..GroupChange::default() };
        from.revise(&group, &note, None, 11).unwrap();
        let mut to = Store::temporary().unwrap();
        assert_eq!(from.copy_to(&mut to).unwrap(), 40);
        let exported = |store: &Store| {
            let mut out = Vec::new();
            store.export(&mut out).unwrap().unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(exported(&from), exported(&to));
        assert_eq!(from.revision(&group).unwrap(), to.revision(&group).unwrap());
        to.check().unwrap();
        let again = from.copy_to(&mut to).unwrap_err();
        assert!(again.to_string().contains("is not empty"), "{again}");
        assert_eq!(to.counts().unwrap().dumps, 40);
    }
}
