//! Effects of x86 instructions.

use iced_x86::{
    Code, CodeSize, Decoder, DecoderError, DecoderOptions, FlowControl, InstructionInfo,
    InstructionInfoFactory, Mnemonic, OpAccess, OpKind, Register as X86, UsedMemory,
};

use super::effects::{AccessMode, Effects, InstructionKind, MemoryOperand, Part, Source};
use obit_corefile::addr::Avma;
use obit_corefile::arch::Register;

/// DWARF numbers of the general registers in the processor's order: ax cx dx bx sp bp si
/// di, then r8 to r15 (psABI AMD64 figure 3.36).
const DWARF_64: [u16; 16] = [0, 2, 1, 3, 7, 6, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15];
/// See [`obit_corefile::arch`]: the bases of fs and gs on x86_64.
const FS_BASE: Register = Register(58);
const GS_BASE: Register = Register(59);

pub(super) fn effects(bits: u32, start: Avma, code: &[u8]) -> Option<Effects> {
    if code.is_empty() {
        // A call of a null pointer: not worth the decoder's tables.
        return None;
    }
    let mut decoder = Decoder::with_ip(bits, code, start.0, DecoderOptions::NONE);
    let decoded = decoder.decode();
    if decoded.is_invalid() {
        let cut_off = decoder.last_error() == DecoderError::NoMoreBytes;
        let bad = Effects { kind: InstructionKind::Bad, accesses: Vec::new() };
        return (!cut_off).then_some(bad);
    }
    let mut factory = InstructionInfoFactory::new();
    let info = factory.info(&decoded);
    let rounds = rounds(bits, &decoded, info);
    let mut accesses = Vec::new();
    // Where the explicit operand is among them; implicit ones (the stack) have others.
    let mut explicit = None;
    for memory in info.used_memory() {
        let Some(mut operand) = operand(bits, memory, rounds) else { continue };
        if rounds.is_some() {
            operand.size =
                u64::try_from(decoded.memory_size().size()).ok().filter(|size| *size > 0);
        }
        let is_explicit = has_memory_operand(&decoded)
            && memory.segment() == decoded.memory_segment()
            && memory.index() == decoded.memory_index()
            && (memory.base() == decoded.memory_base() || decoded.is_ip_rel_memory_operand());
        if is_explicit && explicit.is_none() && operand.mode != AccessMode::Write {
            explicit = Some(accesses.len());
        }
        accesses.push(operand);
    }
    let source = || match decoded.op0_kind() {
        OpKind::Register => Some(Source::Register(part(bits, decoded.op0_register())?)),
        OpKind::Memory => explicit.map(Source::Memory),
        _ => None,
    };
    let kind = match (decoded.mnemonic(), decoded.flow_control()) {
        (Mnemonic::Div | Mnemonic::Idiv, _) => source().map(InstructionKind::Division),
        (Mnemonic::Ud0 | Mnemonic::Ud1 | Mnemonic::Ud2 | Mnemonic::Int3, _) => {
            Some(InstructionKind::Trap)
        }
        _ if is_breakpoint(&decoded) => Some(InstructionKind::Trap),
        _ if decoded.is_privileged() => Some(InstructionKind::Privileged),
        (_, FlowControl::Return) if is_near_return(decoded.code()) => {
            let popped = accesses.iter().position(|access| access.mode == AccessMode::Read);
            popped.map(Source::Memory).map(InstructionKind::IndirectBranch)
        }
        (_, FlowControl::IndirectBranch | FlowControl::IndirectCall)
            if decoded.is_jmp_near_indirect() || decoded.is_call_near_indirect() =>
        {
            source().map(InstructionKind::IndirectBranch)
        }
        _ => None,
    };
    Some(Effects { kind: kind.unwrap_or(InstructionKind::Plain), accesses })
}

/// The register that counts the rounds of a repeated string instruction.
pub(super) fn rounds(
    bits: u32,
    decoded: &iced_x86::Instruction,
    info: &InstructionInfo,
) -> Option<Part> {
    if !is_repeated(decoded) {
        return None;
    }
    let counter = match info.used_memory().first()?.address_size() {
        CodeSize::Code16 => X86::CX,
        CodeSize::Code32 => X86::ECX,
        CodeSize::Code64 => X86::RCX,
        CodeSize::Unknown => return None,
    };
    part(bits, counter)
}

/// `int $3` in two bytes.
fn is_breakpoint(decoded: &iced_x86::Instruction) -> bool {
    decoded.code() == Code::Int_imm8 && decoded.immediate8() == 3
}

