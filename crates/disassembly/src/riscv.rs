//! RISC-V as the GNU assembler writes it.

use super::riscv_text::text;
use super::riscv_word::{BRANCH, Fetched, JAL, fetch};
use super::{BAD, Instruction};
use obit_corefile::addr::Avma;

pub(super) fn disassemble(start: Avma, mut code: &[u8], most: usize) -> Vec<Instruction> {
    let mut instructions = Vec::new();
    let mut address = start;
    while instructions.len() < most
        && let Some(fetched) = fetch(address, code)
    {
        let instruction = match fetched {
            Fetched::Word(word) => {
                let len = usize::try_from(word.len).unwrap_or(4);
                let target = match word.opcode() {
                    JAL => Some(word.jump_target()),
                    BRANCH => Some(word.branch_target()),
                    _ => None,
                };
                let text = text(word).unwrap_or_else(|| raw(code, len));
                Instruction { address, len, text, target }
            }
            Fetched::Other(len) => Instruction { address, len, text: raw(code, len), target: None },
            Fetched::Bad(len) if code.starts_with(&[0, 0]) => {
                Instruction { address, len, text: "unimp".to_owned(), target: None }
            }
            Fetched::Bad(len) => Instruction { address, len, text: BAD.to_owned(), target: None },
        };
        address = Avma(address.0.wrapping_add(instruction.len as u64));
        code = code.get(instruction.len..).unwrap_or_default();
        instructions.push(instruction);
    }
    instructions
}

/// The bytes of an instruction that has no name here.
fn raw(code: &[u8], len: usize) -> String {
    let bytes = code.get(..len).unwrap_or_default();
    let number = bytes.iter().rev().fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
    format!(".{len}byte 0x{number:x}")
}
