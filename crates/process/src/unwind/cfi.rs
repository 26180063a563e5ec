//! The call frame information of one module: `.eh_frame` by its header or by an index
//! of our own, `.debug_frame` where that is silent.

use std::cell::OnceCell;

use gimli::{
    BaseAddresses, CfaRule, DebugFrame, EhFrame, EhFrameHdr, FrameDescriptionEntry,
    ParsedEhFrameHdr, RegisterRule, RunTimeEndian, UnwindContext, UnwindSection,
};

use super::budget::take;
use super::fde_index::FdeIndex;
use super::row::{Cfa, Convention, Row, Rule, Slice};
use obit_corefile::addr::Svma;
use obit_corefile::arch::{Facts, Register, Registers};
use obit_corefile::elf::{ElfImage, SegmentKind};

/// Bytes of one FDE and its CIE that are executed; compilers stay below 64 KiB.
const LARGEST_ENTRY: usize = 1 << 20;
/// What an entry that cannot be read costs: how far it was read is not known.
const UNREADABLE: usize = 1 << 15;

/// Sections with Go's own tables of its functions; position-independent programs have the
/// second.
const GO_TABLES: [&str; 2] = [".gopclntab", ".data.rel.ro.gopclntab"];
/// What Go's linker states on every machine, and C compilers on no 64-bit machine: code of
/// cgo has tables of its own.
const GO_ALIGNMENT: i64 = -4;

/// The unwind tables of one image.
pub(super) struct CfiTable<'m> {
    eh_frame: Option<EhTable<'m>>,
    debug_frame: OnceCell<Option<DebugTable<'m>>>,
    /// Whether Go code is in the image.
    has_go: bool,
    facts: &'static Facts,
    encoding: obit_corefile::elf::Encoding,
}

struct EhTable<'m> {
    section: EhFrame<Slice<'m>>,
    bases: BaseAddresses,
    header: Option<ParsedEhFrameHdr<Slice<'m>>>,
    index: OnceCell<FdeIndex>,
}

struct DebugTable<'m> {
    section: DebugFrame<Slice<'m>>,
    index: FdeIndex,
}

/// Reused between rows: holds the stack of remembered states.
pub(super) type RowContext = UnwindContext<usize>;

impl<'m> CfiTable<'m> {
    /// Finds the sections of `image`; reads none of them.
    pub(super) fn new(image: &'m ElfImage, facts: &'static Facts) -> Self {
        let encoding = image.encoding();
        let eh_frame = EhTable::find(image, facts);
        let has_go = GO_TABLES.iter().any(|name| image.section(name).is_some());
        Self { eh_frame, debug_frame: OnceCell::new(), has_go, facts, encoding }
    }

    /// The row for `at`, or `None` where no table covers it. `debug_frame` gives the
    /// bytes of `.debug_frame` when they are asked for; `budget` is what may still be
    /// executed, in bytes of table.
    pub(super) fn row(
        &self,
        at: Svma,
        debug_frame: impl FnOnce() -> Option<&'m [u8]>,
        context: &mut RowContext,
        budget: &mut usize,
    ) -> Option<Row<'m>> {
        if *budget == 0 {
            return None;
        }
        if let Some(table) = &self.eh_frame
            && let Some(fde) = table.entry(at, budget)
        {
            return row(&table.section, &table.bases, &fde, at, context, budget);
        }
        let table = self.debug_frame.get_or_init(|| {
            let mut section = DebugFrame::from(endian_slice(debug_frame()?, self.encoding));
            section.set_address_size(self.encoding.word() as u8);
            section.set_vendor(vendor(self.facts));
            let index = FdeIndex::build(&section, &BaseAddresses::default());
            Some(DebugTable { section, index })
        });
        let table = table.as_ref()?;
        let bases = BaseAddresses::default();
        let fde = table.index.entry(&table.section, &bases, at)?;
        let row = row(&table.section, &bases, &fde, at, context, budget)?;
        let is_go = self.has_go && fde.cie().data_alignment_factor() == GO_ALIGNMENT;
        let convention = if is_go { Convention::Go } else { Convention::Platform };
        Some(Row { convention, ..row })
    }
}

