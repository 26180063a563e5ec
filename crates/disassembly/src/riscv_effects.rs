//! Effects of RISC-V instructions: loads, stores, indirect jumps, traps. Division never
//! fails there.

use super::effects::{Effects, InstructionKind, Source};
use super::riscv_word::{EBREAK, Fetched, JALR, SYSTEM, UNIMP, Word, ZERO, fetch, general};
use obit_corefile::addr::Avma;

/// Everything else is `None`: nothing is known of it, not that it does nothing.
pub(super) fn effects(start: Avma, code: &[u8]) -> Option<Effects> {
    let without_access = |kind| Some(Effects { kind, accesses: Vec::new() });
    let word = match fetch(start, code)? {
        Fetched::Word(word) => word,
        // `unimp` in its short form is two bytes of zero.
        Fetched::Bad(_) => return without_access(InstructionKind::Trap),
        Fetched::Other(_) => return None,
    };
    if matches!(word.bits, EBREAK | UNIMP) {
        return without_access(InstructionKind::Trap);
    }
    if word.opcode() == JALR && word.rs1() != ZERO {
        let source = Source::Register(general(word.rs1(), 8));
        return without_access(InstructionKind::IndirectBranch(source));
    }
    if is_privileged(word) {
        return without_access(InstructionKind::Privileged);
    }
    let access = word.access()?;
    Some(Effects { kind: InstructionKind::Plain, accesses: vec![access] })
}

/// Returns from traps, waits, fences of address spaces, and registers that only the kernel
/// may touch (The RISC-V Instruction Set Manual, Volume II, "CSR Address Mapping
/// Conventions").
fn is_privileged(word: Word) -> bool {
    if word.opcode() != SYSTEM {
        return false;
    }
    match word.funct3() {
        0 => matches!(word.bits, 0x1020_0073 | 0x3020_0073 | 0x1050_0073) || word.funct7() == 9,
        4 => false,
        _ => word.field(28, 2) != 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::effects::{AccessMode, MemoryOperand};

    fn of(code: &[u8]) -> Option<Effects> {
        effects(Avma(0x1000), code)
    }

    /// What it does, of how many bytes, at which register and offset.
    fn decoded(word: u32) -> (AccessMode, u64, u16, i64) {
        let effects = of(&word.to_le_bytes()).unwrap();
        let access: MemoryOperand = effects.accesses[0];
        let base = access.base.unwrap().register.0;
        (access.mode, access.size.unwrap(), base, access.displacement)
    }

    const READ: AccessMode = AccessMode::Read;
    const WRITE: AccessMode = AccessMode::Write;

    #[test]
    fn loads_and_stores_name_their_base_and_offset() {
        // ld a0, 8(a0); sw a1, -4(sp); lbu a2, 0(a3); fld fa0, 16(s0); fsw fa1, -8(s1)
        assert_eq!(decoded(0x0085_3503), (READ, 8, 10, 8));
        assert_eq!(decoded(0xfeb1_2e23), (WRITE, 4, 2, -4));
        assert_eq!(decoded(0x0006_c603), (READ, 1, 13, 0));
        assert_eq!(decoded(0x0104_3507), (READ, 8, 8, 16));
        assert_eq!(decoded(0xfeb4_ac27), (WRITE, 4, 9, -8));
    }

    #[test]
    fn compressed_loads_and_stores_are_those_they_stand_for() {
        // c.ld a5, 8(a0); c.sw a4, 4(a5); c.ldsp ra, 24(sp); c.sdsp s0, 16(sp)
        assert_eq!(decoded(0x651c), (READ, 8, 10, 8));
        assert_eq!(decoded(0xc3d8), (WRITE, 4, 15, 4));
        assert_eq!(decoded(0x60e2), (READ, 8, 2, 24));
        assert_eq!(decoded(0xe822), (WRITE, 8, 2, 16));
    }

    #[test]
    fn atomic_accesses_are_at_their_base() {
        // lr.w.aq a0, (a1); sc.d a0, a2, (a1); amoadd.w.aqrl a0, a2, (a1)
        assert_eq!(decoded(0x1405_a52f), (READ, 4, 11, 0));
        assert_eq!(decoded(0x18c5_b52f), (WRITE, 8, 11, 0));
        assert_eq!(decoded(0x06c5_a52f), (AccessMode::ReadWrite, 4, 11, 0));
    }

    #[test]
    fn jumps_name_their_register_and_traps_are_traps() {
        let kind = |code: &[u8]| of(code).unwrap().kind;
        let by = |number| InstructionKind::IndirectBranch(Source::Register(general(number, 8)));
        // jalr ra, 0(a5); c.jr ra; c.jalr a0
        assert_eq!(kind(&0x0007_80e7_u32.to_le_bytes()), by(15));
        assert_eq!(kind(&[0x82, 0x80]), by(1));
        assert_eq!(kind(&[0x02, 0x95]), by(10));
        // ebreak; c.ebreak; unimp; c.unimp
        for code in [&[0x73, 0, 0x10, 0][..], &[2, 0x90], &[0x73, 0x10, 0, 0xc0], &[0, 0]] {
            assert_eq!(kind(code), InstructionKind::Trap, "{code:?}");
        }
        // csrr a0, satp; rdcycle a0
        assert_eq!(kind(&0x1800_2573_u32.to_le_bytes()), InstructionKind::Privileged);
        assert_eq!(of(&0xc000_2573_u32.to_le_bytes()), None);
    }

    #[test]
    fn what_is_cut_off_is_unknown() {
        assert_eq!(of(&[0x03, 0x35, 0x85]), None);
        assert_eq!(of(&[0x03]), None);
    }
}
