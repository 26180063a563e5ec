use super::codes::SI_KERNEL;
use super::*;
use obit_corefile::arch::{Machine, Register};
use obit_corefile::testkit::CoreBuilder;
use obit_disassembly::{AccessMode, Part};
use obit_process::process::Options;

const CODE: u64 = 0x40_1000;
const STACK: u64 = 0x7ffd_0000_0000;
const SP: u64 = STACK + 0x800;
const MAPERR: i32 = 1;
const ACCERR: i32 = 2;

type Signal = (u16, i32, u64);

/// One thread at `code`, a page of stack below its stack pointer and above.
fn core(signal: Signal, registers: &[(&str, u64)], code: &[u8]) -> CoreBuilder {
    let (number, si_code, address) = signal;
    let mut all = vec![("rip", CODE), ("rsp", SP)];
    all.extend(registers);
    let core = CoreBuilder::x86_64().signal(number).thread(1, &all);
    core.siginfo(i32::from(number), si_code, address)
        .segment_with(CODE, code, 0x1000, "rx")
        .segment(STACK, &[0; 0x1000], 0x1000)
}

fn of_core(core: &CoreBuilder) -> Option<Fault> {
    let core = core.write();
    fault(&Process::open(core.path(), Options::default(), &()).unwrap())
}

fn of(signal: Signal, registers: &[(&str, u64)], code: &[u8]) -> Fault {
    of_core(&core(signal, registers, code)).unwrap()
}

fn kind_and_reason(fault: &Fault) -> (Option<AccessKind>, Reason) {
    (fault.access.as_ref().map(|access| access.kind), fault.reason)
}

fn segv(address: u64) -> Signal {
    (SIGSEGV, MAPERR, address)
}

const GP: Signal = (SIGSEGV, SI_KERNEL, 0);
/// `mov 0x18(%rax),%rbx`
const LOAD: [u8; 4] = [0x48, 0x8b, 0x58, 0x18];
/// `mov %ebx,(%rax)`
const STORE: [u8; 2] = [0x89, 0x18];
/// `push %rax`
const PUSH: [u8; 1] = [0x50];

#[test]
fn a_read_through_null_names_the_register_and_the_offset() {
    let rax = Part { register: Register(0), shift: 0, size: 8 };
    let operand = MemoryOperand {
        mode: AccessMode::Read,
        size: Some(8),
        segment: None,
        base: Some(rax),
        index: None,
        displacement: 0x18,
        address_size: 8,
        index_is_signed: false,
        rounds: None,
    };
    let expected = Fault {
        pc: Avma(CODE),
        instruction: Some("mov    0x18(%rax),%rbx".to_owned()),
        access: Some(Access {
            kind: AccessKind::Read,
            address: Avma(0x18),
            size: Some(8),
            base: Some(("rax".to_owned(), 0)),
            index: None,
            displacement: 0x18,
            operand: Some(operand),
        }),
        reason: Reason::Null,
        activation: 0,
        caught: None,
        purpose: None,
        is_computed: false,
        is_panic: false,
        division: None,
        check: None,
    };
    assert_eq!(of(segv(0x18), &[("rax", 0)], &LOAD), expected);
}

#[test]
fn a_field_before_null_is_null_too_and_the_last_page_by_itself_is_not() {
    // mov -0x8(%rax),%rbx
    let code = [0x48, 0x8b, 0x58, 0xf8];
    assert_eq!(of(segv(u64::MAX - 7), &[("rax", 0)], &code).reason, Reason::Null);
    let wild = of(segv(u64::MAX - 7), &[("rax", u64::MAX - 7)], &STORE);
    assert_eq!(wild.reason, Reason::Unmapped);
}

#[test]
fn a_write_to_nothing_is_unmapped_and_one_to_constants_forbidden() {
    let write = |signal: Signal| {
        let core = core(signal, &[("rax", signal.2)], &STORE);
        let core = core.segment_with(0x50_0000, &[], 0x1000, "r");
        kind_and_reason(&of_core(&core).unwrap())
    };
    let kind = Some(AccessKind::Write);
    assert_eq!(write(segv(0x4141_4141)), (kind, Reason::Unmapped));
    assert_eq!(write((SIGSEGV, ACCERR, 0x50_0010)), (kind, Reason::Forbidden));
    // The kernel and the core disagree.
    assert_eq!(write((SIGSEGV, ACCERR, STACK)), (kind, Reason::Unknown));
}

