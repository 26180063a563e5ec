//! A store on a file system that fails: the power is cut, the disk is full, fails, or becomes
//! read-only, at each operation.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::fault_layer::{Fault, Layer, Operation};
use super::*;
use crate::history::State;
use crate::signature::Rules;
use crate::testkit::crash;
use crate::views::ViewOptions;

/// What is in a directory, by name.
pub(super) type Files = BTreeMap<String, Vec<u8>>;

/// All that a store holds, as text.
fn content(store: &Store) -> String {
    let mut out = Vec::new();
    let exported = store.export(&mut out).unwrap().unwrap();
    assert_eq!(exported.lost, 0);
    String::from_utf8(out).unwrap()
}

fn add(store: &mut Store, numbers: std::ops::Range<u64>) -> Result<(), StoreError> {
    let packed: Vec<_> = numbers
        .map(|n| crash(9, n, &Rules::built_in()))
        .map(|crash| (crash.stamp, PackedRecord::of(&crash.record).unwrap()))
        .collect();
    store.add(&packed, 7).map(drop)
}

fn first_group(store: &Store) -> Result<String, StoreError> {
    let found = store.overview(&ViewOptions::default(), 1)?;
    Ok(found.groups.first().map(|group| group.id.clone()).unwrap_or_default())
}

type Step = fn(&mut Store) -> Result<(), StoreError>;

/// What a run of `obit triage` and a few commands do. Each is one transaction.
const STEPS: [Step; 8] = [
    |store| add(store, 0..4),
    |store| store.regroup().map(drop),
    |store| add(store, 4..8),
    |store| store.regroup().map(drop),
    |store| store.set_state(&first_group(store)?, &State::Ignored, 9),
    |store| store.add_note(&first_group(store)?, "seen", 9),
    |store| store.collect(Keep { since: i64::MAX, per_group: 1 }).map(drop),
    |store| add(store, 8..10),
];

pub(super) fn files_of(directory: &Path) -> Files {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap());
    entries
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect()
}

pub(super) fn put(files: &Files, directory: &Path) {
    for entry in fs::read_dir(directory).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    for (name, bytes) in files {
        fs::write(directory.join(name), bytes).unwrap();
    }
}

fn apply(files: &mut Files, operation: &Operation) {
    match operation {
        Operation::Write { file, at, bytes } => {
            let content = files.entry(file.clone()).or_default();
            content.resize(content.len().max(at + bytes.len()), 0);
            content[*at..at + bytes.len()].copy_from_slice(bytes);
        }
        Operation::Truncate { file, length } => {
            files.entry(file.clone()).or_default().resize(*length, 0);
        }
        Operation::Delete { file } => drop(files.remove(file)),
        Operation::Sync { .. } => {}
    }
}

/// What the disk holds after a power cut.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cut {
    /// Only the process was killed: all is there that was written.
    Process,
    /// What was not synced is gone.
    Unsynced,
    /// Of what was not synced every other operation is there, and half of the last write: a disk
    /// writes in any order, by sectors.
    Torn,
}

pub(super) fn after_cut(before: &Files, operations: &[Operation], cut: Cut) -> Files {
    let mut files = before.clone();
    let file_of = |operation: &Operation| match operation {
        Operation::Write { file, .. }
        | Operation::Truncate { file, .. }
        | Operation::Sync { file }
        | Operation::Delete { file } => file.clone(),
    };
    let (mut synced, mut directory_synced) = (BTreeMap::new(), 0);
    let mut exist: BTreeSet<String> = before.keys().cloned().collect();
    for (n, operation) in operations.iter().enumerate() {
        match operation {
            Operation::Sync { file } => {
                synced.insert(file.clone(), n);
                // SQLite syncs the directory with the first sync of a new file.
                if exist.insert(file.clone()) {
                    directory_synced = n;
                }
            }
            Operation::Delete { file } => drop(exist.remove(file)),
            Operation::Write { .. } | Operation::Truncate { .. } => {}
        }
    }
    for (n, operation) in operations.iter().enumerate() {
        let is_synced = match operation {
            Operation::Delete { .. } => n < directory_synced,
            _ => synced.get(&file_of(operation)).is_some_and(|synced| n < *synced),
        };
        let is_there = match cut {
            Cut::Process => true,
            Cut::Unsynced => is_synced,
            Cut::Torn => is_synced || n % 2 == 0,
        };
        match operation {
            Operation::Write { file, at, bytes } if is_there => {
                let is_torn = matches!(cut, Cut::Torn) && !is_synced && n + 2 >= operations.len();
                let whole = if is_torn { bytes.len() / 2 / 512 * 512 } else { bytes.len() };
                let bytes = bytes[..whole].to_owned();
                apply(&mut files, &Operation::Write { file: file.clone(), at: *at, bytes });
            }
            _ if is_there => apply(&mut files, operation),
            _ => {}
        }
    }
    files
}

