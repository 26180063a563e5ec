//! Loads and stores of structures of one to four vector registers (Arm Architecture
//! Reference Manual, C4.1.94 "Advanced SIMD load/store multiple structures" and "single
//! structure").

use super::arm_fields::{at_base, field};
use super::effects::{AccessMode, MemoryOperand};

/// 0 Q 00110 .. L ..: LD1 to LD4 and ST1 to ST4. All lie together from the base on; where
/// the base moves, it does so afterwards.
pub(super) fn structure(word: u32) -> Option<MemoryOperand> {
    if field(word, 31, 1) != 0 || field(word, 25, 1) != 0 {
        return None;
    }
    let bytes = if field(word, 24, 1) == 0 { whole(word)? } else { elements(word)? };
    let is_load = field(word, 22, 1) == 1;
    let mode = if is_load { AccessMode::Read } else { AccessMode::Write };
    Some(at_base(word, mode, bytes, 0))
}

/// Bytes of whole registers.
fn whole(word: u32) -> Option<u64> {
    if field(word, 21, 1) != 0 {
        return None;
    }
    let registers = match field(word, 12, 4) {
        0b0000 | 0b0010 => 4,
        0b0100 | 0b0110 => 3,
        0b1000 | 0b1010 => 2,
        0b0111 => 1,
        _ => return None,
    };
    Some(if field(word, 30, 1) == 1 { registers << 4 } else { registers << 3 })
}

/// Bytes of one element of each register.
fn elements(word: u32) -> Option<u64> {
    let opcode = field(word, 13, 3);
    let (size, nth) = (field(word, 10, 2), field(word, 12, 1));
    let scale = match opcode >> 1 {
        0b00 => 0,
        0b01 if size & 1 == 0 => 1,
        0b10 if size == 0 => 2,
        0b10 if size == 1 && nth == 0 => 3,
        // LD1R and its kin fill the register with the one.
        0b11 if nth == 0 && field(word, 22, 1) == 1 => size,
        _ => return None,
    };
    let registers = ((opcode & 1) << 1 | field(word, 21, 1)).checked_add(1)?;
    u64::from(registers).checked_shl(scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(word: u32) -> (AccessMode, Option<u64>) {
        let access = structure(word).unwrap();
        assert_eq!((access.base.unwrap().register.0, access.displacement), (1, 0));
        (access.mode, access.size)
    }

    #[test]
    fn whole_registers_lie_one_after_the_other() {
        // ld1 {v0.16b}, [x1]; ld1 {v0.8b}, [x1]; st1 {v0.16b, v1.16b}, [x1];
        // ld1 {v0.16b-v3.16b}, [x1], #64; ld3 {v0.8b-v2.8b}, [x1]; st4 {v0.4s-v3.4s}, [x1]
        assert_eq!(decoded(0x4c40_7020), (AccessMode::Read, Some(16)));
        assert_eq!(decoded(0x0c40_7020), (AccessMode::Read, Some(8)));
        assert_eq!(decoded(0x4c00_a020), (AccessMode::Write, Some(32)));
        assert_eq!(decoded(0x4cdf_2020), (AccessMode::Read, Some(64)));
        assert_eq!(decoded(0x0c40_4020), (AccessMode::Read, Some(24)));
        assert_eq!(decoded(0x4c00_0820), (AccessMode::Write, Some(64)));
    }

    #[test]
    fn of_elements_there_is_one_for_each_register() {
        // ld1 {v0.b}[0], [x1]; st1 {v0.d}[1], [x1]; ld2 {v0.h, v1.h}[0], [x1];
        // ld1r {v0.4s}, [x1]; ld4r {v0.2d-v3.2d}, [x1]
        assert_eq!(decoded(0x0d40_0020), (AccessMode::Read, Some(1)));
        assert_eq!(decoded(0x4d00_8420), (AccessMode::Write, Some(8)));
        assert_eq!(decoded(0x0d60_4020), (AccessMode::Read, Some(4)));
        assert_eq!(decoded(0x4d40_c820), (AccessMode::Read, Some(4)));
        assert_eq!(decoded(0x4d60_ec20), (AccessMode::Read, Some(32)));
    }

    #[test]
    fn what_is_not_allocated_is_none() {
        for word in [0x4c40_1020, 0x4c60_7020, 0x4d00_c020, 0x0d40_4420] {
            assert_eq!(structure(word), None, "{word:x}");
        }
    }
}
