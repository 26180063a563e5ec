//! The caches of threads (`cache_bin.h`): for each size class a stack of freed blocks.

use std::collections::HashMap;

use super::sizes::SMALL;
use crate::evidence::{self, AtOdds};
use obit_corefile::addr::{Avma, AvmaRange};
use obit_process::process::Process;

/// Words of a bin: where the stack is, a counter, and the low bits of three places of it.
const BIN_WORDS: usize = 3;
/// A word that is no slot lies before the first stack, and behind the last one.
const BEFORE: u64 = 8;
/// Classes of a cache at most (`TCACHE_NBINS_MAX`).
pub(super) const MOST_BINS: usize = 73;
/// Bins in sequence that are no chance.
const LEAST_BINS: usize = SMALL;

const BROKEN: &str = "the cache of a thread is damaged";
const ABSENT: &str = "the cache of a thread is not in the core";
const TWICE: &str = "a block is twice in the caches of threads";
const NONE_FOUND: &str = "no cache of a thread was found";

/// Blocks in caches.
#[derive(Debug, Default)]
pub(super) struct Cached {
    /// Their size classes.
    pub(super) blocks: HashMap<u64, usize>,
    /// Where the stacks begin, sorted, in blocks of the allocator's own.
    pub(super) stacks: Vec<u64>,
    /// Classes of which it is not known which blocks are cached.
    pub(super) unknown: Vec<bool>,
    /// Bytes of the stacks of one cache.
    pub(super) stack_bytes: u64,
}

/// One bin.
#[derive(Clone, Copy, Debug)]
struct Bin {
    head: u64,
    full: u64,
    empty: u64,
}

impl Bin {
    fn of(words: &[u64]) -> Option<Self> {
        let (head, low) = (*words.first()?, *words.get(2)?);
        let (full, empty) = ((low >> 16) & 0xffff, (low >> 32) & 0xffff);
        if head == 0 || !head.is_multiple_of(8) || low >> 48 != 0 {
            return None;
        }
        let (used, room) = (empty.wrapping_sub(head) & 0xffff, empty.wrapping_sub(full) & 0xffff);
        let end = head.checked_add(used)?;
        let is_one = used <= room && room > 0 && room.is_multiple_of(8);
        let start = end.checked_sub(room).filter(|_| is_one)?;
        Some(Self { head, full: start, empty: end })
    }

    fn items(&self) -> u64 {
        (self.empty - self.head) / 8
    }
}

/// Bins in sequence whose stacks lie one behind the other.
fn chain(words: &[u64]) -> Vec<Bin> {
    let mut bins: Vec<Bin> = Vec::new();
    for words in words.chunks_exact(BIN_WORDS).take(MOST_BINS) {
        match (Bin::of(words), bins.last()) {
            (Some(bin), Some(last)) if bin.full != last.empty => break,
            (Some(bin), _) => bins.push(bin),
            (None, _) => break,
        }
    }
    bins
}

/// Reads the caches of all threads.
pub(super) fn read(process: &Process, odds: &mut AtOdds) -> Cached {
    let mut cached = Cached::default();
    let storage: Vec<(Option<AvmaRange>, Vec<u64>)> = evidence::storage(process)
        .into_iter()
        .map(|(_, range)| {
            (range, range.map_or_else(Vec::new, |range| evidence::words(process, range)))
        })
        .collect();
    // In all threads it lies as far below the thread pointer.
    let place = storage.iter().find_map(|(range, words)| {
        let whole = (range.as_ref()?.len() / 8) as usize;
        let at = (0..words.len()).find(|at| {
            let first = words.get(*at..at + BIN_WORDS);
            first.and_then(Bin::of).is_some()
                && chain(words.get(*at..).unwrap_or_default()).len() >= LEAST_BINS
        })?;
        Some((whole - at, chain(words.get(at..).unwrap_or_default()).len()))
    });
    let Some((below, count)) = place else {
        odds.add(NONE_FOUND, 0);
        cached.unknown = vec![true; MOST_BINS];
        return cached;
    };
    cached.unknown = vec![false; MOST_BINS];
    for (range, words) in &storage {
        let Some(range) = range else { continue };
        let whole = (range.len() / 8) as usize;
        let at = whole.checked_sub(below);
        let Some(words) = at.and_then(|at| words.get(at..at.checked_add(count * BIN_WORDS)?))
        else {
            odds.add(ABSENT, range.end.0);
            cached.unknown.fill(true);
            continue;
        };
        // A thread makes its cache with the first block.
        if words.chunks_exact(BIN_WORDS).all(|bin| bin.first() == Some(&0)) {
            continue;
        }
        let bins = chain(words);
        if bins.len() < count {
            odds.add(BROKEN, range.end.0 - below as u64 * 8);
            cached.unknown.iter_mut().skip(bins.len()).for_each(|class| *class = true);
        }
        cached.add(process, &bins, odds);
    }
    cached
}

