//! The symbols of an image, for naming addresses that DWARF does not name.

use crate::addr::Svma;

use super::ElfImage;
use super::code_sets::{CodeSet, CodeSets};
use super::symbol_rows::{
    RawSymbol, RawTable, SHT_DYNSYM, SHT_SYMTAB, STT_TLS, SymbolRows, counts, raw_name, section_at,
};

/// One symbol table of an image: `.symtab`, or `.dynsym` where that was stripped. Sorted
/// by address; names are read only when asked for.
#[derive(Debug, Default)]
pub struct SymbolTable {
    rows: SymbolRows,
    sets: CodeSets,
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

impl SymbolTable {
    /// Reads `.symtab` if it has entries, else `.dynsym`; empty when there is neither.
    pub fn parse(image: &ElfImage) -> Self {
        let read = RawTable::of(image).map(|table| SymbolRows::read(image, table));
        let (rows, sets) = read.unwrap_or_default();
        Self { rows, sets }
    }

    /// Whether there is no symbol.
    pub fn is_empty(&self) -> bool {
        self.rows.len() == 0
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
        let mut label = None;
        let mut above = self.rows.up_to(at.0);
        let mut group: Vec<RawSymbol> = Vec::new();
        for _ in 0..MAX_GROUPS {
            let Some(start) = self.rows.group_before(above) else { break };
            group.clear();
            group.extend(
                (start.max(above.saturating_sub(MAX_GROUP))..above)
                    .filter_map(|row| self.rows.get(image, row))
                    .filter(|entry| section.is_none_or(|index| entry.section == index)),
            );
            if group.len() > 1 {
                group.sort_by_key(|entry| name_of(image, entry));
            }
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
                    before.copied().or_else(|| self.rows.get(image, start.checked_sub(1)?));
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
    pub fn functions<'d>(&'d self, image: &'d ElfImage) -> impl Iterator<Item = Symbol<'d>> {
        let functions = self.rows.iter(image, 0).filter(|e| e.is_function() && e.size > 0);
        functions.map(move |entry| symbol(image, &entry))
    }

    /// The name of the function that begins at `at`; of aliases the first by name.
    pub fn function_starting_at<'d>(&self, image: &'d ElfImage, at: Svma) -> Option<&'d [u8]> {
        let here = self.rows.iter(image, self.rows.below(at.0)).take(MAX_GROUP);
        let here = here.take_while(|entry| entry.address == at.0);
        here.filter(RawSymbol::is_function).map(|entry| name_of(image, &entry)).min()
    }

    /// The address of the function called `name`, a global one first.
    pub fn function_named(&self, image: &ElfImage, name: &[u8]) -> Option<Svma> {
        match &self.rows {
            SymbolRows::Packed(table, _) => {
                let named = symbols_called(image, table, name);
                first(named.filter(|entry| matches!(entry.kind, 0 | 2 | 10)))
            }
            SymbolRows::Kept(rows) => {
                let functions = rows.iter().filter(|entry| matches!(entry.kind, 0 | 2 | 10));
                first(functions.filter(|entry| is_called(image, entry, name)).copied())
            }
        }
    }

    /// The offset of the thread-local variable (`STT_TLS`) called `name` in the block of
    /// its file, by whichever table of symbols has it.
    pub fn thread_local_named(image: &ElfImage, name: &[u8]) -> Option<u64> {
        [SHT_DYNSYM, SHT_SYMTAB].into_iter().find_map(|kind| {
            RawTable::of_kind(image, kind)
                .flat_map(|table| symbols_called(image, &table, name).collect::<Vec<_>>())
                .find(|entry| entry.kind == STT_TLS)
                .map(|entry| entry.address)
        })
    }

    /// The address of the variable (`STT_OBJECT`) called `name`, a global one first. Sorts
    /// nothing.
    pub fn datum_named(image: &ElfImage, name: &[u8]) -> Option<Svma> {
        let table = RawTable::of(image)?;
        first(symbols_called(image, &table, name).filter(|entry| entry.kind == 1))
    }
}

/// Places at which a table of names has one name, or names that end in it. No honest one has as
/// many.
const MOST_PLACES: usize = 1 << 22;

/// The symbols of `table` called `name` that count or are thread-local, in the table's order.
/// Names are searched for as text: most questions are about names that a file does not have.
fn symbols_called(
    image: &ElfImage,
    table: &RawTable,
    name: &[u8],
) -> impl Iterator<Item = RawSymbol> {
    let text = table.names(image, name.len().saturating_add(1));
    let ended = |end| [name, &[end]].concat();
    let found = [0, b'@'].into_iter().flat_map(|end| {
        memchr::memmem::find_iter(text, &ended(end)).take(MOST_PLACES).collect::<Vec<_>>()
    });
    // Names share their ends.
    let mut places: Vec<u64> = found.filter_map(|at| table.name_offset(at)).collect();
    places.sort_unstable();
    table.entries_named(image, places).filter(move |entry| {
        is_called(image, entry, name) && (entry.kind == STT_TLS || counts(image, entry))
    })
}

/// The address of the first by address of the global symbols, else of all.
fn first(symbols: impl Iterator<Item = RawSymbol>) -> Option<Svma> {
    let found = symbols.min_by_key(|entry| (entry.binding == 0, entry.address, entry.index));
    Some(Svma(found?.address))
}

fn symbol<'d>(image: &'d ElfImage, entry: &RawSymbol) -> Symbol<'d> {
    Symbol {
        name: name_of(image, entry),
        address: Svma(entry.address),
        size: entry.size,
        is_function: entry.is_function(),
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
        let named = |name| SymbolTable::datum_named(&image, name);
        assert_eq!(named(b"__abort_msg"), Some(Svma(0x1100)));
        assert_eq!([named(b"__abort"), named(b"_msg")], [None; 2]);
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

    #[test]
    fn of_functions_of_one_name_a_global_one_counts_and_else_the_first_by_address() {
        let image = TestImage::default()
            .text(0x1000, 0x1000)
            .symbol("both", false, 0x1000, 8)
            .symbol("both", true, 0x1100, 8)
            .symbol("local", false, 0x1300, 8)
            .symbol("local", false, 0x1200, 8)
            .symbol("not_local", true, 0x1400, 8)
            .build();
        let table = SymbolTable::parse(&image);
        assert_eq!(table.function_named(&image, b"both"), Some(Svma(0x1100)));
        assert_eq!(table.function_named(&image, b"local"), Some(Svma(0x1200)));
        assert_eq!(table.function_named(&image, b"loc"), None);
    }

    #[test]
    fn addresses_of_all_bits_have_names_like_others() {
        let high = 0xffff_ffff_ff60_0000;
        let image = TestImage::default()
            .text(0x1000, 0x1000)
            .symbol("low", true, 0x1000, 8)
            .symbol("high", true, high, 8)
            .build();
        let table = SymbolTable::parse(&image);
        assert_eq!(table.function_starting_at(&image, Svma(high)), Some(&b"high"[..]));
        assert_eq!(table.function_named(&image, b"low"), Some(Svma(0x1000)));
        assert_eq!(named(&image, 0x1004).as_deref(), Some("low"));
    }
}
