//! Keys in texts that are written as numbers: `key: [82, 115, …]`, `key = {0x52, 0x73, …}`,
//! `hmac_key=5273…`. And any part of a key that is known already, in any of these notations.

use std::ops::Range;

use crate::find::{Span, Unit};
use crate::key_bytes::KeyBytes;
use crate::key_jwk;
use crate::key_material::{self, Material};
use crate::kind::Kind;

/// Numbers in a list that are a key. Dates, addresses and versions have fewer.
const LEAST_NUMBERS: usize = 8;
/// Hexadecimal digits that are a key: 16 bytes.
const LEAST_DIGITS: usize = 32;
/// Bytes of the longest name.
const LONGEST_NAME: usize = 64;

/// Lists of bytes and hexadecimal digits whose name says that they are a key, and private JSON Web
/// Keys.
pub(crate) fn find_named(text: &[u8]) -> Vec<Span> {
    let mut found = key_jwk::find(text);
    let mut at = 0;
    while let Some(next) = memchr::memchr3(b'[', b'{', b'=', text.get(at..).unwrap_or_default()) {
        let sign = at + next;
        at = sign + 1;
        let inside = match text.get(sign) {
            Some(b'=') => digits_after(text, sign + 1),
            _ => list_after(text, sign + 1),
        };
        let Some(inside) = inside else { continue };
        at = inside.end.max(at);
        if let Some(kind) = name_before(text, sign).and_then(kind_of) {
            found.push(Span { range: inside, kind, unit: Unit::Byte });
        }
    }
    found
}

fn kind_of(name: &[u8]) -> Option<Kind> {
    let name = std::str::from_utf8(name).ok()?;
    match key_material::of_name(name).map(Material::kind)? {
        kind @ (Kind::Password | Kind::Secret | Kind::PasswordHash) => Some(kind),
        _ => None,
    }
}

/// A run of digits at `at`, behind a blank, a quote or `0x`.
fn digits_after(text: &[u8], at: usize) -> Option<Range<usize>> {
    let mut from = at;
    for sign in [b" ".as_slice(), b"\"", b"'", b"0x"] {
        if text.get(from..)?.starts_with(sign) {
            from += sign.len();
        }
    }
    let rest = text.get(from..)?;
    // Seen at once in nearly all cases.
    if !rest.first()?.is_ascii_hexdigit() || !rest.get(LEAST_DIGITS - 1)?.is_ascii_hexdigit() {
        return None;
    }
    let length = rest.iter().position(|byte| !byte.is_ascii_hexdigit()).unwrap_or(rest.len());
    let is_end = !rest.get(length).is_some_and(u8::is_ascii_alphanumeric);
    (length >= LEAST_DIGITS && is_end).then(|| from..from + length)
}

/// The numbers of a list at `at`, each a byte: decimal, `0x52` or two hexadecimal digits.
fn list_after(text: &[u8], at: usize) -> Option<Range<usize>> {
    let mut end = at;
    let mut count = 0;
    loop {
        let from = skip(text, end, b" ,\n\t");
        if (count > 0 && from == end) || (count == 0 && from > at + 1) {
            break;
        }
        let rest = text.get(from..).unwrap_or_default();
        let length = rest.iter().take(5).take_while(|byte| byte.is_ascii_alphanumeric()).count();
        if !rest.get(..length).is_some_and(is_byte) {
            break;
        }
        count += 1;
        end = from + length;
    }
    (count >= LEAST_NUMBERS).then_some(at..end)
}

fn is_byte(word: &[u8]) -> bool {
    let word = word.strip_prefix(b"0x").or_else(|| word.strip_prefix(b"0X")).unwrap_or(word);
    let is_decimal =
        word.len() == 3 && word.iter().all(u8::is_ascii_digit) && word <= b"255".as_slice();
    is_decimal || matches!(word.len(), 1 | 2) && word.iter().all(u8::is_ascii_hexdigit)
}

fn skip(text: &[u8], at: usize, blanks: &[u8]) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest.iter().take(16).take_while(|byte| blanks.contains(byte)).count()
}

/// The name before the sign at `at`: `key` of `key: [`, of `"key": [`, of `key = {` and of
/// `SigningKey([`.
fn name_before(text: &[u8], at: usize) -> Option<&[u8]> {
    let start = at.saturating_sub(LONGEST_NAME);
    let before = text.get(start..at)?;
    let signs = |byte: &u8| b" \t:=\"'(&".contains(byte);
    let length = before.iter().rposition(|byte| !signs(byte))? + 1;
    let before = before.get(..length)?;
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.-".contains(byte);
    let from = before.iter().rposition(|byte| !is_name(byte)).map_or(0, |last| last + 1);
    let name = before.get(from..)?;
    // `cache key=`, `public key: [`: one word before it says what kind of key it is.
    match before.get(..from) {
        Some([head @ .., b' ']) => {
            let word = head.iter().rposition(|byte| !byte.is_ascii_alphabetic());
            before.get(word.map_or(0, |last| last + 1)..)
        }
        _ => Some(name).filter(|name| !name.is_empty()),
    }
}

