//! What is in place of a hidden text: its kind, and a short keyed digest where a value of that
//! kind can have one.

use std::borrow::Cow;
use std::ops::Range;

use sha2::{Digest, Sha256};

use super::kind::Kind;

/// Makes tokens: HMAC-SHA-256 (RFC 2104) of kind and text, cut to two bytes. Equal texts of a
/// kind have equal tokens under one key. Who has the key can try candidates.
#[derive(Clone)]
pub(super) struct Tokens {
    /// `None` where there is no key: tokens are kinds alone.
    keyed: Option<Keyed>,
}

/// The state of both hashes of HMAC behind the key.
#[derive(Clone)]
struct Keyed {
    inner: Sha256,
    outer: Sha256,
}

impl std::fmt::Debug for Tokens {
    /// The key is secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens")
    }
}

/// What stands for a text that is hidden as a whole, with the number of its bytes.
pub(super) const MASKED: &str = "redacted";
/// Bytes of a block of SHA-256.
const BLOCK: usize = 64;
/// Bytes of a random key.
const KEY: usize = 32;
/// Characters of a value with a digest. The values of a kind that are shorter are so few that
/// equal tokens alone say much about them.
const SHORTEST: usize = 5;
/// The same for a value of digits.
const FEWEST_DIGITS: usize = 8;

impl Tokens {
    pub(super) fn new(key: &[u8]) -> Self {
        Self { keyed: Some(Keyed::new(key)) }
    }

    /// With a key that no one knows. If the system has no random bytes, tokens have no digests.
    pub(super) fn random() -> Self {
        let mut key = [0; KEY];
        Self { keyed: getrandom::fill(&mut key).is_ok().then(|| Keyed::new(&key)) }
    }

    /// Without digests.
    pub(super) fn plain() -> Self {
        Self { keyed: None }
    }

    /// `<kind:a91f>`, or `<kind>` if a value of so few possible ones has no token of its own.
    /// Numbers are one however they are grouped.
    pub(super) fn of(&self, kind: Kind, text: &[u8]) -> String {
        let keyed = self.keyed.as_ref().filter(|_| may_be_distinguished(kind, text));
        let Some(keyed) = keyed else { return Self::of_kind(kind) };
        match kind {
            Kind::Card
            | Kind::Account
            | Kind::Phone
            | Kind::NationalId
            | Kind::Mac
            | Kind::Device
            | Kind::Vehicle => {
                let bare = text.iter().filter(|byte| byte.is_ascii_alphanumeric());
                let bare: Vec<u8> = bare.map(u8::to_ascii_lowercase).collect();
                keyed.token(kind, &bare)
            }
            Kind::Email => keyed.token(kind, &text.to_ascii_lowercase()),
            _ => keyed.token(kind, text),
        }
    }

    /// `<kind>`.
    pub(super) fn of_kind(kind: Kind) -> String {
        format!("<{}>", kind.word())
    }
}

impl Keyed {
    fn new(key: &[u8]) -> Self {
        let mut block = [0; BLOCK];
        if key.len() > BLOCK {
            for (byte, digest) in block.iter_mut().zip(Sha256::digest(key)) {
                *byte = digest;
            }
        } else {
            for (byte, key) in block.iter_mut().zip(key) {
                *byte = *key;
            }
        }
        let started = |pad: u8| {
            let mut hasher = Sha256::new();
            hasher.update(block.map(|byte| byte ^ pad));
            hasher
        };
        Self { inner: started(0x36), outer: started(0x5c) }
    }

    fn token(&self, kind: Kind, text: &[u8]) -> String {
        let kind = kind.word();
        let mut inner = self.inner.clone();
        inner.update(kind.as_bytes());
        inner.update([0]);
        inner.update(text);
        let mut outer = self.outer.clone();
        outer.update(inner.finalize());
        let mut token = String::with_capacity(kind.len() + 7);
        token.push('<');
        token.push_str(kind);
        token.push(':');
        for byte in outer.finalize().iter().take(DIGITS / 2) {
            let digits = [byte >> 4, byte & 15].map(u32::from);
            token.extend(digits.into_iter().filter_map(|digit| char::from_digit(digit, 16)));
        }
        token.push('>');
        token
    }
}

/// Hexadecimal digits of a digest.
const DIGITS: usize = 4;
/// Letters of the longest kind.
const LONGEST_KIND: usize = 13;

/// Whether the possible values are too many to be listed by someone who sees which are equal,
/// or who has the key.
fn may_be_distinguished(kind: Kind, text: &[u8]) -> bool {
    match kind {
        _ if !kind.has_digest() => false,
        Kind::Ip | Kind::Mac => true,
        _ => {
            let text = String::from_utf8_lossy(text);
            let has_words = text.chars().any(char::is_alphabetic);
            let digits = text.chars().filter(char::is_ascii_digit).count();
            text.chars().count() >= SHORTEST && (has_words || digits >= FEWEST_DIGITS)
        }
    }
}

