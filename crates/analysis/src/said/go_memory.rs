//! What Go panicked with, read from the runtime's own records where no DWARF says where its
//! variables are (`runtime/runtime2.go`, `internal/abi/type.go`; 64-bit machines).

use super::stack::Stack;
use super::text_at;
use crate::goroutine;
use obit_corefile::addr::Avma;
use obit_corefile::memory::AddressSpace;
use obit_process::module::Modules;

/// Bytes of `gopanic`'s frame and those inward of it that are searched for the goroutine.
const STACK_BYTES: u64 = 1 << 14;
/// The field `_panic` of `g`, at the same place since Go 1.4.
const PANIC: u64 = 32;
/// No text of the runtime's own fatal errors is longer.
const MOST_TEXT: u64 = 200;
/// Where `arg`, an interface, lies in `_panic`.
const ARG: u64 = 8;
/// Fields of a runtime type.
mod runtime_type {
    pub(super) const FLAGS: u64 = 20;
    pub(super) const KIND: u64 = 23;
    /// `str`: where the name lies, from the start of all types.
    pub(super) const NAME: u64 = 40;
    /// Of the flags: the name has an asterisk too many.
    pub(super) const EXTRA_STAR: u8 = 2;
    pub(super) const KIND_MASK: u8 = 0x1f;
}

/// The text that the runtime prints for the panic of frame `panic`, which is of `gopanic`.
///
/// Before it ends the process, the runtime replaces an error by the text that its method
/// returned (`preprintpanics`).
pub(super) fn panicked_with(stack: &Stack<'_>, panic: usize) -> Option<String> {
    let thread = stack.process.threads.get(stack.thread)?;
    let outermost = stack.frames.get(panic)?.activation;
    let sp = stack.process.dump.machine.facts()?.sp;
    let end = thread.stack.frames.get(outermost)?.cfa?;
    let inward = thread.stack.frames.get(..=outermost)?.iter().rev();
    let own_stack = inward.take_while(|frame| !frame.is_signal);
    let start = own_stack.filter_map(|frame| frame.registers.get(sp)).last()?;
    let size = end.0.checked_sub(start)?.min(STACK_BYTES);
    let memory = &stack.process.memory;
    let records = records(memory, end.0.checked_sub(size)?, end.0);
    // Of two it could be either.
    let [record] = records.as_slice() else { return None };
    printed(memory, &stack.process.modules, *record)
}

/// The text that frame `throw`, of `throw` or `fatal`, was called with. Its place for the
/// argument is the first above its frame, for the convention of the stack as for that of
/// registers (`cmd/compile/abi-internal.md`, "spill space"). Such texts are constants.
pub(super) fn thrown_with(stack: &Stack<'_>, throw: usize) -> Option<String> {
    let thread = stack.process.threads.get(stack.thread)?;
    let memory = &stack.process.memory;
    let at = thread.stack.frames.get(stack.frames.get(throw)?.activation)?.cfa?;
    let (text, length) = (memory.read_word(at).ok()?, memory.read_word(at.checked_add(8)?).ok()?);
    let is_constant = memory.region_at(Avma(text)).is_some_and(|region| !region.permissions.write)
        && stack.process.modules.index_at(Avma(text)).is_some();
    let is_text = (1..=MOST_TEXT).contains(&length);
    let text = (is_constant && is_text).then(|| text_at(memory, Avma(text), length)).flatten()?;
    text.bytes().all(|byte| matches!(byte, b' '..=b'~')).then_some(text)
}

