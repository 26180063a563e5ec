//! A reader of memory with a small block cache of its own: stacks and linked lists are
//! read word by word, and a system call a word would cost more than all else.

use super::{AddressSpace, ReadError};
use crate::addr::Avma;

/// Blocks are aligned to their size, so a block lies in one page run of the core.
const BLOCK: u64 = 1 << 14;
/// Direct-mapped by block number.
const SLOTS: usize = 1 << 4;
const SLOT_MASK: u64 = SLOTS as u64 - 1;

/// Reads through up to 16 cached blocks of 16 KiB. One per thread of work.
#[derive(Debug)]
pub struct Cursor<'m> {
    space: &'m AddressSpace,
    slots: Vec<Option<Block>>,
}

#[derive(Debug)]
struct Block {
    start: u64,
    /// Shorter than a block where memory ends.
    bytes: Vec<u8>,
}

impl<'m> Cursor<'m> {
    pub(super) fn new(space: &'m AddressSpace) -> Self {
        Self { space, slots: (0..SLOTS).map(|_| None).collect() }
    }

    /// The memory behind the cache.
    pub fn space(&self) -> &'m AddressSpace {
        self.space
    }

    /// Like [`AddressSpace::read`].
    ///
    /// # Errors
    /// Names the first absent byte.
    pub fn read(&mut self, at: Avma, buf: &mut [u8]) -> Result<(), ReadError> {
        if self.read_cached(at, buf).is_some() {
            self.space.note_read(at, buf.len());
            return Ok(());
        }
        self.space.read(at, buf)
    }

    fn read_cached(&mut self, at: Avma, buf: &mut [u8]) -> Option<()> {
        let start = at.0 & !(BLOCK - 1);
        let into = usize::try_from(at.0 & (BLOCK - 1)).ok()?;
        let end = into.checked_add(buf.len())?;
        if end as u64 > BLOCK {
            return None;
        }
        let slot = usize::try_from((start / BLOCK) & SLOT_MASK).ok()?;
        let slot = self.slots.get_mut(slot)?;
        if slot.as_ref().is_none_or(|block| block.start != start) {
            // A block may begin in a hole and still hold what is wanted: then the
            // uncached read serves it.
            let mut bytes = slot.take().map(|block| block.bytes).unwrap_or_default();
            bytes.resize(BLOCK as usize, 0);
            let (read, _) = self.space.fill(Avma(start), &mut bytes);
            bytes.truncate(read);
            *slot = Some(Block { start, bytes });
        }
        let bytes = slot.as_ref()?.bytes.get(into..end)?;
        for (to, from) in buf.iter_mut().zip(bytes) {
            *to = *from;
        }
        Some(())
    }

    /// The address-sized number at `at`.
    ///
    /// # Errors
    /// Names the first absent byte.
    pub fn read_word(&mut self, at: Avma) -> Result<u64, ReadError> {
        self.read_unsigned(at, self.space.word())
    }

    /// The number of `size` (at most 8) bytes at `at`.
    ///
    /// # Errors
    /// Names the first absent byte.
    pub fn read_unsigned(&mut self, at: Avma, size: usize) -> Result<u64, ReadError> {
        let mut bytes = [0; 8];
        let bytes = bytes.get_mut(..size.min(8)).unwrap_or(&mut []);
        self.read(at, bytes)?;
        Ok(self.space.unsigned(bytes))
    }
}