fn is_near_return(code: Code) -> bool {
    matches!(code, Code::Retnq | Code::Retnd | Code::Retnq_imm16 | Code::Retnd_imm16)
}

fn is_repeated(decoded: &iced_x86::Instruction) -> bool {
    decoded.is_string_instruction() && (decoded.has_rep_prefix() || decoded.has_repne_prefix())
}

fn has_memory_operand(decoded: &iced_x86::Instruction) -> bool {
    decoded.op_kinds().any(|kind| kind == OpKind::Memory)
}

/// `None` for an access that does not happen and for one whose address is made of a vector.
pub(super) fn operand(
    bits: u32,
    memory: &UsedMemory,
    rounds: Option<Part>,
) -> Option<MemoryOperand> {
    let mode = match memory.access() {
        OpAccess::Read | OpAccess::CondRead => AccessMode::Read,
        OpAccess::Write | OpAccess::CondWrite => AccessMode::Write,
        OpAccess::ReadWrite | OpAccess::ReadCondWrite => AccessMode::ReadWrite,
        OpAccess::None | OpAccess::NoMemAccess => return None,
    };
    let address_size = match memory.address_size() {
        CodeSize::Code16 => 2,
        CodeSize::Code32 => 4,
        CodeSize::Code64 => 8,
        CodeSize::Unknown => return None,
    };
    let address = Address {
        segment: memory.segment(),
        base: memory.base(),
        index: memory.index(),
        scale: memory.scale(),
        displacement: memory.displacement(),
        address_size,
    };
    let size = u64::try_from(memory.memory_size().size()).ok().filter(|size| *size > 0);
    Some(MemoryOperand { mode, size, rounds, ..address.operand(bits)? })
}

/// An address as the instruction has it.
pub(super) struct Address {
    pub(super) segment: X86,
    pub(super) base: X86,
    pub(super) index: X86,
    pub(super) scale: u32,
    pub(super) displacement: u64,
    pub(super) address_size: u64,
}

impl Address {
    /// An operand there, to read and of no size. `None` if it is made of a vector.
    pub(super) fn operand(&self, bits: u32) -> Option<MemoryOperand> {
        let known = |register| match register {
            X86::None => Some(None),
            register => part(bits, register).map(Some),
        };
        let base = known(self.base)?;
        let index = known(self.index)?.map(|index| (index, u64::from(self.scale)));
        let segment = match self.segment {
            X86::FS => Some(FS_BASE),
            X86::GS => Some(GS_BASE),
            // Their bases are zero: always on x86_64, and on Linux for 32 bits.
            _ => None,
        };
        let displacement = match self.address_size {
            8 => self.displacement.cast_signed(),
            // A register and a constant: the constant has a sign.
            _ if base.is_some() || index.is_some() => {
                let low = u32::try_from(self.displacement & 0xffff_ffff).ok()?;
                i64::from(low.cast_signed())
            }
            _ => self.displacement.cast_signed(),
        };
        Some(MemoryOperand {
            mode: AccessMode::Read,
            size: None,
            segment,
            base,
            index,
            displacement,
            address_size: self.address_size,
            index_is_signed: false,
            rounds: None,
        })
    }
}

/// A general register or a part of one; `None` for another.
pub(super) fn part(bits: u32, register: X86) -> Option<Part> {
    if !register.is_gpr() {
        return None;
    }
    let is_high = matches!(register, X86::AH | X86::CH | X86::DH | X86::BH);
    let number = register.full_register().number();
    let dwarf = match bits {
        64 => DWARF_64.get(number).copied()?,
        // psABI i386 table 2.14: the processor's order.
        _ => u16::try_from(number).ok().filter(|number| *number < 8)?,
    };
    let size = u64::try_from(register.size()).ok()?;
    Some(Part { register: Register(dwarf), shift: if is_high { 8 } else { 0 }, size })
}

#[cfg(test)]
mod tests {
    use super::*;

    const RAX: Register = Register(0);
    const RSP: Register = Register(7);

    fn of(code: &[u8]) -> Effects {
        effects(64, Avma(0x1000), code).unwrap()
    }

    fn whole(register: Register) -> Part {
        Part { register, shift: 0, size: 8 }
    }

    #[test]
    fn a_load_reads_at_base_index_and_displacement() {
        // mov -0x8(%rax,%rcx,4),%ebx
        let access = of(&[0x8b, 0x5c, 0x88, 0xf8]).accesses[0];
        assert_eq!((access.mode, access.size), (AccessMode::Read, Some(4)));
        assert_eq!(access.base, Some(whole(RAX)));
        assert_eq!(access.index, Some((whole(Register(2)), 4)));
        assert_eq!(access.displacement, -8);
    }