/// The panics that a goroutine whose address is kept between `start` and `end` of its own
/// stack lists first.
fn records(memory: &AddressSpace, start: u64, end: u64) -> Vec<u64> {
    let panic_of = |goroutine: u64| {
        let field = |at: u64| memory.read_word(Avma(goroutine.checked_add(at)?)).ok();
        let (low, high, panic) = (field(0)?, field(8)?, field(PANIC)?);
        (panic % 8 == 0 && (low..high).contains(&panic)).then_some(panic)
    };
    let goroutines = goroutine::on_stack(memory, start, end).into_iter();
    let mut found: Vec<u64> = goroutines.filter_map(panic_of).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// What the runtime prints for the panic at `record`: only of types that it knows itself.
fn printed(memory: &AddressSpace, modules: &Modules, record: u64) -> Option<String> {
    let word = |at: u64| memory.read_word(Avma(at)).ok();
    let type_at = word(record.checked_add(ARG)?)?;
    let data = word(record.checked_add(ARG)?.checked_add(8)?)?;
    let name = type_name(memory, modules, type_at)?;
    let number = |size: usize| {
        let bytes = memory.read_up_to(Avma(data), size);
        (bytes.len() == size).then(|| memory.unsigned(&bytes).cast_signed())
    };
    match (name.as_str(), kind(memory, type_at)?) {
        ("string", 24) => text_at(memory, Avma(word(data)?), word(data.checked_add(8)?)?),
        ("int", 2) | ("int64", 6) => Some(number(8)?.to_string()),
        ("int32", 5) => Some((number(4)? as i32).to_string()),
        _ => None,
    }
}

/// `reflect.Kind` of the runtime type at `at`.
fn kind(memory: &AddressSpace, at: u64) -> Option<u8> {
    Some(byte(memory, at.checked_add(runtime_type::KIND)?)? & runtime_type::KIND_MASK)
}

/// The name of the runtime type at `at`, which lies in a section that begins with all types.
fn type_name(memory: &AddressSpace, modules: &Modules, at: u64) -> Option<String> {
    let module = modules.module_at(Avma(at))?;
    let svma = module.to_svma(Avma(at)).0;
    let mut sections = module.image.as_ref()?.sections().iter();
    let section = sections.find(|section| {
        section.address.0 != 0
            && svma.checked_sub(section.address.0).is_some_and(|into| into < section.size)
    })?;
    let types = module.to_avma(section.address).0;
    let mut offset = [0; 4];
    memory.read(Avma(at.checked_add(runtime_type::NAME)?), &mut offset).ok()?;
    let name = types.checked_add(memory.unsigned(&offset))?;
    // A byte of flags, the length (one byte for names this short), the text.
    let length = byte(memory, name.checked_add(1)?)?;
    let text = text_at(memory, Avma(name.checked_add(2)?), u64::from(length))?;
    let flags = byte(memory, at.checked_add(runtime_type::FLAGS)?)?;
    match flags & runtime_type::EXTRA_STAR {
        0 => Some(text),
        _ => text.strip_prefix('*').map(str::to_owned),
    }
}

fn byte(memory: &AddressSpace, at: u64) -> Option<u8> {
    let mut byte = [0];
    memory.read(Avma(at), &mut byte).ok()?;
    let [byte] = byte;
    Some(byte)
}

#[cfg(test)]
mod tests {
    use super::super::tests::memory;
    use super::*;

    const STACK: u64 = 0xc000_0000;
    const GOROUTINE: u64 = 0xc001_0000;

    /// The records found if the goroutine, kept in the stack, has these bounds and this panic.
    fn found(low: u64, high: u64, panic: u64) -> Vec<u64> {
        let words = |words: &[u64]| -> Vec<u8> {
            words.iter().flat_map(|word| word.to_le_bytes()).collect()
        };
        let stack = words(&[7, GOROUTINE, 0, STACK, GOROUTINE, u64::MAX]);
        let goroutine = words(&[low, high, low, u64::MAX, panic]);
        records(&memory(&[(STACK, &stack), (GOROUTINE, &goroutine)]), STACK, STACK + 48)
    }

    #[test]
    fn the_panic_is_the_first_of_the_goroutine_whose_stack_it_is_on() {
        assert_eq!(found(STACK, STACK + 0x800, STACK + 0x100), [STACK + 0x100]);
    }

    #[test]
    fn what_has_another_stack_or_a_panic_elsewhere_is_no_goroutine_of_this_stack() {
        assert_eq!(found(STACK + 0x1000, STACK + 0x1800, STACK + 0x1100), [0_u64; 0]);
        assert_eq!(found(STACK, STACK + 0x800, STACK + 0x900), [0_u64; 0]);
        assert_eq!(found(STACK, STACK + 0x800, 0), [0_u64; 0]);
        assert_eq!(found(STACK, STACK + 0x800, STACK + 0x101), [0_u64; 0]);
    }
}
