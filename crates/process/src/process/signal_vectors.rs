//! The vector registers a signal handler's frame keeps for the code it interrupted.

use obit_corefile::addr::Avma;
use obit_corefile::arch::{Machine, Register};
use obit_corefile::memory::AddressSpace;

/// Bytes from the start of the `fxsave` area to st(0), xmm0 and `sw_reserved`.
const STACK: u64 = 32;
const XMM: u64 = 160;
const SW_RESERVED: u64 = 464;
/// `FP_XSTATE_MAGIC1`: an `xsave` area follows.
const MAGIC: u64 = 0x4650_5853;
/// `XSTATE_BV` in the header of the `xsave` area, and its bit for the upper halves of ymm.
const XSTATE_BV: u64 = 512;
const AVX: u64 = 1 << 2;
/// The upper halves in the standard format.
const YMM_HIGH: u64 = 576;

/// The content of a vector or x87 register of the frame a signal interrupted; `sp` is the
/// stack pointer of the kernel's frame, where its `ucontext` lies.
pub(super) fn register(
    machine: Machine,
    memory: &AddressSpace,
    sp: Avma,
    register: Register,
) -> Option<Vec<u8>> {
    let pointer = machine.facts()?.handler_frame.float_pointer?;
    let area = memory.read_word(sp.checked_add(pointer)?).ok()?;
    let area = Avma(area).checked_add(0).filter(|at| at.0 != 0)?;
    let read = |offset: u64, size: usize| {
        let mut bytes = vec![0; size];
        memory.read(area.checked_add(offset)?, &mut bytes).ok()?;
        Some(bytes)
    };
    match register.0 {
        number @ 17..=32 => {
            let nth = u64::from(number - 17) * 16;
            let mut bytes = read(XMM + nth, 16)?;
            let word = |offset| memory.read_word(area.checked_add(offset)?).ok();
            let extended = word(SW_RESERVED)? & 0xffff_ffff == MAGIC;
            if extended && word(XSTATE_BV)? & AVX != 0 {
                bytes.extend(read(YMM_HIGH + nth, 16)?);
            }
            Some(bytes)
        }
        number @ 33..=40 => read(STACK + u64::from(number - 33) * 16, 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::module;
    use obit_corefile::limits::Limits;
    use obit_corefile::testkit::CoreBuilder;
    use obit_dwarf::locate::{Locator, SearchRules};

    const SP: u64 = 0x7ffd_0000_0000;
    const AREA: u64 = SP + 0x200;
    /// `uc_mcontext.fpregs` of x86_64.
    const FPREGS: u64 = 224;

    fn register_17(extended: bool) -> Option<Vec<u8>> {
        let mut stack = vec![0; 0x1000];
        let mut put = |at: u64, bytes: &[u8]| {
            let at = (at - SP) as usize;
            stack[at..at + bytes.len()].copy_from_slice(bytes);
        };
        put(SP + FPREGS, &AREA.to_le_bytes());
        put(AREA + XMM, &[7; 16]);
        put(AREA + YMM_HIGH, &[8; 16]);
        if extended {
            put(AREA + SW_RESERVED, &MAGIC.to_le_bytes());
            put(AREA + XSTATE_BV, &7_u64.to_le_bytes());
        }
        let core = CoreBuilder::x86_64().thread(1, &[("rsp", SP)]).segment(SP, &stack, 0x1000);
        let dump = core.open().unwrap();
        let limits = Limits::default();
        let locator = Arc::new(Locator::new(SearchRules::default(), limits.clone()));
        let memory =
            module::load(&dump, &Arc::new(module::Library::new(locator, None, limits.clone())))
                .memory;
        register(Machine::X86_64, &memory, Avma(SP), Register(17))
    }

    #[test]
    fn xmm0_comes_from_the_area_the_context_points_at() {
        assert_eq!(register_17(false), Some(vec![7; 16]));
    }

    #[test]
    fn ymm0_is_whole_where_the_kernel_saved_its_upper_half() {
        assert_eq!(register_17(true), Some([[7; 16], [8; 16]].concat()));
    }
}
