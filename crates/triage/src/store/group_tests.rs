use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use tempfile::TempDir;

use super::*;
use crate::record::{FileFacts, Reason, Record};
use crate::signature::Rules;
use crate::testkit::{Crash, crash};
use crate::views::ViewOptions;
use obit_redact::{Level, Shown};

/// Crashes of a series, in this order.
fn crashes(numbers: impl Iterator<Item = u64>) -> Vec<Crash> {
    let rules = Rules::built_in();
    numbers.map(|n| crash(7, n, &rules)).collect()
}

fn store() -> (TempDir, Store) {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::create(&directory.path().join("t.db")).unwrap();
    (directory, store)
}

fn add(store: &mut Store, crashes: &[Crash]) {
    let packed = |crash: &Crash| PackedRecord::of(&crash.record).unwrap();
    let records: Vec<(FileStamp, PackedRecord)> =
        crashes.iter().map(|crash| (crash.stamp.clone(), packed(crash))).collect();
    store.add(&records, 0).unwrap();
    store.regroup().unwrap();
}

/// Of each dump, its group.
fn groups(store: &Store, crashes: &[Crash]) -> BTreeMap<String, String> {
    let dumps = crashes.iter().map(|crash| crash.record.dump.clone());
    dumps.map(|dump| (dump.clone(), store.group_of(&dump).unwrap().unwrap())).collect()
}

fn partition(groups: &BTreeMap<String, String>) -> BTreeSet<BTreeSet<&str>> {
    let mut by_group: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (dump, group) in groups {
        by_group.entry(group).or_default().insert(dump);
    }
    by_group.into_values().collect()
}

#[test]
fn a_survey_gives_for_each_group_what_it_gives_for_it_alone() {
    let (_kept, mut store) = store();
    add(&mut store, &crashes(0..600));
    let options = ViewOptions::default();
    let survey = store.survey(&options, 40, 40, 3, 10).unwrap();
    let list = store.overview(&options, 40).unwrap();
    assert_eq!(survey.overview, list);
    assert!(list.groups_total > 40 && survey.details.len() == 40);
    for detail in &survey.details {
        let alone = store.detail(&detail.group.id, &options, 3).unwrap().unwrap();
        // The likes of those that are left out have their signatures, too.
        assert_eq!(*detail, alone);
    }
}

#[test]
fn each_signature_of_a_group_has_its_dumps_and_its_reason() {
    let (_kept, mut store) = store();
    add(&mut store, &crashes(0..600));
    let options = ViewOptions::default();
    let mut several = 0;
    for group in store.overview(&options, 40).unwrap().groups {
        let detail = store.detail(&group.id, &options, 3).unwrap().unwrap();
        let all = &detail.signatures;
        assert_eq!(all.iter().map(|one| one.count).sum::<u64>(), group.count);
        assert_eq!(*all, store.signatures(&group.id).unwrap());
        assert_eq!(all.iter().filter(|one| one.because().is_none()).count(), 1);
        let ids: BTreeSet<&str> = all.iter().map(|one| one.id.as_str()).collect();
        let with = all.iter().filter_map(|one| one.with.as_deref());
        assert!(with.into_iter().all(|with| ids.contains(with)));
        several += usize::from(all.len() > 1);
    }
    assert!(several > 0, "no group has two signatures");
    // What the user merged has that for a reason.
    let groups = store.groups().unwrap();
    let (one, other) = (groups[0].id.clone(), groups[1].id.clone());
    store.merge_groups(&one, &other).unwrap();
    store.regroup().unwrap();
    let merged = store.signatures(&one).unwrap();
    let by_hand = merged.iter().find(|one| one.rule == Some(crate::MergeRule::ByHand)).unwrap();
    assert_eq!(by_hand.because().as_deref(), Some("merged by hand"));
    assert_eq!(by_hand.likeness, None);
}

