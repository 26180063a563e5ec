//! Numbers that states give people, where shape and check digits alone give them away.

use std::ops::Range;

use crate::find::number::check_digits::{is_day, luhn, two, verhoeff, weighted};
use crate::find::number::{bare_id, is_in_dump};
use crate::find::text::{Text, digits, is_word};

/// The pattern of an identifier's characters: `9` a digit, `A` a capital, `X` either, all
/// else as it is.
type Shape = &'static [u8];

/// One country's numbers.
struct Scheme {
    shape: Shape,
    /// Digits it begins with.
    leading: usize,
    /// Whether the characters of the shape fit together.
    is_right: fn(&[u8]) -> bool,
}

impl Scheme {
    #[allow(clippy::indexing_slicing)]
    const fn new(shape: Shape, is_right: fn(&[u8]) -> bool) -> Self {
        let mut leading = 0;
        while leading < shape.len() && shape[leading] == b'9' {
            leading += 1;
        }
        Self { shape, leading, is_right }
    }
}

/// In each the separators or letters and the check make a chance hit rare.
const SCHEMES: &[Scheme] = &[
    // United States: social security number.
    Scheme::new(b"999-99-9999", is_ssn),
    // Brazil: persons and companies.
    Scheme::new(b"999.999.999-99", is_cpf),
    Scheme::new(b"99.999.999/9999-99", |_| true),
    // Chile.
    Scheme::new(b"9.999.999-X", is_rut),
    Scheme::new(b"99.999.999-X", is_rut),
    // Canada: social insurance.
    Scheme::new(b"999-999-999", is_luhn_nine),
    // Sweden and Finland; Denmark has no check, so a date must do.
    Scheme::new(b"999999-9999", is_personnummer),
    Scheme::new(b"999999+9999", is_personnummer),
    Scheme::new(b"99999999-9999", is_long_personnummer),
    Scheme::new(b"999999-999X", is_hetu),
    Scheme::new(b"999999A999X", is_hetu),
    // Spain: citizens and foreigners.
    Scheme::new(b"99999999A", is_dni),
    Scheme::new(b"99999999-A", is_dni),
    Scheme::new(b"A9999999A", is_nie),
    Scheme::new(b"A-9999999-A", is_nie),
    // Italy, with its month letter.
    Scheme::new(b"AAAAAA99A99A999A", is_codice_fiscale),
    // United Kingdom: national insurance.
    Scheme::new(b"AA 99 99 99 A", is_nino),
    Scheme::new(b"AA999999A", is_nino),
    // France: social security, bare and in its usual groups.
    Scheme::new(b"999999999999999", is_nir),
    Scheme::new(b"9 99 99 99 999 999 99", is_nir),
    // Belgium.
    Scheme::new(b"99.99.99-999.99", is_belgian),
    // Switzerland: EAN-13 with the country's prefix.
    Scheme::new(b"999.9999.9999.99", is_ahv),
    // India: the registry's number in groups; the tax number.
    Scheme::new(b"9999 9999 9999", is_aadhaar),
    Scheme::new(b"AAAAA9999A", is_indian_tax_number),
    // South Korea and China.
    Scheme::new(b"999999-9999999", is_korean),
    Scheme::new(b"99999999999999999X", is_chinese),
    // Singapore, Hong Kong, Taiwan.
    Scheme::new(b"A9999999A", is_nric),
    Scheme::new(b"A999999(X)", |_| true),
    Scheme::new(b"A999999999", is_taiwanese),
    // Mexico.
    Scheme::new(b"AAAA999999AAAAAAX9", is_curp),
    // Russia: pension insurance.
    Scheme::new(b"999-999-999 99", is_snils),
    // South Africa, by date and check digit.
    Scheme::new(b"9999999999999", is_south_african),
    // Thailand, in its groups.
    Scheme::new(b"9-9999-99999-99-9", |_| true),
    // Malaysia: a date and a place of birth.
    Scheme::new(b"999999-99-9999", is_dated),
    // Czechia and Slovakia.
    Scheme::new(b"999999/9999", is_czech),
    // Norway in its usual groups.
    Scheme::new(b"999999 99999", is_norwegian),
    // Argentina: tax number.
    Scheme::new(b"99-99999999-9", is_cuit),
];

