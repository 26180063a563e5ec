//! The freed chunks: those in the caches of threads, the fastbins and the bins.

use std::collections::BTreeMap;

use super::Bin;
use super::arena::Arena;
use super::chunk::{Chunk, Layout};
use super::tcache;
use obit_corefile::addr::Avma;
use obit_corefile::memory::Cursor;

/// Freed chunks that are kept for questions about single addresses.
const MOST_CHUNKS: usize = 200_000;

/// A freed chunk, as its free list has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Free {
    pub(super) size: u64,
    pub(super) bin: Bin,
    /// The first two words of what were the program's bytes: the list's links, or its link
    /// and the mark of a cache.
    pub(super) words: [u64; 2],
}

/// Freed chunks by the addresses of their headers.
#[derive(Debug, Default)]
pub(super) struct FreeChunks {
    pub(super) chunks: BTreeMap<u64, Free>,
    /// Whether those of caches and fastbins are all there: nothing but their list distinguishes
    /// them from chunks in use.
    pub(super) is_whole: bool,
}

impl FreeChunks {
    /// Follows the lists of these caches and arenas.
    pub(super) fn read(
        cursor: &mut Cursor<'_>,
        layout: Layout,
        caches: &[u64],
        arenas: &[Arena],
    ) -> Self {
        let mut found = Self { chunks: BTreeMap::new(), is_whole: true };
        for cache in caches {
            for (_, entry) in tcache::lists(cursor, layout, *cache).unwrap_or_default() {
                found.follow_single(cursor, layout, layout.chunk(entry), Bin::Tcache);
            }
        }
        for arena in arenas {
            for nth in 0..Arena::fastbins(layout) {
                let first = arena.fastbin(layout, nth);
                let first = cursor.read_word(Avma(first)).unwrap_or(0);
                if first != 0 {
                    found.follow_single(cursor, layout, first, Bin::Fastbin);
                }
            }
        }
        for arena in arenas {
            for nth in 0..Arena::heads() {
                found.follow_double(cursor, layout, arena.head(layout, nth), bin(nth));
            }
        }
        found
    }

    /// A list with links one way, from the chunk at `first` on.
    fn follow_single(&mut self, cursor: &mut Cursor<'_>, layout: Layout, first: u64, bin: Bin) {
        let is_whole = single_list(cursor, layout, first, bin, |header, words| {
            let free = Free { size: header.size(), bin, words };
            // One that is there already closes a ring.
            self.chunks.len() < MOST_CHUNKS && self.chunks.insert(header.at, free).is_none()
        });
        self.is_whole &= is_whole;
    }

    /// A list with links both ways.
    fn follow_double(&mut self, cursor: &mut Cursor<'_>, layout: Layout, head: u64, bin: Bin) {
        let mut chunk = cursor.read_word(Avma(layout.user(head))).unwrap_or(head);
        while chunk != head {
            let Some([forward, _]) = self.add(cursor, layout, chunk, bin) else { return };
            chunk = forward;
        }
    }

    /// Adds a chunk of a bin; `None` where the list must not be followed further. What is missed
    /// is known as freed by the flag of the chunk behind it.
    fn add(
        &mut self,
        cursor: &mut Cursor<'_>,
        layout: Layout,
        chunk: u64,
        bin: Bin,
    ) -> Option<[u64; 2]> {
        let (header, words) = listed(cursor, layout, chunk)?;
        let free = Free { size: header.size(), bin, words };
        if self.chunks.len() >= MOST_CHUNKS || self.chunks.insert(chunk, free).is_some() {
            return None;
        }
        Some(words)
    }

    /// The freed chunk that holds `at`, its header excepted.
    pub(super) fn holding(&self, layout: Layout, at: u64) -> Option<(u64, Free)> {
        let (chunk, free) = self.chunks.range(..=at).next_back()?;
        let into = at.checked_sub(layout.user(*chunk))?;
        (into < free.size.saturating_sub(layout.word)).then_some((*chunk, *free))
    }

    /// The freed chunk whose list link, or mark of a cache, is the very number `value`.
    pub(super) fn with_word(&self, value: u64) -> Option<(u64, Free)> {
        let in_cache = |free: &Free| matches!(free.bin, Bin::Tcache | Bin::Fastbin);
        let mut found = self.chunks.iter().filter(|(_, free)| {
            let words = if free.bin == Bin::Tcache { &free.words[..] } else { &free.words[..1] };
            in_cache(free) && words.contains(&value)
        });
        found.next().map(|(chunk, free)| (*chunk, *free))
    }
}

/// A list with links one way, from the chunk at `first` on, as long as `add` wants more. Those
/// of a cache lead to the program's bytes, those of a fastbin to headers. Whether it was
/// followed to its end.
pub(super) fn single_list(
    cursor: &mut Cursor<'_>,
    layout: Layout,
    first: u64,
    bin: Bin,
    mut add: impl FnMut(&Chunk, [u64; 2]) -> bool,
) -> bool {
    let mut chunk = first;
    loop {
        let Some((header, words)) = listed(cursor, layout, chunk) else { return false };
        if !add(&header, words) {
            return false;
        }
        let [link, _] = words;
        // Where the list is broken what hung on it is not known.
        match revealed(cursor, layout, layout.user(chunk), link, bin) {
            Some(0) => return true,
            Some(next) if bin == Bin::Tcache => chunk = layout.chunk(next),
            Some(next) => chunk = next,
            None => return false,
        }
    }
}

/// A chunk that a list leads to, and the first two words of what were the program's bytes.
fn listed(cursor: &mut Cursor<'_>, layout: Layout, chunk: u64) -> Option<(Chunk, [u64; 2])> {
    let space = cursor.space();
    let header =
        layout.is_aligned(chunk).then(|| Chunk::read_far(space, layout, chunk)).flatten()?;
    let user = layout.user(chunk);
    let word = |nth: u64| {
        let at = user.wrapping_add(nth.wrapping_mul(layout.word));
        space.read_word(Avma(at)).ok()
    };
    let words = [word(0)?, word(1)?];
    (header.size() >= layout.smallest()).then_some((header, words))
}

/// What a link that lies at `at` leads to; 0 at a list's end. Since 2.32 links are mixed
/// with the page they lie in (`PROTECT_PTR`): which of the two it is shows in what comes
/// out.
fn revealed(cursor: &Cursor<'_>, layout: Layout, at: u64, link: u64, bin: Bin) -> Option<u64> {
    let is_chunk = |next: u64| {
        let chunk = if bin == Bin::Tcache { layout.chunk(next) } else { next };
        layout.is_aligned(chunk) && Chunk::read_far(cursor.space(), layout, chunk).is_some()
    };
    let plain = link ^ (at >> 12);
    if link == 0 || plain == 0 {
        return Some(0);
    }
    [plain, link].into_iter().find(|next| is_chunk(*next))
}

/// What head number `nth`, from 0, is the head of (`unsorted_chunks`, `smallbin_index`).
fn bin(nth: u64) -> Bin {
    match nth {
        0 => Bin::Unsorted,
        1..63 => Bin::Small,
        _ => Bin::Large,
    }
}
