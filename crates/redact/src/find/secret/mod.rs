//! Keys and tokens that their shape gives away: prefixes of services, JSON Web Tokens,
//! hashes of passwords, private keys, and text too random to be anything else.

mod prefixes;
pub(in crate::find) mod public;
mod token;
mod unlabelled;
mod url;

use std::ops::Range;

use prefixes::{Prefix, prefixes};

use crate::find::scan::Scan;
use crate::find::text::{Text, is_word};
use crate::kind::Kind;

/// What follows a prefix.
#[derive(Clone, Copy)]
enum Alphabet {
    /// Letters and digits.
    Plain,
    /// The same, `-` and `_`.
    Url,
    /// The same, `.`, `+`, `/`, `=`, `:` and `%`.
    Wide,
    /// Hexadecimal digits.
    Hex,
    /// Capitals and digits.
    Upper,
}

impl Alphabet {
    fn holds(self, byte: u8) -> bool {
        let is_plain = byte.is_ascii_alphanumeric();
        match self {
            Self::Plain => is_plain,
            Self::Url => is_plain || byte == b'-' || byte == b'_',
            Self::Wide => is_plain || b"-_.+/=:%~".contains(&byte),
            Self::Hex => byte.is_ascii_hexdigit(),
            Self::Upper => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
        }
    }
}

/// A key, token or hash that starts with the word at `start..end`.
pub(in crate::find) fn shaped(
    text: Text<'_>,
    start: usize,
    end: usize,
) -> Option<(Range<usize>, Kind)> {
    let prior = text.before(start);
    if is_word(prior) || (prior == b'-' && is_word(text.before(start - 1))) {
        return None;
    }
    if let Some(range) = json_web_token(text, start) {
        return Some((range, Kind::Jwt));
    }
    for Prefix { text: prefix, least, alphabet, .. } in prefixes(text.at(start), text.at(start + 1))
    {
        if !text.has(start, prefix.as_bytes()) {
            continue;
        }
        let body = start + prefix.len();
        let until = text.run(body, LONGEST_TOKEN, |byte| alphabet.holds(byte));
        let until = trimmed(text, body, until);
        // The longer the prefix, the less the rest must prove.
        let is_sure = prefix.len() >= 4
            && prefix.bytes().any(|byte| !byte.is_ascii_lowercase() && byte != b'_');
        // Of two letters: no longer either.
        if prefix.len() == 2 && *least == 32 && until - body > 32 {
            continue;
        }
        if until - body >= *least
            && !is_word(text.at(until))
            && (is_sure || is_mixed(text.slice(body..until)))
        {
            return Some((start..until, Kind::Key));
        }
    }
    let is_number = text.slice(start..end).iter().all(u8::is_ascii_digit);
    if is_number {
        return bot_token(text, start, end).map(|range| (range, Kind::Key));
    }
    None
}

/// Longer ones are examined in parts.
const LONGEST_TOKEN: usize = 4096;

/// Without the punctuation of a sentence at its end.
fn trimmed(text: Text<'_>, start: usize, end: usize) -> usize {
    let kept = text.run_back(end, 8, |byte| b".:/%~-".contains(&byte));
    kept.max(start)
}

/// Telegram: the bot's number, a colon, and 35 characters.
fn bot_token(text: Text<'_>, start: usize, end: usize) -> Option<Range<usize>> {
    if !(8..=10).contains(&(end - start)) || text.at(end) != b':' || !text.has(end + 1, b"AA") {
        return None;
    }
    let until = text.run(end + 1, 40, |byte| Alphabet::Url.holds(byte));
    (until - end > 30).then_some(start..until)
}

/// Three parts of base64url between dots, the first a JSON object.
fn json_web_token(text: Text<'_>, start: usize) -> Option<Range<usize>> {
    if !text.has(start, b"eyJ") && !text.has(start, b"ewo") {
        return None;
    }
    let part =
        |from: usize| text.run(from, 1 << 16, |byte| Alphabet::Url.holds(byte) || byte == b'=');
    let header = part(start);
    if text.at(header) != b'.' || header - start < 10 {
        return None;
    }
    let mut end = part(header + 1);
    // A signed token has one more part, an encrypted one three more.
    for _ in 0..3 {
        if text.at(end) == b'.' && Alphabet::Url.holds(text.at(end + 1)) {
            end = part(end + 1);
        }
    }
    (end - header > 5).then_some(start..end)
}

