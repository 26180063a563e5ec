//! An object file whose sections have their addresses, made into one whose symbols and debug
//! information have them, too: compilers register what they would have written as `.o`.

use obit_corefile::elf::{ElfImage, Encoding, ImageBytes, Section};
use obit_corefile::limits::Limits;

const ET_REL: u16 = 1;
const ET_EXEC: u8 = 2;
const SHT_SYMTAB: u32 = 2;
const SHT_RELA: u32 = 4;
/// From here on a section index has a meaning of its own.
const SHN_LORESERVE: u64 = 0xff00;
/// Bytes of an `Elf64_Sym` and of an `Elf64_Rela`.
const SYMBOL: usize = 24;
const RELOCATION: usize = 24;
const EM_X86_64: u16 = 62;
const EM_AARCH64: u16 = 183;

/// How a relocation is computed.
struct Rule {
    bytes: usize,
    is_relative: bool,
}

/// `bytes`, an ELF file, with addresses in all of it; as it is unless it is an object file for a
/// 64-bit little-endian machine. `None` if it is not an ELF file.
pub(super) fn placed(mut bytes: Vec<u8>, limits: &Limits) -> Option<Vec<u8>> {
    let image = ElfImage::parse(ImageBytes::Memory(bytes.clone()), limits).ok()?;
    let encoding = image.encoding();
    if image.header().e_type != ET_REL || !encoding.is_64 || !encoding.little_endian {
        return Some(bytes);
    }
    for section in image.sections().iter().filter(|section| section.kind == SHT_SYMTAB) {
        for index in 0..entries(&image, section, SYMBOL) {
            place_symbol(&image, section, index, &mut bytes);
        }
    }
    for (number, section) in image.sections().iter().enumerate() {
        if section.kind == SHT_RELA
            && let Some(target) = target(&image, number).filter(|target| is_described(target))
            && let Some(symbols) = image.sections().get(section.link as usize)
        {
            for index in 0..entries(&image, section, RELOCATION) {
                relocate(&image, (section, symbols, target), index, &mut bytes);
            }
        }
    }
    // e_type: a file with final addresses is not an object file.
    *bytes.get_mut(16)? = ET_EXEC;
    Some(bytes)
}

/// Code and data are read from memory, where the compiler has relocated them.
fn is_described(target: &Section) -> bool {
    target.name.starts_with(".debug_") || target.name == ".eh_frame"
}

fn entries(image: &ElfImage, section: &Section, size: usize) -> usize {
    let bytes = image.raw_section_bytes(section).unwrap_or_default();
    bytes.len().checked_div(size).unwrap_or(0)
}

/// The section that the relocations in section `number` are for: its `sh_info`.
fn target(image: &ElfImage, number: usize) -> Option<&Section> {
    const SH_INFO: usize = 44;
    let header = image.header();
    let into = number.checked_mul(header.section_size())?.checked_add(SH_INFO)?;
    let at = usize::try_from(header.sections_offset).ok()?.checked_add(into)?;
    image.sections().get(usize::try_from(image.encoding().u32(image.bytes(), at)?).ok()?)
}

/// Adds the address of its section to the value of a symbol.
fn place_symbol(image: &ElfImage, section: &Section, index: usize, bytes: &mut [u8]) {
    const ST_VALUE: usize = 8;
    let mut place = || {
        let value = symbol_value(image, section, index)?;
        let offset = usize::try_from(section.offset).ok()?;
        let at = offset.checked_add(index.checked_mul(SYMBOL)?)?.checked_add(ST_VALUE)?;
        bytes.get_mut(at..at.checked_add(8)?)?.copy_from_slice(&value.to_le_bytes());
        Some(())
    };
    place();
}

/// The address of symbol number `index` of the table `symbols`; `None` if it is in no section.
fn symbol_value(image: &ElfImage, symbols: &Section, index: usize) -> Option<u64> {
    let table = image.raw_section_bytes(symbols)?;
    let at = index.checked_mul(SYMBOL)?;
    let number = |into: usize, size| image.encoding().unsigned(table, at.checked_add(into)?, size);
    let holder = number(6, 2).filter(|index| *index != 0 && *index < SHN_LORESERVE)?;
    let holder = image.sections().get(usize::try_from(holder).ok()?)?;
    number(8, 8)?.checked_add(holder.address.0)
}

/// Carries out relocation number `index` of `relocations` in `target`.
fn relocate(
    image: &ElfImage,
    (relocations, symbols, target): (&Section, &Section, &Section),
    index: usize,
    bytes: &mut [u8],
) {
    let mut apply = || {
        let encoding: Encoding = image.encoding();
        let table = image.raw_section_bytes(relocations)?;
        let at = index.checked_mul(RELOCATION)?;
        let number = |into: usize, size| encoding.unsigned(table, at.checked_add(into)?, size);
        let (offset, kind, symbol, addend) =
            (number(0, 8)?, number(8, 4)?, number(12, 4)?, number(16, 8)?);
        let rule = rule(image.header().e_machine, kind)?;
        let symbol = symbol_value(image, symbols, usize::try_from(symbol).ok()?)?;
        let mut value = symbol.wrapping_add(addend);
        if rule.is_relative {
            value = value.wrapping_sub(target.address.0.checked_add(offset)?);
        }
        let end = offset.checked_add(rule.bytes as u64).filter(|end| *end <= target.size)?;
        let start = usize::try_from(target.offset.checked_add(offset)?).ok()?;
        let end = usize::try_from(target.offset.checked_add(end)?).ok()?;
        let value = value.to_le_bytes();
        bytes.get_mut(start..end)?.copy_from_slice(value.get(..rule.bytes)?);
        Some(())
    };
    apply();
}

fn rule(machine: u16, kind: u64) -> Option<Rule> {
    let (bytes, is_relative) = match (machine, kind) {
        // R_X86_64_64, _PC32, _32, _32S, _PC64.
        (EM_X86_64, 1) => (8, false),
        (EM_X86_64, 2) => (4, true),
        (EM_X86_64, 10 | 11) => (4, false),
        (EM_X86_64, 24) => (8, true),
        // R_AARCH64_ABS64, _ABS32, _PREL64, _PREL32.
        (EM_AARCH64, 257) => (8, false),
        (EM_AARCH64, 258) => (4, false),
        (EM_AARCH64, 260) => (8, true),
        (EM_AARCH64, 261) => (4, true),
        _ => return None,
    };
    Some(Rule { bytes, is_relative })
}
