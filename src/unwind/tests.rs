//! Stacks of cores built byte by byte.

use std::sync::Arc;

use super::{Left, Stack, Trust, Unwinder};
use crate::addr::Avma;
use crate::arch::Register;
use crate::debuginfo::locate::{Locator, SearchRules};
use crate::limits::Limits;
use crate::module;
use crate::testkit::CoreBuilder;

const TEXT: u64 = 0x40_0000;
const STACK: u64 = 0x7ffd_0000_0000;

/// 4 KiB of code that is `nop` but for what is put at an offset.
fn text(parts: &[(usize, &[u8])]) -> Vec<u8> {
    let mut code = vec![0x90; 0x1000];
    for (at, bytes) in parts {
        code[*at..*at + bytes.len()].copy_from_slice(bytes);
    }
    code
}

/// A page of stack holding these words from its start.
fn stack(words: &[u64]) -> Vec<u8> {
    let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    bytes.resize(0x1000, 0);
    bytes
}

fn unwind(core: &CoreBuilder) -> Stack {
    let dump = core.open().unwrap();
    let limits = Limits::default();
    let locator = Arc::new(Locator::new(SearchRules::default(), limits.clone()));
    let loaded = module::load(&dump, locator, None, &limits);
    let mut unwinder = Unwinder::new(dump.machine, &loaded.memory, &loaded.modules, &limits);
    unwinder.unwind(&dump.threads[0].registers)
}

fn trusts(stack: &Stack) -> Vec<(u64, Trust)> {
    stack.frames.iter().map(|frame| (frame.pc.0, frame.trust)).collect()
}

const CALL_RAX: &[u8] = &[0xff, 0xd0];

#[test]
fn a_jump_to_null_returns_to_the_indirect_call_on_top_of_the_stack() {
    let core = CoreBuilder::x86_64()
        .thread(1, &[("rip", 0), ("rsp", STACK), ("rbx", 7)])
        .segment_with(TEXT, &text(&[(0x10, CALL_RAX)]), 0x1000, "rx")
        .segment(STACK, &stack(&[TEXT + 0x12]), 0x1000);
    let stack = unwind(&core);
    assert_eq!(trusts(&stack), [(0, Trust::Context), (TEXT + 0x12, Trust::CallSite)]);
    let caller = &stack.frames[1];
    assert_eq!(caller.registers.get(Register(7)), Some(STACK + 8), "the return address is popped");
    assert_eq!(caller.registers.get(Register(3)), Some(7), "rbx is callee-saved");
    assert_eq!(caller.registers.get(Register(0)), None, "rax is not");
}

#[test]
fn without_the_code_to_look_at_a_return_address_is_only_scanned() {
    let core = CoreBuilder::x86_64()
        .thread(1, &[("rip", 0), ("rsp", STACK)])
        .segment_with(TEXT, &[], 0x1000, "rx")
        .segment(STACK, &stack(&[TEXT + 0x12]), 0x1000);
    assert_eq!(trusts(&unwind(&core)), [(0, Trust::Context), (TEXT + 0x12, Trust::Scan)]);
}

#[test]
fn code_without_tables_is_left_by_the_chain_of_frame_pointers() {
    let code = text(&[(0x10, CALL_RAX), (0x20, CALL_RAX)]);
    let core = CoreBuilder::x86_64()
        .thread(1, &[("rip", TEXT + 0x100), ("rsp", STACK), ("rbp", STACK + 16)])
        .segment_with(TEXT, &code, 0x1000, "rx")
        .segment(STACK, &stack(&[1, 2, STACK + 32, TEXT + 0x12, 0, TEXT + 0x22]), 0x1000);
    let found = trusts(&unwind(&core));
    assert_eq!(
        found[1..],
        [(TEXT + 0x12, Trust::FramePointer), (TEXT + 0x22, Trust::FramePointer)]
    );
}

#[test]
fn a_function_that_has_just_been_called_has_its_return_address_on_top() {
    // call from 0x200 to 0x100, whose `push %rbp` has run when it dies at 0x101
    let call = [0xe8, 0xfb, 0xfe, 0xff, 0xff];
    let core = CoreBuilder::x86_64()
        .thread(1, &[("rip", TEXT + 0x101), ("rsp", STACK), ("rbp", 0x1234)])
        .segment_with(TEXT, &text(&[(0x200, &call)]), 0x1000, "rx")
        .segment(STACK, &stack(&[0xabcd, TEXT + 0x205]), 0x1000);
    let stack = unwind(&core);
    assert_eq!(trusts(&stack)[1], (TEXT + 0x205, Trust::CallSite));
    assert_eq!(stack.frames[1].registers.get(Register(6)), Some(0xabcd), "the pushed rbp");
}

