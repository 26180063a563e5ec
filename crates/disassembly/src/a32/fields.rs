//! Fields of an instruction.

pub(super) use crate::arm_fields::{field, signed};

/// One bit.
pub(super) fn flag(bits: u32, bit: u32) -> bool {
    field(bits, bit, 1) == 1
}
