//! The header of `.gopclntab`: which format it has, and where its parts lie.

use obit_corefile::elf::{ElfImage, Encoding, Section};

use super::image_words::ImageWords;

/// The formats, by the Go that brought them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Format {
    /// 1.2 to 1.15.
    Go12,
    /// 1.16 and 1.17.
    Go116,
    /// 1.18 and 1.19.
    Go118,
    /// From 1.20 on.
    Go120,
}

/// Where the parts of a table lie, as offsets into it.
#[derive(Clone, Debug)]
pub(super) struct Header {
    pub(super) format: Format,
    /// What pc deltas are counted in: the least bytes of an instruction.
    pub(super) quantum: u64,
    /// Bytes of an address: 4 or 8.
    pub(super) word: usize,
    /// Functions that it lists.
    pub(super) count: usize,
    pub(super) names: usize,
    /// `cutab`: file names by compilation unit, from Go 1.16 on.
    pub(super) units: usize,
    pub(super) files: usize,
    pub(super) values: usize,
    /// What offsets of functions are counted from.
    pub(super) functions: usize,
    /// The sorted table of entry addresses.
    pub(super) entries: usize,
    /// What entry addresses are counted from, from Go 1.18 on; 0 before.
    pub(super) text: u64,
    /// `go.func.*`: what offsets of function data are counted from, where that is known.
    pub(super) function_data: Option<u64>,
}

/// The section that holds the table: of a position-independent executable before Go 1.26 it
/// lies among the relocated.
pub(super) fn section(image: &ElfImage) -> Option<&Section> {
    let mut names = [".gopclntab", ".data.rel.ro.gopclntab"].into_iter();
    names.find_map(|name| image.section(name))
}

impl Header {
    /// The header of the table in `section` of `image`; `None` if that is no such table.
    pub(super) fn parse(image: &ElfImage, section: &Section) -> Option<Self> {
        let table = image.raw_section_bytes(section)?;
        let encoding = image.encoding();
        let format = match encoding.u32(table, 0)? {
            0xffff_fffb => Format::Go12,
            0xffff_fffa => Format::Go116,
            0xffff_fff0 => Format::Go118,
            0xffff_fff1 => Format::Go120,
            _ => return None,
        };
        let [0, 0, quantum @ (1 | 2 | 4), word] = *table.get(4..8)? else { return None };
        let word = usize::from(word);
        if word != encoding.word() {
            return None;
        }
        let number = |index: usize| {
            let at = index.checked_mul(word)?.checked_add(8)?;
            usize::try_from(encoding.unsigned(table, at, word)?).ok()
        };
        let mut header = Self {
            format,
            quantum: u64::from(quantum),
            word,
            count: number(0)?,
            names: 0,
            units: 0,
            files: 0,
            values: 0,
            functions: 0,
            entries: 0,
            text: 0,
            function_data: None,
        };
        match format {
            Format::Go12 => {
                header.entries = 8_usize.checked_add(word)?;
                let entries = header.entry_bytes().checked_mul(header.count)?;
                let end = header.entries.checked_add(entries)?.checked_add(word)?;
                header.files = usize::try_from(encoding.u32(table, end)?).ok()?;
            }
            Format::Go116 => {
                header.set_parts([number(2), number(3), number(4), number(5), number(6)])?;
            }
            Format::Go118 | Format::Go120 => {
                header.set_parts([number(3), number(4), number(5), number(6), number(7)])?;
                header.locate(&ImageWords::new(image), section)?;
            }
        }
        // Each function takes an entry: no more of them are there.
        let most = table.len().checked_sub(header.entries)?.checked_div(header.entry_bytes())?;
        (header.count > 0 && header.count <= most).then_some(header)
    }

    /// Bytes of an entry: address and offset of the function.
    pub(super) fn entry_bytes(&self) -> usize {
        self.field().saturating_mul(2)
    }

    /// Bytes of either half of an entry.
    pub(super) fn field(&self) -> usize {
        if self.format >= Format::Go118 { 4 } else { self.word }
    }

    fn set_parts(&mut self, parts: [Option<usize>; 5]) -> Option<()> {
        let [names, units, files, values, functions] = parts;
        self.names = names?;
        self.units = units?;
        self.files = files?;
        self.values = values?;
        self.functions = functions?;
        self.entries = self.functions;
        Some(())
    }

    /// Finds what is counted from elsewhere. The header has the start of the code itself
    /// before Go 1.26; `runtime.moduledata`, which begins with the address of the table, has
    /// it and where the data of functions begin.
    fn locate(&mut self, words: &ImageWords<'_>, section: &Section) -> Option<()> {
        let table = section.address.0;
        let word = self.word as u64;
        let at = |start: u64, index: u64| start.checked_add(index.checked_mul(word)?);
        let names = table.checked_add(self.names as u64)?;
        let modules = words.holding(table).into_iter();
        let modules: Vec<u64> = modules
            .filter(|start| at(*start, 1).and_then(|at| words.get(at)) == Some(names))
            .collect();
        let module = match modules.as_slice() {
            [module] => Some(*module),
            _ => None,
        };
        let field = |index: u64| words.get(at(module?, index)?);
        // Fields of `moduledata` (runtime/symtab.go), in words: `text`, and `gofunc` behind
        // the bounds of the sections, which are two more since Go 1.20. Go 1.27 has three more
        // words before it and is known by the end of this table behind it.
        let in_module = field(22);
        let in_header = words.get(table.checked_add(8)?.checked_add(word.checked_mul(2)?)?);
        self.text = in_header.filter(|text| *text != 0).or(in_module)?;
        let is_known = in_module == Some(self.text);
        let is_end = |at: u64| {
            field(at)
                .and_then(|end| end.checked_sub(table))
                .is_some_and(|size| size > 0 && size <= section.size)
        };
        let data = field(match self.format {
            Format::Go120 if is_end(44) => 43,
            Format::Go120 => 40,
            _ => 38,
        });
        self.function_data = data.filter(|_| is_known);
        Some(())
    }
}

/// A 32-bit number of a table.
pub(super) fn u32_at(encoding: Encoding, table: &[u8], at: usize) -> Option<usize> {
    usize::try_from(encoding.u32(table, at)?).ok()
}
