//! Damaged stores: found out, made whole, and what is lost is listed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::fault_layer::Layer;
use super::fault_tests::{Cut, after_cut, files_of, put};
use super::*;
use crate::history::State;
use crate::record::Record;
use crate::signature::Rules;
use crate::testkit::crash;

const PAGE: usize = 4096;

/// A store with 60 dumps, states and notes, in one file without a log.
struct Made {
    directory: tempfile::TempDir,
    bytes: Vec<u8>,
    records: BTreeMap<String, Record>,
    groups: BTreeMap<String, Vec<Note>>,
}

impl Made {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("t.db");
        let mut store = Store::create(&path).unwrap();
        let packed: Vec<_> = (0..60)
            .map(|n| crash(7, n, &Rules::built_in()))
            .map(|crash| (crash.stamp, PackedRecord::of(&crash.record).unwrap()))
            .collect();
        store.add(&packed, 7).unwrap();
        store.regroup().unwrap();
        let groups: Vec<String> = overview(&store);
        for (n, group) in groups.iter().enumerate() {
            store.set_state(group, &State::Ignored, 9).unwrap();
            store.add_note(group, &format!("note {n}"), 9).unwrap();
        }
        let groups = groups.into_iter().map(|id| (store.notes(&id).unwrap(), id));
        let groups = groups.map(|(notes, id)| (id, notes)).collect();
        let records = records(&store);
        drop(store);
        Self { bytes: fs::read(&path).unwrap(), directory, records, groups }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("t.db")
    }

    /// The store with these bytes in place of those at `at`.
    fn damaged(&self, at: usize, with: &[u8]) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        bytes[at..at + with.len()].copy_from_slice(with);
        for name in fs::read_dir(self.directory.path()).unwrap() {
            fs::remove_file(name.unwrap().path()).unwrap();
        }
        fs::write(self.path(), &bytes).unwrap();
        bytes
    }

    /// What is not lost is there as it was.
    fn has_all_but(&self, lost: &[Lost], store: &Store) {
        let there = records(store);
        // Of what has no name any more, it is only known how much it may be.
        let unnamed: u64 = lost
            .iter()
            .map(|lost| match lost {
                Lost::Rows { table: "dump", at_most } => *at_most,
                _ => 0,
            })
            .sum();
        let mut missing = 0;
        for (id, record) in &self.records {
            if lost.contains(&Lost::Dump { id: id.clone() }) {
                assert!(!there.contains_key(id), "{id} is listed as lost");
            } else if lost
                .iter()
                .any(|lost| matches!(lost, Lost::Record { id: of, .. } if of == id))
            {
                assert!(there.get(id).is_some_and(|there| there.threads.is_empty()), "{id}");
            } else if let Some(there) = there.get(id) {
                let there = Record { group: record.group.clone(), ..there.clone() };
                assert!(there == *record, "{id} has another record");
            } else {
                missing += 1;
            }
        }
        assert!(missing <= unnamed, "{missing} dumps are missing: {lost:?}");
        assert!(there.keys().all(|id| self.records.contains_key(id)));
    }
}

fn overview(store: &Store) -> Vec<String> {
    let found = store.overview(&crate::ViewOptions::default(), usize::MAX).unwrap();
    found.groups.into_iter().map(|group| group.id).collect()
}

fn records(store: &Store) -> BTreeMap<String, Record> {
    let mut records = BTreeMap::new();
    store
        .each_record(&mut |record| {
            records.insert(record.dump.clone(), record);
            Ok(())
        })
        .unwrap();
    records
}

