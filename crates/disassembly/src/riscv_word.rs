//! One RISC-V instruction: its fields, and the full form of a compressed one (The RISC-V
//! Instruction Set Manual, Volume I, chapters "RV64I", "C" and "RV32/64G Instruction Set
//! Listings").

use super::effects::{AccessMode, MemoryOperand, Part};
use obit_corefile::addr::Avma;
use obit_corefile::arch::Register;

/// f0 in the RISC-V ELF psABI, "DWARF register numbers".
pub(super) const F0: u32 = 32;
/// `x0`: reads as zero, is never written.
pub(super) const ZERO: u32 = 0;
/// The registers that `jal` and `jalr` link by: a jump by one of them is a return.
pub(super) const RA: u32 = 1;
pub(super) const T0: u32 = 5;
const SP: u32 = 2;

pub(super) const LUI: u32 = 0x37;
pub(super) const AUIPC: u32 = 0x17;
pub(super) const JAL: u32 = 0x6f;
pub(super) const JALR: u32 = 0x67;
pub(super) const BRANCH: u32 = 0x63;
pub(super) const LOAD: u32 = 0x03;
pub(super) const LOAD_FLOAT: u32 = 0x07;
pub(super) const STORE: u32 = 0x23;
pub(super) const STORE_FLOAT: u32 = 0x27;
pub(super) const IMMEDIATE: u32 = 0x13;
pub(super) const IMMEDIATE_32: u32 = 0x1b;
pub(super) const REGISTERS: u32 = 0x33;
pub(super) const REGISTERS_32: u32 = 0x3b;
pub(super) const FENCE: u32 = 0x0f;
pub(super) const SYSTEM: u32 = 0x73;
pub(super) const ATOMIC: u32 = 0x2f;
pub(super) const FLOAT: u32 = 0x53;
pub(super) const VECTOR: u32 = 0x57;

pub(super) const ECALL: u32 = 0x0000_0073;
pub(super) const EBREAK: u32 = 0x0010_0073;
/// `csrrw x0, cycle, x0`, a write of a register that cannot be written: gcc's
/// `__builtin_trap` by convention of the assembler.
pub(super) const UNIMP: u32 = 0xc000_1073;

/// One instruction in its full form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// Its 32 bits; those of the same instruction where it is a compressed one.
    pub(super) bits: u32,
    /// Its first byte.
    pub(super) address: Avma,
    /// Bytes it takes: 2 or 4.
    pub(super) len: u64,
}

/// The instruction that `code` begins with.
pub(super) enum Fetched {
    /// One that has a full form.
    Word(Word),
    /// Not an instruction of the general-purpose set (G, C); its length is known.
    Other(usize),
    /// Bytes that no instruction may begin with: all zero, or longer than 32 bits.
    Bad(usize),
}

/// The instruction at `address` that `code` begins with. `None` if it is cut off.
pub(super) fn fetch(address: Avma, code: &[u8]) -> Option<Fetched> {
    let low = u16::from_le_bytes(*code.first_chunk()?);
    if low & 3 != 3 {
        return Some(match (low, expanded(low)) {
            (0, _) => Fetched::Bad(2),
            (_, Some(bits)) => Fetched::Word(Word { bits, address, len: 2 }),
            (_, None) => Fetched::Other(2),
        });
    }
    if low & 0x1f == 0x1f {
        return Some(Fetched::Bad(2));
    }
    let bits = u32::from_le_bytes(*code.first_chunk()?);
    Some(Fetched::Word(Word { bits, address, len: 4 }))
}

impl Word {
    pub(super) fn opcode(self) -> u32 {
        self.field(0, 7)
    }

    pub(super) fn rd(self) -> u32 {
        self.field(7, 5)
    }

    pub(super) fn rs1(self) -> u32 {
        self.field(15, 5)
    }

    pub(super) fn rs2(self) -> u32 {
        self.field(20, 5)
    }

    pub(super) fn rs3(self) -> u32 {
        self.field(27, 5)
    }

    pub(super) fn funct3(self) -> u32 {
        self.field(12, 3)
    }

    pub(super) fn funct7(self) -> u32 {
        self.field(25, 7)
    }

    /// `len` bits from bit `low` on.
    pub(super) fn field(self, low: u32, len: u32) -> u32 {
        field(self.bits, low, len)
    }

