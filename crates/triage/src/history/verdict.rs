//! A status with its reason, and what it is judged by.

use super::build::Build;
use super::code_evidence::ChangedFunction;
use super::release::Releases;
use super::status::Status;
use super::trend::{Direction, Rate, direction};
use super::wording::p_text;

/// A status, and what it rests on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdict {
    /// The word.
    pub status: Status,
    /// Whether the newest release that has any dump has one of this group.
    pub in_latest: bool,
    /// Whether the numbers leave no doubt of it.
    pub is_sure: bool,
    /// Why, in words and numbers.
    pub reason: String,
    /// How likely chance alone does that; `None` where nothing had to be tested.
    pub p: Option<f64>,
    /// What became of the functions on its stack, where that was looked at.
    pub changed: Vec<ChangedFunction>,
}

/// The program that a group is judged in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProgramHistory<'p> {
    /// All its builds, and perhaps those of others.
    pub builds: &'p [Build],
    /// Its releases.
    pub releases: &'p Releases,
    /// Times of all its dumps, in order.
    pub times: &'p [i64],
    /// The newest dump of the store, or what the user says is now.
    pub now: i64,
    /// Seconds of what is lately.
    pub window: i64,
    /// Whether the user says of groups of this program when they are resolved. Then weak
    /// evidence alone makes none regressed.
    pub keeps_states: bool,
    /// Whether reasons are worded. Most groups of a long list are not shown.
    pub is_worded: bool,
}

impl ProgramHistory<'_> {
    /// What `words` says, where reasons are worded.
    pub(super) fn say(&self, words: impl FnOnce() -> String) -> String {
        if self.is_worded { words() } else { String::new() }
    }
}

impl Verdict {
    /// One that the numbers leave no doubt of.
    pub(super) fn sure(status: Status, reason: String) -> Self {
        Self { status, is_sure: true, reason, ..Self::default() }
    }

    /// That the rate rose or fell, if it did; `reason` words both rates and how likely chance
    /// alone does that.
    pub(super) fn of_trend(
        here: Rate,
        before: Rate,
        reason: impl FnOnce(&str) -> String,
    ) -> Option<Self> {
        let (direction, p) = direction(here, before);
        let status = match direction? {
            Direction::Up => Status::Increasing,
            Direction::Down => Status::Fading,
        };
        let reason = reason(&p_text(p));
        Some(Self { status, is_sure: true, reason, p: Some(p), ..Self::default() })
    }
}
