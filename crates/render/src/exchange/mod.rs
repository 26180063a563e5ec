//! Crashes in the formats of other programs: code scanning, test reports, error trackers.

mod annotations;
mod junit;
mod place;
mod sarif;
mod sentry;

use std::borrow::Cow;

use crate::groups::text;
use crate::layout::grouped;
use crate::visible;
use obit_report::Report;
use obit_triage::history::Status;
use obit_triage::views::GroupSummary;

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
#[derive(Clone, Copy, Debug)]
pub struct Group<'r> {
    /// Its numbers, and how it stands.
    pub summary: &'r GroupSummary,
    /// The word for how it stands.
    pub standing: &'static str,
    /// Whether it is new since what it was compared with, there before, or gone.
    pub baseline: Baseline,
}

/// What became of a group since what it was compared with, as SARIF 2.1.0 has it (§3.27.24).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Baseline {
    /// It was not there, or was mended.
    New,
    /// It was there.
    Unchanged,
    /// It was there, and its numbers are others.
    Updated,
    /// It is there no more: not seen in what is compared, or mended, as the user says.
    Absent,
}

impl<'r> Item<'r> {
    /// One crash.
    pub fn of(report: &'r Report) -> Self {
        Self { report, group: None }
    }

    /// A group, by the crash that stands for it.
    pub fn of_group(summary: &'r GroupSummary, report: &'r Report) -> Self {
        let (standing, baseline) = (summary.status.word(), Baseline::of(summary));
        Self { report, group: Some(Group { summary, standing, baseline }) }
    }

    /// Whether it says that something has to be mended: a crash does, and a group that is
    /// neither mended nor ignored.
    fn is_open(&self) -> bool {
        self.group.is_none_or(|group| {
            group.baseline != Baseline::Absent && group.summary.status != Status::Ignored
        })
    }
}

impl Baseline {
    /// What a group's history makes it: the crashes before are what it is compared with.
    pub fn of(summary: &GroupSummary) -> Self {
        match summary.status {
            // What is back was not there in between.
            Status::New | Status::Regressed => Self::New,
            Status::Increasing => Self::Updated,
            Status::Fading if summary.is_sure => Self::Updated,
            // That a newer build has no dump of it does not mend it: a core says it was there.
            Status::Active | Status::Fading | Status::Ignored => Self::Unchanged,
            Status::Resolved => Self::Absent,
        }
    }
}

impl Group<'_> {
    fn id(&self) -> Cow<'_, str> {
        visible(&self.summary.id)
    }

    /// `37 crashes, regressed`.
    fn numbers(&self) -> String {
        let summary = self.summary;
        let noun = if summary.count == 1 { "crash" } else { "crashes" };
        let count = format!("{} {noun}", grouped(summary.count));
        // That it fades on weak evidence would make less of it than it is.
        match summary.status == Status::Fading && !summary.is_sure {
            true => count,
            false => format!("{count}, {}", self.standing),
        }
    }

    /// `walk in shopd`, or what the user calls it.
    fn name(&self) -> String {
        let summary = self.summary;
        match summary.name.as_deref().filter(|name| !name.is_empty()) {
            Some(name) => text(name),
            None if summary.signature.is_empty() => "no signature".to_owned(),
            None => text(&summary.signature),
        }
    }
}
