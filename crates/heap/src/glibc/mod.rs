//! glibc's heap without its debug information: which chunk holds an address, and whether
//! it was freed. Read only when an address in it must be judged.

mod arena;
pub(crate) mod census;
mod chunk;
mod free;
mod holder;
mod mapping;
mod overrun;
mod pieces;
mod resync;
mod singles;
mod tcache;
#[cfg(any(test, feature = "testkit"))]
pub mod testkit;
#[cfg(test)]
mod tests;
mod walk;

use arena::Arena;
use chunk::{Chunk, Layout};
use free::FreeChunks;
pub use holder::PointedFrom;
use obit_corefile::addr::{Avma, AvmaRange};
use obit_corefile::arch::Decoder;
use obit_corefile::memory::Cursor;
use obit_process::process::Process;
pub use overrun::{Overrun, Pattern, Written};
use walk::{End, Reach, Span, walk};

/// Where a freed chunk waits to be used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bin {
    /// The cache of a thread.
    Tcache,
    /// A fastbin.
    Fastbin,
    /// The unsorted bin.
    Unsorted,
    /// A small bin.
    Small,
    /// A large bin.
    Large,
}

/// What a chunk is to the allocator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BlockState {
    /// The program has it.
    InUse,
    /// Freed; in which list, where that is known.
    Freed(Option<Bin>),
    /// The top chunk: never handed out, or freed and merged with it.
    Top,
    /// A mapping of its own that the program has.
    Mapping,
}

/// The chunk that holds an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Where the program's bytes begin.
    pub start: Avma,
    /// Bytes with the header: what glibc calls the chunk's size.
    pub chunk_size: u64,
    /// Bytes the program may use, at least as many as it asked for.
    pub room: u64,
    /// What it is.
    pub state: BlockState,
    /// Bytes from `start` to the address; negative within the header.
    pub offset: i64,
}

/// A header that makes no sense, and what lies before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Where the header lies.
    pub at: Avma,
    /// The size field as stored.
    pub size_field: u64,
    /// Whether the size makes no sense; else it is at odds with the chunk before.
    pub is_senseless: bool,
    /// The chunk before, of which something may have run over its end.
    pub before: Option<Block>,
    /// The content of the size field and what follows it, if that is text.
    pub text: Option<String>,
    /// What the size field was overwritten with, where that has a form.
    pub overrun: Option<Overrun>,
    /// Where a pointer to the chunk before is kept, if at one place only.
    pub pointed_from: Option<PointedFrom>,
}

/// Bytes behind a damaged size field that may be text.
const TEXT_BYTES: usize = 64;
/// Characters that make a text: fewer occur by chance.
const LEAST_TEXT: usize = 4;

/// The heap of a process.
pub struct Heap<'p> {
    process: &'p Process,
    cursor: Cursor<'p>,
    layout: Layout,
    arenas: Vec<Arena>,
    free: FreeChunks,
}

impl<'p> Heap<'p> {
    /// The heap, if the process has one of glibc's.
    pub fn of(process: &'p Process) -> Option<Self> {
        let mut heap = Self::found_in(process)?;
        let caches = heap.caches();
        heap.free = FreeChunks::read(&mut heap.cursor, heap.layout, &caches, &heap.arenas);
        Some(heap)
    }

    /// Its arenas alone.
    fn found_in(process: &'p Process) -> Option<Self> {
        // Chunks of 32-bit machines are aligned to 8 bytes, but for x86.
        let is_x86 = matches!(process.dump.machine.decoder(), Some(Decoder::X86 { .. }));
        if process.memory.word() == 4 && !is_x86 {
            return None;
        }
        let layout = Layout { word: process.memory.word() as u64 };
        let mut cursor = process.memory.cursor();
        let arenas = arena::arenas(process, &mut cursor, layout);
        arenas.first()?;
        Some(Self { process, cursor, layout, arenas, free: FreeChunks::default() })
    }

    /// The caches of threads, and those at the start of arenas: a thread makes its own
    /// with the first block it asks for.
    fn caches(&mut self) -> Vec<u64> {
        let layout = self.layout;
        let mut caches = tcache::of_threads(self.process, &mut self.cursor, layout);
        for arena in self.arenas.clone() {
            caches.extend(self.first_span(&arena).map(|span| layout.user(span.start)));
        }
        caches.sort_unstable();
        caches.dedup();
        caches
    }

    /// Whether any freed chunk is known.
    pub fn has_freed(&self) -> bool {
        !self.free.chunks.is_empty()
    }

    /// Where chunks of the heap may lie: what a pointer must be in to be judged.
    pub fn extents(&mut self) -> Vec<AvmaRange> {
        let arenas = self.arenas.clone();
        let spans = arenas.iter().filter_map(|arena| self.first_span(arena));
        spans.map(|span| AvmaRange { start: Avma(span.start), end: Avma(span.end) }).collect()
    }

