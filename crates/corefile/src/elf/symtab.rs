//! The symbols of an image, for naming addresses that DWARF does not name.

use crate::addr::Svma;

use super::code_sets::{CodeSet, CodeSets};
use super::{ElfImage, Encoding, Section};

/// One symbol table of an image: `.symtab`, or `.dynsym` where that was stripped. Sorted
/// by address; names are read only when asked for.
#[derive(Debug, Default)]
pub struct SymbolTable {
    symbols: Vec<RawSymbol>,
    sets: CodeSets,
}

/// A symbol as the table has it.
#[derive(Clone, Copy, Debug)]
pub(super) struct RawSymbol {
    pub(super) address: u64,
    pub(super) size: u64,
    /// Absolute offset of the name in the file.
    pub(super) name: u64,
    pub(super) section: u16,
    pub(super) binding: u8,
    pub(super) kind: u8,
    /// Its place in the table.
    pub(super) index: u32,
}

impl RawSymbol {
    /// `STT_FUNC` or `STT_GNU_IFUNC`.
    pub(super) fn is_function(&self) -> bool {
        matches!(self.kind, 2 | 10)
    }
}

/// A symbol, its name still raw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Symbol<'d> {
    /// Name in the string table without a version (`@GLIBC_2.2.5`).
    pub name: &'d [u8],
    /// `st_value`; the Thumb bit of 32-bit Arm code is cleared.
    pub address: Svma,
    /// `st_size`; 0 means not known.
    pub size: u64,
    /// `STT_FUNC` or `STT_GNU_IFUNC`.
    pub is_function: bool,
}

const SHT_SYMTAB: u32 = 2;
const SHT_DYNSYM: u32 = 11;
const STT_SECTION: u8 = 3;
const STT_FILE: u8 = 4;
const STT_TLS: u8 = 6;
const SHN_UNDEF: u16 = 0;
const SHN_ABS: u16 = 0xfff1;
const SHN_COMMON: u16 = 0xfff2;
const EM_ARM: u16 = 40;
const EM_PPC64: u16 = 21;
const EM_AARCH64: u16 = 183;
const EM_RISCV: u16 = 243;

impl SymbolTable {
    /// Reads `.symtab` if it has entries, else `.dynsym`; empty when there is neither.
    pub fn parse(image: &ElfImage) -> Self {
        let (mut symbols, mut sets) = unsorted(image);
        follow_descriptors(image, &mut symbols);
        // In place: a table that keeps the order of equal addresses by itself takes as much
        // memory again.
        symbols.sort_unstable_by_key(|entry| (entry.address, entry.index));
        sets.sort();
        Self { symbols, sets }
    }

    /// Whether there is no symbol.
    pub fn is_empty(&self) -> bool {
        self.symbols.is_empty()
    }

