//! Thumb instructions of four bytes (DDI 0406, A6.3 "32-bit Thumb instruction encoding").
//! Their first half is the upper one of the bits.

use super::fields::{field, flag, signed};
use super::media::{
    Four, SMLA, SMLAL, SMUL, extended, extracted, inserted, one_of, parallel, saturated,
};
use super::operation::{
    ALWAYS, Block, Change, Data, Instruction, Offset, Operand, Operation, PC, Place, Plain, Right,
    Set, Shift, Transfer, VectorTransfer, Way,
};
use super::system::{advanced, barrier, hint, status};
use super::vector::{coprocessor, structures};
use obit_corefile::addr::Avma;

/// The sign of a literal's distance.
const UP: u32 = 1 << 23;

/// The instruction `bits` at `address`. `governed` is the condition of an IT before it.
pub(super) fn decode(address: Avma, bits: u32, governed: Option<u32>) -> Option<Instruction> {
    let (operation, place, own) = match field(bits, 27, 2) {
        0b01 if flag(bits, 26) => vector(bits, flag(bits, 28))?,
        0b01 if flag(bits, 25) => (shifted(bits)?, 0, None),
        0b01 if flag(bits, 22) => paired(bits)?,
        0b01 => (block(bits)?, 0, None),
        0b10 if flag(bits, 15) => branch(bits, address)?,
        0b10 if flag(bits, 25) => plain_number(bits, address)?,
        0b10 => (modified(bits)?, 0, None),
        _ if flag(bits, 26) => vector(bits, flag(bits, 28))?,
        _ => match field(bits, 24, 2) {
            0b00 => single(bits)?,
            // The same as in A32, but for the upper byte.
            0b01 if !flag(bits, 20) => (structures(bits)?, 0, None),
            0b01 => single(bits)?,
            0b10 => (by_register(bits)?, 0, None),
            _ if flag(bits, 23) => (long(bits)?, 0, None),
            _ => (product(bits)?, 0, None),
        },
    };
    let condition = own.or(governed).unwrap_or(ALWAYS);
    Some(Instruction { address, bits, len: 4, set: Set::Thumb, condition, operation, place })
}

type Decoded = (Operation, u32, Option<u32>);

/// What has the bits of a coprocessor; `is_second` where A32 has no condition.
fn vector(bits: u32, is_second: bool) -> Option<Decoded> {
    // Computations of vectors: bit 28 is no more than another bit of theirs.
    if field(bits, 24, 2) == 0b11 {
        return Some((Operation::Vector { written: 0 }, 0, None));
    }
    let operation = if is_second { advanced(bits)? } else { coprocessor(bits)? };
    let place = match operation {
        Operation::VectorTransfer(VectorTransfer { base: PC, .. }) => UP | 0xff,
        _ => 0,
    };
    Some((operation, place, None))
}

fn block(bits: u32) -> Option<Operation> {
    let is_up = match field(bits, 23, 2) {
        0b01 => true,
        0b10 => false,
        _ if flag(bits, 20) => return Some(Operation::Privileged { name: "rfe" }),
        _ => return Some(Operation::Privileged { name: "srs" }),
    };
    Some(Operation::Block(Block {
        is_load: flag(bits, 20),
        base: field(bits, 16, 4),
        changes: flag(bits, 21),
        list: field(bits, 0, 16),
        is_up,
        is_before: !is_up,
        is_users: false,
    }))
}

