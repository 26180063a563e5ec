//! The frames that the kernel makes for signal handlers, where code is missing.

use super::Trust;
use super::tests::{CALL_RAX, STACK, TEXT, saved, stack, text, trusts, unwind, unwind_all};
use obit_corefile::addr::Avma;
use obit_corefile::arch::Register;
use obit_corefile::testkit::CoreBuilder;

#[test]
fn a_trampoline_whose_code_is_missing_is_known_by_what_the_kernel_left() {
    let (selectors, context) = (0x002b_0000_0000_0033, STACK + 16);
    let area = STACK + 0x240;
    let unwound = |selectors: u64, area: u64| {
        // A handler without a caller: the word on top is the trampoline's address.
        let registers = [(168, TEXT + 0x300), (160, STACK + 0x800), (152, 77)];
        let rest = [(0, 7), (184, selectors), (224, area)];
        let all: Vec<(usize, u64)> =
            registers.iter().chain(&rest).map(|(at, word)| (at + 16, *word)).collect();
        let mut bytes = saved(0x1000, &all);
        bytes[8..16].copy_from_slice(&(TEXT + 0x4100).to_le_bytes());
        bytes[0..8].copy_from_slice(&(STACK + 0x900).to_le_bytes());
        let core = CoreBuilder::x86_64()
            .thread(1, &[("rip", TEXT + 0x100), ("rsp", STACK), ("rbp", STACK)])
            .segment_with(TEXT, &text(&[]), 0x1000, "rx")
            .segment_with(TEXT + 0x4000, &[], 0x1000, "rx")
            .segment(STACK, &bytes, 0x1000);
        unwind(&core)
    };
    let stack = unwound(selectors, area);
    assert!(stack.frames[1].is_signal, "{:?}", trusts(&stack));
    assert_eq!(stack.frames[1].registers.get(Register(7)), Some(context));
    assert_eq!(stack.frames[2].pc, Avma(TEXT + 0x300));
    assert_eq!(stack.frames[2].registers.get(Register(2)), Some(77), "rcx as it was");
    // Not the kernel's.
    for (selectors, area) in [(0x33, 0), (0, area), (selectors, STACK), (selectors, area + 1)] {
        let stack = unwound(selectors, area);
        assert!(stack.frames.iter().all(|frame| !frame.is_signal), "{selectors:#x} {area:#x}");
    }
}

#[test]
fn a_handler_whose_code_is_missing_is_left_by_the_trampoline_below_it() {
    let sigreturn: &[u8] = &[0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05];
    let (missing, context) = (TEXT + 0x4000, 24);
    let unwound = |selectors: u64, trampoline: u64| {
        let registers = [(168, missing + 0x300), (160, STACK + 0x800), (152, 77)];
        let rest = [(0, 7), (184, selectors), (224, STACK + 0x240)];
        let all: Vec<(usize, u64)> = registers
            .iter()
            .chain(&rest)
            .map(|(at, word)| (at + context, *word))
            // What the handler kept: an address of code that is missing.
            .chain([(0, missing + 0x200), (16, trampoline)])
            .collect();
        let core = CoreBuilder::x86_64()
            .thread(1, &[("rip", missing + 0x100), ("rsp", STACK), ("rbp", 1)])
            .segment_with(TEXT, &text(&[(0x80, sigreturn)]), 0x1000, "rx")
            .segment_with(missing, &[], 0x1000, "rx")
            .segment(STACK, &saved(0x1000, &all), 0x1000);
        unwind(&core)
    };
    let selectors = 0x002b_0000_0000_0033;
    let stack = unwound(selectors, TEXT + 0x80);
    assert!(stack.frames[1].is_signal, "{:?}", trusts(&stack));
    assert_eq!(stack.frames[1].trust, Trust::Scan, "calls in between may be missing");
    assert_eq!(stack.frames[2].pc, Avma(missing + 0x300));
    assert_eq!(stack.frames[2].registers.get(Register(2)), Some(77), "rcx as it was");
    // The trampoline's own code may be missing, too; other code is none.
    assert!(unwound(selectors, missing + 0x80).frames[1].is_signal);
    for (selectors, trampoline) in [(selectors, TEXT + 0x90), (0, TEXT + 0x80)] {
        let stack = unwound(selectors, trampoline);
        assert!(stack.frames.iter().all(|frame| !frame.is_signal), "{selectors:#x}");
        assert_eq!(stack.frames[1].pc, Avma(missing + 0x200), "the first that may be one");
    }
}

#[test]
fn a_stack_in_missing_code_is_searched_once_for_frames_of_handlers() {
    // With a search for each frame, the budget of words ends after 4096 of them.
    let (missing, count) = (TEXT + 0x4000, 6000_usize);
    let bytes = vec![(missing + 0x200).to_le_bytes(); count].concat();
    let core = CoreBuilder::x86_64()
        .thread(1, &[("rip", missing + 0x100), ("rsp", STACK), ("rbp", 1)])
        .segment_with(missing, &[], 0x1000, "rx")
        .segment(STACK, &bytes, 0x10000);
    assert_eq!(unwind(&core).frames.len(), 1 + count);
}

#[test]
fn a_thread_stopped_just_before_the_trampoline_is_not_in_a_signal_frame() {
    // Both frames look up the byte before the trampoline; only one returns to it.
    let sigreturn: &[u8] = &[0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05];
    let code = text(&[(0x10, CALL_RAX), (0x80, sigreturn)]);
    let core = CoreBuilder::x86_64()
        .thread(1, &[("rip", TEXT + 0x7f), ("rsp", STACK), ("rbp", STACK)])
        .thread(2, &[("rip", TEXT + 0x80), ("rsp", STACK), ("rbp", STACK)])
        .segment_with(TEXT, &code, 0x1000, "rx")
        .segment(STACK, &stack(&[STACK + 16, TEXT + 0x12]), 0x1000);
    let stacks = unwind_all(&core);
    assert!(!stacks[0].frames[0].is_signal);
    assert!(stacks[1].frames[0].is_signal);
}
