//! Blocks so large that each is a mapping of its own.

use std::collections::HashSet;

use super::chunk::{Chunk, Layout};
use super::walk::Span;
use super::{Block, BlockState, Heap, arena};
use obit_corefile::addr::{Avma, AvmaRange};
use obit_corefile::memory::Cursor;
use obit_process::process::Process;

/// Adjacent mappings that are skipped: the kernel shows them as one.
const MOST_MAPPINGS: usize = 1000;
const PAGE: u64 = 4096;
/// Bits of the largest alignment that is looked for.
const MOST_ALIGNED: u32 = 31;

/// The block that holds `at`.
pub(super) fn block_at(
    process: &Process,
    cursor: &mut Cursor<'_>,
    layout: Layout,
    at: Avma,
) -> Option<Block> {
    if process.memory.region_at(at)?.name.is_some() {
        return None;
    }
    let mapping = process.memory.range_at(at)?;
    let mut page = mapping.start.0;
    for _ in 0..MOST_MAPPINGS {
        let chunk = in_page(cursor, layout, page, mapping)?;
        if at.0 < chunk.end() {
            let start = layout.user(chunk.at);
            return Some(Block {
                start: Avma(start),
                chunk_size: chunk.size(),
                room: chunk.size().saturating_sub(layout.word.saturating_mul(2)),
                state: BlockState::Mapping,
                offset: at.0.wrapping_sub(start).cast_signed(),
            });
        }
        page = chunk.end();
    }
    None
}

/// Blocks that are looked for.
const MOST_BLOCKS: usize = 1 << 22;

/// All blocks that are mappings, outside of `spans`, and of `unused`: below a stack's pointer lies
/// what functions left that have returned.
pub(super) fn all(heap: &mut Heap<'_>, spans: &[Span], unused: &[AvmaRange]) -> Vec<Chunk> {
    let mut found = Vec::new();
    let process = heap.process;
    let mut ranges: Vec<AvmaRange> = Vec::new();
    for region in process.memory.regions() {
        let is_anonymous = region.permissions.write
            && region.name.is_none()
            && process.modules.index_at(region.range.start).is_none();
        let range = region.range;
        match ranges.last_mut() {
            // The core may leave out pages of a mapping.
            Some(last) if is_anonymous && last.end == range.start => last.end = range.end,
            _ if is_anonymous => ranges.push(range),
            _ => {}
        }
    }
    for range in ranges {
        let mut at = range.start.0.next_multiple_of(PAGE);
        let overlaps = |start: u64, end: u64| start < range.end.0 && range.start.0 < end;
        let spans = spans.iter().map(|span| (span.start, span.end));
        let unused = unused.iter().map(|range| (range.start.0, range.end.0));
        let held: Vec<(u64, u64)> =
            spans.chain(unused).filter(|(start, end)| overlaps(*start, *end)).collect();
        while at < range.end.0 && found.len() < MOST_BLOCKS {
            let inside =
                held.iter().find(|(start, end)| at < *end && *start < at.saturating_add(PAGE));
            if let Some((_, end)) = inside {
                at = (*end).max(at.saturating_add(1)).next_multiple_of(PAGE);
                continue;
            }
            match in_page(&mut heap.cursor, heap.layout, at, range) {
                Some(chunk) => {
                    found.push(chunk);
                    at = chunk.end().max(at.saturating_add(1)).next_multiple_of(PAGE);
                }
                None if heap.cursor.read_word(Avma(at)).is_ok() => at = at.saturating_add(PAGE),
                // Of a region the rest is not there either.
                None => {
                    let region = process.memory.region_at(Avma(at));
                    let end = region.map_or(0, |region| region.range.end.0);
                    let Some(next) = end.max(at.saturating_add(1)).checked_next_multiple_of(PAGE)
                    else {
                        break;
                    };
                    at = next;
                }
            }
        }
    }
    found
}

