//! The code that a signal handler returns to, known by its bytes.

use obit_corefile::addr::Avma;
use obit_corefile::arch::{Facts, SigreturnCode, TrampolineCode};
use obit_corefile::memory::Cursor;

/// The trampoline whose code lies at `pc`.
pub(super) fn at(
    pc: Avma,
    facts: &'static Facts,
    memory: &mut Cursor<'_>,
) -> Option<&'static SigreturnCode> {
    facts.sigreturn.iter().find(|trampoline| match trampoline.code {
        TrampolineCode::Bytes(code) => {
            let mut bytes = [0_u8; 16];
            let bytes = bytes.get_mut(..code.len()).unwrap_or(&mut []);
            memory.read(pc, bytes).is_ok() && bytes == code
        }
        TrampolineCode::Words(code) => code.iter().zip(0_u64..).all(|(word, nth)| {
            let at = Avma(pc.0.wrapping_add(nth.wrapping_mul(4)));
            memory.read_unsigned(at, 4).is_ok_and(|read| read == u64::from(*word))
        }),
    })
}
