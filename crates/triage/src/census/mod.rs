//! Everything that is counted, as read from a store.

mod code_questions;
mod programs;

pub(crate) use code_questions::{code_questions, stack_functions};
pub(crate) use programs::Programs;

use crate::history::{Build, CodeHashes, Event, StackFunction, State};
use obit_report::Confidence;

/// Everything that is counted, read from a store.
#[derive(Clone, Debug, Default)]
pub(crate) struct Census {
    /// All builds. Their numbers of dumps are filled in by [`Census::count_dumps`].
    pub builds: Vec<Build>,
    /// Names of hosts.
    pub hosts: Vec<String>,
    /// Words that [`Sighting`]s refer to: classes, severities, modules.
    pub words: Vec<String>,
    /// All groups.
    pub groups: Vec<CensusGroup>,
    /// All dumps that could be read, in the order of their rows.
    pub sightings: Vec<Sighting>,
    /// Dumps that could not be read.
    pub failed: u64,
    /// What is known of the code of builds.
    pub code: CodeHashes,
    /// The place of each key in the order of signatures, by its row.
    pub key_order: Vec<u32>,
}

/// Seconds by which clocks and notions of the time zone may differ.
const CLOCK_SKEW: i64 = 86_400;

/// A group as the store has it.
#[derive(Clone, Debug, Default)]
pub(crate) struct CensusGroup {
    /// What the user calls it by.
    pub id: String,
    /// As the user named it.
    pub name: Option<String>,
    /// What the user recorded about it.
    pub state: State,
    /// Who works on it.
    pub assignee: Option<String>,
    /// Its ticket.
    pub link: Option<String>,
}

/// One dump that could be read. Indices are into the [`Census`].
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sighting {
    /// The dump's row.
    pub dump: i64,
    /// Its group; `None` if it has no signature.
    pub group: Option<usize>,
    /// Which of the dumps of its group and time it is, counted by their ids; 0 of the only one.
    pub tie: u32,
    /// The row of what grouping sees of it.
    pub key: i64,
    /// When and where.
    pub event: Event,
    /// Whether the time of the crash is known; else `event` has that at which it was added.
    pub is_dated: bool,
    /// The class of its cause.
    pub class: Option<usize>,
    /// How bad that is.
    pub severity: Option<usize>,
    /// Image of the frame to blame.
    pub module: Option<usize>,
    /// How sure the cause is.
    pub confidence: Option<Confidence>,
    /// Whether the core was whole.
    pub is_complete: bool,
}

impl Census {
    /// The dumps of which the store has the functions on their stacks: few.
    pub(crate) fn with_stacks(&self) -> impl Iterator<Item = (&Sighting, &[StackFunction])> {
        self.code.stacks.iter().filter_map(|(dump, stack)| {
            // They are in the order of their rows.
            let at = self.sightings.binary_search_by_key(dump, |sighting| sighting.dump).ok()?;
            Some((self.sightings.get(at)?, stack.as_slice()))
        })
    }

    /// Gives crashes that are dated after they were stored, by a host with a wrong clock, the
    /// time at which they were stored: else the newest of them would be what "lately" is, and
    /// all others long ago. Where no other dump shows that this clock was right, the dates stay.
    pub(crate) fn doubt_later_dates(&mut self) {
        let is_later = |event: &Event| event.time > event.added.saturating_add(CLOCK_SKEW);
        let others = self.sightings.iter().map(|sighting| &sighting.event);
        let Some(newest) = others.filter(|event| !is_later(event)).map(|event| event.time).max()
        else {
            return;
        };
        for sighting in &mut self.sightings {
            if is_later(&sighting.event) && sighting.event.time > newest {
                sighting.event.time = sighting.event.added;
                sighting.is_dated = false;
            }
        }
    }

    /// Brings the words into an order that does not say which dump came first.
    pub(crate) fn sort_words(&mut self) {
        let mut order: Vec<usize> = (0..self.words.len()).collect();
        order.sort_unstable_by(|one, other| self.words.get(*one).cmp(&self.words.get(*other)));
        let mut places = vec![0; order.len()];
        for (place, old) in order.iter().enumerate() {
            if let Some(slot) = places.get_mut(*old) {
                *slot = place;
            }
        }
        self.words.sort_unstable();
        let moved = |word: Option<usize>| word.and_then(|old| places.get(old)).copied();
        for one in &mut self.sightings {
            (one.class, one.severity) = (moved(one.class), moved(one.severity));
            one.module = moved(one.module);
        }
    }

    /// The place of a key in the order of signatures, and its row.
    pub(crate) fn place_of_key(&self, key: i64) -> (u32, i64) {
        let place = usize::try_from(key).ok().and_then(|at| self.key_order.get(at));
        (place.copied().unwrap_or(u32::MAX), key)
    }

    /// Fills in the numbers of dumps and hosts of the builds.
    pub(crate) fn count_dumps(&mut self) {
        for build in &mut self.builds {
            (build.dumps, build.seen, build.hosts) = (0, None, 0);
        }
        let mut times = vec![Vec::new(); self.builds.len()];
        let mut hosts = vec![Vec::new(); self.builds.len()];
        for sighting in &self.sightings {
            let Some(build) = self.builds.get_mut(sighting.event.build) else { continue };
            build.dumps += 1;
            if let Some((hosts, host)) =
                hosts.get_mut(sighting.event.build).zip(sighting.event.host)
            {
                hosts.push(host);
            }
            let time = sighting.event.time;
            if let Some(times) = times.get_mut(sighting.event.build) {
                times.push(time);
            }
            let (first, last) = build.seen.unwrap_or((time, time));
            build.seen = Some((first.min(time), last.max(time)));
        }
        for (build, hosts) in self.builds.iter_mut().zip(&mut hosts) {
            hosts.sort_unstable();
            hosts.dedup();
            build.hosts = hosts.len();
        }
        for (build, times) in self.builds.iter_mut().zip(&mut times) {
            let tenth = times.len() / 10;
            let in_order = (tenth < times.len()).then(|| times.select_nth_unstable(tenth));
            build.settled = in_order.map(|(_, time, _)| *time);
        }
    }
}