/// The digests of tokens in `text`, each with the colon before it: `:a91f` of `<email:a91f>`.
fn digests(text: &str) -> impl Iterator<Item = Range<usize>> {
    text.match_indices('<').filter_map(move |(at, _)| {
        let rest = text.get(at + 1..).unwrap_or_default();
        let colon = rest.bytes().take(LONGEST_KIND + 1).position(|byte| byte == b':')?;
        let (word, rest) = rest.split_at_checked(colon)?;
        let rest = rest.get(1..).unwrap_or_default();
        let is_digest =
            |digits: &str| digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let is_token = Kind::named(word).is_some()
            && rest.get(..DIGITS).is_some_and(is_digest)
            && rest.get(DIGITS..).is_some_and(|rest| rest.starts_with('>'));
        let start = at + 1 + word.len();
        is_token.then_some(start..start + 1 + DIGITS)
    })
}

/// `text` with the digests of its tokens left out: `<email:a91f>` is `<email>`. They are other
/// ones in each report, so what is compared between reports must not depend on them.
pub fn without_digests(text: &str) -> Cow<'_, str> {
    let mut plain = String::new();
    let mut done = 0;
    for digest in digests(text) {
        plain.push_str(text.get(done..digest.start).unwrap_or_default());
        done = digest.end;
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    plain.push_str(text.get(done..).unwrap_or_default());
    Cow::Owned(plain)
}

/// Tokens with a digest in `text`.
pub(super) fn tokens_in(text: &str) -> impl Iterator<Item = Range<usize>> {
    digests(text).filter_map(move |digest| {
        let start = text.get(..digest.start)?.rfind('<')?;
        Some(start..digest.end + 1)
    })
}

/// Whether `text` stands for a hidden one as a whole: `<email:a91f>`, `<code>`, `<redacted:9>`.
pub fn is_token(text: &str) -> bool {
    let Some(inner) = text.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')) else {
        return false;
    };
    let word = inner.split(':').next().unwrap_or_default();
    Kind::named(word).is_some() || word == MASKED
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_hmac_sha_256() {
        // RFC 4231, test case 2, with our separator made part of its data.
        let tokens = Keyed::new(b"Jefe");
        let mut inner = tokens.inner.clone();
        inner.update(b"what do ya want for nothing?");
        let mut outer = tokens.outer.clone();
        outer.update(inner.finalize());
        assert_eq!(outer.finalize().as_slice().get(..4), Some(&[0x5b, 0xdc, 0xc1, 0x46][..]));
    }

    #[test]
    fn equal_numbers_have_equal_tokens_however_they_are_written() {
        let tokens = Tokens::new(b"key");
        let grouped = tokens.of(Kind::Card, b"4111 1111 1111 1111");
        assert_eq!(grouped, tokens.of(Kind::Card, b"4111111111111111"));
        assert_ne!(grouped, tokens.of(Kind::Account, b"4111111111111111"));
        assert_ne!(grouped, Tokens::new(b"other").of(Kind::Card, b"4111111111111111"));
        assert_ne!(tokens.of(Kind::Password, b"sun shine"), tokens.of(Kind::Password, b"sunshine"));
    }
    #[test]
    fn values_of_which_there_are_few_have_no_token_of_their_own() {
        let tokens = Tokens::new(b"key");
        for (kind, text) in [
            (Kind::Code, "1234567890123"),
            (Kind::Birth, "1984-03-12"),
            (Kind::Place, "52.520008, 13.404954"),
            (Kind::Password, "true"),
            (Kind::Secret, "7"),
            (Kind::Rule, "-3.1415"),
            (Kind::Account, "1234567"),
            (Kind::Name, "Ann"),
            (Kind::Text, "\u{e9}"),
        ] {
            assert_eq!(tokens.of(kind, text.as_bytes()), format!("<{}>", kind.word()), "{text}");
        }
        for (kind, text) in [
            (Kind::Ip, "10.0.0.1"),
            (Kind::Phone, "0151 23456789"),
            (Kind::Password, "hunter2"),
            (Kind::Name, "Kwame Mensah"),
        ] {
            assert_eq!(tokens.of(kind, text.as_bytes()).len(), kind.word().len() + 7, "{text}");
        }
    }

    #[test]
    fn two_random_keys_differ_and_without_a_key_there_are_no_digests() {
        let mail = b"ann@example.com";
        let all: Vec<_> = (0..4).map(|_| Tokens::random().of(Kind::Email, mail)).collect();
        assert!(all.iter().any(|one| *one != all[0]), "{all:?}");
        assert_eq!(Tokens::plain().of(Kind::Email, mail), "<email>");
    }

    #[test]
    fn a_token_is_known_with_and_without_a_digest() {
        assert!(["<email:a91f>", "<code>", "<redacted:9>"].into_iter().all(is_token));
        assert!(!["<optimized out>", "to <code>", "<T>", ""].into_iter().any(is_token));
    }

    #[test]
    fn texts_are_compared_without_digests() {
        for (text, plain) in [
            ("to <email:a91f> and <ip:0000>, <code>", "to <email> and <ip>, <code>"),
            ("<<user:a91f>>", "<<user>>"),
            ("<password-hash:0123>", "<password-hash>"),
            ("x", "x"),
            ("vector<std::pair<int, ip:12>> <email:a91> <mail:a91f> <email:A91F>", ""),
        ] {
            let wanted = if plain.is_empty() { text } else { plain };
            assert_eq!(without_digests(text), wanted);
        }
    }
}
