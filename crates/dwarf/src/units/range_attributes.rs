//! Which addresses an entry covers: `DW_AT_low_pc`, `DW_AT_high_pc`, `DW_AT_ranges` (DWARF 5
//! § 2.17).

use gimli::constants as dw;

use crate::sections::sources::Value;

/// The attributes that say which addresses an entry covers.
#[derive(Clone, Copy, Default)]
pub(crate) struct RangeAttributes<'d> {
    pub(crate) low: Option<Value<'d>>,
    pub(crate) high: Option<Value<'d>>,
    pub(crate) ranges: Option<Value<'d>>,
}

impl<'d> RangeAttributes<'d> {
    /// Takes note of `value` if it is one of the three.
    pub(crate) fn note(&mut self, name: gimli::DwAt, value: Value<'d>) {
        match name {
            dw::DW_AT_low_pc => self.low = Some(value),
            dw::DW_AT_high_pc => self.high = Some(value),
            dw::DW_AT_ranges => self.ranges = Some(value),
            _ => {}
        }
    }

    /// Whether none of them was there.
    pub(crate) fn is_empty(&self) -> bool {
        self.low.is_none() && self.ranges.is_none()
    }
}
