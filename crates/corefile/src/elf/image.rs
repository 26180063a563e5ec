//! One ELF file, or one image found in the dead memory.

use std::borrow::Cow;
use std::ops::Deref;
use std::path::Path;

use goblin::elf::{Header, ProgramHeader, SectionHeader};
use thiserror::Error;

use super::{BuildId, Encoding, Note, Notes};
use crate::addr::Svma;
use crate::limits::Limits;
use crate::mapped_file::MappedFile;

/// The bytes of an image: a mapped file, or a copy of what lay in memory.
#[derive(Debug)]
pub enum ImageBytes {
    /// A file of the analyst's machine.
    File(MappedFile),
    /// Bytes taken from a core (the vDSO, a deleted file) or unpacked (MiniDebugInfo).
    Memory(Vec<u8>),
}

impl Deref for ImageBytes {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match self {
            Self::File(file) => file,
            Self::Memory(bytes) => bytes,
        }
    }
}

/// Why bytes are not an ELF file that can be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ElfError {
    /// The first four bytes are not `\x7fELF`.
    #[error("not an ELF file: it starts with {0}")]
    NotElf(String),
    /// The identification is ELF's, the rest is not.
    #[error("the ELF header is malformed: {0}")]
    BadHeader(String),
}

/// The fields of the ELF header that are needed, class and order taken care of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileHeader {
    /// Class and byte order.
    pub encoding: Encoding,
    /// `e_type`: 2 `ET_EXEC`, 3 `ET_DYN`, 4 `ET_CORE`.
    pub e_type: u16,
    /// `e_machine`.
    pub e_machine: u16,
    /// `e_entry`.
    pub entry: Svma,
    /// `e_phoff`, bytes from the start of the file.
    pub segments_offset: u64,
    /// `e_phnum`; 0xffff (`PN_XNUM`) means: see `sh_info` of section 0.
    pub segments_count: u16,
    /// `e_shoff`.
    pub sections_offset: u64,
    /// `e_shnum`; 0 with sections present means: see `sh_size` of section 0.
    pub sections_count: u16,
    /// `e_shstrndx`.
    pub section_names: u16,
}

/// `e_type` of a core file.
pub const ET_CORE: u16 = 4;
/// `e_phnum` when the count does not fit 16 bits (gABI, "Program Header").
const PN_XNUM: u16 = 0xffff;

impl FileHeader {
    /// Bytes that [`FileHeader::parse`] wants: the larger of both classes.
    pub const SIZE: usize = 64;

    /// Reads the header at the start of `bytes`.
    ///
    /// # Errors
    /// When the magic, the class or the byte order is wrong, or `bytes` is cut short.
    pub fn parse(bytes: &[u8]) -> Result<Self, ElfError> {
        if bytes.get(..4) != Some(b"\x7fELF") {
            let start: Vec<String> =
                bytes.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
            let start = if start.is_empty() { "nothing".to_owned() } else { start.join(" ") };
            return Err(ElfError::NotElf(start));
        }
        let bad = |what: &str| ElfError::BadHeader(what.to_owned());
        let is_64 = match bytes.get(4) {
            Some(1) => false,
            Some(2) => true,
            _ => return Err(bad("EI_CLASS is neither 1 nor 2")),
        };
        let little_endian = match bytes.get(5) {
            Some(1) => true,
            Some(2) => false,
            _ => return Err(bad("EI_DATA is neither 1 nor 2")),
        };
        if bytes.len() < if is_64 { 64 } else { 52 } {
            return Err(bad("it is cut short"));
        }
        // goblin reads 64 bytes whatever the class.
        let mut whole = [0_u8; Self::SIZE];
        for (to, from) in whole.iter_mut().zip(bytes) {
            *to = *from;
        }
        let header: Header = goblin::elf::Elf::parse_header(&whole)
            .map_err(|error| ElfError::BadHeader(error.to_string()))?;
        Ok(Self {
            encoding: Encoding { is_64, little_endian },
            e_type: header.e_type,
            e_machine: header.e_machine,
            entry: Svma(header.e_entry),
            segments_offset: header.e_phoff,
            segments_count: header.e_phnum,
            sections_offset: header.e_shoff,
            sections_count: header.e_shnum,
            section_names: header.e_shstrndx,
        })
    }

