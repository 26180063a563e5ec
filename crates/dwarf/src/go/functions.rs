//! The functions of a Go program by address.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use obit_corefile::addr::Svma;
use obit_corefile::elf::{ElfImage, Encoding};

use super::header::{self, Format, Header, u32_at};
use super::pc_values::{MOST_OF_FUNCTION, value_at};

/// Bytes of a function's name or a file's that are read.
const NAME_BYTES: usize = 4096;
/// Tables of values by pc that a function has; Go knows four.
const MOST_TABLES: usize = 64;
/// Pairs of tables of values by pc that are read for one image.
const MOST_PAIRS: usize = 1 << 27;

/// Fields of `_func` (runtime/runtime2.go), in bytes from `nameOff`, which is behind the entry.
mod field {
    pub(super) const NAME: usize = 0;
    pub(super) const STACK_BYTES: usize = 12;
    pub(super) const FILE: usize = 16;
    pub(super) const LINE: usize = 20;
    pub(super) const TABLE_COUNT: usize = 24;
    /// `cuOffset`, since Go 1.16.
    pub(super) const UNIT: usize = 28;
}

/// The functions of a Go program.
pub(crate) struct GoFunctions {
    image: Arc<ElfImage>,
    pub(super) header: Header,
    /// Pairs of tables of values by pc that may still be read.
    pairs: AtomicUsize,
}

/// One function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GoFunction {
    /// Where it is entered.
    pub(crate) entry: u64,
    /// Where the next one is entered.
    pub(crate) end: u64,
    /// Offset of its `_func` in the table.
    at: usize,
}

impl GoFunctions {
    /// Those of `image`; `None` if Go did not make it.
    pub(crate) fn of(image: &Arc<ElfImage>) -> Option<Self> {
        let header = Header::parse(image, header::section(image)?)?;
        Some(Self { image: Arc::clone(image), header, pairs: AtomicUsize::new(MOST_PAIRS) })
    }

    /// The function that holds `at`.
    pub(crate) fn at(&self, at: u64) -> Option<GoFunction> {
        let (mut low, mut high) = (0, self.header.count);
        while low < high {
            let middle = low.midpoint(high);
            if self.entry(middle)? <= at {
                low = middle.checked_add(1)?;
            } else {
                high = middle;
            }
        }
        self.number(low.checked_sub(1)?).filter(|found| (found.entry..found.end).contains(&at))
    }

    /// The function with this name.
    pub(crate) fn named(&self, name: &[u8]) -> Option<GoFunction> {
        let mut all = (0..self.header.count).filter_map(|number| self.number(number));
        all.find(|function| self.name_bytes(*function) == Some(name))
    }

    /// What a function is called, with its package's path.
    pub(crate) fn name(&self, function: GoFunction) -> Option<String> {
        self.name_bytes(function).map(text)
    }

    /// Bytes that the stack pointer is below the return address at `at`, an address of
    /// `function`.
    pub(crate) fn stack_bytes(&self, function: GoFunction, at: u64) -> Option<u64> {
        u64::try_from(self.value(function, field::STACK_BYTES, at)?).ok()
    }

    fn name_bytes(&self, function: GoFunction) -> Option<&[u8]> {
        self.string(self.header.names, self.field(function, field::NAME)?)
    }

    /// The file and line of `at`, an address of `function`.
    pub(super) fn line(&self, function: GoFunction, at: u64) -> Option<(String, u32)> {
        let file = usize::try_from(self.value(function, field::FILE, at)?).ok()?;
        let line = u32::try_from(self.value(function, field::LINE, at)?).ok()?;
        Some((self.file(function, file)?, line))
    }

    /// The file with this number in the unit of `function`.
    pub(super) fn file(&self, function: GoFunction, number: usize) -> Option<String> {
        let (encoding, table) = self.table()?;
        let (start, number) = match self.header.format {
            Format::Go12 => (self.header.files, number),
            _ => (self.header.units, self.field(function, field::UNIT)?.checked_add(number)?),
        };
        let offset = u32_at(encoding, table, start.checked_add(number.checked_mul(4)?)?)?;
        let files = if self.header.format == Format::Go12 { 0 } else { self.header.files };
        let bytes = self.string(files, offset).filter(|name| !name.is_empty())?;
        Some(text(bytes))
    }

