//! Steps by following a function's code from its start to the pc: how far it moved the stack
//! pointer, where it saved registers. For code without CFI whose instructions are decoded.

use std::collections::{HashMap, VecDeque};

use super::budget::take;
use super::without_cfi::{LARGEST_FRAME, Search, Step};
use super::{Activation, Left, Trust};
use obit_corefile::addr::Avma;
use obit_corefile::arch::{Facts, Register, Registers};
use obit_disassembly::{MemoryOperand, Next, Part, Step as Instruction, Target, Term, steps};

/// How much of a function is followed, bytes.
const LARGEST_BODY: u64 = 1 << 16;
/// How much of it behind the pc: branches may lead there and back.
const BEHIND: u64 = 1 << 12;

/// What was found for frames at a pc, by how execution left them.
pub(super) type Followed = HashMap<(Avma, Left), Option<Frame>>;

/// What a function has done to its frame at one of its instructions. Distances are from the
/// stack pointer at its start.
#[derive(Clone)]
pub(super) struct Frame {
    /// The stack pointer; `None` where it was moved by what is not known.
    sp: Option<i64>,
    /// The frame pointer, where it holds an address in the frame, and that.
    fp: Option<(Register, i64)>,
    /// Where registers lie as the caller had them.
    saved: Vec<(Register, i64)>,
    /// Registers that are no longer as the caller had them.
    changed: Vec<Register>,
}

impl Search<'_, '_> {
    /// The caller, by what the code from the function's start to the pc does.
    pub(super) fn by_code(&mut self, frame: &Activation) -> Option<Step> {
        let facts = self.facts;
        let key = (frame.pc, frame.left);
        let begun = match self.followed.get(&key) {
            Some(known) => known.clone()?,
            None => {
                let begun = self.frame_at(frame);
                self.followed.insert(key, begun.clone());
                begun?
            }
        };
        let register = |register| frame.registers.get(register);
        // With a frame pointer the stack pointer may have been moved on some ways only
        // (`alloca`).
        let (base, moved) = match (begun.fp, begun.sp) {
            (Some(fp), _) => fp,
            (None, Some(sp)) => (facts.sp, sp),
            (None, None) => return None,
        };
        let entry = register(base)?.checked_add_signed(moved.checked_neg()?)?;
        if entry.checked_sub(register(facts.sp)?)? > LARGEST_FRAME {
            return None;
        }
        let place = |of| {
            let saved = begun.saved.iter().find(|(saved, _)| *saved == of);
            saved.and_then(|(_, offset)| entry.checked_add_signed(*offset)).map(Avma)
        };
        let value = match facts.link {
            None => self.slot(Avma(entry))?,
            Some(link) => match place(link) {
                Some(at) => self.slot(at)?,
                None if begun.changed.contains(&link) => return None,
                None => register(link)?,
            },
        };
        let (pc, trust) = self.chained(value)?;
        let trust = if trust == Trust::FramePointer { Trust::Code } else { trust };
        let mut registers = Registers::default();
        for of in facts.callee_saved {
            let value = match place(*of) {
                Some(at) => self.slot(at),
                None if begun.changed.contains(of) => None,
                None => register(*of),
            };
            registers.set(*of, value);
        }
        let popped = if facts.link.is_none() { u64::from(facts.word) } else { 0 };
        registers.set(facts.sp, Some(entry.checked_add(popped)?));
        registers.set(facts.pc, Some(pc.0));
        Some(Step { registers, pc, trust })
    }

    /// The function's frame before the instruction at the pc, or before the call that it is
    /// to return from.
    fn frame_at(&mut self, frame: &Activation) -> Option<Frame> {
        let (start, size) = (self.function)()?;
        let at = frame.lookup_pc();
        let before = at.0.checked_sub(start.0).filter(|before| *before < LARGEST_BODY)?;
        let end = if before < size { size } else { before.saturating_add(BEHIND) };
        let len = end.min(before.saturating_add(BEHIND)).min(LARGEST_BODY);
        let code = self.code_from(start, len)?;
        let decoder = (self.decoder_at)(start)?;
        let instructions = steps(decoder, start, &code);
        if !take(self.words, instructions.len()) {
            return None;
        }
        let wanted = instructions.iter().position(|instruction| {
            let end = instruction.address.0.saturating_add(instruction.len);
            (instruction.address.0..end).contains(&at.0)
        })?;
        if frame.left == Left::Interrupted && instructions.get(wanted)?.address != at {
            return None;
        }
        let fp = self.facts.frame_pointer(decoder);
        Follow { facts: self.facts, fp, instructions: &instructions }.to(wanted)
    }

