//! What an A32 or Thumb instruction says, whichever of the encodings it has (Arm
//! Architecture Reference Manual, ARMv7-A and ARMv7-R edition, DDI 0406).

use crate::effects::{AccessMode, MemoryOperand, Part};
use obit_corefile::addr::Avma;
use obit_corefile::arch::Register;

pub(super) const SP: u32 = 13;
pub(super) const LR: u32 = 14;
pub(super) const PC: u32 = 15;
/// d0 in DWARF for the Arm Architecture, § 4.1.
const D0: u32 = 256;
/// The condition of what is always executed.
pub(super) const ALWAYS: u32 = 14;

/// One instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Instruction {
    /// Its first byte.
    pub(super) address: Avma,
    /// Its bits; of a Thumb instruction of four bytes its first half is the upper one.
    pub(super) bits: u32,
    /// Bytes it takes: 2 or 4.
    pub(super) len: u64,
    pub(super) set: Set,
    /// When it is executed (DDI 0406, A8.3), 0 to 14.
    pub(super) condition: u32,
    pub(super) operation: Operation,
    /// Those of its bits that depend on where it is.
    pub(super) place: u32,
}

/// The instruction set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Set {
    A32,
    Thumb,
}

/// What it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    /// A computation of one register from one or two operands.
    Data {
        kind: Data,
        /// It sets the flags.
        flags: bool,
        to: u32,
        left: u32,
        right: Right,
    },
    /// MOVW and MOVT: one half of a register.
    Half { is_top: bool, to: u32, value: u32 },
    /// ADR: an address near it.
    Near { to: u32, at: Avma },
    /// A load or a store of one or two registers.
    Transfer(Transfer),
    /// A load or a store of several.
    Block(Block),
    /// B, BL, BLX with a distance.
    Jump { to: Avma, links: bool, exchanges: bool },
    /// CBZ, CBNZ.
    ZeroJump { register: u32, is_zero: bool, to: Avma },
    /// BX, BLX, BXJ.
    RegisterJump { name: &'static str, register: u32, links: bool },
    /// TBB, TBH: a jump by a table of bytes or halfwords.
    Table { base: u32, index: u32, size: u64 },
    /// IT: the condition of up to four that follow.
    IfThen { first: u32, mask: u32 },
    /// A trap: UDF, BKPT.
    Trap { name: &'static str, number: u32 },
    /// SVC.
    SystemCall { number: u32 },
    /// What only the kernel may do, or changes what only it may.
    Privileged { name: &'static str },
    /// A vector or floating-point load or store.
    VectorTransfer(VectorTransfer),
    /// Everything else that has a name.
    Plain(Plain),
    /// A vector instruction that has no name here; it may change the general registers of
    /// this mask.
    Vector { written: u16 },
}

/// Computations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Data {
    And,
    Eor,
    Sub,
    Rsb,
    Add,
    Adc,
    Sbc,
    Rsc,
    Tst,
    Teq,
    Cmp,
    Cmn,
    Orr,
    Mov,
    Bic,
    Mvn,
    Orn,
}

/// The second operand of a computation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Right {
    /// A number.
    Number(u32),
    /// A number that is not in the shortest form: its eight bits, and by how many they are
    /// rotated.
    Rotated(u32, u32),
    /// A register, shifted.
    Register(u32, Shift),
    /// A register, shifted by another.
    ByRegister(u32, Way, u32),
}

/// How a register is shifted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Left,
    Right,
    Arithmetic,
    Rotate,
    /// By one bit, through the carry.
    Extend,
}

/// A shift by a number of bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shift {
    pub(super) way: Way,
    pub(super) by: u32,
}

impl Shift {
    pub(super) const NONE: Self = Self { way: Way::Left, by: 0 };

    /// As `type` and `imm5` say it.
    pub(super) fn of(kind: u32, by: u32) -> Self {
        let (way, by) = match (kind, by) {
            (0, by) => (Way::Left, by),
            (1, 0) => (Way::Right, 32),
            (1, by) => (Way::Right, by),
            (2, 0) => (Way::Arithmetic, 32),
            (2, by) => (Way::Arithmetic, by),
            (_, 0) => (Way::Extend, 1),
            (_, by) => (Way::Rotate, by),
        };
        Self { way, by }
    }

    /// A register so shifted, as a part of it and a factor; `None` where it is neither.
    pub(super) fn part(self, register: u32) -> Option<(Part, u64)> {
        let whole = general(register, 4);
        match self.way {
            Way::Left => Some((whole, 1_u64.checked_shl(self.by)?)),
            Way::Right if self.by < 32 => Some((Part { shift: self.by, ..whole }, 1)),
            Way::Right | Way::Arithmetic | Way::Rotate | Way::Extend => None,
        }
    }
}

impl Way {
    pub(super) fn of(kind: u32) -> Self {
        match kind {
            0 => Self::Left,
            1 => Self::Right,
            2 => Self::Arithmetic,
            _ => Self::Rotate,
        }
    }
}

