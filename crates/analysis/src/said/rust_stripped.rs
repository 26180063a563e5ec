//! Rust's panics in programs without symbols, found by the structures that the panic runtime
//! hands from function to function (`library/std/src/panicking.rs`, since Rust 1.80): the
//! payload with its vtable, and the `core::panic::Location` of the call.

use super::rust::{formatted, slice, str_at};
use super::stack::Stack;
use super::{Said, Speaker};
use obit_corefile::addr::Avma;
use obit_corefile::memory::AddressSpace;
use obit_process::process::{Frame, FrameTrust};

/// Bytes of the stack that are searched.
const STACK_BYTES: u64 = 1 << 16;
/// Bytes before a return address in which the call's arguments are put together.
const CALL_BYTES: u64 = 64;
/// Methods of `dyn PanicPayload`: `fmt`, `take_box`, `get`, `as_str`.
const METHODS: u64 = 4;
/// Bytes of a source file's path.
const PATH_BYTES: u64 = 1024;
/// Lines and columns that a source file may have.
const MOST_LINES: u32 = 10_000_000;

/// Where a panic was raised: `core::panic::Location`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Location {
    pub(super) file: String,
    pub(super) line: u32,
    pub(super) column: u32,
}

/// What a program without symbols panicked with, if it ended itself.
pub(super) fn said(stack: &Stack<'_>) -> Option<Said> {
    if !stack.is_aborted() && !stack.is_trapped() {
        return None;
    }
    // The code that ended the process, and all that called it in the same file.
    let first = stack.frames.iter().position(|frame| !stack.is_foreign(frame))?;
    let module = stack.frames.get(first)?.module?;
    let own = stack.frames.get(first..)?.iter();
    let is_unnamed = |at: &&Frame| {
        at.function.is_none() && at.module == Some(module) && at.trust != FrameTrust::Scan
    };
    let unnamed = own.take_while(is_unnamed).count();
    let end = first.checked_add(unnamed).filter(|_| unnamed > 0)?;
    // Where the last frame ends is not known if it was left by a scan.
    let ends = (first..=end).rev();
    let bounds = ends.filter_map(|end| stack.extent(end)).next()?;
    let words = stack_words(&stack.process.memory, bounds)?;
    let code = Code { stack, module };
    let texts = code.payloads(&words, bounds.0.0);
    let locations = code.locations(&words);
    // Of two texts it could be either; a payload without a place where it was raised is none.
    let ([text], false) = (texts.as_slice(), locations.is_empty()) else { return None };
    let frame = (first..end).find(|index| locations.iter().any(|at| code.names(*index, at.0)));
    let text = text.clone();
    let speaker = Speaker::RustPanic;
    Some(Said { speaker, text, exception: None, frame, subject: None, is_inferred: true })
}

/// Where the panic was raised that the function of frame `raised` called for.
pub(super) fn location(stack: &Stack<'_>, raised: usize) -> Option<Location> {
    let module = stack.frames.get(raised)?.module?;
    let words = stack_words(&stack.process.memory, stack.extent(raised)?)?;
    let code = Code { stack, module };
    let mut found = code.locations(&words);
    found.retain(|at| code.names(raised, at.0));
    match found.as_slice() {
        [(_, location)] => Some(location.clone()),
        _ => None,
    }
}

fn stack_words(memory: &AddressSpace, (start, end): (Avma, Avma)) -> Option<Vec<u64>> {
    let length = usize::try_from(end.0.checked_sub(start.0)?.min(STACK_BYTES)).ok()?;
    let bytes = memory.read_up_to(start, length);
    Some(bytes.chunks_exact(memory.word()).map(|word| memory.unsigned(word)).collect())
}

/// The module of a program, as values of its stack are held against it.
struct Code<'s, 'p> {
    stack: &'s Stack<'p>,
    module: usize,
}

impl Code<'_, '_> {
    /// The texts of the payloads that `words`, from the stack at `start`, lead to.
    fn payloads(&self, words: &[u64], start: u64) -> Vec<String> {
        let memory = &self.stack.process.memory;
        let size = memory.word() as u64;
        let mut found: Vec<String> = Vec::new();
        for pair in words.windows(2) {
            let [object, vtable] = pair else { continue };
            let is_near = object.checked_sub(start).is_some_and(|into| into < STACK_BYTES);
            if !is_near || !self.is_own(*vtable) {
                continue;
            }
            let field = |number: u64| self.word(vtable.checked_add(number.checked_mul(size)?)?);
            let has_methods =
                (3..3 + METHODS).all(|number| field(number).is_some_and(|at| self.is_code(at)));
            if field(2) != Some(size) || !has_methods {
                continue;
            }
            let drop = field(0);
            let text = match field(1).and_then(|bytes| bytes.checked_div(size)) {
                // `FormatStringPayload` drops its string.
                Some(4) if drop.is_some_and(|at| self.is_code(at)) => formatted(memory, *object),
                // `StaticStrPayload`.
                Some(2) if drop == Some(0) => slice(memory, *object),
                _ => None,
            };
            if let Some(text) = text.filter(|text| !found.contains(text)) {
                found.push(text);
            }
        }
        found
    }

