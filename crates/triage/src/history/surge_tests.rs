//! Synthetic histories: how often chance is called a surge, and which hours are found.

use super::*;

/// Hours of a history before the month that is examined.
const BEFORE: i64 = 28 * 24;
/// Hours of that month.
const MONTH: i64 = 720;

/// Numbers that look random: splitmix64.
struct Random(u64);

impl Random {
    fn share(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A Poisson number (Knuth).
    fn poisson(&mut self, mean: f64) -> u64 {
        let (end, mut product, mut count) = ((-mean).exp(), self.share(), 0);
        while product > end {
            product *= self.share();
            count += 1;
        }
        count
    }
}

/// What `rate` dumps an hour, as a function of the hour, make of `hours`.
fn history(random: &mut Random, hours: i64, rate: impl Fn(i64) -> f64, batch: u64) -> HourCounts {
    let mut counts = HourCounts::default();
    for hour in 0..hours {
        let count = random.poisson(rate(hour) / batch as f64) * batch;
        if count > 0 {
            counts.0.insert(hour, count);
        }
    }
    counts
}

/// The part of `months` that have any surge, each seen hour by hour as it goes on.
fn alarms(months: u64, before: i64, rate: impl Fn(i64) -> f64, batch: u64) -> f64 {
    let mut random = Random(20_260_310);
    let alarms = (0..months).filter(|_| {
        let counts = history(&mut random, before + MONTH, &rate, batch);
        counts.surge((before + MONTH) * HOUR, MONTH * HOUR).is_some()
    });
    alarms.count() as f64 / months as f64
}

fn day_and_night(mean: f64) -> impl Fn(i64) -> f64 {
    move |hour| mean * if (8..20).contains(&(hour % 24)) { 1.9 } else { 0.1 }
}

#[test]
fn of_a_hundred_steady_months_at_most_one_has_a_surge() {
    for mean in [0.01, 0.1, 0.3, 1.0, 3.0] {
        for before in [0, BEFORE] {
            let share = alarms(400, before, |_| mean, 1);
            assert!(share <= 0.01, "{mean} an hour after {before}: {share}");
        }
    }
}

#[test]
fn days_and_nights_workdays_and_slow_growth_are_no_surge() {
    for mean in [0.3, 2.0] {
        let share = alarms(300, BEFORE, day_and_night(mean), 1);
        assert!(share <= 0.01, "{mean} by day and night: {share}");
        let week = |hour: i64| mean * if hour / 24 % 7 < 5 { 1.38 } else { 0.05 };
        let share = alarms(300, BEFORE, week, 1);
        assert!(share <= 0.01, "{mean} on workdays: {share}");
        let growth = |hour: i64| mean * (1.0 + hour as f64 / BEFORE as f64);
        let share = alarms(300, BEFORE, growth, 1);
        assert!(share <= 0.01, "{mean} and more: {share}");
    }
}

#[test]
fn crashes_that_always_come_five_at_a_time_are_no_surge() {
    for mean in [0.03, 0.1, 0.3, 1.0] {
        for before in [0, BEFORE] {
            let share = alarms(300, before, |_| mean, 5);
            assert!(share <= 0.01, "{mean} an hour after {before}: {share}");
        }
    }
}

#[test]
#[ignore = "takes minutes: prints the share of months with a surge"]
fn shares_of_many_months() {
    for mean in [0.03, 0.3, 1.0, 3.0] {
        for before in [0, BEFORE] {
            let steady = alarms(4_000, before, |_| mean, 1);
            let daily = alarms(2_000, before, day_and_night(mean), 1);
            let batches = alarms(2_000, before, |_| mean, 5);
            println!(
                "{mean} after {before}: {steady}, by day and night {daily}, in fives {batches}"
            );
        }
    }
}

/// The part of histories in which an hour with `factor` times the usual number is found.
fn found(before: i64, rate: impl Fn(i64) -> f64, count: u64) -> f64 {
    let mut random = Random(7);
    let trials = 200;
    let found = (0..trials).filter(|_| {
        let mut counts = history(&mut random, before, &rate, 1);
        counts.0.insert(0, 1);
        counts.0.insert(before, count);
        let surge = counts.surge((before + 10) * HOUR, 24 * HOUR);
        surge.is_some_and(|surge| surge.hour == before * HOUR && surge.count == count)
    });
    found.count() as f64 / f64::from(trials)
}

#[test]
fn an_hour_with_ten_times_as_many_is_found() {
    for (mean, before) in [(1.0, 14 * 24), (1.0, BEFORE), (2.0, 4 * 24), (20.0, 4 * 24)] {
        let share = found(before, |_| mean, (10.0 * mean) as u64);
        assert!(share >= 0.95, "{mean} an hour after {before}: {share}");
    }
    // At noon, where the usual number is 1.9 times the mean.
    let share = found(BEFORE + 12, day_and_night(3.0), 57);
    assert!(share >= 0.95, "by day and night: {share}");
}

#[test]
fn what_has_too_little_history_or_too_few_dumps_is_no_surge() {
    let of = |counts: &[(i64, u64)]| HourCounts(counts.iter().copied().collect());
    let surge = |counts: &[(i64, u64)]| of(counts).surge(1000 * HOUR, 1000 * HOUR);
    // Three days after the first dump, and one hour earlier.
    assert!(surge(&[(0, 1), (73, 30)]).is_some());
    assert_eq!(surge(&[(0, 1), (72, 30)]), None);
    assert_eq!(surge(&[(0, 1), (500, 4)]), None);
    // A single restart loop is no surge of a group that is hardly known.
    assert_eq!(surge(&[(0, 1), (500, 5)]), None);
    let known: Vec<(i64, u64)> = (0..6).map(|day| (day * 24, 1)).chain([(500, 5)]).collect();
    assert!(surge(&known).is_some());
    assert_eq!(surge(&[]), None);
    // The hours before the window are history only.
    assert_eq!(of(&[(0, 1), (500, 50)]).surge(1000 * HOUR, 24 * HOUR), None);
    // Of hostile clocks.
    for times in [vec![i64::MIN; 9], vec![i64::MAX; 9], vec![i64::MIN, i64::MAX, 0]] {
        let counts = HourCounts::of(times.into_iter());
        for now in [i64::MIN, 0, i64::MAX] {
            let _ = counts.surge(now, i64::MAX);
        }
    }
}

#[test]
fn a_surge_is_described_with_its_hour_and_its_p() {
    let surge = Surge { hour: 1_773_147_600, count: 24, expected: 1.21, p: 0.000_2 };
    assert_eq!(
        surge.text(),
        "24 dumps in the hour from 2026-03-10 13:00 UTC, 1.2 expected (p < 0.001)"
    );
}
