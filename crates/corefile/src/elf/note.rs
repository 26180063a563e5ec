//! The notes of a `PT_NOTE` segment or `SHT_NOTE` section (gABI chapter 5, "Note Section").

use thiserror::Error;

use super::Encoding;

/// The owner of the note that `obit run` and `obit snapshot` add to a core.
pub const SURROUNDINGS_OWNER: &[u8] = b"OBIT";
/// Its type: what the kernel knew of the process beside its memory, as JSON. `OBIT` again, since
/// there are readers that look at the type alone.
pub const SURROUNDINGS_NOTE: u32 = 0x4f42_4954;

/// One note: who wrote it, of what kind, and its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Note<'d> {
    /// The owner without its NUL. Not always UTF-8 in hostile or old files.
    pub owner: &'d [u8],
    /// `n_type`, whose meaning depends on the owner.
    pub kind: u32,
    /// The descriptor.
    pub desc: &'d [u8],
    /// Offset of the descriptor from the start of the segment.
    pub desc_offset: usize,
}

/// Why a note could not be read. Offsets are bytes from the start of the segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NoteError {
    /// Fewer than 12 bytes remain where a header should start.
    #[error("a note header at offset {offset:#x} of its segment is cut short")]
    ShortHeader {
        /// Where the header starts.
        offset: usize,
    },
    /// `n_namesz` or `n_descsz` reaches beyond the segment.
    #[error("the note at offset {offset:#x} says {field} = {size:#x}, beyond its segment")]
    OutOfSegment {
        /// Where the header starts.
        offset: usize,
        /// Which of the two sizes.
        field: &'static str,
        /// What it says.
        size: u32,
    },
}

/// Iterates over the notes of one segment; ends after the first error.
#[derive(Clone, Debug)]
pub struct Notes<'d> {
    segment: &'d [u8],
    offset: usize,
    align: usize,
    encoding: Encoding,
}

impl<'d> Notes<'d> {
    /// `p_align` is the segment's. Linux writes 0 or 1 in cores yet pads to 4 bytes, so
    /// everything but 8 means 4; binutils and elfutils read it this way too.
    pub fn new(segment: &'d [u8], p_align: u64, encoding: Encoding) -> Self {
        let align = if p_align == 8 { 8 } else { 4 };
        Self { segment, offset: 0, align, encoding }
    }

    fn read(&mut self) -> Result<Note<'d>, NoteError> {
        let start = self.offset;
        let field = |at: usize| self.encoding.u32(self.segment, start.checked_add(at)?);
        let (Some(namesz), Some(descsz), Some(kind)) = (field(0), field(4), field(8)) else {
            return Err(NoteError::ShortHeader { offset: start });
        };
        let out = |field, size| NoteError::OutOfSegment { offset: start, field, size };
        let owner_at = start.saturating_add(12);
        let owner = self.slice(owner_at, namesz).ok_or(out("n_namesz", namesz))?;
        let desc_offset = self.padded(owner_at, namesz);
        let desc = self.slice(desc_offset, descsz).ok_or(out("n_descsz", descsz))?;
        self.offset = self.padded(desc_offset, descsz);
        let owner = owner.strip_suffix(&[0]).unwrap_or(owner);
        Ok(Note { owner, kind, desc, desc_offset })
    }

    fn slice(&self, at: usize, size: u32) -> Option<&'d [u8]> {
        self.segment.get(at..at.checked_add(usize::try_from(size).ok()?)?)
    }

    /// The first aligned offset past `size` bytes at `at`.
    fn padded(&self, at: usize, size: u32) -> usize {
        let end = at.saturating_add(usize::try_from(size).unwrap_or(usize::MAX));
        end.checked_next_multiple_of(self.align).unwrap_or(usize::MAX)
    }
}

impl<'d> Iterator for Notes<'d> {
    type Item = Result<Note<'d>, NoteError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.segment.get(self.offset..)?;
        // Writers pad segments with zeros: an all-zero tail shorter than a header ends it.
        if rest.is_empty() || (rest.len() < 12 && rest.iter().all(|byte| *byte == 0)) {
            return None;
        }
        let note = self.read();
        if note.is_err() {
            self.offset = usize::MAX;
        }
        Some(note)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LE64: Encoding = Encoding { is_64: true, little_endian: true };

    fn note(namesz: u32, descsz: u32, tail: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for word in [namesz, descsz, 7] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend(tail);
        bytes
    }

    #[test]
    fn owner_and_descriptor_are_padded_to_four_whatever_p_align_says() {
        let mut bytes = note(5, 3, b"CORE\0\0\0\0abc\0");
        bytes.extend(note(4, 0, b"GNU\0"));
        let notes: Vec<_> = Notes::new(&bytes, 1, LE64).collect::<Result<_, _>>().unwrap();
        assert_eq!(notes[0].owner, b"CORE");
        assert_eq!(notes[0].desc, b"abc");
        assert_eq!(notes[1].owner, b"GNU");
    }

    #[test]
    fn a_descriptor_beyond_the_segment_is_an_error_and_the_end() {
        let bytes = note(4, 0xffff_fff0, b"GNU\0");
        let mut notes = Notes::new(&bytes, 4, LE64);
        let error = NoteError::OutOfSegment { offset: 0, field: "n_descsz", size: 0xffff_fff0 };
        assert_eq!(notes.next(), Some(Err(error)));
        assert_eq!(notes.next(), None);
    }

    #[test]
    fn a_cut_header_names_its_offset() {
        let mut notes = Notes::new(&[1; 7], 4, LE64);
        assert_eq!(notes.next(), Some(Err(NoteError::ShortHeader { offset: 0 })));
    }
}