    /// The freed chunk whose link in a list, or mark of a cache, is the number `value`.
    pub fn with_link(&self, value: u64) -> Option<Block> {
        let (chunk, free) = self.free.with_word(value)?;
        Some(self.freed(chunk, free, self.layout.user(chunk)))
    }

    /// Whether `at` is the head of a list of freed chunks.
    pub fn is_list_head(&self, at: Avma) -> bool {
        self.arenas.iter().any(|arena| arena.holds_head(self.layout, at.0))
    }

    /// The freed chunk that holds `at`, if it is in a list that is known.
    pub fn freed_at(&self, at: Avma) -> Option<Block> {
        let (chunk, free) = self.free.holding(self.layout, at.0)?;
        Some(self.freed(chunk, free, at.0))
    }

    /// The block that holds `at`.
    pub fn block_at(&mut self, at: Avma) -> Option<Block> {
        if let Some(freed) = self.freed_at(at) {
            return Some(freed);
        }
        let layout = self.layout;
        let Some(span) = self.span_at(at.0) else {
            return mapping::block_at(self.process, &mut self.cursor, layout, at);
        };
        // A freed chunk is a place to begin at.
        let nearest = self.free.chunks.range(span.start..=at.0).next_back();
        let from = nearest.map_or(span.start, |(chunk, _)| *chunk);
        let mut found = None;
        let end = walk(&mut self.cursor, layout, &span, from, Reach::Near, |chunk, _| {
            found = Some(*chunk).filter(|chunk| at.0 < chunk.end());
            found.is_some()
        });
        let chunk = found.filter(|_| end == End::Stopped)?;
        let state = self.state(&chunk, &span)?;
        Some(self.block(chunk.at, chunk.size(), state, at.0))
    }

    fn state(&mut self, chunk: &Chunk, span: &Span) -> Option<BlockState> {
        if span.top == Some(chunk.at) {
            return Some(BlockState::Top);
        }
        if let Some(free) = self.free.chunks.get(&chunk.at) {
            return Some(BlockState::Freed(Some(free.bin)));
        }
        let next = Chunk::read(&mut self.cursor, self.layout, chunk.end())?;
        if !next.is_previous_in_use() {
            return Some(BlockState::Freed(None));
        }
        // It may be in a cache that could not be read.
        self.free.is_whole.then_some(BlockState::InUse)
    }

    fn freed(&self, chunk: u64, free: free::Free, at: u64) -> Block {
        self.block(chunk, free.size, BlockState::Freed(Some(free.bin)), at)
    }

    fn block(&self, chunk: u64, size: u64, state: BlockState, at: u64) -> Block {
        let start = self.layout.user(chunk);
        Block {
            start: Avma(start),
            chunk_size: size,
            room: size.saturating_sub(match state {
                // Nothing follows whose `prev_size` it could use.
                BlockState::Mapping | BlockState::Top => self.layout.word.saturating_mul(2),
                _ => self.layout.word,
            }),
            state,
            offset: at.wrapping_sub(start).cast_signed(),
        }
    }

    /// The piece of an arena's heap that holds `at`.
    fn span_at(&mut self, at: u64) -> Option<Span> {
        for arena in self.arenas.clone() {
            let span = self.first_span(&arena).filter(|span| span.start <= at && at < span.end);
            if span.is_some() {
                return span;
            }
        }
        self.further_span(at)
    }

    /// The piece in which an arena's top chunk lies.
    fn first_span(&mut self, arena: &Arena) -> Option<Span> {
        if arena.is_main { self.main_span(arena) } else { self.further_span(arena.top) }
    }

    /// The heap above the program's data. Where it began is known from its end, since the
    /// mapping may have grown together with that of the data.
    fn main_span(&mut self, arena: &Arena) -> Option<Span> {
        let layout = self.layout;
        let region = self.process.memory.range_at(Avma(arena.top))?;
        let top = Chunk::read(&mut self.cursor, layout, arena.top)?;
        let is_sound = top.end() <= region.end.0 && top.end() & 0xfff == 0 && top.size() > 0;
        let end = if is_sound { top.end() } else { region.end.0 };
        let lowest = self.before(region.start);
        let by_size = end.checked_sub(arena.system_bytes).filter(|start| *start >= lowest.0);
        let start = by_size.filter(|start| *start < arena.top).unwrap_or(region.start.0);
        let start = layout.align_up(start);
        let span = Span { start, end, top: Some(arena.top), is_main: true };
        let first = Chunk::read(&mut self.cursor, layout, start)?;
        let has_sense = first.has_sense(layout, end, true) || start == arena.top;
        (has_sense && first.is_previous_in_use()).then_some(span)
    }

    /// Where the memory begins that ends without a gap at `at`: of a heap that grew after a `fork`
    /// the kernel has several mappings.
    fn before(&self, at: Avma) -> Avma {
        const MOST: usize = 64;
        let regions = self.process.memory.regions();
        let number = regions.partition_point(|region| region.range.start < at);
        let mut start = at;
        for region in regions.iter().take(number).rev().take(MOST) {
            let is_part = region.permissions.write && region.name.is_none();
            if !is_part || region.range.end != start {
                break;
            }
            start = region.range.start;
        }
        start
    }

