//! IBM Z with 64-bit registers. Sources: s390x ELF ABI Supplement 1.6 (DWARF numbers, stack
//! frame), Linux `arch/s390/include/uapi/asm/{ptrace,sigcontext}.h`,
//! `arch/s390/kernel/signal.c`.

use super::facts::{LONG_64, names, registers};
use super::registers::NO_NUMBER;
use super::{
    CallForm, CallTarget, Calls, CodeAddress, ElfIdentity, Facts, FloatBank, FloatNote, FloatPlace,
    FrameRecord, HandlerFrame, Leaf, OtherRegister, Prstatus, Register, Saved, SigreturnCode,
    TableDialect, ThreadPointer, TlsAbi, TlsBlocks, TrampolineCode,
};

/// The address in the program status word.
const PSWA: Register = Register(65);
const R2: Register = Register(2);

/// The number of the floating-point register of each DWARF number from 16 on, and of the
/// vector register of each from 68 on, less 16.
pub(super) const ORDER: &[u16] = &[0, 2, 4, 6, 1, 3, 5, 7, 8, 10, 12, 14, 9, 11, 13, 15];

/// `_s390_regs_common`, then `_s390_fp_regs`: psw, gprs, acrs, fpc, f0 to f15.
const SIGREGS: &[Saved] = &[
    Saved::wide(8, PSWA),
    Saved::row(16, 0, 16, 8),
    Saved::wide(216, Register(16)),
    Saved::wide(224, Register(20)),
    Saved::wide(232, Register(17)),
    Saved::wide(240, Register(21)),
    Saved::wide(248, Register(18)),
    Saved::wide(256, Register(22)),
    Saved::wide(264, Register(19)),
    Saved::wide(272, Register(23)),
    Saved::wide(280, Register(24)),
    Saved::wide(288, Register(28)),
    Saved::wide(296, Register(25)),
    Saved::wide(304, Register(29)),
    Saved::wide(312, Register(26)),
    Saved::wide(320, Register(30)),
    Saved::wide(328, Register(27)),
    Saved::wide(336, Register(31)),
];

/// Access registers, from `at` on.
pub(super) const fn access(name: &'static str, at: usize) -> OtherRegister {
    OtherRegister { name, at, size: 4 }
}

/// Calls of both machines: brasl, bras, basr with register 14.
pub(super) const CALLS: &[CallForm] = &[
    CallForm::relative(
        6,
        0xffff_0000_0000,
        0xc0e5_0000_0000,
        CallTarget::Relative { shift: 0, bits: 32, scale: 2 },
    ),
    CallForm::relative(
        4,
        0xffff_0000,
        0xa7e5_0000,
        CallTarget::Relative { shift: 0, bits: 16, scale: 2 },
    ),
    CallForm::relative(2, 0xfff0, 0x0de0, CallTarget::Unknown),
];

/// The code of both machines: svc 119, svc 173.
pub(super) const SIGRETURN: TrampolineCode = TrampolineCode::Bytes(&[0x0a, 0x77]);
pub(super) const RT_SIGRETURN: TrampolineCode = TrampolineCode::Bytes(&[0x0a, 0xad]);

/// Floating-point and vector registers of both machines.
pub(super) const FLOATS: &[FloatBank] = &[
    FloatBank { order: ORDER, ..FloatBank::array("f", 16, 16, (FloatNote::FpRegset, 8, 8)) },
    FloatBank::array("fpc", NO_NUMBER, 1, (FloatNote::FpRegset, 0, 4)),
    FloatBank::new(
        "v",
        NO_NUMBER,
        16,
        FloatPlace::Halves { high: (FloatNote::FpRegset, 8), low: (FloatNote::S390VxrsLow, 0) },
    ),
    FloatBank {
        order: ORDER,
        numbered_from: 16,
        ..FloatBank::array("v", 68, 16, (FloatNote::S390VxrsHigh, 0, 16))
    },
];

/// See [`Facts`].
pub(super) const FACTS: Facts = Facts {
    name: "s390x",
    elf: ElfIdentity { e_machine: 22, is_64: true, little_endian: None },
    word: 8,
    address: 8,
    names: &names(
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, PSWA.0],
        [
            "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "r13",
            "r14", "r15", "pswa",
        ],
    ),
    prstatus: Prstatus {
        pid: LONG_64.0,
        registers: LONG_64.1,
        size: 27 * 8,
        saved: &[Saved::wide(8, PSWA), Saved::row(16, 0, 16, 8)],
        others: &[
            OtherRegister { name: "pswm", at: 0, size: 8 },
            access("a0", 144),
            access("a1", 148),
            access("a2", 152),
            access("a3", 156),
            access("a4", 160),
            access("a5", 164),
            access("a6", 168),
            access("a7", 172),
            access("a8", 176),
            access("a9", 180),
            access("a10", 184),
            access("a11", 188),
            access("a12", 192),
            access("a13", 196),
            access("a14", 200),
            access("a15", 204),
            OtherRegister { name: "orig_r2", at: 208, size: 8 },
        ],
        system_call: None,
    },
    pc: PSWA,
    sp: Register(15),
    fp: Register(11),
    link: Some(Register(14)),
    // r6 to r13, r15; f8 to f15.
    callee_saved: &registers([6, 7, 8, 9, 10, 11, 12, 13, 15, 24, 25, 26, 27, 28, 29, 30, 31]),
    keeps_floats: true,
    segment_bases: &[],
    arguments: &registers([2, 3, 4, 5, 6]),
    result: Some(R2),
    // The caller provides the area its callee saves registers in.
    cfa_to_sp: -160,
    code_address: CodeAddress::PLAIN,
    tables: TableDialect::PLAIN,
    calls: Calls::Forms(CALLS),
    leaf: Leaf::UNKNOWN,
    // Only of code that was compiled with -mbackchain.
    frame_record: FrameRecord::BackChain { return_address: 112 },
    sigreturn: &[
        // sigcontext (16) behind the save area
        SigreturnCode { code: SIGRETURN, context_offset: 160 + 16, registers: SIGREGS },
        // svc (8), siginfo (128), ucontext: flags, link, stack (24)
        SigreturnCode {
            code: RT_SIGRETURN,
            context_offset: 160 + 8 + 128 + 40,
            registers: SIGREGS,
        },
    ],
    handler_frame: HandlerFrame::UNKNOWN,
    futex: None,
    // a0 and a1
    thread_pointer: ThreadPointer::InPrstatus { at: 144, size: 8 },
    tls: Some(TLS),
    floats: FLOATS,
    floats_hold_registers: true,
    float_controls: Some((0, 8)),
    prologue: None,
    decoder: None,
};

/// That of both machines.
pub(super) const TLS: TlsAbi =
    TlsAbi { blocks: TlsBlocks::Below, bias: 0, glibc_vector: 1, musl_vector: 1, musl_added: 0 };