    /// As many bytes of code as there are, at most `len`.
    fn code_from(&mut self, start: Avma, len: u64) -> Option<Vec<u8>> {
        let region = self.memory.space().region_at(start)?;
        let len = len.min(region.range.end.0.checked_sub(start.0)?);
        let mut code = vec![0; usize::try_from(len).ok()?];
        self.memory.read(start, &mut code).ok()?;
        Some(code)
    }
}

/// The way through a function.
struct Follow<'f> {
    facts: &'f Facts,
    /// The register that may be a frame pointer.
    fp: Register,
    instructions: &'f [Instruction],
}

impl Follow<'_> {
    /// The frame before the instruction `wanted`. Where ways meet, the first one counts, since
    /// compilers keep the frame the same on all; those behind the fewest calls come first, as one may
    /// not return, with code of another frame behind it.
    fn to(&self, wanted: usize) -> Option<Frame> {
        let mut seen = vec![false; self.instructions.len()];
        let entry = Frame { sp: Some(0), fp: None, saved: Vec::new(), changed: Vec::new() };
        let mut waiting = vec![(0, entry)];
        let mut behind_calls = VecDeque::new();
        // Where a jump by a table leads is not in the instruction: to what no other way
        // leads to.
        let mut by_table = None;
        let mut unreached = 0;
        loop {
            while let Some((at, frame)) = waiting.pop().or_else(|| behind_calls.pop_front()) {
                let Some(instruction) = self.instructions.get(at) else { continue };
                if at == wanted {
                    return Some(frame);
                }
                match seen.get_mut(at) {
                    Some(seen) if !*seen => *seen = true,
                    _ => continue,
                }
                let after = self.after(&frame, instruction);
                let next = at.saturating_add(1);
                match instruction.next {
                    Next::Falls => waiting.push((next, after)),
                    Next::Calls(_) => behind_calls.push_back((next, after)),
                    Next::Jumps(Some(target)) => {
                        waiting.extend(self.index(target).map(|target| (target, after)));
                    }
                    Next::Branches(target) => {
                        waiting.extend(self.index(target).map(|target| (target, after.clone())));
                        waiting.push((next, after));
                    }
                    Next::Jumps(None) => {
                        by_table.get_or_insert(after);
                    }
                    Next::Ends => {}
                }
            }
            let frame = by_table.clone()?;
            while seen.get(unreached).copied()? {
                unreached = unreached.saturating_add(1);
            }
            waiting.push((unreached, frame));
        }
    }

    fn index(&self, target: Avma) -> Option<usize> {
        self.instructions.binary_search_by_key(&target, |instruction| instruction.address).ok()
    }

    fn after(&self, before: &Frame, instruction: &Instruction) -> Frame {
        let mut after = before.clone();
        for write in &instruction.writes {
            match write.to {
                Target::Register(part) => self.set(before, &mut after, part.register, write.from),
                Target::Memory(operand) => {
                    let Some(at) = self.place(before, &operand) else { continue };
                    let end = at.saturating_add_unsigned(operand.size.unwrap_or(0));
                    let word = i64::from(self.facts.word);
                    after
                        .saved
                        .retain(|(_, saved)| end <= *saved || at >= saved.saturating_add(word));
                    if let Some(register) = self.whole(write.from)
                        && !before.changed.contains(&register)
                    {
                        after.saved.push((register, at));
                    }
                }
            }
        }
        if let (Next::Calls(_), Some(link)) = (instruction.next, self.facts.link) {
            change(&mut after, link);
        }
        after
    }

    /// A write of a register.
    fn set(&self, before: &Frame, after: &mut Frame, register: Register, from: Term) {
        let address = match from {
            Term::Address(operand) => self.place(before, &operand),
            _ => match self.whole(from) {
                Some(from) if from == self.facts.sp => before.sp,
                Some(from) if from == self.fp => before.fp.map(|(_, at)| at),
                _ => None,
            },
        };
        if register == self.facts.sp {
            after.sp = address;
            return;
        }
        if register == self.fp {
            after.fp = address.map(|at| (register, at));
        }
        let is_restored = match from {
            Term::Memory(operand) => self
                .place(before, &operand)
                .is_some_and(|at| before.saved.contains(&(register, at))),
            _ => false,
        };
        if is_restored {
            after.changed.retain(|changed| *changed != register);
        } else {
            change(after, register);
        }
    }

    /// Where in the frame an operand lies.
    fn place(&self, frame: &Frame, operand: &MemoryOperand) -> Option<i64> {
        if operand.index.is_some() || operand.segment.is_some() {
            return None;
        }
        let base = match operand.base?.register {
            base if base == self.facts.sp => frame.sp,
            base if base == self.fp => frame.fp.map(|(_, at)| at),
            _ => None,
        };
        base?.checked_add(operand.displacement)
    }

    /// The register that is copied as a whole.
    fn whole(&self, from: Term) -> Option<Register> {
        match from {
            Term::Register(Part { register, shift: 0, size })
                if size == u64::from(self.facts.word) =>
            {
                Some(register)
            }
            _ => None,
        }
    }
}

