//! The entries of a symbol table that count, and their order by address.

use super::code_sets::CodeSets;
use super::{ElfImage, Encoding, Section};
use crate::addr::Svma;

pub(super) const SHT_SYMTAB: u32 = 2;
pub(super) const SHT_DYNSYM: u32 = 11;
const STT_SECTION: u8 = 3;
const STT_FILE: u8 = 4;
pub(super) const STT_TLS: u8 = 6;
const SHN_UNDEF: u16 = 0;
const SHN_ABS: u16 = 0xfff1;
const SHN_COMMON: u16 = 0xfff2;
const EM_PPC64: u16 = 21;
const EM_ARM: u16 = 40;
const EM_AARCH64: u16 = 183;
const EM_RISCV: u16 = 243;

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

/// The entries of a table, by address and place in the table.
#[derive(Debug)]
pub(super) enum SymbolRows {
    /// Address and place, in one number each.
    Packed(RawTable, Vec<u64>),
    /// Those that do not fit, and those whose addresses are not the ones in the table.
    Kept(Vec<RawSymbol>),
}

impl Default for SymbolRows {
    fn default() -> Self {
        Self::Kept(Vec::new())
    }
}

/// Bits of a packed row for the place in the table; the others are for the address.
const PLACE: u32 = 24;

fn packed(entry: &RawSymbol) -> Option<u64> {
    let fits = entry.index >> PLACE == 0 && entry.address >> (u64::BITS - PLACE) == 0;
    fits.then_some((entry.address << PLACE) | u64::from(entry.index))
}

impl SymbolRows {
    /// The rows of `table`, and the instruction sets by its symbols.
    pub(super) fn read(image: &ElfImage, table: RawTable) -> (Self, CodeSets) {
        let e_machine = image.header().e_machine;
        let mut sets = CodeSets::default();
        if !matches!(e_machine, EM_ARM | EM_PPC64) {
            let count = table.bytes(image).map_or(0, <[u8]>::len);
            let count = count.checked_div(table.entry_size()).unwrap_or(0);
            let mut rows = Vec::with_capacity(count);
            let entries = table.entries(image).filter(|entry| counts(image, entry));
            let fits = entries.map(|entry| packed(&entry)).all(|row| {
                rows.extend(row);
                row.is_some()
            });
            if fits {
                rows.sort_unstable();
                return (Self::Packed(table, rows), sets);
            }
        }
        let entries = table.entries(image).inspect(|entry| {
            if e_machine == EM_ARM {
                sets.add(entry, raw_name(image, entry));
            }
        });
        let entries = entries.filter(|entry| counts(image, entry)).map(|mut entry| {
            if e_machine == EM_ARM && entry.is_function() {
                entry.address &= !1;
            }
            entry
        });
        let mut rows: Vec<RawSymbol> = entries.collect();
        follow_descriptors(image, &mut rows);
        rows.sort_unstable_by_key(|entry| (entry.address, entry.index));
        sets.sort();
        (Self::Kept(rows), sets)
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Packed(_, rows) => rows.len(),
            Self::Kept(rows) => rows.len(),
        }
    }

    /// The number of rows at addresses below `at`.
    pub(super) fn below(&self, at: u64) -> usize {
        match self {
            Self::Packed(_, rows) => rows.partition_point(|row| row >> PLACE < at),
            Self::Kept(rows) => rows.partition_point(|row| row.address < at),
        }
    }

    /// The number of rows at `at` and at lower addresses.
    pub(super) fn up_to(&self, at: u64) -> usize {
        at.checked_add(1).map_or(self.len(), |above| self.below(above))
    }

    /// The address of row number `row`.
    pub(super) fn address(&self, row: usize) -> Option<u64> {
        match self {
            Self::Packed(_, rows) => rows.get(row).map(|row| row >> PLACE),
            Self::Kept(rows) => rows.get(row).map(|row| row.address),
        }
    }

    /// The first row at the address of the row before `end`.
    pub(super) fn group_before(&self, end: usize) -> Option<usize> {
        let last = end.checked_sub(1)?;
        let address = self.address(last)?;
        // Most are alone, and those that are not may be a million.
        if last.checked_sub(1).is_none_or(|before| self.address(before) != Some(address)) {
            return Some(last);
        }
        Some(self.below(address))
    }

    /// Row number `row`. `image` is the one the rows were read from.
    pub(super) fn get(&self, image: &ElfImage, row: usize) -> Option<RawSymbol> {
        match self {
            Self::Packed(table, rows) => {
                let place = rows.get(row)? & ((1 << PLACE) - 1);
                table.entry(image, u32::try_from(place).ok()?)
            }
            Self::Kept(rows) => rows.get(row).copied(),
        }
    }

    /// The rows from number `from` on.
    pub(super) fn iter<'x>(
        &'x self,
        image: &'x ElfImage,
        from: usize,
    ) -> impl Iterator<Item = RawSymbol> + 'x {
        (from..self.len()).filter_map(move |row| self.get(image, row))
    }
}