    /// The immediate of the I format.
    pub(super) fn immediate(self) -> i64 {
        signed(self.field(20, 12), 12)
    }

    /// The immediate of the S format.
    pub(super) fn store_offset(self) -> i64 {
        signed((self.field(25, 7) << 5) | self.field(7, 5), 12)
    }

    /// The immediate of the U format, in its place.
    pub(super) fn upper(self) -> i64 {
        i64::from((self.bits & 0xffff_f000).cast_signed())
    }

    /// Where a conditional branch leads: the B format.
    pub(super) fn branch_target(self) -> Avma {
        let distance = (self.field(31, 1) << 12)
            | (self.field(7, 1) << 11)
            | (self.field(25, 6) << 5)
            | (self.field(8, 4) << 1);
        self.away(signed(distance, 13))
    }

    /// Where `jal` leads: the J format.
    pub(super) fn jump_target(self) -> Avma {
        let distance = (self.field(31, 1) << 20)
            | (self.field(12, 8) << 12)
            | (self.field(20, 1) << 11)
            | (self.field(21, 10) << 1);
        self.away(signed(distance, 21))
    }

    /// What `auipc` makes.
    pub(super) fn upper_address(self) -> Avma {
        self.away(self.upper())
    }

    fn away(self, distance: i64) -> Avma {
        Avma(self.address.0.wrapping_add_signed(distance))
    }

    /// The memory that it touches.
    pub(super) fn access(self) -> Option<MemoryOperand> {
        let width = self.funct3();
        let bytes = |width: u32| 1_u64.checked_shl(width);
        let at = |mode, size, displacement| Some(self.memory(mode, size, displacement));
        match self.opcode() {
            LOAD if width < 7 => at(AccessMode::Read, bytes(width & 3)?, self.immediate()),
            STORE if width < 4 => at(AccessMode::Write, bytes(width)?, self.store_offset()),
            LOAD_FLOAT if (1..=4).contains(&width) => {
                at(AccessMode::Read, bytes(width)?, self.immediate())
            }
            STORE_FLOAT if (1..=4).contains(&width) => {
                at(AccessMode::Write, bytes(width)?, self.store_offset())
            }
            ATOMIC if width < 4 => {
                let mode = match self.field(27, 5) {
                    0b00010 => AccessMode::Read,
                    0b00011 => AccessMode::Write,
                    _ => AccessMode::ReadWrite,
                };
                at(mode, bytes(width)?, 0)
            }
            _ => None,
        }
    }

    fn memory(self, mode: AccessMode, size: u64, displacement: i64) -> MemoryOperand {
        let base = (self.rs1() != ZERO).then(|| general(self.rs1(), 8));
        MemoryOperand { mode, size: Some(size), ..sum(base, None, displacement) }
    }
}

/// x1 to x31, or from [`F0`] on the floating-point registers: the low `size` bytes.
pub(super) fn general(number: u32, size: u64) -> Part {
    let number = u16::try_from(number).unwrap_or(u16::MAX);
    Part { register: Register(number), shift: 0, size }
}

/// A sum of eight bytes.
pub(super) fn sum(
    base: Option<Part>,
    index: Option<(Part, u64)>,
    displacement: i64,
) -> MemoryOperand {
    MemoryOperand {
        mode: AccessMode::Read,
        size: None,
        segment: None,
        base,
        index,
        displacement,
        address_size: 8,
        index_is_signed: false,
        rounds: None,
    }
}

fn field(bits: u32, low: u32, len: u32) -> u32 {
    let above = u32::MAX.checked_shl(len).unwrap_or(0);
    bits.checked_shr(low).unwrap_or(0) & !above
}

/// The number in two's complement that the low `bits` of `value` are.
fn signed(value: u32, bits: u32) -> i64 {
    let unused = 32_u32.saturating_sub(bits).min(31);
    i64::from((value << unused).cast_signed() >> unused)
}