/// A hash of a password in the form `$method$…` or `method$…`, with its first `$` at
/// `start`.
pub(in crate::find) fn password_hash(text: Text<'_>, start: usize) -> Option<Range<usize>> {
    const NAMES: &[&[u8]] =
        &[b"pbkdf2_", b"argon2", b"bcrypt", b"scrypt", b"sha1", b"md5", b"sha256", b"sha512"];
    let name = text.run_back(start, 24, |byte| is_word(byte) || byte == b'-');
    if name < start && NAMES.iter().any(|known| text.has(name, known)) {
        let end = hash_end(text, start);
        return (end - start >= 40).then_some(name..end);
    }
    const METHODS: &[&str] = &[
        "$1$", "$2a$", "$2b$", "$2y$", "$5$", "$6$", "$7$", "$y$", "$gy$", "$argon2", "$scrypt$",
        "$pbkdf2", "$apr1$", "$bcrypt", "$sha1$", "$P$", "$S$",
    ];
    METHODS.iter().find(|method| text.has(start, method.as_bytes()))?;
    let end = hash_end(text, start);
    (end > start && end - start >= 20).then_some(start..end)
}

fn hash_end(text: Text<'_>, start: usize) -> usize {
    let end = text.run(start, 512, |byte| {
        // Behind a colon the next field of `/etc/shadow` begins.
        (Alphabet::Wide.holds(byte) || byte == b'$' || byte == b',') && byte != b':'
    });
    text.run_back(end, 8, |byte| b",.:/%~-".contains(&byte)).max(start)
}

const BEGIN: &[u8] = b"-----BEGIN ";

/// The body of a private key whose `-----BEGIN` is at `start`; to the end of the text
/// if its end is missing.
fn private_key(text: Text<'_>, start: usize) -> Option<Range<usize>> {
    if text.at(start + 1) != b'-' || !text.has(start, BEGIN) {
        return None;
    }
    let label = start + BEGIN.len();
    let label_end = text
        .run(label, 64, |byte| byte.is_ascii_uppercase() || byte == b' ' || byte.is_ascii_digit());
    let is_private = text.slice(label..label_end).windows(11).any(|word| word == b"PRIVATE KEY");
    if !is_private || !text.has(label_end, b"-----") {
        return None;
    }
    let is_gap = |byte: u8| byte.is_ascii_whitespace();
    let body = text.run(label_end + 5, 8, is_gap);
    let mut end = body;
    while end < text.len() && !text.has(end, b"-----") {
        end += 1;
    }
    let end = text.run_back(end, 8, is_gap).max(body);
    (end > body).then_some(body..end)
}

impl Scan<'_> {
    /// Hides the private key whose first line begins at `place`; skips a public one.
    pub(in crate::find) fn private_key(&mut self, place: usize) -> Option<usize> {
        let text = self.text;
        let Some(range) = private_key(text, place) else {
            let is_armour = text.at(place + 1) == b'-' && text.has(place, BEGIN);
            return if is_armour { public::armour_end(text, place + BEGIN.len()) } else { None };
        };
        let end = text.run(range.end, 16, |byte| byte.is_ascii_whitespace());
        self.is_in_key = end == text.len();
        Some(self.hide(range, Kind::PrivateKey))
    }
}

/// Whether letters and digits are mixed as in no word: what has digits and letters, or
/// both cases often changing.
pub(in crate::find) fn is_mixed(token: &[u8]) -> bool {
    let has_digit = token.iter().any(u8::is_ascii_digit);
    let has_letter = token.iter().any(u8::is_ascii_alphabetic);
    (has_digit && has_letter) || changes(token) * 4 > token.len()
}

