//! Numbers in decimal: the digits of binary floats, found exactly, and decimal floats in
//! the encoding of x86 and Arm.

use std::cmp::Ordering;

use super::{Float, FloatFormat};

/// Digits of one float that are made: `f128` needs 36.
const DIGITS: usize = 40;

/// The fewest decimal digits that stand for `mantissa` × 2^`exponent` and no other number
/// of its format, as `0.DIGITS` × 10^`point` (Steele & White, "How to print
/// floating-point numbers accurately", 1990; with fixed-size scaling by an estimate).
/// `mantissa` is not 0.
pub(super) fn big_digits(mantissa: u128, exponent: i32, is_lower_closer: bool) -> (String, i32) {
    // The number is r / s; half the distance to its neighbours is up / s and down / s.
    let spare = if is_lower_closer { 2 } else { 1 };
    let scale = exponent.unsigned_abs();
    let (mut r, mut s) = (Natural::from(mantissa), Natural::from(1));
    let (mut up, mut down) = (Natural::from(1), Natural::from(1));
    r.shift(spare);
    s.shift(spare);
    up.shift(spare.saturating_sub(1));
    if exponent >= 0 {
        for number in [&mut r, &mut up, &mut down] {
            number.shift(scale);
        }
    } else {
        s.shift(scale);
    }
    // log10(2) = 0.30103; the estimate may be one too small, or one too large by rounding.
    let bits = 128_u32.saturating_sub(mantissa.leading_zeros()) as i32;
    let estimate = i64::from(bits.saturating_add(exponent).saturating_sub(1)).saturating_mul(30103);
    let mut point = (estimate.div_euclid(100_000) as i32).saturating_add(1);
    if point >= 0 {
        s.times_ten_to(point.unsigned_abs());
    } else {
        for n in [&mut r, &mut up, &mut down] {
            n.times_ten_to(point.unsigned_abs());
        }
    }
    // Ties read back as the even one.
    let is_even = mantissa.is_multiple_of(2);
    let reaches =
        |order: Ordering| order == Ordering::Greater || is_even && order == Ordering::Equal;
    if reaches(r.plus(&up).cmp(&s)) {
        point = point.saturating_add(1);
        s.times(10);
    }
    let mut digits = String::new();
    for _ in 0..DIGITS {
        for number in [&mut r, &mut up, &mut down] {
            number.times(10);
        }
        let mut digit = 0_u8;
        while r.cmp(&s) != Ordering::Less && digit < 9 {
            r.subtract(&s);
            digit = digit.saturating_add(1);
        }
        let is_low = reaches(down.cmp(&r));
        let is_high = reaches(r.plus(&up).cmp(&s));
        if digit == 0 && digits.is_empty() && !is_low && !is_high {
            point = point.saturating_sub(1);
            continue;
        }
        let rounds_up = match (is_low, is_high) {
            (true, true) => r.plus(&r).cmp(&s) != Ordering::Less,
            _ => is_high,
        };
        // 9 is never rounded up: a shorter text would have ended before it.
        digits.push(char::from(
            b'0'.saturating_add(digit.saturating_add(u8::from(rounds_up)).min(9)),
        ));
        if is_low || is_high {
            break;
        }
    }
    (digits, point)
}

/// A natural number of any size: 32 bits a limb, the lowest first, no zeros at the top.
#[derive(Clone, PartialEq, Eq)]
struct Natural(Vec<u32>);

impl From<u128> for Natural {
    fn from(value: u128) -> Self {
        let mut limbs = [0_u32, 32, 64, 96].map(|shift| (value >> shift) as u32).to_vec();
        while limbs.last() == Some(&0) {
            limbs.pop();
        }
        Self(limbs)
    }
}

impl Natural {
    fn times(&mut self, factor: u32) {
        let mut carry = 0_u64;
        for limb in &mut self.0 {
            // At most (2^32 - 1)^2 + 2^32 - 1.
            let product = u64::from(*limb).wrapping_mul(u64::from(factor)).wrapping_add(carry);
            *limb = product as u32;
            carry = product >> 32;
        }
        if carry != 0 {
            self.0.push(carry as u32);
        }
    }

    fn times_ten_to(&mut self, mut power: u32) {
        while power >= 9 {
            self.times(1_000_000_000);
            power = power.saturating_sub(9);
        }
        self.times(10_u32.saturating_pow(power));
    }

    fn shift(&mut self, bits: u32) {
        self.times(1_u32.wrapping_shl(bits % 32));
        let zeros = std::iter::repeat_n(0, (bits / 32) as usize);
        self.0.splice(0..0, zeros);
    }

    fn plus(&self, other: &Self) -> Self {
        let (long, short) =
            if self.0.len() < other.0.len() { (other, self) } else { (self, other) };
        let mut carry = 0_u64;
        let others = short.0.iter().copied().chain(std::iter::repeat(0));
        let sums = long.0.iter().zip(others).map(|(limb, other)| {
            let sum = u64::from(*limb).wrapping_add(u64::from(other)).wrapping_add(carry);
            carry = sum >> 32;
            sum as u32
        });
        let mut limbs: Vec<u32> = sums.collect();
        if carry != 0 {
            limbs.push(carry as u32);
        }
        Self(limbs)
    }

