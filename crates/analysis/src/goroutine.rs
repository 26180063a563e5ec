//! The goroutine that a stack belongs to, found without DWARF: fields of `g` are at the same
//! places since Go 1.4 (`runtime/runtime2.go`; 64-bit machines).

use obit_corefile::addr::Avma;
use obit_corefile::memory::AddressSpace;

/// The bounds of its stack.
const STACK_LOW: u64 = 0;
const STACK_HIGH: u64 = 8;

/// Addresses of goroutines that are kept between `start` and `end` of their own stack, in the
/// order of their addresses.
pub(crate) fn on_stack(memory: &AddressSpace, start: u64, end: u64) -> Vec<u64> {
    let word = |at: u64| memory.read_word(Avma(at)).ok();
    if memory.word() != 8 {
        return Vec::new();
    }
    let bytes = usize::try_from(end.saturating_sub(start)).unwrap_or(0);
    let bytes = memory.read_up_to(Avma(start), bytes);
    let mut found: Vec<u64> = bytes.chunks_exact(8).map(|chunk| memory.unsigned(chunk)).collect();
    found.sort_unstable();
    found.dedup();
    found.retain(|goroutine| {
        let field = |offset: u64| word(goroutine.checked_add(offset)?);
        let bounds = field(STACK_LOW).zip(field(STACK_HIGH));
        bounds.is_some_and(|(low, high)| {
            let are_aligned = [*goroutine, low, high].iter().all(|at| at % 8 == 0);
            are_aligned && (low..high).contains(&start)
        })
    });
    found
}
