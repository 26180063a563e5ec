//! What a heap holds, whichever allocator made it.

use crate::blocks::{Blocks, Found, State};
use crate::glibc::{self, Damage};
use crate::{evidence, jemalloc, tcmalloc};

use obit_corefile::addr::{Avma, AvmaRange};
use obit_process::process::Process;

/// How sure a statement is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trust {
    /// Something that it depends on is missing or damaged.
    Unknown,
    /// Most of what it depends on is there.
    Likely,
    /// All of it is.
    Proved,
}

/// Why a census is not the whole truth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// A list of freed blocks leads nowhere: small blocks may be freed or not.
    BrokenList,
    /// The memory of this arena was not found.
    ArenaNotFound(Avma),
    /// So many bytes of this arena were not found.
    PartsNotFound {
        /// The arena.
        arena: Avma,
        /// Bytes.
        bytes: u64,
    },
    /// From this block on memory is not in the core.
    MemoryMissing(Avma),
    /// The header here is damaged; what follows was found again further on.
    Damaged(Avma),
    /// The header here is damaged, and nothing behind it in this arena (by number) was read.
    NotReadBehind(Avma, usize),
    /// The allocator counts other blocks or bytes in mappings than were found.
    MappingsDiffer {
        /// Blocks found.
        found_blocks: u64,
        /// Blocks that it counts.
        counted_blocks: u64,
        /// Bytes found.
        found: u64,
        /// Bytes that it counts.
        counted: u64,
    },
    /// What the allocator counts in mappings was not found.
    MappingsNotCounted,
    /// Memory between blocks that the program took from the kernel itself; where blocks go on was
    /// found by their headers.
    ForeignMemory(AvmaRange),
    /// Nothing is known of the machine's registers.
    UnknownMachine,
    /// This allocator is in the process, and its heap was not read.
    NotRead {
        /// Its name.
        allocator: &'static str,
        /// What is missing.
        missing: &'static str,
    },
    /// Records of an allocator are at odds: of the blocks there it is not known which are freed,
    /// or they are left out.
    AtOdds {
        /// Its name.
        allocator: &'static str,
        /// Which records.
        what: &'static str,
        /// The first place.
        at: Avma,
        /// Places.
        times: u64,
    },
}

/// What one arena holds, or all mappings together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArenaTotals {
    /// Whose it is: a number of [`Census::allocators`].
    pub allocator: usize,
    /// Its number, where the allocator numbers them.
    pub number: Option<u64>,
    /// Where its record is; of no meaning for mappings.
    pub at: Avma,
    /// The arena that the program begins with.
    pub is_main: bool,
    /// All blocks that are mappings of their own.
    pub is_mappings: bool,
    /// Bytes from the kernel, as the allocator counts them.
    pub system_bytes: u64,
    /// Pieces of memory, and bytes of them that were read.
    pub pieces: u64,
    /// See `pieces`.
    pub bytes: u64,
    /// Blocks that the program has.
    pub live_blocks: u64,
    /// Bytes in them.
    pub live_bytes: u64,
    /// Blocks that were freed.
    pub free_blocks: u64,
    /// Bytes in them.
    pub free_bytes: u64,
    /// Of the freed, those in caches of threads and in fastbins.
    pub cached_blocks: u64,
    /// Bytes in them.
    pub cached_bytes: u64,
    /// The largest freed block.
    pub largest_free: u64,
    /// Bytes at the end that were never handed out, or were merged with them.
    pub top_bytes: u64,
    /// Bytes of headers, of the allocator's records, and of alignment.
    pub overhead_bytes: u64,
    /// Blocks of which it is not known whether they are freed.
    pub unknown_blocks: u64,
    /// Bytes in them.
    pub unknown_bytes: u64,
}

impl ArenaTotals {
    pub(crate) fn add(&mut self, state: State, room: u64, header: u64) {
        let count = |blocks: &mut u64, bytes: &mut u64| {
            *blocks = blocks.saturating_add(1);
            *bytes = bytes.saturating_add(room);
        };
        match state {
            State::Live | State::Mapping => count(&mut self.live_blocks, &mut self.live_bytes),
            State::Free | State::Cached | State::Fast => {
                count(&mut self.free_blocks, &mut self.free_bytes);
                self.largest_free = self.largest_free.max(room);
                if state != State::Free {
                    count(&mut self.cached_blocks, &mut self.cached_bytes);
                }
            }
            State::Top => self.top_bytes = self.top_bytes.saturating_add(room),
            State::Own => self.overhead_bytes = self.overhead_bytes.saturating_add(room),
            State::Unknown => count(&mut self.unknown_blocks, &mut self.unknown_bytes),
        }
        self.overhead_bytes = self.overhead_bytes.saturating_add(header);
    }
}

/// An allocator of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allocator {
    /// Its name.
    pub name: &'static str,
    /// Its version, as it says itself.
    pub version: Option<String>,
    /// How sure the states of its blocks are.
    pub trust: Trust,
}

/// What the reader of one allocator finds.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) allocator: Allocator,
    pub(crate) arenas: Vec<ArenaTotals>,
    pub(crate) found: Found,
    pub(crate) damages: Vec<Damage>,
    pub(crate) doubts: Vec<Doubt>,
    pub(crate) pieces: Vec<AvmaRange>,
    pub(crate) reserved: Vec<AvmaRange>,
}

