//! Writes small ELF files, section by section, for tests of what reads them.

const SHT_PROGBITS: u32 = 1;
const SHT_STRTAB: u32 = 3;
const SHT_NOTE: u32 = 7;
const SHT_NOBITS: u32 = 8;
const SHF_ALLOC: u64 = 2;
const SHF_EXECINSTR: u64 = 4;
const HEADER: u64 = 64;
const SEGMENT: u64 = 56;
/// Where the only loaded segment says it belongs; file offset 0 lies there.
const BASE: u64 = 0x40_0000;

/// An ELF file in the making: 64-bit, little-endian, x86-64.
#[derive(Clone, Debug)]
pub struct ElfBuilder {
    e_type: u16,
    sections: Vec<NewSection>,
}

#[derive(Clone, Debug)]
struct NewSection {
    name: String,
    kind: u32,
    flags: u64,
    bytes: Vec<u8>,
}

impl ElfBuilder {
    /// A position-independent executable (`ET_DYN`) without any section.
    pub fn x86_64() -> Self {
        Self { e_type: 3, sections: Vec::new() }
    }

    /// Sets `e_type`: 2 `ET_EXEC`, 3 `ET_DYN`, 4 `ET_CORE`.
    pub fn e_type(mut self, e_type: u16) -> Self {
        self.e_type = e_type;
        self
    }

    /// Adds a section that is not loaded (`SHT_PROGBITS`).
    pub fn section(self, name: &str, bytes: &[u8]) -> Self {
        self.raw_section(name, SHT_PROGBITS, 0, bytes)
    }

    /// Adds a section with a type and flags of one's choice.
    pub fn raw_section(mut self, name: &str, kind: u32, flags: u64, bytes: &[u8]) -> Self {
        self.sections.push(NewSection { name: name.to_owned(), kind, flags, bytes: bytes.into() });
        self
    }

    /// Adds machine code in `.text`.
    pub fn text(self, code: &[u8]) -> Self {
        self.raw_section(".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, code)
    }

    /// Adds a `.text` without bytes, as `objcopy --only-keep-debug` leaves it.
    pub fn text_without_bytes(self) -> Self {
        self.raw_section(".text", SHT_NOBITS, SHF_ALLOC | SHF_EXECINSTR, &[])
    }

    /// Adds `.note.gnu.build-id`, and a `PT_NOTE` segment over it.
    pub fn build_id(self, id: &[u8]) -> Self {
        let mut note = Vec::new();
        for word in [4, id.len() as u32, 3] {
            note.extend(word.to_le_bytes());
        }
        note.extend(b"GNU\0");
        note.extend(id);
        note.resize(note.len().next_multiple_of(4), 0);
        self.raw_section(".note.gnu.build-id", SHT_NOTE, SHF_ALLOC, &note)
    }

    /// Adds `.gnu_debuglink`: a file name and the CRC-32 of that file.
    pub fn debug_link(self, name: &[u8], crc: u32) -> Self {
        let mut link = name.to_vec();
        link.push(0);
        link.resize(link.len().next_multiple_of(4), 0);
        link.extend(crc.to_le_bytes());
        self.section(".gnu_debuglink", &link)
    }

    /// Adds `.gnu_debugaltlink`: a file name and that file's build ID.
    pub fn alt_link(self, name: &[u8], id: &[u8]) -> Self {
        self.section(".gnu_debugaltlink", &[name, &[0], id].concat())
    }

    /// The file's bytes: header, segments, section contents, section headers.
    pub fn build(&self) -> Vec<u8> {
        let notes = self.sections.iter().filter(|section| section.kind == SHT_NOTE).count() as u64;
        let segments_end = HEADER + SEGMENT * (1 + notes);
        let mut contents = vec![0; segments_end as usize];
        let mut names = vec![0];
        let mut headers = vec![0; 64];
        let mut segments = Vec::new();
        let names_section = NewSection {
            name: ".shstrtab".to_owned(),
            kind: SHT_STRTAB,
            flags: 0,
            bytes: Vec::new(),
        };
        for section in self.sections.iter().chain([&names_section]) {
            contents.resize(contents.len().next_multiple_of(16), 0);
            let offset = contents.len() as u64;
            let name_at = names.len() as u32;
            names.extend(section.name.bytes().chain([0]));
            let is_names = section.kind == SHT_STRTAB && section.name == ".shstrtab";
            contents.extend(if is_names { &names } else { &section.bytes });
            let size = match section.kind {
                SHT_NOBITS => 16,
                _ => contents.len() as u64 - offset,
            };
            let address = if section.flags & SHF_ALLOC != 0 { BASE + offset } else { 0 };
            headers.extend(name_at.to_le_bytes());
            headers.extend(section.kind.to_le_bytes());
            for word in [section.flags, address, offset, size, 0, 4, 0] {
                headers.extend(word.to_le_bytes());
            }
            if section.kind == SHT_NOTE {
                segments.extend(segment(4, 4, offset, size));
            }
        }
        contents.resize(contents.len().next_multiple_of(16), 0);
        let sections_at = contents.len() as u64;
        segments.extend(segment(1, 5, 0, sections_at));
        let mut file = self.header(sections_at, 1 + notes, self.sections.len() as u16 + 2);
        file.extend(segments);
        file.extend(contents.iter().skip(file.len()));
        file.extend(headers);
        file
    }

    fn header(&self, sections_at: u64, segments: u64, sections: u16) -> Vec<u8> {
        let mut header = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
        header.extend(self.e_type.to_le_bytes());
        header.extend(62_u16.to_le_bytes()); // EM_X86_64
        header.extend(1_u32.to_le_bytes());
        for word in [BASE, HEADER, sections_at] {
            header.extend(word.to_le_bytes());
        }
        header.extend(0_u32.to_le_bytes());
        for half in [HEADER as u16, SEGMENT as u16, segments as u16, 64, sections, sections - 1] {
            header.extend(half.to_le_bytes());
        }
        header
    }
}

/// A program header whose bytes lie at `BASE + offset`.
fn segment(kind: u32, flags: u32, offset: u64, size: u64) -> Vec<u8> {
    let mut header = Vec::new();
    header.extend(kind.to_le_bytes());
    header.extend(flags.to_le_bytes());
    for word in [offset, BASE + offset, BASE + offset, size, size, 4] {
        header.extend(word.to_le_bytes());
    }
    header
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::elf::{ElfImage, ImageBytes};
    use crate::limits::Limits;

    #[test]
    fn what_was_put_in_is_read_back() {
        let file = ElfBuilder::x86_64()
            .text(b"\xc3")
            .build_id(&[7; 20])
            .debug_link(b"a.debug", 0x1234_5678)
            .alt_link(b"b.dwz", &[9; 20])
            .build();
        let image = ElfImage::parse(ImageBytes::Memory(file), &Limits::default()).unwrap();
        assert_eq!(image.build_id().unwrap().as_bytes(), [7; 20]);
        assert_eq!(image.raw_section(".text"), Some(&b"\xc3"[..]));
        assert_eq!(image.debug_link(), Some((&b"a.debug"[..], 0x1234_5678)));
        assert_eq!(image.debug_alt_link().unwrap().1.as_bytes(), [9; 20]);
        assert_eq!(image.segments().len(), 2);
    }
}
