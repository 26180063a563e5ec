//! One value or one person's name, in all forms in which text may hold it: what a person asks
//! to be forgotten.

use regex::{Regex, RegexBuilder};
use thiserror::Error;

use crate::kind::Kind;
use crate::token::Tokens;

/// What is in place of it.
pub const FORGOTTEN: &str = "<forgotten>";

/// Characters that a value has at least: shorter ones are in everything.
const SHORTEST: usize = 4;
const LONGEST: usize = 256;
/// Characters from which on a value is found within words, too.
const WITHIN_WORDS: usize = 6;
/// Bytes of a value that is found in base64.
const SHORTEST_BASE64: usize = 6;
/// Bytes of the compiled forms.
const LARGEST: usize = 16 << 20;

/// Why something cannot be looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WantedError {
    /// It would be found everywhere.
    #[error("expected at least {SHORTEST} characters")]
    TooShort,
    /// It is no value of a person's.
    #[error("expected at most {LONGEST} characters")]
    TooLong,
    /// Its forms are too many.
    #[error("it has too many forms")]
    TooManyForms,
}

/// What is looked for.
#[derive(Clone, Debug)]
pub struct Wanted {
    forms: Regex,
    /// Whether it may be a part of a word.
    is_within_words: bool,
}

impl Wanted {
    /// A value: an address, a number, a user name. `key` is the user's key of tokens, if those
    /// of the value are looked for, too.
    ///
    /// # Errors
    /// When it is too short or too long.
    pub fn value(value: &str, key: Option<&[u8]>) -> Result<Self, WantedError> {
        Self::of(&[value.to_owned()], value, key, value.chars().count() >= WITHIN_WORDS)
    }

    /// A name: also with the last name first, and as user names are made of it.
    ///
    /// # Errors
    /// When it is too short or too long.
    pub fn person(name: &str, key: Option<&[u8]>) -> Result<Self, WantedError> {
        Self::of(&variants(name), name, key, false)
    }

    fn of(
        variants: &[String],
        whole: &str,
        key: Option<&[u8]>,
        is_within_words: bool,
    ) -> Result<Self, WantedError> {
        if whole.trim().chars().count() < SHORTEST {
            return Err(WantedError::TooShort);
        }
        if whole.chars().count() > LONGEST {
            return Err(WantedError::TooLong);
        }
        let mut forms: Vec<String> = variants.iter().flat_map(|variant| forms(variant)).collect();
        if let Some(key) = key {
            let tokens = Tokens::new(key);
            let all = Kind::ALL.iter().map(|kind| tokens.of(*kind, whole.as_bytes()));
            forms.extend(all.filter(|token| token.contains(':')).map(|it| regex::escape(&it)));
        }
        // Of two that begin alike the longer one is found.
        forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
        forms.dedup();
        let forms =
            RegexBuilder::new(&forms.join("|")).case_insensitive(true).size_limit(LARGEST).build();
        Ok(Self { forms: forms.map_err(|_| WantedError::TooManyForms)?, is_within_words })
    }

    /// `text` without it, and how often it was there; `None` if it is not.
    pub fn erase(&self, text: &str) -> Option<(String, u64)> {
        let mut left = String::new();
        let (mut done, mut count) = (0, 0);
        let mut from = 0;
        while let Some(found) = self.forms.find_at(text, from) {
            if found.is_empty() || !self.is_own_word(text, &found) {
                // The next letter: another form may begin within this one.
                from = next_character(text, found.start());
                continue;
            }
            left.push_str(text.get(done..found.start()).unwrap_or_default());
            left.push_str(FORGOTTEN);
            (done, from) = (found.end(), found.end());
            count += 1;
        }
        if count == 0 {
            return None;
        }
        left.push_str(text.get(done..).unwrap_or_default());
        Some((left, count))
    }

    /// Whether it is there.
    pub fn is_in(&self, text: &str) -> bool {
        self.erase(text).is_some()
    }

    fn is_own_word(&self, text: &str, found: &regex::Match<'_>) -> bool {
        let before = text.get(..found.start()).and_then(|before| before.chars().next_back());
        let after = text.get(found.end()..).and_then(|after| after.chars().next());
        self.is_within_words || ![before, after].into_iter().flatten().any(char::is_alphabetic)
    }
}

