//! The proof that what is masked or hidden is not in a scrubbed core.

use super::write::present;
use super::{keys, typed};
use crate::report::BuildOptions;
use obit_corefile::addr::Avma;
use obit_corefile::dump::{AuxKind, CoreSegment, Dump, Signal};
use obit_process::process::Process;
use obit_redact::memory::{PHRASES, Places, Windows, find_phrases, is_card};

/// `AT_PLATFORM`: the machine's name.
const PLATFORM: u64 = 15;
/// Bytes that are read at a time, and bytes that two reads have in common.
const CHUNK: u64 = 1 << 20;
const OVERLAP: u64 = 4096;

/// The smallest number that is looked for: a smaller one may be another number.
const LEAST_NUMBER: u64 = 1 << 16;

/// What a leak is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaked {
    /// Masked text.
    Text,
    /// A hidden number.
    Number,
    /// A part of a key.
    Key,
}

impl Leaked {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Text => "masked text",
            Self::Number => "a hidden number",
            Self::Key => "a key",
        }
    }
}

/// Where something of the original that is masked or hidden is in the scrubbed core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leak {
    /// Offset in the scrubbed core, bytes.
    pub offset: u64,
    /// How many bytes of it are there in a row.
    pub length: usize,
    /// Of what.
    pub what: Leaked,
}

/// The numbers and keys that a report on a process hides.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    pub(super) places: Places,
}

/// Looks for them, as scrubbing does.
pub fn secrets(process: &Process, options: &BuildOptions) -> Secrets {
    let mut places = typed::learn(process, options).places;
    keys::add_by_structure(&process.dump, &mut places.keys);
    Secrets { places }
}

/// Looks in all of `scrubbed` for text of six bytes or more that it masks: text, in 8-bit
/// characters or UTF-16, that `original` holds in memory that both hold, and that is not
/// the same in `scrubbed`. Names of files are no leak: `NT_FILE` has them, and so are
/// bytes of memory that nothing could write, which are the files' own. And for the numbers
/// and keys among `secrets`: eight bytes of a key in the notes and in writable memory.
pub fn verify(scrubbed: &Dump, original: &Dump, secrets: &Secrets) -> Vec<Leak> {
    let mut masked = Windows::default();
    for segment in scrubbed.segments.iter().filter(|segment| segment.dumped > 0) {
        compare(scrubbed, segment, original, &mut masked);
    }
    if let Some(process) = &original.process {
        let kept = scrubbed.process.as_ref().map(|kept| kept.arguments.as_bytes());
        masked.add_masked(process.arguments.as_bytes(), kept.unwrap_or(&[]));
    }
    masked.remove(&shown(scrubbed));
    let mut leaks = find(scrubbed, &masked);
    find_keys(scrubbed, &secrets.places, &mut leaks);
    for segment in scrubbed.segments.iter().filter(|s| s.dumped > 0 && s.permissions.write) {
        find_numbers(scrubbed, segment, original, &secrets.places, &mut leaks);
    }
    leaks.sort_by_key(|leak| (leak.offset, leak.length));
    leaks.dedup_by_key(|leak| leak.offset);
    leaks
}

fn find_keys(scrubbed: &Dump, places: &Places, leaks: &mut Vec<Leak>) {
    if places.keys.is_empty() {
        return;
    }
    let mut look = |start: u64, bytes: &[u8]| {
        let found = places.keys.find(bytes).into_iter();
        leaks.extend(found.map(|range| Leak {
            offset: start + range.start as u64,
            length: range.len(),
            what: Leaked::Key,
        }));
    };
    // What nothing could write is the files' own.
    let segments = scrubbed.segments.iter().filter(|segment| segment.dumped > 0);
    let notes = segments.clone().map(|segment| segment.offset).min().unwrap_or(0);
    for_chunks(scrubbed, 0, notes, &mut look);
    for segment in segments.filter(|segment| segment.permissions.write) {
        for_chunks(scrubbed, segment.offset, present(scrubbed, segment), &mut look);
    }
}

