//! What is in place of a hidden text: its kind, and a short keyed digest.

use sha2::{Digest, Sha256};

use super::kind::Kind;

/// Makes tokens: HMAC-SHA-256 (RFC 2104) of kind and text, cut to two bytes. Equal texts
/// of a kind have equal tokens under one key; the cut alone keeps a list of candidates
/// from being distinguishable.
#[derive(Clone)]
pub(super) struct Tokens {
    inner: Sha256,
    outer: Sha256,
}

impl std::fmt::Debug for Tokens {
    /// The key is secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens")
    }
}

/// Bytes of a block of SHA-256.
const BLOCK: usize = 64;

impl Tokens {
    pub(super) fn new(key: &[u8]) -> Self {
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

    /// `<kind:a91f>`.
    pub(super) fn token(&self, kind: &str, text: &[u8]) -> String {
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
        for byte in outer.finalize().iter().take(2) {
            let digits = [byte >> 4, byte & 15].map(u32::from);
            token.extend(digits.into_iter().filter_map(|digit| char::from_digit(digit, 16)));
        }
        token.push('>');
        token
    }

    /// The same for what was found: numbers are one however they are grouped.
    pub(super) fn of(&self, kind: Kind, text: &[u8]) -> String {
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
                self.token(kind.word(), &bare)
            }
            Kind::Email => self.token(kind.word(), &text.to_ascii_lowercase()),
            _ => self.token(kind.word(), text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_hmac_sha_256() {
        // RFC 4231, test case 2, with our separator made part of its data.
        let tokens = Tokens::new(b"Jefe");
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
        assert_ne!(tokens.of(Kind::Password, b"a b"), tokens.of(Kind::Password, b"ab"));
    }
}