/// The block whose mapping begins at `page`. Where two words are less than the alignment its
/// header lies further in, with the bytes before it in `prev_size` (`sysmalloc_mmap`). One that
/// was asked for with an alignment has its header further in, too, and what was the header before
/// it was aligned is still there (`_int_memalign`).
fn in_page(cursor: &mut Cursor<'_>, layout: Layout, page: u64, range: AvmaRange) -> Option<Chunk> {
    let header = layout.word.saturating_mul(2);
    let mut places = [page, layout.align_up(page)].into_iter();
    // `munmap_chunk` checks the same: the flag, and whole pages.
    let first = places.find_map(|at| {
        let chunk = Chunk::read(cursor, layout, at)?;
        let whole = chunk.size().checked_add(chunk.prev_size)?;
        let is_one = chunk.size_field & 7 == 2
            && chunk.prev_size == at.wrapping_sub(page)
            && chunk.size() > header
            && whole.is_multiple_of(PAGE)
            && page.checked_add(whole)? <= range.end.0;
        is_one.then_some(chunk)
    })?;
    let whole = first.size().saturating_add(first.prev_size);
    let user = layout.user(first.at);
    let aligned = (5..MOST_ALIGNED).find_map(|bits| {
        let alignment = 1_u64.checked_shl(bits)?;
        let least = user.checked_next_multiple_of(alignment)?;
        [least, least.checked_add(alignment)?].into_iter().find_map(|user| {
            let at = layout.chunk(user);
            let chunk = (at < first.end()).then(|| Chunk::read(cursor, layout, at))??;
            let is_it = chunk.prev_size > first.prev_size
                && chunk.prev_size == at.wrapping_sub(page)
                && chunk.size_field & 7 == 2
                && chunk.size().checked_add(chunk.prev_size) == Some(whole);
            is_it.then_some(chunk)
        })
    });
    Some(aligned.unwrap_or(first))
}

/// Such blocks as `malloc_par` counts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counted {
    /// `n_mmaps`.
    pub(super) blocks: u64,
    /// `mmapped_mem`.
    pub(super) bytes: u64,
}

/// Without those that are alone in the middle of one of the kernel's mappings, if what is left is
/// what the allocator counts: other memory may look like a header by chance.
pub(super) fn without_chance(process: &Process, found: Vec<Chunk>, counted: Counted) -> Vec<Chunk> {
    let start = |chunk: &Chunk| chunk.at.saturating_sub(chunk.prev_size);
    let starts: HashSet<u64> = found.iter().map(start).collect();
    let ends: HashSet<u64> = found.iter().map(Chunk::end).collect();
    let is_alone = |chunk: &Chunk| {
        let region = process.memory.region_at(Avma(chunk.at));
        let at_edge = region.is_some_and(|region| {
            region.range.start.0 == start(chunk) || region.range.end.0 == chunk.end()
        });
        !at_edge && !ends.contains(&start(chunk)) && !starts.contains(&chunk.end())
    };
    let (alone, others): (Vec<Chunk>, Vec<Chunk>) = found.iter().copied().partition(is_alone);
    let is_right = !alone.is_empty() && Counted::of(&others) == counted;
    if is_right { others } else { found }
}

/// What `malloc_par` counts, if that was found: by `sbrk_base`, the start of the main heap, behind
/// the counts.
pub(super) fn counted(heap: &mut Heap<'_>) -> Option<Counted> {
    let main = *heap.arenas.iter().find(|arena| arena.is_main)?;
    let start = heap.first_span(&main)?.start;
    let (word, little_endian) = (heap.layout.word, heap.process.memory.is_little_endian());
    arena::in_data(heap.process, heap.layout, |_, words| {
        let bases = words
            .iter()
            .enumerate()
            .filter(|(_, base)| **base != 0 && start.wrapping_sub(**base) < Layout::ALIGNMENT);
        bases
            .into_iter()
            .find_map(|(index, _)| counts_before(words.get(..index)?, word, little_endian))
    })
}

impl Counted {
    /// As the allocator counts them: the whole of each mapping.
    pub(super) fn of(chunks: &[Chunk]) -> Self {
        let bytes = chunks.iter().map(|chunk| chunk.size().saturating_add(chunk.prev_size));
        Self { blocks: chunks.len() as u64, bytes: bytes.fold(0, u64::saturating_add) }
    }
}

