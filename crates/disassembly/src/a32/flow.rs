//! Steps of A32 and Thumb instructions. What is only executed under a condition changes
//! registers and memory to what no term expresses.

use std::collections::{BTreeMap, BTreeSet};

use super::operation::{
    Block, Change, Data, Instruction, LR, Offset, Operand, Operation, PC, Place, Plain, Right, Set,
    Shift, Transfer, VectorChange, VectorForm, VectorTransfer, beside, float, general, nowhere,
    registers_of,
};
use super::walk::{Piece, Walk};
use crate::effects::{MemoryOperand, Part};
use crate::flow::{Next, Step, Target, Term, Write};
use obit_corefile::addr::Avma;

/// Registers that a call need not give back (AAPCS32 § 6.1.1).
const CALLERS: [u32; 6] = [0, 1, 2, 3, 12, LR];

pub(crate) fn steps(set: Set, start: Avma, code: &[u8]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut halves = Halves::default();
    for piece in Walk::new(set, start, code) {
        match piece {
            Piece::Instruction(instruction) => {
                let step = step(instruction, start, code);
                halves.add(instruction, &step, steps.len());
                steps.push(step);
            }
            Piece::Unknown(data) => {
                let (address, len) = (data.address, data.len);
                steps.push(Step { address, len, writes: Vec::new(), next: Next::Ends });
            }
            Piece::Data(_) => {}
        }
    }
    halves.join(&mut steps);
    steps
}

fn step(instruction: Instruction, start: Avma, code: &[u8]) -> Step {
    let next = next(instruction);
    let mut writes = writes(instruction);
    // What a literal holds is a constant.
    for write in &mut writes {
        if let Term::Memory(operand) = write.from
            && operand.base.is_none()
            && operand.index.is_none()
            && let Some(value) = literal(operand, start, code)
        {
            write.from = Term::Constant(value);
        }
    }
    if instruction.is_conditional() {
        // On the way on, what leads elsewhere has not happened.
        if matches!(instruction.operation, Operation::Jump { .. }) || !falls(next) {
            writes.clear();
        }
        for write in &mut writes {
            write.from = Term::Unknown;
        }
        // What a call may leave there, it leaves only if it is made.
        if matches!(next, Next::Calls(_)) {
            writes =
                CALLERS.into_iter().flat_map(|register| set(register, Term::Unknown)).collect();
        }
    }
    let next = match (instruction.is_conditional(), next) {
        (true, Next::Ends) => Next::Falls,
        (true, Next::Jumps(Some(to))) => Next::Branches(to),
        (_, next) => next,
    };
    Step { address: instruction.address, len: instruction.len, writes, next }
}

fn falls(next: Next) -> bool {
    matches!(next, Next::Falls | Next::Calls(_) | Next::Branches(_))
}

/// What the code holds at an address in it.
fn literal(operand: MemoryOperand, start: Avma, code: &[u8]) -> Option<u64> {
    let at = operand.displacement.cast_unsigned().checked_sub(start.0)?;
    let at = usize::try_from(at).ok()?;
    let len = usize::try_from(operand.size?).ok()?;
    let bytes = code.get(at..at.checked_add(len)?).filter(|bytes| bytes.len() <= 8)?;
    Some(bytes.iter().rev().fold(0, |all, byte| all << 8 | u64::from(*byte)))
}

fn next(instruction: Instruction) -> Next {
    match instruction.operation {
        Operation::Jump { to, links: true, .. } => Next::Calls(Some(to)),
        Operation::Jump { to, .. } => Next::Jumps(Some(to)),
        Operation::ZeroJump { to, .. } => Next::Branches(to),
        Operation::RegisterJump { links: true, .. } => Next::Calls(None),
        Operation::RegisterJump { register: LR, .. } | Operation::Trap { .. } => Next::Ends,
        Operation::RegisterJump { .. } | Operation::Table { .. } => Next::Jumps(None),
        Operation::Data {
            kind: Data::Mov,
            to: PC,
            right: Right::Register(LR, Shift::NONE),
            ..
        } => Next::Ends,
        Operation::Data { kind, to: PC, .. } if !is_test(kind) => Next::Jumps(None),
        // What was saved is taken back: a return.
        Operation::Transfer(transfer)
            if transfer.is_load && transfer.register == PC && transfer.second.is_none() =>
        {
            match transfer.place {
                Place { base: super::operation::SP, change: Change::After, .. } => Next::Ends,
                _ => Next::Jumps(None),
            }
        }
        Operation::Block(block) if block.is_load && block.list >> PC & 1 == 1 => Next::Ends,
        _ => Next::Falls,
    }
}

