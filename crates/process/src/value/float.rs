//! Floating-point formats, and their numbers as the shortest decimal text that reads back
//! as the same bits.

use super::decimal::{big_digits, decimal_text};
use super::{Float, FloatFormat};

/// Digits written before an exponent is: as Rust and C++ do for `f64`.
const PLAIN_DIGITS: i32 = 16;
/// Zeros after the point written before an exponent is.
const PLAIN_ZEROS: i32 = 3;

impl FloatFormat {
    /// The bits that belong to the number.
    pub(super) fn mask(self) -> u128 {
        let unused = 128_u32.saturating_sub(self.bits());
        u128::MAX.checked_shr(unused).unwrap_or(u128::MAX)
    }

    /// Bits of one number.
    pub fn bits(self) -> u32 {
        match self {
            Self::Binary16 | Self::BFloat16 => 16,
            Self::Binary32 | Self::Decimal32 => 32,
            Self::Binary64 | Self::Decimal64 => 64,
            Self::Extended80 => 80,
            Self::Binary128 | Self::Decimal128 => 128,
        }
    }
}

/// The format of a float of `size` bytes. `long double` has 80 bits on x86 only; where its
/// name speaks of 128 bits, as `_Float128` and Fortran's `real(kind=16)` do, it has them.
pub(super) fn float_format(
    is_decimal: bool,
    size: usize,
    name: &str,
    is_x86: bool,
) -> Option<FloatFormat> {
    Some(match (is_decimal, size) {
        (false, 2) if name.to_ascii_lowercase().contains("bf") => FloatFormat::BFloat16,
        (false, 2) => FloatFormat::Binary16,
        (false, 4) => FloatFormat::Binary32,
        (false, 8) => FloatFormat::Binary64,
        (false, 10 | 12) => FloatFormat::Extended80,
        (false, 16) if is_x86 && !is_quadruple(name) => FloatFormat::Extended80,
        (false, 16) => FloatFormat::Binary128,
        (true, 4) => FloatFormat::Decimal32,
        (true, 8) => FloatFormat::Decimal64,
        (true, 16) => FloatFormat::Decimal128,
        _ => return None,
    })
}

/// Whether the name of a type of C, C++, Rust, or of Fortran (`real(kind=16)`, `REAL(16)`,
/// `complex(kind=16)`) is one of quadruple precision. A number or each part of one has 16
/// bytes.
fn is_quadruple(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let is_fortran = name.starts_with("real") || name.starts_with("complex");
    name.contains("128") || name.contains("quad") || is_fortran && name.contains("16")
}

/// What a binary float's bits say.
enum Number {
    /// `mantissa` × 2^`exponent`.
    Finite {
        mantissa: u128,
        exponent: i32,
        /// Whether the next smaller number is only half as far as the next larger one.
        is_lower_closer: bool,
    },
    Infinite,
    /// With the bits of its payload, the quiet bit among them.
    NaN(u128),
}

impl Float {
    /// The shortest decimal that reads back as the same number; `NaN(0x…)` with the
    /// payload, `inf`.
    pub fn text(self) -> String {
        let sign = if self.is_negative() { "-" } else { "" };
        match self.format {
            FloatFormat::Decimal32 | FloatFormat::Decimal64 | FloatFormat::Decimal128 => {
                return format!("{sign}{}", decimal_text(self));
            }
            FloatFormat::Binary16
            | FloatFormat::BFloat16
            | FloatFormat::Binary32
            | FloatFormat::Binary64
            | FloatFormat::Extended80
            | FloatFormat::Binary128 => {}
        }
        let number = match self.number() {
            Number::Infinite => "inf".to_owned(),
            Number::NaN(payload) => format!("NaN({payload:#x})"),
            Number::Finite { mantissa: 0, .. } => "0.0".to_owned(),
            Number::Finite { mantissa, exponent, is_lower_closer } => {
                let (digits, point) = big_digits(mantissa, exponent, is_lower_closer);
                written(&digits, point)
            }
        };
        format!("{sign}{number}")
    }

    /// As a number that JSON can hold: finite, and of at most 64 bits in binary.
    pub fn finite(self) -> Option<f64> {
        match self.format {
            FloatFormat::Binary64 => {
                let bits = u64::try_from(self.bits).ok()?;
                Some(f64::from_bits(bits)).filter(|number| number.is_finite())
            }
            FloatFormat::Binary16 | FloatFormat::BFloat16 | FloatFormat::Binary32 => {
                let is_finite = matches!(self.number(), Number::Finite { .. });
                is_finite.then(|| self.text().parse().ok()).flatten()
            }
            FloatFormat::Extended80
            | FloatFormat::Binary128
            | FloatFormat::Decimal32
            | FloatFormat::Decimal64
            | FloatFormat::Decimal128 => None,
        }
    }

