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

/// Messages after which glibc's allocator has found the given block in a list of free ones
/// (`malloc/malloc.c`, `_int_free`). "double free or corruption (!prev)", "(top)" and "(out)"
/// rest on a header, which may have been overwritten.
const FOUND_FREE: [&str; 2] =
    ["free(): double free detected in tcache", "double free or corruption (fasttop)"];

/// What the allocator complains of. `given` is the pointer it was given, if that is known.
pub(super) fn of_allocator(process: &Process, said: &Said, given: Option<Avma>) -> Complaint {
    let proved = |class| Complaint { class, is_proved: true };
    let corruption = CauseClass::HeapCorruption;
    if FOUND_FREE.iter().any(|start| said.text.starts_with(start)) {
        return proved(CauseClass::DoubleFree);
    }
    if said.subject != Some(Subject::GivenBlock) {
        return proved(corruption);
    }
    let mut heap = HeapView::of(process);
    let class = given.and_then(|at| of_given(process, &mut heap, at));
    match class {
        Some(class) => proved(class),
        // A wrong pointer leads to a wrong header, as damage does.
        None => Complaint { class: corruption, is_proved: heap.is_damaged() },
    }
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
) -> Option<CauseClass> {
    // A null pointer in freed memory may have been there before.
    let is_bad_address =
        matches!(fault.reason, Reason::Unmapped | Reason::Forbidden | Reason::NonCanonical);
    if !is_bad_address {
        return None;
    }
    if origin.is_certain && is_out_of_bounds(process, fault, origin, pointer) {
        return Some(CauseClass::OutOfBounds);
    }
    is_after_free(process, origin, pointer).then_some(CauseClass::UseAfterFree)
}

/// Whether the bad value was loaded from a freed block: no call lies between the load and
/// the fault, so it was free when it was read, unless another thread freed it in between.
/// What the allocator itself wrote there was written by the free, and such a number shows by
/// itself which of several loads it came from.
fn is_after_free(process: &Process, origin: &Origin, pointer: Option<&Verdict>) -> bool {
    let Source::Loaded { address: Some(at) } = origin.source else { return false };
    if !origin.is_direct || origin.is_index {
        return false;
    }
    let is_alone = process.threads.len() == 1;
    let Some(block) = HeapView::of(process).freed_at(at) else { return false };
    let is_link = matches!(pointer, Some(Verdict::Link(of)) if of.start == block.start);
    is_link || is_alone && origin.is_certain
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
    use crate::said::Speaker;
    use obit_corefile::testkit::CoreBuilder;
    use obit_process::process::Options;

    /// What a message comes to in a process of whose heap nothing is known.
    fn complaint(text: &str, subject: Option<Subject>, given: Option<u64>) -> (CauseClass, bool) {
        let core = CoreBuilder::x86_64().signal(6).thread(1, &[]).write();
        let process = Process::open(core.path(), Options::default(), &()).unwrap();
        let text = text.to_owned();
        let speaker = Speaker::Allocator;
        let said = Said { speaker, text, exception: None, frame: None, subject };
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
}