/// How often the class of character changes: small letter, capital, digit, all else.
pub(in crate::find) fn changes(token: &[u8]) -> usize {
    let class = |byte: &u8| match byte {
        b'a'..=b'z' => 0,
        b'A'..=b'Z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    };
    token.windows(2).filter(|pair| pair.first().map(class) != pair.get(1).map(class)).count()
}

/// Whether `token` is too random for a name, a path or a number that was written by
/// anyone: both cases and digits, changing often, of many characters. Hexadecimal text is
/// not: hashes of commits and builds are what a reader needs.
pub(in crate::find) fn is_random(token: &[u8]) -> bool {
    let len = token.len();
    let count = |wanted: fn(&u8) -> bool| token.iter().filter(|byte| wanted(byte)).count();
    let digits = count(u8::is_ascii_digit);
    let lower = count(u8::is_ascii_lowercase);
    let upper = count(u8::is_ascii_uppercase);
    if len < 20 || digits < 2 || lower < 3 || upper < 3 {
        return false;
    }
    let mut seen = [false; 256];
    for byte in token {
        if let Some(slot) = seen.get_mut(usize::from(*byte)) {
            *slot = true;
        }
    }
    let distinct = seen.iter().filter(|seen| **seen).count();
    let other = len - digits - lower - upper;
    distinct >= 14 && changes(token) * 5 >= len * 2 && other * 8 <= len
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(line: &str) -> Option<(Kind, String)> {
        let text = Text(line.as_bytes());
        let starts =
            (0..line.len()).filter(|at| is_word(text.at(*at)) && !is_word(text.before(*at)));
        let mut hits =
            starts.filter_map(|start| shaped(text, start, text.run(start, 999, is_word)));
        hits.next().map(|(range, kind)| (kind, line[range].to_owned()))
    }

    #[test]
    fn tokens_of_services_are_known_by_their_prefix() {
        for token in [
            "AKIAABCDEFGH12345678",
            "ghp_0123456789abcdefghijABCDEFGHIJ456789",
            "glpat-a1b2c3d4e5f6g7h8i9j0",
            "xoxb-123456789012-1234567890123-AbCdEfGhIjKlMnOpQrStUvWx",
            "SG.abcdefghijklmnopqrst12.ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmno34",
            "123456789:AAabcdefghijklmnopqrstuvwxyz0123456",
        ] {
            assert_eq!(found(&format!("key {token}.")), Some((Kind::Key, token.to_owned())));
        }
        let token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl";
        assert_eq!(found(token), Some((Kind::Jwt, token.to_owned())));
    }

    #[test]
    fn words_are_no_tokens() {
        for line in [
            "ask-questions-about-everything-here",
            "task_manager_of_the_scheduler",
            "sk-",
            "pattern_matching_of_all_the_things",
            "AKIAshort",
            "live_migration_of_virtual_machines",
            "eyJ.foo",
            "hf_transformers_and_their_attention_layers",
        ] {
            assert_eq!(found(line), None, "{line}");
        }
    }

    #[test]
    fn randomness_is_distinguished_from_names_and_hashes() {
        assert!(is_random(b"wJalrXUtn4EMIK7MDENGbPxRfiCYzzEXAMP"));
        for name in [
            &b"4f2a6b1c9d8e7f60514233445566778899aabbcc"[..],
            b"_ZN4auth14verify_passwordERKNSt7__cxx1112basic",
            b"HttpServletRequestWrapper2Factory",
            b"x86_64-linux-gnu-Debug-Build-2024",
        ] {
            assert!(!is_random(name), "{}", String::from_utf8_lossy(name));
        }
    }

    #[test]
    fn a_private_key_loses_its_body_and_a_certificate_nothing() {
        let key = b"x -----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc=\n-----END RSA PRIVATE KEY-----";
        assert_eq!(private_key(Text(key), 2), Some(34..43));
        assert_eq!(private_key(Text(&key[..38]), 2), Some(34..38));
        assert_eq!(private_key(Text(b"-----BEGIN CERTIFICATE-----\nMIIE"), 0), None);
        let hash = b"$2b$12$abcdefghijklmnopqrstuv,";
        assert_eq!(password_hash(Text(hash), 0), Some(0..29));
        assert_eq!(password_hash(Text(b"$1$ and $2"), 0), None);
    }
}
