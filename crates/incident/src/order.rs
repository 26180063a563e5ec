//! Which failure followed from which, and which was the first.

use std::collections::BTreeMap;

use crate::join::{Join, Relation, may_share_numbers};
use crate::{EvidenceKind, Facts, Failure, First, Moment, Strength};

/// A failure that is the consequence of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Follows {
    /// The place of the process whose failure it follows from.
    pub(crate) by: usize,
    pub(crate) strength: Strength,
    pub(crate) reason: String,
}

/// Nanoseconds within which a process that notices the end of the other side of its connection ends
/// itself. What comes later has had time for other reasons.
const AT_ONCE: i64 = 10_000_000;
/// Processes and reasons that a sentence names.
const NAMED: usize = 3;
/// Steps of a chain of consequences that are followed.
pub(crate) const MOST_STEPS: usize = 1_000;

/// How two times are to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// The first is earlier, by so many nanoseconds.
    Before(i64),
    After(i64),
    /// They are closer than they are precise.
    Same,
    Unknown,
}

impl Order {
    fn of(a: Option<Moment>, b: Option<Moment>) -> Self {
        let (Some(a), Some(b)) = (a, b) else { return Self::Unknown };
        let apart = b.nanoseconds.saturating_sub(a.nanoseconds);
        match apart.saturating_abs() <= a.precision.max(b.precision) {
            true => Self::Same,
            false if apart > 0 => Self::Before(apart),
            false => Self::After(apart.saturating_neg()),
        }
    }
}

/// Whether the times of both are more than those of files.
fn are_times_sure(a: &Facts, b: &Facts) -> bool {
    let is_sure = |facts: &Facts| facts.time.is_some_and(|time| !time.is_of_file);
    is_sure(a) && is_sure(b)
}

/// For each process that failed as a consequence of another: of which, and why.
pub(crate) fn follows(
    facts: &[&Facts],
    joins: &BTreeMap<(usize, usize), Join>,
) -> BTreeMap<usize, Follows> {
    let mut all: BTreeMap<usize, Follows> = BTreeMap::new();
    for ((a, b), join) in joins {
        let (Some(one), Some(other)) = (facts.get(*a), facts.get(*b)) else { continue };
        let forward = reason((one, other), join, |relation| relation);
        let back = reason((other, one), join, turned);
        let (at, by, found) = match (forward, back) {
            (Some(found), Some(other)) if other.0 > found.0 => (*a, *b, other),
            // Each would follow from the other: neither is known to.
            (Some(found), Some(other)) if other.0 == found.0 => continue,
            (Some(found), _) => (*b, *a, found),
            (None, Some(found)) => (*a, *b, found),
            (None, None) => continue,
        };
        let (strength, reason) = found;
        let is_better = all.get(&at).is_none_or(|known| strength > known.strength);
        if is_better && !leads_to(&all, by, at) {
            all.insert(at, Follows { by, strength, reason });
        }
    }
    all
}

fn turned(relation: Relation) -> Relation {
    match relation {
        Relation::Serves => Relation::IsServed,
        Relation::IsServed => Relation::Serves,
        Relation::Started => Relation::WasStarted,
        Relation::WasStarted => Relation::Started,
        Relation::Ended => Relation::WasEnded,
        Relation::WasEnded => Relation::Ended,
    }
}

/// Whether `from` follows from `to`, by any number of steps.
fn leads_to(all: &BTreeMap<usize, Follows>, mut from: usize, to: usize) -> bool {
    for _ in 0..=all.len().min(MOST_STEPS) {
        if from == to {
            return true;
        }
        match all.get(&from) {
            Some(next) => from = next.by,
            None => return false,
        }
    }
    true
}