    /// Takes away `other`, which is not larger.
    fn subtract(&mut self, other: &Self) {
        let mut borrow = false;
        let others = other.0.iter().copied().chain(std::iter::repeat(0));
        for (limb, other) in self.0.iter_mut().zip(others) {
            let (less, first) = limb.overflowing_sub(other);
            let (rest, second) = less.overflowing_sub(u32::from(borrow));
            *limb = rest;
            borrow = first || second;
        }
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }

    fn cmp(&self, other: &Self) -> Ordering {
        let by_length = self.0.len().cmp(&other.0.len());
        by_length.then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }
}

/// A decimal float without its sign, in the binary encoding (IEEE 754-2019 § 3.5.2) that
/// gcc and clang use on x86 and Arm. Its digits are kept as they are: 1.20 is not 1.2.
pub(super) fn decimal_text(float: Float) -> String {
    let (exponent_bits, bias, largest) = match float.format {
        FloatFormat::Decimal32 => (8_u32, 101, 10_u128.pow(7)),
        FloatFormat::Decimal64 => (10, 398, 10_u128.pow(16)),
        _ => (14, 6176, 10_u128.pow(34)),
    };
    let width = float.format.bits().saturating_sub(1);
    let bits = float.bits & (u128::MAX >> 128_u32.saturating_sub(width));
    let top = |count: u32| bits >> width.saturating_sub(count);
    match top(5) {
        0b11110 => return "inf".to_owned(),
        0b11111 => return "NaN".to_owned(),
        _ => {}
    }
    let is_large = top(2) == 0b11;
    let skipped = if is_large { 2 } else { 0 };
    let below = width.saturating_sub(exponent_bits).saturating_sub(skipped);
    let low = |count: u32| u128::MAX >> 128_u32.saturating_sub(count);
    let exponent = (bits >> below) & low(exponent_bits);
    let coefficient = match is_large {
        true => (0b100 << below) | (bits & low(below)),
        false => bits & low(below),
    };
    // A coefficient with too many digits stands for 0 (§ 3.5.2).
    let coefficient = if coefficient < largest { coefficient } else { 0 };
    let exponent = (exponent as i32).saturating_sub(bias);
    scientific(&coefficient.to_string(), exponent)
}

/// `digits` × 10^`exponent`, as the General Decimal Arithmetic specification writes it
/// (to-scientific-string).
fn scientific(digits: &str, exponent: i32) -> String {
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let adjusted = exponent.saturating_add(count).saturating_sub(1);
    if exponent <= 0 && adjusted >= -6 {
        let point = count.saturating_add(exponent);
        if exponent == 0 {
            return digits.to_owned();
        }
        if point <= 0 {
            return format!("0.{}{digits}", "0".repeat(point.unsigned_abs() as usize));
        }
        let (whole, fraction) = digits.split_at(point.unsigned_abs() as usize);
        return format!("{whole}.{fraction}");
    }
    let (first, rest) = digits.split_at(usize::from(!digits.is_empty()));
    let dot = if rest.is_empty() { "" } else { "." };
    format!("{first}{dot}{rest}E{adjusted:+}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(format: FloatFormat, bits: u128) -> String {
        Float { format, bits }.text()
    }

    #[test]
    fn decimal_floats_keep_their_digits() {
        // 1.2, 1.20, -3E+10, 9999999: as gcc's `_Decimal32` on x86-64 holds them.
        assert_eq!(decimal(FloatFormat::Decimal32, (100 << 23) | 12), "1.2");
        assert_eq!(decimal(FloatFormat::Decimal32, (99 << 23) | 120), "1.20");
        assert_eq!(decimal(FloatFormat::Decimal32, (1 << 31) | (111 << 23) | 3), "-3E+10");
        let large = (0b11 << 29) | (101 << 21) | (9_999_999 - (0b100 << 21));
        assert_eq!(decimal(FloatFormat::Decimal32, large), "9999999");
        assert_eq!(decimal(FloatFormat::Decimal64, (398 << 53) | 7), "7");
        assert_eq!(decimal(FloatFormat::Decimal128, (6174 << 113) | 314), "3.14");
        assert_eq!(decimal(FloatFormat::Decimal64, 0b11110 << 58), "inf");
        assert_eq!(decimal(FloatFormat::Decimal64, 0b11111 << 58), "NaN");
    }

    #[test]
    fn a_coefficient_of_too_many_digits_is_zero() {
        let bits = (0b11 << 29) | (101 << 21) | ((1 << 21) - 1);
        assert_eq!(decimal(FloatFormat::Decimal32, bits), "0");
    }

    #[test]
    fn natural_numbers_add_and_subtract_across_limbs() {
        let mut number = Natural::from(u128::MAX);
        let one = number.plus(&Natural::from(1));
        assert_eq!(one.0, [0, 0, 0, 0, 1]);
        let mut less = one.clone();
        less.subtract(&Natural::from(1));
        assert!(less == number);
        number.shift(33);
        number.times_ten_to(11);
        assert_eq!(number.cmp(&one), Ordering::Greater);
    }
}