/// A load or a store of one or two registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Transfer {
    /// Without what is added for the sizes: `ldr`, `strb`.
    pub(super) name: &'static str,
    pub(super) is_load: bool,
    /// Bytes in memory of all registers.
    pub(super) size: u64,
    pub(super) is_signed: bool,
    pub(super) register: u32,
    pub(super) second: Option<u32>,
    /// Of an exclusive store: the register that says whether it was done.
    pub(super) status: Option<u32>,
    pub(super) place: Place,
}

/// Where in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) base: u32,
    pub(super) offset: Offset,
    pub(super) change: Change,
}

/// What is added to the base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Offset {
    /// A number; `-0` has a sign of its own.
    Number {
        by: u32,
        is_negative: bool,
    },
    Register {
        register: u32,
        shift: Shift,
        is_negative: bool,
    },
    /// There is no place for one.
    None,
}

/// When the base becomes the sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Never,
    /// The sum is used, and kept.
    Before,
    /// The base is used, and the sum is kept.
    After,
}

impl Offset {
    pub(super) fn number(by: u32, is_added: bool) -> Self {
        Self::Number { by, is_negative: !is_added }
    }

    /// A number with its sign.
    pub(super) fn displacement(self) -> Option<i64> {
        match self {
            Self::Number { by, is_negative: false } => Some(i64::from(by)),
            Self::Number { by, is_negative: true } => Some(i64::from(by).wrapping_neg()),
            Self::None => Some(0),
            Self::Register { .. } => None,
        }
    }
}

/// A load or a store of several registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) is_load: bool,
    pub(super) base: u32,
    /// The base becomes the end.
    pub(super) changes: bool,
    /// Register n by bit n.
    pub(super) list: u32,
    pub(super) is_up: bool,
    /// Memory begins beyond the base.
    pub(super) is_before: bool,
    /// The user's registers (`^`).
    pub(super) is_users: bool,
}

/// A load or a store of floating-point or vector registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct VectorTransfer {
    pub(super) form: VectorForm,
    pub(super) is_load: bool,
    pub(super) base: u32,
    /// Bytes.
    pub(super) size: u64,
    /// From the base to the first byte.
    pub(super) displacement: i64,
    pub(super) change: VectorChange,
    /// The first register by its number, and how many.
    pub(super) first: u32,
    pub(super) count: u32,
    /// Registers of eight bytes rather than four.
    pub(super) is_double: bool,
}

/// How it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum VectorForm {
    /// VLDR, VSTR.
    One,
    /// VLDM, VSTM, VPUSH, VPOP.
    Many,
    /// VLD1 to VLD4, VST1 to VST4 of whole registers: elements of so many bits, every
    /// so-many-th register, alignment in bits.
    Structures { fields: u32, bits: u32, step: u32, align: u32 },
    /// The same of one lane of each; to all lanes where there is no number.
    Lane { fields: u32, bits: u32, step: u32, lane: Option<u32>, align: u32 },
}

/// What becomes of the base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum VectorChange {
    Never,
    /// This is added.
    Number(i64),
    /// A register is added.
    Register(u32),
}

/// An instruction of which only the text and the changed registers are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plain {
    pub(super) name: &'static str,
    /// It sets the flags.
    pub(super) flags: bool,
    /// Written in a wide form (`.w`).
    pub(super) is_wide: bool,
    pub(super) operands: [Operand; 6],
    /// Registers that it changes, by bit.
    pub(super) written: u16,
}

/// What is written behind a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operand {
    None,
    Register(u32),
    Number(u32),
    /// A register and a shift; none is not written.
    Shifted(u32, Shift),
    /// A number without `#`.
    Bare(u32),
    Control(u32),
    Braced(u32),
    Word(&'static str),
    /// `s0` to `s31`, `d0` to `d31`.
    Single(u32),
    Double(u32),
    /// Half of a vector register: `d0[1]`.
    Lane(u32, u32),
    /// A place in memory.
    Place(Place),
}

impl Plain {
    /// One that changes the register that its first operand names.
    pub(super) fn setting(name: &'static str, operands: &[Operand]) -> Operation {
        let written = match operands.first() {
            Some(Operand::Register(register)) => bit(*register),
            _ => 0,
        };
        Self::changing(name, operands, written)
    }

    pub(super) fn changing(name: &'static str, operands: &[Operand], written: u16) -> Operation {
        let mut all = [Operand::None; 6];
        for (place, operand) in all.iter_mut().zip(operands) {
            *place = *operand;
        }
        Operation::Plain(Self { name, flags: false, is_wide: false, operands: all, written })
    }
}

/// The mask of a register.
pub(super) fn bit(register: u32) -> u16 {
    1_u16.checked_shl(register).unwrap_or(0)
}

