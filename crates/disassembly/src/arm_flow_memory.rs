//! What AArch64 loads and stores move (Arm Architecture Reference Manual, C4.1.94 "Loads and
//! stores").

use super::arm_effects;
use super::arm_fields::{SP_OR_ZERO, signed};
use super::arm_word::{Word, general, nowhere, set_vector, sum, unknown, vector};
use super::effects::{AccessMode, MemoryOperand, Part};
use super::flow::{Target, Term, Write};

pub(super) fn writes(word: Word) -> Vec<Write> {
    let known = match word.field(27, 3) {
        0b111 => single(word),
        0b101 => pair(word),
        0b011 => literal(word).or_else(|| unscaled_ordered(word)),
        0b001 if !word.flag(26) => exclusive(word),
        0b001 => structure(word),
        _ => None,
    };
    known.unwrap_or_else(|| unknown_access(word))
}

/// One register.
fn single(word: Word) -> Option<Vec<Write>> {
    let (size, opc) = (word.field(30, 2), word.field(22, 2));
    let is_offset = word.flag(24);
    let form = word.field(10, 2);
    // PRFM loads nothing that is seen.
    if !word.flag(26) && size == 3 && opc == 2 && (is_offset || word.flag(21) || form == 0) {
        return Some(Vec::new());
    }
    if !is_offset && word.flag(21) && form != 0b10 {
        return atomic(word, size);
    }
    let target = word.field(0, 5);
    let mut writes = moved(word, arm_effects::single(word.bits)?, target);
    // Before or after the access the base moves.
    if !is_offset && form & 1 == 1 {
        writes.extend(moved_base(word, signed(word.field(12, 9), 9)));
    }
    Some(writes)
}

/// What one register and memory exchange.
fn moved(word: Word, memory: MemoryOperand, target: u32) -> Vec<Write> {
    let size = memory.size.unwrap_or(8);
    let opc = word.field(22, 2);
    match (memory.mode, word.flag(26)) {
        (AccessMode::Read, true) => set_vector(target, Term::Memory(memory)),
        (AccessMode::Read, false) => {
            let is_signed = word.field(27, 3) == 0b111 && opc >= 2;
            let wide = if opc == 2 { 8 } else { 4 };
            let term = match is_signed && size < wide {
                true => Term::SignExtendedMemory(memory, wide),
                false => Term::Memory(memory),
            };
            word.set(target, term)
        }
        (_, true) => {
            let from = Term::Register(Part { size, ..vector(target) });
            vec![Write { to: Target::Memory(memory), from }]
        }
        (_, false) => {
            vec![Write { to: Target::Memory(memory), from: word.read(target, size) }]
        }
    }
}

/// Atomic operations, and loads with an authenticated pointer.
fn atomic(word: Word, size: u32) -> Option<Vec<Write>> {
    let target = word.field(0, 5);
    if word.field(10, 2) != 0 {
        // LDRAA, LDRAB
        let mut writes = word.set(target, Term::Unknown);
        if word.flag(11) {
            writes.extend(word.set_or_sp(word.field(5, 5), Term::Unknown));
        }
        return Some(writes);
    }
    let bytes = 1_u64.checked_shl(size)?;
    let base = Some(general(word.field(5, 5), 8));
    let memory = MemoryOperand { size: Some(bytes), ..sum(base, None, 0, 8) };
    // LDAPR
    if word.field(12, 4) == 0b1100 && word.field(16, 5) == SP_OR_ZERO && !word.flag(26) {
        return Some(word.set(target, Term::Memory(memory)));
    }
    // LD64B, ST64B: eight registers, 64 bytes.
    let is_block = word.flag(15) && word.field(12, 3) != 0;
    let memory = MemoryOperand { size: memory.size.filter(|_| !is_block), ..memory };
    let registers = if is_block { 8 } else { 1 };
    let mut writes: Vec<Write> = (target..target.saturating_add(registers))
        .filter(|to| *to < SP_OR_ZERO)
        .flat_map(|to| word.set(to, Term::Unknown))
        .collect();
    if word.flag(26) {
        writes = set_vector(target, Term::Unknown);
    }
    writes.push(unknown(Target::Memory(MemoryOperand { mode: AccessMode::Write, ..memory })));
    Some(writes)
}

