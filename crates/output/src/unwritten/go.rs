//! `bufio.Writer` of Go (src/bufio/bufio.go): the first `n` bytes of `buf`.
//!
//! A writer is recognised by what it writes to: the table of functions of `*os.File` as an
//! `io.Writer` is at a known place, and in the two words before it are the buffer and `n`.

use std::collections::BTreeMap;

use super::{Candidate, Finder, Gap, WriterKind};
use crate::memory::{Fields, Stacks, places_of};
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
    let stacks = Stacks::of(process);
    let mut by_buffer: BTreeMap<u64, Vec<Candidate>> = BTreeMap::new();
    for (_, place) in places {
        let Some(at) = place.0.checked_sub(WRITER).map(Avma) else { continue };
        let Some(candidate) = one(&process.memory, at).filter(|_| !stacks.is_dead(at)) else {
            continue;
        };
        finder.saw(WriterKind::GoWriter);
        by_buffer.entry(candidate.pending.start.0).or_default().push(candidate);
    }
    for mut same in by_buffer.into_values() {
        // A stack that grew left a copy behind.
        let Some(last) = same.pop() else { continue };
        match same.iter().find(|other| other.pending.end != last.pending.end) {
            Some(other) => finder.gap(Gap::Disagree(WriterKind::GoWriter, other.at, last.at)),
            None => finder.add(last),
        }
    }
}

fn one(memory: &AddressSpace, at: Avma) -> Option<Candidate> {
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
    Some(Candidate {
        kind: WriterKind::GoWriter,
        at,
        descriptor: descriptor.filter(|number| (0..1 << 20).contains(number)),
        path,
        pending: AvmaRange { start: Avma(buffer), end },
        is_first: false,
        doubts: Vec::new(),
    })
}
