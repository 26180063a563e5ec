//! Freed objects: the caches of threads (`thread_cache.h`), the lists between threads
//! (`central_freelist.h`), and the sizes of classes (`common.h`).

use std::collections::{HashMap, HashSet};

use crate::blocks::State;
use crate::evidence::{self, AtOdds};
use obit_corefile::addr::{Avma, AvmaRange};
use obit_corefile::memory::Cursor;
use obit_process::process::Process;

/// `kClassSizesMax`, and the largest class.
const CLASSES: usize = 128;
const LARGEST: u64 = 256 << 10;
/// Bytes of a thread's list, and of a cache's lists.
const LIST_BYTES: u64 = 32;
const LISTS_BYTES: u64 = LIST_BYTES * CLASSES as u64;
/// Bytes behind the lists in which the links to other caches are.
const BEHIND_BYTES: u64 = 256;
const MOST_CACHES: usize = 1 << 16;
/// Words of a list between threads, and where its fields are.
const CENTRAL_WORDS: usize = 1216 / 8;
const SLOTS_AT: usize = 16;
const MOST_SLOTS: u64 = 64;
const USED_SLOTS_AT: usize = 144;
/// Lists in sequence that are no chance.
const LEAST_CENTRALS: u64 = 16;
/// Objects of one list.
const MOST_OBJECTS: u64 = 1 << 26;

const BROKEN: &str = "a list of freed objects is damaged";
const TWICE: &str = "an object is twice in lists of freed ones";
const NO_CACHE: &str = "no cache of a thread was found";
const NO_CENTRAL: &str = "the lists between threads were not found";

/// Sizes and pages of classes.
#[derive(Debug)]
pub(super) struct Classes {
    pub(super) sizes: Vec<u64>,
    pub(super) pages: Vec<u64>,
}

impl Classes {
    /// The tables are variables: sizes of 32 bits, then pages.
    pub(super) fn find(process: &Process, variables: &[AvmaRange]) -> Option<Self> {
        variables.iter().find_map(|range| {
            let words = evidence::words(process, *range);
            let halves: Vec<u64> =
                words.iter().flat_map(|word| [word & 0xffff_ffff, word >> 32]).collect();
            (0..halves.len()).find_map(|at| {
                if halves.get(at..at + 3)? != [0, 8, 16] {
                    return None;
                }
                let table = halves.get(at..at + CLASSES)?;
                let count = table.iter().position(|size| *size == LARGEST)? + 1;
                let sizes = table.get(..count)?;
                let pages = words.get((at + CLASSES).div_ceil(2)..)?.get(..count)?;
                let is_one = sizes.is_sorted()
                    && pages.iter().skip(1).all(|pages| (1..=4096).contains(pages));
                is_one.then(|| Self { sizes: sizes.to_vec(), pages: pages.to_vec() })
            })
        })
    }

    pub(super) fn size(&self, class: usize) -> Option<u64> {
        self.sizes.get(class).copied().filter(|size| *size > 0)
    }
}

/// Freed objects.
#[derive(Debug)]
pub(super) struct Freed {
    /// Their states and classes.
    pub(super) objects: HashMap<u64, (State, usize)>,
    /// Classes with a list that is damaged.
    pub(super) unknown: Vec<bool>,
}

pub(super) struct Lists<'p, 'o> {
    process: &'p Process,
    cursor: Cursor<'p>,
    odds: &'o mut AtOdds,
    freed: Freed,
}

impl<'p, 'o> Lists<'p, 'o> {
    pub(super) fn read(
        process: &'p Process,
        variables: &[AvmaRange],
        classes: &Classes,
        odds: &'o mut AtOdds,
    ) -> Self {
        let freed = Freed { objects: HashMap::new(), unknown: vec![false; CLASSES * 2] };
        let mut lists = Self { process, cursor: process.memory.cursor(), odds, freed };
        lists.caches(variables, classes);
        lists.central(variables, classes);
        lists
    }

