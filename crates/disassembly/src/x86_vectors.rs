//! What x86 instructions move by way of vector registers: structures are copied and set up
//! that way, two pointers at a time.

use iced_x86::{EncodingKind, Mnemonic, OpKind, Register as X86};

use super::effects::{MemoryOperand, Part};
use super::flow::{Target, Term, Write};
use super::x86_flow::Shape;
use obit_corefile::arch::Register;

/// Bytes of a vector register, as far as any instruction reaches (`zmm`).
pub(super) const WHOLE: u64 = 64;

/// All of them, whole.
pub(super) fn all(bits: u32) -> impl Iterator<Item = Part> {
    let registers =
        (X86::ZMM0 as u32..=X86::ZMM31 as u32).filter_map(|at| X86::try_from(at as usize).ok());
    registers.filter_map(move |register| part(bits, register))
}

/// A vector register; its `size` is that of the operand (`xmm` 16, `ymm` 32, `zmm` 64).
pub(super) fn part(bits: u32, register: X86) -> Option<Part> {
    if !register.is_vector_register() {
        return None;
    }
    let number = u16::try_from(register.number()).ok()?;
    let dwarf = match (bits, number) {
        // psABI AMD64 figure 3.36.
        (64, 0..=15) => number.checked_add(17)?,
        (64, 16..=31) => number.checked_add(67 - 16)?,
        // psABI i386 table 2.14.
        (32, 0..=7) => number.checked_add(21)?,
        _ => return None,
    };
    let size = u64::try_from(register.size()).ok()?;
    Some(Part { register: Register(dwarf), shift: 0, size })
}

/// `None` if nothing is known of it here.
pub(super) fn known(shape: &Shape) -> Option<Vec<Write>> {
    let decoded = shape.decoded;
    if decoded.has_op_mask() || decoded.is_string_instruction() || decoded.is_broadcast() {
        return None;
    }
    match decoded.mnemonic() {
        Mnemonic::Movaps
        | Mnemonic::Movups
        | Mnemonic::Movapd
        | Mnemonic::Movupd
        | Mnemonic::Movdqa
        | Mnemonic::Movdqu
        | Mnemonic::Lddqu
        | Mnemonic::Movntdqa
        | Mnemonic::Movntps
        | Mnemonic::Movntpd
        | Mnemonic::Movntdq
        | Mnemonic::Movd
        | Mnemonic::Movq
        | Mnemonic::Vmovaps
        | Mnemonic::Vmovups
        | Mnemonic::Vmovapd
        | Mnemonic::Vmovupd
        | Mnemonic::Vmovdqa
        | Mnemonic::Vmovdqu
        | Mnemonic::Vmovdqa32
        | Mnemonic::Vmovdqa64
        | Mnemonic::Vmovdqu8
        | Mnemonic::Vmovdqu16
        | Mnemonic::Vmovdqu32
        | Mnemonic::Vmovdqu64
        | Mnemonic::Vlddqu
        | Mnemonic::Vmovntdqa
        | Mnemonic::Vmovntps
        | Mnemonic::Vmovntpd
        | Mnemonic::Vmovntdq
        | Mnemonic::Vmovd
        | Mnemonic::Vmovq => whole(shape),
        Mnemonic::Movss | Mnemonic::Vmovss => scalar(shape, 4),
        Mnemonic::Movsd | Mnemonic::Vmovsd => scalar(shape, 8),
        Mnemonic::Movlps | Mnemonic::Movlpd => half(shape, 0),
        Mnemonic::Movhps | Mnemonic::Movhpd => half(shape, 64),
        Mnemonic::Punpcklqdq | Mnemonic::Unpcklpd | Mnemonic::Movlhps => high_from_low(shape),
        Mnemonic::Vpunpcklqdq | Mnemonic::Vunpcklpd | Mnemonic::Vmovlhps => joined(shape),
        Mnemonic::Pinsrd => inserted(shape, 4),
        Mnemonic::Pinsrq => inserted(shape, 8),
        Mnemonic::Pextrd | Mnemonic::Vpextrd => extracted(shape, 4),
        Mnemonic::Pextrq | Mnemonic::Vpextrq => extracted(shape, 8),
        Mnemonic::Pxor | Mnemonic::Xorps | Mnemonic::Xorpd if shape.is_same_register(0, 1) => {
            Some(one(vector(shape, 0)?, Term::Constant(0)))
        }
        Mnemonic::Vpxor
        | Mnemonic::Vpxord
        | Mnemonic::Vpxorq
        | Mnemonic::Vxorps
        | Mnemonic::Vxorpd
            if shape.is_same_register(1, 2) =>
        {
            Some(one(vector(shape, 0)?, Term::Constant(0)))
        }
        _ => None,
    }
}