/// LDRD, STRD, exclusive accesses, TBB, TBH.
fn paired(bits: u32) -> Option<Decoded> {
    let (before, up, writes, is_load) =
        (flag(bits, 24), flag(bits, 23), flag(bits, 21), flag(bits, 20));
    let base = field(bits, 16, 4);
    let (one, two, low) = (field(bits, 12, 4), field(bits, 8, 4), field(bits, 0, 4));
    let number = field(bits, 0, 8) << 2;
    let transfer = |name, size, register, second, status, place| {
        let is_signed = false;
        let transfer = Transfer { name, is_load, size, is_signed, register, second, status, place };
        Operation::Transfer(transfer)
    };
    if before || writes {
        let change = match (before, writes) {
            (true, true) => Change::Before,
            (true, false) => Change::Never,
            (false, _) => Change::After,
        };
        let place = Place { base, offset: Offset::number(number, up), change };
        let name = if is_load { "ldrd" } else { "strd" };
        let bits_of_place = if base == PC { UP | 0xff } else { 0 };
        return Some((transfer(name, 8, one, Some(two), None, place), bits_of_place, None));
    }
    let at = |offset| Place { base, offset, change: Change::Never };
    if !up {
        let offset = if number == 0 { Offset::None } else { Offset::number(number, true) };
        let operation = match is_load {
            true => transfer("ldrex", 4, one, None, None, at(offset)),
            false => transfer("strex", 4, one, None, Some(two), at(offset)),
        };
        return Some((operation, 0, None));
    }
    let kind = field(bits, 4, 4);
    if is_load && kind <= 1 {
        let size = u64::from(kind).saturating_add(1);
        return Some((Operation::Table { base, index: low, size }, 0, None));
    }
    let (name, size) = match (kind, is_load) {
        (4, true) => ("ldrexb", 1),
        (5, true) => ("ldrexh", 2),
        (7, true) => ("ldrexd", 8),
        (4, false) => ("strexb", 1),
        (5, false) => ("strexh", 2),
        (7, false) => ("strexd", 8),
        (8, true) => ("ldab", 1),
        (9, true) => ("ldah", 2),
        (10, true) => ("lda", 4),
        (8, false) => ("stlb", 1),
        (9, false) => ("stlh", 2),
        (10, false) => ("stl", 4),
        (12, true) => ("ldaexb", 1),
        (13, true) => ("ldaexh", 2),
        (14, true) => ("ldaex", 4),
        (15, true) => ("ldaexd", 8),
        (12, false) => ("stlexb", 1),
        (13, false) => ("stlexh", 2),
        (14, false) => ("stlex", 4),
        (15, false) => ("stlexd", 8),
        _ => return None,
    };
    let second = (size == 8).then_some(two);
    let is_exclusive_store = !is_load && !(8..12).contains(&kind);
    let status = is_exclusive_store.then_some(low);
    Some((transfer(name, size, one, second, status, at(Offset::None)), 0, None))
}

/// The kind of a computation by its four bits, in the order of the Thumb encoding.
fn kind_of(number: u32, to: u32, left: u32, flags: bool) -> Option<Data> {
    let is_test = to == PC && flags;
    Some(match (number, is_test, left == PC) {
        (0, true, _) => Data::Tst,
        (0, ..) => Data::And,
        (1, ..) => Data::Bic,
        (2, _, true) => Data::Mov,
        (2, ..) => Data::Orr,
        (3, _, true) => Data::Mvn,
        (3, ..) => Data::Orn,
        (4, true, _) => Data::Teq,
        (4, ..) => Data::Eor,
        (8, true, _) => Data::Cmn,
        (8, ..) => Data::Add,
        (10, ..) => Data::Adc,
        (11, ..) => Data::Sbc,
        (13, true, _) => Data::Cmp,
        (13, ..) => Data::Sub,
        (14, ..) => Data::Rsb,
        _ => return None,
    })
}

fn data(bits: u32, right: Right) -> Option<Operation> {
    let (to, left, flags) = (field(bits, 8, 4), field(bits, 16, 4), flag(bits, 20));
    let kind = kind_of(field(bits, 21, 4), to, left, flags)?;
    Some(Operation::Data { kind, flags, to, left, right })
}

/// Computations with a shifted register.
fn shifted(bits: u32) -> Option<Operation> {
    let by = field(bits, 12, 3) << 2 | field(bits, 6, 2);
    let register = field(bits, 0, 4);
    let shift = Shift::of(field(bits, 4, 2), by);
    if field(bits, 21, 4) == 6 {
        let name = if flag(bits, 5) { "pkhtb" } else { "pkhbt" };
        let to = [Operand::Register(field(bits, 8, 4)), Operand::Register(field(bits, 16, 4))];
        return Some(Plain::setting(name, &[to[0], to[1], Operand::Shifted(register, shift)]));
    }
    data(bits, Right::Register(register, shift))
}

/// Computations with a number of eight bits that is repeated or rotated.
fn modified(bits: u32) -> Option<Operation> {
    let (byte, form) = (field(bits, 0, 8), field(bits, 26, 1) << 3 | field(bits, 12, 3));
    let number = match form {
        0 => byte,
        1 => byte << 16 | byte,
        2 => byte << 24 | byte << 8,
        3 => byte << 24 | byte << 16 | byte << 8 | byte,
        _ => {
            let by = form << 1 | byte >> 7;
            (0x80 | byte & 0x7f).rotate_right(by)
        }
    };
    data(bits, Right::Number(number))
}

