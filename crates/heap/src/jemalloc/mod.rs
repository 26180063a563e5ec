//! jemalloc 5.3 by its structures: the map of pages, which is a variable of the module that holds
//! it, leads to the records of extents, those to blocks; what is cached is in the storage of
//! threads. Builds for 64-bit little-endian machines with pages of 4 KiB.

mod extent;
mod page_map;
mod records;
mod sizes;
mod tcache;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::blocks::{Found, State};
use crate::census::{Allocator, Answer, ArenaTotals, Part, Trust};
use crate::evidence::{self, AtOdds, Marks};
use extent::{Extent, Use};
use obit_corefile::addr::{Avma, AvmaRange};
use obit_process::process::Process;
use page_map::{SHAPES, Shape};
use records::Records;
use tcache::Cached;

const NAME: &str = "jemalloc";
/// What a module that holds it is called, and functions that a program with it has.
const MARKS: Marks = Marks { file: "jemalloc", functions: &["mallctl", "_rjem_mallctl"] };
const NOT_FOUND: &str = "no map of pages in the form of version 5.3";
const NO_SLAB: &str = "the blocks of a slab do not make it up";
const COUNTS: &str = "the bitmap of a slab and its count of free blocks disagree";
const LARGE: &str = "a large block is larger than its pages";
const FREE_AND_CACHED: &str = "a block in the cache of a thread is free in its slab";
const STRAY: &str = "the cache of a thread holds what is no block of its class";
const NO_RECORDS: &str = "the block of records that an extent's record is in was not found";

/// The heaps of all copies of jemalloc in `process`.
pub(crate) fn answers(process: &Process) -> Vec<Answer> {
    let mut answers = Vec::new();
    if process.memory.word() != 8 || !process.memory.is_little_endian() {
        return answers;
    }
    for (module, _) in process.modules.list().iter().enumerate() {
        let before = answers.len();
        for variables in evidence::variables(process, module) {
            for shape in SHAPES {
                for root in page_map::roots(process, variables, shape) {
                    let part = Reader::read(process, shape, root, module);
                    answers.extend(part.map(|part| Answer::Read(Box::new(part))));
                }
            }
        }
        if answers.len() == before && evidence::is_in(process, module, &MARKS) {
            answers.push(Answer::NotRead(NAME, NOT_FOUND));
        }
    }
    answers
}

struct Reader<'p> {
    process: &'p Process,
    cached: Cached,
    /// How many of the cached blocks are blocks.
    met: usize,
    odds: AtOdds,
    found: Found,
    arenas: BTreeMap<u64, ArenaTotals>,
    pieces: Vec<AvmaRange>,
}

impl<'p> Reader<'p> {
    fn read(process: &'p Process, shape: Shape, root: u64, module: usize) -> Option<Part> {
        let mut odds = AtOdds::default();
        let (extents, nodes) = page_map::extents(process, shape, root, &mut odds);
        extents.first()?;
        let cached = tcache::read(process, &mut odds);
        let mut reader = Self {
            process,
            cached,
            met: 0,
            odds,
            found: Found::default(),
            arenas: BTreeMap::new(),
            pieces: Vec::new(),
        };
        reader.explicit_caches(&extents);
        for extent in &extents {
            reader.extent(extent);
        }
        let stray = reader.cached.blocks.len().saturating_sub(reader.met);
        (0..stray.min(1)).for_each(|_| reader.odds.add(STRAY, root));
        let records = reader.records(&extents, &nodes);
        Some(reader.finish(records, root, shape, version(process, module)))
    }

    /// Caches that the program made (`tcache.create`): in blocks of the size that they take.
    fn explicit_caches(&mut self, extents: &[Extent]) {
        let least = self.cached.stack_bytes;
        let most = least.saturating_mul(2).saturating_add(1 << 14);
        for extent in extents {
            let size = sizes::size_of(extent.class).unwrap_or(0);
            let may_be = extent.usage() == Use::Active && (least..=most).contains(&size);
            if least == 0 || !may_be {
                continue;
            }
            let starts = match extent.is_slab {
                true => extent.regions().map_or(0, |(_, count)| count),
                false => 1,
            };
            for nth in 0..starts {
                let start = extent.start.saturating_add(nth.saturating_mul(size));
                self.cached.add_explicit(self.process, start, &mut self.odds);
            }
        }
    }

