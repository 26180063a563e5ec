//! What x86 instructions move: the general registers, the stack, and what becomes of
//! everything that is not understood.

use iced_x86::{
    Code, Decoder, DecoderOptions, FlowControl, Instruction, InstructionInfo,
    InstructionInfoFactory, Mnemonic, OpAccess, OpKind, Register as X86,
};

use super::effects::{AccessMode, MemoryOperand, Part, low_bytes};
use super::flow::{Next, Step, Target, Term, Write};
use super::x86_effects::{Address, operand, part, rounds};
use super::x86_vectors;
use obit_corefile::addr::Avma;

pub(super) fn steps(bits: u32, start: Avma, code: &[u8]) -> Vec<Step> {
    let mut decoder = Decoder::with_ip(bits, code, start.0, DecoderOptions::NONE);
    let mut factory = InstructionInfoFactory::new();
    let mut steps = Vec::new();
    while decoder.can_decode() {
        let decoded = decoder.decode();
        if decoded.is_invalid() {
            break;
        }
        let shape = Shape { bits, decoded: &decoded, info: factory.info(&decoded) };
        steps.push(shape.step());
    }
    steps
}

/// One decoded instruction, as operands that are written and read.
pub(super) struct Shape<'i> {
    pub(super) bits: u32,
    pub(super) decoded: &'i Instruction,
    info: &'i InstructionInfo,
}

impl<'i> Shape<'i> {
    pub(super) fn new(bits: u32, decoded: &'i Instruction, info: &'i InstructionInfo) -> Self {
        Self { bits, decoded, info }
    }

    /// Whether an operand is a vector register.
    pub(super) fn is_vector_operand(&self, number: u32) -> bool {
        self.decoded.try_op_register(number).is_ok_and(X86::is_vector_register)
    }

    fn step(&self) -> Step {
        let next = self.next();
        let mut writes = Vec::new();
        if !matches!(next, Next::Calls(_)) {
            writes = self.known().or_else(|| x86_vectors::known(self)).unwrap_or_default();
            self.stack_pointer(&mut writes);
            self.unknown_registers(&mut writes);
            self.unknown_memory(&mut writes);
        }
        let len = u64::try_from(self.decoded.len()).unwrap_or(u64::MAX);
        Step { address: Avma(self.decoded.ip()), len, writes, next }
    }

    fn next(&self) -> Next {
        let decoded = self.decoded;
        let target = is_near_branch(decoded).then(|| Avma(decoded.near_branch_target()));
        match decoded.flow_control() {
            _ if self.is_get_pc() => Next::Falls,
            FlowControl::Next if decoded.mnemonic() == Mnemonic::Hlt => Next::Ends,
            FlowControl::Next => Next::Falls,
            FlowControl::UnconditionalBranch => Next::Jumps(target),
            FlowControl::IndirectBranch => Next::Jumps(None),
            FlowControl::ConditionalBranch | FlowControl::XbeginXabortXend => {
                target.map_or(Next::Falls, Next::Branches)
            }
            FlowControl::Return | FlowControl::Exception => Next::Ends,
            FlowControl::Call if is_system_call(decoded) => Next::Falls,
            FlowControl::Call => Next::Calls(target),
            FlowControl::IndirectCall => Next::Calls(None),
            FlowControl::Interrupt if is_system_call(decoded) => Next::Falls,
            FlowControl::Interrupt => Next::Ends,
        }
    }

    /// A call of the next instruction: it is there to pop its own address.
    fn is_get_pc(&self) -> bool {
        self.decoded.is_call_near() && self.decoded.near_branch_target() == self.decoded.next_ip()
    }