#[test]
fn what_reads_and_writes_was_to_be_written() {
    // incl (%rax)
    let increment = |address: u64| {
        let core = core((SIGSEGV, ACCERR, address), &[("rax", address)], &[0xff, 0x00]);
        let core = core.segment_with(0x50_0000, &[], 0x1000, "r");
        let core = core.segment_with(0x60_0000, &[], 0x1000, "");
        of_core(&core).unwrap().access.unwrap().kind
    };
    assert_eq!(increment(0x50_0000), AccessKind::Write);
    assert_eq!(increment(0x60_0000), AccessKind::Write);
}

#[test]
fn a_call_of_no_code_is_an_execution() {
    let null = of(segv(0), &[("rip", 0)], &[]);
    assert_eq!(kind_and_reason(&null), (Some(AccessKind::Execute), Reason::Null));
    assert_eq!(null.instruction, None);
    let wild = of(segv(0x4141_4141), &[("rip", 0x4141_4141)], &[]);
    assert_eq!(kind_and_reason(&wild), (Some(AccessKind::Execute), Reason::Unmapped));
    let data = of((SIGSEGV, ACCERR, SP), &[("rip", SP)], &[]);
    assert_eq!(kind_and_reason(&data), (Some(AccessKind::Execute), Reason::Forbidden));
}

#[test]
fn an_access_across_a_page_is_found_by_the_byte_that_failed() {
    let fault = of(segv(0x1_0000_0000), &[("rax", 0xffff_fffe - 0x18)], &LOAD);
    assert_eq!(kind_and_reason(&fault), (Some(AccessKind::Read), Reason::Unmapped));
    assert_eq!(fault.access.unwrap().address, Avma(0x1_0000_0000));
}

#[test]
fn a_copy_fails_at_the_side_whose_address_it_is() {
    // rep movsb, 0x20 bytes to go
    let copy = |address| {
        let registers = [("rsi", 0x50_0000), ("rdi", 0x60_0000), ("rcx", 0x20)];
        of(segv(address), &registers, &[0xf3, 0xa4])
    };
    assert_eq!(copy(0x50_0008).access.unwrap().kind, AccessKind::Read);
    assert_eq!(copy(0x60_0000).access.unwrap().kind, AccessKind::Write);
    assert_eq!(copy(0x60_0020).access.unwrap().kind, AccessKind::Unknown);
}

#[test]
fn an_address_that_no_register_explains_is_the_kernels_alone() {
    let fault = of(segv(0x9999_0000), &[("rax", 0)], &LOAD);
    assert_eq!(kind_and_reason(&fault), (Some(AccessKind::Unknown), Reason::Unmapped));
    assert_eq!(fault.access.unwrap().base, None);
}

#[test]
fn an_address_the_kernel_does_not_report_is_computed() {
    let fault = of(GP, &[("rax", 0x4141_4141_4141_4141)], &STORE);
    assert_eq!(kind_and_reason(&fault), (Some(AccessKind::Write), Reason::NonCanonical));
    assert_eq!(fault.access.unwrap().address, Avma(0x4141_4141_4141_4141));
}

#[test]
fn a_return_and_a_call_to_no_address_are_executions() {
    let smashed = core(GP, &[("rsp", 0x7000_0000)], &[0xc3]);
    let smashed = of_core(&smashed.segment(0x7000_0000, &[0x41; 16], 0x1000)).unwrap();
    assert_eq!(kind_and_reason(&smashed), (Some(AccessKind::Execute), Reason::Returned));
    assert_eq!(smashed.access.unwrap().address, Avma(0x4141_4141_4141_4141));
    // call *%rax
    let call = of(GP, &[("rax", 1 << 63)], &[0xff, 0xd0]).access.unwrap();
    assert_eq!((call.kind, call.base), (AccessKind::Execute, Some(("rax".to_owned(), 1 << 63))));
}

