//! What the formats of other programs have one entry for: a crash, or a group of crashes
//! represented by one of them.

use std::borrow::Cow;
use std::io::{self, Write as _};

use crate::layout::grouped;
use crate::summary;
use crate::terminal::groups::text;
use crate::{Color, PageOptions, visible, write_page};
use obit_report::Report;
use obit_triage::history::Status;
use obit_triage::views::GroupSummary;

/// One crash, or the crash that represents a group.
#[derive(Clone, Debug)]
pub struct Item<'r> {
    /// The report.
    pub report: &'r Report,
    /// The group it represents.
    pub group: Option<Group<'r>>,
}

/// What is known of a group.
#[derive(Clone, Copy, Debug)]
pub struct Group<'r> {
    /// Its numbers and its status.
    pub summary: &'r GroupSummary,
    /// The word for its status.
    pub status: &'static str,
    /// Whether it is new since what it was compared with, there before, or gone.
    pub baseline: Baseline,
}

/// What became of a group since what it was compared with, as SARIF 2.1.0 has it (§3.27.24).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Baseline {
    /// It was not there, or was resolved.
    New,
    /// It was there.
    Unchanged,
    /// It was there, and its numbers are others.
    Updated,
    /// It is gone: not seen in what is compared, or resolved, as the user says.
    Absent,
}

impl<'r> Item<'r> {
    /// One crash.
    pub fn of(report: &'r Report) -> Self {
        Self { report, group: None }
    }

    /// A group, represented by one of its crashes.
    pub fn of_group(summary: &'r GroupSummary, report: &'r Report) -> Self {
        let (status, baseline) = (summary.status.word(), Baseline::of(summary));
        Self { report, group: Some(Group { summary, status, baseline }) }
    }

    /// Whether something has to be fixed: a crash, and a group that is neither resolved nor
    /// ignored.
    pub(super) fn is_open(&self) -> bool {
        self.group.is_none_or(|group| {
            group.baseline != Baseline::Absent && group.summary.status != Status::Ignored
        })
    }

    /// Whether it is a group that the user ignores.
    pub(super) fn is_ignored(&self) -> bool {
        !self.is_open() && self.group.is_some_and(|group| group.baseline != Baseline::Absent)
    }

    /// The program's name.
    pub(super) fn program(&self) -> String {
        summary::program(self.report).unwrap_or_else(|| "unknown program".to_owned())
    }

    /// What a test is called that this crash, or each crash of this group, is a failure of.
    /// Two groups may have one signature: the id distinguishes them.
    pub(super) fn test_name(&self) -> String {
        if let Some(group) = &self.group {
            return format!("{} [{}]", group.name(), group.id());
        }
        let report = self.report;
        let signature = report.signature.as_ref().map(|signature| visible(signature.text.as_str()));
        signature.unwrap_or_else(|| visible(&report.id)).into_owned()
    }

    /// `NULL pointer read (3 crashes, new)`.
    pub(super) fn sentence(&self) -> String {
        let sentence = summary::sentence(self.report);
        match &self.group {
            Some(group) => format!("{sentence} ({})", group.numbers()),
            None => sentence,
        }
    }

    /// `NULL pointer read (3 crashes, new; group 1a2b3c4d) [obit-0123456789abcdef]`.
    pub(super) fn message(&self) -> String {
        let sentence = summary::sentence(self.report);
        let id = visible(&self.report.id);
        match &self.group {
            Some(group) => {
                format!("{sentence} ({}; group {}) [{id}]", group.numbers(), group.id())
            }
            None => format!("{sentence} [{id}]"),
        }
    }

    /// The terminal page of the crash, without colours, below a line about the group.
    ///
    /// # Errors
    /// None: memory is written.
    pub(super) fn page(&self) -> io::Result<String> {
        let mut page = Vec::new();
        if let Some(group) = &self.group {
            writeln!(page, "{}\n", group.in_words())?;
        }
        let options = PageOptions { color: Color::Never, ..PageOptions::default() };
        write_page(&mut page, self.report, &options)?;
        Ok(String::from_utf8_lossy(&page).into_owned())
    }
}

impl Baseline {
    /// What a group's history makes it: the crashes before are what it is compared with.
    pub fn of(summary: &GroupSummary) -> Self {
        match summary.status {
            Status::New => Self::New,
            // What is back was not there in between, unless chance plays.
            Status::Regressed if summary.is_sure => Self::New,
            Status::Regressed => Self::Unchanged,
            Status::Increasing => Self::Updated,
            Status::Fading if summary.is_sure => Self::Updated,
            // A newer build without a dump of it is no proof of a fix: a core shows it was there.
            Status::Active | Status::Fading | Status::Ignored => Self::Unchanged,
            Status::Resolved => Self::Absent,
        }
    }
}

impl Group<'_> {
    pub(super) fn id(&self) -> Cow<'_, str> {
        visible(&self.summary.id)
    }

    /// `37 crashes, regressed`.
    pub(crate) fn numbers(&self) -> String {
        let summary = self.summary;
        let noun = if summary.count == 1 { "crash" } else { "crashes" };
        let count = format!("{} {noun}", grouped(summary.count));
        // That it fades on weak evidence would make less of it than it is.
        match summary.status == Status::Fading && !summary.is_sure {
            true => count,
            false if summary.is_sure => format!("{count}, {}", self.status),
            false => format!("{count}, {} (weak)", self.status),
        }
    }

    /// `walk in shopd`, or what the user calls it.
    pub(super) fn name(&self) -> String {
        let summary = self.summary;
        match summary.name.as_deref().filter(|name| !name.is_empty()) {
            Some(name) => text(name),
            None if summary.signature.is_empty() => "no signature".to_owned(),
            None => text(&summary.signature),
        }
    }

    /// `group 7d769824: 13 crashes, regressed: seen in 1.0, not in 2.0, and back in 3.0`.
    pub(crate) fn in_words(&self) -> String {
        let reason = text(&self.summary.reason);
        let reason = if reason.is_empty() { reason } else { format!(": {reason}") };
        format!("group {}: {}{reason}", self.id(), self.numbers())
    }
}