#[test]
fn a_survey_gives_the_newest_unreadable_files_and_counts_all() {
    let (_kept, mut store) = store();
    let broken = |nth: i64| {
        let mut one = crash(7, nth.cast_unsigned(), &Rules::built_in());
        let reason = Reason {
            code: if nth == 0 { "empty" } else { "damaged" }.to_owned(),
            text: Shown::from_report(format!("no. {nth}")),
        };
        let facts = FileFacts { dump: format!("broken-{nth}"), time: Some(nth), host: None };
        one.record = Record::failed(one.record.core, facts, reason, Level::Default);
        one
    };
    add(&mut store, &(0..5).map(broken).collect::<Vec<_>>());
    let survey = store.survey(&ViewOptions::default(), 10, 10, 3, 2).unwrap();
    let shown: Vec<&str> = survey.unreadable.iter().map(|one| one.text.as_str()).collect();
    assert_eq!(shown, ["no. 4", "no. 3"]);
    assert_eq!(survey.reasons, [("damaged".to_owned(), 4), ("empty".to_owned(), 1)].into());
}

#[test]
fn dumps_that_come_later_are_grouped_as_if_all_had_come_at_once_and_ids_stay() {
    let all = crashes(0..2000);
    let (_kept, mut at_once) = store();
    add(&mut at_once, &all);
    let wanted = groups(&at_once, &all);
    let (_kept, mut in_parts) = store();
    let (first, second) = all.split_at(1000);
    add(&mut in_parts, first);
    let before = groups(&in_parts, first);
    for part in second.chunks(300).rev() {
        add(&mut in_parts, part);
    }
    let after = groups(&in_parts, &all);
    assert_eq!(partition(&after), partition(&wanted));
    let moved = before.iter().filter(|(dump, group)| after[*dump] != **group).count();
    assert!(moved * 50 <= before.len(), "{moved} of {} changed their group", before.len());
    assert_eq!(groups(&at_once, &all), wanted, "and nothing changes by itself");
}

#[test]
fn groups_of_made_crashes_are_their_bugs() {
    let all = crashes(0..4000);
    let (_kept, mut store) = store();
    add(&mut store, &all);
    let groups = groups(&store, &all);
    let mut bugs: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
    let mut split: BTreeMap<u64, BTreeSet<&str>> = BTreeMap::new();
    for crash in &all {
        let group = groups[&crash.record.dump].as_str();
        bugs.entry(group).or_default().insert(crash.bug);
        split.entry(crash.bug).or_default().insert(group);
    }
    let mixed = bugs.values().filter(|bugs| bugs.len() > 1).count();
    assert!(mixed * 20 < bugs.len(), "{mixed} of {} groups are mixed", bugs.len());
    assert!(bugs.len() < split.len() * 3 / 2, "{} groups of {} bugs", bugs.len(), split.len());
}

#[test]
fn what_the_user_recorded_about_groups_stays_whatever_comes() {
    let all = crashes(0..1500);
    let (first, second) = all.split_at(700);
    let (_kept, mut store) = store();
    add(&mut store, first);
    let found = store.groups().unwrap();
    let (one, other) = (found[0].id.clone(), found[1].id.clone());
    store.name_group(&one, "the big one").unwrap();
    store.merge_groups(&other, &one).unwrap();
    store.regroup().unwrap();
    let merged = store.groups().unwrap();
    assert_eq!(merged.len(), found.len() - 1);
    assert_eq!(merged[0].count, found[0].count + found[1].count);
    assert_eq!((merged[0].id.as_str(), merged[0].name.as_deref()), (&*one, Some("the big one")));
    add(&mut store, second);
    let members = |group: &str, store: &Store| -> BTreeSet<String> {
        store.signatures(group).unwrap().into_iter().map(|signature| signature.id).collect()
    };
    let both = members(&one, &store);
    assert!(both.len() >= 2, "{both:?}");
    assert_eq!(store.group_named(&other).unwrap(), one);
    // And back again: the one that was joined has its id again.
    let parted: Vec<String> =
        both.iter().filter(|signature| signature.starts_with(&other)).cloned().collect();
    assert!(!parted.is_empty(), "{other}: {both:?}");
    store.split_group(&one, &parted).unwrap();
    store.regroup().unwrap();
    assert_eq!(members(&other, &store), parted.iter().cloned().collect());
    store.regroup().unwrap();
    assert_eq!(members(&one, &store).len(), both.len() - parted.len());
}

