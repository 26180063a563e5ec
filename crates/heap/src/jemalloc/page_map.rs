//! The map from pages to the records of extents (`rtree.h`): a tree whose root is a variable.

use std::collections::HashSet;

use super::extent::{Extent, PAGE};
use super::records::Records;
use crate::evidence::AtOdds;
use obit_corefile::addr::{Avma, AvmaRange};
use obit_corefile::memory::Cursor;
use obit_process::process::Process;

/// Bits of addresses on each level, the root first, and bytes of an entry of the last one. Which
/// form a library has depends on the machine that it was built on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    levels: &'static [u32],
    entry: u64,
}

/// Addresses of 48 bits, and of 57.
pub(super) const SHAPES: [Shape; 2] =
    [Shape { levels: &[18, 18], entry: 8 }, Shape { levels: &[15, 15, 15], entry: 16 }];

/// Words of variables that are tried as entries of a root.
const MOST_TRIED: usize = 1 << 14;
/// Bytes that are read at once.
const AT_ONCE: u64 = 1 << 16;

impl Shape {
    fn bits(&self, level: usize) -> u32 {
        self.levels.get(level).copied().unwrap_or(0)
    }

    fn is_last(&self, level: usize) -> bool {
        level + 1 >= self.levels.len()
    }

    fn entry_bytes(&self, level: usize) -> u64 {
        if self.is_last(level) { self.entry } else { 8 }
    }

    fn node_bytes(&self, level: usize) -> u64 {
        self.entry_bytes(level) << self.bits(level)
    }

    /// Bits of an address below what this level distinguishes.
    fn below(&self, level: usize) -> u32 {
        let rest: u32 = self.levels.iter().skip(level + 1).sum();
        rest + PAGE.trailing_zeros()
    }

    /// The bytes of the root.
    pub(super) fn root_bytes(&self) -> u64 {
        self.node_bytes(0)
    }
}

/// What an entry of a leaf says: the record's address, and what it says of the extent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    record: u64,
    is_slab: bool,
    state: u64,
    class: usize,
}

impl Entry {
    fn of(shape: Shape, words: &[u64]) -> Option<Self> {
        let first = *words.first()?;
        let (record, bits, class) = match shape.entry {
            8 => (first & 0xffff_ffff_ff80, first & 0x7f, first >> 48),
            _ => {
                let more = *words.get(1)? & 0xffff_ffff;
                (first, more & 0x1f, more >> 5)
            }
        };
        Some(Self { record, is_slab: bits & 1 == 1, state: (bits >> 2) & 7, class: class as usize })
    }

    /// Of extents that are not in use the other fields are what they were.
    fn agrees(&self, extent: &Extent) -> bool {
        let same = self.is_slab == extent.is_slab && self.class == extent.class;
        self.state == extent.state && (extent.state != 0 || same)
    }
}

/// The roots of page maps in some module's variables.
pub(super) fn roots(process: &Process, variables: AvmaRange, shape: Shape) -> Vec<u64> {
    let mut found: Vec<u64> = Vec::new();
    if variables.len() < shape.root_bytes() {
        return found;
    }
    let mut cursor = process.memory.cursor();
    let mut records = Records::default();
    let (mut at, mut tried) = (variables.start.0.next_multiple_of(8), 0);
    while at < variables.end.0 {
        let size = AT_ONCE.min(variables.end.0 - at);
        let bytes = process.memory.read_up_to(Avma(at), size as usize);
        for (word, place) in bytes.chunks_exact(8).zip((at..).step_by(8)) {
            let child = process.memory.unsigned(word);
            let is_known = found.last().is_some_and(|root| place < root + shape.root_bytes());
            if child == 0
                || !child.is_multiple_of(64)
                || is_known
                || variables.contains(Avma(child))
            {
                continue;
            }
            let is_data = |region: &obit_corefile::memory::Region| {
                region.permissions.write && region.name.is_none()
            };
            if !process.memory.region_at(Avma(child)).is_some_and(is_data) {
                continue;
            }
            // Nodes are among the allocator's records.
            if !records.add(&mut cursor, child) {
                continue;
            }
            tried += 1;
            if tried > MOST_TRIED {
                return found;
            }
            let Some(key) = first_key(process, &mut cursor, shape, 1, child) else { continue };
            let Some(root) = place.checked_sub((key >> shape.below(0)) * 8) else { continue };
            let end = root.saturating_add(shape.root_bytes());
            if variables.start.0 <= root && end <= variables.end.0 {
                found.push(root);
            }
        }
        at = at.saturating_add(size);
    }
    found
}

/// The address of the extent that the first entry below a node leads to, if it belongs at this
/// entry of this node.
fn first_key(
    process: &Process,
    cursor: &mut Cursor<'_>,
    shape: Shape,
    level: usize,
    node: u64,
) -> Option<u64> {
    let (mut number, mut entry) = (0_u64, None);
    each_entry(process, shape, level, node, |nth, words| {
        (number, entry) =
            (nth, Some([words.first().copied()?, words.get(1).copied().unwrap_or(0)]));
        None::<()>
    });
    let entry = entry?;
    let key = match shape.is_last(level) {
        true => Extent::read(cursor, Entry::of(shape, &entry)?.record)?.base,
        false => first_key(process, cursor, shape, level + 1, *entry.first()?)?,
    };
    let is_there = (key >> shape.below(level)) & ((1 << shape.bits(level)) - 1) == number;
    (key != 0 && is_there).then_some(key)
}