/// Where a table of symbols lies in its file.
#[derive(Clone, Copy, Debug)]
pub(super) struct RawTable {
    offset: u64,
    size: u64,
    encoding: Encoding,
    /// Offset and size of the table of their names.
    names: (u64, u64),
}

impl RawTable {
    /// The tables of one kind.
    pub(super) fn of_kind(image: &ElfImage, kind: u32) -> impl Iterator<Item = Self> {
        let sections = image.sections().iter().filter(move |section| section.kind == kind);
        sections.map(|section| {
            let names = usize::try_from(section.link).ok();
            let names = names.and_then(|link| image.sections().get(link));
            let names = names.map_or((0, 0), |names| (names.offset, names.size));
            let Section { offset, size, .. } = *section;
            Self { offset, size, encoding: image.encoding(), names }
        })
    }

    /// `.symtab` if it has symbols that count, else `.dynsym`.
    pub(super) fn of(image: &ElfImage) -> Option<Self> {
        let mut tables = Self::of_kind(image, SHT_SYMTAB).chain(Self::of_kind(image, SHT_DYNSYM));
        tables.find(|table| table.entries(image).any(|entry| counts(image, &entry)))
    }

    fn entry_size(&self) -> usize {
        if self.encoding.is_64 { 24 } else { 16 }
    }

    fn bytes<'d>(&self, image: &'d ElfImage) -> Option<&'d [u8]> {
        file_range(image, self.offset, self.size)
    }

    /// The table of names, and `more` bytes behind it, if there are.
    pub(super) fn names<'d>(&self, image: &'d ElfImage, more: usize) -> &'d [u8] {
        let all = usize::try_from(self.names.0).ok().and_then(|start| image.bytes().get(start..));
        let all = all.unwrap_or_default();
        let size = usize::try_from(self.names.1).unwrap_or(usize::MAX);
        all.get(..size.saturating_add(more)).unwrap_or(all)
    }

    /// The offset in the file of what is at `at` of the names.
    pub(super) fn name_offset(&self, at: usize) -> Option<u64> {
        self.names.0.checked_add(u64::try_from(at).ok()?)
    }

    /// All symbols with a name and a section.
    pub(super) fn entries(&self, image: &ElfImage) -> impl Iterator<Item = RawSymbol> {
        let table = self.bytes(image).unwrap_or_default();
        let entries = table.chunks_exact(self.entry_size()).zip(0..);
        let (encoding, names) = (self.encoding, self.names);
        entries.filter_map(move |(bytes, index)| entry(encoding, bytes, index, names))
    }

    /// Those of the symbols whose names are at `places` of the file, which are sorted.
    pub(super) fn entries_named(
        &self,
        image: &ElfImage,
        places: Vec<u64>,
    ) -> impl Iterator<Item = RawSymbol> {
        let table = if places.is_empty() { None } else { self.bytes(image) };
        let entries = table.unwrap_or_default().chunks_exact(self.entry_size()).zip(0..);
        let (encoding, names) = (self.encoding, self.names);
        entries.filter_map(move |(bytes, index)| {
            let name = match (encoding.little_endian, bytes.first_chunk()) {
                (true, Some(name)) => u32::from_le_bytes(*name),
                _ => encoding.u32(bytes, 0)?,
            };
            let place = names.0.checked_add(u64::from(name))?;
            places.binary_search(&place).is_ok().then(|| entry(encoding, bytes, index, names))?
        })
    }

    fn entry(&self, image: &ElfImage, index: u32) -> Option<RawSymbol> {
        let start = usize::try_from(index).ok()?.checked_mul(self.entry_size())?;
        let bytes = self.bytes(image)?.get(start..)?.get(..self.entry_size())?;
        entry(self.encoding, bytes, index, self.names)
    }
}

