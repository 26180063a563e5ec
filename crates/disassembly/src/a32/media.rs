//! Products, sums of several numbers in one register, packing, fields of bits: what both
//! encodings have, by the same numbers of its kind (DDI 0406, A5.2.5 and A5.4).

use super::fields::{field, flag};
use super::operation::{Operand, Operation, PC, Plain, Shift, Way, bit};

/// The four registers that such an instruction names, as A32 calls their places.
#[derive(Clone, Copy)]
pub(super) struct Four {
    /// Bits 16 to 19 of most: the result, or its high half.
    pub(super) high: u32,
    /// Bits 12 to 15: what is added, or the low half of the result.
    pub(super) low: u32,
    /// Bits 8 to 11.
    pub(super) second: u32,
    /// Bits 0 to 3.
    pub(super) first: u32,
}

impl Four {
    fn of(bits: u32) -> Self {
        Self {
            high: field(bits, 16, 4),
            low: field(bits, 12, 4),
            second: field(bits, 8, 4),
            first: field(bits, 0, 4),
        }
    }

    /// A product of two registers, to which a third is added unless it is the pc.
    pub(super) fn summed(self, names: [&'static str; 2]) -> Operation {
        let [added, alone] = names;
        let result = Operand::Register(self.high);
        let operands = [result, Operand::Register(self.first), Operand::Register(self.second)];
        match self.low {
            PC => Plain::setting(alone, &operands),
            _ => self.accumulated(added),
        }
    }

    /// The same where the third is always there.
    pub(super) fn accumulated(self, name: &'static str) -> Operation {
        let numbers = [self.high, self.first, self.second, self.low];
        Plain::setting(name, &numbers.map(Operand::Register))
    }

    /// A product of eight bytes.
    pub(super) fn long(self, name: &'static str) -> Operation {
        let numbers = [self.low, self.high, self.first, self.second];
        let written = bit(self.low) | bit(self.high);
        Plain::changing(name, &numbers.map(Operand::Register), written)
    }

    /// Two operands and a result.
    fn three(self, name: &'static str) -> Operation {
        let numbers = [self.high, self.first, self.second];
        Plain::setting(name, &numbers.map(Operand::Register))
    }
}

/// Products of words.
pub(super) fn product(bits: u32) -> Option<Operation> {
    let four = Four::of(bits);
    let operation = match field(bits, 21, 3) {
        0 => four.three("mul"),
        1 => four.accumulated("mla"),
        2 => four.long("umaal"),
        3 => four.accumulated("mls"),
        4 => four.long("umull"),
        5 => four.long("umlal"),
        6 => four.long("smull"),
        _ => four.long("smlal"),
    };
    match operation {
        Operation::Plain(plain) => Some(Operation::Plain(Plain { flags: flag(bits, 20), ..plain })),
        _ => None,
    }
}

/// The names of a product of halves: `b` the lower, `t` the upper.
pub(super) const SMLA: [&str; 4] = ["smlabb", "smlatb", "smlabt", "smlatt"];
pub(super) const SMUL: [&str; 4] = ["smulbb", "smultb", "smulbt", "smultt"];
pub(super) const SMLAL: [&str; 4] = ["smlalbb", "smlaltb", "smlalbt", "smlaltt"];

pub(super) fn one_of(names: &[&'static str], nth: u32) -> Option<&'static str> {
    names.get(usize::try_from(nth).ok()?).copied().filter(|name| !name.is_empty())
}

/// Products of halves of words.
pub(super) fn halfword_product(bits: u32) -> Option<Operation> {
    let four = Four::of(bits);
    let halves = field(bits, 5, 2);
    Some(match (field(bits, 21, 2), flag(bits, 5)) {
        (0, _) => four.accumulated(one_of(&SMLA, halves)?),
        (1, false) => four.accumulated(if flag(bits, 6) { "smlawt" } else { "smlawb" }),
        (1, true) => four.three(if flag(bits, 6) { "smulwt" } else { "smulwb" }),
        (2, _) => four.long(one_of(&SMLAL, halves)?),
        _ => four.three(one_of(&SMUL, halves)?),
    })
}

/// The names of sums of parts, by what is done and by the kind of the numbers.
pub(super) fn parallel(sum: u32, kind: u32, is_unsigned: bool) -> Option<&'static str> {
    const SIGNED: [[&str; 3]; 8] = [
        ["sadd16", "qadd16", "shadd16"],
        ["sasx", "qasx", "shasx"],
        ["ssax", "qsax", "shsax"],
        ["ssub16", "qsub16", "shsub16"],
        ["sadd8", "qadd8", "shadd8"],
        ["", "", ""],
        ["", "", ""],
        ["ssub8", "qsub8", "shsub8"],
    ];
    const UNSIGNED: [[&str; 3]; 8] = [
        ["uadd16", "uqadd16", "uhadd16"],
        ["uasx", "uqasx", "uhasx"],
        ["usax", "uqsax", "uhsax"],
        ["usub16", "uqsub16", "uhsub16"],
        ["uadd8", "uqadd8", "uhadd8"],
        ["", "", ""],
        ["", "", ""],
        ["usub8", "uqsub8", "uhsub8"],
    ];
    let table = if is_unsigned { &UNSIGNED } else { &SIGNED };
    one_of(table.get(usize::try_from(sum).ok()?)?, kind)
}

/// What is done to bytes and halves: extension, with a sum where `added` is no pc.
pub(super) fn extended(
    names: [&'static str; 2],
    to: u32,
    added: u32,
    of: u32,
    by: u32,
) -> Operation {
    let [sum, alone] = names;
    let shift = Shift { way: Way::Rotate, by };
    let shift = if by == 0 { Shift::NONE } else { shift };
    let to = Operand::Register(to);
    let of = Operand::Shifted(of, shift);
    match added {
        PC => Plain::setting(alone, &[to, of]),
        _ => Plain::setting(sum, &[to, Operand::Register(added), of]),
    }
}

/// A field of bits that is copied to the low end of a register.
pub(super) fn extracted(is_unsigned: bool, to: u32, from: u32, low: u32, len: u32) -> Operation {
    let name = if is_unsigned { "ubfx" } else { "sbfx" };
    let to = [Operand::Register(to), Operand::Register(from)];
    Plain::setting(name, &[to[0], to[1], Operand::Number(low), Operand::Number(len)])
}

/// BFI, and BFC where nothing is inserted.
pub(super) fn inserted(to: u32, from: u32, low: u32, high: u32) -> Operation {
    let len = high.saturating_add(1).saturating_sub(low);
    let range = [Operand::Number(low), Operand::Number(len)];
    let to = Operand::Register(to);
    match from {
        PC => Plain::setting("bfc", &[to, range[0], range[1]]),
        _ => Plain::setting("bfi", &[to, Operand::Register(from), range[0], range[1]]),
    }
}

/// SSAT and USAT: a number of bits, and what is to fit.
pub(super) fn saturated(
    is_unsigned: bool,
    to: u32,
    bits: u32,
    from: u32,
    shift: Shift,
) -> Operation {
    let name = if is_unsigned { "usat" } else { "ssat" };
    let bits = if is_unsigned { bits } else { bits.saturating_add(1) };
    Plain::setting(
        name,
        &[Operand::Register(to), Operand::Number(bits), Operand::Shifted(from, shift)],
    )
}

/// The media instructions of A32.
pub(super) fn media(bits: u32) -> Option<Operation> {
    let four = Four::of(bits);
    let (kind, detail) = (field(bits, 20, 3), field(bits, 5, 3));
    let (to, left, right) = (four.low, four.high, four.first);
    let two = |name| Plain::setting(name, &[Operand::Register(to), Operand::Register(right)]);
    let three = |name| Plain::setting(name, &[to, left, right].map(Operand::Register));
    match field(bits, 23, 2) {
        0b00 => {
            let name = parallel(detail, field(bits, 20, 2).checked_sub(1)?, flag(bits, 22))?;
            return Some(three(name));
        }
        0b01 => {}
        0b10 => return signed_product(bits, four),
        _ => return fields(bits, four),
    }
    let by = field(bits, 10, 2).saturating_mul(8);
    let extended = |names| Some(extended(names, to, left, right, by));
    match (kind, detail) {
        (0, 0 | 2 | 4 | 6) => {
            let (name, way) = if flag(bits, 6) { ("pkhtb", 2) } else { ("pkhbt", 0) };
            let shift = Shift::of(way, field(bits, 7, 5));
            let of = Operand::Shifted(right, shift);
            Some(Plain::setting(name, &[Operand::Register(to), Operand::Register(left), of]))
        }
        (0, 3) => extended(["sxtab16", "sxtb16"]),
        (0, 5) => Some(three("sel")),
        (2, 3) => extended(["sxtab", "sxtb"]),
        (3, 3) => extended(["sxtah", "sxth"]),
        (4, 3) => extended(["uxtab16", "uxtb16"]),
        (6, 3) => extended(["uxtab", "uxtb"]),
        (7, 3) => extended(["uxtah", "uxth"]),
        (3, 1) => Some(two("rev")),
        (3, 5) => Some(two("rev16")),
        (7, 1) => Some(two("rbit")),
        (7, 5) => Some(two("revsh")),
        (2 | 6, 1) => {
            let is_unsigned = kind == 6;
            let name = if is_unsigned { "usat16" } else { "ssat16" };
            let number = left.saturating_add(u32::from(!is_unsigned));
            let of = [Operand::Number(number), Operand::Register(right)];
            Some(Plain::setting(name, &[Operand::Register(to), of[0], of[1]]))
        }
        (2 | 3 | 6 | 7, 0 | 2 | 4 | 6) => {
            let shift = Shift::of(if flag(bits, 6) { 2 } else { 0 }, field(bits, 7, 5));
            Some(saturated(kind >= 6, to, field(bits, 16, 5), right, shift))
        }
        _ => None,
    }
}

/// Products with a sign, of halves and of high words; divisions.
fn signed_product(bits: u32, four: Four) -> Option<Operation> {
    let (kind, detail) = (field(bits, 20, 3), field(bits, 5, 3));
    Some(match (kind, detail) {
        (0, 0) => four.summed(["smlad", "smuad"]),
        (0, 1) => four.summed(["smladx", "smuadx"]),
        (0, 2) => four.summed(["smlsd", "smusd"]),
        (0, 3) => four.summed(["smlsdx", "smusdx"]),
        (1, 0) => four.three("sdiv"),
        (3, 0) => four.three("udiv"),
        (4, 0) => four.long("smlald"),
        (4, 1) => four.long("smlaldx"),
        (4, 2) => four.long("smlsld"),
        (4, 3) => four.long("smlsldx"),
        (5, 0) => four.summed(["smmla", "smmul"]),
        (5, 1) => four.summed(["smmlar", "smmulr"]),
        (5, 6) => four.accumulated("smmls"),
        (5, 7) => four.accumulated("smmlsr"),
        _ => return None,
    })
}

fn fields(bits: u32, four: Four) -> Option<Operation> {
    let low = field(bits, 7, 5);
    match (field(bits, 20, 3), field(bits, 5, 3)) {
        (0, 0) => Some(four.summed(["usada8", "usad8"])),
        (2 | 3, 2 | 6) => {
            let len = field(bits, 16, 5).saturating_add(1);
            Some(extracted(false, four.low, four.first, low, len))
        }
        (6 | 7, 2 | 6) => {
            let len = field(bits, 16, 5).saturating_add(1);
            Some(extracted(true, four.low, four.first, low, len))
        }
        (4 | 5, 0 | 4) => Some(inserted(four.low, four.first, low, field(bits, 16, 5))),
        (7, 7) if field(bits, 28, 4) == 14 => {
            let number = field(bits, 8, 12) << 4 | field(bits, 0, 4);
            Some(Operation::Trap { name: "udf", number })
        }
        _ => None,
    }
}
