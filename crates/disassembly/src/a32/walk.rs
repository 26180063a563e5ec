//! The instructions of a piece of code, one after another: which of its bytes are data, and
//! under which conditions the instructions are executed.

use std::collections::BTreeMap;

use super::operation::{
    Change, Data as Kind, Instruction, Offset, Operation, PC, Place, Right, Set, Shift, Transfer,
    Way,
};
use super::{thumb, thumb_wide, word};
use obit_corefile::addr::Avma;

/// A piece of code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Instruction(Instruction),
    /// Data that an instruction before it reads: a literal, a table of jumps.
    Data(Data),
    /// No instruction, or one that has no name here.
    Unknown(Data),
}

/// Some bytes that are no instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Data {
    pub(super) address: Avma,
    /// 1, 2 or 4.
    pub(super) len: u64,
    pub(super) bits: u32,
}

/// Goes through code from an instruction on.
pub(super) struct Walk<'c> {
    set: Set,
    start: Avma,
    code: &'c [u8],
    /// Bytes from the start.
    at: u64,
    /// What the IT before it leaves (DDI 0406, A2.5.2).
    state: u32,
    /// Data by where it begins, from the start: where it ends.
    data: BTreeMap<u64, u64>,
    /// The last comparison with a number: where, of which register, with what.
    compared: Option<(u64, u32, u32)>,
    /// The last ADR: where, into which register, of which address.
    named: Option<(u64, u32, u64)>,
}

/// A jump by a table lies so close behind the comparison that it depends on, in bytes.
const NEAR: u64 = 16;

impl<'c> Walk<'c> {
    pub(super) fn new(set: Set, start: Avma, code: &'c [u8]) -> Self {
        Self {
            set,
            start,
            code,
            at: 0,
            state: 0,
            data: BTreeMap::new(),
            compared: None,
            named: None,
        }
    }

    fn bytes(&self, at: u64, len: u64) -> Option<u32> {
        let from = usize::try_from(at).ok()?;
        let to = from.checked_add(usize::try_from(len).ok()?)?;
        let bytes = self.code.get(from..to)?;
        Some(bytes.iter().rev().fold(0, |all, byte| all << 8 | u32::from(*byte)))
    }

    /// The data at the place where it is, if there is some.
    fn datum(&mut self) -> Option<Data> {
        let (_, end) =
            self.data.range(..=self.at).next_back().filter(|(_, end)| **end > self.at)?;
        let left = end.checked_sub(self.at)?;
        let longest = if self.at & 3 == 0 && left >= 4 { 4 } else { left.min(2) };
        let len = if longest == 4 || self.at & 1 == 0 && longest == 2 { longest } else { 1 };
        let bits = self.bytes(self.at, len)?;
        Some(Data { address: Avma(self.start.0.wrapping_add(self.at)), len, bits })
    }

    fn instruction(&mut self) -> Option<Piece> {
        let address = Avma(self.start.0.wrapping_add(self.at));
        let governed = (self.state & 0xf != 0).then_some(self.state >> 4);
        let (bits, len) = match self.set {
            Set::A32 => (self.bytes(self.at, 4)?, 4),
            Set::Thumb => {
                let first = self.bytes(self.at, 2)?;
                match first >> 11 {
                    0b11101..=0b11111 => {
                        let second = self.bytes(self.at.checked_add(2)?, 2)?;
                        (first << 16 | second, 4)
                    }
                    _ => (first, 2),
                }
            }
        };
        let found = match (self.set, len) {
            (Set::A32, _) => word::decode(address, bits),
            (Set::Thumb, 2) => thumb::decode(address, bits, governed),
            (Set::Thumb, _) => thumb_wide::decode(address, bits, governed),
        };
        self.state = match found.map(|found| found.operation) {
            Some(Operation::IfThen { first, mask }) => first << 4 | mask,
            _ if self.state & 7 == 0 => 0,
            _ => self.state & 0xe0 | (self.state << 1) & 0x1f,
        };
        Some(found.map_or(Piece::Unknown(Data { address, len, bits }), Piece::Instruction))
    }

