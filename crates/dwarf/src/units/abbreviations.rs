//! The tables of `.debug_abbrev`, each read once however many units share it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use gimli::{Abbreviations, DebugAbbrev, DebugAbbrevOffset, Reader, constants as dw};

use crate::sections::context::Context;
use crate::sections::sources::Slice;

/// The tables read so far, by whether they are in the supplement and by offset.
#[derive(Default)]
pub(crate) struct Tables {
    read: Mutex<HashMap<(bool, usize), Table>>,
}

/// One table of abbreviations.
#[derive(Clone)]
pub(crate) struct Table {
    pub(crate) abbreviations: Arc<Abbreviations>,
    /// Some entry that is no root of a unit may have `DW_AT_ranges`.
    pub(crate) has_scattered: bool,
    /// Some function may state its addresses.
    pub(crate) has_code: bool,
}

impl Tables {
    /// The table at `offset` of `section`.
    pub(crate) fn get(
        &self,
        in_supplement: bool,
        section: &DebugAbbrev<Slice<'_>>,
        offset: DebugAbbrevOffset<usize>,
        context: &Context,
    ) -> gimli::Result<Table> {
        let key = (in_supplement, offset.0);
        let lock = || self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(table) = lock().get(&key) {
            return Ok(table.clone());
        }
        let table = Self::read(section, offset, context)?;
        lock().insert(key, table.clone());
        Ok(table)
    }

    /// The table at `offset` of `section`, not kept.
    pub(crate) fn read(
        section: &DebugAbbrev<Slice<'_>>,
        offset: DebugAbbrevOffset<usize>,
        context: &Context,
    ) -> gimli::Result<Table> {
        let (mut has_scattered, mut has_code) = (false, false);
        let length = scan_table(*gimli::Section::reader(section), offset.0, &mut |tag, name| {
            has_scattered |= name == dw::DW_AT_ranges
                && !matches!(
                    tag,
                    dw::DW_TAG_compile_unit | dw::DW_TAG_partial_unit | dw::DW_TAG_skeleton_unit
                );
            has_code |=
                tag == dw::DW_TAG_subprogram && matches!(name, dw::DW_AT_low_pc | dw::DW_AT_ranges);
        });
        // Many units may point into one long table, each a byte further.
        if !context.spend(length as u64) {
            return Err(gimli::Error::MissingUnitDie);
        }
        let abbreviations = Arc::new(section.abbreviations(offset)?);
        Ok(Table { abbreviations, has_scattered, has_code })
    }
}

/// Reports the tags and attributes of the table of abbreviations that starts at `offset`
/// (DWARF 5 § 7.5.3), the closing pair of zeros included. Returns its length in bytes.
pub(crate) fn scan_table(
    section: Slice<'_>,
    offset: usize,
    seen: &mut dyn FnMut(gimli::DwTag, gimli::DwAt),
) -> usize {
    let mut rest = section;
    let mut read = || {
        rest.skip(offset)?;
        while rest.read_uleb128()? != 0 {
            let tag = gimli::DwTag(u16::try_from(rest.read_uleb128()?).unwrap_or(0));
            rest.read_u8()?;
            loop {
                let (name, form) = (rest.read_uleb128()?, rest.read_uleb128()?);
                if form == u64::from(dw::DW_FORM_implicit_const.0) {
                    rest.read_sleb128()?;
                }
                seen(tag, gimli::DwAt(u16::try_from(name).unwrap_or(0)));
                if (name, form) == (0, 0) {
                    break;
                }
            }
        }
        Ok::<_, gimli::Error>(())
    };
    // One that is cut short is as long as what was read of it.
    read().ok();
    section.len().saturating_sub(rest.len()).saturating_sub(offset)
}
