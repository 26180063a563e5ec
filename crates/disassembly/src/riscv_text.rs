//! The names of RISC-V instructions and registers, with the short forms that binutils
//! prefers (RISC-V Assembly Programmer's Manual, "Pseudoinstructions").

use super::riscv_word::{
    ATOMIC, AUIPC, BRANCH, EBREAK, ECALL, FENCE, FLOAT, IMMEDIATE, IMMEDIATE_32, JAL, JALR, LOAD,
    LOAD_FLOAT, LUI, RA, REGISTERS, REGISTERS_32, STORE, STORE_FLOAT, SYSTEM, UNIMP, Word, ZERO,
};

const GENERAL: [&str; 32] = [
    "zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4",
    "a5", "a6", "a7", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4",
    "t5", "t6",
];
const FLOATS: [&str; 32] = [
    "ft0", "ft1", "ft2", "ft3", "ft4", "ft5", "ft6", "ft7", "fs0", "fs1", "fa0", "fa1", "fa2",
    "fa3", "fa4", "fa5", "fa6", "fa7", "fs2", "fs3", "fs4", "fs5", "fs6", "fs7", "fs8", "fs9",
    "fs10", "fs11", "ft8", "ft9", "ft10", "ft11",
];

fn x(number: u32) -> &'static str {
    name(&GENERAL, number)
}

fn f(number: u32) -> &'static str {
    name(&FLOATS, number)
}

