//! The pieces of memory that an arena is made of.

use super::Heap;
use super::arena::{self, Arena};
use super::chunk::{Chunk, Layout};
use super::walk::{End, Reach, Span, walk};
use obit_corefile::addr::Avma;
use obit_process::process::Process;

/// Pieces of one arena.
const MOST_PIECES: usize = 1 << 12;
/// Mappings that are tried for more pieces of the main arena.
const MOST_TRIED: usize = 1 << 14;
/// Bytes of read-only data that are searched for the C library's version.
const BANNER_BYTES: usize = 4 << 20;

/// Of the main arena: the heap above the program's data, and what it got elsewhere when that
/// could not grow.
pub(super) fn of_main(heap: &mut Heap<'_>, arena: &Arena) -> Vec<Span> {
    let mut found: Vec<Span> = heap.first_span(arena).into_iter().collect();
    let bytes = |found: &[Span]| -> u64 {
        found.iter().map(|span| span.end.saturating_sub(span.start)).fold(0, u64::saturating_add)
    };
    let layout = heap.layout;
    let others: Vec<_> = heap
        .process
        .memory
        .regions()
        .iter()
        .filter(|region| region.permissions.write && region.name.is_none())
        .map(|region| region.range)
        .take(MOST_TRIED)
        .collect();
    for range in others {
        // Alignment may have taken up to two chunks' room of each.
        if bytes(&found).saturating_add(Layout::ALIGNMENT * 4) >= arena.system_bytes {
            break;
        }
        let is_known =
            found.iter().any(|span| span.start < range.end.0 && range.start.0 < span.end);
        if is_known || heap.process.modules.index_at(range.start).is_some() {
            continue;
        }
        let start = layout.align_up(range.start.0);
        let span = Span { start, end: range.end.0, top: None, is_main: true };
        let is_first = Chunk::read(&mut heap.cursor, layout, start)
            .is_some_and(|first| first.is_previous_in_use() && first.prev_size == 0);
        if !is_first {
            continue;
        }
        let end = walk(&mut heap.cursor, layout, &span, start, Reach::All, |_, _| false);
        if end == End::Reached {
            found.push(span);
        }
    }
    found
}

/// Of another arena: a chain of heaps, the one with the top chunk first.
pub(super) fn of_other(heap: &mut Heap<'_>, arena: &Arena) -> Vec<Span> {
    let mut found: Vec<Span> = Vec::new();
    let mut at = arena.top;
    while found.len() < MOST_PIECES {
        let Some(span) = heap.further_span(at) else { break };
        if found.iter().any(|known| known.start == span.start) {
            break;
        }
        found.push(span);
        // `prev` of `heap_info`.
        let base = at & !(heap.largest_piece().wrapping_sub(1));
        let before = Avma(base.wrapping_add(heap.layout.word));
        let Ok(previous) = heap.cursor.read_word(before) else { break };
        if previous == 0 {
            break;
        }
        // Its first chunk lies behind its own record.
        at = previous.wrapping_add(0x1000);
    }
    found
}

/// The version of the C library, as it says itself: `GNU C Library (…) … version 2.36`.
pub(super) fn version(process: &Process) -> Option<String> {
    const MARK: &[u8] = b"GNU C Library ";
    let module = process.modules.get(arena::library(process)?)?;
    let regions = process.memory.regions().iter().filter(|region| {
        !region.permissions.write
            && !region.permissions.execute
            && module.range.contains(region.range.start)
    });
    for region in regions {
        let size = usize::try_from(region.range.len()).unwrap_or(usize::MAX).min(BANNER_BYTES);
        let bytes = process.memory.peek_up_to(region.range.start, size);
        let mut windows = bytes.windows(MARK.len());
        let Some(at) = windows.position(|window| window == MARK) else { continue };
        let text = bytes.get(at..at.saturating_add(200).min(bytes.len()))?;
        let text = String::from_utf8_lossy(text.split(|byte| *byte == b'\n').next()?).into_owned();
        let version = text.split("version ").nth(1)?;
        let version: String =
            version.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
        return Some(version.trim_end_matches('.').to_owned()).filter(|text| !text.is_empty());
    }
    None
}
