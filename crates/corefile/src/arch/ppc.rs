//! 32-bit PowerPC. Sources: System V ABI PowerPC Processor Supplement (registers, stack frame),
//! Linux `arch/powerpc/include/uapi/asm/ptrace.h`, `arch/powerpc/kernel/signal_32.c`.

use super::facts::{LONG_32, names, registers};
use super::registers::NO_NUMBER;
use super::{
    CallForm, CallTarget, Calls, CodeAddress, ElfIdentity, Facts, FloatBank, FloatNote,
    FrameRecord, HandlerFrame, Leaf, OtherRegister, Prstatus, Register, Saved, SigreturnCode,
    TableDialect, ThreadPointer, TlsAbi, TlsBlocks, TrampolineCode,
};

const PC: Register = Register::PC;
/// gcc's number in call frame information.
const LR: Register = Register(65);

/// The DWARF numbers of [`REGISTERS`].
pub(super) const NUMBERS: [u16; 34] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
    26, 27, 28, 29, 30, 31, LR.0, PC.0,
];
/// Names on both machines.
pub(super) const REGISTERS: [&str; 34] = [
    "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
    "r15", "r16", "r17", "r18", "r19", "r20", "r21", "r22", "r23", "r24", "r25", "r26", "r27",
    "r28", "r29", "r30", "r31", "lr", "pc",
];

/// Calls of both machines.
pub(super) const CALLS: &[CallForm] = &[
    // bl
    CallForm::relative(
        4,
        0xfc00_0003,
        0x4800_0001,
        CallTarget::Relative { shift: 2, bits: 24, scale: 4 },
    ),
    // bcl; bclrl, bcctrl
    CallForm::word(0xfc00_0001, 0x4000_0001),
    CallForm::word(0xfc00_07ff, 0x4c00_0021),
    CallForm::word(0xfc00_07ff, 0x4c00_0421),
];

/// bl and bcl; bclr, bclrl, bcctrl; mtlr.
pub(super) const LEAF_ENDS: &[(u32, u32)] = &[
    (0xfc00_0001, 0x4800_0001),
    (0xfc00_0001, 0x4000_0001),
    (0xfc00_07fe, 0x4c00_0020),
    (0xfc00_07ff, 0x4c00_0421),
    (0xfc1f_ffff, 0x7c08_03a6),
];

/// `struct pt_regs`, as on ppc64.
const GENERAL: &[Saved] =
    &[Saved::row(0, 0, 32, 4), Saved::narrow(32 * 4, PC), Saved::narrow(36 * 4, LR)];

const fn other(name: &'static str, nth: usize) -> OtherRegister {
    OtherRegister { name, at: nth.saturating_mul(4), size: 4 }
}

/// See [`Facts`].
pub(super) const FACTS: Facts = Facts {
    name: "ppc",
    elf: ElfIdentity { e_machine: 20, is_64: false, little_endian: None },
    word: 4,
    address: 4,
    names: &names(NUMBERS, REGISTERS),
    prstatus: Prstatus {
        pid: LONG_32.0,
        registers: LONG_32.1,
        size: 48 * 4,
        saved: GENERAL,
        others: &[
            other("msr", 33),
            other("orig_r3", 34),
            other("ctr", 35),
            other("xer", 37),
            other("cr", 38),
            other("trap", 40),
            other("dar", 41),
            other("dsisr", 42),
        ],
        system_call: None,
    },
    pc: PC,
    sp: Register(1),
    fp: Register(31),
    link: Some(LR),
    callee_saved: &registers([
        1, 2, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
    ]),
    keeps_floats: true,
    segment_bases: &[],
    arguments: &registers([3, 4, 5, 6, 7, 8, 9, 10]),
    result: Some(Register(3)),
    cfa_to_sp: 0,
    code_address: CodeAddress::PLAIN,
    tables: TableDialect::PLAIN,
    calls: Calls::Forms(CALLS),
    // stwu r1,-N(r1)
    leaf: Leaf { ends: LEAF_ENDS, lowers_stack: &[(0xffff_0000, 0x9421_0000)] },
    frame_record: FrameRecord::BackChain { return_address: 4 },
    sigreturn: &[
        SigreturnCode {
            // li r0,119; sc: a frame of 64 bytes, sigcontext (32), then mcontext
            code: TrampolineCode::Words(&[0x3800_0077, 0x4400_0002]),
            context_offset: 96,
            registers: GENERAL,
        },
        SigreturnCode {
            // li r0,172; sc: a frame of 64 bytes and 16, siginfo (128), ucontext with its
            // mcontext at 192
            code: TrampolineCode::Words(&[0x3800_00ac, 0x4400_0002]),
            context_offset: 400,
            registers: GENERAL,
        },
    ],
    handler_frame: HandlerFrame::UNKNOWN,
    futex: None,
    thread_pointer: ThreadPointer::Register(Register(2)),
    tls: Some(TlsAbi {
        blocks: TlsBlocks::Above { reserved: 0 },
        bias: 0x7000,
        glibc_vector: -1,
        musl_vector: -1,
        musl_added: 0x8000,
    }),
    floats: &[
        FloatBank::array("f", 32, 32, (FloatNote::FpRegset, 0, 8)),
        FloatBank::array("fpscr", NO_NUMBER, 1, (FloatNote::FpRegset, 256, 8)),
        FloatBank::array("vr", 1124, 32, (FloatNote::PpcVmx, 0, 16)),
        FloatBank::array("vscr", NO_NUMBER, 1, (FloatNote::PpcVmx, 512 + 12, 4)),
        FloatBank::array("vrsave", NO_NUMBER, 1, (FloatNote::PpcVmx, 528, 4)),
    ],
    floats_hold_registers: false,
    float_controls: Some((256, 264)),
    prologue: None,
    decoder: None,
};
