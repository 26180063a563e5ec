//! Numbers that are a payment card's by themselves.

use std::ops::Range;

use crate::find::{self, Carried};
use crate::kind::Kind;

/// Numbers of 16 digits: other lengths are as often no card's.
const CARDS: Range<u64> = 1_000_000_000_000_000..10_000_000_000_000_000;

/// Whether the digits of `number` are a card's: its issuer, its length, its check digit.
pub fn is_card(number: u64) -> bool {
    if !CARDS.contains(&number) {
        return false;
    }
    let digits = number.to_string();
    let found = find::find(digits.as_bytes(), &mut Carried::default(), true);
    found.iter().any(|span| span.kind == Kind::Card && span.range.len() == digits.len())
}

/// Digits of a card in a list of them.
const DIGITS: usize = 16;
/// Different digits of one: lists of small numbers are often of a few.
const LEAST_DIFFERENT: u32 = 5;

/// Where in `bytes` aligned words of `size` bytes are the digits of a card, one by one.
pub fn card_digits(bytes: &[u8], size: usize, number: impl Fn(&[u8]) -> u64) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut digits = 0;
    let mut count = 0;
    for (nth, word) in bytes.chunks_exact(size.max(1)).enumerate() {
        let digit = number(word);
        if digit > 9 {
            count = 0;
            continue;
        }
        digits = digits % (CARDS.start) * 10 + digit;
        count += 1;
        if count >= DIGITS && different(digits) >= LEAST_DIFFERENT && is_card(digits) {
            found.push((nth + 1 - DIGITS) * size..(nth + 1) * size);
        }
    }
    found
}

/// How many different digits a number has.
fn different(mut number: u64) -> u32 {
    let mut seen = 0_u16;
    while number > 0 {
        seen |= 1 << (number % 10);
        number /= 10;
    }
    seen.count_ones()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digits_of_a_card_are_found_among_other_numbers() {
        let digits = [7, 0, 4, 9, 2, 9, 8, 0, 4, 4, 6, 3, 6, 2, 2, 1, 3, 9, 1, 0x1234_5678];
        let bytes: Vec<u8> = digits.into_iter().flat_map(u32::to_le_bytes).collect();
        let number = |word: &[u8]| word.iter().rfold(0, |sum, byte| sum << 8 | u64::from(*byte));
        assert_eq!(card_digits(&bytes, 4, number).as_slice(), std::slice::from_ref(&(8..72)));
        assert!(card_digits(&[0; 400], 4, number).is_empty());
        assert!(card_digits(&bytes[4..], 8, number).is_empty());
    }

    #[test]
    fn a_card_has_an_issuer_and_a_check_digit() {
        assert!(is_card(4_929_804_463_622_139) && is_card(5_425_233_430_109_903));
        for other in [0, 4_929_804_463_622_138, 1_929_804_463_622_139, 0x7fff_ffff_e180, u64::MAX] {
            assert!(!is_card(other), "{other}");
        }
    }
}
