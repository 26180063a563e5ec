//! The call instructions before a return address.

/// How calls are written.
#[derive(Clone, Copy, Debug)]
pub enum Calls {
    /// x86: `call rel32` and `call r/m`, of any length.
    X86,
    /// Instructions that are known by some of their bits. None: not known here.
    Forms(&'static [CallForm]),
}

/// A call that is known by some of its bits.
#[derive(Clone, Copy, Debug)]
pub struct CallForm {
    /// Bytes from the start of the instruction to where it returns to: more than `size` where
    /// an instruction is in its delay slot.
    pub back: u8,
    /// Bytes of the instruction, at most 8.
    pub size: u8,
    /// The bits that count, of the instruction as a number in the byte order of the machine.
    pub mask: u64,
    /// What they are.
    pub value: u64,
    /// Where it goes.
    pub target: CallTarget,
    /// The bits of the processor's mode ([`super::CodeAddress`]) of what it leaves as its
    /// return address, where other forms have others.
    pub mode: Option<u64>,
}

/// Where a call goes.
#[derive(Clone, Copy, Debug)]
pub enum CallTarget {
    /// Not in the instruction, or not decoded here.
    Unknown,
    /// A signed distance from the instruction, in its low `bits` after `shift` of them, counted
    /// in `scale` bytes.
    Relative {
        /// Bits below the distance.
        shift: u8,
        /// Bits of the distance.
        bits: u8,
        /// Bytes of its unit.
        scale: u8,
    },
    /// A32: the low 24 bits, times four, from eight bytes on.
    A32,
    /// A32, to Thumb: the same, and bit 24 for two bytes more.
    A32ToThumb,
    /// Thumb: the distance of BL, in both halves, from four bytes on.
    Thumb,
    /// Thumb: the same of BLX, which goes to a word of A32.
    ThumbToA32,
    /// MIPS: the low 26 bits, times four, within the 256 MiB of the delay slot.
    Region,
}

impl CallForm {
    /// An instruction of four bytes whose target is not read.
    pub(super) const fn word(mask: u32, value: u32) -> Self {
        Self::relative(4, mask as u64, value as u64, CallTarget::Unknown)
    }

    /// An instruction of `size` bytes.
    pub(super) const fn relative(size: u8, mask: u64, value: u64, target: CallTarget) -> Self {
        Self { back: size, size, mask, value, target, mode: None }
    }

    /// The same of which the mode is known.
    pub(super) const fn of_mode(self, mode: u64) -> Self {
        Self { mode: Some(mode), ..self }
    }

    /// Whether it may leave a return address with these bits of the processor's mode, where
    /// they are known, at `at`.
    pub fn may_return_to(&self, at: u64, mode: Option<u64>) -> bool {
        let is_same = self.mode.zip(mode).is_none_or(|(of_form, given)| of_form == given);
        // What A32 returns to are words.
        let is_word = !matches!(self.target, CallTarget::A32 | CallTarget::A32ToThumb);
        is_same && (is_word || at.is_multiple_of(4))
    }

    /// Whether `code` is this call.
    pub fn matches(&self, code: u64) -> bool {
        code & self.mask == self.value
    }

    /// Where the call `code` at `at` goes.
    pub fn target_of(&self, code: u64, at: u64) -> Option<u64> {
        match self.target {
            CallTarget::Unknown => None,
            CallTarget::Relative { shift, bits, scale } => {
                let unused = 64_u32.checked_sub(u32::from(bits))?;
                let field = code.checked_shr(u32::from(shift))?.checked_shl(unused)?;
                let distance = field.cast_signed().checked_shr(unused)?;
                Some(at.wrapping_add_signed(distance.wrapping_mul(i64::from(scale))))
            }
            CallTarget::A32 | CallTarget::A32ToThumb => {
                let distance = (code << 40).cast_signed() >> 38;
                let half = match self.target {
                    CallTarget::A32ToThumb => code >> 24 & 1,
                    _ => 0,
                };
                Some(at.wrapping_add(8).wrapping_add_signed(distance).wrapping_add(half << 1))
            }
            CallTarget::Thumb | CallTarget::ThumbToA32 => {
                // The first half lies lower (DDI 0406, A8.8.25).
                let (first, second) = (code & 0xffff, code >> 16 & 0xffff);
                let sign = first >> 10 & 1;
                let bit = |shift: u32| 1 ^ sign ^ (second >> shift & 1);
                let distance = sign << 24
                    | bit(13) << 23
                    | bit(11) << 22
                    | (first & 0x3ff) << 12
                    | (second & 0x7ff) << 1;
                let distance = (distance << 39).cast_signed() >> 39;
                let from = at.wrapping_add(4);
                Some(match self.target {
                    CallTarget::ThumbToA32 => (from & !3).wrapping_add_signed(distance) & !3,
                    _ => from.wrapping_add_signed(distance),
                })
            }
            CallTarget::Region => {
                let delay_slot = at.wrapping_add(4);
                Some((delay_slot & !0x0fff_ffff) | ((code & 0x03ff_ffff) << 2))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_of_32_bit_arm_count_from_where_the_pc_reads() {
        let form = |target| CallForm::relative(4, 0, 0, target);
        let to = |target, code, at| form(target).target_of(code, at);
        // bl .+0x40; bl .-8; blx .+0x42
        assert_eq!(to(CallTarget::A32, 0xeb00_000e, 0x1000), Some(0x1040));
        assert_eq!(to(CallTarget::A32, 0xebff_fffc, 0x1000), Some(0xff8));
        assert_eq!(to(CallTarget::A32ToThumb, 0xfb00_000e, 0x1000), Some(0x1042));
        // bl .+0x40 (f000 f81e); bl .-8 (f7ff fffa); blx .+0x40 (f000 e81e) at 0x1002
        assert_eq!(to(CallTarget::Thumb, 0xf81e_f000, 0x1000), Some(0x1040));
        assert_eq!(to(CallTarget::Thumb, 0xfffa_f7ff, 0x1000), Some(0xff8));
        assert_eq!(to(CallTarget::ThumbToA32, 0xe81e_f000, 0x1002), Some(0x1040));
        let thumb = form(CallTarget::Thumb).of_mode(1);
        assert!(thumb.may_return_to(0x1002, Some(1)) && thumb.may_return_to(0x1002, None));
        assert!(!thumb.may_return_to(0x1002, Some(0)));
        assert!(!form(CallTarget::A32).may_return_to(0x1002, None));
    }

    #[test]
    fn the_target_of_a_call_is_a_signed_distance_or_in_the_same_region() {
        let target = CallTarget::Relative { shift: 2, bits: 24, scale: 4 };
        let bl = CallForm::relative(4, 0xfc00_0003, 0x4800_0001, target);
        assert!(bl.matches(0x4bff_fffd));
        assert_eq!(bl.target_of(0x4bff_fffd, 0x1000), Some(0xffc));
        let jal = CallForm { back: 8, ..CallForm::word(0xfc00_0000, 0x0c00_0000) };
        let jal = CallForm { target: CallTarget::Region, ..jal };
        assert_eq!(jal.target_of(0x0c10_0040, 0x1_2000_0ffc), Some(0x1_2040_0100));
        assert_eq!(CallForm::word(0, 0).target_of(7, 8), None);
    }
}
