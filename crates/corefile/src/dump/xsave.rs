//! Where an x86 `xsave` area in standard format holds what (Intel SDM volume 1, 13.4).

use crate::elf::Encoding;

const AVX: u32 = 2;
const OPMASK: u32 = 5;
const ZMM_UPPER: u32 = 6;
const ZMM_HIGH: u32 = 7;
/// Records of the layout note that are read; 19 components are defined so far.
const MAX_COMPONENTS: usize = 64;

/// Offsets of the components in the area, bytes. Empty means: the legacy part only.
#[derive(Clone, Debug, Default)]
pub(super) struct XsaveLayout {
    components: Vec<Component>,
}

#[derive(Clone, Copy, Debug)]
struct Component {
    number: u32,
    size: u64,
    offset: u64,
}

/// Where the AVX-512 mask registers lie in an `xsave` area of `len` bytes, as processors are
/// known to have it.
pub fn xsave_mask_registers(len: u64) -> Option<std::ops::Range<usize>> {
    let layout = XsaveLayout::guess(len);
    let (first, last) = (layout.opmask(0)?, layout.opmask(7)?.checked_add(8)?);
    Some(usize::try_from(first).ok()?..usize::try_from(last).ok()?)
}

impl XsaveLayout {
    /// `NT_X86_XSAVE_LAYOUT` (0x205): records of `struct x86_xfeat_component`: type,
    /// size, offset, flags, each 32 bits (Linux 6.12 `arch/x86/include/uapi/asm/elf.h`).
    pub(super) fn parse(desc: &[u8], encoding: Encoding) -> Self {
        let records = desc.chunks_exact(16).take(MAX_COMPONENTS).filter_map(|record| {
            Some(Component {
                number: encoding.u32(record, 0)?,
                size: u64::from(encoding.u32(record, 4)?),
                offset: u64::from(encoding.u32(record, 8)?),
            })
        });
        Self { components: records.collect() }
    }

    /// The layout of an area of `len` bytes, as processors are known to have it: with
    /// AVX-512, Intel leaves room for MPX (then 2,688 bytes and more), AMD does not
    /// (2,432); gdb distinguishes them by length too (`i387_guess_xsave_layout`).
    pub(super) fn guess(len: u64) -> Self {
        const INTEL: [(u32, u64, u64); 3] =
            [(OPMASK, 64, 1088), (ZMM_UPPER, 512, 1152), (ZMM_HIGH, 1024, 1664)];
        const AMD: [(u32, u64, u64); 3] =
            [(OPMASK, 64, 832), (ZMM_UPPER, 512, 896), (ZMM_HIGH, 1024, 1408)];
        let avx512 = match len {
            2688.. => &INTEL[..],
            2432.. => &AMD[..],
            _ => &[],
        };
        let avx = (len >= 832).then_some((AVX, 256, 576));
        let components = avx.into_iter().chain(avx512.iter().copied());
        let components =
            components.map(|(number, size, offset)| Component { number, size, offset });
        Self { components: components.collect() }
    }

    /// Without the components whose bit in `enabled` (xcr0) is clear.
    pub(super) fn only(mut self, enabled: u64) -> Self {
        self.components.retain(|component| {
            enabled.checked_shr(component.number).is_some_and(|bits| bits & 1 != 0)
        });
        self
    }

    /// Offset of bits 128–255 of register `n` (0–15).
    pub(super) fn upper_ymm(&self, n: u16) -> Option<u64> {
        self.element(AVX, n, 16)
    }

    /// Offset of bits 256–511 of register `n` (0–15).
    pub(super) fn upper_zmm(&self, n: u16) -> Option<u64> {
        self.element(ZMM_UPPER, n, 32)
    }

    /// Offset of all 512 bits of register `16 + n`.
    pub(super) fn high_zmm(&self, n: u16) -> Option<u64> {
        self.element(ZMM_HIGH, n, 64)
    }

    /// Offset of the mask register `n` (0–7).
    pub(super) fn opmask(&self, n: u16) -> Option<u64> {
        self.element(OPMASK, n, 8)
    }

    fn element(&self, number: u32, n: u16, size: u64) -> Option<u64> {
        let component = self.components.iter().find(|component| component.number == number)?;
        let into = u64::from(n).checked_mul(size)?;
        let fits = into.checked_add(size)? <= component.size;
        fits.then(|| component.offset.checked_add(into))?
    }
}