/// ADDW, SUBW, ADR, MOVW, MOVT, fields of bits.
fn plain_number(bits: u32, address: Avma) -> Option<Decoded> {
    let (to, left) = (field(bits, 8, 4), field(bits, 16, 4));
    let low12 = field(bits, 26, 1) << 11 | field(bits, 12, 3) << 8 | field(bits, 0, 8);
    let low = field(bits, 12, 3) << 2 | field(bits, 6, 2);
    let len = field(bits, 0, 5);
    let number = || {
        let is_added = field(bits, 20, 5) == 0;
        if left == PC {
            let at_pc = address.0.wrapping_add(4) & 0xffff_fffc;
            let distance = i64::from(low12);
            let distance = if is_added { distance } else { distance.saturating_neg() };
            let at = Avma(at_pc.wrapping_add_signed(distance) & 0xffff_ffff);
            return (Operation::Near { to, at }, 0x04a0_70ff | 1 << 23, None);
        }
        let sides = [Operand::Register(to), Operand::Register(left)];
        let name = if is_added { "addw" } else { "subw" };
        (Plain::setting(name, &[sides[0], sides[1], Operand::Number(low12)]), 0, None)
    };
    let half = |is_top| Operation::Half { is_top, to, value: left << 12 | low12 };
    let saturation = |is_unsigned| {
        let shift = Shift::of(if flag(bits, 21) { 2 } else { 0 }, low);
        if flag(bits, 21) && low == 0 {
            let name = if is_unsigned { "usat16" } else { "ssat16" };
            let bits = field(bits, 0, 4).saturating_add(u32::from(!is_unsigned));
            let of = [Operand::Number(bits), Operand::Register(left)];
            return Plain::setting(name, &[Operand::Register(to), of[0], of[1]]);
        }
        saturated(is_unsigned, to, len, left, shift)
    };
    let plain = match field(bits, 20, 5) {
        0 | 10 => return Some(number()),
        4 => half(false),
        12 => half(true),
        16 | 18 => saturation(false),
        20 => extracted(false, to, left, low, len.saturating_add(1)),
        22 => inserted(to, left, low, len),
        24 | 26 => saturation(true),
        28 => extracted(true, to, left, low, len.saturating_add(1)),
        _ => return None,
    };
    Some((plain, 0, None))
}

fn branch(bits: u32, address: Avma) -> Option<Decoded> {
    let at_pc = address.0.wrapping_add(4);
    let sign = field(bits, 26, 1);
    let long = |half_words: u32| {
        let first = 1 ^ field(bits, 13, 1) ^ sign;
        let second = 1 ^ field(bits, 11, 1) ^ sign;
        let all = sign << 23 | first << 22 | second << 21 | field(bits, 16, 10) << 11 | half_words;
        signed(all, 24).saturating_mul(2)
    };
    let to = |from: u64, distance: i64| Avma(from.wrapping_add_signed(distance) & 0xffff_ffff);
    let jump = |to, links, exchanges| Operation::Jump { to, links, exchanges };
    let low11 = field(bits, 0, 11);
    Some(match (field(bits, 14, 1), field(bits, 12, 1)) {
        (0, 1) => (jump(to(at_pc, long(low11)), false, false), 0x07ff_2fff, None),
        (1, 1) => (jump(to(at_pc, long(low11)), true, false), 0x07ff_2fff, None),
        (1, _) if flag(bits, 0) => return None,
        (1, _) => {
            let to = to(at_pc & 0xffff_fffc, long(low11));
            (jump(to, true, true), 0x07ff_2fff, None)
        }
        _ if field(bits, 23, 3) != 7 => {
            let all = sign << 19
                | field(bits, 11, 1) << 18
                | field(bits, 13, 1) << 17
                | field(bits, 16, 6) << 11
                | low11;
            let to = to(at_pc, signed(all, 20).saturating_mul(2));
            (jump(to, false, false), 0x043f_2fff, Some(field(bits, 22, 4)))
        }
        _ => (control(bits)?, 0, None),
    })
}

/// MSR, MRS, hints, barriers and what is for the kernel.
fn control(bits: u32) -> Option<Operation> {
    Some(match field(bits, 20, 7) {
        0b011_1000 | 0b011_1001 => {
            let to = status(flag(bits, 20), field(bits, 8, 4));
            let from = Operand::Register(field(bits, 16, 4));
            Plain::changing("msr", &[Operand::Word(to), from], 0)
        }
        0b011_1010 if field(bits, 8, 3) == 0 => hint(field(bits, 0, 8), true)?,
        0b011_1010 => Operation::Privileged { name: "cps" },
        0b011_1011 => match field(bits, 4, 4) {
            2 => Plain::setting("clrex", &[]),
            kind => barrier(kind, field(bits, 0, 4))?,
        },
        0b011_1100 => {
            let register = field(bits, 16, 4);
            Operation::RegisterJump { name: "bxj", register, links: false }
        }
        0b011_1101 => Operation::Privileged { name: "eret" },
        0b011_1110 | 0b011_1111 => {
            let from = Operand::Word(if flag(bits, 20) { "SPSR" } else { "CPSR" });
            Plain::setting("mrs", &[Operand::Register(field(bits, 8, 4)), from])
        }
        0b111_1110 => Operation::Privileged { name: "hvc" },
        0b111_1111 if flag(bits, 13) => {
            let number = field(bits, 16, 4) << 12 | field(bits, 0, 12);
            Operation::Trap { name: "udf", number }
        }
        0b111_1111 => Operation::Privileged { name: "smc" },
        _ => return None,
    })
}

