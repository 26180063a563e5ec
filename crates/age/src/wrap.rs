//! The key of a file, and how it is wrapped for those who may read it (age-encryption.org/v1,
//! "X25519 recipient type", "scrypt recipient type").

use std::fmt;
use std::io;

use chacha20poly1305::aead::{Aead, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use data_encoding::BASE64_NOPAD;
use hkdf::Hkdf;
use scrypt::Params;
use sha2::Sha256;
use x25519_dalek::{PublicKey, StaticSecret};

use crate::DecryptError;
use crate::header::Stanza;
use crate::key::{Identity, Recipient, random};

/// What a stanza for an X25519 key is called.
pub(crate) const X25519: &str = "X25519";
/// What a stanza for a passphrase is called.
pub(crate) const SCRYPT: &str = "scrypt";

const X25519_INFO: &[u8] = b"age-encryption.org/v1/X25519";
const SCRYPT_INFO: &[u8] = b"age-encryption.org/v1/scrypt";

/// Binary logarithm of the work for a passphrase: about a second, and 256 MiB.
const WORK: u8 = 18;
/// What is done at most to try one that a file asks for: 1 GiB.
pub(crate) const MOST_WORK: u8 = 20;
/// scrypt's block size.
const BLOCK: u32 = 8;

/// What the content is encrypted with.
pub(crate) struct FileKey([u8; 16]);

impl fmt::Debug for FileKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("FileKey")
    }
}

impl FileKey {
    /// A new one.
    pub(crate) fn random() -> io::Result<Self> {
        Ok(Self(random()?))
    }

    /// A key made of it for one purpose.
    pub(crate) fn derived(&self, salt: Option<&[u8]>, purpose: &[u8]) -> [u8; 32] {
        expanded(salt, &self.0, purpose)
    }
}

/// The stanza for `to`.
pub(crate) fn to_recipient(key: &FileKey, to: &Recipient) -> io::Result<Stanza> {
    let once = StaticSecret::from(random::<32>()?);
    let share = PublicKey::from(&once);
    let Some(wrapping) = shared_key(&once, &to.0, &share, &to.0) else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the recipient is a weak key"));
    };
    let arguments = vec![X25519.to_owned(), BASE64_NOPAD.encode(share.as_bytes())];
    Ok(Stanza { arguments, body: sealed(&wrapping, &key.0)? })
}

/// The key of the file, if `stanza` is for `identity`.
pub(crate) fn with_identity(stanza: &Stanza, identity: &Identity) -> Option<FileKey> {
    let [kind, share] = stanza.arguments.as_slice() else { return None };
    let share = BASE64_NOPAD.decode(share.as_bytes()).ok().filter(|_| kind == X25519)?;
    let share = PublicKey::from(<[u8; 32]>::try_from(share).ok()?);
    let wrapping = shared_key(&identity.0, &share, &share, &identity.recipient().0)?;
    opened(&wrapping, &stanza.body)
}

/// The only stanza of a file that a passphrase protects.
pub(crate) fn by_passphrase(key: &FileKey, passphrase: &str) -> io::Result<Stanza> {
    let salt = random::<16>()?;
    let wrapping = stretched(passphrase, &salt, WORK);
    let wrapping = wrapping.ok_or_else(|| io::Error::other("scrypt refused its parameters"))?;
    let arguments = vec![SCRYPT.to_owned(), BASE64_NOPAD.encode(&salt), WORK.to_string()];
    Ok(Stanza { arguments, body: sealed(&wrapping, &key.0)? })
}

/// The key of the file, if `passphrase` is the right one.
pub(crate) fn with_passphrase(stanza: &Stanza, passphrase: &str) -> Result<FileKey, DecryptError> {
    let bad = || DecryptError::Header("the parameters of its passphrase");
    let [_, salt, work] = stanza.arguments.as_slice() else { return Err(bad()) };
    let salt = BASE64_NOPAD.decode(salt.as_bytes()).map_err(|_| bad())?;
    let salt = <[u8; 16]>::try_from(salt).map_err(|_| bad())?;
    let is_number = work.bytes().all(|byte| byte.is_ascii_digit()) && !work.starts_with('0');
    let work: u8 = work.parse().ok().filter(|_| is_number).ok_or_else(bad)?;
    if work > MOST_WORK {
        return Err(DecryptError::TooMuchWork(work));
    }
    let wrapping = stretched(passphrase, &salt, work).ok_or_else(bad)?;
    opened(&wrapping, &stanza.body).ok_or(DecryptError::WrongPassphrase)
}

/// What both sides of an exchange can compute; `None` if the other key is weak, so that
/// anybody can.
fn shared_key(
    own: &StaticSecret,
    other: &PublicKey,
    share: &PublicKey,
    recipient: &PublicKey,
) -> Option<[u8; 32]> {
    let shared = own.diffie_hellman(other);
    let salt = [share.as_bytes().as_slice(), recipient.as_bytes().as_slice()].concat();
    shared.was_contributory().then(|| expanded(Some(&salt), shared.as_bytes(), X25519_INFO))
}

fn stretched(passphrase: &str, salt: &[u8; 16], work: u8) -> Option<[u8; 32]> {
    let salt = [SCRYPT_INFO, salt].concat();
    let mut key = [0; 32];
    let parameters = Params::new(work, BLOCK, 1).ok()?;
    scrypt::scrypt(passphrase.as_bytes(), &salt, &parameters, &mut key).ok()?;
    Some(key)
}

fn expanded(salt: Option<&[u8]>, secret: &[u8], purpose: &[u8]) -> [u8; 32] {
    let mut key = [0; 32];
    // 32 bytes are never too many.
    let _ = Hkdf::<Sha256>::new(salt, secret).expand(purpose, &mut key);
    key
}

/// Encrypts a file's key by a key that is used once.
fn sealed(wrapping: &[u8; 32], key: &[u8; 16]) -> io::Result<Vec<u8>> {
    let cipher = ChaCha20Poly1305::new(&Key::from(*wrapping));
    let sealed = cipher.encrypt(&Nonce::from([0; 12]), key.as_slice());
    sealed.map_err(|_| io::Error::other("the cipher failed"))
}

fn opened(wrapping: &[u8; 32], body: &[u8]) -> Option<FileKey> {
    // No other length is looked at: one key must not open two contents.
    if body.len() != 32 {
        return None;
    }
    let cipher = ChaCha20Poly1305::new(&Key::from(*wrapping));
    let key = cipher.decrypt(&Nonce::from([0; 12]), body).ok()?;
    key.try_into().ok().map(FileKey)
}