    /// The symbol that stands for the code or datum at `at`. `image` is the one the table
    /// was parsed from.
    ///
    /// The choice is that of gdb's `lookup_minimal_symbol_by_pc_section`: the last symbol
    /// at or before the address in order of address and name; a global one rather than a
    /// local one of the same extent; a sized one rather than a label, unless the address
    /// lies beyond its end.
    pub fn lookup<'d>(&self, image: &'d ElfImage, at: Svma) -> Option<Symbol<'d>> {
        let section = section_at(image, at);
        let end = self.symbols.partition_point(|entry| entry.address <= at.0);
        let mut label = None;
        let mut above = end;
        for _ in 0..MAX_GROUPS {
            let Some(last) = above.checked_sub(1) else { break };
            let address = self.symbols.get(last)?.address;
            let start = self.symbols.partition_point(|entry| entry.address < address);
            let mut group: Vec<RawSymbol> = self
                .symbols
                .get(start.max(above.saturating_sub(MAX_GROUP))..above)?
                .iter()
                .filter(|entry| section.is_none_or(|index| entry.section == index))
                .copied()
                .collect();
            group.sort_by_key(|entry| name_of(image, entry));
            while let Some(entry) = group.pop() {
                let before = group.last();
                if entry.binding == 0
                    && before.is_some_and(|other| other.binding != 0 && other.size == entry.size)
                {
                    continue;
                }
                if entry.size == 0 {
                    label = label.or(Some(entry));
                    continue;
                }
                let beyond = at.0.wrapping_sub(entry.address) >= entry.size;
                if !beyond {
                    return Some(symbol(image, &entry));
                }
                let previous =
                    before.copied().or_else(|| self.symbols.get(start.checked_sub(1)?).copied());
                if previous.is_some_and(|other| at.0.wrapping_sub(other.address) < other.size) {
                    continue;
                }
                return label.map(|entry| symbol(image, &entry));
            }
            above = start;
        }
        label.map(|entry| symbol(image, &entry))
    }

    /// The instruction set of the code at `at` (32-bit Arm); `None` where no symbol says.
    pub fn code_set_at(&self, image: &ElfImage, at: Svma) -> Option<CodeSet> {
        self.sets.at(at, section_at(image, at))
    }

    /// The functions of which the size is known, by address.
    pub fn functions<'d>(&self, image: &'d ElfImage) -> impl Iterator<Item = Symbol<'d>> {
        let functions = self.symbols.iter().filter(|e| matches!(e.kind, 2 | 10) && e.size > 0);
        functions.map(move |entry| symbol(image, entry))
    }

    /// The name of the function that begins at `at`; of aliases the first by name.
    pub fn function_starting_at<'d>(&self, image: &'d ElfImage, at: Svma) -> Option<&'d [u8]> {
        let from = self.symbols.partition_point(|entry| entry.address < at.0);
        let here = self.symbols.iter().skip(from).take(MAX_GROUP);
        let here = here.take_while(|entry| entry.address == at.0);
        here.filter(|e| matches!(e.kind, 2 | 10)).map(|entry| name_of(image, entry)).min()
    }

    /// The address of the function called `name`, a global one first.
    pub fn function_named(&self, image: &ElfImage, name: &[u8]) -> Option<Svma> {
        let called =
            |entry: &&RawSymbol| matches!(entry.kind, 0 | 2 | 10) && is_called(image, entry, name);
        let mut found = self.symbols.iter().filter(called);
        let first = found.next()?;
        let global = std::iter::once(first).chain(found).find(|entry| entry.binding != 0);
        Some(Svma(global.unwrap_or(first).address))
    }

    /// The offset of the thread-local variable (`STT_TLS`) called `name` in the block of
    /// its file, by whichever table of symbols has it.
    pub fn thread_local_named(image: &ElfImage, name: &[u8]) -> Option<u64> {
        [SHT_DYNSYM, SHT_SYMTAB].into_iter().find_map(|kind| {
            let sections = image.sections().iter().filter(move |section| section.kind == kind);
            sections
                .flat_map(|section| thread_locals(image, section))
                .find_map(|entry| (name_of(image, &entry) == name).then_some(entry.address))
        })
    }

    /// As [`SymbolTable::datum_named`], where nothing else is asked of the image's symbols.
    pub fn datum_in(image: &ElfImage, name: &[u8]) -> Option<Svma> {
        let (symbols, _) = unsorted(image);
        let called =
            symbols.iter().filter(|entry| entry.kind == 1 && is_called(image, entry, name));
        let found = called.min_by_key(|entry| (entry.binding == 0, entry.address, entry.index));
        found.map(|entry| Svma(entry.address))
    }

    /// The address of the variable (`STT_OBJECT`) called `name`, a global one first.
    pub fn datum_named(&self, image: &ElfImage, name: &[u8]) -> Option<Svma> {
        let called = |entry: &&RawSymbol| entry.kind == 1 && is_called(image, entry, name);
        let mut found = self.symbols.iter().filter(called);
        let first = found.next()?;
        let global = std::iter::once(first).chain(found).find(|entry| entry.binding != 0);
        Some(Svma(global.unwrap_or(first).address))
    }
}

/// The entries of `.symtab` if it has any, else of `.dynsym`.
fn unsorted(image: &ElfImage) -> (Vec<RawSymbol>, CodeSets) {
    let of_kind = |kind| {
        let sections = image.sections().iter().filter(move |section| section.kind == kind);
        sections.map(|section| read(image, section)).find(|(found, _)| !found.is_empty())
    };
    of_kind(SHT_SYMTAB).or_else(|| of_kind(SHT_DYNSYM)).unwrap_or_default()
}

/// On big-endian ppc64 the symbol of a function stands for its descriptor in `.opd`, whose first
/// word is the address of the code (64-bit PowerPC ELF ABI Supplement § 3.2.5).
fn follow_descriptors(image: &ElfImage, symbols: &mut [RawSymbol]) {
    if image.header().e_machine != EM_PPC64 {
        return;
    }
    let Some(section) = image.section(".opd") else { return };
    let Some(descriptors) = image.raw_section_bytes(section) else { return };
    for entry in symbols.iter_mut().filter(|entry| matches!(entry.kind, 0 | 2 | 10)) {
        let code = entry.address.checked_sub(section.address.0).and_then(|into| {
            image.encoding().unsigned(descriptors, usize::try_from(into).ok()?, 8)
        });
        // What is relocated at run time may be zero in the file.
        let Some(code) = code.filter(|code| *code != 0) else { continue };
        if let Some(section) = section_at(image, Svma(code)) {
            (entry.address, entry.section) = (code, section);
        }
    }
}

