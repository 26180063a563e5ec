//! How a content is divided into parts with lengths, and how it grows and shrinks without
//! losing them.

use std::ops::Range;

use crate::layout::Layout;

/// What has to be corrected when bytes are put into a content or taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// The length stays.
    Fixed,
    /// Nothing.
    Bytes,
    /// The length at the start of the unit (DWARF 5, 7.4): units of `.debug_info`, line
    /// programs, lists, entries of `.eh_frame`.
    Units,
    /// The length of the descriptor of the note (gABI, "Note Section"), which is padded to 4.
    Notes,
}

/// A part of a content that has its length in a field before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Where the field is: four bytes.
    pub length_at: usize,
    /// What it counts.
    pub body: Range<usize>,
}

impl Framing {
    /// The framing of a section called `name`.
    pub fn of_section(name: &str) -> Self {
        match name {
            ".eh_frame" | ".debug_frame" | ".debug_info" | ".debug_types" | ".debug_line"
            | ".debug_aranges" | ".debug_loclists" | ".debug_rnglists" | ".debug_addr"
            | ".debug_str_offsets" | ".debug_names" => Self::Units,
            _ => Self::Bytes,
        }
    }

    /// Puts `bytes` into `content` at `at`, or as near to it as the framing allows.
    pub fn insert(self, content: &mut Vec<u8>, at: usize, bytes: &[u8], layout: &Layout) {
        let mut bytes = bytes.to_vec();
        if self == Self::Notes {
            bytes.resize(bytes.len().next_multiple_of(4), 0);
        }
        let Some((at, frame)) = self.place(content, at, layout) else { return };
        if let Some(frame) = frame {
            let length = frame.body.len() + bytes.len();
            put_length(content, frame.length_at, length, layout);
        }
        content.splice(at..at, bytes);
    }

    /// Takes at most `count` bytes out of `content` at `at`, not beyond the end of the part.
    pub fn remove(self, content: &mut Vec<u8>, at: usize, count: usize, layout: &Layout) {
        let Some((at, frame)) = self.place(content, at, layout) else { return };
        let end = frame.as_ref().map_or(content.len(), |frame| frame.body.end);
        let mut count = count.min(end.saturating_sub(at));
        if self == Self::Notes {
            count -= count % 4;
        }
        if let Some(frame) = frame {
            put_length(content, frame.length_at, frame.body.len() - count, layout);
        }
        content.drain(at..at + count);
    }

    /// The place at `at` or after it where bytes can be put in, with the part it is in; `None`
    /// where there is none.
    fn place(self, content: &[u8], at: usize, layout: &Layout) -> Option<(usize, Option<Frame>)> {
        let at = at.min(content.len());
        if matches!(self, Self::Fixed | Self::Bytes) {
            return (self == Self::Bytes).then_some((at, None));
        }
        let frame = frames(content, self, layout).into_iter().find(|frame| at <= frame.body.end)?;
        let mut at = at.max(frame.body.start);
        if self == Self::Notes {
            at -= (at - frame.body.start) % 4;
        }
        Some((at, Some(frame)))
    }
}

/// The parts of `content`, in order, up to the first whose length does not fit.
pub fn frames(content: &[u8], framing: Framing, layout: &Layout) -> Vec<Frame> {
    let mut frames = Vec::new();
    let mut at = 0;
    while at + 4 <= content.len() {
        let (frame, next) = match framing {
            Framing::Fixed | Framing::Bytes => break,
            Framing::Units => {
                let end = at + 4 + layout.number(content, at, 4) as usize;
                (Frame { length_at: at, body: at + 4..end }, end)
            }
            Framing::Notes => {
                let name = layout.number(content, at, 4) as usize;
                let start = (at + 12 + name).next_multiple_of(4);
                let end = start + layout.number(content, at + 4, 4) as usize;
                (Frame { length_at: at + 4, body: start..end }, end.next_multiple_of(4))
            }
        };
        if frame.body.end > content.len() {
            break;
        }
        frames.push(frame);
        at = next;
    }
    frames
}

fn put_length(content: &mut [u8], at: usize, length: usize, layout: &Layout) {
    let bytes = layout.bytes_of(length as u64, 4);
    if let Some(field) = content.get_mut(at..at + 4) {
        field.copy_from_slice(&bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAYOUT: Layout = Layout { is_64: true, little_endian: true, regions: Vec::new() };

    #[test]
    fn a_unit_that_grows_or_shrinks_has_its_length_corrected() {
        let mut content = vec![2, 0, 0, 0, b'a', b'b', 1, 0, 0, 0, b'c'];
        Framing::Units.insert(&mut content, 5, b"xyz", &LAYOUT);
        assert_eq!(content, b"\x05\0\0\0axyzb\x01\0\0\0c");
        Framing::Units.remove(&mut content, 6, 100, &LAYOUT);
        assert_eq!(content, b"\x02\0\0\0ax\x01\0\0\0c");
    }

    #[test]
    fn a_note_grows_by_multiples_of_its_alignment() {
        let mut content = b"\x04\0\0\0\x04\0\0\0\x01\0\0\0GNU\0desc".to_vec();
        Framing::Notes.insert(&mut content, 0, b"x", &LAYOUT);
        assert_eq!(content, b"\x04\0\0\0\x08\0\0\0\x01\0\0\0GNU\0x\0\0\0desc");
        Framing::Notes.remove(&mut content, 0, 7, &LAYOUT);
        assert_eq!(content, b"\x04\0\0\0\x04\0\0\0\x01\0\0\0GNU\0desc");
    }
}