/// A move of all the source has; a vector register that is narrower than the target is
/// one of which the target takes less (`movd`, `movq`).
fn whole(shape: &Shape) -> Option<Vec<Write>> {
    let size = shape.size(0)?.min(shape.size(1)?);
    let size = match shape.decoded.mnemonic() {
        Mnemonic::Movq | Mnemonic::Vmovq => size.min(8),
        Mnemonic::Movd | Mnemonic::Vmovd => size.min(8),
        _ => size,
    };
    let from = cut(shape.source(1)?, size);
    let to = match shape.decoded.op0_kind() {
        OpKind::Register if is_vector(shape, 0) => vector(shape, 0)?,
        _ => shape.target(0)?,
    };
    Some(one(to, from))
}

/// `movss`, `movsd`: a load clears the rest, a move between registers does not.
fn scalar(shape: &Shape, size: u64) -> Option<Vec<Write>> {
    if shape.decoded.op_count() != 2 {
        return None;
    }
    let from = cut(shape.source(1)?, size);
    let to = match (shape.decoded.op0_kind(), shape.decoded.op1_kind()) {
        (OpKind::Register, OpKind::Memory) => vector(shape, 0)?,
        (OpKind::Register, _) => Target::Register(Part { size, ..shape.register(0)? }),
        _ => shape.target(0)?,
    };
    Some(one(to, from))
}

/// `movlps`, `movhps`: one half to or from memory.
fn half(shape: &Shape, shift: u32) -> Option<Vec<Write>> {
    match shape.decoded.op0_kind() {
        OpKind::Register => {
            let to = Part { shift, size: 8, ..shape.register(0)? };
            Some(one(Target::Register(to), shape.source(1)?))
        }
        _ => {
            let from = Part { shift, size: 8, ..shape.register(1)? };
            Some(one(shape.target(0)?, Term::Register(from)))
        }
    }
}

/// The low half of the source becomes the high half of the target.
fn high_from_low(shape: &Shape) -> Option<Vec<Write>> {
    let to = Part { shift: 64, size: 8, ..shape.register(0)? };
    Some(one(Target::Register(to), cut(shape.source(1)?, 8)))
}

/// The same of two sources into a third register, the rest of which is cleared.
fn joined(shape: &Shape) -> Option<Vec<Write>> {
    let to = shape.register(0).filter(|to| to.size == 16)?;
    let (low, high) = (cut(shape.source(1)?, 8), cut(shape.source(2)?, 8));
    let target = |shift, size| Target::Register(Part { shift, size, ..to });
    Some(vec![
        Write { to: target(0, 8), from: low },
        Write { to: target(64, 8), from: high },
        Write { to: target(128, 48), from: Term::Constant(0) },
    ])
}

fn inserted(shape: &Shape, size: u64) -> Option<Vec<Write>> {
    let to = Part { shift: lane(shape, size)?, size, ..shape.register(0)? };
    Some(one(Target::Register(to), cut(shape.source(1)?, size)))
}

fn extracted(shape: &Shape, size: u64) -> Option<Vec<Write>> {
    let from = Part { shift: lane(shape, size)?, size, ..shape.register(1)? };
    Some(one(shape.target(0)?, Term::Register(from)))
}

/// The first bit of the part of 16 bytes that the last operand counts out.
fn lane(shape: &Shape, size: u64) -> Option<u32> {
    let number = u64::from(shape.decoded.immediate8());
    let byte = number.checked_mul(size)? & 0xf;
    u32::try_from(byte.checked_mul(8)?).ok()
}

/// The register that an operand is, as far as the instruction changes it: those encoded
/// with VEX or EVEX clear what they do not set.
fn vector(shape: &Shape, number: u32) -> Option<Target> {
    let part = shape.register(number)?;
    let size = match shape.decoded.encoding() {
        EncodingKind::Legacy => part.size,
        _ => WHOLE,
    };
    Some(Target::Register(Part { size, ..part }))
}

fn is_vector(shape: &Shape, number: u32) -> bool {
    let register = shape.decoded.try_op_register(number);
    register.is_ok_and(|register| part(shape.bits, register).is_some())
}

/// The low bytes of a source.
fn cut(from: Term, size: u64) -> Term {
    match from {
        Term::Register(part) => Term::Register(Part { size, ..part }),
        Term::Memory(memory) => Term::Memory(MemoryOperand { size: Some(size), ..memory }),
        other => other,
    }
}

