//! Incidents among many dumps.

use std::collections::{BTreeMap, BTreeSet};

use crate::join::{Join, Joined, joins};
use crate::order::{Follows, MOST_STEPS, decide, follows};
use crate::peers::next;
use crate::{Alone, Facts, Failure, Incident, Incidents, Link, Member, SCHEMA, Strength};

/// Dumps that are compared: what is beyond them is said.
const MOST_DUMPS: usize = 20_000;

/// How dumps are joined.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Seconds that two dumps may be apart.
    pub window: u64,
}

/// The incidents among `all`.
pub fn find(mut all: Vec<Facts>, settings: Settings) -> Incidents {
    let mut document = Incidents {
        schema: SCHEMA.to_owned(),
        window: settings.window,
        dumps: all.len() as u64,
        ..Incidents::default()
    };
    if let Some(more @ 1..) = all.len().checked_sub(MOST_DUMPS) {
        all.truncate(MOST_DUMPS);
        document.notes.push(format!("{more} dumps beyond {MOST_DUMPS} were not compared"));
    }
    // By time, so that the order of the input changes nothing; those without one come last.
    all.sort_by(|a, b| {
        let key = |facts: &Facts| (facts.time.is_none(), facts.time.map(|time| time.nanoseconds));
        key(a).cmp(&key(b)).then_with(|| a.pid.cmp(&b.pid)).then_with(|| a.core.cmp(&b.core))
    });
    let without_copies = without_copies(all);
    document.notes.extend(without_copies.1);
    let all = without_copies.0;
    let window = i128::from(settings.window) * 1_000_000_000;
    let may_meet = |a: &Facts, b: &Facts| match (a.time, b.time) {
        (Some(a), Some(b)) => {
            let apart = i128::from(a.nanoseconds) - i128::from(b.nanoseconds);
            apart.abs() <= window + i128::from(a.precision.max(b.precision))
        }
        // What is not known is not against it; evidence alone decides.
        _ => true,
    };
    let Joined { joins, notes } = joins(&all, &may_meet);
    document.notes.extend(notes);
    let mut groups = Groups::of(all.len());
    for ((a, b), join) in &joins {
        if join.strength() >= Strength::Likely {
            groups.join(*a, *b);
        }
    }
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for at in 0..all.len() {
        members.entry(groups.root(at)).or_default().push(at);
    }
    // Also those of guesses between two that are joined by something else.
    let mut of_incidents: BTreeMap<usize, Vec<(usize, usize, Join)>> = BTreeMap::new();
    for ((a, b), join) in joins {
        if groups.root(a) == groups.root(b) {
            of_incidents.entry(groups.root(a)).or_default().push((a, b, join));
        }
    }
    for (root, places) in members {
        match places.as_slice() {
            [] => {}
            [only] => document.alone.extend(all.get(*only).map(alone)),
            _ => {
                let joins = of_incidents.remove(&root).unwrap_or_default();
                document.incidents.push(incident(&all, &places, joins));
            }
        }
    }
    let untimed = all.iter().filter(|facts| facts.time.is_none()).count();
    if untimed > 0 {
        document.notes.push(format!("dumps of which no time is known: {untimed}"));
    }
    let mut notes: BTreeMap<&str, u64> = BTreeMap::new();
    for note in all.iter().flat_map(|facts| &facts.notes) {
        *notes.entry(note).or_default() += 1;
    }
    document.notes.extend(notes.iter().map(|(note, count)| format!("{note}: {count}")));
    document
}

/// Two files of one crash are one dump.
fn without_copies(all: Vec<Facts>) -> (Vec<Facts>, Option<String>) {
    let mut seen = BTreeSet::new();
    let before = all.len();
    let is_new = |facts: &Facts| facts.id.is_empty() || seen.insert((facts.id.clone(), facts.pid));
    let kept: Vec<Facts> = all.into_iter().filter(is_new).collect();
    let copies = before - kept.len();
    let note = (copies > 0).then(|| format!("copies of the same dump left out: {copies}"));
    (kept, note)
}

fn alone(facts: &Facts) -> Alone {
    Alone { core: facts.core.clone(), text: format!("{}, {}", facts.name(), facts.how()) }
}