/// Two registers.
fn pair(word: Word) -> Option<Vec<Write>> {
    let (vector, opc, is_load) = (word.flag(26), word.field(30, 2), word.flag(22));
    let is_tagged = !vector && opc == 1 && !is_load;
    if opc == 3 || is_tagged || word.flag(25) {
        return None;
    }
    let both = arm_effects::pair(word.bits)?;
    let size = both.size.and_then(|size| size.checked_div(2))?;
    let first = MemoryOperand { size: Some(size), ..both };
    let displacement = both.displacement.wrapping_add_unsigned(size);
    let second = MemoryOperand { displacement, ..first };
    let mut writes = Vec::new();
    for (memory, target) in [(first, word.field(0, 5)), (second, word.field(10, 5))] {
        if !vector && opc == 1 {
            // LDPSW
            writes.extend(word.set(target, Term::SignExtendedMemory(memory, 8)));
        } else {
            writes.extend(moved(word, memory, target));
        }
    }
    // 001 after, 011 before the access.
    if word.flag(23) {
        let offset = signed(word.field(15, 7), 7).checked_mul(size.cast_signed())?;
        writes.extend(moved_base(word, offset));
    }
    Some(writes)
}

fn moved_base(word: Word, offset: i64) -> Vec<Write> {
    let base = word.field(5, 5);
    word.set_or_sp(base, Term::Address(sum(Some(general(base, 8)), None, offset, 8)))
}

/// A load from near the instruction.
fn literal(word: Word) -> Option<Vec<Write>> {
    if word.field(24, 2) != 0 {
        return None;
    }
    let distance = signed(word.field(5, 19), 19).checked_mul(4)?;
    let at = word.address.0.wrapping_add_signed(distance).cast_signed();
    let load = |size| MemoryOperand { size: Some(size), ..sum(None, None, at, 8) };
    let target = word.field(0, 5);
    Some(match (word.flag(26), word.field(30, 2)) {
        (false, 0) => word.set(target, Term::Memory(load(4))),
        (false, 1) => word.set(target, Term::Memory(load(8))),
        (false, 2) => word.set(target, Term::SignExtendedMemory(load(4), 8)),
        (false, _) => Vec::new(), // PRFM
        (true, 0) => set_vector(target, Term::Memory(load(4))),
        (true, 1) => set_vector(target, Term::Memory(load(8))),
        (true, 2) => set_vector(target, Term::Memory(load(16))),
        _ => return None,
    })
}

/// LDAPUR, STLUR and their kin of general registers.
fn unscaled_ordered(word: Word) -> Option<Vec<Write>> {
    if word.field(24, 2) != 1 || word.flag(26) || word.flag(21) || word.field(10, 2) != 0 {
        return None;
    }
    let (size, opc, target) = (word.field(30, 2), word.field(22, 2), word.field(0, 5));
    let base = Some(general(word.field(5, 5), 8));
    let offset = signed(word.field(12, 9), 9);
    let memory =
        MemoryOperand { size: Some(1_u64.checked_shl(size)?), ..sum(base, None, offset, 8) };
    Some(match opc {
        0 => {
            let to = Target::Memory(MemoryOperand { mode: AccessMode::Write, ..memory });
            vec![Write { to, from: word.read(target, 1_u64.checked_shl(size)?) }]
        }
        1 => word.set(target, Term::Memory(memory)),
        2 => word.set(target, Term::SignExtendedMemory(memory, 8)),
        _ => word.set(target, Term::SignExtendedMemory(memory, 4)),
    })
}