    #[test]
    fn a_32_bit_displacement_has_a_sign_and_an_address_has_none() {
        // mov -0x4(%ebp),%eax; mov 0xf0000000,%eax
        let of = |code| effects(32, Avma(0x1000), code).unwrap().accesses[0];
        let local = of(&[0x8b, 0x45, 0xfc]);
        assert_eq!(local.base, Some(Part { register: Register(5), shift: 0, size: 4 }));
        assert_eq!((local.displacement, local.address_size), (-4, 4));
        assert_eq!(of(&[0xa1, 0, 0, 0, 0xf0]).displacement, 0xf000_0000);
    }

    #[test]
    fn an_address_by_distance_is_a_constant() {
        // mov 0x10(%rip),%eax
        let access = of(&[0x8b, 0x05, 0x10, 0, 0, 0]).accesses[0];
        assert_eq!((access.base, access.displacement), (None, 0x1016));
    }

    #[test]
    fn a_push_and_a_call_write_below_the_stack_pointer() {
        for code in [&[0x50][..], &[0xe8, 0, 0, 0, 0]] {
            let access = of(code).accesses[0];
            assert_eq!((access.mode, access.size), (AccessMode::Write, Some(8)));
            assert_eq!((access.base, access.displacement), (Some(whole(RSP)), -8));
        }
        assert_eq!(effects(32, Avma(0), &[0x50]).unwrap().accesses[0].displacement, -4);
    }

    #[test]
    fn what_is_jumped_to_is_distinguished_from_the_stack_it_touches() {
        // call *0x8(%rax); call *%rax; ret
        let call = of(&[0xff, 0x50, 0x08]);
        let InstructionKind::IndirectBranch(Source::Memory(at)) = call.kind else {
            panic!("{call:?}");
        };
        assert_eq!(call.accesses[at].base, Some(whole(RAX)));
        let by_register = InstructionKind::IndirectBranch(Source::Register(whole(RAX)));
        assert_eq!(of(&[0xff, 0xd0]).kind, by_register);
        assert_eq!(of(&[0xc3]).kind, InstructionKind::IndirectBranch(Source::Memory(0)));
    }

    #[test]
    fn a_division_names_what_it_divides_by() {
        // div %ah; idivl 0x4(%rsp)
        let high = Part { register: RAX, shift: 8, size: 1 };
        assert_eq!(of(&[0xf6, 0xf4]).kind, InstructionKind::Division(Source::Register(high)));
        let division = of(&[0xf7, 0x7c, 0x24, 0x04]);
        assert_eq!(division.kind, InstructionKind::Division(Source::Memory(0)));
        assert_eq!(division.accesses[0].size, Some(4));
    }

    #[test]
    fn a_repeated_copy_reads_writes_and_counts() {
        // rep movsb
        let accesses = of(&[0xf3, 0xa4]).accesses;
        let seen: Vec<_> = accesses.iter().map(|access| (access.mode, access.base)).collect();
        let [rsi, rdi] = [whole(Register(4)), whole(Register(5))];
        assert!(seen.contains(&(AccessMode::Read, Some(rsi))), "{seen:?}");
        assert!(seen.contains(&(AccessMode::Write, Some(rdi))), "{seen:?}");
        assert!(accesses.iter().all(|access| access.rounds == Some(whole(Register(2)))));
        assert!(accesses.iter().all(|access| access.size == Some(1)));
    }

    #[test]
    fn traps_and_privileged_and_no_instructions_are_distinguished() {
        // ud2; ud1 %eax,%eax; int3; int $3; hlt; in (%dx),%al; an opcode of 32 bits; lea
        for code in [&[0x0f, 0x0b][..], &[0x0f, 0xb9, 0xc0], &[0xcc], &[0xcd, 3]] {
            assert_eq!(of(code).kind, InstructionKind::Trap);
        }
        assert_eq!(of(&[0xf4]).kind, InstructionKind::Privileged);
        assert_eq!(of(&[0xec]).kind, InstructionKind::Privileged);
        assert_eq!(of(&[0x06, 0x90]).kind, InstructionKind::Bad);
        assert_eq!(effects(64, Avma(0), &[0x48, 0x8b]), None);
        let lea = Effects { kind: InstructionKind::Plain, accesses: Vec::new() };
        assert_eq!(of(&[0x48, 0x8d, 0x40, 0x08]), lea);
    }
}
