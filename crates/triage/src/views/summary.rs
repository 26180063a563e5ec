//! The list of groups, each in numbers.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io;

use serde::{Deserialize, Serialize};

use super::filter::{Filter, GroupFacts};
use super::rank::Rank;
use super::rates::{ExposureRate, HostShare};
use super::series::Series;
use crate::history::{ChangedFunction, FirstBad, Status, Surge};
use crate::time::{instant_of, minute_of};
use obit_report::{Confidence, json};

/// The version of a group's JSON.
pub const GROUP_SCHEMA: &str = "obit.group/1";
/// The version of a list's JSON.
pub const TOP_SCHEMA: &str = "obit.top/1";

/// The list of groups.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Overview {
    /// `obit.top/1`.
    pub schema: String,
    /// The time that statuses are relative to: seconds since 1970.
    pub now: i64,
    /// Only dumps from this time on were asked for: seconds since 1970.
    pub since: Option<i64>,
    /// Only dumps before this time were asked for.
    pub until: Option<i64>,
    /// The time of the newest dump, whether or not it was asked for.
    pub newest: Option<i64>,
    /// Dumps that could be read, of those that were asked for.
    pub dumps: u64,
    /// Dumps of the period, whatever else was asked for.
    #[serde(skip)]
    pub in_period: u64,
    /// Those of the period before, as long; only where views compare with it.
    pub before: Option<u64>,
    /// Dumps over time: those of all groups and those of none.
    pub series: Series,
    /// Dumps that could not be read.
    pub failed: u64,
    /// Dumps without a signature, which are in no group.
    pub without_group: u64,
    /// Groups that were asked for, before the list was cut.
    pub groups_total: u64,
    /// How many of these have which status.
    pub by_status: BTreeMap<Status, u64>,
    /// The groups.
    pub groups: Vec<GroupSummary>,
}

/// One group, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct GroupSummary {
    /// `obit.group/1`.
    pub schema: String,
    /// What it is called by.
    pub id: String,
    /// As the user named it.
    pub name: Option<String>,
    /// Its most frequent signature.
    pub signature: String,
    /// Its status.
    pub status: Status,
    /// Whether the newest release that has any dump has one of this group.
    pub in_latest: bool,
    /// Why it has that status, in words and numbers.
    pub reason: String,
    /// Whether the numbers leave no doubt of the status.
    pub is_sure: bool,
    /// How likely chance alone does that.
    pub p: Option<f64>,
    /// What became of the functions on its stack between the releases that did not show it
    /// and those that did, where their files were available: the innermost function first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<ChangedFunction>,
    /// `open`, `resolved` or `ignored`, as the user said.
    pub state: String,
    /// Who works on it, as the user recorded.
    pub assignee: Option<String>,
    /// Its ticket, as the user recorded: an http or https URL.
    pub link: Option<String>,
    /// The most frequent class of cause.
    pub class: Option<String>,
    /// How bad that is.
    pub severity: Option<String>,
    /// How sure the surest of its causes is.
    pub confidence: Option<Confidence>,
    /// What happened, in a line: of the crash that `example` names.
    pub title: Option<String>,
    /// The title that lists show, with what distinguishes it from others first: expression,
    /// function, message. Of the same crash.
    pub headline: Option<String>,
    /// Images of the frames to blame, the most frequent first.
    pub modules: Vec<String>,
    /// Programs that crashed, the most frequent first.
    pub programs: Vec<String>,
    /// Its dumps, of those that were asked for.
    pub count: u64,
    /// All its dumps.
    pub total: u64,
    /// Its dumps in the period before the one that was asked for, as long; only where views
    /// compare with it.
    pub before: Option<u64>,
    /// Its part of the dumps of the program that crashed most, of those that were asked for:
    /// from 0 to 1.
    pub share_of_program: Option<f64>,
    /// Its part of all dumps that were asked for.
    pub share_of_all: Option<f64>,
    /// Hosts.
    pub hosts: u64,
    /// The first of the dumps.
    pub first: Option<Moment>,
    /// The last of them.
    pub last: Option<Moment>,
    /// Releases of the program that crashed most, oldest first.
    pub releases: Vec<ReleaseCount>,
    /// In that program, the release in which it began, whatever dumps were asked for.
    pub first_bad: Option<FirstBad>,
    /// Its dumps per exposure in the newest release that has any dump, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<ExposureRate>,
    /// Dumps over time, in 16 parts.
    pub trend: Trend,
    /// Dumps over time, by the hour, the day or the week: with the same steps in all groups.
    pub series: Series,
    /// The recent hour with far more of all its dumps than usual, if there is one.
    pub surge: Option<Surge>,
    /// What is looked at first.
    pub rank: Rank,
    /// The most informative crash: the dump's id.
    pub example: Option<String>,
    /// The row of that dump.
    #[serde(skip)]
    pub example_row: Option<i64>,
    /// The row of what grouping sees of most of its crashes.
    #[serde(skip)]
    pub key_row: Option<i64>,
    /// Its place in the census.
    #[serde(skip)]
    pub place: usize,
}

