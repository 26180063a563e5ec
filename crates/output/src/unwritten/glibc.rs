//! Streams of glibc (`struct _IO_FILE_plus`, libio/bits/types/struct_FILE.h, libioP.h).
//!
//! The library itself, when a program exits, writes what is between `_IO_write_base` and
//! `_IO_write_ptr` of each stream of the list `_IO_list_all` (`_IO_flush_all`, libio/genops.c), and
//! of one in wide orientation the same of its `struct _IO_wide_data`.

use std::collections::BTreeSet;

use super::{Candidate, Doubt, Finder, Gap, Writer, WriterKind};
use crate::memory::{Fields, is_called, variables};
use obit_corefile::addr::{Avma, AvmaRange};
use obit_corefile::memory::AddressSpace;
use obit_process::module::{Module, ModuleKind};

/// Streams of one process that are looked at.
const MOST_STREAMS: usize = 1 << 16;
/// The upper half of `_flags`.
const MAGIC: u64 = 0xfbad_0000;
/// The longest buffer: `setvbuf` takes any, but a damaged one should not be read.
const LONGEST: u64 = 1 << 32;

/// Where the fields of a stream are.
#[derive(Clone, Copy)]
struct Layout {
    word: usize,
    chain: usize,
    descriptor: usize,
    shortbuf: usize,
    offset: usize,
    wide_data: usize,
    mode: usize,
    vtable: usize,
}

impl Layout {
    fn of(memory: &AddressSpace, is_i386: bool) -> Option<Self> {
        match memory.word() {
            8 => Some(Self {
                word: 8,
                chain: 104,
                descriptor: 112,
                shortbuf: 131,
                offset: 144,
                wide_data: 160,
                mode: 192,
                vtable: 216,
            }),
            4 if is_i386 => Some(Self {
                word: 4,
                chain: 52,
                descriptor: 56,
                shortbuf: 71,
                offset: 76,
                wide_data: 88,
                mode: 104,
                vtable: 148,
            }),
            _ => None,
        }
    }

    /// The offset of pointer number `nth` after `_flags`, which takes a word.
    fn pointer(self, nth: usize) -> usize {
        self.word.saturating_mul(nth.saturating_add(1))
    }
}

/// What is read of a stream.
struct Stream {
    at: Avma,
    chain: u64,
    descriptor: i64,
    /// What `_IO_flush_all` would write of the bytes.
    narrow: AvmaRange,
    /// What it would write of the wide characters.
    wide: Option<AvmaRange>,
    is_first: bool,
}

pub(super) fn find(finder: &mut Finder<'_>) {
    let process = finder.process;
    let library = process.modules.list().iter().position(is_libc);
    let program = || process.modules.executable();
    let Some(index) = library.or_else(program) else { return };
    let Some(module) = process.modules.get(index) else { return };
    let is_i386 = process.dump.machine == obit_corefile::arch::Machine::I386;
    let Some(layout) = Layout::of(&process.memory, is_i386) else {
        return finder.gap(Gap::Machine(WriterKind::CStream));
    };
    let reader = Reader { memory: &process.memory, layout, module };
    let head = process.modules.debug(index).and_then(|debug| debug.datum_named("_IO_list_all"));
    let head = head.map(|at| module.to_avma(at));
    let head = head.and_then(|at| process.memory.read_word(at).ok());
    let by_symbol = head.filter(|head| reader.stream(Avma(*head)).is_some());
    if let Some(damaged) = head.filter(|head| *head != 0 && by_symbol.is_none()) {
        finder.gap(Gap::DamagedList(Avma(damaged)));
    }
    let heads = match by_symbol {
        Some(head) => vec![head],
        // The list's own variable is among those that point to streams.
        None => variables(process, module).into_iter().map(|(_, word)| word).collect(),
    };
    let mut known = BTreeSet::new();
    for head in heads {
        let doubts = if by_symbol.is_some() { vec![] } else { vec![Doubt::ByLayout] };
        reader.walk(head, &doubts, &mut known, finder);
    }
    // A static program of another library has no streams of glibc.
    if known.is_empty() && (library.is_some() || module.kind != ModuleKind::Executable) {
        finder.gap(Gap::NoStreams);
    }
}

fn is_libc(module: &Module) -> bool {
    is_called(module, &["libc.so", "libc-2"])
}

struct Reader<'p> {
    memory: &'p AddressSpace,
    layout: Layout,
    /// That of the library, or the static program: the tables of functions are in it.
    module: &'p Module,
}

