//! Whether a word can be a return address: it must point just past a call.

use obit_corefile::addr::Avma;
use obit_corefile::arch::{CallForm, Calls, Facts};
use obit_corefile::memory::Cursor;

/// What the bytes before an address say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallBefore {
    /// A direct call to this address.
    Direct(Avma),
    /// A call through a register or memory.
    Indirect,
    /// Some other instruction: not a return address.
    None,
    /// The code is not available; the address lies in executable memory.
    Unknown,
    /// The address does not lie in executable memory.
    NotCode,
}

/// Looks at the code before `at`.
pub(crate) fn call_before(at: Avma, facts: &Facts, memory: &mut Cursor<'_>) -> CallBefore {
    call_in_mode(at, None, facts, memory)
}

/// The same of a return address whose bits of the processor's mode are known.
pub(super) fn call_in_mode(
    at: Avma,
    mode: Option<u64>,
    facts: &Facts,
    memory: &mut Cursor<'_>,
) -> CallBefore {
    let region = memory.space().region_at(Avma(at.0.wrapping_sub(1)));
    let Some(region) = region.filter(|region| region.permissions.execute) else {
        return CallBefore::NotCode;
    };
    let start = region.range.start;
    match facts.calls {
        Calls::X86 => x86(at, start, facts, memory),
        Calls::Forms(forms) => by_form((at, mode), forms, facts, memory),
    }
}

fn x86(at: Avma, start: Avma, facts: &Facts, memory: &mut Cursor<'_>) -> CallBefore {
    let mut code = [0_u8; 8];
    // Near the start of a mapping fewer bytes are there.
    let from = start.0.max(at.0.wrapping_sub(8));
    let have = usize::try_from(at.0.wrapping_sub(from)).unwrap_or(0);
    let tail = code.get_mut(8_usize.saturating_sub(have)..).unwrap_or(&mut []);
    if memory.read(Avma(from), tail).is_err() {
        return CallBefore::Unknown;
    }
    if let Some(target) = direct_call(&code, at, facts)
        && memory.space().region_at(target).is_some_and(|region| region.permissions.execute)
    {
        return CallBefore::Direct(target);
    }
    let indirect = (2..=7).any(|length| {
        let bytes = code.get(code.len().saturating_sub(length)..).unwrap_or(&[]);
        indirect_call_length(bytes) == Some(length)
    });
    if indirect { CallBefore::Indirect } else { CallBefore::None }
}

/// Whether an x86 `call` just before `at` goes to `target`, code or not.
pub(super) fn calls(at: Avma, target: Avma, facts: &Facts, memory: &mut Cursor<'_>) -> bool {
    let mut code = [0_u8; 8];
    matches!(facts.calls, Calls::X86)
        && memory.read(Avma(at.0.wrapping_sub(8)), &mut code).is_ok()
        && direct_call(&code, at, facts) == Some(target)
}

/// Where the `call rel32` at the end of `code`, just before `at`, goes.
fn direct_call(code: &[u8; 8], at: Avma, facts: &Facts) -> Option<Avma> {
    let [_, _, _, 0xe8, distance @ ..] = *code else { return None };
    let target = at.offset(i64::from(i32::from_le_bytes(distance)));
    Some(Avma(facts.wrap(target.0)))
}

/// The length of the `call r/m` (0xff /2) at the start of `code`.
fn indirect_call_length(code: &[u8]) -> Option<usize> {
    let [0xff, modrm, rest @ ..] = code else { return None };
    if (modrm >> 3) & 7 != 2 {
        return None;
    }
    let (mode, base) = (modrm >> 6, modrm & 7);
    let has_sib = mode != 3 && base == 4;
    let displacement = match (mode, base) {
        (0, 5) => 4,
        (0, 4) if rest.first().is_some_and(|sib| sib & 7 == 5) => 4,
        (1, _) => 1,
        (2, _) => 4,
        _ => 0_usize,
    };
    Some(displacement.saturating_add(if has_sib { 3 } else { 2 }))
}

/// Calls that are known by some of their bits.
fn by_form(
    (at, mode): (Avma, Option<u64>),
    forms: &[CallForm],
    facts: &Facts,
    memory: &mut Cursor<'_>,
) -> CallBefore {
    let mut is_seen = false;
    for form in forms {
        let start = facts.wrap(at.0.wrapping_sub(u64::from(form.back)));
        let Ok(code) = memory.read_unsigned(Avma(start), usize::from(form.size)) else { continue };
        is_seen = true;
        if form.matches(code) && form.may_return_to(at.0, mode) {
            let target = form.target_of(code, start).map(|target| Avma(facts.wrap(target)));
            return target.map_or(CallBefore::Indirect, CallBefore::Direct);
        }
    }
    if is_seen { CallBefore::None } else { CallBefore::Unknown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_an_indirect_call_has_its_length() {
        let forms: [(&[u8], usize); 8] = [
            (&[0xff, 0xd0], 2),                   // call *%rax
            (&[0xff, 0x10], 2),                   // call *(%rax)
            (&[0xff, 0x50, 8], 3),                // call *8(%rax)
            (&[0xff, 0x14, 0xc3], 3),             // call *(%rbx,%rax,8)
            (&[0xff, 0x54, 0x24, 8], 4),          // call *8(%rsp)
            (&[0xff, 0x15, 0, 0, 0, 0], 6),       // call *0(%rip)
            (&[0xff, 0x90, 0, 1, 0, 0], 6),       // call *256(%rax)
            (&[0xff, 0x14, 0x25, 0, 0, 0, 0], 7), // call *0
        ];
        for (code, length) in forms {
            assert_eq!(indirect_call_length(code), Some(length), "{code:x?}");
        }
        assert_eq!(indirect_call_length(&[0xff, 0xe0]), None, "jmp *%rax is not a call");
    }
}
