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

impl Shape<'_> {
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
            // Into a register: memory may be told by the stack pointer as it is afterwards.
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
mod tests {
    use super::*;
    use obit_corefile::arch::Register;

    const START: Avma = Avma(0x1000);
    const RAX: Part = whole(0);
    const RCX: Part = whole(2);
    const RBX: Part = whole(3);
    const RSI: Part = whole(4);
    const RDI: Part = whole(5);
    const RBP: Part = whole(6);
    const RSP: Part = whole(7);

    const fn whole(number: u16) -> Part {
        Part { register: Register(number), shift: 0, size: 8 }
    }

    const fn low(part: Part, size: u64) -> Part {
        Part { size, ..part }
    }

    fn step(bits: u32, code: &[u8]) -> Step {
        let steps = steps(bits, START, code);
        assert_eq!(steps.len(), 1, "{steps:?}");
        steps.into_iter().next().unwrap()
    }

    fn writes(code: &[u8]) -> Vec<Write> {
        step(64, code).writes
    }

    fn next(code: &[u8]) -> Next {
        step(64, code).next
    }

    fn set(part: Part, from: Term) -> Write {
        Write { to: Target::Register(part), from }
    }

    fn at(base: Part, displacement: i64, size: u64) -> MemoryOperand {
        MemoryOperand {
            mode: AccessMode::Read,
            size: Some(size),
            segment: None,
            base: Some(base),
            index: None,
            displacement,
            address_size: base.size,
            index_is_signed: false,
            rounds: None,
        }
    }

    fn stored(memory: MemoryOperand, from: Term) -> Write {
        let to = Target::Memory(MemoryOperand { mode: AccessMode::Write, ..memory });
        Write { to, from }
    }

    /// A register and a number.
    fn plus(base: Part, number: i64) -> Term {
        Term::Address(MemoryOperand { size: None, ..at(base, number, 8) })
    }

    #[test]
    fn a_move_sets_the_whole_register_unless_it_keeps_the_rest() {
        // mov %rbx,%rax; mov %ebx,%eax; mov %bh,%al; mov %bx,%ax
        assert_eq!(writes(&[0x48, 0x89, 0xd8]), [set(RAX, Term::Register(RBX))]);
        assert_eq!(writes(&[0x89, 0xd8]), [set(RAX, Term::Register(low(RBX, 4)))]);
        let high = Part { shift: 8, size: 1, ..RBX };
        assert_eq!(writes(&[0x88, 0xf8]), [set(low(RAX, 1), Term::Register(high))]);
        let words = set(low(RAX, 2), Term::Register(low(RBX, 2)));
        assert_eq!(writes(&[0x66, 0x89, 0xd8]), [words]);
        // In 32 bits there is no rest.
        let half = set(low(RAX, 4), Term::Register(Part { size: 4, ..whole(3) }));
        assert_eq!(step(32, &[0x89, 0xd8]).writes, [half]);
    }

    #[test]
    fn constants_are_as_wide_as_what_they_are_put_into() {
        // mov $-1,%eax; mov $-1,%rax; movabs; movl $-1,(%rax); xor %eax,%eax; sub %rax,%rax
        let constant = |code: &[u8]| writes(code)[0];
        let all = [0xff; 4];
        let mov = [&[0xb8][..], &all].concat();
        assert_eq!(constant(&mov), set(RAX, Term::Constant(0xffff_ffff)));
        let wide = [&[0x48, 0xc7, 0xc0][..], &all].concat();
        assert_eq!(constant(&wide), set(RAX, Term::Constant(u64::MAX)));
        let full = [0x48, 0xb8, 1, 0, 0, 0, 0, 0, 0, 0x80];
        assert_eq!(constant(&full), set(RAX, Term::Constant(0x8000_0000_0000_0001)));
        let store = [&[0xc7, 0x00][..], &all].concat();
        assert_eq!(writes(&store), [stored(at(RAX, 0, 4), Term::Constant(0xffff_ffff))]);
        assert_eq!(writes(&[0x31, 0xc0]), [set(RAX, Term::Constant(0))]);
        assert_eq!(writes(&[0x48, 0x29, 0xc0]), [set(RAX, Term::Constant(0))]);
        // xor %ebx,%eax is none.
        assert_eq!(writes(&[0x31, 0xd8]), [set(RAX, Term::Unknown)]);
    }

