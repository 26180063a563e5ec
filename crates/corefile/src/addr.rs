//! Addresses, in the two spaces they can live in.
//!
//! The terms are those of samply and framehop: an *AVMA* is where a byte lay in the
//! crashed process, an *SVMA* is what an ELF file, its symbols and its DWARF say. In most
//! test programs the two coincide, so a mix-up would not show: hence the types.

use std::fmt;

/// An actual virtual memory address: where a byte lay in the crashed process.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Avma(pub u64);

/// A stated virtual memory address: what an ELF file, its symbols and its DWARF say.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Svma(pub u64);

/// `Avma - Svma`, in bytes modulo 2^64. Zero for `ET_EXEC`; the ASLR slide for `ET_DYN`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct LoadBias(pub u64);

impl Avma {
    /// This address moved by a signed distance, modulo 2^64 as the machine does it.
    pub fn offset(self, by: i64) -> Self {
        Self(self.0.wrapping_add_signed(by))
    }

    /// This address plus `bytes`, or `None` past the end of the address space.
    pub fn checked_add(self, bytes: u64) -> Option<Self> {
        self.0.checked_add(bytes).map(Self)
    }
}

impl LoadBias {
    /// The bias that puts `svma` at `avma`.
    pub fn between(avma: Avma, svma: Svma) -> Self {
        Self(avma.0.wrapping_sub(svma.0))
    }

    /// Where the file says the byte at `at` belongs.
    pub fn to_svma(self, at: Avma) -> Svma {
        Svma(at.0.wrapping_sub(self.0))
    }

    /// Where the byte the file states at `at` lay in the process.
    pub fn to_avma(self, at: Svma) -> Avma {
        Avma(at.0.wrapping_add(self.0))
    }
}

/// A half-open range of addresses of the crashed process. Never wraps: `start <= end`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct AvmaRange {
    /// First address inside.
    pub start: Avma,
    /// First address past the end.
    pub end: Avma,
}

impl AvmaRange {
    /// `[start, start + len)`, cut at the end of the address space.
    pub fn from_len(start: Avma, len: u64) -> Self {
        Self { start, end: Avma(start.0.saturating_add(len)) }
    }

    /// Whether `at` lies inside.
    pub fn contains(&self, at: Avma) -> bool {
        self.start <= at && at < self.end
    }

    /// Bytes inside.
    pub fn len(&self) -> u64 {
        self.end.0.saturating_sub(self.start.0)
    }

    /// Whether no address lies inside.
    pub fn is_empty(&self) -> bool {
        self.end <= self.start
    }
}

macro_rules! hex_display {
    ($($address:ty),*) => {$(
        impl fmt::Display for $address {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:#x}", self.0)
            }
        }
        impl fmt::Debug for $address {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($address), "({:#x})"), self.0)
            }
        }
    )*};
}
hex_display!(Avma, Svma, LoadBias);

impl fmt::Debug for AvmaRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.start, self.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bias_moves_there_and_back_even_across_the_wrap() {
        let bias = LoadBias::between(Avma(0x1000), Svma(0xffff_ffff_ffff_f000));
        assert_eq!(bias.to_avma(Svma(0xffff_ffff_ffff_f010)), Avma(0x1010));
        assert_eq!(bias.to_svma(Avma(0x1010)), Svma(0xffff_ffff_ffff_f010));
    }

    #[test]
    fn a_range_that_would_wrap_ends_at_the_last_address() {
        let range = AvmaRange::from_len(Avma(u64::MAX - 1), 10);
        assert_eq!(range.len(), 1);
        assert!(!range.contains(Avma(0)));
    }
}
