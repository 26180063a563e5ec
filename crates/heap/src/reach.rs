//! Which blocks the program can still reach: from its roots, through pointers to any byte of a
//! block, as a conservative collector does.

use crate::blocks::Blocks;
use crate::census::{Census, Trust};
use crate::roots::{RootKind, Roots};
use obit_corefile::addr::{Avma, AvmaRange};
use obit_corefile::memory::Cursor;
use obit_process::process::Process;

/// Not reached.
const NONE: u32 = u32::MAX;
/// Marks the number of a root in a place for that of a block.
const ROOT: u32 = 1 << 31;
/// Bytes that are read at once.
const AT_ONCE: usize = 1 << 18;
/// Places of roots that are kept: no more can be the first to lead to a block than there are
/// blocks.
const MOST_ROOTS: usize = (ROOT - 1) as usize;

/// From where a block was reached first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum From {
    /// From the root at this address.
    Root(Avma, RootKind),
    /// From a register of this thread.
    Register(i64),
    /// From another block, by its number.
    Block(usize),
}

#[derive(Clone, Copy, Debug)]
enum RootPlace {
    Memory(u64, RootKind),
    Register(i64),
}

/// Which blocks are reached.
#[derive(Debug)]
pub struct Reach {
    /// For each block from where.
    from: Vec<u32>,
    roots: Vec<RootPlace>,
    /// How sure it is that what is not reached cannot be.
    pub trust: Trust,
    /// Bytes of memory that may hold pointers and are not in the core.
    pub missing_bytes: u64,
    /// Threads of which no stack was found.
    pub lost_stacks: u64,
}

impl Reach {
    /// Follows all pointers from the roots of `process`.
    pub fn of(process: &Process, census: &Census, roots: &Roots) -> Self {
        let mut walk = Walk {
            memory: Words::of(process),
            blocks: &census.blocks,
            extent: census.blocks.extent().unwrap_or((0, 0)),
            from: vec![NONE; census.blocks.len()],
            roots: Vec::new(),
            next: Vec::new(),
            missing: 0,
        };
        for root in &roots.ranges {
            walk.root(root.range, root.kind);
        }
        // What is missing of roots is known by then; pages that a file has in their place are not.
        walk.missing = 0;
        for (tid, value) in &roots.registers {
            walk.register(*tid, *value);
        }
        walk.follow();
        let (from, found, missing) = (walk.from, walk.roots, walk.missing);
        let missing_bytes = roots.missing_bytes.saturating_add(missing);
        let whole =
            missing_bytes == 0 && roots.lost_stacks == 0 && process.dump.machine.facts().is_some();
        let trust = match (whole, census.trust) {
            // A pointer may lie in what is missing; in a shared file that is rare.
            (false, _) => Trust::Unknown,
            (true, _) if census.has_false_mappings() => Trust::Unknown,
            (true, trust)
                if roots.missing_file_bytes > 0
                    || roots.unbounded_stacks > 0
                    || roots.untouched_bytes > 0 =>
            {
                trust.min(Trust::Likely)
            }
            (true, trust) => trust,
        };
        Self { from, roots: found, trust, missing_bytes, lost_stacks: roots.lost_stacks }
    }

    /// Whether block number `index` is reached.
    pub fn is_reached(&self, index: usize) -> bool {
        self.from.get(index).is_some_and(|from| *from != NONE)
    }

    /// From where block number `index` was reached first; `None` if it was not.
    pub fn from(&self, index: usize) -> Option<From> {
        let from = *self.from.get(index)?;
        if from == NONE {
            return None;
        }
        if from & ROOT == 0 {
            return Some(From::Block(from as usize));
        }
        Some(match *self.roots.get((from & !ROOT) as usize)? {
            RootPlace::Memory(at, kind) => From::Root(Avma(at), kind),
            RootPlace::Register(tid) => From::Register(tid),
        })
    }

    /// The way from a root to block number `index`: the root, and the blocks between, the nearest
    /// to the root first. At most `most` of them.
    pub fn path(&self, index: usize, most: usize) -> Option<(From, Vec<usize>)> {
        let mut between = Vec::new();
        let mut at = index;
        loop {
            match self.from(at)? {
                From::Block(before) if between.len() < most => {
                    between.push(before);
                    at = before;
                }
                From::Block(_) => return None,
                root => {
                    between.reverse();
                    return Some((root, between));
                }
            }
        }
    }
}

struct Walk<'p> {
    memory: Words<'p>,
    blocks: &'p Blocks,
    extent: (u64, u64),
    from: Vec<u32>,
    roots: Vec<RootPlace>,
    /// Blocks that are reached and not followed.
    next: Vec<u32>,
    missing: u64,
}

