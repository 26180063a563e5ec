//! The memory of the crashed process: bytes and ranges, no formats.
//!
//! Built once by a [`Builder`], then frozen. Plain reads go to the core file by `pread`,
//! so a core that is cut short while it is read gives a short read and not a signal; a
//! [`Cursor`] puts a block cache in front for those who read much.

mod builder;
mod cursor;
mod read_log;
mod region;

pub use builder::Builder;
pub use cursor::Cursor;
pub use region::{Backing, FileBytes, Permissions, Region};

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex};

use thiserror::Error;

use crate::addr::{Avma, AvmaRange};

/// Why a byte of the crashed process cannot be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Absent {
    /// No mapping had this address when the process crashed.
    Unmapped,
    /// Mapped, but left out of the core (`coredump_filter`, `MADV_DONTDUMP`).
    NotDumped,
    /// The core ends before this byte: the file was cut short.
    Truncated,
    /// File-backed, not dumped, and no file with the wanted build ID was found.
    FileNotFound,
    /// The core file could not be read at this place.
    Unreadable,
}

/// A byte that was wanted and is absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("memory at {at} is {}", match reason {
    Absent::Unmapped => "not mapped",
    Absent::NotDumped => "not in the core",
    Absent::Truncated => "cut off with the end of the core",
    Absent::FileNotFound => "in a file that was not found",
    Absent::Unreadable => "unreadable",
})]
pub struct ReadError {
    /// The first address that could not be read.
    pub at: Avma,
    /// Why.
    pub reason: Absent,
}

/// The longest read that is answered from a block that was read before.
const SHORT_READ: usize = 256;
/// Bytes of such a block, which is aligned to its size.
const BLOCK: u64 = 1 << 12;
/// Blocks that are kept, direct-mapped by their number.
const BLOCKS: usize = 1 << 8;

/// The core file's bytes, whatever container they came in.
///
/// Values are read in many short pieces that are close to each other, so the blocks that hold
/// them are kept.
#[derive(Debug)]
pub struct CoreBytes {
    file: File,
    len: u64,
    blocks: Mutex<Vec<Option<Block>>>,
}

/// A block of the file; shorter than [`BLOCK`] at its end.
#[derive(Debug)]
struct Block {
    offset: u64,
    bytes: Box<[u8]>,
}

impl CoreBytes {
    /// `len` is the length at the time of opening.
    pub fn new(file: File, len: u64) -> Self {
        Self { file, len, blocks: Mutex::default() }
    }

    /// Length in bytes.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether the file is empty.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Fills as much of `buf` as the file holds from `offset`; returns how much that is.
    pub fn read_at(&self, offset: u64, buf: &mut [u8]) -> usize {
        match self.read_from_block(offset, buf) {
            Some(()) => buf.len(),
            None => self.read_file(offset, buf),
        }
    }

    /// Fills a short `buf` from the block that holds all of it. `None` where there is no such
    /// block, or another thread has the blocks.
    fn read_from_block(&self, offset: u64, buf: &mut [u8]) -> Option<()> {
        let into = usize::try_from(offset % BLOCK).ok()?;
        let end = into.checked_add(buf.len())?;
        if buf.len() > SHORT_READ || end as u64 > BLOCK {
            return None;
        }
        let start = offset & !(BLOCK - 1);
        let mut blocks = self.blocks.try_lock().ok()?;
        if blocks.is_empty() {
            blocks.resize_with(BLOCKS, || None);
        }
        let slot = usize::try_from(start / BLOCK).ok()? % BLOCKS;
        let slot = blocks.get_mut(slot)?;
        if slot.as_ref().is_none_or(|block| block.offset != start) {
            let mut bytes = [0; BLOCK as usize];
            let read = self.read_file(start, &mut bytes);
            *slot = Some(Block { offset: start, bytes: bytes.get(..read)?.into() });
        }
        buf.copy_from_slice(slot.as_ref()?.bytes.get(into..end)?);
        Some(())
    }

    fn read_file(&self, offset: u64, buf: &mut [u8]) -> usize {
        let mut filled = 0;
        while let Some(rest) = buf.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            let Some(at) = offset.checked_add(filled as u64) else { break };
            match self.file.read_at(rest, at) {
                Ok(0) => break,
                Ok(n) => filled = filled.saturating_add(n),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        filled
    }

    /// Up to `size` bytes from `offset`: fewer where the file ends. Allocates no more
    /// than the file can fill.
    pub fn read_vec(&self, offset: u64, size: u64) -> Vec<u8> {
        let present = size.min(self.len.saturating_sub(offset));
        let mut bytes = vec![0; usize::try_from(present).unwrap_or(0)];
        let filled = self.read_at(offset, &mut bytes);
        bytes.truncate(filled);
        bytes
    }
}

/// All that is known of the memory of the crashed process.
#[derive(Debug)]
pub struct AddressSpace {
    core: Arc<CoreBytes>,
    /// Sorted by start, disjoint.
    regions: Vec<Region>,
    /// Sorted by start, disjoint: see [`AddressSpace::range_at`].
    mappings: Vec<AvmaRange>,
    little_endian: bool,
    word: usize,
    log: Option<read_log::ReadLog>,
}

impl AddressSpace {
    /// From now on remembers what is read; see [`AddressSpace::take_reads`].
    pub fn log_reads(&mut self) {
        self.log = Some(read_log::ReadLog::default());
    }