fn symbol<'d>(image: &'d ElfImage, entry: &RawSymbol) -> Symbol<'d> {
    Symbol {
        name: name_of(image, entry),
        address: Svma(entry.address),
        size: entry.size,
        is_function: matches!(entry.kind, 2 | 10),
    }
}

fn name_of<'d>(image: &'d ElfImage, entry: &RawSymbol) -> &'d [u8] {
    let bytes = raw_name(image, entry);
    let bytes = bytes.get(..MAX_NAME).unwrap_or(bytes);
    let name = bytes.split(|byte| *byte == 0).next().unwrap_or(&[]);
    let version = name.iter().skip(1).position(|byte| *byte == b'@');
    version.and_then(|at| name.get(..at.saturating_add(1))).unwrap_or(name)
}

/// Whether a symbol has this name. Of most symbols only the first letters are read.
fn is_called(image: &ElfImage, entry: &RawSymbol, name: &[u8]) -> bool {
    raw_name(image, entry).starts_with(name) && name_of(image, entry) == name
}

/// Aliases at one address that are compared, and addresses with nothing but labels that
/// are walked back over. glibc has at most a dozen of the first, assembly files some
/// hundreds of the second.
const MAX_GROUP: usize = 256;
const MAX_GROUPS: usize = 4096;
/// Bytes of a symbol's name that are looked at; rustc's longest are below this.
const MAX_NAME: usize = 1 << 16;

/// The number of the section that holds `at` in the process, `None` where no section
/// says so or the number does not fit a symbol's `st_shndx`.
fn section_at(image: &ElfImage, at: Svma) -> Option<u16> {
    let holds = |section: &Section| {
        section.flags & 2 != 0
            && section.flags & 0x400 == 0
            && at.0.checked_sub(section.address.0).is_some_and(|into| into < section.size)
    };
    let index = image.sections().iter().position(holds)?;
    u16::try_from(index).ok().filter(|index| *index < 0xff00)
}

fn read(image: &ElfImage, section: &Section) -> (Vec<RawSymbol>, CodeSets) {
    let encoding = image.encoding();
    let size: usize = if encoding.is_64 { 24 } else { 16 };
    let mut sets = CodeSets::default();
    let Some(table) = image.raw_section_bytes(section) else { return (Vec::new(), sets) };
    let names = usize::try_from(section.link).ok().and_then(|link| image.sections().get(link));
    let names = names.map_or((0, 0), |names| (names.offset, names.size));
    let e_machine = image.header().e_machine;
    let entries = table
        .chunks_exact(size)
        .zip(0..)
        .filter_map(|(bytes, index)| entry(encoding, bytes, index, names))
        .inspect(|entry| {
            if e_machine == EM_ARM {
                sets.add(entry, raw_name(image, entry));
            }
        })
        .filter(|entry| entry.kind != STT_TLS && !is_special(image, e_machine, entry))
        .map(|mut entry| {
            if e_machine == EM_ARM && matches!(entry.kind, 2 | 10) {
                entry.address &= !1;
            }
            entry
        });
    let mut symbols = Vec::with_capacity(table.chunks_exact(size).len());
    symbols.extend(entries);
    (symbols, sets)
}

/// The rest of the table of names, which the symbol's begins.
fn raw_name<'d>(image: &'d ElfImage, entry: &RawSymbol) -> &'d [u8] {
    let start = usize::try_from(entry.name).ok();
    start.and_then(|start| image.bytes().get(start..)).unwrap_or(&[])
}

/// The symbols of thread-local variables: their addresses are offsets in the block.
fn thread_locals(image: &ElfImage, section: &Section) -> Vec<RawSymbol> {
    let encoding = image.encoding();
    let size: usize = if encoding.is_64 { 24 } else { 16 };
    let Some(table) = image.raw_section_bytes(section) else { return Vec::new() };
    let names = usize::try_from(section.link).ok().and_then(|link| image.sections().get(link));
    let names = names.map_or((0, 0), |names| (names.offset, names.size));
    let entries = table.chunks_exact(size).zip(0..);
    let entries = entries.filter_map(|(bytes, index)| entry(encoding, bytes, index, names));
    entries.filter(|entry| entry.kind == STT_TLS).collect()
}

