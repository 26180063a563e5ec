//! Steps of RISC-V instructions: integer and floating-point registers by their DWARF
//! numbers. What vector instructions do with their own registers is not followed.

use super::effects::Part;
use super::flow::{Next, Step, Target, Term, Write};
use super::riscv_word::{
    ATOMIC, AUIPC, BRANCH, EBREAK, ECALL, F0, FENCE, FLOAT, Fetched, IMMEDIATE, IMMEDIATE_32, JAL,
    JALR, LOAD, LOAD_FLOAT, LUI, RA, REGISTERS, REGISTERS_32, STORE, STORE_FLOAT, SYSTEM, T0,
    UNIMP, VECTOR, Word, ZERO, fetch, general, sum,
};
use obit_corefile::addr::Avma;

pub(super) fn steps(start: Avma, mut code: &[u8]) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut address = start;
    while let Some(Fetched::Word(word)) = fetch(address, code) {
        let next = next(word);
        steps.push(Step { address, len: word.len, writes: writes(word), next });
        address = Avma(address.0.wrapping_add(word.len));
        let taken = usize::try_from(word.len).unwrap_or(usize::MAX);
        code = code.get(taken..).unwrap_or_default();
    }
    steps
}

fn next(word: Word) -> Next {
    let links = word.rd() != ZERO;
    match word.opcode() {
        _ if matches!(word.bits, EBREAK | UNIMP) => Next::Ends,
        JAL if links => Next::Calls(Some(word.jump_target())),
        JAL => Next::Jumps(Some(word.jump_target())),
        JALR if links => Next::Calls(None),
        JALR if matches!(word.rs1(), RA | T0) => Next::Ends,
        JALR => Next::Jumps(None),
        BRANCH => Next::Branches(word.branch_target()),
        _ => Next::Falls,
    }
}

fn writes(word: Word) -> Vec<Write> {
    let (rd, rs1) = (word.rd(), word.rs1());
    match word.opcode() {
        LUI => set(rd, Term::Constant(word.upper().cast_unsigned())),
        AUIPC => {
            let address = word.upper_address().0.cast_signed();
            set(rd, Term::Address(sum(None, None, address)))
        }
        LOAD => set(rd, loaded(word)),
        LOAD_FLOAT if word.access().is_some() => set_float(rd, word.funct3(), loaded(word)),
        STORE => store(word, read(word.rs2(), size(word))),
        STORE_FLOAT if word.access().is_some() => {
            let from = general(word.rs2().saturating_add(F0), size(word));
            store(word, if from.size <= 8 { Term::Register(from) } else { Term::Unknown })
        }
        IMMEDIATE => set(rd, immediate(word)),
        // `sext.w`, and constants; other sums of four bytes are extended, which no term says.
        IMMEDIATE_32 => set(
            rd,
            match (word.funct3(), rs1, word.immediate()) {
                (0, ZERO, number) => Term::Constant(number.cast_unsigned()),
                (0, _, 0) => Term::SignExtended(general(rs1, 4), 8),
                // SLLI.UW
                (1, ..) if word.field(26, 6) == 0b00_0010 => shifted(rs1, 4, word.field(20, 6)),
                _ => Term::Unknown,
            },
        ),
        REGISTERS => set(rd, registers(word)),
        REGISTERS_32 => set(rd, registers_32(word)),
        ATOMIC => {
            let mut writes =
                if word.field(27, 5) == 0b00010 { Vec::new() } else { store(word, Term::Unknown) };
            // SC says whether it has stored.
            let is_store = word.field(27, 5) == 0b00011;
            writes.extend(set(rd, if is_store { Term::Unknown } else { loaded(word) }));
            writes
        }
        SYSTEM if word.bits == ECALL => set(10, Term::Unknown),
        SYSTEM if word.funct3() != 0 => set(rd, Term::Unknown),
        FLOAT => float(word),
        // FMADD, FMSUB, FNMSUB, FNMADD
        0x43 | 0x47 | 0x4b | 0x4f => set(rd.saturating_add(F0), Term::Unknown),
        // What a vector instruction leaves in a scalar register, of either kind.
        VECTOR => [set(rd, Term::Unknown), set(rd.saturating_add(F0), Term::Unknown)].concat(),
        LOAD_FLOAT | STORE_FLOAT | FENCE | BRANCH | JAL | JALR | SYSTEM => Vec::new(),
        // Custom and later instructions.
        _ => set(rd, Term::Unknown),
    }
}

