//! A compressed stream of frames that can be read at any place: the zstd seekable format
//! (zstd, `contrib/seekable_format`), which every zstd decoder reads.

use std::fs::File;
use std::io::{self, Write};

use zstd::bulk::Compressor;

/// Bytes of a core in one frame.
pub(crate) const FRAME: usize = 1 << 20;
/// Level of compression: the fastest of the ordinary ones. The crashed process waits for it.
const LEVEL: i32 = 1;
/// The magic of a skippable frame that holds a table.
const SKIPPABLE: u32 = 0x184d_2a5e;
/// The magic at the end of a table.
const SEEKABLE: u32 = 0x8f92_eab1;
/// Bytes of the table's footer: the count, a descriptor, the magic.
const FOOTER: u32 = 9;
/// Bytes of the header of a skippable frame.
const SKIPPABLE_HEADER: u64 = 8;
/// Bytes of a row of the table: both lengths.
const ROW: u32 = 8;

/// Writes frames of [`FRAME`] bytes, then the table of their lengths.
pub(crate) struct FrameWriter<'f> {
    out: &'f File,
    compressor: Compressor<'static>,
    packed: Vec<u8>,
    /// A frame of zeros: holes of a core are most of some.
    zeros: Vec<u8>,
    /// Compressed and whole length of each frame.
    rows: Vec<(u32, u32)>,
    written: u64,
    /// Bytes of the file that may be written, the table included.
    most: u64,
}

/// Whether a frame was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    /// It was.
    Enough,
    /// The file would have become too large.
    Full,
}

impl<'f> FrameWriter<'f> {
    /// One that writes at most `most` bytes to `out`.
    ///
    /// # Errors
    /// If zstd finds no memory.
    pub(crate) fn new(out: &'f File, most: u64) -> io::Result<Self> {
        let mut compressor = Compressor::new(LEVEL)?;
        compressor.include_checksum(true)?;
        compressor.include_contentsize(true)?;
        let zeros = compressor.compress(&vec![0; FRAME])?;
        let packed = Vec::with_capacity(zstd::zstd_safe::compress_bound(FRAME));
        Ok(Self { out, compressor, packed, zeros, rows: Vec::new(), written: 0, most })
    }

    /// Bytes of the file so far.
    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    /// Lets the file have `most` bytes.
    pub(crate) fn allow(&mut self, most: u64) {
        self.most = most;
    }

    /// Writes a frame of at most [`FRAME`] bytes. After an error the file is as long as before.
    ///
    /// # Errors
    /// Those of write(2) and of zstd.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<Room> {
        let packed = if bytes.len() == FRAME && is_zero(bytes) {
            &self.zeros
        } else {
            self.packed.clear();
            self.compressor.compress_to_buffer(bytes, &mut self.packed)?;
            &self.packed
        };
        let table = self.table_length(1);
        let length = self.written.saturating_add(packed.len() as u64);
        if length.saturating_add(table) > self.most {
            return Ok(Room::Full);
        }
        if let Err(error) = self.out.write_all(packed) {
            // A part of a frame would be garbage before the next.
            self.out.set_len(self.written)?;
            rustix::fs::seek(self.out, rustix::fs::SeekFrom::Start(self.written))?;
            return Err(error);
        }
        self.rows.push((short(packed.len()), short(bytes.len())));
        self.written = length;
        Ok(Room::Enough)
    }

    /// Writes the table; the length of the file. Without room for it there is none: the frames
    /// are complete without it.
    ///
    /// # Errors
    /// Those of ftruncate(2).
    pub(crate) fn finish(mut self) -> io::Result<u64> {
        let table = self.table();
        match self.out.write_all(&table) {
            Ok(()) => self.written = self.written.saturating_add(table.len() as u64),
            Err(_) => self.out.set_len(self.written)?,
        }
        Ok(self.written)
    }

    fn table_length(&self, more: u64) -> u64 {
        let rows = (self.rows.len() as u64).saturating_add(more);
        rows.saturating_mul(u64::from(ROW)).saturating_add(SKIPPABLE_HEADER + u64::from(FOOTER))
    }

    fn table(&self) -> Vec<u8> {
        let count = short(self.rows.len());
        let mut table = Vec::new();
        let mut put = |number: u32| table.extend(number.to_le_bytes());
        put(SKIPPABLE);
        put(count.saturating_mul(ROW).saturating_add(FOOTER));
        for (packed, whole) in &self.rows {
            put(*packed);
            put(*whole);
        }
        put(count);
        // No checksums in the table: each frame has its own.
        table.push(0);
        table.extend(SEEKABLE.to_le_bytes());
        table
    }
}

/// A length of less than 4 GiB: a frame, a table.
fn short(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn is_zero(bytes: &[u8]) -> bool {
    const WORD: usize = 64;
    let (words, rest) = bytes.as_chunks::<WORD>();
    words.iter().all(|word| word == &[0; WORD]) && rest.iter().all(|byte| *byte == 0)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Seek};

    use super::*;

    /// Text, a megabyte of zeros and something after it.
    fn content() -> Vec<u8> {
        let mut content: Vec<u8> = (0..FRAME).map(|at| (at / 7) as u8).collect();
        content.resize(2 * FRAME, 0);
        content.extend(b"the end");
        content
    }

    fn pack(content: &[u8], most: u64) -> (Vec<u8>, Room) {
        let mut file = tempfile::tempfile().unwrap();
        let mut frames = FrameWriter::new(&file, most).unwrap();
        let mut room = Room::Enough;
        for chunk in content.chunks(FRAME) {
            room = frames.write(chunk).unwrap();
        }
        let length = frames.finish().unwrap();
        let mut packed = Vec::new();
        file.rewind().unwrap();
        file.read_to_end(&mut packed).unwrap();
        assert_eq!(packed.len() as u64, length);
        (packed, room)
    }

    #[test]
    fn any_decoder_reads_the_frames_and_skips_the_table() {
        let (packed, _) = pack(&content(), u64::MAX);
        assert!(zstd::decode_all(&packed[..]).unwrap() == content());
    }

    #[test]
    fn the_table_leads_to_each_frame() {
        let (packed, _) = pack(&content(), u64::MAX);
        let word = |at: usize| u32::from_le_bytes(packed[at..at + 4].try_into().unwrap());
        let end = packed.len();
        assert_eq!(word(end - 4), SEEKABLE);
        assert_eq!(word(end - 9), 3, "frames");
        let table = end - 9 - 3 * 8 - 8;
        assert_eq!((word(table), word(table + 4)), (SKIPPABLE, 3 * 8 + 9));
        let rows: Vec<_> =
            (0..3).map(|row| (word(table + 8 + row * 8), word(table + 12 + row * 8))).collect();
        assert_eq!(rows.iter().map(|row| row.1 as usize).sum::<usize>(), content().len());
        let third = (rows[0].0 + rows[1].0) as usize;
        let last = zstd::decode_all(&packed[third..third + rows[2].0 as usize]).unwrap();
        assert_eq!(last, b"the end");
        assert!(rows[1].0 < 200, "a megabyte of zeros takes {} bytes", rows[1].0);
    }

    #[test]
    fn what_does_not_fit_is_left_out_and_the_rest_is_whole() {
        let first = pack(&content()[..FRAME], u64::MAX).0.len() as u64;
        let (packed, room) = pack(&content(), first);
        assert_eq!(room, Room::Full);
        assert!(packed.len() as u64 <= first);
        assert!(zstd::decode_all(&packed[..]).unwrap() == content()[..FRAME]);
    }
}
