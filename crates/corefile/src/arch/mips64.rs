//! 64-bit MIPS: n64, and n32 with 32-bit addresses. Sources: those of o32, MIPSpro N32 ABI
//! Handbook.

use super::facts::{LONG_32, LONG_64, names, registers};
use super::mips::{self, NUMBERS};
use super::{
    ElfIdentity, Facts, OtherRegister, Prstatus, Register, Saved, SigreturnCode, TrampolineCode,
};

const PC: Register = Register::PC;
/// `struct sigcontext`: registers, then 32 floating-point registers, `sc_mdhi` and so on.
const SIGCONTEXT: &[Saved] = &[Saved::row(0, 0, 32, 8), Saved::wide(576, PC)];

const fn other(name: &'static str, nth: usize) -> OtherRegister {
    OtherRegister { name, at: nth.saturating_mul(8), size: 8 }
}

/// See [`Facts`].
pub(super) const N64: Facts = Facts {
    name: "mips64",
    elf: ElfIdentity { e_machine: 8, is_64: true, little_endian: None },
    word: 8,
    address: 8,
    names: &names(
        NUMBERS,
        [
            "zero", "at", "v0", "v1", "a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "t0", "t1",
            "t2", "t3", "s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "t8", "t9", "k0", "k1",
            "gp", "sp", "s8", "ra", "pc",
        ],
    ),
    prstatus: Prstatus {
        pid: LONG_64.0,
        registers: LONG_64.1,
        size: 45 * 8,
        saved: &[Saved::row(0, 0, 32, 8), Saved::wide(34 * 8, PC)],
        others: &[
            other("lo", 32),
            other("hi", 33),
            other("badvaddr", 35),
            other("status", 36),
            other("cause", 37),
        ],
        system_call: None,
    },
    arguments: &registers([4, 5, 6, 7, 8, 9, 10, 11]),
    sigreturn: &[SigreturnCode {
        // li v0,5211; syscall: pad (24), siginfo (128), ucontext: flags, link, stack (24)
        code: TrampolineCode::Words(&[0x2402_145b, 0x0000_000c]),
        context_offset: 24 + 128 + 40,
        registers: SIGCONTEXT,
    }],
    ..mips::FACTS
};

/// Its header is that of o32; the length of `NT_PRSTATUS` distinguishes them (see
/// [`super::Machine`]).
pub(super) const N32: Facts = Facts {
    name: "mipsn32",
    elf: ElfIdentity { e_machine: 8, is_64: false, little_endian: None },
    address: 4,
    prstatus: Prstatus { pid: LONG_32.0, registers: LONG_32.1, ..N64.prstatus },
    sigreturn: &[SigreturnCode {
        // li v0,6211; syscall: flags and link have 4 bytes, stack 12
        code: TrampolineCode::Words(&[0x2402_1843, 0x0000_000c]),
        context_offset: 24 + 128 + 24,
        registers: SIGCONTEXT,
    }],
    ..N64
};