/// Gives the entries of a node that are not empty, until there is no answer to one.
fn each_entry(
    process: &Process,
    shape: Shape,
    level: usize,
    node: u64,
    mut take: impl FnMut(u64, &[u64]) -> Option<()>,
) {
    let (size, whole) = (shape.entry_bytes(level), shape.node_bytes(level));
    let mut done = 0;
    let mut buffer = vec![0_u8; AT_ONCE as usize];
    while done < whole {
        let length = AT_ONCE.min(whole - done) as usize;
        let Some(buffer) = buffer.get_mut(..length) else { return };
        let Some(at) = node.checked_add(done) else { return };
        let (read, _) = process.memory.read_prefix(Avma(at), buffer);
        let bytes = buffer.get(..read).unwrap_or_default();
        for (bytes, nth) in bytes.chunks_exact(size as usize).zip(done / size..) {
            if bytes.iter().all(|byte| *byte == 0) {
                continue;
            }
            let mut words = [0_u64; 2];
            for (word, bytes) in words.iter_mut().zip(bytes.chunks_exact(8)) {
                *word = process.memory.unsigned(bytes);
            }
            if take(nth, &words).is_none() {
                return;
            }
        }
        if read < length {
            return;
        }
        done += length as u64;
    }
}

/// All extents of the map at `root`, by address, and the nodes of the map.
pub(super) fn extents(
    process: &Process,
    shape: Shape,
    root: u64,
    odds: &mut AtOdds,
) -> (Vec<Extent>, Vec<u64>) {
    let bytes: u64 = process.memory.regions().iter().map(|region| region.range.len()).sum();
    let mut walk = Walk {
        process,
        shape,
        cursor: process.memory.cursor(),
        odds,
        found: Vec::new(),
        nodes: Vec::new(),
        seen: HashSet::new(),
        // Nodes do not overlap.
        left: bytes / shape.node_bytes(1).max(1) + 1,
        last: None,
    };
    walk.node(0, root, 0);
    walk.finish_last();
    (walk.found, walk.nodes)
}

struct Walk<'p, 'o> {
    process: &'p Process,
    shape: Shape,
    cursor: Cursor<'p>,
    odds: &'o mut AtOdds,
    found: Vec<Extent>,
    nodes: Vec<u64>,
    seen: HashSet<u64>,
    left: u64,
    /// The last extent that was found, and the last page that led to it.
    last: Option<u64>,
}

/// Of a slab each page leads to the record, of other extents the first and the last one.
const NOT_MAPPED: &str = "the map of pages does not lead to all of the extent";
const NO_EXTENT: &str = "the map of pages and the record of an extent disagree";
const TOO_MANY: &str = "the map of pages has more nodes than there is memory";

impl Walk<'_, '_> {
    /// Levels are three at most.
    fn node(&mut self, level: usize, node: u64, key: u64) {
        let (process, shape) = (self.process, self.shape);
        each_entry(process, shape, level, node, |number, words| {
            let key = key | (number << shape.below(level));
            if shape.is_last(level) {
                self.entry(key, words);
                return Some(());
            }
            let child = *words.first()?;
            if self.left == 0 || !self.seen.insert(child) {
                self.odds.add(TOO_MANY, child);
                return Some(());
            }
            self.left -= 1;
            self.nodes.push(child);
            self.node(level + 1, child, key);
            Some(())
        });
    }

    fn entry(&mut self, page: u64, words: &[u64]) {
        let Some(entry) = Entry::of(self.shape, words).filter(|entry| entry.record != 0) else {
            return;
        };
        if let Some(last) = self.found.last()
            && page < last.end()
        {
            // Of large blocks only the first page's entry is kept up to date.
            match last.record == entry.record {
                true => self.last = Some(page),
                false => self.odds.add(NO_EXTENT, page),
            }
            return;
        }
        self.finish_last();
        let extent = Extent::read(&mut self.cursor, entry.record).filter(|extent| {
            let mapped = |at: u64| self.process.memory.region_at(Avma(at)).is_some();
            let end = extent.base.checked_add(extent.size);
            extent.base == page
                && extent.size > 0
                && end.is_some_and(|end| mapped(end - 1))
                && mapped(page)
                && entry.agrees(extent)
        });
        match extent {
            Some(extent) => {
                self.found.push(extent);
                self.last = Some(page);
            }
            None => self.odds.add(NO_EXTENT, page),
        }
    }

    /// The last page of an extent must lead to it.
    fn finish_last(&mut self) {
        if let (Some(page), Some(extent)) = (self.last.take(), self.found.last())
            && page != extent.end() - PAGE
        {
            self.odds.add(NOT_MAPPED, extent.base);
        }
    }
}
