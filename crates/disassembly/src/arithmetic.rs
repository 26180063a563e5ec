//! What an instruction computes of numbers, and the condition it depends on.

use super::flow::{Target, Term};

/// What [`super::arithmetic`] says of one x86 instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arithmetic {
    /// What is computed, if it is understood.
    pub operation: Option<Operation>,
    /// What it depends on: jumps, `set…` and `cmov…`.
    pub condition: Option<Condition>,
    /// Bits of RFLAGS (`CF`, `PF`, `ZF`, `SF`, `OF`) that it may change.
    pub flags: u64,
}

/// A computation on numbers of one width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Which.
    pub operator: Operator,
    /// Bytes of the numbers.
    pub size: u64,
    /// The number on the left: the minuend, what is shifted.
    pub left: Term,
    /// The number on the right.
    pub right: Term,
    /// Where the result is written to; comparisons write none.
    pub to: Option<Target>,
}

/// What two numbers become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// The sum.
    Add,
    /// The difference.
    Subtract,
    /// Bits that both have.
    And,
    /// Bits that one has.
    Or,
    /// Bits in which they differ.
    Xor,
    /// Shifted to higher bits.
    ShiftLeft,
    /// Shifted to lower bits, zeros behind.
    ShiftRight,
    /// Shifted to lower bits, the sign behind.
    ShiftRightSigned,
    /// The low half of the product.
    Multiply,
    /// 1 where the condition holds, else 0.
    Set,
    /// The right one where the condition holds, else the left one.
    Select,
}

/// A condition of x86, by its number in the instruction: 4 is `e`, 5 is `ne`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Condition(pub u8);

impl Condition {
    /// The carry flag.
    pub const CF: u64 = 1;
    /// The parity flag.
    pub const PF: u64 = 1 << 2;
    /// The zero flag.
    pub const ZF: u64 = 1 << 6;
    /// The sign flag.
    pub const SF: u64 = 1 << 7;
    /// The overflow flag.
    pub const OF: u64 = 1 << 11;
    /// All of them.
    pub const FLAGS: u64 = Self::CF | Self::PF | Self::ZF | Self::SF | Self::OF;

    /// The flags that it looks at.
    pub fn reads(self) -> u64 {
        match self.0 >> 1 {
            0 => Self::OF,
            1 => Self::CF,
            2 => Self::ZF,
            3 => Self::CF | Self::ZF,
            4 => Self::SF,
            5 => Self::PF,
            6 => Self::SF | Self::OF,
            _ => Self::ZF | Self::SF | Self::OF,
        }
    }

    /// Whether it holds with these flags.
    pub fn holds(self, flags: u64) -> bool {
        let is_set = |flag| flags & flag != 0;
        let is_less = is_set(Self::SF) != is_set(Self::OF);
        let plain = match self.0 >> 1 {
            0 => is_set(Self::OF),
            1 => is_set(Self::CF),
            2 => is_set(Self::ZF),
            3 => is_set(Self::CF) || is_set(Self::ZF),
            4 => is_set(Self::SF),
            5 => is_set(Self::PF),
            6 => is_less,
            _ => is_less || is_set(Self::ZF),
        };
        plain != (self.0 & 1 == 1)
    }

    /// The end of its mnemonic: `jne` is the jump with `ne`.
    pub fn name(self) -> &'static str {
        const NAMES: [&str; 16] = [
            "o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g",
        ];
        NAMES.get(usize::from(self.0 & 15)).copied().unwrap_or_default()
    }
}
