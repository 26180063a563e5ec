//! Where the frame pointer points, as the code of a function alone says.

use super::chain::general;
use super::function::SP;
use obit_corefile::arch::Register;
use obit_disassembly::{MemoryOperand, Next, Part, Step, Target, Term};

/// The frame pointer.
pub(super) const BP: Register = Register(6);

/// The stack pointer and the frame pointer from the stack pointer at the entry on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Offsets {
    sp: Option<i64>,
    bp: Option<i64>,
}

impl Offsets {
    fn joined(self, other: Self) -> Self {
        Self {
            sp: self.sp.filter(|_| self.sp == other.sp),
            bp: self.bp.filter(|_| self.bp == other.bp),
        }
    }

    fn behind(self, step: &Step) -> Self {
        let mut behind = self;
        for write in &step.writes {
            let Target::Register(part) = write.to else { continue };
            let is_whole = part.shift == 0 && part.size == 8;
            let value = if is_whole { self.value(write.from) } else { None };
            match general(part.register) {
                Some(7) => behind.sp = value,
                Some(6) => behind.bp = value,
                _ => {}
            }
        }
        behind
    }

    fn value(self, term: Term) -> Option<i64> {
        let of = |part: Part| match part {
            Part { register: SP, shift: 0, size: 8 } => self.sp,
            Part { register: BP, shift: 0, size: 8 } => self.bp,
            _ => None,
        };
        match term {
            Term::Register(part) => of(part),
            Term::Address(MemoryOperand {
                base: Some(base),
                index: None,
                segment: None,
                address_size: 8,
                displacement,
                ..
            }) => of(base)?.checked_add(displacement),
            _ => None,
        }
    }
}

/// Where both are before a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Frame {
    /// How far the frame pointer lies above the stack pointer.
    pub(super) distance: Option<i64>,
    /// How far the stack pointer lies above where it was at the entry.
    pub(super) moved: Option<i64>,
}

/// Before each step, where all ways from the entry agree. Calls leave both as they were. `to` has the step that one jumps to, and
/// `is_open` says of which steps it is not known from where they are reached.
pub(super) fn distances(
    steps: &[Step],
    to: impl Fn(u64) -> Option<usize>,
    is_open: impl Fn(usize) -> bool,
) -> Vec<Frame> {
    let unknown = Offsets { sp: None, bp: None };
    let mut known: Vec<Option<Offsets>> = vec![None; steps.len()];
    let mut open: Vec<(usize, Offsets)> = vec![(0, Offsets { sp: Some(0), bp: None })];
    open.extend((0..steps.len()).filter(|index| is_open(*index)).map(|index| (index, unknown)));
    while let Some((index, offsets)) = open.pop() {
        let (Some(step), Some(slot)) = (steps.get(index), known.get_mut(index)) else { continue };
        // Each becomes less known twice at most.
        let joined = slot.map_or(offsets, |slot| slot.joined(offsets));
        if *slot == Some(joined) {
            continue;
        }
        *slot = Some(joined);
        let behind = joined.behind(step);
        let target = match step.next {
            Next::Jumps(target) => target,
            Next::Branches(target) => Some(target),
            Next::Falls | Next::Calls(_) | Next::Ends => None,
        };
        if let Some(target) = target.and_then(|target| to(target.0)) {
            open.push((target, behind));
        }
        if !matches!(step.next, Next::Jumps(_) | Next::Ends) {
            open.push((index.saturating_add(1), behind));
        }
    }
    let distance = |offsets: Offsets| offsets.bp?.checked_sub(offsets.sp?);
    let frame = |offsets: Offsets| Frame { distance: distance(offsets), moved: offsets.sp };
    known.into_iter().map(|offsets| offsets.map(frame).unwrap_or_default()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use obit_corefile::addr::Avma;
    use obit_corefile::arch::Decoder;

    fn of(code: &[u8]) -> Vec<Option<i64>> {
        let steps = obit_disassembly::steps(Decoder::X86 { bits: 64 }, Avma(0), code);
        let to = |at: u64| steps.iter().position(|step| step.address.0 == at);
        distances(&steps, to, |_| false).iter().map(|frame| frame.distance).collect()
    }

    #[test]
    fn the_frame_pointer_is_known_between_prologue_and_epilogue() {
        // push %rbp; mov %rsp,%rbp; sub $16,%rsp; leave; ret
        let found = of(&[0x55, 0x48, 0x89, 0xe5, 0x48, 0x83, 0xec, 16, 0xc9, 0xc3]);
        assert_eq!(found, [None, None, Some(0), Some(16), None]);
    }

    #[test]
    fn ways_that_disagree_leave_it_unknown() {
        // mov %rsp,%rbp; je 1f; push %rax; 1: ret
        assert_eq!(of(&[0x48, 0x89, 0xe5, 0x74, 1, 0x50, 0xc3]), [None, Some(0), Some(0), None]);
    }
}
