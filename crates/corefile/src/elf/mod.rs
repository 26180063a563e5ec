//! ELF as bytes on disk or in memory: headers, segments, sections, notes, symbols.
//! Knows nothing of processes. Source: the System V gABI, chapters 4 and 5.

mod build_id;
mod code_sets;
mod image;
mod note;
mod section_data;
mod symbol_rows;
mod symtab;
#[doc(hidden)]
#[cfg(any(test, feature = "testkit"))]
#[allow(clippy::arithmetic_side_effects, clippy::unwrap_used)]
pub mod test_image;

pub use build_id::BuildId;
pub use code_sets::CodeSet;
pub use image::{
    ET_CORE, ElfError, ElfImage, FileHeader, ImageBytes, Section, Segment, SegmentKind,
};
pub use note::{Note, NoteError, Notes, SURROUNDINGS_NOTE, SURROUNDINGS_OWNER};
pub use section_data::{SectionError, StoredSection};
pub use symtab::{Symbol, SymbolTable};

/// Class and byte order of a file: all that is needed to read its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoding {
    /// ELFCLASS64 rather than ELFCLASS32.
    pub is_64: bool,
    /// ELFDATA2LSB rather than ELFDATA2MSB.
    pub little_endian: bool,
}

impl Encoding {
    /// Bytes of an address: 4 or 8.
    pub fn word(self) -> usize {
        if self.is_64 { 8 } else { 4 }
    }

    /// The unsigned number in the first `size` (1 to 8) bytes at `offset`.
    pub fn unsigned(self, bytes: &[u8], offset: usize, size: usize) -> Option<u64> {
        let field = bytes.get(offset..offset.checked_add(size)?)?;
        let fold = |value: u64, byte: &u8| (value << 8) | u64::from(*byte);
        match size {
            1..=8 if self.little_endian => Some(field.iter().rev().fold(0, fold)),
            1..=8 => Some(field.iter().fold(0, fold)),
            _ => None,
        }
    }

    /// The 32-bit number at `offset`.
    pub fn u32(self, bytes: &[u8], offset: usize) -> Option<u32> {
        self.unsigned(bytes, offset, 4).and_then(|value| u32::try_from(value).ok())
    }

    /// The address-sized number at `offset`.
    pub fn word_at(self, bytes: &[u8], offset: usize) -> Option<u64> {
        self.unsigned(bytes, offset, self.word())
    }

    fn context(self) -> goblin::container::Ctx {
        use goblin::container::{Container, Ctx, Endian};
        let container = if self.is_64 { Container::Big } else { Container::Little };
        let endian = if self.little_endian { Endian::Little } else { Endian::Big };
        Ctx::new(container, endian)
    }
}
