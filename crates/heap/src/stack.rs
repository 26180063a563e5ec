//! Which memory is the stack of a thread: it may be a part of a mapping that holds other things.

use obit_corefile::addr::{Avma, AvmaRange};
use obit_corefile::dump::AuxKind;
use obit_process::process::Process;

/// A stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stack {
    /// From its lowest address to behind its highest.
    pub(crate) range: AvmaRange,
    /// Whether its size is known; else it is the whole mapping.
    pub(crate) is_exact: bool,
}

/// Bytes on each side of the thread pointer in which the C library's record of a thread lies.
const RECORD_BYTES: u64 = 4096;

/// The stack with the stack pointer `sp` of a thread with this thread pointer; `None` for one that
/// the thread did not begin on.
pub(crate) fn of(process: &Process, thread_pointer: Option<Avma>, sp: u64) -> Option<Stack> {
    let whole = process.memory.range_at(Avma(sp))?;
    let of_main = process.dump.auxv.get(AuxKind::Random);
    if of_main.is_some_and(|at| whole.contains(Avma(at))) {
        return Some(Stack { range: whole, is_exact: true });
    }
    let thread_pointer = thread_pointer.filter(|at| whole.contains(*at))?;
    match recorded(process, thread_pointer, whole) {
        Some(range) => range.contains(Avma(sp)).then_some(Stack { range, is_exact: true }),
        None => Some(Stack { range: whole, is_exact: false }),
    }
}

/// The part of `whole` that glibc gave the thread as its stack: `stackblock`, `stackblock_size` and
/// `guardsize` of its `struct pthread`, which lies at the stack's end.
fn recorded(process: &Process, thread_pointer: Avma, whole: AvmaRange) -> Option<AvmaRange> {
    let memory = &process.memory;
    let word = memory.word();
    let first = thread_pointer.0.saturating_sub(RECORD_BYTES).max(whole.start.0);
    let first = first.next_multiple_of(word as u64);
    let end = thread_pointer.0.saturating_add(RECORD_BYTES).min(whole.end.0);
    let size = usize::try_from(end.checked_sub(first)?).ok()?;
    let bytes = memory.read_up_to(Avma(first), size);
    let words: Vec<u64> = bytes.chunks_exact(word).map(|bytes| memory.unsigned(bytes)).collect();
    words.windows(3).find_map(|some| {
        let [block, size, guard] = some else { return None };
        let end = block.checked_add(*size)?;
        // The guard may be a mapping of its own.
        let usable = block.checked_add(*guard)?;
        let is_it = *block < thread_pointer.0
            && thread_pointer.0 < end
            && guard < size
            && whole.start.0 <= usable
            && end <= whole.end.0;
        is_it.then_some(AvmaRange { start: Avma(usable), end: Avma(end) })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use obit_corefile::testkit::CoreBuilder;
    use obit_process::process::Options;

    const POOL: u64 = 0x7000_0000;
    const RECORD: u64 = POOL + 0x7800;

    /// A mapping of 0x8000 bytes whose upper half is a stack, with these words in the record.
    fn stack(words: &[u64], sp: u64) -> Option<Stack> {
        let mut pool = vec![0; 0x8000];
        for (at, word) in (0x7900..).step_by(8).zip(words) {
            pool[at..at + 8].copy_from_slice(&word.to_le_bytes());
        }
        let registers = [("rip", 0x1000), ("rsp", sp), ("fs_base", RECORD)];
        let core = CoreBuilder::x86_64().thread(1, &registers).segment(POOL, &pool, 0x8000).write();
        let process = Process::open(core.path(), Options::default(), &()).unwrap();
        of(&process, process.dump.threads[0].thread_pointer, sp)
    }

    #[test]
    fn a_stack_within_a_mapping_is_the_part_that_the_thread_has() {
        let range = |start, end| AvmaRange { start: Avma(start), end: Avma(end) };
        // The thread's id and its list of locks are no stack.
        let words = [1234, RECORD + 0x2e0, RECORD + 0x2e0, POOL + 0x4000, 0x4000, 0];
        let half = Some(Stack { range: range(POOL + 0x4000, POOL + 0x8000), is_exact: true });
        assert_eq!(stack(&words, POOL + 0x6000), half);
        assert_eq!(stack(&words, POOL + 0x2000), None, "a handler's");
        let guarded = stack(&[POOL - 0x1000, 0x9000, 0x1000], POOL + 0x6000);
        let whole = range(POOL, POOL + 0x8000);
        assert_eq!(guarded, Some(Stack { range: whole, is_exact: true }));
        let unknown = stack(&[], POOL + 0x6000);
        assert_eq!(unknown, Some(Stack { range: whole, is_exact: false }));
    }
}
