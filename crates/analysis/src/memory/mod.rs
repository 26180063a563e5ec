//! What an address is: a block of the heap and whether it is in use, a place on a stack, a
//! variable, a pattern that shows where a pointer came from.

mod dangling;
mod hardware;
mod inventory;
mod pattern;
mod place;
mod suspicion;
mod unloaded;

pub use dangling::{Dangling, Holder};
pub use hardware::Hardware;
pub(super) use inventory::add;
pub use inventory::{Freed, HeapObject, MemoryUse, StalePointer};
pub use obit_heap::glibc::{
    Bin, Block, BlockState, Damage, Overrun, Pattern, PointedFrom, Written,
};
pub use pattern::Fill;
pub use place::{Content, FilePlace, ModulePlace, OnStack, StackPlace};
pub use suspicion::{FlippedBit, Truncated};
pub use unloaded::Unloaded;

use std::cell::OnceCell;

use super::fault::{Access, AccessKind, Fault, Reason};
use super::owner::names;
use super::said::{Said, Speaker};
use obit_corefile::addr::Avma;
use obit_heap::TooLarge;
use obit_heap::glibc::Heap;
use obit_process::process::Process;

/// What is at an address, or what the address itself looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A pattern that memory is filled with.
    Fill(Fill),
    /// The very number that glibc keeps in this freed chunk to find the next one.
    Link(Block),
    /// A list of freed chunks begins there: the pointer was read from a freed chunk.
    ListHead,
    /// Text in memory order.
    Text(String),
    /// A small negative number: an error's.
    Negative(i32),
    /// The half of a pointer.
    Truncated(Truncated),
    /// A pointer but for one bit.
    FlippedBit(FlippedBit),
    /// In the heap.
    Heap(Block),
    /// So many bytes past the end of the heap: as a rule a run over the end of a block.
    PastHeap(u64),
    /// On the stack of a thread.
    Stack(StackPlace),
    /// Where an object was that is no longer loaded.
    Unloaded(Unloaded),
    /// In an object.
    Module(ModulePlace),
    /// In a mapped file.
    File(FilePlace),
}

/// Something wrong with memory that did not itself end the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MemoryFinding {
    /// A variable that points into a freed block.
    Dangling(Dangling),
    /// The heap metadata is damaged; and what the block before the damage is, whose end something
    /// ran over.
    HeapDamage(Damage, Option<Box<HeapObject>>),
    /// What was in a freed block, and who still points there.
    Freed(Freed),
    /// Who holds the memory of a process that was refused more.
    MemoryUse(Box<MemoryUse>),
    /// The heap would say more, but is larger than what is counted for a report.
    NotCounted(TooLarge),
    /// The machine may be at fault.
    Hardware(Hardware),
}

/// Nothing is mapped below: the default of `vm.mmap_min_addr`.
const NULL_ZONE: u64 = 1 << 16;
/// Bytes behind the heap that a run over its end reaches.
const PAST: u64 = 4096;

/// What is known of the pointer `at`; `None` where nothing is.
pub fn verdict(process: &Process, at: Avma) -> Option<Verdict> {
    if at.0 < NULL_ZONE {
        return None;
    }
    let heap = OnceCell::new();
    let heap = || heap.get_or_init(|| Heap::of(process).map(std::cell::RefCell::new)).as_ref();
    match process.memory.region_at(at) {
        Some(_) => {
            let in_heap = || {
                let mut heap = heap()?.borrow_mut();
                if heap.is_list_head(at) {
                    return Some(Verdict::ListHead);
                }
                // Mixed with its page, a link of 32 bits may fall into the heap again.
                let link = heap.freed_at(at).is_none().then(|| heap.with_link(at.0)).flatten();
                if let Some(of) = link {
                    return Some(Verdict::Link(of));
                }
                heap.block_at(at).map(Verdict::Heap)
            };
            place::on_stack(process, at)
                .map(Verdict::Stack)
                .or_else(in_heap)
                .or_else(|| place::in_module(process, at).map(Verdict::Module))
                .or_else(|| place::in_file(process, at).map(Verdict::File))
        }
        None => {
            let word = process.memory.word();
            let little_endian = process.memory.is_little_endian();
            let text = || {
                let text = pattern::text(at.0, word, little_endian)?;
                (!place::is_near_a_mapping(process, at)).then_some(Verdict::Text(text))
            };
            let extents = || heap().map(|heap| heap.borrow_mut().extents()).unwrap_or_default();
            let past = || {
                let last = place::end_before(process, at, PAST)?;
                let is_heap = extents().iter().any(|range| range.contains(last));
                is_heap.then(|| Verdict::PastHeap(at.0.wrapping_sub(last.0).wrapping_sub(1)))
            };
            let link = || heap()?.borrow().with_link(at.0).map(Verdict::Link);
            link()
                .or_else(|| pattern::fill(at.0, word).map(Verdict::Fill))
                .or_else(|| pattern::negative(at.0, word).map(Verdict::Negative))
                .or_else(text)
                .or_else(|| unloaded::unloaded(process, at, &extents()).map(Verdict::Unloaded))
                .or_else(past)
                .or_else(|| suspicion::truncated(process, at, &extents()).map(Verdict::Truncated))
                .or_else(|| suspicion::flipped_bit(process, at).map(Verdict::FlippedBit))
        }
    }
}