    /// The objects of a list from `at`, `count` of them or to its end.
    pub(super) fn walk(&mut self, at: u64, count: Option<u64>, class: usize, state: State) -> u64 {
        let (mut at, mut met) = (at, 0);
        while at != 0 && count.is_none_or(|count| met < count) {
            let next = self.cursor.read_word(Avma(at)).ok();
            let is_new = self.freed.objects.insert(at, (state, class)).is_none();
            let Some(next) = next.filter(|_| is_new && met < MOST_OBJECTS) else {
                self.broken(if is_new { BROKEN } else { TWICE }, at, class);
                return met;
            };
            met += 1;
            at = next;
        }
        if count.is_some_and(|count| met != count) {
            self.broken(BROKEN, at, class);
        }
        met
    }

    fn broken(&mut self, what: &'static str, at: u64, class: usize) {
        self.odds.add(what, at);
        self.freed.unknown.iter_mut().skip(class).take(1).for_each(|one| *one = true);
    }

    /// A variable leads to the first cache of a thread, it to others.
    fn caches(&mut self, variables: &[AvmaRange], classes: &Classes) {
        let mut next: Vec<u64> = Vec::new();
        for range in variables {
            let words = evidence::words(self.process, *range);
            next.extend(words.into_iter().filter(|word| *word != 0 && word.is_multiple_of(8)));
        }
        next.sort_unstable();
        next.dedup();
        let mut seen: HashSet<u64> = HashSet::new();
        let mut found = 0;
        while let Some(at) = next.pop() {
            if found >= MOST_CACHES || !seen.insert(at) || !self.is_cache(at, classes) {
                continue;
            }
            found += 1;
            for class in 1..classes.sizes.len() {
                let list = at.saturating_add(class as u64 * LIST_BYTES);
                let first = self.cursor.read_word(Avma(list)).unwrap_or(0);
                let length =
                    self.cursor.read_unsigned(Avma(list.saturating_add(8)), 4).unwrap_or(0);
                self.walk(first, Some(length), class, State::Cached);
            }
            let behind = AvmaRange::from_len(Avma(at.saturating_add(LISTS_BYTES)), BEHIND_BYTES);
            next.extend(evidence::words(self.process, behind));
        }
        if found == 0 {
            self.odds.add(NO_CACHE, 0);
            self.freed.unknown.fill(true);
        }
    }

    /// Each list of a cache has the size of its class.
    fn is_cache(&mut self, at: u64, classes: &Classes) -> bool {
        let cursor = &mut self.cursor;
        let mut sizes = classes.sizes.iter().enumerate().skip(1);
        sizes.all(|(class, size)| {
            let place = at.wrapping_add(class as u64 * LIST_BYTES + 24);
            cursor.read_unsigned(Avma(place), 4) == Ok(*size)
        })
    }

    /// The lists between threads are variables, one for each class.
    fn central(&mut self, variables: &[AvmaRange], classes: &Classes) {
        for range in variables {
            let words = evidence::words(self.process, *range);
            let class_at = |start: usize, class: u64| {
                words.get(start + class as usize * CENTRAL_WORDS + 1) == Some(&class)
            };
            let start = (0..words.len())
                .find(|start| (0..LEAST_CENTRALS).all(|class| class_at(*start, class)));
            let Some(start) = start else { continue };
            for class in 1..classes.sizes.len() {
                let from = start + class * CENTRAL_WORDS;
                let list = words.get(from..).and_then(|words| words.get(..CENTRAL_WORDS));
                let Some(list) = list.filter(|_| class_at(start, class as u64)) else {
                    self.broken(NO_CENTRAL, range.start.0, class);
                    continue;
                };
                let used = list.get(USED_SLOTS_AT).map_or(0, |word| word & 0xffff_ffff);
                if used > MOST_SLOTS {
                    self.broken(BROKEN, range.start.0.saturating_add(from as u64 * 8), class);
                }
                for slot in list
                    .get(SLOTS_AT..)
                    .unwrap_or_default()
                    .chunks_exact(2)
                    .take(used.min(MOST_SLOTS) as usize)
                {
                    self.walk(slot.first().copied().unwrap_or(0), None, class, State::Free);
                }
            }
            return;
        }
        self.odds.add(NO_CENTRAL, 0);
        self.freed.unknown.fill(true);
    }

    pub(super) fn odds(&mut self) -> &mut AtOdds {
        self.odds
    }

    pub(super) fn done(self) -> Freed {
        self.freed
    }
}