#[test]
fn a_wish_that_cannot_be_is_refused_and_changes_nothing() {
    let (_kept, mut store) = store();
    add(&mut store, &crashes(0..50));
    let group = store.groups().unwrap()[0].id.clone();
    let all: Vec<String> = store.signatures(&group).unwrap().into_iter().map(|s| s.id).collect();
    for refused in [
        store.merge_groups(&group, &group),
        store.merge_groups(&group, "no such"),
        store.split_group(&group, &all),
        store.split_group(&group, &["no such".to_owned()]),
        store.name_group("", "x"),
    ] {
        assert!(matches!(refused, Err(StoreError::Group(_))), "{refused:?}");
    }
    let before = store.groups().unwrap();
    store.regroup().unwrap();
    assert_eq!(store.groups().unwrap(), before);
}

/// `cargo test --release -- --ignored --nocapture hundred_thousand`
#[test]
#[ignore = "takes a minute"]
fn a_hundred_thousand_crashes_are_grouped_in_seconds() {
    let (_kept, mut store) = store();
    let rules = Rules::built_in();
    let made = Instant::now();
    let all = (0..100_000).map(|n| crash(3, n, &rules));
    let records: Vec<(FileStamp, PackedRecord)> =
        all.map(|crash| (crash.stamp, PackedRecord::of(&crash.record).unwrap())).collect();
    println!("made in {:?}", made.elapsed());
    let added = Instant::now();
    store.add(&records, 0).unwrap();
    println!("added in {:?}", added.elapsed());
    for run in ["first", "again"] {
        let grouped = Instant::now();
        let found = store.regroup().unwrap();
        let took = grouped.elapsed();
        println!("grouped {run}: {} groups in {took:?}", found.groups);
        assert!(took.as_secs() < 10);
    }
}

/// What a store shows of its groups: the dumps of each by its id, and suspicions.
fn shown(store: &Store) -> (BTreeMap<String, String>, Vec<Suspected>, Vec<GroupRow>) {
    let mut statement = store
        .connection
        .prepare(
            "SELECT dump.id, bug.id FROM dump JOIN trace ON trace.n = dump.trace
             JOIN bug ON bug.n = trace.bug",
        )
        .unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let groups = rows.collect::<rusqlite::Result<_>>().unwrap();
    (groups, store.suspected().unwrap(), store.groups().unwrap())
}

#[test]
fn grouping_what_changed_gives_what_grouping_all_gives() {
    let (_kept, mut some) = store();
    let (_kept, mut all) = store();
    let every = crashes(0..900);
    for part in every.chunks(7) {
        let records: Vec<(FileStamp, PackedRecord)> = part
            .iter()
            .map(|crash| (crash.stamp.clone(), PackedRecord::of(&crash.record).unwrap()))
            .collect();
        some.add(&records, 0).unwrap();
        all.add(&records, 0).unwrap();
        let (regrouped, by_all) = (some.regroup().unwrap(), all.regroup_all().unwrap());
        assert_eq!(regrouped, by_all);
        assert_eq!(shown(&some), shown(&all));
    }
    // Dumps that go change as much as dumps that come.
    for crash in every.iter().step_by(5) {
        let what = ToForget::Dump(crash.record.dump.clone());
        some.forget(&what, false).unwrap();
        all.forget(&what, false).unwrap();
    }
    all.regroup_all().unwrap();
    assert_eq!(shown(&some), shown(&all));
}

#[test]
fn what_the_user_tied_together_is_grouped_together_again() {
    let (_kept, mut store) = store();
    add(&mut store, &crashes(0..200));
    let groups = store.groups().unwrap();
    let (one, other) = (groups[0].id.clone(), groups[1].id.clone());
    store.merge_groups(&one, &other).unwrap();
    store.regroup().unwrap();
    assert_eq!(store.find(&other).unwrap(), Found::Merged(other.clone(), one.clone()));
    assert_eq!(store.group_named(&other).unwrap(), one);
    for n in 200..260 {
        add(&mut store, &crashes(n..n + 1));
        assert_eq!(store.group_named(&other).unwrap(), one);
    }
    let before = shown(&store);
    store.regroup_all().unwrap();
    assert_eq!(shown(&store), before);
}

