//! RISC-V instructions without what depends on their place. Compressed ones are hashed in
//! their full form: which of the two the linker leaves depends on distances.

use std::collections::BTreeSet;

use super::code_word::Word as CodeWord;
use super::flow::Target;
use super::riscv_word::{
    AUIPC, BRANCH, Fetched, IMMEDIATE, JAL, JALR, LOAD, LOAD_FLOAT, STORE, STORE_FLOAT, Word, fetch,
};
use super::steps;
use obit_corefile::addr::{Avma, Svma};
use obit_corefile::arch::Decoder;

const NOP: u32 = 0x13;
const UPPER_20: u32 = 0xffff_f000;
const I_IMMEDIATE: u32 = 0xfff0_0000;
const S_IMMEDIATE: u32 = 0xfe00_0f80;

pub(super) fn words(start: Svma, code: &[u8]) -> Vec<CodeWord> {
    let mut words = Vec::new();
    // Registers that hold the upper part of an address: the next to use one adds the rest.
    let mut upper: BTreeSet<u32> = BTreeSet::new();
    let (mut at, mut rest) = (0_u64, code);
    while !rest.is_empty() {
        let address = Avma(start.0.wrapping_add(at));
        let (len, word) = match fetch(address, rest) {
            Some(Fetched::Word(word)) => (usize::try_from(word.len).unwrap_or(4), Some(word)),
            Some(Fetched::Other(len) | Fetched::Bad(len)) => (len, None),
            None => (rest.len(), None),
        };
        let (bytes, after) = rest.split_at_checked(len).unwrap_or((rest, &[]));
        words.push(match word {
            Some(word) if word.bits == NOP => CodeWord { at, bytes: Vec::new(), target: None },
            Some(word) => {
                let (kept, target) = without_place(word, &upper);
                CodeWord { at, bytes: kept.to_le_bytes().to_vec(), target }
            }
            None => CodeWord { at, bytes: bytes.to_vec(), target: None },
        });
        if let Some(word) = word {
            follow(word, bytes, &mut upper);
        }
        at = at.saturating_add(bytes.len() as u64);
        rest = after;
    }
    words
}

/// What remains of an instruction, and where it leads.
fn without_place(word: Word, upper: &BTreeSet<u32>) -> (u32, Option<u64>) {
    let by_upper = upper.contains(&word.rs1());
    match word.opcode() {
        JAL => (word.bits & !UPPER_20, Some(word.jump_target().0)),
        BRANCH => (word.bits & !S_IMMEDIATE, Some(word.branch_target().0)),
        AUIPC => (word.bits & !UPPER_20, None),
        LOAD | LOAD_FLOAT | IMMEDIATE | JALR if by_upper => (word.bits & !I_IMMEDIATE, None),
        STORE | STORE_FLOAT if by_upper => (word.bits & !S_IMMEDIATE, None),
        _ => (word.bits, None),
    }
}

/// Keeps account of which registers hold the upper part of an address.
fn follow(word: Word, bytes: &[u8], upper: &mut BTreeSet<u32>) {
    if word.opcode() == AUIPC {
        upper.insert(word.rd());
        return;
    }
    if upper.is_empty() {
        return;
    }
    for write in steps(Decoder::Riscv, word.address, bytes).iter().flat_map(|step| &step.writes) {
        if let Target::Register(part) = write.to {
            upper.remove(&u32::from(part.register.0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CodePlace, code_hash};

    fn unnamed(_: Svma) -> Option<String> {
        None
    }

    fn hash(start: u64, words: &[u32]) -> String {
        let code: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let place = CodePlace { fixed: None, counted_from: None, name_of: &unnamed };
        code_hash(Decoder::Riscv, Svma(start), &code, &place).unwrap().to_string()
    }

    #[test]
    fn distances_do_not_count_and_offsets_of_members_do() {
        // auipc a0, 0x2; ld a0, 16(a0); ld a1, 8(a0); jal far away; ret
        let here = hash(0x1000, &[0x2517, 0x0105_3503, 0x0085_3583, 0x0400_00ef, 0x8067]);
        let there = hash(0x9000, &[0x5517, 0x0305_3503, 0x0085_3583, 0x7400_00ef, 0x8067]);
        let member = hash(0x1000, &[0x2517, 0x0105_3503, 0x0105_3583, 0x0400_00ef, 0x8067]);
        assert_eq!(here, there);
        assert_ne!(here, member);
    }
}
