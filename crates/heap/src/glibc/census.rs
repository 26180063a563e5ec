//! All chunks of all arenas, one after the other.

use super::chunk::{Chunk, Layout};
use super::singles::Singles;
use super::walk::{End, Reach, Span, walk};
use super::{Bin, Damage, Heap, mapping, pieces, resync, tcache};
use crate::blocks::{Found, State};
use crate::census::{Allocator, ArenaTotals, Doubt, Part, Trust};
use crate::stack;
use obit_corefile::addr::{Avma, AvmaRange};
use obit_process::process::Process;

/// Damaged places that are kept.
const MOST_DAMAGES: usize = 20;
/// Reasons for doubt that are kept.
const MOST_DOUBTS: usize = 100;

/// The census of glibc's heap; `None` where the process has none. What other allocators `held` is
/// none of its mappings.
pub(crate) fn part(process: &Process, held: &[AvmaRange]) -> Option<Part> {
    let mut heap = Heap::found_in(process)?;
    let caches = heap.caches();
    // The first block of an arena need not be the record of a cache.
    let own = caches
        .iter()
        .copied()
        .filter(|cache| tcache::lists(&mut heap.cursor, heap.layout, *cache).is_some());
    let mut own: Vec<u64> = own.collect();
    let of_threads = tcache::of_threads(process, &mut heap.cursor, heap.layout);
    let (cursor, layout) = (&mut heap.cursor, heap.layout);
    let mut singles = Singles::read(cursor, layout, &caches, &of_threads, &heap.arenas);
    // The main arena begins with the record of its thread.
    let first = heap.arenas.iter().find(|arena| arena.is_main).copied();
    let first = first.and_then(|arena| heap.first_span(&arena)).map(|span| layout.user(span.start));
    if let Some(first) = first.filter(|first| own.binary_search(first).is_err())
        && tcache::is_of_its_size(&mut heap.cursor, layout, first)
    {
        singles.broken.extend(tcache::sizes(layout));
        own.push(first);
        own.sort_unstable();
    }
    let mut reader = Reader {
        own,
        singles,
        found: Found::default(),
        arenas: Vec::new(),
        damages: Vec::new(),
        doubts: Vec::new(),
        pieces: Vec::new(),
        singles_met: 0,
        counted: None,
        heap,
    };
    reader.read(held);
    Some(reader.finish(process))
}

struct Reader<'p> {
    heap: Heap<'p>,
    /// Where the caches' own records begin.
    own: Vec<u64>,
    singles: Singles,
    /// How many of them are chunks of an arena.
    singles_met: usize,
    /// Mappings as the allocator counts them.
    counted: Option<mapping::Counted>,
    found: Found,
    arenas: Vec<ArenaTotals>,
    damages: Vec<Damage>,
    doubts: Vec<Doubt>,
    pieces: Vec<AvmaRange>,
}