/// What of `text` is a part of a known key: its bytes, or numbers that spell them.
pub(crate) fn find_known(text: &[u8], known: &KeyBytes) -> Vec<Range<usize>> {
    let mut found = known.find(text);
    if known.is_empty() {
        return found;
    }
    let mut spelled = Spelled::default();
    for notation in [hex_pairs, odd_hex_pairs, numbers, bytes_in_hex, escapes] {
        spelled.clear();
        notation(text, &mut spelled);
        found.extend(known.find(&spelled.bytes).into_iter().filter_map(|part| spelled.range(part)));
    }
    found.sort_by_key(|range| (range.start, range.end));
    found
}

/// Bytes that a text spells, each with the place that spells it.
#[derive(Default)]
struct Spelled {
    bytes: Vec<u8>,
    places: Vec<(usize, usize)>,
}

impl Spelled {
    fn clear(&mut self) {
        self.bytes.clear();
        self.places.clear();
    }

    fn push(&mut self, byte: u8, from: usize, to: usize) {
        self.bytes.push(byte);
        self.places.push((from, to));
    }

    /// Something that is no byte ends what was spelled so far.
    fn end(&mut self, at: usize) {
        if !self.bytes.is_empty() {
            for _ in 0..crate::key_bytes::PART {
                self.push(0, at, at);
            }
        }
    }

    fn range(&self, part: Range<usize>) -> Option<Range<usize>> {
        let (from, _) = self.places.get(part.start)?;
        let (_, to) = self.places.get(part.end.checked_sub(1)?)?;
        Some(*from..*to)
    }
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

fn hex_pairs(text: &[u8], spelled: &mut Spelled) {
    pairs_from(text, 0, spelled);
}

/// Digits of which the first is the second of a byte.
fn odd_hex_pairs(text: &[u8], spelled: &mut Spelled) {
    pairs_from(text, 1, spelled);
}

/// Runs of hexadecimal digits, by two.
fn pairs_from(text: &[u8], skipped: usize, spelled: &mut Spelled) {
    let mut at = 0;
    while at < text.len() {
        let rest = text.get(at..).unwrap_or_default();
        let length = rest.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        if length >= 2 * crate::key_bytes::PART {
            let run = rest.get(skipped..length).unwrap_or_default();
            for (nth, pair) in run.chunks_exact(2).enumerate() {
                let (Some(high), Some(low)) =
                    (pair.first().and_then(|it| digit(*it)), pair.last().and_then(|it| digit(*it)))
                else {
                    continue;
                };
                let from = at + skipped + 2 * nth;
                spelled.push(high << 4 | low, from, from + 2);
            }
            spelled.end(at + length);
        }
        at += length.max(1);
    }
}

/// Numbers with no more than a few signs between: `82, 115`, `0x52 0x73`, `\x52\x73`.
fn numbers(text: &[u8], spelled: &mut Spelled) {
    list(text, spelled, |word| {
        let hex = word.strip_prefix("0x").or_else(|| word.strip_prefix('x'));
        hex.map_or_else(|| word.parse().ok(), |digits| u8::from_str_radix(digits, 16).ok())
    });
}

/// The same in two hexadecimal digits each: `52 73 e8`.
fn bytes_in_hex(text: &[u8], spelled: &mut Spelled) {
    list(text, spelled, |word| u8::from_str_radix(word, 16).ok().filter(|_| word.len() == 2));
}

/// Words that `byte_of` reads, as long as they follow each other.
fn list(text: &[u8], spelled: &mut Spelled, byte_of: impl Fn(&str) -> Option<u8>) {
    let mut at = 0;
    let mut last = 0;
    while at < text.len() {
        let rest = text.get(at..).unwrap_or_default();
        let length = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
        let word = rest.get(..length).unwrap_or_default();
        let word = std::str::from_utf8(word).ok().filter(|word| word.len() <= 4);
        if let Some(byte) = word.and_then(&byte_of) {
            if at > last + 4 {
                spelled.end(at);
            }
            spelled.push(byte, at, at + length);
            last = at + length;
        } else if length > 0 {
            spelled.end(at);
        }
        at += length.max(1);
    }
}

/// Bytes of a string in the notation of C, Rust and Python: letters, `\x52`, `\122`, `\n`; and
/// characters of Latin-1.
fn escapes(text: &[u8], spelled: &mut Spelled) {
    let mut at = 0;
    while let Some(first) = text.get(at) {
        let rest = text.get(at + 1..).unwrap_or_default();
        let (byte, length) = match (first, rest) {
            (b'\\', [b'x', high, low, ..]) => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => (high << 4 | low, 4),
                _ => (*first, 1),
            },
            (b'\\', [b'u', b'0', b'0', high, low, ..]) => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => (high << 4 | low, 6),
                _ => (*first, 1),
            },
            (b'\\', [b'0'..=b'7', ..]) => {
                let digits = rest.iter().take(3).take_while(|byte| (b'0'..=b'7').contains(byte));
                let (value, count) = digits
                    .fold((0_u32, 1), |(value, n), it| (value * 8 + u32::from(it - b'0'), n + 1));
                (u8::try_from(value).unwrap_or(0), count)
            }
            (b'\\', [letter, ..]) => (escaped(*letter), 2),
            (0xc2, [low @ 0x80..=0xbf, ..]) => (*low, 2),
            (0xc3, [low @ 0x80..=0xbf, ..]) => (low + 0x40, 2),
            _ => (*first, 1),
        };
        spelled.push(byte, at, at + length);
        at += length;
    }
}

