//! Deep recursion beyond the limit of frames: where a stack repeats exactly, its outer end is
//! found by the return addresses that lie at equal distances, without unwinding each round.

use super::budget::take;
use super::row::code_address;
use super::{Activation, Left, Trust};
use obit_corefile::addr::Avma;
use obit_corefile::arch::{Facts, Registers};
use obit_corefile::memory::Cursor;

/// Longest round that is looked for, in physical frames.
const LONGEST_PERIOD: usize = 64;
/// Rounds at the end that must be alike.
const ALIKE: usize = 4;
/// Bytes of stack that one round takes at most.
const LARGEST_ROUND: u64 = 1 << 20;
/// Rounds before the last that are unwound again, which restores the registers that calls
/// save.
const UNWOUND_AGAIN: u64 = 2;

/// A frame further out, and how many lie between it and the last one.
pub(super) struct Leap {
    pub(super) to: Activation,
    pub(super) skipped: usize,
}

/// The frame to go on from after `frames`, if their end repeats and goes on repeating.
pub(super) fn leap(
    frames: &[Activation],
    facts: &Facts,
    code_mask: u64,
    memory: &mut Cursor<'_>,
    words: &mut usize,
) -> Option<Leap> {
    // A scan finds the same word again and again in any memory.
    let last = frames.last().filter(|last| last.trust < Trust::Scan)?;
    let (period, bytes) = (1..=LONGEST_PERIOD)
        .find_map(|period| Some((period, bytes_of_round(frames, period, facts)?)))?;
    let mut is_return_to_last = |at: Avma| {
        let value = memory.read_unsigned(at, usize::from(facts.word)).ok()?;
        (code_address(value, facts, code_mask) == last.pc).then_some(())
    };
    let sp = last.registers.get(facts.sp)?;
    let word = u64::from(facts.word);
    let slot = (1..=bytes / word).find_map(|nth| {
        let at = Avma(sp.checked_sub(nth.checked_mul(word)?)?);
        is_return_to_last(at).map(|()| at)
    })?;
    let mut rounds = 0_u64;
    while let Some(distance) = rounds.checked_add(1).and_then(|next| next.checked_mul(bytes))
        && let Some(at) = slot.checked_add(distance)
        && is_return_to_last(at).is_some()
        && take(words, 1)
    {
        rounds += 1;
    }
    let leapt = rounds.checked_sub(UNWOUND_AGAIN).filter(|leapt| *leapt > UNWOUND_AGAIN)?;
    let distance = leapt.checked_mul(bytes)?;
    let mut registers = Registers::default();
    registers.set(facts.pc, Some(last.pc.0));
    registers.set(facts.sp, sp.checked_add(distance));
    registers.set(facts.fp, frame_pointer(frames, period, facts, bytes, distance));
    let to = Activation {
        pc: last.pc,
        cfa: None,
        registers,
        trust: last.trust.max(Trust::CallSite),
        left: Left::Called,
        is_signal: false,
    };
    let skipped = usize::try_from(leapt).ok()?.checked_mul(period)?.checked_sub(1)?;
    Some(Leap { to, skipped })
}

/// The bytes of stack between frames `period` apart, if the last rounds are all alike.
fn bytes_of_round(frames: &[Activation], period: usize, facts: &Facts) -> Option<u64> {
    let tail = frames.get(frames.len().checked_sub(period.checked_mul(ALIKE)?)?..)?;
    let later = tail.get(period..)?;
    let bytes = |(inner, outer): (&Activation, &Activation)| {
        let is_alike = inner.pc == outer.pc && inner.left == Left::Called && !inner.is_signal;
        let (inner, outer) = (inner.registers.get(facts.sp)?, outer.registers.get(facts.sp)?);
        outer.checked_sub(inner).filter(|_| is_alike)
    };
    let mut all = tail.iter().zip(later).map(bytes);
    let first = all.next()??;
    let is_size =
        first > 0 && first <= LARGEST_ROUND && first.is_multiple_of(u64::from(facts.word));
    (is_size && all.all(|bytes| bytes == Some(first))).then_some(first)
}

/// The frame pointer `distance` bytes further out: it moves with the frames or not at all.
fn frame_pointer(
    frames: &[Activation],
    period: usize,
    facts: &Facts,
    bytes: u64,
    distance: u64,
) -> Option<u64> {
    let last = frames.last()?.registers.get(facts.fp)?;
    let before = frames.len().checked_sub(1)?.checked_sub(period)?;
    let before = frames.get(before)?.registers.get(facts.fp)?;
    match last.checked_sub(before)? {
        0 => Some(last),
        moved if moved == bytes => last.checked_add(distance),
        _ => None,
    }
}