    /// Bytes of one program header.
    pub fn segment_size(&self) -> usize {
        ProgramHeader::size(self.encoding.context())
    }

    /// Bytes of one section header.
    pub fn section_size(&self) -> usize {
        SectionHeader::size(self.encoding.context())
    }

    /// Whether the number of segments is in `sh_info` of section 0.
    pub fn has_extended_count(&self) -> bool {
        self.segments_count == PN_XNUM
    }

    /// The program headers in `table`, as many whole ones as it holds up to `count`.
    pub fn parse_segments(&self, table: &[u8], count: usize) -> Vec<Segment> {
        let count = count.min(table.len().checked_div(self.segment_size()).unwrap_or(0));
        let headers = ProgramHeader::parse(table, 0, count, self.encoding.context());
        headers.unwrap_or_default().iter().map(Segment::from).collect()
    }

    /// `sh_info` of the section header at the start of `bytes`.
    pub fn section_info(&self, bytes: &[u8]) -> Option<u32> {
        let sections = SectionHeader::parse_from(bytes, 0, 1, self.encoding.context()).ok()?;
        sections.first().map(|section| section.sh_info)
    }
}

/// `p_type`, the kinds that matter here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SegmentKind {
    /// `PT_LOAD`.
    Load,
    /// `PT_DYNAMIC`.
    Dynamic,
    /// `PT_INTERP`.
    Interp,
    /// `PT_NOTE`.
    Note,
    /// `PT_PHDR`.
    Phdr,
    /// `PT_TLS`.
    Tls,
    /// `PT_GNU_EH_FRAME`.
    EhFrameHeader,
    /// Anything else.
    Other(u32),
}

/// A program header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// `p_type`.
    pub kind: SegmentKind,
    /// `p_flags`: 1 execute, 2 write, 4 read.
    pub flags: u32,
    /// `p_offset`, bytes into the file.
    pub offset: u64,
    /// `p_vaddr`. In a core file this is an AVMA; the core reader converts it.
    pub vaddr: Svma,
    /// `p_filesz`.
    pub file_size: u64,
    /// `p_memsz`.
    pub mem_size: u64,
    /// `p_align`.
    pub align: u64,
}

impl From<&ProgramHeader> for Segment {
    fn from(header: &ProgramHeader) -> Self {
        let kind = match header.p_type {
            1 => SegmentKind::Load,
            2 => SegmentKind::Dynamic,
            3 => SegmentKind::Interp,
            4 => SegmentKind::Note,
            6 => SegmentKind::Phdr,
            7 => SegmentKind::Tls,
            0x6474_e550 => SegmentKind::EhFrameHeader,
            other => SegmentKind::Other(other),
        };
        Self {
            kind,
            flags: header.p_flags,
            offset: header.p_offset,
            vaddr: Svma(header.p_vaddr),
            file_size: header.p_filesz,
            mem_size: header.p_memsz,
            align: header.p_align,
        }
    }
}

impl Segment {
    /// Whether the segment may be executed (`PF_X`).
    pub fn is_executable(&self) -> bool {
        self.flags & 1 != 0
    }

    /// Whether the segment may be written (`PF_W`).
    pub fn is_writable(&self) -> bool {
        self.flags & 2 != 0
    }
}

/// A section header with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Name, lossily UTF-8.
    pub name: String,
    /// `sh_type`: 1 `PROGBITS`, 2 `SYMTAB`, 7 `NOTE`, 8 `NOBITS`, 11 `DYNSYM`.
    pub kind: u32,
    /// `sh_flags`; 0x800 is `SHF_COMPRESSED`.
    pub flags: u64,
    /// `sh_addr`.
    pub address: Svma,
    /// `sh_offset`.
    pub offset: u64,
    /// `sh_size`.
    pub size: u64,
    /// `sh_link`.
    pub link: u32,
    /// `sh_entsize`.
    pub entry_size: u64,
}

