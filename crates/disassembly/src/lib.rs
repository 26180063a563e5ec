//! Machine code as text. Knows one instruction set at a time and nothing of processes:
//! the caller supplies names for addresses.
//!
//! Not for: finding where functions begin, and running code.
//!
//! ```
//! use obit_corefile::addr::Avma;
//! use obit_corefile::arch::Decoder;
//! use obit_disassembly::{AccessMode, Flavor, effects, first};
//!
//! let code = [0x48, 0x8b, 0x40, 0x08];
//! let x86 = Decoder::X86 { bits: 64 };
//! let instruction = first(x86, Flavor::Att, Avma(0x1139), &code).ok_or("cut off")?;
//! assert_eq!((instruction.text.as_str(), instruction.len), ("mov    0x8(%rax),%rax", 4));
//!
//! let effects = effects(x86, Avma(0x1139), &code).ok_or("cut off")?;
//! let access = effects.accesses.first().ok_or("no access")?;
//! assert_eq!((access.mode, access.displacement, access.size), (AccessMode::Read, 8, Some(8)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | question | where |
//! |---|---|
//! | the text of instructions | [`disassemble`], [`first`], [`Flavor`] |
//! | what one reads, writes and computes | [`effects`], [`Effects`], [`MemoryOperand`] |
//! | what one computes of numbers, and its condition | [`arithmetic`], [`Arithmetic`], [`Condition`] |
//! | what a function does to registers, and where it goes on | [`steps`], [`Step`], [`Next`] |
//! | whether two builds have the same code | [`code_hash`] |
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
// What reads files must survive any: no index, no sum that may overflow.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

mod a32;
mod arithmetic;
mod arm;
mod arm_code;
mod arm_effects;
mod arm_fields;
mod arm_flow;
mod arm_flow_memory;
mod arm_structures;
mod arm_sve;
mod arm_word;
mod code_hash;
mod code_word;
mod effects;
mod flow;
mod riscv;
mod riscv_code;
mod riscv_effects;
mod riscv_flow;
mod riscv_text;
mod riscv_word;
mod x86;
mod x86_arithmetic;
mod x86_code;
mod x86_effects;
mod x86_flow;
mod x86_text;
mod x86_vectors;

pub use arithmetic::{Arithmetic, Condition, Operation, Operator};
pub use code_hash::{CodeHash, MOST_CODE, code_hash};
pub use code_word::CodePlace;
pub use effects::{AccessMode, Effects, InstructionKind, MemoryOperand, Part, Source};
pub use flow::{Next, Step, Target, Term, Write};

use obit_corefile::addr::Avma;
use obit_corefile::arch::Decoder;

/// How x86 instructions are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Flavor {
    /// As gcc and gdb do: `mov 0x8(%rax),%rbx`.
    #[default]
    Att,
    /// As the manuals do: `mov rbx,[rax+0x8]`.
    Intel,
}

/// One instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// Its first byte.
    pub address: Avma,
    /// Its length in bytes.
    pub len: usize,
    /// What it does, in the assembler's words; `(bad)` where there is no such instruction.
    pub text: String,
    /// The address that it jumps to, calls or names by its distance.
    pub target: Option<Avma>,
}

/// The text where no instruction can be decoded.
pub const BAD: &str = "(bad)";

/// Decodes `code`, which lies at `start` and begins with an instruction, up to the last
/// one that is whole. Data among 32-bit Arm code are there as directives (`.word`).
pub fn disassemble(decoder: Decoder, flavor: Flavor, start: Avma, code: &[u8]) -> Vec<Instruction> {
    up_to(decoder, flavor, start, code, usize::MAX)
}

/// The first of these instructions. Cheaper than [`disassemble`] where what follows it would
/// take tables that it does not.
pub fn first(decoder: Decoder, flavor: Flavor, start: Avma, code: &[u8]) -> Option<Instruction> {
    up_to(decoder, flavor, start, code, 1).into_iter().next()
}

