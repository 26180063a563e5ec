//! Skipping entries without reading their attributes: what the entries of each
//! abbreviation take is worked out once, and mostly it is one addition.

use gimli::{DwForm, Encoding, UnitOffset, constants as dw};

use crate::sections::sources::Slice;

/// A walk over the entries of a unit, in the order they are stored in. `Note` is what the
/// caller made of an abbreviation.
pub(crate) struct Walk<'x, 'd, Note> {
    unit: &'x gimli::Unit<Slice<'d>>,
    /// The entries, from the first byte after the header on.
    bytes: &'d [u8],
    /// Bytes of the header.
    header: usize,
    encoding: Encoding,
    is_little_endian: bool,
    /// By the numbers of the abbreviations. The last place is for all with higher numbers, each
    /// time anew: a unit has no more abbreviations than bytes.
    plans: Vec<Option<Plan<Note>>>,
    /// The number of the last place.
    last: usize,
    /// The plan of the current entry.
    plan: usize,
    /// Offset in `bytes`: of the attributes of the current entry, or of the next entry.
    at: usize,
    /// Depth of the next entry.
    depth: isize,
    has_begun: bool,
}

/// An entry whose attributes come next.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head<Note> {
    pub(crate) offset: UnitOffset,
    /// That of the first entry is 0.
    pub(crate) depth: isize,
    pub(crate) has_children: bool,
    /// How many attributes it has.
    pub(crate) attributes: usize,
    pub(crate) note: Note,
}

/// What there is to know of the entries of one abbreviation.
#[derive(Clone, Debug)]
struct Plan<Note> {
    has_children: bool,
    attributes: usize,
    note: Note,
    steps: Vec<Step>,
}

/// Where an entry whose attributes were skipped ends, and the next sibling that it states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Passed {
    end: usize,
    /// Offset in the unit, as `DW_AT_sibling` states it.
    pub(crate) sibling: Option<usize>,
}

/// One or more attributes (DWARF 5 § 7.5.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Bytes(usize),
    /// A number in base 128.
    Leb128,
    /// A text up to its zero.
    Text,
    /// A block with a length of so many bytes before it.
    Block(usize),
    /// A block with a length in base 128 before it.
    BlockLeb128,
    /// `DW_AT_sibling` in four bytes.
    Sibling,
    /// The form is stated with the value.
    Indirect,
}

/// Abbreviations that are kept: compilers number them from 1.
const MAX_KEPT: usize = 1 << 14;

/// Steps that [`Step::Indirect`] may lead to, one after the other.
const MAX_INDIRECT: usize = 4;

impl<'x, 'd, Note: Copy> Walk<'x, 'd, Note> {
    /// From the root entry on.
    pub(crate) fn new(unit: &'x gimli::Unit<Slice<'d>>) -> gimli::Result<Self> {
        let header = unit.header.header_size();
        let bytes = unit.header.range_from(UnitOffset(header)..)?;
        Ok(Self {
            unit,
            bytes: bytes.slice(),
            header,
            encoding: unit.header.encoding(),
            is_little_endian: gimli::Reader::endian(&bytes) == gimli::RunTimeEndian::Little,
            plans: Vec::new(),
            last: MAX_KEPT.min(bytes.len()),
            plan: 0,
            at: 0,
            depth: 0,
            has_begun: false,
        })
    }

    /// The next entry; `None` after the last one inside the first. `note` is asked once for
    /// each abbreviation. [`Walk::pass`] or [`Walk::read`] comes next.
    pub(crate) fn next(
        &mut self,
        note: impl FnOnce(gimli::DwTag, &[gimli::AttributeSpecification]) -> Note,
    ) -> gimli::Result<Option<Head<Note>>> {
        loop {
            if self.at >= self.bytes.len() || (self.has_begun && self.depth <= 0) {
                return Ok(None);
            }
            let offset = UnitOffset(self.at.saturating_add(self.header));
            let (code, after) = leb128(self.bytes, self.at).ok_or(END)?;
            self.at = after;
            self.has_begun = true;
            if code == 0 {
                self.depth = self.depth.saturating_sub(1);
                continue;
            }
            let depth = self.depth;
            let plan = self.plan_of(code, note)?;
            let (has_children, attributes, note) = (plan.has_children, plan.attributes, plan.note);
            if has_children {
                self.depth = depth.saturating_add(1);
            }
            return Ok(Some(Head { offset, depth, has_children, attributes, note }));
        }
    }

