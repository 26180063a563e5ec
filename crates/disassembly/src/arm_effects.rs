//! Effects of AArch64 instructions: loads, stores, indirect branches, traps (Arm
//! Architecture Reference Manual, C4.1 "A64 instruction set encoding").

use super::arm_fields::{SP_OR_ZERO, at_base, field, register, signed};
use super::arm_structures::structure;
use super::arm_sve::contiguous;
use super::effects::{AccessMode, Effects, InstructionKind, MemoryOperand, Part, Source};
use obit_corefile::addr::Avma;

/// The link register.
const LR: u32 = 30;

/// Everything else is `None`: nothing is known of it, not that it does nothing.
pub(super) fn effects(start: Avma, code: &[u8]) -> Option<Effects> {
    let word = u32::from_le_bytes(*code.first_chunk()?);
    let without_access = |kind| Effects { kind, accesses: Vec::new() };
    // UDF: the upper half is zero; BRK: 1101 0100 001 imm16 00000.
    if word >> 16 == 0 || word & 0xffe0_001f == 0xd420_0000 {
        return Some(without_access(InstructionKind::Trap));
    }
    if let Some(target) = branch_register(word) {
        let source = Source::Register(register(target));
        return Some(without_access(InstructionKind::IndirectBranch(source)));
    }
    let access = match field(word, 27, 3) {
        0b001 if field(word, 26, 1) == 0 => exclusive(word),
        0b001 => structure(word),
        0b011 => literal(start, word).or_else(|| ordered(word)),
        0b101 => pair(word),
        0b111 => single(word).or_else(|| atomic(word)),
        _ => zero_block(word).or_else(|| contiguous(word)),
    }?;
    Some(Effects { kind: InstructionKind::Plain, accesses: vec![access] })
}

/// The register that BR, BLR and RET go by, and those that authenticate it first.
fn branch_register(word: u32) -> Option<u32> {
    // 1101011 opc 11111 op3 Rn op4
    if word & 0xfe1f_0000 != 0xd61f_0000 {
        return None;
    }
    let (opc, op3, by, op4) =
        (field(word, 21, 4), field(word, 10, 6), field(word, 5, 5), field(word, 0, 5));
    match (opc, op3) {
        (0b0000..=0b0010, 0) if op4 == 0 => Some(by),
        // RETAA, RETAB
        (0b0010, 2 | 3) if (by, op4) == (SP_OR_ZERO, SP_OR_ZERO) => Some(LR),
        // BRAAZ, BLRAAZ; BRAA, BLRAA
        (0b0000 | 0b0001, 2 | 3) if op4 == SP_OR_ZERO => Some(by),
        (0b1000 | 0b1001, 2 | 3) => Some(by),
        _ => None,
    }
}

/// A load or store of one register (size 111 V .. opc): with an unsigned offset, a signed
/// one, one that is written back, or a register.
pub(super) fn single(word: u32) -> Option<MemoryOperand> {
    if field(word, 27, 3) != 0b111 {
        return None;
    }
    let (scale, mode) = scale_and_mode(word)?;
    let bytes = 1_u64.checked_shl(scale)?;
    let operand = |displacement| at_base(word, mode, bytes, displacement);
    if field(word, 24, 2) == 0b01 {
        let offset = u64::from(field(word, 10, 12)).checked_mul(bytes)?;
        return Some(operand(i64::try_from(offset).ok()?));
    }
    if field(word, 24, 2) != 0 {
        return None;
    }
    match (field(word, 21, 1), field(word, 10, 2)) {
        (0, 0b01) => Some(operand(0)), // after the access the base moves
        (0, 0b00 | 0b11) => Some(operand(signed(field(word, 12, 9), 9))),
        // LDTR, STTR and their kin.
        (0, 0b10) if field(word, 26, 1) == 0 => Some(operand(signed(field(word, 12, 9), 9))),
        (1, 0b10) => {
            let shift = if field(word, 12, 1) == 1 { scale } else { 0 };
            let times = 1_u64.checked_shl(shift)?;
            let number = field(word, 16, 5);
            // UXTW, LSL, SXTW, SXTX
            let (size, index_is_signed) = match field(word, 13, 3) {
                0b010 => (4, false),
                0b011 | 0b111 => (8, false),
                0b110 => (4, true),
                _ => return None,
            };
            if number == SP_OR_ZERO {
                return Some(operand(0)); // xzr
            }
            let index = Some((Part { size, ..register(number) }, times));
            Some(MemoryOperand { index, index_is_signed, ..operand(0) })
        }
        _ => None,
    }
}

