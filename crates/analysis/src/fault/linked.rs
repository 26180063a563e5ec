//! Addresses and returns of machines whose addresses of the kernel have a sign and that
//! return by a link register: AArch64 (Arm Architecture Reference Manual, D8.1 "The Virtual
//! Memory System Architecture", D8.8 "Address tagging") and RISC-V (The RISC-V Instruction
//! Set Manual, Volume II, "Sv57").

use super::instant::Instant;
use obit_corefile::addr::Avma;
use obit_corefile::arch::Decoder;

/// User addresses have so many bits; with large addresses (ARMv8.2-LVA) those below.
const BITS: u32 = 48;
const LARGE_BITS: u32 = 52;
/// Of an address of RISC-V, whose mode (Sv39, Sv48, Sv57) no core says: the largest.
const RISCV_BITS: u32 = 56;
/// How far below the stack pointer a function may have taken its return address from: what
/// `ldp x29, x30, [sp], #n` and `addi sp, sp, n` can add at once.
const REACH: u64 = 504;
const RISCV_REACH: u64 = 2032;
/// All registers of a `pop {…, pc}`.
const ARM_REACH: u64 = 64;

/// Whether an address is one of the process or of the kernel: the bits between those that
/// are translated and the tag are all the same. Linux has larger addresses only for programs
/// that ask for them. `true` on machines of neither kind.
pub(super) fn is_canonical(instant: &Instant<'_>, address: Avma) -> bool {
    let bits = match instant.machine().decoder() {
        Some(Decoder::Aarch64) => {
            let regions = instant.process.memory.regions();
            let is_large = regions.iter().any(|region| {
                let start = region.range.start.0;
                start >> BITS != 0 && start >> LARGE_BITS == 0
            });
            if is_large { LARGE_BITS } else { BITS }
        }
        Some(Decoder::Riscv) => RISCV_BITS,
        Some(Decoder::A32 | Decoder::Thumb | Decoder::X86 { .. }) | None => return true,
    };
    let high = instant.untagged(address).0.cast_signed() >> bits;
    high == 0 || high == -1
}

/// Whether a return led to the pc: it is what the link register holds, as no call leaves it,
/// and what was taken from the stack still lies just below the stack pointer.
pub(super) fn has_returned(instant: &Instant<'_>) -> bool {
    // `jalr` clears the lowest bit.
    let (reach, dropped) = match instant.machine().decoder() {
        Some(Decoder::Aarch64) => (REACH, 0),
        Some(Decoder::Riscv) => (RISCV_REACH, 1),
        Some(Decoder::A32 | Decoder::Thumb) => (ARM_REACH, 1),
        Some(Decoder::X86 { .. }) | None => return false,
    };
    let taken = || {
        let registers = &instant.place.registers;
        let facts = instant.facts()?;
        let link = registers.get(facts.link?)?;
        let sp = registers.get(facts.sp)?;
        let is_return = instant.untagged(Avma(link & !dropped)) == instant.untagged(instant.pc());
        let below = || (8..=reach).step_by(8).filter_map(|bytes| sp.checked_sub(bytes));
        let memory = &instant.process.memory;
        Some(
            is_return
                && below().any(|at| memory.read_word(Avma(at)).is_ok_and(|word| word == link)),
        )
    };
    taken() == Some(true)
}
