//! What a count of the whole heap adds to the causes that ask for it: whose block was run over, what
//! was in a freed one and who still points there, who holds the memory when there is no more.

use std::sync::Arc;

use super::{Block, BlockState, MemoryFinding, Verdict};
use crate::cause::Cause;
use crate::finding::Finding;
use crate::origin::{Origin, Source};
use obit_causes::CauseClass;
use obit_corefile::addr::{Avma, AvmaRange};
use obit_heap::glibc::Heap;
use obit_heap::{
    BlockType, Budget, Collection, Contents, Former, HeapBlock, Held, Owner, Pointer, Retained,
    State, Trust, Way, holders, owner_of, pointers_to,
};
use obit_process::process::Process;

/// What a report may cost more for it.
const BUDGET: Budget = Budget { bytes: 1 << 30, blocks: 2_000_000 };
/// Freed blocks, and pointers to each, that are reported.
const MOST_FREED: usize = 3;
const MOST_POINTERS: usize = 8;
/// Pointers to a freed block that are looked at.
const MOST_JUDGED: usize = 256;
/// Types and holders that are reported.
const MOST_ROWS: usize = 5;

/// A block that the program has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeapObject {
    /// The block.
    pub block: HeapBlock,
    /// What is in it.
    pub ty: Option<BlockType>,
    /// How the source calls it.
    pub path: Option<String>,
    /// How the program reaches it; `None` if nothing that was found leads there.
    pub way: Option<Way>,
    /// How sure it is that nothing else leads there.
    pub trust: Trust,
}

/// A word that points into a freed block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StalePointer {
    /// The word.
    pub pointer: Pointer,
    /// Whose it is.
    pub owner: Option<Owner>,
    /// What the block is in which it lies.
    pub type_name: Option<Arc<str>>,
    /// How the source calls that block.
    pub path: Option<String>,
    /// How the program reaches it.
    pub way: Option<Way>,
}

/// A freed block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Freed {
    /// The block.
    pub block: HeapBlock,
    /// What was in it, by the type of what points there.
    pub former: Option<Former>,
    /// What the program can still reach that points there.
    pub pointers: Vec<StalePointer>,
    /// How many more of them there are.
    pub more: u64,
}

impl Freed {
    /// Where the object began that was in it, or it does.
    pub fn start(&self) -> Avma {
        self.former.as_ref().map_or(self.block.start, |former| former.start)
    }
}

/// Who holds memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryUse {
    /// Blocks that the program has.
    pub blocks: u64,
    /// Bytes in them.
    pub bytes: u64,
    /// Of which so many are in blocks that nothing leads to.
    pub lost_bytes: u64,
    /// By type with blocks and bytes, the most bytes first.
    pub types: Vec<(BlockType, u64, u64)>,
    /// By what reaches them first, the most bytes first.
    pub holders: Vec<Held>,
    /// By what variables lead to, the most bytes that are held alone first.
    pub collections: Vec<Collection>,
    /// How sure it is which blocks the program has.
    pub trust: Trust,
    /// How sure it is which are lost.
    pub lost_trust: Trust,
}

/// Adds to `findings` what the heap says about `cause`.
pub(crate) fn add(process: &Process, cause: &Cause, findings: &mut Vec<Finding>) {
    let is_damage = |finding: &Finding| {
        let Finding::Memory(MemoryFinding::HeapDamage(damage, _)) = finding else { return false };
        damage.before.is_some()
    };
    let is_damaged = findings.iter().any(is_damage);
    let freed_blocks = freed_blocks(process, cause, findings);
    let is_refused = is_refused(cause);
    if !is_damaged && freed_blocks.is_empty() && !is_refused {
        return;
    }
    let contents = match Contents::within(process, BUDGET) {
        Ok(Some(contents)) => contents,
        Ok(None) => return,
        Err(size) => {
            findings.push(Finding::Memory(MemoryFinding::NotCounted(size)));
            return;
        }
    };
    for finding in findings.iter_mut() {
        if let Finding::Memory(MemoryFinding::HeapDamage(damage, object)) = finding
            && let Some(before) = damage.before
        {
            *object = object_at(&contents, before.start).map(Box::new);
        }
    }
    let mut known: Vec<Avma> = Vec::new();
    for at in freed_blocks {
        if let Some(freed) = freed(process, &contents, at)
            && !known.contains(&freed.start())
        {
            known.push(freed.start());
            findings.push(Finding::Memory(MemoryFinding::Freed(freed)));
        }
    }
    if is_refused {
        let found = memory_use(process, &contents);
        findings.push(Finding::Memory(MemoryFinding::MemoryUse(Box::new(found))));
    }
}

/// Whether memory was asked for and not given.
fn is_refused(cause: &Cause) -> bool {
    /// Functions that return null if there is no memory.
    const ALLOCATORS: [&str; 8] = [
        "malloc",
        "calloc",
        "realloc",
        "reallocarray",
        "aligned_alloc",
        "memalign",
        "strdup",
        "strndup",
    ];
    let is_allocator = |name: &str| {
        ALLOCATORS.contains(&name.trim_start_matches("__libc_").trim_start_matches("__"))
    };
    let is_from_allocator = cause.own_origin().is_some_and(|origin| match &origin.source {
        Source::Returned { function: Some(function) } => is_allocator(function),
        _ => false,
    });
    let is_null = matches!(
        cause.class,
        CauseClass::NullRead | CauseClass::NullWrite | CauseClass::NullAccess
    );
    cause.class == CauseClass::OutOfMemory || is_null && is_from_allocator
}

