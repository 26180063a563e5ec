//! 32-bit x86. Sources: System V ABI Intel386 1.1 table 2.14 (DWARF numbers), Linux
//! `arch/x86/include/asm/user_32.h`, `include/uapi/asm/sigcontext.h`.

use super::{Facts, Register, SigreturnCode};

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
const SIGCONTEXT: &[(u64, Register)] = &[
    (16, EDI),
    (20, ESI),
    (24, EBP),
    (28, ESP),
    (32, EBX),
    (36, EDX),
    (40, ECX),
    (44, EAX),
    (56, EIP),
];

/// See [`Facts`].
pub(super) static FACTS: Facts = Facts {
    name: "i386",
    word: 4,
    names: &[
        (EAX, "eax"),
        (ECX, "ecx"),
        (EDX, "edx"),
        (EBX, "ebx"),
        (ESP, "esp"),
        (EBP, "ebp"),
        (ESI, "esi"),
        (EDI, "edi"),
        (EIP, "eip"),
    ],
    // ebx ecx edx esi edi ebp eax ds es fs gs orig_eax eip cs eflags esp ss
    gregset: &[
        Some(EBX),
        Some(ECX),
        Some(EDX),
        Some(ESI),
        Some(EDI),
        Some(EBP),
        Some(EAX),
        None,
        None,
        None,
        None,
        None,
        Some(EIP),
        None,
        None,
        Some(ESP),
        None,
    ],
    prstatus_registers: 72,
    pc: EIP,
    sp: ESP,
    fp: EBP,
    link: None,
    callee_saved: &[EBX, ESP, EBP, ESI, EDI],
    pushed_return: true,
    sigreturn: &[
        SigreturnCode {
            // pop %eax; mov $119, %eax; int $0x80: sigcontext follows the signal number
            bytes: &[0x58, 0xb8, 0x77, 0, 0, 0, 0xcd, 0x80],
            context_offset: 4,
            registers: SIGCONTEXT,
        },
        SigreturnCode {
            // mov $173, %eax; int $0x80: sig, pinfo, puc, siginfo (128), then ucontext,
            // whose uc_mcontext is at 20
            bytes: &[0xb8, 0xad, 0, 0, 0, 0xcd, 0x80],
            context_offset: 4 + 4 + 4 + 128 + 20,
            registers: SIGCONTEXT,
        },
    ],
};
