//! How to look at the groups.

use std::sync::Arc;

use super::filter::Filter;
use super::series::Per;
use crate::history::{BuildOrder, Exposure};

/// How to look at it.
#[derive(Clone, Debug, Default)]
pub struct ViewOptions {
    /// The order of releases.
    pub order: Option<BuildOrder>,
    /// How much each ran.
    pub exposure: Option<Arc<Exposure>>,
    /// Seconds since 1970; the newest dump, if not given. Later dumps are not counted.
    pub now: Option<i64>,
    /// Only dumps from this time on: seconds since 1970.
    pub since: Option<i64>,
    /// Only dumps before this time: seconds since 1970.
    pub until: Option<i64>,
    /// Where `since` is given, whether to count the period of the same length before it too;
    /// the time at which the period ends, unless `until` or `now` is that.
    pub compared_until: Option<i64>,
    /// What dumps over time are counted by; chosen by the span, if not given.
    pub per: Option<Per>,
    /// Seconds of what is lately.
    pub window: Option<i64>,
    /// What is asked for.
    pub filter: Filter,
    /// What comes first.
    pub sort: Sort,
}

impl ViewOptions {
    /// Only dumps from this time on, by an option or by a condition.
    pub(super) fn first_time(&self) -> Option<i64> {
        self.since.max(self.filter.first_time())
    }

    /// Only dumps before this time, by an option or by a condition.
    pub(super) fn end_time(&self) -> Option<i64> {
        [self.until, self.filter.end_time()].into_iter().flatten().min()
    }

    /// Whether a dump of this time is in the period that is asked for.
    pub fn takes_time(&self, time: i64) -> bool {
        let is_past = self.now.is_none_or(|now| time <= now);
        is_past
            && self.since.is_none_or(|since| time >= since)
            && self.until.is_none_or(|until| time < until)
    }

    /// Whether a dump of this time is in the period that options and conditions ask for.
    pub(super) fn has_in_period(&self, time: i64) -> bool {
        self.takes_time(time)
            && self.first_time().is_none_or(|since| time >= since)
            && self.end_time().is_none_or(|until| time < until)
    }

    /// Whether a dump of this time is in the period before, if there is one.
    pub(super) fn is_before(&self, time: i64) -> bool {
        let end = self.until.or(self.now).or(self.compared_until);
        let (Some(since), Some(end), Some(_)) = (self.since, end, self.compared_until) else {
            return false;
        };
        time < since && time >= since.saturating_sub(end.saturating_sub(since))
    }

    /// Whether every dump is asked for.
    pub(crate) fn takes_all(&self) -> bool {
        self.now.is_none() && !self.selects_dumps() && self.filter.is_empty()
    }

    /// Whether single dumps are selected.
    pub(super) fn selects_dumps(&self) -> bool {
        self.since.is_some() || self.until.is_some() || self.filter.selects_dumps()
    }
}

/// What comes first in a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// The highest rank.
    #[default]
    Rank,
    /// The most dumps.
    Count,
    /// Last seen last.
    Last,
    /// First seen last.
    First,
    /// The most urgent status.
    Status,
    /// The worst.
    Severity,
}