impl<'m> EhTable<'m> {
    fn find(image: &'m ElfImage, facts: &'static Facts) -> Option<Self> {
        let encoding = image.encoding();
        let address_size = encoding.word() as u8;
        let mut bases = BaseAddresses::default();
        for (name, set) in [
            (".text", BaseAddresses::set_text as fn(BaseAddresses, u64) -> BaseAddresses),
            (".got", BaseAddresses::set_got),
        ] {
            if let Some(section) = image.section(name) {
                bases = set(bases, section.address.0);
            }
        }
        let header_at = image.segments().iter().find(|s| s.kind == SegmentKind::EhFrameHeader);
        let header = header_at.and_then(|segment| {
            bases = bases.clone().set_eh_frame_hdr(segment.vaddr.0);
            let bytes = image.bytes_at(segment.vaddr)?;
            let size = usize::try_from(segment.file_size).ok()?;
            let bytes = bytes.get(..size).unwrap_or(bytes);
            EhFrameHdr::from(endian_slice(bytes, encoding)).parse(&bases, address_size).ok()
        });
        let by_section = image.section(".eh_frame").filter(|section| section.address.0 != 0);
        let by_section = by_section.and_then(|section| {
            let bytes = image.raw_section_bytes(section)?;
            Some((section.address, bytes)).filter(|(_, bytes)| !bytes.is_empty())
        });
        let (address, bytes) = by_section.or_else(|| {
            let pointer = header.as_ref()?.eh_frame_ptr().direct().ok()?;
            Some((Svma(pointer), image.bytes_at(Svma(pointer))?))
        })?;
        bases = bases.set_eh_frame(address.0);
        let mut section = EhFrame::from(endian_slice(bytes, encoding));
        section.set_address_size(address_size);
        section.set_vendor(vendor(facts));
        let header = header.filter(|header| header.table().is_some());
        Some(Self { section, bases, header, index: OnceCell::new() })
    }

    fn entry(&self, at: Svma, budget: &mut usize) -> Option<FrameDescriptionEntry<Slice<'m>>> {
        let by_header = self.header.as_ref().and_then(|header| {
            let table = header.table()?;
            let pointer = table.lookup(at.0, &self.bases).ok()?;
            // Before the start there is no entry, and gimli subtracts unchecked.
            let start = header.eh_frame_ptr().direct().ok()?;
            pointer.direct().ok()?.checked_sub(start)?;
            let offset = table.pointer_to_offset(pointer).ok()?;
            let cie =
                |section: &EhFrame<_>, bases: &_, offset| section.cie_from_offset(bases, offset);
            let Ok(fde) = self.section.fde_from_offset(&self.bases, offset, cie) else {
                take(budget, UNREADABLE);
                return None;
            };
            fde.contains(at.0).then_some(fde)
        });
        if by_header.is_some() {
            return by_header;
        }
        // The header may be absent, cut, or wrong; a table of our own settles it.
        let index = self.index.get_or_init(|| FdeIndex::build(&self.section, &self.bases));
        index.entry(&self.section, &self.bases, at)
    }
}

fn row<'m, S>(
    section: &S,
    bases: &BaseAddresses,
    fde: &FrameDescriptionEntry<Slice<'m>>,
    at: Svma,
    context: &mut RowContext,
    budget: &mut usize,
) -> Option<Row<'m>>
where
    S: UnwindSection<Slice<'m>>,
    S::Offset: gimli::UnwindOffset<usize>,
{
    let cost = fde.entry_len().saturating_add(fde.cie().entry_len());
    if !take(budget, cost) || cost > LARGEST_ENTRY {
        return None;
    }
    let found = fde.unwind_info_for_address(section, bases, context, at.0).ok()?;
    let expression = |expression: &gimli::UnwindExpression<usize>| expression.get(section).ok();
    let cfa = match found.cfa() {
        CfaRule::RegisterAndOffset { register, offset } => {
            Cfa::RegisterOffset(Register(register.0), *offset)
        }
        CfaRule::Expression(e) => Cfa::Expression(expression(e)?),
    };
    let mut rules = Vec::new();
    let return_address = fde.cie().return_address_register();
    // Rules for vector registers and the like would be applied to each frame for nothing.
    let kept = |register: gimli::Register| {
        Registers::keeps(Register(register.0)) || register == return_address
    };
    for (register, rule) in found.registers().filter(|(register, _)| kept(*register)) {
        let rule = match rule {
            RegisterRule::Undefined | RegisterRule::Architectural => Rule::Undefined,
            RegisterRule::SameValue => Rule::SameValue,
            RegisterRule::Offset(offset) => Rule::Offset(*offset),
            RegisterRule::ValOffset(offset) => Rule::ValOffset(*offset),
            RegisterRule::Register(other) => Rule::Register(Register(other.0)),
            RegisterRule::Expression(e) => expression(e).map_or(Rule::Undefined, Rule::Expression),
            RegisterRule::ValExpression(e) => {
                expression(e).map_or(Rule::Undefined, Rule::ValExpression)
            }
            RegisterRule::Constant(value) => Rule::Constant(*value),
        };
        rules.push((Register(register.0), rule));
    }
    Some(Row {
        cfa,
        rules,
        return_address: Register(return_address.0),
        is_signal: fde.is_signal_trampoline(),
        convention: Convention::Platform,
        encoding: fde.cie().encoding(),
    })
}

