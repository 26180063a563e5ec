//! A file of the cache: a header, then the content.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use super::{CachedSection, SectionKey, SectionStore};

/// First bytes of a file; the digits are the version of this layout.
const MAGIC: &[u8; 8] = b"OBITSC02";

/// Whether a file with these bytes was written by this or another version of obit.
pub(super) fn is_of_some_version(bytes: &[u8]) -> bool {
    let magic = bytes.split_first_chunk::<6>().map(|(magic, _)| magic);
    magic.is_some() && magic == MAGIC.first_chunk::<6>()
}

/// Bytes before the content.
pub(super) const HEADER: usize = 64;

/// Where the header says during which boot of the machine the file was written or last checked.
/// What was written during this one needs no check: only a machine that went down loses what
/// was written without a word.
pub(super) const BOOT_AT: u64 = 56;

/// Magic, length, key, CRC-32 of the content, zeros, boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) length: u64,
    pub(super) key: [u8; 32],
    pub(super) sum: u32,
    pub(super) boot: [u8; 8],
}

impl Header {
    /// That at the start of a file's bytes.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let (magic, rest) = bytes.split_first_chunk::<8>()?;
        let (length, rest) = rest.split_first_chunk::<8>()?;
        let (key, rest) = rest.split_first_chunk::<32>()?;
        let (sum, rest) = rest.split_first_chunk::<4>()?;
        let (_, rest) = rest.split_first_chunk::<4>()?;
        let (boot, _) = rest.split_first_chunk::<8>()?;
        (magic == MAGIC).then_some(Self {
            length: u64::from_le_bytes(*length),
            key: *key,
            sum: u32::from_le_bytes(*sum),
            boot: *boot,
        })
    }

    fn bytes(&self) -> [u8; HEADER] {
        let fields = MAGIC
            .iter()
            .copied()
            .chain(self.length.to_le_bytes())
            .chain(self.key)
            .chain(self.sum.to_le_bytes())
            .chain([0; 4])
            .chain(self.boot);
        let mut bytes = [0; HEADER];
        for (to, from) in bytes.iter_mut().zip(fields) {
            *to = from;
        }
        bytes
    }

    /// Whether `file` has the content that the header describes.
    pub(super) fn describes(&self, file: &File) -> io::Result<bool> {
        let mut hasher = crc32fast::Hasher::new();
        let mut buffer = vec![0; 1 << 20];
        let mut at = HEADER as u64;
        loop {
            let read = file.read_at(&mut buffer, at)?;
            if read == 0 {
                break;
            }
            hasher.update(buffer.get(..read).unwrap_or_default());
            at = at.saturating_add(read as u64);
        }
        let length = at.saturating_sub(HEADER as u64);
        Ok(length == self.length && hasher.finalize() == self.sum)
    }
}

/// Content that is being written.
pub(crate) struct NewSection {
    store: Arc<dyn SectionStore>,
    file: File,
    key: SectionKey,
    length: u64,
    written: u64,
    sum: crc32fast::Hasher,
}

impl NewSection {
    pub(super) fn new(
        store: &Arc<dyn SectionStore>,
        key: &SectionKey,
        length: u64,
    ) -> Option<Self> {
        let file = store.create(length.checked_add(HEADER as u64)?)?;
        let (store, key) = (Arc::clone(store), key.clone());
        let sum = crc32fast::Hasher::new();
        Some(Self { store, file, key, length, written: 0, sum })
    }

    /// Adds `content`; `false` if that is too much or cannot be written.
    pub(crate) fn write(&mut self, content: &[u8]) -> bool {
        let Some(end) = self.written.checked_add(content.len() as u64) else { return false };
        let at = self.written.saturating_add(HEADER as u64);
        if end > self.length || self.file.write_all_at(content, at).is_err() {
            return false;
        }
        self.sum.update(content);
        self.written = end;
        true
    }

    /// Keeps what was written, if that is all.
    pub(crate) fn finish(self) -> Option<CachedSection> {
        if self.written != self.length {
            return None;
        }
        let header =
            Header { length: self.length, key: self.key.0, sum: self.sum.finalize(), boot: [0; 8] };
        self.file.write_all_at(&header.bytes(), 0).ok()?;
        self.store.keep(&self.key.0, &self.file);
        CachedSection::of_file(self.file, &self.key)
    }
}