/// Of a load or store of one register the binary logarithm of its bytes and what it does.
fn scale_and_mode(word: u32) -> Option<(u32, AccessMode)> {
    let (size, vector, opc) = (field(word, 30, 2), field(word, 26, 1), field(word, 22, 2));
    Some(match (vector, size, opc) {
        // PRFM, and what is not allocated.
        (0, 3, 2) | (0, 2.., 3) => return None,
        (0, _, 0) => (size, AccessMode::Write),
        (0, _, _) => (size, AccessMode::Read),
        (_, 0, 2) => (4, AccessMode::Write),
        (_, 0, 3) => (4, AccessMode::Read),
        (_, _, 0) => (size, AccessMode::Write),
        (_, _, 1) => (size, AccessMode::Read),
        _ => return None,
    })
}

/// Atomic operations on memory (LDADD, SWP and their kin), and LDAPR.
fn atomic(word: u32) -> Option<MemoryOperand> {
    // size 111 0 00 A R 1 Rs o3 opc 00 Rn Rt
    if word & 0x3f20_0c00 != 0x3820_0000 {
        return None;
    }
    let bytes = 1_u64.checked_shl(field(word, 30, 2))?;
    let (ordering, other) = (field(word, 22, 2), field(word, 16, 5));
    let (mode, bytes) = match field(word, 12, 4) {
        // LDADD, LDCLR, LDEOR, LDSET, LDSMAX, LDSMIN, LDUMAX, LDUMIN; SWP
        0b0000..=0b1000 => (AccessMode::ReadWrite, bytes),
        // LDAPR
        0b1100 if (ordering, other) == (0b10, SP_OR_ZERO) => (AccessMode::Read, bytes),
        // ST64B, ST64BV, ST64BV0; LD64B
        0b1001..=0b1011 if (bytes, ordering) == (8, 0) => (AccessMode::Write, 64),
        0b1101 if (bytes, ordering) == (8, 0) => (AccessMode::Read, 64),
        _ => return None,
    };
    Some(at_base(word, mode, bytes, 0))
}

/// A load or store of two registers (opc 101 V): the offset counts in registers.
pub(super) fn pair(word: u32) -> Option<MemoryOperand> {
    if field(word, 27, 3) != 0b101 || field(word, 25, 1) != 0 {
        return None;
    }
    let is_load = field(word, 22, 1) == 1;
    // What the offset counts in, and all that is moved.
    let (step, bytes): (i64, u64) = match (field(word, 26, 1), field(word, 30, 2)) {
        // STGP: the offset counts in what one tag is of.
        (0, 1) if !is_load => (16, 16),
        (0, 0) | (0, 1) | (1, 0) => (4, 8),
        (0, 2) | (1, 1) => (8, 16),
        (1, 2) => (16, 32),
        _ => return None,
    };
    let offset = signed(field(word, 15, 7), 7).checked_mul(step)?;
    let mode = if is_load { AccessMode::Read } else { AccessMode::Write };
    // 001: after the access the base moves.
    let displacement = if field(word, 23, 2) == 0b01 { 0 } else { offset };
    Some(at_base(word, mode, bytes, displacement))
}

