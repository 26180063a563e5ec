//! What a task waits for, by the end of its chain of awaits.

use std::collections::HashSet;
use std::time::Duration;

use super::cells::{Cell, Cells};
use super::chain::{Chain, End};
use super::names;
use super::search::Search;
use super::spot::{Reader, Spot};
use super::timers::{Now, remaining};
use crate::model::{Blocker, Wait, WaitKind};
use obit_corefile::addr::Avma;

/// Members that lead from a leaf to what is waited at.
const OBJECTS: [&str; 8] =
    ["semaphore", "raw", "notify", "inner", "chan", "shared", "scheduled_io", "receiver"];
/// Tasks of a `JoinSet` that are named.
const MOST_JOINED: usize = 1 << 16;
/// Objects of a `JoinSet` that are looked at in search of its lists.
const MOST_OBJECTS: usize = 256;

/// What the end of a chain waits for; `None` where it does not wait.
pub(super) fn wait<'p>(
    reader: &Reader<'p>,
    cells: &mut Cells<'_, 'p>,
    chain: &Chain<'p>,
    now: Option<Now>,
) -> Option<Wait> {
    let until = chain.timeout.and_then(|timer| remaining(reader, timer, now));
    let none = |kind, reason| Wait {
        kind,
        reason,
        object: None,
        since: None,
        remaining: until,
        blockers: Vec::new(),
    };
    match &chain.end {
        End::NotStarted | End::Returned | End::Panicked => None,
        End::Unknown => Some(none(WaitKind::Other, outermost(chain)?)),
        End::Branches(_, by) => {
            let kind = match by.contains("join") || by.contains("Join") {
                true => WaitKind::Join,
                false => WaitKind::Select,
            };
            Some(none(kind, by.clone()))
        }
        End::Leaf(leaf) => {
            let name = leaf.name();
            let reason = outermost(chain).unwrap_or_else(|| names::plain(&name));
            let kind = names::kind(&reason, &name);
            let object = OBJECTS.iter().find_map(|of| {
                let place = reader.field(*leaf, of)?.pointer_here()?;
                reader.word(place.at).filter(|at| *at != 0)
            });
            let object = object.or_else(|| channel(reader, chain));
            Some(Wait {
                object: object.map(Avma),
                remaining: until.or_else(|| time_left(reader, chain, *leaf, now)),
                blockers: blockers(reader, cells, *leaf, &name),
                ..none(kind, reason)
            })
        }
    }
}

/// What of the libraries the program awaits: their functions from the leaf outwards.
fn outermost(chain: &Chain<'_>) -> Option<String> {
    let functions = chain.frames.iter().map_while(|frame| frame.function.as_deref());
    let of_library = functions.take_while(|function| {
        names::is_of_library(function) && !function.starts_with("tokio::time::timeout::")
    });
    of_library.last().map(names::plain)
}

/// The channel whose end the library's functions have as `self`: a receiver polls it by a closure.
fn channel<'p>(reader: &Reader<'p>, chain: &Chain<'p>) -> Option<u64> {
    chain.selves.iter().take(3).flatten().copied().find_map(|own| {
        let own = if own.target().is_some() { reader.pointee(own)? } else { own };
        let channel = reader.field(own, "chan").or_else(|| reader.field(own, "shared"))?;
        reader.word(channel.pointer_here()?.at).filter(|at| *at != 0)
    })
}

fn time_left<'p>(
    reader: &Reader<'p>,
    chain: &Chain<'p>,
    leaf: Spot<'p>,
    now: Option<Now>,
) -> Option<Duration> {
    let name = leaf.name();
    if name.starts_with("tokio::time::") && name.ends_with("::Sleep") {
        return remaining(reader, leaf, now);
    }
    // `Interval::tick` polls the timer of its interval.
    let mut interval = chain.selves.iter().take(3).flatten().copied().find_map(|own| {
        let own = if own.target().is_some() { reader.pointee(own)? } else { own };
        own.name().starts_with("tokio::time::interval::Interval").then_some(own)
    });
    interval = interval.and_then(|interval| reader.field(interval, "delay"));
    let timer = reader.pointee(interval?.pointer_here()?)?;
    remaining(reader, timer, now)
}

fn blockers<'p>(
    reader: &Reader<'p>,
    cells: &mut Cells<'_, 'p>,
    leaf: Spot<'p>,
    name: &str,
) -> Vec<Blocker> {
    if name.starts_with("tokio::runtime::task::join::JoinHandle<") {
        return joined(reader, cells, leaf).map(Blocker::Task).into_iter().collect();
    }
    if name.starts_with("tokio::task::join_set::JoinSet<") {
        return members(reader, cells, leaf).into_iter().map(Blocker::Task).collect();
    }
    Vec::new()
}

/// The task that a `JoinHandle` is of.
pub(super) fn joined<'p>(
    reader: &Reader<'p>,
    cells: &mut Cells<'_, 'p>,
    handle: Spot<'p>,
) -> Option<u64> {
    let cell = joined_cell(reader, cells, handle)?;
    Some(cell.id.unwrap_or(cell.at.0))
}

/// The same, as tokio has it.
pub(super) fn joined_cell<'p>(
    reader: &Reader<'p>,
    cells: &mut Cells<'_, 'p>,
    handle: Spot<'p>,
) -> Option<Cell<'p>> {
    let header = reader.pointee(reader.field(handle, "raw")?.pointer_here()?)?;
    cells.cell(header, None)
}

/// The tasks of a `JoinSet`: its lists hold their handles.
fn members<'p>(reader: &Reader<'p>, cells: &mut Cells<'_, 'p>, set: Spot<'p>) -> Vec<u64> {
    let mut lists = Vec::new();
    Search::new(reader, MOST_OBJECTS).from(set, |spot, name| {
        let is_list = name.starts_with("tokio::util::linked_list::LinkedList<");
        if is_list {
            lists.push(spot);
        }
        is_list
    });
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    for list in lists {
        let entry = reader.field(list, "head").and_then(Spot::pointer_here);
        let mut entry = entry.and_then(|head| reader.pointee(head));
        while let Some(at) = entry
            && seen.insert(at.at)
            && found.len() < MOST_JOINED
        {
            let handle = reader.field(at, "value").and_then(|value| value.inside("raw"));
            let header = handle.and_then(|raw| reader.pointee(raw.pointer_here()?));
            let cell = header.and_then(|header| cells.cell(header, None));
            found.extend(cell.map(|cell| cell.id.unwrap_or(cell.at.0)));
            let next = reader.field(at, "pointers").and_then(|it| it.inside("next"));
            let next = next.and_then(|next| reader.word(next.at)).filter(|next| *next != 0);
            entry = next.map(|next| Spot { at: Avma(next), ..at });
        }
    }
    found
}
