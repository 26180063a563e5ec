//! What one instruction does that can fail: which memory it touches, where it jumps by way
//! of data, what it divides by. Registers are named, not read.

use obit_corefile::addr::Avma;
use obit_corefile::arch::{Register, Registers};

/// What one instruction does that can fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effects {
    /// What it is, apart from its accesses.
    pub kind: InstructionKind,
    /// The memory it reads and writes, its own bytes left out; an access whose address is
    /// made in another way than [`MemoryOperand`] knows (gather, scatter) is left out too.
    pub accesses: Vec<MemoryOperand>,
}

/// What sort of an instruction it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstructionKind {
    /// None of the others.
    Plain,
    /// A jump, call or return whose target is not in the instruction.
    IndirectBranch(Source),
    /// A division of integers that fails on zero.
    Division(Source),
    /// `ud2`, `int3`, `brk`, `udf`: there to fail.
    Trap,
    /// For the kernel alone.
    Privileged,
    /// No instruction at all.
    Bad,
}

/// Where an instruction takes a number from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A register, or some of its bytes.
    Register(Part),
    /// Memory: the access of this index in [`Effects::accesses`].
    Memory(usize),
}

/// Some bytes of a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The whole register.
    pub register: Register,
    /// The lowest bit taken.
    pub shift: u32,
    /// Bytes taken, 1 to 8; of a vector register up to 64.
    pub size: u64,
}

/// One piece of memory an instruction touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryOperand {
    /// What it does there.
    pub mode: AccessMode,
    /// Bytes; `None` where the instruction alone does not say. Of a repeated string
    /// instruction those of one round.
    pub size: Option<u64>,
    /// The base of the segment (`fs`, `gs`).
    pub segment: Option<Register>,
    /// Added to the address.
    pub base: Option<Part>,
    /// Added to the address, multiplied by the number beside it.
    pub index: Option<(Part, u64)>,
    /// The index is a number with a sign and as many bytes as its part (aarch64: `sxtw`).
    pub index_is_signed: bool,
    /// Added to the address.
    pub displacement: i64,
    /// Bytes of the address before the segment's base is added: 2, 4 or 8.
    pub address_size: u64,
    /// The register that counts the rounds of a repeated string instruction.
    pub rounds: Option<Part>,
}

/// What an instruction does with memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessMode {
    /// Reads it.
    Read,
    /// Writes it.
    Write,
    /// Reads it and writes it back.
    ReadWrite,
}

impl Part {
    /// The number in it.
    pub fn value(self, registers: &Registers) -> Option<u64> {
        let whole = registers.get(self.register)?;
        Some(low_bytes(whole.checked_shr(self.shift)?, self.size))
    }
}

impl MemoryOperand {
    /// The address of its first byte. `segment_base` gives the bases of segments; `word` is
    /// how many bytes an address of this machine has.
    pub fn address(
        &self,
        registers: &Registers,
        segment_base: impl Fn(Register) -> Option<u64>,
        word: u64,
    ) -> Option<Avma> {
        let mut offset = self.displacement.cast_unsigned();
        if let Some(base) = self.base {
            offset = offset.wrapping_add(base.value(registers)?);
        }
        if let Some((index, scale)) = self.index {
            let index = self.index_value(index, index.value(registers)?);
            offset = offset.wrapping_add(index.wrapping_mul(scale));
        }
        let offset = low_bytes(offset, self.address_size);
        let start = self.segment.map_or(Some(0), segment_base)?;
        Some(Avma(low_bytes(start.wrapping_add(offset), word)))
    }

    /// What is multiplied for the address where `value` is what the `index`'s part of its
    /// register held.
    pub fn index_value(&self, index: Part, value: u64) -> u64 {
        if self.index_is_signed { sign_extended(value, index.size) } else { value }
    }
}

/// The low `size` bytes of `value`.
pub(super) fn low_bytes(value: u64, size: u64) -> u64 {
    let bits = size.saturating_mul(8);
    if bits >= 64 { value } else { value & !(u64::MAX << bits) }
}

/// The number in two's complement that the low `size` bytes of `value` are.
pub(super) fn sign_extended(value: u64, size: u64) -> u64 {
    let bits = size.saturating_mul(8);
    let unused = u32::try_from(64_u64.saturating_sub(bits)).unwrap_or(0).min(63);
    ((value << unused).cast_signed() >> unused).cast_unsigned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RAX: Register = Register(0);

    #[test]
    fn an_address_wraps_as_wide_as_the_machine_counts() {
        let whole = Part { register: RAX, shift: 0, size: 4 };
        let operand = MemoryOperand {
            mode: AccessMode::Read,
            size: Some(4),
            segment: None,
            base: Some(whole),
            index: None,
            index_is_signed: false,
            displacement: 8,
            address_size: 4,
            rounds: None,
        };
        let registers = Registers::default().with(RAX, 0xffff_fffc);
        let address = |operand: MemoryOperand| operand.address(&registers, |_| Some(0x1_0000), 4);
        assert_eq!(address(operand), Some(Avma(4)));
        let in_segment = MemoryOperand { segment: Some(Register(9)), ..operand };
        assert_eq!(address(in_segment), Some(Avma(0x1_0004)));
    }

    #[test]
    fn an_index_with_a_sign_leads_below_its_base() {
        let part = Part { register: Register(2), shift: 0, size: 4 };
        let operand = MemoryOperand {
            mode: AccessMode::Read,
            size: Some(4),
            segment: None,
            base: Some(Part { register: RAX, shift: 0, size: 8 }),
            index: Some((part, 4)),
            index_is_signed: true,
            displacement: 0,
            address_size: 8,
            rounds: None,
        };
        let registers = Registers::default().with(RAX, 0x5000).with(part.register, 0xffff_ffff);
        let address = |operand: MemoryOperand| operand.address(&registers, |_| None, 8);
        assert_eq!(address(operand), Some(Avma(0x4ffc)));
        let without = MemoryOperand { index_is_signed: false, ..operand };
        assert_eq!(address(without), Some(Avma(0x4_0000_4ffc)));
    }

    #[test]
    fn an_address_with_an_unknown_part_is_unknown() {
        let high = Part { register: RAX, shift: 8, size: 1 };
        assert_eq!(high.value(&Registers::default()), None);
        assert_eq!(high.value(&Registers::default().with(RAX, 0x1234)), Some(0x12));
    }
}
