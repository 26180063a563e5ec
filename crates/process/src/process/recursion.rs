//! How a deep stack repeats: the shortest cycle of pcs that fills most of it.

use crate::unwind::Activation;
use obit_corefile::arch::Machine;

/// Stacks below this depth are shown whole and need no summary.
const SHALLOWEST: usize = 100;
/// Longest cycle that is looked for, in physical frames.
const LONGEST_CYCLE: usize = 64;

/// A run of frames that repeats.
#[derive(Debug)]
pub(super) struct Cycle<'s> {
    /// One round, innermost first.
    pub(super) cycle: Vec<&'s Activation>,
    pub(super) rounds: usize,
    /// Stack bytes of one round.
    pub(super) bytes_per_round: u64,
}

/// The cycle of `frames`, if at least half of them repeat.
pub(super) fn find(frames: &[Activation], machine: Machine) -> Option<Cycle<'_>> {
    if frames.len() < SHALLOWEST {
        return None;
    }
    (1..=LONGEST_CYCLE).find_map(|period| {
        let (start, length) = longest_run(frames, period);
        if length.saturating_mul(2) < frames.len() {
            return None;
        }
        let cycle: Vec<&Activation> = frames.iter().skip(start).take(period).collect();
        let sp = machine.facts()?.sp;
        let sp_at = |index: usize| frames.get(index)?.registers.get(sp);
        let bytes = sp_at(start + period)?.saturating_sub(sp_at(start)?);
        Some(Cycle { cycle, rounds: length / period, bytes_per_round: bytes })
    })
}

/// Start and length of the longest run in which each pc returns `period` frames later;
/// the frames at its end are counted in.
fn longest_run(frames: &[Activation], period: usize) -> (usize, usize) {
    let mut best = (0, 0);
    let mut start = None;
    let pairs = frames.iter().zip(frames.iter().skip(period)).enumerate();
    for (index, (frame, later)) in pairs {
        // Tracks the run that is open, and keeps the longest seen.
        if frame.pc == later.pc {
            let start = *start.get_or_insert(index);
            let length = index - start + 1 + period;
            if length > best.1 {
                best = (start, length);
            }
        } else {
            start = None;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unwind::{Left, Trust};
    use obit_corefile::addr::Avma;
    use obit_corefile::arch::{Register, Registers};

    fn stack(pcs: impl Iterator<Item = u64>) -> Vec<Activation> {
        pcs.enumerate()
            .map(|(index, pc)| Activation {
                pc: Avma(pc),
                cfa: None,
                registers: Registers::default().with(Register(7), 0x1000 + 48 * index as u64),
                trust: Trust::CallFrameInfo,
                left: Left::Called,
                is_signal: false,
            })
            .collect()
    }

    #[test]
    fn mutual_recursion_is_a_cycle_of_two() {
        let frames = stack([9].into_iter().chain((0..400).map(|n| 100 + n % 2)).chain([7, 8]));
        let cycle = find(&frames, Machine::X86_64).unwrap();
        assert_eq!(cycle.cycle.len(), 2);
        assert_eq!(cycle.rounds, 200);
        assert_eq!(cycle.bytes_per_round, 96);
    }

    #[test]
    fn a_deep_stack_that_does_not_repeat_has_no_cycle() {
        let frames = stack(0..400);
        assert!(find(&frames, Machine::X86_64).is_none());
    }
}
