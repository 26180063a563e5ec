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
        Self { back: size, size, mask, value, target }
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