#[test]
fn a_call_into_data_returns_to_where_it_was_made() {
    // The page behind TEXT holds no code; a call goes to 0x10 into it, then to its start.
    let call = [0xe8, 0xfb, 0x0f, 0, 0];
    let core = CoreBuilder::x86_64()
        .thread(1, &[("rip", TEXT + 0x1000), ("rsp", TEXT + 0x1000)])
        .segment_with(TEXT, &text(&[(0x10, &call)]), 0x1000, "rx")
        .segment(TEXT + 0x1000, &stack(&[TEXT + 0x15]), 0x1000);
    assert_eq!(trusts(&unwind(&core)).len(), 1, "the call went elsewhere");
    let call = [0xe8, 0xeb, 0x0f, 0, 0];
    let core = CoreBuilder::x86_64()
        .thread(1, &[("rip", TEXT + 0x1000), ("rsp", TEXT + 0x1000)])
        .segment_with(TEXT, &text(&[(0x10, &call)]), 0x1000, "rx")
        .segment(TEXT + 0x1000, &stack(&[TEXT + 0x15]), 0x1000);
    assert_eq!(trusts(&unwind(&core))[1], (TEXT + 0x15, Trust::CallSite));
}

#[test]
fn code_that_has_no_frame_of_its_own_is_left_by_the_top_of_the_stack() {
    let push_and_set: &[u8] = &[0x55, 0x48, 0x89, 0xe5];
    let code = text(&[(0x10, CALL_RAX), (0x20, CALL_RAX), (0x100, push_and_set), (0x180, &[0xc3])]);
    let step = |rip, sp| {
        let words = [STACK + 32, TEXT + 0x12, 0, 0, 0x99, TEXT + 0x22];
        let registers = [("rip", TEXT + rip), ("rsp", STACK + sp), ("rbp", STACK + 32)];
        let core = CoreBuilder::x86_64()
            .thread(1, &registers)
            .segment_with(TEXT, &code, 0x1000, "rx")
            .segment(STACK, &stack(&words), 0x1000);
        let stack = unwind(&core);
        let caller = &stack.frames[1];
        (caller.pc.0 - TEXT, caller.trust, caller.registers.get(Register(6)))
    };
    assert_eq!(step(0x101, 0), (0x12, Trust::CallSite, Some(STACK + 32)), "after the push");
    assert_eq!(step(0x100, 8), (0x12, Trust::CallSite, Some(STACK + 32)), "before it");
    assert_eq!(step(0x180, 8), (0x12, Trust::CallSite, Some(STACK + 32)), "at the return");
    assert_eq!(step(0x170, 16), (0x22, Trust::FramePointer, Some(0x99)), "no address on top");
}

#[test]
fn what_follows_a_scanned_frame_is_never_trusted_more() {
    let code = text(&[(0x10, CALL_RAX), (0x20, CALL_RAX)]);
    let words = [5, 6, TEXT + 0x12, 9, STACK + 56, TEXT + 0x22, 0, 0, 0];
    let core = CoreBuilder::x86_64()
        .thread(1, &[("rip", TEXT + 0x100), ("rsp", STACK), ("rbp", 3)])
        .segment_with(TEXT, &code, 0x1000, "rx")
        .segment(STACK, &stack(&words), 0x1000);
    let found = trusts(&unwind(&core));
    assert_eq!(found[1..3], [(TEXT + 0x12, Trust::Scan), (TEXT + 0x22, Trust::Scan)]);
}

/// `ucontext` on the stack: words at byte offsets.
fn saved(size: usize, at: &[(usize, u64)]) -> Vec<u8> {
    let mut bytes = vec![0; size];
    for (offset, value) in at {
        bytes[*offset..*offset + 8].copy_from_slice(&value.to_le_bytes());
    }
    bytes
}

