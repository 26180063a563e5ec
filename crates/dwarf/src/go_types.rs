//! Go's runtime types: which entry describes the type that a `runtime._type` in the dead
//! process stands for.
//!
//! The Go linker states with each type where its runtime type lies, from the start of the
//! section that holds them (`DW_AT_go_runtime_type`, cmd/internal/dwarf).

use std::collections::HashMap;

use gimli::constants as dw;

use super::entry::Entry;
use super::reader::Value;
use super::types::TypeId;
use super::units::{DieKey, DwarfFile, List, Unit};
use super::{DebugInfo, Language};
use obit_corefile::addr::Svma;

/// `DW_AT_go_kind`: a `reflect.Kind`.
const DW_AT_GO_KIND: dw::DwAt = dw::DwAt(0x2900);
/// `DW_AT_go_runtime_type`.
const DW_AT_GO_RUNTIME_TYPE: dw::DwAt = dw::DwAt(0x2904);
/// The bits of a runtime type's `kind` that hold the kind.
const KIND_MASK: u8 = 0x1f;

/// The types of an image that Go's runtime knows.
#[derive(Default)]
pub(super) struct GoTypes {
    /// By the offset of their runtime types.
    known: HashMap<u64, GoType>,
}

#[derive(Clone, Copy)]
struct GoType {
    entry: DieKey,
    kind: u8,
}

impl DebugInfo {
    /// The type whose `runtime._type` lies at `at`; `None` for one made while the program
    /// ran, or if what lies there does not agree.
    pub fn go_type_at(&self, at: Svma) -> Option<TypeId> {
        let image = &self.context.files.image;
        let holds = |start: u64, size: u64| at.0.checked_sub(start).filter(|into| *into < size);
        let mut sections = image.sections().iter().filter(|section| section.address.0 != 0);
        let offset = sections.find_map(|section| holds(section.address.0, section.size))?;
        let found = self.with_dwarf(|file| {
            let types = self.go_types.get_or_init(|| GoTypes::build(file));
            types.known.get(&offset).copied()
        })??;
        let id = self.types.intern(found.entry);
        // uintptr size, ptrdata; uint32 hash; uint8 tflag, align, fieldAlign, kind.
        let runtime_type = image.bytes_at(at)?;
        let encoding = image.encoding();
        let word = encoding.word();
        let size = encoding.unsigned(runtime_type, 0, word)?;
        let kind = *runtime_type.get(word.checked_mul(2)?.checked_add(7)?)?;
        let stated = self.type_at(id).byte_size;
        let agrees = kind & KIND_MASK == found.kind && stated.is_none_or(|stated| stated == size);
        agrees.then_some(id)
    }
}

impl GoTypes {
    fn build(root: &DwarfFile<'_>) -> Self {
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
                let entry = Entry { root, file: root, unit, offset }.key();
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
