//! Effects of A32 and Thumb instructions: loads, stores, indirect jumps, traps. Division
//! never fails in the application profile.

use super::operation::{Block, Data, Instruction, Operation, PC, Right, Set, Shift, general};
use super::walk::{Piece, Walk};
use crate::effects::{AccessMode, Effects, InstructionKind, MemoryOperand, Source};
use obit_corefile::addr::Avma;

/// Everything else is `None`: nothing is known of it, not that it does nothing.
pub(crate) fn effects(set: Set, start: Avma, code: &[u8]) -> Option<Effects> {
    match Walk::new(set, start, code).next()? {
        Piece::Instruction(instruction) => of(instruction),
        Piece::Data(_) | Piece::Unknown(_) => None,
    }
}

fn of(instruction: Instruction) -> Option<Effects> {
    let without_access = |kind| Some(Effects { kind, accesses: Vec::new() });
    let by_register =
        |register| InstructionKind::IndirectBranch(Source::Register(general(register, 4)));
    let plain = |access| Some(Effects { kind: InstructionKind::Plain, accesses: vec![access] });
    match instruction.operation {
        Operation::Trap { .. } => without_access(InstructionKind::Trap),
        Operation::Privileged { .. } => without_access(InstructionKind::Privileged),
        Operation::RegisterJump { register, .. } => without_access(by_register(register)),
        Operation::Data {
            kind: Data::Mov,
            to: PC,
            right: Right::Register(register, Shift::NONE),
            ..
        } => without_access(by_register(register)),
        Operation::Transfer(transfer) => {
            let access = instruction.access(&transfer)?;
            let kind = match transfer.is_load && transfer.register == PC {
                true => InstructionKind::IndirectBranch(Source::Memory(0)),
                false => InstructionKind::Plain,
            };
            Some(Effects { kind, accesses: vec![access] })
        }
        Operation::Block(block) => Some(of_block(block)),
        Operation::VectorTransfer(transfer) => plain(transfer.access(instruction)),
        Operation::Table { base, index, size } => plain(table(instruction, base, index, size)),
        Operation::Data { .. }
        | Operation::Half { .. }
        | Operation::Near { .. }
        | Operation::Jump { .. }
        | Operation::ZeroJump { .. }
        | Operation::IfThen { .. }
        | Operation::SystemCall { .. }
        | Operation::Plain(_)
        | Operation::Vector { .. } => None,
    }
}

/// All registers at once; the new pc, which lies last, for itself.
fn of_block(block: Block) -> Effects {
    let all = u64::from(block.count()).saturating_mul(4);
    let start = MemoryOperand {
        mode: if block.is_load { AccessMode::Read } else { AccessMode::Write },
        size: Some(all),
        displacement: block.start(),
        ..block.end()
    };
    let pc = block.words().find(|(register, _)| block.is_load && *register == PC);
    match pc {
        Some((_, pc)) => {
            let rest = MemoryOperand { size: Some(all.saturating_sub(4)), ..start };
            let kind = InstructionKind::IndirectBranch(Source::Memory(0));
            let others = (all > 4).then_some(rest);
            Effects { kind, accesses: std::iter::once(pc).chain(others).collect() }
        }
        None => Effects { kind: InstructionKind::Plain, accesses: vec![start] },
    }
}

fn table(instruction: Instruction, base: u32, index: u32, size: u64) -> MemoryOperand {
    let from = match base {
        PC => MemoryOperand {
            displacement: instruction.read_pc().cast_signed(),
            ..super::operation::nowhere()
        },
        base => super::operation::beside(base, 0),
    };
    MemoryOperand { size: Some(size), index: Some((general(index, 4), size)), ..from }
}