    /// What was asked for since reads are logged, or since the last call: each place and
    /// length once, sorted. Empty where reads are not logged.
    pub fn take_reads(&self) -> Vec<AvmaRange> {
        self.log.as_ref().map(read_log::ReadLog::take).unwrap_or_default()
    }

    /// Remembers a read that a cache answers, too.
    fn note_read(&self, at: Avma, len: usize) {
        if let Some(log) = &self.log {
            log.note(at, len);
        }
    }

    /// The regions, sorted and disjoint.
    pub fn regions(&self) -> &[Region] {
        &self.regions
    }

    /// The region that holds `at`.
    pub fn region_at(&self, at: Avma) -> Option<&Region> {
        let after = self.regions.partition_point(|region| region.range.start <= at);
        let region = self.regions.get(after.checked_sub(1)?)?;
        region.range.contains(at).then_some(region)
    }

    /// Bytes of an address: 4 or 8.
    pub fn word(&self) -> usize {
        self.word
    }

    /// The byte order of the crashed process.
    pub fn is_little_endian(&self) -> bool {
        self.little_endian
    }

    /// Fills `buf` from `[start, start + buf.len())`, across regions. All or nothing: on
    /// an error the content of `buf` is unspecified.
    ///
    /// # Errors
    /// Names the first absent byte and why it is.
    pub fn read(&self, start: Avma, buf: &mut [u8]) -> Result<(), ReadError> {
        let (filled, missing) = self.read_prefix(start, buf);
        if filled == buf.len() {
            return Ok(());
        }
        let at = Avma(start.0.wrapping_add(filled as u64));
        Err(ReadError { at, reason: missing.unwrap_or(Absent::Unmapped) })
    }

    /// Fills `buf` as far as memory goes: the number of bytes read, and why it ended.
    pub fn read_prefix(&self, start: Avma, buf: &mut [u8]) -> (usize, Option<Absent>) {
        self.note_read(start, buf.len());
        self.fill(start, buf)
    }

    fn fill(&self, start: Avma, buf: &mut [u8]) -> (usize, Option<Absent>) {
        let mut filled = 0_usize;
        while let Some(rest) = buf.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            let Some(at) = start.checked_add(filled as u64) else {
                return (filled, Some(Absent::Unmapped));
            };
            let Some(region) = self.region_at(at) else {
                return (filled, Some(Absent::Unmapped));
            };
            let into = at.0.saturating_sub(region.range.start.0);
            let (read, absent) = region.read(&self.core, into, rest);
            filled = filled.saturating_add(read);
            if absent.is_some() {
                return (filled, absent);
            }
        }
        (filled, None)
    }

