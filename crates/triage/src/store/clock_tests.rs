//! Clocks that jump: of a host that crashes, and of the one that stores.

use super::*;
use crate::history::{State, Status};
use crate::signature::Rules;
use crate::testkit::{Crash, crash};
use crate::views::{GroupSummary, ViewOptions};

const DAY: i64 = 86_400;
/// 2026-03-10.
const START: i64 = 1_773_100_800;
/// 2038-01-19: where clocks of 32 bits end.
const FAR: i64 = i32::MAX as i64;

/// The `n`th crash, of this bug, dated `time`.
fn crash_at(n: u64, bug: u64, time: Option<i64>) -> Crash {
    let mut made = crash(5, n, &Rules::built_in());
    let like = crash(5, bug, &Rules::built_in()).record;
    made.record = crate::Record { dump: format!("d{n}"), time, ..like };
    made
}

/// Stores crashes one by one, each when the clock shows this.
fn store_of(crashes: &[(Crash, i64)]) -> Store {
    let mut store = Store::temporary().unwrap();
    for (crash, added) in crashes {
        let packed = PackedRecord::of(&crash.record).unwrap();
        store.add(&[(crash.stamp.clone(), packed)], *added).unwrap();
        store.regroup().unwrap();
    }
    store.check().unwrap();
    store
}

/// The group of the crash with this number.
fn group_of(store: &Store, n: u64) -> GroupSummary {
    let id = store.group_of(&format!("d{n}")).unwrap().unwrap();
    let found = store.overview(&ViewOptions::default(), usize::MAX).unwrap();
    found.groups.into_iter().find(|group| group.id == id).unwrap()
}

fn first(group: &GroupSummary) -> i64 {
    group.first.as_ref().unwrap().time
}

fn last(group: &GroupSummary) -> i64 {
    group.last.as_ref().unwrap().time
}

/// One crash on each of 20 days, stored that day, and on the last day one of another bug.
fn twenty_days() -> Vec<(Crash, i64)> {
    let daily = (0..20).map(|n| {
        let time = START + n * DAY;
        (crash_at(n.cast_unsigned(), 1, Some(time)), time + 60)
    });
    let last = START + 19 * DAY;
    daily.chain([(crash_at(50, 2, Some(last)), last + 60)]).collect()
}

#[test]
fn a_host_whose_clock_is_years_ahead_does_not_make_all_others_old() {
    let mut crashes = twenty_days();
    let right = store_of(&crashes);
    let stored = START + 19 * DAY + 120;
    crashes.push((crash_at(60, 1, Some(FAR)), stored));
    let with_future = store_of(&crashes);
    let found = with_future.overview(&ViewOptions::default(), usize::MAX).unwrap();
    // It counts, as of when it came.
    assert_eq!((found.dumps, found.now, found.newest), (22, stored, Some(stored)));
    assert_eq!(group_of(&right, 50).status, Status::New);
    assert_eq!(group_of(&with_future, 50).status, Status::New);
    let group = group_of(&with_future, 1);
    assert_eq!((first(&group), last(&group)), (START, stored));
    assert_eq!(group.count, 21);
}

#[test]
fn crashes_that_are_dated_before_those_that_are_stored_change_first_seen_only() {
    let mut crashes = twenty_days();
    crashes.push((crash_at(60, 1, Some(START - 400 * DAY)), START + 20 * DAY));
    let store = store_of(&crashes);
    let group = group_of(&store, 1);
    assert_eq!(first(&group), START - 400 * DAY);
    assert_eq!((last(&group), group.count), (START + 19 * DAY, 21));
    // The order in which they came makes no difference.
    crashes.reverse();
    let reversed = store_of(&crashes);
    let seen = |store: &Store| {
        let found = store.overview(&ViewOptions::default(), usize::MAX).unwrap();
        let of = |group: &GroupSummary| (group.count, first(group), group.status);
        found.groups.iter().map(of).collect::<Vec<_>>()
    };
    assert_eq!(seen(&store), seen(&reversed));
}

#[test]
fn where_the_clock_that_stored_was_behind_the_dates_of_crashes_count() {
    // A machine that starts in 1970 until the network gives it the time.
    let mut crashes: Vec<_> = twenty_days().into_iter().map(|(crash, _)| (crash, 3_600)).collect();
    let store = store_of(&crashes);
    let group = group_of(&store, 1);
    assert_eq!((first(&group), last(&group)), (START, START + 19 * DAY));
    // With the right time it goes on: what was stored before keeps its dates.
    crashes.push((crash_at(60, 1, Some(START + 21 * DAY)), START + 21 * DAY));
    let group = group_of(&store_of(&crashes), 1);
    assert_eq!((first(&group), last(&group)), (START, START + 21 * DAY));
}

#[test]
fn a_clock_that_is_set_back_between_two_runs_stores_no_dump_twice() {
    let mut crashes = twenty_days();
    for (n, (_, added)) in crashes.iter_mut().enumerate() {
        // From the tenth on, the clock is a month behind.
        *added -= if n < 10 { 0 } else { 30 * DAY };
    }
    let mut store = store_of(&crashes);
    let before = store.counts().unwrap();
    for (crash, _) in &crashes {
        assert!(store.is_known(&crash.stamp).unwrap());
        let packed = PackedRecord::of(&crash.record).unwrap();
        store.add(&[(crash.stamp.clone(), packed)], 0).unwrap();
    }
    assert_eq!(store.counts().unwrap(), before);
    let found = store.overview(&ViewOptions::default(), usize::MAX).unwrap();
    assert_eq!(found.dumps, 21);
    assert!(found.groups.iter().all(|group| first(group) <= last(group)));
}

#[test]
fn a_group_that_was_resolved_comes_back_by_a_crash_after_it() {
    let mut store = store_of(&twenty_days());
    let (group, at) = (group_of(&store, 1).id, START + 20 * DAY);
    store.set_state(&group, &State::Resolved { in_build: None, at }, at).unwrap();
    assert_eq!(group_of(&store, 1).status, Status::Resolved);
    // One from before that is stored late is no sign of it; neither is one of a wrong clock
    // that was stored before.
    let late = crash_at(60, 1, Some(at - 3_600));
    let packed = PackedRecord::of(&late.record).unwrap();
    store.add(&[(late.stamp, packed)], at + DAY).unwrap();
    store.regroup().unwrap();
    assert_eq!(group_of(&store, 1).status, Status::Resolved);
    let after = crash_at(61, 1, Some(at + 3_600));
    let packed = PackedRecord::of(&after.record).unwrap();
    store.add(&[(after.stamp, packed)], at + DAY).unwrap();
    store.regroup().unwrap();
    assert_eq!(group_of(&store, 1).status, Status::Regressed);
}

#[test]
fn no_date_is_too_far_away_to_be_counted() {
    for time in [i64::MIN, -1, 0, FAR, i64::MAX] {
        let store = store_of(&[(crash_at(1, 1, Some(time)), START)]);
        let found = store.overview(&ViewOptions::default(), usize::MAX).unwrap();
        assert_eq!((found.dumps, found.groups.len()), (1, 1), "{time}");
        let store = store_of(&[(crash_at(1, 1, Some(time)), START), (crash_at(2, 1, None), START)]);
        let group = group_of(&store, 1);
        assert_eq!(group.count, 2, "{time}");
        assert!(last(&group) <= START.max(0), "{time}: {}", last(&group));
    }
}
