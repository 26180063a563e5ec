//! The command line, from the block the kernel lays at the bottom of the main stack:
//! argc, argv, NULL, environment, NULL, auxiliary vector (psABI, "Process Initialization").

use obit_corefile::addr::Avma;
use obit_corefile::dump::{AuxKind, Dump};
use obit_corefile::memory::AddressSpace;

/// Arguments that are read.
const MOST_ARGUMENTS: usize = 4096;
/// Bytes of one argument that are read.
const LONGEST_ARGUMENT: usize = 128 << 10;
/// Bytes of all arguments together.
const MOST_BYTES: usize = 4 << 20;
/// Bytes of stack below AT_EXECFN that are searched for the auxiliary vector. The strings
/// of arguments and environment lie between, a quarter of the stack limit at most.
const SEARCHED: u64 = 8 << 20;

/// The arguments, the program's own name first.
pub(super) fn argv(dump: &Dump, memory: &AddressSpace) -> Option<Vec<Vec<u8>>> {
    texts(memory, pointers(dump, memory)?)
}

/// Where the program's own name lies.
pub(super) fn program_name(dump: &Dump, memory: &AddressSpace) -> Option<Avma> {
    pointers(dump, memory)?.pop()
}

/// Where the arguments lie, the last first.
fn pointers(dump: &Dump, memory: &AddressSpace) -> Option<Vec<Avma>> {
    let auxv = auxiliary_vector(dump, memory)?;
    let word = memory.word() as u64;
    let slot = |index: u64| Some(Avma(auxv.0.checked_sub(index.checked_mul(word)?)?));
    let word_at = |index: u64| memory.read_word(slot(index)?).ok();
    // Slot 1 before the vector is the NULL after the environment; go down to the NULL
    // after the arguments, then on until the count fits.
    let mut index = 2;
    while word_at(index)? != 0 {
        index = next(index)?;
    }
    let mut pointers = Vec::new();
    loop {
        index = next(index)?;
        let value = word_at(index)?;
        if value == pointers.len() as u64 && is_argc(value) {
            break;
        }
        pointers.push(Avma(value));
        if pointers.len() > MOST_ARGUMENTS {
            return None;
        }
    }
    Some(pointers)
}

/// The environment: `NAME=value`, in the order the program was given it.
pub(super) fn environment(dump: &Dump, memory: &AddressSpace) -> Option<Vec<Vec<u8>>> {
    let auxv = auxiliary_vector(dump, memory)?;
    let word = memory.word() as u64;
    let mut pointers = Vec::new();
    // Slot 1 before the vector is the NULL after the environment.
    for index in 2.. {
        let slot = Avma(auxv.0.checked_sub(u64::checked_mul(index, word)?)?);
        let value = memory.read_word(slot).ok()?;
        // The NULL after the arguments.
        if value == 0 {
            break;
        }
        pointers.push(Avma(value));
        if pointers.len() > MOST_ARGUMENTS {
            return None;
        }
    }
    texts(memory, pointers)
}

/// The texts at `pointers`, last first.
fn texts(memory: &AddressSpace, pointers: Vec<Avma>) -> Option<Vec<Vec<u8>>> {
    let mut left = MOST_BYTES;
    let mut arguments = Vec::new();
    for pointer in pointers.into_iter().rev() {
        let argument = memory.read_c_string(pointer, LONGEST_ARGUMENT.min(left))?;
        left = left.saturating_sub(argument.len().saturating_add(1));
        arguments.push(argument);
    }
    Some(arguments)
}

/// A pointer is never this small: the first page is not mapped.
fn is_argc(value: u64) -> bool {
    (1..4096).contains(&value)
}

fn next(index: u64) -> Option<u64> {
    index.checked_add(1).filter(|index| *index < SEARCHED)
}

/// Where the auxiliary vector lies on the stack: the place that holds what the note holds.
pub(super) fn auxiliary_vector(dump: &Dump, memory: &AddressSpace) -> Option<Avma> {
    let name = Avma(dump.auxv.get(AuxKind::ExecFn)?);
    let range = memory.range_at(name)?;
    let start = Avma(name.0.saturating_sub(SEARCHED)).max(range.start);
    let size = usize::try_from(name.0.checked_sub(start.0)?).ok()?;
    let word = memory.word();
    let mut pattern = Vec::new();
    for (key, value) in dump.auxv.entries().iter().take(4) {
        for number in [*key, *value] {
            let bytes = number.to_le_bytes();
            let mut bytes = bytes.get(..word)?.to_vec();
            if !memory.is_little_endian() {
                bytes.reverse();
            }
            pattern.extend(bytes);
        }
    }
    if pattern.len() < 4 * word {
        return None;
    }
    // From the end: the vector lies right below the strings.
    let mut end = size;
    while end > 0 {
        let from = end.saturating_sub(64 << 10);
        let with_overlap = end.saturating_add(pattern.len()).min(size);
        let bytes = memory.read_up_to(Avma(start.0.checked_add(from as u64)?), with_overlap - from);
        let found = bytes.windows(pattern.len()).rposition(|window| window == pattern);
        if let Some(at) = found {
            return start.checked_add(from.checked_add(at)? as u64);
        }
        end = from;
    }
    None
}
