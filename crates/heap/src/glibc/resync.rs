//! Behind a damaged header: where chunks in sequence make sense again.

use super::Heap;
use super::chunk::{Chunk, Layout};
use super::walk::{Span, fence};

/// Chunks in sequence that are no chance.
const CHAIN: usize = 6;
/// Bytes that are searched.
const MOST_BYTES: u64 = 256 << 20;

/// The first place from `from` on where chunks follow each other.
pub(super) fn next(heap: &mut Heap<'_>, span: &Span, from: u64) -> Option<u64> {
    let layout = heap.layout;
    let mut at = layout.align_up(from);
    let end = span.end.min(from.saturating_add(MOST_BYTES));
    while at < end {
        if is_chain(heap, span, at) {
            return Some(at);
        }
        at = at.checked_add(Layout::ALIGNMENT)?;
    }
    None
}

fn is_chain(heap: &mut Heap<'_>, span: &Span, from: u64) -> bool {
    let layout = heap.layout;
    let mut at = from;
    let mut before: Option<Chunk> = None;
    for _ in 0..CHAIN {
        let Some(header) = Chunk::read(&mut heap.cursor, layout, at) else { return false };
        if span.top == Some(at) {
            return header.end() == span.end;
        }
        if !header.has_sense(layout, span.end, span.is_main) {
            let end = fence(&mut heap.cursor, layout, span, &header, before.as_ref());
            return before.is_some() && end.is_some();
        }
        let fits = |before: Chunk| header.is_previous_in_use() || header.prev_size == before.size();
        if !before.is_none_or(fits) {
            return false;
        }
        before = Some(header);
        at = header.end();
    }
    true
}
