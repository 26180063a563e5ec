//! A builder of small ELF images for tests.

use super::{ElfImage, ImageBytes};
use crate::limits::Limits;

/// An ELFCLASS64, little-endian shared object for x86-64 made of sections.
#[derive(Default)]
pub struct TestImage {
    sections: Vec<TestSection>,
    names: Vec<u8>,
    symbols: Vec<u8>,
}

struct TestSection {
    name: String,
    kind: u32,
    flags: u64,
    address: u64,
    size: u64,
    link: u32,
    bytes: Vec<u8>,
}

impl TestImage {
    /// One section with content.
    pub fn section(mut self, name: &str, flags: u64, bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        let (name, size) = (name.to_owned(), bytes.len() as u64);
        self.sections.push(TestSection { name, kind: 1, flags, address: 0, size, link: 0, bytes });
        self
    }

    /// `.text`, section number 1 if it comes first, without bytes.
    pub fn text(mut self, address: u64, size: u64) -> Self {
        let name = ".text".to_owned();
        let bytes = Vec::new();
        self.sections.push(TestSection { name, kind: 8, flags: 6, address, size, link: 0, bytes });
        self
    }

    /// A function's symbol in section 1.
    pub fn symbol(self, name: &str, global: bool, address: u64, size: u64) -> Self {
        self.any_symbol(name, if global { 0x12 } else { 0x02 }, address, size)
    }

    /// A symbol in section 1 with its `st_info`.
    pub fn any_symbol(mut self, name: &str, info: u8, address: u64, size: u64) -> Self {
        if self.names.is_empty() {
            self.names.push(0);
        }
        self.symbols.extend((self.names.len() as u32).to_le_bytes());
        self.symbols.extend([info, 0, 1, 0]);
        self.symbols.extend(address.to_le_bytes());
        self.symbols.extend(size.to_le_bytes());
        self.names.extend(name.as_bytes());
        self.names.push(0);
        self
    }

    pub fn build(mut self) -> ElfImage {
        if !self.symbols.is_empty() {
            let bytes = std::mem::take(&mut self.symbols);
            let (size, link) = (bytes.len() as u64, self.sections.len() as u32 + 2);
            let name = ".symtab".to_owned();
            let (kind, flags, address) = (2, 0, 0);
            self.sections.push(TestSection { name, kind, flags, address, size, link, bytes });
            let names = std::mem::take(&mut self.names);
            self = self.section(".strtab", 0, names);
        }
        let mut names = vec![0_u8];
        let mut headers = vec![0_u8; 64];
        let mut content = vec![0_u8; 64];
        self = self.section(".shstrtab", 0, Vec::new());
        let count = self.sections.len();
        for (number, section) in self.sections.into_iter().enumerate() {
            let name = names.len() as u32;
            names.extend(section.name.as_bytes());
            names.push(0);
            let last = number + 1 == count;
            let bytes = if last { names.clone() } else { section.bytes };
            let size = if last { bytes.len() as u64 } else { section.size };
            headers.extend(name.to_le_bytes());
            headers.extend(section.kind.to_le_bytes());
            for word in [section.flags, section.address, content.len() as u64, size] {
                headers.extend(word.to_le_bytes());
            }
            headers.extend(section.link.to_le_bytes());
            headers.extend([0; 4]);
            headers.extend(1_u64.to_le_bytes());
            headers.extend(24_u64.to_le_bytes());
            content.extend(bytes);
        }
        let table = content.len() as u64;
        content.extend(headers);
        let mut header = b"\x7fELF\x02\x01\x01".to_vec();
        header.resize(16, 0);
        header.extend([3, 0, 62, 0, 1, 0, 0, 0]);
        header.extend([0; 16]);
        header.extend(table.to_le_bytes());
        header.extend([0; 4]);
        for half in [64_u16, 56, 0, 64, count as u16 + 1, count as u16] {
            header.extend(half.to_le_bytes());
        }
        content.splice(..64, header);
        ElfImage::parse(ImageBytes::Memory(content), &Limits::default()).unwrap()
    }
}
