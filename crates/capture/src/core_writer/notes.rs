//! The notes of a core, in the kernel's order (`fs/binfmt_elf.c`, `write_note_info`), and one of
//! obit's own behind them.

use std::io;

use obit_corefile::elf::{Encoding, SURROUNDINGS_NOTE, SURROUNDINGS_OWNER};

use super::fields::{Fields, push_word};
use super::image::Image;
use super::process_notes::Family;
use super::{process_notes, register_sets, siginfo, xsave_layout};
use crate::proc::{self, Mapping};
use crate::{Held, Tid, ptrace, surroundings};

const NT_PRSTATUS: u32 = 1;
const NT_PRPSINFO: u32 = 3;
const NT_AUXV: u32 = 6;
const NT_FILE: u32 = 0x4649_4c45;
const NT_SIGINFO: u32 = 0x5349_4749;
/// Notes are padded to this, in cores of both classes.
const ALIGNMENT: usize = 4;
/// The kernel leaves out `NT_FILE` when it is longer (`core_file_note_size_limit`).
const MOST_OF_FILES: usize = 16 << 20;

/// What could not be read, and why.
pub(super) type Problem = (&'static str, io::Error);

/// The content of `PT_NOTE`.
pub(super) fn of(
    held: &Held,
    image: &Image,
    mappings: &[Mapping],
    page: u64,
) -> Result<Vec<u8>, Problem> {
    let mut notes = Notes { bytes: Vec::new(), encoding: image.encoding };
    let family = Family::of(held.process).map_err(|error| ("the status", error))?;
    let mut layout = None;
    for (nth, thread) in held.threads.iter().enumerate() {
        let registers = match Registers::of(held, *thread, &family, image) {
            Ok(registers) => registers,
            // Killed while it was held; the others may still be whole.
            Err(_) if nth > 0 => continue,
            Err(error) => return Err(("the registers", error)),
        };
        notes.push(b"CORE", NT_PRSTATUS, &registers.status);
        if nth == 0 {
            of_process(&mut notes, held, &family, image, mappings, page)?;
        }
        for (kind, set) in &registers.sets {
            let is_of_core = *kind == register_sets::FLOATING_POINT;
            notes.push(if is_of_core { b"CORE" } else { b"LINUX" }, *kind, set);
            if *kind == register_sets::XSTATE && layout.is_none() {
                layout = xsave_layout::of_area(set, image.encoding);
            }
        }
    }
    if let Some(layout) = layout {
        notes.push(b"LINUX", xsave_layout::NOTE, &layout);
    }
    let surroundings = surroundings::of(held.process, held.with_memory(), mappings);
    if let Ok(surroundings) = serde_json::to_vec(&surroundings) {
        notes.push(SURROUNDINGS_OWNER, SURROUNDINGS_NOTE, &surroundings);
    }
    Ok(notes.bytes)
}

/// Those of the process as a whole, which are among those of its first thread.
fn of_process(
    notes: &mut Notes,
    held: &Held,
    family: &Family,
    image: &Image,
    mappings: &[Mapping],
    page: u64,
) -> Result<(), Problem> {
    let info =
        process_notes::info_of_process(held, family, image).map_err(|error| ("its name", error))?;
    notes.push(b"CORE", NT_PRPSINFO, &info);
    if let Some(info) = &held.signal_info {
        notes.push(b"CORE", NT_SIGINFO, &siginfo::of_class(info, image.encoding));
    }
    let auxv = proc::read(held.with_memory(), "auxv").map_err(|error| ("/proc/PID/auxv", error))?;
    notes.push(b"CORE", NT_AUXV, auxiliary_vector(&auxv, image.encoding));
    let files = mapped_files(mappings, page, image.encoding);
    if files.len() <= MOST_OF_FILES {
        notes.push(b"CORE", NT_FILE, &files);
    }
    Ok(())
}

/// What one thread adds.
struct Registers {
    status: Vec<u8>,
    sets: Vec<(u32, Vec<u8>)>,
}

impl Registers {
    fn of(held: &Held, thread: Tid, family: &Family, image: &Image) -> io::Result<Self> {
        let general = ptrace::register_set(thread, NT_PRSTATUS)?;
        let sets = register_sets::of_thread(image.number, thread)?;
        let has_floats = sets.iter().any(|(kind, _)| *kind == register_sets::FLOATING_POINT);
        let status =
            process_notes::status_of_thread(held, thread, family, image, &general, has_floats)?;
        Ok(Self { status, sets })
    }
}

struct Notes {
    bytes: Vec<u8>,
    encoding: Encoding,
}

impl Notes {
    fn push(&mut self, owner: &[u8], kind: u32, content: &[u8]) {
        let mut header = Fields::new(12, self.encoding);
        header.put(0, 4, owner.len().saturating_add(1) as u64);
        header.put(4, 4, content.len() as u64);
        header.put(8, 4, u64::from(kind));
        self.bytes.extend(header.into_bytes());
        for part in [owner, b"\0"] {
            self.bytes.extend(part);
        }
        self.pad();
        self.bytes.extend(content);
        self.pad();
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(ALIGNMENT), 0);
    }
}

