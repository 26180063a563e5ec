//! The output formats of gdb's `print/FMT`: how a scalar is spelled where its type's own way
//! is not wanted.

use super::integer::sign_extended;
use super::{Float, FloatFormat, Scalar};

/// How scalars are spelled. Structures and arrays are spelled member by member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ValueFormat {
    /// `x`: the bits, in hexadecimal.
    Hex,
    /// `d`: the bits as a signed number.
    Decimal,
    /// `u`: the bits as an unsigned number.
    Unsigned,
    /// `o`: the bits, in octal.
    Octal,
    /// `t`: the bits, in binary.
    Binary,
    /// `c`: the lowest byte as a character.
    Character,
    /// `a`: an address, with the symbol there.
    Address,
    /// `f`: the bits as a floating-point number, where there is one of that size.
    Float,
    /// `s`: arrays of bytes and pointers to bytes as strings.
    Text,
    /// `z`: as `x`, padded with zeros to the size of the type.
    PaddedHex,
}

/// A scalar and what its type says about it.
#[derive(Clone, Copy, Debug)]
pub struct Typed<'s> {
    /// The scalar.
    pub scalar: &'s Scalar,
    /// Bits of the type; of a bit-field, of the type that it is declared with.
    pub bits: u32,
    /// Whether the type has a sign.
    pub is_signed: bool,
}

impl ValueFormat {
    /// Letters of all formats.
    pub const LETTERS: &str = "x d u o t c a f s z";

    /// The format of gdb's letter.
    pub fn of_letter(letter: char) -> Option<Self> {
        Some(match letter {
            'x' => Self::Hex,
            'd' => Self::Decimal,
            'u' => Self::Unsigned,
            'o' => Self::Octal,
            't' => Self::Binary,
            'c' => Self::Character,
            'a' => Self::Address,
            'f' => Self::Float,
            's' => Self::Text,
            'z' => Self::PaddedHex,
            _ => return None,
        })
    }

    /// The scalar in this format; `None` where the type's own way is the one to use. `word`
    /// is the number of bits of an address, `symbol` names what lies at one.
    pub fn spell(
        self,
        typed: Typed<'_>,
        word: u32,
        symbol: impl FnOnce(u64) -> Option<String>,
    ) -> Option<String> {
        let bits = typed.raw()?;
        Some(match self {
            Self::Hex => format!("{bits:#x}"),
            Self::PaddedHex => {
                let digits = usize::try_from(typed.bits.div_ceil(8)).ok()?.checked_mul(2)?;
                format!("0x{bits:0digits$x}")
            }
            Self::Decimal => sign_extended(bits, typed.bits).to_string(),
            Self::Unsigned => bits.to_string(),
            Self::Octal if bits == 0 => "0".to_owned(),
            Self::Octal => format!("0{bits:o}"),
            Self::Binary => format!("{bits:b}"),
            Self::Character => return typed.character(),
            Self::Address => {
                let at = masked(typed.integer()?.cast_unsigned(), word) as u64;
                match symbol(at) {
                    Some(name) => format!("{at:#x} <{name}>"),
                    None => format!("{at:#x}"),
                }
            }
            Self::Float => return typed.float(bits),
            Self::Text if typed.bits == 8 && typed.is_integer() => return typed.character(),
            Self::Text => return None,
        })
    }
}

impl Typed<'_> {
    /// The bits of the type, in the low end.
    fn raw(self) -> Option<u128> {
        let bits = match self.scalar {
            Scalar::Signed(value) => value.cast_unsigned(),
            Scalar::Unsigned(value) => *value,
            Scalar::Boolean(value) => u128::from(*value),
            Scalar::Character { code, .. } => i128::from(*code).cast_unsigned(),
            Scalar::Address(at) => u128::from(*at),
            Scalar::Float(float) => float.bits,
            Scalar::Raw(_) => return None,
        };
        Some(masked(bits, self.bits))
    }

    fn is_integer(self) -> bool {
        matches!(self.scalar, Scalar::Signed(_) | Scalar::Unsigned(_) | Scalar::Character { .. })
    }

    /// The value as an integer; of a floating-point number what is before the point.
    fn integer(self) -> Option<i128> {
        if let Scalar::Float(float) = self.scalar {
            return whole(*float);
        }
        let bits = self.raw()?;
        Some(if self.is_signed { sign_extended(bits, self.bits) } else { bits.cast_signed() })
    }

    /// `97 'a'`, as gdb writes it. A character of more than a byte is one already.
    fn character(self) -> Option<String> {
        if matches!(self.scalar, Scalar::Character { .. }) && self.bits > 8 {
            return None;
        }
        let byte = self.integer()?.to_le_bytes().first().copied()?;
        let is_signed = self.is_signed || matches!(self.scalar, Scalar::Float(_));
        let code = if is_signed { i16::from(byte.cast_signed()) } else { i16::from(byte) };
        Some(format!("{code} '{}'", escaped(byte)))
    }

    fn float(self, bits: u128) -> Option<String> {
        let format = match (self.scalar, self.bits) {
            (Scalar::Float(_), _) => return None,
            (_, 32) => FloatFormat::Binary32,
            (_, 64) => FloatFormat::Binary64,
            _ => return Some(self.integer()?.to_string()),
        };
        Some(Float { format, bits }.text())
    }
}

