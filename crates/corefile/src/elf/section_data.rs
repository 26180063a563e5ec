//! The content of a section: as it is, or unpacked when it is compressed (gABI,
//! "Section Compression", and the older `.zdebug_*` of GNU binutils).

use std::borrow::Cow;

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

    /// The content.
    ///
    /// # Errors
    /// When it is damaged, or larger than the limits or its input make plausible.
    pub fn read(&self, limits: &Limits) -> Result<Cow<'d, [u8]>, SectionError> {
        if self.packing == Packing::None {
            return Ok(Cow::Borrowed(self.bytes));
        }
        let name = || self.section.name.clone();
        let plausible = (self.bytes.len() as u64).saturating_mul(RATIO).max(ALWAYS_GRANTED);
        let allowed = plausible.min(limits.section_bytes);
        if self.size > allowed {
            return Err(SectionError::TooLarge { name: name(), size: self.size, allowed });
        }
        let damaged = || SectionError::Damaged { name: name(), size: self.size };
        let size = usize::try_from(self.size).map_err(|_| damaged())?;
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
