//! AMD64. Sources: System V ABI AMD64 1.0 figure 3.36 (DWARF numbers), Linux
//! `arch/x86/include/asm/user_64.h` (`user_regs_struct`), `include/uapi/asm/ucontext.h`.

use super::{Facts, Register, SigreturnCode};

const RAX: Register = Register(0);
const RDX: Register = Register(1);
const RCX: Register = Register(2);
const RBX: Register = Register(3);
const RSI: Register = Register(4);
const RDI: Register = Register(5);
const RBP: Register = Register(6);
const RSP: Register = Register(7);
const R8: Register = Register(8);
const R9: Register = Register(9);
const R10: Register = Register(10);
const R11: Register = Register(11);
const R12: Register = Register(12);
const R13: Register = Register(13);
const R14: Register = Register(14);
const R15: Register = Register(15);
const RIP: Register = Register(16);
const FS_BASE: Register = Register(58);
const GS_BASE: Register = Register(59);

/// See [`Facts`].
pub(super) static FACTS: Facts = Facts {
    name: "x86_64",
    word: 8,
    names: &[
        (RAX, "rax"),
        (RDX, "rdx"),
        (RCX, "rcx"),
        (RBX, "rbx"),
        (RSI, "rsi"),
        (RDI, "rdi"),
        (RBP, "rbp"),
        (RSP, "rsp"),
        (R8, "r8"),
        (R9, "r9"),
        (R10, "r10"),
        (R11, "r11"),
        (R12, "r12"),
        (R13, "r13"),
        (R14, "r14"),
        (R15, "r15"),
        (RIP, "rip"),
        (FS_BASE, "fs_base"),
        (GS_BASE, "gs_base"),
    ],
    // r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags
    // rsp ss fs_base gs_base ds es fs gs
    gregset: &[
        Some(R15),
        Some(R14),
        Some(R13),
        Some(R12),
        Some(RBP),
        Some(RBX),
        Some(R11),
        Some(R10),
        Some(R9),
        Some(R8),
        Some(RAX),
        Some(RCX),
        Some(RDX),
        Some(RSI),
        Some(RDI),
        None,
        Some(RIP),
        None,
        None,
        Some(RSP),
        None,
        Some(FS_BASE),
        Some(GS_BASE),
        None,
        None,
        None,
        None,
    ],
    prstatus_registers: 112,
    pc: RIP,
    sp: RSP,
    fp: RBP,
    link: None,
    callee_saved: &[RBX, RBP, RSP, R12, R13, R14, R15, FS_BASE, GS_BASE],
    pushed_return: true,
    sigreturn: &[SigreturnCode {
        // mov $15, %rax; syscall
        bytes: &[0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05],
        // struct ucontext: uc_flags, uc_link, uc_stack (24), then uc_mcontext.gregs.
        context_offset: 40,
        registers: &[
            (0, R8),
            (8, R9),
            (16, R10),
            (24, R11),
            (32, R12),
            (40, R13),
            (48, R14),
            (56, R15),
            (64, RDI),
            (72, RSI),
            (80, RBP),
            (88, RBX),
            (96, RDX),
            (104, RAX),
            (112, RCX),
            (120, RSP),
            (128, RIP),
        ],
    }],
};