    /// Notes what of the code behind `instruction` is data.
    fn note(&mut self, instruction: &Instruction) {
        match instruction.operation {
            Operation::Transfer(Transfer { is_load: true, place, size, .. })
                if place.base == PC && place.change == Change::Never =>
            {
                if let (Offset::Number { .. }, Some(operand)) =
                    (place.offset, instruction.sum(place))
                {
                    self.literal(operand.displacement.cast_unsigned(), size);
                }
                if instruction.set == Set::A32 {
                    self.words_of_jumps(instruction, place);
                }
            }
            Operation::VectorTransfer(transfer) if transfer.base == PC && transfer.is_load => {
                let operand = transfer.access(*instruction);
                self.literal(operand.displacement.cast_unsigned(), transfer.size);
            }
            Operation::Table { base: PC, index, size } => {
                self.table(instruction.read_pc(), index, size);
            }
            Operation::Near { to, at } => self.named = Some((self.at, to, at.0)),
            Operation::Transfer(Transfer { is_load: true, size: 4, place, .. }) => {
                self.distances(place);
            }
            Operation::Data { kind: Kind::Cmp, left, right: Right::Number(number), .. } => {
                self.compared = Some((self.at, left, number));
            }
            _ => {}
        }
    }

    fn literal(&mut self, address: u64, size: u64) {
        let from = address.wrapping_sub(self.start.0);
        if from > self.at && from < self.code.len() as u64 {
            self.mark(from, from.saturating_add(size));
        }
    }

    fn mark(&mut self, from: u64, to: u64) {
        let end = self.data.entry(from).or_insert(to);
        *end = to.max(*end);
    }

    /// Bytes of a table of jumps with entries of `size` bytes, by the comparison of its index.
    fn bound(&self, index: u32, size: u64) -> u64 {
        let (at, _, number) = match self.compared {
            Some(compared @ (_, register, _)) if register == index => compared,
            _ => return u64::MAX,
        };
        match self.at.checked_sub(at) {
            Some(0..=NEAR) => u64::from(number).saturating_add(1).saturating_mul(size),
            _ => u64::MAX,
        }
    }

    /// The table of TBB or TBH: it ends where its index does, at the latest where the first
    /// of its targets begins.
    fn table(&mut self, address: u64, index: u32, size: u64) {
        let from = address.wrapping_sub(self.start.0);
        let end = from.saturating_add(self.bound(index, size));
        let (mut at, mut end) = (from, end.min(self.code.len() as u64));
        while at < end {
            let Some(entry) = self.bytes(at, size) else { break };
            let target = from.saturating_add(u64::from(entry).saturating_mul(2));
            end = end.min(target);
            at = at.saturating_add(size);
        }
        if at > from {
            // Of bytes an odd number is filled up.
            self.mark(from, at.saturating_add(at & 1));
        }
    }

    /// The table of distances whose address ADR gave, `ldr r2, [r1, r3, lsl #2]`, where its
    /// length is known.
    fn distances(&mut self, place: Place) {
        let by_word = Shift { way: Way::Left, by: 2 };
        let Some((at, register, address)) = self.named else { return };
        let Offset::Register { register: index, shift, is_negative: false } = place.offset else {
            return;
        };
        let bound = self.bound(index, 4);
        let is_near = self.at.checked_sub(at).is_some_and(|between| between <= NEAR);
        if register == place.base && shift == by_word && is_near && bound != u64::MAX {
            self.literal(address, bound.min(self.code.len() as u64));
        }
    }

    /// The table of `ldr pc, [pc, r3, lsl #2]`, whose words are addresses. It begins behind
    /// the next instruction.
    fn words_of_jumps(&mut self, instruction: &Instruction, place: Place) {
        let by_word = Shift { way: Way::Left, by: 2 };
        let index = match place.offset {
            Offset::Register { register, shift, is_negative: false } if shift == by_word => {
                register
            }
            _ => return,
        };
        let from = instruction.read_pc().wrapping_sub(self.start.0);
        let end = from.saturating_add(self.bound(index, 4));
        let (mut at, mut end) = (from, end.min(self.code.len() as u64));
        while at < end {
            let Some(entry) = self.bytes(at, 4) else { break };
            let target = u64::from(entry).wrapping_sub(self.start.0);
            if target >= self.code.len() as u64 {
                break;
            }
            if target > from {
                end = end.min(target);
            }
            at = at.saturating_add(4);
        }
        if at > from {
            self.mark(from, at);
        }
    }
}

impl Iterator for Walk<'_> {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        let piece = match self.datum() {
            Some(data) => Piece::Data(data),
            None => self.instruction()?,
        };
        let len = match &piece {
            Piece::Instruction(instruction) => {
                self.note(instruction);
                instruction.len
            }
            Piece::Data(data) | Piece::Unknown(data) => data.len,
        };
        self.at = self.at.saturating_add(len);
        Some(piece)
    }
}