#[test]
fn a_return_to_no_code_leaves_what_it_took_below_the_stack_pointer() {
    let reason = |taken: u64| {
        let core = CoreBuilder::x86_64().signal(SIGSEGV);
        let core = core.thread(1, &[("rip", 0x4141_4141), ("rsp", SP)]);
        let mut stack = vec![0; 0x1000];
        stack[0x7f8..0x800].copy_from_slice(&taken.to_le_bytes());
        let core = core.siginfo(11, MAPERR, 0x4141_4141).segment(STACK, &stack, 0x1000);
        of_core(&core).unwrap().reason
    };
    assert_eq!(reason(0x4141_4141), Reason::Returned);
    assert_eq!(reason(0x4000), Reason::Unmapped);
}

#[test]
fn a_division_has_its_numbers() {
    let of = |registers: &[(&str, u64)], code: &[u8]| {
        let division = of((SIGFPE, FPE_INTDIV, CODE), registers, code).division.unwrap();
        (division.dividend, division.divisor)
    };
    // idiv %ecx: INT_MIN / -1
    let least = [("rdx", 0xffff_ffff), ("rax", 0x8000_0000), ("rcx", 0xffff_ffff)];
    assert_eq!(of(&least, &[0xf7, 0xf9]), (Some(-0x8000_0000), -1));
    // div %ecx of the same
    assert_eq!(of(&least, &[0xf7, 0xf1]).1, 0xffff_ffff);
    // div %cl: ax
    assert_eq!(of(&[("rax", 0x1_0203), ("rcx", 0)], &[0xf6, 0xf1]), (Some(0x203), 0));
    // idiv %rcx: 128 bits
    let wide = [("rdx", u64::MAX), ("rax", u64::MAX - 6), ("rcx", 0)];
    assert_eq!(of(&wide, &[0x48, 0xf7, 0xf9]), (Some(-7), 0));
}

#[test]
fn a_trap_of_a_sanitizer_names_its_check() {
    // ud1 0x12(%eax),%eax
    let trap = of((SIGILL, 2, CODE), &[], &[0x67, 0x0f, 0xb9, 0x40, 0x12]);
    assert_eq!((trap.reason, trap.check), (Reason::Trap, Some("array index out of bounds")));
    assert_eq!(of((SIGILL, 2, CODE), &[], &[0x0f, 0x0b]).check, None);
}

#[test]
fn general_protection_has_other_reasons_too() {
    assert_eq!(of(GP, &[], &[0xf4]).reason, Reason::Privileged);
    // movaps (%rsp),%xmm0 at an odd place and at an even one
    let code = [0x0f, 0x28, 0x04, 0x24];
    let skewed = of(GP, &[("rsp", SP + 8)], &code);
    assert_eq!(kind_and_reason(&skewed), (Some(AccessKind::Read), Reason::Misaligned));
    assert_eq!(kind_and_reason(&of(GP, &[], &code)), (None, Reason::Unknown));
}

#[test]
fn below_the_stack_and_near_its_pointer_the_stack_ran_out() {
    let push = of(segv(STACK - 8), &[("rsp", STACK)], &PUSH);
    assert_eq!(kind_and_reason(&push), (Some(AccessKind::Write), Reason::StackOverflow));
    // A pointer to the same place, with the stack pointer far up.
    let far = core(segv(STACK - 8), &[("rsp", STACK + 0x2_0000), ("rax", STACK - 8)], &STORE);
    let far = far.segment(STACK + 0x1000, &[], 0x10_0000);
    assert_eq!(of_core(&far).unwrap().reason, Reason::Unmapped);
}

#[test]
fn a_guard_below_a_stack_that_holds_the_pointer_is_a_stack_overflow() {
    let registers = [("rsp", STACK - 0x100), ("rbp", STACK + 0x10)];
    let guarded = core((SIGSEGV, ACCERR, STACK - 0x108), &registers, &PUSH);
    let guarded = guarded.segment_with(STACK - 0x1000, &[], 0x1000, "");
    assert_eq!(of_core(&guarded).unwrap().reason, Reason::StackOverflow);
    // Nothing shows that it is this thread's stack.
    let registers = [("rsp", STACK - 0x100), ("rbp", 0)];
    let other = of(segv(STACK - 0x108), &registers, &PUSH);
    assert_eq!(other.reason, Reason::Unmapped);
}

