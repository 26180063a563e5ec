//! AT&T text of the plain instructions that programs consist of, as iced-x86's formatter writes
//! it but without the tables that it builds first: they take longer than reading a whole
//! small core.

use std::fmt::{self, Write as _};

use iced_x86::{Code, Instruction, Mnemonic, OpKind, Register};

/// Column of the first operand, as in gdb and objdump.
pub(super) const OPERANDS: u32 = 7;

/// The text, the same to the letter as the formatter's. `None` for what it must be asked.
pub(super) fn att(decoded: &Instruction) -> Option<String> {
    if has_prefix(decoded) || !is_plain(decoded) {
        return None;
    }
    let mut text = String::new();
    text.push_str(name(decoded.mnemonic())?);
    text.push_str(suffix(decoded)?);
    let is_indirect = decoded.is_call_near_indirect() || decoded.is_jmp_near_indirect();
    for number in (0..decoded.op_count()).rev() {
        if text.contains(' ') {
            text.push(',');
        } else {
            let wide = usize::try_from(OPERANDS).ok()?.saturating_sub(1);
            text = format!("{text:wide$} ");
        }
        if is_indirect {
            text.push('*');
        }
        operand(decoded, number, &mut text)?.ok()?;
    }
    Some(text)
}

/// The segments of data but fs and gs go without saying; that they are written is rare.
fn has_prefix(decoded: &Instruction) -> bool {
    let segment = decoded.segment_prefix();
    decoded.has_lock_prefix()
        || decoded.has_rep_prefix()
        || decoded.has_repne_prefix()
        || decoded.has_op_mask()
        || !matches!(segment, Register::None | Register::FS | Register::GS)
        || (segment != Register::None && !has_memory(decoded))
}

/// Whether it is none of the forms that are written in a way of their own.
fn is_plain(decoded: &Instruction) -> bool {
    let narrow = [decoded.memory_base(), decoded.memory_index()];
    let is_narrow =
        narrow.iter().any(|register| register.size() == 2 || *register == Register::EIP);
    let is_own = matches!(
        decoded.code(),
        Code::Leavew
            | Code::Retnw
            | Code::Retnw_imm16
            | Code::Push_imm16
            | Code::Pushw_imm8
            | Code::Mov_AL_moffs8
            | Code::Mov_AX_moffs16
            | Code::Mov_EAX_moffs32
            | Code::Mov_RAX_moffs64
            | Code::Mov_moffs8_AL
            | Code::Mov_moffs16_AX
            | Code::Mov_moffs32_EAX
            | Code::Mov_moffs64_RAX
            | Code::Mov_r64_imm64
            | Code::Nopw
            | Code::Nopq
    );
    let has_segment = (0..decoded.op_count())
        .filter_map(|number| decoded.try_op_register(number).ok())
        .any(Register::is_segment_register);
    // `imul $3,%rax,%rax` names the register once.
    let is_short =
        decoded.mnemonic() == Mnemonic::Imul && decoded.op0_register() == decoded.op1_register();
    !is_narrow && !is_own && !has_segment && !is_short
}

