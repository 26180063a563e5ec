//! Damaged heaps: the allocator finds the damage anywhere, long after it was done. What is left
//! of the bug is the chunk before the damage, of which something ran over the end.

use std::collections::{BTreeMap, BTreeSet};

use super::key::{Called, CrashKey};

/// Crashes after damage behind chunks of one size that make the size the mark of a bug.
const LEAST: u64 = 4;
/// Share of a program's damaged heaps that such sizes must explain. Where sizes are spread, a
/// buffer of varying size ran over, and an equal size is chance.
const EXPLAINED: f64 = 0.9;
/// Classes of causes that the allocator reports.
const CLASSES: [&str; 3] = ["heap-corruption", "invalid-free", "double-free"];
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

/// Sizes of chunks that are each the mark of a bug, by image.
#[derive(Debug, Default)]
pub(super) struct TypicalSizes<'t> {
    sizes: BTreeSet<(&'t str, &'t str)>,
}

impl<'t> TypicalSizes<'t> {
    /// Of these crashes.
    pub(super) fn of_all(keys: &'t [CrashKey], counts: &[u64]) -> Self {
        let mut of_image: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
        for (key, count) in keys.iter().zip(counts) {
            if let Some(size) = damage(key) {
                *of_image.entry(&key.image).or_default().entry(size).or_default() += count;
            }
        }
        let mut sizes = BTreeSet::new();
        for (image, counts) in of_image {
            let all: u64 = counts.values().sum();
            let frequent = || counts.iter().filter(|(_, count)| **count >= LEAST);
            let explained: u64 = frequent().map(|(_, count)| count).sum();
            if explained as f64 >= EXPLAINED * all as f64 {
                sizes.extend(frequent().map(|(size, _)| (image, *size)));
            }
        }
        Self { sizes }
    }

    /// The size behind which the heap of this crash is damaged, if it is the mark of a bug.
    pub(super) fn of(&self, key: &'t CrashKey) -> Option<&'t str> {
        damage(key).filter(|size| self.sizes.contains(&(key.image.as_str(), *size)))
    }
}

/// The size behind which the allocator came upon damage.
pub(super) fn damage(key: &CrashKey) -> Option<&str> {
    let is_called =
        || matches!(&key.called, Called::Function(name) if ALLOCATOR.contains(&name.as_str()));
    let is_of_allocator = CLASSES.contains(&key.class.as_str()) || is_called();
    Some(key.damaged.as_str()).filter(|size| !size.is_empty() && is_of_allocator)
}

/// Whether the allocator found a block freed twice in a sound heap.
pub(super) fn is_sound(key: &CrashKey) -> bool {
    key.class == "double-free" && key.damaged.is_empty()
}