fn entry(encoding: Encoding, bytes: &[u8], index: u32, names: (u64, u64)) -> Option<RawSymbol> {
    let (value_at, size_at, info_at, section_at) =
        if encoding.is_64 { (8, 16, 4, 6) } else { (4, 8, 12, 14) };
    let section = u16::try_from(encoding.unsigned(bytes, section_at, 2)?).ok()?;
    let info = *bytes.get(info_at)?;
    let (binding, kind) = (info >> 4, info & 0xf);
    let name = u64::from(encoding.u32(bytes, 0)?);
    if matches!(section, SHN_UNDEF | SHN_ABS | SHN_COMMON)
        || matches!(kind, STT_SECTION | STT_FILE)
        || name == 0
        || name >= names.1
    {
        return None;
    }
    Some(RawSymbol {
        address: encoding.word_at(bytes, value_at)?,
        size: encoding.word_at(bytes, size_at)?,
        name: names.0.checked_add(name)?,
        section,
        binding,
        kind,
        index,
    })
}

/// Mapping symbols of Arm and RISC-V (`$a`, `$d.1`, `$x`) and labels that compilers leave
/// behind (`.L12`): no names of functions.
fn is_special(image: &ElfImage, e_machine: u16, entry: &RawSymbol) -> bool {
    if entry.binding != 0 {
        return false;
    }
    match raw_name(image, entry) {
        [0, ..] | [] | [b'.' | b'$', b'L', ..] => true,
        [b'$', letter, 0 | b'.', ..] if matches!(e_machine, EM_ARM | EM_AARCH64) => {
            matches!(letter, b'a' | b't' | b'd' | b'x')
        }
        [b'$', b'x' | b'd', ..] => e_machine == EM_RISCV,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::elf::test_image::TestImage;

    fn named(image: &ElfImage, at: u64) -> Option<String> {
        let found = SymbolTable::parse(image).lookup(image, Svma(at))?;
        Some(String::from_utf8_lossy(found.name).into_owned())
    }

    #[test]
    fn of_aliases_the_last_name_wins_and_a_global_one_beats_a_local_one() {
        let image = TestImage::default()
            .text(0x1000, 0x1000)
            .symbol("__clone3", false, 0x1000, 0x40)
            .symbol("clone3", false, 0x1000, 0x40)
            .symbol("_exit", true, 0x1100, 0x10)
            .symbol("exit_alias", false, 0x1100, 0x10)
            .build();
        assert_eq!(named(&image, 0x1004).as_deref(), Some("clone3"));
        assert_eq!(named(&image, 0x1104).as_deref(), Some("_exit"));
    }

    #[test]
    fn an_address_beyond_a_sized_symbol_has_no_name_unless_an_outer_one_spans_it() {
        let image = TestImage::default()
            .text(0x1000, 0x1000)
            .symbol("outer", true, 0x1000, 0x100)
            .symbol("inner", true, 0x1010, 0x10)
            .build();
        assert_eq!(named(&image, 0x1018).as_deref(), Some("inner"));
        assert_eq!(named(&image, 0x1030).as_deref(), Some("outer"));
        assert_eq!(named(&image, 0x1100), None);
        assert_eq!(named(&image, 0xfff), None);
    }

    #[test]
    fn a_label_names_what_no_sized_symbol_holds() {
        let image = TestImage::default()
            .text(0x1000, 0x1000)
            .symbol("sized", true, 0x1000, 0x10)
            .any_symbol("_start", 0x10, 0x1020, 0)
            .build();
        assert_eq!(named(&image, 0x1008).as_deref(), Some("sized"));
        assert_eq!(named(&image, 0x1030).as_deref(), Some("_start"));
    }

    #[test]
    fn a_variable_is_found_by_name_and_no_function_is_taken_for_one() {
        let image = TestImage::default()
            .text(0x1000, 0x1000)
            .symbol("__abort_msg", true, 0x1000, 8)
            .any_symbol("__abort_msg", 0x11, 0x1100, 8)
            .build();
        let table = SymbolTable::parse(&image);
        assert_eq!(table.datum_named(&image, b"__abort_msg"), Some(Svma(0x1100)));
        assert_eq!(table.datum_named(&image, b"__abort"), None);
        assert_eq!(SymbolTable::datum_in(&image, b"__abort_msg"), Some(Svma(0x1100)));
        assert_eq!(SymbolTable::datum_in(&image, b"__abort"), None);
    }

    #[test]
    fn versions_are_no_part_of_a_name() {
        let image = TestImage::default()
            .text(0x1000, 0x1000)
            .symbol("raise@@GLIBC_2.2.5", true, 0x1000, 8)
            .build();
        assert_eq!(named(&image, 0x1000).as_deref(), Some("raise"));
        let table = SymbolTable::parse(&image);
        assert_eq!(table.function_named(&image, b"raise"), Some(Svma(0x1000)));
    }
}
