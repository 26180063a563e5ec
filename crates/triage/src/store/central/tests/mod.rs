//! The store on a real server.

mod connection_lost;
mod proxy;
mod texts_and_files;

use std::path::PathBuf;
use std::thread;

use crate::history::State;
use crate::signature::Rules;
use crate::store::error::{CentralProblem, NotAStore};
use crate::store::{GroupChange, PackedRecord, Revised, Store, StoreError};
use crate::testkit::crash;
use crate::testkit::postgres::Server;
use crate::views::ViewOptions;

/// Opens a store with a replica that no other has.
pub(super) struct Machine {
    caches: tempfile::TempDir,
}

impl Machine {
    pub(super) fn new() -> Self {
        Self { caches: tempfile::tempdir().unwrap() }
    }

    fn address(address: &str) -> PathBuf {
        PathBuf::from(address)
    }

    pub(super) fn open(&self, address: &str) -> Result<Store, StoreError> {
        super::Central::open_in(&Self::address(address), super::Tables::Made, self.caches.path())
    }

    fn open_to_read(&self, address: &str) -> Result<Store, StoreError> {
        super::Central::open_in(
            &Self::address(address),
            super::Tables::Expected,
            self.caches.path(),
        )
    }
}

pub(super) fn add(store: &mut Store, numbers: impl Iterator<Item = u64>) {
    for number in numbers {
        let crash = crash(number % 11, number, &Rules::built_in());
        let packed = PackedRecord::of(&crash.record).unwrap();
        store.add(&[(crash.stamp, packed)], 7).unwrap();
    }
}

pub(super) fn exported(store: &Store) -> String {
    let mut out = Vec::new();
    store.export(&mut out).unwrap().unwrap();
    String::from_utf8(out).unwrap()
}

/// Everything is there once, and every machine sees the same.
pub(super) fn is_whole(address: &str, dumps: u64) {
    let (new, mut store) = (Machine::new(), None);
    for _ in 0..2 {
        // The second time from a replica that is there.
        let mut opened = new.open(address).unwrap();
        assert_eq!(opened.check().unwrap().dumps, dumps);
        opened.check_copy().unwrap();
        let text = exported(&opened);
        assert_eq!(store.get_or_insert(text.clone()), &text);
    }
}

#[test]
fn what_one_machine_stores_another_answers_with() {
    let Some(server) = Server::start() else { return };
    server.database("crashes");
    let address = server.socket("crashes");
    let (one, other) = (Machine::new(), Machine::new());
    let mut file = Store::temporary().unwrap();
    let mut here = one.open(&address).unwrap();
    let mut there = other.open(&address).unwrap();
    for store in [&mut file, &mut here] {
        add(store, 0..50);
        store.regroup().unwrap();
    }
    there = {
        drop(there);
        other.open_to_read(&address).unwrap()
    };
    assert_eq!(exported(&here), exported(&file));
    assert_eq!(exported(&there), exported(&file));
    let json = |store: &Store| {
        serde_json::to_string(&store.overview(&ViewOptions::default(), 20).unwrap()).unwrap()
    };
    assert_eq!(json(&there), json(&file));
    // Rows that change, and rows that go.
    let group = file.groups().unwrap()[0].id.clone();
    for store in [&mut file, &mut there] {
        store.set_state(&group, &State::Ignored, 9).unwrap();
        store.add_note(&group, "a\0b", 9).unwrap();
    }
    let ids = file.dumps_after(0).unwrap();
    for store in [&mut file, &mut here] {
        for id in &ids[..20] {
            store.forget(&crate::store::ToForget::Dump(id.clone()), false).unwrap();
        }
    }
    let here = {
        drop(here);
        one.open(&address).unwrap()
    };
    assert_eq!(exported(&here), exported(&file));
    is_whole(&address, 30);
}

#[test]
fn four_writers_at_once_lose_and_double_nothing() {
    let Some(server) = Server::start() else { return };
    server.database("crashes");
    let address = server.socket("crashes");
    thread::scope(|scope| {
        for writer in 0..4_u64 {
            let address = &address;
            scope.spawn(move || {
                let mut store = Machine::new().open(address).unwrap();
                for round in 0..5 {
                    // Each dump is also found by another writer.
                    let first = writer * 20 + round * 4;
                    add(&mut store, first..first + 6);
                    store.regroup().unwrap();
                }
            });
        }
    });
    // The last writer's last two are beyond the others'.
    is_whole(&address, 82);
    let mut file = Store::temporary().unwrap();
    add(&mut file, 0..82);
    file.regroup().unwrap();
    let groups = |store: &Store| {
        let mut groups: Vec<_> =
            store.groups().unwrap().into_iter().map(|group| (group.id, group.count)).collect();
        groups.sort();
        groups
    };
    assert_eq!(groups(&Machine::new().open(&address).unwrap()), groups(&file));
}

