//! Thumb instructions of two bytes (DDI 0406, A6.2 "16-bit Thumb instruction encoding"). How
//! an instruction reads that sets the flags depends on whether an IT governs it.

use super::fields::{field, flag, signed};
use super::media::extended;
use super::operation::{
    ALWAYS, Block, Change, Data, Instruction, LR, Offset, Operand, Operation, PC, Place, Plain,
    Right, SP, Set, Shift, Transfer, Way,
};
use super::system::hint;
use obit_corefile::addr::Avma;

/// The instruction `bits` at `address`. `governed` is the condition of an IT before it.
pub(super) fn decode(address: Avma, bits: u32, governed: Option<u32>) -> Option<Instruction> {
    let (operation, place, own) = operation(address, bits, governed.is_some())?;
    let condition = own.or(governed).unwrap_or(ALWAYS);
    Some(Instruction { address, bits, len: 2, set: Set::Thumb, condition, operation, place })
}

/// What it does, which bits depend on where it is, and a condition of its own.
fn operation(address: Avma, bits: u32, is_governed: bool) -> Option<(Operation, u32, Option<u32>)> {
    let at_pc = address.0.wrapping_add(4);
    let to = |distance: i64| Avma(at_pc.wrapping_add_signed(distance) & 0xffff_ffff);
    let low = |at| field(bits, at, 3);
    let byte = field(bits, 0, 8);
    let flags = !is_governed;
    let near = |offset: u32, name, is_load| {
        let place = Place { base: PC, offset: Offset::number(offset, true), change: Change::Never };
        single(name, is_load, 4, low(8), place)
    };
    let plain = match field(bits, 11, 5) {
        0b00011 => {
            let kind = if flag(bits, 9) { Data::Sub } else { Data::Add };
            let right = match flag(bits, 10) {
                true => Right::Number(low(6)),
                false => Right::Register(low(6), Shift::NONE),
            };
            Operation::Data { kind, flags, to: low(0), left: low(3), right }
        }
        kind @ 0b00000..=0b00010 => {
            let right = Right::Register(low(3), Shift::of(kind, field(bits, 6, 5)));
            Operation::Data { kind: Data::Mov, flags, to: low(0), left: 0, right }
        }
        kind @ 0b00100..=0b00111 => {
            let (kind, flags) = match kind & 3 {
                0 => (Data::Mov, flags),
                1 => (Data::Cmp, true),
                2 => (Data::Add, flags),
                _ => (Data::Sub, flags),
            };
            let register = low(8);
            Operation::Data {
                kind,
                flags,
                to: register,
                left: register,
                right: Right::Number(byte),
            }
        }
        0b01000 if !flag(bits, 10) => computation(bits, flags),
        0b01000 => high_registers(bits)?,
        0b01001 => return Some((near(byte << 2, "ldr", true), 0xff, None)),
        0b01010 | 0b01011 => by_register(bits)?,
        kind @ 0b01100..=0b10001 => by_number(bits, kind)?,
        kind @ (0b10010 | 0b10011) => {
            let offset = Offset::number(byte << 2, true);
            let place = Place { base: SP, offset, change: Change::Never };
            let is_load = kind & 1 == 1;
            single(if is_load { "ldr" } else { "str" }, is_load, 4, low(8), place)
        }
        0b10100 => {
            let at = Avma((at_pc & 0xffff_fffc).wrapping_add(u64::from(byte << 2)));
            return Some((Operation::Near { to: low(8), at }, 0xff, None));
        }
        0b10101 => {
            let right = Right::Number(byte << 2);
            Operation::Data { kind: Data::Add, flags: false, to: low(8), left: SP, right }
        }
        0b10110 | 0b10111 => return miscellaneous(bits, address),
        kind @ (0b11000 | 0b11001) => {
            let is_load = kind & 1 == 1;
            let (base, list) = (low(8), byte);
            let changes = !is_load || list.checked_shr(base).unwrap_or(0) & 1 == 0;
            Operation::Block(Block {
                is_load,
                base,
                changes,
                list,
                is_up: true,
                is_before: false,
                is_users: false,
            })
        }
        0b11010 | 0b11011 => match field(bits, 8, 4) {
            14 => Operation::Trap { name: "udf", number: byte },
            15 => Operation::SystemCall { number: byte },
            condition => {
                let to = to(signed(byte, 8).saturating_mul(2));
                let jump = Operation::Jump { to, links: false, exchanges: false };
                return Some((jump, 0xff, Some(condition)));
            }
        },
        0b11100 => {
            let to = to(signed(field(bits, 0, 11), 11).saturating_mul(2));
            return Some((Operation::Jump { to, links: false, exchanges: false }, 0x7ff, None));
        }
        _ => return None,
    };
    Some((plain, 0, None))
}

fn single(name: &'static str, is_load: bool, size: u64, register: u32, place: Place) -> Operation {
    let is_signed = matches!(name, "ldrsb" | "ldrsh");
    let (second, status) = (None, None);
    Operation::Transfer(Transfer {
        name,
        is_load,
        size,
        is_signed,
        register,
        second,
        status,
        place,
    })
}