    /// The heap of another arena that holds `at`: it begins at a multiple of the most it
    /// may grow to (`heap_info` of malloc/arena.c).
    fn further_span(&mut self, at: u64) -> Option<Span> {
        let layout = self.layout;
        let most = self.largest_piece();
        let base = at & !(most - 1);
        // ar_ptr, prev, size.
        let owner = self.cursor.read_word(Avma(base)).ok()?;
        let size = base.checked_add(layout.word.saturating_mul(2))?;
        let size = self.cursor.read_word(Avma(size)).ok()?;
        let arena = *self.arenas.iter().find(|arena| arena.at == owner && !arena.is_main)?;
        let end = base.checked_add(size).filter(|_| size <= most)?;
        let is_first = arena.at & !(most - 1) == base;
        let before = if is_first { arena.end } else { base.checked_add(arena.at & (most - 1))? };
        let start = layout.align_up(before);
        let top = Some(arena.top).filter(|top| (base..end).contains(top));
        (start <= at && at < end).then_some(Span { start, end, top, is_main: false })
    }

    /// `HEAP_MAX_SIZE`.
    fn largest_piece(&self) -> u64 {
        if self.layout.word == 4 { 1 << 20 } else { 64 << 20 }
    }

    /// The first damage in the piece of the heap that holds `at`, unless some thread was
    /// changing an arena: then its metadata may be inconsistent only for that moment.
    pub fn damage_near(&mut self, at: Avma) -> Option<Damage> {
        if self.is_locked() {
            return None;
        }
        let span = self.span_at(at.0)?;
        self.damage_in(&span)
    }

    /// The first damage in any arena, for when the allocator itself stumbled.
    pub fn damage(&mut self) -> Option<Damage> {
        let arenas = self.arenas.clone();
        arenas.iter().find_map(|arena| {
            let span = self.first_span(arena)?;
            self.damage_in(&span)
        })
    }

    /// The first damage in any arena, unless some thread was changing one.
    pub fn damage_at_rest(&mut self) -> Option<Damage> {
        if self.is_locked() { None } else { self.damage() }
    }

    fn is_locked(&mut self) -> bool {
        let cursor = &mut self.cursor;
        // `mutex` comes first.
        let is_locked = |arena: &Arena| cursor.read_unsigned(Avma(arena.at), 4) != Ok(0);
        self.arenas.iter().any(is_locked)
    }

    fn damage_in(&mut self, span: &Span) -> Option<Damage> {
        const MOST_FENCES: usize = 64;
        let mut from = span.start;
        for _ in 0..MOST_FENCES {
            let end = walk(&mut self.cursor, self.layout, span, from, Reach::Near, |_, _| false);
            let (header, before, is_senseless) = match end {
                End::Senseless { header, before } => (header, before, true),
                End::Contradiction { header, before } => (header, Some(before), false),
                End::Fence { after, .. } => {
                    from = resync::next(self, span, after)?;
                    continue;
                }
                End::Stopped | End::Reached | End::GaveUp => return None,
            };
            return Some(self.damage_of(span, header, before, is_senseless));
        }
        None
    }

    /// What is known of a damaged header in `span`, and of the chunk before it.
    fn damage_of(
        &mut self,
        span: &Span,
        header: Chunk,
        before: Option<Chunk>,
        is_senseless: bool,
    ) -> Damage {
        let size_at = header.at.wrapping_add(self.layout.word);
        let before = before.map(|before| {
            let free = self.free.chunks.get(&before.at);
            let state = free.map_or(BlockState::InUse, |free| BlockState::Freed(Some(free.bin)));
            self.block(before.at, before.size(), state, size_at)
        });
        let overrun = is_senseless.then(|| self.overrun(header.size_field, size_at)).flatten();
        let pointed_from =
            before.and_then(|before| self.pointed_from(before.start, span, header.at));
        Damage {
            at: Avma(header.at),
            size_field: header.size_field,
            is_senseless,
            before,
            text: self.text(size_at),
            overrun,
            pointed_from,
        }
    }

    fn overrun(&self, size_field: u64, size_at: u64) -> Option<Overrun> {
        let memory = &self.process.memory;
        let from = size_at.checked_sub(overrun::BEFORE as u64)?;
        let before = memory.read_up_to(Avma(from), overrun::BEFORE);
        let field = memory.read_up_to(Avma(size_at), memory.word());
        overrun::of(size_field, &field, &before)
    }

    /// The text at `at`, if there is one.
    fn text(&self, at: u64) -> Option<String> {
        let bytes = self.process.memory.read_up_to(Avma(at), TEXT_BYTES);
        let is_text = |byte: &&u8| byte.is_ascii_graphic() || matches!(byte, b' ' | b'\n' | b'\t');
        let text: Vec<u8> = bytes.iter().take_while(is_text).copied().collect();
        (text.len() >= LEAST_TEXT).then(|| String::from_utf8_lossy(&text).into_owned())
    }
}
