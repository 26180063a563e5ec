//! Which addresses an entry covers: `DW_AT_low_pc`, `DW_AT_high_pc`, `DW_AT_ranges` (DWARF 5
//! § 2.17).

use gimli::constants as dw;

use super::reader::Value;
use super::units::{DwarfFile, Unit};

/// The attributes that say which addresses an entry covers.
#[derive(Clone, Copy, Default)]
pub(super) struct Bounds<'d> {
    low: Option<Value<'d>>,
    high: Option<Value<'d>>,
    ranges: Option<Value<'d>>,
}

impl<'d> Bounds<'d> {
    /// Takes note of `value` if it is one of the three.
    pub(super) fn note(&mut self, name: gimli::DwAt, value: Value<'d>) {
        match name {
            dw::DW_AT_low_pc => self.low = Some(value),
            dw::DW_AT_high_pc => self.high = Some(value),
            dw::DW_AT_ranges => self.ranges = Some(value),
            _ => {}
        }
    }

    /// Whether none of them was there.
    pub(super) fn is_empty(&self) -> bool {
        self.low.is_none() && self.ranges.is_none()
    }

    /// `DW_AT_low_pc`.
    pub(super) fn low_pc(&self, file: &DwarfFile<'d>, unit: &Unit<'d>) -> Option<u64> {
        file.address(unit, self.low?)
    }

    /// The ranges, in the order given. Those that start at 0 are code the linker threw
    /// away; no image has code there.
    pub(super) fn ranges(&self, file: &DwarfFile<'d>, unit: &Unit<'d>) -> Vec<(u64, u64)> {
        let mut found = Vec::new();
        if let Some(ranges) = self.ranges {
            let mut read = || {
                let Some(mut list) = file.dwarf_of(unit).attr_ranges(&unit.inner, ranges)? else {
                    return Ok(());
                };
                while let Some(range) = list.next()? {
                    if !file.context().spend(1) {
                        break;
                    }
                    if range.begin != 0 && range.begin < range.end {
                        found.push((range.begin, range.end));
                    }
                }
                Ok(())
            };
            if let Err(error) = read() {
                file.context().report("a list of ranges", error);
            }
            return found;
        }
        let Some(low) = self.low_pc(file, unit).filter(|low| *low != 0) else { return found };
        let high = match self.high {
            Some(gimli::AttributeValue::Udata(size)) => low.checked_add(size),
            Some(value) => file.address(unit, value),
            None => None,
        };
        found.extend(high.filter(|high| low < *high).map(|high| (low, high)));
        found
    }
}
