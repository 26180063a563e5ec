//! A32 instructions: words of four bytes (DDI 0406, A5 "ARM Instruction Set Encoding").

use super::fields::{field, flag, signed};
use super::media::{halfword_product, media, product};
use super::operation::{
    ALWAYS, Block, Change, Data, Instruction, LR, Offset, Operand, Operation, PC, Place, Plain,
    Right, Set, Shift, Transfer, Way,
};
use super::system::{advanced, hint};
use super::vector::{coprocessor, structures};
use obit_corefile::addr::Avma;

/// The instruction `bits` at `address`; `None` where it is none, or has no name here.
pub(super) fn decode(address: Avma, bits: u32) -> Option<Instruction> {
    let condition = field(bits, 28, 4);
    let instruction = |operation, place| Instruction {
        address,
        bits,
        len: 4,
        set: Set::A32,
        condition: if condition == 15 { ALWAYS } else { condition },
        operation,
        place,
    };
    let at_pc = address.0.wrapping_add(8);
    if condition == 15 {
        // BLX
        if field(bits, 25, 3) == 0b101 {
            let half = i64::from(field(bits, 24, 1)).saturating_mul(2);
            let distance = signed(field(bits, 0, 24), 24).saturating_mul(4).saturating_add(half);
            let to = Avma(at_pc.wrapping_add_signed(distance) & 0xffff_ffff);
            let jump = Operation::Jump { to, links: true, exchanges: true };
            return Some(instruction(jump, 0x01ff_ffff));
        }
        return Some(instruction(unconditional(bits)?, 0));
    }
    let operation = match field(bits, 25, 3) {
        0b000 => registers(bits)?,
        0b001 => immediate(bits)?,
        0b010 => single(bits, Offset::number(field(bits, 0, 12), flag(bits, 23))),
        0b011 if flag(bits, 4) => media(bits)?,
        0b011 => {
            let shift = Shift::of(field(bits, 5, 2), field(bits, 7, 5));
            let register = field(bits, 0, 4);
            single(bits, Offset::Register { register, shift, is_negative: !flag(bits, 23) })
        }
        0b100 => Operation::Block(Block {
            is_load: flag(bits, 20),
            base: field(bits, 16, 4),
            changes: flag(bits, 21),
            list: field(bits, 0, 16),
            is_up: flag(bits, 23),
            is_before: flag(bits, 24),
            is_users: flag(bits, 22),
        }),
        0b101 => {
            let distance = signed(field(bits, 0, 24), 24).saturating_mul(4);
            let to = Avma(at_pc.wrapping_add_signed(distance) & 0xffff_ffff);
            let jump = Operation::Jump { to, links: flag(bits, 24), exchanges: false };
            return Some(instruction(jump, 0x00ff_ffff));
        }
        _ if field(bits, 24, 4) == 0b1111 => Operation::SystemCall { number: field(bits, 0, 24) },
        _ => coprocessor(bits)?,
    };
    let near = |operation| match operation {
        // ADD and SUB of the pc and a number: ADR; the assembler's spelling stays that of
        // a sum.
        Operation::Data { kind: Data::Add | Data::Sub, flags: false, left: PC, .. }
            if field(bits, 25, 1) == 1 =>
        {
            0x00c0_0fff
        }
        _ => literal_bits(operation),
    };
    Some(instruction(operation, near(operation)))
}

/// The bits that hold the distance of a literal.
fn literal_bits(operation: Operation) -> u32 {
    const UP: u32 = 1 << 23;
    match operation {
        Operation::Transfer(Transfer { place, size, is_signed, .. }) if place.base == PC => {
            match (place.offset, size, is_signed) {
                (Offset::Number { .. }, 4, _) | (Offset::Number { .. }, 1, false) => UP | 0xfff,
                (Offset::Number { .. }, ..) => UP | 0xf0f,
                _ => 0,
            }
        }
        Operation::VectorTransfer(transfer) if transfer.base == PC => UP | 0xff,
        _ => 0,
    }
}

