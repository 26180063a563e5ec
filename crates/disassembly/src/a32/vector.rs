//! Floating-point and vector instructions (DDI 0406, A6 and A7): loads, stores, moves and
//! scalar computations by name; computations of vectors are known as such and not named.

use super::fields::{field, flag};
use super::media::one_of;
use super::operation::{
    Operand, Operation, PC, Plain, SP, VectorChange, VectorForm, VectorTransfer, bit,
};
use super::system::system_registers;

/// What has the bits of a coprocessor, and a condition.
pub(super) fn coprocessor(bits: u32) -> Option<Operation> {
    if !matches!(field(bits, 8, 4), 10 | 11) {
        return system_registers(bits, false);
    }
    match field(bits, 24, 4) {
        0b1110 if flag(bits, 4) => moved(bits),
        0b1110 => computed(bits),
        _ if field(bits, 21, 7) == 0b110_0010 => moved_pair(bits),
        _ => transfer(bits),
    }
}

/// The number of a register whose extra bit is bit `low`, above the four from `high` on or
/// below them.
fn number(bits: u32, high: u32, low: u32, is_double: bool) -> u32 {
    let (four, one) = (field(bits, high, 4), field(bits, low, 1));
    if is_double { one << 4 | four } else { four << 1 | one }
}

fn register(bits: u32, high: u32, low: u32, is_double: bool) -> Operand {
    let number = number(bits, high, low, is_double);
    if is_double { Operand::Double(number) } else { Operand::Single(number) }
}

/// VLDR, VSTR, VLDM, VSTM.
fn transfer(bits: u32) -> Option<Operation> {
    let is_double = flag(bits, 8);
    let (before, up, writes, is_load) =
        (flag(bits, 24), flag(bits, 23), flag(bits, 21), flag(bits, 20));
    let base = field(bits, 16, 4);
    let words = field(bits, 0, 8);
    let bytes = i64::from(words).saturating_mul(4);
    let first = number(bits, 12, 22, is_double);
    let all = u64::from(words).saturating_mul(4);
    let transfer = VectorTransfer {
        form: VectorForm::Many,
        is_load,
        base,
        size: all,
        displacement: 0,
        change: VectorChange::Never,
        first,
        count: if is_double { words >> 1 } else { words },
        is_double,
    };
    Some(Operation::VectorTransfer(match (before, up, writes) {
        (true, _, false) => VectorTransfer {
            form: VectorForm::One,
            size: if is_double { 8 } else { 4 },
            displacement: if up { bytes } else { bytes.saturating_neg() },
            count: 1,
            ..transfer
        },
        (false, true, _) => {
            let change = if writes { VectorChange::Number(bytes) } else { VectorChange::Never };
            VectorTransfer { change, ..transfer }
        }
        (true, false, true) => {
            let down = bytes.saturating_neg();
            VectorTransfer { displacement: down, change: VectorChange::Number(down), ..transfer }
        }
        _ => return None,
    }))
}

/// VMOV between two general registers and a double one or two single ones.
fn moved_pair(bits: u32) -> Option<Operation> {
    let (low, high) = (field(bits, 12, 4), field(bits, 16, 4));
    let is_double = flag(bits, 8);
    if !matches!(field(bits, 4, 4), 1 | 3) {
        return None;
    }
    let number = number(bits, 0, 5, is_double);
    let general = [Operand::Register(low), Operand::Register(high)];
    let to_general = flag(bits, 20);
    let written = if to_general { bit(low) | bit(high) } else { 0 };
    Some(match (is_double, to_general) {
        (true, true) => {
            Plain::changing("vmov", &[general[0], general[1], Operand::Double(number)], written)
        }
        (true, false) => {
            Plain::changing("vmov", &[Operand::Double(number), general[0], general[1]], 0)
        }
        (false, _) => {
            let pair = [Operand::Single(number), Operand::Single(number.saturating_add(1))];
            let all = match to_general {
                true => [general[0], general[1], pair[0], pair[1]],
                false => [pair[0], pair[1], general[0], general[1]],
            };
            Plain::changing("vmov", &all, written)
        }
    })
}

