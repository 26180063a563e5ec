//! Words of memory that spell text: a register that held eight letters of a password, a
//! pointer that text was copied over. A piece of a text cannot be judged by what it looks
//! like, so it is hidden unless it says nothing (`AAAAAAAA`).

/// What is shown for a number that spelled text: `xxxxxxxx`.
pub(super) const MASKED: u64 = 0x7878_7878_7878_7878;
const MASKED_HALF: u64 = MASKED >> 32;

/// Letters in a row that make a text of a word. Sizes, counters and times have fewer.
const LEAST: u32 = 5;
/// Letters of two bytes each that make a text of a word.
const LEAST_WIDE: usize = 4;
/// Digits of a hexadecimal number that may spell so many letters.
const LEAST_DIGITS: usize = 10;

/// Whether the bytes of `word`, in either order, have text that says something.
pub(super) fn spells(word: u64, least: u32) -> bool {
    let bytes = word.to_le_bytes();
    let mut run = 0;
    let mut longest = 0;
    for byte in bytes {
        run = if is_printable(byte) { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let wide = |from: usize| {
        let letters = bytes.iter().skip(from).step_by(2);
        let rest = bytes.iter().skip(1 - from).step_by(2);
        letters.filter(|byte| is_printable(**byte)).count() >= LEAST_WIDE
            && rest.clone().all(|byte| *byte == 0)
    };
    (longest >= least || wide(0) || wide(1)) && !is_dull(&bytes)
}

/// The same for a number that may as well be a pointer or a counter.
pub(super) fn is_text(word: u64) -> bool {
    spells(word, LEAST)
}

/// The same for an integer or a floating-point number: all of it.
pub(super) fn is_whole_text(word: u64) -> bool {
    spells(word, u64::BITS / 8 - 1)
}

/// What is shown for the number `word`.
pub(super) fn masked(word: u64) -> u64 {
    if word <= u64::from(u32::MAX) { MASKED_HALF } else { MASKED }
}

/// One or two characters over and over: filled on purpose, and no one's.
pub(super) fn is_dull(bytes: &[u8]) -> bool {
    let mut letters = bytes.iter().filter(|byte| **byte != 0);
    let Some(first) = letters.next() else { return true };
    let mut second = None;
    letters.filter(|byte| *byte != first).all(|byte| *second.get_or_insert(byte) == byte)
}

fn is_printable(byte: u8) -> bool {
    byte == b' ' || byte.is_ascii_graphic()
}

/// The numbers in a sentence: where they are, and what they are. Hexadecimal ones, and
/// decimal ones of so many digits that they may spell text.
pub(super) fn numbers(text: &str) -> Vec<(std::ops::Range<usize>, u64)> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut place = 0;
    while let Some(byte) = bytes.get(place) {
        if !byte.is_ascii_digit() {
            place += 1;
            continue;
        }
        let rest = text.get(place..).unwrap_or_default();
        let end = rest.bytes().position(|byte| !byte.is_ascii_alphanumeric());
        let whole = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        let number = match whole.strip_prefix("0x") {
            Some(digits) if digits.len() >= LEAST_DIGITS => u64::from_str_radix(digits, 16).ok(),
            None if whole.len() >= LEAST_DIGITS => whole.parse().ok(),
            _ => None,
        };
        found.extend(number.map(|number| (place..place + whole.len(), number)));
        place += whole.len().max(1);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &[u8; 8]) -> u64 {
        u64::from_le_bytes(*text)
    }

    #[test]
    fn a_word_of_letters_is_text_and_an_address_or_a_count_is_none() {
        for text in [b"hunter22", b"hunte\0\0\0", b"\0\x01pass\x20w", b"p\0a\0s\0s\0"] {
            assert!(is_text(word(text)), "{text:?}");
            assert!(is_text(word(text).swap_bytes()), "{text:?}");
        }
        for number in [0, 7, 0x7fff_ffff_e180, 0x5555_5555_92a0, 0x1_8bcf_e568_0000, u64::MAX] {
            assert!(!is_text(number), "{number:#x}");
        }
        assert!(!is_whole_text(word(b"hunte\0\0\0")) && is_whole_text(word(b"hunter2\0")));
    }

    #[test]
    fn letters_that_repeat_say_nothing() {
        assert!(!is_text(word(b"AAAAAAAA")) && !is_text(word(b"ababab\0\0")));
        assert!(is_text(word(b"AAAAbcAA")));
        assert!(!is_text(MASKED) && !is_text(masked(0x6161_6262)));
    }

    #[test]
    fn numbers_are_found_where_they_are() {
        let text = "rax = 0x323272655474, at 0x10; 3617292398726410868 of 12, `0xzz`";
        let found: Vec<_> =
            numbers(text).into_iter().map(|(at, number)| (&text[at], number)).collect();
        assert_eq!(
            found,
            [
                ("0x323272655474", 0x3232_7265_5474),
                ("3617292398726410868", 3_617_292_398_726_410_868)
            ]
        );
    }
}