/// An identifier that starts at `start`.
pub(in crate::find) fn identifier(text: Text<'_>, start: usize) -> Option<Range<usize>> {
    let first = text.at(start);
    let lead = if first.is_ascii_digit() {
        text.run(start, MOST_LEADING, |byte| byte.is_ascii_digit()) - start
    } else if first.is_ascii_uppercase() {
        0
    } else {
        return None;
    };
    let mut fitting = BY_LEADING.get(lead).copied().unwrap_or(0);
    let schemes = std::iter::from_fn(|| {
        let at = fitting.trailing_zeros();
        fitting &= fitting.wrapping_sub(1);
        SCHEMES.get(at as usize)
    });
    let behind = text.at(start + lead);
    let may_go_on = |scheme: &&Scheme| {
        let next = scheme.shape.get(lead).copied().unwrap_or(0);
        matches!(next, 0 | b'9' | b'A' | b'X') || next == behind
    };
    let found = schemes.into_iter().filter(may_go_on).find_map(|scheme| {
        let end = fit(text, start, scheme.shape)?;
        (scheme.is_right)(text.slice(start..end)).then_some(end)
    })?;
    let range = start..found;
    let is_grouped = text.slice(range.clone()).contains(&b' ');
    (!is_grouped || !is_in_dump(text, &range)).then_some(range)
}

/// For each number of digits at the start the schemes that may fit, as bits. A digit more
/// than a shape begins with may be its last character.
static BY_LEADING: [u64; MOST_LEADING + 1] = by_leading();

#[allow(clippy::indexing_slicing)]
const fn by_leading() -> [u64; MOST_LEADING + 1] {
    let mut fitting = [0; MOST_LEADING + 1];
    let mut at = 0;
    while at < SCHEMES.len() {
        let Scheme { leading, shape, .. } = SCHEMES[at];
        fitting[leading] |= 1 << at;
        let may_end_with_digit = leading + 1 == shape.len() && shape[leading] == b'X';
        if may_end_with_digit {
            fitting[leading + 1] |= 1 << at;
        }
        at += 1;
    }
    fitting
}

/// Digits a shape begins with, at most; one more may be the last.
const MOST_LEADING: usize = 18;

/// Where the text that has `shape` ends, if nothing goes on there.
#[inline]
fn fit(text: Text<'_>, start: usize, shape: Shape) -> Option<usize> {
    for (at, wanted) in shape.iter().enumerate() {
        let byte = text.at(start + at);
        let fits = match wanted {
            b'9' => byte.is_ascii_digit(),
            b'A' => byte.is_ascii_uppercase(),
            b'X' => byte.is_ascii_digit() || byte.is_ascii_uppercase(),
            _ => byte == *wanted,
        };
        if !fits {
            return None;
        }
    }
    let end = start + shape.len();
    let next = text.at(end);
    let goes_on =
        is_word(next) || (matches!(next, b'-' | b'.' | b'/') && text.at(end + 1).is_ascii_digit());
    (!goes_on).then_some(end)
}

/// The first two, three or four digits as numbers.
fn lead(digits: &[u8], count: usize) -> u32 {
    digits.iter().take(count).fold(0, |sum, digit| sum * 10 + u32::from(*digit))
}

/// The digits of `value`, if there are `N`.
fn all<const N: usize>(value: &[u8]) -> Option<[u8; N]> {
    let (found, count) = digits::<N>(value)?;
    (count == N).then_some(found)
}

fn is_ssn(value: &[u8]) -> bool {
    all::<9>(value).is_some_and(|digits| {
        let area = lead(&digits, 3);
        area != 0 && area != 666 && area < 900 && two(&digits, 3) != 0 && digits[5..] != [0; 4]
    })
}

fn is_cpf(value: &[u8]) -> bool {
    all::<11>(value).is_some_and(|digits| {
        let check = |count: usize| {
            let weights: Vec<u32> = (2..=count as u32 + 1).rev().collect();
            let rest = weighted(&digits, &weights) % 11;
            if rest < 2 { 0 } else { 11 - rest }
        };
        check(9) == u32::from(digits[9]) && check(10) == u32::from(digits[10])
    })
}

fn is_rut(value: &[u8]) -> bool {
    let Some((check, body)) = value.split_last() else { return false };
    let digits = body.iter().rev().filter(|byte| byte.is_ascii_digit());
    let sum: u32 =
        digits.zip((2..=7).cycle()).map(|(byte, weight)| u32::from(byte - b'0') * weight).sum();
    let wanted = match 11 - sum % 11 {
        11 => b'0',
        10 => b'K',
        digit => b'0' + digit as u8,
    };
    *check == wanted
}

fn is_luhn_nine(value: &[u8]) -> bool {
    all::<9>(value).is_some_and(|digits| luhn(&digits) && digits[0] != 0)
}

