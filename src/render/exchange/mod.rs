//! Crashes in the formats of other programs: code scanning, test reports, error trackers.

mod annotations;
mod junit;
mod place;
mod sarif;
mod sentry;

use crate::report::Report;

pub use annotations::{write_github, write_gitlab};
pub use junit::write_junit;
pub use sarif::write_sarif;
pub use sentry::write_sentry;

/// One crash, or the crash that stands for a group.
#[derive(Clone, Debug)]
pub struct Item<'r> {
    /// The report.
    pub report: &'r Report,
    /// The group it stands for.
    pub group: Option<Group<'r>>,
}

/// What is known of a group.
#[derive(Clone, Debug)]
pub struct Group<'r> {
    /// Its id.
    pub id: &'r str,
    /// Crashes in it.
    pub count: u64,
    /// Whether it is new since what it was compared with, there before, or gone.
    pub baseline: Option<Baseline>,
}

/// What became of a group since what it was compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Baseline {
    /// It was not there, or was mended.
    New,
    /// It was there.
    Unchanged,
    /// It is there no more.
    Absent,
}

impl<'r> Item<'r> {
    /// One crash.
    pub fn of(report: &'r Report) -> Self {
        Self { report, group: None }
    }
}
