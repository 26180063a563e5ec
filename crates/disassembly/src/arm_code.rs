//! AArch64 instructions without what depends on their place (Arm Architecture Reference
//! Manual, C4.1 "A64 instruction set encoding").

use std::collections::BTreeSet;

use super::code_word::Word;
use super::flow::Target;
use super::steps;
use obit_corefile::addr::{Avma, Svma};
use obit_corefile::arch::Decoder;

const NOP: u32 = 0xd503_201f;

pub(super) fn words(start: Svma, code: &[u8]) -> Vec<Word> {
    let (instructions, rest) = code.as_chunks::<4>();
    // Registers that hold the address of a page: the next to use one adds where in it.
    let mut pages: BTreeSet<u32> = BTreeSet::new();
    let mut words = Vec::new();
    for (nth, bytes) in instructions.iter().enumerate() {
        let at = (nth as u64).saturating_mul(4);
        let address = start.0.wrapping_add(at);
        let bits = u32::from_le_bytes(*bytes);
        if bits == NOP {
            words.push(Word { at, bytes: Vec::new(), target: None });
            continue;
        }
        let (kept, target) = without_place(bits, address, &pages);
        words.push(Word { at, bytes: kept.to_le_bytes().to_vec(), target });
        follow(bits, address, bytes, &mut pages);
    }
    if !rest.is_empty() {
        let at = (instructions.len() as u64).saturating_mul(4);
        words.push(Word { at, bytes: rest.to_vec(), target: None });
    }
    words
}

/// What remains of an instruction, and where it leads.
fn without_place(bits: u32, address: u64, pages: &BTreeSet<u32>) -> (u32, Option<u64>) {
    let is = |mask: u32, value: u32| bits & mask == value;
    let near = |low: u32, len: u32| {
        let words = signed(field(bits, low, len), len);
        (bits & !(ones(len) << low), Some(address.wrapping_add_signed(words.wrapping_mul(4))))
    };
    // B, BL
    if is(0x7c00_0000, 0x1400_0000) {
        return near(0, 26);
    }
    // B.cond, BC.cond; CBZ, CBNZ; LDR of what lies near
    if is(0xff00_0000, 0x5400_0000) || is(0x7e00_0000, 0x3400_0000) || is(0x3b00_0000, 0x1800_0000)
    {
        return near(5, 19);
    }
    // TBZ, TBNZ
    if is(0x7e00_0000, 0x3600_0000) {
        return near(5, 14);
    }
    // ADR, ADRP
    if is(0x1f00_0000, 0x1000_0000) {
        let kept = bits & !((ones(19) << 5) | (ones(2) << 29));
        let distance = signed((field(bits, 5, 19) << 2) | field(bits, 29, 2), 21);
        let is_page = field(bits, 31, 1) == 1;
        return (kept, (!is_page).then(|| address.wrapping_add_signed(distance)));
    }
    // ADD with an immediate; loads and stores with an unsigned offset
    let adds = is(0x7f80_0000, 0x1100_0000) || is(0x3b00_0000, 0x3900_0000);
    if adds && pages.contains(&field(bits, 5, 5)) {
        return (bits & !(ones(12) << 10), None);
    }
    (bits, None)
}

/// Keeps account of which registers hold addresses of pages.
fn follow(bits: u32, address: u64, bytes: &[u8], pages: &mut BTreeSet<u32>) {
    if bits & 0x9f00_0000 == 0x9000_0000 {
        pages.insert(field(bits, 0, 5));
        return;
    }
    if pages.is_empty() {
        return;
    }
    for write in steps(Decoder::Aarch64, Avma(address), bytes).iter().flat_map(|step| &step.writes)
    {
        if let Target::Register(part) = write.to {
            pages.remove(&u32::from(part.register.0));
        }
    }
}

fn field(bits: u32, low: u32, len: u32) -> u32 {
    (bits >> low) & ones(len)
}

/// So many ones, at most 31.
fn ones(len: u32) -> u32 {
    1_u32.checked_shl(len).unwrap_or(0).wrapping_sub(1)
}

/// The number of `len` bits, with its sign.
fn signed(value: u32, len: u32) -> i64 {
    let unused = 64_u32.saturating_sub(len);
    (u64::from(value) << unused).cast_signed() >> unused
}