    #[test]
    fn loads_and_stores_have_their_address_and_size() {
        // mov -0x8(%rbp),%rax; mov %ecx,0x10(%rsp); mov 0x10(%rip),%eax; mov %fs:0x28,%rax
        assert_eq!(writes(&[0x48, 0x8b, 0x45, 0xf8]), [set(RAX, Term::Memory(at(RBP, -8, 8)))]);
        let store = writes(&[0x89, 0x4c, 0x24, 0x10]);
        assert_eq!(store, [stored(at(RSP, 16, 4), Term::Register(low(RCX, 4)))]);
        let relative = MemoryOperand { base: None, ..at(RAX, 0x1016, 4) };
        let relative = [set(RAX, Term::Memory(relative))];
        assert_eq!(writes(&[0x8b, 0x05, 0x10, 0, 0, 0]), relative);
        let guard = [0x64, 0x48, 0x8b, 0x04, 0x25, 0x28, 0, 0, 0];
        let segment = Some(Register(58));
        let guard_word = MemoryOperand { base: None, segment, ..at(RAX, 0x28, 8) };
        assert_eq!(writes(&guard), [set(RAX, Term::Memory(guard_word))]);
        // mov 0xf0000000,%eax
        let [load] = step(32, &[0xa1, 0, 0, 0, 0xf0]).writes[..] else { panic!() };
        let absolute = MemoryOperand { base: None, ..at(low(RAX, 4), 0xf000_0000, 4) };
        assert_eq!(load, set(low(RAX, 4), Term::Memory(absolute)));
    }

    #[test]
    fn an_extension_tells_how_far_the_sign_goes() {
        // movzbl %bl,%eax; movsbl %bl,%eax; movslq 0x4(%rbx),%rax; cltq; cwtl
        assert_eq!(writes(&[0x0f, 0xb6, 0xc3]), [set(RAX, Term::Register(low(RBX, 1)))]);
        assert_eq!(writes(&[0x0f, 0xbe, 0xc3]), [set(RAX, Term::SignExtended(low(RBX, 1), 4))]);
        let loaded = Term::SignExtendedMemory(at(RBX, 4, 4), 8);
        assert_eq!(writes(&[0x48, 0x63, 0x43, 0x04]), [set(RAX, loaded)]);
        assert_eq!(writes(&[0x48, 0x98]), [set(RAX, Term::SignExtended(low(RAX, 4), 8))]);
        assert_eq!(writes(&[0x98]), [set(RAX, Term::SignExtended(low(RAX, 2), 4))]);
    }

