//! Objects that were unloaded, by what is left of the dynamic linker's record of them
//! (`struct link_map` of glibc): freed, and as a rule not yet used again.

use obit_corefile::addr::{Avma, AvmaRange};
use obit_corefile::memory::AddressSpace;
use obit_process::process::Process;

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
/// Bytes of a name.
const NAME_BYTES: usize = 4096;
/// Characters that make a name: fewer occur by chance.
const LEAST_NAME: usize = 3;
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
    record.windows(2).find_map(|words| {
        let [start, end] = words else { return None };
        let encloses = (*start..*end).contains(&at.0);
        let fits = start & 0xfff == 0 && end.wrapping_sub(*start) < OBJECT_BYTES;
        (encloses && fits).then_some(*start)
    })
}

/// The first name of `struct libname_list`, which lies at the end of the record. The last
/// word of a freed block is the allocator's, so the name may have lost its end.
fn name(memory: &AddressSpace, list: u64) -> Option<String> {
    let name = memory.read_word(Avma(list)).ok()?;
    let bytes = memory.read_up_to(Avma(name), NAME_BYTES);
    let length = bytes.iter().position(|byte| !byte.is_ascii_graphic())?;
    let (name, rest) = bytes.split_at_checked(length)?;
    let is_cut = rest.first() != Some(&0);
    let name = String::from_utf8_lossy(name);
    (length >= LEAST_NAME).then(|| format!("{name}{}", if is_cut { "…" } else { "" }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use obit_corefile::testkit::CoreBuilder;
    use obit_process::process::Options;

    const HEAP: u64 = 0x60_0000;
    const RECORD: usize = 4;
    const OBJECT: u64 = 0x7000_0000_0000;

    /// A record at word 4 of the heap, whose first words the allocator used again.
    fn heap(name: &[u8]) -> Vec<u8> {
        let mut words = [0_u64; 64];
        words[RECORD] = 0x1234;
        words[RECORD + REAL] = HEAP + 8 * RECORD as u64;
        words[RECORD + LIBNAME] = HEAP + 8 * 40;
        words[RECORD + 20] = OBJECT;
        words[RECORD + 21] = OBJECT + 0x4018;
        words[40] = HEAP + 8 * 41;
        let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        bytes[8 * 41..][..name.len()].copy_from_slice(name);
        bytes
    }

    fn found(name: &[u8], at: u64) -> Option<Unloaded> {
        let bytes = heap(name);
        let library = OBJECT + 0x10_0000;
        let core = CoreBuilder::x86_64()
            .signal(11)
            .thread(1, &[("rip", at)])
            .files(&[(0x40_0000, 0x40_1000, 0, "/p"), (library, library + 0x1000, 0, "/l.so")])
            .segment_with(0x40_0000, b"", 0x1000, "rx")
            .segment(HEAP, &bytes, 0x1000)
            .segment_with(library, b"", 0x1000, "rx")
            .write();
        let process = Process::open(core.path(), Options::default(), &()).unwrap();
        assert_eq!(process.modules.list().len(), 2);
        let heap = AvmaRange::from_len(Avma(HEAP), 512);
        unloaded(&process, Avma(at), &[heap])
    }

    #[test]
    fn an_unloaded_object_is_named_by_the_freed_record_of_the_dynamic_linker() {
        let name = "./libplug.so".to_owned();
        let expected = Some(Unloaded { name, offset: 0x1156 });
        assert_eq!(found(b"./libplug.so\0", OBJECT + 0x1156), expected);
        assert_eq!(found(b"./libplug.so\0", OBJECT + 0x4018), None, "behind it");
        assert_eq!(found(b"\0", OBJECT + 0x1156), None, "without a name it is no record");
    }

    #[test]
    fn a_name_whose_end_was_overwritten_is_marked_as_cut() {
        let found = found(b"./libplu\xe0\x04\0", OBJECT + 0x1156).unwrap();
        assert_eq!(found.name, "./libplu…");
    }
}