/// Whether an object begins at `at`: a block of the heap, a variable or a mapping.
pub(super) fn is_start(process: &Process, at: Avma) -> bool {
    match verdict(process, at) {
        Some(Verdict::Heap(block)) => block.offset == 0,
        Some(Verdict::Module(ModulePlace { symbol: Some((_, into)), .. })) => into == 0,
        _ => process.memory.range_at(at).is_some_and(|range| range.start == at),
    }
}

/// Bytes that no object which is at `at`, or was there before, can have had: glibc gives
/// blocks of more than `DEFAULT_MMAP_THRESHOLD_MAX` mappings of their own, which may be as large
/// as the memory of a machine.
pub(super) fn largest_object(process: &Process, at: Avma) -> u64 {
    const IN_HEAP: u64 = 64 << 20;
    const IN_MAPPING: u64 = 1 << 40;
    let is_in_heap = || {
        let heap = Heap::of(process);
        heap.is_some_and(|mut heap| heap.extents().iter().any(|range| range.contains(at)))
    };
    let is_small = process.modules.index_at(at).is_some()
        || place::on_stack(process, at).is_some()
        || is_in_heap();
    if is_small { IN_HEAP } else { IN_MAPPING }
}

/// The heap as far as a class of causes depends on it; empty where the process has none of
/// glibc's.
pub(super) struct HeapView<'p>(Option<Heap<'p>>);

impl<'p> HeapView<'p> {
    /// That of `process`.
    pub(super) fn of(process: &'p Process) -> Self {
        Self(Heap::of(process))
    }

    /// The freed block that holds `at`, if it is in a list that is known.
    pub(super) fn freed_at(&self, at: Avma) -> Option<Block> {
        self.0.as_ref()?.freed_at(at)
    }

    /// Whether a block of the heap may be at `at`, or none of the heap is known.
    pub(super) fn may_hold(&mut self, at: Avma) -> bool {
        let Some(heap) = &mut self.0 else { return true };
        heap.extents().iter().any(|range| range.contains(at)) || heap.block_at(at).is_some()
    }

    /// Whether its metadata is damaged.
    pub(super) fn is_damaged(&mut self) -> bool {
        self.0.as_mut().is_some_and(|heap| heap.damage().is_some())
    }
}

/// Damage near the fault, pointers of the crashed thread's frames that dangle, and what
/// the machine may have done.
pub(super) fn findings(
    process: &Process,
    fault: Option<&Fault>,
    said: Option<&Said>,
) -> Vec<MemoryFinding> {
    let mut found: Vec<MemoryFinding> = Vec::new();
    found.extend(hardware::findings(process, fault).into_iter().map(MemoryFinding::Hardware));
    let of_allocator = said.is_some_and(|said| said.speaker == Speaker::Allocator);
    let of_memory = said.is_none()
        && fault.is_some_and(|fault| {
            matches!(
                fault.reason,
                Reason::Null | Reason::Unmapped | Reason::Forbidden | Reason::NonCanonical
            )
        });
    if !of_allocator && !of_memory {
        return found;
    }
    let Some(mut heap) = Heap::of(process) else { return found };
    let damage = if of_allocator || is_in_allocator(process) {
        heap.damage()
    } else {
        let access = fault.and_then(|fault| fault.access.as_ref());
        let pointer = access.and_then(Access::pointer);
        let is_jump = access.is_some_and(|access| access.kind == AccessKind::Execute);
        let inside = |at: Avma| match process.memory.region_at(at) {
            Some(_) => Some(at),
            None => place::end_before(process, at, PAST),
        };
        match pointer.and_then(inside) {
            Some(at) => heap.damage_near(at),
            // A pointer to nowhere may have been written over, too.
            None if !is_jump && pointer.is_some_and(|at| at.0 >= NULL_ZONE) => {
                heap.damage_at_rest()
            }
            None => None,
        }
    };
    found.extend(damage.map(|damage| MemoryFinding::HeapDamage(damage, None)));
    if heap.has_freed() {
        found.extend(
            dangling::findings(process, &mut heap).into_iter().map(MemoryFinding::Dangling),
        );
    }
    found
}

/// Functions of glibc that follow the heap metadata.
const ALLOCATOR: [&str; 10] = [
    "malloc",
    "free",
    "calloc",
    "realloc",
    "_int_malloc",
    "_int_free",
    "_int_realloc",
    "_int_free_merge_chunk",
    "malloc_consolidate",
    "unlink_chunk",
];

/// Whether the innermost frame is the allocator's.
fn is_in_allocator(process: &Process) -> bool {
    let frame = process.crashed().and_then(|thread| thread.frames.first());
    frame.is_some_and(|frame| {
        names(frame).any(|name| {
            let plain = name.trim_start_matches("__GI_").trim_start_matches("__libc_");
            ALLOCATOR.contains(&plain)
        })
    })
}
