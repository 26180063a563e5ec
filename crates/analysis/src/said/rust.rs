//! Rust's panics: the message as the panic runtime formatted it for the panic hook
//! (`library/std/src/panicking.rs`).

use super::stack::Stack;
use super::{Said, Speaker, Subject, TEXT_BYTES};
use obit_corefile::addr::Avma;
use obit_corefile::memory::AddressSpace;

/// Bytes of the stack that are searched for the payload: those of a handful of frames.
const STACK_BYTES: u64 = 1 << 16;
/// Words of a vtable that are looked at: size, alignment and destructor, then methods.
const VTABLE_WORDS: u64 = 8;

/// What Rust panicked with.
pub(super) fn said(stack: &Stack<'_>) -> Option<Said> {
    let at = stack.find(is_panicking)?;
    let is_of_panic = stack.is_aborted() || (stack.is_trapped() && stack.is_library_up_to(at));
    if !is_of_panic {
        return None;
    }
    let frame = stack.raised_below(at);
    let text = payload(stack, frame).or_else(|| by_function(stack, frame)).unwrap_or_default();
    // `library/core/src/panicking.rs`, since Rust 1.86: with debug assertions.
    const CHECK: &str = "core::panicking::panic_null_pointer_dereference";
    let subject = stack.find(|name| name.starts_with(CHECK)).map(|_| Subject::UsedPointer);
    Some(Said {
        speaker: Speaker::RustPanic,
        text,
        exception: None,
        frame,
        subject,
        is_inferred: false,
    })
}

/// Whether a function is of the panic runtime.
fn is_panicking(name: &str) -> bool {
    const STARTS: [&str; 5] = [
        "core::panicking::panic",
        "std::panicking::panic_with_hook",
        "std::panicking::panic_handler",
        "std::panicking::begin_panic",
        "std::panicking::rust_panic",
    ];
    matches!(name, "rust_panic" | "rust_begin_unwind")
        || STARTS.iter().any(|start| name.starts_with(start))
}

/// What the function that panicked says whenever it does.
fn by_function(stack: &Stack<'_>, end: Option<usize>) -> Option<String> {
    const TEXTS: [(&str, &str); 10] = [
        ("core::panicking::panic_cannot_unwind", "panic in a function that cannot unwind"),
        ("core::panicking::panic_in_cleanup", "panic in a destructor during cleanup"),
        ("core::panicking::panic_const::panic_const_add_overflow", "attempt to add with overflow"),
        (
            "core::panicking::panic_const::panic_const_sub_overflow",
            "attempt to subtract with overflow",
        ),
        (
            "core::panicking::panic_const::panic_const_mul_overflow",
            "attempt to multiply with overflow",
        ),
        (
            "core::panicking::panic_const::panic_const_neg_overflow",
            "attempt to negate with overflow",
        ),
        ("core::panicking::panic_const::panic_const_div_by_zero", "attempt to divide by zero"),
        (
            "core::panicking::panic_const::panic_const_rem_by_zero",
            "attempt to calculate the remainder with a divisor of zero",
        ),
        ("core::option::unwrap_failed", "called `Option::unwrap()` on a `None` value"),
        ("core::cell::panic_already_borrowed", "already borrowed"),
    ];
    let end = end.unwrap_or(stack.frames.len());
    TEXTS.iter().find_map(|(function, text)| {
        let at = stack.find(|name| name == *function)?;
        (at < end).then(|| (*text).to_owned())
    })
}

/// The message that lies in the frames of the panic runtime, inward of frame `end`: it
/// hands a `&mut dyn PanicPayload` from function to function, and the vtable's methods
/// show which type that is.
fn payload(stack: &Stack<'_>, end: Option<usize>) -> Option<String> {
    let (start, end) = stack.extent(end?)?;
    let memory = &stack.process.memory;
    let length = usize::try_from(end.0.checked_sub(start.0)?.min(STACK_BYTES)).ok()?;
    let bytes = memory.read_up_to(start, length);
    let words: Vec<u64> =
        bytes.chunks_exact(memory.word()).map(|word| memory.unsigned(word)).collect();
    let mut found: Vec<String> = Vec::new();
    for pair in words.windows(2) {
        let [object, vtable] = pair else { continue };
        // The object lies in the same frames or a little further out.
        let is_near = object.checked_sub(start.0).is_some_and(|into| into < STACK_BYTES);
        if !is_near {
            continue;
        }
        let text = match kind(stack, *vtable) {
            Some(Payload::Formatted) => formatted(memory, *object),
            Some(Payload::Literal) => slice(memory, *object),
            None => None,
        };
        if let Some(text) = text.filter(|text| !found.contains(text)) {
            found.push(text);
        }
    }
    // Of two it could be either.
    if found.len() > 1 { None } else { found.pop() }
}

/// The types of payload that are text.
enum Payload {
    /// `FormatStringPayload { inner: &fmt::Arguments, string: Option<String> }`.
    Formatted,
    /// `StaticStrPayload(&'static str)`; before the edition of 2021 `begin_panic`'s
    /// `Payload<&str>`.
    Literal,
}

