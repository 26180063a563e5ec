//! The content: chunks, each encrypted with its number and whether it is the last
//! (age-encryption.org/v1, "Payload"; Hoang, Reyhanitabar, Rogaway, Vizár: STREAM).

use std::fmt;
use std::io::{self, Read, Write};

use chacha20poly1305::aead::{Aead, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};

use crate::key::random;
use crate::wrap::FileKey;

/// Bytes of content in a chunk.
const CHUNK: usize = 64 << 10;
/// Bytes that encryption adds to it.
const TAG: usize = 16;
/// Bytes before the first chunk.
const SALT: usize = 16;

/// The cipher, and which chunk is next.
struct Chunks {
    cipher: ChaCha20Poly1305,
    next: u64,
}

impl Chunks {
    fn new(key: &FileKey, salt: &[u8; SALT]) -> Self {
        let key = key.derived(Some(salt), b"payload");
        Self { cipher: ChaCha20Poly1305::new(&Key::from(key)), next: 0 }
    }

    /// The number of the chunk in eleven bytes, and one for the last.
    fn nonce(&mut self, is_last: bool) -> io::Result<Nonce> {
        let number = u128::from(self.next) << 8 | u128::from(is_last);
        self.next = self.next.checked_add(1).ok_or(io::ErrorKind::FileTooLarge)?;
        let [_, _, _, _, nonce @ ..] = number.to_be_bytes();
        Ok(Nonce::from(nonce))
    }

    fn seal(&mut self, chunk: &[u8], is_last: bool) -> io::Result<Vec<u8>> {
        let nonce = self.nonce(is_last)?;
        self.cipher.encrypt(&nonce, chunk).map_err(|_| io::Error::other("the cipher failed"))
    }

    fn open(&mut self, chunk: &[u8], is_last: bool) -> io::Result<Vec<u8>> {
        let nonce = self.nonce(is_last)?;
        self.cipher.decrypt(&nonce, chunk).map_err(|_| damaged())
    }
}

fn damaged() -> io::Error {
    let what = "the encrypted file is damaged, changed or cut short";
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// A writer that encrypts.
pub struct Encrypted<W> {
    out: W,
    chunks: Chunks,
    waiting: Vec<u8>,
}

impl<W> fmt::Debug for Encrypted<W> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Encrypted at chunk {}", self.chunks.next)
    }
}

impl<W: Write> Encrypted<W> {
    pub(crate) fn new(mut out: W, key: &FileKey) -> io::Result<Self> {
        let salt = random()?;
        out.write_all(&salt)?;
        Ok(Self { out, chunks: Chunks::new(key, &salt), waiting: Vec::new() })
    }

    /// Writes the end. Without it, a reader takes the file for one that was cut short.
    ///
    /// # Errors
    /// Those of the writer below.
    pub fn finish(mut self) -> io::Result<W> {
        let last = self.chunks.seal(&self.waiting, true)?;
        self.out.write_all(&last)?;
        self.out.flush()?;
        Ok(self.out)
    }
}

impl<W: Write> Write for Encrypted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A full chunk waits until it is known not to be the last.
        if self.waiting.len() == CHUNK && !bytes.is_empty() {
            let chunk = self.chunks.seal(&self.waiting, false)?;
            self.out.write_all(&chunk)?;
            self.waiting.clear();
        }
        let room = CHUNK.saturating_sub(self.waiting.len());
        let (taken, _) = bytes.split_at_checked(room).unwrap_or((bytes, &[]));
        self.waiting.extend_from_slice(taken);
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// A reader that decrypts.
pub struct Decrypted<R> {
    input: R,
    chunks: Chunks,
    /// What comes next, as it is in the file.
    ahead: Vec<u8>,
    /// Content that was not asked for yet.
    content: io::Cursor<Vec<u8>>,
    is_at_end: bool,
}

impl<R> fmt::Debug for Decrypted<R> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Decrypted at chunk {}", self.chunks.next)
    }
}

impl<R: Read> Decrypted<R> {
    pub(crate) fn new(mut input: R, key: &FileKey) -> io::Result<Self> {
        let mut salt = [0; SALT];
        input.read_exact(&mut salt).map_err(|_| damaged())?;
        let chunks = Chunks::new(key, &salt);
        let content = io::Cursor::default();
        Ok(Self { input, chunks, ahead: Vec::new(), content, is_at_end: false })
    }

    /// Decrypts the next chunk.
    fn advance(&mut self) -> io::Result<()> {
        // One byte more than a chunk says that it is not the last.
        let wanted = (CHUNK + TAG + 1).saturating_sub(self.ahead.len()) as u64;
        self.input.by_ref().take(wanted).read_to_end(&mut self.ahead)?;
        let (chunk, rest) = match self.ahead.split_at_checked(CHUNK + TAG) {
            Some((chunk, rest)) if !rest.is_empty() => (chunk, rest.to_vec()),
            _ => (self.ahead.as_slice(), Vec::new()),
        };
        let is_last = rest.is_empty();
        let is_first = self.chunks.next == 0;
        let content = self.chunks.open(chunk, is_last)?;
        // There is one way to write a content.
        if is_last && content.is_empty() && !is_first {
            return Err(damaged());
        }
        self.ahead = rest;
        self.is_at_end = is_last;
        self.content = io::Cursor::new(content);
        Ok(())
    }
}

impl<R: Read> Read for Decrypted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        loop {
            let count = self.content.read(into)?;
            if count > 0 || self.is_at_end {
                return Ok(count);
            }
            self.advance()?;
        }
    }
}
