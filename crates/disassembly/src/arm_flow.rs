//! What AArch64 instructions move (Arm Architecture Reference Manual, C4.1 "A64 instruction
//! set encoding"): arithmetic, branches, vector registers. What is not understood changes
//! all that its encoding could name.

use super::arm_fields::{SP_OR_ZERO, signed};
use super::arm_flow_memory;
use super::arm_word::{Word, general, nowhere, set_vector, sum, unknown, vector};
use super::effects::{MemoryOperand, Part};
use super::flow::{Next, Step, Target, Term, Write};
use obit_corefile::addr::Avma;

pub(super) fn steps(start: Avma, code: &[u8]) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut address = start;
    for bytes in code.as_chunks::<4>().0 {
        let word = Word { bits: u32::from_le_bytes(*bytes), address };
        // Not allocated: 0001 and 0011 in bits 25 to 28.
        if matches!(word.field(25, 4), 0b0001 | 0b0011) {
            break;
        }
        let writes = word.writes();
        steps.push(Step { address, len: 4, writes, next: word.next() });
        address = Avma(address.0.wrapping_add(4));
    }
    steps
}

impl Word {
    fn writes(self) -> Vec<Write> {
        match self.field(25, 4) {
            0b1000 | 0b1001 => self.immediate(),
            0b1010 | 0b1011 => self.branch_or_system(),
            0b0100 | 0b0110 | 0b1100 | 0b1110 => arm_flow_memory::writes(self),
            0b0101 | 0b1101 => self.registers(),
            0b0111 | 0b1111 => self.vectors(),
            // UDF
            0b0000 if self.bits >> 16 == 0 => Vec::new(),
            // SVE, SME: a store there may be anywhere.
            _ => {
                let mut writes = self.anything();
                if self.is_sve_memory() {
                    writes.extend(self.vector_run(self.field(0, 5), 4));
                    writes.push(unknown(Target::Memory(nowhere())));
                }
                writes
            }
        }
    }

    fn is_sve_memory(self) -> bool {
        self.field(31, 1) == 1
    }

    fn next(self) -> Next {
        let near = |low, len| {
            let words = signed(self.field(low, len), len);
            Avma(self.address.0.wrapping_add_signed(words.wrapping_mul(4)))
        };
        // UDF; BRK, HLT, DCPS
        if self.bits >> 16 == 0 || self.is(0xffe0_001f, 0xd420_0000) {
            return Next::Ends;
        }
        if self.is(0xffe0_001f, 0xd440_0000) || self.is(0xffe0_001c, 0xd4a0_0000) {
            return Next::Ends;
        }
        match self.field(26, 5) {
            0b00101 if self.field(31, 1) == 0 => return Next::Jumps(Some(near(0, 26))),
            0b00101 => return Next::Calls(Some(near(0, 26))),
            _ => {}
        }
        // B.cond, BC.cond; CBZ, CBNZ; TBZ, TBNZ
        if self.is(0xff00_0000, 0x5400_0000) || self.is(0x7e00_0000, 0x3400_0000) {
            return Next::Branches(near(5, 19));
        }
        if self.is(0x7e00_0000, 0x3600_0000) {
            return Next::Branches(near(5, 14));
        }
        // By a register, with and without an authentication of it.
        if self.is(0xfe00_0000, 0xd600_0000) {
            return match self.field(21, 4) & 0b111 {
                0b000 => Next::Jumps(None),
                0b001 => Next::Calls(None),
                _ => Next::Ends,
            };
        }
        Next::Falls
    }

    /// Data processing with an immediate.
    fn immediate(self) -> Vec<Write> {
        let size = self.size();
        let (to, from) = (self.field(0, 5), self.field(5, 5));
        match self.field(23, 3) {
            // ADR, ADRP
            0b000 | 0b001 => {
                let distance = signed((self.field(5, 19) << 2) | self.field(29, 2), 21);
                let at = match self.field(31, 1) {
                    0 => self.address.0.wrapping_add_signed(distance),
                    _ => (self.address.0 & !0xfff).wrapping_add_signed(distance.wrapping_mul(4096)),
                };
                let address = MemoryOperand { displacement: at.cast_signed(), ..nowhere() };
                self.set(to, Term::Address(address))
            }
            // ADD, SUB; with the flags set 31 is zero, and else the stack pointer.
            0b010 => {
                let number = i64::from(self.field(10, 12)) << if self.flag(22) { 12 } else { 0 };
                let number = if self.flag(30) { number.wrapping_neg() } else { number };
                let base = general(from, size);
                let term = match number {
                    0 => Term::Register(base),
                    _ => Term::Address(sum(Some(base), None, number, size)),
                };
                if self.flag(29) { self.set(to, term) } else { self.set_or_sp(to, term) }
            }
            // ADDG, SUBG; MIN, MAX
            0b011 => self.set_or_sp(to, Term::Unknown),
            // AND, ORR, EOR, ANDS; `mov` is ORR with zero.
            0b100 => {
                let is_mov = self.field(29, 2) == 1 && from == SP_OR_ZERO;
                let number = is_mov.then(|| self.mask()).flatten();
                let term = number.map_or(Term::Unknown, Term::Constant);
                if self.field(29, 2) == 3 { self.set(to, term) } else { self.set_or_sp(to, term) }
            }
            0b101 => self.move_wide(to, size),
            0b110 => self.set(to, self.bit_field(size)),
            _ => self.set(to, Term::Unknown),
        }
    }