    /// A reader with a cache of its own.
    pub fn cursor(&self) -> Cursor<'_> {
        Cursor::new(self)
    }

    /// Up to `size` bytes from `start`, fewer where memory ends. `size` is the caller's
    /// limit: nothing is allocated for bytes that are not there.
    pub fn read_up_to(&self, start: Avma, size: usize) -> Vec<u8> {
        let bytes = self.collect_up_to(start, size);
        self.note_read(start, bytes.len());
        bytes
    }

    /// The same for what only decides how something is shown: the read is not noted.
    pub fn peek_up_to(&self, start: Avma, size: usize) -> Vec<u8> {
        self.collect_up_to(start, size)
    }

    fn collect_up_to(&self, start: Avma, size: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        while bytes.len() < size {
            let Some(at) = start.checked_add(bytes.len() as u64) else { break };
            let have = bytes.len();
            bytes.resize(size.min(have.saturating_add(1 << 16)), 0);
            let (read, _) = self.fill(at, bytes.get_mut(have..).unwrap_or(&mut []));
            bytes.truncate(have.saturating_add(read));
            if read < 1 << 16 {
                break;
            }
        }
        bytes
    }

    /// The address-sized number at `at`.
    ///
    /// # Errors
    /// See [`AddressSpace::read`].
    pub fn read_word(&self, at: Avma) -> Result<u64, ReadError> {
        let mut bytes = [0; 8];
        let bytes = bytes.get_mut(..self.word).unwrap_or(&mut []);
        self.read(at, bytes)?;
        Ok(self.unsigned(bytes))
    }

    /// The bytes of a C string at `at`, without its NUL; `None` if it cannot be read or
    /// does not end within `limit` bytes.
    pub fn read_c_string(&self, at: Avma, limit: usize) -> Option<Vec<u8>> {
        let mut text = Vec::new();
        // Most are short: a system call more costs less than the pages of a large buffer.
        let mut step = SHORT_READ;
        let end = loop {
            let have = text.len();
            let from = at.checked_add(have as u64)?;
            let wanted = step.min(limit.saturating_sub(have));
            text.resize(have.saturating_add(wanted), 0);
            let (read, _) = self.fill(from, text.get_mut(have..)?);
            let end = text.iter().skip(have).take(read).position(|byte| *byte == 0);
            if let Some(end) = end {
                break have.saturating_add(end);
            }
            if read < wanted || wanted == 0 {
                return None;
            }
            step = wanted.saturating_mul(4);
        };
        text.truncate(end);
        text.shrink_to_fit();
        self.note_read(at, text.len().saturating_add(1));
        Some(text)
    }

    /// The number in `bytes` (at most 8), in the byte order of the process.
    pub fn unsigned(&self, bytes: &[u8]) -> u64 {
        let fold = |value: u64, byte: &u8| (value << 8) | u64::from(*byte);
        if self.little_endian {
            bytes.iter().rev().fold(0, fold)
        } else {
            bytes.iter().fold(0, fold)
        }
    }

    /// The mapping that holds `at`: its region, and those that are apart from it only
    /// because the core leaves out pages between them, as a scrubbed one does.
    pub fn range_at(&self, at: Avma) -> Option<AvmaRange> {
        let after = self.mappings.partition_point(|mapping| mapping.start <= at);
        self.mappings.get(after.checked_sub(1)?).copied().filter(|mapping| mapping.contains(at))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn space(core: &[u8], regions: Vec<Region>) -> AddressSpace {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(core).unwrap();
        let core = Arc::new(CoreBytes::new(file, core.len() as u64));
        let mut builder = Builder::new(core, true, 8);
        regions.into_iter().for_each(|region| builder.add(region));
        builder.freeze()
    }

    fn region(start: u64, len: u64, dumped: u64, offset: u64) -> Region {
        Region {
            range: AvmaRange::from_len(Avma(start), len),
            permissions: Permissions::default(),
            backing: Backing {
                core_offset: offset,
                core_len: dumped,
                file: None,
                absent: Absent::NotDumped,
            },
            name: None,
        }
    }

    #[test]
    fn a_read_crosses_adjacent_regions() {
        let space = space(b"abcdefgh", vec![region(0x2000, 4, 4, 4), region(0x1ffc, 4, 4, 0)]);
        let mut buf = [0; 8];
        assert_eq!(space.read(Avma(0x1ffc), &mut buf), Ok(()));
        assert_eq!(&buf, b"abcdefgh");
    }

    #[test]
    fn pages_that_were_left_out_do_not_cut_a_mapping() {
        let regions = vec![
            region(0x1000, 0x3000, 0x1000, 0),
            region(0x4000, 0x1000, 0x1000, 0),
            region(0x5000, 0x1000, 0x1000, 0),
            region(0x7000, 0x1000, 0, 0),
        ];
        let space = space(&[0; 0x1000], regions);
        let range = |start, end| Some(AvmaRange { start: Avma(start), end: Avma(end) });
        for (at, whole) in [
            (0xfff, None),
            (0x1000, range(0x1000, 0x5000)),
            (0x4fff, range(0x1000, 0x5000)),
            // What was kept whole has its own end.
            (0x5000, range(0x5000, 0x6000)),
            (0x6000, None),
            (0x7000, range(0x7000, 0x8000)),
        ] {
            assert_eq!(space.range_at(Avma(at)), whole, "{at:#x}");
        }
    }

    #[test]
    fn other_rights_and_files_are_other_mappings() {
        let mut of_file = region(0x2000, 0x1000, 0, 0);
        of_file.name = Some((Arc::new("/tmp/data".into()), 0));
        let mut writable = region(0x3000, 0x1000, 0, 0);
        writable.permissions.write = true;
        let space = space(&[], vec![region(0x1000, 0x1000, 0, 0), of_file, writable]);
        for start in [0x1000, 0x2000, 0x3000] {
            let own = AvmaRange::from_len(Avma(start), 0x1000);
            assert_eq!(space.range_at(Avma(start)), Some(own));
        }
    }

    #[test]
    fn an_absent_byte_is_named_with_its_reason() {
        let space = space(b"abcd", vec![region(0x1000, 0x1000, 4, 0), region(0x3000, 8, 8, 0)]);
        let mut buf = [0; 8];
        let not_dumped = ReadError { at: Avma(0x1004), reason: Absent::NotDumped };
        assert_eq!(space.read(Avma(0x1000), &mut buf), Err(not_dumped));
        let unmapped = ReadError { at: Avma(0x2000), reason: Absent::Unmapped };
        assert_eq!(space.read(Avma(0x2000), &mut buf), Err(unmapped));
        let cut = ReadError { at: Avma(0x3004), reason: Absent::Truncated };
        assert_eq!(space.read(Avma(0x3000), &mut buf), Err(cut));
    }

    #[test]
    fn a_file_fills_the_gaps_between_what_the_core_holds() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"core").unwrap();
        let core = Arc::new(CoreBytes::new(file, 4));
        let mut builder = Builder::new(core, true, 8);
        builder.add(region(0x1008, 4, 4, 0));
        let mut filler = region(0x1004, 12, 0, 0);
        let bytes: Arc<dyn AsRef<[u8]> + Send + Sync> = Arc::new(b"____abcdefghijkl".to_vec());
        filler.backing.file = Some(FileBytes { bytes, offset: 4 });
        builder.fill(filler);
        let mut buf = [0; 12];
        assert_eq!(builder.freeze().read(Avma(0x1004), &mut buf), Ok(()));
        assert_eq!(&buf, b"abcdcoreijkl");
    }

    #[test]
    fn a_string_ends_at_its_nul_however_far_that_is() {
        let mut core = vec![b'x'; 0x3000];
        for nul in [0, 1, 255, 256, 257, 1279, 1280, 0x2fff] {
            core[nul] = 0;
            let space = space(&core, vec![region(0x1000, 0x3000, 0x3000, 0)]);
            let text = space.read_c_string(Avma(0x1000), 0x3000);
            assert_eq!(text.map(|text| text.len()), Some(nul), "{nul}");
            assert_eq!(space.read_c_string(Avma(0x1000), nul), None, "{nul}");
            assert_eq!(space.read_c_string(Avma(0x1001), 0x4000).is_some(), nul > 0, "{nul}");
            core[nul] = b'x';
        }
        let space = space(&core, vec![region(0x1000, 0x3000, 0x3000, 0)]);
        assert_eq!(space.read_c_string(Avma(0x1000), 0x4000), None);
        assert_eq!(space.read_c_string(Avma(0x9000), 8), None);
    }

    #[test]
    fn blocks_that_are_kept_hold_what_the_file_holds() {
        let core: Vec<u8> = (0..0x2100_u32).map(|at| at.to_le_bytes()[0] ^ 0x5a).collect();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&core).unwrap();
        let bytes = CoreBytes::new(file, core.len() as u64);
        for (offset, size) in [(0, 8), (0xffc, 8), (0x1000, 256), (0x20f0, 16), (0x20f8, 16)] {
            for _ in 0..2 {
                let mut buf = vec![0; size];
                let read = bytes.read_at(offset, &mut buf);
                let from = usize::try_from(offset).unwrap();
                let held = &core[from..core.len().min(from + size)];
                assert_eq!((read, &buf[..read]), (held.len(), held), "{offset:#x}");
            }
        }
        assert_eq!(bytes.read_at(u64::MAX, &mut [0; 8]), 0);
    }

    #[test]
    fn the_last_address_does_not_wrap_to_the_first() {
        let space = space(b"abcd", vec![region(0, 4, 4, 0)]);
        let mut buf = [0; 8];
        assert!(space.read(Avma(u64::MAX), &mut buf).is_err());
    }

    #[test]
    fn a_cursor_reads_what_the_space_reads() {
        let space = space(b"abcdefgh", vec![region(0x1000, 0x1000, 8, 0)]);
        let mut cursor = space.cursor();
        assert_eq!(cursor.read_word(Avma(0x1000)), space.read_word(Avma(0x1000)));
        assert_eq!(cursor.read_word(Avma(0x1004)), space.read_word(Avma(0x1004)));
        assert!(cursor.read_word(Avma(0x1001)).is_err());
    }

    #[test]
    fn a_cursor_reads_memory_that_begins_and_ends_within_a_block() {
        let core: Vec<u8> = (0..=255).collect();
        let regions = vec![
            region(0x4100, 0x40, 0x40, 0),
            region(0x4140, 0x40, 0x20, 0x40),
            region(0x5000, 0x40, 0x40, 0x80),
            region(0x7ff0, 0x40, 0x40, 0xc0),
        ];
        let space = space(&core, regions);
        let places = [0x40f8, 0x4100, 0x4138, 0x413c, 0x4158, 0x4160, 0x5000, 0x503c, 0x7ff0];
        let places = || places.into_iter().chain([0x7ffc, 0x8000, 0x8028, 0x802c]).map(Avma);
        for first in places() {
            let mut cursor = space.cursor();
            for at in [first].into_iter().chain(places()) {
                assert_eq!(cursor.read_word(at), space.read_word(at), "{at} after {first}");
            }
        }
    }
}
