//! `bufio.Writer` of Go (src/bufio/bufio.go): the first `n` bytes of `buf`.
//!
//! A writer is recognised by what it writes to: the table of functions of `*os.File` as an
//! `io.Writer` is at a known place, and in the two words before it are the buffer and `n`. The heap
//! says whether the program still has the writer and its buffer: those that were collected look
//! sound, and show what lies in their memory now.

use std::collections::BTreeMap;

use super::go_heap::{GoHeap, Held};
use super::{Candidate, Doubt, Finder, Gap, WriterKind};
use crate::memory::{Fields, places_of};
use obit_corefile::addr::{Avma, AvmaRange};
use obit_corefile::memory::AddressSpace;

/// Symbols of that table: Go 1.20 renamed them.
const TABLES: [&str; 4] = [
    "go:itab.*os.File,io.Writer",
    "go.itab.*os.File,io.Writer",
    "go:itab.*net.TCPConn,io.Writer",
    "go.itab.*net.TCPConn,io.Writer",
];
/// `struct { err error; buf []byte; n int; wr io.Writer }`.
const BUF: usize = 16;
const LENGTH: usize = 24;
const CAPACITY: usize = 32;
const USED: usize = 40;
const WRITER: u64 = 48;
const SIZE: usize = 64;
/// `bufio.NewWriterSize` takes any size; none that is believed is longer.
const LONGEST: u64 = 1 << 30;
/// `os.File` has a pointer to `struct { pfd poll.FD; name string; … }`; of `poll.FD` the
/// descriptor comes after a lock.
const DESCRIPTOR: usize = 16;
const NAME: usize = 56;
const LONGEST_NAME: u64 = 4096;

pub(super) fn find(finder: &mut Finder<'_>) {
    let process = finder.process;
    let modules = &process.modules;
    let Some(index) = modules.executable() else { return };
    let Some((module, debug)) = modules.get(index).zip(modules.debug(index)) else { return };
    if process.memory.word() != 8 {
        return;
    }
    let tables: Vec<u64> =
        TABLES.iter().filter_map(|name| Some(module.to_avma(debug.datum_named(name)?).0)).collect();
    if tables.is_empty() {
        // A program that has the package has this function; it may write to no file.
        if debug.function_named("bufio.(*Writer).Flush").is_some() {
            finder.gap(Gap::NoTypes(WriterKind::GoWriter));
        }
        return;
    }
    let (places, is_cut) = places_of(process, &tables);
    if is_cut {
        finder.gap(Gap::Cut);
    }
    let heap = GoHeap::of(process);
    let held = |at: Avma, is_buffer: bool, size: u64| match &heap {
        // Variables of the program are there for good.
        _ if process.modules.module_at(at).is_some() => Held::Yes,
        None => Held::Unknown,
        Some(heap) if is_buffer => heap.has_buffer(at, size),
        Some(heap) => heap.has_object(at, size),
    };
    let mut by_buffer: BTreeMap<u64, Vec<Candidate>> = BTreeMap::new();
    let mut collected = 0_u64;
    for (_, place) in places {
        let Some(at) = place.0.checked_sub(WRITER).map(Avma) else { continue };
        let Some((mut candidate, capacity)) = one(&process.memory, at) else { continue };
        let buffer = candidate.pending.start;
        match (held(at, false, SIZE as u64), held(buffer, true, capacity)) {
            (Held::Yes, Held::Yes) => {}
            (Held::No, _) | (_, Held::No) => {
                let had_bytes = candidate.pending.end > buffer;
                collected = collected.saturating_add(u64::from(had_bytes));
                continue;
            }
            _ => candidate.doubts.push(Doubt::Collected),
        }
        finder.saw(WriterKind::GoWriter);
        by_buffer.entry(buffer.0).or_default().push(candidate);
    }
    if collected > 0 {
        finder.gap(Gap::Collected(WriterKind::GoWriter, collected));
    }
    for same in by_buffer.into_values() {
        // One that was copied: which of the copies was written last is not known.
        let differ = same
            .windows(2)
            .any(|two| matches!(two, [one, other] if one.pending.end != other.pending.end));
        let longest = same.into_iter().max_by_key(|candidate| candidate.pending.end);
        let Some(mut candidate) = longest else { continue };
        if differ {
            candidate.doubts.push(Doubt::Copies);
        }
        finder.add(candidate);
    }
}

/// The writer at `at`, and the size of its buffer.
fn one(memory: &AddressSpace, at: Avma) -> Option<(Candidate, u64)> {
    let fields = Fields::read(memory, at, SIZE)?;
    let (buffer, length) = (fields.word(BUF)?, fields.word(LENGTH)?);
    let (capacity, used) = (fields.word(CAPACITY)?, fields.word(USED)?);
    let is_sound = buffer != 0
        && length > 0
        && length <= capacity
        && capacity <= LONGEST
        && used <= length
        && memory.region_at(Avma(buffer)).is_some_and(|region| region.permissions.write);
    if !is_sound {
        return None;
    }
    let file = fields.word(56).and_then(|file| memory.read_word(Avma(file)).ok());
    let file = file.and_then(|file| Fields::read(memory, Avma(file), NAME.checked_add(16)?));
    let descriptor = file.as_ref().and_then(|file| file.long(DESCRIPTOR));
    let path = file.as_ref().and_then(|file| {
        let length = file.word(NAME.checked_add(8)?).filter(|length| *length <= LONGEST_NAME)?;
        let name = memory.read_up_to(Avma(file.word(NAME)?), usize::try_from(length).ok()?);
        let is_name = !name.is_empty() && std::str::from_utf8(&name).is_ok();
        is_name.then_some(name)
    });
    let end = Avma(buffer.checked_add(used)?);
    let candidate = Candidate {
        kind: WriterKind::GoWriter,
        at,
        descriptor: descriptor.filter(|number| (0..1 << 20).contains(number)),
        path,
        pending: AvmaRange { start: Avma(buffer), end },
        is_first: false,
        doubts: Vec::new(),
    };
    Some((candidate, capacity))
}
