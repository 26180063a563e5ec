//! One AArch64 instruction, and what is written of what it moves.

use super::arm_fields::field;
use super::effects::{AccessMode, MemoryOperand, Part};
use super::flow::{Target, Term, Write};
use obit_corefile::addr::Avma;
use obit_corefile::arch::Register;

/// v0 in DWARF for the Arm 64-bit Architecture, "DWARF register names".
const V0: u32 = 64;
/// Bytes of a vector register.
const VECTOR: u64 = 16;

/// One instruction.
#[derive(Clone, Copy)]
pub(super) struct Word {
    pub(super) bits: u32,
    pub(super) address: Avma,
}

impl Word {
    pub(super) fn is(self, mask: u32, value: u32) -> bool {
        self.bits & mask == value
    }

    pub(super) fn flag(self, bit: u32) -> bool {
        self.field(bit, 1) == 1
    }

    /// `len` bits from bit `low` on.
    pub(super) fn field(self, low: u32, len: u32) -> u32 {
        field(self.bits, low, len)
    }
}

/// x0 to x30 and sp.
pub(super) fn general(number: u32, size: u64) -> Part {
    let number = u16::try_from(number).unwrap_or(u16::MAX);
    Part { register: Register(number), shift: 0, size }
}

pub(super) fn vector(number: u32) -> Part {
    general(number.saturating_add(V0), VECTOR)
}

/// A write of a vector register, the rest of which it clears.
pub(super) fn set_vector(to: u32, from: Term) -> Vec<Write> {
    vec![Write { to: Target::Register(vector(to)), from }]
}

pub(super) fn unknown(to: Target) -> Write {
    Write { to, from: Term::Unknown }
}

/// An address of no register, of no known size.
pub(super) fn nowhere() -> MemoryOperand {
    MemoryOperand {
        mode: AccessMode::Read,
        size: None,
        segment: None,
        base: None,
        index: None,
        displacement: 0,
        address_size: 8,
        index_is_signed: false,
        rounds: None,
    }
}

/// A sum of so many bytes.
pub(super) fn sum(
    base: Option<Part>,
    index: Option<(Part, u64)>,
    displacement: i64,
    size: u64,
) -> MemoryOperand {
    MemoryOperand { base, index, displacement, address_size: size, ..nowhere() }
}
