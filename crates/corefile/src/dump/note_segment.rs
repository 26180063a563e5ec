//! The notes of a core, read a window at a time: an honest note segment of 60,000
//! threads is hundreds of megabytes long, a hostile one says it is the whole file.

use crate::elf::{Encoding, Note, NoteError, Notes, Segment};
use crate::limits::Limits;
use crate::memory::CoreBytes;

/// Bytes read at a time.
const WINDOW: u64 = 1 << 20;
/// The longest note that is read. Linux caps `NT_FILE` at 4 MiB, by
/// `core_file_note_size_limit` at most 16.
const LONGEST: u64 = 64 << 20;

/// What may still be read of all note segments together.
pub(super) struct Budget {
    notes: usize,
    bytes: u64,
    notes_limit: u64,
    bytes_limit: u64,
}

/// Why reading a segment ended before its end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// A note that makes no sense, or that the end of the file cuts.
    Malformed(NoteError),
    /// [`Limits::notes`] or [`Limits::note_segment_bytes`].
    Limit(&'static str, u64),
}

impl Budget {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            notes: limits.notes,
            bytes: limits.note_segment_bytes,
            notes_limit: limits.notes as u64,
            bytes_limit: limits.note_segment_bytes,
        }
    }
}

/// Calls `visit` with each note of `segment` and the offset of its descriptor in the
/// file. A note whose descriptor is cut is visited with what there is of it.
pub(super) fn read_notes(
    core: &CoreBytes,
    segment: &Segment,
    encoding: Encoding,
    budget: &mut Budget,
    mut visit: impl FnMut(&Note<'_>, u64),
) -> Result<(), Stop> {
    let mut at = segment.offset;
    let end = at.saturating_add(segment.file_size).min(core.len());
    let mut window = WINDOW;
    while at < end {
        let left = end.saturating_sub(at);
        let size = window.min(left);
        budget.bytes = budget
            .bytes
            .checked_sub(size)
            .ok_or(Stop::Limit("bytes of notes", budget.bytes_limit))?;
        let bytes = core.read_vec(at, size);
        let mut consumed = 0;
        let mut failed = None;
        for note in Notes::new(&bytes, segment.align, encoding) {
            match note {
                Ok(note) => {
                    budget.notes = budget
                        .notes
                        .checked_sub(1)
                        .ok_or(Stop::Limit("notes", budget.notes_limit))?;
                    visit(&note, at.saturating_add(note.desc_offset as u64));
                    consumed = padded(note.desc_offset.saturating_add(note.desc.len()), segment);
                }
                Err(error) => failed = Some(error),
            }
        }
        let whole = bytes.len() as u64 == size && size < left;
        if !whole {
            let Some(error) = failed else { return Ok(()) };
            if let Some(note) = cut_note(&bytes, consumed, encoding, segment) {
                visit(&note, at.saturating_add(note.desc_offset as u64));
            }
            let base = at.saturating_sub(segment.offset);
            return Err(Stop::Malformed(moved(error, base)));
        }
        match consumed {
            0 if window < LONGEST => window = LONGEST,
            0 => {
                let next = skip(&bytes, encoding, segment).filter(|size| *size <= left);
                let Some(size) = next else {
                    let base = at.saturating_sub(segment.offset);
                    let error = failed.unwrap_or(NoteError::ShortHeader { offset: 0 });
                    return Err(Stop::Malformed(moved(error, base)));
                };
                at = at.saturating_add(size);
                window = WINDOW;
            }
            consumed => {
                at = at.saturating_add(consumed as u64);
                window = WINDOW;
            }
        }
    }
    Ok(())
}

/// The first aligned offset at or past `offset`; see [`Notes::new`] for the alignment.
fn padded(offset: usize, segment: &Segment) -> usize {
    let align = if segment.align == 8 { 8 } else { 4 };
    offset.checked_next_multiple_of(align).unwrap_or(usize::MAX)
}

/// The note at `start` whose descriptor goes beyond `bytes`, with the part that is there.
fn cut_note<'d>(
    bytes: &'d [u8],
    start: usize,
    encoding: Encoding,
    segment: &Segment,
) -> Option<Note<'d>> {
    let owner_at = start.checked_add(12)?;
    let owner_size = usize::try_from(encoding.u32(bytes, start)?).ok()?;
    let kind = encoding.u32(bytes, start.checked_add(8)?)?;
    let owner_end = owner_at.checked_add(owner_size)?;
    let owner = bytes.get(owner_at..owner_end)?;
    let desc_offset = padded(owner_end, segment);
    let desc = bytes.get(desc_offset..)?;
    Some(Note { owner: owner.strip_suffix(&[0]).unwrap_or(owner), kind, desc, desc_offset })
}

/// Bytes of the note at the start of `bytes`, by its header alone.
fn skip(bytes: &[u8], encoding: Encoding, segment: &Segment) -> Option<u64> {
    let owner = usize::try_from(encoding.u32(bytes, 0)?).ok()?;
    let desc = usize::try_from(encoding.u32(bytes, 4)?).ok()?;
    let desc_at = padded(owner.checked_add(12)?, segment);
    u64::try_from(padded(desc_at.checked_add(desc)?, segment)).ok()
}

/// `error` with its offset counted from the segment's start, not the window's.
fn moved(error: NoteError, by: u64) -> NoteError {
    let by = usize::try_from(by).unwrap_or(usize::MAX);
    match error {
        NoteError::ShortHeader { offset } => {
            NoteError::ShortHeader { offset: offset.saturating_add(by) }
        }
        NoteError::OutOfSegment { offset, field, size } => {
            NoteError::OutOfSegment { offset: offset.saturating_add(by), field, size }
        }
    }
}
