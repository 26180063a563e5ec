//! The programs of a census, each with its releases.

use std::collections::BTreeSet;

use super::Census;
use crate::history::{BuildOrder, CommonFunctions, Exposure, ProgramHistory, Releases, State};

/// Programs of a census, and their releases.
pub(crate) struct Programs {
    pub(crate) names: Vec<String>,
    pub(crate) of_build: Vec<usize>,
    pub(crate) releases: Vec<Releases>,
    pub(crate) times: Vec<Vec<i64>>,
    pub(crate) keep_states: Vec<bool>,
    pub(crate) common: Vec<CommonFunctions>,
}

impl Programs {
    /// Those of a census whose dumps are counted.
    pub(crate) fn of(
        census: &Census,
        order: Option<&BuildOrder>,
        exposure: Option<&Exposure>,
    ) -> Self {
        let names: BTreeSet<&String> = census.builds.iter().map(|build| &build.program).collect();
        let names: Vec<String> = names.into_iter().cloned().collect();
        let of_build: Vec<usize> = census
            .builds
            .iter()
            .map(|build| names.binary_search(&build.program).unwrap_or(0))
            .collect();
        let releases =
            names.iter().map(|name| Releases::of(name, &census.builds, order, exposure)).collect();
        let mut times = vec![Vec::new(); names.len()];
        let mut keep_states = vec![false; names.len()];
        let mut stacks = vec![Vec::new(); names.len()];
        for sighting in &census.sightings {
            let program = of_build.get(sighting.event.build).copied();
            let group = sighting.group.and_then(|group| census.groups.get(group));
            let is_resolved = group.is_some_and(|g| matches!(g.state, State::Resolved { .. }));
            if let Some(keeps) = program.and_then(|program| keep_states.get_mut(program)) {
                *keeps |= is_resolved;
            }
            if let Some(times) = program.and_then(|program| times.get_mut(program)) {
                times.push(sighting.event.time);
            }
        }
        for (sighting, stack) in census.with_stacks() {
            let program = of_build.get(sighting.event.build).copied();
            if let Some(stacks) = program.and_then(|program| stacks.get_mut(program)) {
                stacks.extend(sighting.group.map(|group| (group, stack)));
            }
        }
        for times in &mut times {
            times.sort_unstable();
        }
        let common = stacks.into_iter().map(|of| CommonFunctions::of(of.into_iter())).collect();
        Self { names, of_build, releases, times, keep_states, common }
    }

    /// What groups of one program are judged in; `now` and what is lately, in seconds.
    pub(crate) fn history<'p>(
        &'p self,
        program: usize,
        census: &'p Census,
        (now, window): (i64, i64),
        is_worded: bool,
    ) -> ProgramHistory<'p> {
        ProgramHistory {
            builds: &census.builds,
            releases: &self.releases[program],
            times: &self.times[program],
            now,
            window,
            keeps_states: self.keep_states[program],
            is_worded,
        }
    }

    /// The name of the release that a build belongs to.
    pub(crate) fn release_name(&self, build: usize) -> Option<&str> {
        let releases = self.releases.get(*self.of_build.get(build)?)?;
        Some(releases.list.get(releases.place(build)?)?.name.as_str())
    }
}
