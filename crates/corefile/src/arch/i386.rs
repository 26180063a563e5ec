//! 32-bit x86. Sources: System V ABI Intel386 1.1 table 2.14 (DWARF numbers), Linux
//! `arch/x86/include/asm/user_32.h`, `include/uapi/asm/sigcontext.h`.

use super::facts::{LONG_32, names};
use super::{
    Calls, CodeAddress, Decoder, ElfIdentity, Facts, FloatBank, FloatPlace, FrameRecord, FutexCall,
    HandlerFrame, Leaf, OtherRegister, Prstatus, Register, Saved, SiginfoPlace, SigreturnCode,
    TableDialect, ThreadPointer, TrampolineCode, X86Float, x86_64,
};

const EAX: Register = Register(0);
const ECX: Register = Register(1);
const EDX: Register = Register(2);
const EBX: Register = Register(3);
const ESP: Register = Register(4);
const EBP: Register = Register(5);
const ESI: Register = Register(6);
const EDI: Register = Register(7);
const EIP: Register = Register(8);

/// `struct sigcontext_32`: gs fs es ds (4 bytes each), then these.
const SIGCONTEXT: &[Saved] = &[
    Saved::narrow(16, EDI),
    Saved::narrow(20, ESI),
    Saved::narrow(24, EBP),
    Saved::narrow(28, ESP),
    Saved::narrow(32, EBX),
    Saved::narrow(36, EDX),
    Saved::narrow(40, ECX),
    Saved::narrow(44, EAX),
    Saved::narrow(56, EIP),
];

const fn other(name: &'static str, nth: usize) -> OtherRegister {
    OtherRegister { name, at: nth.saturating_mul(4), size: 4 }
}

/// See [`Facts`].
pub(super) const FACTS: Facts = Facts {
    name: "i386",
    elf: ElfIdentity { e_machine: 3, is_64: false, little_endian: None },
    word: 4,
    address: 4,
    names: &names(
        [0, 1, 2, 3, 4, 5, 6, 7, 8],
        ["eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi", "eip"],
    ),
    // ebx ecx edx esi edi ebp eax ds es fs gs orig_eax eip cs eflags esp ss
    prstatus: Prstatus {
        pid: LONG_32.0,
        registers: LONG_32.1,
        size: 17 * 4,
        saved: &[
            Saved::narrow(0, EBX),
            Saved::narrow(4, ECX),
            Saved::narrow(8, EDX),
            Saved::narrow(12, ESI),
            Saved::narrow(16, EDI),
            Saved::narrow(20, EBP),
            Saved::narrow(24, EAX),
            Saved::narrow(48, EIP),
            Saved::narrow(60, ESP),
        ],
        others: &[
            other("ds", 7),
            other("es", 8),
            other("fs", 9),
            other("gs", 10),
            other("cs", 13),
            other("eflags", 14),
            other("ss", 16),
        ],
        system_call: Some(11 * 4),
    },
    pc: EIP,
    sp: ESP,
    fp: EBP,
    link: None,
    callee_saved: &[EBX, ESP, EBP, ESI, EDI],
    keeps_floats: false,
    segment_bases: &[],
    arguments: &[],
    result: Some(EAX),
    cfa_to_sp: 0,
    code_address: CodeAddress::PLAIN,
    tables: TableDialect::PLAIN,
    calls: Calls::X86,
    leaf: Leaf::UNKNOWN,
    frame_record: FrameRecord::FramePointer { saved: 0, return_address: 4, sp: 8 },
    sigreturn: &[
        SigreturnCode {
            // pop %eax; mov $119, %eax; int $0x80: sigcontext follows the signal number
            code: TrampolineCode::Bytes(&[0x58, 0xb8, 0x77, 0, 0, 0, 0xcd, 0x80]),
            context_offset: 4,
            registers: SIGCONTEXT,
        },
        SigreturnCode {
            // mov $173, %eax; int $0x80: sig, pinfo, puc, siginfo (128), then ucontext,
            // whose uc_mcontext is at 20
            code: TrampolineCode::Bytes(&[0xb8, 0xad, 0, 0, 0, 0xcd, 0x80]),
            context_offset: 4 + 4 + 4 + 128 + 20,
            registers: SIGCONTEXT,
        },
    ],
    handler_frame: HandlerFrame {
        // `sig`, then the pointer to the record behind the three arguments.
        siginfo: SiginfoPlace::PointedTo { pointer: 4, at: 12 },
        ..HandlerFrame::UNKNOWN
    },
    futex: Some(FutexCall { numbers: &[240, 422], word: EBX, operation: ECX, timeout: ESI }),
    thread_pointer: ThreadPointer::Selector { at: 10 * 4 },
    tls: Some(x86_64::TLS),
    floats: &[
        FloatBank::new("xmm", 21, 8, FloatPlace::X86(X86Float::Vectors)),
        FloatBank::new("st", 11, 8, FloatPlace::X86(X86Float::Stack)),
        FloatBank::new("fctrl", 37, 1, FloatPlace::X86(X86Float::Control)),
        FloatBank::new("fstat", 38, 1, FloatPlace::X86(X86Float::Status)),
        FloatBank::new("mxcsr", 39, 1, FloatPlace::X86(X86Float::Mxcsr)),
        FloatBank::new("k", 93, 8, FloatPlace::X86(X86Float::Masks)),
    ],
    // `fsave`: seven control words, then the stack.
    floats_hold_registers: false,
    float_controls: Some((0, 28)),
    prologue: None,
    decoder: Some(Decoder::X86 { bits: 32 }),
};