fn file_range(image: &ElfImage, offset: u64, size: u64) -> Option<&[u8]> {
    let start = usize::try_from(offset).ok()?;
    image.bytes().get(start..start.checked_add(usize::try_from(size).ok()?)?)
}

/// The fields of an entry: name, info, section, value and size.
fn fields(encoding: Encoding, bytes: &[u8]) -> Option<(u32, u8, u16, u64, u64)> {
    if encoding.is_64 && encoding.little_endian {
        // Nearly all tables. What is below is as correct, and takes four times as long.
        let (name, rest) = bytes.split_first_chunk()?;
        let ([info, _], rest) = rest.split_first_chunk()?;
        let (section, rest) = rest.split_first_chunk()?;
        let (value, rest) = rest.split_first_chunk()?;
        let size = u64::from_le_bytes(*rest.first_chunk()?);
        let section = u16::from_le_bytes(*section);
        return Some((u32::from_le_bytes(*name), *info, section, u64::from_le_bytes(*value), size));
    }
    let (value_at, size_at, info_at, section_at) =
        if encoding.is_64 { (8, 16, 4, 6) } else { (4, 8, 12, 14) };
    let section = u16::try_from(encoding.unsigned(bytes, section_at, 2)?).ok()?;
    let (value, size) = (encoding.word_at(bytes, value_at)?, encoding.word_at(bytes, size_at)?);
    Some((encoding.u32(bytes, 0)?, *bytes.get(info_at)?, section, value, size))
}

fn entry(encoding: Encoding, bytes: &[u8], index: u32, names: (u64, u64)) -> Option<RawSymbol> {
    let (name, info, section, address, size) = fields(encoding, bytes)?;
    let (name, binding, kind) = (u64::from(name), info >> 4, info & 0xf);
    if matches!(section, SHN_UNDEF | SHN_ABS | SHN_COMMON)
        || matches!(kind, STT_SECTION | STT_FILE)
        || name == 0
        || name >= names.1
    {
        return None;
    }
    let name = names.0.checked_add(name)?;
    Some(RawSymbol { address, size, name, section, binding, kind, index })
}

/// The rest of the file from the symbol's name on.
pub(super) fn raw_name<'d>(image: &'d ElfImage, entry: &RawSymbol) -> &'d [u8] {
    let start = usize::try_from(entry.name).ok();
    start.and_then(|start| image.bytes().get(start..)).unwrap_or(&[])
}

/// Whether a symbol names code or data.
pub(super) fn counts(image: &ElfImage, entry: &RawSymbol) -> bool {
    entry.kind != STT_TLS && !is_special(image, image.header().e_machine, entry)
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

/// The number of the section that holds `at` in the process, `None` where no section
/// says so or the number does not fit a symbol's `st_shndx`.
pub(super) fn section_at(image: &ElfImage, at: Svma) -> Option<u16> {
    let holds = |section: &Section| {
        section.flags & 2 != 0
            && section.flags & 0x400 == 0
            && at.0.checked_sub(section.address.0).is_some_and(|into| into < section.size)
    };
    let index = image.sections().iter().position(holds)?;
    u16::try_from(index).ok().filter(|index| *index < 0xff00)
}