fn names_in(directory: &Path) -> Vec<String> {
    let names = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> =
        names.map(|name| name.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Repairs and compares; whether it was damaged and how much was lost.
fn repaired(made: &Made, damaged: &[u8], what: &str) -> Option<usize> {
    let path = made.path();
    let done = match Store::repair(&path) {
        Ok(done) => done,
        Err(error) => {
            assert_eq!(error.trouble(), StoreTrouble::Unusable, "{what}: {error}");
            assert!(fs::read(&path).unwrap() == damaged, "{what}: the file is as it was");
            assert_eq!(names_in(made.directory.path()), ["t.db"], "{what}");
            return Some(usize::MAX);
        }
    };
    let store = Store::open(&path).unwrap();
    assert_eq!(store.check().unwrap(), done.counts, "{what}");
    made.has_all_but(&done.lost, &store);
    let copy = done.copy?;
    assert!(fs::read(&copy).unwrap() == damaged, "{what}: the damaged file is kept");
    drop(store);
    assert_eq!(names_in(made.directory.path()), ["t.db", "t.db.damaged"], "{what}");
    Some(done.lost.len())
}

#[test]
fn of_a_store_with_a_damaged_page_the_others_are_kept_and_what_is_lost_is_listed() {
    let made = Made::new();
    let (mut lost, mut hopeless) = (0, 0);
    let pages = made.bytes.len() / PAGE;
    for page in 1..pages {
        // A block of a disk that comes back as zeros, or as another's.
        let byte = [0, 0xa5][page % 2];
        let damaged = made.damaged(page * PAGE, &[byte; PAGE]);
        match repaired(&made, &damaged, &format!("page {page} is {byte:#x}")) {
            Some(usize::MAX) => hopeless += 1,
            Some(n) => lost += n,
            // It was a page that holds nothing.
            None => {}
        }
    }
    assert!(lost > 0);
    // Without the pages of the schema nothing is found.
    assert!(hopeless <= 8, "{hopeless} of {pages} pages");
}

#[test]
fn a_damaged_byte_is_found_or_changes_no_record() {
    let made = Made::new();
    let (mut found, pages) = (0, made.bytes.len() / PAGE);
    for page in 0..pages {
        // Of each page another place: header, pointers to cells, cells.
        let places = [0, 1, 3, 5, 8, 11, 100 + page * 7, 2100 + page * 13, PAGE - 1 - page * 3];
        let at = page * PAGE + places[page % places.len()] % PAGE;
        let damaged = made.damaged(at, &[made.bytes[at] ^ 0xff]);
        found += usize::from(repaired(&made, &damaged, &format!("byte {at}")).is_some());
    }
    assert!(found > pages / 2, "{found} of {pages}");
}

#[test]
fn a_damaged_header_is_restored() {
    let made = Made::new();
    for at in (0..24).chain(44..48).chain(56..60) {
        let damaged = made.damaged(at, &[made.bytes[at] ^ 0x55]);
        let lost = repaired(&made, &damaged, &format!("byte {at}"));
        assert!(lost.is_none_or(|lost| lost == 0), "byte {at}: {lost:?}");
    }
}

#[test]
fn a_whole_store_is_not_touched() {
    let made = Made::new();
    let done = Store::repair(&made.path()).unwrap();
    assert_eq!((done.copy, done.lost), (None, Vec::new()));
    assert_eq!(names_in(made.directory.path()), ["t.db"]);
    let store = Store::open(&made.path()).unwrap();
    assert_eq!(records(&store), made.records);
    for (group, notes) in &made.groups {
        assert_eq!(store.notes(group).unwrap(), *notes);
    }
}

#[test]
fn a_store_that_another_process_has_open_is_not_replaced() {
    let made = Made::new();
    let reader = Store::open(&made.path()).unwrap();
    reader.counts().unwrap();
    let magic = b"\x28\xb5\x2f\xfd";
    let at = made.bytes.windows(4).rposition(|window| window == magic).unwrap() + 30;
    let file = fs::File::options().write(true).open(made.path()).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, &[0xa5; 20], at as u64).unwrap();
    let refused = Store::repair(&made.path()).unwrap_err();
    assert!(refused.to_string().ends_with("is locked by another process"), "{refused}");
    drop(reader);
    let done = Store::repair(&made.path()).unwrap();
    assert!(matches!(done.lost.as_slice(), [Lost::Record { path: Some(_), .. }]), "{done:?}");
}

#[test]
fn changes_that_are_in_the_log_only_are_kept() {
    let made = Made::new();
    let (path, other) = (made.path(), made.directory.path().join("other.db"));
    let mut store = Store::open(&path).unwrap();
    let group = overview(&store).remove(0);
    store.add_note(&group, "in the log", 10).unwrap();
    // As a killed process leaves it.
    let log = |path: &Path| PathBuf::from(format!("{}-wal", path.display()));
    fs::copy(log(&path), log(&other)).unwrap();
    fs::copy(&path, &other).unwrap();
    let mut bytes = fs::read(&other).unwrap();
    let at = bytes.windows(4).rposition(|window| window == b"\x28\xb5\x2f\xfd").unwrap();
    bytes[at + 30..at + 50].fill(0xa5);
    fs::write(&other, &bytes).unwrap();
    let done = Store::repair(&other).unwrap();
    assert!(matches!(done.lost.as_slice(), [Lost::Record { .. }]), "{done:?}");
    let notes = Store::open(&other).unwrap().notes(&group).unwrap();
    assert!(notes.iter().any(|note| note.text == "in the log"), "{notes:?}");
}

#[test]
fn a_power_cut_while_it_is_repaired_leaves_it_damaged_or_whole() {
    let made = Made::new();
    let page = 20 * PAGE;
    made.damaged(page, &[0xa5; PAGE]);
    let before = files_of(made.directory.path());
    let layer = Layer::over(made.directory.path());
    let done = Store::repair(&made.path()).unwrap();
    let operations = layer.operations();
    drop(layer);
    assert!(operations.len() > made.bytes.len() / PAGE);
    for end in (0..=operations.len()).step_by(9) {
        put(&after_cut(&before, &operations[..end], Cut::Torn), made.directory.path());
        let again = Store::repair(&made.path()).unwrap_or_else(|e| panic!("after {end}: {e}"));
        assert_eq!(again.counts, done.counts, "after {end}");
        assert!(again.copy.is_none() || again.lost == done.lost, "after {end}");
    }
}
