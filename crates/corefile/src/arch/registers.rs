//! A register file in which each register is known or not.

/// A register by its DWARF number (psABI of the machine); machines whose DWARF has no number for the pc use [`Register::PC`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Register(pub u16);

impl Register {
    /// The program counter where the psABI gives it no number (riscv64). None of DWARF's.
    pub const PC: Self = Self(u16::MAX);
}

/// The integer registers of one frame. A register that could not be recovered is
/// unknown, never zero and never stale.
#[derive(Clone, PartialEq, Eq)]
pub struct Registers {
    known: u64,
    values: [u64; SLOTS],
}

impl Default for Registers {
    fn default() -> Self {
        Self { known: 0, values: [0; SLOTS] }
    }
}

const SLOTS: usize = 38;
/// Registers that DWARF gives no number have this one or one above.
pub(super) const NO_NUMBER: u16 = 0xff00;

/// DWARF number to slot: 0..=33 as they are, then the few high numbers we keep.
fn slot(register: Register) -> Option<usize> {
    match register.0 {
        number @ 0..=33 => Some(usize::from(number)),
        58 => Some(34), // x86_64 fs_base
        59 => Some(35), // x86_64 gs_base
        65 => Some(36), // ppc lr, s390 psw address
        _ if register == Register::PC => Some(37),
        _ => None,
    }
}

impl Registers {
    /// The value of `register`, if it is known.
    pub fn get(&self, register: Register) -> Option<u64> {
        let slot = slot(register)?;
        if self.known & (1 << slot) == 0 {
            return None;
        }
        self.values.get(slot).copied()
    }

    /// Makes `register` known (`Some`) or unknown (`None`). Numbers that are not kept
    /// are ignored: they stay unknown.
    pub fn set(&mut self, register: Register, value: Option<u64>) {
        let Some(slot) = slot(register) else { return };
        let Some(place) = self.values.get_mut(slot) else { return };
        *place = value.unwrap_or(0);
        if value.is_some() {
            self.known |= 1 << slot;
        } else {
            self.known &= !(1 << slot);
        }
    }

    /// Whether a value of `register` is kept at all.
    pub fn keeps(register: Register) -> bool {
        slot(register).is_some()
    }

    /// The same, for building a register file in one expression.
    #[must_use]
    pub fn with(mut self, register: Register, value: u64) -> Self {
        self.set(register, Some(value));
        self
    }

    /// Whether no register is known.
    pub fn is_empty(&self) -> bool {
        self.known == 0
    }
}

impl std::fmt::Debug for Registers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let numbers = (0..=65).chain([Register::PC.0]);
        let known = numbers.filter_map(|n| Some((n, self.get(Register(n))?)));
        f.debug_map().entries(known.map(|(n, value)| (n, format!("{value:#x}")))).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unset_register_is_unknown_and_not_zero() {
        let mut registers = Registers::default().with(Register(6), 0);
        assert_eq!(registers.get(Register(6)), Some(0));
        assert_eq!(registers.get(Register(7)), None);
        registers.set(Register(6), None);
        assert_eq!(registers.get(Register(6)), None);
    }

    #[test]
    fn a_number_that_is_not_kept_stays_unknown() {
        let registers = Registers::default().with(Register(9999), 7);
        assert_eq!(registers.get(Register(9999)), None);
        assert!(!Registers::keeps(Register(9999)));
    }
}
