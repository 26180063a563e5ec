//! The record of an extent (`edata_t` of 5.3): pages with one large block, a slab of small ones,
//! or none.

use super::sizes::{SMALL, size_of};
use obit_corefile::addr::Avma;
use obit_corefile::memory::Cursor;

/// Bytes of a record, and its alignment.
pub(super) const RECORD: u64 = 128;
pub(super) const PAGE: u64 = 4096;
/// Blocks of a slab (`SC_LG_SLAB_MAXREGS`).
const MOST_REGIONS: u64 = 512;

/// What the pages of an extent are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// In use by the program.
    Active,
    /// Were in use.
    Freed,
    /// Kept from the kernel.
    Retained,
}

/// A record.
#[derive(Clone, Debug)]
pub(super) struct Extent {
    /// Where the record lies.
    pub(super) record: u64,
    /// First page.
    pub(super) base: u64,
    /// Where the block of a large one begins.
    pub(super) start: u64,
    /// Bytes, whole pages.
    pub(super) size: u64,
    pub(super) arena: u64,
    pub(super) is_slab: bool,
    pub(super) state: u64,
    pub(super) class: usize,
    free: u64,
    bitmap: [u64; 8],
}

impl Extent {
    pub(super) fn read(cursor: &mut Cursor<'_>, record: u64) -> Option<Self> {
        if record == 0 || !record.is_multiple_of(RECORD) {
            return None;
        }
        let mut bytes = [0_u8; RECORD as usize];
        cursor.read(Avma(record), &mut bytes).ok()?;
        let mut words = [0_u64; 16];
        for (word, bytes) in words.iter_mut().zip(bytes.chunks_exact(8)) {
            *word = u64::from_le_bytes(bytes.try_into().ok()?);
        }
        let [bits, start, size, _, _, _, _, _, bitmap @ ..] = words;
        let field = |shift: u32, width: u32| (bits >> shift) & ((1 << width) - 1);
        let size = size & !(PAGE - 1);
        Some(Self {
            record,
            base: start & !(PAGE - 1),
            start,
            size,
            arena: field(0, 12),
            is_slab: field(12, 1) == 1,
            state: field(17, 3),
            class: field(20, 8) as usize,
            free: field(28, 10),
            bitmap,
        })
    }

    pub(super) fn end(&self) -> u64 {
        self.base.saturating_add(self.size)
    }

    pub(super) fn usage(&self) -> Use {
        match self.state {
            0 => Use::Active,
            3 => Use::Retained,
            _ => Use::Freed,
        }
    }

    /// The size and number of a slab's blocks, if they make it up.
    pub(super) fn regions(&self) -> Option<(u64, u64)> {
        let size = size_of(self.class).filter(|_| self.class < SMALL)?;
        let count = self.size / size;
        let is_whole = self.start == self.base && self.size.is_multiple_of(size);
        (is_whole && (1..=MOST_REGIONS).contains(&count)).then_some((size, count))
    }

    /// Whether the bitmap has as many free blocks as the record counts, and none behind the last.
    /// Words that `count` blocks do not need are not cleared.
    pub(super) fn counts_agree(&self, count: u64) -> bool {
        let bits = count.next_multiple_of(64);
        let free = (0..bits).filter(|nth| self.is_free(*nth)).count() as u64;
        free == self.free && (count..bits).all(|nth| !self.is_free(nth))
    }

    /// Whether block number `nth` of a slab is free.
    pub(super) fn is_free(&self, nth: u64) -> bool {
        let word = self.bitmap.get((nth / 64) as usize).copied().unwrap_or_default();
        word >> (nth % 64) & 1 == 1
    }

    /// The bytes of a large block, if they are within its pages.
    pub(super) fn large(&self) -> Option<u64> {
        let size = size_of(self.class)?;
        let end = self.start.checked_add(size)?;
        (end <= self.end()).then_some(size)
    }
}
