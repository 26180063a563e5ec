//! Where a group began, and its rates: what only a group that is shown needs.

use super::overview::{Ranked, by_frequency, group_code};
use super::rates::RateCounts;
use super::summary::GroupSummary;
use crate::census::Sighting;
use crate::history::{Event, first_bad};

impl Ranked<'_> {
    /// Fills in the release in which the group began, and how much each release ran.
    pub(super) fn add_beginning(&self, group: &mut GroupSummary, taken: &[&Sighting]) {
        let program_of = |s: &Sighting| self.programs.of_build.get(s.event.build).copied();
        let Some(main) = by_frequency(taken.iter().filter_map(|s| program_of(s))).first().copied()
        else {
            return;
        };
        let members = self.members.of_group(group.place);
        let events: Vec<Event> = members
            .iter()
            .filter(|sighting| program_of(sighting) == Some(main))
            .map(|sighting| sighting.event)
            .collect();
        let time = (self.now, self.window());
        let program = self.programs.history(main, self.census, time, true);
        let has_code = self.with_code.contains(&group.place) && !self.heap.has(group.place);
        let code = |place: usize| {
            let places = [place];
            let places = if has_code { &places[..] } else { &[] };
            group_code(members, places, &self.census.code, &self.programs.common[main], &program)
        };
        group.first_bad = first_bad(&events, &program, code);
        if let Some(first) = &mut group.first_bad
            && self.heap.has(group.place)
            && first.is_sure
        {
            first.is_sure = false;
            first.reason.push_str("; damage of one bug is found by any function: weak evidence");
        }
        let Some(mut counts) = RateCounts::new(program.releases, self.options, self.cut) else {
            return;
        };
        taken.iter().for_each(|sighting| counts.add(sighting));
        for (release, rates) in group.releases.iter_mut().zip(counts.rates()) {
            release.exposure = rates.exposure;
            release.rate = rates.rate;
            release.rate_unknown = rates.unknown;
            release.hosts = rates.hosts;
        }
        let newest = program.releases.newest().and_then(|newest| group.releases.get(newest));
        group.rate = newest.and_then(|newest| newest.rate.clone());
    }
}