/// Exclusive and ordered accesses, compare and swap.
fn exclusive(word: u32) -> Option<MemoryOperand> {
    // size 001000 o2 L o1 Rs o0 Rt2 Rn Rt
    if field(word, 24, 2) != 0 {
        return None;
    }
    let bytes = 1_u64.checked_shl(field(word, 30, 2))?;
    let is_load = field(word, 22, 1) == 1;
    let mode = if is_load { AccessMode::Read } else { AccessMode::Write };
    match (field(word, 23, 1), field(word, 21, 1)) {
        // LDXR, STXR; LDAR, STLR
        (_, 0) => Some(at_base(word, mode, bytes, 0)),
        // LDXP, STXP
        (0, _) if bytes >= 4 => Some(at_base(word, mode, bytes.checked_mul(2)?, 0)),
        // CASP: two of four or of eight bytes. CAS
        (0, _) => Some(at_base(word, AccessMode::ReadWrite, bytes.checked_mul(8)?, 0)),
        _ => Some(at_base(word, AccessMode::ReadWrite, bytes, 0)),
    }
}

/// A load from near the instruction.
fn literal(start: Avma, word: u32) -> Option<MemoryOperand> {
    // opc 011 V 00 imm19 Rt
    if field(word, 24, 2) != 0 {
        return None;
    }
    let bytes = match (field(word, 26, 1), field(word, 30, 2)) {
        (_, 0) | (0, 2) => 4,
        (_, 1) => 8,
        (1, 2) => 16,
        // PRFM
        _ => return None,
    };
    let distance = signed(field(word, 5, 19), 19).checked_mul(4)?;
    let at = start.0.wrapping_add_signed(distance).cast_signed();
    Some(MemoryOperand { base: None, ..at_base(word, AccessMode::Read, bytes, at) })
}

/// LDAPUR, STLUR and their kin; the stores and loads of tags.
fn ordered(word: u32) -> Option<MemoryOperand> {
    // .. 011 V 01 ..
    if field(word, 24, 2) != 1 {
        return None;
    }
    let offset = signed(field(word, 12, 9), 9);
    let (vector, form) = (field(word, 26, 1), field(word, 10, 2));
    match (field(word, 21, 1), vector, form) {
        (0, 0, 0b00) | (0, 1, 0b10) => {
            let (scale, mode) = scale_and_mode(word)?;
            Some(at_base(word, mode, 1_u64.checked_shl(scale)?, offset))
        }
        // STG, STZG, ST2G, STZ2G, in steps of what one tag is of; LDG.
        (1, 0, _) if field(word, 30, 2) == 3 => {
            let opc = field(word, 22, 2);
            let (mode, bytes) = match (opc, form) {
                (0b01, 0b00) => (AccessMode::Read, 16),
                // STZGM, STGM, LDGM: for the kernel.
                (_, 0b00) => return None,
                (0b00 | 0b01, _) => (AccessMode::Write, 16),
                _ => (AccessMode::Write, 32),
            };
            let displacement = if form == 0b01 { 0 } else { offset.checked_mul(16)? };
            Some(at_base(word, mode, bytes, displacement))
        }
        _ => None,
    }
}

