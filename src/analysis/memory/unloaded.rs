//! Objects that were unloaded, by what is left of the dynamic linker's record of them
//! (`struct link_map` of glibc): freed, and as a rule not yet used again.

use crate::addr::{Avma, AvmaRange};
use crate::memory::AddressSpace;
use crate::process::Process;

/// An object that was loaded once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unloaded {
    /// What the program called it.
    pub name: String,
    /// Bytes from its start.
    pub offset: u64,
}

/// Bytes of a heap that are searched.
const HEAP_BYTES: u64 = 16 << 20;
/// Words of a record that are searched for the object's extent. It lies at 109 of 145
/// words in glibc 2.36.
const RECORD_WORDS: usize = 170;
/// Bytes that an object takes at most.
const OBJECT_BYTES: u64 = 1 << 30;
/// Words of the public part: `l_real`, which points at the record itself, and `l_libname`.
const REAL: usize = 5;
const LIBNAME: usize = 7;

/// The object that lay at `at` once.
pub(super) fn unloaded(process: &Process, at: Avma, heap: &[AvmaRange]) -> Option<Unloaded> {
    let memory = &process.memory;
    // Objects lie among objects.
    let modules = process.modules.list();
    let (first, last) = (modules.first()?.range.start, modules.last()?.range.end);
    if !(first..last).contains(&at) || process.modules.index_at(at).is_some() {
        return None;
    }
    let size = memory.word();
    let heap = heap.first()?;
    let bytes = usize::try_from(heap.len().min(HEAP_BYTES)).ok()?;
    let bytes = memory.read_up_to(heap.start, bytes);
    let words: Vec<u64> = bytes.chunks_exact(size).map(|word| memory.unsigned(word)).collect();
    let address = |index: usize| heap.start.0.wrapping_add((index * size) as u64);
    (0..words.len().saturating_sub(LIBNAME)).find_map(|index| {
        let record = words.get(index..)?;
        let is_record = record.get(REAL) == Some(&address(index));
        let record = record.get(..RECORD_WORDS.min(record.len())).filter(|_| is_record)?;
        let start = extent(record, at)?;
        let name = name(memory, *record.get(LIBNAME)?)?;
        Some(Unloaded { name, offset: at.0.checked_sub(start)? })
    })
}

/// `l_map_start`, if `l_map_end` follows and they enclose `at`.
fn extent(record: &[u64], at: Avma) -> Option<u64> {
    record.array_windows().find_map(|[start, end]| {
        let encloses = (*start..*end).contains(&at.0);
        let fits = start & 0xfff == 0 && end.wrapping_sub(*start) < OBJECT_BYTES;
        (encloses && fits).then_some(*start)
    })
}

/// The first name of `struct libname_list`.
fn name(memory: &AddressSpace, list: u64) -> Option<String> {
    let name = memory.read_word(Avma(list)).ok()?;
    let name = memory.read_c_string(Avma(name), 4096)?;
    let is_name = !name.is_empty() && name.iter().all(|byte| byte.is_ascii_graphic());
    is_name.then(|| String::from_utf8_lossy(&name).into_owned())
}