impl Reader<'_> {
    fn read(&mut self, held: &[AvmaRange]) {
        if !self.singles.broken.is_empty() {
            self.doubts.push(Doubt::BrokenList);
        }
        let mut spans = Vec::new();
        for (number, arena) in self.heap.arenas.clone().iter().enumerate() {
            let of_it = if arena.is_main {
                pieces::of_main(&mut self.heap, arena)
            } else {
                pieces::of_other(&mut self.heap, arena)
            };
            if of_it.is_empty() && arena.system_bytes > 0 {
                self.doubts.push(Doubt::ArenaNotFound(Avma(arena.at)));
            }
            let mut totals = ArenaTotals {
                at: Avma(arena.at),
                is_main: arena.is_main,
                system_bytes: arena.system_bytes,
                ..ArenaTotals::default()
            };
            let mut foreign = 0_u64;
            for span in &of_it {
                totals.pieces = totals.pieces.saturating_add(1);
                totals.bytes = totals.bytes.saturating_add(span.end.saturating_sub(span.start));
                let others = self.read_span(span, number, &mut totals);
                // Of other arenas their records lie before the first chunk.
                let mut start = if arena.is_main { span.start } else { span.start & !0xfff };
                let records = span.start.saturating_sub(start);
                totals.bytes = totals.bytes.saturating_add(records);
                totals.overhead_bytes = totals.overhead_bytes.saturating_add(records);
                for other in others {
                    foreign = foreign.saturating_add(other.len());
                    self.pieces.push(AvmaRange { start: Avma(start), end: other.start });
                    start = other.end.0;
                }
                self.pieces.push(AvmaRange { start: Avma(start), end: Avma(span.end) });
            }
            // Up to a page goes to alignment at each end.
            let slack = (of_it.len() as u64).saturating_add(1).saturating_mul(8192);
            if totals.bytes.saturating_add(slack) < arena.system_bytes {
                self.doubts.push(Doubt::PartsNotFound {
                    arena: Avma(arena.at),
                    bytes: arena.system_bytes.saturating_sub(totals.bytes),
                });
            }
            totals.bytes = totals.bytes.saturating_sub(foreign);
            spans.extend(of_it);
            self.arenas.push(totals);
        }
        // A link may lead into the middle of a chunk.
        let has_stray = self.singles.has_twice || self.singles_met < self.singles.chunks.len();
        if has_stray && self.singles.broken.is_empty() && self.damages.is_empty() {
            self.doubts.push(Doubt::BrokenList);
        }
        self.read_mappings(&spans, held);
    }

    /// The chunks of one piece; memory within it that is not the allocator's.
    fn read_span(
        &mut self,
        span: &Span,
        number: usize,
        totals: &mut ArenaTotals,
    ) -> Vec<AvmaRange> {
        let mut from = span.start;
        let mut others = Vec::new();
        loop {
            let end = self.walk_span(span, from, totals);
            let (header, before, is_senseless) = match end {
                End::Reached | End::Stopped => return others,
                End::GaveUp => {
                    self.doubts.push(Doubt::MemoryMissing(Avma(from.max(span.start))));
                    return others;
                }
                End::Fence { header, after, .. } => {
                    let fence = after.saturating_sub(header.at);
                    totals.overhead_bytes = totals.overhead_bytes.saturating_add(fence);
                    let Some(next) = resync::next(&mut self.heap, span, after) else {
                        self.doubts.push(Doubt::NotReadBehind(Avma(header.at), number));
                        others.push(AvmaRange { start: Avma(after), end: Avma(span.end) });
                        return others;
                    };
                    let other = AvmaRange { start: Avma(after), end: Avma(next) };
                    if self.doubts.len() < MOST_DOUBTS {
                        self.doubts.push(Doubt::ForeignMemory(other));
                    }
                    others.push(other);
                    from = next;
                    continue;
                }
                End::Senseless { header, before } => (header, before, true),
                End::Contradiction { header, before } => (header, Some(before), false),
            };
            if self.damages.len() < MOST_DAMAGES {
                let damage = self.heap.damage_of(span, header, before, is_senseless);
                self.damages.push(damage);
            }
            // What follows is found again where some chunks in sequence make sense.
            let after = header.at.saturating_add(Layout::ALIGNMENT);
            let Some(next) = resync::next(&mut self.heap, span, after) else {
                self.doubts.push(Doubt::NotReadBehind(Avma(header.at), number));
                return others;
            };
            if self.doubts.len() < MOST_DOUBTS {
                self.doubts.push(Doubt::Damaged(Avma(header.at)));
            }
            from = next;
        }
    }

    fn walk_span(&mut self, span: &Span, from: u64, totals: &mut ArenaTotals) -> End {
        let layout = self.heap.layout;
        let (singles, own, found) = (&self.singles, &self.own, &mut self.found);
        let met = &mut self.singles_met;
        let mut nth_single = singles.chunks.partition_point(|(chunk, _)| *chunk < from);
        let mut add = |chunk: &Chunk, next: Option<&Chunk>, is_top: bool| {
            let user = layout.user(chunk.at);
            while singles.chunks.get(nth_single).is_some_and(|(at, _)| *at < chunk.at) {
                nth_single = nth_single.saturating_add(1);
            }
            let single = singles.chunks.get(nth_single).filter(|(at, _)| *at == chunk.at);
            *met = met.saturating_add(usize::from(single.is_some()));
            let state = match (is_top, single, next) {
                (true, ..) => State::Top,
                (_, Some((_, Bin::Tcache)), _) => State::Cached,
                (_, Some(_), _) => State::Fast,
                (_, None, Some(next)) if !next.is_previous_in_use() => State::Free,
                (_, None, _) if own.binary_search(&user).is_ok() => State::Own,
                // It may be in the part of a list that could not be read.
                (_, None, _) if singles.may_hold(chunk.size()) => State::Unknown,
                (_, None, _) => State::Live,
            };
            let header = if is_top { layout.word.saturating_mul(2) } else { layout.word };
            let room = chunk.size().saturating_sub(header);
            totals.add(state, room, header);
            found.add(user, room, state);
        };
        let mut pending: Option<Chunk> = None;
        let end = walk(&mut self.heap.cursor, layout, span, from, Reach::All, |chunk, before| {
            if let Some(before) = before {
                add(before, Some(chunk), false);
            }
            pending = Some(*chunk);
            false
        });
        let Some(last) = pending else { return end };
        match end {
            // A header that was overwritten in part may still say that the chunk before is free.
            End::Fence { header, .. } | End::Senseless { header, .. } => {
                let agrees = header.prev_size == last.size();
                add(&last, Some(&header).filter(|_| agrees), false);
            }
            // What follows the last chunk does not say whether it is free.
            End::Contradiction { .. } | End::GaveUp => add(&last, None, false),
            End::Reached | End::Stopped => {
                let is_top = span.top == Some(last.at);
                // The fence behind the last chunk of a full piece.
                let next = Chunk::read(&mut self.heap.cursor, layout, last.end());
                add(&last, next.as_ref().filter(|_| !is_top), is_top);
            }
        }
        end
    }

    /// Blocks that are mappings of their own.
    fn read_mappings(&mut self, spans: &[Span], held: &[AvmaRange]) {
        let layout = self.heap.layout;
        let mut totals = ArenaTotals { is_mappings: true, ..ArenaTotals::default() };
        let mut unused = below_stacks(self.heap.process);
        unused.extend(held.iter().copied());
        let mut found = mapping::all(&mut self.heap, spans, &unused);
        self.counted = mapping::counted(&mut self.heap);
        if let Some(counted) = self.counted {
            found = mapping::without_chance(self.heap.process, found, counted);
        }
        for chunk in found {
            let header = layout.word.saturating_mul(2);
            // Alignment may have left bytes before it.
            let overhead = header.saturating_add(chunk.prev_size);
            let room = chunk.size().saturating_sub(header);
            totals.pieces = totals.pieces.saturating_add(1);
            totals.bytes =
                totals.bytes.saturating_add(chunk.size()).saturating_add(chunk.prev_size);
            totals.add(State::Mapping, room, overhead);
            self.found.add(layout.user(chunk.at), room, State::Mapping);
            let start = chunk.at.saturating_sub(chunk.prev_size);
            self.pieces.push(AvmaRange { start: Avma(start), end: Avma(chunk.end()) });
        }
        totals.system_bytes = totals.bytes;
        if totals.pieces > 0 {
            self.arenas.push(totals);
        }
    }

    fn finish(mut self, process: &Process) -> Part {
        let version = pieces::version(process);
        if process.dump.machine.facts().is_none() {
            self.doubts.push(Doubt::UnknownMachine);
        }
        let mapped = self.arenas.iter().find(|arena| arena.is_mappings);
        let found = mapped.map_or(0, |arena| arena.bytes);
        let found_blocks = mapped.map_or(0, |arena| arena.pieces);
        match self.counted {
            Some(mapping::Counted { blocks, bytes })
                if (blocks, bytes) != (found_blocks, found) =>
            {
                self.doubts.push(Doubt::MappingsDiffer {
                    found_blocks,
                    counted_blocks: blocks,
                    found,
                    counted: bytes,
                });
            }
            Some(_) => {}
            None => self.doubts.push(Doubt::MappingsNotCounted),
        }
        let trust = if self.doubts.is_empty() { Trust::Proved } else { Trust::Likely };
        let range = |start, end| AvmaRange { start: Avma(start), end: Avma(end) };
        let reserved = self.heap.arenas.iter().map(|arena| range(arena.at, arena.end)).collect();
        Part {
            allocator: Allocator { name: "glibc", version, trust },
            arenas: self.arenas,
            found: self.found,
            damages: self.damages,
            doubts: self.doubts,
            pieces: self.pieces,
            reserved,
        }
    }
}