/// What a reader says of a process.
#[derive(Debug)]
pub(crate) enum Answer {
    /// It is, but this is missing.
    NotRead(&'static str, &'static str),
    /// Its heap.
    Read(Box<Part>),
}

/// All blocks of a process, with what is in doubt.
#[derive(Debug)]
pub struct Census {
    /// Whose heaps they are, the one with the most live bytes first.
    pub allocators: Vec<Allocator>,
    /// How sure the states of all blocks are.
    pub trust: Trust,
    /// Totals of each arena, by allocator; glibc's mappings come last.
    pub arenas: Vec<ArenaTotals>,
    /// All blocks.
    pub blocks: Blocks,
    /// Damaged headers.
    pub damages: Vec<Damage>,
    /// What is in doubt.
    pub doubts: Vec<Doubt>,
    /// Memory that the allocator has: what is in none of its blocks holds nothing.
    pub pieces: Vec<AvmaRange>,
    /// Records of the allocator among variables: what points to a block from there holds nothing.
    pub reserved: Vec<AvmaRange>,
}

impl Census {
    /// The census of `process`; `None` where no allocator that is known was found.
    pub fn of(process: &Process) -> Option<Self> {
        Self::or_missing(process).ok()
    }

    /// The census of `process`, or of the allocators that are in it what is missing to read them.
    pub fn or_missing(process: &Process) -> Result<Self, Vec<Doubt>> {
        let mut parts: Vec<Part> = Vec::new();
        let mut not_read = Vec::new();
        for answer in others(process) {
            match answer {
                Answer::NotRead(allocator, missing) => {
                    not_read.push(Doubt::NotRead { allocator, missing });
                }
                Answer::Read(part) => parts.push(*part),
            }
        }
        let held: Vec<AvmaRange> =
            parts.iter().flat_map(|part| part.pieces.iter().copied()).collect();
        parts.extend(glibc::census::part(process, &held));
        if parts.is_empty() { Err(not_read) } else { Ok(Self::joined(parts, not_read)) }
    }

    fn joined(mut parts: Vec<Part>, doubts: Vec<Doubt>) -> Self {
        let trust = if doubts.is_empty() { Trust::Proved } else { Trust::Likely };
        let mut census = Self {
            allocators: Vec::new(),
            trust,
            arenas: Vec::new(),
            blocks: Blocks::default(),
            damages: Vec::new(),
            doubts,
            pieces: Vec::new(),
            reserved: Vec::new(),
        };
        let mut found = Found::default();
        let live = |part: &Part| sum(part.arenas.iter()).live_bytes;
        parts.sort_by_key(|part| std::cmp::Reverse(live(part)));
        for mut part in parts {
            let number = census.allocators.len();
            part.arenas.iter_mut().for_each(|arena| arena.allocator = number);
            census.trust = census.trust.min(part.allocator.trust);
            census.allocators.push(part.allocator);
            census.arenas.append(&mut part.arenas);
            found.append(part.found);
            census.damages.append(&mut part.damages);
            census.doubts.append(&mut part.doubts);
            census.pieces.append(&mut part.pieces);
            census.reserved.append(&mut part.reserved);
        }
        census.blocks = Blocks::of(found);
        census
    }

    /// Whether some of what was found as mappings cannot be blocks.
    pub(crate) fn has_false_mappings(&self) -> bool {
        let too_many = |doubt: &Doubt| match doubt {
            Doubt::MappingsDiffer { found, counted, found_blocks, counted_blocks } => {
                found > counted || found_blocks > counted_blocks
            }
            _ => false,
        };
        self.doubts.iter().any(too_many)
    }

    /// The totals of all arenas added up.
    pub fn total(&self) -> ArenaTotals {
        sum(self.arenas.iter())
    }

    /// The totals of one allocator, by its number.
    pub fn total_of(&self, allocator: usize) -> ArenaTotals {
        sum(self.arenas.iter().filter(|arena| arena.allocator == allocator))
    }
}

fn sum<'a>(arenas: impl Iterator<Item = &'a ArenaTotals>) -> ArenaTotals {
    let mut all = ArenaTotals::default();
    for arena in arenas {
        let pairs = [
            (&mut all.system_bytes, arena.system_bytes),
            (&mut all.pieces, arena.pieces),
            (&mut all.bytes, arena.bytes),
            (&mut all.live_blocks, arena.live_blocks),
            (&mut all.live_bytes, arena.live_bytes),
            (&mut all.free_blocks, arena.free_blocks),
            (&mut all.free_bytes, arena.free_bytes),
            (&mut all.cached_blocks, arena.cached_blocks),
            (&mut all.cached_bytes, arena.cached_bytes),
            (&mut all.top_bytes, arena.top_bytes),
            (&mut all.overhead_bytes, arena.overhead_bytes),
            (&mut all.unknown_blocks, arena.unknown_blocks),
            (&mut all.unknown_bytes, arena.unknown_bytes),
        ];
        for (sum, one) in pairs {
            *sum = sum.saturating_add(one);
        }
        all.largest_free = all.largest_free.max(arena.largest_free);
    }
    all
}

/// The allocators besides glibc's.
fn others(process: &Process) -> Vec<Answer> {
    let mut answers = jemalloc::answers(process);
    answers.append(&mut tcmalloc::answers(process));
    answers.append(&mut evidence::not_read(process));
    answers
}
