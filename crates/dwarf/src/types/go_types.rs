//! Go's runtime types: which entry describes the type that a `runtime._type` in the dead
//! process stands for.
//!
//! The Go linker states with each type where its runtime type lies, from the start of the
//! section that holds them (`DW_AT_go_runtime_type`, cmd/internal/dwarf).

use std::collections::HashMap;

use gimli::constants as dw;

use crate::model::keys::{DieKey, List};
use crate::model::language::Language;
use crate::sections::sources::Value;
use crate::units::entry::Entry;
use crate::units::file::DwarfFile;
use crate::units::unit::Unit;
use obit_corefile::addr::Svma;
use obit_corefile::elf::ElfImage;

/// `DW_AT_go_kind`: a `reflect.Kind`.
const DW_AT_GO_KIND: dw::DwAt = dw::DwAt(0x2900);

/// `DW_AT_go_runtime_type`.
const DW_AT_GO_RUNTIME_TYPE: dw::DwAt = dw::DwAt(0x2904);

/// The bits of a runtime type's `kind` that hold the kind.
const KIND_MASK: u8 = 0x1f;

/// The types of an image that Go's runtime knows.
#[derive(Default)]
pub(crate) struct GoTypes {
    /// By the offset of their runtime types.
    known: HashMap<u64, GoType>,
}

/// A type that Go's runtime knows.
#[derive(Clone, Copy)]
pub(crate) struct GoType {
    pub(crate) entry: DieKey,
    kind: u8,
}

/// How far from the start of its section the runtime type at `at` lies.
pub(crate) fn offset_of(image: &ElfImage, at: Svma) -> Option<u64> {
    let holds = |start: u64, size: u64| at.0.checked_sub(start).filter(|into| *into < size);
    let mut sections = image.sections().iter().filter(|section| section.address.0 != 0);
    sections.find_map(|section| holds(section.address.0, section.size))
}

impl GoType {
    /// Whether the runtime type at `at` is of the kind and size that DWARF states;
    /// `stated` is the size in bytes. `None` if it cannot be read.
    pub(crate) fn agrees(&self, image: &ElfImage, at: Svma, stated: Option<u64>) -> Option<bool> {
        // uintptr size, ptrdata; uint32 hash; uint8 tflag, align, fieldAlign, kind.
        let runtime_type = image.bytes_at(at)?;
        let encoding = image.encoding();
        let word = encoding.word();
        let size = encoding.unsigned(runtime_type, 0, word)?;
        let kind = *runtime_type.get(word.checked_mul(2)?.checked_add(7)?)?;
        Some(kind & KIND_MASK == self.kind && stated.is_none_or(|stated| stated == size))
    }
}

impl GoTypes {
    /// Reads the types of all Go units.
    pub(crate) fn build(root: &DwarfFile<'_>) -> Self {
        let mut types = Self::default();
        let mut table = None;
        for index in 0..root.unit_count(List::Info) {
            let Ok(index) = u32::try_from(index) else { break };
            let Some(unit) = root.passing_unit(List::Info, index, &mut table) else { continue };
            if unit.language != Language::Go {
                continue;
            }
            if let Err(error) = types.add(root, &unit) {
                root.context().report("the types of a Go unit", error);
            }
        }
        types
    }

    /// The type whose runtime type lies `offset` bytes into its section.
    pub(crate) fn described_at(&self, offset: u64) -> Option<GoType> {
        self.known.get(&offset).copied()
    }

    fn add<'d>(&mut self, root: &DwarfFile<'d>, unit: &Unit<'d>) -> gimli::Result<()> {
        let mut entries = unit.inner.entries_raw(None)?;
        // Attributes may cost no byte each.
        let mut work = unit.inner.header.length_including_self().saturating_mul(8);
        while !entries.is_empty() {
            let offset = entries.next_offset();
            let Some(abbreviation) = entries.read_abbreviation()? else { continue };
            let attributes = abbreviation.attributes();
            let Some(left) = work.checked_sub(attributes.len()) else { break };
            work = left;
            if !attributes.iter().any(|attribute| attribute.name() == DW_AT_GO_RUNTIME_TYPE) {
                entries.skip_attributes(attributes)?;
                continue;
            }
            let (mut kind, mut place) = (None, None);
            for specification in attributes {
                let attribute = entries.read_attribute_inline(*specification)?;
                match attribute.name() {
                    DW_AT_GO_KIND => kind = number(&attribute.raw_value()),
                    DW_AT_GO_RUNTIME_TYPE => place = number(&attribute.raw_value()),
                    _ => {}
                }
            }
            let kind = kind.and_then(|kind| u8::try_from(kind).ok());
            if let (Some(kind), Some(place @ 1..)) = (kind, place) {
                let entry = Entry::new(root, root, unit, offset).key();
                self.known.entry(place).or_insert(GoType { entry, kind });
            }
        }
        Ok(())
    }
}

/// Linkers have used constants and addresses for these.
fn number(value: &Value<'_>) -> Option<u64> {
    match value {
        gimli::AttributeValue::Addr(value) => Some(*value),
        gimli::AttributeValue::Data1(value) => Some((*value).into()),
        gimli::AttributeValue::Data2(value) => Some((*value).into()),
        gimli::AttributeValue::Data4(value) => Some((*value).into()),
        gimli::AttributeValue::Data8(value) | gimli::AttributeValue::Udata(value) => Some(*value),
        gimli::AttributeValue::SecOffset(value) => u64::try_from(*value).ok(),
        _ => None,
    }
}
