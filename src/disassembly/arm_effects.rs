//! Effects of AArch64 instructions, as far as the plain loads and stores go (Arm
//! Architecture Reference Manual, C4.1 "A64 instruction set encoding").

use super::effects::{AccessMode, Effects, InstructionKind, MemoryOperand, Part};
use crate::arch::Register;

/// Everything else is `None`: nothing is known of it, not that it does nothing.
pub(super) fn effects(code: &[u8]) -> Option<Effects> {
    let word = u32::from_le_bytes(*code.first_chunk()?);
    let trap = Effects { kind: InstructionKind::Trap, accesses: Vec::new() };
    // UDF: the upper half is zero; BRK: 1101 0100 001 imm16 00000.
    if word >> 16 == 0 || word & 0xffe0_001f == 0xd420_0000 {
        return Some(trap);
    }
    let access = single(word).or_else(|| pair(word))?;
    Some(Effects { kind: InstructionKind::Plain, accesses: vec![access] })
}

/// A load or store of one register (size 111 V .. opc): with an unsigned offset, a signed
/// one, one that is written back, or a register.
pub(super) fn single(word: u32) -> Option<MemoryOperand> {
    if field(word, 27, 3) != 0b111 {
        return None;
    }
    let (size, vector, opc) = (field(word, 30, 2), field(word, 26, 1), field(word, 22, 2));
    let (scale, mode) = match (vector, size, opc) {
        // PRFM, and what is not allocated.
        (0, 3, 2) | (0, 2.., 3) => return None,
        (0, _, 0) => (size, AccessMode::Write),
        (0, _, _) => (size, AccessMode::Read),
        (_, 0, 2) => (4, AccessMode::Write),
        (_, 0, 3) => (4, AccessMode::Read),
        (_, _, 0) => (size, AccessMode::Write),
        (_, _, 1) => (size, AccessMode::Read),
        _ => return None,
    };
    let bytes = 1_u64.checked_shl(scale)?;
    let operand = |displacement, index| MemoryOperand {
        mode,
        size: Some(bytes),
        segment: None,
        base: Some(register(field(word, 5, 5))),
        index,
        displacement,
        address_size: 8,
        rounds: None,
    };
    if field(word, 24, 2) == 0b01 {
        let offset = u64::from(field(word, 10, 12)).checked_mul(bytes)?;
        return Some(operand(i64::try_from(offset).ok()?, None));
    }
    if field(word, 24, 2) != 0 {
        return None;
    }
    match (field(word, 21, 1), field(word, 10, 2)) {
        (0, 0b01) => Some(operand(0, None)), // after the access the base moves
        (0, 0b00 | 0b11) => Some(operand(signed(field(word, 12, 9), 9), None)),
        (1, 0b10) => {
            let shift = if field(word, 12, 1) == 1 { scale } else { 0 };
            let times = 1_u64.checked_shl(shift)?;
            let number = field(word, 16, 5);
            match (field(word, 13, 3), number) {
                // xzr
                (0b011 | 0b111, 31) => Some(operand(0, None)),
                (0b011 | 0b111, _) => Some(operand(0, Some((register(number), times)))),
                (0b010, _) if number != 31 => {
                    let half = Part { size: 4, ..register(number) };
                    Some(operand(0, Some((half, times))))
                }
                // SXTW: its sign is not in a `Part`.
                _ => None,
            }
        }
        _ => None,
    }
}