fn incident(all: &[Facts], places: &[usize], joins: Vec<(usize, usize, Join)>) -> Incident {
    let at = |place: usize| places.binary_search(&place).ok();
    let of_incident: BTreeMap<(usize, usize), Join> =
        joins.into_iter().filter_map(|(a, b, join)| Some(((at(a)?, at(b)?), join))).collect();
    let facts: Vec<&Facts> = places.iter().filter_map(|at| all.get(*at)).collect();
    let follows = follows(&facts, &of_incident);
    let (first, undecided) = decide(&facts, &follows);
    let order = in_order(&facts, &follows, first.as_ref().map(|first| first.process));
    let places: BTreeMap<usize, usize> =
        order.iter().enumerate().map(|(place, at)| (*at, place)).collect();
    let place_of = |at: usize| places.get(&at).copied().unwrap_or(at);
    let mut processes: Vec<Member> = Vec::new();
    for at in &order {
        let Some(facts) = facts.get(*at) else { continue };
        let mut member = member(facts);
        if let Some(follows) = follows.get(at) {
            member.follows = Some(place_of(follows.by));
            member.follows_strength = Some(follows.strength);
            member.follows_reason = Some(follows.reason.clone());
        }
        processes.push(member);
    }
    let mut links: Vec<Link> = of_incident
        .iter()
        .map(|((a, b), join)| {
            let (a, b) = (place_of(*a), place_of(*b));
            Link {
                between: (a.min(b), a.max(b)),
                strength: join.strength(),
                evidence: join.evidence.clone(),
            }
        })
        .collect();
    links.sort_by_key(|link| link.between);
    let first = first.map(|mut first| {
        first.process = place_of(first.process);
        first
    });
    Incident { first, undecided, processes, links, next: next(&facts) }
}

/// The places by what followed from what, then by time.
fn in_order(
    facts: &[&Facts],
    follows: &BTreeMap<usize, Follows>,
    first: Option<usize>,
) -> Vec<usize> {
    let depth = |mut at: usize| {
        let mut depth = 0_usize;
        while let Some(next) = follows.get(&at).filter(|_| depth <= facts.len().min(MOST_STEPS)) {
            at = next.by;
            depth += 1;
        }
        depth
    };
    let mut order: Vec<usize> = (0..facts.len()).collect();
    order.sort_by_key(|at| {
        let time = facts.get(*at).and_then(|facts| facts.time);
        (Some(*at) != first, depth(*at), time.is_none(), time.map(|time| time.nanoseconds), *at)
    });
    order
}

fn member(facts: &Facts) -> Member {
    Member {
        core: facts.core.clone(),
        id: facts.id.clone(),
        pid: facts.pid,
        command: facts.command.clone(),
        host: facts.host.clone(),
        container: facts.container.clone(),
        unit: facts.unit.clone(),
        time: facts.time.map(|time| time.nanoseconds),
        time_precision: facts.time.map(|time| time.precision),
        time_is_of_file: facts.time.is_some_and(|time| time.is_of_file),
        signal: facts.signal.clone(),
        class: facts.class.clone(),
        title: match facts.failure {
            Failure::Snapshot => Some("did not fail: it was stopped for the core".to_owned()),
            _ => facts.title.clone(),
        },
        message: facts.message.clone(),
        failure: facts.failure,
        follows: None,
        follows_strength: None,
        follows_reason: None,
    }
}

/// Sets of places that are joined, each known by its lowest.
struct Groups {
    above: Vec<usize>,
}

impl Groups {
    fn of(count: usize) -> Self {
        Self { above: (0..count).collect() }
    }

    fn root(&mut self, mut at: usize) -> usize {
        loop {
            let Some(above) = self.above.get(at).copied().filter(|above| *above != at) else {
                return at;
            };
            // Halves the way for the next one.
            let further = self.above.get(above).copied().unwrap_or(above);
            if let Some(place) = self.above.get_mut(at) {
                *place = further;
            }
            at = further;
        }
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        if let Some(place) = self.above.get_mut(a.max(b)) {
            *place = a.min(b);
        }
    }
}