#[test]
fn a_power_cut_at_any_operation_loses_nothing_that_was_committed() {
    let (recorded, cut_off) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let layer = Layer::over(recorded.path());
    let mut store = Store::create(&recorded.path().join("t.db")).unwrap();
    // What was committed after so many operations.
    let mut committed = vec![(0, content(&store)), (layer.count(), content(&store))];
    for step in STEPS {
        step(&mut store).unwrap();
        committed.push((layer.count(), content(&store)));
    }
    drop(store);
    let operations = layer.operations();
    assert!(operations.iter().any(|done| matches!(done, Operation::Delete { .. })));
    // The file is made before SQLite opens it, and its name is synced.
    let before = Files::from([("t.db".to_owned(), Vec::new())]);
    let mut seen = BTreeSet::new();
    for end in 0..=operations.len() {
        for cut in [Cut::Process, Cut::Unsynced, Cut::Torn] {
            let files = after_cut(&before, &operations[..end], cut);
            if !seen.insert(files.clone()) {
                continue;
            }
            put(&files, cut_off.path());
            let what = format!("{cut:?} after {end} of {} operations", operations.len());
            let store = Store::create(&cut_off.path().join("t.db"))
                .unwrap_or_else(|error| panic!("{what}: {error}"));
            store.check().unwrap_or_else(|error| panic!("{what}: {error}"));
            let last = committed.iter().rposition(|(at, _)| *at <= end).unwrap();
            let is = content(&store);
            // The step that was cut off is there or not, and nothing of it in between.
            let may_be = committed[last..].iter().take(2);
            assert!(may_be.into_iter().any(|(_, content)| *content == is), "{what}");
        }
    }
    assert!(seen.len() > operations.len(), "{} of {}", seen.len(), operations.len());
}

#[test]
fn a_store_on_a_disk_that_fails_says_so_and_keeps_what_was_committed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("t.db");
    let mut store = Store::create(&path).unwrap();
    for step in &STEPS[..2] {
        step(&mut store).unwrap();
    }
    drop(store);
    let before = files_of(directory.path());
    let layer = Layer::over(directory.path());
    let run = |committed: &mut Vec<String>| -> Result<(), StoreError> {
        let mut store = Store::create(&path)?;
        committed.push(content(&store));
        for step in &STEPS[2..] {
            step(&mut store)?;
            committed.push(content(&store));
        }
        Ok(())
    };
    let mut whole = Vec::new();
    run(&mut whole).unwrap();
    let count = layer.count();
    // Those that last are the same from wherever within a transaction they begin.
    for (fault, each) in [(Fault::Once, 1), (Fault::ReadOnly, 7), (Fault::Full, 7)] {
        let mut errors = 0;
        for number in (0..count).step_by(each) {
            put(&before, directory.path());
            layer.fail_at(number, fault);
            let mut committed = vec![whole[0].clone()];
            let outcome = run(&mut committed);
            layer.stop_failing();
            let what = format!("{fault:?} at {number} of {count}");
            if let Err(error) = outcome {
                errors += 1;
                let text = error.to_string();
                assert!(text.contains(&*path.to_string_lossy()), "{what}: {text}");
                assert!(text.contains("intact"), "{what}: {text}");
                assert_eq!(error.trouble(), StoreTrouble::NotWritten, "{what}: {text}");
            }
            let mut store = Store::create(&path).unwrap_or_else(|e| panic!("{what}: {e}"));
            store.check().unwrap_or_else(|error| panic!("{what}: {error}"));
            let is = content(&store);
            let last = whole.iter().rposition(|one| Some(one) == committed.last()).unwrap();
            let mut may_be = whole[last..].iter().take(2);
            assert!(may_be.any(|content| *content == is), "{what}");
            // And the same commands do the rest.
            add(&mut store, 4..10).unwrap();
            assert_eq!(store.counts().unwrap().dumps, 10, "{what}");
        }
        assert!(errors > 0, "{fault:?}");
    }
}
