//! 32-bit Arm: A32, and Thumb with its instructions of two and four bytes.

mod code_words;
mod effects;
mod fields;
mod flow;
mod media;
mod operation;
mod system;
#[cfg(test)]
mod tests;
mod text;
mod thumb;
mod thumb_wide;
mod vector;
mod walk;
mod word;

pub(super) use code_words::words;
pub(super) use effects::effects;
pub(super) use flow::steps;
pub(crate) use operation::Set;

use super::{BAD, Instruction};
use obit_corefile::addr::Avma;
use operation::{Data, Operation, PC, Right};
use walk::{Piece, Walk};

pub(super) fn disassemble(set: Set, start: Avma, code: &[u8], most: usize) -> Vec<Instruction> {
    let instructions = Walk::new(set, start, code).take(most).map(|piece| match piece {
        Piece::Instruction(instruction) => Instruction {
            address: instruction.address,
            len: usize::try_from(instruction.len).unwrap_or(4),
            text: text::text(&instruction),
            target: target(&instruction),
        },
        Piece::Data(data) => {
            let name = match data.len {
                4 => ".word",
                2 => ".short",
                _ => ".byte",
            };
            let width = usize::try_from(data.len).unwrap_or(4).saturating_mul(2);
            let text = format!("{name} 0x{:0width$x}", data.bits);
            let len = usize::try_from(data.len).unwrap_or(4);
            Instruction { address: data.address, len, text, target: None }
        }
        Piece::Unknown(data) => {
            let len = usize::try_from(data.len).unwrap_or(4);
            Instruction { address: data.address, len, text: BAD.to_owned(), target: None }
        }
    });
    instructions.collect()
}

/// The address that an instruction leads to, or names by its distance.
fn target(instruction: &operation::Instruction) -> Option<Avma> {
    let near = |operand: crate::MemoryOperand| {
        let is_near = operand.base.is_none() && operand.index.is_none();
        is_near.then(|| Avma(operand.displacement.cast_unsigned() & 0xffff_ffff))
    };
    match instruction.operation {
        Operation::Jump { to, .. } | Operation::ZeroJump { to, .. } => Some(to),
        Operation::Near { at, .. } => Some(at),
        Operation::Transfer(transfer) => near(instruction.access(&transfer)?),
        Operation::VectorTransfer(transfer) => near(transfer.access(*instruction)),
        Operation::Data { kind: Data::Add, left: PC, right, .. } => {
            let number = match right {
                Right::Number(number) => number,
                Right::Rotated(number, by) => number.rotate_right(by),
                Right::Register(..) | Right::ByRegister(..) => return None,
            };
            Some(Avma(instruction.read_pc().wrapping_add(number.into()) & 0xffff_ffff))
        }
        _ => None,
    }
}
