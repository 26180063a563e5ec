//! The freed chunks that only a list distinguishes from chunks in use: those in the caches of threads and
//! in fastbins. All of them, however many.

use std::collections::BTreeSet;

use super::Bin;
use super::arena::Arena;
use super::chunk::Layout;
use super::free::single_list;
use super::tcache;
use obit_corefile::addr::Avma;
use obit_corefile::memory::Cursor;

/// Chunks by the addresses of their headers, sorted.
#[derive(Debug, Default)]
pub(super) struct Singles {
    pub(super) chunks: Vec<(u64, Bin)>,
    /// Sizes of the lists that could not be followed to their ends.
    pub(super) broken: BTreeSet<u64>,
    /// Whether a chunk is in two of them.
    pub(super) has_twice: bool,
}

impl Singles {
    /// Follows the lists of these caches and arenas. What a record counts is compared if it is
    /// among those that threads have: another one may be of a thread that has ended.
    pub(super) fn read(
        cursor: &mut Cursor<'_>,
        layout: Layout,
        caches: &[u64],
        of_threads: &[u64],
        arenas: &[Arena],
    ) -> Self {
        let mut found = Self::default();
        // As many as fit into all memory of the heap: more are a ring.
        let bytes = arenas.iter().map(|arena| arena.system_bytes).fold(0, u64::saturating_add);
        for cache in caches {
            let lists = tcache::lists(cursor, layout, *cache).unwrap_or_default();
            let counts = tcache::counts(cursor, layout, *cache).unwrap_or_default();
            let is_of_thread = of_threads.contains(cache);
            for (nth, count) in (0_u64..).zip(&counts) {
                let is_empty = lists.iter().all(|(with, _)| *with != nth);
                if is_of_thread && *count > 0 && is_empty {
                    found.broken.insert(tcache::size_of_list(layout, nth));
                }
            }
            for (nth, entry) in lists {
                let size = tcache::size_of_list(layout, nth);
                let before = found.chunks.len();
                found.follow(cursor, layout, (layout.chunk(entry), size), Bin::Tcache, bytes);
                let length = found.chunks.len().saturating_sub(before) as u64;
                let count = usize::try_from(nth).ok().and_then(|nth| counts.get(nth));
                if count.is_some_and(|count| *count != length) {
                    found.broken.insert(size);
                }
            }
        }
        for arena in arenas {
            for nth in 0..Arena::fastbins(layout) {
                let first = cursor.read_word(Avma(arena.fastbin(layout, nth))).unwrap_or(0);
                if first != 0 {
                    // `fastbin_index` turned around.
                    let size = nth.saturating_add(2).saturating_mul(layout.word * 2);
                    found.follow(cursor, layout, (first, size), Bin::Fastbin, bytes);
                }
            }
        }
        found.chunks.sort_unstable_by_key(|(chunk, _)| *chunk);
        let all = found.chunks.len();
        found.chunks.dedup_by_key(|(chunk, _)| *chunk);
        found.has_twice = found.chunks.len() < all;
        found
    }

    /// A list with links one way. A ring is noticed by Brent's algorithm.
    fn follow(
        &mut self,
        cursor: &mut Cursor<'_>,
        layout: Layout,
        (first, size): (u64, u64),
        bin: Bin,
        bytes: u64,
    ) {
        let mut left = bytes / layout.smallest();
        let (mut marked, mut steps, mut power) = (0_u64, 0_u64, 1_u64);
        let chunks = &mut self.chunks;
        // The last lists of a cache (since 2.42) are of several sizes.
        let is_exact = bin != Bin::Tcache || tcache::sizes(layout).any(|one| one == size);
        let is_whole = single_list(cursor, layout, first, bin, |header, _| {
            if header.at == marked || left == 0 || is_exact && header.size() != size {
                return false;
            }
            steps = steps.saturating_add(1);
            left = left.saturating_sub(1);
            if steps == power {
                (marked, steps, power) = (header.at, 0, power.saturating_mul(2));
            }
            chunks.push((header.at, bin));
            true
        });
        if !is_whole {
            self.broken.insert(size);
        }
    }

    /// Whether a chunk of this size may hang on a list that is broken.
    pub(super) fn may_hold(&self, size: u64) -> bool {
        self.broken.contains(&size)
    }
}