/// Additions, constants, copies and shifts to the left.
fn immediate(word: Word) -> Term {
    let (rs1, number) = (word.rs1(), word.immediate());
    match (word.funct3(), rs1, number) {
        (0, ZERO, _) => Term::Constant(number.cast_unsigned()),
        (0, _, 0) => Term::Register(general(rs1, 8)),
        (0, ..) => Term::Address(sum(Some(general(rs1, 8)), None, number)),
        (1, ..) if word.field(26, 6) == 0 => shifted(rs1, 8, word.field(20, 6)),
        // SEXT.B, SEXT.H
        (1, _, 0x604) => Term::SignExtended(general(rs1, 1), 8),
        (1, _, 0x605) => Term::SignExtended(general(rs1, 2), 8),
        // ZEXT.B
        (7, ZERO, _) => Term::Constant(0),
        (7, _, 0xff) => Term::Register(general(rs1, 1)),
        _ => Term::Unknown,
    }
}

fn registers(word: Word) -> Term {
    let (one, other) = (word.rs1(), word.rs2());
    match (word.funct7(), word.funct3()) {
        // ADD, and SH1ADD to SH3ADD, which multiply the first.
        (0, 0) => added(other, one, 8, 0),
        (0x10, shift @ (2 | 4 | 6)) => added(other, one, 8, shift >> 1),
        // SUB, XOR of a register with itself.
        (0x20, 0) | (0, 4) if one == other => Term::Constant(0),
        // SUB, XOR, OR with zero: copies.
        (0x20, 0) | (0, 4 | 6) if other == ZERO => read(one, 8),
        (0, 4 | 6) if one == ZERO => read(other, 8),
        (0, 6 | 7) if one == other => read(one, 8),
        _ => Term::Unknown,
    }
}

fn registers_32(word: Word) -> Term {
    let (one, other) = (word.rs1(), word.rs2());
    match (word.funct7(), word.funct3()) {
        // ADDW of zero.
        (0, 0) if other == ZERO => sign_extended(one),
        (0, 0) if one == ZERO => sign_extended(other),
        (0x20, 0) if one == other => Term::Constant(0),
        // ADD.UW, SH1ADD.UW to SH3ADD.UW; ZEXT.H
        (4, 0) => added(other, one, 4, 0),
        (0x10, shift @ (2 | 4 | 6)) => added(other, one, 4, shift >> 1),
        (4, 4) if other == ZERO => read(one, 2),
        _ => Term::Unknown,
    }
}

/// The sum of `base` and the low `size` bytes of `index`, shifted.
fn added(base: u32, index: u32, size: u64, shift: u32) -> Term {
    match (base, index) {
        (_, ZERO) => read(base, 8),
        (ZERO, _) => shifted(index, size, shift),
        _ => {
            let times = 1_u64.checked_shl(shift).unwrap_or(0);
            Term::Address(sum(Some(general(base, 8)), Some((general(index, size), times)), 0))
        }
    }
}

/// The low `size` bytes of a register, shifted to the left in eight.
fn shifted(from: u32, size: u64, shift: u32) -> Term {
    match (from, shift) {
        (ZERO, _) => Term::Constant(0),
        (_, 0) => Term::Register(general(from, size)),
        _ => match 1_u64.checked_shl(shift) {
            Some(times) => Term::Address(sum(None, Some((general(from, size), times)), 0)),
            None => Term::Unknown,
        },
    }
}

fn sign_extended(from: u32) -> Term {
    if from == ZERO { Term::Constant(0) } else { Term::SignExtended(general(from, 4), 8) }
}

/// What a load or an atomic operation reads.
fn loaded(word: Word) -> Term {
    let Some(operand) = word.access() else { return Term::Unknown };
    let is_unsigned = word.opcode() == LOAD_FLOAT || word.funct3() > 3;
    match operand.size {
        Some(8) => Term::Memory(operand),
        Some(1 | 2 | 4) if is_unsigned => Term::Memory(operand),
        Some(1 | 2 | 4) => Term::SignExtendedMemory(operand, 8),
        _ => Term::Unknown,
    }
}