/// Addresses in the freed blocks that the cause is about: what the bad pointer points to, or was
/// read from, first; then what variables of the crashed thread point to.
fn freed_blocks(process: &Process, cause: &Cause, findings: &[Finding]) -> Vec<Avma> {
    let is_freed = |block: &Block| matches!(block.state, BlockState::Freed(_) | BlockState::Top);
    let pointed = match &cause.verdict {
        Some(Verdict::Heap(block)) if is_freed(block) => {
            Some(Avma(block.start.0.wrapping_add_signed(block.offset.max(0))))
        }
        Some(Verdict::Link(block)) => Some(block.start),
        _ => None,
    };
    let is_misuse = matches!(cause.class, CauseClass::UseAfterFree | CauseClass::DoubleFree);
    if pointed.is_none() && !is_misuse && cause.verdict != Some(Verdict::ListHead) {
        return Vec::new();
    }
    let read_from = || {
        let Origin { source: Source::Loaded { address: Some(at) }, .. } = cause.own_origin()?
        else {
            return None;
        };
        Heap::of(process)?.freed_at(*at).map(|_| *at)
    };
    let dangling = findings.iter().filter_map(|finding| match finding {
        Finding::Memory(MemoryFinding::Dangling(found)) => {
            found.holders.first().map(|holder| (holder.pointer, found.block))
        }
        _ => None,
    });
    let mut all: Vec<Avma> = pointed.into_iter().chain(read_from()).collect();
    let is_new = |all: &[Avma], block: &Block| {
        !all.iter().any(|at| at.0.wrapping_sub(block.start.0) < block.room)
    };
    for (at, block) in dangling {
        if is_new(&all, &block) {
            all.push(at);
        }
    }
    all.truncate(MOST_FREED);
    all
}

fn object_at(contents: &Contents, at: Avma) -> Option<HeapObject> {
    let index = contents.census.blocks.index_at(at.0)?;
    Some(HeapObject {
        block: contents.census.blocks.get(index)?,
        ty: contents.types.get(index).cloned(),
        path: contents.types.path(index),
        way: contents.way(index),
        trust: contents.reach.trust,
    })
}

fn freed(process: &Process, contents: &Contents, at: Avma) -> Option<Freed> {
    let blocks = &contents.census.blocks;
    let block = blocks.get(blocks.index_at(at.0)?)?;
    if !block.state.is_freed() && block.state != State::Top {
        return None;
    }
    let former = contents.types.former_at(at).cloned();
    // A freed block may have become a part of a larger one.
    let range = match &former {
        Some(former) => AvmaRange::from_len(former.start, former.size),
        None => AvmaRange { start: at, end: Avma(at.0.saturating_add(1)) },
    };
    let (found, beyond) = pointers_to(process, range, MOST_JUDGED);
    let mut pointers = Vec::new();
    let mut more = beyond;
    for pointer in found {
        let Some(stale) = stale(process, contents, pointer) else { continue };
        match pointers.len() < MOST_POINTERS {
            true => pointers.push(stale),
            false => more = more.saturating_add(1),
        }
    }
    Some(Freed { block, former, pointers, more })
}

/// A word that points into a freed block, if the program can still use it: not what lies below a
/// stack or in another freed block.
fn stale(process: &Process, contents: &Contents, pointer: Pointer) -> Option<StalePointer> {
    let Some(at) = pointer.at else {
        return Some(StalePointer { pointer, owner: None, type_name: None, path: None, way: None });
    };
    let owner = owner_of(process, Some(&contents.census), at);
    let index = match &owner {
        Owner::Global { .. } | Owner::Stack { .. } => None,
        Owner::Block { index, state, .. } if state.is_live() => Some(*index),
        Owner::Block { .. } | Owner::BelowStack { .. } | Owner::Allocator | Owner::Other => {
            return None;
        }
    };
    let type_name = index.and_then(|index| contents.types.get(index));
    let type_name = type_name.map(|ty| Arc::clone(&ty.name));
    let way = index.and_then(|index| contents.way(index));
    if index.is_some() && way.is_none() {
        return None;
    }
    let path = index.and_then(|index| contents.types.path(index));
    Some(StalePointer { pointer, owner: Some(owner), type_name, path, way })
}

fn memory_use(process: &Process, contents: &Contents) -> MemoryUse {
    let Contents { census, roots, reach, types } = contents;
    let total = census.total();
    let blocks = census.blocks.iter().enumerate();
    let lost = blocks.filter(|(index, block)| block.state.is_live() && !reach.is_reached(*index));
    let lost_bytes = lost.map(|(_, block)| block.room).fold(0, u64::saturating_add);
    let mut by_type = types.totals(census);
    by_type.truncate(MOST_ROWS);
    let mut holders = holders(process, census, reach);
    holders.truncate(MOST_ROWS);
    let retained = Retained::of(process, census, roots, reach).ok();
    let mut collections = types.collections(census, retained.as_ref());
    collections.truncate(MOST_ROWS);
    MemoryUse {
        blocks: total.live_blocks,
        bytes: total.live_bytes,
        lost_bytes,
        types: by_type,
        holders,
        collections,
        trust: census.trust,
        lost_trust: reach.trust,
    }
}
