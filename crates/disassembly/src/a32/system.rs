//! Hints, barriers, status registers, coprocessors: what both encodings have.

use super::fields::{field, flag};
use super::operation::{Operand, Operation, Plain, bit};

/// NOP and its kin.
pub(super) fn hint(number: u32, is_wide: bool) -> Option<Operation> {
    let name = match number {
        0 => "nop",
        1 => "yield",
        2 => "wfe",
        3 => "wfi",
        4 => "sev",
        5 => "sevl",
        0x14 => "csdb",
        0xf0..=0xff => "dbg",
        _ => return Some(with_width("nop", &[Operand::Braced(number)], is_wide)),
    };
    match number {
        0xf0.. => Some(with_width(name, &[Operand::Number(field(number, 0, 4))], false)),
        0x14 => Some(with_width(name, &[], false)),
        _ => Some(with_width(name, &[], is_wide)),
    }
}

fn with_width(name: &'static str, operands: &[Operand], is_wide: bool) -> Operation {
    match Plain::changing(name, operands, 0) {
        Operation::Plain(plain) => Operation::Plain(Plain { is_wide, ..plain }),
        other => other,
    }
}

/// CLREX, DSB, DMB, ISB.
pub(super) fn barrier(kind: u32, domain: u32) -> Option<Operation> {
    let name = match kind {
        1 => return Some(Plain::setting("clrex", &[])),
        4 => "dsb",
        5 => "dmb",
        6 => "isb",
        _ => return None,
    };
    let word = match domain {
        15 => "sy",
        14 => "st",
        11 => "ish",
        10 => "ishst",
        7 => "un",
        6 => "unst",
        3 => "osh",
        2 => "oshst",
        13 => "ld",
        9 => "ishld",
        5 => "nshld",
        1 => "oshld",
        _ => return Some(Plain::setting(name, &[Operand::Number(domain)])),
    };
    Some(Plain::setting(name, &[Operand::Word(word)]))
}

/// The parts of a status register that are written.
pub(super) fn status(is_saved: bool, mask: u32) -> &'static str {
    const NOW: [&str; 16] = [
        "CPSR_",
        "CPSR_c",
        "CPSR_x",
        "CPSR_xc",
        "CPSR_s",
        "CPSR_sc",
        "CPSR_sx",
        "CPSR_sxc",
        "CPSR_f",
        "CPSR_fc",
        "CPSR_fx",
        "CPSR_fxc",
        "CPSR_fs",
        "CPSR_fsc",
        "CPSR_fsx",
        "CPSR_fsxc",
    ];
    const SAVED: [&str; 16] = [
        "SPSR_",
        "SPSR_c",
        "SPSR_x",
        "SPSR_xc",
        "SPSR_s",
        "SPSR_sc",
        "SPSR_sx",
        "SPSR_sxc",
        "SPSR_f",
        "SPSR_fc",
        "SPSR_fx",
        "SPSR_fxc",
        "SPSR_fs",
        "SPSR_fsc",
        "SPSR_fsx",
        "SPSR_fsxc",
    ];
    let names = if is_saved { &SAVED } else { &NOW };
    usize::try_from(mask).ok().and_then(|mask| names.get(mask)).copied().unwrap_or("CPSR")
}

/// Moves between a coprocessor and registers, and its own computations. `is_second` for
/// the forms with a `2`.
pub(super) fn system_registers(bits: u32, is_second: bool) -> Option<Operation> {
    let number = Operand::Bare(field(bits, 8, 4));
    let register = field(bits, 12, 4);
    if field(bits, 21, 7) == 0b110_0010 {
        let (name, written) = match (flag(bits, 20), is_second) {
            (false, false) => ("mcrr", 0),
            (false, true) => ("mcrr2", 0),
            (true, false) => ("mrrc", bit(register) | bit(field(bits, 16, 4))),
            (true, true) => ("mrrc2", bit(register) | bit(field(bits, 16, 4))),
        };
        let operands = [
            number,
            Operand::Bare(field(bits, 4, 4)),
            Operand::Register(register),
            Operand::Register(field(bits, 16, 4)),
            Operand::Control(field(bits, 0, 4)),
        ];
        return Some(Plain::changing(name, &operands, written));
    }
    if field(bits, 24, 4) != 0b1110 {
        return None;
    }
    let (left, right) = (field(bits, 16, 4), field(bits, 0, 4));
    let ends =
        [Operand::Control(left), Operand::Control(right), Operand::Braced(field(bits, 5, 3))];
    if !flag(bits, 4) {
        let name = if is_second { "cdp2" } else { "cdp" };
        let first = [number, Operand::Bare(field(bits, 20, 4)), Operand::Control(register)];
        let all = [first[0], first[1], first[2], ends[0], ends[1], ends[2]];
        return Some(Plain::changing(name, &all, 0));
    }
    let (name, written) = match (flag(bits, 20), is_second) {
        (false, false) => ("mcr", 0),
        (false, true) => ("mcr2", 0),
        (true, false) => ("mrc", bit(register) & 0x7fff),
        (true, true) => ("mrc2", bit(register) & 0x7fff),
    };
    let first = [number, Operand::Bare(field(bits, 21, 3)), Operand::Register(register)];
    let all = [first[0], first[1], first[2], ends[0], ends[1], ends[2]];
    Some(Plain::changing(name, &all, written))
}

/// What has the bits of a coprocessor and no condition: the forms with a `2`, and vector
/// instructions of ARMv8.
pub(super) fn advanced(bits: u32) -> Option<Operation> {
    match field(bits, 8, 4) {
        10 | 11 => Some(Operation::Vector { written: 0 }),
        _ => system_registers(bits, true),
    }
}