    fn extent(&mut self, extent: &Extent) {
        match self.pieces.last_mut() {
            Some(last) if last.end.0 == extent.base => last.end = Avma(extent.end()),
            _ => self.pieces.push(AvmaRange::from_len(Avma(extent.base), extent.size)),
        }
        let number = extent.arena;
        let totals = self
            .arenas
            .entry(number)
            .or_insert_with(|| ArenaTotals { number: Some(number), ..ArenaTotals::default() });
        totals.pieces = totals.pieces.saturating_add(1);
        totals.bytes = totals.bytes.saturating_add(extent.size);
        let mut add = |start: u64, room: u64, state: State, over: u64| {
            totals.add(state, room, over);
            self.found.add(start, room, state);
        };
        let room = match extent.usage() {
            Use::Retained => return add(extent.base, extent.size, State::Top, 0),
            Use::Freed => return add(extent.base, extent.size, State::Free, 0),
            Use::Active if extent.is_slab => None,
            Use::Active => extent.large(),
        };
        let is_unknown = self.cached.unknown.get(extent.class).is_some_and(|unknown| *unknown);
        let live = if is_unknown { State::Unknown } else { State::Live };
        if !extent.is_slab {
            let Some(room) = room else {
                self.odds.add(LARGE, extent.record);
                return add(extent.base, extent.size, State::Unknown, 0);
            };
            let mut state = if live == State::Live { State::Mapping } else { live };
            if self.cached.blocks.get(&extent.start) == Some(&extent.class) {
                self.met += 1;
                state = State::Cached;
            }
            if self.cached.has_stacks(extent.start, room) {
                state = State::Own;
            }
            return add(extent.start, room, state, extent.size.saturating_sub(room));
        }
        let Some((size, count)) = extent.regions() else {
            self.odds.add(NO_SLAB, extent.record);
            return add(extent.base, extent.size, State::Unknown, 0);
        };
        let agree = extent.counts_agree(count);
        if !agree {
            self.odds.add(COUNTS, extent.record);
        }
        for nth in 0..count {
            let start = extent.base.saturating_add(nth * size);
            let is_cached = self.cached.blocks.get(&start) == Some(&extent.class);
            self.met += usize::from(is_cached);
            let state = match (extent.is_free(nth), is_cached) {
                _ if !agree => State::Unknown,
                (true, true) => {
                    self.odds.add(FREE_AND_CACHED, start);
                    State::Unknown
                }
                (true, false) => State::Free,
                (false, true) => State::Cached,
                (false, false) if self.cached.has_stacks(start, size) => State::Own,
                (false, false) => live,
            };
            add(start, size, state, 0);
        }
    }

    /// Where the allocator's own records are, which hold nothing for the program.
    fn records(&mut self, extents: &[Extent], nodes: &[u64]) -> Records {
        let mut records = Records::default();
        let mut cursor = self.process.memory.cursor();
        for node in nodes {
            records.add(&mut cursor, *node);
        }
        for extent in extents {
            if !records.add(&mut cursor, extent.record) {
                self.odds.add(NO_RECORDS, extent.record);
            }
        }
        records
    }

    fn finish(
        mut self,
        records: Records,
        root: u64,
        shape: Shape,
        version: Option<String>,
    ) -> Part {
        let mut arenas: Vec<ArenaTotals> = self.arenas.into_values().collect();
        for totals in &mut arenas {
            totals.system_bytes = totals.bytes;
        }
        let own: u64 = records.blocks.iter().map(AvmaRange::len).fold(0, u64::saturating_add);
        if let Some(first) = arenas.first_mut() {
            first.overhead_bytes = first.overhead_bytes.saturating_add(own);
            first.system_bytes = first.system_bytes.saturating_add(own);
            first.bytes = first.bytes.saturating_add(own);
        }
        self.pieces.extend(records.blocks);
        let doubts = self.odds.doubts(NAME);
        let trust = if doubts.is_empty() { Trust::Proved } else { Trust::Likely };
        Part {
            allocator: Allocator { name: NAME, version, trust },
            arenas,
            found: self.found,
            damages: Vec::new(),
            doubts,
            pieces: self.pieces,
            reserved: vec![AvmaRange::from_len(Avma(root), shape.root_bytes())],
        }
    }
}

/// `5.3.0-0-g54eaed1…` in the module's texts.
fn version(process: &Process, module: usize) -> Option<String> {
    evidence::text(process, module, b"5.", |bytes| {
        let text: &[u8] = bytes.split(|byte| *byte == 0).next()?;
        let text = std::str::from_utf8(text.get(..text.len().min(80))?).ok()?;
        let (version, rest) = text.split_once('-')?;
        let (distance, commit) = rest.split_once("-g")?;
        let is_one = version.split('.').count() == 3
            && version.chars().all(|c| c.is_ascii_digit() || c == '.')
            && distance.chars().all(|c| c.is_ascii_digit())
            && commit.len() == 40
            && commit.chars().all(|c| c.is_ascii_hexdigit());
        is_one.then(|| version.to_owned())
    })
}
