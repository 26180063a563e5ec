//! `std::list` and `std::forward_list`.

use std::collections::HashSet;
use std::sync::Arc;

use super::form_result::{FormResult, Trouble};
use super::layout::Shape;
use super::node::Payload;
use super::object::{CppObject, counted, element_name};
use crate::value::Object;
use crate::value::readable::Readable;

/// Nodes that are counted where no member says how many there are.
const COUNTED_NODES: usize = 10_000;

/// What a walk along links found.
#[derive(Default)]
pub(super) struct LinkWalk<'d> {
    /// The elements of the nodes passed, as many as were wanted.
    pub(super) elements: Vec<(Arc<str>, Object<'d>)>,
    /// Nodes passed.
    pub(super) passed: u64,
    /// The rule that the list was seen to break.
    pub(super) damage: Option<&'static str>,
    /// Whether the end was reached.
    pub(super) ended: bool,
}

/// A ring of nodes through the container itself, each linked both ways.
pub(super) fn list<'d>(view: &CppObject<'d>) -> FormResult<'d> {
    let pointers = view.words().filter(|field| field.shape == Shape::Pointer);
    let [one, other] = <[_; 2]>::try_from(pointers.take(2).collect::<Vec<_>>())
        .map_err(|_| Trouble::Unfamiliar)?;
    let is_next = |field: &super::layout::Field<'_>| {
        field.name.as_deref().is_some_and(|name| name.contains("next"))
    };
    let (next, previous) = if is_next(one) { (one, other) } else { (other, one) };
    let start = one.offset().min(other.offset());
    let ring = view.address()?.wrapping_add(start);
    let (next_at, previous_at) =
        (next.offset().wrapping_sub(start), previous.offset().wrapping_sub(start));
    let count = view.words().find(|field| field.shape == Shape::Integer);
    let count = count.map(|field| view.number(field)).transpose()?;
    let links = one.offset().abs_diff(other.offset()).saturating_mul(2);

    let first = view.word(ring.wrapping_add(next_at))?;
    if first == ring {
        return match count {
            None | Some(0) => Ok(view.container(0, Vec::new())),
            Some(_) => Err(Trouble::Damaged("it has no nodes but a count above zero")),
        };
    }
    let payload = Payload::of(view, links)?;
    let step = |node: u64, from: u64| {
        view.check_mapped(node, payload.end(view)?)?;
        if view.word(node.wrapping_add(previous_at))? != from {
            return Err(Trouble::Damaged("a node does not link back to the one before it"));
        }
        view.word(node.wrapping_add(next_at))
    };
    let walk = walk(view, payload, first, ring, ring, count, step);
    Ok(walked(view, walk, count))
}

/// A chain of nodes to a null link.
pub(super) fn forward_list<'d>(view: &CppObject<'d>) -> FormResult<'d> {
    let head = view.words().find(|field| field.shape != Shape::Integer);
    let head = head.ok_or(Trouble::Unfamiliar)?;
    let first = view.number(head)?;
    if first == 0 {
        return Ok(view.container(0, Vec::new()));
    }
    let links = view.part(head).size(view.scene).unwrap_or(8);
    let payload = Payload::of(view, links)?;
    let step = |node: u64, _| {
        view.check_mapped(node, payload.end(view)?)?;
        view.word(node)
    };
    let walk = walk(view, payload, first, 0, 0, None, step);
    Ok(walked(view, walk, None))
}

/// Walks from node `first` to `end`; `step` gives the next node of one, given the one
/// before it, at first `before`.
pub(super) fn walk<'d>(
    view: &CppObject<'d>,
    payload: Payload<'d>,
    first: u64,
    end: u64,
    before: u64,
    count: Option<u64>,
    step: impl Fn(u64, u64) -> Result<u64, Trouble>,
) -> LinkWalk<'d> {
    let most = match count {
        Some(count) => usize::try_from(count).unwrap_or(usize::MAX).min(view.limit),
        None => view.limit.max(COUNTED_NODES),
    };
    let mut walk = LinkWalk::default();
    let mut seen = HashSet::new();
    let (mut node, mut before) = (first, before);
    while node != end && seen.len() < most {
        if !seen.insert(node) {
            walk.damage = Some("its nodes form a cycle");
            return walk;
        }
        let next = match step(node, before) {
            Ok(next) => next,
            Err(Trouble::Damaged(how)) => {
                walk.damage = Some(how);
                return walk;
            }
            Err(Trouble::Absent | Trouble::Unfamiliar) => return walk,
        };
        if walk.elements.len() < view.limit {
            walk.elements.push((element_name(walk.passed), payload.at(node)));
        }
        walk.passed = walk.passed.saturating_add(1);
        (before, node) = (node, next);
    }
    walk.ended = node == end;
    if count.is_some_and(|count| walk.ended != (walk.passed == count)) {
        walk.damage = Some("its node count does not match its nodes");
    }
    walk
}

/// The result of a walk, with the number of elements the container itself states.
pub(super) fn walked<'d>(
    view: &CppObject<'d>,
    walk: LinkWalk<'d>,
    count: Option<u64>,
) -> Readable<'d> {
    let total = count.or(walk.ended.then_some(walk.passed));
    let mut rest = match total {
        Some(total) => counted(total),
        None => format!(" of more than {}", walk.passed),
    };
    let mut total = total;
    if let Some(how) = walk.damage {
        // Its own count is as doubtful as its nodes.
        rest = format!(", damaged: {how}");
        total = None;
    }
    Readable { elements: walk.elements, total, ..view.summarized(&rest) }
}
