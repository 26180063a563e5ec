//! Blocks so large that each is a mapping of its own.

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
    let mut chunk = mapping.start.0;
    for _ in 0..MOST_MAPPINGS {
        let header = Chunk::read(cursor, layout, chunk)?;
        let size = header.size();
        // `munmap_chunk` checks the same: the flag, and whole pages.
        let fits = size > 0 && size.is_multiple_of(PAGE) && header.end() <= mapping.end.0;
        if header.size_field & 7 != 2 || header.prev_size != 0 || !fits {
            return None;
        }
        if at.0 < header.end() {
            let start = layout.user(chunk);
            return Some(Block {
                start: Avma(start),
                chunk_size: size,
                room: size.saturating_sub(layout.word.saturating_mul(2)),
                state: BlockState::Mapping,
                offset: at.0.wrapping_sub(start).cast_signed(),
            });
        }
        chunk = header.end();
    }
    None
}

/// Blocks that are looked for.
const MOST_BLOCKS: usize = 1 << 22;

/// All blocks that are mappings, outside of `spans`. Below a stack's pointer lies what functions
/// left that have returned: that is not searched.
pub(super) fn all(heap: &mut Heap<'_>, spans: &[Span], stacks: &[u64]) -> Vec<Chunk> {
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
        let below = stacks.iter().filter(|sp| range.contains(Avma(**sp))).min();
        if let Some(sp) = below.filter(|_| process.memory.region_at(range.start).is_some()) {
            at = at.max(sp & !(PAGE - 1));
        }
        let overlaps = |span: &&Span| span.start < range.end.0 && range.start.0 < span.end;
        let held: Vec<&Span> = spans.iter().filter(overlaps).collect();
        while at < range.end.0 && found.len() < MOST_BLOCKS {
            let inside =
                held.iter().find(|span| at < span.end && span.start < at.saturating_add(PAGE));
            if let Some(span) = inside {
                at = span.end.max(at.saturating_add(1)).next_multiple_of(PAGE);
                continue;
            }
            match in_page(heap, at, range) {
                Some(chunk) => {
                    found.push(chunk);
                    at = chunk.end().max(at.saturating_add(1)).next_multiple_of(PAGE);
                }
                None => at = at.saturating_add(PAGE),
            }
        }
    }
    found
}

/// The block whose mapping begins at `page`. One that was asked for with an alignment has its
/// header further in, and what was the header before it was aligned is still there
/// (`_int_memalign`).
fn in_page(heap: &mut Heap<'_>, page: u64, range: AvmaRange) -> Option<Chunk> {
    let layout = heap.layout;
    let header = layout.word.saturating_mul(2);
    let first = Chunk::read(&mut heap.cursor, layout, page)?;
    let is_one = first.size_field & 7 == 2
        && first.prev_size == 0
        && first.size() > header
        && first.size().is_multiple_of(PAGE)
        && page.checked_add(first.size())? <= range.end.0;
    if !is_one {
        return None;
    }
    let user = layout.user(page);
    let aligned = (5..MOST_ALIGNED).find_map(|bits| {
        let alignment = 1_u64.checked_shl(bits)?;
        let least = user.checked_next_multiple_of(alignment)?;
        [least, least.checked_add(alignment)?].into_iter().find_map(|user| {
            let at = layout.chunk(user);
            let chunk = (at < first.end()).then(|| Chunk::read(&mut heap.cursor, layout, at))??;
            let is_it = chunk.prev_size > 0
                && chunk.prev_size == at.wrapping_sub(page)
                && chunk.size_field & 7 == 2
                && chunk.size().checked_add(chunk.prev_size) == Some(first.size());
            is_it.then_some(chunk)
        })
    });
    Some(aligned.unwrap_or(first))
}

/// Bytes in such blocks as `malloc_par` counts them, if that was found: behind the default of
/// `n_mmaps_max`, with the start of the main heap close by.
pub(super) fn counted(heap: &mut Heap<'_>) -> Option<u64> {
    const DEFAULT_MAX: u64 = 65536;
    let main = *heap.arenas.iter().find(|arena| arena.is_main)?;
    let start = heap.first_span(&main)?.start;
    if heap.layout.word != 8 || !heap.process.memory.is_little_endian() {
        return None;
    }
    arena::in_data(heap.process, heap.layout, |_, words| {
        words.windows(6).find_map(|some| {
            let [counts, more, mapped, most, first, second] = some else { return None };
            let (number, limit) = (counts & 0xffff_ffff, counts >> 32);
            let is_near = |base: u64| start.wrapping_sub(base) < Layout::ALIGNMENT;
            let is_one = limit == DEFAULT_MAX
                && more & 0xffff_ffff >= number
                && mapped <= most
                && mapped.is_multiple_of(PAGE)
                && (is_near(*first) || is_near(*second));
            is_one.then_some(*mapped)
        })
    })
}
