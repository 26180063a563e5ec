//! `NT_X86_XSAVE_LAYOUT`: where the components lie in the area of `NT_X86_XSTATE`, which differs
//! between processors (Linux 6.12, `arch/x86/kernel/fpu/xstate.c`, `dump_xsave_layout_desc`).

use obit_corefile::elf::Encoding;

use super::fields::Fields;

/// Type of the note.
pub(super) const NOTE: u32 = 0x205;
/// Bytes of `struct x86_xfeat_component`.
const COMPONENT: usize = 16;
/// Where in the area the kernel puts the components that it has enabled (`XCR0`): `sw_reserved`
/// of the legacy part.
const ENABLED: usize = 464;

/// A component of the area, as the processor describes it (CPUID leaf 13).
#[derive(Clone, Copy, Debug)]
struct Component {
    number: u32,
    size: u32,
    offset: u32,
    /// Bit 0: of the kernel alone; bit 1: aligned to 64 bytes where the area is packed.
    flags: u32,
}

/// The note for areas such as this one, all of which have one layout.
pub(super) fn of_area(area: &[u8], encoding: Encoding) -> Option<Vec<u8>> {
    let enabled = encoding.unsigned(area, ENABLED, 8)?;
    let is_enabled = |number: u32| enabled.checked_shr(number).is_some_and(|bits| bits & 1 != 0);
    let of_user = |component: &Component| component.flags & 1 == 0 && is_enabled(component.number);
    let components: Vec<_> = of_processor().into_iter().filter(of_user).collect();
    let mut fields = Fields::new(components.len().saturating_mul(COMPONENT), encoding);
    for (nth, Component { number, size, offset, flags }) in components.iter().enumerate() {
        for (field, value) in [number, size, offset, flags].into_iter().enumerate() {
            let at = nth.saturating_mul(COMPONENT).saturating_add(field.saturating_mul(4));
            fields.put(at, 4, u64::from(*value));
        }
    }
    (!components.is_empty()).then(|| fields.into_bytes())
}

#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
fn of_processor() -> Vec<Component> {
    let Some(info) = raw_cpuid::CpuId::new().get_extended_state_info() else { return Vec::new() };
    let component = |state: raw_cpuid::ExtendedState| Component {
        number: state.subleaf,
        size: state.size(),
        offset: state.offset(),
        flags: u32::from(state.is_in_ia32_xss()) | (u32::from(state.is_compacted_format()) << 1),
    };
    info.iter().map(component).collect()
}

#[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
fn of_processor() -> Vec<Component> {
    Vec::new()
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;

    const LE64: Encoding = Encoding { is_64: true, little_endian: true };

    #[test]
    fn avx_lies_behind_the_legacy_part_and_what_is_not_enabled_is_left_out() {
        let mut area = vec![0; 1088];
        assert_eq!(of_area(&area, LE64), None);
        area[ENABLED] = 0b111;
        let Some(note) = of_area(&area, LE64) else {
            eprintln!("skipped: the processor has no AVX");
            return;
        };
        let words: Vec<u32> = (0..4).map(|nth| LE64.u32(&note, nth * 4).unwrap()).collect();
        assert_eq!((words, note.len()), (vec![2, 256, 576, 0], 16));
        assert_eq!(of_area(&area[..400], LE64), None);
    }
}
