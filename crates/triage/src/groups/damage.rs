//! Damaged heaps: the allocator finds the damage anywhere, long after it was done. What is left
//! of the bug is the chunk before the damage, of which something ran over the end: its size,
//! what was written there, and where the program keeps the pointer to it.

use std::collections::{BTreeMap, BTreeSet};

use super::key::{Called, CrashKey};

/// Crashes after damage behind chunks of one size that make the size the mark of a bug.
const LEAST: u64 = 4;
/// Share of a program's damaged heaps that such sizes must explain. Where sizes are spread, a
/// buffer of varying size ran over, and an equal size is chance.
const EXPLAINED: f64 = 0.9;
/// Crashes with a pointer at one place that make it more than something left over.
const CREDIBLE: u64 = 2;
/// Classes of causes that the allocator reports.
const CLASSES: [&str; 3] = ["heap-corruption", "invalid-free", "double-free"];
/// Classes of causes of a pointer that may have been written over, too.
const WILD: [&str; 4] = ["non-canonical", "unmapped-read", "unmapped-write", "unmapped-access"];
/// Beginnings of classes of causes that damage of this kind does not have.
const OTHERS: [&str; 4] = ["null-", "divide-", "trap", "assertion"];
/// The allocator's functions.
const ALLOCATOR: &[&str] = &[
    "malloc",
    "calloc",
    "realloc",
    "free",
    "operator new",
    "operator new[]",
    "operator delete",
    "operator delete[]",
    "memalign",
    "posix_memalign",
    "aligned_alloc",
];

/// What distinguishes damage of one bug from that of others, by what is known of a crash.
#[derive(Debug, Default)]
pub(super) struct Marks<'t> {
    marks: BTreeMap<Traces<'t>, Mark>,
}

/// The mark of a bug.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mark {
    /// The same for all crashes of the bug, and for no others.
    pub(super) number: u32,
    /// In words.
    pub(super) name: String,
}

/// What a bug left of itself in a damaged heap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Traces<'t> {
    image: &'t str,
    written: &'t str,
    size: &'t str,
    pattern: &'t str,
    pointed_from: &'t str,
}

impl<'t> Traces<'t> {
    fn of(key: &'t CrashKey) -> Option<Self> {
        Some(Self {
            image: &key.image,
            written: &key.overwritten_with,
            size: damage(key)?,
            pattern: &key.pattern,
            pointed_from: &key.pointed_from,
        })
    }
}

impl<'t> Marks<'t> {
    /// Of these crashes.
    pub(super) fn of_all(keys: &'t [CrashKey], counts: &[u64]) -> Self {
        let mut kinds: BTreeMap<(&str, &str), BTreeMap<Traces<'t>, u64>> = BTreeMap::new();
        for (key, count) in keys.iter().zip(counts) {
            if let Some(traces) = Traces::of(key) {
                let kind = kinds.entry((traces.image, traces.written)).or_default();
                *kind.entry(traces).or_default() += count;
            }
        }
        let mut marks = BTreeMap::new();
        let mut number = 0;
        for kind in kinds.into_values() {
            let bugs = bugs(&kind);
            let is_only = bugs.len() == 1;
            for bug in bugs {
                let name = name(&bug, &kind, is_only);
                marks.extend(bug.iter().map(|t| (*t, Mark { number, name: name.clone() })));
                number += 1;
            }
        }
        Self { marks }
    }

    /// The mark of the bug that damaged the heap of this crash, if it left one.
    pub(super) fn of(&self, key: &'t CrashKey) -> Option<&Mark> {
        self.marks.get(&Traces::of(key)?)
    }
}