fn is_personnummer(value: &[u8]) -> bool {
    all::<10>(value).is_some_and(|digits| {
        let (month, day) = (two(&digits, 2), two(&digits, 4));
        let swedish = is_day(1900, month, day % 60) && luhn(&digits);
        let (danish_day, danish_month) = (two(&digits, 0), two(&digits, 2));
        let weights = [4, 3, 2, 7, 6, 5, 4, 3, 2, 1];
        swedish
            || (is_day(1900, danish_month, danish_day)
                && weighted(&digits, &weights).is_multiple_of(11))
    })
}

fn is_long_personnummer(value: &[u8]) -> bool {
    all::<12>(value).is_some_and(|digits| {
        is_day(lead(&digits, 4), two(&digits, 4), two(&digits, 6) % 60) && luhn(&digits[2..])
    })
}

fn is_hetu(value: &[u8]) -> bool {
    const CHECKS: &[u8] = b"0123456789ABCDEFHJKLMNPRSTUVWXY";
    let Some((check, body)) = value.split_last() else { return false };
    all::<9>(body).is_some_and(|digits| {
        let number = lead(&digits, 9) as usize;
        is_day(1900, two(&digits, 2), two(&digits, 0)) && CHECKS.get(number % 31) == Some(check)
    })
}

const DNI_LETTERS: &[u8] = b"TRWAGMYFPDXBNJZSQVHLCKE";

fn is_dni(value: &[u8]) -> bool {
    let Some((check, body)) = value.split_last() else { return false };
    all::<8>(body)
        .is_some_and(|digits| DNI_LETTERS.get(lead(&digits, 8) as usize % 23) == Some(check))
}

fn is_nie(value: &[u8]) -> bool {
    let (Some(first), Some(check)) = (value.first(), value.last()) else { return false };
    let Some(lead_digit) = b"XYZ".iter().position(|letter| letter == first) else { return false };
    all::<7>(value).is_some_and(|digits| {
        let number = lead_digit * 10_000_000 + lead(&digits, 7) as usize;
        DNI_LETTERS.get(number % 23) == Some(check)
    })
}

fn is_codice_fiscale(value: &[u8]) -> bool {
    let is_month = value.get(8).is_some_and(|letter| b"ABCDEHLMPRST".contains(letter));
    let day = value.get(9..11).and_then(super::text::number).unwrap_or(0);
    is_month && (1..=71).contains(&day)
}

fn is_nino(value: &[u8]) -> bool {
    let (Some(prefix), Some(suffix)) = (value.get(..2), value.last()) else { return false };
    let never: [&[u8]; 7] = [b"BG", b"GB", b"KN", b"NK", b"NT", b"TN", b"ZZ"];
    !never.contains(&prefix)
        && !prefix.iter().any(|letter| b"DFIQUV".contains(letter))
        && prefix.last() != Some(&b'O')
        && (b'A'..=b'D').contains(suffix)
}

fn is_nir(value: &[u8]) -> bool {
    all::<15>(value).is_some_and(|digits| {
        let body = digits[..13].iter().fold(0u64, |sum, digit| sum * 10 + u64::from(*digit));
        let is_dated = (1..=12).contains(&two(&digits, 3)) || two(&digits, 3) >= 20;
        matches!(digits[0], 1..=4 | 7 | 8)
            && is_dated
            && 97 - body % 97 == u64::from(two(&digits, 13))
    })
}

fn is_belgian(value: &[u8]) -> bool {
    all::<11>(value).is_some_and(|digits| {
        let body = u64::from(lead(&digits, 9));
        let check = u64::from(two(&digits, 9));
        97 - body % 97 == check || 97 - (2_000_000_000 + body) % 97 == check
    })
}

fn is_ahv(value: &[u8]) -> bool {
    all::<13>(value).is_some_and(|digits| {
        let weights = [1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1];
        lead(&digits, 3) == 756 && weighted(&digits, &weights).is_multiple_of(10)
    })
}

fn is_aadhaar(value: &[u8]) -> bool {
    all::<12>(value).is_some_and(|digits| digits[0] > 1 && verhoeff(&digits))
}

fn is_indian_tax_number(value: &[u8]) -> bool {
    value.get(3).is_some_and(|holder| b"ABCFGHJLPT".contains(holder))
}

fn is_korean(value: &[u8]) -> bool {
    all::<13>(value).is_some_and(|digits| {
        is_day(1900, two(&digits, 2), two(&digits, 4)) && (1..=8).contains(&digits[6])
    })
}

/// GB 11643: a place, a date, a number, and a check that may be X.
fn is_chinese(value: &[u8]) -> bool {
    let Some((check, body)) = value.split_last() else { return false };
    all::<17>(body).is_some_and(|digits| {
        let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
        let wanted = b"10X98765432".get(weighted(&digits, &weights) as usize % 11);
        is_day(lead(&digits[6..], 4), two(&digits, 10), two(&digits, 12)) && wanted == Some(check)
    })
}

