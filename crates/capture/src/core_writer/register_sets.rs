//! Which register sets of a thread go into a core, in the order of the kernel's
//! `user_regset_view` of each machine (`arch/*/kernel/ptrace.c`).

use std::io;

use crate::{Tid, ptrace};

/// `NT_PRFPREG`: the one set whose note the kernel owns as `CORE`.
pub(super) const FLOATING_POINT: u32 = 2;

/// `NT_X86_XSTATE`.
pub(super) const XSTATE: u32 = 0x202;

const EM_386: u16 = 3;
const EM_PPC: u16 = 20;
const EM_PPC64: u16 = 21;
const EM_S390: u16 = 22;
const EM_ARM: u16 = 40;
const EM_X86_64: u16 = 62;
const EM_AARCH64: u16 = 183;
const EM_RISCV: u16 = 243;
const EM_LOONGARCH: u16 = 258;

/// The types of the notes behind the general registers (`include/uapi/linux/elf.h`).
///
/// The keys of pointer authentication on arm64 (`NT_ARM_PACA_KEYS`, `NT_ARM_PACG_KEYS`) are
/// left out: a process that lives still signs with them.
fn of_machine(number: u16) -> &'static [u32] {
    match number {
        // NT_X86_XSTATE, NT_X86_SHSTK
        EM_X86_64 => &[FLOATING_POINT, XSTATE, 0x204],
        // NT_PRXFPREG, NT_X86_XSTATE, NT_386_TLS
        EM_386 => &[FLOATING_POINT, 0x46e6_2b7f, XSTATE, 0x200],
        // NT_ARM_TLS, HW_BREAK, HW_WATCH, FPMR, SYSTEM_CALL, SVE, SSVE, ZA, ZT, PAC_MASK,
        // PAC_ENABLED_KEYS, TAGGED_ADDR_CTRL, POE, GCS
        EM_AARCH64 => &[
            FLOATING_POINT,
            0x401,
            0x402,
            0x403,
            0x40e,
            0x404,
            0x405,
            0x40b,
            0x40c,
            0x40d,
            0x406,
            0x40a,
            0x409,
            0x40f,
            0x410,
        ],
        // NT_ARM_VFP
        EM_ARM => &[FLOATING_POINT, 0x400],
        // NT_RISCV_VECTOR
        EM_RISCV => &[FLOATING_POINT, 0x901],
        // NT_PPC_VMX, SPE, VSX
        EM_PPC | EM_PPC64 => &[FLOATING_POINT, 0x100, 0x101, 0x102],
        // NT_S390_LAST_BREAK, SYSTEM_CALL, TDB, VXRS_LOW, VXRS_HIGH
        EM_S390 => &[FLOATING_POINT, 0x306, 0x307, 0x308, 0x309, 0x30a],
        // NT_LOONGARCH_CPUCFG, LSX, LASX, LBT
        EM_LOONGARCH => &[FLOATING_POINT, 0xa00, 0xa02, 0xa03, 0xa04],
        _ => &[FLOATING_POINT],
    }
}

/// Those of a stopped thread on the machine with this `e_machine`, by the type of their notes.
/// What the processor does not have is absent.
pub(super) fn of_thread(number: u16, thread: Tid) -> io::Result<Vec<(u32, Vec<u8>)>> {
    let mut sets = Vec::new();
    for note in of_machine(number) {
        match ptrace::register_set(thread, *note) {
            Ok(set) if set.is_empty() => {}
            Ok(set) => sets.push((*note, set)),
            // The thread was killed.
            Err(error) if error.raw_os_error() == Some(libc::ESRCH) => return Err(error),
            // ENODEV, EINVAL, ENXIO …: the kernel or the processor has no such set.
            Err(_) => {}
        }
    }
    Ok(sets)
}
