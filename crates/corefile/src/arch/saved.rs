//! Registers that lie one after the other in a block of memory: `pr_reg`, `sigcontext`.

use super::Register;

/// `count` registers with consecutive DWARF numbers, `step` bytes apart.
#[derive(Clone, Copy, Debug)]
pub struct Saved {
    /// Bytes from the start of the block to the first.
    pub at: u64,
    /// The first register.
    pub first: Register,
    /// How many there are.
    pub count: u16,
    /// Bytes of each, at most 8.
    pub step: u8,
}

impl Saved {
    /// `count` registers of `step` bytes from `first` on, which lies at `at`.
    pub(super) const fn row(at: u64, first: u16, count: u16, step: u8) -> Self {
        Self { at, first: Register(first), count, step }
    }

    /// One register of 8 bytes.
    pub(super) const fn wide(at: u64, register: Register) -> Self {
        Self { at, first: register, count: 1, step: 8 }
    }

    /// One register of 4 bytes.
    pub(super) const fn narrow(at: u64, register: Register) -> Self {
        Self { at, first: register, count: 1, step: 4 }
    }

    /// Each register and the offset of its bytes in the block.
    pub fn places(&self) -> impl Iterator<Item = (u64, Register)> {
        (0..self.count).map(|nth| {
            let into = u64::from(nth).saturating_mul(u64::from(self.step));
            (self.at.saturating_add(into), Register(self.first.0.saturating_add(nth)))
        })
    }
}
