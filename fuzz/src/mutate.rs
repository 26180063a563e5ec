//! Mutations that keep containers whole.

use libfuzzer_sys::fuzzer_mutate;

use crate::bases::{Base, bases};
use crate::framing::{Framing, frames};
use crate::layout::Layout;
use crate::random::Random;
use crate::script::{Edit, Operation, Part, Script};

/// Changes of one input.
const MOST_EDITS: usize = 48;
/// Numbers at which sizes, counts and signs turn.
const EDGES: [u64; 14] = [
    0,
    1,
    2,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x7fff_ffff_ffff_ffff,
    0x8000_0000_0000_0000,
    u64::MAX,
];

/// Changes the [`Script`] in `data[..size]`: one change more, another or less. `parts` are
/// the files that the target reads. For `fuzz_mutator!`.
pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32, parts: &[Part]) -> usize {
    let mut random = Random::new(seed);
    let mut script = Script::of(&data[..size]);
    for _ in 0..1 + random.below(3) {
        mutate_once(&mut script, parts, &mut random);
    }
    // The last changes are the ones that are cut off.
    while script.edits.len() > MOST_EDITS {
        script.edits.remove(random.below(MOST_EDITS));
    }
    let bytes = script.to_bytes(max_size.min(data.len()));
    data[..bytes.len()].copy_from_slice(&bytes);
    bytes.len()
}

/// The same of a script of the program alone behind `head` bytes of another meaning, or of a
/// whole file there.
pub fn mutate_behind(
    head: usize,
    data: &mut [u8],
    size: usize,
    max_size: usize,
    seed: u32,
) -> usize {
    let is_short = size.min(max_size) <= head;
    if is_short || data[head..size].starts_with(b"\x7fELF") {
        return fuzzer_mutate(data, size, max_size);
    }
    let (start, script) = data.split_at_mut(head);
    if seed.is_multiple_of(8) {
        fuzzer_mutate(start, head, head);
        return size.min(max_size);
    }
    head + mutate(script, size - head, max_size - head, seed, &[Part::Program])
}

fn mutate_once(script: &mut Script, parts: &[Part], random: &mut Random) {
    if random.one_in(64) {
        script.base = random.below(bases().len()) as u8;
    }
    if random.one_in(16) {
        script.choice = random.word() as u8;
    }
    let place = random.below(script.edits.len());
    match random.below(8) {
        0 if script.edits.len() > 1 => {
            script.edits.remove(place);
        }
        1..=3 if !script.edits.is_empty() => {
            let edit = &mut script.edits[place];
            let mut bytes = edit.bytes.clone();
            let length = bytes.len();
            bytes.resize(255, 0);
            let length = fuzzer_mutate(&mut bytes, length, (length * 2).clamp(4, 255));
            bytes.truncate(length);
            edit.bytes = bytes;
        }
        4 if !script.edits.is_empty() => {
            let edit = &mut script.edits[place];
            edit.offset = edit.offset.wrapping_add(random.below(17) as u16).wrapping_sub(8);
        }
        _ => {
            let edit = new_edit(script.base(), parts, random);
            script.edits.extend(edit);
        }
    }
}

fn new_edit(base: &Base, parts: &[Part], random: &mut Random) -> Option<Edit> {
    let part = *random.of(parts)?;
    let (file, layout) = files_of(base, part);
    let region = random.below(layout.regions.len());
    let chosen = layout.regions.get(region)?;
    let content = &file[chosen.range.clone()];
    let mut offset = random.below(content.len().min(1 << 16));
    let width = *random.of(&[1, 1, 1, 1, 2, 4, 8, layout.word()])?;
    if width > 1 && random.one_in(2) {
        offset -= offset % width;
    }
    let operation = match random.below(8) {
        6 if chosen.framing != Framing::Fixed => Operation::Insert,
        7 if chosen.framing != Framing::Fixed => Operation::Remove,
        _ => Operation::Overwrite,
    };
    let bytes = match operation {
        Operation::Remove => vec![0; 1 + random.below(16)],
        _ => new_bytes(base, &content[offset..], &chosen.name, width, random),
    };
    let (region, offset) = (region as u8, offset as u16);
    Some(Edit { part, operation, region, offset, bytes })
}

/// What to put before or over `old`, which is of a region called `name`.
fn new_bytes(base: &Base, old: &[u8], name: &str, width: usize, random: &mut Random) -> Vec<u8> {
    let layout = &base.program_layout;
    let present = layout.number(old, 0, width.min(old.len()));
    let number = match random.below(8) {
        0 => random.word(),
        1 => *random.of(&EDGES).unwrap_or(&0),
        2 => present ^ 1 << random.below(width * 8),
        3 => present.wrapping_add(random.below(33) as u64).wrapping_sub(16),
        // Pointers lead somewhere if they come from elsewhere in the crash.
        4 => {
            let memory = piece(&base.core, &base.core_layout, None, layout.word(), random);
            layout.number(memory, 0, memory.len())
        }
        5 => random.below(256) as u64,
        // What is valid in one place of such a table makes sense in another.
        6 => {
            let length = 1 + random.below(24);
            return piece(&base.program, layout, Some(name), length, random).to_vec();
        }
        _ => {
            let other = random.of(bases()).unwrap_or(base);
            let length = 1 + random.below(64);
            let taken = piece(&other.program, &other.program_layout, Some(name), length, random);
            return taken.to_vec();
        }
    };
    layout.bytes_of(number, width)
}

/// At most `length` bytes of a region of `file`, of one called `name` if there is one.
fn piece<'f>(
    file: &'f [u8],
    layout: &Layout,
    name: Option<&str>,
    length: usize,
    random: &mut Random,
) -> &'f [u8] {
    let named = layout.regions.iter().find(|region| Some(&*region.name) == name);
    let Some(region) = named.or_else(|| random.of(&layout.regions)) else { return &[] };
    let content = &file[region.range.clone()];
    let at = random.below(content.len().saturating_sub(length) + 1);
    content.get(at..).map_or(&[], |rest| &rest[..length.min(rest.len())])
}

fn files_of(base: &Base, part: Part) -> (&[u8], &Layout) {
    match part {
        Part::Core => (&base.core, &base.core_layout),
        Part::Program => (&base.program, &base.program_layout),
    }
}

/// Changes the content in `data[..size]` inside of one of its parts, whose length it corrects.
/// For targets whose input is one table.
pub fn mutate_frames(
    data: &mut [u8],
    size: usize,
    max_size: usize,
    seed: u32,
    framing: Framing,
    layout: &Layout,
) -> usize {
    let mut random = Random::new(seed);
    let mut content = data[..size].to_vec();
    let frames = frames(&content, framing, layout);
    let frame = random.of(&frames).filter(|frame| !frame.body.is_empty());
    let Some(frame) = frame.filter(|_| !random.one_in(8)) else {
        return fuzzer_mutate(data, size, max_size);
    };
    let body = &content[frame.body.clone()];
    // CIE pointers and the like are at the start: change what follows more often.
    let from = if random.one_in(4) { 0 } else { random.below(body.len()) };
    let mut changed = body[from..].to_vec();
    let length = changed.len();
    let room = max_size.saturating_sub(size).min(32);
    changed.resize(length + room, 0);
    let length = fuzzer_mutate(&mut changed, length, length + room);
    let at = frame.body.start + from;
    let old = frame.body.len() - from;
    framing.remove(&mut content, at, old, layout);
    framing.insert(&mut content, at, &changed[..length], layout);
    let length = content.len().min(max_size);
    data[..length].copy_from_slice(&content[..length]);
    length
}
