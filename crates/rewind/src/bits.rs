//! Numbers of which some bits are known, and what becomes of numbers.

use obit_disassembly::{Condition, Operator, Part};

/// A register of which some bits are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bits {
    /// The known bits; the others are 0.
    pub value: u64,
    /// Which are known.
    pub known: u64,
}

impl Bits {
    /// All bits.
    pub fn all(value: u64) -> Self {
        Self { value, known: u64::MAX }
    }

    /// The number, if all of it is known.
    pub fn whole(self) -> Option<u64> {
        (self.known == u64::MAX).then_some(self.value)
    }

    /// The number in a part.
    pub(super) fn part(self, part: Part) -> Option<u64> {
        let mask = mask(part)?;
        (self.known & mask == mask).then(|| (self.value & mask).checked_shr(part.shift))?
    }
}

/// The bits of a part.
pub(super) fn mask(part: Part) -> Option<u64> {
    low(u64::MAX, part.size).checked_shl(part.shift)
}

pub(super) fn low(value: u64, size: u64) -> u64 {
    match size.saturating_mul(8) {
        bits @ 0..64 => value & !(u64::MAX << bits),
        _ => value,
    }
}

pub(super) fn signed(value: u64, size: u64) -> u64 {
    match size.saturating_mul(8) {
        bits @ 1..64 => {
            let shift = 64_u64.saturating_sub(bits);
            ((value << shift).cast_signed() >> shift).cast_unsigned()
        }
        _ => value,
    }
}

/// The bits by which numbers of this size are shifted.
pub(super) fn shift_count(right: u64, size: u64) -> u64 {
    right & if size == 8 { 0x3f } else { 0x1f }
}

/// What two numbers of this size become; `None` for what depends on a condition.
pub(super) fn result(operator: Operator, left: u64, right: u64, size: u64) -> Option<u64> {
    let count = u32::try_from(shift_count(right, size)).ok()?;
    let value = match operator {
        Operator::Add => left.wrapping_add(right),
        Operator::Subtract => left.wrapping_sub(right),
        Operator::And => left & right,
        Operator::Or => left | right,
        Operator::Xor => left ^ right,
        Operator::ShiftLeft => left.checked_shl(count)?,
        Operator::ShiftRight => left.checked_shr(count)?,
        Operator::ShiftRightSigned => {
            signed(left, size).cast_signed().checked_shr(count)?.cast_unsigned()
        }
        Operator::Multiply => left.wrapping_mul(right),
        Operator::Set | Operator::Select => return None,
    };
    Some(low(value, size))
}

/// The zero, sign and parity flag that a result leaves.
pub(super) fn flags_of_result(value: u64, size: u64) -> Bits {
    let flag = |is_set: bool, flag: u64| if is_set { flag } else { 0 };
    let known = Condition::ZF | Condition::SF | Condition::PF;
    let value = flag(value == 0, Condition::ZF)
        | flag(is_negative(value, size), Condition::SF)
        | flag(low(value, 1).count_ones().is_multiple_of(2), Condition::PF);
    Bits { value, known }
}

/// The flags that an operation on two numbers leaves, as far as they are the same on every
/// processor.
pub(super) fn flags(operator: Operator, left: u64, right: u64, size: u64) -> Option<Bits> {
    let value = result(operator, left, right, size)?;
    let of_result = flags_of_result(value, size);
    let with = |carry: bool, overflow: bool| {
        let carry = if carry { Condition::CF } else { 0 };
        let overflow = if overflow { Condition::OF } else { 0 };
        Bits { value: of_result.value | carry | overflow, known: Condition::FLAGS }
    };
    let (is_left, is_right) = (is_negative(left, size), is_negative(right, size));
    let is_result = is_negative(value, size);
    match operator {
        Operator::Add => Some(with(value < left, is_left == is_right && is_result != is_left)),
        Operator::Subtract => Some(with(left < right, is_left != is_right && is_result != is_left)),
        Operator::And | Operator::Or | Operator::Xor => Some(with(false, false)),
        Operator::ShiftLeft | Operator::ShiftRight | Operator::ShiftRightSigned => {
            // A shift by nothing leaves the flags as they were.
            (shift_count(right, size) != 0).then_some(of_result)
        }
        Operator::Multiply | Operator::Set | Operator::Select => None,
    }
}

fn is_negative(value: u64, size: u64) -> bool {
    signed(value, size).cast_signed() < 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_leaves_the_flags_of_the_manual() {
        let of = |left, right, size| flags(Operator::Subtract, left, right, size).unwrap().value;
        assert_eq!(of(5, 5, 4), Condition::ZF | Condition::PF);
        assert_eq!(of(1, 2, 4), Condition::CF | Condition::SF | Condition::PF);
        assert_eq!(of(0x80, 1, 1), Condition::OF);
    }

    #[test]
    fn a_sum_that_does_not_fit_leaves_the_carry() {
        let sum = flags(Operator::Add, 0xff, 1, 1).unwrap();
        assert_eq!(sum.value, Condition::CF | Condition::ZF | Condition::PF);
        assert_eq!(result(Operator::ShiftRightSigned, 0x80, 1, 1), Some(0xc0));
        assert_eq!(flags(Operator::ShiftLeft, 1, 0, 4), None);
    }
}