    /// MOVN, MOVZ, MOVK.
    fn move_wide(self, to: u32, size: u64) -> Vec<Write> {
        let shift = self.field(21, 2) << 4;
        let number = u64::from(self.field(5, 16)) << shift;
        match self.field(29, 2) {
            0 if size == 4 => self.set(to, Term::Constant(!number & 0xffff_ffff)),
            0 => self.set(to, Term::Constant(!number)),
            2 => self.set(to, Term::Constant(number)),
            3 if to != SP_OR_ZERO => {
                let put = Part { shift, size: 2, ..general(to, 8) };
                let number = Term::Constant(u64::from(self.field(5, 16)));
                let mut writes = vec![Write { to: Target::Register(put), from: number }];
                if size == 4 {
                    let upper = Part { shift: 32, size: 4, ..general(to, 8) };
                    writes.push(Write { to: Target::Register(upper), from: Term::Constant(0) });
                }
                writes
            }
            3 => Vec::new(),
            _ => self.set(to, Term::Unknown),
        }
    }

    /// SBFM, BFM, UBFM, as far as they shift to the left or take whole bytes.
    fn bit_field(self, size: u64) -> Term {
        let (from, rotate, top) = (self.field(5, 5), self.field(16, 6), self.field(10, 6));
        if from == SP_OR_ZERO {
            return Term::Unknown;
        }
        let is_signed = match self.field(29, 2) {
            0 => true,
            2 => false,
            _ => return Term::Unknown,
        };
        if let Some(bits @ (8 | 16 | 32 | 64)) = top.wrapping_add(1).checked_sub(rotate) {
            let part = Part { shift: rotate, size: u64::from(bits / 8), ..general(from, size) };
            let wide = part.size == size;
            return if is_signed && !wide {
                Term::SignExtended(part, size)
            } else {
                Term::Register(part)
            };
        }
        // LSL rotates to the right by what is left of the width.
        let last: u32 = if size == 8 { 63 } else { 31 };
        let shift = last.checked_sub(top);
        match shift.and_then(|shift| 1_u64.checked_shl(shift)) {
            Some(times) if !is_signed && top.wrapping_add(1) & last == rotate => {
                Term::Address(sum(None, Some((general(from, size), times)), 0, size))
            }
            _ => Term::Unknown,
        }
    }

    /// The number a logical instruction has: `DecodeBitMasks` of the manual.
    fn mask(self) -> Option<u64> {
        let (n, rotate, ones) = (self.field(22, 1), self.field(16, 6), self.field(10, 6));
        let levels = (n << 6) | (!ones & 0x3f);
        let len = levels.checked_ilog2().filter(|len| *len > 0)?;
        let size = 1_u32 << len;
        let last = size.wrapping_sub(1);
        let (ones, rotate) = (ones & last, rotate & last);
        if ones == last || (n == 1 && self.size() == 4) {
            return None;
        }
        // One bit more than `ones`, rotated to the right within `size` bits.
        let element = u64::MAX >> 63_u32.wrapping_sub(ones);
        let wrapped = element.checked_shl(size.wrapping_sub(rotate)).unwrap_or(0);
        let element = ((element >> rotate) | wrapped) & (u64::MAX >> 64_u32.wrapping_sub(size));
        let copies = (0..64_u32).step_by(usize::try_from(size).ok()?);
        let number = copies.fold(0, |number, shift| number | (element << shift));
        Some(if self.size() == 4 { number & 0xffff_ffff } else { number })
    }

