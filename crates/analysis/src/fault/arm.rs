//! What applies to addresses and returns on AArch64 only (Arm Architecture Reference Manual,
//! D8.1 "The Virtual Memory System Architecture", D8.8 "Address tagging").

use super::instant::Instant;
use obit_corefile::addr::Avma;
use obit_corefile::arch::Register;

/// The link register.
const LR: Register = Register(30);
/// User addresses have so many bits; with large addresses (ARMv8.2-LVA) those below.
const BITS: u32 = 48;
const LARGE_BITS: u32 = 52;
/// How far below the stack pointer a function may have taken its return address from: what
/// `ldp x29, x30, [sp], #n` can add at once.
const REACH: u64 = 504;

/// Whether an address is one of the process or of the kernel: the bits between those that
/// are translated and the tag are all the same. Linux has larger addresses only for programs
/// that ask for them.
pub(super) fn is_canonical(instant: &Instant<'_>, address: Avma) -> bool {
    let regions = instant.process.memory.regions();
    let is_large = regions.iter().any(|region| {
        let start = region.range.start.0;
        start >> BITS != 0 && start >> LARGE_BITS == 0
    });
    let bits = if is_large { LARGE_BITS } else { BITS };
    let high = instant.untagged(address).0.cast_signed() >> bits;
    high == 0 || high == -1
}

/// Whether a return led to the pc: it is what the link register holds, as no call leaves it,
/// and what was taken from the stack still lies just below the stack pointer.
pub(super) fn has_returned(instant: &Instant<'_>) -> bool {
    let taken = || {
        let registers = &instant.place.registers;
        let facts = instant.facts()?;
        let link = registers.get(LR)?;
        let sp = registers.get(facts.sp)?;
        let is_return = instant.untagged(Avma(link)) == instant.untagged(instant.pc());
        let below = || (8..=REACH).step_by(8).filter_map(|bytes| sp.checked_sub(bytes));
        let memory = &instant.process.memory;
        Some(
            is_return
                && below().any(|at| memory.read_word(Avma(at)).is_ok_and(|word| word == link)),
        )
    };
    taken() == Some(true)
}
