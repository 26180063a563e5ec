//! From chunk to chunk: each begins where the one before ends.

use super::chunk::{Chunk, Layout};
use obit_corefile::memory::Cursor;

/// How far a walk goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// As far as a question about one address is worth.
    Near,
    /// To the end: each chunk takes room in memory that must be there.
    All,
}

impl Reach {
    /// Chunks, and bytes that are skipped.
    fn limits(self) -> (u64, u64) {
        match self {
            Self::Near => (200_000, 64 << 20),
            Self::All => (u64::MAX, u64::MAX),
        }
    }
}

/// Chunks one after the other, in one piece of a heap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// Its first chunk.
    pub(super) start: u64,
    /// Behind its last chunk.
    pub(super) end: u64,
    /// The last chunk, which is never free by the flags of the next; `None` in a piece that
    /// is full.
    pub(super) top: Option<u64>,
    /// Of `main_arena`.
    pub(super) is_main: bool,
}

/// How a walk ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The one who asked had seen enough.
    Stopped,
    /// At the end of the span.
    Reached,
    /// At a limit, or where memory is missing: nothing can be said.
    GaveUp,
    /// At a fence before memory that is not the allocator's; it ends at `after`.
    Fence { header: Chunk, before: Option<Chunk>, after: u64 },
    /// At a header that makes no sense, behind this chunk.
    Senseless { header: Chunk, before: Option<Chunk> },
    /// At a header that says of the chunk before it what is not so.
    Contradiction { header: Chunk, before: Chunk },
}

/// Walks through `span` from `from` until `is_enough` of a chunk and the one before it.
pub(super) fn walk(
    cursor: &mut Cursor<'_>,
    layout: Layout,
    span: &Span,
    from: u64,
    reach: Reach,
    mut is_enough: impl FnMut(&Chunk, Option<&Chunk>) -> bool,
) -> End {
    let mut before: Option<Chunk> = None;
    let mut at = from;
    let (most_chunks, most_bytes) = reach.limits();
    for _ in 0..most_chunks {
        // Two chunks that are too small for others, and what alignment leaves, end a piece
        // that is full (`sysmalloc`).
        let ending = layout.smallest().saturating_add(Layout::ALIGNMENT);
        if at >= span.end || span.top.is_none() && span.end.saturating_sub(at) <= ending {
            return End::Reached;
        }
        if at.saturating_sub(from) > most_bytes {
            return End::GaveUp;
        }
        let Some(header) = Chunk::read(cursor, layout, at) else { return End::GaveUp };
        if !header.has_sense(layout, span.end, span.is_main) {
            // A top chunk may be as small as its header.
            let is_top = span.top == Some(at) && header.end() == span.end;
            if !is_top {
                if let Some(after) = fence(cursor, layout, span, &header, before.as_ref()) {
                    return End::Fence { header, before, after };
                }
                return End::Senseless { header, before };
            }
        }
        if let Some(before) = before
            && !header.is_previous_in_use()
            && header.prev_size != before.size()
        {
            return End::Contradiction { header, before };
        }
        if is_enough(&header, before.as_ref()) {
            return End::Stopped;
        }
        before = Some(header);
        at = header.end();
    }
    End::GaveUp
}

/// Behind the two small chunks that end what the main arena has before memory that the program took
/// by `sbrk` itself (`sysmalloc`).
pub(super) fn fence(
    cursor: &mut Cursor<'_>,
    layout: Layout,
    span: &Span,
    header: &Chunk,
    before: Option<&Chunk>,
) -> Option<u64> {
    const PREV_INUSE: u64 = 1;
    let size = layout.word.saturating_mul(2);
    let fits = |before: &Chunk| header.is_previous_in_use() || header.prev_size == before.size();
    if !span.is_main || header.size_field & !PREV_INUSE != size || !before.is_none_or(fits) {
        return None;
    }
    let second = Chunk::read(cursor, layout, header.end())?;
    (second.size_field == size | PREV_INUSE).then_some(second.end())
}
