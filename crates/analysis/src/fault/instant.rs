//! One place where a thread was, with the instruction there and what it works on.

use obit_corefile::addr::Avma;
use obit_corefile::arch::{Decoder, Facts, Machine, Register};
use obit_disassembly::{
    BAD, Effects, Flavor, InstructionKind, MemoryOperand, Part, Source, effects, first,
};
use obit_process::process::{Process, Thread};
use obit_process::unwind::Activation;

/// x86 instructions are at most this long (Intel SDM volume 2, 2.3.11); others are shorter.
pub(super) const LONGEST: usize = 15;
/// gs of i386 as [`obit_disassembly`] names it.
const GS_BASE: Register = Register(59);
/// Bits of a pointer of AArch64 from here on are a tag that addresses do not have (Arm
/// Architecture Reference Manual, D8.8 "Address tagging").
const TAG: u32 = 56;

/// One place where a thread was.
pub(super) struct Instant<'p> {
    pub(super) process: &'p Process,
    pub(super) thread: &'p Thread,
    pub(super) place: &'p Activation,
    pc: Avma,
    decoder: Option<Decoder>,
    code: Vec<u8>,
    effects: Option<Effects>,
}

impl<'p> Instant<'p> {
    pub(super) fn new(process: &'p Process, thread: &'p Thread, place: &'p Activation) -> Self {
        Self::at(process, thread, place, place.pc)
    }

    fn at(process: &'p Process, thread: &'p Thread, place: &'p Activation, pc: Avma) -> Self {
        let code = process.memory.read_up_to(pc, LONGEST);
        let decoder = process.decoder_at(pc);
        let effects = decoder.and_then(|decoder| effects(decoder, pc, &code));
        Self { process, thread, place, pc, decoder, code, effects }
    }

    /// The same with an instruction that begins `bytes` before it.
    pub(super) fn before(&self, bytes: usize) -> Self {
        let pc = Avma(self.pc.0.wrapping_sub(bytes as u64));
        Self::at(self.process, self.thread, self.place, pc)
    }

    pub(super) fn machine(&self) -> Machine {
        self.process.dump.machine
    }

    /// Who decodes the code at the pc.
    pub(super) fn decoder(&self) -> Option<Decoder> {
        self.decoder
    }

    pub(super) fn facts(&self) -> Option<&'static Facts> {
        self.machine().facts()
    }

    pub(super) fn pc(&self) -> Avma {
        self.pc
    }

    /// Bytes from the pc on, as many as an instruction may have and memory holds.
    pub(super) fn code(&self) -> &[u8] {
        &self.code
    }

    /// The instruction as text; `None` where only its effects are known (SVE).
    pub(super) fn text(&self) -> Option<String> {
        let decoded = first(self.decoder?, Flavor::default(), self.pc, &self.code);
        let is_plain = self.kind() == Some(InstructionKind::Plain);
        decoded.map(|instruction| instruction.text).filter(|text| !is_plain || text != BAD)
    }

    /// What the instruction is; `None` where it is not known.
    pub(super) fn kind(&self) -> Option<InstructionKind> {
        self.effects.as_ref().map(|effects| effects.kind)
    }

    /// The accesses of the instruction.
    pub(super) fn operands(&self) -> impl Iterator<Item = &MemoryOperand> {
        self.effects.iter().flat_map(|effects| &effects.accesses)
    }

    /// The accesses of the instruction whose addresses are known.
    pub(super) fn accesses(&self) -> impl Iterator<Item = (&MemoryOperand, Avma)> {
        self.operands().filter_map(|operand| Some((operand, self.address(operand)?)))
    }

    fn address(&self, operand: &MemoryOperand) -> Option<Avma> {
        let word = u64::from(self.facts()?.word);
        operand.address(&self.place.registers, |register| self.segment_base(register), word)
    }

    fn segment_base(&self, register: Register) -> Option<u64> {
        match (self.machine(), register) {
            (Machine::I386, GS_BASE) => {
                let dump = &self.process.dump;
                dump.threads.get(dump.crashed)?.thread_pointer.map(|base| base.0)
            }
            (Machine::I386, _) => None,
            _ => self.place.registers.get(register),
        }
    }

    /// An address as the processor translates it. The kernel reports the address of a failed
    /// access in this form, though the pointer may have had a tag (aarch64,
    /// `uapi/asm/signal.h`).
    pub(super) fn untagged(&self, address: Avma) -> Avma {
        match self.machine().decoder() {
            Some(Decoder::Aarch64) => without_tag(address),
            Some(Decoder::Riscv | Decoder::X86 { .. } | Decoder::A32 | Decoder::Thumb) | None => {
                address
            }
        }
    }

    /// How many times a repeated string instruction was still to run.
    pub(super) fn rounds(&self, operand: &MemoryOperand) -> u64 {
        let rounds = operand.rounds.and_then(|counter| counter.value(&self.place.registers));
        rounds.unwrap_or(1)
    }

    /// The name of a register and what is in (a part of) it.
    pub(super) fn named(&self, part: Part) -> Option<(String, u64)> {
        let value = part.value(&self.place.registers)?;
        Some((self.machine().register_name(part.register), value))
    }

    /// The base of a segment by its name.
    pub(super) fn named_segment(&self, register: Register) -> Option<(String, u64)> {
        let name = match (self.machine(), register) {
            (Machine::I386, GS_BASE) => "gs_base".to_owned(),
            (machine, register) => machine.register_name(register),
        };
        Some((name, self.segment_base(register)?))
    }

    /// Bytes of the number that an instruction takes from a register or from memory.
    pub(super) fn size(&self, source: Source) -> Option<u64> {
        match source {
            Source::Register(part) => Some(part.size),
            Source::Memory(nth) => self.effects.as_ref()?.accesses.get(nth)?.size,
        }
    }

    /// The number an instruction takes from a register or from memory.
    pub(super) fn value(&self, source: Source) -> Option<u64> {
        match source {
            Source::Register(part) => part.value(&self.place.registers),
            Source::Memory(nth) => {
                let operand = self.effects.as_ref()?.accesses.get(nth)?;
                let mut bytes = [0; 8];
                let bytes = bytes.get_mut(..usize::try_from(operand.size?).ok()?)?;
                self.process.memory.read(self.address(operand)?, bytes).ok()?;
                Some(self.process.memory.unsigned(bytes))
            }
        }
    }
}

/// An address without the tag: bit 55 stands for those above.
fn without_tag(address: Avma) -> Avma {
    let unused = 64 - TAG;
    Avma(((address.0 << unused).cast_signed() >> unused).cast_unsigned())
}
