//! Blocks so large that each is a mapping of its own.

use super::chunk::{Chunk, Layout};
use super::{Block, BlockState};
use obit_corefile::addr::Avma;
use obit_corefile::memory::Cursor;
use obit_process::process::Process;

/// Adjacent mappings that are skipped: the kernel shows them as one.
const MOST_MAPPINGS: usize = 1000;
const PAGE: u64 = 4096;

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