/// DC ZVA, DC GVA, DC GZVA: a block as long as the processor likes, that the address lies in.
fn zero_block(word: u32) -> Option<MemoryOperand> {
    let number = match word & 0xffff_ffe0 {
        0xd50b_7420 | 0xd50b_7460 | 0xd50b_7480 => field(word, 0, 5),
        _ => return None,
    };
    let base = (number != SP_OR_ZERO).then(|| register(number));
    Some(MemoryOperand { size: None, base, ..at_base(word, AccessMode::Write, 0, 0) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(word: u32) -> Option<Effects> {
        effects(Avma(0x1000), &word.to_le_bytes())
    }

    fn access(word: u32) -> MemoryOperand {
        of(word).unwrap().accesses[0]
    }

    /// What it does, of how many bytes, at which register and offset.
    fn decoded(word: u32) -> (AccessMode, u64, u16, i64) {
        let access = access(word);
        let base = access.base.unwrap().register.0;
        (access.mode, access.size.unwrap(), base, access.displacement)
    }

    const READ: AccessMode = AccessMode::Read;
    const WRITE: AccessMode = AccessMode::Write;
    const BOTH: AccessMode = AccessMode::ReadWrite;

    #[test]
    fn loads_and_stores_name_their_base_and_offset() {
        // ldr x0, [x0, #8]; str w1, [x2, #-4]!; ldrsb w3, [sp], #1; ldtrh w0, [x1, #-2]
        assert_eq!(decoded(0xf940_0400), (READ, 8, 0, 8));
        assert_eq!(decoded(0xb81f_cc41), (WRITE, 4, 2, -4));
        assert_eq!(decoded(0x38c0_17e3), (READ, 1, 31, 0));
        assert_eq!(decoded(0x785f_e820), (READ, 2, 1, -2));
    }

    #[test]
    fn vector_registers_are_loaded_and_stored_like_others() {
        // str q0, [x1, #16]; ldr q0, [x0]; ldr d1, [x1, #8]; ldur s0, [x0, #-4];
        // str h0, [x1], #2; ldr b0, [x1]
        assert_eq!(decoded(0x3d80_0420), (WRITE, 16, 1, 16));
        assert_eq!(decoded(0x3dc0_0000), (READ, 16, 0, 0));
        assert_eq!(decoded(0xfd40_0421), (READ, 8, 1, 8));
        assert_eq!(decoded(0xbc5f_c000), (READ, 4, 0, -4));
        assert_eq!(decoded(0x7c00_2420), (WRITE, 2, 1, 0));
        assert_eq!(decoded(0x3d40_0020), (READ, 1, 1, 0));
    }

    #[test]
    fn an_index_is_extended_and_scaled_as_the_load_says() {
        let index = |word| (access(word).index, access(word).index_is_signed);
        let half = Part { size: 4, ..register(2) };
        // ldr x0, [x1, x2, lsl #3]; ldr w0, [x1, w2, uxtw]; ldr w0, [x1, w2, sxtw #2]
        assert_eq!(index(0xf862_7820), (Some((register(2), 8)), false));
        assert_eq!(index(0xb862_4820), (Some((half, 1)), false));
        assert_eq!(index(0xb862_d820), (Some((half, 4)), true));
        // ldr x0, [x1, xzr]
        assert_eq!(index(0xf87f_6820), (None, false));
    }

    #[test]
    fn a_pair_counts_its_offset_in_registers() {
        // stp x29, x30, [sp, #-32]!; ldp x0, x1, [x2], #16; ldpsw x0, x1, [x2, #8]
        assert_eq!(decoded(0xa9be_7bfd), (WRITE, 16, 31, -32));
        assert_eq!(decoded(0xa8c1_0440), (READ, 16, 2, 0));
        assert_eq!(decoded(0x6941_0440), (READ, 8, 2, 8));
        // ldp q0, q1, [x1, #32]; stnp d0, d1, [x0, #16]; stgp x0, x1, [x2, #16]
        assert_eq!(decoded(0xad41_0420), (READ, 32, 1, 32));
        assert_eq!(decoded(0x6c01_0400), (WRITE, 16, 0, 16));
        assert_eq!(decoded(0x6900_8440), (WRITE, 16, 2, 16));
    }

    #[test]
    fn exclusive_and_ordered_accesses_are_at_their_base() {
        // ldxr w0, [x1]; stlxrb w2, w0, [x1]; ldar x0, [x1]; stlr x0, [x1]
        assert_eq!(decoded(0x885f_7c20), (READ, 4, 1, 0));
        assert_eq!(decoded(0x0802_fc20), (WRITE, 1, 1, 0));
        assert_eq!(decoded(0xc8df_fc20), (READ, 8, 1, 0));
        assert_eq!(decoded(0xc89f_fc20), (WRITE, 8, 1, 0));
        // ldaxp x0, x2, [x1]; stxp w3, w0, w2, [x1]; ldapr x0, [x1]; stlur w0, [x1, #-8]
        assert_eq!(decoded(0xc87f_8820), (READ, 16, 1, 0));
        assert_eq!(decoded(0x8823_0820), (WRITE, 8, 1, 0));
        assert_eq!(decoded(0xf8bf_c020), (READ, 8, 1, 0));
        assert_eq!(decoded(0x991f_8020), (WRITE, 4, 1, -8));
    }

    #[test]
    fn what_is_read_and_written_at_once_does_both() {
        // ldadd x2, x0, [x1]; swpalb w2, w0, [x1]; casal w2, w0, [x1];
        // casp x2, x3, x4, x5, [x1]; casp w2, w3, w4, w5, [x1]
        assert_eq!(decoded(0xf822_0020), (BOTH, 8, 1, 0));
        assert_eq!(decoded(0x38e2_8020), (BOTH, 1, 1, 0));
        assert_eq!(decoded(0x88e2_fc20), (BOTH, 4, 1, 0));
        assert_eq!(decoded(0x4822_7c24), (BOTH, 16, 1, 0));
        assert_eq!(decoded(0x0822_7c24), (BOTH, 8, 1, 0));
    }

    #[test]
    fn a_load_from_near_the_instruction_has_its_address() {
        // ldr x0, .+8; ldr q0, .-4; ldrsw x0, .+8
        let at = |word| (access(word).base, access(word).displacement, access(word).size);
        assert_eq!(at(0x5800_0040), (None, 0x1008, Some(8)));
        assert_eq!(at(0x9cff_ffe0), (None, 0xffc, Some(16)));
        assert_eq!(at(0x9800_0040), (None, 0x1008, Some(4)));
    }

    #[test]
    fn blocks_are_zeroed_and_tagged() {
        // dc zva, x3; stg x0, [x1, #16]; stz2g x0, [x1], #32; ldg x0, [x1]
        let zeroed = access(0xd50b_7423);
        assert_eq!((zeroed.mode, zeroed.size, zeroed.base), (WRITE, None, Some(register(3))));
        assert_eq!(decoded(0xd920_1820), (WRITE, 16, 1, 16));
        assert_eq!(decoded(0xd9e0_2420), (WRITE, 32, 1, 0));
        assert_eq!(decoded(0xd960_0020), (READ, 16, 1, 0));
    }

    #[test]
    fn branches_name_the_register_they_go_by() {
        // br x16; blr x3; ret; ret x5; retaa; braa x16, x17; blraaz x3
        let branches = [
            (0xd61f_0200, 16),
            (0xd63f_0060, 3),
            (0xd65f_03c0, 30),
            (0xd65f_00a0, 5),
            (0xd65f_0bff, 30),
            (0xd71f_0a11, 16),
            (0xd63f_087f, 3),
        ];
        for (word, by) in branches {
            let by = InstructionKind::IndirectBranch(Source::Register(register(by)));
            assert_eq!(of(word), Some(Effects { kind: by, accesses: Vec::new() }), "{word:x}");
        }
        // b .+4; bl .+4; eret
        for word in [0x1400_0001, 0x9400_0001, 0xd69f_03e0] {
            assert_eq!(of(word), None, "{word:x}");
        }
    }

    #[test]
    fn traps_are_known_and_of_other_code_nothing_is() {
        // udf #0; brk #0x3e8
        for word in [0_u32, 0xd420_7d00] {
            assert_eq!(of(word).map(|effects| effects.kind), Some(InstructionKind::Trap));
        }
        // add x0, x0, #1; prfm pldl1keep, [x0]; ldraa x0, [x1]; dc civac, x0
        for word in [0x9100_0400, 0xf980_0000, 0xf820_0420, 0xd50b_7e20] {
            assert_eq!(of(word), None, "{word:x}");
        }
    }
}