    /// Whether its sign bit is set.
    pub(super) fn is_negative(self) -> bool {
        let top = self.format.bits().saturating_sub(1);
        self.bits.checked_shr(top).unwrap_or(0) & 1 == 1
    }

    fn number(self) -> Number {
        // Bits of the exponent and of the fraction, which in x87's format includes the
        // integer bit.
        let (exponent_bits, fraction_bits, has_integer_bit) = match self.format {
            FloatFormat::Binary16 => (5, 10, false),
            FloatFormat::BFloat16 => (8, 7, false),
            FloatFormat::Binary32 => (8, 23, false),
            FloatFormat::Binary64 => (11, 52, false),
            FloatFormat::Extended80 => (15, 64, true),
            FloatFormat::Binary128 => (15, 112, false),
            FloatFormat::Decimal32 | FloatFormat::Decimal64 | FloatFormat::Decimal128 => {
                return Number::NaN(self.bits);
            }
        };
        let low = |bits: u32| u128::MAX >> 128_u32.saturating_sub(bits);
        let fraction = self.bits & low(fraction_bits);
        let biased = (self.bits >> fraction_bits) & low(exponent_bits);
        // The integer bit has no meaning in an infinity or NaN.
        let precision =
            if has_integer_bit { fraction_bits.saturating_sub(1) } else { fraction_bits };
        if biased == low(exponent_bits) {
            return match fraction & low(precision) {
                0 => Number::Infinite,
                payload => Number::NaN(payload),
            };
        }
        let is_normal = biased != 0;
        let implied = u128::from(is_normal && !has_integer_bit) << fraction_bits;
        let mantissa = fraction | implied;
        let bias = (low(exponent_bits) / 2) as i32;
        let exponent = (biased.max(1) as i32).saturating_sub(bias).saturating_sub(precision as i32);
        let is_power_of_two = mantissa == 1_u128 << precision;
        Number::Finite { mantissa, exponent, is_lower_closer: is_power_of_two && biased > 1 }
    }
}