/// The instructions of `code`, which lies at `start`, around the one at `pc`: so many before it,
/// and at most so many behind it while `is_wanted` takes their addresses. Empty where none begins
/// at `pc`. Cheaper than [`disassemble`]: the others are not written.
pub fn around(
    decoder: Decoder,
    flavor: Flavor,
    (start, code): (Avma, &[u8]),
    pc: Avma,
    (before, after): (usize, usize),
    is_wanted: impl Fn(Avma) -> bool,
) -> Vec<Instruction> {
    if let Decoder::X86 { bits } = decoder {
        return x86::around(bits, flavor, (start, code), pc, (before, after), is_wanted);
    }
    let mut all = disassemble(decoder, flavor, start, code);
    let Some(current) = all.iter().position(|instruction| instruction.address == pc) else {
        return Vec::new();
    };
    all.truncate(current.saturating_add(after).saturating_add(1));
    let shown = all.into_iter().skip(current.saturating_sub(before));
    shown.take_while(|instruction| is_wanted(instruction.address)).collect()
}

fn up_to(
    decoder: Decoder,
    flavor: Flavor,
    start: Avma,
    code: &[u8],
    most: usize,
) -> Vec<Instruction> {
    match decoder {
        Decoder::X86 { bits } => x86::disassemble(bits, flavor, start, code, most),
        Decoder::Aarch64 => {
            let most = most.saturating_mul(4).min(code.len());
            arm::disassemble(start, code.get(..most).unwrap_or_default())
        }
        Decoder::Riscv => riscv::disassemble(start, code, most),
        Decoder::A32 => a32::disassemble(a32::Set::A32, start, code, most),
        Decoder::Thumb => a32::disassemble(a32::Set::Thumb, start, code, most),
    }
}

/// The effects of the instruction at `start` that `code` begins with. `None` if it is cut
/// off, and where nothing is known of it.
pub fn effects(decoder: Decoder, start: Avma, code: &[u8]) -> Option<Effects> {
    match decoder {
        Decoder::X86 { bits } => x86_effects::effects(bits, start, code),
        Decoder::Aarch64 => arm_effects::effects(start, code),
        Decoder::Riscv => riscv_effects::effects(start, code),
        Decoder::A32 => a32::effects(a32::Set::A32, start, code),
        Decoder::Thumb => a32::effects(a32::Set::Thumb, start, code),
    }
}

/// What the instruction at `start` that `code` begins with computes, and the condition it depends
/// on. `None` if it is cut off, and on other machines than x86.
pub fn arithmetic(decoder: Decoder, start: Avma, code: &[u8]) -> Option<Arithmetic> {
    match decoder {
        Decoder::X86 { bits } => x86_arithmetic::arithmetic(bits, start, code),
        _ => None,
    }
}

/// The steps of `code`, which lies at `start` and begins with an instruction, up to the first
/// byte that is no instruction or the last that is whole. Of 32-bit Arm, data among the code
/// are left out, and what is no instruction ends the way to it.
pub fn steps(decoder: Decoder, start: Avma, code: &[u8]) -> Vec<Step> {
    match decoder {
        Decoder::X86 { bits } => x86_flow::steps(bits, start, code),
        Decoder::Aarch64 => arm_flow::steps(start, code),
        Decoder::Riscv => riscv_flow::steps(start, code),
        Decoder::A32 => a32::steps(a32::Set::A32, start, code),
        Decoder::Thumb => a32::steps(a32::Set::Thumb, start, code),
    }
}

/// Bytes of each instruction, where all have the same: decoding may begin anywhere.
pub fn fixed_length(decoder: Decoder) -> Option<u64> {
    match decoder {
        Decoder::Aarch64 | Decoder::A32 => Some(4),
        Decoder::Riscv | Decoder::Thumb | Decoder::X86 { .. } => None,
    }
}