#[test]
fn a_stack_overflow_without_room_for_a_handler_is_one_still() {
    let fault = of(GP, &[("rsp", STACK)], &PUSH);
    assert_eq!(kind_and_reason(&fault), (Some(AccessKind::Write), Reason::StackOverflow));
}

#[test]
fn a_bus_error_is_of_a_file_or_of_alignment() {
    let at = 0x50_2000;
    let bus = |code, files: &[(u64, u64, u64, &str)]| {
        let core = core((SIGBUS, code, at), &[("rax", at - 0x18)], &LOAD);
        of_core(&core.files(files).segment(0x50_0000, &[], 0x4000)).unwrap().reason
    };
    assert_eq!(bus(2, &[(0x50_0000, 0x50_4000, 0, "/tmp/short")]), Reason::BeyondFile);
    assert_eq!(bus(2, &[]), Reason::Unknown);
    assert_eq!(bus(1, &[]), Reason::Misaligned);
}

#[test]
fn a_division_is_by_zero_only_if_the_divisor_is() {
    // idiv %ecx; idivl (%rsp); idivl 0x18(%rax)
    let signal = (SIGFPE, FPE_INTDIV, CODE);
    let of = |registers: &[(&str, u64)], code: &[u8]| of(signal, registers, code).reason;
    assert_eq!(of(&[("rcx", 0xff_0000_0000)], &[0xf7, 0xf9]), Reason::DivideByZero);
    assert_eq!(of(&[("rcx", 0xffff_ffff)], &[0xf7, 0xf9]), Reason::DivideOverflow);
    assert_eq!(of(&[], &[0xf7, 0x3c, 0x24]), Reason::DivideByZero);
    assert_eq!(of(&[("rax", 0)], &[0xf7, 0x78, 0x18]), Reason::Unknown);
}

#[test]
fn traps_and_illegal_instructions_are_distinguished() {
    let illegal = |code: &[u8]| of((SIGILL, 2, CODE), &[], code);
    assert_eq!(illegal(&[0x0f, 0x0b]).reason, Reason::Trap);
    assert_eq!(illegal(&[0x06, 0x90]).reason, Reason::IllegalInstruction);
    // Where its bytes are missing the code of the signal is all there is.
    assert_eq!(illegal(&[]).reason, Reason::IllegalInstruction);
    let trap = of((SIGTRAP, SI_KERNEL, 0), &[("rip", CODE + 2)], &[0x90, 0xcc, 0xc3]);
    assert_eq!((trap.pc, trap.reason), (Avma(CODE + 1), Reason::Trap));
    assert_eq!(trap.instruction.as_deref(), Some("int3"));
    let step = of((SIGTRAP, 2, CODE), &[], &[0x90]);
    assert_eq!(step.reason, Reason::Unknown);
}

#[test]
fn i386_and_aarch64_are_known_too() {
    // mov -0x4(%eax),%ecx
    let i386 = CoreBuilder::i386().signal(SIGSEGV).thread(1, &[("eip", CODE), ("esp", 0x9000)]);
    let i386 = i386.siginfo(11, MAPERR, 0xffff_fffc);
    let i386 = i386.segment_with(CODE, &[0x8b, 0x48, 0xfc], 0x1000, "rx");
    let i386 = of_core(&i386).unwrap();
    assert_eq!(kind_and_reason(&i386), (Some(AccessKind::Read), Reason::Null));
    // str x1, [x0, #8]
    let arm = CoreBuilder::aarch64().signal(SIGSEGV);
    let arm = arm.thread(1, &[("pc", CODE), ("sp", SP), ("x0", 0)]).siginfo(11, MAPERR, 8);
    let arm = arm.segment_with(CODE, &0xf900_0401_u32.to_le_bytes(), 0x1000, "rx");
    let arm = of_core(&arm).unwrap();
    assert_eq!(kind_and_reason(&arm), (Some(AccessKind::Write), Reason::Null));
    assert_eq!(arm.access.unwrap().base, Some(("x0".to_owned(), 0)));
}