/// Hidden numbers in aligned words of a segment that `original` holds there, too, unless they
/// are addresses. What else looks like one came about by masking a part of a word.
fn find_numbers(
    scrubbed: &Dump,
    segment: &CoreSegment,
    original: &Dump,
    places: &Places,
    leaks: &mut Vec<Leak>,
) {
    let encoding = scrubbed.encoding;
    let is_address = |value: u64| scrubbed.segment_at(Avma(value)).is_some();
    for_chunks(scrubbed, segment.offset, present(scrubbed, segment), |start, bytes| {
        let was = counterpart(segment, start, bytes.len(), original);
        for size in [4, 8] {
            for at in (0..bytes.len().saturating_sub(size - 1)).step_by(size) {
                let Some(value) = encoding.unsigned(bytes, at, size) else { continue };
                let is_hidden = value >= LEAST_NUMBER && places.is_hidden_value(value)
                    || size == 8 && is_card(value);
                let is_same = was
                    .as_ref()
                    .is_none_or(|was| was.get(at..at + size) == bytes.get(at..at + size));
                if is_hidden && is_same && !(size == encoding.word() && is_address(value)) {
                    let offset = start + at as u64;
                    leaks.push(Leak { offset, length: size, what: Leaked::Number });
                }
            }
        }
    });
}

fn compare(scrubbed: &Dump, segment: &CoreSegment, original: &Dump, masked: &mut Windows) {
    for_chunks(scrubbed, segment.offset, present(scrubbed, segment), |at, bytes| {
        let Some(mut was) = counterpart(segment, at, bytes.len(), original) else { return };
        drop_addresses(original, segment.range.start.0 + (at - segment.offset), &mut was);
        masked.add_all_masked(&was, bytes);
    });
}

/// The bytes of `original` at the addresses of the `length` bytes that `segment` has at `offset`
/// of its own file.
fn counterpart(
    segment: &CoreSegment,
    offset: u64,
    length: usize,
    original: &Dump,
) -> Option<Vec<u8>> {
    let whole = original.segment_at(segment.range.start)?;
    let into = segment.range.start.0.saturating_sub(whole.range.start.0);
    let from = whole.offset.saturating_add(into).saturating_add(offset - segment.offset);
    Some(original.bytes.read_vec(from, length as u64))
}

/// Addresses may spell text, and an address that is not wanted in one place is in others.
fn drop_addresses(original: &Dump, start: u64, bytes: &mut [u8]) {
    let word = original.encoding.word();
    let skip = (start.next_multiple_of(word as u64) - start) as usize;
    for word in bytes.get_mut(skip..).unwrap_or(&mut []).chunks_exact_mut(word) {
        let value = original.encoding.word_at(word, 0);
        if value.is_some_and(|value| original.segment_at(Avma(value)).is_some()) {
            word.fill(0);
        }
    }
}

