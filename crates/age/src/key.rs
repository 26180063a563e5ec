//! Keys: X25519 (RFC 7748) in Bech32 (BIP 173).

use std::fmt;
use std::io;
use std::str::FromStr;

use bech32::primitives::decode::CheckedHrpstring;
use bech32::{Bech32, Hrp};
use thiserror::Error;
use x25519_dalek::{PublicKey, StaticSecret};

/// What public keys begin with.
const PUBLIC: &str = "age";
/// What secret keys begin with, in small letters.
const SECRET: &str = "age-secret-key-";
/// Bytes of a key.
const KEY: usize = 32;

/// Why a text is not a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BadKey {
    /// It begins as other recipients of age do: a plugin's, SSH.
    #[error("keys of this kind are not supported; a key that begins with `age1` is")]
    OtherKind,
    /// A secret key where a public one is wanted.
    #[error("this is a secret key; its public key begins with `age1`")]
    Secret,
    /// A public key where a secret one is wanted.
    #[error("this is a public key; its secret key begins with `AGE-SECRET-KEY-1`")]
    Public,
    /// A checksum or length is wrong: a typing error.
    #[error("this is not a key, or a part of it is missing or wrong")]
    Damaged,
}

/// A public key, to which files are encrypted: `age1…`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Recipient(pub(crate) PublicKey);

/// A secret key, which decrypts them: `AGE-SECRET-KEY-1…`.
#[derive(Clone)]
pub struct Identity(pub(crate) StaticSecret);

impl Identity {
    /// A new one.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn generate() -> io::Result<Self> {
        Ok(Self(StaticSecret::from(random()?)))
    }

    /// Its public key.
    pub fn recipient(&self) -> Recipient {
        Recipient(PublicKey::from(&self.0))
    }

    /// As a key file has it.
    pub fn reveal(&self) -> String {
        in_bech32(SECRET, self.0.as_bytes()).to_uppercase()
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Identity of {}", self.recipient())
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&in_bech32(PUBLIC, self.0.as_bytes()))
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl FromStr for Recipient {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<Self, BadKey> {
        let lower = text.to_ascii_lowercase();
        if lower.starts_with(SECRET) {
            return Err(BadKey::Secret);
        }
        if !lower.starts_with("age1") || lower.matches('1').count() > 1 {
            return Err(BadKey::OtherKind);
        }
        of_bech32(PUBLIC, text).map(|key| Self(PublicKey::from(key)))
    }
}

impl FromStr for Identity {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<Self, BadKey> {
        let lower = text.to_ascii_lowercase();
        if !lower.starts_with(SECRET) {
            let is_public = lower.starts_with("age1");
            return Err(if is_public { BadKey::Public } else { BadKey::OtherKind });
        }
        of_bech32(SECRET, text).map(|key| Self(StaticSecret::from(key)))
    }
}

/// Random bytes of the system.
pub(crate) fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(bytes)
}

fn in_bech32(prefix: &str, key: &[u8; KEY]) -> String {
    let prefix = Hrp::parse(prefix).ok();
    prefix.and_then(|prefix| bech32::encode::<Bech32>(prefix, key).ok()).unwrap_or_default()
}

fn of_bech32(prefix: &str, text: &str) -> Result<[u8; KEY], BadKey> {
    let parsed = CheckedHrpstring::new::<Bech32>(text).map_err(|_| BadKey::Damaged)?;
    if parsed.hrp().to_lowercase() != prefix {
        return Err(BadKey::OtherKind);
    }
    let bytes: Vec<u8> = parsed.byte_iter().take(KEY + 1).collect();
    bytes.try_into().map_err(|_| BadKey::Damaged)
}
