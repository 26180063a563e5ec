//! A32 and Thumb instructions without what depends on their place. Literals do not count,
//! since most are distances and addresses; nor do tables of jumps.

use std::collections::BTreeMap;
use std::ops::Range;

use super::operation::{Instruction, Operation, Set};
use super::walk::{Piece, Walk};
use crate::code_word::{CodePlace, Word};
use obit_corefile::addr::{Avma, Svma};

pub(crate) fn words(set: Set, start: Svma, code: &[u8], place: &CodePlace<'_>) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    // The lower halves of numbers by register: the word, and the half.
    let mut lower: BTreeMap<u32, (usize, u32)> = BTreeMap::new();
    for piece in Walk::new(set, Avma(start.0), code) {
        match piece {
            Piece::Instruction(instruction) => {
                let at = instruction.address.0.wrapping_sub(start.0);
                let kept = instruction.bits & !instruction.place;
                let bytes = if is_padding(&instruction) { Vec::new() } else { bytes(kept) };
                let target = target(&instruction);
                words.push(Word { at, bytes, target });
                if let Some(fixed) = &place.fixed {
                    without_address(&instruction, fixed, &mut lower, &mut words);
                }
            }
            Piece::Data(data) => {
                let at = data.address.0.wrapping_sub(start.0);
                words.push(Word { at, bytes: Vec::new(), target: None });
            }
            Piece::Unknown(data) => {
                let at = data.address.0.wrapping_sub(start.0);
                words.push(Word { at, bytes: bytes(data.bits), target: None });
            }
        }
    }
    words
}

fn bytes(bits: u32) -> Vec<u8> {
    bits.to_le_bytes().to_vec()
}

fn is_padding(instruction: &Instruction) -> bool {
    matches!(instruction.operation, Operation::Plain(plain) if plain.name == "nop")
}

/// Where it leads.
fn target(instruction: &Instruction) -> Option<u64> {
    match instruction.operation {
        Operation::Jump { to, .. } | Operation::ZeroJump { to, .. } => Some(to.0),
        _ => None,
    }
}

/// MOVW and MOVT that make an address of the image.
fn without_address(
    instruction: &Instruction,
    fixed: &Range<u64>,
    lower: &mut BTreeMap<u32, (usize, u32)>,
    words: &mut [Word],
) {
    let Operation::Half { is_top, to, value } = instruction.operation else { return };
    let last = words.len().saturating_sub(1);
    if !is_top {
        lower.insert(to, (last, value));
        return;
    }
    let Some((first, low)) = lower.remove(&to) else { return };
    if fixed.contains(&(u64::from(value) << 16 | u64::from(low))) {
        for index in [first, last] {
            if let Some(word) = words.get_mut(index) {
                // The register stays.
                word.bytes = vec![u8::from(is_top), u8::try_from(to).unwrap_or(u8::MAX)];
            }
        }
    }
}