fn escaped(letter: u8) -> u8 {
    match letter {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'a' => 7,
        b'b' => 8,
        b'v' => 11,
        b'f' => 12,
        b'e' => 27,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &str) -> Vec<&str> {
        find_named(text.as_bytes()).into_iter().map(|span| &text[span.range]).collect()
    }

    #[test]
    fn numbers_that_are_called_a_key_are_found() {
        let digits = "58cba3f01ca651a7c0661e6538016347";
        for text in [
            "bad key: [82, 115, 232, 65, 234, 231, 244, 167]",
            "SigningKey { secret: [82, 115, 232, 65, 234, 231, 244, 167], uses: 1 }",
            "SigningKey([82, 115, 232, 65, 234, 231, 244, 167])",
            "{Version:772 masterSecret:[82 115 232 65 234 231 244 167]}",
            "aes_key = {0x52, 0x73, 0xe8, 0x41, 0xea, 0xe7, 0xf4, 0xa7}",
            "hmac_key=[52, 73, e8, 41, ea, e7, f4, a7]",
            "\"key\":[82,115,232,65,234,231,244,167]",
        ] {
            assert_eq!(named(text).len(), 1, "{text}");
        }
        for text in ["key=X", "bad key=X in", "key = \"X\"", "aes-key=0xX;"] {
            assert_eq!(named(&text.replace('X', digits)), [digits], "{text}");
        }
    }

    #[test]
    fn numbers_of_other_names_are_not() {
        for text in [
            "key: [1, 2, 3]",
            "sizes: [82, 115, 232, 65, 234, 231, 244, 167]",
            "[82, 115, 232, 65, 234, 231, 244, 167]",
            "key: [1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000]",
            "cache key=58cba3f01ca651a7c0661e6538016347",
            "public_key: [82, 115, 232, 65, 234, 231, 244, 167]",
            "commit=58cba3f01ca651a7c0661e6538016347",
            "key=58cba3f01ca651a7",
            "key=[",
            "",
        ] {
            assert_eq!(named(text), Vec::<&str>::new(), "{text}");
        }
    }

    #[test]
    fn a_known_key_is_found_in_every_notation() {
        let key = *b"\x52\x73\xe8\x41\xea\xe7\xf4\xa7\x0a\x6b";
        let mut known = KeyBytes::default();
        known.add(&key);
        let join = |format: &dyn Fn(&u8) -> String, between: &str| {
            key.iter().map(format).collect::<Vec<_>>().join(between)
        };
        for text in [
            join(&|byte| format!("{byte:02x}"), ""),
            join(&|byte| format!("{byte:02X}"), ""),
            join(&u8::to_string, ", "),
            join(&u8::to_string, " "),
            join(&|byte| format!("{byte:#04x}"), ","),
            join(&|byte| format!("{byte:02x}"), " "),
            join(&|byte| format!("\\x{byte:02x}"), ""),
            join(&|byte| format!("\\{byte:o}"), ""),
            "Rs\\xe8A\\xea\\xe7\\xf4\\xa7\\nk".to_owned(),
            key.iter().map(|byte| char::from(*byte)).collect::<String>(),
        ] {
            let whole = format!("a {text}; b");
            let found = find_known(whole.as_bytes(), &known);
            assert!(
                found.iter().any(|range| range.len() * 10 >= text.len() * 9),
                "{text} {found:?}"
            );
        }
        let other = b"0x1234 [1, 2, 3] \\x52 58cba3f01ca651a7c0661e6538016347";
        assert!(find_known(other, &known).is_empty());
    }
}
