//! Files encrypted to keys or by a passphrase, in the [age](https://age-encryption.org/v1) format.
//!
//! For a file that goes from one machine to another: [`encrypt`] writes what `age -d` and
//! [`decrypt`] read. Recipients are X25519 keys (`age1…`) or one passphrase; keys in hardware, SSH
//! keys and the text form (`-----BEGIN AGE ENCRYPTED FILE-----`) are not supported.
//!
//! ```
//! use std::io::{Read, Write};
//! use obit_age::{Identity, Lock, Unlock, decrypt, encrypt};
//!
//! let identity = Identity::generate()?;
//! let mut file = Vec::new();
//! let mut out = encrypt(&Lock::Recipients(vec![identity.recipient()]), &mut file)?;
//! out.write_all(b"a core")?;
//! out.finish()?;
//!
//! let mut text = String::new();
//! decrypt(&mut file.as_slice(), &Unlock::Identities(&[identity]))?.read_to_string(&mut text)?;
//! assert_eq!(text, "a core");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | name | what it is |
//! |---|---|
//! | [`Recipient`], [`Identity`] | a public key, a secret key |
//! | [`Lock`], [`Unlock`] | what a file is encrypted with, what is tried to decrypt it |
//! | [`encrypt`], [`Encrypted`] | a writer of the content |
//! | [`decrypt`], [`Decrypted`] | a reader of the content |
//! | [`is_encrypted`] | whether a file is one, by its first bytes |

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

mod header;
mod key;
mod stream;
mod wrap;

use std::io::{self, Read, Write};

use thiserror::Error;

pub use header::is_encrypted;
pub use key::{BadKey, Identity, Recipient};
pub use stream::{Decrypted, Encrypted};

/// What a file is encrypted with.
#[derive(Debug)]
pub enum Lock {
    /// Any of them can decrypt it.
    Recipients(Vec<Recipient>),
    /// A passphrase alone (the format allows no key beside it).
    Passphrase(String),
}

/// What is tried to decrypt a file.
#[derive(Debug)]
pub enum Unlock<'k> {
    /// Secret keys.
    Identities(&'k [Identity]),
    /// A passphrase.
    Passphrase(&'k str),
}

/// How a file is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// To keys.
    Keys,
    /// By a passphrase.
    Passphrase,
}

/// Why a file cannot be decrypted.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DecryptError {
    /// Its first line is not that of an encrypted file.
    #[error("it is not an encrypted file")]
    NotEncrypted,
    /// The text form.
    #[error("it is encrypted in text form; `age -d` reads it")]
    TextForm,
    /// The header breaks the rules of the format.
    #[error("the header of the encrypted file is damaged: {0}")]
    Header(&'static str),
    /// There are keys, and none fits.
    #[error("it is encrypted to other keys")]
    NoKeyFits,
    /// It is encrypted by a passphrase, and keys were given.
    #[error("it is encrypted by a passphrase")]
    NeedsPassphrase,
    /// It is encrypted to keys, and a passphrase was given.
    #[error("it is encrypted to keys, not by a passphrase")]
    NeedsKey,
    /// The passphrase is another.
    #[error("the passphrase is wrong")]
    WrongPassphrase,
    /// The passphrase takes more work than any program asks for.
    #[error("its passphrase takes 2^{0} steps to try; at most 2^{max} are done", max = wrap::MOST_WORK)]
    TooMuchWork(u8),
    /// Reading failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A writer that encrypts what is written to it. Nothing is complete before
/// [`Encrypted::finish`].
///
/// # Errors
/// If there is no recipient, no randomness, or the header cannot be written.
pub fn encrypt<W: Write>(lock: &Lock, mut out: W) -> io::Result<Encrypted<W>> {
    let key = wrap::FileKey::random()?;
    let stanzas = match lock {
        Lock::Recipients(to) if to.is_empty() => {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "no recipient"));
        }
        Lock::Recipients(to) => {
            to.iter().map(|to| wrap::to_recipient(&key, to)).collect::<io::Result<Vec<_>>>()?
        }
        Lock::Passphrase(text) => vec![wrap::by_passphrase(&key, text)?],
    };
    out.write_all(&header::bytes(&stanzas, &key))?;
    Encrypted::new(out, &key)
}

/// How the file that begins with the header of `input` is encrypted.
///
/// # Errors
/// If it is not encrypted, or the header is damaged.
pub fn kind(input: &mut dyn Read) -> Result<Kind, DecryptError> {
    Ok(header::read(input)?.kind())
}

/// A reader of the content of `input`. All that it returns is authentic; a file that was cut
/// short is an error at its end.
///
/// # Errors
/// If it is not encrypted, damaged, or `unlock` does not fit.
pub fn decrypt<R: Read>(mut input: R, unlock: &Unlock<'_>) -> Result<Decrypted<R>, DecryptError> {
    let header = header::read(&mut input)?;
    let key = match (header.kind(), unlock) {
        (Kind::Keys, Unlock::Identities(identities)) => header
            .stanzas
            .iter()
            .find_map(|stanza| identities.iter().find_map(|one| wrap::with_identity(stanza, one)))
            .ok_or(DecryptError::NoKeyFits)?,
        (Kind::Passphrase, Unlock::Passphrase(text)) => {
            let stanza = header.stanzas.first().ok_or(DecryptError::Header("no recipient"))?;
            wrap::with_passphrase(stanza, text)?
        }
        (Kind::Keys, Unlock::Passphrase(_)) => return Err(DecryptError::NeedsKey),
        (Kind::Passphrase, Unlock::Identities(_)) => return Err(DecryptError::NeedsPassphrase),
    };
    if !header.is_authentic(&key) {
        return Err(DecryptError::Header("it was changed"));
    }
    Ok(Decrypted::new(input, &key)?)
}

#[cfg(test)]
mod tests;