pub(super) fn is_test(kind: Data) -> bool {
    matches!(kind, Data::Tst | Data::Teq | Data::Cmp | Data::Cmn)
}

fn set(register: u32, from: Term) -> Vec<Write> {
    if register == PC {
        return Vec::new();
    }
    vec![Write { to: Target::Register(general(register, 4)), from }]
}

fn store(to: MemoryOperand, from: Term) -> Write {
    Write { to: Target::Memory(to), from }
}

fn whole(register: u32) -> Term {
    Term::Register(general(register, 4))
}

fn writes(instruction: Instruction) -> Vec<Write> {
    match instruction.operation {
        Operation::Data { kind, .. } if is_test(kind) => Vec::new(),
        Operation::Data { kind, to, left, right, .. } => {
            set(to, computed(instruction, kind, left, right))
        }
        Operation::Half { is_top: false, to, value } => set(to, Term::Constant(value.into())),
        Operation::Half { is_top: true, to, value } => {
            let part = Part { shift: 16, size: 2, ..general(to, 2) };
            vec![Write { to: Target::Register(part), from: Term::Constant(value.into()) }]
        }
        Operation::Near { to, at } => set(to, Term::Constant(at.0)),
        Operation::Transfer(transfer) => transferred(instruction, transfer),
        Operation::Block(block) => moved(block),
        Operation::SystemCall { .. } => set(0, Term::Unknown),
        Operation::VectorTransfer(transfer) => vectors(instruction, transfer),
        Operation::Plain(plain) => named(plain),
        Operation::Vector { written } => {
            let mut writes: Vec<Write> = registers_of(written.into())
                .flat_map(|register| set(register, Term::Unknown))
                .collect();
            writes.extend(of_vector(instruction.bits));
            writes
        }
        Operation::Jump { .. }
        | Operation::ZeroJump { .. }
        | Operation::RegisterJump { .. }
        | Operation::Table { .. }
        | Operation::IfThen { .. }
        | Operation::Trap { .. }
        | Operation::Privileged { .. } => Vec::new(),
    }
}

/// The registers of eight bytes that a computation of vectors may change: the pairs that
/// its result and, of an exchange, its operand are in.
fn of_vector(bits: u32) -> Vec<Write> {
    let number = |high: u32, low: u32| {
        let one = bits.checked_shr(low).unwrap_or(0) & 1;
        one << 4 | bits.checked_shr(high).unwrap_or(0) & 0xf
    };
    let numbers = [number(12, 22), number(0, 5)];
    let pairs = numbers.into_iter().flat_map(|number| [number, number ^ 1]);
    let to = |number| Target::Register(float(number, true));
    pairs.map(|number| Write { to: to(number), from: Term::Unknown }).collect()
}

fn computed(instruction: Instruction, kind: Data, left: u32, right: Right) -> Term {
    let from = |register: u32| match register {
        PC => MemoryOperand { displacement: instruction.read_pc().cast_signed(), ..nowhere() },
        register => beside(register, 0),
    };
    let number = match right {
        Right::Number(number) => Some(number),
        Right::Rotated(number, by) => Some(number.rotate_right(by)),
        Right::Register(..) | Right::ByRegister(..) => None,
    };
    let is_same = right == Right::Register(left, Shift::NONE);
    match (kind, right) {
        (Data::Mov, Right::Register(PC, Shift::NONE)) => Term::Constant(instruction.read_pc()),
        (Data::Mov, Right::Register(register, Shift::NONE)) => whole(register),
        (Data::Mov, Right::Register(register, shift)) => match shift.part(register) {
            Some((part, 1)) => Term::Register(part),
            Some(index) => Term::Address(MemoryOperand { index: Some(index), ..nowhere() }),
            None => Term::Unknown,
        },
        (Data::Mov, _) => number.map_or(Term::Unknown, |number| Term::Constant(number.into())),
        (Data::Mvn, _) => number.map_or(Term::Unknown, |number| Term::Constant((!number).into())),
        (Data::Sub | Data::Eor, _) if is_same => Term::Constant(0),
        (Data::Orr | Data::And, _) if is_same => whole(left),
        (Data::And, _) => match number {
            Some(0xff) => Term::Register(general(left, 1)),
            Some(0xffff) => Term::Register(general(left, 2)),
            _ => Term::Unknown,
        },
        (Data::Add | Data::Sub, Right::Register(register, shift)) => {
            // The pc is no index; a sum may be turned around.
            let (base, register) = match (kind, register, shift) {
                (Data::Add, PC, Shift::NONE) => (PC, left),
                _ => (left, register),
            };
            let Some((part, scale)) = shift.part(register).filter(|_| register != PC) else {
                return Term::Unknown;
            };
            let scale = if kind == Data::Sub { scale.wrapping_neg() } else { scale };
            match (base, part, scale) {
                (PC, part, 1) if part == general(register, 4) => {
                    Term::Address(MemoryOperand { base: Some(part), ..from(PC) })
                }
                _ => Term::Address(MemoryOperand { index: Some((part, scale)), ..from(base) }),
            }
        }
        (Data::Add | Data::Sub, _) => match number {
            Some(number) => {
                let number = i64::from(number);
                let number = if kind == Data::Sub { number.saturating_neg() } else { number };
                let from = from(left);
                let displacement = from.displacement.wrapping_add(number);
                match from.base {
                    Some(base) if displacement == 0 => Term::Register(base),
                    Some(_) => Term::Address(MemoryOperand { displacement, ..from }),
                    None => Term::Constant(displacement.cast_unsigned() & 0xffff_ffff),
                }
            }
            None => Term::Unknown,
        },
        _ => Term::Unknown,
    }
}