/// Exclusive and ordered accesses, compare and swap.
fn exclusive(word: Word) -> Option<Vec<Write>> {
    if word.field(24, 2) != 0 {
        return None;
    }
    let (is_ordered, is_load, is_two) = (word.flag(23), word.flag(22), word.flag(21));
    let (target, second, status) = (word.field(0, 5), word.field(10, 5), word.field(16, 5));
    let size = 1_u64.checked_shl(word.field(30, 2))?;
    let base = Some(general(word.field(5, 5), 8));
    let memory = MemoryOperand { size: Some(size), ..sum(base, None, 0, 8) };
    let wide = MemoryOperand { size: None, ..memory };
    let written = |memory| Target::Memory(MemoryOperand { mode: AccessMode::Write, ..memory });
    let lose = |number| word.set(number, Term::Unknown);
    Some(match (is_ordered, is_two, is_load) {
        // LDAR, LDXR
        (_, false, true) => word.set(target, Term::Memory(memory)),
        // STLR
        (true, false, false) => {
            vec![Write { to: written(memory), from: word.read(target, size) }]
        }
        // STXR writes unless another processor wrote in between.
        (false, false, false) => {
            let mut writes = lose(status);
            writes.push(unknown(written(memory)));
            writes
        }
        // CAS
        (true, true, _) => {
            let mut writes = lose(status);
            writes.push(unknown(written(memory)));
            writes
        }
        // CASP; LDXP; STXP
        (false, true, _) if size < 4 => {
            let mut writes = lose(status);
            writes.extend(lose(status | 1));
            writes.push(unknown(written(wide)));
            writes
        }
        (false, true, true) => {
            let mut writes = lose(target);
            writes.extend(lose(second));
            writes
        }
        (false, true, false) => {
            let mut writes = lose(status);
            writes.push(unknown(written(wide)));
            writes
        }
    })
}

/// Structures of one to four vector registers.
fn structure(word: Word) -> Option<Vec<Write>> {
    let mut writes = match word.flag(22) {
        true => word.vector_run(word.field(0, 5), 4),
        false => {
            let base = Some(general(word.field(5, 5), 8));
            let memory = MemoryOperand { mode: AccessMode::Write, ..sum(base, None, 0, 8) };
            vec![unknown(Target::Memory(memory))]
        }
    };
    if word.flag(23) {
        writes.extend(word.set_or_sp(word.field(5, 5), Term::Unknown));
    }
    Some(writes)
}

/// All that a load or store could change: copies of memory and tags among them.
fn unknown_access(word: Word) -> Vec<Write> {
    let mut writes = word.anything();
    for number in [word.field(5, 5), word.field(10, 5), word.field(16, 5)] {
        writes.extend(word.set_or_sp(number, Term::Unknown));
    }
    let memory = MemoryOperand { mode: AccessMode::Write, ..nowhere() };
    writes.push(unknown(Target::Memory(memory)));
    writes
}

#[cfg(test)]
mod tests {
    use super::*;
    use obit_corefile::addr::Avma;

    fn writes(bits: u32) -> Vec<Write> {
        super::writes(Word { bits, address: Avma(0x1000) })
    }

    fn x(number: u32) -> Part {
        general(number, 8)
    }

    fn read(base: u32, displacement: i64, size: u64) -> MemoryOperand {
        MemoryOperand { size: Some(size), ..sum(Some(x(base)), None, displacement, 8) }
    }

    fn load(to: Part, base: u32, displacement: i64, size: u64) -> Write {
        let from = Term::Memory(read(base, displacement, size));
        Write { to: Target::Register(to), from }
    }

    fn store(base: u32, displacement: i64, from: Part) -> Write {
        let memory = read(base, displacement, from.size);
        let to = Target::Memory(MemoryOperand { mode: AccessMode::Write, ..memory });
        Write { to, from: Term::Register(from) }
    }

    fn add(base: u32, number: i64) -> Write {
        let from = Term::Address(sum(Some(x(base)), None, number, 8));
        Write { to: Target::Register(x(base)), from }
    }