impl GroupSummary {
    /// Its status for people: `new`, or `new (weak)` on weak evidence.
    pub fn status_words(&self) -> Cow<'static, str> {
        self.status.words_if(self.is_sure)
    }
}

/// When, and in which build.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Moment {
    /// Seconds since 1970.
    pub time: i64,
    /// The release.
    pub release: Option<String>,
    /// The build ID of the program.
    pub build: Option<String>,
}

/// What a release has of a group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct ReleaseCount {
    /// Its name.
    pub name: String,
    /// Build IDs.
    pub builds: Vec<String>,
    /// Dumps of the group.
    pub count: u64,
    /// Dumps of all groups.
    pub dumps: u64,
    /// How much it ran, in the user's unit; `null` where that is not known.
    pub exposure: Option<f64>,
    /// Its dumps of the group per exposure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<ExposureRate>,
    /// Why there is no rate, where exposures were given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_unknown: Option<String>,
    /// Hosts with a dump of the group, of all that it ran on, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hosts: Option<HostShare>,
    /// Time of the first dump of the group.
    pub first: Option<i64>,
    /// Time of the last one.
    pub last: Option<i64>,
}

/// Dumps over time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Trend {
    /// Where the first stretch begins: seconds since 1970.
    pub from: i64,
    /// Seconds of each.
    pub step: i64,
    /// Dumps in each.
    pub counts: Vec<u64>,
}

impl Overview {
    /// Keeps the groups that are asked for by what is known of groups alone. To be called
    /// when signatures are filled in.
    pub fn retain(&mut self, filter: &Filter) {
        self.groups.retain(|group| {
            filter.takes_group(&GroupFacts {
                status: group.status,
                is_sure: group.is_sure,
                severity: group.severity.as_deref().unwrap_or_default(),
                count: group.count,
                signature: &group.signature,
                has_surge: group.surge.is_some(),
                assignee: group.assignee.as_deref(),
            })
        });
        self.count();
    }

    /// Why there is no dump, where only the period that was asked for has none.
    pub fn why_empty(&self) -> Option<String> {
        let newest = self.newest.filter(|_| self.in_period == 0)?;
        let period = match (self.since, self.until) {
            (Some(since), Some(until)) => {
                format!("between {} and {}", minute_of(since), minute_of(until))
            }
            (Some(since), None) => format!("since {}", minute_of(since)),
            (None, Some(until)) => format!("before {}", minute_of(until)),
            (None, None) if self.now < newest => format!("before {}", minute_of(self.now)),
            (None, None) => return None,
        };
        let of = minute_of(newest);
        let hint = format!(" (--now {} counts back from it)", instant_of(newest));
        // Of a period that ends before the newest dump, another start would not help.
        let is_later = self.since.is_some_and(|since| since > newest);
        let hint = if is_later { hint } else { String::new() };
        Some(format!("no dump {period} UTC; the newest is of {of} UTC{hint}"))
    }

    /// Keeps the groups of these ids, and counts their dumps only.
    pub fn keep(&mut self, ids: &BTreeSet<String>) {
        self.groups.retain(|group| ids.contains(&group.id));
        self.dumps = self.groups.iter().map(|group| group.count).sum();
        self.series.sum_up(self.groups.iter().map(|group| &group.series));
        self.without_group = 0;
        self.count();
    }

    pub(super) fn count(&mut self) {
        self.groups_total = self.groups.len() as u64;
        self.by_status.clear();
        for group in &self.groups {
            *self.by_status.entry(group.status).or_default() += 1;
        }
    }
}

/// Writes the list as one line of JSON, safe to print.
///
/// # Errors
/// Those of `out`.
pub fn write_overview(overview: &Overview, out: impl io::Write) -> io::Result<()> {
    json::write_line(overview, out)
}

/// Writes each group as one line of JSON, safe to print.
///
/// # Errors
/// Those of `out`.
pub fn write_group_lines(overview: &Overview, mut out: impl io::Write) -> io::Result<()> {
    overview.groups.iter().try_for_each(|group| json::write_line(group, &mut out))
}
