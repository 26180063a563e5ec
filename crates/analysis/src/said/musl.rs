//! The allocator of musl (`src/malloc/mallocng`), which checks its metadata and stops at an
//! instruction that is not allowed: `a_crash`. It prints nothing.

use super::stack::Stack;
use super::{Said, Speaker, Subject};
use crate::signals::SIGSEGV;
use obit_corefile::addr::Avma;
use obit_corefile::arch::Machine;
use obit_corefile::memory::AddressSpace;

/// `hlt` of x86 (`arch/x86_64/atomic_arch.h`).
const CRASH: [u8; 1] = [0xf4];

/// Functions that check (`meta.h`, `free.c`, `malloc.c`, `realloc.c`), most of them inlined.
const CHECKING: [&str; 12] = [
    "get_meta",
    "get_nominal_size",
    "get_stride",
    "set_size",
    "enframe",
    "free_group",
    "queue",
    "dequeue",
    "__libc_free",
    "__libc_malloc_impl",
    "__libc_realloc",
    "__malloc_alloc_meta",
];
/// Functions of musl that are given a block, by the names that programs call.
const GIVEN: [&str; 4] = ["free", "realloc", "__libc_free", "__libc_realloc"];

/// What the allocator stopped for.
pub(super) fn said(stack: &Stack<'_>) -> Option<Said> {
    let process = stack.process;
    let signal = process.dump.signal.as_ref()?;
    let first = stack.frames.first()?;
    let mut code = CRASH;
    let is_crash = signal.number == SIGSEGV
        && matches!(process.dump.machine, Machine::X86_64)
        && process.memory.read(first.pc, &mut code).is_ok()
        && code == CRASH;
    if !is_crash {
        return None;
    }
    // In the program itself musl is known by names. Its shared object has names for what
    // programs call only: the stack protector would be named.
    let is_named = stack.find_one_of(&CHECKING) == Some(0);
    let is_shared = first.function.is_none() && is_musl(stack, first.module);
    if !is_named && !is_shared {
        return None;
    }
    let checks = |name: &str| CHECKING.contains(&name) || GIVEN.contains(&name);
    let inner = stack.frames.iter().take_while(|frame| match is_named {
        true => crate::owner::names(frame).any(|name| checks(&name)),
        false => is_musl(stack, frame.module),
    });
    let frame = stack.raised_below(inner.count());
    let is_given = stack.find_one_of(&GIVEN).is_some_and(|at| frame.is_none_or(|end| at < end));
    // The functions that check keep the block in a register.
    let registers = process.threads.get(stack.thread).map(|thread| &thread.registers);
    let facts = process.dump.machine.facts();
    let numbers =
        facts.into_iter().flat_map(|facts| facts.arguments.iter().chain(facts.callee_saved));
    let mut given = numbers.filter_map(|number| registers?.get(*number));
    let is_free = given.any(|at| is_marked_free(&process.memory, Avma(at)));
    let subject = match (is_given || is_shared, is_free) {
        (true, true) => Some(Subject::FreedBlock),
        (true, false) => Some(Subject::GivenBlock),
        (false, _) => None,
    };
    let text = String::new();
    let speaker = Speaker::Allocator;
    // Other parts of the shared object stop in the same way.
    Some(Said { speaker, text, exception: None, frame, subject, is_inferred: is_shared })
}

fn is_musl(stack: &Stack<'_>, module: Option<usize>) -> bool {
    let path = module.and_then(|index| stack.process.modules.get(index)).map(|module| &module.path);
    path.is_some_and(|path| {
        let path = path.to_string_lossy();
        path.contains("ld-musl-") || path.contains("libc.musl-") || path.contains("-linux-musl/")
    })
}

/// Whether `free` has been given this block: it then sets the byte that has the block's number
/// to 255 and the two that have its distance from the group to 0 (`free.c`), and the byte
/// before says that the distance is in these.
fn is_marked_free(memory: &AddressSpace, block: Avma) -> bool {
    let mut header = [1; 4];
    let header_at = block.0.checked_sub(4).map(Avma);
    block.0.is_multiple_of(16)
        && header_at.is_some_and(|at| memory.read(at, &mut header).is_ok())
        && header == [0, 0xff, 0, 0]
}

#[cfg(test)]
mod tests {
    use super::super::tests::memory;
    use super::*;

    #[test]
    fn a_block_that_was_freed_has_no_number_and_no_distance() {
        let is_free = |header: &[u8]| is_marked_free(&memory(&[(0x100c, header)]), Avma(0x1010));
        assert!(is_free(&[0, 0xff, 0, 0]));
        assert!(!is_free(&[0, 0x03, 5, 0]), "in use");
        assert!(!is_marked_free(&memory(&[]), Avma(2)));
    }
}