/// The full form of a compressed instruction of RV64C.
fn expanded(low: u16) -> Option<u32> {
    let half = u32::from(low);
    let at = |low, len| field(half, low, len);
    let (rd, rs2) = (at(7, 5), at(2, 5));
    // The registers x8 to x15, which three bits name.
    let (near1, near2) = (at(7, 3) | 8, at(2, 3) | 8);
    let six = signed((at(12, 1) << 5) | at(2, 5), 6);
    let shift = (at(12, 1) << 5) | at(2, 5);
    let word_offset = (at(5, 1) << 6) | (at(10, 3) << 3) | (at(6, 1) << 2);
    let double_offset = (at(5, 2) << 6) | (at(10, 3) << 3);
    Some(match (at(0, 2), at(13, 3)) {
        (0, 0) => {
            let offset = (at(7, 4) << 6) | (at(11, 2) << 4) | (at(5, 1) << 3) | (at(6, 1) << 2);
            if offset == 0 {
                return None;
            }
            i_form(IMMEDIATE, 0, near2, SP, i64::from(offset))
        }
        (0, 1) => i_form(LOAD_FLOAT, 3, near2, near1, double_offset.into()),
        (0, 2) => i_form(LOAD, 2, near2, near1, word_offset.into()),
        (0, 3) => i_form(LOAD, 3, near2, near1, double_offset.into()),
        // Zcb: loads and stores of one and two bytes.
        (0, 4) => {
            let byte = (at(5, 1) << 1) | at(6, 1);
            let pair = at(5, 1) << 1;
            match (at(10, 3), at(6, 1)) {
                (0, _) => i_form(LOAD, 4, near2, near1, byte.into()),
                (1, 0) => i_form(LOAD, 5, near2, near1, pair.into()),
                (1, _) => i_form(LOAD, 1, near2, near1, pair.into()),
                (2, _) => s_form(STORE, 0, near1, near2, byte),
                (3, 0) => s_form(STORE, 1, near1, near2, pair),
                _ => return None,
            }
        }
        (0, 5) => s_form(STORE_FLOAT, 3, near1, near2, double_offset),
        (0, 6) => s_form(STORE, 2, near1, near2, word_offset),
        (0, 7) => s_form(STORE, 3, near1, near2, double_offset),
        (1, 0) => i_form(IMMEDIATE, 0, rd, rd, six),
        (1, 1) if rd != ZERO => i_form(IMMEDIATE_32, 0, rd, rd, six),
        (1, 2) => i_form(IMMEDIATE, 0, rd, ZERO, six),
        (1, 3) if rd == SP => {
            let offset = (at(12, 1) << 9)
                | (at(3, 2) << 7)
                | (at(5, 1) << 6)
                | (at(2, 1) << 5)
                | (at(6, 1) << 4);
            if offset == 0 {
                return None;
            }
            i_form(IMMEDIATE, 0, SP, SP, signed(offset, 10))
        }
        (1, 3) if six != 0 => {
            let upper = u32::try_from(six & 0xf_ffff).ok()?;
            (upper << 12) | (rd << 7) | LUI
        }
        (1, 4) => match (at(10, 2), at(12, 1), at(5, 2)) {
            (0, ..) => i_form(IMMEDIATE, 5, near1, near1, shift.into()),
            (1, ..) => i_form(IMMEDIATE, 5, near1, near1, i64::from(shift | 0x400)),
            (2, ..) => i_form(IMMEDIATE, 7, near1, near1, six),
            (_, 0, 0) => r_form(REGISTERS, 0x20, 0, [near1, near1, near2]),
            (_, 0, 1) => r_form(REGISTERS, 0, 4, [near1, near1, near2]),
            (_, 0, 2) => r_form(REGISTERS, 0, 6, [near1, near1, near2]),
            (_, 0, _) => r_form(REGISTERS, 0, 7, [near1, near1, near2]),
            (_, _, 0) => r_form(REGISTERS_32, 0x20, 0, [near1, near1, near2]),
            (_, _, 1) => r_form(REGISTERS_32, 0, 0, [near1, near1, near2]),
            (_, _, 2) => r_form(REGISTERS, 1, 0, [near1, near1, near2]),
            // Zcb: zext.b, sext.b, zext.h, sext.h, zext.w, not.
            (..) => match at(2, 3) {
                0 => i_form(IMMEDIATE, 7, near1, near1, 0xff),
                1 => i_form(IMMEDIATE, 1, near1, near1, 0x604),
                2 => r_form(REGISTERS_32, 4, 4, [near1, near1, ZERO]),
                3 => i_form(IMMEDIATE, 1, near1, near1, 0x605),
                4 => r_form(REGISTERS_32, 4, 0, [near1, near1, ZERO]),
                5 => i_form(IMMEDIATE, 4, near1, near1, -1),
                _ => return None,
            },
        },
        (1, 5) => {
            let distance = (at(12, 1) << 11)
                | (at(8, 1) << 10)
                | (at(9, 2) << 8)
                | (at(6, 1) << 7)
                | (at(7, 1) << 6)
                | (at(2, 1) << 5)
                | (at(11, 1) << 4)
                | (at(3, 3) << 1);
            j_form(signed(distance, 12))
        }
        (1, 6 | 7) => {
            let distance = (at(12, 1) << 8)
                | (at(5, 2) << 6)
                | (at(2, 1) << 5)
                | (at(10, 2) << 3)
                | (at(3, 2) << 1);
            b_form(at(13, 1), near1, signed(distance, 9))
        }
        (2, 0) => i_form(IMMEDIATE, 1, rd, rd, shift.into()),
        (2, 1) => {
            let offset = (at(2, 3) << 6) | (at(12, 1) << 5) | (at(5, 2) << 3);
            i_form(LOAD_FLOAT, 3, rd, SP, offset.into())
        }
        (2, 2) if rd != ZERO => {
            let offset = (at(2, 2) << 6) | (at(12, 1) << 5) | (at(4, 3) << 2);
            i_form(LOAD, 2, rd, SP, offset.into())
        }
        (2, 3) if rd != ZERO => {
            let offset = (at(2, 3) << 6) | (at(12, 1) << 5) | (at(5, 2) << 3);
            i_form(LOAD, 3, rd, SP, offset.into())
        }
        (2, 4) => match (at(12, 1), rd, rs2) {
            (0, 0, 0) => return None,
            (0, _, 0) => i_form(JALR, 0, ZERO, rd, 0),
            (0, ..) => r_form(REGISTERS, 0, 0, [rd, ZERO, rs2]),
            (_, 0, 0) => EBREAK,
            (_, _, 0) => i_form(JALR, 0, RA, rd, 0),
            (..) => r_form(REGISTERS, 0, 0, [rd, rd, rs2]),
        },
        (2, 5) => s_form(STORE_FLOAT, 3, SP, rs2, (at(7, 3) << 6) | (at(10, 3) << 3)),
        (2, 6) => s_form(STORE, 2, SP, rs2, (at(7, 2) << 6) | (at(9, 4) << 2)),
        (2, 7) => s_form(STORE, 3, SP, rs2, (at(7, 3) << 6) | (at(10, 3) << 3)),
        _ => return None,
    })
}