fn store(word: Word, from: Term) -> Vec<Write> {
    let to = word.access().map(Target::Memory);
    to.map(|to| Write { to, from }).into_iter().collect()
}

/// Bytes of the access.
fn size(word: Word) -> u64 {
    word.access().and_then(|operand| operand.size).unwrap_or(0)
}

/// Moves between registers; everything else makes a number of its own.
fn float(word: Word) -> Vec<Write> {
    let (rd, rs1) = (word.rd(), word.rs1());
    let from = rs1.saturating_add(F0);
    let width = match word.field(25, 2) {
        0 => 2,
        1 => 3,
        _ => return [set(rd, Term::Unknown), set_float(rd, 3, Term::Unknown)].concat(),
    };
    match (word.field(27, 5), word.funct3()) {
        // FSGNJ of a register with itself: FMV.
        (0b00100, 0) if rs1 == word.rs2() => {
            set_float(rd, width, Term::Register(general(from, 1 << width)))
        }
        // FMV.X.W, FMV.X.D
        (0b11100, 0) if width == 2 => set(rd, Term::SignExtended(general(from, 4), 8)),
        (0b11100, 0) => set(rd, Term::Register(general(from, 8))),
        // FMV.W.X, FMV.D.X
        (0b11110, 0) => set_float(rd, width, read(rs1, 1 << width)),
        // FCLASS, comparisons, conversions to integers
        (0b11100 | 0b10100 | 0b11000, _) => set(rd, Term::Unknown),
        _ => set_float(rd, 3, Term::Unknown),
    }
}

/// A write of a floating-point register; above a number of four bytes are ones ("NaN Boxing
/// of Narrower Values").
fn set_float(rd: u32, width: u32, from: Term) -> Vec<Write> {
    let number = rd.saturating_add(F0);
    let write = |part, from| Write { to: Target::Register(part), from };
    let high = Part { shift: 32, ..general(number, 4) };
    match width {
        3 => vec![write(general(number, 8), from)],
        2 => vec![write(general(number, 4), from), write(high, Term::Constant(0xffff_ffff))],
        _ => vec![write(general(number, 8), Term::Unknown)],
    }
}

/// A write of a register by its DWARF number; `x0` is none.
fn set(number: u32, from: Term) -> Vec<Write> {
    if number == ZERO {
        return Vec::new();
    }
    vec![Write { to: Target::Register(general(number, 8)), from }]
}

