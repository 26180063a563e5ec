//! Panics of Rust that were on their way when another one ended the process: the exceptions
//! that the unwinder carries (`library/panic_unwind/src/gcc.rs`).

use super::rust::{slice, str_at};
use super::stack::Stack;
use super::{Said, message_buffer};
use obit_corefile::addr::Avma;
use obit_corefile::memory::AddressSpace;

/// `_Unwind_Exception::exception_class`, in whatever byte order.
const CLASS: [u8; 8] = *b"MOZ\0RUST";
/// Panics within one another that are reported.
const MOST: usize = 4;
/// What is panicked with where a panic may not go on (`library/core/src/panicking.rs`).
const ENDS: [&str; 2] =
    ["panic in a function that cannot unwind", "panic in a destructor during cleanup"];

/// A panic on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Panic {
    /// Where the stack was in the function that would have caught it.
    handler: u64,
    text: String,
}

/// `said`, with the panics that led to it: the last one first.
pub(super) fn with_panics(stack: &Stack<'_>, said: Said) -> Said {
    if !ENDS.contains(&said.text.as_str()) {
        return said;
    }
    let mut text = said.text.clone();
    for (nth, panic) in panics(stack).unwrap_or_default().iter().enumerate() {
        text.push_str(if nth == 0 { ": " } else { "; during unwinding for: " });
        text.push_str(&panic.text);
    }
    Said { text, ..said }
}

/// The panics whose exceptions the frames of the crashed thread lead to, the last one first.
/// The unwinder has returned, so that most pointers to them are below the stack pointer; an
/// exception that was freed has lost its class to the allocator.
fn panics(stack: &Stack<'_>) -> Option<Vec<Panic>> {
    let memory = &stack.process.memory;
    let thread = stack.process.threads.get(stack.thread)?;
    let sp = thread.registers.get(stack.process.dump.machine.facts()?.sp)?;
    let mut words = message_buffer::left(stack)?;
    words.extend(message_buffer::words(stack, stack.frames.len()).unwrap_or_default());
    words.sort_unstable();
    words.dedup();
    let is_of_module = |at: u64| stack.process.modules.index_at(Avma(at)).is_some();
    let found = words.into_iter().filter_map(|at| panic_at(memory, at, is_of_module));
    let mut found: Vec<Panic> = found.filter(|panic| panic.handler >= sp).take(MOST).collect();
    // The one that was raised last would have been caught furthest inward.
    found.sort_by_key(|panic| panic.handler);
    Some(found)
}

/// The panic of the exception at `at`: `Exception { _Unwind_Exception { class, cleanup,
/// private: [0, handler] }, canary: *const u8, cause: Box<dyn Any + Send> }`, whose canary and
/// vtable are of a module.
fn panic_at(memory: &AddressSpace, at: u64, is_of_module: impl Fn(u64) -> bool) -> Option<Panic> {
    const WORD: u64 = 8;
    let word =
        |at: u64, nth: u64| memory.read_word(Avma(at.checked_add(nth.checked_mul(WORD)?)?)).ok();
    let mut class = [0; CLASS.len()];
    let is_class = at.is_multiple_of(WORD)
        && memory.word() as u64 == WORD
        && memory.read(Avma(at), &mut class).is_ok()
        && class == CLASS;
    if !is_class {
        return None;
    }
    let (cleanup, first, handler) = (word(at, 1)?, word(at, 2)?, word(at, 3)?);
    let (canary, payload, vtable) = (word(at, 4)?, word(at, 5)?, word(at, 6)?);
    if first != 0 || ![cleanup, canary, vtable].into_iter().all(is_of_module) {
        return None;
    }
    let text = match (word(vtable, 1)?, word(vtable, 2)?) {
        // `String` and `&str`; other types have other sizes, or are shown as no text.
        (24, WORD) => string(memory, payload),
        (16, WORD) => slice(memory, payload),
        _ => None,
    };
    Some(Panic { handler, text: text? })
}

/// The `String` at `at`: its capacity and its address in the order that rustc likes, then its
/// length.
fn string(memory: &AddressSpace, at: u64) -> Option<String> {
    let word = |offset: u64| memory.read_word(Avma(at.checked_add(offset)?)).ok();
    let (first, second, length) = (word(0)?, word(8)?, word(16)?);
    let is_there = |at: u64| memory.region_at(Avma(at)).is_some();
    let (address, capacity) = match (is_there(first), is_there(second)) {
        (true, false) => (first, second),
        (false, true) => (second, first),
        _ => return None,
    };
    (length <= capacity).then(|| str_at(memory, address, length)).flatten()
}

#[cfg(test)]
mod tests {
    use super::super::tests::memory;
    use super::*;

    const MODULE: u64 = 0x40_0000;

    fn found(exception: &[u64], vtable: &[u64], payload: &[u64]) -> Option<Panic> {
        let bytes = |words: &[u64]| -> Vec<u8> {
            words.iter().flat_map(|word| word.to_le_bytes()).collect()
        };
        let (exception, vtable, payload) = (bytes(exception), bytes(vtable), bytes(payload));
        let pages: [(u64, &[u8]); 4] = [
            (0x1000, &exception),
            (0x2000, &payload),
            (0x3000, b"no eggs left"),
            (MODULE, &vtable),
        ];
        panic_at(&memory(&pages), 0x1000, |at| at >= MODULE)
    }

    const EXCEPTION: [u64; 7] =
        [u64::from_le_bytes(CLASS), MODULE, 0, 0x7ffc_0000, MODULE, 0x2000, MODULE];

    #[test]
    fn the_payload_of_an_exception_is_a_string_or_a_literal() {
        let panic = Panic { handler: 0x7ffc_0000, text: "no eggs".to_owned() };
        let string = found(&EXCEPTION, &[MODULE, 24, 8], &[12, 0x3000, 7]);
        assert_eq!(string, Some(panic.clone()));
        assert_eq!(found(&EXCEPTION, &[0, 16, 8], &[0x3000, 7]), Some(panic));
    }

    #[test]
    fn what_has_another_class_no_canary_or_another_payload_is_no_panic() {
        let payload = [12, 0x3000, 7];
        let vtable = [MODULE, 24, 8];
        let with = |nth: usize, value: u64| {
            let mut exception = EXCEPTION;
            exception[nth] = value;
            found(&exception, &vtable, &payload)
        };
        assert_eq!(with(0, 0x474e_5543_432b_2b00), None);
        assert_eq!(with(2, 1), None);
        assert_eq!(with(4, 0x2000), None);
        assert_eq!(found(&EXCEPTION, &[MODULE, 4, 4], &payload), None);
    }
}
