//! Numbers that are nearly a pointer: one that lost its upper half, one with a bit turned.

use super::place::is_near_a_mapping;
use obit_corefile::addr::{Avma, AvmaRange};
use obit_process::process::Process;

/// A pointer whose upper half was lost on the way: kept in an `int`, or returned by a
/// function that was not declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Truncated {
    /// The pointer that it was.
    pub whole: Avma,
    /// Whether `whole` is in the heap; else it is on a stack.
    pub in_heap: bool,
}

/// A pointer but for one bit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlippedBit {
    /// The bit, from 0.
    pub bit: u32,
    /// The pointer without the change.
    pub meant: Avma,
    /// A register that points nearby.
    pub register: String,
}

/// Heap and stacks together that are so small that no number falls among them by chance: a
/// hundredth of what the lower half of an address counts.
const MOST_BYTES: u64 = 40 << 20;
/// Bytes that a pointer nearby may be away.
const NEARBY: u64 = 4096;
/// Below this an index out of range is as likely as a bit.
const LOWEST_BIT: u32 = 24;
/// Above this programs keep marks in pointers.
const HIGHEST_BIT: u32 = 46;
/// An index that lost or gained its sign turns this bit.
const SIGN_CARRY: u32 = 32;

/// The heap or stack address that `at` is the lower half of, if there is only one.
pub(super) fn truncated(process: &Process, at: Avma, heap: &[AvmaRange]) -> Option<Truncated> {
    if process.memory.word() != 8 {
        return None;
    }
    let low = at.0 & u64::from(u32::MAX);
    let is_half = match at.0 >> 32 {
        0 => true,
        0xffff_ffff => low >> 31 == 1,
        _ => false,
    };
    if !is_half || low < super::NULL_ZONE {
        return None;
    }
    let sp = process.dump.machine.facts()?.sp;
    let stacks = process.threads.iter().filter_map(|thread| {
        let start = Avma(thread.registers.get(sp)?);
        let end = process.memory.range_at(start)?.end;
        Some((AvmaRange { start, end }, false))
    });
    let places: Vec<_> = heap.iter().map(|range| (*range, true)).chain(stacks).collect();
    let all = places.iter().fold(0_u64, |sum, (range, _)| sum.saturating_add(range.len()));
    if all > MOST_BYTES {
        return None;
    }
    let mut found = None;
    for (range, in_heap) in places {
        let uppers = [range.start.0 >> 32, range.end.0 >> 32];
        let whole = uppers.into_iter().map(|upper| Avma(upper << 32 | low));
        let Some(whole) = whole.into_iter().find(|whole| range.contains(*whole)) else { continue };
        match found {
            Some(Truncated { whole: other, .. }) if other != whole => return None,
            _ => found = Some(Truncated { whole, in_heap }),
        }
    }
    found.filter(|found| found.whole != at)
}

/// The address that differs from `at` in one bit, if it is near another pointer in a register.
pub(super) fn flipped_bit(process: &Process, at: Avma) -> Option<FlippedBit> {
    if process.memory.word() != 8 || is_near_a_mapping(process, at) {
        return None;
    }
    let facts = process.dump.machine.facts()?;
    let registers = &process.crashed()?.registers;
    let mut found = None;
    for bit in (LOWEST_BIT..=HIGHEST_BIT).filter(|bit| *bit != SIGN_CARRY) {
        let meant = Avma(at.0 ^ 1_u64 << bit);
        let Some(region) = process.memory.range_at(meant) else { continue };
        let near = facts.names.iter().find(|(register, _)| {
            let value = registers.get(*register).unwrap_or(0);
            *register != facts.pc
                && region.contains(Avma(value))
                && value.abs_diff(meant.0) < NEARBY
        });
        if let Some((_, name)) = near {
            if found.is_some() {
                return None;
            }
            found = Some(FlippedBit { bit, meant, register: (*name).to_owned() });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use obit_corefile::testkit::CoreBuilder;
    use obit_process::process::Options;

    const HEAP: u64 = 0x5555_5555_9000;
    const STACK: u64 = 0x7ffd_0000_1000;

    fn process(registers: &[(&str, u64)]) -> Process {
        let mut all = vec![("rip", 0x40_1000), ("rsp", STACK + 0x100)];
        all.extend(registers);
        let core = CoreBuilder::x86_64().signal(11).thread(1, &all);
        let core = core.segment(HEAP, &[0; 8], 0x2000).segment(STACK, &[0; 8], 0x1000).write();
        Process::open(core.path(), Options::default(), &()).unwrap()
    }

    fn whole(at: u64) -> Option<Truncated> {
        let heap = AvmaRange::from_len(Avma(HEAP), 0x2000);
        truncated(&process(&[]), Avma(at), &[heap])
    }

    #[test]
    fn the_lower_half_of_a_heap_address_is_reported_with_the_whole() {
        let in_heap = Some(Truncated { whole: Avma(HEAP + 0x10), in_heap: true });
        assert_eq!(whole(0x5555_9010), in_heap);
        assert_eq!(whole(0x0000_1200), None, "too small to be one");
        assert_eq!(whole(0x1234_5678), None);
    }

    #[test]
    fn a_sign_that_was_extended_is_no_part_of_the_address() {
        let stack = 0x7ffd_9000_1000;
        let core = CoreBuilder::x86_64().signal(11).thread(1, &[("rsp", stack + 8)]);
        let core = core.segment(stack, &[0; 8], 0x1000).write();
        let process = Process::open(core.path(), Options::default(), &()).unwrap();
        let found = truncated(&process, Avma(0xffff_ffff_9000_1020), &[]).unwrap();
        assert_eq!(found, Truncated { whole: Avma(stack + 0x20), in_heap: false });
        let below = truncated(&process, Avma(0xffff_ffff_9000_1000), &[]);
        assert_eq!(below, None, "below the stack pointer nothing is in use");
    }

    #[test]
    fn a_heap_so_large_that_any_number_falls_into_it_shows_nothing() {
        let heap = AvmaRange::from_len(Avma(HEAP), 1 << 30);
        assert_eq!(truncated(&process(&[]), Avma(0x5555_9010), &[heap]), None);
    }

    #[test]
    fn one_bit_is_reported_only_beside_a_register_that_points_nearby() {
        let bad = Avma((HEAP + 0x40) ^ 1 << 41);
        let found = flipped_bit(&process(&[("rbx", HEAP + 0x80)]), bad).unwrap();
        assert_eq!((found.bit, found.meant), (41, Avma(HEAP + 0x40)));
        assert_eq!(found.register, "rbx");
        assert_eq!(flipped_bit(&process(&[]), bad), None);
        let two = Avma(bad.0 ^ 1 << 30);
        assert_eq!(flipped_bit(&process(&[("rbx", HEAP + 0x80)]), two), None);
    }

    #[test]
    fn a_carry_into_the_upper_half_is_an_index_not_a_bit() {
        let bad = Avma((HEAP + 0x40) ^ 1 << 32);
        assert_eq!(flipped_bit(&process(&[("rbx", HEAP + 0x80)]), bad), None);
    }
}
