//! What of a store a period shows, and what the user recorded about groups.

use std::io::BufReader;

use super::*;
use crate::signature::Rules;
use crate::testkit::{Crash, crash};
use crate::views::{Filter, Overview, Per, ViewOptions};

const DAY: i64 = 86_400;
/// 2026-03-10.
const START: i64 = 1_773_100_800;

/// A crash of the `bug`th kind at this time.
fn crash_at(n: u64, bug: u64, time: i64) -> Crash {
    let mut made = crash(5, n, &Rules::built_in());
    let like = crash(5, bug, &Rules::built_in()).record;
    made.record = crate::Record { dump: format!("d{n}"), time: Some(time), ..like };
    made
}

fn store_of(crashes: &[Crash]) -> Store {
    let mut store = Store::temporary().unwrap();
    let records: Vec<(FileStamp, PackedRecord)> = crashes
        .iter()
        .map(|crash| (crash.stamp.clone(), PackedRecord::of(&crash.record).unwrap()))
        .collect();
    store.add(&records, START + 20 * DAY).unwrap();
    store.regroup().unwrap();
    store
}

/// One bug's crash on each of 20 days, and 10 of another on the last.
fn twenty_days() -> Store {
    let daily = (0..20).map(|n| crash_at(n, 1, START + n.cast_signed() * DAY + 60));
    let last = (100..110).map(|n| crash_at(n, 2, START + 19 * DAY + 3_600));
    store_of(&daily.chain(last).collect::<Vec<_>>())
}

fn overview(store: &Store, options: &ViewOptions) -> Overview {
    store.overview(options, usize::MAX).unwrap()
}

#[test]
fn a_period_selects_dumps_and_the_one_before_is_counted_beside() {
    let store = twenty_days();
    let now = START + 20 * DAY;
    let options = ViewOptions {
        since: Some(now - 7 * DAY),
        compared_until: Some(now),
        now: Some(now),
        ..ViewOptions::default()
    };
    let found = overview(&store, &options);
    assert_eq!((found.dumps, found.before), (17, Some(7)));
    let counts: Vec<_> = found.groups.iter().map(|group| (group.count, group.before)).collect();
    assert!(counts.contains(&(7, Some(7))) && counts.contains(&(10, Some(0))), "{counts:?}");
    // The trend and the series show the period and nothing else.
    assert_eq!((found.groups[0].trend.from, found.series.start), (now - 7 * DAY, now - 7 * DAY));
    assert_eq!(found.series.counts, [1, 1, 1, 1, 1, 1, 11, 0]);
    // A condition is the same.
    let filter = Filter::parse("since=7d", now).unwrap();
    let by_condition = overview(&store, &ViewOptions { filter, ..ViewOptions::default() });
    assert_eq!((by_condition.dumps, by_condition.since), (17, found.since));
}

#[test]
fn as_of_an_earlier_time_later_dumps_are_not_known() {
    let store = twenty_days();
    let early = overview(&store, &ViewOptions { now: Some(START + 5 * DAY), ..Default::default() });
    assert_eq!((early.dumps, early.groups.len()), (5, 1));
    assert_eq!(early.newest, Some(START + 19 * DAY + 3_600));
    let until = ViewOptions { until: Some(START + 5 * DAY), ..ViewOptions::default() };
    assert_eq!(overview(&store, &until).dumps, 5);
    let (side, _) = store.bundles("", &until).unwrap();
    assert_eq!(side.dumps, 5);
}

#[test]
fn an_empty_period_is_described_with_the_newest_dump() {
    let store = twenty_days();
    let options = ViewOptions { since: Some(START + 90 * DAY), ..ViewOptions::default() };
    let found = overview(&store, &options);
    assert_eq!(
        found.why_empty().unwrap(),
        "no dump since 2026-06-08 00:00 UTC; the newest is of 2026-03-29 01:00 UTC \
         (--now 2026-03-29T01:00:00Z counts back from it)"
    );
    assert_eq!(overview(&store, &ViewOptions::default()).why_empty(), None);
    // The period is not why, where it has dumps of another class.
    let filter = Filter::parse("class=no-such,since=2026-03-20", 0).unwrap();
    let other = overview(&store, &ViewOptions { filter, ..ViewOptions::default() });
    assert_eq!((other.dumps, other.why_empty()), (0, None));
    assert_eq!(overview(&Store::temporary().unwrap(), &options).why_empty(), None);
}

