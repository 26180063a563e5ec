//! Contiguous loads and stores of SVE, which copy memory in the C library (Arm Architecture
//! Reference Manual, C4.1 "SVE encodings": "SVE Memory - Contiguous Load" and "SVE Memory -
//! Contiguous Store").

use super::arm_fields::{at_base, field, register};
use super::effects::{AccessMode, MemoryOperand, Part};

/// LD1B to LD1D, LDFF1B to LDFF1D, ST1B to ST1D with one base. How much they touch is for
/// their predicate and the vectors' length, which the instruction does not say; so is the
/// address where its offset counts in vectors and is not zero.
pub(super) fn contiguous(word: u32) -> Option<MemoryOperand> {
    let form = field(word, 13, 3);
    let (mode, scale, by_register) = match (field(word, 25, 7), form) {
        (0b101_0010, 0b010 | 0b011) => (AccessMode::Read, load_scale(word), true),
        (0b101_0010, 0b101) => (AccessMode::Read, 0, false),
        (0b111_0010, 0b010) => (AccessMode::Write, field(word, 23, 2), true),
        (0b111_0010, 0b111) => (AccessMode::Write, 0, false),
        _ => return None,
    };
    let at_base = MemoryOperand { size: None, ..at_base(word, mode, 0, 0) };
    if !by_register {
        return (field(word, 16, 5) == 0).then_some(at_base);
    }
    let index = index(field(word, 16, 5), form, scale)?;
    Some(MemoryOperand { index, ..at_base })
}

/// The index; of LDFF1 31 is zero, and others have no such form.
fn index(number: u32, form: u32, scale: u32) -> Option<Option<(Part, u64)>> {
    match (number, form) {
        (31, 0b011) => Some(None),
        (31, _) => None,
        _ => Some(Some((register(number), 1_u64.checked_shl(scale)?))),
    }
}

/// The binary logarithm of the bytes of one element in memory, which `dtype` also gives
/// what it becomes in the register.
fn load_scale(word: u32) -> u32 {
    match field(word, 21, 4) {
        0b0000..=0b0011 | 0b1100..=0b1110 => 0,
        0b0101..=0b1001 => 1,
        0b0100 | 0b1010 | 0b1011 => 2,
        _ => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contiguous_access_has_a_base_and_no_size() {
        // ld1b {z0.b}, p0/z, [x1]; st1b {z0.b}, p0, [x2]
        for (word, mode, base) in
            [(0xa400_a020, AccessMode::Read, 1), (0xe400_e040, AccessMode::Write, 2)]
        {
            let access = contiguous(word).unwrap();
            assert_eq!((access.mode, access.size, access.index), (mode, None, None));
            assert_eq!(access.base, Some(register(base)));
        }
    }

    #[test]
    fn an_index_counts_in_elements() {
        // ld1w {z0.s}, p0/z, [x1, x2, lsl #2]; ld1sh {z0.d}, p0/z, [x1, x2, lsl #1];
        // st1d {z0.d}, p0, [x1, x2, lsl #3]; ldff1b {z0.b}, p0/z, [x1]
        let index = |word| contiguous(word).unwrap().index;
        assert_eq!(index(0xa542_4020), Some((register(2), 4)));
        assert_eq!(index(0xa502_4020), Some((register(2), 2)));
        assert_eq!(index(0xe5e2_4020), Some((register(2), 8)));
        assert_eq!(index(0xa41f_6020), None);
    }

    #[test]
    fn an_offset_in_vectors_is_of_unknown_length() {
        // ld1b {z1.b}, p1/z, [x1, #1, mul vl]; ldnf1b {z0.b}, p0/z, [x1]
        assert_eq!(contiguous(0xa401_a421), None);
        assert_eq!(contiguous(0xa410_a020), None);
    }
}