/// The counts at the end of `words`: `n_mmaps`, `n_mmaps_max`, `max_n_mmaps` and
/// `no_dyn_threshold` of 32 bits, then the bytes and the most that they were. Before 2.35 the
/// first of them is aligned to 64 bits, since then the second; up to 2.23 one more word follows.
fn counts_before(words: &[u64], word: u64, little_endian: bool) -> Option<Counted> {
    let half = |at: usize, second: bool| {
        let both = words.get(at)?;
        Some(if second == little_endian { both >> 32 } else { both & 0xffff_ffff })
    };
    [2, 3].into_iter().find_map(|back| {
        let bytes_at = words.len().checked_sub(back)?;
        let (bytes, most) = (*words.get(bytes_at)?, *words.get(bytes_at.checked_add(1)?)?);
        let before = |back: usize| bytes_at.checked_sub(back);
        let aligned = match word {
            4 => None,
            _ => Some([
                half(before(3)?, true)?,
                half(before(2)?, false)?,
                half(before(2)?, true)?,
                half(before(1)?, false)?,
            ]),
        };
        let plain = match word {
            4 => [
                *words.get(before(4)?)?,
                *words.get(before(3)?)?,
                *words.get(before(2)?)?,
                *words.get(before(1)?)?,
            ],
            _ => [
                half(before(2)?, false)?,
                half(before(2)?, true)?,
                half(before(1)?, false)?,
                half(before(1)?, true)?,
            ],
        };
        aligned.into_iter().chain([plain]).find_map(|[blocks, limit, peak, fixed]| {
            let is_one = blocks <= peak
                && fixed <= 1
                // Where the limit was set to 0 that is said here.
                && (limit > 0 || fixed == 1)
                && limit <= i32::MAX as u64
                && bytes <= most
                && bytes.is_multiple_of(PAGE)
                && (blocks == 0) == (bytes == 0)
                && (peak == 0) == (most == 0)
                && blocks.saturating_mul(PAGE) <= bytes;
            is_one.then_some(Counted { blocks, bytes })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use obit_corefile::testkit::CoreBuilder;
    use obit_process::process::Options;

    /// Two words of 32 bits in one of 64.
    fn pair(first: u64, second: u64) -> u64 {
        first | second << 32
    }

    #[test]
    fn the_counts_of_the_allocator_are_read_in_each_of_its_layouts() {
        let three = Some(Counted { blocks: 3, bytes: 0x30_3000 });
        let bytes = [0x30_3000, 0x40_4000];
        let [now, most] = bytes;
        let old = [9, pair(3, 65536), pair(4, 0), now, most];
        let oldest = [9, pair(3, 65536), pair(4, 0), now, most, 0];
        let new = [0, pair(0, 3), pair(65536, 4), 0, now, most];
        let narrow = [9, 0, 3, 65536, 4, 0, now, most];
        assert_eq!(counts_before(&old, 8, true), three);
        assert_eq!(counts_before(&oldest, 8, true), three);
        assert_eq!(counts_before(&new, 8, true), three);
        assert_eq!(counts_before(&narrow, 4, true), three);
        let turned = [0, pair(3, 0), pair(4, 65536), 0, now, most];
        assert_eq!(counts_before(&turned, 8, false), three);
    }

    #[test]
    fn what_looks_like_a_mapping_in_the_middle_of_other_memory_is_none_if_the_count_says_so() {
        let core = CoreBuilder::x86_64()
            .thread(1, &[("rip", 0x1000)])
            .segment(0x7000_0000, &[0; 0x1_0000], 0x1_0000)
            .write();
        let process = Process::open(core.path(), Options::default(), &()).unwrap();
        let chunk = |at| Chunk { at, prev_size: 0, size_field: 0x2002 };
        let found = vec![chunk(0x7000_0000), chunk(0x7000_2000), chunk(0x7000_8000)];
        let left = |blocks: u64| {
            let counted = Counted { blocks, bytes: blocks * 0x2000 };
            without_chance(&process, found.clone(), counted).len()
        };
        assert_eq!(left(2), 2);
        assert_eq!([left(3), left(1)], [3, 3], "which of them are none is not known");
    }

    #[test]
    fn a_limit_that_the_program_set_is_no_obstacle_and_chance_is_no_count() {
        let set = [0, pair(0, 3), pair(1000, 3), 1, 0x3000, 0x3000];
        assert_eq!(counts_before(&set, 8, true), Some(Counted { blocks: 3, bytes: 0x3000 }));
        let none = [0, pair(0, 0), pair(0, 0), 1, 0, 0];
        assert_eq!(counts_before(&none, 8, true), Some(Counted { blocks: 0, bytes: 0 }));
        assert_eq!(counts_before(&[0; 8], 8, true), None);
        let uneven = [0, pair(0, 3), pair(65536, 3), 0, 0x3010, 0x3010];
        assert_eq!(counts_before(&uneven, 8, true), None);
        assert_eq!(counts_before(&[1], 8, true), None);
    }
}