/// What the condition field does not belong to.
fn unconditional(bits: u32) -> Option<Operation> {
    if bits & 0xfe00_0000 == 0xf200_0000 {
        return Some(Operation::Vector { written: 0 });
    }
    if bits & 0xff10_0000 == 0xf400_0000 || bits & 0xff30_0000 == 0xf420_0000 {
        return structures(bits);
    }
    match bits {
        0xf57f_f01f => return Some(Plain::setting("clrex", &[])),
        _ if bits & 0xffff_ff00 == 0xf57f_f000 => {
            return super::system::barrier(field(bits, 4, 4), field(bits, 0, 4));
        }
        _ => {}
    }
    let is = |mask: u32, value: u32| bits & mask == value;
    let name = match (field(bits, 24, 2), field(bits, 22, 1)) {
        _ if is(0xfd30_f000, 0xf510_f000) && flag(bits, 22) => Some("pld"),
        _ if is(0xfd30_f000, 0xf510_f000) => Some("pldw"),
        _ if is(0xfd70_f000, 0xf450_f000) => Some("pli"),
        _ => None,
    };
    if let Some(name) = name {
        let offset = match flag(bits, 25) {
            true => {
                let shift = Shift::of(field(bits, 5, 2), field(bits, 7, 5));
                let register = field(bits, 0, 4);
                Offset::Register { register, shift, is_negative: !flag(bits, 23) }
            }
            false => Offset::number(field(bits, 0, 12), flag(bits, 23)),
        };
        let place = Place { base: field(bits, 16, 4), offset, change: Change::Never };
        return Some(Plain::changing(name, &[Operand::Place(place)], 0));
    }
    match () {
        () if is(0xffff_fdff, 0xf101_0000) => {
            let order = if flag(bits, 9) { "be" } else { "le" };
            Some(Plain::setting("setend", &[Operand::Word(order)]))
        }
        () if is(0xfff1_0020, 0xf100_0000) => Some(Operation::Privileged { name: "cps" }),
        () if is(0xfe50_0000, 0xf810_0000) => Some(Operation::Privileged { name: "rfe" }),
        () if is(0xfe50_0000, 0xf840_0000) => Some(Operation::Privileged { name: "srs" }),
        () if is(0xff00_0000, 0xfe00_0000) || is(0xfe00_0000, 0xfc00_0000) => advanced(bits),
        () => None,
    }
}

/// Bits 25 to 27 are zero: computations with a register, products, loads and stores of
/// halfwords and pairs, and what has no place elsewhere.
fn registers(bits: u32) -> Option<Operation> {
    if flag(bits, 4) && flag(bits, 7) {
        return match field(bits, 5, 2) {
            0 if flag(bits, 24) => exclusive(bits),
            0 => product(bits),
            _ => extra(bits),
        };
    }
    if field(bits, 23, 2) == 0b10 && !flag(bits, 20) {
        return if flag(bits, 7) { halfword_product(bits) } else { miscellaneous(bits) };
    }
    let register = field(bits, 0, 4);
    let right = match flag(bits, 4) {
        true => Right::ByRegister(register, Way::of(field(bits, 5, 2)), field(bits, 8, 4)),
        false => Right::Register(register, Shift::of(field(bits, 5, 2), field(bits, 7, 5))),
    };
    data(bits, right)
}

fn immediate(bits: u32) -> Option<Operation> {
    let value = field(bits, 16, 4) << 12 | field(bits, 0, 12);
    match field(bits, 20, 5) {
        0b1_0000 => {
            return Some(Operation::Half { is_top: false, to: field(bits, 12, 4), value });
        }
        0b1_0100 => return Some(Operation::Half { is_top: true, to: field(bits, 12, 4), value }),
        0b1_0010 if field(bits, 16, 4) == 0 => return hint(field(bits, 0, 8), false),
        0b1_0010 | 0b1_0110 => {
            let number = Operand::Number(expanded(field(bits, 0, 12)).0);
            let to = super::system::status(flag(bits, 22), field(bits, 16, 4));
            return Some(Plain::changing("msr", &[Operand::Word(to), number], 0));
        }
        _ => {}
    }
    let (number, is_shortest) = expanded(field(bits, 0, 12));
    let right = match is_shortest {
        true => Right::Number(number),
        false => Right::Rotated(field(bits, 0, 8), field(bits, 8, 4).saturating_mul(2)),
    };
    data(bits, right)
}