    #[test]
    fn sums_shifts_and_products_are_addresses() {
        // lea 0x8(%rbx,%rcx,4),%rax; lea 0x10(%rip),%rax
        let lea = MemoryOperand { size: None, index: Some((RCX, 4)), ..at(RBX, 8, 8) };
        assert_eq!(writes(&[0x48, 0x8d, 0x44, 0x8b, 0x08]), [set(RAX, Term::Address(lea))]);
        let near = MemoryOperand { size: None, base: None, ..at(RAX, 0x1017, 8) };
        let near = [set(RAX, Term::Address(near))];
        assert_eq!(writes(&[0x48, 0x8d, 0x05, 0x10, 0, 0, 0]), near);
        // sub $0x18,%rsp; add $-8,%rax; inc %eax; dec %rax; add %rcx,%rax
        assert_eq!(writes(&[0x48, 0x83, 0xec, 0x18]), [set(RSP, plus(RSP, -0x18))]);
        assert_eq!(writes(&[0x48, 0x83, 0xc0, 0xf8]), [set(RAX, plus(RAX, -8))]);
        assert_eq!(writes(&[0xff, 0xc0]), [set(RAX, plus(low(RAX, 4), 1))]);
        assert_eq!(writes(&[0x48, 0xff, 0xc8]), [set(RAX, plus(RAX, -1))]);
        let both = MemoryOperand { size: None, index: Some((RCX, 1)), ..at(RAX, 0, 8) };
        assert_eq!(writes(&[0x48, 0x01, 0xc8]), [set(RAX, Term::Address(both))]);
        // shl $3,%rax; imul $0x18,%rbx,%rax
        let scaled = |part, times| MemoryOperand {
            size: None,
            base: None,
            index: Some((part, times)),
            ..at(part, 0, 8)
        };
        assert_eq!(writes(&[0x48, 0xc1, 0xe0, 3]), [set(RAX, Term::Address(scaled(RAX, 8)))]);
        let product = [set(RAX, Term::Address(scaled(RBX, 24)))];
        assert_eq!(writes(&[0x48, 0x6b, 0xc3, 0x18]), product);
        // add $1,%al; addl $1,(%rax): told as changed.
        assert_eq!(writes(&[0x04, 1]), [set(low(RAX, 1), Term::Unknown)]);
        assert_eq!(writes(&[0x83, 0x00, 1]), [stored(at(RAX, 0, 4), Term::Unknown)]);
    }

    #[test]
    fn the_stack_pointer_follows_pushes_and_pops() {
        // push %rbx; push $-1; push 0x8(%rsp); pop %rbx; pop %rsp; leave
        let below = |from| stored(at(RSP, -8, 8), from);
        let down = set(RSP, plus(RSP, -8));
        let up = set(RSP, plus(RSP, 8));
        assert_eq!(writes(&[0x53]), [below(Term::Register(RBX)), down]);
        assert_eq!(writes(&[0x6a, 0xff]), [below(Term::Constant(u64::MAX)), down]);
        let pushed = [below(Term::Memory(at(RSP, 8, 8))), down];
        assert_eq!(writes(&[0xff, 0x74, 0x24, 0x08]), pushed);
        assert_eq!(writes(&[0x5b]), [set(RBX, Term::Memory(at(RSP, 0, 8))), up]);
        assert_eq!(writes(&[0x5c]), [set(RSP, Term::Memory(at(RSP, 0, 8)))]);
        let left = [set(RSP, plus(RBP, 8)), set(RBP, Term::Memory(at(RBP, 0, 8)))];
        assert_eq!(writes(&[0xc9]), left);
        assert_eq!(writes(&[0xc3]), [up]);
        // and $-16,%rsp
        assert_eq!(writes(&[0x48, 0x83, 0xe4, 0xf0]), [set(RSP, Term::Unknown)]);
        // push $-1 in 32 bits
        let pushed = step(32, &[0x6a, 0xff]).writes[0].from;
        assert_eq!(pushed, Term::Constant(0xffff_ffff));
    }

    #[test]
    fn an_exchange_writes_both_sides() {
        // xchg %rax,%rbx; xchg %eax,(%rbx)
        let both = [set(RAX, Term::Register(RBX)), set(RBX, Term::Register(RAX))];
        let mut seen = writes(&[0x48, 0x93]);
        seen.sort_by_key(|write| write.to != Target::Register(RAX));
        assert_eq!(seen, both);
        let memory = at(RBX, 0, 4);
        let both = [stored(memory, Term::Register(low(RAX, 4))), set(RAX, Term::Memory(memory))];
        assert_eq!(writes(&[0x87, 0x03]), both);
    }

