//! One chunk of glibc's heap: its header (`struct malloc_chunk` of malloc/malloc.c).

use obit_corefile::addr::Avma;
use obit_corefile::memory::{AddressSpace, Cursor};

/// `PREV_INUSE`: the chunk before this one is in use (or kept in a tcache or a fastbin).
const PREV_INUSE: u64 = 1;
/// `IS_MMAPPED`: a mapping of its own.
const IS_MMAPPED: u64 = 2;
/// `NON_MAIN_ARENA`: of the arena of another thread.
const NON_MAIN_ARENA: u64 = 4;
const FLAGS: u64 = 7;

/// What is the same for all chunks of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// Bytes of an address and of a size field.
    pub(super) word: u64,
}

impl Layout {
    /// `MALLOC_ALIGNMENT`: 16 on x86 of either width and on other 64-bit machines.
    pub(super) const ALIGNMENT: u64 = 16;

    /// `MINSIZE`.
    pub(super) fn smallest(self) -> u64 {
        self.word.saturating_mul(4)
    }

    /// `mem2chunk` turned around: where the program's bytes begin.
    pub(super) fn user(self, chunk: u64) -> u64 {
        chunk.wrapping_add(self.word.wrapping_mul(2))
    }

    /// `mem2chunk`.
    pub(super) fn chunk(self, user: u64) -> u64 {
        user.wrapping_sub(self.word.wrapping_mul(2))
    }

    /// Whether a chunk can begin at `at`.
    pub(super) fn is_aligned(self, at: u64) -> bool {
        self.user(at) & (Self::ALIGNMENT - 1) == 0
    }

    /// The first place at or after `at` where a chunk can begin.
    pub(super) fn align_up(self, at: u64) -> u64 {
        let over = self.user(at) & (Self::ALIGNMENT - 1);
        if over == 0 { at } else { at.wrapping_add(Self::ALIGNMENT - over) }
    }
}

/// A header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chunk {
    /// Where the header begins.
    pub(super) at: u64,
    /// `mchunk_prev_size`: valid only if the chunk before is free.
    pub(super) prev_size: u64,
    /// `mchunk_size` as stored, with its flags.
    pub(super) size_field: u64,
}

impl Chunk {
    pub(super) fn read(cursor: &mut Cursor<'_>, layout: Layout, at: u64) -> Option<Self> {
        let prev_size = cursor.read_word(Avma(at)).ok()?;
        let size_field = cursor.read_word(Avma(at.checked_add(layout.word)?)).ok()?;
        Some(Self { at, prev_size, size_field })
    }

    /// The same of a chunk that is far from the one before, as those of a list are: a cursor reads
    /// more than is used.
    pub(super) fn read_far(space: &AddressSpace, layout: Layout, at: u64) -> Option<Self> {
        let mut bytes = [0; 16];
        let word = usize::try_from(layout.word).ok()?;
        let bytes = bytes.get_mut(..word.saturating_mul(2))?;
        space.read(Avma(at), bytes).ok()?;
        let (before, size) = bytes.split_at_checked(word)?;
        Some(Self { at, prev_size: space.unsigned(before), size_field: space.unsigned(size) })
    }

    /// Bytes with the header.
    pub(super) fn size(&self) -> u64 {
        self.size_field & !FLAGS
    }

    /// Where the next chunk begins.
    pub(super) fn end(&self) -> u64 {
        self.at.saturating_add(self.size())
    }

    pub(super) fn is_previous_in_use(&self) -> bool {
        self.size_field & PREV_INUSE != 0
    }

    pub(super) fn is_mapping(&self) -> bool {
        self.size_field & IS_MMAPPED != 0
    }

    /// Whether the size is one that a chunk may have which ends at `end` or before.
    pub(super) fn has_sense(&self, layout: Layout, end: u64, is_main: bool) -> bool {
        let size = self.size();
        // Of another arena those in use have the flag, freed ones may lack it.
        let foreign = self.size_field & NON_MAIN_ARENA != 0;
        size >= layout.smallest()
            && size & (Layout::ALIGNMENT - 1) == 0
            && !self.is_mapping()
            && !(foreign && is_main)
            && self.at.checked_add(size).is_some_and(|after| after <= end)
    }
}