/// One image. Holds its bytes; sections and segments out of range are kept and simply
/// have no bytes.
#[derive(Debug)]
pub struct ElfImage {
    bytes: ImageBytes,
    header: FileHeader,
    segments: Vec<Segment>,
    sections: Vec<Section>,
    build_id: Option<BuildId>,
}

impl ElfImage {
    /// Reads headers and section names; touches nothing else.
    ///
    /// # Errors
    /// Only when there is no ELF header. Tables out of range are read as far as they go.
    pub fn parse(bytes: ImageBytes, limits: &Limits) -> Result<Self, ElfError> {
        let header = FileHeader::parse(&bytes)?;
        let sections = parse_sections(&bytes, &header, limits);
        let mut segments_count = usize::from(header.segments_count);
        if header.has_extended_count() {
            let section_0 = slice(&bytes, header.sections_offset, header.section_size() as u64);
            let info = section_0.and_then(|bytes| header.section_info(bytes));
            segments_count = info.and_then(|info| usize::try_from(info).ok()).unwrap_or(0);
        }
        let table = slice_from(&bytes, header.segments_offset).unwrap_or(&[]);
        let segments = header.parse_segments(table, segments_count.min(limits.program_headers));
        let mut image = Self { bytes, header, segments, sections, build_id: None };
        let build_id = image
            .notes()
            .find(|note| note.owner == b"GNU" && note.kind == 3)
            .and_then(|note| BuildId::new(note.desc));
        image.build_id = build_id;
        Ok(image)
    }

    /// All bytes of the file.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The file behind the image, `None` for one that was copied from memory.
    pub fn file(&self) -> Option<&MappedFile> {
        match &self.bytes {
            ImageBytes::File(file) => Some(file),
            ImageBytes::Memory(_) => None,
        }
    }

    /// Where the file lies, if it is one.
    pub fn path(&self) -> Option<&Path> {
        self.file().map(MappedFile::path)
    }

    /// The ELF header.
    pub fn header(&self) -> &FileHeader {
        &self.header
    }

    /// Class and byte order.
    pub fn encoding(&self) -> Encoding {
        self.header.encoding
    }

    /// The program headers, in file order.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The section headers, in file order; empty when they were stripped or cut off.
    pub fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// `NT_GNU_BUILD_ID`, if the image has one.
    pub fn build_id(&self) -> Option<&BuildId> {
        self.build_id.as_ref()
    }