    /// Skips the attributes of the current entry.
    pub(crate) fn pass(&mut self) -> gimli::Result<Passed> {
        let mut passed = Passed { end: self.at, sibling: None };
        let plan = self.plans.get(self.plan).and_then(Option::as_ref);
        for step in plan.map_or(&[][..], |plan| &plan.steps) {
            let done = match step {
                Step::Bytes(count) => {
                    passed.end = passed.end.saturating_add(*count);
                    continue;
                }
                _ => passed.step(*step, self.bytes, self.encoding, self.is_little_endian),
            };
            done.ok_or(END)?;
        }
        if passed.end > self.bytes.len() {
            return Err(END);
        }
        self.at = passed.end;
        Ok(passed)
    }

    /// Reads the attributes of the current entry, which is at `offset`.
    pub(crate) fn read(
        &mut self,
        offset: UnitOffset,
        mut seen: impl FnMut(gimli::Attribute<Slice<'d>>),
    ) -> gimli::Result<()> {
        let mut entries = self.unit.entries_raw(Some(offset))?;
        if let Some(abbreviation) = entries.read_abbreviation()? {
            for specification in abbreviation.attributes() {
                seen(entries.read_attribute_inline(*specification)?);
            }
        }
        self.at = entries.next_offset().0.saturating_sub(self.header);
        Ok(())
    }

    /// Begins with the entry at `from` in place of the root.
    pub(crate) fn begin_at(&mut self, from: UnitOffset) {
        self.at = from.0.saturating_sub(self.header);
    }

    /// Goes on with the entry at `sibling`, which an entry of depth `depth` stated; `false` if
    /// that would be a step back.
    pub(crate) fn jump(&mut self, sibling: usize, depth: isize) -> bool {
        let to = sibling.checked_sub(self.header).filter(|to| *to >= self.at);
        if let Some(to) = to {
            (self.at, self.depth) = (to, depth);
        }
        to.is_some()
    }

    /// The plan of abbreviation number `code`, which is that of the current entry from now on.
    fn plan_of(
        &mut self,
        code: u64,
        note: impl FnOnce(gimli::DwTag, &[gimli::AttributeSpecification]) -> Note,
    ) -> gimli::Result<&Plan<Note>> {
        let slot = usize::try_from(code).unwrap_or(self.last);
        let (slot, is_kept) = (slot.min(self.last), slot < self.last);
        self.plan = slot;
        if is_kept && matches!(self.plans.get(slot), Some(Some(_))) {
            let known = self.plans.get(slot).and_then(Option::as_ref);
            return known.ok_or(gimli::Error::InvalidAbbreviationCode(code));
        }
        self.new_plan(code, slot, is_kept, note)
    }

    #[cold]
    fn new_plan(
        &mut self,
        code: u64,
        slot: usize,
        is_kept: bool,
        note: impl FnOnce(gimli::DwTag, &[gimli::AttributeSpecification]) -> Note,
    ) -> gimli::Result<&Plan<Note>> {
        if self.plans.len() <= slot {
            self.plans.resize_with(slot.saturating_add(1), || None);
        }
        let unknown = gimli::Error::InvalidAbbreviationCode(code);
        let known = self.plans.get_mut(slot).ok_or(unknown)?;
        if !is_kept || known.is_none() {
            let abbreviation = self.unit.abbreviations.get(code).ok_or(unknown)?;
            let attributes = abbreviation.attributes();
            *known = Some(Plan {
                has_children: abbreviation.has_children(),
                attributes: attributes.len(),
                note: note(abbreviation.tag(), attributes),
                steps: steps(attributes, self.encoding)?,
            });
        }
        known.as_ref().ok_or(unknown)
    }
}

const END: gimli::Error = gimli::Error::UnexpectedEof(gimli::ReaderOffsetId(0));

impl Passed {
    fn step(
        &mut self,
        step: Step,
        bytes: &[u8],
        encoding: Encoding,
        is_little_endian: bool,
    ) -> Option<()> {
        self.end = match step {
            Step::Bytes(count) => self.end.checked_add(count)?,
            Step::Leb128 => leb128(bytes, self.end)?.1,
            Step::Text => {
                let rest = bytes.get(self.end..)?;
                let length = memchr::memchr(0, rest)?;
                self.end.checked_add(length)?.checked_add(1)?
            }
            Step::Block(size) => {
                let start = self.end.checked_add(size)?;
                let length = number(bytes.get(self.end..start)?, is_little_endian);
                start.checked_add(usize::try_from(length).ok()?)?
            }
            Step::BlockLeb128 => {
                let (length, start) = leb128(bytes, self.end)?;
                start.checked_add(usize::try_from(length).ok()?)?
            }
            Step::Sibling => {
                let end = self.end.checked_add(4)?;
                let sibling = number(bytes.get(self.end..end)?, is_little_endian);
                self.sibling = usize::try_from(sibling).ok();
                end
            }
            Step::Indirect => {
                for _ in 0..MAX_INDIRECT {
                    let (form, start) = leb128(bytes, self.end)?;
                    self.end = start;
                    match step_of(DwForm(u16::try_from(form).ok()?), encoding).ok()? {
                        Step::Indirect => {}
                        step => return self.step(step, bytes, encoding, is_little_endian),
                    }
                }
                return None;
            }
        };
        Some(())
    }
}

/// The number in base 128 at `at`, and where it ends; its lower 64 bits.
#[inline]
fn leb128(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    match *bytes.get(at)? {
        only @ ..0x80 => Some((u64::from(only), at.checked_add(1)?)),
        _ => long_leb128(bytes, at),
    }
}

fn long_leb128(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let (mut value, mut shift, mut at) = (0_u64, 0_u32, at);
    loop {
        let byte = *bytes.get(at)?;
        at = at.checked_add(1)?;
        value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
        shift = shift.saturating_add(7);
        if byte & 0x80 == 0 {
            return Some((value, at));
        }
    }
}

fn number(bytes: &[u8], is_little_endian: bool) -> u64 {
    let add = |sum: u64, byte: &u8| (sum << 8) | u64::from(*byte);
    match is_little_endian {
        true => bytes.iter().rev().fold(0, add),
        false => bytes.iter().fold(0, add),
    }
}

/// The fewest steps over these attributes.
fn steps(
    attributes: &[gimli::AttributeSpecification],
    encoding: Encoding,
) -> gimli::Result<Vec<Step>> {
    let mut steps: Vec<Step> = Vec::new();
    for attribute in attributes {
        let step = match (attribute.name(), attribute.form()) {
            (dw::DW_AT_sibling, dw::DW_FORM_ref4) => Step::Sibling,
            (_, form) => step_of(form, encoding)?,
        };
        match (steps.last_mut(), step) {
            (_, Step::Bytes(0)) => {}
            (Some(Step::Bytes(sum)), Step::Bytes(count)) => *sum = sum.saturating_add(count),
            _ => steps.push(step),
        }
    }
    steps.shrink_to_fit();
    Ok(steps)
}

fn step_of(form: DwForm, encoding: Encoding) -> gimli::Result<Step> {
    let word = usize::from(encoding.format.word_size());
    let address = usize::from(encoding.address_size);
    Ok(match form {
        dw::DW_FORM_flag_present | dw::DW_FORM_implicit_const => Step::Bytes(0),
        dw::DW_FORM_data1
        | dw::DW_FORM_flag
        | dw::DW_FORM_ref1
        | dw::DW_FORM_strx1
        | dw::DW_FORM_addrx1 => Step::Bytes(1),
        dw::DW_FORM_data2 | dw::DW_FORM_ref2 | dw::DW_FORM_strx2 | dw::DW_FORM_addrx2 => {
            Step::Bytes(2)
        }
        dw::DW_FORM_strx3 | dw::DW_FORM_addrx3 => Step::Bytes(3),
        dw::DW_FORM_data4
        | dw::DW_FORM_ref4
        | dw::DW_FORM_ref_sup4
        | dw::DW_FORM_strx4
        | dw::DW_FORM_addrx4 => Step::Bytes(4),
        dw::DW_FORM_data8 | dw::DW_FORM_ref8 | dw::DW_FORM_ref_sig8 | dw::DW_FORM_ref_sup8 => {
            Step::Bytes(8)
        }
        dw::DW_FORM_data16 => Step::Bytes(16),
        dw::DW_FORM_addr => Step::Bytes(address),
        // An address in DWARF 2, an offset since (DWARF 3 § 7.5.4).
        dw::DW_FORM_ref_addr if encoding.version == 2 => Step::Bytes(address),
        dw::DW_FORM_ref_addr
        | dw::DW_FORM_strp
        | dw::DW_FORM_strp_sup
        | dw::DW_FORM_line_strp
        | dw::DW_FORM_sec_offset
        | dw::DW_FORM_GNU_ref_alt
        | dw::DW_FORM_GNU_strp_alt => Step::Bytes(word),
        dw::DW_FORM_udata
        | dw::DW_FORM_sdata
        | dw::DW_FORM_ref_udata
        | dw::DW_FORM_strx
        | dw::DW_FORM_addrx
        | dw::DW_FORM_loclistx
        | dw::DW_FORM_rnglistx
        | dw::DW_FORM_GNU_str_index
        | dw::DW_FORM_GNU_addr_index => Step::Leb128,
        dw::DW_FORM_string => Step::Text,
        dw::DW_FORM_block1 => Step::Block(1),
        dw::DW_FORM_block2 => Step::Block(2),
        dw::DW_FORM_block4 => Step::Block(4),
        dw::DW_FORM_block | dw::DW_FORM_exprloc => Step::BlockLeb128,
        dw::DW_FORM_indirect => Step::Indirect,
        form => return Err(gimli::Error::UnknownForm(form)),
    })
}

#[cfg(test)]
#[path = "skim_tests.rs"]
mod tests;
