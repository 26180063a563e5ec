//! The header: who may read the file, and a code that shows changes (age-encryption.org/v1,
//! "Header").

use std::io::{self, Read};

use data_encoding::BASE64_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::wrap::{FileKey, SCRYPT};
use crate::{DecryptError, Kind};

/// The first line.
const FIRST: &str = "age-encryption.org/v1";
/// The first line of the text form.
const TEXT_FORM: &[u8] = b"-----BEGIN AGE ENCRYPTED FILE-----";
/// Letters in a full line of a body.
const COLUMNS: usize = 64;
/// Bytes of a header: more than ten thousand recipients.
const LONGEST: usize = 2 << 20;
/// Letters in a line.
const LONGEST_LINE: usize = 4096;

/// What one recipient needs to read the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stanza {
    /// The kind, and what belongs to it.
    pub(crate) arguments: Vec<String>,
    /// The wrapped key.
    pub(crate) body: Vec<u8>,
}

/// A header that was read.
#[derive(Debug)]
pub(crate) struct Header {
    /// In their order.
    pub(crate) stanzas: Vec<Stanza>,
    /// What the code is of.
    covered: Vec<u8>,
    /// The code.
    code: Vec<u8>,
}

/// Whether the file that begins with `head` is encrypted in this format, or in its text form.
pub fn is_encrypted(head: &[u8]) -> bool {
    head.starts_with(FIRST.as_bytes()) || head.starts_with(TEXT_FORM)
}

impl Header {
    /// Whether it is by a passphrase.
    pub(crate) fn kind(&self) -> Kind {
        let is_scrypt = |stanza: &Stanza| stanza.arguments.first().is_some_and(|it| it == SCRYPT);
        if self.stanzas.iter().any(is_scrypt) { Kind::Passphrase } else { Kind::Keys }
    }

    /// Whether one who had the key of the file wrote it as it is.
    pub(crate) fn is_authentic(&self, key: &FileKey) -> bool {
        code_of(&self.covered, key).verify_slice(&self.code).is_ok()
    }
}

/// The bytes of a header.
pub(crate) fn bytes(stanzas: &[Stanza], key: &FileKey) -> Vec<u8> {
    let mut text = format!("{FIRST}\n");
    for Stanza { arguments, body } in stanzas {
        text.push_str("-> ");
        text.push_str(&arguments.join(" "));
        text.push('\n');
        let body = BASE64_NOPAD.encode(body);
        let mut rest = body.as_str();
        while let Some((line, after)) = rest.split_at_checked(COLUMNS) {
            text.push_str(line);
            text.push('\n');
            rest = after;
        }
        text.push_str(rest);
        text.push('\n');
    }
    text.push_str("---");
    let code = code_of(text.as_bytes(), key).finalize().into_bytes();
    text.push(' ');
    text.push_str(&BASE64_NOPAD.encode(&code));
    text.push('\n');
    text.into_bytes()
}

/// Reads a header, and not a byte more.
pub(crate) fn read(input: &mut dyn Read) -> Result<Header, DecryptError> {
    let mut lines = Lines { input, taken: Vec::new() };
    let first = lines.next().map_err(|_| DecryptError::NotEncrypted)?;
    if first.as_bytes() == TEXT_FORM {
        return Err(DecryptError::TextForm);
    }
    if first != FIRST {
        return Err(DecryptError::NotEncrypted);
    }
    let mut stanzas = Vec::new();
    loop {
        let before = lines.taken.len();
        let line = lines.next()?;
        if let Some(code) = line.strip_prefix("--- ") {
            let code = decoded(code).filter(|code| code.len() == 32);
            let code = code.ok_or(DecryptError::Header("its code"))?;
            let mut covered = lines.taken;
            covered.truncate(before.saturating_add(3));
            let header = Header { stanzas, covered, code };
            return match header.kind() {
                // Who knows the passphrase is who wrote the file: no other may read it.
                Kind::Passphrase if header.stanzas.len() > 1 => {
                    Err(DecryptError::Header("a passphrase beside other recipients"))
                }
                _ => Ok(header),
            };
        }
        let arguments = line.strip_prefix("-> ").ok_or(DecryptError::Header("a recipient"))?;
        let arguments: Vec<String> = arguments.split(' ').map(str::to_owned).collect();
        let is_word =
            |word: &String| !word.is_empty() && word.bytes().all(|b| b.is_ascii_graphic());
        if !arguments.iter().all(is_word) {
            return Err(DecryptError::Header("a recipient"));
        }
        stanzas.push(Stanza { arguments, body: lines.body()? });
    }
}

/// The lines of a header.
struct Lines<'r> {
    input: &'r mut dyn Read,
    taken: Vec<u8>,
}

impl Lines<'_> {
    fn next(&mut self) -> Result<String, DecryptError> {
        let mut line = Vec::new();
        loop {
            let mut byte = [0];
            match self.input.read_exact(&mut byte) {
                Ok(()) => self.taken.extend(byte),
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Err(DecryptError::Header("it ends early"));
                }
                Err(error) => return Err(error.into()),
            }
            if byte == *b"\n" {
                let text = String::from_utf8(line).ok();
                return text.ok_or(DecryptError::Header("a line that is not text"));
            }
            line.extend(byte);
            if line.len() > LONGEST_LINE || self.taken.len() > LONGEST {
                return Err(DecryptError::Header("it is too long"));
            }
        }
    }

    fn body(&mut self) -> Result<Vec<u8>, DecryptError> {
        let mut body = String::new();
        loop {
            let line = self.next()?;
            body.push_str(&line);
            if line.len() > COLUMNS {
                return Err(DecryptError::Header("a wrapped key"));
            }
            if line.len() < COLUMNS {
                return decoded(&body).ok_or(DecryptError::Header("a wrapped key"));
            }
        }
    }
}

/// The only text of those bytes.
fn decoded(text: &str) -> Option<Vec<u8>> {
    BASE64_NOPAD.decode(text.as_bytes()).ok()
}

fn code_of(covered: &[u8], key: &FileKey) -> Hmac<Sha256> {
    // A key as long as a block is one that is filled up with zeros (RFC 2104, 2).
    let mut block = [0; 64];
    let key = key.derived(None, b"header");
    block.iter_mut().zip(key).for_each(|(to, from)| *to = from);
    let mut code = Hmac::<Sha256>::new(&block.into());
    code.update(covered);
    code
}