/// Loads and stores of a word, a halfword, a byte.
fn single(bits: u32) -> Option<Decoded> {
    let (is_load, is_signed, size) = (flag(bits, 20), flag(bits, 24), field(bits, 21, 2));
    let (base, register) = (field(bits, 16, 4), field(bits, 12, 4));
    if size == 3 || is_signed && (size == 2 || !is_load) {
        return None;
    }
    let never = |offset| Place { base, offset, change: Change::Never };
    let small = field(bits, 0, 8);
    let mut is_unprivileged = false;
    let (place, of_place) = match () {
        () if base == PC && is_load => {
            (never(Offset::number(field(bits, 0, 12), flag(bits, 23))), UP | 0xfff)
        }
        () if base == PC => return None,
        () if flag(bits, 23) => (never(Offset::number(field(bits, 0, 12), true)), 0),
        () if field(bits, 6, 6) == 0 => {
            let shift = Shift { way: Way::Left, by: field(bits, 4, 2) };
            let register = field(bits, 0, 4);
            (never(Offset::Register { register, shift, is_negative: false }), 0)
        }
        () if !flag(bits, 11) => return None,
        () => {
            let (before, up, writes) = (flag(bits, 10), flag(bits, 9), flag(bits, 8));
            is_unprivileged = before && up && !writes;
            let change = match (before, writes) {
                (true, false) => Change::Never,
                (true, true) => Change::Before,
                (false, true) => Change::After,
                (false, false) => return None,
            };
            (Place { base, offset: Offset::number(small, up), change }, 0)
        }
    };
    let names = match (is_load, is_signed, size) {
        (false, _, 0) => ["strb", "strbt"],
        (false, _, 1) => ["strh", "strht"],
        (false, ..) => ["str", "strt"],
        (_, false, 0) => ["ldrb", "ldrbt"],
        (_, false, 1) => ["ldrh", "ldrht"],
        (_, true, 0) => ["ldrsb", "ldrsbt"],
        (_, true, _) => ["ldrsh", "ldrsht"],
        _ => ["ldr", "ldrt"],
    };
    let [plain, unprivileged] = names;
    // A load of a byte or halfword into the pc only says that memory will be read.
    if is_load && register == PC && size != 2 {
        let name = match (is_signed, size) {
            (false, 0) => "pld",
            (false, _) => "pldw",
            (true, 0) => "pli",
            _ => return None,
        };
        return Some((Plain::changing(name, &[Operand::Place(place)], 0), of_place, None));
    }
    let transfer = Transfer {
        name: if is_unprivileged { unprivileged } else { plain },
        is_load,
        size: 1_u64.checked_shl(size)?,
        is_signed,
        register,
        second: None,
        status: None,
        place,
    };
    Some((Operation::Transfer(transfer), of_place, None))
}