/// Loads and stores of one or two registers.
fn transferred(instruction: Instruction, transfer: Transfer) -> Vec<Write> {
    let access = instruction.access(&transfer);
    let both: Vec<u32> = std::iter::once(transfer.register).chain(transfer.second).collect();
    let each = transfer.size.checked_div(both.len() as u64).unwrap_or(0);
    let part = |nth: i64| {
        let access = access?;
        let before = nth.saturating_mul(each.cast_signed());
        let displacement = access.displacement.wrapping_add(before);
        Some(MemoryOperand { displacement, size: Some(each), ..access })
    };
    let mut writes = Vec::new();
    for (register, nth) in both.into_iter().zip(0_i64..) {
        match (transfer.is_load, part(nth)) {
            (true, Some(operand)) if transfer.is_signed => {
                writes.extend(set(register, Term::SignExtendedMemory(operand, 4)));
            }
            (true, Some(operand)) => writes.extend(set(register, Term::Memory(operand))),
            (true, None) => writes.extend(set(register, Term::Unknown)),
            (false, Some(operand)) => {
                let from = if register == PC {
                    Term::Unknown
                } else {
                    Term::Register(general(register, each))
                };
                // Of an exclusive store it is not known whether it was done.
                let from = if transfer.status.is_some() { Term::Unknown } else { from };
                writes.push(store(operand, from));
            }
            // Anywhere.
            (false, None) => writes.push(store(nowhere(), Term::Unknown)),
        }
    }
    writes.extend(transfer.status.into_iter().flat_map(|register| set(register, Term::Unknown)));
    if transfer.place.change != Change::Never {
        let sum = instruction.sum(transfer.place).map_or(Term::Unknown, Term::Address);
        writes.extend(set(transfer.place.base, sum));
    }
    writes
}

fn moved(block: Block) -> Vec<Write> {
    let mut writes = Vec::new();
    for (register, operand) in block.words() {
        match block.is_load {
            // The user's registers are these.
            true => writes.extend(set(register, Term::Memory(operand))),
            false if register == PC => writes.push(store(operand, Term::Unknown)),
            false => writes.push(store(operand, whole(register))),
        }
    }
    let is_loaded = block.is_load && block.list.checked_shr(block.base).unwrap_or(0) & 1 == 1;
    if block.changes && !is_loaded {
        writes.extend(set(block.base, Term::Address(block.end())));
    }
    writes
}

fn vectors(instruction: Instruction, transfer: VectorTransfer) -> Vec<Write> {
    let access = transfer.access(instruction);
    let each: u64 = if transfer.is_double { 8 } else { 4 };
    let (is_plain, step) = match transfer.form {
        VectorForm::One | VectorForm::Many => (true, 1),
        VectorForm::Structures { step, .. } | VectorForm::Lane { step, .. } => (false, step),
    };
    let mut writes = Vec::new();
    for nth in 0..transfer.count.min(32) {
        let number = transfer.first.saturating_add(nth.saturating_mul(step));
        let part = float(number, transfer.is_double);
        let before = i64::from(nth).saturating_mul(each.cast_signed());
        let displacement = access.displacement.wrapping_add(before);
        let operand = MemoryOperand { displacement, size: Some(each), ..access };
        match (transfer.is_load, is_plain) {
            (true, true) => {
                writes.push(Write { to: Target::Register(part), from: Term::Memory(operand) });
            }
            (true, false) => {
                writes.push(Write { to: Target::Register(part), from: Term::Unknown });
            }
            (false, true) => writes.push(store(operand, Term::Register(part))),
            (false, false) => {}
        }
    }
    if !transfer.is_load && !is_plain {
        writes.push(store(access, Term::Unknown));
    }
    let base = transfer.base;
    let by = |offset| instruction.sum(Place { base, offset, change: Change::Never });
    let changed = match transfer.change {
        VectorChange::Never => return writes,
        VectorChange::Number(number) => Some(beside(base, number)),
        VectorChange::Register(register) => {
            by(Offset::Register { register, shift: Shift::NONE, is_negative: false })
        }
    };
    writes.extend(set(base, changed.map_or(Term::Unknown, Term::Address)));
    writes
}

