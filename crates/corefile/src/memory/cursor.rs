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
    /// Bytes of the block before those that are there: it may begin in a hole.
    skipped: usize,
    /// Shorter than a block where memory begins or ends within it.
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
            let regions = self.space.regions();
            let first = regions.partition_point(|region| region.range.end.0 <= start);
            let first = regions.get(first)?.range.start.0.max(start);
            let skipped = usize::try_from(first.checked_sub(start)?).ok()?;
            let length = (BLOCK as usize).checked_sub(skipped)?;
            let mut bytes = slot.take().map(|block| block.bytes).unwrap_or_default();
            // Where there is another hole within it, the uncached read serves what is behind.
            bytes.resize(length, 0);
            let (read, _) = self.space.fill(Avma(first), &mut bytes);
            bytes.truncate(read);
            *slot = Some(Block { start, skipped, bytes });
        }
        let block = slot.as_ref()?;
        let bytes =
            block.bytes.get(into.checked_sub(block.skipped)?..end.checked_sub(block.skipped)?)?;
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
