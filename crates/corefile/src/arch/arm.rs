//! 32-bit Arm. Sources: DWARF for the Arm Architecture (AADWARF32) § 4.1, AAPCS32
//! § 6.1.1, Linux `arch/arm/include/uapi/asm/{ptrace,sigcontext}.h`.

use super::{Facts, Register, SigreturnCode};

const SP: Register = Register(13);
const LR: Register = Register(14);
const PC: Register = Register(15);

const fn r(number: u16) -> Option<Register> {
    Some(Register(number))
}

/// `struct sigcontext`: trap_no, error_code, oldmask, then r0 to r10, fp, ip, sp, lr, pc.
const SIGCONTEXT: &[(u64, Register)] = &[
    (12, Register(0)),
    (16, Register(1)),
    (20, Register(2)),
    (24, Register(3)),
    (28, Register(4)),
    (32, Register(5)),
    (36, Register(6)),
    (40, Register(7)),
    (44, Register(8)),
    (48, Register(9)),
    (52, Register(10)),
    (56, Register(11)),
    (60, Register(12)),
    (64, SP),
    (68, LR),
    (72, PC),
];

/// See [`Facts`].
pub(super) static FACTS: Facts = Facts {
    name: "arm",
    word: 4,
    names: &[
        (Register(0), "r0"),
        (Register(1), "r1"),
        (Register(2), "r2"),
        (Register(3), "r3"),
        (Register(4), "r4"),
        (Register(5), "r5"),
        (Register(6), "r6"),
        (Register(7), "r7"),
        (Register(8), "r8"),
        (Register(9), "r9"),
        (Register(10), "r10"),
        (Register(11), "r11"),
        (Register(12), "r12"),
        (SP, "sp"),
        (LR, "lr"),
        (PC, "pc"),
    ],
    gregset: &[
        r(0),
        r(1),
        r(2),
        r(3),
        r(4),
        r(5),
        r(6),
        r(7),
        r(8),
        r(9),
        r(10),
        r(11),
        r(12),
        r(13),
        r(14),
        r(15),
        None,
        None,
    ],
    prstatus_registers: 72,
    pc: PC,
    sp: SP,
    fp: Register(11),
    link: Some(LR),
    callee_saved: &[
        Register(4),
        Register(5),
        Register(6),
        Register(7),
        Register(8),
        Register(9),
        Register(10),
        Register(11),
        SP,
    ],
    pushed_return: false,
    sigreturn: &[
        SigreturnCode {
            // mov r7, #119; swi 0x900077: the kernel's own, for a handler without restorer
            bytes: &[0x77, 0x70, 0xa0, 0xe3, 0x77, 0x00, 0x90, 0xef],
            context_offset: 20,
            registers: SIGCONTEXT,
        },
        SigreturnCode {
            // mov r7, #173; swi 0x9000ad
            bytes: &[0xad, 0x70, 0xa0, 0xe3, 0xad, 0x00, 0x90, 0xef],
            context_offset: 128 + 20,
            registers: SIGCONTEXT,
        },
        SigreturnCode {
            // mov.w r7, #119; svc 0 (Thumb-2, a C library's)
            bytes: &[0x4f, 0xf0, 0x77, 0x07, 0x00, 0xdf],
            context_offset: 20,
            registers: SIGCONTEXT,
        },
        SigreturnCode {
            // mov.w r7, #173; svc 0 (Thumb-2)
            bytes: &[0x4f, 0xf0, 0xad, 0x07, 0x00, 0xdf],
            context_offset: 128 + 20,
            registers: SIGCONTEXT,
        },
        SigreturnCode {
            // mov r7, #119; svc 0 (ARM): ucontext at sp, its mcontext at 20
            bytes: &[0x77, 0x70, 0xa0, 0xe3, 0x00, 0x00, 0x00, 0xef],
            context_offset: 20,
            registers: SIGCONTEXT,
        },
        SigreturnCode {
            // mov r7, #173; svc 0 (ARM): siginfo (128) first
            bytes: &[0xad, 0x70, 0xa0, 0xe3, 0x00, 0x00, 0x00, 0xef],
            context_offset: 128 + 20,
            registers: SIGCONTEXT,
        },
        SigreturnCode {
            // movs r7, #119; svc 0 (Thumb)
            bytes: &[0x77, 0x27, 0x00, 0xdf],
            context_offset: 20,
            registers: SIGCONTEXT,
        },
        SigreturnCode {
            // movs r7, #173; svc 0 (Thumb)
            bytes: &[0xad, 0x27, 0x00, 0xdf],
            context_offset: 128 + 20,
            registers: SIGCONTEXT,
        },
    ],
};
