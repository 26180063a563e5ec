//! The content of a section: as it is, or unpacked when it is compressed (gABI,
//! "Section Compression", and the older `.zdebug_*` of GNU binutils).

use std::borrow::Cow;
use std::io::Read;

use flate2::{Decompress, FlushDecompress, Status};
use thiserror::Error;

use super::{ElfImage, Section};
use crate::limits::Limits;

/// `SHF_COMPRESSED` of `sh_flags`.
const COMPRESSED: u64 = 0x800;
/// Output bytes granted per input byte. Debug sections shrink to a half or a tenth; what
/// claims to shrink to less than this is a bomb.
const RATIO: u64 = 256;
/// Output bytes granted whatever the input, for short sections of one repeated byte.
const ALWAYS_GRANTED: u64 = 16 << 20;

/// Why the content of a section cannot be had. Sizes are bytes.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SectionError {
    /// `sh_offset` and `sh_size` point outside the file.
    #[error("section {name} lies at {offset:#x} with {size:#x} bytes, outside its file")]
    OutsideFile {
        /// The section's name.
        name: String,
        /// `sh_offset`.
        offset: u64,
        /// `sh_size`.
        size: u64,
    },
    /// The compression header is cut short.
    #[error("the compression header of section {name} is cut short")]
    ShortHeader {
        /// The section's name.
        name: String,
    },
    /// `ch_type` is neither `ELFCOMPRESS_ZLIB` (1) nor `ELFCOMPRESS_ZSTD` (2).
    #[error("section {name} has an unknown compression type ({ch_type})")]
    UnknownCompression {
        /// The section's name.
        name: String,
        /// `ch_type`.
        ch_type: u32,
    },
    /// The uncompressed size is beyond what is allowed, or beyond belief.
    #[error("section {name} claims {size} bytes uncompressed; {allowed} are allowed")]
    TooLarge {
        /// The section's name.
        name: String,
        /// `ch_size`.
        size: u64,
        /// By the limits and the size of the input.
        allowed: u64,
    },
    /// The compressed stream is damaged or does not give what its header says.
    #[error("section {name} does not decompress to its {size} bytes")]
    Damaged {
        /// The section's name.
        name: String,
        /// `ch_size`.
        size: u64,
    },
}

/// A section as it is in its file, with what has to be done to read it.
#[derive(Clone, Copy, Debug)]
pub struct StoredSection<'d> {
    section: &'d Section,
    bytes: &'d [u8],
    packing: Packing,
    size: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packing {
    None,
    Zlib,
    Zstd,
}

impl<'d> StoredSection<'d> {
    /// Finds the bytes of `section` and reads its compression header, if it has one.
    ///
    /// # Errors
    /// When the section or the header lies outside the file or is of an unknown kind.
    pub fn new(image: &'d ElfImage, section: &'d Section) -> Result<Self, SectionError> {
        let name = || section.name.clone();
        let raw = image.raw_section_bytes(section).ok_or_else(|| SectionError::OutsideFile {
            name: name(),
            offset: section.offset,
            size: section.size,
        })?;
        let stored = |packing, size, skip| {
            let bytes =
                raw.get(skip..).ok_or_else(|| SectionError::ShortHeader { name: name() })?;
            Ok(Self { section, bytes, packing, size })
        };
        if section.flags & COMPRESSED != 0 {
            let encoding = image.encoding();
            // Elf32_Chdr has 3 words; Elf64_Chdr has a reserved one after the type.
            let (size_at, length) = if encoding.is_64 { (8, 24) } else { (4, 12) };
            let header = encoding.u32(raw, 0).zip(encoding.word_at(raw, size_at));
            let (ch_type, size) =
                header.ok_or_else(|| SectionError::ShortHeader { name: name() })?;
            let packing = match ch_type {
                1 => Packing::Zlib,
                2 => Packing::Zstd,
                _ => return Err(SectionError::UnknownCompression { name: name(), ch_type }),
            };
            return stored(packing, size, length);
        }
        if section.name.starts_with(".zdebug_")
            && let Some(rest) = raw.strip_prefix(b"ZLIB")
        {
            let size = rest.first_chunk::<8>().map(|size| u64::from_be_bytes(*size));
            let size = size.ok_or_else(|| SectionError::ShortHeader { name: name() })?;
            return stored(Packing::Zlib, size, 12);
        }
        stored(Packing::None, raw.len() as u64, 0)
    }