    fn branch_or_system(self) -> Vec<Write> {
        // SVC: the kernel's answer.
        if self.is(0xffe0_001f, 0xd400_0001) {
            return self.set(0, Term::Unknown);
        }
        // Hints: those of pointer authentication sign x17 or the link register.
        if self.is(0xffff_f01f, 0xd503_201f) {
            return match self.field(5, 7) {
                7 | 24..=31 => self.set(30, Term::Unknown),
                8 | 10 | 12 | 14 => self.set(17, Term::Unknown),
                _ => Vec::new(),
            };
        }
        // MRS, SYSL and what is like them.
        if self.is(0xff20_0000, 0xd520_0000) {
            return self.set(self.field(0, 5), Term::Unknown);
        }
        Vec::new()
    }

    /// Data processing of registers.
    fn registers(self) -> Vec<Write> {
        let size = self.size();
        let (to, one, other) = (self.field(0, 5), self.field(5, 5), self.field(16, 5));
        let operation = self.field(29, 2);
        if self.flag(28) {
            // CCMN, CCMP; RMIF, SETF
            let is_compare = self.field(21, 4) == 0b0010;
            let sets_flags = self.field(21, 4) == 0 && self.field(10, 6) != 0;
            if is_compare || (sets_flags && operation & 1 == 1) {
                return Vec::new();
            }
            // IRG, SUBP and GMI know the stack pointer.
            let is_tag = self.field(21, 4) == 0b0110 && matches!(self.field(10, 6), 4);
            return match is_tag {
                true => self.set_or_sp(to, Term::Unknown),
                false => self.set(to, Term::Unknown),
            };
        }
        let shift = self.field(10, 6);
        let times = 1_u64.checked_shl(shift).unwrap_or(0);
        let is_left = self.field(22, 2) == 0;
        if !self.flag(24) {
            let term = match (operation, self.flag(21)) {
                // ORR with zero: `mov`.
                (1, false) if one == SP_OR_ZERO && other == SP_OR_ZERO => Term::Constant(0),
                (1, false) if one == SP_OR_ZERO && is_left && shift == 0 => {
                    Term::Register(general(other, size))
                }
                (2, false) if one == other && is_left && shift == 0 => Term::Constant(0),
                _ => Term::Unknown,
            };
            return self.set(to, term);
        }
        if !self.flag(21) {
            let index = (other != SP_OR_ZERO).then(|| (general(other, size), times));
            let base = (one != SP_OR_ZERO).then(|| general(one, size));
            let term = match operation & 2 {
                0 if is_left => Term::Address(sum(base, index, 0, size)),
                _ if one == other && is_left && shift == 0 => Term::Constant(0),
                _ => Term::Unknown,
            };
            return self.set(to, term);
        }
        // An extended register; the other may be the stack pointer.
        let taken = match self.field(13, 3) {
            0b000 => Some(1),
            0b001 => Some(2),
            0b010 => Some(4),
            0b011 | 0b111 => Some(size),
            0b100 => Some(1),
            0b101 => Some(2),
            0b110 => Some(4),
            _ => None,
        };
        let term = match taken {
            Some(taken) if operation & 2 == 0 && other != SP_OR_ZERO => {
                let times = 1 << self.field(10, 3);
                let index = Some((general(other, taken), times));
                let sum = sum(Some(general(one, size)), index, 0, size);
                Term::Address(MemoryOperand {
                    index_is_signed: self.flag(15) && taken < size,
                    ..sum
                })
            }
            _ => Term::Unknown,
        };
        if operation & 1 == 1 { self.set(to, term) } else { self.set_or_sp(to, term) }
    }