fn change(frame: &mut Frame, register: Register) {
    if !frame.changed.contains(&register) {
        frame.changed.push(register);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unwind::machine_tests::memory_of;
    use obit_corefile::arch::{Decoder, Machine};
    use obit_corefile::memory::AddressSpace;
    use obit_corefile::testkit::CoreBuilder;

    const TEXT: u64 = 0x40_0000;
    /// Where the function begins.
    const START: u64 = TEXT + 0x80;
    const STACK: u64 = 0x7000_0000;

    /// `code` at the function's start and a call, `call`, in another one at 0x20.
    fn memory(machine: Machine, call: &[u8], code: &[u8], stack: &[u64]) -> AddressSpace {
        let mut text = vec![0; 0x1000];
        text[0x20..0x20 + call.len()].copy_from_slice(call);
        text[0x80..0x80 + code.len()].copy_from_slice(code);
        let stack: Vec<u8> = stack.iter().flat_map(|word| word.to_le_bytes()).collect();
        memory_of(
            &CoreBuilder::of(machine)
                .thread(1, &[])
                .segment_with(TEXT, &text, 0x1000, "rx")
                .segment(STACK, &stack, 0x1000),
        )
    }

    fn caller(
        machine: Machine,
        memory: &AddressSpace,
        pc: u64,
        left: Left,
        registers: &[(u16, u64)],
    ) -> Option<Step> {
        caller_in(machine.decoder().unwrap(), machine, memory, (pc, left), registers)
    }

    /// The same in one of several instruction sets.
    fn caller_in(
        decoder: Decoder,
        machine: Machine,
        memory: &AddressSpace,
        (pc, left): (u64, Left),
        registers: &[(u16, u64)],
    ) -> Option<Step> {
        let facts = machine.facts().unwrap();
        let mut all = Registers::default().with(facts.sp, STACK);
        for (number, value) in registers {
            all = all.with(Register(*number), *value);
        }
        let mut search = Search {
            facts,
            memory: &mut memory.cursor(),
            scan_words: 0,
            code_mask: 0,
            words: &mut 10_000,
            followed: &mut Followed::new(),
            without_handler: &mut (0..0),
            function: &|| Some((Avma(START), 0)),
            decoder_at: &|_| Some(decoder),
        };
        let frame = Activation {
            pc: Avma(pc),
            cfa: None,
            registers: all,
            trust: Trust::Context,
            left,
            is_signal: false,
        };
        search.by_code(&frame)
    }

    const RA: u16 = 1;
    const S0: u16 = 8;
    /// `jal ra, .`
    const JAL: [u8; 4] = [0xef, 0, 0, 0];
    /// beqz a0, .+16; addi sp, sp, -16; sd ra, 8(sp); sd s0, 0(sp); mv s0, a0; jal ra, .;
    /// nop; at 16: li a0, 1; ret
    const RISCV: [u8; 20] = [
        0x01, 0xc9, 0x41, 0x11, 0x06, 0xe4, 0x22, 0xe0, 0x2a, 0x84, 0xef, 0, 0, 0, 0x01, 0x00,
        0x05, 0x45, 0x82, 0x80,
    ];

    #[test]
    fn what_was_saved_on_the_way_to_a_call_comes_back() {
        let riscv = Machine::Riscv64;
        let memory = memory(riscv, &JAL, &RISCV, &[0x5050, TEXT + 0x24]);
        let called = START + 14;
        let step = caller(riscv, &memory, called, Left::Called, &[(S0, 7), (9, 0x99)]).unwrap();
        assert_eq!((step.pc, step.trust), (Avma(TEXT + 0x24), Trust::Code));
        let of = |number| step.registers.get(Register(number));
        assert_eq!((of(2), of(S0), of(9)), (Some(STACK + 16), Some(0x5050), Some(0x99)));
    }

    #[test]
    fn a_way_that_builds_no_frame_returns_by_the_link_register() {
        let riscv = Machine::Riscv64;
        let memory = memory(riscv, &JAL, &RISCV, &[0; 4]);
        let link = [(RA, TEXT + 0x24)];
        let at = |offset| caller(riscv, &memory, START + offset, Left::Interrupted, &link);
        let step = at(16).unwrap();
        assert_eq!(step.pc, Avma(TEXT + 0x24));
        assert_eq!(step.registers.get(Register(2)), Some(STACK));
        // Nor does what lies behind the call count, which might not return.
        // On the other way the return address is saved, here as 0.
        assert!(at(10).is_none());
        assert!(at(12).is_none(), "in the middle of an instruction");
    }

    #[test]
    fn on_x86_the_return_address_lies_above_what_was_pushed() {
        // push %rbx; sub $0x10,%rsp; call .+5
        let code = [0x53, 0x48, 0x83, 0xec, 0x10, 0xe8, 0, 0, 0, 0];
        let call = [0xe8, 0, 0, 0, 0];
        let stack = [0, 0, 0xbb, TEXT + 0x25];
        let memory = memory(Machine::X86_64, &call, &code, &stack);
        let called = START + 10;
        let step = caller(Machine::X86_64, &memory, called, Left::Called, &[(3, 1)]).unwrap();
        assert_eq!(step.pc, Avma(TEXT + 0x25));
        let of = |number| step.registers.get(Register(number));
        assert_eq!((of(7), of(3)), (Some(STACK + 32), Some(0xbb)));
    }

    #[test]
    fn a_frame_pointer_counts_where_the_stack_pointer_moved_on_another_way() {
        // push %rbp; mov %rsp,%rbp; je .+3; sub %rax,%rsp; call .+5
        let code = [0x55, 0x48, 0x89, 0xe5, 0x74, 0x03, 0x48, 0x29, 0xc4, 0xe8, 0, 0, 0, 0];
        let call = [0xe8, 0, 0, 0, 0];
        let memory = memory(Machine::X86_64, &call, &code, &[0, 0, 0xbb, TEXT + 0x25]);
        let frame = [(6, STACK + 16)];
        let step = caller(Machine::X86_64, &memory, START + 14, Left::Called, &frame).unwrap();
        assert_eq!(step.pc, Avma(TEXT + 0x25));
        let of = |number| step.registers.get(Register(number));
        assert_eq!((of(7), of(6)), (Some(STACK + 32), Some(0xbb)));
    }

    #[test]
    fn thumb_keeps_its_frame_in_r7_and_returns_to_thumb() {
        // push {r4, r7, lr}; add r7, sp, #0; sub.w sp, sp, r0; bl .
        let code = [0x90, 0xb5, 0x00, 0xaf, 0xad, 0xeb, 0x00, 0x0d, 0xff, 0xf7, 0xfe, 0xff];
        // bl .+4 at 0x20
        let call = [0x00, 0xf0, 0x00, 0xf8];
        let of = |link: u64| {
            let stack = [0, 0x7777_0000_0044, link];
            let memory = memory(Machine::Arm, &call, &code, &stack);
            let called = (START + 12, Left::Called);
            caller_in(Decoder::Thumb, Machine::Arm, &memory, called, &[(7, STACK + 8), (5, 0x55)])
        };
        let step = of(TEXT + 0x25).unwrap();
        assert_eq!((step.pc, step.trust), (Avma(TEXT + 0x24), Trust::Code));
        let register = |number| step.registers.get(Register(number));
        assert_eq!((register(4), register(5), register(7)), (Some(0x44), Some(0x55), Some(0x7777)));
        assert_eq!(register(13), Some(STACK + 20));
        assert!(of(TEXT + 0x24).is_none(), "A32 did not call there");
    }

    #[test]
    fn a_stack_pointer_moved_by_what_is_not_known_leads_nowhere() {
        // sub %rax,%rsp; call .+5
        let code = [0x48, 0x29, 0xc4, 0xe8, 0, 0, 0, 0];
        let memory = memory(Machine::X86_64, &[0xe8, 0, 0, 0, 0], &code, &[TEXT + 0x25; 4]);
        assert!(caller(Machine::X86_64, &memory, START + 8, Left::Called, &[]).is_none());
    }
}
