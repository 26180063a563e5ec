//! Misuse of memory that the core proves: use after free, double free, invalid free, access
//! out of bounds. Where another explanation fits, too, the class of the fault or of the
//! message stays, and what is known of the pointer is evidence only.

use super::fault::{Fault, Reason};
use super::memory::{BlockState, Content, HeapView, Verdict, verdict};
use super::origin::{Origin, Source};
use super::said::{Said, Subject};
use obit_causes::CauseClass;
use obit_corefile::addr::Avma;
use obit_process::process::Process;

/// What a complaint of the allocator comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Complaint {
    pub(super) class: CauseClass,
    /// Whether nothing else fits.
    pub(super) is_proved: bool,
}

/// What is in a message, what it comes to, and whether nothing else fits. The first row that
/// fits counts.
///
/// glibc (`malloc/malloc.c`, `_int_free`) found the given block in a list of free ones where it
/// says so; "double free or corruption (!prev)", "(top)" and "(out)" rest on a header, which
/// may have been overwritten. Scudo's header has a checksum: a damaged one, or none, is
/// reported as corrupted, so the state of another is what the allocator wrote.
const COMPLAINTS: [(&str, CauseClass, bool); 28] = {
    use CauseClass::{DoubleFree, HeapCorruption, InvalidFree, OutOfMemory, UseAfterFree};
    [
        ("free(): double free detected in tcache", DoubleFree, true),
        ("double free or corruption (fasttop)", DoubleFree, true),
        // Scudo, `standalone/report.cpp`.
        ("Scudo ERROR: invalid chunk state when", DoubleFree, true),
        ("Scudo ERROR: misaligned pointer when", InvalidFree, true),
        ("Scudo ERROR: allocation type mismatch", InvalidFree, true),
        ("Scudo ERROR: invalid sized delete", InvalidFree, true),
        ("Scudo ERROR: race on chunk header", HeapCorruption, false),
        ("Scudo ERROR: out of memory", OutOfMemory, true),
        ("Scudo ERROR: internal map failure", OutOfMemory, true),
        ("Scudo ERROR: requested allocation size", OutOfMemory, true),
        ("Scudo ERROR: calloc parameters overflow", OutOfMemory, true),
        ("Scudo ERROR: reallocarray parameters overflow", OutOfMemory, true),
        // gperftools, `src/tcmalloc.cc` and `src/debugallocation.cc`.
        ("] Attempt to free invalid pointer", InvalidFree, true),
        ("] Attempt to realloc invalid pointer", InvalidFree, true),
        ("memory allocation bug: object at", DoubleFree, false),
        ("memory allocation/deallocation mismatch", InvalidFree, true),
        ("memory stomping bug", HeapCorruption, true),
        // mimalloc, `src/free.c` and `src/page.c`.
        ("double free detected of block", DoubleFree, true),
        ("invalid (unaligned) pointer", InvalidFree, true),
        ("pointer does not point to a valid heap", InvalidFree, true),
        ("buffer overflow in ", HeapCorruption, true),
        ("corrupted free list entry", HeapCorruption, true),
        ("corrupted thread-free list", HeapCorruption, true),
        // jemalloc, `src/safety_check.c` and `src/jemalloc.c`.
        ("<jemalloc>: Write-after-free detected", UseAfterFree, true),
        ("<jemalloc>: size mismatch detected", InvalidFree, false),
        ("<jemalloc>: Invalid deallocation detected", InvalidFree, false),
        ("<jemalloc>: Error in", OutOfMemory, true),
        // A mistake in its settings, not in the heap.
        ("<jemalloc>: Abort (abort_conf:true)", CauseClass::Abort, true),
    ]
};

/// The message for a pointer that is not aligned, or whose block would not end in memory.
const NO_BLOCK: &str = "free(): invalid pointer";