fn i_form(opcode: u32, funct3: u32, rd: u32, rs1: u32, immediate: i64) -> u32 {
    let immediate = u32::try_from(immediate & 0xfff).unwrap_or(0);
    (immediate << 20) | (rs1 << 15) | (funct3 << 12) | (rd << 7) | opcode
}

fn s_form(opcode: u32, funct3: u32, rs1: u32, rs2: u32, offset: u32) -> u32 {
    let (high, low) = (field(offset, 5, 7), field(offset, 0, 5));
    (high << 25) | (rs2 << 20) | (rs1 << 15) | (funct3 << 12) | (low << 7) | opcode
}

fn r_form(opcode: u32, funct7: u32, funct3: u32, [rd, rs1, rs2]: [u32; 3]) -> u32 {
    (funct7 << 25) | (rs2 << 20) | (rs1 << 15) | (funct3 << 12) | (rd << 7) | opcode
}

/// `jal x0`.
fn j_form(distance: i64) -> u32 {
    let to = u32::try_from(distance & 0x1f_ffff).unwrap_or(0);
    let at = |low, len| field(to, low, len);
    (at(20, 1) << 31) | (at(1, 10) << 21) | (at(11, 1) << 20) | (at(12, 8) << 12) | JAL
}

/// A comparison with zero.
fn b_form(funct3: u32, rs1: u32, distance: i64) -> u32 {
    let to = u32::try_from(distance & 0x1fff).unwrap_or(0);
    let at = |low, len| field(to, low, len);
    (at(12, 1) << 31)
        | (at(5, 6) << 25)
        | (rs1 << 15)
        | (funct3 << 12)
        | (at(1, 4) << 8)
        | (at(11, 1) << 7)
        | BRANCH
}
