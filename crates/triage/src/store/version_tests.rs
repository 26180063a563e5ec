//! Several versions of obit on one store.

use std::path::Path;
use std::thread;

use rusqlite::{Connection, OpenFlags, params};

use super::tables::{VERSION, of_version};
use super::*;
use crate::history::State;
use crate::signature::Rules;
use crate::testkit::crash;
use crate::views::ViewOptions;

/// A store as the obit of this version of the tables left it, with one crash.
fn older(path: &Path, version: i64) {
    let mut connection = Connection::open(path).unwrap();
    of_version(&mut connection, version);
    let crash = crash(5, 1, &Rules::built_in());
    let packed = PackedRecord::of(&crash.record).unwrap();
    let key = serde_json::to_string(packed.head().key.as_ref().unwrap()).unwrap();
    connection.execute("INSERT INTO bug (n, id) VALUES (1, '0123abcd')", []).unwrap();
    connection.execute("INSERT INTO trace (n, json, bug) VALUES (1, ?1, 1)", [key]).unwrap();
    connection.execute("INSERT INTO build (n, id, program) VALUES (1, 'b1', 'p')", []).unwrap();
    connection
        .execute(
            "INSERT INTO dump (n, id, crash, status, complete, added, build, trace, class)
             VALUES (1, 'd1', 'c1', 'ok', 1, 7, 1, 1, 'unmapped-read')",
            [],
        )
        .unwrap();
    connection.execute("INSERT INTO record VALUES (1, ?1)", [packed.body()]).unwrap();
    connection
        .execute(
            "INSERT INTO path VALUES (?1, '/cores/1', 4096, 7, 1, 1, 1)",
            [crash.stamp.key.as_slice()],
        )
        .unwrap();
}

/// What a later obit does to the tables first.
fn changed_by_a_later_obit(path: &Path) {
    let connection = Connection::open(path).unwrap();
    connection.execute("UPDATE made_by SET obit = '7.1.0'", []).unwrap();
    connection.pragma_update(None, "user_version", VERSION + 3).unwrap();
}

fn add(store: &mut Store, n: u64) -> Result<Added, StoreError> {
    let crash = crash(5, n, &Rules::built_in());
    store.add(&[(crash.stamp, PackedRecord::of(&crash.record).unwrap())], 7)
}

fn is_newer(error: &StoreError) -> bool {
    matches!(error, StoreError::NotAStore { problem: NotAStore::Newer { .. }, .. })
}

#[test]
fn the_store_of_each_earlier_version_is_upgraded_with_what_is_in_it() {
    let directory = tempfile::tempdir().unwrap();
    for version in 1..VERSION {
        let path = directory.path().join(format!("{version}.db"));
        older(&path, version);
        let mut store = Store::create(&path).unwrap();
        add(&mut store, 2).unwrap();
        store.regroup().unwrap();
        let counts = store.check().unwrap();
        assert_eq!((counts.dumps, counts.groups), (2, 2), "version {version}");
        assert_eq!(store.group_of("d1").unwrap().as_deref(), Some("0123abcd"));
    }
}

#[test]
fn an_older_store_that_cannot_be_written_is_read_and_stays_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    for version in 1..VERSION {
        let path = directory.path().join(format!("{version}.db"));
        older(&path, version);
        let before = std::fs::read(&path).unwrap();
        // Permissions do not keep root from writing.
        let mut store = Store::with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        assert_eq!(store.check().unwrap().dumps, 1, "version {version}");
        assert_eq!(store.overview(&ViewOptions::default(), 9).unwrap().dumps, 1);
        assert_eq!(store.path(), path);
        let refused = add(&mut store, 2).unwrap_err();
        assert!(refused.to_string().ends_with("it is read-only"), "{refused}");
        drop(store);
        assert!(std::fs::read(&path).unwrap() == before, "version {version}");
    }
}

#[test]
fn a_store_of_a_later_version_is_refused_and_names_the_obit_that_it_needs() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("t.db");
    Store::create(&path).unwrap();
    changed_by_a_later_obit(&path);
    let before = std::fs::read(&path).unwrap();
    for opened in [Store::create(&path), Store::open(&path)] {
        let refused = opened.unwrap_err();
        let text = refused.to_string();
        assert!(is_newer(&refused) && text.contains("t.db was written by obit 7.1.0"), "{text}");
        assert_eq!(refused.trouble(), StoreTrouble::Unusable);
    }
    assert!(std::fs::read(&path).unwrap() == before);
    // A name from the file is shown only if it is the name of a version.
    let connection = Connection::open(&path).unwrap();
    for odd in ["", "\u{1b}[31m", &"1".repeat(100)] {
        connection.execute("UPDATE made_by SET obit = ?1", params![odd]).unwrap();
        let text = Store::open(&path).unwrap_err().to_string();
        assert!(text.contains("was written by a newer obit: "), "{text}");
    }
}

#[test]
fn an_obit_that_runs_while_a_later_one_changes_the_tables_writes_no_more() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("t.db");
    let mut store = Store::create(&path).unwrap();
    add(&mut store, 1).unwrap();
    store.regroup().unwrap();
    let group = store.overview(&ViewOptions::default(), 1).unwrap().groups[0].id.clone();
    changed_by_a_later_obit(&path);
    let refused = [
        add(&mut store, 2).map(drop),
        store.regroup().map(drop),
        store.set_state(&group, &State::Ignored, 8),
        store.add_note(&group, "seen", 8),
        store.forget(&ToForget::Before(i64::MAX), false).map(drop),
        store.collect(Keep { since: i64::MAX, per_group: 0 }).map(drop),
    ];
    for result in refused {
        assert!(is_newer(&result.unwrap_err()));
    }
    assert_eq!(store.counts().unwrap().dumps, 1);
    assert!(store.notes(&group).unwrap().is_empty());
}

#[test]
fn of_many_that_open_an_older_store_at_once_one_upgrades_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("t.db");
    older(&path, 1);
    thread::scope(|scope| {
        for n in 10..16 {
            let path = &path;
            scope.spawn(move || {
                let mut store = Store::create(path).unwrap();
                add(&mut store, n).unwrap();
                store.regroup().unwrap();
            });
        }
    });
    assert_eq!(Store::open(&path).unwrap().check().unwrap().dumps, 7);
}
