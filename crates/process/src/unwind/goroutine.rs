//! The stack that Go's runtime left for the one of its thread (`runtime/asm_amd64.s`:
//! `systemstack`, `mcall`, `morestack`): where the goroutine goes on is in its `g.sched`.

use super::Left;
use obit_corefile::addr::Avma;

/// The functions that switch to the thread's own stack, and how they leave the goroutine:
/// `systemstack` saves the start of a function of no length, the others a return address.
const SWITCHING: [(&str, Left); 3] = [
    ("runtime.systemstack", Left::Interrupted),
    ("runtime.mcall", Left::Called),
    ("runtime.morestack", Left::Called),
];
/// Where the thread keeps its `g`, from the thread pointer (ELF on x86-64).
const G_FROM_THREAD_POINTER: u64 = 8;
/// Fields of `g` (`runtime/runtime2.go`), the same in Go 1.5 to 1.24.
mod g {
    pub(super) const STACK_LOW: u64 = 0;
    pub(super) const STACK_HIGH: u64 = 8;
    pub(super) const M: u64 = 48;
    pub(super) const SCHED_SP: u64 = 56;
    pub(super) const SCHED_PC: u64 = 64;
    pub(super) const SCHED_G: u64 = 72;
}
/// Bytes of `m` in which `curg` lies, in one place or another; `g0` and `gsignal` before it are
/// distinguished by their stacks.
const CURG: std::ops::Range<u64> = 64..320;

/// How a function leaves a goroutine that it switches from; `None` for all others.
pub(super) fn switch(function: &str) -> Option<Left> {
    // The linker marks functions of the stack-based convention.
    let function = function.strip_suffix(".abi0").unwrap_or(function);
    let (_, left) = SWITCHING.iter().find(|(name, _)| *name == function)?;
    Some(*left)
}

/// Whether a function switches from a goroutine that the thread may let go: `mcall` does not return.
pub(super) fn is_for_good(function: &str) -> bool {
    function.strip_suffix(".abi0").unwrap_or(function) == "runtime.mcall"
}

/// Whether the thread with this thread pointer runs on its own stack, that of its `g0`: the current
/// `g` has an `m` and the stack of `sp`.
pub(super) fn is_on_own_stack(
    word: &mut dyn FnMut(u64) -> Option<u64>,
    thread_pointer: u64,
    sp: u64,
) -> bool {
    let current = thread_pointer.checked_sub(G_FROM_THREAD_POINTER).and_then(&mut *word);
    let Some(current) = current else { return false };
    let mut field = |offset: u64| word(current.checked_add(offset)?);
    let (m, low, high) = (field(g::M), field(g::STACK_LOW), field(g::STACK_HIGH));
    let is_within = low.zip(high).is_some_and(|(low, high)| (low..high).contains(&sp));
    // The first field of `m` is its `g0`.
    is_within && m.is_some_and(|m| word(m) == Some(current))
}

/// Where a goroutine goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Saved {
    pub(super) sp: u64,
    pub(super) pc: Avma,
}

/// Where the goroutine goes on that runs on the thread with this thread pointer, whose stack
/// is not that of `sp`. All fields have to agree, so another layout gives nothing.
pub(super) fn saved(
    word: &mut dyn FnMut(u64) -> Option<u64>,
    thread_pointer: u64,
    sp: u64,
) -> Option<Saved> {
    let current = word(thread_pointer.checked_sub(G_FROM_THREAD_POINTER)?)?;
    let m = word(current.checked_add(g::M)?).filter(|m| *m != 0)?;
    let mut found = None;
    for offset in CURG.step_by(8) {
        let Some(goroutine) = word(m.checked_add(offset)?).filter(|at| *at % 8 == 0) else {
            continue;
        };
        let mut field = |offset: u64| word(goroutine.checked_add(offset)?);
        if field(g::M) != Some(m) || field(g::SCHED_G) != Some(goroutine) {
            continue;
        }
        let (Some(low), Some(high)) = (field(g::STACK_LOW), field(g::STACK_HIGH)) else { continue };
        let (Some(saved), Some(pc)) = (field(g::SCHED_SP), field(g::SCHED_PC)) else { continue };
        let stack = low..high;
        if stack.contains(&saved) && !stack.contains(&sp) && pc != 0 {
            let saved = Saved { sp: saved, pc: Avma(pc) };
            // Of two it could be either.
            if found.replace(saved).is_some_and(|other| other != saved) {
                return None;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    const THREAD: u64 = 0x7000;
    const M: u64 = 0x1_0000;
    const G0: u64 = 0x2_0000;
    const GOROUTINE: u64 = 0x3_0000;
    /// On the thread's own stack, which is that of `g0`.
    const SP: u64 = 0x8_0100;

    /// A thread on its own stack with a goroutine, whose `m` is `m`.
    fn with_goroutine(m: u64) -> HashMap<u64, u64> {
        let mut memory = HashMap::from([(THREAD - 8, G0), (M, G0), (M + 192, GOROUTINE)]);
        let mut add = |at: u64, low: u64, m: u64, sp: u64, pc: u64| {
            let fields = [(0, low), (8, low + 0x1000), (48, m), (56, sp), (64, pc), (72, at)];
            memory.extend(fields.map(|(offset, value)| (at + offset, value)));
        };
        add(G0, 0x8_0000, M, 0x8_0800, 0x40_1000);
        add(GOROUTINE, 0x9_0000, m, 0x9_0800, 0x40_2000);
        memory
    }

    fn found(memory: &HashMap<u64, u64>, sp: u64) -> Option<Saved> {
        saved(&mut |at| memory.get(&at).copied(), THREAD, sp)
    }

    #[test]
    fn a_goroutine_goes_on_where_it_switched_to_the_stack_of_its_thread() {
        let expected = Saved { sp: 0x9_0800, pc: Avma(0x40_2000) };
        assert_eq!(found(&with_goroutine(M), SP), Some(expected));
    }

    #[test]
    fn one_of_another_thread_or_that_is_on_its_own_stack_is_none() {
        assert_eq!(found(&with_goroutine(0x5_0000), SP), None);
        assert_eq!(found(&with_goroutine(M), 0x9_0700), None);
        assert_eq!(found(&HashMap::new(), SP), None);
    }

    #[test]
    fn a_thread_that_let_its_goroutine_go_is_on_its_own_stack() {
        let memory = with_goroutine(0x5_0000);
        let is_own = |sp| is_on_own_stack(&mut |at| memory.get(&at).copied(), THREAD, sp);
        assert!(is_own(SP) && !is_own(0x9_0700));
        assert!(!is_on_own_stack(&mut |_| None, THREAD, SP));
        assert!(is_for_good("runtime.mcall.abi0") && !is_for_good("runtime.systemstack"));
    }

    #[test]
    fn only_functions_that_switch_stacks_leave_a_goroutine() {
        assert_eq!(switch("runtime.systemstack"), Some(Left::Interrupted));
        assert_eq!(switch("runtime.morestack.abi0"), Some(Left::Called));
        assert_eq!(switch("runtime.systemstack_switch"), None);
    }
}