    #[test]
    fn loads_and_stores_have_their_address_and_size() {
        // ldr x0, [x1, #8]; ldrb w0, [x1]; ldursw x0, [x1, #-4]; str w2, [sp, #12]
        assert_eq!(writes(0xf940_0420), [load(x(0), 1, 8, 8)]);
        assert_eq!(writes(0x3940_0020), [load(x(0), 1, 0, 1)]);
        let signed = Term::SignExtendedMemory(read(1, -4, 4), 8);
        let signed = Write { to: Target::Register(x(0)), from: signed };
        assert_eq!(writes(0xb89f_c020), [signed]);
        assert_eq!(writes(0xb900_0fe2), [store(31, 12, general(2, 4))]);
        // ldr x0, [x1, w2, sxtw #3]; ldtr x0, [x1, #8]
        let index = Some((general(2, 4), 8));
        let extended = MemoryOperand { index, index_is_signed: true, ..read(1, 0, 8) };
        let extended = Write { to: Target::Register(x(0)), from: Term::Memory(extended) };
        assert_eq!(writes(0xf862_d820), [extended]);
        assert_eq!(writes(0xf840_8820), [load(x(0), 1, 8, 8)]);
        // ldr x0, [x1, x2, lsl #3]; ldr x0, .+8; str xzr, [x1]; str q0, [x1, #16]
        let indexed = MemoryOperand { index: Some((x(2), 8)), ..read(1, 0, 8) };
        let indexed = Write { to: Target::Register(x(0)), from: Term::Memory(indexed) };
        assert_eq!(writes(0xf862_7820), [indexed]);
        let near = MemoryOperand { base: None, ..read(1, 0x1008, 8) };
        let near = Write { to: Target::Register(x(0)), from: Term::Memory(near) };
        assert_eq!(writes(0x5800_0040), [near]);
        assert_eq!(writes(0xf900_003f)[0].from, Term::Constant(0));
        assert_eq!(writes(0x3d80_0420), [store(1, 16, vector(0))]);
    }

    #[test]
    fn a_base_that_moves_is_written_too() {
        // str x0, [sp, #-16]!; ldr x0, [x1], #8; stp x29, x30, [sp, #-32]!; ldp x0, x1, [x2]
        assert_eq!(writes(0xf81f_0fe0), [store(31, -16, x(0)), add(31, -16)]);
        assert_eq!(writes(0xf840_8420), [load(x(0), 1, 0, 8), add(1, 8)]);
        let pushed = [store(31, -32, x(29)), store(31, -24, x(30)), add(31, -32)];
        assert_eq!(writes(0xa9be_7bfd), pushed);
        assert_eq!(writes(0xa940_0440), [load(x(0), 2, 0, 8), load(x(1), 2, 8, 8)]);
    }

    #[test]
    fn atomic_accesses_name_what_they_change() {
        // ldar x0, [x1]; stlr x0, [x1]; stxr w2, x0, [x1]; ldadd x2, x0, [x1]; cas x2, x0, [x1]
        assert_eq!(writes(0xc8df_fc20), [load(x(0), 1, 0, 8)]);
        assert_eq!(writes(0xc89f_fc20), [store(1, 0, x(0))]);
        for (word, changed) in [(0xc802_7c20, 2), (0xf822_0020, 0), (0xc8a2_7c20, 2)] {
            let lost = unknown(Target::Register(x(changed)));
            let stored = Write { from: Term::Unknown, ..store(1, 0, x(0)) };
            assert_eq!(writes(word), [lost, stored], "{word:x}");
        }
    }

    #[test]
    fn structures_change_up_to_four_vectors() {
        // ld4 {v30.16b - v1.16b}, [x1], #64
        let lost: Vec<Target> = writes(0x4cdf_003e).iter().map(|write| write.to).collect();
        let vectors = [30, 31, 0, 1].map(|number| Target::Register(vector(number)));
        assert_eq!(lost[..4], vectors);
        assert_eq!(lost[4], Target::Register(x(1)));
    }

    #[test]
    fn what_is_not_understood_may_write_anywhere() {
        // cpyfp [x0]!, [x1]!, x2!
        let lost = writes(0x1901_0440);
        for number in [0, 1, 2] {
            assert!(lost.contains(&unknown(Target::Register(x(number)))));
        }
        let anywhere = MemoryOperand { mode: AccessMode::Write, ..nowhere() };
        assert!(lost.contains(&unknown(Target::Memory(anywhere))));
    }
}