    /// The locations that `words` lead to, each with its address.
    fn locations(&self, words: &[u64]) -> Vec<(u64, Location)> {
        let mut found: Vec<(u64, Location)> = Vec::new();
        for at in words {
            if self.is_own(*at)
                && !found.iter().any(|(known, _)| known == at)
                && let Some(location) = location_at(&self.stack.process.memory, *at)
            {
                found.push((*at, location));
            }
        }
        found
    }

    /// Whether the code of frame `index` names `at` shortly before its call, as x86-64 does: by
    /// its distance from the next instruction, or where that has a fixed place as it is.
    fn names(&self, index: usize, at: u64) -> bool {
        let process = self.stack.process;
        let found = || {
            let activation = self.stack.frames.get(index)?.activation;
            let thread = process.threads.get(self.stack.thread)?;
            let start = thread.stack.frames.get(activation)?.pc.0.checked_sub(CALL_BYTES)?;
            let bytes = process.memory.read_up_to(Avma(start), usize::try_from(CALL_BYTES).ok()?);
            let mut places = bytes.windows(4).zip(start..);
            Some(places.any(|(number, place)| {
                let number = process.memory.unsigned(number) as u32;
                let next = place.wrapping_add(4);
                let by_distance = next.wrapping_add_signed(i64::from(number.cast_signed()));
                by_distance == at || u64::from(number) == at
            }))
        };
        process.dump.machine == obit_corefile::arch::Machine::X86_64 && found().unwrap_or(false)
    }

    fn is_own(&self, at: u64) -> bool {
        self.stack.process.modules.index_at(Avma(at)) == Some(self.module)
    }

    fn is_code(&self, at: u64) -> bool {
        let region = self.stack.process.memory.region_at(Avma(at));
        self.is_own(at) && region.is_some_and(|region| region.permissions.execute)
    }

    fn word(&self, at: u64) -> Option<u64> {
        self.stack.process.memory.read_word(Avma(at)).ok()
    }
}

/// The `core::panic::Location` at `at`: a path, a line and a column from 1.
fn location_at(memory: &AddressSpace, at: u64) -> Option<Location> {
    let size = memory.word() as u64;
    let word = |offset: u64| memory.read_word(Avma(at.checked_add(offset)?)).ok();
    let half = |offset: u64| {
        let mut bytes = [0; 4];
        memory.read(Avma(at.checked_add(offset)?), &mut bytes).ok()?;
        u32::try_from(memory.unsigned(&bytes)).ok()
    };
    let length = word(size)?;
    if !at.is_multiple_of(size) || !(4..=PATH_BYTES).contains(&length) {
        return None;
    }
    let numbers = size.checked_mul(2)?;
    let (line, column) = (half(numbers)?, half(numbers.checked_add(4)?)?);
    if !(1..=MOST_LINES).contains(&line) || !(1..=MOST_LINES).contains(&column) {
        return None;
    }
    let file = str_at(memory, word(0)?, length)?;
    let is_path = file.ends_with(".rs") && !file.contains(char::is_control);
    is_path.then_some(Location { file, line, column })
}

#[cfg(test)]
mod tests {
    use super::super::tests::memory;
    use super::*;

    fn found(path: &[u8], length: u64, line: u32, column: u32) -> Option<Location> {
        let mut bytes: Vec<u8> =
            [0x2000, length].iter().flat_map(|word| word.to_le_bytes()).collect();
        bytes.extend([line, column].iter().flat_map(|number: &u32| number.to_le_bytes()));
        location_at(&memory(&[(0x1000, &bytes), (0x2000, path)]), 0x1000)
    }

    #[test]
    fn a_location_is_a_path_of_rust_with_line_and_column() {
        let expected = Location { file: "src/bill.rs".to_owned(), line: 10, column: 45 };
        assert_eq!(found(b"src/bill.rs", 11, 10, 45), Some(expected));
    }

    #[test]
    fn what_has_no_such_path_or_no_line_is_no_location() {
        assert_eq!(found(b"src/bill.cc", 11, 10, 45), None);
        assert_eq!(found(b"src/\x1bill.rs", 11, 10, 45), None);
        assert_eq!(found(b"src/bill.rs", 11, 0, 45), None);
        assert_eq!(found(b"src/bill.rs", 11, 10, u32::MAX), None);
        assert_eq!(found(b"src/bill.rs", 1 << 40, 10, 45), None);
    }
}
