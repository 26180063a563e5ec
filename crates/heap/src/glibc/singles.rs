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
}

impl Singles {
    /// Follows the lists of these caches and arenas.
    pub(super) fn read(
        cursor: &mut Cursor<'_>,
        layout: Layout,
        caches: &[u64],
        arenas: &[Arena],
    ) -> Self {
        let mut found = Self::default();
        // As many as fit into all memory of the heap: more are a ring.
        let bytes = arenas.iter().map(|arena| arena.system_bytes).fold(0, u64::saturating_add);
        for cache in caches {
            for (nth, entry) in tcache::lists(cursor, layout, *cache).unwrap_or_default() {
                let size = tcache::size_of_list(layout, nth);
                found.follow(cursor, layout, (layout.chunk(entry), size), Bin::Tcache, bytes);
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
        found.chunks.dedup_by_key(|(chunk, _)| *chunk);
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
        let is_whole = single_list(cursor, layout, first, bin, |header, _| {
            if header.at == marked || left == 0 {
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