/// Moves between one general register and one of the unit's.
fn moved(bits: u32) -> Option<Operation> {
    let to_general = flag(bits, 20);
    let general = Operand::Register(field(bits, 12, 4));
    let kind = field(bits, 21, 3);
    let pair = |name, other| match to_general {
        true => Plain::setting(name, &[general, other]),
        false => Plain::changing(name, &[other, general], 0),
    };
    if !flag(bits, 8) {
        return match kind {
            0 => Some(pair("vmov", register(bits, 16, 7, false))),
            7 => {
                let name = match field(bits, 16, 4) {
                    0 => "fpsid",
                    1 => "fpscr",
                    6 => "mvfr1",
                    7 => "mvfr0",
                    8 => "fpexc",
                    _ => return None,
                };
                let special = Operand::Word(name);
                Some(match (to_general, field(bits, 12, 4)) {
                    (true, PC) => {
                        Plain::changing("vmrs", &[Operand::Word("APSR_nzcv"), special], 0)
                    }
                    (true, _) => Plain::setting("vmrs", &[general, special]),
                    (false, _) => Plain::changing("vmsr", &[special, general], 0),
                })
            }
            _ => None,
        };
    }
    let vector = number(bits, 16, 7, true);
    if !to_general && flag(bits, 23) {
        let name = match (flag(bits, 22), flag(bits, 5)) {
            (false, false) => "vdup.32",
            (false, true) => "vdup.16",
            (true, _) => "vdup.8",
        };
        return Some(match flag(bits, 21) {
            false => Plain::changing(name, &[Operand::Double(vector), general], 0),
            true => Operation::Vector { written: 0 },
        });
    }
    let (upper, lower) = (field(bits, 21, 2), field(bits, 5, 2));
    let is_unsigned = flag(bits, 23);
    let (name, lane) = match (upper >> 1, lower) {
        (1, _) => {
            let name = match (to_general, is_unsigned) {
                (false, _) => "vmov.8",
                (true, true) => "vmov.u8",
                (true, false) => "vmov.s8",
            };
            (name, (upper & 1) << 2 | lower)
        }
        (_, 1 | 3) => {
            let name = match (to_general, is_unsigned) {
                (false, _) => "vmov.16",
                (true, true) => "vmov.u16",
                (true, false) => "vmov.s16",
            };
            (name, (upper & 1) << 1 | lower >> 1)
        }
        (_, 0) if !is_unsigned => ("vmov.32", upper & 1),
        _ => return None,
    };
    Some(pair(name, Operand::Lane(vector, lane)))
}

