//! Stacks of cores built byte by byte.

use std::sync::Arc;

use super::row::{Caller, Cfa, Context, Convention, Row, Rule, Slice};
use super::{Left, Stack, Trust, Unwinder};
use crate::module;
use obit_corefile::addr::Avma;
use obit_corefile::arch::{Register, Registers};
use obit_corefile::limits::Limits;
use obit_corefile::notice::{RowProblem, UnwindStop};
use obit_corefile::testkit::CoreBuilder;
use obit_dwarf::locate::{Locator, SearchRules};

pub(super) const TEXT: u64 = 0x40_0000;
pub(super) const STACK: u64 = 0x7ffd_0000_0000;

/// 4 KiB of code: `nop` except for what is put at an offset.
pub(super) fn text(parts: &[(usize, &[u8])]) -> Vec<u8> {
    let mut code = vec![0x90; 0x1000];
    for (at, bytes) in parts {
        code[*at..*at + bytes.len()].copy_from_slice(bytes);
    }
    code
}

/// A page of stack holding these words from its start.
pub(super) fn stack(words: &[u64]) -> Vec<u8> {
    stack_of(&CoreBuilder::x86_64(), words)
}

/// The same of another machine.
pub(super) fn stack_of(core: &CoreBuilder, words: &[u64]) -> Vec<u8> {
    let (size, little_endian) = (core.encoding().word(), core.encoding().little_endian);
    let bytes = words.iter().flat_map(|word| match little_endian {
        true => word.to_le_bytes()[..size].to_vec(),
        false => word.to_be_bytes()[8 - size..].to_vec(),
    });
    let mut bytes: Vec<u8> = bytes.collect();
    bytes.resize(0x1000, 0);
    bytes
}

/// The stacks of all threads.
pub(super) fn unwind_all(core: &CoreBuilder) -> Vec<Stack> {
    unwind_within(core, Limits::default())
}

fn unwind_within(core: &CoreBuilder, limits: Limits) -> Vec<Stack> {
    let dump = core.open().unwrap();
    let locator = Arc::new(Locator::new(SearchRules::default(), limits.clone()));
    let loaded =
        module::load(&dump, &Arc::new(module::Library::new(locator, None, limits.clone())));
    let mut unwinder = Unwinder::new(dump.machine, &loaded.memory, &loaded.modules, &limits);
    let threads = dump.threads.iter();
    threads.map(|t| unwinder.unwind(&t.registers, t.code_pointer_mask)).collect()
}

pub(super) fn unwind(core: &CoreBuilder) -> Stack {
    unwind_all(core).remove(0)
}

pub(super) fn trusts(stack: &Stack) -> Vec<(u64, Trust)> {
    stack.frames.iter().map(|frame| (frame.pc.0, frame.trust)).collect()
}

pub(super) const CALL_RAX: &[u8] = &[0xff, 0xd0];

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
    // call from 0x200 to 0x100, whose `push %rbp` has run when it crashes at 0x101
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
pub(super) fn saved(size: usize, at: &[(usize, u64)]) -> Vec<u8> {
    let mut bytes = vec![0; size];
    for (offset, value) in at {
        bytes[*offset..*offset + 8].copy_from_slice(&value.to_le_bytes());
    }
    bytes
}