/// Its name without the suffix that gives the size.
fn name(mnemonic: Mnemonic) -> Option<&'static str> {
    Some(match mnemonic {
        Mnemonic::Mov => "mov",
        Mnemonic::Movzx => "movz",
        Mnemonic::Movsx | Mnemonic::Movsxd => "movs",
        Mnemonic::Lea => "lea",
        Mnemonic::Add => "add",
        Mnemonic::Sub => "sub",
        Mnemonic::And => "and",
        Mnemonic::Or => "or",
        Mnemonic::Xor => "xor",
        Mnemonic::Cmp => "cmp",
        Mnemonic::Test => "test",
        Mnemonic::Inc => "inc",
        Mnemonic::Dec => "dec",
        Mnemonic::Div => "div",
        Mnemonic::Idiv => "idiv",
        Mnemonic::Imul => "imul",
        Mnemonic::Push => "push",
        Mnemonic::Pop => "pop",
        Mnemonic::Call => "call",
        Mnemonic::Jmp => "jmp",
        Mnemonic::Ret => "ret",
        Mnemonic::Leave => "leave",
        Mnemonic::Ud2 => "ud2",
        Mnemonic::Int3 => "int3",
        Mnemonic::Hlt => "hlt",
        Mnemonic::Syscall => "syscall",
        Mnemonic::Movss => "movss",
        Mnemonic::Movsd => "movsd",
        Mnemonic::Movups => "movups",
        Mnemonic::Movaps => "movaps",
        Mnemonic::Movupd => "movupd",
        Mnemonic::Movapd => "movapd",
        Mnemonic::Movdqu => "movdqu",
        Mnemonic::Movdqa => "movdqa",
        Mnemonic::Movq => "movq",
        Mnemonic::Movd => "movd",
        Mnemonic::Movhps => "movhps",
        Mnemonic::Vmovups => "vmovups",
        Mnemonic::Vmovaps => "vmovaps",
        Mnemonic::Vmovdqu => "vmovdqu",
        Mnemonic::Vmovdqa => "vmovdqa",
        Mnemonic::Vmovdqu8 => "vmovdqu8",
        Mnemonic::Vmovdqu64 => "vmovdqu64",
        Mnemonic::Vmovdqa64 => "vmovdqa64",
        Mnemonic::Pcmpeqb => "pcmpeqb",
        Mnemonic::Vpcmpeqb => "vpcmpeqb",
        Mnemonic::Jo => "jo",
        Mnemonic::Jno => "jno",
        Mnemonic::Jb => "jb",
        Mnemonic::Jae => "jae",
        Mnemonic::Je => "je",
        Mnemonic::Jne => "jne",
        Mnemonic::Jbe => "jbe",
        Mnemonic::Ja => "ja",
        Mnemonic::Js => "js",
        Mnemonic::Jns => "jns",
        Mnemonic::Jp => "jp",
        Mnemonic::Jnp => "jnp",
        Mnemonic::Jl => "jl",
        Mnemonic::Jge => "jge",
        Mnemonic::Jle => "jle",
        Mnemonic::Jg => "jg",
        Mnemonic::Cmovo => "cmovo",
        Mnemonic::Cmovno => "cmovno",
        Mnemonic::Cmovb => "cmovb",
        Mnemonic::Cmovae => "cmovae",
        Mnemonic::Cmove => "cmove",
        Mnemonic::Cmovne => "cmovne",
        Mnemonic::Cmovbe => "cmovbe",
        Mnemonic::Cmova => "cmova",
        Mnemonic::Cmovs => "cmovs",
        Mnemonic::Cmovns => "cmovns",
        Mnemonic::Cmovp => "cmovp",
        Mnemonic::Cmovnp => "cmovnp",
        Mnemonic::Cmovl => "cmovl",
        Mnemonic::Cmovge => "cmovge",
        Mnemonic::Cmovle => "cmovle",
        Mnemonic::Cmovg => "cmovg",
        Mnemonic::Seto => "seto",
        Mnemonic::Setno => "setno",
        Mnemonic::Setb => "setb",
        Mnemonic::Setae => "setae",
        Mnemonic::Sete => "sete",
        Mnemonic::Setne => "setne",
        Mnemonic::Setbe => "setbe",
        Mnemonic::Seta => "seta",
        Mnemonic::Sets => "sets",
        Mnemonic::Setns => "setns",
        Mnemonic::Setp => "setp",
        Mnemonic::Setnp => "setnp",
        Mnemonic::Setl => "setl",
        Mnemonic::Setge => "setge",
        Mnemonic::Setle => "setle",
        Mnemonic::Setg => "setg",
        Mnemonic::Adc => "adc",
        Mnemonic::Sbb => "sbb",
        Mnemonic::Neg => "neg",
        Mnemonic::Not => "not",
        Mnemonic::Mul => "mul",
        Mnemonic::Bt => "bt",
        Mnemonic::Bsf => "bsf",
        Mnemonic::Bsr => "bsr",
        Mnemonic::Tzcnt => "tzcnt",
        Mnemonic::Lzcnt => "lzcnt",
        Mnemonic::Popcnt => "popcnt",
        Mnemonic::Bswap => "bswap",
        Mnemonic::Xchg => "xchg",
        Mnemonic::Endbr64 => "endbr64",
        Mnemonic::Endbr32 => "endbr32",
        Mnemonic::Nop => "nop",
        Mnemonic::Pxor => "pxor",
        Mnemonic::Xorps => "xorps",
        Mnemonic::Xorpd => "xorpd",
        Mnemonic::Andps => "andps",
        Mnemonic::Andpd => "andpd",
        Mnemonic::Orps => "orps",
        Mnemonic::Por => "por",
        Mnemonic::Pand => "pand",
        Mnemonic::Pandn => "pandn",
        Mnemonic::Paddd => "paddd",
        Mnemonic::Paddq => "paddq",
        Mnemonic::Psubq => "psubq",
        Mnemonic::Punpcklqdq => "punpcklqdq",
        Mnemonic::Punpckhqdq => "punpckhqdq",
        Mnemonic::Punpckldq => "punpckldq",
        Mnemonic::Unpcklpd => "unpcklpd",
        Mnemonic::Unpcklps => "unpcklps",
        Mnemonic::Pshufd => "pshufd",
        Mnemonic::Pmovmskb => "pmovmskb",
        Mnemonic::Pcmpeqd => "pcmpeqd",
        Mnemonic::Pcmpeqw => "pcmpeqw",
        Mnemonic::Pminub => "pminub",
        Mnemonic::Addsd => "addsd",
        Mnemonic::Subsd => "subsd",
        Mnemonic::Mulsd => "mulsd",
        Mnemonic::Divsd => "divsd",
        Mnemonic::Addss => "addss",
        Mnemonic::Subss => "subss",
        Mnemonic::Mulss => "mulss",
        Mnemonic::Divss => "divss",
        Mnemonic::Comisd => "comisd",
        Mnemonic::Ucomisd => "ucomisd",
        Mnemonic::Comiss => "comiss",
        Mnemonic::Ucomiss => "ucomiss",
        Mnemonic::Sqrtsd => "sqrtsd",
        Mnemonic::Movlps => "movlps",
        Mnemonic::Movhpd => "movhpd",
        Mnemonic::Movlpd => "movlpd",
        Mnemonic::Movmskpd => "movmskpd",
        Mnemonic::Cvttsd2si => "cvttsd2si",
        Mnemonic::Cvttss2si => "cvttss2si",
        Mnemonic::Vpxor => "vpxor",
        Mnemonic::Vmovd => "vmovd",
        Mnemonic::Vmovq => "vmovq",
        Mnemonic::Vmovsd => "vmovsd",
        Mnemonic::Vmovss => "vmovss",
        Mnemonic::Vzeroupper => "vzeroupper",
        Mnemonic::Vpminub => "vpminub",
        Mnemonic::Vpmovmskb => "vpmovmskb",
        Mnemonic::Shl => "shl",
        Mnemonic::Shr => "shr",
        Mnemonic::Sar => "sar",
        Mnemonic::Rol => "rol",
        Mnemonic::Ror => "ror",
        Mnemonic::Cpuid => "cpuid",
        Mnemonic::Rdtsc => "rdtsc",
        Mnemonic::Pause => "pause",
        Mnemonic::Mfence => "mfence",
        Mnemonic::Lfence => "lfence",
        Mnemonic::Sfence => "sfence",
        Mnemonic::Cmpxchg => "cmpxchg",
        Mnemonic::Xadd => "xadd",
        Mnemonic::Bts => "bts",
        Mnemonic::Btr => "btr",
        Mnemonic::Cdqe => "cltq",
        Mnemonic::Cqo => "cqto",
        Mnemonic::Cdq => "cltd",
        Mnemonic::Cwde => "cwtl",
        _ => return None,
    })
}