impl Reader<'_> {
    /// The streams of the list that begins at `head`.
    fn walk(
        &self,
        head: u64,
        doubts: &[Doubt],
        known: &mut BTreeSet<u64>,
        finder: &mut Finder<'_>,
    ) {
        let mut at = head;
        while at != 0 {
            if known.len() >= MOST_STREAMS {
                return finder.gap(Gap::Cut);
            }
            let Some(stream) = self.stream(Avma(at)) else {
                // The head of another list, or no stream at all.
                if at != head {
                    finder.gap(Gap::DamagedList(Avma(at)));
                }
                return;
            };
            if !known.insert(at) {
                return;
            }
            self.add(&stream, doubts, finder);
            at = stream.chain;
        }
    }

    /// The stream at `at`, if it is one.
    fn stream(&self, at: Avma) -> Option<Stream> {
        let layout = self.layout;
        if at.0 == 0 || !at.0.is_multiple_of(layout.word as u64) {
            return None;
        }
        let size = layout.vtable.checked_add(layout.word)?;
        let fields = Fields::read(self.memory, at, size)?;
        let flags = fields.number(0, 4)?;
        let pointer = |nth| fields.word(layout.pointer(nth));
        let vtable = fields.word(layout.vtable)?;
        let is_of_library = self.module.range.contains(Avma(vtable));
        if flags & 0xffff_0000 != MAGIC || !is_of_library {
            return None;
        }
        let (base, end) = (pointer(3)?, pointer(4)?);
        let (start, buffer_end) = (pointer(6)?, pointer(7)?);
        let short = at.0.checked_add(layout.shortbuf as u64)?;
        let is_own = start == short && buffer_end <= short.saturating_add(1);
        let is_sound = base <= end
            && start <= buffer_end
            && buffer_end.saturating_sub(start) <= LONGEST
            && (base == end || is_own || (start <= base && end <= buffer_end));
        if !is_sound {
            return None;
        }
        let mode = fields.int(layout.mode)?;
        let wide = if mode > 0 { self.wide(fields.word(layout.wide_data)?) } else { None };
        Some(Stream {
            at,
            chain: fields.word(layout.chain)?,
            descriptor: fields.int(layout.descriptor)?,
            narrow: AvmaRange { start: Avma(base), end: Avma(end) },
            wide,
            is_first: fields.long(layout.offset) == Some(0),
        })
    }

    /// The wide characters that were not converted (`struct _IO_wide_data`).
    fn wide(&self, at: u64) -> Option<AvmaRange> {
        let word = self.layout.word;
        let fields = Fields::read(self.memory, Avma(at), word.checked_mul(8)?)?;
        let at = |nth: usize| fields.word(word.checked_mul(nth)?);
        let (base, end, start, buffer_end) = (at(3)?, at(4)?, at(6)?, at(7)?);
        let is_sound = base <= end
            && end.saturating_sub(base).is_multiple_of(4)
            && (base == end || (start <= base && end <= buffer_end))
            && buffer_end.saturating_sub(start) <= LONGEST;
        is_sound.then_some(AvmaRange { start: Avma(base), end: Avma(end) })
    }

    fn add(&self, stream: &Stream, doubts: &[Doubt], finder: &mut Finder<'_>) {
        let descriptor = Some(stream.descriptor).filter(|descriptor| *descriptor >= 0);
        let mut doubts = doubts.to_vec();
        if descriptor.is_none() {
            doubts.push(Doubt::NoFile);
        }
        let Some(wide) = stream.wide else {
            finder.saw(WriterKind::CStream);
            return finder.add(Candidate {
                kind: WriterKind::CStream,
                at: stream.at,
                descriptor,
                path: None,
                pending: stream.narrow,
                is_first: stream.is_first,
                doubts,
            });
        };
        finder.saw(WriterKind::WideCStream);
        // What has been converted comes before what has not.
        let converted = finder.read(stream.narrow);
        let characters = finder.read(wide);
        let (mut bytes, mut omitted) = (Vec::new(), 0_u64);
        for (part, is_wide) in [(converted, false), (characters, true)] {
            let Some((part, before, missing)) = part else { continue };
            doubts.extend(missing.map(Doubt::Missing));
            omitted = omitted.saturating_add(before);
            match is_wide {
                true => bytes.extend(text_of_wide(self.memory, &part)),
                false => bytes.extend(part),
            }
        }
        if bytes.is_empty() {
            return;
        }
        doubts.extend(finder.being_written(stream.narrow));
        let (kind, at, path) = (WriterKind::WideCStream, stream.at, None);
        let is_first = stream.is_first;
        finder.push(Writer { kind, at, descriptor, path, bytes, omitted, is_first, doubts });
    }
}

/// The UTF-8 of characters of 32 bits.
pub(super) fn text_of_wide(memory: &AddressSpace, bytes: &[u8]) -> Vec<u8> {
    let characters = bytes.chunks_exact(4).map(|four| {
        let number = u32::try_from(memory.unsigned(four)).ok();
        number.and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
    });
    characters.collect::<String>().into_bytes()
}

/// The descriptor of the stream at `at`, which another writer has for its file.
pub(super) fn descriptor(memory: &AddressSpace, at: u64) -> Option<i64> {
    let layout = Layout::of(memory, memory.word() == 4)?;
    let fields = Fields::read(memory, Avma(at), layout.descriptor.checked_add(4)?)?;
    (at != 0 && fields.number(0, 4)? & 0xffff_0000 == MAGIC)
        .then(|| fields.int(layout.descriptor))?
}
