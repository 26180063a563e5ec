//! What a `what()` that only hands out a text would return: its few instructions are
//! computed on the object as it lies in the core.

use std::collections::HashMap;

use super::c_text;
use obit_corefile::addr::Avma;
use obit_corefile::arch::{Machine, Register};
use obit_corefile::memory::AddressSpace;
use obit_disassembly::{MemoryOperand, Next, Part, Target, Term, steps};

/// Bytes of a function that are looked at.
const MOST_CODE: usize = 64;
/// A stack that is nowhere: what is stored there is kept aside.
const STACK: u64 = 0xffff_ff00_0000_0000;

/// The text that the function at `what` returns for the object at `this`; `None` if it does
/// more than load: calls, branches, computes.
pub(super) fn returned_text(
    memory: &AddressSpace,
    machine: Machine,
    what: Avma,
    this: u64,
) -> Option<String> {
    let facts = machine.facts()?;
    let (first, result) = (*facts.arguments.first()?, facts.result?);
    let mut state = State { memory, registers: HashMap::new(), stored: HashMap::new() };
    state.registers.insert(first, this);
    state.registers.insert(facts.sp, STACK);
    // Registers of eight bytes are followed.
    let decoder = machine.decoder().filter(|_| facts.word == 8)?;
    for step in steps(decoder, what, &memory.read_up_to(what, MOST_CODE)) {
        match step.next {
            Next::Falls => {}
            Next::Ends => return c_text(memory, Avma(*state.registers.get(&result)?)),
            Next::Jumps(_) | Next::Branches(_) | Next::Calls(_) => return None,
        }
        // All of a step speaks of the state before it.
        let values: Vec<_> =
            step.writes.iter().map(|write| (write.to, state.term(write.from))).collect();
        for (to, value) in values {
            state.write(to, value);
        }
    }
    None
}

struct State<'m> {
    memory: &'m AddressSpace,
    registers: HashMap<Register, u64>,
    /// Words written to the stack that is nowhere.
    stored: HashMap<u64, u64>,
}

impl State<'_> {
    fn part(&self, part: Part) -> Option<u64> {
        let whole = self.registers.get(&part.register)?;
        match (part.shift, part.size) {
            (0, 8) => Some(*whole),
            (0, 4) => Some(whole & u64::from(u32::MAX)),
            _ => None,
        }
    }

    fn address(&self, operand: &MemoryOperand) -> Option<u64> {
        if operand.segment.is_some() || operand.index.is_some() {
            return None;
        }
        let base = operand.base.map_or(Some(0), |base| self.part(base))?;
        Some(base.wrapping_add(operand.displacement.cast_unsigned()))
    }

    fn term(&self, term: Term) -> Option<u64> {
        match term {
            Term::Constant(value) => Some(value),
            Term::Register(part) => self.part(part),
            Term::Address(operand) => self.address(&operand),
            Term::Memory(operand) if operand.size == Some(8) => {
                let at = self.address(&operand)?;
                let stored = self.stored.get(&at).copied();
                stored.or_else(|| self.memory.read_word(Avma(at)).ok())
            }
            _ => None,
        }
    }

    fn write(&mut self, to: Target, value: Option<u64>) {
        match to {
            Target::Register(part) => {
                let value = value.filter(|_| part.shift == 0 && part.size == 8);
                match value {
                    Some(value) => self.registers.insert(part.register, value),
                    None => self.registers.remove(&part.register),
                };
            }
            Target::Memory(operand) => {
                let at = self.address(&operand);
                match (at, value) {
                    (Some(at), Some(value)) => {
                        self.stored.insert(at, value);
                    }
                    (Some(at), None) => {
                        self.stored.remove(&at);
                    }
                    (None, _) => self.stored.clear(),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::memory;
    use super::*;

    const CODE: u64 = 0x40_1000;
    const TEXT: u64 = 0x40_2000;
    const OBJECT: u64 = 0x50_0000;

    fn text_of(code: &[u8]) -> Option<String> {
        let object: Vec<u8> = [0, TEXT + 4].iter().flat_map(|word| word.to_le_bytes()).collect();
        let pages = [(CODE, code), (TEXT, b"bad no luck\0".as_slice()), (OBJECT, &object)];
        returned_text(&memory(&pages), Machine::X86_64, Avma(CODE), OBJECT)
    }

    #[test]
    fn a_literal_is_returned() {
        // mov $0x402000,%eax; ret
        assert_eq!(text_of(&[0xb8, 0, 0x20, 0x40, 0, 0xc3]).as_deref(), Some("bad no luck"));
    }

    #[test]
    fn a_member_is_returned_by_way_of_the_stack() {
        // push %rbp; mov %rsp,%rbp; mov %rdi,-8(%rbp); mov -8(%rbp),%rax; mov 8(%rax),%rax
        // pop %rbp; ret
        let code = [
            0x55, 0x48, 0x89, 0xe5, 0x48, 0x89, 0x7d, 0xf8, 0x48, 0x8b, 0x45, 0xf8, 0x48, 0x8b,
            0x40, 0x08, 0x5d, 0xc3,
        ];
        assert_eq!(text_of(&code).as_deref(), Some("no luck"));
    }

    #[test]
    fn a_function_that_calls_is_not_followed() {
        // call .+5; ret
        assert_eq!(text_of(&[0xe8, 0x10, 0, 0, 0, 0xc3]), None);
    }
}