fn next_character(text: &str, at: usize) -> usize {
    let first = text.get(at..).and_then(|rest| rest.chars().next());
    at.saturating_add(first.map_or(1, char::len_utf8))
}

/// `Ann Lee`, `Lee, Ann`, `ann.lee`, `alee`, …
fn variants(name: &str) -> Vec<String> {
    let words: Vec<&str> =
        name.split([' ', ',', '.', '_', '-']).filter(|w| !w.is_empty()).collect();
    let mut variants = vec![name.trim().to_owned()];
    let [first, .., last] = words.as_slice() else { return variants };
    for between in [" ", ".", "_", "-", "", "+", "%20"] {
        variants.push(words.join(between));
        variants.push(format!("{first}{between}{last}"));
        variants.push(format!("{last}{between}{first}"));
    }
    variants.push(format!("{last}, {}", words.get(..words.len() - 1).unwrap_or(&[]).join(" ")));
    variants.push(format!("{last},{first}"));
    let initial: String = first.chars().take(1).collect();
    for between in ["", ".", "_", "-", " ", ". "] {
        variants.push(format!("{initial}{between}{last}"));
    }
    variants.retain(|variant| variant.chars().count() >= SHORTEST);
    variants.sort();
    variants.dedup();
    variants
}

/// The patterns of all forms of `text`.
fn forms(text: &str) -> Vec<String> {
    let bytes = text.as_bytes();
    let mut forms = vec![plain(text)];
    // UTF-16 that was read as bytes.
    forms.push(joined(text, |c| regex::escape(&c.to_string()), "\\x00"));
    forms.push(joined(text, |c| regex::escape(&c.to_string()), "\\\\0"));
    // In URLs, and as programs and obit write what is not ASCII.
    forms.push(of_bytes(bytes, is_unreserved, |byte| format!("%{byte:02x}")));
    forms.push(of_bytes(bytes, |byte| byte.is_ascii(), |byte| format!("\\\\x{byte:02x}")));
    let escaped = |c: char| match c.is_ascii() {
        true => regex::escape(&c.to_string()),
        false => {
            let mut units = [0; 2];
            c.encode_utf16(&mut units).iter().map(|unit| format!("\\\\u{unit:04x}")).collect()
        }
    };
    forms.push(joined(text, escaped, ""));
    // As numbers of bytes, of which there may be many in a row.
    let hex = |between: &str| {
        let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        pairs.join(between)
    };
    forms.extend([hex(""), hex(" "), hex(":"), hex(", ?0x"), hex("\\\\x")]);
    let decimal: Vec<String> = bytes.iter().map(ToString::to_string).collect();
    forms.push(decimal.join(", ?"));
    forms.extend(base64(bytes));
    forms
}

/// The text itself; a number however it is grouped.
fn plain(text: &str) -> String {
    let is_number = text.chars().all(|c| c.is_ascii_digit() || " .-/()+".contains(c));
    let digits = text.chars().filter(char::is_ascii_digit);
    if is_number && digits.clone().count() >= SHORTEST {
        let digits: Vec<String> = digits.map(|digit| digit.to_string()).collect();
        return digits.join("[ .()/-]{0,2}");
    }
    regex::escape(text)
}

fn joined(text: &str, each: impl Fn(char) -> String, between: &str) -> String {
    text.chars().map(each).collect::<Vec<_>>().join(between)
}