/// A number of eight bits, rotated; whether no smaller rotation gives it.
fn expanded(immediate: u32) -> (u32, bool) {
    let by = field(immediate, 8, 4).saturating_mul(2);
    let value = field(immediate, 0, 8).rotate_right(by);
    let least = (0_u32..16).find(|nth| {
        let by = nth.saturating_mul(2);
        value.rotate_left(by) < 256
    });
    (value, least.is_none_or(|nth| nth.saturating_mul(2) == by))
}

fn data(bits: u32, right: Right) -> Option<Operation> {
    const KINDS: [Data; 16] = [
        Data::And,
        Data::Eor,
        Data::Sub,
        Data::Rsb,
        Data::Add,
        Data::Adc,
        Data::Sbc,
        Data::Rsc,
        Data::Tst,
        Data::Teq,
        Data::Cmp,
        Data::Cmn,
        Data::Orr,
        Data::Mov,
        Data::Bic,
        Data::Mvn,
    ];
    let kind = *KINDS.get(usize::try_from(field(bits, 21, 4)).ok()?)?;
    let (to, left) = (field(bits, 12, 4), field(bits, 16, 4));
    Some(Operation::Data { kind, flags: flag(bits, 20), to, left, right })
}

/// A load or store of a word or a byte.
fn single(bits: u32, offset: Offset) -> Operation {
    let is_load = flag(bits, 20);
    let (before, writes, is_byte) = (flag(bits, 24), flag(bits, 21), flag(bits, 22));
    let name = match (is_load, is_byte, !before && writes) {
        (true, false, false) => "ldr",
        (true, true, false) => "ldrb",
        (true, false, true) => "ldrt",
        (true, true, true) => "ldrbt",
        (false, false, false) => "str",
        (false, true, false) => "strb",
        (false, false, true) => "strt",
        (false, true, true) => "strbt",
    };
    Operation::Transfer(Transfer {
        name,
        is_load,
        size: if is_byte { 1 } else { 4 },
        is_signed: false,
        register: field(bits, 12, 4),
        second: None,
        status: None,
        place: Place { base: field(bits, 16, 4), offset, change: change(before, writes) },
    })
}

/// P and W.
fn change(before: bool, writes: bool) -> Change {
    match (before, writes) {
        (true, false) => Change::Never,
        (true, true) => Change::Before,
        (false, _) => Change::After,
    }
}

/// Loads and stores of halfwords, bytes with a sign, and pairs.
fn extra(bits: u32) -> Option<Operation> {
    let (before, writes) = (flag(bits, 24), flag(bits, 21));
    let is_unprivileged = !before && writes;
    let number = field(bits, 8, 4) << 4 | field(bits, 0, 4);
    let offset = match flag(bits, 22) {
        true => Offset::number(number, flag(bits, 23)),
        false if field(bits, 8, 4) != 0 => return None,
        false => {
            let register = field(bits, 0, 4);
            Offset::Register { register, shift: Shift::NONE, is_negative: !flag(bits, 23) }
        }
    };
    let (name, is_load, size, is_signed) = match (flag(bits, 20), field(bits, 5, 2)) {
        (false, 1) => (["strh", "strht"], false, 2, false),
        (false, 2) => (["ldrd", "ldrd"], true, 8, false),
        (false, _) => (["strd", "strd"], false, 8, false),
        (true, 1) => (["ldrh", "ldrht"], true, 2, false),
        (true, 2) => (["ldrsb", "ldrsbt"], true, 1, true),
        (true, _) => (["ldrsh", "ldrsht"], true, 2, true),
    };
    let [plain, unprivileged] = name;
    let register = field(bits, 12, 4);
    let second = (size == 8).then(|| register.saturating_add(1));
    if size == 8 && (register & 1 == 1 || register == LR || is_unprivileged) {
        return None;
    }
    Some(Operation::Transfer(Transfer {
        name: if is_unprivileged { unprivileged } else { plain },
        is_load,
        size,
        is_signed,
        register,
        second,
        status: None,
        place: Place { base: field(bits, 16, 4), offset, change: change(before, writes) },
    }))
}