#[test]
fn the_kernels_trampoline_is_known_by_its_bytes_and_restores_all_registers() {
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
fn aarch64_drops_the_bits_the_core_says_are_an_authentication_code() {
    // A kernel with 39-bit addresses: bits 39 to 54 of data and of code pointers.
    let mask: u64 = 0x007f_ff80_0000_0000;
    let masks: Vec<u8> = [mask, mask].iter().flat_map(|mask| mask.to_le_bytes()).collect();
    let blr = 0xd63f_0000_u32.to_le_bytes();
    let stack = stack(&[0, 0, 0, (TEXT + 0x24) | 0x0012_3400_0000_0000]);
    let low = 0x10_0000_0000;
    let core = CoreBuilder::aarch64()
        .thread(1, &[("pc", TEXT + 0x100), ("sp", low), ("x29", low + 16)])
        .note(b"LINUX", 0x406, &masks)
        .segment_with(TEXT, &text(&[(0x20, &blr)]), 0x1000, "rx")
        .segment(low, &stack, 0x1000);
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
fn a_cyclic_chain_ends() {
    let core = CoreBuilder::x86_64()
        .thread(1, &[("rip", TEXT + 0x100), ("rsp", STACK), ("rbp", STACK)])
        .segment_with(TEXT, &text(&[(0x10, CALL_RAX)]), 0x1000, "rx")
        .segment(STACK, &stack(&[STACK, TEXT + 0x12]), 0x1000);
    assert!(unwind(&core).frames.len() < 10);
}

#[test]
fn a_stack_overflow_is_scanned_from_the_lowest_word_of_the_stack() {
    let core = CoreBuilder::x86_64()
        .thread(1, &[("rip", TEXT), ("rsp", STACK - 0x40)])
        .segment_with(TEXT, &[], 0x1000, "rx")
        .segment(STACK, &stack(&[0, 3, TEXT + 0x12]), 0x1000);
    assert_eq!(trusts(&unwind(&core))[1], (TEXT + 0x12, Trust::Scan));
}

#[test]
fn a_wild_stack_pointer_is_not_taken_for_an_overflow() {
    let core = CoreBuilder::x86_64()
        .thread(1, &[("rip", TEXT), ("rsp", STACK - (4 << 20))])
        .segment_with(TEXT, &[], 0x1000, "rx")
        .segment(STACK, &stack(&[0, 3, TEXT + 0x12]), 0x1000);
    assert_eq!(unwind(&core).frames.len(), 1);
}

/// Code of an aarch64 program: words at byte offsets.
fn aarch64_text(parts: &[(usize, u32)]) -> Vec<u8> {
    let parts: Vec<_> = parts.iter().map(|(at, word)| (*at, word.to_le_bytes())).collect();
    let parts: Vec<_> = parts.iter().map(|(at, bytes)| (*at, bytes.as_slice())).collect();
    text(&parts)
}

/// `bl` over `distance` bytes.
fn bl(distance: i32) -> u32 {
    0x9400_0000 | ((distance >> 2) as u32 & 0x03ff_ffff)
}

const RET: u32 = 0xd65f_03c0;

#[test]
fn aarch64_leaves_a_leaf_without_tables_by_its_link_register() {
    let core = CoreBuilder::aarch64()
        .thread(
            1,
            &[("pc", TEXT + 0x108), ("sp", STACK), ("x29", STACK + 16), ("x30", TEXT + 0x204)],
        )
        .segment_with(
            TEXT,
            &aarch64_text(&[(0x200, bl(-0x100)), (0x300, bl(-0x200))]),
            0x1000,
            "rx",
        )
        .segment(STACK, &stack(&[0, 0, 0, TEXT + 0x304]), 0x1000);
    let found = trusts(&unwind(&core));
    assert_eq!(found[1], (TEXT + 0x204, Trust::CallSite), "the caller, from x30");
    assert_eq!(found[2], (TEXT + 0x304, Trust::FramePointer), "whose record is the innermost");
}

#[test]
fn aarch64_does_not_believe_a_link_register_left_by_an_earlier_call() {
    // The pc is past the `ret` of the function that x30 returns from.
    let code = aarch64_text(&[(0x104, RET), (0x1fc, bl(-0xfc)), (0x300, bl(-0x180))]);
    let core = CoreBuilder::aarch64()
        .thread(
            1,
            &[("pc", TEXT + 0x208), ("sp", STACK), ("x29", STACK + 16), ("x30", TEXT + 0x200)],
        )
        .segment_with(TEXT, &code, 0x1000, "rx")
        .segment(STACK, &stack(&[0, 0, 0, TEXT + 0x304]), 0x1000);
    assert_eq!(trusts(&unwind(&core))[1], (TEXT + 0x304, Trust::FramePointer));
}

#[test]
fn aarch64_takes_the_record_of_a_function_that_has_built_it_and_called_nothing() {
    let code = aarch64_text(&[(0x200, bl(-0x100)), (0x300, bl(-0x180))]);
    let words = [STACK + 32, TEXT + 0x204, 0, 0, 0, TEXT + 0x304];
    let core = CoreBuilder::aarch64()
        .thread(1, &[("pc", TEXT + 0x108), ("sp", STACK), ("x29", STACK), ("x30", TEXT + 0x204)])
        .segment_with(TEXT, &code, 0x1000, "rx")
        .segment(STACK, &stack(&words), 0x1000);
    let pcs: Vec<_> = trusts(&unwind(&core)).iter().map(|frame| frame.0).collect();
    assert_eq!(pcs[..3], [TEXT + 0x108, TEXT + 0x204, TEXT + 0x304], "each once");
}

/// Words of 32 bits.
fn stack_32(words: &[u32]) -> Vec<u8> {
    let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    bytes.resize(0x1000, 0);
    bytes
}

#[test]
fn arm_recovers_the_frame_below_a_signal_from_the_kernels_trampoline() {
    const STACK: u64 = 0xbe00_0000;
    let codes: [&[u8]; 3] = [
        &[0xad, 0x70, 0xa0, 0xe3, 0xad, 0x00, 0x90, 0xef], // the kernel's page
        &[0xad, 0x70, 0xa0, 0xe3, 0x00, 0x00, 0x00, 0xef], // a C library's
        &[0x4f, 0xf0, 0xad, 0x07, 0x00, 0xdf],             // the same in Thumb-2
    ];
    let mut words = [0_u32; 64];
    // siginfo (128), mcontext at + 20: sp at + 64, lr at + 68, pc at + 72
    words[(128 + 20 + 64) / 4] = STACK as u32 + 0x800;
    words[(128 + 20 + 72) / 4] = TEXT as u32 + 0x301;
    for code in codes {
        let core = CoreBuilder::arm()
            .thread(1, &[("pc", TEXT + 0x80), ("sp", STACK)])
            .segment_with(TEXT, &text(&[(0x80, code)]), 0x1000, "rx")
            .segment(STACK, &stack_32(&words), 0x1000);
        let stack = unwind(&core);
        assert!(stack.frames[0].is_signal, "{code:x?}");
        assert_eq!(stack.frames[1].pc, Avma(TEXT + 0x300), "without Thumb's bit");
        assert_eq!(stack.frames[1].registers.get(Register(13)), Some(STACK + 0x800));
    }
}

#[test]
fn i386_recovers_the_frame_below_both_kinds_of_signal_frames() {
    const STACK: u64 = 0xbe00_0000;
    // popl %eax; movl $119, %eax; int $0x80 and its sigcontext past the signal's number;
    // movl $173, %eax; int $0x80 and its ucontext past three words and siginfo
    let kinds: [(&[u8], usize); 2] = [
        (&[0x58, 0xb8, 0x77, 0, 0, 0, 0xcd, 0x80], 4),
        (&[0xb8, 0xad, 0, 0, 0, 0xcd, 0x80], 12 + 128 + 20),
    ];
    for (code, context) in kinds {
        let mut words = [0_u32; 64];
        words[(context + 28) / 4] = STACK as u32 + 0x800;
        words[(context + 56) / 4] = TEXT as u32 + 0x300;
        let core = CoreBuilder::i386()
            .thread(1, &[("eip", TEXT + 0x80), ("esp", STACK)])
            .segment_with(TEXT, &text(&[(0x80, code)]), 0x1000, "rx")
            .segment(STACK, &stack_32(&words), 0x1000);
        let stack = unwind(&core);
        assert_eq!(stack.frames[1].pc, Avma(TEXT + 0x300), "{code:x?}");
        assert_eq!(stack.frames[1].registers.get(Register(4)), Some(STACK + 0x800));
    }
}

#[test]
fn riscv64_recovers_the_frame_below_a_signal_from_its_trampoline() {
    let sigreturn: &[u8] = &[0x93, 0x08, 0xb0, 0x08, 0x73, 0, 0, 0];
    // regs at 128 + 176: pc first, sp third
    let context = saved(0x1000, &[(304, TEXT + 0x300), (320, STACK + 0x900)]);
    let core = CoreBuilder::riscv64()
        .thread(1, &[("pc", TEXT + 0x80), ("sp", STACK)])
        .segment_with(TEXT, &text(&[(0x80, sigreturn)]), 0x1000, "rx")
        .segment(STACK, &context, 0x1000);
    let stack = unwind(&core);
    assert_eq!(stack.frames[1].pc, Avma(TEXT + 0x300));
    assert_eq!(stack.frames[1].registers.get(Register(2)), Some(STACK + 0x900));
}

/// 200 rounds of one function that calls itself, each with a frame record of two words, and
/// the function that called the first.
#[test]
fn a_recursion_beyond_the_limit_is_followed_to_its_outer_end() {
    const ROUNDS: u64 = 200;
    let (again, first) = (TEXT + 0x12, TEXT + 0x22);
    let mut words: Vec<u64> = (1..=ROUNDS).flat_map(|n| [STACK + 16 * n, again]).collect();
    words.extend([STACK + 16 * (ROUNDS + 2), first, 0, 0, 0, 0]);
    let core = CoreBuilder::x86_64()
        .thread(1, &[("rip", TEXT + 0x80), ("rsp", STACK), ("rbp", STACK)])
        .segment_with(TEXT, &text(&[(0x10, CALL_RAX), (0x20, CALL_RAX)]), 0x1000, "rx")
        .segment(STACK, &stack(&words), 0x1000);
    let limits = Limits { frames: 20, ..Limits::default() };
    let found = unwind_within(&core, limits).remove(0);
    assert_eq!(found.frames.last().map(|frame| frame.pc.0), Some(first));
    let skipped = found.skipped.expect("frames were skipped");
    assert_eq!(skipped.after, 20);
    // The function itself, its rounds, and its caller.
    assert_eq!(found.depth() as u64, 1 + ROUNDS + 1);
}

#[test]
fn many_endless_stacks_together_cost_no_more_than_a_few() {
    // A scan that finds the same call in each word, in a thousand threads.
    let words = [TEXT + 0x12; 512];
    let mut core =
        CoreBuilder::x86_64().segment_with(TEXT, &text(&[(0x10, CALL_RAX)]), 0x1000, "rx");
    for page in 0..64 {
        core = core.segment(STACK + page * 0x1000, &stack(&words), 0x1000);
    }
    for tid in 1..=1000 {
        core = core.thread(tid, &[("rip", TEXT + 0x100), ("rsp", STACK)]);
    }
    let stacks = unwind_all(&core);
    let total: usize = stacks.iter().map(|stack| stack.frames.len()).sum();
    assert!(total <= (2 << 20) + 1000 * 16 + 200_000, "{total} frames");
    let last = stacks.last().unwrap();
    assert_eq!(last.frames.len(), 16, "and the last one still has its innermost frames");
    assert_eq!(last.stopped, Some(UnwindStop::FrameLimit(16)));
}

/// A row whose CFA is this register, or this expression, and that says nothing else.
fn row(cfa: Cfa<'_>) -> Row<'_> {
    let format = gimli::Format::Dwarf32;
    Row {
        cfa,
        rules: Vec::new(),
        return_address: Register(30),
        is_signal: false,
        convention: Convention::Platform,
        encoding: gimli::Encoding { format, version: 4, address_size: 8 },
    }
}

/// What `row` says about the caller of an aarch64 frame, and the operations it took.
fn applied(row: &Row<'_>, callee: &Registers, leaf: bool) -> (Result<Caller, RowProblem>, usize) {
    let core = CoreBuilder::aarch64().thread(1, &[("pc", TEXT)]);
    applied_in(&core, row, callee, leaf)
}

fn applied_in(
    core: &CoreBuilder,
    row: &Row<'_>,
    callee: &Registers,
    leaf: bool,
) -> (Result<Caller, RowProblem>, usize) {
    let dump = core.open().unwrap();
    let limits = Limits::default();
    let locator = Arc::new(Locator::new(SearchRules::default(), limits.clone()));
    let loaded =
        module::load(&dump, &Arc::new(module::Library::new(locator, None, limits.clone())));
    let mut memory = loaded.memory.cursor();
    let mut operations = 1000;
    let facts = dump.machine.facts().unwrap();
    let steps = limits.expression_steps;
    let (memory, left) = (&mut memory, &mut operations);
    let mut context = Context { facts, memory, steps, operations: left, code_mask: 0 };
    let caller = row.apply(callee, leaf, &mut context);
    (caller, 1000 - operations)
}

#[test]
fn an_expression_that_loops_ends_and_costs_little() {
    // DW_OP_lit0, DW_OP_drop, DW_OP_skip -5
    let code = [0x30, 0x13, 0x2f, 0xfb, 0xff];
    let expression = gimli::Expression(Slice::new(&code, gimli::RunTimeEndian::Little));
    let row = row(Cfa::Expression(expression));
    let (caller, operations) = applied(&row, &Registers::default(), true);
    assert_eq!(caller.unwrap_err(), RowProblem::CfaExpression);
    assert!(operations < 100, "{operations}");
}

#[test]
fn a_leaf_returns_by_its_link_register_and_only_while_that_is_known() {
    let row = row(Cfa::RegisterOffset(Register(31), 16));
    let callee = Registers::default().with(Register(31), STACK).with(Register(30), TEXT + 4);
    let (caller, _) = applied(&row, &callee, true);
    let caller = caller.unwrap();
    assert_eq!((caller.pc, caller.cfa), (Some(Avma(TEXT + 4)), Avma(STACK + 16)));
    assert!(applied(&row, &callee, false).0.is_err(), "it was left by a call, which changed x30");
    let unknown = Registers::default().with(Register(31), STACK);
    assert!(applied(&row, &unknown, true).0.is_err(), "not the outermost frame");
}

/// A function of Go on x86_64 whose frame, return address included, has `size` bytes.
fn go_row(size: i64) -> Row<'static> {
    Row {
        rules: vec![(Register(16), Rule::Offset(-8))],
        return_address: Register(16),
        convention: Convention::Go,
        ..row(Cfa::RegisterOffset(Register(7), size))
    }
}

#[test]
fn a_function_of_go_keeps_no_register_but_the_frame_pointer_it_saved() {
    let (rbx, rbp, rsp) = (Register(3), Register(6), Register(7));
    let core = CoreBuilder::x86_64().thread(1, &[("rip", TEXT)]).segment(
        STACK,
        &stack(&[1, 2, 0xbeef, TEXT + 0x20]),
        0x1000,
    );
    let caller = |size, rbp_is: u64| {
        let callee = Registers::default()
            .with(rsp, STACK)
            .with(rbp, rbp_is)
            .with(rbx, 7)
            .with(Register(12), 8);
        let caller = applied_in(&core, &go_row(size), &callee, false).0.unwrap();
        for lost in [3, 12, 13, 14, 15] {
            assert_eq!(caller.registers.get(Register(lost)), None, "register {lost}");
        }
        (caller.pc, caller.registers.get(rbp))
    };
    let return_to = Some(Avma(TEXT + 0x20));
    assert_eq!(caller(32, STACK + 16), (return_to, Some(0xbeef)));
    // The pointer of another frame is not that of this one.
    assert_eq!(caller(32, STACK + 8), (return_to, None));
    // Without a frame nothing was saved.
    assert_eq!(caller(8, 0x1234).1, Some(0x1234));
}
