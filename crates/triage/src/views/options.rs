//! How to look at the groups.

use super::filter::Filter;
use crate::history::{BuildOrder, Exposure};

/// How to look at it.
#[derive(Clone, Debug, Default)]
pub struct ViewOptions {
    /// The order of releases.
    pub order: Option<BuildOrder>,
    /// How much each ran.
    pub exposure: Option<Exposure>,
    /// Seconds since 1970; the newest dump, if not given.
    pub now: Option<i64>,
    /// Seconds of what is lately.
    pub window: Option<i64>,
    /// What is asked for.
    pub filter: Filter,
    /// What comes first.
    pub sort: Sort,
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
