//! All chunks of all arenas, one after the other.

use super::chunk::{Chunk, Layout};
use super::singles::Singles;
use super::walk::{End, Reach, Span, walk};
use super::{Bin, Damage, Heap, mapping, pieces, resync};
use crate::blocks::{Blocks, Found, State};
use crate::census::{ArenaTotals, Census, Doubt, Trust};
use obit_corefile::addr::{Avma, AvmaRange};
use obit_process::process::Process;

/// Damaged places that are kept.
const MOST_DAMAGES: usize = 100;

/// The census of glibc's heap; `None` where the process has none.
pub(crate) fn census(process: &Process) -> Option<Census> {
    let mut heap = Heap::found_in(process)?;
    let caches = heap.caches();
    let singles = Singles::read(&mut heap.cursor, heap.layout, &caches, &heap.arenas);
    let mut reader = Reader {
        own: caches,
        singles,
        found: Found::default(),
        arenas: Vec::new(),
        damages: Vec::new(),
        doubts: Vec::new(),
        pieces: Vec::new(),
        heap,
    };
    reader.read();
    Some(reader.finish(process))
}

struct Reader<'p> {
    heap: Heap<'p>,
    /// Where the caches' own records begin.
    own: Vec<u64>,
    singles: Singles,
    found: Found,
    arenas: Vec<ArenaTotals>,
    damages: Vec<Damage>,
    doubts: Vec<Doubt>,
    pieces: Vec<AvmaRange>,
}

impl Reader<'_> {
    fn read(&mut self) {
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
            for span in &of_it {
                totals.pieces = totals.pieces.saturating_add(1);
                totals.bytes = totals.bytes.saturating_add(span.end.saturating_sub(span.start));
                self.read_span(span, number, &mut totals);
                // Of other arenas their records lie before the first chunk.
                let start = if arena.is_main { span.start } else { span.start & !0xfff };
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
            spans.extend(of_it);
            self.arenas.push(totals);
        }
        self.read_mappings(&spans);
    }

    /// The chunks of one piece.
    fn read_span(&mut self, span: &Span, number: usize, totals: &mut ArenaTotals) {
        let mut from = span.start;
        loop {
            let end = self.walk_span(span, from, totals);
            let (header, before, is_senseless) = match end {
                End::Reached | End::Stopped => return,
                End::GaveUp => {
                    self.doubts.push(Doubt::MemoryMissing(Avma(from.max(span.start))));
                    return;
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
                return;
            };
            self.doubts.push(Doubt::Damaged(Avma(header.at)));
            from = next;
        }
    }

    fn walk_span(&mut self, span: &Span, from: u64, totals: &mut ArenaTotals) -> End {
        let layout = self.heap.layout;
        let (singles, own, found) = (&self.singles, &self.own, &mut self.found);
        let mut nth_single = singles.chunks.partition_point(|(chunk, _)| *chunk < from);
        let mut add = |chunk: &Chunk, next: Option<&Chunk>, is_top: bool| {
            let user = layout.user(chunk.at);
            while singles.chunks.get(nth_single).is_some_and(|(at, _)| *at < chunk.at) {
                nth_single = nth_single.saturating_add(1);
            }
            let single = singles.chunks.get(nth_single).filter(|(at, _)| *at == chunk.at);
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
            // What follows the last chunk does not say whether it is free.
            End::Senseless { .. } | End::Contradiction { .. } | End::GaveUp => {
                add(&last, None, false);
            }
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
    fn read_mappings(&mut self, spans: &[Span]) {
        let layout = self.heap.layout;
        let mut totals = ArenaTotals { is_mappings: true, ..ArenaTotals::default() };
        let stacks: Vec<u64> = stack_pointers(self.heap.process);
        for chunk in mapping::all(&mut self.heap, spans, &stacks) {
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

    fn finish(mut self, process: &Process) -> Census {
        let version = pieces::version(process);
        if process.dump.machine.facts().is_none() {
            self.doubts.push(Doubt::UnknownMachine);
        }
        let counted = mapping::counted(&mut self.heap);
        let mapped = self.arenas.iter().find(|arena| arena.is_mappings);
        let found = mapped.map_or(0, |arena| arena.bytes);
        if let Some(counted) = counted.filter(|counted| *counted != found) {
            self.doubts.push(Doubt::MappingsDiffer { found, counted });
        }
        let trust = if self.doubts.is_empty() { Trust::Proved } else { Trust::Likely };
        let range = |start, end| AvmaRange { start: Avma(start), end: Avma(end) };
        let reserved = self.heap.arenas.iter().map(|arena| range(arena.at, arena.end)).collect();
        Census {
            allocator: "glibc",
            version,
            trust,
            arenas: self.arenas,
            blocks: Blocks::of(self.found),
            damages: self.damages,
            doubts: self.doubts,
            pieces: self.pieces,
            reserved,
        }
    }
}

fn stack_pointers(process: &Process) -> Vec<u64> {
    let Some(facts) = process.dump.machine.facts() else { return Vec::new() };
    process.dump.threads.iter().filter_map(|thread| thread.registers.get(facts.sp)).collect()
}
