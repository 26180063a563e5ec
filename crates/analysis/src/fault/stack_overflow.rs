//! Whether an address lies where a thread's stack would have gone on.

use super::instant::Instant;
use obit_corefile::addr::Avma;
use obit_corefile::memory::{Permissions, Region};

/// How far below the stack an access still is one of the stack: the kernel keeps as much
/// free below the main thread's (Linux `stack_guard_gap`).
const GUARD: u64 = 1 << 20;
/// How far from the stack pointer: half a frame that is larger than most.
const NEAR: u64 = 1 << 16;

/// Whether `at` is just below the stack of the thread, by way of its stack pointer.
pub(super) fn is_below(instant: &Instant<'_>, at: Avma) -> bool {
    below(instant, at).unwrap_or(false)
}

fn below(instant: &Instant<'_>, at: Avma) -> Option<bool> {
    let facts = instant.facts()?;
    let sp = Avma(instant.place.registers.get(facts.sp)?);
    if has_leapt(instant, sp, at) {
        return Some(true);
    }
    let stack = stack_of(instant, sp)?;
    let low = stack.range.start;
    let within = at < low && low.0.saturating_sub(at.0) <= GUARD;
    let blocked = instant.process.memory.region_at(at).is_none_or(has_no_right);
    // A large frame has moved the pointer past the end at once, and is filled from there.
    let filled = sp < low && at >= sp;
    let near = filled || at.0.abs_diff(sp.0) <= NEAR;
    let frame_pointer = instant.place.registers.get(facts.fp).map(Avma);
    let mut known = instant.thread.stack.frames.iter().filter_map(|frame| frame.cfa);
    let in_stack = |place: Avma| stack.range.contains(place);
    // The caller's frames are there: it is this thread's stack and no other's.
    let is_own = in_stack(sp) || known.any(in_stack) || frame_pointer.is_some_and(in_stack);
    Some(within && blocked && near && is_own)
}

/// Whether one frame is so large that it begins on a stack and has moved the stack pointer to
/// where nothing is, and `at` is between the two, or just below for a call.
fn has_leapt(instant: &Instant<'_>, sp: Avma, at: Avma) -> bool {
    let memory = &instant.process.memory;
    let Some(cfa) = instant.place.cfa else { return false };
    let on_stack = memory.region_at(cfa).is_some_and(is_stack_like);
    let is_lost = |place: Avma| memory.region_at(place).is_none_or(has_no_right);
    let within = at.0.saturating_add(NEAR) >= sp.0 && at < cfa;
    on_stack && sp < cfa && is_lost(sp) && is_lost(at) && within
}

/// The memory that holds `sp` or, if that is in the guard, the first above it.
fn stack_of<'p>(instant: &Instant<'p>, sp: Avma) -> Option<&'p Region> {
    let memory = &instant.process.memory;
    if let Some(region) = memory.region_at(sp).filter(|region| !has_no_right(region)) {
        return is_stack_like(region).then_some(region);
    }
    let regions = memory.regions();
    let next = regions.partition_point(|region| region.range.start <= sp);
    let mut above = regions.get(next..)?.iter().skip_while(|region| has_no_right(region));
    let first = above.next().filter(|region| is_stack_like(region))?;
    (first.range.start.0.saturating_sub(sp.0) <= GUARD).then_some(first)
}

fn is_stack_like(region: &Region) -> bool {
    region.permissions.read && region.permissions.write && region.name.is_none()
}

fn has_no_right(region: &Region) -> bool {
    region.permissions == Permissions::default()
}