#[test]
fn on_riscv64_accesses_traps_and_returns_are_known() {
    let of = |code: u32, address: u64, registers: &[(&str, u64)], stack: &[u8]| {
        let mut all = vec![("pc", CODE), ("sp", SP)];
        all.extend(registers);
        let core = CoreBuilder::of(Machine::Riscv64).signal(SIGSEGV).thread(1, &all);
        let core = core.siginfo(11, MAPERR, address);
        let core = core.segment_with(CODE, &code.to_le_bytes(), 0x1000, "rx");
        of_core(&core.segment(STACK, stack, 0x1000)).unwrap()
    };
    // sd a1, 8(a0)
    let store = of(0x00b5_3423, 8, &[("a0", 0)], &[0; 8]);
    assert_eq!(kind_and_reason(&store), (Some(AccessKind::Write), Reason::Null));
    assert_eq!(store.access.unwrap().base, Some(("a0".to_owned(), 0)));
    // ld a1, 0(a0)
    let wild = of(0x0005_3583, 0xbebe_bebe_bebe_bebe, &[("a0", 0xbebe_bebe_bebe_bebe)], &[0; 8]);
    assert_eq!(kind_and_reason(&wild), (Some(AccessKind::Read), Reason::NonCanonical));
    let kernel = of(0x0005_3583, u64::MAX << 30, &[("a0", u64::MAX << 30)], &[0; 8]);
    assert_eq!(kernel.reason, Reason::Unmapped);
}

/// One thread of 32-bit Arm at `pc`, in the mode that its status register says.
fn arm_32(
    signal: Signal,
    (pc, status): (u64, u64),
    registers: &[(&str, u64)],
    code: &[u8],
    stack: &[u8],
) -> Fault {
    const STACK: u64 = 0x7000_0000;
    let (number, si_code, address) = signal;
    let mut all = vec![("pc", pc), ("cpsr", status), ("sp", STACK + 0x40)];
    all.extend(registers);
    let core = CoreBuilder::of(Machine::Arm).signal(number).thread(1, &all);
    let core = core.siginfo(i32::from(number), si_code, address);
    let core = core.segment_with(CODE, code, 0x1000, "rx").segment(STACK, stack, 0x1000);
    of_core(&core).unwrap()
}

const A32: u64 = 0x10;
const THUMB: u64 = 0x30;

#[test]
fn the_status_register_says_in_which_set_32_bit_arm_failed() {
    let at = |status, code: &[u8]| arm_32(segv(8), (CODE, status), &[("r1", 0)], code, &[0; 8]);
    // ldr r0, [r1, #8] in both
    for fault in [at(A32, &0xe591_0008_u32.to_le_bytes()), at(THUMB, &[0x88, 0x68])] {
        assert_eq!(kind_and_reason(&fault), (Some(AccessKind::Read), Reason::Null));
        assert_eq!(fault.instruction.as_deref(), Some("ldr r0, [r1, #8]"));
        assert_eq!(fault.access.unwrap().base, Some(("r1".to_owned(), 0)));
    }
    // vst1.8 {d0-d3}, [r1]!: beyond its first byte.
    let store = 0xf401_020d_u32.to_le_bytes();
    let known = [("r1", 0x5fff_fff0)];
    let store = arm_32(segv(0x6000_0000), (CODE, A32), &known, &store, &[0; 8]);
    assert_eq!(kind_and_reason(&store), (Some(AccessKind::Write), Reason::Unmapped));
    assert_eq!(store.access.unwrap().size, Some(32));
}

#[test]
fn on_32_bit_arm_a_pair_must_be_aligned_and_udf_is_a_trap() {
    // ldrd r0, [r2]
    let code = 0xe1c2_00d0_u32.to_le_bytes();
    let skewed = 0x7000_0001;
    let fault = arm_32((SIGBUS, 1, skewed), (CODE, A32), &[("r2", skewed)], &code, &[0; 64]);
    assert_eq!(kind_and_reason(&fault), (Some(AccessKind::Read), Reason::Misaligned));
    let fault = arm_32((SIGILL, 1, CODE), (CODE, THUMB), &[], &[0xff, 0xde], &[0; 8]);
    assert_eq!(fault.reason, Reason::Trap);
}