    /// `None` if nothing is known of it here.
    fn known(&self) -> Option<Vec<Write>> {
        if self.decoded.is_string_instruction() {
            return None;
        }
        let from = match self.decoded.mnemonic() {
            Mnemonic::Mov | Mnemonic::Movzx | Mnemonic::Movnti => self.source(1)?,
            Mnemonic::Movsx | Mnemonic::Movsxd => match self.source(1)? {
                Term::Register(part) => Term::SignExtended(part, self.size(0)?),
                Term::Memory(memory) => Term::SignExtendedMemory(memory, self.size(0)?),
                _ => return None,
            },
            Mnemonic::Cbw | Mnemonic::Cwde | Mnemonic::Cdqe => return self.widening(),
            Mnemonic::Lea => {
                let size = self.size(0)?;
                let memory = self.memory()?;
                let address_size = memory.address_size.min(size);
                Term::Address(MemoryOperand { size: None, segment: None, address_size, ..memory })
            }
            Mnemonic::Add => match self.source(1)? {
                Term::Constant(number) => self.sum(self.whole_part(0)?, None, number)?,
                Term::Register(other) => self.sum(self.whole_part(0)?, Some((other, 1)), 0)?,
                _ => return None,
            },
            Mnemonic::Sub => match self.source(1)? {
                Term::Constant(number) => {
                    self.sum(self.whole_part(0)?, None, number.wrapping_neg())?
                }
                Term::Register(other) if self.source(0)? == Term::Register(other) => {
                    Term::Constant(0)
                }
                _ => return None,
            },
            Mnemonic::Xor if self.is_same_register(0, 1) => Term::Constant(0),
            Mnemonic::Inc => self.sum(self.whole_part(0)?, None, 1)?,
            Mnemonic::Dec => self.sum(self.whole_part(0)?, None, u64::MAX)?,
            Mnemonic::Shl | Mnemonic::Sal => {
                let Term::Constant(count) = self.source(1)? else { return None };
                let widest = if self.size(0)? == 8 { 0x3f } else { 0x1f };
                let times = 1_u64.checked_shl(u32::try_from(count & widest).ok()?)?;
                self.product(self.whole_part(0)?, times)?
            }
            Mnemonic::Imul if self.decoded.op_count() == 3 => {
                let (Term::Register(other), Term::Constant(times)) =
                    (self.source(1)?, self.source(2)?)
                else {
                    return None;
                };
                self.product(other, times)?
            }
            Mnemonic::Xchg => {
                return Some(vec![
                    Write { to: self.target(0)?, from: self.source(1)? },
                    Write { to: self.target(1)?, from: self.source(0)? },
                ]);
            }
            Mnemonic::Push => {
                return Some(vec![Write { to: self.pushed()?, from: self.source(0)? }]);
            }
            Mnemonic::Call => {
                let from = Term::Constant(self.decoded.next_ip());
                return Some(vec![Write { to: self.pushed()?, from }]);
            }
            // Into a register: memory may be addressed by the stack pointer as it is afterwards.
            Mnemonic::Pop if self.decoded.op0_kind() == OpKind::Register => self.popped()?,
            Mnemonic::Leave => return self.leave(),
            _ => return None,
        };
        Some(vec![Write { to: self.target(0)?, from }])
    }

    /// `cbw`, `cwde`, `cdqe`: the accumulator sign-extended into twice its size.
    fn widening(&self) -> Option<Vec<Write>> {
        let (from, to) = match self.decoded.mnemonic() {
            Mnemonic::Cbw => (X86::AL, X86::AX),
            Mnemonic::Cwde => (X86::AX, X86::EAX),
            _ => (X86::EAX, X86::RAX),
        };
        let (from, to) = (part(self.bits, from)?, part(self.bits, to)?);
        let term = Term::SignExtended(from, to.size);
        Some(vec![Write { to: Target::Register(self.cleared(to)), from: term }])
    }

    /// Where a push writes; the operand may be memory too.
    fn pushed(&self) -> Option<Target> {
        let mut written = self.info.used_memory().iter().filter(|memory| writes(memory.access()));
        let memory = operand(self.bits, written.next()?, None)?;
        Some(Target::Memory(MemoryOperand { mode: AccessMode::Write, ..memory }))
    }

    fn popped(&self) -> Option<Term> {
        let memory = self.info.used_memory().first()?;
        operand(self.bits, memory, None).map(Term::Memory)
    }

    fn leave(&self) -> Option<Vec<Write>> {
        let (frame, stack) = self.frame_registers()?;
        let saved = self.popped()?;
        if !matches!(saved, Term::Memory(memory) if memory.size == Some(frame.size)) {
            return None;
        }
        let above = self.sum(frame, None, frame.size)?;
        Some(vec![
            Write { to: Target::Register(stack), from: above },
            Write { to: Target::Register(frame), from: saved },
        ])
    }