/// SWP, LDREX, STREX, LDA, STL and their kin.
fn exclusive(bits: u32) -> Option<Operation> {
    let (kind, is_load) = (field(bits, 21, 2), flag(bits, 20));
    let place = Place { base: field(bits, 16, 4), offset: Offset::None, change: Change::Never };
    if !flag(bits, 23) {
        // SWP reads and writes: what it reads is what the register gets.
        let (to, from) = (field(bits, 12, 4), field(bits, 0, 4));
        let name = if flag(bits, 22) { "swpb" } else { "swp" };
        let known = field(bits, 20, 2) == 0 && field(bits, 8, 4) == 0;
        let operands = [Operand::Register(to), Operand::Register(from), Operand::Place(place)];
        return known.then(|| Plain::setting(name, &operands));
    }
    let names = match (field(bits, 8, 4), is_load) {
        (0xf, true) => ["ldrex", "ldrexd", "ldrexb", "ldrexh"],
        (0xf, false) => ["strex", "strexd", "strexb", "strexh"],
        (0xe, true) => ["ldaex", "ldaexd", "ldaexb", "ldaexh"],
        (0xe, false) => ["stlex", "stlexd", "stlexb", "stlexh"],
        (0xc, true) if kind != 1 => ["lda", "lda", "ldab", "ldah"],
        (0xc, false) if kind != 1 => ["stl", "stl", "stlb", "stlh"],
        _ => return None,
    };
    let size = [4, 8, 1, 2];
    let nth = usize::try_from(kind).ok()?;
    let size = *size.get(nth)?;
    let is_plain = field(bits, 8, 4) == 0xc;
    let register = field(bits, if is_load { 12 } else { 0 }, 4);
    Some(Operation::Transfer(Transfer {
        name: names.get(nth)?,
        is_load,
        size,
        is_signed: false,
        register,
        second: (size == 8).then(|| register.saturating_add(1)),
        status: (!is_load && !is_plain).then(|| field(bits, 12, 4)),
        place,
    }))
}

fn miscellaneous(bits: u32) -> Option<Operation> {
    let register = |low| Operand::Register(field(bits, low, 4));
    let by = field(bits, 0, 4);
    match (field(bits, 4, 3), field(bits, 21, 2)) {
        (0, 0 | 2) => {
            let from = Operand::Word(if flag(bits, 22) { "SPSR" } else { "CPSR" });
            Some(Plain::setting("mrs", &[register(12), from]))
        }
        (0, _) => {
            let to = super::system::status(flag(bits, 22), field(bits, 16, 4));
            Some(Plain::changing("msr", &[Operand::Word(to), register(0)], 0))
        }
        (1, 1) => Some(Operation::RegisterJump { name: "bx", register: by, links: false }),
        (2, 1) => Some(Operation::RegisterJump { name: "bxj", register: by, links: false }),
        (3, 1) => Some(Operation::RegisterJump { name: "blx", register: by, links: true }),
        (1, 3) => Some(Plain::setting("clz", &[register(12), register(0)])),
        (5, kind) => {
            let names = ["qadd", "qsub", "qdadd", "qdsub"];
            let name = names.get(usize::try_from(kind).ok()?)?;
            Some(Plain::setting(name, &[register(12), register(0), register(16)]))
        }
        (6, 3) => Some(Operation::Privileged { name: "eret" }),
        (7, 1) => {
            let number = field(bits, 8, 12) << 4 | field(bits, 0, 4);
            Some(Operation::Trap { name: "bkpt", number })
        }
        (7, 2) => Some(Operation::Privileged { name: "hvc" }),
        (7, 3) => Some(Operation::Privileged { name: "smc" }),
        _ => None,
    }
}