/// Up to `AT_NULL`, which is part of it. The file of a 32-bit process may go on behind it.
fn auxiliary_vector(bytes: &[u8], encoding: Encoding) -> &[u8] {
    let pair = encoding.word().saturating_mul(2);
    let mut pairs = bytes.chunks_exact(pair);
    match pairs.position(|pair| encoding.word_at(pair, 0) == Some(0)) {
        Some(last) => bytes.get(..last.saturating_add(1).saturating_mul(pair)).unwrap_or(bytes),
        None => bytes,
    }
}

/// `NT_FILE` (`fill_files_note`): a count, the page size, where each file lies, their paths.
fn mapped_files(mappings: &[Mapping], page: u64, encoding: Encoding) -> Vec<u8> {
    let files: Vec<_> =
        mappings.iter().filter_map(|mapping| Some((mapping, mapping.file()?))).collect();
    let mut bytes = Vec::new();
    for word in [files.len() as u64, page] {
        push_word(&mut bytes, encoding, word);
    }
    for (mapping, _) in &files {
        let offset = mapping.offset.checked_div(page).unwrap_or_default();
        for word in [mapping.range.start, mapping.range.end, offset] {
            push_word(&mut bytes, encoding, word);
        }
    }
    for (_, path) in &files {
        bytes.extend(*path);
        bytes.push(0);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const I386: Encoding = Encoding { is_64: false, little_endian: true };

    #[test]
    fn owner_and_content_are_padded_to_four_bytes() {
        let mut notes = Notes { bytes: Vec::new(), encoding: I386 };
        notes.push(b"CORE", 1, b"abc");
        assert_eq!(notes.bytes[..12], [5, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0]);
        assert_eq!(&notes.bytes[12..], b"CORE\0\0\0\0abc\0");
    }

    #[test]
    fn the_auxiliary_vector_ends_with_its_null() {
        let bytes = [6, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 9, 0, 0, 0];
        assert_eq!(auxiliary_vector(&bytes, I386), &bytes[..16]);
        assert_eq!(auxiliary_vector(&bytes[..8], I386), &bytes[..8]);
    }

    #[test]
    fn offsets_of_files_are_in_pages_and_memory_without_a_file_is_left_out() {
        let file = Mapping {
            range: 0x1000..0x3000,
            offset: 0x2000,
            inode: 1,
            name: b"/a (deleted)".to_vec(),
            ..Mapping::default()
        };
        let heap = Mapping { name: b"[heap]".to_vec(), ..Mapping::default() };
        let note = mapped_files(&[heap, file], 4096, I386);
        let words: Vec<u64> =
            note[..20].chunks(4).map(|word| I386.word_at(word, 0).unwrap()).collect();
        assert_eq!(words, [1, 4096, 0x1000, 0x3000, 2]);
        assert_eq!(&note[20..], b"/a (deleted)\0");
    }
}
