//! Fixed-point numbers, as floating-point numbers of a format that holds them exactly.

use super::{Float, FloatFormat, Scalar};
use obit_dwarf::types::Scale;

/// Bits of an integer that `f64` holds whatever it is multiplied by, a power of 2.
const DOUBLE_BITS: u32 = 53;
/// Powers of 2 that such an integer may be multiplied by and stay a normal number.
const DOUBLE_POWERS: std::ops::RangeInclusive<i32> = -900..=900;
/// The least exponent of decimal128 (IEEE 754 § 3.5.2) and bits of its coefficient in the
/// encoding of binary integers, as far as no two top bits are set.
const DECIMAL_BIAS: i32 = 6176;
const DECIMAL_EXPONENT_AT: u32 = 113;
/// The largest coefficient has 34 digits.
const DECIMAL_COEFFICIENTS: u128 = 10_u128.pow(34);

/// `integer` times its scale; `None` where no format holds it or the scale is not known.
pub(super) fn fixed_point(scale: Option<Scale>, integer: i128) -> Option<Scalar> {
    let Some(scale) = scale else { return Some(Scalar::Signed(integer)) };
    let float = match scale {
        Scale::Binary(power) => {
            let bits = 128_u32.saturating_sub(integer.unsigned_abs().leading_zeros());
            if bits > DOUBLE_BITS || !DOUBLE_POWERS.contains(&power) {
                return None;
            }
            // Both are exact.
            let number = integer as f64 * 2.0_f64.powi(power);
            Float { format: FloatFormat::Binary64, bits: u128::from(number.to_bits()) }
        }
        Scale::Decimal(power) => {
            let coefficient = integer.unsigned_abs();
            let exponent = power.checked_add(DECIMAL_BIAS)?;
            let exponent = u128::try_from(exponent).ok().filter(|biased| *biased < 1 << 13)?;
            if coefficient >= DECIMAL_COEFFICIENTS {
                return None;
            }
            let sign = u128::from(integer < 0) << 127;
            let bits = sign | exponent << DECIMAL_EXPONENT_AT | coefficient;
            Float { format: FloatFormat::Decimal128, bits }
        }
        Scale::Ratio { numerator, denominator } => {
            let product = integer.checked_mul(i128::from(numerator))?;
            let denominator = i128::from(denominator);
            let whole = product.checked_div(denominator)?;
            let rest = product.checked_rem(denominator)?;
            let bits = |number: i128| 128_u32.saturating_sub(number.unsigned_abs().leading_zeros());
            // Both are exact then, and the division rounds once: to the double that is
            // nearest, since most such numbers have no end in any format.
            let number = match rest {
                0 if bits(whole) <= DOUBLE_BITS => whole as f64,
                _ if bits(product) <= DOUBLE_BITS && bits(denominator) <= DOUBLE_BITS => {
                    product as f64 / denominator as f64
                }
                _ => return None,
            };
            Float { format: FloatFormat::Binary64, bits: u128::from(number.to_bits()) }
        }
        Scale::Other => return None,
    };
    Some(Scalar::Float(float))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(scale: Scale, integer: i128) -> Option<String> {
        match fixed_point(Some(scale), integer)? {
            Scalar::Float(float) => Some(float.text()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_fixed_point_number_is_its_integer_times_its_scale() {
        assert_eq!(text(Scale::Binary(-7), 1579).as_deref(), Some("12.3359375"));
        assert_eq!(text(Scale::Binary(3), -2).as_deref(), Some("-16.0"));
        assert_eq!(text(Scale::Decimal(-2), 9995).as_deref(), Some("99.95"));
        assert_eq!(text(Scale::Decimal(-2), -9995).as_deref(), Some("-99.95"));
        let longest = text(Scale::Decimal(-9), i64::MAX.into());
        assert_eq!(longest.as_deref(), Some("9223372036.854775807"));
    }

    #[test]
    fn a_scale_that_is_no_power_multiplies_and_divides() {
        let third = Scale::Ratio { numerator: 1, denominator: 3 };
        assert_eq!(text(third, 21).as_deref(), Some("7.0"));
        assert_eq!(text(third, -1).as_deref(), Some("-0.3333333333333333"));
        let ratio = Scale::Ratio { numerator: 5, denominator: 4 };
        assert_eq!(text(ratio, 3).as_deref(), Some("3.75"));
        assert_eq!(text(Scale::Ratio { numerator: u64::MAX, denominator: 2 }, 1), None);
        assert_eq!(text(Scale::Ratio { numerator: 1, denominator: 0 }, 1), None);
    }

    #[test]
    fn what_no_format_holds_exactly_is_not_a_number() {
        assert_eq!(text(Scale::Binary(-7), (1 << 53) + 1), None);
        assert_eq!(text(Scale::Binary(i32::MIN), 1), None);
        assert_eq!(text(Scale::Decimal(i32::MAX), 1), None);
        assert_eq!(text(Scale::Decimal(-2), i128::MIN), None);
        assert_eq!(text(Scale::Other, 1), None);
        assert_eq!(fixed_point(None, 5), Some(Scalar::Signed(5)));
    }
}
