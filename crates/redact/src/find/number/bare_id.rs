//! Numbers of persons that are written as digits alone. Two independent facts, a date and a
//! check digit or a rare check, make them; they are only asked where words speak of persons.

use crate::find::number::check_digits::{is_day, luhn, mod11_10, two, weighted};
use crate::find::text::digits;

/// A country's number.
struct Scheme {
    len: usize,
    /// Whether only words that are about persons alone announce it: counters and times have
    /// as many digits.
    needs_person: bool,
    is_right: fn(&[u8]) -> bool,
    /// One that is right.
    #[cfg_attr(not(test), expect(dead_code, reason = "examples are tests"))]
    example: &'static str,
}

const SCHEMES: &[Scheme] = &[
    // Poland: PESEL.
    Scheme { len: 11, needs_person: false, is_right: is_pesel, example: "44051401359" },
    // Croatia and Germany.
    Scheme { len: 11, needs_person: false, is_right: mod11_10, example: "94577403194" },
    // Turkey.
    Scheme { len: 11, needs_person: false, is_right: is_turkish, example: "10000000146" },
    // Norway.
    Scheme { len: 11, needs_person: false, is_right: is_norwegian, example: "01010700066" },
    // Estonia and Lithuania.
    Scheme { len: 11, needs_person: false, is_right: is_baltic, example: "37605030299" },
    // Greece: social security.
    Scheme { len: 11, needs_person: false, is_right: is_greek, example: "01013099997" },
    // The Netherlands.
    Scheme { len: 9, needs_person: false, is_right: is_dutch, example: "111222333" },
    // Portugal and Australia: tax numbers.
    Scheme { len: 9, needs_person: true, is_right: is_portuguese, example: "123456789" },
    Scheme { len: 9, needs_person: true, is_right: is_australian, example: "123456782" },
    // Israel.
    Scheme { len: 9, needs_person: true, is_right: luhn, example: "123456782" },
    // United Kingdom: the health service.
    Scheme { len: 10, needs_person: true, is_right: is_nhs, example: "9434765919" },
    // Bulgaria.
    Scheme { len: 10, needs_person: true, is_right: is_bulgarian, example: "7523169263" },
    // Kazakhstan.
    Scheme { len: 12, needs_person: true, is_right: is_kazakh, example: "900101300017" },
    // Romania.
    Scheme { len: 13, needs_person: false, is_right: is_romanian, example: "1800101221144" },
    // States that were Yugoslavia.
    Scheme { len: 13, needs_person: false, is_right: is_jmbg, example: "0101006500006" },
];

/// Whether `value` is such a number; `is_of_person` says that words about persons alone are
/// nearby.
pub(in crate::find) fn is_bare_identifier(value: &[u8], is_of_person: bool) -> bool {
    let Some((digits, len)) = digits::<15>(value).filter(|(_, len)| *len == value.len()) else {
        return false;
    };
    let Some(digits) = digits.get(..len) else { return false };
    let varies = digits.windows(2).any(|pair| pair.first() != pair.last());
    varies
        && SCHEMES.iter().any(|scheme| {
            scheme.len == len && (is_of_person || !scheme.needs_person) && (scheme.is_right)(digits)
        })
}

fn at(digits: &[u8], place: usize) -> u32 {
    digits.get(place).copied().map_or(u32::MAX, u32::from)
}

fn is_pesel(digits: &[u8]) -> bool {
    is_day(1900, two(digits, 2) % 20, two(digits, 4))
        && weighted(digits, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]).is_multiple_of(10)
}

fn is_turkish(digits: &[u8]) -> bool {
    let total: u32 = digits.iter().take(10).map(|digit| u32::from(*digit)).sum();
    let odd = weighted(digits, &[7, 0, 7, 0, 7, 0, 7, 0, 7]);
    let even = weighted(digits, &[0, 1, 0, 1, 0, 1, 0, 1]);
    at(digits, 0) != 0
        && total % 10 == at(digits, 10)
        && (odd + 90 - even % 90) % 10 == at(digits, 9)
}

/// Two check digits, each by weights modulo 11.
pub(in crate::find) fn is_norwegian(digits: &[u8]) -> bool {
    weighted(digits, &[3, 7, 6, 1, 8, 9, 4, 5, 2, 1]).is_multiple_of(11)
        && weighted(digits, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11)
}

fn is_baltic(digits: &[u8]) -> bool {
    let first = weighted(digits, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 1]) % 11;
    let second = weighted(digits, &[3, 4, 5, 6, 7, 8, 9, 1, 2, 3]) % 11;
    let check = if first < 10 { first } else { second % 10 };
    (1..=6).contains(&at(digits, 0))
        && is_day(1900, two(digits, 3), two(digits, 5))
        && check == at(digits, 10)
}

fn is_greek(digits: &[u8]) -> bool {
    is_day(1900, two(digits, 2), two(digits, 0)) && luhn(digits)
}

fn is_dutch(digits: &[u8]) -> bool {
    weighted(digits, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11 == at(digits, 8)
}

fn is_portuguese(digits: &[u8]) -> bool {
    let rest = weighted(digits, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11;
    matches!(at(digits, 0), 1..=3) && at(digits, 8) == if rest < 2 { 0 } else { 11 - rest }
}

fn is_australian(digits: &[u8]) -> bool {
    weighted(digits, &[1, 4, 3, 7, 5, 8, 6, 9, 10]).is_multiple_of(11)
}

fn is_nhs(digits: &[u8]) -> bool {
    let check = 11 - weighted(digits, &[10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11;
    check % 11 == at(digits, 9)
}

fn is_bulgarian(digits: &[u8]) -> bool {
    let check = weighted(digits, &[2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11 % 10;
    is_day(1900, two(digits, 2) % 20, two(digits, 4)) && check == at(digits, 9)
}

fn is_kazakh(digits: &[u8]) -> bool {
    let first = weighted(digits, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]) % 11;
    let second = weighted(digits, &[3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2]) % 11;
    let check = if first < 10 { first } else { second };
    (1..=6).contains(&at(digits, 6))
        && is_day(1900, two(digits, 2), two(digits, 4))
        && check == at(digits, 11)
}

fn is_romanian(digits: &[u8]) -> bool {
    let check = weighted(digits, &[2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11;
    (1..=8).contains(&at(digits, 0))
        && is_day(1900, two(digits, 3), two(digits, 5))
        && (1..=52).contains(&two(digits, 7))
        && at(digits, 12) == if check == 10 { 1 } else { check }
}

fn is_jmbg(digits: &[u8]) -> bool {
    let sum = weighted(digits, &[7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]);
    is_day(1900, two(digits, 2), two(digits, 0))
        && matches!(at(digits, 4), 0 | 9)
        && sum.is_multiple_of(11)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_example_is_right_and_no_longer_with_another_last_digit() {
        for scheme in SCHEMES {
            let example = scheme.example.as_bytes();
            assert_eq!(example.len(), scheme.len);
            assert!(is_bare_identifier(example, true), "{}", scheme.example);
            let mut values: Vec<u8> = example.iter().map(|byte| byte - b'0').collect();
            assert!((scheme.is_right)(&values), "{}", scheme.example);
            *values.last_mut().unwrap() = (values.last().unwrap() + 1) % 10;
            assert!(!(scheme.is_right)(&values), "{}", scheme.example);
        }
    }

    #[test]
    fn counters_and_one_digit_repeated_are_none() {
        assert!(!is_bare_identifier(b"1111111111", true));
        assert!(!is_bare_identifier(b"9434765919", false));
        assert!(!is_bare_identifier(b"12", true));
    }
}