/// The registers of a mask, lowest first.
pub(super) fn registers_of(list: u32) -> impl Iterator<Item = u32> {
    (0..16).filter(move |register| list.checked_shr(*register).unwrap_or(0) & 1 == 1)
}

/// r0 to pc.
pub(super) fn general(number: u32, size: u64) -> Part {
    let number = u16::try_from(number).unwrap_or(u16::MAX);
    Part { register: Register(number), shift: 0, size }
}

/// A register of a floating-point or vector unit: d0 to d31, or half of one.
pub(super) fn float(number: u32, is_double: bool) -> Part {
    match is_double {
        true => general(number.saturating_add(D0), 8),
        false => Part {
            shift: number.wrapping_rem(2).saturating_mul(32),
            ..general((number >> 1).saturating_add(D0), 4)
        },
    }
}

/// An address without parts.
pub(super) fn nowhere() -> MemoryOperand {
    MemoryOperand {
        mode: AccessMode::Read,
        size: None,
        segment: None,
        base: None,
        index: None,
        index_is_signed: false,
        displacement: 0,
        address_size: 4,
        rounds: None,
    }
}

/// A register and a number.
pub(super) fn beside(base: u32, displacement: i64) -> MemoryOperand {
    MemoryOperand { base: Some(general(base, 4)), displacement, ..nowhere() }
}

impl Instruction {
    /// What reading the pc gives: two instructions on (DDI 0406, A2.3).
    pub(super) fn read_pc(self) -> u64 {
        self.address.0.wrapping_add(match self.set {
            Set::A32 => 8,
            Set::Thumb => 4,
        })
    }

    /// Whether it may be left out.
    pub(super) fn is_conditional(self) -> bool {
        self.condition != ALWAYS
    }

    /// The sum of a place; `None` where the offset is shifted in a way that has no term.
    pub(super) fn sum(self, place: Place) -> Option<MemoryOperand> {
        let from = match place.base {
            PC => MemoryOperand {
                displacement: (self.read_pc() & 0xffff_fffc).cast_signed(),
                ..nowhere()
            },
            base => beside(base, 0),
        };
        match place.offset {
            Offset::Register { register, shift, is_negative } => {
                let (part, scale) = shift.part(register)?;
                let scale = if is_negative { scale.wrapping_neg() } else { scale };
                Some(MemoryOperand { index: Some((part, scale)), ..from })
            }
            Offset::Number { .. } | Offset::None => {
                let displacement = place.offset.displacement()?;
                let displacement = from.displacement.wrapping_add(displacement);
                Some(MemoryOperand { displacement, ..from })
            }
        }
    }

    /// Where a load or a store of one or two registers begins.
    pub(super) fn access(self, transfer: &Transfer) -> Option<MemoryOperand> {
        let mode = if transfer.is_load { AccessMode::Read } else { AccessMode::Write };
        let place = match transfer.place.change {
            Change::After => Place { offset: Offset::None, ..transfer.place },
            Change::Never | Change::Before => transfer.place,
        };
        Some(MemoryOperand { mode, size: Some(transfer.size), ..self.sum(place)? })
    }
}

impl Block {
    pub(super) fn count(self) -> u32 {
        (self.list & 0xffff).count_ones()
    }

    /// Bytes from the base to the first one that is touched.
    pub(super) fn start(self) -> i64 {
        let all = i64::from(self.count()).saturating_mul(4);
        match (self.is_up, self.is_before) {
            (true, false) => 0,
            (true, true) => 4,
            (false, false) => 4_i64.saturating_sub(all),
            (false, true) => all.saturating_neg(),
        }
    }

    /// Its registers and where each lies.
    pub(super) fn words(self) -> impl Iterator<Item = (u32, MemoryOperand)> {
        let mode = if self.is_load { AccessMode::Read } else { AccessMode::Write };
        registers_of(self.list).zip(0_i64..).map(move |(register, nth)| {
            let at = self.start().saturating_add(nth.saturating_mul(4));
            (register, MemoryOperand { mode, size: Some(4), ..beside(self.base, at) })
        })
    }

    /// What the base becomes.
    pub(super) fn end(self) -> MemoryOperand {
        let all = i64::from(self.count()).saturating_mul(4);
        beside(self.base, if self.is_up { all } else { all.saturating_neg() })
    }
}

impl VectorTransfer {
    pub(super) fn access(&self, instruction: Instruction) -> MemoryOperand {
        let mode = if self.is_load { AccessMode::Read } else { AccessMode::Write };
        let displacement = self.displacement;
        let is_negative = displacement < 0;
        let by = u32::try_from(displacement.unsigned_abs()).unwrap_or(0);
        let offset = Offset::Number { by, is_negative };
        let place = Place { base: self.base, offset, change: Change::Never };
        let at = instruction.sum(place).unwrap_or_else(nowhere);
        MemoryOperand { mode, size: Some(self.size), ..at }
    }
}