    /// SIMD and floating point.
    fn vectors(self) -> Vec<Write> {
        let (to, from) = (self.field(0, 5), self.field(5, 5));
        let scalar = |size| Part { size, ..vector(from) };
        // FMOV between a general register and a vector register.
        if self.is(0x7f3e_fc00, 0x1e26_0000) || self.is(0xfffe_fc00, 0x9eae_0000) {
            let size = if self.flag(31) { 8 } else { 4 };
            let size = if self.field(22, 2) == 3 { 2 } else { size };
            let shift = if self.field(19, 2) == 1 { 64 } else { 0 };
            let high = Part { shift, size: 8, ..vector(to) };
            return match (self.flag(16), shift) {
                (false, _) => self.set(to, Term::Register(Part { shift, ..scalar(size) })),
                (true, 0) => set_vector(to, self.read(from, size)),
                (true, _) => {
                    vec![Write { to: Target::Register(high), from: self.read(from, 8) }]
                }
            };
        }
        // Compares set flags alone: FCMP, FCCMP.
        let is_scalar = self.is(0x5f20_0000, 0x1e20_0000);
        if is_scalar && (self.field(10, 6) == 0b001000 || self.field(10, 2) == 0b01) {
            return Vec::new();
        }
        // FMOV of a register; of H and S and D.
        if self.is(0xff3f_fc00, 0x1e20_4000) {
            let size = match self.field(22, 2) {
                0 => 4,
                1 => 8,
                _ => 2,
            };
            return set_vector(to, Term::Register(scalar(size)));
        }
        // MOV: ORR of a register with itself. MOVI of zero.
        if self.is(0xbfe0_fc00, 0x0ea0_1c00) && from == self.field(16, 5) {
            let size = if self.flag(30) { 16 } else { 8 };
            return set_vector(to, Term::Register(scalar(size)));
        }
        let is_movi = self.is(0x9ff8_0c00, 0x0f00_0400)
            && self.bits & 0x0007_03e0 == 0
            && self.field(12, 4) != 0b1111
            && (!self.flag(29) || self.field(12, 4) == 0b1110);
        if is_movi && (self.field(12, 4) & 1 == 0 || self.field(12, 4) >= 12) {
            return set_vector(to, Term::Constant(0));
        }
        // Copies of elements: INS from both, UMOV.
        if let Some(writes) = self.element(to, from) {
            return writes;
        }
        // SMOV, UMOV; conversions to general registers; the rest changes a vector register.
        let is_taken = self.is(0xbfe0_ec00, 0x0e00_2c00);
        let is_converted = self.is(0x5f20_fc00, 0x1e20_0000) || self.is(0x5f20_0000, 0x1e00_0000);
        match (is_taken, is_converted) {
            (true, _) => self.set(to, Term::Unknown),
            (_, true) => self.anything(),
            _ => set_vector(to, Term::Unknown),
        }
    }

    /// Moves of one element of a vector register.
    fn element(self, to: u32, from: u32) -> Option<Vec<Write>> {
        // Its size in bytes is the lowest bit set, what is above counts it out.
        let which = self.field(16, 5);
        let scale = which.trailing_zeros();
        let size = 1_u64.checked_shl(scale).filter(|size| *size <= 8)?;
        let part = |number: u32, count: u32| {
            let shift = count << scale.wrapping_add(3);
            Part { shift, size, ..vector(number) }
        };
        let count = which >> scale.wrapping_add(1);
        let put = |from| Some(vec![Write { to: Target::Register(part(to, count)), from }]);
        if self.is(0xffe0_fc00, 0x4e00_1c00) {
            return put(self.read(from, size));
        }
        if self.is(0xffe0_8400, 0x6e00_0400) {
            return put(Term::Register(part(from, self.field(11, 4) >> scale)));
        }
        if self.is(0xbfe0_fc00, 0x0e00_3c00) {
            return Some(self.set(to, Term::Register(part(from, count))));
        }
        None
    }

    /// All that bits 0 to 4 could name.
    pub(super) fn anything(self) -> Vec<Write> {
        let to = self.field(0, 5);
        let mut writes = self.set_or_sp(to, Term::Unknown);
        writes.extend(set_vector(to, Term::Unknown));
        writes
    }

    /// So many vector registers from one on.
    pub(super) fn vector_run(self, first: u32, count: u32) -> Vec<Write> {
        let numbers = (0..count).map(|at| first.wrapping_add(at) & 31);
        numbers.flat_map(|number| set_vector(number, Term::Unknown)).collect()
    }

    /// A write of a general register; 31 is none.
    pub(super) fn set(self, to: u32, from: Term) -> Vec<Write> {
        if to == SP_OR_ZERO { Vec::new() } else { self.set_or_sp(to, from) }
    }

    /// A write of a general register; 31 is the stack pointer.
    pub(super) fn set_or_sp(self, to: u32, from: Term) -> Vec<Write> {
        vec![Write { to: Target::Register(general(to, 8)), from }]
    }

    /// A general register that is read; 31 is zero.
    pub(super) fn read(self, from: u32, size: u64) -> Term {
        match from {
            SP_OR_ZERO => Term::Constant(0),
            _ => Term::Register(general(from, size)),
        }
    }

    /// Bytes of the general registers it works on.
    fn size(self) -> u64 {
        if self.flag(31) { 8 } else { 4 }
    }
}

#[cfg(test)]
#[path = "arm_flow_tests.rs"]
mod tests;
