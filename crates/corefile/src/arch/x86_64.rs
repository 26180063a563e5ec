//! AMD64. Sources: System V ABI AMD64 1.0 figure 3.36 (DWARF numbers), Linux
//! `arch/x86/include/asm/user_64.h` (`user_regs_struct`), `include/uapi/asm/ucontext.h`.

use super::facts::{LONG_64, names, registers};
use super::{
    Calls, CodeAddress, ContextSigns, Decoder, ElfIdentity, Facts, FloatBank, FloatPlace,
    FrameRecord, FutexCall, HandlerFrame, Leaf, OtherRegister, Prstatus, Register, Saved,
    SiginfoPlace, SigreturnCode, TableDialect, ThreadPointer, TlsAbi, TlsBlocks, TrampolineCode,
    X86Float,
};

const RAX: Register = Register(0);
const RDX: Register = Register(1);
const RCX: Register = Register(2);
const RBX: Register = Register(3);
const RSI: Register = Register(4);
const RDI: Register = Register(5);
const RBP: Register = Register(6);
const RSP: Register = Register(7);
const R8: Register = Register(8);
const R10: Register = Register(10);
const R12: Register = Register(12);
const R13: Register = Register(13);
const R14: Register = Register(14);
const R15: Register = Register(15);
const RIP: Register = Register(16);
const FS_BASE: Register = Register(58);
const GS_BASE: Register = Register(59);

/// From `struct ucontext` to `uc_mcontext`: `uc_flags`, `uc_link`, `uc_stack` (24).
const MCONTEXT: u64 = 40;

/// `struct sigcontext` from r8 to rip.
pub(super) const SIGCONTEXT: &[Saved] = &[
    Saved::row(0, 8, 8, 8), // r8 to r15
    Saved::wide(64, RDI),
    Saved::wide(72, RSI),
    Saved::wide(80, RBP),
    Saved::wide(88, RBX),
    Saved::wide(96, RDX),
    Saved::wide(104, RAX),
    Saved::wide(112, RCX),
    Saved::wide(120, RSP),
    Saved::wide(128, RIP),
];

const fn other(name: &'static str, nth: usize) -> OtherRegister {
    OtherRegister { name, at: nth.saturating_mul(8), size: 8 }
}

/// See [`Facts`].
pub(super) const FACTS: Facts = Facts {
    name: "x86_64",
    elf: ElfIdentity { e_machine: 62, is_64: true, little_endian: None },
    word: 8,
    address: 8,
    names: &names(
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 58, 59],
        [
            "rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11",
            "r12", "r13", "r14", "r15", "rip", "fs_base", "gs_base",
        ],
    ),
    // `user_regs_struct`: r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip
    // cs eflags rsp ss fs_base gs_base ds es fs gs
    prstatus: Prstatus {
        pid: LONG_64.0,
        registers: LONG_64.1,
        size: 27 * 8,
        saved: &[
            Saved::wide(0, R15),
            Saved::wide(8, R14),
            Saved::wide(16, R13),
            Saved::wide(24, R12),
            Saved::wide(32, RBP),
            Saved::wide(40, RBX),
            Saved::wide(48, Register(11)),
            Saved::wide(56, R10),
            Saved::wide(64, Register(9)),
            Saved::wide(72, R8),
            Saved::wide(80, RAX),
            Saved::wide(88, RCX),
            Saved::wide(96, RDX),
            Saved::wide(104, RSI),
            Saved::wide(112, RDI),
            Saved::wide(128, RIP),
            Saved::wide(152, RSP),
            Saved::wide(168, FS_BASE),
            Saved::wide(176, GS_BASE),
        ],
        others: &[
            other("cs", 17),
            other("eflags", 18),
            other("ss", 20),
            other("ds", 23),
            other("es", 24),
            other("fs", 25),
            other("gs", 26),
        ],
        system_call: Some(15 * 8),
    },
    pc: RIP,
    sp: RSP,
    fp: RBP,
    link: None,
    callee_saved: &[RBX, RBP, RSP, R12, R13, R14, R15, FS_BASE, GS_BASE],
    keeps_floats: false,
    segment_bases: &[FS_BASE, GS_BASE],
    arguments: &registers([5, 4, 1, 2, 8, 9]), // rdi, rsi, rdx, rcx, r8, r9
    result: Some(RAX),
    cfa_to_sp: 0,
    code_address: CodeAddress::PLAIN,
    tables: TableDialect::PLAIN,
    calls: Calls::X86,
    leaf: Leaf::UNKNOWN,
    frame_record: FrameRecord::FramePointer { saved: 0, return_address: 8, sp: 16 },
    sigreturn: &[SigreturnCode {
        // mov $15, %rax; syscall
        code: TrampolineCode::Bytes(&[0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05]),
        context_offset: MCONTEXT,
        registers: SIGCONTEXT,
    }],
    handler_frame: HandlerFrame {
        // Behind `sigcontext` (256) and the signal mask (8).
        siginfo: SiginfoPlace::At(MCONTEXT + 256 + 8),
        fault_address: Some(MCONTEXT + 22 * 8),
        trap_number: Some(MCONTEXT + 20 * 8),
        float_pointer: Some(MCONTEXT + 23 * 8),
        signs: Some(ContextSigns {
            flags: 7,
            link: 8,
            selectors: MCONTEXT + 18 * 8,
            user_code: 0x33,
            user_data: 0x2b,
            float_pointer: MCONTEXT + 23 * 8,
        }),
    },
    futex: Some(FutexCall { numbers: &[202], word: RDI, operation: RSI, timeout: R10 }),
    thread_pointer: ThreadPointer::Register(FS_BASE),
    tls: Some(TLS),
    floats: FLOATS,
    floats_hold_registers: false,
    float_controls: Some((0, 32)),
    prologue: None,
    decoder: Some(Decoder::X86 { bits: 64 }),
};

/// That of all x86: `tcbhead_t` and musl's `struct pthread` begin with a pointer to
/// themselves; the vector follows.
pub(super) const TLS: TlsAbi =
    TlsAbi { blocks: TlsBlocks::Below, bias: 0, glibc_vector: 1, musl_vector: 1, musl_added: 0 };

/// In `fxsave` and `xsave` areas.
pub(super) const FLOATS: &[FloatBank] = &[
    FloatBank::new("xmm", 17, 16, FloatPlace::X86(X86Float::Vectors)),
    FloatBank {
        numbered_from: 16,
        ..FloatBank::new("xmm", 67, 16, FloatPlace::X86(X86Float::Vectors))
    },
    FloatBank::new("st", 33, 8, FloatPlace::X86(X86Float::Stack)),
    FloatBank::new("mxcsr", 64, 1, FloatPlace::X86(X86Float::Mxcsr)),
    FloatBank::new("fctrl", 65, 1, FloatPlace::X86(X86Float::Control)),
    FloatBank::new("fstat", 66, 1, FloatPlace::X86(X86Float::Status)),
    FloatBank::new("k", 118, 8, FloatPlace::X86(X86Float::Masks)),
];