fn one(to: Target, from: Term) -> Vec<Write> {
    vec![Write { to, from }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::effects::AccessMode;
    use crate::x86_flow::steps;
    use obit_corefile::addr::Avma;

    const RAX: Part = Part { register: Register(0), shift: 0, size: 8 };

    fn xmm(number: u16, shift: u32, size: u64) -> Part {
        Part { register: Register(17 + number), shift, size }
    }

    fn set(part: Part, from: Term) -> Write {
        Write { to: Target::Register(part), from }
    }

    fn writes(code: &[u8]) -> Vec<Write> {
        let steps = steps(64, Avma(0x1000), code);
        assert_eq!(steps.len(), 1);
        steps.into_iter().flat_map(|step| step.writes).collect()
    }

    fn below_frame(mode: AccessMode, size: u64) -> MemoryOperand {
        MemoryOperand {
            mode,
            size: Some(size),
            segment: None,
            base: Some(Part { register: Register(6), shift: 0, size: 8 }),
            index: None,
            displacement: -0x20,
            address_size: 8,
            index_is_signed: false,
            rounds: None,
        }
    }

    #[test]
    fn two_pointers_are_followed_into_a_structure() {
        // movq %rax,%xmm0; movhps -0x20(%rbp),%xmm0; punpcklqdq %xmm1,%xmm0;
        // pinsrq $1,%rax,%xmm0; movups %xmm0,-0x20(%rbp)
        let moved = writes(&[0x66, 0x48, 0x0f, 0x6e, 0xc0]);
        assert_eq!(moved, [set(xmm(0, 0, 16), Term::Register(RAX))]);
        let loaded = Term::Memory(below_frame(AccessMode::Read, 8));
        assert_eq!(writes(&[0x0f, 0x16, 0x45, 0xe0]), [set(xmm(0, 64, 8), loaded)]);
        let joined = [set(xmm(0, 64, 8), Term::Register(xmm(1, 0, 8)))];
        assert_eq!(writes(&[0x66, 0x0f, 0x6c, 0xc1]), joined);
        let inserted = [set(xmm(0, 64, 8), Term::Register(RAX))];
        assert_eq!(writes(&[0x66, 0x48, 0x0f, 0x3a, 0x22, 0xc0, 1]), inserted);
        let to = Target::Memory(below_frame(AccessMode::Write, 16));
        let stored = [Write { to, from: Term::Register(xmm(0, 0, 16)) }];
        assert_eq!(writes(&[0x0f, 0x11, 0x45, 0xe0]), stored);
    }

    #[test]
    fn a_vex_move_clears_what_it_does_not_set() {
        // vmovdqu -0x20(%rbp),%xmm0; the same of ymm0; vpxor %xmm0,%xmm0,%xmm0
        for (prefix, size) in [(0xfa, 16), (0xfe, 32)] {
            let loaded = Term::Memory(below_frame(AccessMode::Read, size));
            let code = [0xc5, prefix, 0x6f, 0x45, 0xe0];
            assert_eq!(writes(&code), [set(xmm(0, 0, 64), loaded)]);
        }
        let cleared = [set(xmm(0, 0, 64), Term::Constant(0))];
        assert_eq!(writes(&[0xc5, 0xf9, 0xef, 0xc0]), cleared);
        // pxor %xmm0,%xmm0 keeps what is above.
        let cleared = [set(xmm(0, 0, 16), Term::Constant(0))];
        assert_eq!(writes(&[0x66, 0x0f, 0xef, 0xc0]), cleared);
    }

    #[test]
    fn a_scalar_load_clears_the_rest_and_a_move_between_registers_keeps_it() {
        // movsd -0x20(%rbp),%xmm0; movsd %xmm1,%xmm0; movd %xmm1,%eax
        let loaded = Term::Memory(below_frame(AccessMode::Read, 8));
        assert_eq!(writes(&[0xf2, 0x0f, 0x10, 0x45, 0xe0]), [set(xmm(0, 0, 16), loaded)]);
        let moved = [set(xmm(0, 0, 8), Term::Register(xmm(1, 0, 8)))];
        assert_eq!(writes(&[0xf2, 0x0f, 0x10, 0xc1]), moved);
        let moved = [set(RAX, Term::Register(xmm(1, 0, 4)))];
        assert_eq!(writes(&[0x66, 0x0f, 0x7e, 0xc8]), moved);
    }

    #[test]
    fn what_was_saved_comes_back_into_all_vectors() {
        // xrstor 0x40(%rsp)
        let writes = writes(&[0x0f, 0xae, 0x6c, 0x24, 0x40]);
        for number in [0, 15, 50, 65] {
            assert!(writes.contains(&set(xmm(number, 0, 64), Term::Unknown)), "{number}");
        }
    }

    #[test]
    fn arithmetic_makes_the_whole_register_unknown() {
        // addps %xmm1,%xmm0; vaddps %ymm1,%ymm2,%ymm0; vmovdqu32 (%rax),%zmm0{%k1}
        for code in [
            &[0x0f, 0x58, 0xc1][..],
            &[0xc5, 0xec, 0x58, 0xc1],
            &[0x62, 0xf1, 0x7e, 0x49, 0x6f, 0x00],
        ] {
            assert_eq!(writes(code), [set(xmm(0, 0, 64), Term::Unknown)], "{code:x?}");
        }
    }
}
