//! The proof that masked text is not in a scrubbed core.

use std::collections::HashSet;

use super::mask::MASK;
use super::phrases::{self, PHRASES};
use super::printable::is_printable;
use super::write::present;
use obit_corefile::addr::Avma;
use obit_corefile::dump::{AuxKind, CoreSegment, Dump, Signal};

/// `AT_PLATFORM`: the machine's name.
const PLATFORM: u64 = 15;
/// Bytes of the shortest text that is looked for.
const SHORTEST: usize = 6;
/// Texts of which no more windows are kept, so that a hostile core costs no more.
const MOST: usize = 1 << 23;
/// Bytes that are read at a time, and bytes that two reads have in common.
const CHUNK: u64 = 1 << 20;
const OVERLAP: u64 = 4096;

type Window = [u8; SHORTEST];

/// Where masked text of the original is in the scrubbed core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leak {
    /// Offset in the scrubbed core, bytes.
    pub offset: u64,
    /// How many bytes of masked text are there in a row.
    pub length: usize,
}

/// Looks in all of `scrubbed` for text of six bytes or more that it masks: text, in 8-bit
/// characters or UTF-16, that `original` holds in memory that both hold, and that is not
/// the same in `scrubbed`. Names of files are no leak: `NT_FILE` has them, and so are
/// bytes of memory that nothing could write, which are the files' own.
pub fn verify(scrubbed: &Dump, original: &Dump) -> Vec<Leak> {
    let mut masked = HashSet::new();
    for segment in scrubbed.segments.iter().filter(|segment| segment.dumped > 0) {
        compare(scrubbed, segment, original, &mut masked);
    }
    if let Some(process) = &original.process {
        let kept = scrubbed.process.as_ref().map(|kept| kept.arguments.as_bytes());
        collect(process.arguments.as_bytes(), kept.unwrap_or(&[]), &mut masked);
    }
    let public = shown(scrubbed);
    masked.retain(|window| !public.contains(window));
    find(scrubbed, &masked)
}

fn compare(scrubbed: &Dump, segment: &CoreSegment, original: &Dump, masked: &mut HashSet<Window>) {
    let Some(whole) = original.segment_at(segment.range.start) else { return };
    let into = segment.range.start.0.saturating_sub(whole.range.start.0);
    for_chunks(scrubbed, segment.offset, present(scrubbed, segment), |at, bytes| {
        let from = whole.offset.saturating_add(into).saturating_add(at - segment.offset);
        let mut was = original.bytes.read_vec(from, bytes.len() as u64);
        drop_addresses(original, segment.range.start.0 + (at - segment.offset), &mut was);
        collect(&was, bytes, masked);
        for phase in [0, 1] {
            collect(&narrowed(&was, phase), &narrowed(bytes, phase), masked);
        }
    });
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
fn shown(scrubbed: &Dump) -> HashSet<Window> {
    let mut public = HashSet::new();
    for file in &scrubbed.mapped_files {
        windows(file.path.as_os_str().as_encoded_bytes(), &mut public);
    }
    for phrase in PHRASES {
        windows(phrase, &mut public);
    }
    if let Some(process) = &scrubbed.process {
        windows(process.command.as_bytes(), &mut public);
        let program = process.arguments.split(' ').next().unwrap_or_default();
        windows(program.as_bytes(), &mut public);
    }
    for at in [scrubbed.auxv.get(AuxKind::ExecFn), scrubbed.auxv.get(PLATFORM)] {
        let Some(at) = at else { continue };
        let Some(segment) = scrubbed.segment_at(Avma(at)) else { continue };
        let offset = segment.offset.saturating_add(at - segment.range.start.0);
        let path = scrubbed.bytes.read_vec(offset, OVERLAP);
        windows(path.split(|byte| *byte == 0).next().unwrap_or(&[]), &mut public);
    }
    // Where threads were and what failed stays, even if it spells text.
    let places = scrubbed.threads.iter().flat_map(|thread| {
        let facts = scrubbed.machine.facts();
        let registers = facts.map(|facts| [facts.pc, facts.sp]).into_iter().flatten();
        registers.filter_map(|register| thread.registers.get(register))
    });
    let fault = scrubbed.signal.as_ref().and_then(Signal::address).map(|at| at.0);
    for place in places.chain(fault) {
        windows(&super::write::number(place, 8, scrubbed.encoding), &mut public);
    }
    for segment in scrubbed.segments.iter().filter(|s| s.dumped > 0 && !s.permissions.write) {
        for_chunks(scrubbed, segment.offset, present(scrubbed, segment), |_, bytes| {
            windows(bytes, &mut public);
            for phase in [0, 1] {
                windows(&narrowed(bytes, phase), &mut public);
            }
        });
    }
    public
}

/// Adds the text of `was` that is not the same in `is`.
fn collect(was: &[u8], is: &[u8], masked: &mut HashSet<Window>) {
    let differs = |at: usize| was.get(at) != is.get(at);
    let mut at = 0;
    while at < was.len() {
        let is_masked = |at: &usize| was.get(*at).is_some_and(|b| is_printable(*b)) && differs(*at);
        let length = (at..was.len()).take_while(is_masked).count();
        if length >= SHORTEST {
            windows(was.get(at..at + length).unwrap_or(&[]), masked);
        }
        at += length.max(1);
    }
}

/// The characters of UTF-16 text that are ASCII, zero for any other.
fn narrowed(bytes: &[u8], phase: usize) -> Vec<u8> {
    let pairs = bytes.get(phase..).unwrap_or(&[]).chunks_exact(2);
    pairs.map(|pair| if let [byte, 0] = pair { *byte } else { 0 }).collect()
}

fn windows(bytes: &[u8], to: &mut HashSet<Window>) {
    for window in bytes.windows(SHORTEST) {
        let is_text = window.iter().all(|byte| is_printable(*byte));
        // Filling says nothing: blanks, and what masks are made of.
        let as_many =
            |one: &u8| window.iter().filter(|byte| *byte == one || **byte == MASK).count();
        let is_filling = window.iter().any(|one| as_many(one) + 2 >= SHORTEST);
        if is_text
            && !is_filling
            && to.len() < MOST
            && let Ok(window) = Window::try_from(window)
        {
            to.insert(window);
        }
    }
}

fn find(scrubbed: &Dump, masked: &HashSet<Window>) -> Vec<Leak> {
    let mut leaks: Vec<Leak> = Vec::new();
    for_chunks(scrubbed, 0, scrubbed.bytes.len(), |at, bytes| {
        let mut look = |bytes: &[u8], width: u64, phase: u64| {
            for (nth, window) in bytes.windows(SHORTEST).enumerate() {
                let Ok(window) = Window::try_from(window) else { continue };
                if !masked.contains(&window) {
                    continue;
                }
                let offset = at + phase + nth as u64 * width;
                match leaks.last_mut() {
                    Some(last)
                        if last.offset + last.length as u64 > offset && last.offset <= offset =>
                    {
                        last.length = (offset - last.offset) as usize + SHORTEST * width as usize;
                    }
                    _ => leaks.push(Leak { offset, length: SHORTEST * width as usize }),
                }
            }
        };
        look(bytes, 1, 0);
        for phase in [0, 1] {
            look(&narrowed(bytes, phase), 2, phase as u64);
        }
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
    let phrases = phrases::find(&scrubbed.bytes.read_vec(start, size));
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