impl Cached {
    /// Whether a block of `size` bytes at `start` is that of a cache's stacks.
    pub(super) fn has_stacks(&self, start: u64, size: u64) -> bool {
        self.stacks.binary_search(&start.saturating_add(BEFORE)).is_ok() && size >= self.stack_bytes
    }

    /// The cache that begins behind the stacks in a block at `start`: one that the program asked
    /// for.
    pub(super) fn add_explicit(
        &mut self,
        process: &Process,
        start: u64,
        odds: &mut AtOdds,
    ) -> bool {
        let Some(at) =
            start.checked_add(self.stack_bytes + 3 * BEFORE).filter(|_| self.stack_bytes > 0)
        else {
            return false;
        };
        let size = (BIN_WORDS * 8 * MOST_BINS) as u64;
        let first = AvmaRange::from_len(Avma(at), 24);
        let is_first = Bin::of(&evidence::words(process, first))
            .is_some_and(|bin| bin.full == start.saturating_add(BEFORE));
        if !is_first {
            return false;
        }
        let bins = chain(&evidence::words(process, AvmaRange::from_len(Avma(at), size)));
        let is_one = bins.len() >= LEAST_BINS;
        if is_one {
            self.add(process, &bins, odds);
        }
        is_one
    }

    fn add(&mut self, process: &Process, bins: &[Bin], odds: &mut AtOdds) {
        if let (Some(first), Some(last)) = (bins.first(), bins.last()) {
            if let Err(place) = self.stacks.binary_search(&first.full) {
                self.stacks.insert(place, first.full);
            }
            self.stack_bytes = last.empty - first.full;
        }
        for (class, bin) in bins.iter().enumerate() {
            let items = AvmaRange::from_len(Avma(bin.head), bin.items() * 8);
            let blocks = evidence::words(process, items);
            if blocks.len() as u64 != bin.items() {
                odds.add(ABSENT, bin.head);
                self.unknown.iter_mut().skip(class).take(1).for_each(|class| *class = true);
            }
            for block in blocks {
                if self.blocks.insert(block, class).is_some() {
                    odds.add(TWICE, block);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_are_those_whose_stacks_lie_one_behind_the_other() {
        let bin = |head: u64, full: u64, empty: u64| {
            [head, 7, (empty & 0xffff) << 32 | (full & 0xffff) << 16 | head & 0xffff]
        };
        let (start, next, end) = (0x7f00_0001_ffc0, 0x7f00_0002_0040, 0x7f00_0002_0080);
        let words =
            [bin(next - 16, start, next), bin(end, next, end), bin(end, next, end)].concat();
        let bins = chain(&words);
        assert_eq!(bins.len(), 2, "the third one has the stack of the second");
        assert_eq!((bins[0].items(), bins[1].items()), (2, 0));
        assert_eq!((bins[0].full, bins[1].empty), (start, end));
        assert!(chain(&bin(start - 8, start, next)).is_empty(), "more than there is room for");
        assert!(chain(&[0, 0, 0]).is_empty());
    }
}