#[test]
fn on_32_bit_arm_a_return_address_lies_below_the_stack_pointer() {
    // `pop {r4, pc}` of a word of text, whose lowest bit says Thumb.
    let mut stack = [0; 0x80];
    stack[0x3c..0x40].copy_from_slice(&0x4141_4141_u32.to_le_bytes());
    let at = (0x4141_4140, THUMB);
    let of = |stack: &[u8]| arm_32(segv(at.0), at, &[("lr", CODE + 8)], &[0; 16], stack);
    assert_eq!(of(&stack).reason, Reason::Returned);
    assert_eq!(of(&[0; 0x80]).reason, Reason::Unmapped);
}

/// One thread of aarch64 at `code`, with a SIGSEGV at `address`.
fn arm(address: u64, registers: &[(&str, u64)], code: u32, stack: &[u8]) -> CoreBuilder {
    let mut all = vec![("pc", CODE), ("sp", SP)];
    all.extend(registers);
    let core = CoreBuilder::aarch64().signal(SIGSEGV).thread(1, &all);
    let core = core.siginfo(11, MAPERR, address);
    core.segment_with(CODE, &code.to_le_bytes(), 0x1000, "rx").segment(STACK, stack, 0x1000)
}

/// `ldr x1, [x0]`
const ARM_LOAD: u32 = 0xf940_0001;

#[test]
fn on_aarch64_what_lies_between_the_address_and_the_tag_makes_it_none() {
    let of = |pointer: u64, reported: u64| {
        let core = arm(reported, &[("x0", pointer)], ARM_LOAD, &[0; 8]);
        kind_and_reason(&of_core(&core).unwrap())
    };
    let read = Some(AccessKind::Read);
    assert_eq!(of(0x4141_4141_4141_4141, 0x41_4141_4141_4141), (read, Reason::NonCanonical));
    assert_eq!(of(0xbebe_bebe_bebe_bebe, 0xbebe_bebe_bebe_bebe), (read, Reason::NonCanonical));
    // A tag alone; the kernel's half.
    assert_eq!(of(0x4100_4141_4141_0000, 0x4141_4141_0000), (read, Reason::Unmapped));
    assert_eq!(of(0xffff_ffff_4141_0000, 0xffff_ffff_4141_0000), (read, Reason::Unmapped));
}

#[test]
fn a_program_with_large_addresses_has_more_of_them() {
    let core = |pointer| {
        let core = arm(pointer, &[("x0", pointer)], ARM_LOAD, &[0; 8]);
        of_core(&core.segment(0xf_0000_0000_0000, &[0; 8], 0x1000)).unwrap().reason
    };
    assert_eq!(core(0x1_4141_4141_0000), Reason::Unmapped);
    assert_eq!(core(0x41_4141_4141_0000), Reason::NonCanonical);
}

#[test]
fn on_aarch64_a_return_is_to_what_the_link_register_took_from_the_stack() {
    let text = 0x4141_4141_4141_4141_u64;
    let reason = |link: u64, taken: u64| {
        let pc = text & (u64::MAX >> 8);
        let mut stack = vec![0; 0x1000];
        // ldp x29, x30, [sp], #48
        stack[0x800 - 40..0x800 - 32].copy_from_slice(&taken.to_le_bytes());
        let core = arm(pc, &[("pc", pc), ("x30", link)], 0, &stack);
        kind_and_reason(&of_core(&core).unwrap())
    };
    let execute = Some(AccessKind::Execute);
    assert_eq!(reason(text, text), (execute, Reason::Returned));
    // A call leaves its own place there; nothing was taken.
    assert_eq!(reason(CODE + 4, text), (execute, Reason::NonCanonical));
    assert_eq!(reason(text, 0), (execute, Reason::NonCanonical));
}

#[test]
fn the_vector_loads_of_aarch64s_string_functions_are_reads() {
    // ld1 {v0.16b}, [x0]; ldp q0, q1, [x0]; dc zva, x0
    let of = |code| kind_and_reason(&of_core(&arm(0, &[("x0", 0)], code, &[0; 8])).unwrap());
    assert_eq!(of(0x4c40_7000), (Some(AccessKind::Read), Reason::Null));
    assert_eq!(of(0xad40_0400), (Some(AccessKind::Read), Reason::Null));
    assert_eq!(of(0xd50b_7420), (Some(AccessKind::Write), Reason::Null));
}