/// Instructions by their names.
fn named(plain: Plain) -> Vec<Write> {
    let [to, from, ..] = plain.operands;
    let [.., number, _, _, _] = plain.operands;
    let sum = |to: u32, from: u32, by: i64| set(to, Term::Address(beside(from, by)));
    match (plain.name, to, from) {
        (
            "uxtb" | "uxth" | "sxtb" | "sxth",
            Operand::Register(to),
            Operand::Shifted(from, shift),
        ) if shift.by.wrapping_rem(8) == 0 => {
            let size = if plain.name.ends_with('b') { 1 } else { 2 };
            let part = Part { shift: shift.by, ..general(from, size) };
            match plain.name.starts_with('s') {
                true => set(to, Term::SignExtended(part, 4)),
                false if shift.by > 16 && size == 2 => set(to, Term::Unknown),
                false => set(to, Term::Register(part)),
            }
        }
        ("addw", Operand::Register(to), Operand::Register(from)) => match number {
            Operand::Number(number) => sum(to, from, number.into()),
            _ => set(to, Term::Unknown),
        },
        ("subw", Operand::Register(to), Operand::Register(from)) => match number {
            Operand::Number(number) => sum(to, from, i64::from(number).saturating_neg()),
            _ => set(to, Term::Unknown),
        },
        _ => {
            let mut writes: Vec<Write> = registers_of(plain.written.into())
                .flat_map(|register| set(register, Term::Unknown))
                .collect();
            writes.extend(plain.operands.iter().take(2).filter_map(|operand| {
                let part = match *operand {
                    Operand::Single(number) => float(number, false),
                    Operand::Double(number) | Operand::Lane(number, _) => float(number, true),
                    _ => return None,
                };
                Some(Write { to: Target::Register(part), from: Term::Unknown })
            }));
            // SWP stores, too.
            if plain.name.starts_with("swp") {
                writes.push(store(nowhere(), Term::Unknown));
            }
            writes
        }
    }
}

/// MOVW and MOVT of one register: the second completes what the first began, if nothing
/// leads to a place between them.
#[derive(Default)]
struct Halves {
    /// The lower half by register, with the step that set it.
    lower: BTreeMap<u32, (usize, u32)>,
    /// Pairs of steps, and the number they make.
    pairs: Vec<(usize, usize, u64)>,
}

impl Halves {
    fn add(&mut self, instruction: Instruction, step: &Step, index: usize) {
        if let Operation::Half { is_top: true, to, value } = instruction.operation
            && !instruction.is_conditional()
            && let Some((from, low)) = self.lower.get(&to)
        {
            let number = u64::from(value) << 16 | u64::from(*low);
            self.pairs.push((*from, index, number));
        }
        for write in &step.writes {
            if let Target::Register(part) = write.to {
                self.lower.remove(&part.register.0.into());
            }
        }
        if step.next != Next::Falls {
            self.lower.clear();
        }
        if let Operation::Half { is_top: false, to, value } = instruction.operation
            && !instruction.is_conditional()
        {
            self.lower.insert(to, (index, value));
        }
    }

    fn join(self, steps: &mut [Step]) {
        let targets: BTreeSet<Avma> = steps
            .iter()
            .filter_map(|step| match step.next {
                Next::Jumps(to) => to,
                Next::Branches(to) => Some(to),
                Next::Falls | Next::Calls(_) | Next::Ends => None,
            })
            .collect();
        for (first, second, number) in self.pairs {
            let (Some(from), Some(to)) = (steps.get(first), steps.get(second)) else { continue };
            let after = Avma(from.address.0.saturating_add(1));
            if targets.range(after..=to.address).next().is_some() {
                continue;
            }
            if let Some(step) = steps.get_mut(second) {
                for write in &mut step.writes {
                    if let Target::Register(part) = write.to {
                        let whole = general(part.register.0.into(), 4);
                        *write =
                            Write { to: Target::Register(whole), from: Term::Constant(number) };
                    }
                }
            }
        }
    }
}
