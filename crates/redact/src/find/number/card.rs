//! Payment cards and bank accounts.

use std::ops::Range;

use crate::find::number::check_digits::{luhn, mod97};
use crate::find::text::{Text, digits, is_word};

/// Whether `value` is the number of a card some network issues: length, issuer and check
/// digit.
pub(in crate::find) fn is_card(value: &[u8]) -> bool {
    let Some((digits, count)) = digits::<19>(value) else { return false };
    let Some(digits) = digits.get(..count) else { return false };
    is_issued(digits) && luhn(digits)
}

/// ISO/IEC 7812: the first digits give the network, the network the lengths.
fn is_issued(digits: &[u8]) -> bool {
    let lead = |count: usize| {
        digits.iter().take(count).fold(0u32, |sum, digit| sum * 10 + u32::from(*digit))
    };
    let len = digits.len();
    match (lead(1), lead(2), lead(3), lead(4)) {
        (4, ..) => matches!(len, 13 | 16 | 19),
        (_, 51..=55, ..) | (.., 2221..=2720) | (.., 2200..=2205) => len == 16,
        (_, 34 | 37, ..) => len == 15,
        (_, 36 | 38 | 39, ..) | (_, _, 300..=305, _) | (.., 3095) => (14..=19).contains(&len),
        (.., 3528..=3589) | (_, 62 | 81, ..) => (16..=19).contains(&len),
        (_, 60 | 64 | 65, ..) => (16..=19).contains(&len),
        (_, 50 | 56..=58 | 63 | 67 | 68, ..) => (12..=19).contains(&len) && len != 14,
        (.., 9792) => len == 16,
        _ => false,
    }
}

/// Whether a card's digits are in the groups cards are printed in: fours, or 4-6-5 and
/// 4-6-4; or in one.
pub(in crate::find) fn is_grouped_as_card(value: &[u8]) -> bool {
    let mut groups = [0; 6];
    let mut count = 0;
    for group in value.split(|byte| !byte.is_ascii_digit()) {
        let Some(free) = groups.get_mut(count) else { return false };
        *free = group.len();
        count += 1;
    }
    matches!(
        groups.get(..count),
        Some([12..=19] | [4, 6, 4 | 5] | [4, 4, 4] | [4, 4, 4, 1..=4] | [4, 4, 4, 4, 1..=4])
    )
}

/// An international bank account number (ISO 13616) that starts at `start`, written in
/// one or in groups of four, with the length of its country and the right check digits.
pub(in crate::find) fn iban(text: Text<'_>, start: usize) -> Option<Range<usize>> {
    let country = text.slice(start..start + 2).to_ascii_uppercase();
    let length = length_of(&country)?;
    if !text.at(start + 2).is_ascii_digit() || !text.at(start + 3).is_ascii_digit() {
        return None;
    }
    let mut characters = [0u8; LONGEST_IBAN];
    let mut count = 0;
    let mut place = start;
    while count < length {
        let byte = text.at(place);
        if byte.is_ascii_alphanumeric() {
            *characters.get_mut(count)? = byte;
            count += 1;
        } else if !(matches!(byte, b' ' | b'-') && count.is_multiple_of(4) && count > 0) {
            return None;
        }
        place += 1;
    }
    let (front, rest) = characters.get(..length)?.split_at_checked(4)?;
    let is_right = mod97(rest.iter().chain(front).copied()) == 1;
    (is_right && !is_word(text.at(place))).then_some(start..place)
}

const LONGEST_IBAN: usize = 34;

/// Characters of an account number of `country`, by the registry of ISO 13616.
fn length_of(country: &[u8]) -> Option<usize> {
    let &[first, second] = country else { return None };
    let length = *BY_COUNTRY.get(place_of(first)?)?.get(place_of(second)?)?;
    (length > 0).then_some(usize::from(length))
}

fn place_of(letter: u8) -> Option<usize> {
    letter.is_ascii_uppercase().then(|| usize::from(letter - b'A'))
}

/// The lengths by the two letters of the country; 0 where there is none.
static BY_COUNTRY: [[u8; 26]; 26] = by_country();

#[allow(clippy::indexing_slicing)]
const fn by_country() -> [[u8; 26]; 26] {
    let mut lengths = [[0; 26]; 26];
    let mut row = 0;
    while row < LENGTHS.len() {
        let (length, names) = LENGTHS[row];
        let names = names.as_bytes();
        let mut at = 0;
        while at < names.len() {
            lengths[(names[at] - b'A') as usize][(names[at + 1] - b'A') as usize] = length;
            at += 3;
        }
        row += 1;
    }
    lengths
}

const LENGTHS: &[(u8, &str)] = &[
    (15, "NO"),
    (16, "BE"),
    (18, "DK FI FO GL NL SD FK"),
    (19, "MK SI"),
    (20, "AT BA EE KZ LT LU XK MN"),
    (21, "CH CR HR LI LV"),
    (22, "BG BH DE GB GE IE ME RS VA"),
    (23, "AE GI IL IQ OM SO TL"),
    (24, "AD CZ ES MD PK RO SA SE SK TN VG DZ"),
    (25, "AO CV GW LY MZ PT ST"),
    (26, "IS TR"),
    (27, "FR GR IT MC MR SM BF CM CG CF DJ GA GQ KM TD BI MG"),
    (28, "AL AZ BY CI CY DO GT HU LB NI PL SV BJ ML SN TG HN MA NE"),
    (29, "BR EG PS QA UA"),
    (30, "JO KW MU YE"),
    (31, "MT SC"),
    (32, "LC"),
    (33, "RU"),
    (26, "IR"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards_have_an_issuer_a_length_and_a_check_digit() {
        for card in
            ["4111111111111111", "3782 822463 10005", "6011-1111-1111-1117", "30569309025904"]
        {
            assert!(is_card(card.as_bytes()) && is_grouped_as_card(card.as_bytes()), "{card}");
        }
        for other in ["4111111111111112", "1111111111111117", "411111111111111", "0"] {
            assert!(!is_card(other.as_bytes()), "{other}");
        }
        assert!(!is_grouped_as_card(b"41111 11111 111111"));
    }

    #[test]
    fn accounts_check_out_or_are_left_alone() {
        let found = |text: &str| iban(Text(text.as_bytes()), 0);
        assert_eq!(found("GB82 WEST 1234 5698 7654 32, x"), Some(0..27));
        assert_eq!(found("DE89370400440532013000"), Some(0..22));
        assert_eq!(found("DE89370400440532013001"), None);
        assert_eq!(found("DE8937040044053201300"), None);
    }
}
