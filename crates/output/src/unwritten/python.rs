//! Writers of CPython: `io.BufferedWriter` and `io.BufferedRandom` (`buffered` of
//! Modules/_io/bufferedio.c) hold bytes from `write_pos` to `write_end`; an `io.TextIOWrapper`
//! (`textio` of Modules/_io/textio.c) holds text that it has not handed to its buffer.

use std::collections::BTreeMap;

use memchr::memmem;

use super::{Candidate, Doubt, Finder, Gap, Writer, WriterKind};
use crate::memory::{Fields, is_called, places_of};
use obit_corefile::addr::{Avma, AvmaRange};
use obit_corefile::memory::AddressSpace;
use obit_process::process::Process;

/// Bytes of the object before `ob_type`, and of a type before `tp_name`.
const TYPE: u64 = 8;
const TYPE_NAME: u64 = 24;
/// Names of types, as `tp_name` has them.
const NAMES: [&str; 4] =
    ["_io.BufferedWriter", "_io.BufferedRandom", "_io.TextIOWrapper", "_io.FileIO"];
/// Bytes that are searched for the names in one go.
const PIECE: usize = 1 << 20;
/// Bytes of memory that are searched for the names.
const BUDGET: u64 = 256 << 20;
/// Places of a name that are followed.
const MOST_NAMES: usize = 256;
/// Pieces of text that a writer keeps.
const MOST_PIECES: u64 = 1 << 16;
const LONGEST: u64 = 1 << 30;
/// Bytes of the smallest of these objects, `_io.FileIO`.
const LEAST_OBJECT: u64 = 32;

pub(super) fn find(finder: &mut Finder<'_>) {
    let process = finder.process;
    let is_python =
        process.modules.list().iter().any(|module| is_called(module, &["python", "libpython"]));
    if !is_python || process.memory.word() != 8 {
        return;
    }
    let (types, mut is_cut) = types(process);
    if types.is_empty() {
        return finder.gap(Gap::NoTypes(WriterKind::PythonBuffer));
    }
    let words: Vec<u64> = types.iter().map(|(at, _)| *at).collect();
    let (places, more) = places_of(process, &words);
    is_cut |= more;
    let files: Vec<u64> =
        types.iter().filter(|(_, name)| *name == NAMES[3]).map(|(at, _)| *at).collect();
    let mut buffers = BTreeMap::new();
    let mut texts = Vec::new();
    for (which, place) in places {
        let Some((_, name)) = types.get(which) else { continue };
        let Some(at) = place.0.checked_sub(TYPE).map(Avma) else { continue };
        match *name {
            "_io.TextIOWrapper" => texts.push(at),
            "_io.BufferedWriter" | "_io.BufferedRandom" => {
                if let Some(buffer) = Buffer::read(&process.memory, at, &files) {
                    buffers.insert(at.0, buffer);
                }
            }
            _ => {}
        }
    }
    let mut texts: BTreeMap<u64, Text> = texts
        .into_iter()
        .filter_map(|at| Text::read(&process.memory, at))
        .map(|text| (text.buffer, text))
        .collect();
    for (at, buffer) in &buffers {
        let at = Avma(*at);
        match texts.remove(&at.0) {
            Some(text) => {
                finder.saw(WriterKind::PythonText);
                text.add(finder, at, buffer);
            }
            None => {
                finder.saw(WriterKind::PythonBuffer);
                finder.add(buffer.candidate(at));
            }
        }
    }
    if is_cut {
        finder.gap(Gap::Cut);
    }
}