#[test]
fn the_kernels_trampoline_is_known_by_its_bytes_and_gives_all_registers_back() {
    let sigreturn: &[u8] = &[0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05];
    // rip at 40 + 128, rsp at 40 + 120, rcx (caller-saved) at 40 + 112
    let context = saved(0x1000, &[(168, TEXT + 0x300), (160, STACK + 0x800), (152, 77)]);
    let core = CoreBuilder::x86_64()
        .thread(1, &[("rip", TEXT + 0x80), ("rsp", STACK)])
        .segment_with(TEXT, &text(&[(0x80, sigreturn)]), 0x1000, "rx")
        .segment(STACK, &context, 0x1000);
    let stack = unwind(&core);
    assert!(stack.frames[0].is_signal);
    let interrupted = &stack.frames[1];
    assert_eq!(interrupted.pc, Avma(TEXT + 0x300));
    assert_eq!(interrupted.left, Left::Interrupted, "its pc is looked up as it is");
    assert_eq!(interrupted.registers.get(Register(2)), Some(77), "rcx as it was");
}

#[test]
fn aarch64_recovers_the_frame_below_a_signal_from_its_trampoline() {
    let sigreturn: &[u8] = &[0x68, 0x11, 0x80, 0xd2, 0x01, 0, 0, 0xd4];
    // regs at 128 + 176 + 8: x19 at + 152, sp at + 248, pc at + 256
    let context =
        saved(0x1000, &[(312 + 152, 19), (312 + 248, STACK + 0x900), (312 + 256, TEXT + 0x300)]);
    let core = CoreBuilder::aarch64()
        .thread(1, &[("pc", TEXT + 0x80), ("sp", STACK)])
        .segment_with(TEXT, &text(&[(0x80, sigreturn)]), 0x1000, "rx")
        .segment(STACK, &context, 0x1000);
    let stack = unwind(&core);
    assert!(stack.frames[0].is_signal);
    assert_eq!(stack.frames[1].pc, Avma(TEXT + 0x300));
    assert_eq!(stack.frames[1].registers.get(Register(19)), Some(19));
}

#[test]
fn aarch64_follows_frame_records_and_drops_the_authentication_code() {
    let blr = 0xd63f_0000_u32.to_le_bytes();
    let signed = (TEXT + 0x24) | 0x005a_0000_0000_0000;
    let core = CoreBuilder::aarch64()
        .thread(1, &[("pc", TEXT + 0x100), ("sp", STACK), ("x29", STACK + 16)])
        .segment_with(TEXT, &text(&[(0x20, &blr)]), 0x1000, "rx")
        .segment(STACK, &stack(&[0, 0, 0, signed]), 0x1000);
    assert_eq!(trusts(&unwind(&core))[1], (TEXT + 0x24, Trust::FramePointer));
}

#[test]
fn riscv64_finds_the_frame_record_below_its_frame_pointer() {
    let jalr = 0x0007_80e7_u32.to_le_bytes();
    let core = CoreBuilder::riscv64()
        .thread(1, &[("pc", TEXT + 0x100), ("sp", STACK), ("s0", STACK + 32)])
        .segment_with(TEXT, &text(&[(0x20, &jalr)]), 0x1000, "rx")
        .segment(STACK, &stack(&[0, 0, STACK + 64, TEXT + 0x24]), 0x1000);
    assert_eq!(trusts(&unwind(&core))[1], (TEXT + 0x24, Trust::FramePointer));
}

#[test]
fn a_stack_that_is_not_in_the_core_ends_after_its_first_frame() {
    let core = CoreBuilder::x86_64()
        .thread(1, &[("rip", TEXT), ("rsp", STACK), ("rbp", STACK + 8)])
        .segment_with(TEXT, &text(&[]), 0x1000, "rx");
    let stack = unwind(&core);
    assert_eq!(stack.frames.len(), 1);
    assert!(stack.stopped.is_some());
}

#[test]
fn a_chain_that_bites_its_tail_ends() {
    let core = CoreBuilder::x86_64()
        .thread(1, &[("rip", TEXT + 0x100), ("rsp", STACK), ("rbp", STACK)])
        .segment_with(TEXT, &text(&[(0x10, CALL_RAX)]), 0x1000, "rx")
        .segment(STACK, &stack(&[STACK, TEXT + 0x12]), 0x1000);
    assert!(unwind(&core).frames.len() < 10);
}
