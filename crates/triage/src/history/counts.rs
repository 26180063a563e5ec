//! Dumps of one group, by release.

use std::collections::BTreeSet;

use super::build::{Build, Event};
use super::release::Release;
use super::status::Status;
use super::verdict::{ProgramHistory, Verdict};
use super::wording::{dumps, part};

/// Dumps of a group by release.
pub(super) struct CountsByRelease<'p> {
    pub(super) counts: Vec<u64>,
    /// Builds it was seen in, of which some may be no releases.
    seen_in: BTreeSet<usize>,
    builds: &'p [Build],
    /// The place of the newest release that has any dump.
    pub(super) newest: Option<usize>,
}

impl<'p> CountsByRelease<'p> {
    pub(super) fn of(events: &[Event], program: &ProgramHistory<'p>) -> Self {
        let mut counts = vec![0; program.releases.list.len()];
        let mut seen_in = BTreeSet::new();
        for event in events {
            if let Some(count) =
                program.releases.place(event.build).and_then(|place| counts.get_mut(place))
            {
                *count += 1;
            }
            seen_in.insert(event.build);
        }
        let newest = program.releases.newest();
        Self { counts, seen_in, builds: program.builds, newest }
    }

    pub(super) fn newest_count(&self) -> u64 {
        self.newest.and_then(|newest| self.counts.get(newest)).copied().unwrap_or(0)
    }

    /// Whether the program has releases and none of the dumps is of one.
    pub(super) fn is_unplaced(&self, events: &[Event]) -> bool {
        !events.is_empty() && !self.counts.is_empty() && self.counts.iter().all(|count| *count == 0)
    }

    /// The verdict where nothing changed.
    pub(super) fn going_on(&self, program: &ProgramHistory<'_>) -> Verdict {
        let total: u64 = self.counts.iter().sum();
        let list = &program.releases.list;
        let reason = || match self.newest.and_then(|at| Some((at, list.get(at)?))) {
            Some((at, newest)) if list.len() > 1 => {
                let here = newest.rate(self.counts[at]);
                format!(
                    "{} in {}, {} before: no trend",
                    part(here),
                    newest.name,
                    total - here.count
                )
            }
            _ => format!("{}: no trend", dumps(total)),
        };
        let reason = program.say(reason);
        Verdict { status: Status::Active, is_sure: true, reason, ..Verdict::default() }
    }

    /// Whether the release could have shown the group: it was used, and one of its builds
    /// was made like one that the group was seen in.
    pub(super) fn is_comparable(&self, release: &Release) -> bool {
        let used = release.dumps > 0 || release.exposure.is_some_and(|hours| hours > 0.0);
        // Where a build does not show how it was made, it may be like any.
        let is_like = |at: &usize| {
            let variant = self.builds.get(*at).and_then(|build| build.variant.as_ref());
            variant.is_none_or(|variant| release.variants.contains(variant))
        };
        let alike = release.variants.is_empty() || self.seen_in.iter().any(is_like);
        used && alike
    }
}