    #[test]
    fn what_is_not_understood_is_named_by_all_it_changes() {
        // cmove %rbx,%rax; mul %rcx; sete %al; movsq; rep stosb; cpuid
        let unknown = |parts: &[Part]| -> Vec<Write> {
            parts.iter().map(|part| set(*part, Term::Unknown)).collect()
        };
        assert_eq!(writes(&[0x48, 0x0f, 0x44, 0xc3]), unknown(&[RAX]));
        assert_eq!(writes(&[0x0f, 0x94, 0xc0]), unknown(&[low(RAX, 1)]));
        for (code, changed) in [
            (&[0x48, 0xf7, 0xe1][..], &[RAX, whole(1)][..]),
            (&[0x48, 0xa5], &[RSI, RDI]),
            (&[0xf3, 0xaa], &[RDI, RCX]),
            (&[0x0f, 0xa2], &[RAX, RBX, RCX, whole(1)]),
            (&[0x0f, 0x05], &[RAX, RCX, whole(11)]),
        ] {
            let writes = writes(code);
            for write in unknown(changed) {
                assert!(writes.contains(&write), "{code:x?}: {writes:?}");
            }
        }
        let filled = MemoryOperand { rounds: Some(RCX), ..at(RDI, 0, 1) };
        assert!(writes(&[0xf3, 0xaa]).contains(&stored(filled, Term::Unknown)));
        // endbr64; nop; test; cmp: nothing.
        for code in [&[0xf3, 0x0f, 0x1e, 0xfa][..], &[0x90], &[0x85, 0xc0], &[0x39, 0xc0]] {
            assert_eq!(writes(code), []);
        }
    }

    #[test]
    fn where_it_goes_on_is_told_with_the_target_if_the_instruction_has_it() {
        // jmp .+2; je; jmp *%rax; call; call *(%rax); ret; ud2; hlt; int3; int $0x80; nop
        let target = Avma(0x1012);
        assert_eq!(next(&[0xeb, 0x10]), Next::Jumps(Some(target)));
        assert_eq!(next(&[0x74, 0x10]), Next::Branches(target));
        assert_eq!(next(&[0xff, 0xe0]), Next::Jumps(None));
        assert_eq!(next(&[0xe8, 0x0d, 0, 0, 0]), Next::Calls(Some(target)));
        assert_eq!(next(&[0xff, 0x10]), Next::Calls(None));
        for code in [&[0xc3][..], &[0x0f, 0x0b], &[0xf4], &[0xcc], &[0xcd, 0x29]] {
            assert_eq!(next(code), Next::Ends, "{code:x?}");
        }
        for code in [&[0xcd, 0x80][..], &[0x0f, 0x05], &[0x90]] {
            assert_eq!(next(code), Next::Falls);
        }
        assert_eq!(writes(&[0xe8, 0x0d, 0, 0, 0]), []);
    }

    #[test]
    fn a_call_of_the_next_instruction_is_a_push_of_its_address() {
        let call = step(32, &[0xe8, 0, 0, 0, 0]);
        assert_eq!(call.next, Next::Falls);
        let stack = Part { size: 4, ..whole(4) };
        let moved = Term::Address(MemoryOperand { size: None, ..at(stack, -4, 4) });
        let pushed = stored(at(stack, -4, 4), Term::Constant(0x1005));
        assert_eq!(call.writes, [pushed, set(stack, moved)]);
    }

    #[test]
    fn steps_end_before_what_is_cut_off_or_no_instruction() {
        // nop; an opcode of 32 bits; nop; half a mov
        let lens = |code: &[u8]| -> Vec<u64> {
            steps(64, START, code).into_iter().map(|step| step.len).collect()
        };
        assert_eq!(lens(&[0x90, 0x06, 0x90]), [1]);
        assert_eq!(lens(&[0x0f, 0x1f, 0x00, 0x48, 0x8b]), [3]);
        let addresses = steps(64, START, &[0x0f, 0x1f, 0x00, 0x90]);
        assert_eq!(addresses[1].address, Avma(0x1003));
    }
}
