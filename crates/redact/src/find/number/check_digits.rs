//! Check digits. Digits are values 0 to 9, not characters.

/// ISO/IEC 7812-1: payment cards, and what borrowed from them.
pub(in crate::find) fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| {
            let digit = u32::from(*digit);
            match at % 2 {
                0 => digit,
                _ if digit > 4 => digit * 2 - 9,
                _ => digit * 2,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// The sum of `digits`, each times its weight.
pub(in crate::find) fn weighted(digits: &[u8], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(digit, weight)| u32::from(*digit) * weight).sum()
}

/// ISO/IEC 7064, MOD 97-10, as IBANs use it: four characters from the front go to the end.
pub(in crate::find) fn mod97(characters: impl Iterator<Item = u8>) -> u32 {
    characters.fold(0, |rest, character| match character {
        b'0'..=b'9' => (rest * 10 + u32::from(character - b'0')) % 97,
        b'A'..=b'Z' => (rest * 100 + u32::from(character - b'A') + 10) % 97,
        b'a'..=b'z' => (rest * 100 + u32::from(character - b'a') + 10) % 97,
        _ => rest,
    })
}

/// ISO/IEC 7064, MOD 11,10: the last digit checks the rest.
pub(in crate::find) fn mod11_10(digits: &[u8]) -> bool {
    let Some((check, body)) = digits.split_last() else { return false };
    let product = body.iter().fold(10, |product, digit| {
        let sum = (product + u32::from(*digit)) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    (11 - product) % 10 == u32::from(*check)
}

/// Verhoeff's scheme, of the dihedral group of ten.
pub(in crate::find) fn verhoeff(digits: &[u8]) -> bool {
    let mut sum = 0;
    for (at, digit) in digits.iter().rev().enumerate() {
        let mut moved = usize::from(*digit);
        for _ in 0..at % 8 {
            moved = MOVES.get(moved).copied().map_or(0, usize::from);
        }
        sum = product(sum, moved);
    }
    sum == 0
}

const MOVES: [u8; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];

/// Of two elements: rotations are 0 to 4, reflections 5 to 9.
fn product(one: usize, other: usize) -> usize {
    match (one < 5, other < 5) {
        (true, true) => (one + other) % 5,
        (true, false) => (one + other - 5) % 5 + 5,
        (false, true) => (one - 5 + 5 - other) % 5 + 5,
        (false, false) => (one + 5 - other) % 5,
    }
}

/// Whether these digits could be a day of a month of a year of this or the last century.
pub(in crate::find) fn is_day(year: u32, month: u32, day: u32) -> bool {
    (1900..=2030).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day)
}

/// The number that two digits of `digits` make.
pub(in crate::find) fn two(digits: &[u8], at: usize) -> u32 {
    let digit = |at: usize| digits.get(at).copied().map_or(0, u32::from);
    digit(at) * 10 + digit(at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<u8> {
        text.bytes().filter(u8::is_ascii_digit).map(|byte| byte - b'0').collect()
    }

    #[test]
    fn published_examples_check() {
        assert!(luhn(&values("4111 1111 1111 1111")) && !luhn(&values("4111 1111 1111 1112")));
        assert_eq!(mod97(b"WEST12345698765432GB82".iter().copied()), 1);
        assert!(verhoeff(&values("2363")) && !verhoeff(&values("2364")));
        assert!(mod11_10(&values("94577403194")) && !mod11_10(&values("94577403195")));
        assert_eq!(weighted(&values("123"), &[3, 2, 1]), 10);
    }
}