/// Addresses of types, each with its name, and whether some memory was not searched.
fn types(process: &Process) -> (Vec<(u64, &'static str)>, bool) {
    let (names, mut is_cut) = names(process);
    let words: Vec<u64> = names.iter().map(|(at, _)| *at).collect();
    let (places, more) = places_of(process, &words);
    is_cut |= more;
    let mut types = Vec::new();
    for (which, place) in places {
        let Some((_, name)) = names.get(which) else { continue };
        let Some(at) = place.0.checked_sub(TYPE_NAME) else { continue };
        // The size of an object of it follows.
        let size = process.memory.read_word(Avma(at.saturating_add(TYPE_NAME.saturating_add(8))));
        if size.is_ok_and(|size| (LEAST_OBJECT..4096).contains(&size)) {
            types.push((at, *name));
        }
    }
    (types, is_cut)
}

/// Where the names are: in the read-only data of Python, or on its heap.
fn names(process: &Process) -> (Vec<(u64, &'static str)>, bool) {
    let memory = &process.memory;
    let mut found = Vec::new();
    let mut left = BUDGET;
    let finders = NAMES.map(|name| (name, memmem::Finder::new(name)));
    for region in memory.regions() {
        let module = process.modules.module_at(region.range.start);
        let is_code = region.permissions.execute;
        let is_of_python =
            module.is_some_and(|module| is_called(module, &["python", "libpython", "_io"]));
        if is_code || (!is_of_python && !region.permissions.write) {
            continue;
        }
        let mut at = region.range.start;
        while at.0 < region.range.end.0 {
            if left == 0 || found.len() >= MOST_NAMES {
                return (found, true);
            }
            // What may be cut by the end of a piece begins the next.
            let overlap = 32_u64;
            let size = region.range.end.0.saturating_sub(at.0).min(PIECE as u64);
            let bytes = memory.peek_up_to(at, usize::try_from(size).unwrap_or(0));
            for (name, finder) in &finders {
                for into in finder.find_iter(&bytes) {
                    let after = bytes.get(into.saturating_add(name.len()));
                    if after == Some(&0) && found.len() < MOST_NAMES {
                        found.push((at.0.saturating_add(into as u64), *name));
                    }
                }
            }
            if size < PIECE as u64 || (bytes.len() as u64) < size {
                break;
            }
            left = left.saturating_sub(size);
            at = Avma(at.0.saturating_add(size.saturating_sub(overlap)));
        }
    }
    found.sort_unstable();
    found.dedup();
    (found, false)
}

/// An `io.BufferedWriter`.
struct Buffer {
    pending: AvmaRange,
    descriptor: Option<i64>,
    /// What it writes to is no `io.FileIO`.
    has_no_file: bool,
    is_first: bool,
}

impl Buffer {
    /// The fields of CPython 3.8 to 3.13.
    fn read(memory: &AddressSpace, at: Avma, files: &[u64]) -> Option<Self> {
        const SIZE: usize = 136;
        let fields = Fields::read(memory, at, SIZE)?;
        let (raw, is_ok) = (fields.word(16)?, fields.int(24)?);
        let is_writable = fields.int(36)?;
        let buffer = fields.word(56)?;
        let raw_position = fields.long(48)?;
        let (start, end) = (fields.long(88)?, fields.long(96)?);
        let (size, mask) = (fields.word(120)?, fields.word(128)?);
        let is_mask = mask == 0 || mask.checked_add(1) == Some(size);
        let is_alive = fields.word(0)? != 0;
        let is_sound = is_alive
            && is_ok == 1
            && is_writable == 1
            && size > 0
            && size <= LONGEST
            && is_mask
            && memory.region_at(Avma(buffer)).is_some_and(|region| region.permissions.write);
        if !is_sound {
            return None;
        }
        let raw_fields = Fields::read(memory, Avma(raw), 24)?;
        let is_file = files.contains(&raw_fields.word(8)?);
        let descriptor = if is_file { raw_fields.int(16) } else { None };
        // A closed file has no descriptor.
        if descriptor.is_some_and(|number| number < 0) {
            return None;
        }
        // `write_end` is -1 where nothing is to be written.
        let pending = if end >= 0 && start >= 0 && start <= end && end.cast_unsigned() <= size {
            AvmaRange {
                start: Avma(buffer.checked_add(start.cast_unsigned())?),
                end: Avma(buffer.checked_add(end.cast_unsigned())?),
            }
        } else if end == -1 {
            AvmaRange { start: Avma(buffer), end: Avma(buffer) }
        } else {
            return None;
        };
        let has_no_file = !files.is_empty() && !is_file;
        Some(Self { pending, descriptor, has_no_file, is_first: raw_position == 0 })
    }

    fn candidate(&self, at: Avma) -> Candidate {
        Candidate {
            kind: WriterKind::PythonBuffer,
            at,
            descriptor: self.descriptor,
            path: None,
            pending: self.pending,
            is_first: self.is_first,
            doubts: self.has_no_file.then_some(Doubt::NoFile).into_iter().collect(),
        }
    }
}

/// An `io.TextIOWrapper`.
struct Text {
    buffer: u64,
    /// `None`, `bytes`, `str` or a `list` of these.
    pending: u64,
    count: u64,
}

impl Text {
    /// The fields of CPython 3.8 to 3.13.
    fn read(memory: &AddressSpace, at: Avma) -> Option<Self> {
        const SIZE: usize = 160;
        let fields = Fields::read(memory, at, SIZE)?;
        let is_ok = fields.int(16)? == 1 && fields.int(20)? == 0 && fields.word(0)? != 0;
        let (pending, count) = (fields.word(136)?, fields.word(144)?);
        let is_sound = is_ok && count <= LONGEST && (pending == 0) == (count == 0);
        is_sound.then_some(Self { buffer: fields.word(32)?, pending, count })
    }

    /// Adds what the buffer holds, and after it what it was not handed yet.
    fn add(&self, finder: &mut Finder<'_>, at: Avma, buffer: &Buffer) {
        let mut candidate = buffer.candidate(at);
        candidate.kind = WriterKind::PythonText;
        if self.count == 0 {
            return finder.add(candidate);
        }
        let (mut bytes, omitted, missing) =
            finder.read(buffer.pending).unwrap_or((Vec::new(), 0, None));
        let mut doubts = candidate.doubts;
        doubts.extend(missing.map(Doubt::Missing));
        let pieces = pieces(finder.memory(), self.pending);
        match pieces.filter(|bytes| bytes.len() as u64 == self.count) {
            Some(text) => bytes.extend(text),
            None => doubts.push(Doubt::Unread),
        }
        let Candidate { kind, at, descriptor, path, is_first, .. } = candidate;
        finder.push(Writer { kind, at, descriptor, path, bytes, omitted, is_first, doubts });
    }
}

/// The bytes of an object that is `bytes`, `str` or a list of these.
fn pieces(memory: &AddressSpace, object: u64) -> Option<Vec<u8>> {
    if let Some(one) = piece(memory, object) {
        return Some(one);
    }
    // `PyListObject`: the size, then where the items are.
    let fields = Fields::read(memory, Avma(object), 32)?;
    let count = fields.word(16).filter(|count| *count <= MOST_PIECES)?;
    let items = fields.word(24)?;
    let mut all = Vec::new();
    for nth in 0..count {
        let at = items.checked_add(nth.checked_mul(8)?)?;
        all.extend(piece(memory, memory.read_word(Avma(at)).ok()?)?);
    }
    Some(all)
}

/// The bytes of an object that is `bytes` or a `str` of ASCII.
fn piece(memory: &AddressSpace, object: u64) -> Option<Vec<u8>> {
    let fields = Fields::read(memory, Avma(object), 40)?;
    let name = memory.read_word(Avma(fields.word(8)?.checked_add(TYPE_NAME)?)).ok()?;
    let name = memory.read_c_string(Avma(name), 16)?;
    let length = fields.word(16).filter(|length| *length <= LONGEST)?;
    let start = match name.as_slice() {
        // `PyBytesObject`: the size, the hash, the bytes.
        b"bytes" => 32,
        // `PyASCIIObject`: the length, the hash, the state; compact and ASCII. Until 3.11 a
        // pointer follows.
        b"str" => {
            let state = fields.number(32, 4)?;
            let is_ascii = state & 0b0110_0000 == 0b0110_0000;
            let has_pointer = memory.read_word(Avma(object.checked_add(40)?)).ok() == Some(0);
            if !is_ascii {
                return None;
            }
            if has_pointer { 48 } else { 40 }
        }
        _ => return None,
    };
    let at = Avma(object.checked_add(start)?);
    let bytes = memory.read_up_to(at, usize::try_from(length).ok()?);
    (bytes.len() as u64 == length).then_some(bytes)
}