/// Computations of two low registers.
fn computation(bits: u32, flags: bool) -> Operation {
    let (to, other) = (field(bits, 0, 3), field(bits, 3, 3));
    let plain = |kind| (kind, flags, Right::Register(other, Shift::NONE));
    let compared = |kind| (kind, true, Right::Register(other, Shift::NONE));
    let shifted = |way| (Data::Mov, flags, Right::ByRegister(to, way, other));
    let (kind, flags, right) = match field(bits, 6, 4) {
        0 => plain(Data::And),
        1 => plain(Data::Eor),
        2 => shifted(Way::Left),
        3 => shifted(Way::Right),
        4 => shifted(Way::Arithmetic),
        5 => plain(Data::Adc),
        6 => plain(Data::Sbc),
        7 => shifted(Way::Rotate),
        8 => compared(Data::Tst),
        // NEGS is the other register, subtracted from zero.
        9 => {
            let right = Right::Number(0);
            return Operation::Data { kind: Data::Rsb, flags, to, left: other, right };
        }
        10 => compared(Data::Cmp),
        11 => compared(Data::Cmn),
        12 => plain(Data::Orr),
        13 => {
            let operands = [Operand::Register(to), Operand::Register(other)];
            return match Plain::setting("mul", &operands) {
                Operation::Plain(plain) => Operation::Plain(Plain { flags, ..plain }),
                operation => operation,
            };
        }
        14 => plain(Data::Bic),
        _ => plain(Data::Mvn),
    };
    Operation::Data { kind, flags, to, left: to, right }
}

/// ADD, CMP, MOV of any registers; BX, BLX.
fn high_registers(bits: u32) -> Option<Operation> {
    let to = field(bits, 7, 1) << 3 | field(bits, 0, 3);
    let other = field(bits, 3, 4);
    let right = Right::Register(other, Shift::NONE);
    let data = |kind, flags| Operation::Data { kind, flags, to, left: to, right };
    Some(match (field(bits, 8, 2), flag(bits, 7)) {
        (0, _) => data(Data::Add, false),
        (1, _) => data(Data::Cmp, true),
        (2, _) => data(Data::Mov, false),
        (_, false) => Operation::RegisterJump { name: "bx", register: other, links: false },
        (_, true) => Operation::RegisterJump { name: "blx", register: other, links: true },
    })
}

fn by_register(bits: u32) -> Option<Operation> {
    let (name, is_load, size) = match field(bits, 9, 3) {
        0 => ("str", false, 4),
        1 => ("strh", false, 2),
        2 => ("strb", false, 1),
        3 => ("ldrsb", true, 1),
        4 => ("ldr", true, 4),
        5 => ("ldrh", true, 2),
        6 => ("ldrb", true, 1),
        _ => ("ldrsh", true, 2),
    };
    let register = field(bits, 6, 3);
    let offset = Offset::Register { register, shift: Shift::NONE, is_negative: false };
    let place = Place { base: field(bits, 3, 3), offset, change: Change::Never };
    Some(single(name, is_load, size, field(bits, 0, 3), place))
}

fn by_number(bits: u32, kind: u32) -> Option<Operation> {
    let (name, is_load, size, scale) = match kind {
        0b01100 => ("str", false, 4, 2),
        0b01101 => ("ldr", true, 4, 2),
        0b01110 => ("strb", false, 1, 0),
        0b01111 => ("ldrb", true, 1, 0),
        0b10000 => ("strh", false, 2, 1),
        _ => ("ldrh", true, 2, 1),
    };
    let offset = Offset::number(field(bits, 6, 5).checked_shl(scale)?, true);
    let place = Place { base: field(bits, 3, 3), offset, change: Change::Never };
    Some(single(name, is_load, size, field(bits, 0, 3), place))
}

/// Bits 12 to 15 are 1011.
fn miscellaneous(bits: u32, address: Avma) -> Option<(Operation, u32, Option<u32>)> {
    let low = |at| field(bits, at, 3);
    let two = |name| Plain::setting(name, &[Operand::Register(low(0)), Operand::Register(low(3))]);
    let stack = |list, is_load| {
        Operation::Block(Block {
            is_load,
            base: SP,
            changes: true,
            list,
            is_up: is_load,
            is_before: !is_load,
            is_users: false,
        })
    };
    let plain = match field(bits, 8, 4) {
        0 => {
            let kind = if flag(bits, 7) { Data::Sub } else { Data::Add };
            let right = Right::Number(field(bits, 0, 7) << 2);
            Operation::Data { kind, flags: false, to: SP, left: SP, right }
        }
        1 | 3 | 9 | 11 => {
            let distance = field(bits, 9, 1) << 6 | field(bits, 3, 5) << 1;
            let to = address.0.wrapping_add(4).wrapping_add(u64::from(distance));
            let is_zero = !flag(bits, 11);
            let jump = Operation::ZeroJump { register: low(0), is_zero, to: Avma(to) };
            return Some((jump, 0x2f8, None));
        }
        2 => {
            let name = ["sxth", "sxtb", "uxth", "uxtb"];
            let name = *name.get(usize::try_from(field(bits, 6, 2)).ok()?)?;
            extended([name, name], low(0), PC, low(3), 0)
        }
        4 | 5 => stack(field(bits, 0, 8) | field(bits, 8, 1) << LR, false),
        12 | 13 => stack(field(bits, 0, 8) | field(bits, 8, 1) << PC, true),
        6 if field(bits, 5, 3) == 0b010 => {
            let order = if flag(bits, 3) { "be" } else { "le" };
            Plain::setting("setend", &[Operand::Word(order)])
        }
        6 if field(bits, 5, 3) == 0b011 => Operation::Privileged { name: "cps" },
        10 => match field(bits, 6, 2) {
            0 => two("rev"),
            1 => two("rev16"),
            3 => two("revsh"),
            _ => return None,
        },
        14 => Operation::Trap { name: "bkpt", number: field(bits, 0, 8) },
        15 if field(bits, 0, 4) == 0 => hint(field(bits, 4, 4), false)?,
        15 => Operation::IfThen { first: field(bits, 4, 4), mask: field(bits, 0, 4) },
        _ => return None,
    };
    Some((plain, 0, None))
}