/// The part before the point of a number that has one and fits.
fn whole(float: Float) -> Option<i128> {
    let value = float.finite()?;
    // Beyond that gdb's own conversion means nothing.
    (value.abs() < 9e18).then(|| i128::from(value as i64))
}

fn masked(value: u128, bits: u32) -> u128 {
    match 128_u32.checked_sub(bits) {
        Some(unused) if bits > 0 => value & u128::MAX.checked_shr(unused).unwrap_or(u128::MAX),
        _ => value,
    }
}

/// A byte in single quotes, as C and gdb write it.
pub(crate) fn escaped(byte: u8) -> String {
    match byte {
        7 => "\\a".to_owned(),
        8 => "\\b".to_owned(),
        b'\t' => "\\t".to_owned(),
        b'\n' => "\\n".to_owned(),
        11 => "\\v".to_owned(),
        12 => "\\f".to_owned(),
        b'\r' => "\\r".to_owned(),
        b'\'' => "\\'".to_owned(),
        b'\\' => "\\\\".to_owned(),
        b' '..=b'~' => char::from(byte).to_string(),
        _ => format!("\\{byte:03o}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelled(format: char, scalar: Scalar, bits: u32, is_signed: bool) -> Option<String> {
        let typed = Typed { scalar: &scalar, bits, is_signed };
        let symbol = |at| (at == 0x4011).then(|| "main+1".to_owned());
        ValueFormat::of_letter(format).unwrap().spell(typed, 64, symbol)
    }

    /// What gdb 13 prints of the same values.
    #[test]
    fn integers_are_spelled_as_gdb_spells_them() {
        for (format, byte, short, long) in [
            ('x', "0xff", "0x12c", "0x8000000000000000"),
            ('z', "0xff", "0x012c", "0x8000000000000000"),
            ('d', "-1", "300", "-9223372036854775808"),
            ('u', "255", "300", "9223372036854775808"),
            ('o', "0377", "0454", "01000000000000000000000"),
            ('t', "11111111", "100101100", &format!("1{}", "0".repeat(63))),
            ('c', "-1 '\\377'", "44 ','", "0 '\\000'"),
            ('a', "0xffffffffffffffff", "0x12c", "0x8000000000000000"),
            ('f', "-1", "300", "-0.0"),
        ] {
            let of = |scalar, bits, is_signed| spelled(format, scalar, bits, is_signed).unwrap();
            assert_eq!(of(Scalar::Signed(-1), 8, true), byte, "{format}");
            assert_eq!(of(Scalar::Signed(300), 16, true), short, "{format}");
            assert_eq!(of(Scalar::Unsigned(1 << 63), 64, false), long, "{format}");
        }
    }

    #[test]
    fn floats_are_their_bits_but_as_characters_and_addresses() {
        let half = || Scalar::Float(Float { format: FloatFormat::Binary32, bits: 0x3fc0_0000 });
        let of = |format| spelled(format, half(), 32, true);
        assert_eq!(of('x').as_deref(), Some("0x3fc00000"));
        assert_eq!(of('d').as_deref(), Some("1069547520"));
        assert_eq!(of('c').as_deref(), Some("1 '\\001'"));
        assert_eq!(of('a').as_deref(), Some("0x1"));
        assert_eq!(of('f'), None);
        let pi = spelled('f', Scalar::Signed(1_078_530_011), 32, true);
        assert_eq!(pi.as_deref(), Some("3.1415927"));
    }

    #[test]
    fn an_address_has_its_symbol_and_a_string_its_own_form() {
        assert_eq!(
            spelled('a', Scalar::Address(0x4011), 64, false).as_deref(),
            Some("0x4011 <main+1>")
        );
        assert_eq!(spelled('s', Scalar::Signed(5), 32, true), None);
        assert_eq!(spelled('s', Scalar::Unsigned(65), 8, false).as_deref(), Some("65 'A'"));
        assert_eq!(spelled('o', Scalar::Signed(0), 32, true).as_deref(), Some("0"));
        assert_eq!(spelled('x', Scalar::Raw(vec![1]), 8, false), None);
        assert_eq!(spelled('u', Scalar::Signed(-1), 128, true), Some(u128::MAX.to_string()));
    }

    #[test]
    fn characters_are_escaped_as_gdb_escapes_them() {
        let text: Vec<_> = [7, 27, 39, 92, 34, 127, 0].into_iter().map(escaped).collect();
        assert_eq!(text, ["\\a", "\\033", "\\'", "\\\\", "\"", "\\177", "\\000"]);
    }
}