    /// Bytes of the content once unpacked, as the header claims.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Whether the content has to be unpacked.
    pub fn is_compressed(&self) -> bool {
        self.packing != Packing::None
    }

    /// The section's header.
    pub fn section(&self) -> &'d Section {
        self.section
    }

    /// Bytes of the content once unpacked.
    ///
    /// # Errors
    /// When that is more than the limits or the size of the input make plausible.
    pub fn granted(&self, limits: &Limits) -> Result<u64, SectionError> {
        let plausible = (self.bytes.len() as u64).saturating_mul(RATIO).max(ALWAYS_GRANTED);
        let allowed = plausible.min(limits.section_bytes);
        if self.size > allowed {
            let name = self.section.name.clone();
            return Err(SectionError::TooLarge { name, size: self.size, allowed });
        }
        Ok(self.size)
    }

    fn damaged(&self) -> SectionError {
        SectionError::Damaged { name: self.section.name.clone(), size: self.size }
    }

    /// Hands the content to `take` in parts, one after the other; `Ok(false)` if `take` refused
    /// one.
    ///
    /// # Errors
    /// As [`StoredSection::read`]; what was handed over by then does not count.
    pub fn unpack(
        &self,
        limits: &Limits,
        mut take: impl FnMut(&[u8]) -> bool,
    ) -> Result<bool, SectionError> {
        let mut left = self.granted(limits)?;
        let take = &mut |part: &[u8]| {
            let rest = left.checked_sub(part.len() as u64).ok_or(Stopped::Damaged)?;
            left = rest;
            take(part).then_some(()).ok_or(Stopped::Refused)
        };
        let done = match self.packing {
            Packing::None => take(self.bytes),
            Packing::Zlib => inflate_to(self.bytes, self.size, take),
            Packing::Zstd => zstd_to(self.bytes, take),
        };
        match done {
            Ok(()) if left == 0 => Ok(true),
            Ok(()) | Err(Stopped::Damaged) => Err(self.damaged()),
            Err(Stopped::Refused) => Ok(false),
        }
    }

    /// The content.
    ///
    /// # Errors
    /// When it is damaged, or larger than the limits or its input make plausible.
    pub fn read(&self, limits: &Limits) -> Result<Cow<'d, [u8]>, SectionError> {
        if self.packing == Packing::None {
            return Ok(Cow::Borrowed(self.bytes));
        }
        let damaged = || self.damaged();
        let size = usize::try_from(self.granted(limits)?).map_err(|_| damaged())?;
        let mut content = Vec::new();
        // Reserved, not touched: pages the stream does not fill are never given out.
        content.try_reserve_exact(size).map_err(|_| damaged())?;
        match self.packing {
            Packing::None => {}
            Packing::Zlib => inflate(self.bytes, &mut content, size).ok_or_else(damaged)?,
            Packing::Zstd => {
                let decoder = zstd::bulk::Decompressor::new();
                let mut decoder = decoder.map_err(|_| damaged())?;
                decoder.decompress_to_buffer(self.bytes, &mut content).map_err(|_| damaged())?;
            }
        }
        if content.len() == size { Ok(Cow::Owned(content)) } else { Err(damaged()) }
    }
}

/// Why unpacking ended before the end.
enum Stopped {
    Damaged,
    Refused,
}

/// Bytes unpacked at a time: they stay in the cache of a processor until they are written.
const PART: usize = 256 << 10;