/// What the allocator complains of. `given` is the pointer it was given, if that is known.
pub(super) fn of_allocator(process: &Process, said: &Said, given: Option<Avma>) -> Complaint {
    let proved = |class| Complaint { class, is_proved: true };
    let corruption = CauseClass::HeapCorruption;
    let complaint = COMPLAINTS.iter().find(|(part, ..)| said.text.contains(part));
    if let Some((_, class, is_proved)) = complaint {
        return Complaint { class: *class, is_proved: *is_proved };
    }
    match said.subject {
        Some(Subject::GivenBlock) => {}
        // Nothing else is known to leave these marks, but any other bytes might be such.
        Some(Subject::FreedBlock) => {
            return Complaint { class: CauseClass::DoubleFree, is_proved: false };
        }
        _ => return proved(corruption),
    }
    let mut heap = HeapView::of(process);
    let given = given.or_else(|| address_in(&said.text));
    let class = given.and_then(|at| of_given(process, &mut heap, at));
    match class {
        Some(class) => proved(class),
        None if heap.is_damaged() => proved(corruption),
        // For a pointer that may be of a block, damage must have left a size that reaches
        // beyond the end of memory.
        None if given.is_none() && said.text.starts_with(NO_BLOCK) => {
            Complaint { class: CauseClass::InvalidFree, is_proved: false }
        }
        // A wrong pointer leads to a wrong header, as damage does.
        None => Complaint { class: corruption, is_proved: false },
    }
}

/// The pointer that a message ends with: `corrupted chunk header at address 0x7ffde9d685a0`.
fn address_in(text: &str) -> Option<Avma> {
    let number = text.rsplit(' ').next()?.strip_prefix("0x")?;
    u64::from_str_radix(number, 16).ok().map(Avma)
}

/// What it comes to that the allocator was given `at` as a block to free or to resize.
fn of_given(process: &Process, heap: &mut HeapView<'_>, at: Avma) -> Option<CauseClass> {
    // glibc aligns blocks to twice a word, on i386 to more.
    let alignment = process.memory.word() as u64 * 2;
    if !at.0.is_multiple_of(alignment) {
        return Some(CauseClass::InvalidFree);
    }
    if heap.may_hold(at) {
        // Within a block: what was freed before may have been merged or handed out again.
        let is_free = heap.freed_at(at).is_some_and(|block| block.offset == 0);
        return is_free.then_some(CauseClass::DoubleFree);
    }
    let verdict = verdict(process, at)?;
    let is_elsewhere = matches!(verdict, Verdict::Stack(_) | Verdict::Module(_) | Verdict::File(_));
    is_elsewhere.then_some(CauseClass::InvalidFree)
}

/// What a failed access to memory comes to, by where the bad value was loaded from or by
/// what its index was added to.
pub(super) fn of_fault(
    process: &Process,
    fault: &Fault,
    origin: &Origin,
    pointer: Option<&Verdict>,
) -> Option<Complaint> {
    // A null pointer in freed memory may have been there before.
    let is_bad_address =
        matches!(fault.reason, Reason::Unmapped | Reason::Forbidden | Reason::NonCanonical);
    if !is_bad_address {
        return None;
    }
    if origin.is_certain && is_out_of_bounds(process, fault, origin, pointer) {
        return Some(Complaint { class: CauseClass::OutOfBounds, is_proved: true });
    }
    let is_proved = after_free(process, origin, pointer)?;
    Some(Complaint { class: CauseClass::UseAfterFree, is_proved })
}

/// Whether it is proved that the bad value was loaded from a block after that was freed; `None`
/// where it was not. No call lies between the load and the fault, so the block was free when
/// it was read, unless another thread freed it in between. What the allocator itself wrote
/// there was written by the free, and such a number shows by itself which of several loads it
/// came from. But a pointer to another block may have led there past that block's end: only
/// one to the very start of the freed block cannot have.
fn after_free(process: &Process, origin: &Origin, pointer: Option<&Verdict>) -> Option<bool> {
    let Source::Loaded { address: Some(at) } = origin.source else { return None };
    if !origin.is_direct || origin.is_index {
        return None;
    }
    let is_alone = process.threads.len() == 1;
    let heap = HeapView::of(process);
    let block = heap.freed_at(at)?;
    let is_link = matches!(pointer, Some(Verdict::Link(of)) if of.start == block.start);
    let is_read_after = is_link || is_alone && origin.is_certain;
    if !is_read_after {
        return None;
    }
    match origin.base {
        Some(base) if base == block.start => Some(true),
        Some(base) => (heap.freed_at(base)?.start == block.start).then_some(false),
        None => Some(false),
    }
}

