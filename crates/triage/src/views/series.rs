//! Dumps over time, counted by the hour, the day or the week.

use serde::{Deserialize, Serialize};

use crate::time::{day_of, minute_of};

/// Seconds of an hour, a day and a week.
const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * DAY;
/// 1970-01-05, the first Monday since 1970.
const MONDAY: i64 = 4 * DAY;
/// Up to this span hours are counted, and up to the next days.
const SPAN_OF_HOURS: i64 = 3 * DAY;
const SPAN_OF_DAYS: i64 = 120 * DAY;
/// Steps of one series: the last ones, if there would be more.
const MOST_STEPS: i64 = 1_000;
/// Times are counted between 1970 and 9999.
const LAST: i64 = 253_402_300_799;

/// What a series counts by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Per {
    /// By the hour, in UTC.
    Hour,
    /// By the day, in UTC.
    #[default]
    Day,
    /// By the week, which begins on Monday in UTC.
    Week,
}

impl Per {
    /// All of them, the shortest first.
    pub const ALL: [Self; 3] = [Self::Hour, Self::Day, Self::Week];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
        }
    }

    /// Seconds of it.
    pub fn seconds(self) -> i64 {
        match self {
            Self::Hour => HOUR,
            Self::Day => DAY,
            Self::Week => WEEK,
        }
    }

    /// When the one that `time` is in began.
    fn start_of(self, time: i64) -> i64 {
        let from = if self == Self::Week { MONDAY } else { 0 };
        (time - from).div_euclid(self.seconds()) * self.seconds() + from
    }
}

/// Dumps over time: `counts[n]` are those from `start + n * step` on, as long as `step`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Series {
    /// What it counts by.
    pub per: Per,
    /// Seconds of a step: those of `per`.
    pub step: i64,
    /// When the first step begins: seconds since 1970, the start of an hour, of a day or of
    /// a Monday in UTC.
    pub start: i64,
    /// Dumps in each step. The last step may not be over.
    pub counts: Vec<u64>,
    /// Dumps before `start`: of very long series only the last 1000 steps are counted one
    /// by one.
    pub earlier: u64,
}

impl Series {
    /// The time at which step number `at` begins.
    pub fn time_of(&self, at: usize) -> i64 {
        let steps = i64::try_from(at).unwrap_or(i64::MAX);
        self.start.saturating_add(steps.saturating_mul(self.step))
    }

    /// The time of a step, as precise as the steps are.
    pub fn label_of(&self, at: usize) -> String {
        match self.per {
            Per::Hour => minute_of(self.time_of(at)),
            Per::Day | Per::Week => day_of(self.time_of(at)),
        }
    }

    /// The dumps of all steps.
    pub fn total(&self) -> u64 {
        self.counts.iter().fold(0, |sum: u64, count| sum.saturating_add(*count))
    }

    /// Takes the sums of series with the same steps.
    pub(super) fn sum_up<'s>(&mut self, all: impl Iterator<Item = &'s Self>) {
        self.counts.fill(0);
        self.earlier = 0;
        for series in all {
            self.earlier = self.earlier.saturating_add(series.earlier);
            for (sum, count) in self.counts.iter_mut().zip(&series.counts) {
                *sum = sum.saturating_add(*count);
            }
        }
    }

    /// The most dumps of one step.
    pub fn most(&self) -> u64 {
        self.counts.iter().copied().max().unwrap_or(0)
    }

    /// The series in at most `columns` parts of equal length, and the steps of each: the
    /// first part is short where they do not divide evenly.
    pub fn in_parts(&self, columns: usize) -> (Vec<u64>, usize) {
        let each = self.counts.len().div_ceil(columns.max(1)).max(1);
        let parts = self.counts.rchunks(each).rev();
        (
            parts.map(|part| part.iter().fold(0, |sum: u64, n| sum.saturating_add(*n))).collect(),
            each,
        )
    }
}

/// The steps that all series of a view share.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    per: Per,
    start: i64,
    steps: usize,
}