/// Computations of registers that are no others.
fn by_register(bits: u32) -> Option<Operation> {
    let (kind, detail) = (field(bits, 20, 4), field(bits, 4, 4));
    let (left, to, right) = (field(bits, 16, 4), field(bits, 8, 4), field(bits, 0, 4));
    if field(bits, 12, 4) != 15 {
        return None;
    }
    if kind < 8 {
        if detail == 0 {
            let right = Right::ByRegister(left, Way::of(kind >> 1), right);
            let flags = kind & 1 == 1;
            return Some(Operation::Data { kind: Data::Mov, flags, to, left: 0, right });
        }
        let names = match kind {
            0 => ["sxtah", "sxth"],
            1 => ["uxtah", "uxth"],
            2 => ["sxtab16", "sxtb16"],
            3 => ["uxtab16", "uxtb16"],
            4 => ["sxtab", "sxtb"],
            5 => ["uxtab", "uxtb"],
            _ => return None,
        };
        let by = field(bits, 4, 2).saturating_mul(8);
        let is_wide = left == PC && matches!(kind, 0 | 1 | 4 | 5);
        return flag(bits, 7).then(|| wide(extended(names, to, left, right, by), is_wide));
    }
    let operands = |numbers: [u32; 3]| numbers.map(Operand::Register);
    if detail < 8 {
        let sum = match kind & 7 {
            0 => 4,
            1 => 0,
            2 => 1,
            4 => 7,
            5 => 3,
            6 => 2,
            _ => return None,
        };
        let name = parallel(sum, detail & 3, detail & 4 != 0)?;
        return Some(Plain::setting(name, &operands([to, left, right])));
    }
    let two = |name, is_wide| {
        let sides = [Operand::Register(to), Operand::Register(right)];
        Some(wide(Plain::setting(name, &sides), is_wide))
    };
    match (kind & 3, detail & 3) {
        (0, nth) => {
            let name = one_of(&["qadd", "qdadd", "qsub", "qdsub"], nth)?;
            Some(Plain::setting(name, &operands([to, right, left])))
        }
        (1, 0) => two("rev", true),
        (1, 1) => two("rev16", true),
        (1, 2) => two("rbit", false),
        (1, _) => two("revsh", true),
        (2, 0) => Some(Plain::setting("sel", &operands([to, left, right]))),
        (3, 0) => two("clz", false),
        _ => None,
    }
}

fn wide(operation: Operation, is_wide: bool) -> Operation {
    match operation {
        Operation::Plain(plain) => Operation::Plain(Plain { is_wide, ..plain }),
        other => other,
    }
}

/// The registers of a product, by the places they have here.
fn four(bits: u32) -> Four {
    Four {
        high: field(bits, 8, 4),
        low: field(bits, 12, 4),
        second: field(bits, 0, 4),
        first: field(bits, 16, 4),
    }
}

fn product(bits: u32) -> Option<Operation> {
    let (kind, detail) = (field(bits, 20, 3), field(bits, 4, 2));
    let four = four(bits);
    if field(bits, 6, 2) != 0 {
        return None;
    }
    let one = detail & 1;
    let summed = |names: [[&'static str; 2]; 2]| {
        let [plain, other] = names;
        Some(four.summed(if one == 0 { plain } else { other }))
    };
    match (kind, detail) {
        (0, 0) => match four.summed(["mla", "mul"]) {
            Operation::Plain(plain) if plain.name == "mul" => {
                Some(Operation::Plain(Plain { is_wide: true, ..plain }))
            }
            other => Some(other),
        },
        (0, 1) => Some(four.accumulated("mls")),
        (1, nth) => {
            // Here the upper half of the first is bit 1.
            let nth = nth >> 1 | (nth & 1) << 1;
            Some(four.summed([one_of(&SMLA, nth)?, one_of(&SMUL, nth)?]))
        }
        (2, 0 | 1) => summed([["smlad", "smuad"], ["smladx", "smuadx"]]),
        (3, 0 | 1) => summed([["smlawb", "smulwb"], ["smlawt", "smulwt"]]),
        (4, 0 | 1) => summed([["smlsd", "smusd"], ["smlsdx", "smusdx"]]),
        (5, 0 | 1) => summed([["smmla", "smmul"], ["smmlar", "smmulr"]]),
        (6, 0) => Some(four.accumulated("smmls")),
        (6, 1) => Some(four.accumulated("smmlsr")),
        (7, 0) => Some(four.summed(["usada8", "usad8"])),
        _ => None,
    }
}

/// Products of eight bytes, and divisions.
fn long(bits: u32) -> Option<Operation> {
    let four = four(bits);
    let quotient = |name| {
        let numbers = [four.high, four.first, four.second];
        Some(Plain::setting(name, &numbers.map(Operand::Register)))
    };
    match (field(bits, 20, 3), field(bits, 4, 4)) {
        (0, 0) => Some(four.long("smull")),
        (1, 15) => quotient("sdiv"),
        (2, 0) => Some(four.long("umull")),
        (3, 15) => quotient("udiv"),
        (4, 0) => Some(four.long("smlal")),
        (4, nth @ 8..=11) => {
            let nth = nth >> 1 & 1 | (nth & 1) << 1;
            Some(four.long(one_of(&SMLAL, nth)?))
        }
        (4, 12) => Some(four.long("smlald")),
        (4, 13) => Some(four.long("smlaldx")),
        (5, 12) => Some(four.long("smlsld")),
        (5, 13) => Some(four.long("smlsldx")),
        (6, 0) => Some(four.long("umlal")),
        (6, 6) => Some(four.long("umaal")),
        _ => None,
    }
}