/// As [`inflate`], in parts.
fn inflate_to(
    mut input: &[u8],
    mut left: u64,
    take: &mut dyn FnMut(&[u8]) -> Result<(), Stopped>,
) -> Result<(), Stopped> {
    let room = usize::try_from(left).unwrap_or(PART).min(PART);
    let mut part: Vec<u8> = Vec::with_capacity(room);
    while left > 0 && !input.is_empty() {
        let mut stream = Decompress::new(true);
        loop {
            part.clear();
            let before = stream.total_in();
            let status = stream.decompress_vec(input, &mut part, FlushDecompress::None);
            let status = status.map_err(|_| Stopped::Damaged)?;
            let used = usize::try_from(stream.total_in().saturating_sub(before));
            let used = used.map_err(|_| Stopped::Damaged)?;
            input = input.get(used..).ok_or(Stopped::Damaged)?;
            take(&part)?;
            left = left.saturating_sub(part.len() as u64);
            match status {
                Status::StreamEnd => break,
                Status::Ok | Status::BufError if used > 0 || !part.is_empty() => {}
                Status::Ok | Status::BufError => return Err(Stopped::Damaged),
            }
        }
    }
    Ok(())
}

fn zstd_to(
    input: &[u8],
    take: &mut dyn FnMut(&[u8]) -> Result<(), Stopped>,
) -> Result<(), Stopped> {
    let mut decoder = zstd::stream::read::Decoder::with_buffer(input);
    let decoder = decoder.as_mut().map_err(|_| Stopped::Damaged)?;
    let mut part = vec![0; PART];
    loop {
        match decoder.read(&mut part).map_err(|_| Stopped::Damaged)? {
            0 => return Ok(()),
            read => take(part.get(..read).unwrap_or_default())?,
        }
    }
}

/// Unpacks one zlib stream into the spare room of `content`. GNU ld joins compressed
/// input sections as they are, so several streams may follow each other.
fn inflate(mut input: &[u8], content: &mut Vec<u8>, size: usize) -> Option<()> {
    while content.len() < size && !input.is_empty() {
        let mut stream = Decompress::new(true);
        let status = stream.decompress_vec(input, content, FlushDecompress::Finish).ok()?;
        let used = usize::try_from(stream.total_in()).ok()?;
        if status != Status::StreamEnd || used == 0 {
            return None;
        }
        input = input.get(used..)?;
    }
    Some(())
}

