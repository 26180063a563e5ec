//! Whether a word can be a return address: it must point just past a call.

use obit_corefile::addr::Avma;
use obit_corefile::arch::Machine;
use obit_corefile::memory::Cursor;

/// What the bytes before an address say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallBefore {
    /// A direct call to this address.
    Direct(Avma),
    /// A call through a register or memory.
    Indirect,
    /// Some other instruction: no return address.
    None,
    /// The code is not at hand; the address lies in executable memory.
    Unknown,
    /// The address does not lie in executable memory.
    NotCode,
}

/// Looks at the code before `at`.
pub(super) fn call_before(at: Avma, machine: Machine, memory: &mut Cursor<'_>) -> CallBefore {
    let region = memory.space().region_at(Avma(at.0.wrapping_sub(1)));
    let Some(region) = region.filter(|region| region.permissions.execute) else {
        return CallBefore::NotCode;
    };
    let start = region.range.start;
    match machine {
        Machine::X86_64 | Machine::I386 => x86(at, start, machine, memory),
        Machine::Aarch64 | Machine::Arm | Machine::Riscv64 => risc(at, machine, memory),
        Machine::Other(_) => CallBefore::Unknown,
    }
}

fn x86(at: Avma, start: Avma, machine: Machine, memory: &mut Cursor<'_>) -> CallBefore {
    let mut code = [0_u8; 8];
    // Near the start of a mapping fewer bytes are there.
    let from = start.0.max(at.0.wrapping_sub(8));
    let have = usize::try_from(at.0.wrapping_sub(from)).unwrap_or(0);
    let tail = code.get_mut(8_usize.saturating_sub(have)..).unwrap_or(&mut []);
    if memory.read(Avma(from), tail).is_err() {
        return CallBefore::Unknown;
    }
    if let Some(target) = direct_call(&code, at, machine)
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
pub(super) fn calls(at: Avma, target: Avma, machine: Machine, memory: &mut Cursor<'_>) -> bool {
    let mut code = [0_u8; 8];
    matches!(machine, Machine::X86_64 | Machine::I386)
        && memory.read(Avma(at.0.wrapping_sub(8)), &mut code).is_ok()
        && direct_call(&code, at, machine) == Some(target)
}

/// Where the `call rel32` at the end of `code`, just before `at`, goes.
fn direct_call(code: &[u8; 8], at: Avma, machine: Machine) -> Option<Avma> {
    let [_, _, _, 0xe8, distance @ ..] = *code else { return None };
    let target = at.offset(i64::from(i32::from_le_bytes(distance)));
    Some(if machine == Machine::I386 { Avma(target.0 & 0xffff_ffff) } else { target })
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

fn risc(at: Avma, machine: Machine, memory: &mut Cursor<'_>) -> CallBefore {
    let Ok(word) = memory.read_unsigned(Avma(at.0.wrapping_sub(4)), 4) else {
        return CallBefore::Unknown;
    };
    let word = word as u32;
    let half = word >> 16;
    let (direct, indirect) = match machine {
        // BL; BLR and BLRA*
        Machine::Aarch64 => {
            (word >> 26 == 0x25, word & 0xfe9f_f000 == 0xd61f_0000 && word & 0x20_0000 != 0)
        }
        // BL, BLX (ARM); BL (Thumb) as two halves; BLX register
        Machine::Arm => (
            word & 0x0f00_0000 == 0x0b00_0000
                || word & 0xfe00_0000 == 0xfa00_0000
                || (half & 0xc000 == 0xc000 && word & 0xf800 == 0xf000),
            word & 0x0fff_fff0 == 0x012f_ff30 || half & 0xff80 == 0x4780,
        ),
        // JAL ra; JALR ra; C.JALR, whose form with register 0 is C.EBREAK
        _ => (
            word & 0xfff == 0x0ef,
            word & 0xfff == 0x0e7 || (half & 0xf07f == 0x9002 && half != 0x9002),
        ),
    };
    if direct && machine == Machine::Aarch64 {
        let distance = ((word << 6) as i32 >> 4) as i64;
        return CallBefore::Direct(Avma(at.0.wrapping_sub(4)).offset(distance));
    }
    if direct || indirect { CallBefore::Indirect } else { CallBefore::None }
}

/// Whether an instruction changes the link register or leaves the function: a call or a
/// return. Only of machines whose calls [`call_before`] can follow to their target.
pub(super) fn ends_leaf(code: u32, machine: Machine) -> bool {
    match machine {
        // BL; BLR, RET and their forms that authenticate
        Machine::Aarch64 => code >> 26 == 0x25 || matches!(code >> 21, 0x6b1 | 0x6b2 | 0x6b9),
        _ => true,
    }
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
        assert_eq!(indirect_call_length(&[0xff, 0xe0]), None, "jmp *%rax is no call");
    }
}