/// What a general register holds.
fn read(number: u32, size: u64) -> Term {
    if number == ZERO { Term::Constant(0) } else { Term::Register(general(number, size)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::effects::{AccessMode, MemoryOperand};

    fn of(code: &[u8]) -> Step {
        let mut steps = steps(Avma(0x1000), code);
        assert_eq!(steps.len(), 1, "{steps:?}");
        steps.remove(0)
    }

    fn term(word: u32) -> (u32, Term) {
        let step = of(&word.to_le_bytes());
        assert_eq!(step.next, Next::Falls);
        match step.writes[..] {
            [Write { to: Target::Register(part), from }] => (part.register.0.into(), from),
            _ => panic!("{step:?}"),
        }
    }

    fn near(base: u32, displacement: i64, size: u64) -> MemoryOperand {
        let mode = AccessMode::Read;
        MemoryOperand { mode, size: Some(size), ..sum(Some(general(base, 8)), None, displacement) }
    }

    #[test]
    fn what_a_register_gets_is_named() {
        // li a0, -3; mv a1, a2; addi a3, a4, 16; slli a5, a0, 3; lui a0, 0x12345
        assert_eq!(term(0xffd0_0513), (10, Term::Constant(-3_i64 as u64)));
        assert_eq!(term(0x0006_0593), (11, Term::Register(general(12, 8))));
        assert_eq!(term(0x0107_0693), (13, Term::Address(sum(Some(general(14, 8)), None, 16))));
        let times_8 = Some((general(10, 8), 8));
        assert_eq!(term(0x0035_1793), (15, Term::Address(sum(None, times_8, 0))));
        assert_eq!(term(0x1234_5537), (10, Term::Constant(0x1234_5000)));
        // add a0, a1, a2; sh3add a0, a1, a2; add.uw a0, a1, a2; sext.w a0, a1
        let both = sum(Some(general(12, 8)), Some((general(11, 8), 1)), 0);
        assert_eq!(term(0x00c5_8533), (10, Term::Address(both)));
        let eighth = sum(Some(general(12, 8)), Some((general(11, 8), 8)), 0);
        assert_eq!(term(0x20c5_e533), (10, Term::Address(eighth)));
        let low = sum(Some(general(12, 8)), Some((general(11, 4), 1)), 0);
        assert_eq!(term(0x08c5_853b), (10, Term::Address(low)));
        assert_eq!(term(0x0005_851b), (10, Term::SignExtended(general(11, 4), 8)));
        // auipc a0, 0x2; addiw a5, a5, -1
        assert_eq!(term(0x0000_2517), (10, Term::Address(sum(None, None, 0x3000))));
        assert_eq!(term(0xfff7_879b), (15, Term::Unknown));
    }

    #[test]
    fn loads_extend_and_stores_take_what_they_are_wide() {
        // ld a0, 8(a1); lw a0, 8(a1); lwu a0, 8(a1); fld fa0, 8(a1)
        assert_eq!(term(0x0085_b503), (10, Term::Memory(near(11, 8, 8))));
        assert_eq!(term(0x0085_a503), (10, Term::SignExtendedMemory(near(11, 8, 4), 8)));
        assert_eq!(term(0x0085_e503), (10, Term::Memory(near(11, 8, 4))));
        assert_eq!(term(0x0085_b507), (42, Term::Memory(near(11, 8, 8))));
        // sw zero, 4(a0); sh a2, -2(s0)
        let to = |base, at, size| {
            Target::Memory(MemoryOperand { mode: AccessMode::Write, ..near(base, at, size) })
        };
        let stored = of(&0x0005_2223_u32.to_le_bytes()).writes;
        assert_eq!(stored, [Write { to: to(10, 4, 4), from: Term::Constant(0) }]);
        let stored = of(&0xfec4_1f23_u32.to_le_bytes()).writes;
        assert_eq!(stored, [Write { to: to(8, -2, 2), from: Term::Register(general(12, 2)) }]);
    }

    #[test]
    fn a_float_of_four_bytes_has_ones_above() {
        // flw fa0, 0(a0)
        let step = of(&0x0005_2507_u32.to_le_bytes());
        let parts: Vec<_> = step.writes.iter().map(|write| (write.to, write.from)).collect();
        let high = Part { shift: 32, ..general(42, 4) };
        assert_eq!(parts[0], (Target::Register(general(42, 4)), Term::Memory(near(10, 0, 4))));
        assert_eq!(parts[1], (Target::Register(high), Term::Constant(0xffff_ffff)));
    }

    #[test]
    fn execution_goes_on_where_the_instruction_says() {
        let next = |code: &[u8]| of(code).next;
        // jal ra, .+0x40; j .-16; beq a0, a1, .+8; jalr a5; jr a5; ret; ebreak
        assert_eq!(next(&0x0400_00ef_u32.to_le_bytes()), Next::Calls(Some(Avma(0x1040))));
        assert_eq!(next(&0xff1f_f06f_u32.to_le_bytes()), Next::Jumps(Some(Avma(0xff0))));
        assert_eq!(next(&0x00b5_0463_u32.to_le_bytes()), Next::Branches(Avma(0x1008)));
        assert_eq!(next(&[0x82, 0x97]), Next::Calls(None));
        assert_eq!(next(&[0x82, 0x87]), Next::Jumps(None));
        assert_eq!(next(&[0x82, 0x80]), Next::Ends);
        assert_eq!(next(&[0x02, 0x90]), Next::Ends);
        // c.j .-4; c.beqz a0, .+8
        assert_eq!(next(&[0xf5, 0xbf]), Next::Jumps(Some(Avma(0xffc))));
        assert_eq!(next(&[0x01, 0xc5]), Next::Branches(Avma(0x1008)));
    }

    #[test]
    fn decoding_goes_on_over_both_lengths_and_stops_at_none() {
        // c.li a0, 1; addi a0, a0, 1; two bytes of zero
        let code = [0x05, 0x45, 0x13, 0x05, 0x15, 0x00, 0, 0];
        let steps = steps(Avma(0x1000), &code);
        let places: Vec<_> = steps.iter().map(|step| (step.address.0, step.len)).collect();
        assert_eq!(places, [(0x1000, 2), (0x1002, 4)]);
    }
}
