//! Stacks without call frame information, of each machine that has a way of its own.

use std::sync::Arc;

use super::tests::{stack_of, trusts, unwind};
use super::{Left, Trust};
use obit_corefile::arch::{Machine, Register};
use obit_corefile::memory::AddressSpace;
use obit_corefile::testkit::CoreBuilder;

const TEXT: u64 = 0x40_0000;
const STACK: u64 = 0x7000_0000;

/// A page of code: instructions of four bytes at their offsets, in the byte order of `core`.
fn code(core: &CoreBuilder, parts: &[(usize, u32)]) -> Vec<u8> {
    let mut code = vec![0; 0x1000];
    for (at, word) in parts {
        let bytes = match core.encoding().little_endian {
            true => word.to_le_bytes(),
            false => word.to_be_bytes(),
        };
        code[*at..*at + 4].copy_from_slice(&bytes);
    }
    code
}

/// The memory of a core's process, whose images are not looked for.
pub(super) fn memory_of(core: &CoreBuilder) -> AddressSpace {
    let limits = obit_corefile::limits::Limits::default();
    let rules = obit_dwarf::locate::SearchRules::default();
    let locator = Arc::new(obit_dwarf::locate::Locator::new(rules, limits.clone()));
    let library = Arc::new(crate::module::Library::new(locator, None, limits));
    crate::module::load(&core.open().unwrap(), &library).memory
}

/// A big-endian machine's core.
fn big(machine: Machine) -> CoreBuilder {
    CoreBuilder::of(machine).big_endian()
}

#[test]
fn x32_has_slots_of_eight_bytes_and_addresses_of_four() {
    let core = CoreBuilder::of(Machine::X32)
        .thread(1, &[("rip", TEXT + 0x100), ("rsp", STACK), ("rbp", STACK + 16)])
        .segment_with(TEXT, &code(&CoreBuilder::x86_64(), &[(0x10, 0xd0ff)]), 0x1000, "rx")
        .segment(STACK, &stack_of(&CoreBuilder::x86_64(), &[1, 2, 0, TEXT + 0x12]), 0x1000);
    assert_eq!(trusts(&unwind(&core))[1], (TEXT + 0x12, Trust::FramePointer));
}

#[test]
fn powerpc_keeps_return_addresses_in_the_callers_frame() {
    for (core, at) in [
        (CoreBuilder::of(Machine::Ppc64), 16),
        (CoreBuilder::of(Machine::Ppc64le), 16),
        (big(Machine::Ppc), 4),
    ] {
        let word = core.encoding().word() as u64;
        let bl = code(&core, &[(0x20, 0x4800_0001), (0x30, 0x4800_0001)]);
        // Frames of eight words each.
        let (second, third) = (STACK + 8 * word, STACK + 16 * word);
        let mut words = vec![0; 20];
        words[0] = second;
        words[8] = third;
        words[(8 + at / word) as usize] = TEXT + 0x24;
        words[(16 + at / word) as usize] = TEXT + 0x34;
        let stack = stack_of(&core, &words);
        let core = core
            .thread(1, &[("pc", TEXT + 0x100), ("r1", STACK)])
            .segment_with(TEXT, &bl, 0x1000, "rx")
            .segment(STACK, &stack, 0x1000);
        let frames = [TEXT + 0x24, TEXT + 0x34].map(|pc| (pc, Trust::FramePointer));
        assert_eq!(trusts(&unwind(&core))[1..3], frames, "{:?}", core.machine());
    }
}

#[test]
fn a_powerpc_leaf_with_a_frame_returns_by_its_link_register() {
    let core = CoreBuilder::of(Machine::Ppc64le);
    // bl from 0x20 to 0x80, which lowers its stack pointer and saves nothing.
    let text = code(&core, &[(0x20, 0x4800_0061), (0x80, 0xf821_ffe1), (0x84, 0x6000_0000)]);
    let stack = stack_of(&core, &[STACK + 32, 0, 0, 0, STACK + 64]);
    let registers = [("pc", TEXT + 0x88), ("r1", STACK), ("lr", TEXT + 0x24)];
    let core = core
        .thread(1, &registers)
        .segment_with(TEXT, &text, 0x1000, "rx")
        .segment(STACK, &stack, 0x1000);
    let stack = unwind(&core);
    assert_eq!(trusts(&stack)[1], (TEXT + 0x24, Trust::CallSite));
    assert_eq!(stack.frames[1].registers.get(Register(1)), Some(STACK + 32));
}

#[test]
fn sparc_frames_are_windows_and_calls_return_behind_their_delay_slot() {
    let core = big(Machine::Sparc64);
    let call = code(&core, &[(0x20, 0x4000_0001), (0x30, 0x4000_0001)]);
    // The caller's window: its locals, then its ins.
    let mut window = vec![0; 32];
    (window[16], window[30], window[31]) = (7, STACK + 0x200 - 2047, TEXT + 0x30);
    let stack = stack_of(&core, &window);
    let registers = [
        ("pc", TEXT + 0x100),
        ("sp", STACK - 2047),
        ("fp", STACK + 0x80 - 2047),
        ("i7", TEXT + 0x20),
    ];
    let core = core
        .thread(1, &registers)
        .segment_with(TEXT, &call, 0x1000, "rx")
        .segment(STACK, &stack, 0x1000);
    let stack = unwind(&core);
    let frames = [TEXT + 0x28, TEXT + 0x38].map(|pc| (pc, Trust::FramePointer));
    assert_eq!(trusts(&stack)[1..3], frames);
    assert_eq!(stack.frames[1].registers.get(Register(16)), Some(7), "the caller's l0");
}

#[test]
fn s390_addresses_have_a_mode_bit_and_its_trampoline_two_bytes() {
    let core = big(Machine::S390);
    let mut text = vec![0; 0x1000];
    text[0x10..0x16].copy_from_slice(&[0xc0, 0xe5, 0, 0, 0, 1]);
    text[0x80..0x82].copy_from_slice(&[0x0a, 0x77]);
    let mode = 0x8000_0000;
    // At the trampoline: the save area, sigcontext, then psw and registers.
    let mut words = vec![0; 64];
    words[28 + 1] = (TEXT + 0x40) | mode;
    words[28 + 2 + 15] = STACK + 0x80;
    words[32 + 14] = (TEXT + 0x16) | mode;
    let stack = stack_of(&core, &words);
    let core = core
        .thread(1, &[("pswa", (TEXT + 0x80) | mode), ("r15", STACK)])
        .segment_with(TEXT, &text, 0x1000, "rx")
        .segment(STACK, &stack, 0x1000);
    let stack = unwind(&core);
    assert!(stack.frames[0].is_signal);
    assert_eq!((stack.frames[1].pc.0, stack.frames[1].left), (TEXT + 0x40, Left::Interrupted));
    assert_eq!(stack.frames[1].registers.get(Register(15)), Some(STACK + 0x80));
}

#[test]
fn loongarch_finds_the_frame_record_below_its_frame_pointer() {
    let core = CoreBuilder::of(Machine::LoongArch64);
    let text = code(&core, &[(0x20, 0x5400_0000)]);
    let stack = stack_of(&core, &[0, 0, STACK + 64, TEXT + 0x24]);
    let core = core
        .thread(1, &[("pc", TEXT + 0x100), ("sp", STACK), ("fp", STACK + 32)])
        .segment_with(TEXT, &text, 0x1000, "rx")
        .segment(STACK, &stack, 0x1000);
    assert_eq!(trusts(&unwind(&core))[1], (TEXT + 0x24, Trust::FramePointer));
}