/// What the scrubbed core shows by intent: paths of files and of the program, what runtimes
/// say, and bytes that nothing could write.
fn shown(scrubbed: &Dump) -> Windows {
    let mut public = Windows::default();
    for file in &scrubbed.mapped_files {
        let deleted: &[u8] = if file.deleted { b" (deleted)" } else { b"" };
        public.add(&[file.path.as_os_str().as_encoded_bytes(), deleted].concat());
    }
    for phrase in PHRASES {
        public.add(phrase);
    }
    if let Some(process) = &scrubbed.process {
        public.add(&process.command_bytes);
        let program = process.arguments.split(' ').next().unwrap_or_default();
        public.add(program.as_bytes());
    }
    for at in [scrubbed.auxv.get(AuxKind::ExecFn), scrubbed.auxv.get(PLATFORM)] {
        let Some(at) = at else { continue };
        let Some(segment) = scrubbed.segment_at(Avma(at)) else { continue };
        let offset = segment.offset.saturating_add(at - segment.range.start.0);
        let path = scrubbed.bytes.read_vec(offset, OVERLAP);
        public.add(path.split(|byte| *byte == 0).next().unwrap_or(&[]));
    }
    // Where threads were and what failed stays, even if it spells text.
    let places = scrubbed.threads.iter().flat_map(|thread| {
        let facts = scrubbed.machine.facts();
        let registers = facts.map(|facts| [facts.pc, facts.sp]).into_iter().flatten();
        registers.filter_map(|register| thread.registers.get(register))
    });
    let fault = scrubbed.signal.as_ref().and_then(Signal::address).map(|at| at.0);
    for place in places.chain(fault) {
        public.add(&super::write::number(place, 8, scrubbed.encoding));
    }
    for segment in scrubbed.segments.iter().filter(|s| s.dumped > 0 && !s.permissions.write) {
        for_chunks(scrubbed, segment.offset, present(scrubbed, segment), |_, bytes| {
            public.add_all(bytes);
        });
    }
    public
}

fn find(scrubbed: &Dump, masked: &Windows) -> Vec<Leak> {
    let mut leaks: Vec<Leak> = Vec::new();
    for_chunks(scrubbed, 0, scrubbed.bytes.len(), |start, bytes| {
        masked.find(bytes, |at, length| {
            let offset = start + at as u64;
            match leaks.last_mut() {
                Some(last)
                    if last.offset + last.length as u64 > offset && last.offset <= offset =>
                {
                    last.length = (offset - last.offset) as usize + length;
                }
                _ => leaks.push(Leak { offset, length, what: Leaked::Text }),
            }
        });
    });
    leaks.sort_by_key(|leak| leak.offset);
    leaks.dedup_by_key(|leak| leak.offset);
    leaks.retain(|leak| !is_library(scrubbed, leak.offset) && !is_phrase(scrubbed, leak));
    leaks
}

/// Whether runtimes say all of it, in phrases that follow each other.
fn is_phrase(scrubbed: &Dump, leak: &Leak) -> bool {
    let start = leak.offset.saturating_sub(OVERLAP);
    let size = leak.offset - start + (leak.length as u64).saturating_add(OVERLAP);
    let phrases = find_phrases(&scrubbed.bytes.read_vec(start, size));
    let at = (leak.offset - start) as usize;
    let is_said = |byte| phrases.iter().any(|(from, len)| (*from..from + len).contains(&byte));
    leak.length < OVERLAP as usize && (at..at + leak.length).all(is_said)
}

/// Whether the C string around `offset` is the dynamic linker's name for a library.
fn is_library(scrubbed: &Dump, offset: u64) -> bool {
    let start = offset.saturating_sub(OVERLAP);
    let bytes = scrubbed.bytes.read_vec(start, 2 * OVERLAP);
    let at = (offset - start) as usize;
    let before = bytes.get(..at).unwrap_or(&[]).split(|byte| *byte == 0).next_back();
    let after = bytes.get(at..).unwrap_or(&[]).split(|byte| *byte == 0).next();
    let name = [before.unwrap_or(&[]), after.unwrap_or(&[])].concat();
    name.contains(&b'/') && name.windows(3).any(|part| part == b".so")
}

/// Calls `visit` with offset and bytes of chunks that overlap, so that no text is cut.
fn for_chunks(dump: &Dump, offset: u64, size: u64, mut visit: impl FnMut(u64, &[u8])) {
    let mut done = 0;
    while done < size {
        let bytes = dump.bytes.read_vec(offset.saturating_add(done), CHUNK.min(size - done));
        if bytes.is_empty() {
            return;
        }
        visit(offset.saturating_add(done), &bytes);
        if done + CHUNK >= size {
            return;
        }
        done += CHUNK - OVERLAP;
    }
}