/// The word that gives the size where no register does.
fn suffix(decoded: &Instruction) -> Option<&'static str> {
    let of_size = |bytes| {
        Some(match bytes {
            1 => "b",
            2 => "w",
            4 => "l",
            8 => "q",
            _ => return None,
        })
    };
    match decoded.mnemonic() {
        _ if decoded.is_string_instruction() => None,
        Mnemonic::Movzx | Mnemonic::Movsx | Mnemonic::Movsxd => {
            extension(size(decoded, 1)?, size(decoded, 0)?)
        }
        Mnemonic::Call | Mnemonic::Jmp if !is_near(decoded) => None,
        _ if name(decoded.mnemonic())?.starts_with("set") => Some(""),
        // The register says by how much, not what.
        Mnemonic::Shl | Mnemonic::Shr | Mnemonic::Sar | Mnemonic::Rol | Mnemonic::Ror
            if has_memory(decoded) =>
        {
            of_size(size(decoded, 0)?)
        }
        _ if !has_memory(decoded) || has_register(decoded) => Some(""),
        _ => of_size(size(decoded, 0)?),
    }
}

fn is_near(decoded: &Instruction) -> bool {
    decoded.is_call_near()
        || decoded.is_call_near_indirect()
        || decoded.is_jmp_near_indirect()
        || decoded.is_jmp_short_or_near()
}

