//! IBM Z with 31-bit addresses: `EM_S390` and ELFCLASS32. Sources: those of s390x.

use super::facts::{LONG_32, registers};
use super::s390x::{self, RT_SIGRETURN, SIGRETURN, access};
use super::{
    CodeAddress, ElfIdentity, Facts, FrameRecord, OtherRegister, Prstatus, Register, Saved,
    SigreturnCode, ThreadPointer,
};

/// The address in the program status word.
const PSWA: Register = Register(65);
/// `psw`, then the general registers.
const GENERAL: &[Saved] = &[Saved::narrow(4, PSWA), Saved::row(8, 0, 16, 4)];

/// See [`Facts`].
pub(super) const FACTS: Facts = Facts {
    name: "s390",
    elf: ElfIdentity { e_machine: 22, is_64: false, little_endian: None },
    word: 4,
    address: 4,
    prstatus: Prstatus {
        pid: LONG_32.0,
        registers: LONG_32.1,
        size: 35 * 4,
        saved: GENERAL,
        others: &[
            OtherRegister { name: "pswm", at: 0, size: 4 },
            access("a0", 72),
            access("a1", 76),
            access("a2", 80),
            access("a3", 84),
            access("a4", 88),
            access("a5", 92),
            access("a6", 96),
            access("a7", 100),
            access("a8", 104),
            access("a9", 108),
            access("a10", 112),
            access("a11", 116),
            access("a12", 120),
            access("a13", 124),
            access("a14", 128),
            access("a15", 132),
            OtherRegister { name: "orig_r2", at: 136, size: 4 },
        ],
        system_call: None,
    },
    callee_saved: &registers([6, 7, 8, 9, 10, 11, 12, 13, 15]),
    cfa_to_sp: -96,
    // Bit 31 says 31-bit addressing.
    code_address: CodeAddress { mode_bits: 0x8000_0000, ..CodeAddress::PLAIN },
    frame_record: FrameRecord::BackChain { return_address: 56 },
    sigreturn: &[
        // sigcontext (12), aligned to 8
        SigreturnCode { code: SIGRETURN, context_offset: 96 + 16, registers: GENERAL },
        // svc (8), siginfo (128), ucontext: flags, link, stack (12), aligned to 8
        SigreturnCode { code: RT_SIGRETURN, context_offset: 96 + 8 + 128 + 24, registers: GENERAL },
    ],
    thread_pointer: ThreadPointer::InPrstatus { at: 72, size: 4 },
    floats_hold_registers: false,
    ..s390x::FACTS
};