/// Of which type a vtable's payload is.
fn kind(stack: &Stack<'_>, vtable: u64) -> Option<Payload> {
    let memory = &stack.process.memory;
    let word = memory.word() as u64;
    stack.process.modules.index_at(Avma(vtable))?;
    let entry = |number: u64| {
        let at = Avma(vtable).checked_add(number.checked_mul(word)?)?;
        memory.read_word(at).ok()
    };
    let (size, alignment) = (entry(1)?, entry(2)?);
    if alignment != word {
        return None;
    }
    let size = size.checked_div(word)?;
    (3..VTABLE_WORDS).find_map(|number| {
        let (name, offset) = stack.symbol_at(Avma(entry(number)?))?;
        let is_method = name.contains("PanicPayload") || name.contains("BoxMeUp");
        match () {
            () if offset != 0 || !is_method => None,
            () if name.contains("FormatStringPayload") && size == 4 => Some(Payload::Formatted),
            () if is_literal(&name) && size == 2 => Some(Payload::Literal),
            () => None,
        }
    })
}

/// Whether a method is of a payload that is a `&str` (`Re` in symbols of `_R…`).
fn is_literal(method: &str) -> bool {
    method.contains("StaticStrPayload")
        || (method.contains("begin_panic") && method.contains("PayloadReE"))
}

/// The string of a `FormatStringPayload`, if it has been made. rustc orders the members
/// as it likes: of the capacity and the address one can be read from.
pub(super) fn formatted(memory: &AddressSpace, object: u64) -> Option<String> {
    let word = memory.word() as u64;
    let mut found = [0, 1].into_iter().filter_map(|first: u64| {
        let at = |number: u64| {
            let number = first.checked_add(number)?;
            memory.read_word(Avma(object).checked_add(number.checked_mul(word)?)?).ok()
        };
        let (first, second, length) = (at(0)?, at(1)?, at(2)?);
        let is_there = |at: u64| memory.region_at(Avma(at)).is_some();
        let (address, capacity) = match (is_there(first), is_there(second)) {
            (true, false) => (first, second),
            (false, true) => (second, first),
            _ => return None,
        };
        if length == 0 || length > capacity { None } else { str_at(memory, address, length) }
    });
    found.next().filter(|_| found.next().is_none())
}

/// The `&str` that lies at `at`.
pub(super) fn slice(memory: &AddressSpace, at: u64) -> Option<String> {
    let length = memory.read_word(Avma(at).checked_add(memory.word() as u64)?).ok()?;
    str_at(memory, memory.read_word(Avma(at)).ok()?, length)
}

/// The `length` bytes at `at` if they are a Rust string, cut at [`TEXT_BYTES`].
pub(super) fn str_at(memory: &AddressSpace, at: u64, length: u64) -> Option<String> {
    let wanted = usize::try_from(length).map_or(TEXT_BYTES, |length| length.min(TEXT_BYTES));
    let mut bytes = memory.read_up_to(Avma(at), wanted);
    if bytes.len() < wanted {
        return None;
    }
    if let Err(error) = std::str::from_utf8(&bytes) {
        let is_cut = error.error_len().is_none() && (wanted as u64) < length;
        bytes.truncate(if is_cut { error.valid_up_to() } else { 0 });
    }
    String::from_utf8(bytes).ok().filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::super::tests::memory;
    use super::*;

    fn words(words: &[u64]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    #[test]
    fn the_string_of_a_payload_is_found_in_either_order_of_its_members() {
        let text = |object: &[u64]| {
            let pages = [(0x1000, words(object)), (0x2000, b"no eggs left".to_vec())];
            let pages: Vec<(u64, &[u8])> = pages.iter().map(|(at, b)| (*at, &b[..])).collect();
            formatted(&memory(&pages), 0x1000)
        };
        assert_eq!(text(&[0x10, 0x2000, 7, 0x1000]).as_deref(), Some("no eggs"));
        assert_eq!(text(&[0x1000, 0x2000, 0x10, 7]).as_deref(), Some("no eggs"));
    }

    #[test]
    fn a_string_that_has_not_been_made_is_no_text() {
        let object = words(&[1 << 63, 0, 0, 0x1000]);
        assert_eq!(formatted(&memory(&[(0x1000, &object)]), 0x1000), None);
    }

    #[test]
    fn a_text_must_be_whole_and_utf_8() {
        let memory = memory(&[(0x2000, b"caf\xc3\xa9 \xff")]);
        assert_eq!(str_at(&memory, 0x2000, 5).as_deref(), Some("caf\u{e9}"));
        assert_eq!(str_at(&memory, 0x2000, 4), None);
        assert_eq!(str_at(&memory, 0x2000, 7), None);
        assert_eq!(str_at(&memory, 0x2000, 0x10_0000), None);
    }

    #[test]
    fn functions_of_the_panic_runtime_are_known_by_name() {
        assert!(is_panicking("core::panicking::panic_bounds_check"));
        assert!(is_panicking("rust_begin_unwind"));
        assert!(!is_panicking("bakery::panic_fmt"));
    }
}
