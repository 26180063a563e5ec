//! From attributes to [`Location`]s, and from location lists to the entry for a pc
//! (DWARF 5 § 2.6.2, 7.7.3; `.debug_loc` before).

use std::sync::Arc;

use gimli::{DebugLocListsIndex, DwarfFileType, LocationListsOffset};

use crate::model::location::{Expression, ListAt, Location, LocationList, NoPlace};
use crate::sections::sources::Value;
use crate::units::entry::Entry;
use crate::units::file::DwarfFile;
use obit_corefile::addr::Svma;

/// Entries of a location list that are looked at.
const LONGEST_LIST: usize = 1 << 16;

/// What `DW_AT_const_value` of `entry` says. Fixed-size forms say nothing of a sign: they
/// are extended with zeros, which the type's size cuts off.
pub(crate) fn of_constant<'d>(entry: &Entry<'_, 'd>, value: Value<'d>) -> Option<Location> {
    let number = match value {
        gimli::AttributeValue::Data1(value) => i128::from(value),
        gimli::AttributeValue::Data2(value) => i128::from(value),
        gimli::AttributeValue::Data4(value) => i128::from(value),
        gimli::AttributeValue::Data8(value) | gimli::AttributeValue::Udata(value) => {
            i128::from(value)
        }
        gimli::AttributeValue::Data16(value) => value as i128,
        gimli::AttributeValue::Sdata(value) => i128::from(value),
        gimli::AttributeValue::Addr(value) => i128::from(value),
        gimli::AttributeValue::Flag(value) => i128::from(value),
        gimli::AttributeValue::Block(bytes) => {
            return Some(Location::Constant(Arc::from(bytes.slice())));
        }
        gimli::AttributeValue::Exprloc(bytes) => {
            return Some(Location::Constant(Arc::from(bytes.0.slice())));
        }
        value => {
            // A string, with the NUL that ends it.
            let text = entry.string(value)?;
            let bytes: Vec<u8> = text.slice().iter().copied().chain([0]).collect();
            return Some(Location::Constant(Arc::from(bytes)));
        }
    };
    Some(Location::Number(number))
}

/// An entry of a location list.
pub(crate) struct ListEntry {
    pub(crate) expression: Expression,
    /// Its range ends beyond this, as the image states it.
    pub(crate) end: Svma,
}

/// The expression of an entry without extent at `at`: what ranges are read for passes it by.
fn between_views<R: gimli::Reader>(
    root: &DwarfFile<'_>,
    mut entries: gimli::RawLocListIter<R>,
    mut base: u64,
    at: Svma,
) -> Option<gimli::Expression<R>> {
    for _ in 0..LONGEST_LIST {
        if !root.context().spend(1) {
            break;
        }
        let (begin, end, data) = match entries.next().ok()?? {
            gimli::RawLocListEntry::BaseAddress { addr } => {
                base = addr;
                continue;
            }
            gimli::RawLocListEntry::OffsetPair { begin, end, data }
            | gimli::RawLocListEntry::AddressOrOffsetPair { begin, end, data } => {
                (base.wrapping_add(begin), base.wrapping_add(end), data)
            }
            gimli::RawLocListEntry::StartEnd { begin, end, data } => (begin, end, data),
            gimli::RawLocListEntry::StartLength { begin, length, data } => {
                (begin, begin.wrapping_add(length), data)
            }
            _ => continue,
        };
        if begin == at.0 && end == at.0 {
            return Some(data);
        }
    }
    None
}

/// What `list` gives for `at`; `None` if no entry covers it. An entry without extent that
/// begins there holds before the instruction, between two views of it (gcc's
/// `DW_AT_GNU_locviews`): it counts where `with_views` says so and nothing else covers.
pub(crate) fn at_pc<'d>(
    root: &DwarfFile<'d>,
    list: &LocationList,
    at: Svma,
    with_views: bool,
) -> Result<Option<ListEntry>, NoPlace> {
    let malformed = |error: gimli::Error| NoPlace::Malformed(error.to_string());
    let entry = Entry::at(root, list.unit);
    let entry = entry.ok_or_else(|| NoPlace::Malformed("its unit is unreadable".to_owned()))?;
    let unit = &entry.unit.inner;
    let encoding = unit.encoding();
    let lists = entry.file.locations(entry.unit);
    let offset = match list.at {
        ListAt::Offset(offset) => usize::try_from(offset).map(LocationListsOffset).ok(),
        ListAt::Index(index) => {
            let index = usize::try_from(index).map(DebugLocListsIndex).ok();
            let found = index.map(|i| lists.get_offset(encoding, unit.loclists_base, i));
            found.transpose().map_err(malformed)?
        }
    };
    let unreadable = || NoPlace::Malformed("a location list beyond all sections".to_owned());
    let offset = offset.ok_or_else(unreadable)?;
    let dwarf = entry.file.dwarf_of(entry.unit);
    let (base, addresses, address_base) = (unit.low_pc, &dwarf.debug_addr, unit.addr_base);
    let mut entries = match dwarf.file_type {
        DwarfFileType::Main => lists.locations(offset, encoding, base, addresses, address_base),
        DwarfFileType::Dwo => lists.locations_dwo(offset, encoding, base, addresses, address_base),
    }
    .map_err(malformed)?;
    for _ in 0..LONGEST_LIST {
        if !root.context().spend(1) {
            break;
        }
        let Some(found) = entries.next().map_err(malformed)? else {
            if !with_views || dwarf.file_type != DwarfFileType::Main {
                return Ok(None);
            }
            let raw = lists.raw_locations(offset, encoding).map_err(malformed)?;
            return Ok(between_views(root, raw, base, at).map(|data| ListEntry {
                expression: Expression::new(data.0.slice(), entry.key()),
                end: at,
            }));
        };
        if (found.range.begin..found.range.end).contains(&at.0) {
            let expression = Expression::new(found.data.0.slice(), entry.key());
            return Ok(Some(ListEntry { expression, end: Svma(found.range.end) }));
        }
    }
    Err(NoPlace::Malformed("its location list is too long".to_owned()))
}
