//! 32-bit MIPS (o32). Sources: System V ABI MIPS Processor Supplement, Linux
//! `arch/mips/include/uapi/asm/{reg,sigcontext,ucontext}.h`, `arch/mips/kernel/signal.c`.

use super::facts::{LONG_32, names, registers};
use super::registers::NO_NUMBER;
use super::{
    CallForm, CallTarget, Calls, CodeAddress, ElfIdentity, Facts, FloatBank, FloatNote,
    FrameRecord, HandlerFrame, Leaf, OtherRegister, Prologue, PrologueForm, Prstatus, Register,
    Saved, SigreturnCode, TableDialect, ThreadPointer, TlsAbi, TlsBlocks, TrampolineCode,
};

const PC: Register = Register::PC;

/// The DWARF numbers of all registers that are followed.
pub(super) const NUMBERS: [u16; 33] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
    26, 27, 28, 29, 30, 31, PC.0,
];

/// `struct sigcontext` from `sc_pc` on; registers have 8 bytes there.
const SIGCONTEXT: &[Saved] = &[Saved::wide(0, PC), Saved::row(8, 0, 32, 8)];

const fn other(name: &'static str, nth: usize) -> OtherRegister {
    OtherRegister { name, at: nth.saturating_mul(4), size: 4 }
}

/// Calls of all MIPS; each returns behind its delay slot.
pub(super) const CALLS: &[CallForm] = &[
    // jal; jalr ra; bal
    CallForm { back: 8, target: CallTarget::Region, ..CallForm::word(0xfc00_0000, 0x0c00_0000) },
    CallForm { back: 8, ..CallForm::word(0xfc1f_f83f, 0x0000_f809) },
    CallForm { back: 8, ..CallForm::word(0xfc1f_0000, 0x0411_0000) },
];

const fn form(value: u32) -> PrologueForm {
    PrologueForm { mask: 0xffff_0000, value }
}

/// How functions of all MIPS begin.
pub(super) const PROLOGUE: Prologue = Prologue {
    // addiu sp,sp,-N; daddiu
    lowers: &[form(0x27bd_0000), form(0x67bd_0000)],
    // sw ra,N(sp); sd
    saves_link: &[form(0xafbf_0000), form(0xffbf_0000)],
    // sw s8,N(sp); sd
    saves_frame: &[form(0xafbe_0000), form(0xffbe_0000)],
    // move s8,sp in its forms
    sets_frame: &[0x03a0_f021, 0x03a0_f025, 0x03a0_f02d],
};

/// Floating-point registers of all MIPS.
pub(super) const FLOATS: &[FloatBank] = &[
    FloatBank::array("f", 32, 32, (FloatNote::FpRegset, 0, 8)),
    FloatBank::array("fcsr", NO_NUMBER, 1, (FloatNote::FpRegset, 256, 4)),
    FloatBank::array("fir", NO_NUMBER, 1, (FloatNote::FpRegset, 260, 4)),
];

/// See [`Facts`].
pub(super) const FACTS: Facts = Facts {
    name: "mips",
    elf: ElfIdentity { e_machine: 8, is_64: false, little_endian: None },
    word: 4,
    address: 4,
    names: &names(
        NUMBERS,
        [
            "zero", "at", "v0", "v1", "a0", "a1", "a2", "a3", "t0", "t1", "t2", "t3", "t4", "t5",
            "t6", "t7", "s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "t8", "t9", "k0", "k1",
            "gp", "sp", "s8", "ra", "pc",
        ],
    ),
    // Six words that are not used, then r0 to r31, lo, hi, epc, badvaddr, status, cause.
    prstatus: Prstatus {
        pid: LONG_32.0,
        registers: LONG_32.1,
        size: 45 * 4,
        saved: &[Saved::row(6 * 4, 0, 32, 4), Saved::narrow(40 * 4, PC)],
        others: &[
            other("lo", 38),
            other("hi", 39),
            other("badvaddr", 41),
            other("status", 42),
            other("cause", 43),
        ],
        system_call: None,
    },
    pc: PC,
    sp: Register(29),
    fp: Register(30),
    link: Some(Register(31)),
    callee_saved: &registers([16, 17, 18, 19, 20, 21, 22, 23, 28, 29, 30]),
    keeps_floats: true,
    segment_bases: &[],
    arguments: &registers([4, 5, 6, 7]),
    result: Some(Register(2)),
    cfa_to_sp: 0,
    code_address: CodeAddress::PLAIN,
    tables: TableDialect::PLAIN,
    calls: Calls::Forms(CALLS),
    leaf: Leaf::UNKNOWN,
    frame_record: FrameRecord::None,
    sigreturn: &[
        SigreturnCode {
            // li v0,4119; syscall: four argument slots and a pad of 8, sc_regmask, sc_status
            code: TrampolineCode::Words(&[0x2402_1017, 0x0000_000c]),
            context_offset: 32,
            registers: SIGCONTEXT,
        },
        SigreturnCode {
            // li v0,4193; syscall: siginfo (128) and the head of ucontext (24) more
            code: TrampolineCode::Words(&[0x2402_1061, 0x0000_000c]),
            context_offset: 32 + 128 + 24,
            registers: SIGCONTEXT,
        },
    ],
    handler_frame: HandlerFrame::UNKNOWN,
    futex: None,
    thread_pointer: ThreadPointer::Absent,
    tls: Some(TlsAbi {
        blocks: TlsBlocks::Above { reserved: 0 },
        bias: 0x7000,
        glibc_vector: -1,
        musl_vector: -1,
        musl_added: 0x8000,
    }),
    floats: FLOATS,
    floats_hold_registers: false,
    float_controls: Some((256, 264)),
    prologue: Some(PROLOGUE),
    decoder: None,
};
