//! AMD64 with 32-bit addresses: `EM_X86_64` and ELFCLASS32. Registers are those of x86_64 and
//! the stack has slots of 8 bytes; pointers have 4. Sources: x32 ABI, Linux
//! `arch/x86/include/asm/{elf,sigframe}.h`.

use super::facts::LONG_32;
use super::{ElfIdentity, Facts, HandlerFrame, Prstatus, SigreturnCode, TrampolineCode, x86_64};

/// See [`Facts`].
pub(super) const FACTS: Facts = Facts {
    name: "x32",
    elf: ElfIdentity { e_machine: 62, is_64: false, little_endian: None },
    address: 4,
    prstatus: Prstatus { pid: LONG_32.0, registers: LONG_32.1, ..x86_64::FACTS.prstatus },
    sigreturn: &[SigreturnCode {
        // mov $0x40000201, %rax; syscall
        code: TrampolineCode::Bytes(&[0x48, 0xc7, 0xc0, 0x01, 0x02, 0x00, 0x40, 0x0f, 0x05]),
        // uc_flags, uc_link (4 bytes each), uc_stack (12), then aligned to 8.
        context_offset: 24,
        registers: x86_64::SIGCONTEXT,
    }],
    handler_frame: HandlerFrame::UNKNOWN,
    futex: None,
    ..x86_64::FACTS
};
