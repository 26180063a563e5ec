//! An hour in which a group crashed far more often than it does otherwise.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::trend::{Rate, p_of_more};
use super::wording::p_text;
use crate::time::minute_of;

/// Seconds of an hour.
const HOUR: i64 = 3_600;
/// Hours of history that an hour is compared with, at most: four weeks.
const LONGEST_HISTORY: i64 = 28 * 24;
/// Hours of the last days, which count by themselves: one week. Slow growth is no surge.
const LAST_DAYS: i64 = 7 * 24;
/// Hours of history without which nothing is a surge: three days.
const LEAST_HISTORY: i64 = 72;
/// Fewer dumps in an hour are no surge, however rare the group is.
const LEAST_DUMPS: u64 = 5;
/// An hour with less than this many times the usual number is no surge.
const LEAST_RATIO: f64 = 3.0;
/// Hours that the probability counts for: about a month of them.
const HOURS_OF_A_MONTH: f64 = 720.0;
/// Below this, chance does not explain that a month has such an hour.
const SURGE_P: f64 = 0.01;
/// With fewer hours of the history that have dumps, nothing shows how many come together.
const LEAST_BUSY_HOURS: usize = 5;
/// Dumps that are then taken to come together: a service that is restarted leaves five.
const ASSUMED_BATCH: f64 = 6.0;
/// Hours of the history that may have had as many dumps.
const BUSY_HOURS: usize = 1;

/// An hour in which a group crashed far more often than in its own history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Surge {
    /// When the hour began: seconds since 1970.
    pub hour: i64,
    /// Dumps of the group in it.
    pub count: u64,
    /// How many there would be at the rate of the history: the highest of those of all its
    /// hours, of the same time of day, and of the last seven days.
    pub expected: f64,
    /// How likely chance alone makes such an hour in a month of hours.
    pub p: f64,
}

impl Surge {
    /// `24 dumps in the hour from 2026-03-10 14:00 UTC, 1.2 expected (p < 0.001)`.
    pub fn text(&self) -> String {
        let digits = if self.expected < 0.1 { 2 } else { 1 };
        format!(
            "{} dumps in the hour from {} UTC, {:.digits$} expected ({})",
            self.count,
            minute_of(self.hour),
            self.expected,
            p_text(self.p)
        )
    }
}

/// Whether there are enough dumps in the `window` seconds before `now`: most groups have not,
/// and then their hours need not be counted.
pub(crate) fn may_surge(times: impl Iterator<Item = i64>, now: i64, window: i64) -> bool {
    let from = now.saturating_sub(window).saturating_sub(HOUR);
    times.filter(|time| *time >= from).count() as u64 >= LEAST_DUMPS
}

/// Dumps of a group in each hour that has any, by the number of the hour since 1970.
#[derive(Clone, Debug, Default)]
pub(crate) struct HourCounts(BTreeMap<i64, u64>);

impl HourCounts {
    /// Of dumps at these times, seconds since 1970.
    pub(crate) fn of(times: impl Iterator<Item = i64>) -> Self {
        let mut hours = BTreeMap::new();
        for time in times {
            *hours.entry(time.div_euclid(HOUR)).or_default() += 1;
        }
        Self(hours)
    }

    /// The least likely of the hours that begin in the `window` seconds before `now`, where
    /// chance does not explain it.
    pub(crate) fn surge(&self, now: i64, window: i64) -> Option<Surge> {
        let last = now.div_euclid(HOUR);
        let from = now.saturating_sub(window).div_euclid(HOUR).min(last);
        let recent = self.0.range(from..=last).filter(|(_, count)| **count >= LEAST_DUMPS);
        let surges = recent.filter_map(|(hour, count)| self.judge(*hour, *count));
        surges.min_by(|a, b| a.p.total_cmp(&b.p).then(b.hour.cmp(&a.hour)))
    }

    /// The hour as a surge, if it is one.
    fn judge(&self, hour: i64, count: u64) -> Option<Surge> {
        // The first dump is why the group is known at all: its hour says nothing of a rate.
        let (first, _) = self.0.first_key_value()?;
        let start = first.saturating_add(1).max(hour.saturating_sub(LONGEST_HISTORY));
        if hour.saturating_sub(start) < LEAST_HISTORY {
            return None;
        }
        let within = |from: i64| Usual {
            dumps: self.0.range(from..hour).map(|(_, count)| count).sum(),
            hours: hour.saturating_sub(from),
        };
        let is_high = |usual: &Usual| count as f64 >= LEAST_RATIO * usual.per_hour();
        let all = within(start);
        if !is_high(&all) {
            return None;
        }
        let history = || self.0.range(start..hour);
        if history().filter(|(_, earlier)| **earlier >= count).count() > BUSY_HOURS {
            return None;
        }
        let is_same_time = |other: &i64| matches!((hour - other).rem_euclid(24), 0..=2 | 22..);
        let same_time = Usual {
            dumps: history().filter(|(other, _)| is_same_time(other)).map(|(_, n)| n).sum(),
            hours: i64::try_from((start..hour).filter(is_same_time).count()).unwrap_or(0),
        };
        let usual = [all, same_time, within(start.max(hour.saturating_sub(LAST_DAYS)))];
        if !usual.iter().all(is_high) {
            return None;
        }
        let batch = all.batch(history().map(|(_, count)| *count));
        let p = usual.iter().map(|usual| usual.p(count, batch)).fold(0.0, f64::max);
        let expected = usual.iter().map(|usual| usual.per_hour()).fold(0.0, f64::max);
        // In how many of such months at least one hour is like that.
        let p = -(HOURS_OF_A_MONTH * (-p).ln_1p()).exp_m1();
        (p < SURGE_P).then(|| Surge { hour: hour.saturating_mul(HOUR), count, expected, p })
    }
}

/// Dumps in some hours of the history.
#[derive(Clone, Copy, Debug)]
struct Usual {
    dumps: u64,
    hours: i64,
}

impl Usual {
    fn per_hour(self) -> f64 {
        self.dumps as f64 / self.hours.max(1) as f64
    }

    /// Dumps that come together: how much more the hours differ than independent dumps
    /// would, or 1 where chance explains it (the variance of the counts over their mean; by
    /// chance it is within 1 ± 3 √(2 / hours)). `counts` are those that are not 0.
    fn batch(self, counts: impl Iterator<Item = u64>) -> f64 {
        let (hours, mean) = (self.hours.max(1) as f64, self.per_hour());
        if mean <= 0.0 {
            return ASSUMED_BATCH;
        }
        let (mut squares, mut busy) = (0.0, 0);
        for count in counts {
            squares += (count as f64).powi(2);
            busy += 1;
        }
        let index = (squares / hours - mean * mean) / mean;
        if busy < LEAST_BUSY_HOURS {
            return index.max(ASSUMED_BATCH);
        }
        if index > 1.0 + 3.0 * (2.0 / hours).sqrt() { index } else { 1.0 }
    }

    /// How likely `count` dumps or more are in one further hour at the same rate: the exact
    /// conditional test of two Poisson counts, in batches of dumps.
    fn p(self, count: u64, batch: f64) -> f64 {
        let batches = |count: u64| count as f64 / batch;
        let here = Rate { count: batches(count) as u64, dumps: 0, exposure: Some(1.0) };
        let there = Rate {
            count: batches(self.dumps).ceil() as u64,
            dumps: 0,
            exposure: Some(self.hours as f64),
        };
        p_of_more(here, there)
    }
}

#[cfg(test)]
#[path = "surge_tests.rs"]
mod tests;