/// `0.DIGITS` × 10^`point`, in positional notation where that is short.
fn written(digits: &str, point: i32) -> String {
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    if (-PLAIN_ZEROS..=0).contains(&point) {
        return format!("0.{}{digits}", "0".repeat(point.unsigned_abs() as usize));
    }
    if (1..=PLAIN_DIGITS).contains(&point) {
        let (whole, fraction) = digits.split_at(count.min(point) as usize);
        let zeros = "0".repeat(point.saturating_sub(count).max(0) as usize);
        let fraction = if fraction.is_empty() { "0" } else { fraction };
        return format!("{whole}{zeros}.{fraction}");
    }
    let (first, rest) = digits.split_at(usize::from(!digits.is_empty()));
    let dot = if rest.is_empty() { "" } else { "." };
    format!("{first}{dot}{rest}e{}", point.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(format: FloatFormat, bits: u128) -> String {
        Float { format, bits }.text()
    }

    #[test]
    fn doubles_are_written_as_rust_writes_them() {
        let samples = [
            0.0,
            -0.0,
            1.0,
            0.1,
            -2.25,
            1e16,
            1e15,
            123456789012345680.0,
            1e-5,
            1e-4,
            0.00012,
            f64::MAX,
            f64::MIN_POSITIVE,
            5e-324,
            9007199254740993.0,
            2.0_f64.powi(60),
            1e23,
            std::f64::consts::PI,
            4.35,
            1e300,
            8.41e21,
            9.5367431640625e-7,
        ];
        for number in samples {
            let bits = u128::from(number.to_bits());
            let text = text(FloatFormat::Binary64, bits);
            assert_eq!(text.parse::<f64>().unwrap().to_bits(), number.to_bits(), "{text}");
            assert_eq!(text, format!("{number:?}"));
        }
    }

    #[test]
    fn singles_are_as_short_as_singles_need() {
        for number in [0.1_f32, 16777216.0, 1e-45, f32::MAX, 3.4e38, 1.1754944e-38, 33554432.0] {
            let bits = u128::from(number.to_bits());
            assert_eq!(text(FloatFormat::Binary32, bits).parse::<f32>().unwrap(), number);
            assert_eq!(text(FloatFormat::Binary32, bits), format!("{number:?}"));
            let float = Float { format: FloatFormat::Binary32, bits };
            assert_eq!(float.finite().map(|wide| wide as f32), Some(number));
        }
    }

    #[test]
    fn halves_have_few_digits() {
        assert_eq!(text(FloatFormat::Binary16, 0x2e66), "0.1");
        assert_eq!(text(FloatFormat::Binary16, 0x7bff), "65500.0");
        assert_eq!(text(FloatFormat::Binary16, 0x0001), "6e-8");
        assert_eq!(text(FloatFormat::BFloat16, 0x3dcd), "0.1");
        assert_eq!(text(FloatFormat::BFloat16, 0xc040), "-3.0");
    }

    #[test]
    fn long_doubles_keep_all_their_bits() {
        // 0.1L, 1.0L, LDBL_MAX, the smallest denormal.
        assert_eq!(text(FloatFormat::Extended80, 0x3ffb_cccc_cccc_cccc_cccd), "0.1");
        assert_eq!(text(FloatFormat::Extended80, 0x3fff_8000_0000_0000_0000), "1.0");
        let largest = text(FloatFormat::Extended80, 0x7ffe_ffff_ffff_ffff_ffff);
        assert_eq!(largest, "1.189731495357231765e4932");
        assert_eq!(text(FloatFormat::Extended80, 1), "4e-4951");
        assert_eq!(
            text(FloatFormat::Extended80, 0x4000_c90f_daa2_2168_c235),
            "3.1415926535897932385"
        );
    }

    #[test]
    fn quadruples_too() {
        let tenth = 0x3ffb_9999_9999_9999_9999_9999_9999_999a;
        assert_eq!(text(FloatFormat::Binary128, tenth), "0.1");
        let pi = 0x4000_921f_b544_42d1_8469_898c_c517_01b8;
        assert_eq!(text(FloatFormat::Binary128, pi), "3.1415926535897932384626433832795028");
        assert_eq!(text(FloatFormat::Binary128, 1), "6e-4966");
    }

    #[test]
    fn sixteen_bytes_are_a_quadruple_where_the_name_says_so() {
        let format = |name| float_format(false, 16, name, true);
        for name in ["_Float128", "real(kind=16)", "complex(kind=16)", "REAL(16)", "__float128"] {
            assert_eq!(format(name), Some(FloatFormat::Binary128), "{name}");
        }
        for name in ["long double", "real(kind=10)", "complex(kind=10)", "complex long double"] {
            assert_eq!(format(name), Some(FloatFormat::Extended80), "{name}");
        }
        assert_eq!(float_format(false, 16, "long double", false), Some(FloatFormat::Binary128));
    }

    #[test]
    fn infinities_and_nans_are_written_as_such() {
        assert_eq!(text(FloatFormat::Binary64, 0x7ff0_0000_0000_0000), "inf");
        assert_eq!(text(FloatFormat::Binary32, 0xff80_0000), "-inf");
        assert_eq!(text(FloatFormat::Binary64, 0x7ff8_0000_0000_0001), "NaN(0x8000000000001)");
        assert_eq!(text(FloatFormat::Extended80, 0x7fff_8000_0000_0000_0000), "inf");
        assert_eq!(Float { format: FloatFormat::Binary32, bits: 0x7fc0_0000 }.finite(), None);
    }

    proptest! {
        #[test]
        fn any_float_is_written_so_that_it_reads_back_as_itself(bits in any::<u64>()) {
            let wide = f64::from_bits(bits);
            let text = text(FloatFormat::Binary64, bits.into());
            if wide.is_finite() {
                prop_assert_eq!(text.parse::<f64>().unwrap().to_bits(), bits, "{}", text);
            }
        }

        #[test]
        fn any_single_is_written_as_rust_writes_it_but_for_the_exponent(bits in any::<u32>()) {
            let single = f32::from_bits(bits);
            let text = text(FloatFormat::Binary32, bits.into());
            if single.is_finite() {
                prop_assert_eq!(text.parse::<f32>().unwrap().to_bits(), bits, "{}", &text);
                prop_assert!(text.len() <= format!("{single:?}").len().max(6), "{}", text);
            }
        }

        #[test]
        fn any_bits_of_any_format_are_text(bits in any::<u128>()) {
            let formats = [
                FloatFormat::Binary16,
                FloatFormat::BFloat16,
                FloatFormat::Extended80,
                FloatFormat::Binary128,
                FloatFormat::Decimal32,
                FloatFormat::Decimal64,
                FloatFormat::Decimal128,
            ];
            for format in formats {
                let text = text(format, bits & format.mask());
                prop_assert!(!text.is_empty() && text.is_ascii());
            }
        }
    }
}
