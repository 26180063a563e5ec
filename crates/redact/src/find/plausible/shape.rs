//! Kinds of values that are known by how they are written alone: one row for each way.

use super::date::is_iso_date;
use crate::find::text::{Text, is_letter};
use crate::kind::Kind;

/// A way in which values of a kind are written. All of it must hold.
struct Shape {
    kind: Kind,
    /// Bytes, the least and the most.
    len: (usize, usize),
    /// Digits among them.
    digits: (usize, usize),
    written: Written,
}

/// What a value is written with.
#[derive(Clone, Copy)]
enum Written {
    /// Anything.
    Freely,
    /// Anything but the marks of a masked number and of a time or an address.
    Unmasked,
    Digits,
    /// Capitals, digits, blanks and dashes.
    Capitals,
    /// The same, and letters of any script; letters are among them, or many digits.
    Plate,
    /// Letters, digits and the separators between groups of them; no decimal fraction.
    Groups,
    /// The same, with four small letters at most, and no date as ISO 8601 writes it.
    Identifier,
}

const MANY: usize = usize::MAX;

const SHAPES: &[Shape] = &[
    Shape { kind: Kind::PasswordHash, len: (8, MANY), digits: (0, MANY), written: Written::Freely },
    Shape { kind: Kind::Card, len: (0, MANY), digits: (12, 19), written: Written::Unmasked },
    Shape { kind: Kind::Account, len: (0, 42), digits: (6, 32), written: Written::Groups },
    Shape { kind: Kind::NationalId, len: (0, 26), digits: (5, 20), written: Written::Identifier },
    Shape { kind: Kind::Passport, len: (6, 20), digits: (5, 18), written: Written::Groups },
    Shape { kind: Kind::Passport, len: (6, 20), digits: (1, 18), written: Written::Capitals },
    Shape { kind: Kind::Passport, len: (9, 9), digits: (0, MANY), written: Written::Capitals },
    Shape { kind: Kind::Vehicle, len: (17, 17), digits: (2, 16), written: Written::Capitals },
    Shape { kind: Kind::Vehicle, len: (4, 20), digits: (1, 8), written: Written::Plate },
    // Of a telephone, or of the card in it.
    Shape { kind: Kind::Device, len: (14, 20), digits: (14, 20), written: Written::Digits },
];

/// Whether `bytes` are written in one of the ways of `kind`.
pub(super) fn has_shape(kind: Kind, bytes: &[u8]) -> bool {
    let count = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
    let holds = |shape: &&Shape| {
        (shape.len.0..=shape.len.1).contains(&bytes.len())
            && (shape.digits.0..=shape.digits.1).contains(&count)
            && shape.written.fits(bytes)
    };
    SHAPES.iter().filter(|shape| shape.kind == kind).any(|shape| holds(&shape))
}

impl Written {
    fn fits(self, bytes: &[u8]) -> bool {
        let all = |wanted: fn(&u8) -> bool| bytes.iter().all(wanted);
        match self {
            Self::Freely => true,
            Self::Unmasked => !bytes.iter().any(|byte| b"*:".contains(byte)),
            Self::Digits => all(u8::is_ascii_digit),
            Self::Capitals => all(|byte| {
                byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"- ".contains(byte)
            }),
            Self::Plate => {
                let is_written = |byte: &u8| {
                    byte.is_ascii_uppercase()
                        || byte.is_ascii_digit()
                        || *byte >= 0x80
                        || b"- .".contains(byte)
                };
                let letters = bytes.iter().filter(|byte| is_letter(**byte)).count();
                let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
                all(is_written) && !is_whole_date(bytes) && (letters > 0 || digits >= 5)
            }
            Self::Groups => {
                !bytes.starts_with(b"0.")
                    && !bytes.starts_with(b"0x")
                    && all(|byte| byte.is_ascii_alphanumeric() || b" -./()+".contains(byte))
            }
            Self::Identifier => {
                let small = bytes.iter().filter(|byte| byte.is_ascii_lowercase()).count();
                small <= 4 && Self::Groups.fits(bytes) && !is_whole_date(bytes)
            }
        }
    }
}

pub(super) fn is_whole_date(bytes: &[u8]) -> bool {
    bytes.len() == "2026-01-02".len() && is_iso_date(Text(bytes), 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_a_kind_are_written_in_one_of_its_ways() {
        for (kind, value) in [
            (Kind::Card, "4111 1111 1111 1111"),
            (Kind::Account, "12-34-56 12345678"),
            (Kind::NationalId, "AB 12 34 56 C"),
            (Kind::Passport, "c01x00t47"),
            (Kind::Passport, "ABCDEFGHI"),
            (Kind::Passport, "AB-CDE 1"),
            (Kind::Device, "359417676298840"),
        ] {
            assert!(has_shape(kind, value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn masked_numbers_fractions_and_dates_are_of_no_kind() {
        for (kind, value) in [
            (Kind::Card, "4111 **** **** 1111"),
            (Kind::Account, "0.123456789"),
            (Kind::NationalId, "2026-01-02"),
            (Kind::NationalId, "identifier12345"),
            (Kind::Device, "35-941767-629884"),
            (Kind::Text, "anything"),
        ] {
            assert!(!has_shape(kind, value.as_bytes()), "{value}");
        }
    }
}