/// Names of the two precisions.
type Names = [&'static str; 2];

/// Computations of single and double numbers.
fn computed(bits: u32) -> Option<Operation> {
    let is_double = flag(bits, 8);
    let of = |names: Names| {
        let [single, double] = names;
        if is_double { double } else { single }
    };
    let (to, left, right) = (
        register(bits, 12, 22, is_double),
        register(bits, 16, 7, is_double),
        register(bits, 0, 5, is_double),
    );
    let kind = field(bits, 23, 1) << 2 | field(bits, 20, 2);
    let names: Names = match (kind, flag(bits, 6)) {
        (0, false) => ["vmla.f32", "vmla.f64"],
        (0, true) => ["vmls.f32", "vmls.f64"],
        (1, false) => ["vnmls.f32", "vnmls.f64"],
        (1, true) => ["vnmla.f32", "vnmla.f64"],
        (2, false) => ["vmul.f32", "vmul.f64"],
        (2, true) => ["vnmul.f32", "vnmul.f64"],
        (3, false) => ["vadd.f32", "vadd.f64"],
        (3, true) => ["vsub.f32", "vsub.f64"],
        (4, false) => ["vdiv.f32", "vdiv.f64"],
        (5, false) => ["vfnms.f32", "vfnms.f64"],
        (5, true) => ["vfnma.f32", "vfnma.f64"],
        (6, false) => ["vfma.f32", "vfma.f64"],
        (6, true) => ["vfms.f32", "vfms.f64"],
        (7, _) => return alone(bits, is_double),
        _ => return None,
    };
    Some(Plain::changing(of(names), &[to, left, right], 0))
}

/// Computations of one number.
fn alone(bits: u32, is_double: bool) -> Option<Operation> {
    let of = |names: Names| {
        let [single, double] = names;
        if is_double { double } else { single }
    };
    let (to, from) = (register(bits, 12, 22, is_double), register(bits, 0, 5, is_double));
    let one = |names| Some(Plain::changing(of(names), &[to, from], 0));
    if !flag(bits, 6) {
        let number = field(bits, 16, 4) << 4 | field(bits, 0, 4);
        let number = Operand::Number(number);
        return Some(Plain::changing(of(["vmov.f32", "vmov.f64"]), &[to, number], 0));
    }
    let (kind, high) = (field(bits, 16, 4), flag(bits, 7));
    match (kind, high) {
        (0, false) => one(["vmov.f32", "vmov.f64"]),
        (0, true) => one(["vabs.f32", "vabs.f64"]),
        (1, false) => one(["vneg.f32", "vneg.f64"]),
        (1, true) => one(["vsqrt.f32", "vsqrt.f64"]),
        (4, false) => one(["vcmp.f32", "vcmp.f64"]),
        (4, true) => one(["vcmpe.f32", "vcmpe.f64"]),
        (5, _) => {
            let names = match high {
                true => ["vcmpe.f32", "vcmpe.f64"],
                false => ["vcmp.f32", "vcmp.f64"],
            };
            Some(Plain::changing(of(names), &[to, Operand::Word("#0.0")], 0))
        }
        (7, true) => {
            let (name, to) = match is_double {
                true => ("vcvt.f32.f64", register(bits, 12, 22, false)),
                false => ("vcvt.f64.f32", register(bits, 12, 22, true)),
            };
            Some(Plain::changing(name, &[to, from], 0))
        }
        (8, _) => {
            let names = match high {
                true => ["vcvt.f32.s32", "vcvt.f64.s32"],
                false => ["vcvt.f32.u32", "vcvt.f64.u32"],
            };
            Some(Plain::changing(of(names), &[to, register(bits, 0, 5, false)], 0))
        }
        (12 | 13, _) => {
            let names = match (kind, high) {
                (12, true) => ["vcvt.u32.f32", "vcvt.u32.f64"],
                (12, false) => ["vcvtr.u32.f32", "vcvtr.u32.f64"],
                (_, true) => ["vcvt.s32.f32", "vcvt.s32.f64"],
                (_, false) => ["vcvtr.s32.f32", "vcvtr.s32.f64"],
            };
            Some(Plain::changing(of(names), &[register(bits, 12, 22, false), from], 0))
        }
        _ => Some(Operation::Vector { written: 0 }),
    }
}

/// VLD1 to VLD4 and VST1 to VST4. The A32 form; that of Thumb differs in its upper byte.
pub(super) fn structures(bits: u32) -> Option<Operation> {
    let is_load = flag(bits, 21);
    let first = number(bits, 12, 22, true);
    let (base, by) = (field(bits, 16, 4), field(bits, 0, 4));
    let (form, count, size) = if flag(bits, 23) { lane(bits, is_load)? } else { whole(bits)? };
    let change = match by {
        PC => VectorChange::Never,
        SP => VectorChange::Number(i64::try_from(size).ok()?),
        register => VectorChange::Register(register),
    };
    Some(Operation::VectorTransfer(VectorTransfer {
        form,
        is_load,
        base,
        size,
        displacement: 0,
        change,
        first,
        count,
        is_double: true,
    }))
}

/// How it is written, how many registers it has, and how many bytes.
type Shape = (VectorForm, u32, u64);

fn whole(bits: u32) -> Option<Shape> {
    let (fields, count, step) = match field(bits, 8, 4) {
        0b0111 => (1, 1, 1),
        0b1010 => (1, 2, 1),
        0b0110 => (1, 3, 1),
        0b0010 => (1, 4, 1),
        0b1000 => (2, 2, 1),
        0b1001 => (2, 2, 2),
        0b0011 => (2, 4, 1),
        0b0100 => (3, 3, 1),
        0b0101 => (3, 3, 2),
        0b0000 => (4, 4, 1),
        0b0001 => (4, 4, 2),
        _ => return None,
    };
    let bits_each = 8_u32.checked_shl(field(bits, 6, 2))?;
    let align = [0, 64, 128, 256].get(usize::try_from(field(bits, 4, 2)).ok()?).copied()?;
    let form = VectorForm::Structures { fields, bits: bits_each, step, align };
    Some((form, count, u64::from(count).saturating_mul(8)))
}

fn lane(bits: u32, is_load: bool) -> Option<Shape> {
    let fields = field(bits, 8, 2).saturating_add(1);
    let size = field(bits, 10, 2);
    let detail = field(bits, 4, 4);
    if size == 3 {
        if !is_load {
            return None;
        }
        // To all lanes: T says one register more, or every second one.
        let each = 8_u32.checked_shl(field(bits, 6, 2).min(2))?;
        let is_two = flag(bits, 5);
        let count = if fields == 1 && is_two { 2 } else { fields };
        let step = if fields > 1 && is_two { 2 } else { 1 };
        let align = if flag(bits, 4) { each.saturating_mul(fields) } else { 0 };
        let form = VectorForm::Lane { fields, bits: each, step, lane: None, align };
        let bytes = u64::from(each >> 3).saturating_mul(u64::from(fields));
        return Some((form, count, bytes));
    }
    let each = 8_u32.checked_shl(size)?;
    let (lane, step) = match size {
        0 => (detail >> 1, 1),
        1 => (detail >> 2, 1_u32.saturating_add(detail >> 1 & 1)),
        _ => (detail >> 3, 1_u32.saturating_add(detail >> 2 & 1)),
    };
    let is_aligned = match (fields, size) {
        (1, 0) | (3, _) => false,
        (1, 2) | (4, 2) => detail & 3 != 0,
        _ => detail & 1 == 1,
    };
    let align = match (is_aligned, fields, size, detail & 3) {
        (false, ..) => 0,
        (true, 4, 2, 1) => 64,
        (true, ..) => each.saturating_mul(fields),
    };
    let form = VectorForm::Lane { fields, bits: each, step, lane: Some(lane), align };
    Some((form, fields, u64::from(each >> 3).saturating_mul(u64::from(fields))))
}

/// The name of a load or a store of structures.
pub(super) fn structure_name(is_load: bool, fields: u32) -> &'static str {
    const LOADS: [&str; 4] = ["vld1", "vld2", "vld3", "vld4"];
    const STORES: [&str; 4] = ["vst1", "vst2", "vst3", "vst4"];
    let names = if is_load { &LOADS } else { &STORES };
    one_of(names, fields.saturating_sub(1)).unwrap_or("vld1")
}