/// Of each stack what lies below its pointer.
fn below_stacks(process: &Process) -> Vec<AvmaRange> {
    let Some(facts) = process.dump.machine.facts() else { return Vec::new() };
    let threads = process.dump.threads.iter().filter_map(|thread| {
        let sp = thread.registers.get(facts.sp)?;
        let stack = stack::of(process, thread.thread_pointer, sp)?;
        Some(AvmaRange { start: stack.range.start, end: Avma(sp & !0xfff) })
    });
    threads.filter(|range| range.start < range.end).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testkit::{COUNTS, FIRST, HEAP, Memory};
    use super::*;
    use crate::{Census, Leaks, Reach, Roots};
    use obit_process::process::Options;

    fn census_of(memory: &Memory) -> Census {
        let core = memory.core();
        let process = Process::open(core.path(), Options::default(), &()).unwrap();
        Census::of(&process).expect("a heap")
    }

    fn states(census: &Census) -> Vec<State> {
        census.blocks.iter().map(|block| block.state).collect()
    }

    #[test]
    fn every_chunk_is_counted_once() {
        let mut memory = Memory::with_chunks(&[0x30, 0x70, 0x90]);
        memory.cache(0x70, FIRST + 0x40);
        memory.put(FIRST + 0x40, (FIRST + 0x40) >> 12);
        let census = census_of(&memory);
        let all = [State::Own, State::Live, State::Cached, State::Live, State::Top];
        assert_eq!(states(&census), all);
        let total = census.total();
        assert_eq!((total.live_blocks, total.live_bytes), (2, 0x28 + 0x88));
        assert_eq!((total.free_blocks, total.cached_bytes), (1, 0x68));
        assert_eq!((census.trust, census.doubts.len()), (Trust::Proved, 0));
        let counted = total.live_bytes + total.free_bytes + total.top_bytes + total.overhead_bytes;
        assert_eq!(counted, total.bytes, "each byte is of one kind");
    }

    #[test]
    fn of_a_ring_of_freed_blocks_the_others_of_its_size_are_unknown() {
        let mut memory = Memory::with_chunks(&[0x30, 0x30, 0x70]);
        let first = FIRST + 16;
        memory.cache(0x30, first);
        memory.put(first, (first >> 12) ^ first);
        let census = census_of(&memory);
        let all = [State::Own, State::Cached, State::Unknown, State::Live, State::Top];
        assert_eq!(states(&census), all);
        assert_eq!((census.trust, &census.doubts[..]), (Trust::Likely, &[Doubt::BrokenList][..]));
    }

    #[test]
    fn behind_a_damaged_header_the_census_goes_on() {
        let mut memory = Memory::with_chunks(&[0x30, 0x40, 0x50, 0x60, 0x70]);
        memory.put(FIRST + 0x38, 0x4141_4141_4141_4141);
        let census = census_of(&memory);
        let rooms: Vec<u64> = census.blocks.iter().map(|block| block.room).collect();
        assert_eq!(rooms[1..5], [0x28, 0x48, 0x58, 0x68], "the one whose size is lost is left out");
        assert_eq!(census.damages.len(), 1);
        assert_eq!(census.damages[0].before.unwrap().start, Avma(FIRST + 16));
        assert_eq!(census.trust, Trust::Likely);
    }

    #[test]
    fn a_heap_that_is_nothing_but_damage_ends_the_census() {
        let mut memory = Memory::with_chunks(&[0x30]);
        for at in (FIRST..FIRST + 0x1000).step_by(8) {
            memory.put(at, u64::MAX);
        }
        let census = census_of(&memory);
        assert!(census.doubts.iter().any(|doubt| matches!(doubt, Doubt::NotReadBehind(..))));
        assert_eq!(census.total().live_blocks, 0);
    }

    #[test]
    fn memory_of_others_between_blocks_is_no_damage_and_a_freed_end_is_freed() {
        // What was the top, two fences, the program's own memory.
        let mut memory = Memory::with_chunks(&[0x30, 0x60, 0x10, 0x10, 0x500, 0x40, 0x50]);
        let fence = FIRST + 0x90;
        memory.put(fence, 0x60);
        memory.put(fence + 8, 0x10);
        memory.put(fence + 0x28, 0);
        let census = census_of(&memory);
        let all = [State::Own, State::Live, State::Free, State::Live, State::Live, State::Top];
        assert_eq!(states(&census), all);
        let other = AvmaRange { start: Avma(fence + 0x20), end: Avma(fence + 0x520) };
        assert_eq!(census.doubts, [Doubt::ForeignMemory(other)]);
        assert!(census.damages.is_empty());
        assert!(!census.pieces.iter().any(|piece| piece.contains(other.start)), "it may point");
    }

    #[test]
    fn whether_the_block_before_a_damaged_header_is_lost_is_not_known() {
        let mut memory = Memory::with_chunks(&[0x30, 0x40, 0x50, 0x60, 0x70]);
        memory.put(FIRST + 0x38, 0x4141_4141_4141_4141);
        let core = memory.core();
        let process = Process::open(core.path(), Options::default(), &()).unwrap();
        let census = Census::of(&process).unwrap();
        let roots = Roots::of(&process, &census);
        let reach = Reach::of(&process, &census, &roots);
        let lost = Leaks::of(&process, &census, &reach);
        assert_eq!((census.total().live_blocks, lost.blocks), (4, 3));
    }

    #[test]
    fn a_list_that_is_not_as_long_as_its_record_says_is_broken() {
        let mut memory = Memory::with_chunks(&[0x30, 0x30, 0x30, 0x70]);
        let (first, second) = (FIRST + 16, FIRST + 0x30 + 16);
        memory.cache(0x30, first);
        // It has one; now a second hangs on it.
        memory.put(first, (first >> 12) ^ second);
        memory.put(second, second >> 12);
        let census = census_of(&memory);
        assert_eq!((census.trust, &census.doubts[..]), (Trust::Likely, &[Doubt::BrokenList][..]));
        assert_eq!(states(&census)[3], State::Unknown);
    }

    #[test]
    fn a_list_that_leads_to_a_block_of_another_size_or_into_a_block_is_broken() {
        for chunk in [FIRST, FIRST + 0x70 + 0x20] {
            let mut memory = Memory::with_chunks(&[0x70, 0x90, 0x30]);
            memory.cache(0x30, chunk + 16);
            // It looks like a freed chunk.
            memory.put(chunk + 8, if chunk == FIRST { 0x71 } else { 0x31 });
            memory.put(chunk + 16, (chunk + 16) >> 12);
            let census = census_of(&memory);
            assert_eq!(census.doubts, [Doubt::BrokenList], "{chunk:#x}");
        }
    }

    #[test]
    fn with_a_record_that_was_overwritten_small_blocks_are_freed_or_not() {
        let mut memory = Memory::with_chunks(&[0x30, 0x800]);
        memory.put(HEAP + 16 + 128 + 40, 0x4141);
        let census = census_of(&memory);
        assert_eq!(states(&census), [State::Own, State::Unknown, State::Live, State::Top]);
        assert_eq!(census.doubts, [Doubt::BrokenList]);
    }

    #[test]
    fn mappings_that_the_allocator_counts_differently_or_that_it_does_not_count_are_in_doubt() {
        let mut memory = Memory::with_chunks(&[0x30]);
        memory.put(COUNTS, 1 << 32);
        memory.put(COUNTS + 8, 65536 | 1 << 32);
        memory.put(COUNTS + 24, 0x21000);
        memory.put(COUNTS + 32, 0x21000);
        let differ = Doubt::MappingsDiffer {
            found_blocks: 0,
            counted_blocks: 1,
            found: 0,
            counted: 0x21000,
        };
        assert_eq!(census_of(&memory).doubts, [differ]);
        memory.put(COUNTS + 40, 0);
        let census = census_of(&memory);
        let doubts = [Doubt::MappingsNotCounted];
        assert_eq!((census.trust, &census.doubts[..]), (Trust::Likely, &doubts[..]));
    }
}
