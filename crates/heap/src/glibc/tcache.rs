//! The caches of freed chunks that each thread has (`tcache_perthread_struct`).

use super::arena;
use super::chunk::{Chunk, Layout};
use obit_corefile::addr::Avma;
use obit_corefile::elf::SegmentKind;
use obit_corefile::memory::Cursor;
use obit_process::module::thread_local_block;
use obit_process::process::Process;

/// Bytes of thread-local storage that are searched for the pointer `tcache`.
const STORAGE_BYTES: u64 = 16 << 10;
/// Threads whose caches are read.
const MOST_THREADS: usize = 4096;

/// How a version of glibc lays a cache out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shape {
    /// Lists.
    lists: u64,
    /// Bytes of one counter: they come first.
    counter: u64,
}

/// Since 2.26, 2.30 and 2.42.
const SHAPES: [Shape; 3] = [
    Shape { lists: 64, counter: 1 },
    Shape { lists: 64, counter: 2 },
    Shape { lists: 76, counter: 2 },
];

impl Shape {
    fn counters(self) -> u64 {
        self.lists * self.counter
    }

    /// Bytes of the chunk that holds it.
    fn chunk_size(self, layout: Layout) -> u64 {
        let used = self.counters() + self.lists * layout.word;
        (used + layout.word).next_multiple_of(Layout::ALIGNMENT)
    }
}

/// Whether `user` is a cache, by the size of its chunk and by what its lists begin with.
fn shape_at(cursor: &mut Cursor<'_>, layout: Layout, user: u64) -> Option<Shape> {
    let chunk = layout.chunk(user);
    if user == 0 || !layout.is_aligned(chunk) {
        return None;
    }
    let header = Chunk::read(cursor, layout, chunk)?;
    let shape = SHAPES.into_iter().find(|shape| shape.chunk_size(layout) == header.size())?;
    let entries = first_entries(cursor, layout, user, shape)?;
    let is_entry = |entry: &u64| *entry == 0 || layout.is_aligned(layout.chunk(*entry));
    (!header.is_mapping() && entries.iter().all(is_entry)).then_some(shape)
}

fn first_entries(
    cursor: &mut Cursor<'_>,
    layout: Layout,
    user: u64,
    shape: Shape,
) -> Option<Vec<u64>> {
    let entries = user.checked_add(shape.counters())?;
    let at = |nth: u64| entries.wrapping_add(nth.wrapping_mul(layout.word));
    (0..shape.lists).map(|nth| cursor.read_word(Avma(at(nth))).ok()).collect()
}

/// What the cache at `user` has first in each list, by the list's number: where the program's
/// bytes of a freed chunk begin. `None` if there is no cache.
pub(super) fn lists(cursor: &mut Cursor<'_>, layout: Layout, user: u64) -> Option<Vec<(u64, u64)>> {
    let shape = shape_at(cursor, layout, user)?;
    let entries = first_entries(cursor, layout, user, shape)?;
    Some((0..).zip(entries).filter(|(_, entry)| *entry != 0).collect())
}

/// How many chunks the cache at `user` counts in each list; `None` where it counts free places
/// (since 2.42).
pub(super) fn counts(cursor: &mut Cursor<'_>, layout: Layout, user: u64) -> Option<Vec<u64>> {
    let shape = shape_at(cursor, layout, user)?;
    if shape.lists != SHAPES.first()?.lists {
        return None;
    }
    let at = |nth: u64| user.wrapping_add(nth.wrapping_mul(shape.counter));
    let size = usize::try_from(shape.counter).ok()?;
    (0..shape.lists).map(|nth| cursor.read_unsigned(Avma(at(nth)), size).ok()).collect()
}

/// Whether the chunk before `user` is as large as the record of a cache.
pub(super) fn is_of_its_size(cursor: &mut Cursor<'_>, layout: Layout, user: u64) -> bool {
    let header = Chunk::read(cursor, layout, layout.chunk(user));
    let mut shapes = SHAPES.into_iter();
    header.is_some_and(|header| shapes.any(|shape| shape.chunk_size(layout) == header.size()))
}

/// The sizes of the chunks in all lists that are of one size.
pub(super) fn sizes(layout: Layout) -> impl Iterator<Item = u64> {
    let lists = SHAPES.first().map_or(0, |shape| shape.lists);
    (0..lists).map(move |nth| size_of_list(layout, nth))
}

/// The size of the chunks in list number `nth`; of lists for large chunks the least.
pub(super) fn size_of_list(layout: Layout, nth: u64) -> u64 {
    nth.saturating_mul(Layout::ALIGNMENT).saturating_add(layout.smallest())
}

/// The caches of all threads, by the pointers in their thread-local storage.
pub(super) fn of_threads(process: &Process, cursor: &mut Cursor<'_>, layout: Layout) -> Vec<u64> {
    let Some(library) = arena::library(process) else { return Vec::new() };
    let module = process.modules.get(library);
    let Some(image) = module.and_then(|module| module.image.as_ref()) else { return Vec::new() };
    let storage = image.segments().iter().find(|s| s.kind == SegmentKind::Tls);
    let Some(size) = storage.map(|segment| segment.mem_size.min(STORAGE_BYTES)) else {
        return Vec::new();
    };
    let (modules, memory) = (&process.modules, &process.memory);
    let mut found = Vec::new();
    for thread in process.dump.threads.iter().take(MOST_THREADS) {
        let Some(pointer) = thread.thread_pointer else { continue };
        let machine = process.dump.machine;
        let block = thread_local_block(modules, memory, machine, pointer.0, library);
        let Ok(block) = block else { continue };
        let bytes = memory.read_up_to(block, usize::try_from(size).unwrap_or(0));
        let words = bytes.chunks_exact(memory.word()).map(|word| memory.unsigned(word));
        let cache = words.into_iter().find(|word| shape_at(cursor, layout, *word).is_some());
        found.extend(cache);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cache_is_as_long_as_in_its_version_of_glibc() {
        let size = |nth: usize, word| SHAPES[nth].chunk_size(Layout { word });
        assert_eq!([size(0, 8), size(1, 8), size(2, 8)], [0x250, 0x290, 0x300]);
        assert_eq!([size(0, 4), size(1, 4)], [0x150, 0x190]);
    }
}
