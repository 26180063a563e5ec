//! Groups of the fixtures: one bug is one group, whatever the compiler did and in whatever
//! order its cores came.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use crate::fixture::{run, stdout};
use serde_json::Value;

/// One program at three levels.
const LEVELS: [&str; 3] = ["causes-c-O0", "causes-c-O2", "causes-c-O3"];

/// Ways to die that more than one group has: one level reads ahead of the function that
/// another names, or there are two functions that may have been lost.
const SPLIT: &[&str] = &[];

/// By file, the group. The cores are read in the order of `parts`, each part by a run of
/// its own.
fn groups(db: &Path, parts: &[Vec<PathBuf>]) -> BTreeMap<PathBuf, String> {
    for part in parts {
        let mut args: Vec<OsString> = vec!["triage".into(), "--db".into(), db.into()];
        args.extend(part.iter().map(OsString::from));
        stdout(&run(args));
    }
    let list = [OsString::from("list"), "--format=ndjson".into(), "--db".into(), db.into()];
    let listed = stdout(&run(list));
    let records = listed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    records
        .map(|record| {
            let group = record["group"].as_str().unwrap_or_default().to_owned();
            // The directory and the file: what is above may be hidden.
            let path = Path::new(record["core"]["path"].as_str().unwrap());
            let level = path.parent().and_then(Path::file_name).unwrap();
            (Path::new(level).join(path.file_name().unwrap()), group)
        })
        .collect()
}

fn cores() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut cores: Vec<PathBuf> = LEVELS
        .iter()
        .flat_map(|level| fs::read_dir(root.join(level)).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_str().unwrap().ends_with(".core.zst"))
        .collect();
    cores.sort();
    assert!(cores.len() > 100, "only {} cores", cores.len());
    cores
}

fn way(core: &Path) -> &str {
    core.file_name().unwrap().to_str().unwrap().strip_suffix(".core.zst").unwrap()
}

fn partition(groups: &BTreeMap<PathBuf, String>) -> BTreeSet<BTreeSet<&Path>> {
    let mut by_group: BTreeMap<&str, BTreeSet<&Path>> = BTreeMap::new();
    for (core, group) in groups {
        by_group.entry(group).or_default().insert(core);
    }
    by_group.into_values().collect()
}

#[test]
fn one_bug_is_one_group_at_every_level_and_in_every_order() {
    let directory = tempfile::tempdir().unwrap();
    let cores = cores();
    let at_once = groups(&directory.path().join("a.db"), std::slice::from_ref(&cores));
    let mut by_way: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (core, group) in &at_once {
        by_way.entry(way(core)).or_default().insert(group);
    }
    let split: Vec<&str> =
        by_way.iter().filter(|(_, groups)| groups.len() > 1).map(|(way, _)| *way).collect();
    assert_eq!(split, SPLIT);

    let (mut late, early): (Vec<PathBuf>, Vec<PathBuf>) =
        cores.into_iter().enumerate().fold(Default::default(), |mut parts, (at, core)| {
            if at % 3 == 0 {
                parts.0.push(core);
            } else {
                parts.1.push(core);
            }
            parts
        });
    late.reverse();
    let in_parts = groups(&directory.path().join("b.db"), &[early.clone(), late]);
    assert_eq!(partition(&in_parts), partition(&at_once));
}

#[test]
fn groups_are_named_merged_and_split_by_hand() {
    let directory = tempfile::tempdir().unwrap();
    let db = directory.path().join("c.db");
    let cores: Vec<PathBuf> = cores()
        .into_iter()
        .filter(|core| ["memcpy_null", "assertion"].contains(&way(core)))
        .collect();
    let before = groups(&db, &[cores]);
    let ids: BTreeSet<&String> = before.values().collect();
    let ids: Vec<&String> = ids.into_iter().collect();
    let [one, other] = ids[..] else { panic!("{before:?}") };
    let say = |args: &[&str]| {
        let db = ["group", "--db", db.to_str().unwrap()].map(OsString::from);
        run(db.into_iter().chain(args.iter().map(OsString::from)))
    };
    assert!(stdout(&say(&["merge", one, other])).lines().count() > 2);
    assert_eq!(partition(&groups(&db, &[])).len(), 1);
    let id = groups(&db, &[]).into_values().next().unwrap();
    let joined = if id == *one { other } else { one };
    assert!(stdout(&say(&["split", &id, joined])).starts_with(id.as_str()));
    assert_eq!(groups(&db, &[]), before, "as it was");
    stdout(&say(&["name", &id[..6], "the packet"]));
    let refused = say(&["name", "nothing", "x"]);
    assert_eq!(refused.status.code(), Some(64));
    let refused = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.contains("no group \"nothing\""), "{refused}");
}
