//! Passing over entries without reading their attributes: what the entries of each
//! abbreviation take is worked out once, and mostly it is one addition.

use gimli::{Abbreviations, DwForm, Encoding, constants as dw};

/// The abbreviations of a unit as far as they were met, each with what `Note` says of it.
pub(crate) struct Skimmer<Note> {
    encoding: Encoding,
    known: Vec<Option<Plan<Note>>>,
}

/// What there is to know of the entries of one abbreviation.
#[derive(Clone, Debug)]
pub(crate) struct Plan<Note> {
    pub(crate) has_children: bool,
    /// Attributes an entry has.
    pub(crate) attributes: usize,
    pub(crate) note: Note,
    steps: Vec<Step>,
}

/// Where an entry that was passed over ends, and what it said of its next sibling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Passed {
    pub(crate) end: usize,
    /// Offset in the unit, as `DW_AT_sibling` states it.
    pub(crate) sibling: Option<u32>,
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

impl<Note: Clone> Skimmer<Note> {
    pub(crate) fn new(encoding: Encoding) -> Self {
        Self { encoding, known: Vec::new() }
    }

    /// The plan of abbreviation number `code`; `None` if there is no such abbreviation, or it
    /// has a form nobody knows. `note` is asked once for each.
    pub(crate) fn plan(
        &mut self,
        code: u64,
        of: &Abbreviations,
        note: impl FnOnce(gimli::DwTag, &[gimli::AttributeSpecification]) -> Note,
    ) -> Option<&Plan<Note>> {
        let slot = usize::try_from(code).ok()?;
        // The last place is for all with higher numbers, each time anew.
        let (slot, is_kept) = (slot.min(MAX_KEPT), slot < MAX_KEPT);
        if self.known.len() <= slot {
            self.known.resize(slot.saturating_add(1), None);
        }
        let known = self.known.get_mut(slot)?;
        if !is_kept || known.is_none() {
            let abbreviation = of.get(code)?;
            let attributes = abbreviation.attributes();
            *known = Some(Plan {
                has_children: abbreviation.has_children(),
                attributes: attributes.len(),
                note: note(abbreviation.tag(), attributes),
                steps: steps(attributes, self.encoding)?,
            });
        }
        known.as_ref()
    }
}

impl<Note> Plan<Note> {
    /// Passes over the attributes that start at `at` in the unit's `bytes`; `None` if they do
    /// not end there.
    pub(crate) fn pass(
        &self,
        bytes: &[u8],
        at: usize,
        encoding: Encoding,
        is_little_endian: bool,
    ) -> Option<Passed> {
        let mut passed = Passed { end: at, sibling: None };
        for step in &self.steps {
            passed.step(*step, bytes, encoding, is_little_endian)?;
        }
        (passed.end <= bytes.len()).then_some(passed)
    }
}

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
                self.sibling = u32::try_from(sibling).ok();
                end
            }
            Step::Indirect => {
                for _ in 0..MAX_INDIRECT {
                    let (form, start) = leb128(bytes, self.end)?;
                    self.end = start;
                    match step_of(DwForm(u16::try_from(form).ok()?), encoding)? {
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
pub(crate) fn leb128(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
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
fn steps(attributes: &[gimli::AttributeSpecification], encoding: Encoding) -> Option<Vec<Step>> {
    let mut steps: Vec<Step> = Vec::new();
    for attribute in attributes {
        let step = match (attribute.name(), attribute.form()) {
            (dw::DW_AT_sibling, dw::DW_FORM_ref4) => Step::Sibling,
            (_, form) => step_of(form, encoding)?,
        };
        match (steps.last_mut(), step) {
            (_, Step::Bytes(0)) => {}
            (Some(Step::Bytes(sum)), Step::Bytes(count)) => *sum = sum.checked_add(count)?,
            _ => steps.push(step),
        }
    }
    steps.shrink_to_fit();
    Some(steps)
}

fn step_of(form: DwForm, encoding: Encoding) -> Option<Step> {
    let word = usize::from(encoding.format.word_size());
    let address = usize::from(encoding.address_size);
    Some(match form {
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
        dw::DW_FORM_data8
        | dw::DW_FORM_ref8
        | dw::DW_FORM_ref_sig8
        | dw::DW_FORM_ref_sup8 => Step::Bytes(8),
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
        _ => return None,
    })
}
