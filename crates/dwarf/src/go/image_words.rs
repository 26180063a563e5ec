//! Address-sized words of an image as the dynamic linker leaves them.

use std::collections::HashMap;

use obit_corefile::addr::Svma;
use obit_corefile::elf::{ElfImage, Encoding};

/// `R_X86_64_RELATIVE` and `R_AARCH64_RELATIVE`.
const RELATIVE: [u64; 2] = [8, 1027];
/// Bytes of an `Elf64_Rela`.
const ENTRY: usize = 24;
/// Relocations that are read; large programs have a few hundred thousand.
const MOST: usize = 1 << 22;
const ET_DYN: u16 = 3;

/// The words of one image.
pub(super) struct ImageWords<'i> {
    image: &'i ElfImage,
    encoding: Encoding,
    /// Addends of relative relocations by the address they are for: the word in the file of a
    /// position-independent executable is 0.
    relocated: HashMap<u64, u64>,
}

impl<'i> ImageWords<'i> {
    pub(super) fn new(image: &'i ElfImage) -> Self {
        let encoding = image.encoding();
        let mut relocated = HashMap::new();
        let table = image.raw_section(".rela.dyn").or_else(|| image.raw_section(".rela"));
        if image.header().e_type == ET_DYN && encoding.is_64 {
            for entry in table.unwrap_or_default().chunks_exact(ENTRY).take(MOST) {
                let word = |offset| encoding.unsigned(entry, offset, 8);
                let kind = word(8).filter(|kind| RELATIVE.contains(kind));
                if let (Some(at), Some(_), Some(addend)) = (word(0), kind, word(16)) {
                    relocated.insert(at, addend);
                }
            }
        }
        Self { image, encoding, relocated }
    }

    /// The word at `at`, an address of the file.
    pub(super) fn get(&self, at: u64) -> Option<u64> {
        let relocated = self.relocated.get(&at).copied();
        relocated.or_else(|| self.encoding.word_at(self.image.bytes_at(Svma(at))?, 0))
    }

    /// The addresses of words of writable sections whose value is `value`.
    pub(super) fn holding(&self, value: u64) -> Vec<u64> {
        let word = self.encoding.word();
        let mut found: Vec<u64> =
            self.relocated.iter().filter(|(_, to)| **to == value).map(|(at, _)| *at).collect();
        // SHF_WRITE and SHF_ALLOC.
        let writable = self.image.sections().iter().filter(|section| section.flags & 3 == 3);
        for section in writable {
            let bytes = self.image.raw_section_bytes(section).unwrap_or_default();
            for (index, chunk) in bytes.chunks_exact(word).enumerate() {
                if self.encoding.word_at(chunk, 0) == Some(value) {
                    let into = (index as u64).checked_mul(word as u64);
                    found.extend(into.and_then(|into| section.address.0.checked_add(into)));
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}