fn name(names: &[&'static str; 32], number: u32) -> &'static str {
    usize::try_from(number).ok().and_then(|at| names.get(at)).copied().unwrap_or("?")
}

/// The instruction in words; `None` where it has no name here.
pub(super) fn text(word: Word) -> Option<String> {
    let (rd, rs1, rs2) = (x(word.rd()), x(word.rs1()), x(word.rs2()));
    let upper = u32::try_from(word.upper() >> 12 & 0xf_ffff).unwrap_or(0);
    Some(match word.opcode() {
        LUI => format!("lui {rd},{upper:#x}"),
        AUIPC => format!("auipc {rd},{upper:#x}"),
        JAL => match word.rd() {
            ZERO => format!("j {:#x}", word.jump_target().0),
            RA => format!("jal {:#x}", word.jump_target().0),
            _ => format!("jal {rd},{:#x}", word.jump_target().0),
        },
        JALR if word.funct3() == 0 => jump(word),
        BRANCH => branch(word)?,
        LOAD => {
            let names = ["lb", "lh", "lw", "ld", "lbu", "lhu", "lwu"];
            format!("{} {rd},{}({rs1})", of(&names, word.funct3())?, word.immediate())
        }
        STORE => {
            let names = ["sb", "sh", "sw", "sd"];
            format!("{} {rs2},{}({rs1})", of(&names, word.funct3())?, word.store_offset())
        }
        LOAD_FLOAT => {
            let names = ["", "flh", "flw", "fld", "flq"];
            let name = of(&names, word.funct3())?;
            format!("{name} {},{}({rs1})", f(word.rd()), word.immediate())
        }
        STORE_FLOAT => {
            let names = ["", "fsh", "fsw", "fsd", "fsq"];
            let name = of(&names, word.funct3())?;
            format!("{name} {},{}({rs1})", f(word.rs2()), word.store_offset())
        }
        IMMEDIATE => immediate(word)?,
        IMMEDIATE_32 => immediate_32(word)?,
        REGISTERS | REGISTERS_32 => registers(word)?,
        FENCE => fence(word)?,
        SYSTEM => system(word)?,
        ATOMIC => atomic(word)?,
        FLOAT => float(word)?,
        0x43 | 0x47 | 0x4b | 0x4f => fused(word)?,
        _ => return None,
    })
}

/// The name of this number; an empty one is none.
fn of(names: &[&'static str], number: u32) -> Option<&'static str> {
    let name = names.get(usize::try_from(number).ok()?)?;
    (!name.is_empty()).then_some(*name)
}

fn jump(word: Word) -> String {
    let (rd, rs1, offset) = (x(word.rd()), x(word.rs1()), word.immediate());
    match (word.rd(), word.rs1(), offset) {
        (ZERO, RA, 0) => "ret".to_owned(),
        (ZERO, _, 0) => format!("jr {rs1}"),
        (ZERO, ..) => format!("jr {offset}({rs1})"),
        (RA, _, 0) => format!("jalr {rs1}"),
        (RA, ..) => format!("jalr {offset}({rs1})"),
        (_, _, 0) => format!("jalr {rd},{rs1}"),
        (..) => format!("jalr {rd},{offset}({rs1})"),
    }
}

fn branch(word: Word) -> Option<String> {
    let (rs1, rs2, to) = (x(word.rs1()), x(word.rs2()), word.branch_target().0);
    let name = of(&["beq", "bne", "", "", "blt", "bge", "bltu", "bgeu"], word.funct3())?;
    Some(match (word.funct3(), word.rs1(), word.rs2()) {
        (0 | 1 | 4 | 5, _, ZERO) => format!("{name}z {rs1},{to:#x}"),
        (4, ZERO, _) => format!("bgtz {rs2},{to:#x}"),
        (5, ZERO, _) => format!("blez {rs2},{to:#x}"),
        _ => format!("{name} {rs1},{rs2},{to:#x}"),
    })
}

fn immediate(word: Word) -> Option<String> {
    let (rd, rs1, number) = (x(word.rd()), x(word.rs1()), word.immediate());
    let shift = word.field(20, 6);
    let name = match (word.funct3(), word.field(26, 6)) {
        (0, _) => match (word.rd(), word.rs1(), number) {
            (ZERO, ZERO, 0) => return Some("nop".to_owned()),
            (_, ZERO, _) => return Some(format!("li {rd},{number}")),
            (_, _, 0) => return Some(format!("mv {rd},{rs1}")),
            _ => "addi",
        },
        (2, _) => "slti",
        (3, _) if number == 1 => return Some(format!("seqz {rd},{rs1}")),
        (3, _) => "sltiu",
        (4, _) if number == -1 => return Some(format!("not {rd},{rs1}")),
        (4, _) => "xori",
        (6, _) => "ori",
        (7, _) if number == 255 => return Some(format!("zext.b {rd},{rs1}")),
        (7, _) => "andi",
        (1, 0x18) => {
            let names = ["clz", "ctz", "cpop", "", "sext.b", "sext.h"];
            return Some(format!("{} {rd},{rs1}", of(&names, shift)?));
        }
        (5, 0x0a) if shift == 7 => return Some(format!("orc.b {rd},{rs1}")),
        (5, 0x1a) if shift == 0x38 => return Some(format!("rev8 {rd},{rs1}")),
        (kind, top) => {
            let name = match (kind, top) {
                (1, 0) => "slli",
                (5, 0) => "srli",
                (5, 0x10) => "srai",
                (5, 0x18) => "rori",
                (1, 0x0a) => "bseti",
                (1, 0x12) => "bclri",
                (1, 0x1a) => "binvi",
                (5, 0x12) => "bexti",
                _ => return None,
            };
            return Some(format!("{name} {rd},{rs1},{shift:#x}"));
        }
    };
    Some(format!("{name} {rd},{rs1},{number}"))
}

fn immediate_32(word: Word) -> Option<String> {
    let (rd, rs1, number) = (x(word.rd()), x(word.rs1()), word.immediate());
    let (name, shift) = match (word.funct3(), word.funct7()) {
        (0, _) if number == 0 => return Some(format!("sext.w {rd},{rs1}")),
        (0, _) => return Some(format!("addiw {rd},{rs1},{number}")),
        (1, 0x30) => {
            let names = ["clzw", "ctzw", "cpopw"];
            return Some(format!("{} {rd},{rs1}", of(&names, word.rs2())?));
        }
        (1, 4 | 5) => ("slli.uw", word.field(20, 6)),
        (1, 0) => ("slliw", word.rs2()),
        (5, 0) => ("srliw", word.rs2()),
        (5, 0x20) => ("sraiw", word.rs2()),
        (5, 0x30) => ("roriw", word.rs2()),
        _ => return None,
    };
    Some(format!("{name} {rd},{rs1},{shift:#x}"))
}

fn registers(word: Word) -> Option<String> {
    let (rd, rs1, rs2) = (x(word.rd()), x(word.rs1()), x(word.rs2()));
    let is_32 = word.opcode() == REGISTERS_32;
    match (is_32, word.funct7(), word.funct3(), word.rs1(), word.rs2()) {
        (false, 0, 0, ZERO, _) => return Some(format!("mv {rd},{rs2}")),
        (false, 0x20, 0, ZERO, _) => return Some(format!("neg {rd},{rs2}")),
        (true, 0x20, 0, ZERO, _) => return Some(format!("negw {rd},{rs2}")),
        (false, 0, 2, _, ZERO) => return Some(format!("sltz {rd},{rs1}")),
        (false, 0, 2, ZERO, _) => return Some(format!("sgtz {rd},{rs2}")),
        (false, 0, 3, ZERO, _) => return Some(format!("snez {rd},{rs2}")),
        (true, 4, 0, _, ZERO) => return Some(format!("zext.w {rd},{rs1}")),
        (true, 4, 4, _, ZERO) => return Some(format!("zext.h {rd},{rs1}")),
        _ => {}
    }
    let names: &[&str] = match (is_32, word.funct7()) {
        (false, 0) => &["add", "sll", "slt", "sltu", "xor", "srl", "or", "and"],
        (false, 0x20) => &["sub", "", "", "", "xnor", "sra", "orn", "andn"],
        (false, 1) => &["mul", "mulh", "mulhsu", "mulhu", "div", "divu", "rem", "remu"],
        (false, 0x10) => &["", "", "sh1add", "", "sh2add", "", "sh3add"],
        (false, 5) => &["", "clmul", "clmulr", "clmulh", "min", "minu", "max", "maxu"],
        (false, 7) => &["", "", "", "", "", "czero.eqz", "", "czero.nez"],
        (false, 0x14) => &["", "bset"],
        (false, 0x24) => &["", "bclr", "", "", "", "bext"],
        (false, 0x34) => &["", "binv"],
        (false, 0x30) => &["", "rol", "", "", "", "ror"],
        (true, 0) => &["addw", "sllw", "", "", "", "srlw"],
        (true, 0x20) => &["subw", "", "", "", "", "sraw"],
        (true, 1) => &["mulw", "", "", "", "divw", "divuw", "remw", "remuw"],
        (true, 4) => &["add.uw"],
        (true, 0x10) => &["", "", "sh1add.uw", "", "sh2add.uw", "", "sh3add.uw"],
        (true, 0x30) => &["", "rolw", "", "", "", "rorw"],
        _ => return None,
    };
    Some(format!("{} {rd},{rs1},{rs2}", of(names, word.funct3())?))
}

fn fence(word: Word) -> Option<String> {
    let set = |bits: u32| -> String {
        [(8, 'i'), (4, 'o'), (2, 'r'), (1, 'w')]
            .iter()
            .filter(|(bit, _)| bits & bit != 0)
            .map(|(_, letter)| *letter)
            .collect()
    };
    match (word.funct3(), word.field(28, 4), word.field(24, 4), word.field(20, 4)) {
        (1, ..) => Some("fence.i".to_owned()),
        (0, 0, 15, 15) => Some("fence".to_owned()),
        (0, 8, 3, 3) => Some("fence.tso".to_owned()),
        (0, 0, 1, 0) if word.bits == 0x0100_000f => Some("pause".to_owned()),
        (0, 0, before, after) if before != 0 && after != 0 => {
            Some(format!("fence {},{}", set(before), set(after)))
        }
        _ => None,
    }
}

fn system(word: Word) -> Option<String> {
    let whole = match word.bits {
        ECALL => "ecall",
        EBREAK => "ebreak",
        UNIMP => "unimp",
        0x1020_0073 => "sret",
        0x3020_0073 => "mret",
        0x1050_0073 => "wfi",
        _ => "",
    };
    if !whole.is_empty() {
        return Some(whole.to_owned());
    }
    let (rd, rs1, number) = (x(word.rd()), x(word.rs1()), word.field(20, 12));
    let csr = match number {
        0x001 => "fflags".to_owned(),
        0x002 => "frm".to_owned(),
        0x003 => "fcsr".to_owned(),
        0xc00 => "cycle".to_owned(),
        0xc01 => "time".to_owned(),
        0xc02 => "instret".to_owned(),
        0xc20 => "vl".to_owned(),
        0xc21 => "vtype".to_owned(),
        0xc22 => "vlenb".to_owned(),
        _ => format!("{number:#x}"),
    };
    // The names of the floating-point ones, and of the counters.
    let kind = word.funct3();
    let part = csr.strip_prefix('f').unwrap_or(&csr);
    match (number, kind, word.rd(), word.rs1()) {
        (0xc00..=0xc02, 2, _, ZERO) => return Some(format!("rd{csr} {rd}")),
        (1..=3, 2, _, ZERO) => return Some(format!("fr{part} {rd}")),
        (1..=3, 1, ZERO, _) => return Some(format!("fs{part} {rs1}")),
        (1..=3, 1, ..) => return Some(format!("fs{part} {rd},{rs1}")),
        _ => {}
    }
    let (name, last) = match kind {
        1..=3 => (of(&["", "csrrw", "csrrs", "csrrc"], kind)?, rs1.to_owned()),
        5..=7 => {
            (of(&["csrrwi", "csrrsi", "csrrci"], kind.checked_sub(5)?)?, word.rs1().to_string())
        }
        _ => return None,
    };
    Some(match (kind, word.rd(), word.rs1()) {
        (2, _, ZERO) => format!("csrr {rd},{csr}"),
        (_, ZERO, _) => format!("{} {csr},{last}", name.replacen("rr", "r", 1)),
        _ => format!("{name} {rd},{csr},{last}"),
    })
}

fn atomic(word: Word) -> Option<String> {
    let (rd, rs1, rs2) = (x(word.rd()), x(word.rs1()), x(word.rs2()));
    let width = of(&["b", "h", "w", "d"], word.funct3())?;
    let order = of(&[".", ".rl", ".aq", ".aqrl"], word.field(25, 2))?.trim_end_matches('.');
    let name = match word.field(27, 5) {
        0b00010 => return Some(format!("lr.{width}{order} {rd},({rs1})")),
        0b00011 => "sc",
        0b00000 => "amoadd",
        0b00001 => "amoswap",
        0b00100 => "amoxor",
        0b00101 => "amocas",
        0b01000 => "amoor",
        0b01100 => "amoand",
        0b10000 => "amomin",
        0b10100 => "amomax",
        0b11000 => "amominu",
        0b11100 => "amomaxu",
        _ => return None,
    };
    Some(format!("{name}.{width}{order} {rd},{rs2},({rs1})"))
}

/// The rounding that is not the one of the control register.
fn rounding(word: Word) -> Option<&'static str> {
    of(&[",rne", ",rtz", ",rdn", ",rup", ",rmm", "?", "?", "."], word.funct3())
        .filter(|name| *name != "?")
        .map(|name| name.trim_end_matches('.'))
}

fn precision(word: Word) -> Option<&'static str> {
    of(&["s", "d", "h", "q"], word.field(25, 2))
}

fn float(word: Word) -> Option<String> {
    let (rd, rs1, rs2) = (f(word.rd()), f(word.rs1()), f(word.rs2()));
    let of_kind = precision(word)?;
    let kind = word.funct3();
    let integers = ["w", "wu", "l", "lu"];
    Some(match word.field(27, 5) {
        at @ 0..=3 => {
            let name = of(&["fadd", "fsub", "fmul", "fdiv"], at)?;
            format!("{name}.{of_kind} {rd},{rs1},{rs2}{}", rounding(word)?)
        }
        0b01011 => format!("fsqrt.{of_kind} {rd},{rs1}{}", rounding(word)?),
        0b00100 if word.rs1() == word.rs2() => {
            format!("{}.{of_kind} {rd},{rs1}", of(&["fmv", "fneg", "fabs"], kind)?)
        }
        0b00100 => {
            format!("{}.{of_kind} {rd},{rs1},{rs2}", of(&["fsgnj", "fsgnjn", "fsgnjx"], kind)?)
        }
        0b00101 => format!("{}.{of_kind} {rd},{rs1},{rs2}", of(&["fmin", "fmax"], kind)?),
        0b10100 => {
            let name = of(&["fle", "flt", "feq"], kind)?;
            format!("{name}.{of_kind} {},{rs1},{rs2}", x(word.rd()))
        }
        // From one precision to another: to a wider one nothing is rounded.
        0b01000 => {
            let from = of(&["s", "d", "h", "q"], word.rs2())?;
            let order = |name: &str| "hsdq".find(name);
            let rounds = if order(from) < order(of_kind) { "" } else { rounding(word)? };
            format!("fcvt.{of_kind}.{from} {rd},{rs1}{rounds}")
        }
        0b11000 => {
            let to = of(&integers, word.rs2())?;
            format!("fcvt.{to}.{of_kind} {},{rs1}{}", x(word.rd()), rounding(word)?)
        }
        0b11010 => {
            let from = of(&integers, word.rs2())?;
            // Four bytes fit into a double.
            let fits = of_kind == "d" && from.starts_with('w') || of_kind == "q";
            let rounds = if fits { "" } else { rounding(word)? };
            format!("fcvt.{of_kind}.{from} {rd},{}{rounds}", x(word.rs1()))
        }
        0b11100 if kind == 1 => format!("fclass.{of_kind} {},{rs1}", x(word.rd())),
        0b11100 => {
            format!("fmv.x.{} {},{rs1}", of(&["w", "d", "h"], word.field(25, 2))?, x(word.rd()))
        }
        0b11110 => {
            format!("fmv.{}.x {rd},{}", of(&["w", "d", "h"], word.field(25, 2))?, x(word.rs1()))
        }
        _ => return None,
    })
}

/// Products that something is added to.
fn fused(word: Word) -> Option<String> {
    let name = match word.opcode() {
        0x43 => "fmadd",
        0x47 => "fmsub",
        0x4b => "fnmsub",
        _ => "fnmadd",
    };
    let [rd, rs1, rs2, rs3] = [word.rd(), word.rs1(), word.rs2(), word.rs3()].map(f);
    Some(format!("{name}.{} {rd},{rs1},{rs2},{rs3}{}", precision(word)?, rounding(word)?))
}

#[cfg(test)]
mod tests {
    use super::super::riscv::disassemble;
    use obit_corefile::addr::Avma;

    fn of(code: &[u8]) -> String {
        disassemble(Avma(0x1000), code, 1).remove(0).text
    }

    #[test]
    fn instructions_are_written_as_the_assembler_does() {
        let rows = [
            (0x0085_3503, "ld a0,8(a0)"),
            (0xfe01_0113, "addi sp,sp,-32"),
            (0x0000_0013, "nop"),
            (0x0005_851b, "sext.w a0,a1"),
            (0x0400_00ef, "jal 0x1040"),
            (0x00b5_0463, "beq a0,a1,0x1008"),
            (0x0005_0463, "beqz a0,0x1008"),
            (0x0000_8067, "ret"),
            (0x02b5_4533, "div a0,a0,a1"),
            (0x20c5_e533, "sh3add a0,a1,a2"),
            (0x0ff0_000f, "fence"),
            (0x0330_000f, "fence rw,rw"),
            (0x1405_a52f, "lr.w.aq a0,(a1)"),
            (0xc205_1553, "fcvt.w.d a0,fa0,rtz"),
            (0x0030_2573, "frcsr a0"),
            (0x0010_2773, "frflags a4"),
            (0xc000_1073, "unimp"),
        ];
        for (word, text) in rows {
            assert_eq!(of(&u32::to_le_bytes(word)), text, "{word:08x}");
        }
        assert_eq!(of(&[0x82, 0x80]), "ret");
        assert_eq!(of(&[0x01, 0x11]), "addi sp,sp,-32");
        assert_eq!(of(&[0, 0]), "unimp");
    }

    #[test]
    fn what_has_no_name_is_shown_as_bytes() {
        // vadd.vv v0, v1, v2; a custom instruction
        assert_eq!(of(&0x0211_0057_u32.to_le_bytes()), ".4byte 0x2110057");
        assert_eq!(of(&0x0000_000b_u32.to_le_bytes()), ".4byte 0xb");
    }
}