impl ElfImage {
    /// The sections called `name`, or `.zdebug_…` where `name` is `.debug_…`. Most names
    /// are unique; the sections of type units in a `.dwo` file are not.
    pub fn sections_called<'d>(&'d self, name: &str) -> impl Iterator<Item = &'d Section> {
        let old = name.strip_prefix(".debug_").map(|rest| format!(".zdebug_{rest}"));
        let name = name.to_owned();
        self.sections()
            .iter()
            .filter(move |section| section.name == name || Some(&section.name) == old.as_ref())
            .filter(|section| section.kind != 8)
    }

    /// The content of the section called `name`, unpacked; `None` if there is none or it
    /// has no bytes in this file (`SHT_NOBITS`).
    ///
    /// # Errors
    /// As [`StoredSection::new`] and [`StoredSection::read`].
    pub fn section_data(
        &self,
        name: &str,
        limits: &Limits,
    ) -> Result<Option<Cow<'_, [u8]>>, SectionError> {
        let Some(section) = self.sections_called(name).next() else { return Ok(None) };
        StoredSection::new(self, section)?.read(limits).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::elf::test_image::TestImage;
    use std::io::Write;

    fn zlib(content: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::new(6));
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    fn compressed(ch_type: u32, size: u64, stream: &[u8]) -> Vec<u8> {
        let mut bytes = ch_type.to_le_bytes().to_vec();
        bytes.extend([0; 4]);
        bytes.extend(size.to_le_bytes());
        bytes.extend(1_u64.to_le_bytes());
        bytes.extend(stream);
        bytes
    }

    fn read(name: &str, flags: u64, bytes: Vec<u8>) -> Result<Vec<u8>, SectionError> {
        let image = TestImage::default().section(name, flags, bytes).build();
        let content = image.section_data(".debug_info", &Limits::default())?;
        Ok(content.unwrap().into_owned())
    }

    #[test]
    fn all_three_ways_to_compress_are_read() {
        let content = b"obit obit obit obit".repeat(50);
        let size = content.len() as u64;
        let zstd = zstd::bulk::compress(&content, 3).unwrap();
        let mut old = b"ZLIB".to_vec();
        old.extend(size.to_be_bytes());
        old.extend(zlib(&content));
        assert_eq!(
            read(".debug_info", 0x800, compressed(1, size, &zlib(&content))).unwrap(),
            content
        );
        assert_eq!(read(".debug_info", 0x800, compressed(2, size, &zstd)).unwrap(), content);
        assert_eq!(read(".zdebug_info", 0, old).unwrap(), content);
    }

    fn unpacked(bytes: Vec<u8>) -> Result<Vec<u8>, SectionError> {
        let image = TestImage::default().section(".debug_info", 0x800, bytes).build();
        let section = image.sections_called(".debug_info").next().unwrap();
        let mut all = Vec::new();
        let add = |part: &[u8]| {
            all.extend_from_slice(part);
            true
        };
        let is_whole = StoredSection::new(&image, section)?.unpack(&Limits::default(), add)?;
        assert!(is_whole);
        Ok(all)
    }

    #[test]
    fn content_in_parts_is_the_same_content() {
        // More than two parts, and two streams one after the other.
        let content: Vec<u8> = (0..3_000_000_u32).flat_map(|at| (at / 7).to_le_bytes()).collect();
        let size = content.len() as u64;
        let (first, second) = content.split_at(5_000_000);
        let streams = [zlib(first), zlib(second)].concat();
        assert_eq!(unpacked(compressed(1, size, &streams)).unwrap(), content);
        let zstd = zstd::bulk::compress(&content, 1).unwrap();
        assert_eq!(unpacked(compressed(2, size, &zstd)).unwrap(), content);
        for stream in [&streams, &zstd] {
            let ch_type = if stream == &zstd { 2 } else { 1 };
            for lie in [size - 1, size + 1] {
                let lies = unpacked(compressed(ch_type, lie, stream));
                assert!(matches!(lies, Err(SectionError::Damaged { .. })), "{lies:?}");
            }
        }
    }

    #[test]
    fn who_takes_the_parts_may_refuse_one() {
        let bytes = compressed(1, 3, &zlib(b"abc"));
        let image = TestImage::default().section(".debug_info", 0x800, bytes).build();
        let section = image.sections_called(".debug_info").next().unwrap();
        let stored = StoredSection::new(&image, section).unwrap();
        assert_eq!(stored.unpack(&Limits::default(), |_| false), Ok(false));
    }

    #[test]
    fn a_size_that_lies_is_an_error_and_not_a_guess() {
        let stream = zlib(b"twelve bytes");
        for size in [11, 13] {
            let lies = read(".debug_info", 0x800, compressed(1, size, &stream));
            assert!(matches!(lies, Err(SectionError::Damaged { .. })), "{lies:?}");
        }
    }

    #[test]
    fn a_bomb_is_refused_before_it_is_unpacked() {
        let bomb = compressed(1, 1 << 40, &zlib(&[0; 1000]));
        assert!(matches!(read(".debug_info", 0x800, bomb), Err(SectionError::TooLarge { .. })));
        let unknown = read(".debug_info", 0x800, compressed(9, 4, b"abcd"));
        assert!(matches!(unknown, Err(SectionError::UnknownCompression { ch_type: 9, .. })));
        let short = read(".debug_info", 0x800, vec![1, 0, 0, 0]);
        assert!(matches!(short, Err(SectionError::ShortHeader { .. })));
    }
}