#[test]
fn of_two_people_who_change_a_group_at_once_the_second_changes_nothing() {
    let Some(server) = Server::start() else { return };
    server.database("crashes");
    let address = server.socket("crashes");
    let (one, other) = (Machine::new(), Machine::new());
    let mut here = one.open(&address).unwrap();
    add(&mut here, 0..3);
    here.regroup().unwrap();
    let mut there = other.open(&address).unwrap();
    let group = here.groups().unwrap()[0].id.clone();
    let seen = there.revision(&group).unwrap().unwrap();
    let note = |text: &str| GroupChange { note: Some(text.to_owned()), ..GroupChange::default() };
    assert!(matches!(here.revise(&group, &note("a"), Some(&seen), 9), Ok(Revised::Done(_))));
    let second = there.revise(&group, &note("b"), Some(&seen), 9).unwrap();
    assert!(matches!(second, Revised::Conflict(_)), "{second:?}");
    assert_eq!(there.notes(&group).unwrap().len(), 1);
}

#[test]
fn a_server_that_was_put_back_to_an_earlier_state_is_read_anew() {
    let Some(server) = Server::start() else { return };
    server.database("before");
    let machine = Machine::new();
    add(&mut machine.open(&server.socket("before")).unwrap(), 0..3);
    server.sql("postgres", "CREATE DATABASE crashes TEMPLATE before");
    let address = server.socket("crashes");
    add(&mut machine.open(&address).unwrap(), 3..6);
    server.sql("postgres", "DROP DATABASE crashes");
    server.sql("postgres", "CREATE DATABASE crashes TEMPLATE before");
    add(&mut Machine::new().open(&address).unwrap(), 10..15);
    assert_eq!(machine.open(&address).unwrap().counts().unwrap().dumps, 8);
}

#[test]
fn a_copy_goes_both_ways_and_stays_the_same() {
    let Some(server) = Server::start() else { return };
    server.database("crashes");
    let address = server.socket("crashes");
    let mut file = Store::temporary().unwrap();
    add(&mut file, 0..60);
    file.regroup().unwrap();
    let group = file.groups().unwrap()[0].id.clone();
    file.set_state(&group, &State::Ignored, 9).unwrap();
    file.add_note(&group, "seen", 9).unwrap();
    let machine = Machine::new();
    let mut central = machine.open(&address).unwrap();
    assert_eq!(file.copy_to(&mut central).unwrap(), 60);
    let mut back = Store::temporary().unwrap();
    assert_eq!(Machine::new().open(&address).unwrap().copy_to(&mut back).unwrap(), 60);
    assert_eq!(exported(&back), exported(&file));
    let json = |store: &Store| {
        serde_json::to_string(&store.overview(&ViewOptions::default(), 20).unwrap()).unwrap()
    };
    assert_eq!(json(&back), json(&file));
    let again = file.copy_to(&mut central).unwrap_err().to_string();
    assert!(again.contains("is not empty"), "{again}");
    is_whole(&address, 60);
}

#[test]
fn older_and_newer_tables_are_refused_and_nothing_is_written() {
    let Some(server) = Server::start() else { return };
    server.database("crashes");
    let address = server.socket("crashes");
    let machine = Machine::new();
    let mut open = machine.open(&address).unwrap();
    server.sql("crashes", "UPDATE obit.store SET tables = 99, obit = '9.1.0'");
    let error = machine.open(&address).unwrap_err();
    assert!(
        matches!(
            &error,
            StoreError::NotAStore { problem: NotAStore::Newer { tables: 99, .. }, .. }
        ),
        "{error}"
    );
    assert!(error.to_string().contains("obit 9.1.0"), "{error}");
    // One that was opened before does not write either.
    let crash = crash(1, 1, &Rules::built_in());
    let packed = PackedRecord::of(&crash.record).unwrap();
    assert!(open.add(&[(crash.stamp, packed)], 7).is_err());
    assert_eq!(server.sql("crashes", "SELECT count(*) FROM obit.dump"), "0");
    server.sql("crashes", "UPDATE obit.store SET tables = 0");
    let error = machine.open(&address).unwrap_err();
    let is_older = matches!(
        &error,
        StoreError::Central { problem: CentralProblem::Older { tables: 0, .. }, .. }
    );
    assert!(is_older, "{error}");
}
