//! 64-bit PowerPC: big-endian (ELFv1) and little-endian (ELFv2). Sources: 64-bit ELF V2 ABI
//! (register use, stack frame), 64-bit PowerPC ELF ABI Supplement 1.9, Linux
//! `arch/powerpc/include/uapi/asm/ptrace.h`, `arch/powerpc/kernel/signal_64.c`.

use super::facts::{LONG_64, names, registers};
use super::ppc::{CALLS, LEAF_ENDS, NUMBERS, REGISTERS};
use super::registers::NO_NUMBER;
use super::{
    Calls, CodeAddress, ElfIdentity, Facts, FloatBank, FloatNote, FloatPlace, FrameRecord,
    HandlerFrame, Leaf, OtherRegister, Prstatus, Register, Saved, SigreturnCode, TableDialect,
    ThreadPointer, TlsAbi, TlsBlocks, TrampolineCode,
};

const PC: Register = Register::PC;
/// gcc's number in call frame information.
const LR: Register = Register(65);

/// `struct pt_regs`: gpr0 to gpr31, nip, msr, orig_gpr3, ctr, link, xer, ccr, softe, trap, dar,
/// dsisr, result.
const GENERAL: &[Saved] =
    &[Saved::row(0, 0, 32, 8), Saved::wide(32 * 8, PC), Saved::wide(36 * 8, LR)];

const fn other(name: &'static str, nth: usize) -> OtherRegister {
    OtherRegister { name, at: nth.saturating_mul(8), size: 8 }
}

/// The control registers of the vector unit lie at the other end of their quadword.
const fn floats(vscr_at: u64) -> [FloatBank; 6] {
    [
        FloatBank::array("f", 32, 32, (FloatNote::FpRegset, 0, 8)),
        FloatBank::array("fpscr", NO_NUMBER, 1, (FloatNote::FpRegset, 256, 8)),
        FloatBank::array("vr", 1124, 32, (FloatNote::PpcVmx, 0, 16)),
        FloatBank::array("vscr", NO_NUMBER, 1, (FloatNote::PpcVmx, vscr_at, 4)),
        FloatBank::array("vrsave", NO_NUMBER, 1, (FloatNote::PpcVmx, 528, 4)),
        FloatBank::new(
            "vs",
            NO_NUMBER,
            32,
            FloatPlace::Halves { high: (FloatNote::FpRegset, 0), low: (FloatNote::PpcVsx, 0) },
        ),
    ]
}

/// See [`Facts`].
pub(super) const BIG: Facts = Facts {
    name: "ppc64",
    elf: ElfIdentity { e_machine: 21, is_64: true, little_endian: Some(false) },
    word: 8,
    address: 8,
    names: &names(NUMBERS, REGISTERS),
    prstatus: Prstatus {
        pid: LONG_64.0,
        registers: LONG_64.1,
        size: 48 * 8,
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
    // stdu r1,-N(r1)
    leaf: Leaf { ends: LEAF_ENDS, lowers_stack: &[(0xffff_0003, 0xf821_0001)] },
    frame_record: FrameRecord::BackChain { return_address: 16 },
    sigreturn: &[SigreturnCode {
        // addi r1,r1,128; li r0,172; sc
        code: TrampolineCode::Words(&[0x3821_0080, 0x3800_00ac, 0x4400_0002]),
        // A frame of 128 bytes, then ucontext: flags, link, stack (24), sigmask (128),
        // sigcontext: unused (32), signal, pad, handler, oldmask, regs (32), gp_regs.
        context_offset: 128 + 168 + 64,
        registers: GENERAL,
    }],
    handler_frame: HandlerFrame::UNKNOWN,
    futex: None,
    thread_pointer: ThreadPointer::Register(Register(13)),
    tls: Some(TlsAbi {
        blocks: TlsBlocks::Above { reserved: 0 },
        bias: 0x7000,
        glibc_vector: -1,
        musl_vector: -1,
        musl_added: 0x8000,
    }),
    floats: &floats(512 + 12),
    floats_hold_registers: false,
    float_controls: Some((256, 264)),
    prologue: None,
    decoder: None,
};

/// See [`Facts`].
pub(super) const LITTLE: Facts = Facts {
    name: "ppc64le",
    elf: ElfIdentity { e_machine: 21, is_64: true, little_endian: Some(true) },
    floats: &floats(512),
    ..BIG
};
