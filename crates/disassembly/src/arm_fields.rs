//! Fields of AArch64 instructions, and the registers that they name.

use super::effects::{AccessMode, MemoryOperand, Part};
use obit_corefile::arch::Register;

/// The number that is the stack pointer or zero, as the instruction likes.
pub(super) const SP_OR_ZERO: u32 = 31;

/// An access at the register that bits 5 to 9 name, where 31 is the stack pointer.
pub(super) fn at_base(word: u32, mode: AccessMode, bytes: u64, displacement: i64) -> MemoryOperand {
    MemoryOperand {
        mode,
        size: Some(bytes),
        segment: None,
        base: Some(register(field(word, 5, 5))),
        index: None,
        index_is_signed: false,
        displacement,
        address_size: 8,
        rounds: None,
    }
}

/// x0 to x30, and sp as 31: our numbers are the same.
pub(super) fn register(number: u32) -> Part {
    let number = u16::try_from(number).unwrap_or(u16::MAX);
    Part { register: Register(number), shift: 0, size: 8 }
}

/// `len` bits of `word` from bit `low` on.
pub(super) fn field(word: u32, low: u32, len: u32) -> u32 {
    let above = u32::MAX.checked_shl(len).unwrap_or(0);
    word.checked_shr(low).unwrap_or(0) & !above
}

/// The number in two's complement that the low `bits` of `value` are.
pub(super) fn signed(value: u32, bits: u32) -> i64 {
    let unused = 32_u32.saturating_sub(bits).min(31);
    i64::from((value << unused).cast_signed() >> unused)
}