/// Why the failure of `then` would follow from that of `cause`.
fn reason(
    (cause, then): (&Facts, &Facts),
    join: &Join,
    turn: fn(Relation) -> Relation,
) -> Option<(Strength, String)> {
    if cause.failure == Failure::Snapshot || then.failure == Failure::Snapshot {
        return None;
    }
    let has = |relation: Relation| join.relations.iter().any(|one| turn(*one) == relation);
    let order = Order::of(cause.time, then.time);
    let is_contradicted = matches!(order, Order::After(_)) && are_times_sure(cause, then);
    // The other order of two files says that much.
    let most = match order {
        Order::After(_) => Strength::Guess,
        _ => Strength::Likely,
    };
    let later = match order {
        Order::Before(apart) => format!(", {} later", duration(apart)),
        _ => String::new(),
    };
    if is_contradicted {
        return None;
    }
    if has(Relation::Ended) {
        let signal = then.signal.as_deref().unwrap_or("the signal");
        return Some((
            Strength::Likely.min(most),
            format!("{signal} was sent to {} by {}", then.name(), cause.name()),
        ));
    }
    let is_connected = join.has(EvidenceKind::Socket) || join.has(EvidenceKind::Pipe);
    if let Some(loss) = then.losses.first()
        && cause.losses.is_empty()
        && matches!(then.failure, Failure::Deliberate | Failure::Unknown)
        && cause.failure != Failure::Sent
    {
        let strength = if is_connected { Strength::Likely } else { Strength::Guess };
        let strength = strength.min(most);
        return Some((strength, format!("{} lost a connection ({loss}){later}", then.name())));
    }
    if cause.failure == Failure::Fault && then.failure == Failure::Deliberate {
        let names = may_share_numbers(cause.numbers, then.own_numbers)
            && cause.pid.is_some_and(|pid| then.named_processes.contains(&pid));
        if names && has(Relation::WasStarted) {
            return Some((
                Strength::Likely.min(most),
                format!(
                    "{} ended itself, and its message names {}{later}",
                    then.name(),
                    cause.name()
                ),
            ));
        }
        if let (Order::Before(apart), true) = (order, are_times_sure(cause, then)) {
            // After it is not because of it.
            let is_at_once = is_connected && apart <= AT_ONCE;
            return Some((
                if is_at_once { Strength::Likely } else { Strength::Guess },
                format!("{} ended itself after {} had crashed{later}", then.name(), cause.name()),
            ));
        }
        // A check that failed more likely saw damage than made it.
        if !matches!(order, Order::After(_)) {
            return Some((
                Strength::Guess,
                format!(
                    "{} ended itself by a check of its own, {} crashed in a fault{later}",
                    then.name(),
                    cause.name()
                ),
            ));
        }
    }
    match order {
        Order::Before(_) => {
            let what = if are_times_sure(cause, then) { "" } else { " by the times of the files" };
            Some((
                Strength::Guess,
                format!("{} failed after {}{what}{later}", then.name(), cause.name()),
            ))
        }
        _ => None,
    }
}

/// The process that failed first, or why it cannot be said.
pub(crate) fn decide(
    facts: &[&Facts],
    follows: &BTreeMap<usize, Follows>,
) -> (Option<First>, Option<String>) {
    let roots: Vec<usize> = (0..facts.len())
        .filter(|at| !follows.contains_key(at))
        .filter(|at| facts.get(*at).is_some_and(|facts| facts.failure != Failure::Snapshot))
        .collect();
    let reason = |at: usize, others: &str| {
        let facts = facts.get(at)?;
        let class = match facts.title.is_some() || facts.signal.is_some() {
            true => format!("{} failed by itself ({})", facts.name(), facts.how()),
            false => format!("{} failed by itself", facts.name()),
        };
        Some(format!("{class}; {others}"))
    };
    let consequences = |root: usize| {
        let reasons = follows.values().filter(|one| one.by == root).map(|one| one.reason.as_str());
        few(&reasons.collect::<Vec<_>>(), "; ")
    };
    if let ([only], true) = (roots.as_slice(), follows.is_empty()) {
        let reason = reason(*only, "the others did not fail").unwrap_or_default();
        return (Some(First { process: *only, strength: Strength::Likely, reason }), None);
    }
    if let [only] = roots.as_slice() {
        let strength = follows.values().map(|one| one.strength).min().unwrap_or_default();
        let reason = reason(*only, &consequences(*only)).unwrap_or_default();
        return (Some(First { process: *only, strength, reason }), None);
    }
    // Several failed by themselves: the earliest of them, if times say which that is.
    let time = |at: usize| facts.get(at).and_then(|facts| facts.time);
    let earliest = roots.iter().copied().min_by_key(|at| {
        let time = time(*at).map(|time| time.nanoseconds);
        (time.is_none(), time)
    });
    let earliest = earliest.filter(|at| {
        let mut others = roots.iter().filter(|other| *other != at);
        others.all(|other| matches!(Order::of(time(*at), time(*other)), Order::Before(_)))
    });
    match earliest {
        Some(at) => {
            let reason = reason(at, "nothing earlier explains it").unwrap_or_default();
            (Some(First { process: at, strength: Strength::Guess, reason }), None)
        }
        None if roots.is_empty() => {
            (None, Some("no process failed: they were stopped for their cores".to_owned()))
        }
        None => {
            let names: Vec<String> =
                roots.iter().filter_map(|at| facts.get(*at)).map(|facts| facts.name()).collect();
            let why = "times do not say which of them was the first, and no failure follows from \
                       another";
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            (None, Some(format!("{}: {why}", few(&names, ", "))))
        }
    }
}

/// The first of them, and how many there are besides.
pub(crate) fn few(all: &[&str], between: &str) -> String {
    let named = all.get(..NAMED.min(all.len())).unwrap_or_default().join(between);
    match all.len().checked_sub(NAMED) {
        Some(more @ 1..) => format!("{named}{between}\u{2026} and {more} more"),
        _ => named,
    }
}

/// `12 ms`, `3.4 s`.
pub(crate) fn duration(nanoseconds: i64) -> String {
    match nanoseconds {
        ..=999_999 => format!("{} \u{b5}s", nanoseconds / 1_000),
        1_000_000..=999_999_999 => format!("{} ms", nanoseconds / 1_000_000),
        _ => {
            let tenths = nanoseconds / 100_000_000;
            format!("{}.{} s", tenths / 10, tenths % 10)
        }
    }
}