    /// The frame pointer and the stack pointer.
    fn frame_registers(&self) -> Option<(Part, Part)> {
        let (frame, stack) = match self.bits {
            64 => (X86::RBP, X86::RSP),
            _ => (X86::EBP, X86::ESP),
        };
        Some((part(self.bits, frame)?, part(self.bits, stack)?))
    }

    /// What pushes, pops and returns do to the stack pointer.
    fn stack_pointer(&self, writes: &mut Vec<Write>) {
        let moved = self.decoded.stack_pointer_increment();
        let Some((_, stack)) = self.frame_registers() else { return };
        let is_known = writes.iter().any(|write| is_of(write, stack));
        if moved == 0 || is_known || self.decoded.mnemonic() == Mnemonic::Enter {
            return;
        }
        let moved = i64::from(moved).cast_unsigned();
        if let Some(from) = self.sum(stack, None, moved) {
            writes.push(Write { to: Target::Register(stack), from });
        }
    }

    /// Every register that is written and not known already.
    fn unknown_registers(&self, writes: &mut Vec<Write>) {
        let written = self.info.used_registers().iter().filter(|used| self::writes(used.access()));
        let mut parts: Vec<Part> = written
            .filter_map(|used| {
                let general = part(self.bits, used.register()).map(|part| self.cleared(part));
                general.or_else(|| {
                    let vector = x86_vectors::part(self.bits, used.register())?;
                    Some(Part { size: x86_vectors::WHOLE, ..vector })
                })
            })
            .collect();
        if is_system_call(self.decoded) {
            // The kernel's answer.
            parts.extend(part(self.bits, X86::EAX).map(|part| self.cleared(part)));
        }
        if restores_vectors(self.decoded) {
            parts.extend(x86_vectors::all(self.bits));
        }
        for part in parts {
            if !writes.iter().any(|write| is_of(write, part)) {
                writes.push(Write { to: Target::Register(part), from: Term::Unknown });
            }
        }
    }

    /// All memory that is written, unless it is known already: what is understood writes
    /// to no two places.
    fn unknown_memory(&self, writes: &mut Vec<Write>) {
        if writes.iter().any(|write| matches!(write.to, Target::Memory(_))) {
            return;
        }
        let rounds = rounds(self.bits, self.decoded, self.info);
        let moved = u64::try_from(self.decoded.memory_size().size()).ok().filter(|size| *size > 0);
        for memory in self.info.used_memory().iter().filter(|used| self::writes(used.access())) {
            let known = operand(self.bits, memory, rounds);
            let mut operand = known.unwrap_or(MemoryOperand {
                mode: AccessMode::Write,
                size: None,
                segment: None,
                base: None,
                index: None,
                displacement: 0,
                address_size: if self.bits == 64 { 8 } else { 4 },
                index_is_signed: false,
                rounds: None,
            });
            operand.mode = AccessMode::Write;
            if rounds.is_some() {
                operand.size = moved;
            }
            writes.push(Write { to: Target::Memory(operand), from: Term::Unknown });
        }
    }

    /// An explicit operand as it is read.
    pub(super) fn source(&self, number: u32) -> Option<Term> {
        match self.decoded.try_op_kind(number).ok()? {
            OpKind::Register => self.register(number).map(Term::Register),
            OpKind::Memory => self.memory().map(Term::Memory),
            _ => {
                let value = self.decoded.try_immediate(number).ok()?;
                // `push` alone has no other operand.
                let size = self.size(0).unwrap_or(if self.bits == 64 { 8 } else { 4 });
                Some(Term::Constant(low_bytes(value, size)))
            }
        }
    }

    /// An explicit operand as it is written.
    pub(super) fn target(&self, number: u32) -> Option<Target> {
        if self.decoded.try_op_kind(number).ok()? == OpKind::Memory {
            let memory = MemoryOperand { mode: AccessMode::Write, ..self.memory()? };
            return Some(Target::Memory(memory));
        }
        self.register(number).map(|part| Target::Register(self.cleared(part)))
    }

    /// The register that an operand is, as far as the operand takes it.
    pub(super) fn register(&self, number: u32) -> Option<Part> {
        let register = self.decoded.try_op_register(number).ok()?;
        part(self.bits, register).or_else(|| x86_vectors::part(self.bits, register))
    }