fn is_nric(value: &[u8]) -> bool {
    let (Some(first), Some(check)) = (value.first(), value.last()) else { return false };
    all::<7>(value).is_some_and(|digits| {
        let sum = weighted(&digits, &[2, 7, 6, 5, 4, 3, 2]) as usize;
        let (offset, letters): (usize, &[u8]) = match first {
            b'S' => (0, b"JZIHGFEDCBA"),
            b'T' => (4, b"JZIHGFEDCBA"),
            b'F' => (0, b"XWUTRQPNMLK"),
            b'G' => (4, b"XWUTRQPNMLK"),
            _ => return false,
        };
        letters.get((sum + offset) % 11) == Some(check)
    })
}

fn is_taiwanese(value: &[u8]) -> bool {
    const ORDER: &[u8] = b"ABCDEFGHJKLMNPQRSTUVXYWZIO";
    let code = value.first().and_then(|first| ORDER.iter().position(|letter| letter == first));
    let (Some(code), Some(digits)) = (code, all::<9>(value)) else { return false };
    let code = code as u32 + 10;
    let sum = code / 10 + code % 10 * 9 + weighted(&digits, &[8, 7, 6, 5, 4, 3, 2, 1, 1]);
    matches!(digits[0], 1 | 2 | 8 | 9) && sum.is_multiple_of(10)
}

fn is_curp(value: &[u8]) -> bool {
    let sex = value.get(10);
    let date = value.get(6..10).and_then(digits::<4>);
    let is_dated = date.is_some_and(|(date, _)| is_day(1900, two(&date, 0), two(&date, 2)));
    matches!(sex, Some(b'H' | b'M' | b'X')) && is_dated
}

fn is_snils(value: &[u8]) -> bool {
    all::<11>(value).is_some_and(|digits| {
        let sum = weighted(&digits, &[9, 8, 7, 6, 5, 4, 3, 2, 1]) % 101;
        sum % 100 == two(&digits, 9)
    })
}

fn is_south_african(value: &[u8]) -> bool {
    all::<13>(value).is_some_and(|digits| {
        let is_dated = is_day(1900, two(&digits, 2), two(&digits, 4));
        is_dated && digits[10] < 2 && matches!(digits[11], 8 | 9) && luhn(&digits)
    })
}

fn is_dated(value: &[u8]) -> bool {
    all::<12>(value).is_some_and(|digits| is_day(1900, two(&digits, 2), two(&digits, 4)))
}

fn is_czech(value: &[u8]) -> bool {
    all::<10>(value).is_some_and(|digits| {
        let number = digits.iter().fold(0u64, |sum, digit| sum * 10 + u64::from(*digit));
        is_day(1900, two(&digits, 2) % 50 % 20, two(&digits, 4)) && number.is_multiple_of(11)
    })
}

fn is_norwegian(value: &[u8]) -> bool {
    all::<11>(value).is_some_and(|digits| bare_id::is_norwegian(&digits))
}

fn is_cuit(value: &[u8]) -> bool {
    all::<11>(value).is_some_and(|digits| {
        let sum = weighted(&digits, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]);
        matches!(lead(&digits, 2), 20 | 23..=27 | 30 | 33 | 34) && sum.is_multiple_of(11)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_found(value: &str) -> bool {
        identifier(Text(value.as_bytes()), 0) == Some(0..value.len())
    }

    #[test]
    fn numbers_of_many_countries_are_known_by_shape_and_check() {
        for value in [
            "078-05-1120",
            "111.444.777-35",
            "12.345.678-5",
            "130-692-544",
            "811218-9876",
            "131052-308T",
            "12345678Z",
            "X1234567L",
            "RSSMRA85T10A562S",
            "AB 12 34 56 C",
            "255081416802538",
            "85.07.30-033.28",
            "756.9217.0769.85",
            "ABCPA1234A",
            "11010519491231002X",
            "S1234567D",
            "A123456789",
            "8001015009087",
        ] {
            assert!(is_found(value), "{value}");
        }
    }

    #[test]
    fn a_wrong_check_digit_makes_it_a_number_like_others() {
        for value in [
            "000-05-1120",
            "111.444.777-36",
            "12.345.678-6",
            "130-692-545",
            "811218-9875",
            "131052-308U",
            "12345678A",
            "85.07.30-033.29",
            "756.9217.0769.84",
            "8001015009088",
            "2026-01-01",
            "1234567890123",
            "A123456788",
        ] {
            assert!(!is_found(value), "{value}");
        }
    }
}