impl Axis {
    /// From one time to another, which is included. `per` is chosen by the span unless it is
    /// given.
    pub(super) fn new(from: i64, to: i64, per: Option<Per>) -> Self {
        let (from, to) = (from.clamp(0, LAST), to.clamp(0, LAST));
        let span = to.saturating_sub(from);
        let by_span = || match span {
            _ if span <= SPAN_OF_HOURS => Per::Hour,
            _ if span <= SPAN_OF_DAYS => Per::Day,
            _ => Per::Week,
        };
        let per = per.unwrap_or_else(by_span);
        let last = per.start_of(to);
        let longest = (MOST_STEPS - 1) * per.seconds();
        let start = per.start_of(from.min(to)).max(last - longest);
        let steps = (last - start) / per.seconds() + 1;
        Self { per, start, steps: usize::try_from(steps).unwrap_or(1) }
    }

    /// The series of dumps at these times.
    pub(super) fn series(&self, times: impl Iterator<Item = i64>) -> Series {
        let step = self.per.seconds();
        let mut series = Series {
            per: self.per,
            step,
            start: self.start,
            counts: vec![0; self.steps],
            earlier: 0,
        };
        for time in times.map(|time| time.clamp(0, LAST)) {
            let at = usize::try_from((time - self.start).div_euclid(step));
            match at.ok().map(|at| at.min(self.steps - 1)) {
                Some(at) => series.counts[at] += 1,
                None => series.earlier += 1,
            }
        }
        series
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-03-10, a Tuesday, at 00:00.
    const TUESDAY: i64 = 1_773_100_800;

    #[test]
    fn the_step_follows_from_the_span_unless_it_is_given() {
        let per = |span, per| Axis::new(TUESDAY, TUESDAY + span, per).per;
        assert_eq!(per(3 * DAY, None), Per::Hour);
        assert_eq!(per(3 * DAY + 1, None), Per::Day);
        assert_eq!(per(120 * DAY, None), Per::Day);
        assert_eq!(per(121 * DAY, None), Per::Week);
        assert_eq!(per(121 * DAY, Some(Per::Hour)), Per::Hour);
    }

    #[test]
    fn steps_begin_at_full_hours_midnight_and_mondays() {
        let noon = TUESDAY + 12 * HOUR + 1_800;
        for (per, start) in
            [(Per::Hour, noon - 1_800), (Per::Day, TUESDAY), (Per::Week, TUESDAY - DAY)]
        {
            let series = Axis::new(noon, noon + 10, Some(per)).series([noon, noon + 9].into_iter());
            assert_eq!((series.start, series.step), (start, per.seconds()));
            assert_eq!((series.counts, series.earlier), (vec![2], 0));
        }
        // A Sunday is the end of the week.
        let sunday = TUESDAY + 5 * DAY + 23 * HOUR;
        assert_eq!(Per::Week.start_of(sunday), TUESDAY - DAY);
        assert_eq!(Per::Week.start_of(sunday + HOUR), TUESDAY + 6 * DAY);
    }

    #[test]
    fn a_series_counts_what_is_in_each_step() {
        let axis = Axis::new(TUESDAY, TUESDAY + 4 * DAY, None);
        let series = axis.series([0, 1, DAY, 4 * DAY].map(|at| TUESDAY + at).into_iter());
        assert_eq!(series.counts, [2, 1, 0, 0, 1]);
        assert_eq!(series.label_of(4), "2026-03-14");
        assert_eq!(series.most(), 2);
        assert_eq!(series.in_parts(5), (vec![2, 1, 0, 0, 1], 1));
        assert_eq!(series.in_parts(3), (vec![2, 1, 1], 2));
        let mut sum = series.clone();
        sum.sum_up([&series, &series].into_iter());
        assert_eq!(sum.counts, [4, 2, 0, 0, 2]);
    }

    #[test]
    fn of_a_long_series_the_end_is_kept_and_the_rest_is_counted() {
        let axis = Axis::new(0, TUESDAY, Some(Per::Hour));
        let series = axis.series([5, TUESDAY - 999 * HOUR, TUESDAY].into_iter());
        assert_eq!((series.counts.len(), series.earlier), (1_000, 1));
        assert_eq!((series.counts[0], series.counts[999]), (1, 1));
    }

    #[test]
    fn hostile_times_make_a_short_series_without_overflow() {
        for (from, to) in [(i64::MIN, i64::MAX), (i64::MAX, i64::MIN), (i64::MIN, i64::MIN)] {
            for per in Per::ALL {
                let axis = Axis::new(from, to, Some(per));
                let series = axis.series([i64::MIN, 0, i64::MAX].into_iter());
                assert!(series.counts.len() <= 1_000);
                let all = series.counts.iter().sum::<u64>() + series.earlier;
                assert_eq!(all, 3);
            }
        }
    }
}