fn of_bytes(bytes: &[u8], is_kept: impl Fn(u8) -> bool, escaped: impl Fn(u8) -> String) -> String {
    let one = |byte: &u8| match is_kept(*byte) {
        true => regex::escape(&char::from(*byte).to_string()),
        false => escaped(*byte),
    };
    bytes.iter().map(one).collect()
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

/// What of base64 does not depend on what is before and after it, for each of the three
/// places in a group that it may begin at.
fn base64(bytes: &[u8]) -> Vec<String> {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if bytes.len() < SHORTEST_BASE64 {
        return Vec::new();
    }
    let at_place = |skipped: usize| {
        let padded: Vec<u8> =
            std::iter::repeat_n(0, skipped).chain(bytes.iter().copied()).collect();
        let bits = padded.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1));
        let bits: Vec<u8> = bits.collect();
        let sixes = bits.chunks_exact(6).skip((skipped * 8).div_ceil(6));
        let letters = sixes.map(|six| {
            let index = six.iter().fold(0, |index, bit| index << 1 | usize::from(*bit));
            match LETTERS.get(index).copied().map(char::from) {
                Some('+') => "[+-]".to_owned(),
                Some('/') => "[/_]".to_owned(),
                letter => letter.map(String::from).unwrap_or_default(),
            }
        });
        format!("(?-i:{})", letters.collect::<String>())
    };
    (0..3).map(at_place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(wanted: &Wanted, text: &str) -> String {
        wanted.erase(text).map_or_else(|| text.to_owned(), |(left, _)| left)
    }

    #[test]
    fn a_value_is_found_in_every_form() {
        let wanted = Wanted::value("ann.lee@example.com", None).unwrap();
        for form in [
            "ann.lee@example.com",
            "Ann.Lee@Example.COM",
            "ann.lee%40example.com",
            "616e6e2e6c6565406578616d706c652e636f6d",
            "61 6e 6e 2e 6c 65 65 40 65 78 61 6d 70 6c 65 2e 63 6f 6d",
            "97, 110, 110, 46, 108, 101, 101, 64, 101, 120, 97, 109, 112, 108, 101, 46, 99, 111, 109",
        ] {
            assert_eq!(left(&wanted, &format!("<{form}>")), "<<forgotten>>", "{form}");
        }
        let wide: String = "ann.lee@example.com".chars().flat_map(|c| [c, '\0']).collect();
        assert!(left(&wanted, &wide).starts_with("<forgotten>"));
        for place in [
            "YW5uLmxlZUBleGFtcGxlLmNvbQ==",
            "IGFubi5sZWVAZXhhbXBsZS5jb20g",
            "bWFpbDphbm4ubGVlQGV4YW1wbGUuY29t",
        ] {
            assert!(left(&wanted, place).contains("<forgotten>"), "{place}");
        }
        assert!(!wanted.is_in("ann@example.com"));
        let accents = Wanted::value("Zo\u{eb} Li", None).unwrap();
        assert!(accents.is_in("Zo\\u00eb Li") && accents.is_in("Zo\\xc3\\xab Li"));
        assert!(accents.is_in("ZO\u{cb} LI") && accents.is_in("Zo%C3%AB%20Li"));
    }

    #[test]
    fn a_number_is_found_however_it_is_grouped() {
        let wanted = Wanted::value("+44 20 7946 0958", None).unwrap();
        assert_eq!(
            left(&wanted, "call +442079460958, 44-20-7946-0958"),
            "call +<forgotten>, <forgotten>"
        );
        assert!(!wanted.is_in("+44 20 7946 0959"));
    }

    #[test]
    fn a_person_is_found_by_what_user_names_are_made_of() {
        let wanted = Wanted::person("Rosalind Trevanion", None).unwrap();
        for form in [
            "Rosalind Trevanion",
            "TREVANION, Rosalind",
            "/home/rosalind.trevanion/x",
            "rtrevanion",
            "rosalindtrevanion2",
            "R. Trevanion",
            "db_rosalind_trevanion_old",
        ] {
            assert!(wanted.is_in(form), "{form}");
        }
        assert!(!wanted.is_in("Rosalind") && !wanted.is_in("artrevanionx"));
        assert_eq!(wanted.erase("rtrevanion rtrevanion").map(|(_, count)| count), Some(2));
    }

    #[test]
    fn short_values_are_words_of_their_own_and_shorter_ones_are_refused() {
        let wanted = Wanted::value("alee", None).unwrap();
        assert!(wanted.is_in("user alee1") && !wanted.is_in("whalee"));
        assert_eq!(Wanted::value("lee", None).unwrap_err(), WantedError::TooShort);
        assert_eq!(Wanted::person(&"a".repeat(300), None).unwrap_err(), WantedError::TooLong);
    }

    #[test]
    fn with_the_users_key_tokens_of_the_value_are_found() {
        let key = b"0123456789abcdef";
        let mut redactor = crate::Redactor::with_key(crate::Level::Default, key);
        let text = redactor.show(crate::Origin::MessageText, "to ann.lee@example.com");
        let wanted = |key| Wanted::value("ann.lee@example.com", key).unwrap();
        assert_eq!(left(&wanted(Some(key)), text.as_str()), "to <forgotten>");
        assert!(!wanted(None).is_in(text.as_str()));
    }
}