    /// The string at `offset` of the part of the table that begins at `part`: it must be one
    /// from its first byte on.
    pub(super) fn string(&self, part: usize, offset: usize) -> Option<&[u8]> {
        let (_, table) = self.table()?;
        let start = part.checked_add(offset)?;
        if offset > 0 && part > 0 && table.get(start.checked_sub(1)?) != Some(&0) {
            return None;
        }
        let rest = table.get(start..)?;
        let rest = rest.get(..NAME_BYTES).unwrap_or(rest);
        rest.get(..rest.iter().position(|byte| *byte == 0)?)
    }

    /// The value at `at` of table number `number` of `function` (its `PCDATA`).
    pub(super) fn data_value(&self, function: GoFunction, number: usize, at: u64) -> Option<i32> {
        if number >= self.tables(function)? {
            return None;
        }
        self.value(function, self.data_at().checked_add(number.checked_mul(4)?)?, at)
    }

    /// Where the data number `number` of `function` (its `FUNCDATA`) lie; from Go 1.18 on.
    pub(super) fn data(&self, function: GoFunction, number: usize) -> Option<u64> {
        /// No such data.
        const NONE: usize = u32::MAX as usize;
        let (_, table) = self.table()?;
        let start = self.start(function)?.checked_add(self.data_at())?;
        let count = *table.get(start.checked_sub(1)?)?;
        if self.header.format < Format::Go118 || number >= usize::from(count) {
            return None;
        }
        let index = self.tables(function)?.checked_add(number)?;
        let offset = self.field(function, self.data_at().checked_add(index.checked_mul(4)?)?)?;
        let base = self.header.function_data?;
        if offset == NONE { None } else { base.checked_add(offset as u64) }
    }

    /// The number of tables of values by pc besides stack, file and line.
    fn tables(&self, function: GoFunction) -> Option<usize> {
        self.field(function, field::TABLE_COUNT).filter(|count| *count <= MOST_TABLES)
    }

    /// Bytes from the name of a `_func` to the offsets of its data, which follow the last
    /// fixed field, their number.
    fn data_at(&self) -> usize {
        match self.header.format {
            // `funcID` and `nfuncdata` in one word.
            Format::Go12 => 32,
            // `cuOffset` before them.
            Format::Go116 | Format::Go118 => 36,
            // `startLine` as well.
            Format::Go120 => 40,
        }
    }

    /// The value at `at` of the table of `function` whose offset is `field` bytes from the
    /// function's name.
    fn value(&self, function: GoFunction, field: usize, at: u64) -> Option<i32> {
        let offset = self.field(function, field).filter(|offset| *offset != 0)?;
        let (_, table) = self.table()?;
        let bytes = table.get(self.header.values.checked_add(offset)?..)?;
        let target = at.checked_sub(function.entry)?;
        let mut left = self.pairs.load(Ordering::Relaxed).min(MOST_OF_FUNCTION);
        let before = left;
        let value = value_at(bytes, self.header.quantum, target, &mut left);
        self.pairs.fetch_sub(before.saturating_sub(left), Ordering::Relaxed);
        value
    }

    /// The 32-bit field `into` bytes from the name of `function`.
    fn field(&self, function: GoFunction, into: usize) -> Option<usize> {
        let (encoding, table) = self.table()?;
        u32_at(encoding, table, self.start(function)?.checked_add(into)?)
    }

    /// Where the name of `function` is: behind its entry.
    fn start(&self, function: GoFunction) -> Option<usize> {
        function.at.checked_add(self.header.field())
    }

    fn number(&self, number: usize) -> Option<GoFunction> {
        let (encoding, table) = self.table()?;
        let field = self.header.field();
        let at = self.header.entries.checked_add(number.checked_mul(self.header.entry_bytes())?)?;
        let offset = encoding.unsigned(table, at.checked_add(field)?, field)?;
        let at = self.header.functions.checked_add(usize::try_from(offset).ok()?)?;
        let entry = self.entry(number)?;
        Some(GoFunction { entry, end: self.entry(number.checked_add(1)?)?, at })
    }

    /// Where function number `number` is entered; that past the last is the end of all.
    fn entry(&self, number: usize) -> Option<u64> {
        let (encoding, table) = self.table()?;
        let at = self.header.entries.checked_add(number.checked_mul(self.header.entry_bytes())?)?;
        self.header.text.checked_add(encoding.unsigned(table, at, self.header.field())?)
    }

    fn table(&self) -> Option<(Encoding, &[u8])> {
        let section = header::section(&self.image)?;
        Some((self.image.encoding(), self.image.raw_section_bytes(section)?))
    }

    /// The bytes of the image from `at` on.
    pub(super) fn bytes_at(&self, at: u64) -> Option<(Encoding, &[u8])> {
        Some((self.image.encoding(), self.image.bytes_at(Svma(at))?))
    }
}

pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