fn endian_slice(bytes: &[u8], encoding: obit_corefile::elf::Encoding) -> Slice<'_> {
    let endian = if encoding.little_endian { RunTimeEndian::Little } else { RunTimeEndian::Big };
    Slice::new(bytes, endian)
}

fn vendor(facts: &Facts) -> gimli::Vendor {
    match facts.tables.signs_return_addresses {
        true => gimli::Vendor::AArch64,
        false => gimli::Vendor::Default,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use obit_corefile::arch::Machine;
    use obit_corefile::elf::ImageBytes;
    use obit_corefile::limits::Limits;

    /// A program whose `.eh_frame` at 0x1100 has one entry, for 0x2000 to 0x2010; its header
    /// says that the entry is at `entry`.
    fn image(entry: u64) -> ElfImage {
        let mut file = b"\x7fELF\x02\x01\x01".to_vec();
        file.resize(16, 0);
        file.extend([3, 0, 62, 0, 1, 0, 0, 0]);
        for word in [0_u64, 64, 0] {
            file.extend(word.to_le_bytes());
        }
        file.extend([0, 0, 0, 0, 64, 0, 56, 0, 2, 0, 64, 0, 0, 0, 0, 0]);
        let segments = [(1_u32, 0_u64, 0x200_u64), (0x6474_e550, 0xb0, 0x20)];
        for (kind, offset, size) in segments {
            file.extend(kind.to_le_bytes());
            file.extend(4_u32.to_le_bytes());
            for word in [offset, 0x1000 + offset, 0x1000 + offset, size, size, 8] {
                file.extend(word.to_le_bytes());
            }
        }
        // Absolute numbers of 8 bytes, a count of 4.
        file.extend([1, 4, 3, 4]);
        file.extend(0x1100_u64.to_le_bytes());
        file.extend(1_u32.to_le_bytes());
        file.extend(0x2000_u64.to_le_bytes());
        file.extend(entry.to_le_bytes());
        file.resize(0x100, 0);
        // CFA = rsp + 8, the return address at CFA - 8.
        file.extend([20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0x78, 16, 0x0c, 7, 8, 0x90, 1]);
        file.resize(0x100 + 24, 0);
        file.extend([20, 0, 0, 0, 28, 0, 0, 0]);
        file.extend(0x2000_u64.to_le_bytes());
        file.extend(0x10_u64.to_le_bytes());
        file.resize(0x200, 0);
        ElfImage::parse(ImageBytes::Memory(file), &Limits::default()).unwrap()
    }

    #[test]
    fn a_header_that_leads_before_the_table_costs_nothing() {
        for entry in [0x1118, 0x10ff, 0, u64::MAX] {
            let image = image(entry);
            let facts = Machine::from_elf(62, true, true).facts().unwrap();
            let table = CfiTable::new(&image, facts);
            let mut budget = 1 << 20;
            let row = table.row(Svma(0x2008), || None, &mut RowContext::new(), &mut budget);
            assert_eq!(row.map(|row| row.return_address), Some(Register(16)), "{entry:#x}");
        }
    }
}