/// From and to how many bytes.
fn extension(from: usize, to: usize) -> Option<&'static str> {
    Some(match (from, to) {
        (1, 2) => "bw",
        (1, 4) => "bl",
        (1, 8) => "bq",
        (2, 4) => "wl",
        (2, 8) => "wq",
        (4, 8) => "lq",
        _ => return None,
    })
}

fn size(decoded: &Instruction, number: u32) -> Option<usize> {
    match decoded.try_op_kind(number).ok()? {
        OpKind::Register => Some(decoded.try_op_register(number).ok()?.size()),
        OpKind::Memory => Some(decoded.memory_size().size()),
        _ => None,
    }
}

fn has_memory(decoded: &Instruction) -> bool {
    decoded.op_kinds().any(|kind| kind == OpKind::Memory)
}

fn has_register(decoded: &Instruction) -> bool {
    decoded.op_kinds().any(|kind| kind == OpKind::Register)
}

fn operand(decoded: &Instruction, number: u32, text: &mut String) -> Option<fmt::Result> {
    Some(match decoded.try_op_kind(number).ok()? {
        OpKind::Register => register(decoded.try_op_register(number).ok()?, text),
        OpKind::Memory => memory(decoded, text),
        OpKind::NearBranch32 | OpKind::NearBranch64 => {
            write!(text, "{:#x}", decoded.near_branch_target())
        }
        OpKind::Immediate8
        | OpKind::Immediate16
        | OpKind::Immediate32
        | OpKind::Immediate64
        | OpKind::Immediate8to16
        | OpKind::Immediate8to32
        | OpKind::Immediate8to64
        | OpKind::Immediate32to64 => {
            let value = decoded.try_immediate(number).ok()?;
            let shown = match decoded.try_op_kind(number).ok()? {
                OpKind::Immediate8to16 => value & 0xffff,
                OpKind::Immediate8to32 => value & 0xffff_ffff,
                _ => value,
            };
            write!(text, "${shown:#x}")
        }
        _ => return None,
    })
}

fn register(register: Register, text: &mut String) -> fmt::Result {
    // No table: the names are those of the variants, but for the low bytes of r8 to r15.
    let from = text.len();
    write!(text, "%{register:?}")?;
    if register.is_gpr8() && register.full_register().number() >= 8 {
        text.pop();
        text.push('b');
    }
    if let Some(name) = text.get_mut(from..) {
        name.make_ascii_lowercase();
    }
    Ok(())
}

fn memory(decoded: &Instruction, text: &mut String) -> fmt::Result {
    if decoded.segment_prefix() != Register::None {
        register(decoded.segment_prefix(), text)?;
        text.push(':');
    }
    let (base, index) = (decoded.memory_base(), decoded.memory_index());
    if base == Register::None && index == Register::None {
        return write!(text, "{:#x}", decoded.memory_displacement64());
    }
    let displacement = match base {
        Register::RIP => decoded.memory_displacement64().wrapping_sub(decoded.next_ip()),
        _ => decoded.memory_displacement64(),
    };
    let is_narrow = [base, index].into_iter().any(|register| register.size() == 4);
    let low = u32::try_from(displacement & 0xffff_ffff).unwrap_or(0).cast_signed();
    let displacement = match is_narrow {
        true => i64::from(low),
        false => displacement.cast_signed(),
    };
    if displacement < 0 {
        write!(text, "-{:#x}", displacement.unsigned_abs())?;
    } else if displacement > 0 {
        write!(text, "{displacement:#x}")?;
    }
    text.push('(');
    if base != Register::None {
        register(base, text)?;
    }
    if index != Register::None {
        text.push(',');
        register(index, text)?;
        if decoded.memory_index_scale() > 1 || base == Register::None {
            write!(text, ",{}", decoded.memory_index_scale())?;
        }
    }
    text.push(')');
    Ok(())
}