    /// The same, if it can be added to: more than one byte.
    fn whole_part(&self, number: u32) -> Option<Part> {
        self.register(number).filter(|part| part.size > 1)
    }

    pub(super) fn is_same_register(&self, one: u32, other: u32) -> bool {
        self.register(one).is_some_and(|part| Some(part) == self.register(other))
    }

    /// The bytes of an operand.
    pub(super) fn size(&self, number: u32) -> Option<u64> {
        match self.decoded.try_op_kind(number).ok()? {
            OpKind::Register => self.register(number).map(|part| part.size),
            OpKind::Memory => self.memory()?.size,
            _ => None,
        }
    }

    /// The explicit operand in memory.
    pub(super) fn memory(&self) -> Option<MemoryOperand> {
        let decoded = self.decoded;
        let is_relative = decoded.is_ip_rel_memory_operand();
        let (base, index) = (decoded.memory_base(), decoded.memory_index());
        let registers = [base, index].into_iter().find(|register| *register != X86::None);
        let address_size = match registers {
            Some(X86::RIP) => 8,
            Some(X86::EIP) => 4,
            Some(register) => u64::try_from(register.size()).ok()?,
            None => u64::from(decoded.memory_displ_size()),
        };
        let address = Address {
            segment: decoded.memory_segment(),
            base: if is_relative { X86::None } else { base },
            index,
            scale: decoded.memory_index_scale(),
            displacement: decoded.memory_displacement64(),
            address_size,
        };
        let size = u64::try_from(decoded.memory_size().size()).ok().filter(|size| *size > 0);
        Some(MemoryOperand { size, ..address.operand(self.bits)? })
    }

    /// A register, perhaps another beside it, and a number in two's complement.
    fn sum(&self, base: Part, index: Option<(Part, u64)>, number: u64) -> Option<Term> {
        let sign = 64_u64.checked_sub(base.size.checked_mul(8)?)?;
        let sign = u32::try_from(sign).ok()?;
        Some(Term::Address(MemoryOperand {
            mode: AccessMode::Read,
            size: None,
            segment: None,
            base: Some(base),
            index,
            displacement: number.checked_shl(sign)?.cast_signed().checked_shr(sign)?,
            address_size: base.size,
            index_is_signed: false,
            rounds: None,
        }))
    }

    /// A register so many times.
    fn product(&self, factor: Part, times: u64) -> Option<Term> {
        let Term::Address(sum) = self.sum(factor, Some((factor, times)), 0)? else { return None };
        Some(Term::Address(MemoryOperand { base: None, ..sum }))
    }

    /// What a write of this part changes: on x86_64 one of four bytes clears the others.
    fn cleared(&self, part: Part) -> Part {
        if self.bits == 64 && part.size == 4 { Part { size: 8, ..part } } else { part }
    }
}

fn is_near_branch(decoded: &Instruction) -> bool {
    matches!(decoded.op0_kind(), OpKind::NearBranch16 | OpKind::NearBranch32 | OpKind::NearBranch64)
}

/// `syscall`, `sysenter`, `int $0x80`.
fn is_system_call(decoded: &Instruction) -> bool {
    match decoded.mnemonic() {
        Mnemonic::Syscall | Mnemonic::Sysenter => true,
        _ => decoded.code() == Code::Int_imm8 && decoded.immediate8() == 0x80,
    }
}

/// Instructions that load what the kernel or the dynamic linker saved.
fn restores_vectors(decoded: &Instruction) -> bool {
    matches!(
        decoded.mnemonic(),
        Mnemonic::Fxrstor
            | Mnemonic::Fxrstor64
            | Mnemonic::Xrstor
            | Mnemonic::Xrstor64
            | Mnemonic::Xrstors
            | Mnemonic::Xrstors64
    )
}

/// Whether it may write.
fn writes(access: OpAccess) -> bool {
    match access {
        OpAccess::Write | OpAccess::CondWrite | OpAccess::ReadWrite | OpAccess::ReadCondWrite => {
            true
        }
        OpAccess::None | OpAccess::NoMemAccess | OpAccess::Read | OpAccess::CondRead => false,
    }
}

/// Whether something of this register is written.
fn is_of(write: &Write, part: Part) -> bool {
    matches!(write.to, Target::Register(target) if target.register == part.register)
}

#[cfg(test)]
#[path = "x86_flow_tests.rs"]
mod tests;