/// Whether an index leads out of what a sound pointer points at: a block of the heap that is
/// in use, or a variable of a module. The index must have been loaded or set as it is, since
/// compilers also add the difference of two pointers to a third.
fn is_out_of_bounds(
    process: &Process,
    fault: &Fault,
    origin: &Origin,
    pointer: Option<&Verdict>,
) -> bool {
    let is_plain = matches!(origin.source, Source::Loaded { .. } | Source::Constant);
    if !origin.is_index || !is_plain {
        return false;
    }
    let Some(access) = fault.access.as_ref().filter(|access| access.index.is_some()) else {
        return false;
    };
    let Some(pointer) = access.pointer().zip(pointer) else { return false };
    match pointer {
        (_, Verdict::Heap(block)) => {
            let is_used = matches!(block.state, BlockState::InUse | BlockState::Mapping);
            let into = access.address.0.checked_sub(block.start.0);
            is_used && into.is_none_or(|into| into >= block.room)
        }
        (base, Verdict::Module(place)) => {
            let is_data = matches!(place.content, Content::Data | Content::Constants);
            let region = process.memory.range_at(base);
            let is_inside = region.is_some_and(|region| region.contains(access.address));
            is_data && place.symbol.is_some() && !is_inside
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::{Access, AccessKind};
    use crate::said::Speaker;
    use obit_corefile::testkit::CoreBuilder;
    use obit_heap::glibc::testkit::{FIRST, Memory};
    use obit_process::process::Options;

    /// What a message comes to in a process of whose heap nothing is known.
    fn complaint(text: &str, subject: Option<Subject>, given: Option<u64>) -> (CauseClass, bool) {
        let core = CoreBuilder::x86_64().signal(6).thread(1, &[]).write();
        let process = Process::open(core.path(), Options::default(), &()).unwrap();
        let text = text.to_owned();
        let speaker = Speaker::Allocator;
        let said =
            Said { speaker, text, exception: None, frame: None, subject, is_inferred: false };
        let found = of_allocator(&process, &said, given.map(Avma));
        (found.class, found.is_proved)
    }

    #[test]
    fn only_messages_after_a_search_of_the_free_list_prove_a_double_free() {
        let of = |text| complaint(text, Some(Subject::GivenBlock), None);
        let (double, corruption) = (CauseClass::DoubleFree, CauseClass::HeapCorruption);
        assert_eq!(of("free(): double free detected in tcache 2"), (double, true));
        assert_eq!(of("double free or corruption (fasttop)"), (double, true));
        assert_eq!(of("double free or corruption (!prev)"), (corruption, false));
        assert_eq!(of("munmap_chunk(): invalid pointer"), (corruption, false));
    }

    #[test]
    fn the_message_of_another_allocator_shows_what_it_complains_of() {
        let of = |text| complaint(text, Some(Subject::GivenBlock), None);
        let state = "Scudo ERROR: invalid chunk state when deallocating address 0x7fe8174080d0";
        assert_eq!(of(state), (CauseClass::DoubleFree, true));
        let header = "Scudo ERROR: corrupted chunk header at address 0x7f9b1ba10420";
        assert_eq!(of(header), (CauseClass::HeapCorruption, false));
        let misaligned = "Scudo ERROR: corrupted chunk header at address 0x7f9b1ba10421";
        assert_eq!(of(misaligned), (CauseClass::InvalidFree, true));
        let pointer = "src/tcmalloc.cc:333] Attempt to free invalid pointer 0x7ffe9ce10bd0";
        assert_eq!(of(pointer), (CauseClass::InvalidFree, true));
        let stomped = "memory stomping bug: a word after object at 0x55 has been corrupted";
        assert_eq!(of(stomped), (CauseClass::HeapCorruption, true));
    }

    #[test]
    fn a_complaint_of_what_malloc_found_is_corruption() {
        let found = complaint("malloc(): corrupted top size", None, None);
        assert_eq!(found, (CauseClass::HeapCorruption, true));
    }

    #[test]
    fn a_pointer_that_no_block_can_have_is_an_invalid_free() {
        let of = |at| complaint("free(): invalid pointer", Some(Subject::GivenBlock), Some(at));
        assert_eq!(of(0x5555_5555_9008), (CauseClass::InvalidFree, true));
        assert_eq!(of(0x5555_5555_9010), (CauseClass::HeapCorruption, false));
    }

    #[test]
    fn a_pointer_that_is_called_invalid_and_not_known_is_likely_to_be() {
        let found = complaint("free(): invalid pointer", Some(Subject::GivenBlock), None);
        assert_eq!(found, (CauseClass::InvalidFree, false));
    }

    /// A block of the heap that is free, and one in use.
    const FREE: u64 = FIRST + 16;
    const USED: u64 = FREE + 0x30;

    fn with_heap<T>(ask: impl FnOnce(&Process) -> T) -> T {
        let mut memory = Memory::with_chunks(&[0x30, 0x30, 0x30]);
        memory.put(FREE, FREE >> 12);
        memory.cache(0x30, FREE);
        let core = memory.core();
        ask(&Process::open(core.path(), Options::default(), &()).unwrap())
    }

    fn loaded_from(address: u64) -> Origin {
        Origin {
            frame: 0,
            gone: None,
            at: Avma(0),
            line: None,
            value: None,
            is_index: false,
            is_part: false,
            is_thread_local: false,
            source: Source::Loaded { address: Some(Avma(address)) },
            expression: None,
            is_reference: false,
            kept_in: None,
            is_of_callee: false,
            member: None,
            base: Some(Avma(FREE)),
            through: None,
            is_certain: true,
            is_direct: true,
        }
    }

    /// A failed read at `address` by an index on `base`.
    fn fault(reason: Reason, base: u64, address: u64) -> Fault {
        let register = |name: &str, value| Some((name.to_owned(), value));
        let access = Access {
            kind: AccessKind::Read,
            address: Avma(address),
            size: Some(8),
            base: register("rax", base),
            index: register("rcx", address.wrapping_sub(base)),
            displacement: 0,
            operand: None,
        };
        Fault {
            pc: Avma(0x40_1000),
            instruction: None,
            access: Some(access),
            reason,
            activation: 0,
            caught: None,
            purpose: None,
            is_computed: false,
            is_panic: false,
            division: None,
            check: None,
        }
    }

    #[test]
    fn a_bad_pointer_read_from_a_free_block_just_before_is_a_use_after_free() {
        let found = |reason, origin: &Origin| {
            with_heap(|process| {
                let fault = fault(reason, 0x1234_5678, 0x1234_5678);
                of_fault(process, &fault, origin, None).map(|of| (of.class, of.is_proved))
            })
        };
        let free = loaded_from(FREE + 8);
        assert_eq!(found(Reason::Unmapped, &free), Some((CauseClass::UseAfterFree, true)));
        assert_eq!(found(Reason::Null, &free), None, "may have been there before");
        assert_eq!(found(Reason::Unmapped, &loaded_from(USED + 8)), None);
        let after_a_call = Origin { is_direct: false, ..free.clone() };
        assert_eq!(found(Reason::Unmapped, &after_a_call), None, "may have been freed since");
        let doubtful = Origin { is_certain: false, ..free.clone() };
        assert_eq!(found(Reason::Unmapped, &doubtful), None);
        let past_the_end = Origin { base: Some(Avma(USED)), ..free.clone() };
        assert_eq!(found(Reason::Unmapped, &past_the_end), None, "led out of another block");
        let inside = Origin { base: Some(Avma(FREE + 8)), ..free.clone() };
        let likely = Some((CauseClass::UseAfterFree, false));
        assert_eq!(found(Reason::Unmapped, &inside), likely, "may be past the end of another");
        assert_eq!(found(Reason::Unmapped, &Origin { base: None, ..free }), likely);
    }

    #[test]
    fn an_index_that_was_loaded_and_leads_out_of_a_block_in_use_is_out_of_bounds() {
        let found = |address, origin: &Origin| {
            with_heap(|process| {
                let fault = fault(Reason::Unmapped, USED, address);
                let pointer = verdict(process, Avma(USED));
                of_fault(process, &fault, origin, pointer.as_ref()).map(|of| of.class)
            })
        };
        let index = Origin { is_index: true, ..loaded_from(0x40_2000) };
        assert_eq!(found(USED + (1 << 32), &index), Some(CauseClass::OutOfBounds));
        assert_eq!(found(USED + 0x20, &index), None, "within the block");
        let computed = Origin { source: Source::Computed, ..index };
        assert_eq!(found(USED + (1 << 32), &computed), None, "may be a difference of pointers");
    }

    #[test]
    fn a_given_block_that_is_in_a_free_list_was_freed_twice() {
        let of = |at| with_heap(|process| of_given(process, &mut HeapView::of(process), Avma(at)));
        assert_eq!(of(FREE), Some(CauseClass::DoubleFree));
        assert_eq!(of(USED), None);
        assert_eq!(of(USED + 8), Some(CauseClass::InvalidFree));
        assert_eq!(of(USED + 16), None, "a block may have begun there");
    }
}