#[test]
fn a_store_that_was_exported_and_imported_says_the_same() {
    let (_kept, mut store) = store();
    add(&mut store, &crashes(0..300));
    let rules = Rules::built_in();
    let wanted = store.code_to_read(&rules, 20, 0).unwrap();
    assert!(!wanted.needs.is_empty());
    let hashes: Vec<crate::history::CodeRow> = wanted
        .needs
        .iter()
        .flat_map(|need| need.symbols.iter().map(move |(module, names)| (need, module, names)))
        .flat_map(|(need, module, names)| {
            names.iter().map(move |symbol| crate::history::CodeRow {
                build: need.build.clone(),
                module: module.clone(),
                symbol: symbol.clone(),
                hash: Some("0123456789abcdef".to_owned()),
            })
        })
        .collect();
    store.add_code(&wanted.stacks, &hashes).unwrap();
    let groups = store.groups().unwrap();
    store.merge_groups(&groups[0].id, &groups[1].id).unwrap();
    store.regroup().unwrap();
    store.add_note(&groups[2].id, "seen", 5).unwrap();
    store.collect(Keep { since: i64::MAX, per_group: 2 }).unwrap();
    let mut exported = Vec::new();
    store.export(&mut exported).unwrap().unwrap();
    let mut other = Store::temporary().unwrap();
    other.import(exported.as_slice()).unwrap();
    assert_eq!(shown(&other), shown(&store));
    let options = ViewOptions::default();
    let list = |store: &Store| {
        let mut found = store.overview(&options, usize::MAX).unwrap().groups;
        // Rows have other numbers.
        for group in &mut found {
            (group.place, group.key_row, group.example_row) = (0, None, None);
        }
        found
    };
    assert_eq!(list(&other), list(&store));
    assert_eq!(other.find(&groups[1].id).unwrap(), store.find(&groups[1].id).unwrap());
    let mut again = Vec::new();
    other.export(&mut again).unwrap().unwrap();
    let lines = |text: &[u8]| {
        let lines: BTreeSet<String> =
            String::from_utf8(text.to_vec()).unwrap().lines().map(str::to_owned).collect();
        lines
    };
    assert_eq!(lines(&again), lines(&exported));
}

#[test]
fn dumps_are_listed_as_they_are_selected_and_what_was_deleted_as_far_as_it_is_known() {
    let (_kept, mut store) = store();
    let mut all = crashes(0..50);
    all[7].record = Record::failed(
        all[7].record.core.clone(),
        FileFacts { dump: "bad".to_owned(), time: Some(7), host: None },
        Reason { code: "empty".to_owned(), text: Shown::default() },
        Level::Default,
    );
    add(&mut store, &all);
    let rows = |store: &Store, listed: &Listed| {
        let mut found = Vec::new();
        store
            .each_listed(listed, &mut |record| {
                found.push(record);
                Ok(())
            })
            .unwrap();
        found
    };
    let ids = |listed: &Listed| -> Vec<String> {
        rows(&store, listed).into_iter().map(|record| record.dump).collect()
    };
    let filtered = |text: &str| Listed {
        view: ViewOptions {
            filter: crate::views::Filter::parse(text, 0).unwrap(),
            ..ViewOptions::default()
        },
        ..Listed::default()
    };
    assert_eq!(rows(&store, &Listed::default()).len(), 50);
    assert_eq!(ids(&Listed { only_failed: true, ..Listed::default() }), ["bad"]);
    let newest = ids(&Listed { most: Some(3), ..Listed::default() });
    assert_eq!(newest, ["made-7-47", "made-7-48", "made-7-49"]);
    let since = crash(7, 45, &Rules::built_in()).record.time.unwrap();
    assert_eq!(ids(&filtered(&format!("since=@{since}"))).len(), 5);
    assert_eq!(ids(&filtered("until=@8")), ["bad"]);
    assert_eq!(ids(&filtered("class=unmapped-read")).len(), 49);
    assert_eq!(ids(&filtered("class=null-read")), [""; 0]);
    let group = store.groups().unwrap()[0].clone();
    let of_group = rows(&store, &filtered(&format!("count>={}", group.count)));
    assert!(of_group.iter().any(|record| record.group.as_ref() == Some(&group.id)));
    store.collect(Keep { since: i64::MAX, per_group: 0 }).unwrap();
    let rest = rows(&store, &Listed::default());
    assert_eq!(rest.len(), 50);
    for record in rest.iter().filter(|record| record.dump != "bad") {
        assert_eq!(record.cause.as_ref().unwrap().class, "unmapped-read");
        assert!(record.signature.as_ref().unwrap().text.as_str().contains(" in "));
        assert!(record.process.exe.is_some());
    }
    store.check().unwrap();
}