impl Walk<'_> {
    fn root(&mut self, range: AvmaRange, kind: RootKind) {
        let (blocks, extent) = (self.blocks, self.extent);
        let (from, roots, next) = (&mut self.from, &mut self.roots, &mut self.next);
        self.memory.each(range, extent, |at, value| {
            reach(blocks, value, from, next, || {
                (roots.len() < MOST_ROOTS).then(|| {
                    roots.push(RootPlace::Memory(at, kind));
                    ROOT | (roots.len() as u32).wrapping_sub(1)
                })
            });
        });
    }

    fn register(&mut self, tid: i64, value: u64) {
        let roots = &mut self.roots;
        reach(self.blocks, value, &mut self.from, &mut self.next, || {
            (roots.len() < MOST_ROOTS).then(|| {
                roots.push(RootPlace::Register(tid));
                ROOT | (roots.len() as u32).wrapping_sub(1)
            })
        });
    }

    /// Level by level, each in the order of addresses: memory is read forwards.
    fn follow(&mut self) {
        while !self.next.is_empty() {
            let mut level = std::mem::take(&mut self.next);
            level.sort_unstable();
            let (blocks, extent) = (self.blocks, self.extent);
            let (from, next) = (&mut self.from, &mut self.next);
            for number in level {
                let Some(block) = blocks.get(number as usize) else { continue };
                if !block.state.is_live() && block.state != crate::State::Unknown {
                    continue;
                }
                let range = AvmaRange::from_len(block.start, block.room);
                let missing = self.memory.each(range, extent, |_, value| {
                    reach(blocks, value, from, next, || Some(number));
                });
                self.missing = self.missing.saturating_add(missing);
            }
        }
    }
}

/// Marks the block that `value` leads into, if it was not reached before.
fn reach(
    blocks: &Blocks,
    value: u64,
    from: &mut [u32],
    next: &mut Vec<u32>,
    by: impl FnOnce() -> Option<u32>,
) {
    let Some(index) = blocks.index_at(value) else { return };
    let Some(place) = from.get_mut(index).filter(|place| **place == NONE) else { return };
    if let Some(by) = by() {
        *place = by;
        next.push(index as u32);
    }
}

/// Memory as the words in it.
pub(crate) struct Words<'p> {
    process: &'p Process,
    cursor: Cursor<'p>,
    buffer: Vec<u8>,
}

/// Bytes of a block that are read through the cache.
const SHORT: u64 = 4096;

impl<'p> Words<'p> {
    pub(crate) fn of(process: &'p Process) -> Self {
        Self { process, cursor: process.memory.cursor(), buffer: vec![0; AT_ONCE] }
    }

    /// Each aligned word of `range` whose value is within `extent`, with its place. Bytes that are
    /// not in the core are skipped; how many they were.
    pub(crate) fn each(
        &mut self,
        range: AvmaRange,
        extent: (u64, u64),
        mut take: impl FnMut(u64, u64),
    ) -> u64 {
        let word = self.process.memory.word();
        let is_little_64 = word == 8 && self.process.memory.is_little_endian();
        let mut missing = 0_u64;
        let mut at = range.start.0.next_multiple_of(word as u64);
        while at < range.end.0 {
            let left = range.end.0.saturating_sub(at);
            let size = usize::try_from(left).unwrap_or(usize::MAX).min(AT_ONCE);
            let Some(buffer) = self.buffer.get_mut(..size) else { break };
            let is_short = left <= SHORT && self.cursor.read(Avma(at), buffer).is_ok();
            let read = match is_short {
                true => size,
                false => self.process.memory.read_prefix(Avma(at), buffer).0,
            };
            let bytes = buffer.get(..read).unwrap_or_default();
            let mut place = at;
            for bytes in bytes.chunks_exact(word) {
                let value = match <[u8; 8]>::try_from(bytes) {
                    Ok(bytes) if is_little_64 => u64::from_le_bytes(bytes),
                    _ => self.process.memory.unsigned(bytes),
                };
                if extent.0 <= value && value < extent.1 {
                    take(place, value);
                }
                place = place.wrapping_add(word as u64);
            }
            if read < size {
                let next = behind_absent(self.process, at.saturating_add(read as u64));
                missing = missing.saturating_add(next.min(range.end.0).saturating_sub(at));
                at = next;
            } else {
                at = at.saturating_add(size as u64);
            }
        }
        missing
    }
}

/// Where memory may be again behind `at`, which is not there: of a region the rest is not there
/// either.
fn behind_absent(process: &Process, at: u64) -> u64 {
    let regions = process.memory.regions();
    let number = regions.partition_point(|region| region.range.end.0 <= at);
    let next = regions.get(number).map_or(u64::MAX, |region| match region.range.start.0 <= at {
        true => region.range.end.0,
        false => region.range.start.0,
    });
    let word = process.memory.word() as u64;
    next.checked_next_multiple_of(word).unwrap_or(u64::MAX).max(at.saturating_add(1))
}
