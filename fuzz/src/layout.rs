//! Where the contents of an ELF file are, and how one of another length is put in.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::framing::Framing;

const SHT_NOBITS: u64 = 8;
const SHF_ALLOC: u64 = 2;
const PT_LOAD: u64 = 1;
const PT_NOTE: u64 = 4;
const ET_CORE: u64 = 4;

/// A part of a file that may be changed while the headers stay as they are.
#[derive(Clone, Debug)]
pub struct Region {
    /// The section's name, or what a segment of a core is.
    pub name: String,
    /// Where it is in the file.
    pub range: Range<usize>,
    /// How its length can change.
    pub framing: Framing,
    /// Where its header has its offset and its size; `None` if it has to stay where it is.
    header: Option<[usize; 2]>,
}

/// The regions of one file.
#[derive(Clone, Debug)]
pub struct Layout {
    /// `ELFCLASS64`.
    pub is_64: bool,
    /// `ELFDATA2LSB`.
    pub little_endian: bool,
    /// In the order of the headers.
    pub regions: Vec<Region>,
}

impl Layout {
    /// The regions of `file`: sections of a program, segments of a core.
    ///
    /// # Panics
    /// When `file` is not a whole ELF file: fixtures are.
    pub fn of(file: &[u8]) -> Self {
        let (is_64, little_endian) = (file[4] == 2, file[5] == 1);
        let mut layout = Self { is_64, little_endian, regions: Vec::new() };
        layout.regions = match layout.number(file, 16, 2) == ET_CORE {
            true => layout.segments(file),
            false => layout.sections(file),
        };
        let tables = layout.tables(file);
        layout.regions.extend(tables);
        layout
    }

    /// The unsigned number of `width` bytes at `at`.
    pub fn number(&self, bytes: &[u8], at: usize, width: usize) -> u64 {
        let bytes = bytes.get(at..at + width).unwrap_or_default();
        let add = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
        match self.little_endian {
            true => bytes.iter().rev().fold(0, add),
            false => bytes.iter().fold(0, add),
        }
    }

    /// `value` as `width` bytes.
    pub fn bytes_of(&self, value: u64, width: usize) -> Vec<u8> {
        let mut bytes = value.to_le_bytes()[..width].to_vec();
        if !self.little_endian {
            bytes.reverse();
        }
        bytes
    }

    /// Bytes of an address.
    pub fn word(&self) -> usize {
        if self.is_64 { 8 } else { 4 }
    }

    /// The bytes of `file` with other contents of some regions, by index. Content of another
    /// length goes to the end of the file; where that cannot be, it is cut to its room.
    pub fn with(&self, file: &[u8], contents: &BTreeMap<usize, Vec<u8>>) -> Vec<u8> {
        let mut file = file.to_vec();
        for (index, content) in contents {
            let Some(region) = self.regions.get(*index) else { continue };
            let Some(header) = region.header.filter(|_| content.len() != region.range.len()) else {
                let room = content.len().min(region.range.len());
                file[region.range.start..][..room].copy_from_slice(&content[..room]);
                continue;
            };
            file.resize(file.len().next_multiple_of(16), 0);
            for (at, value) in header.into_iter().zip([file.len(), content.len()]) {
                let bytes = self.bytes_of(value as u64, self.word());
                file[at..][..bytes.len()].copy_from_slice(&bytes);
            }
            file.extend(content);
        }
        file
    }

    /// The tables of segments and sections: one region of many, so that most inputs leave them
    /// alone. The ELF header stays.
    fn tables(&self, file: &[u8]) -> Vec<Region> {
        let word = self.word();
        let (at, sizes_at) = if self.is_64 { ([32, 40], 54) } else { ([28, 32], 42) };
        let names = ["program headers", "section headers"];
        let table = |nth: usize| {
            let start = self.number(file, at[nth], word) as usize;
            let size = self.number(file, sizes_at + 4 * nth, 2);
            let count = self.number(file, sizes_at + 4 * nth + 2, 2);
            let range = start..start + (size * count) as usize;
            let name = names[nth].to_owned();
            Region { name, range, framing: Framing::Fixed, header: None }
        };
        [table(0), table(1)].into_iter().filter(|region| !region.range.is_empty()).collect()
    }

    fn sections(&self, file: &[u8]) -> Vec<Region> {
        let word = self.word();
        let (table, count, names) = match self.is_64 {
            true => (self.number(file, 40, 8), 60, 62),
            false => (self.number(file, 32, 4), 48, 50),
        };
        let (size, offset_at) = if self.is_64 { (64, 24) } else { (40, 16) };
        let header = |index: u64| (table + index * size) as usize;
        let range = |header: usize| {
            let start = self.number(file, header + offset_at, word) as usize;
            start..start + self.number(file, header + offset_at + word, word) as usize
        };
        let names = &file[range(header(self.number(file, names, 2)))];
        let mut regions = Vec::new();
        for index in 1..self.number(file, count, 2) {
            let header = header(index);
            let name = &names[self.number(file, header, 4) as usize..];
            let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
            let name = String::from_utf8_lossy(name).into_owned();
            let range = range(header);
            // Without the build ID, and names of sections, nothing further is read.
            let is_kept = [".note.gnu.build-id", ".shstrtab", ".comment"].contains(&&*name);
            let kind = self.number(file, header + 4, 4);
            if is_kept || kind == SHT_NOBITS || range.is_empty() {
                continue;
            }
            let is_loaded = self.number(file, header + 8, word) & SHF_ALLOC != 0;
            let header = [header + offset_at, header + offset_at + word];
            let may_move = !is_loaded || name == ".eh_frame";
            let framing = if may_move { Framing::of_section(&name) } else { Framing::Fixed };
            regions.push(Region { name, range, framing, header: may_move.then_some(header) });
        }
        regions
    }

    fn segments(&self, file: &[u8]) -> Vec<Region> {
        let word = self.word();
        let (table, count, size) = match self.is_64 {
            true => (self.number(file, 32, 8), 56, 56),
            false => (self.number(file, 28, 4), 44, 32),
        };
        let (offset_at, size_at) = if self.is_64 { (8, 32) } else { (4, 16) };
        let mut regions = Vec::new();
        for index in 0..self.number(file, count, 2) {
            let header = (table + index * size) as usize;
            let start = self.number(file, header + offset_at, word) as usize;
            let range = start..start + self.number(file, header + size_at, word) as usize;
            match self.number(file, header, 4) {
                PT_NOTE => regions.push(Region {
                    name: "notes".to_owned(),
                    range,
                    framing: Framing::Notes,
                    header: Some([header + offset_at, header + size_at]),
                }),
                PT_LOAD => regions.extend(used(file, range).map(|range| Region {
                    name: "memory".to_owned(),
                    range,
                    framing: Framing::Fixed,
                    header: None,
                })),
                _ => {}
            }
        }
        regions
    }
}

/// `range` without the zeros around what is in use, or nothing.
fn used(file: &[u8], range: Range<usize>) -> Option<Range<usize>> {
    let bytes = file.get(range.clone())?;
    let first = bytes.iter().position(|byte| *byte != 0)?;
    let last = bytes.iter().rposition(|byte| *byte != 0)?;
    Some(range.start + first..(range.start + last + 8).min(range.end))
}