#[test]
fn shares_and_series_are_of_the_dumps_that_were_asked_for() {
    let store = twenty_days();
    let found = overview(&store, &ViewOptions { per: Some(Per::Week), ..ViewOptions::default() });
    assert_eq!(found.series.counts, [6, 7, 17]);
    let of_all: f64 = found.groups.iter().filter_map(|group| group.share_of_all).sum();
    assert!((of_all - 1.0).abs() < 1e-9, "{of_all}");
    for group in &found.groups {
        assert_eq!(group.share_of_all, Some(group.count as f64 / 30.0));
        assert_eq!(group.series.counts.iter().sum::<u64>(), group.count);
        assert!(group.share_of_program >= group.share_of_all);
    }
}

#[test]
fn a_surge_is_of_dumps_whose_time_is_known_and_selects_groups() {
    let mut crashes: Vec<Crash> =
        (0..20).map(|n| crash_at(n, 1, START + n.cast_signed() * DAY)).collect();
    crashes.extend((100..108).map(|n| crash_at(n, 1, START + 19 * DAY + 7_200)));
    let surging = overview(&store_of(&crashes), &ViewOptions::default());
    let surge = surging.groups[0].surge.unwrap();
    assert_eq!((surge.hour, surge.count), (START + 19 * DAY + 7_200, 8));
    for (text, groups) in [("surge", 1), ("surge=no", 0)] {
        let filter = Filter::parse(text, 0).unwrap();
        let options = ViewOptions { filter, ..ViewOptions::default() };
        assert_eq!(overview(&store_of(&crashes), &options).groups.len(), groups, "{text}");
    }
    // Without a time, a dump counts as of when it was added: all of a batch at once.
    for crash in &mut crashes[20..] {
        crash.record.time = None;
    }
    assert_eq!(overview(&store_of(&crashes), &ViewOptions::default()).groups[0].surge, None);
}

#[test]
fn who_works_on_a_group_and_its_ticket_are_kept() {
    let mut store = twenty_days();
    let ids: Vec<String> =
        overview(&store, &ViewOptions::default()).groups.into_iter().map(|g| g.id).collect();
    store.set_assignee(&ids[0], Some("ada")).unwrap();
    store.set_link(&ids[0], Some("https://bugs.example/4711")).unwrap();
    let recorded = |store: &Store, condition: &str| {
        let filter = Filter::parse(condition, 0).unwrap();
        let found = overview(store, &ViewOptions { filter, ..ViewOptions::default() });
        let of = |group: crate::GroupSummary| (group.id, group.assignee, group.link);
        found.groups.into_iter().map(of).collect::<Vec<_>>()
    };
    let ada =
        || vec![(ids[0].clone(), Some("ada".into()), Some("https://bugs.example/4711".to_owned()))];
    assert_eq!(recorded(&store, "assignee=ada"), ada());
    assert_eq!(recorded(&store, "assignee=none"), [(ids[1].clone(), None, None)]);
    store.regroup().unwrap();
    assert_eq!(recorded(&store, "assignee=ada"), ada());
    // Another store takes it over, and keeps what it has itself.
    let mut exported = Vec::new();
    store.export(&mut exported).unwrap().unwrap();
    let mut other = Store::temporary().unwrap();
    for _ in 0..2 {
        other.import(BufReader::new(exported.as_slice())).unwrap();
        assert_eq!(recorded(&other, "assignee=ada"), ada());
    }
    let mut third = twenty_days();
    third.set_assignee(&ids[0], Some("grace")).unwrap();
    third.import(BufReader::new(exported.as_slice())).unwrap();
    assert_eq!(recorded(&third, "assignee=grace")[0].2, ada()[0].2);
    // Two that become one keep it, whichever goes on.
    third.merge_groups(&ids[1], &ids[0]).unwrap();
    third.regroup().unwrap();
    assert_eq!(recorded(&third, "assignee=grace").len(), 1);
    store.set_assignee(&ids[0], None).unwrap();
    assert_eq!(recorded(&store, "assignee=ada"), []);
}