/// Traces of one kind in one image, brought together where they are surely of one bug. What
/// is like no other is left out: nothing distinguishes it.
fn bugs<'t>(kind: &BTreeMap<Traces<'t>, u64>) -> Vec<Vec<Traces<'t>>> {
    let all: Vec<Traces<'t>> = kind.keys().copied().collect();
    let mut part: Vec<usize> = (0..all.len()).collect();
    let mut crashes: BTreeMap<&str, u64> = BTreeMap::new();
    for (traces, count) in kind {
        *crashes.entry(traces.pointed_from).or_default() += count;
    }
    let is_credible =
        |place: &str| !place.is_empty() && crashes.get(place).is_some_and(|n| *n >= CREDIBLE);
    // What has two pointers that are credible is not one bug's.
    let mut join = |of: &dyn Fn(&Traces<'t>) -> Option<&'t str>| {
        let mut alike: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (index, traces) in all.iter().enumerate() {
            if let Some(text) = of(traces).filter(|text| !text.is_empty()) {
                alike.entry(text).or_default().push(index);
            }
        }
        for indices in alike.into_values() {
            let parts: BTreeSet<usize> =
                indices.iter().filter_map(|index| part.get(*index).copied()).collect();
            let places: BTreeSet<&str> = all
                .iter()
                .zip(&part)
                .filter(|(_, part)| parts.contains(part))
                .map(|(traces, _)| traces.pointed_from)
                .filter(|place| is_credible(place))
                .collect();
            let Some(first) = parts.first().copied().filter(|_| places.len() < 2) else { continue };
            for slot in part.iter_mut().filter(|part| parts.contains(part)) {
                *slot = first;
            }
        }
    };
    join(&|traces| Some(traces.pointed_from).filter(|place| is_credible(place)));
    join(&|traces| Some(traces.pattern));
    let typical = typical_sizes(kind);
    join(&|traces| Some(traces.size).filter(|size| typical.contains(size)));
    let mut bugs: BTreeMap<usize, Vec<Traces<'t>>> = BTreeMap::new();
    for (traces, part) in all.iter().zip(&part) {
        bugs.entry(*part).or_default().push(*traces);
    }
    let is_marked = |bug: &Vec<Traces<'t>>| {
        bug.len() > 1
            || bug.iter().any(|traces| {
                is_credible(traces.pointed_from)
                    || !traces.pattern.is_empty()
                    || typical.contains(traces.size)
            })
    };
    bugs.into_values().filter(is_marked).collect()
}

/// Sizes that are each the mark of a bug.
fn typical_sizes<'t>(kind: &BTreeMap<Traces<'t>, u64>) -> BTreeSet<&'t str> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for (traces, count) in kind {
        *counts.entry(traces.size).or_default() += count;
    }
    let all: u64 = counts.values().sum();
    let frequent = || counts.iter().filter(|(_, count)| **count >= LEAST);
    let explained: u64 = frequent().map(|(_, count)| count).sum();
    let is_typical = explained as f64 >= EXPLAINED * all as f64;
    frequent().filter(|_| is_typical).map(|(size, _)| *size).collect()
}

/// What is written, and what distinguishes it from the others of the kind.
fn name(bug: &[Traces<'_>], kind: &BTreeMap<Traces<'_>, u64>, is_only: bool) -> String {
    let Some(any) = bug.first() else { return String::new() };
    if is_only && !any.written.is_empty() {
        return format!("({})", any.written);
    }
    let most = |of: &dyn Fn(&Traces<'_>) -> String| {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for traces in bug {
            let count = kind.get(traces).copied().unwrap_or(0);
            *counts.entry(of(traces)).or_default() += count;
        }
        counts.remove("");
        let most = counts.into_iter().max_by(|(a, m), (b, n)| m.cmp(n).then(b.cmp(a)));
        most.map(|(text, _)| text)
    };
    let by_place = || most(&|traces| traces.pointed_from.to_owned());
    let place = by_place().filter(|_| !any.written.is_empty());
    let patterns: BTreeSet<&str> = bug.iter().map(|traces| traces.pattern).collect();
    let pattern =
        || patterns.first().filter(|_| patterns.len() == 1).map(|text| (*text).to_owned());
    let pattern = || pattern().filter(|text| !text.is_empty());
    let size = || most(&|traces| traces.size.to_owned());
    let what = place.or_else(pattern).or_else(size).unwrap_or_default();
    let is_mark = |c: char| !c.is_alphanumeric() && c != '_';
    let words: Vec<&str> = what.split(is_mark).filter(|word| !word.is_empty()).collect();
    let what = words.join("-");
    if any.written.is_empty() { what } else { format!("{}-{what}", any.written) }
}

/// The size behind which damage was found that explains the crash.
pub(super) fn damage(key: &CrashKey) -> Option<&str> {
    let is_of_allocator = CLASSES.contains(&key.class.as_str()) || is_in_allocator(key);
    let is_wild = || !key.overwritten_with.is_empty() && WILD.contains(&key.class.as_str());
    Some(key.damaged.as_str()).filter(|size| !size.is_empty() && (is_of_allocator || is_wild()))
}

/// Whether a crash is of another kind than that of a damaged heap: the allocator found a block
/// freed twice in a sound heap, or what failed is not a pointer that was written over.
pub(super) fn is_sound(key: &CrashKey) -> bool {
    let is_other = || OTHERS.iter().any(|other| key.class.starts_with(other));
    key.damaged.is_empty() && (key.class == "double-free" || is_other() && !is_in_allocator(key))
}

fn is_in_allocator(key: &CrashKey) -> bool {
    matches!(&key.called, Called::Function(name) if ALLOCATOR.contains(&name.as_str()))
}