#[test]
fn an_instruction_whose_effects_alone_are_known_has_no_text() {
    // st1b {z0.b}, p0, [x2]
    let store = of_core(&arm(0, &[("x2", 0)], 0xe400_e040, &[0; 8])).unwrap();
    assert_eq!(kind_and_reason(&store), (Some(AccessKind::Write), Reason::Null));
    assert_eq!(store.instruction, None);
}

#[test]
fn a_signal_that_somebody_sent_is_no_fault() {
    assert_eq!(of_core(&core((SIGSEGV, 0, 0), &[("rax", 0)], &LOAD)), None);
    assert_eq!(of_core(&core((6, -6, 0), &[], &LOAD)), None);
}

#[test]
fn a_handler_that_sends_the_signal_on_is_not_where_the_fault_was() {
    // mov $15,%rax; syscall
    let trampoline = [0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05];
    let mut context = vec![0; 0x400];
    // uc_mcontext: rax, rsp, rip.
    for (at, value) in [(40 + 104, 0_u64), (40 + 120, SP), (40 + 128, CODE)] {
        context[at..at + 8].copy_from_slice(&value.to_le_bytes());
    }
    let core = core(segv(0x18), &[("rip", 0x40_5000), ("rsp", STACK - 0x1000)], &LOAD);
    let core = core.segment(STACK - 0x1000, &context, 0x1000);
    let fault = of_core(&core.segment_with(0x40_5000, &trampoline, 0x1000, "rx")).unwrap();
    assert_eq!((fault.pc, fault.reason), (Avma(CODE), Reason::Null));
    assert_eq!(fault.access.unwrap().base, Some(("rax".to_owned(), 0)));
}

#[test]
fn a_read_has_a_purpose_that_the_next_instructions_show() {
    let purpose = |code: &[u8]| {
        let wild = [("rax", 0x5000_0000), ("rdx", 0x5000_0000)];
        of(segv(0x5000_0000), &wild, code).purpose
    };
    // call *(%rax)
    assert_eq!(purpose(&[0xff, 0x10]), Some(Purpose::CodeAddress));
    // mov (%rax),%rdx; mov $0,%eax; call *%rdx
    let call = [0x48, 0x8b, 0x10, 0xb8, 0, 0, 0, 0, 0xff, 0xd2];
    assert_eq!(purpose(&call), Some(Purpose::CodeAddress));
    // mov (%rax),%rax; add %rcx,%rdx; mov %rdx,(%rax)
    let store = [0x48, 0x8b, 0x00, 0x48, 0x01, 0xca, 0x48, 0x89, 0x10];
    assert_eq!(purpose(&store), Some(Purpose::WriteAddress));
    // mov (%rax),%rax; xor %eax,%eax; mov %rdx,(%rax): another value by then
    assert_eq!(purpose(&[0x48, 0x8b, 0x00, 0x31, 0xc0, 0x48, 0x89, 0x10]), None);
    // mov (%rax),%rax; ret
    assert_eq!(purpose(&[0x48, 0x8b, 0x00, 0xc3]), None);
    // mov %rdx,(%rax): a write
    assert_eq!(purpose(&[0x48, 0x89, 0x10]), None);
}

#[test]
fn a_jump_to_where_no_code_is_may_be_reported_as_one_that_is_not_aligned() {
    let pc = 0x41_4141_4141_4141;
    let core = CoreBuilder::aarch64().signal(SIGBUS).thread(1, &[("pc", pc), ("sp", SP)]);
    let core = core.siginfo(i32::from(SIGBUS), 1, pc).segment(STACK, &[0; 0x1000], 0x1000);
    let fault = of_core(&core).unwrap();
    assert_eq!(kind_and_reason(&fault).0, Some(AccessKind::Execute));
    assert!(matches!(fault.reason, Reason::Unmapped | Reason::Returned), "{:?}", fault.reason);
}