    /// The first section called `name`.
    pub fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.name == name)
    }

    /// The bytes of `section` as they are in the file, compressed or not; `None` for
    /// `SHT_NOBITS` and for one that lies outside the file.
    pub fn raw_section_bytes(&self, section: &Section) -> Option<&[u8]> {
        (section.kind != 8).then(|| slice(&self.bytes, section.offset, section.size))?
    }

    /// The raw bytes of the first section called `name`.
    pub fn raw_section(&self, name: &str) -> Option<&[u8]> {
        self.raw_section_bytes(self.section(name)?)
    }

    /// The file's bytes from `at` to the end of its segment, by the program headers.
    pub fn bytes_at(&self, at: Svma) -> Option<&[u8]> {
        self.segments.iter().filter(|segment| segment.kind == SegmentKind::Load).find_map(
            |segment| {
                let into = at.0.checked_sub(segment.vaddr.0)?;
                let left = segment.file_size.checked_sub(into).filter(|left| *left > 0)?;
                let start = usize::try_from(segment.offset.checked_add(into)?).ok()?;
                let rest = self.bytes.get(start..)?;
                Some(rest.get(..usize::try_from(left).ok()?).unwrap_or(rest))
            },
        )
    }

    /// All notes of the note segments, or of the note sections where there are none.
    pub fn notes(&self) -> impl Iterator<Item = Note<'_>> {
        let in_segments = self
            .segments
            .iter()
            .filter(|segment| segment.kind == SegmentKind::Note)
            .map(|segment| (segment.offset, segment.file_size, segment.align));
        let in_sections = self
            .sections
            .iter()
            .filter(|section| section.kind == 7)
            .map(|section| (section.offset, section.size, 4));
        in_segments.chain(in_sections).flat_map(|(offset, size, align)| {
            let bytes = slice(&self.bytes, offset, size).unwrap_or(&[]);
            Notes::new(bytes, align, self.header.encoding).filter_map(Result::ok)
        })
    }

    /// `.gnu_debuglink`: the debug file's name and the CRC-32 of its content.
    pub fn debug_link(&self) -> Option<(&[u8], u32)> {
        let bytes = self.raw_section(".gnu_debuglink")?;
        let end = bytes.iter().position(|byte| *byte == 0)?;
        let crc_at = end.checked_add(1)?.checked_next_multiple_of(4)?;
        Some((bytes.get(..end)?, self.encoding().u32(bytes, crc_at)?))
    }

    /// `.gnu_debugaltlink`: name and build ID of the file dwz shares between debug files.
    pub fn debug_alt_link(&self) -> Option<(&[u8], BuildId)> {
        let bytes = self.raw_section(".gnu_debugaltlink")?;
        let end = bytes.iter().position(|byte| *byte == 0)?;
        Some((bytes.get(..end)?, BuildId::new(bytes.get(end.checked_add(1)?..)?)?))
    }

    /// `.note.package`: JSON that names the distribution's package (systemd.io,
    /// "Package Metadata for Executable Files").
    pub fn package(&self) -> Option<Cow<'_, str>> {
        let note = self.notes().find(|note| note.owner == b"FDO" && note.kind == 0xcafe_1a7e)?;
        let text = note.desc.split(|byte| *byte == 0).next()?;
        Some(String::from_utf8_lossy(text))
    }
}

impl AsRef<[u8]> for ElfImage {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

fn slice(bytes: &[u8], offset: u64, size: u64) -> Option<&[u8]> {
    let start = usize::try_from(offset).ok()?;
    bytes.get(start..start.checked_add(usize::try_from(size).ok()?)?)
}

fn slice_from(bytes: &[u8], offset: u64) -> Option<&[u8]> {
    bytes.get(usize::try_from(offset).ok()?..)
}

fn parse_sections(bytes: &[u8], header: &FileHeader, limits: &Limits) -> Vec<Section> {
    let context = header.encoding.context();
    let table = slice_from(bytes, header.sections_offset).unwrap_or(&[]);
    if header.sections_offset == 0 || table.len() < header.section_size() {
        return Vec::new();
    }
    let mut first = None;
    if header.sections_count == 0 || header.section_names == 0xffff {
        first = SectionHeader::parse_from(table, 0, 1, context).ok().and_then(|mut s| s.pop());
    }
    let mut count = usize::from(header.sections_count);
    if let (0, Some(first)) = (count, &first) {
        count = usize::try_from(first.sh_size).unwrap_or(0);
    }
    count = count
        .min(table.len().checked_div(header.section_size()).unwrap_or(0))
        .min(limits.section_headers);
    if count == 0 {
        return Vec::new();
    }
    let headers = SectionHeader::parse_from(table, 0, count, context).unwrap_or_default();
    let names_index = match &first {
        Some(first) if header.section_names == 0xffff => usize::try_from(first.sh_link).ok(),
        _ => Some(usize::from(header.section_names)),
    };
    let names = names_index
        .and_then(|index| headers.get(index))
        .and_then(|section| slice(bytes, section.sh_offset, section.sh_size))
        .unwrap_or(&[]);
    let name_at = |offset: usize| {
        let name = names.get(offset..).unwrap_or(&[]);
        let name = name.split(|byte| *byte == 0).next().unwrap_or(&[]);
        let name = name.get(..256).unwrap_or(name);
        String::from_utf8_lossy(name).into_owned()
    };
    headers
        .iter()
        .map(|section| Section {
            name: name_at(section.sh_name),
            kind: section.sh_type,
            flags: section.sh_flags,
            address: Svma(section.sh_addr),
            offset: section.sh_offset,
            size: section.sh_size,
            link: section.sh_link,
            entry_size: section.sh_entsize,
        })
        .collect()
}