/// A load or store of two registers (opc 101 V): the offset counts in registers.
pub(super) fn pair(word: u32) -> Option<MemoryOperand> {
    if field(word, 27, 3) != 0b101 || field(word, 25, 1) != 0 {
        return None;
    }
    let bytes: i64 = match (field(word, 26, 1), field(word, 30, 2)) {
        (0, 0) | (0, 1) | (1, 0) => 4,
        (0, 2) | (1, 1) => 8,
        (1, 2) => 16,
        _ => return None,
    };
    let is_load = field(word, 22, 1) == 1;
    let offset = signed(field(word, 15, 7), 7).checked_mul(bytes)?;
    Some(MemoryOperand {
        mode: if is_load { AccessMode::Read } else { AccessMode::Write },
        size: u64::try_from(bytes.checked_mul(2)?).ok(),
        segment: None,
        base: Some(register(field(word, 5, 5))),
        index: None,
        // 001: after the access the base moves.
        displacement: if field(word, 23, 2) == 0b01 { 0 } else { offset },
        address_size: 8,
        rounds: None,
    })
}

/// x0 to x30, and sp as 31: our numbers are the same.
fn register(number: u32) -> Part {
    let number = u16::try_from(number).unwrap_or(u16::MAX);
    Part { register: Register(number), shift: 0, size: 8 }
}

/// `len` bits of `word` from bit `low` on.
fn field(word: u32, low: u32, len: u32) -> u32 {
    let above = u32::MAX.checked_shl(len).unwrap_or(0);
    word.checked_shr(low).unwrap_or(0) & !above
}

/// The number in two's complement that the low `bits` of `value` are.
fn signed(value: u32, bits: u32) -> i64 {
    let unused = 32_u32.saturating_sub(bits).min(31);
    i64::from((value << unused).cast_signed() >> unused)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(word: u32) -> MemoryOperand {
        effects(&word.to_le_bytes()).unwrap().accesses[0]
    }

    #[test]
    fn loads_and_stores_name_their_base_and_offset() {
        // ldr x0, [x0, #8]; str w1, [x2, #-4]!; ldrsb w3, [sp], #1; str q0, [x1, #16]
        let load = access(0xf940_0400);
        assert_eq!((load.mode, load.size, load.displacement), (AccessMode::Read, Some(8), 8));
        assert_eq!(load.base, Some(register(0)));
        let store = access(0xb81f_cc41);
        assert_eq!((store.mode, store.size, store.displacement), (AccessMode::Write, Some(4), -4));
        let after = access(0x38c0_17e3);
        assert_eq!((after.mode, after.size, after.displacement), (AccessMode::Read, Some(1), 0));
        assert_eq!(after.base, Some(register(31)));
        let vector = access(0x3d80_0420);
        assert_eq!((vector.mode, vector.size), (AccessMode::Write, Some(16)));
        assert_eq!(vector.displacement, 16);
    }

    #[test]
    fn an_index_is_scaled_by_what_is_loaded() {
        // ldr x0, [x1, x2, lsl #3]; ldr w0, [x1, w2, uxtw]
        assert_eq!(access(0xf862_7820).index, Some((register(2), 8)));
        assert_eq!(access(0xb862_4820).index, Some((Part { size: 4, ..register(2) }, 1)));
    }

    #[test]
    fn a_pair_counts_its_offset_in_registers() {
        // stp x29, x30, [sp, #-32]!; ldp x0, x1, [x2], #16
        let store = access(0xa9be_7bfd);
        assert_eq!((store.mode, store.size), (AccessMode::Write, Some(16)));
        assert_eq!((store.base, store.displacement), (Some(register(31)), -32));
        let load = access(0xa8c1_0440);
        assert_eq!((load.mode, load.displacement), (AccessMode::Read, 0));
    }

    #[test]
    fn traps_are_known_and_of_other_code_nothing_is() {
        // udf #0; brk #0x3e8; add x0, x0, #1; prfm pldl1keep, [x0]
        for word in [0_u32, 0xd420_7d00] {
            let kind = effects(&word.to_le_bytes()).map(|effects| effects.kind);
            assert_eq!(kind, Some(InstructionKind::Trap));
        }
        assert_eq!(effects(&0x9100_0400_u32.to_le_bytes()), None);
        assert_eq!(effects(&0xf980_0000_u32.to_le_bytes()), None);
    }
}
