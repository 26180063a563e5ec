//! All that a page of many crashes shows.

use std::collections::BTreeMap;

use super::detail::GroupDetail;
use super::summary::Overview;

/// The groups, each in full, and what is in none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Survey {
    /// The list of groups. Those beyond what was asked for are counted alone.
    pub overview: Overview,
    /// The first of these groups in full, in the same order.
    pub details: Vec<GroupDetail>,
    /// Files that could not be read as a core, the newest first; some of them if there are
    /// many.
    pub unreadable: Vec<Unreadable>,
    /// How many there are, by the code of the reason.
    pub reasons: BTreeMap<String, u64>,
}

/// A file that could not be read as a core.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unreadable {
    /// The dump's id.
    pub dump: String,
    /// Where it was found.
    pub path: Option<String>,
    /// When the process crashed, as far as file and name say: seconds since 1970.
    pub time: Option<i64>,
    /// A word of a documented list; see docs/triage.md.
    pub code: String,
    /// Why, in words.
    pub text: String,
}

impl Survey {
    /// Time of the first and of the last dump, seconds since 1970.
    pub fn period(&self) -> Option<(i64, i64)> {
        let groups = || self.overview.groups.iter();
        let first = groups().filter_map(|group| group.first.as_ref()).map(|one| one.time).min()?;
        let last = groups().filter_map(|group| group.last.as_ref()).map(|one| one.time).max()?;
        Some((first, last))
    }
}
