//! Steps by reading how a function began: where it put its return address and its caller's
//! frame pointer. For machines whose frames are not chained.

use super::without_cfi::{Search, Step};
use super::{Activation, Left};
use obit_corefile::addr::Avma;
use obit_corefile::arch::Registers;

/// How much of a function is read, bytes: compilers put all of this first.
const LARGEST_PROLOGUE: u64 = 1 << 8;

/// What the instructions of a function up to the pc did.
#[derive(Default)]
struct Begun {
    /// Bytes of stack it took.
    size: i64,
    /// Where it put the return address and the caller's frame pointer, from its stack pointer.
    link_at: Option<i64>,
    frame_at: Option<i64>,
    /// It has a frame pointer of its own, equal to the stack pointer at that time.
    has_frame: bool,
}

impl Search<'_, '_> {
    /// The caller, by what the function at the pc did since it started.
    pub(super) fn by_begun(&mut self, frame: &Activation) -> Option<Step> {
        let begun = self.begun(frame)?;
        let facts = self.facts;
        let base = if begun.has_frame { facts.fp } else { facts.sp };
        let base = frame.registers.get(base)?;
        let return_address = match begun.link_at {
            Some(offset) => self.slot(Avma(base.checked_add_signed(offset)?))?,
            None if frame.left == Left::Interrupted => frame.registers.get(facts.link?)?,
            None => return None,
        };
        let (pc, trust) = self.chained(return_address)?;
        let mut registers = Registers::default();
        for register in facts.callee_saved {
            registers.set(*register, frame.registers.get(*register));
        }
        if let Some(offset) = begun.frame_at {
            let saved = base.checked_add_signed(offset).and_then(|at| self.slot(Avma(at)));
            registers.set(facts.fp, saved);
        }
        registers.set(facts.sp, Some(facts.wrap_register(base.checked_add_signed(begun.size)?)));
        registers.set(facts.pc, Some(pc.0));
        Some(Step { registers, pc, trust })
    }

    fn begun(&mut self, frame: &Activation) -> Option<Begun> {
        let prologue = self.facts.prologue.as_ref()?;
        let start = self.function_start()?;
        let end = frame.lookup_pc().0.min(start.0.checked_add(LARGEST_PROLOGUE)?);
        let mut begun = Begun::default();
        let mut at = start;
        while at.0 < end {
            let code = self.memory.read_unsigned(at, 4).ok()? as u32;
            let number = |forms: &[obit_corefile::arch::PrologueForm]| {
                forms.iter().find_map(|form| form.number_in(code))
            };
            if let Some(change) = number(prologue.lowers).filter(|change| *change < 0) {
                begun.size = begun.size.checked_sub(change)?;
            } else if begun.link_at.is_none()
                && let Some(offset) = number(prologue.saves_link)
            {
                begun.link_at = Some(offset);
            } else if begun.frame_at.is_none()
                && let Some(offset) = number(prologue.saves_frame)
            {
                begun.frame_at = Some(offset);
            } else if prologue.sets_frame.contains(&code) {
                begun.has_frame = true;
            }
            at = at.checked_add(4)?;
        }
        Some(begun)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unwind::Trust;
    use crate::unwind::machine_tests::memory_of;
    use obit_corefile::arch::{Machine, Register};
    use obit_corefile::memory::AddressSpace;
    use obit_corefile::testkit::CoreBuilder;

    const TEXT: u64 = 0x40_0000;
    const STACK: u64 = 0x7000_0000;

    fn memory(code: &[(usize, u32)], stack: &[u32]) -> AddressSpace {
        let mut text = vec![0; 0x1000];
        for (at, word) in code {
            text[*at..*at + 4].copy_from_slice(&word.to_be_bytes());
        }
        let stack: Vec<u8> = stack.iter().flat_map(|word| word.to_be_bytes()).collect();
        memory_of(
            &CoreBuilder::of(Machine::Mips)
                .big_endian()
                .thread(1, &[])
                .segment_with(TEXT, &text, 0x1000, "rx")
                .segment(STACK, &stack, 0x1000),
        )
    }

    fn caller(memory: &AddressSpace, frame: &Activation) -> Option<(u64, Registers)> {
        let mut search = Search {
            facts: Machine::Mips.facts().unwrap(),
            memory: &mut memory.cursor(),
            scan_words: 0,
            code_mask: 0,
            words: &mut 0,
            followed: &mut crate::unwind::by_code::Followed::new(),
            without_handler: &mut (0..0),
            function: &|| Some((Avma(TEXT + 0x80), 0)),
            decoder_at: &|_| None,
        };
        search.by_begun(frame).map(|step| (step.pc.0, step.registers))
    }

    fn frame(left: Left) -> Activation {
        let registers = Registers::default()
            .with(Register(29), STACK)
            .with(Register(30), STACK)
            .with(Register(31), TEXT + 0x28);
        let (pc, trust) = (Avma(TEXT + 0xa0), Trust::Context);
        Activation { pc, cfa: None, registers, trust, left, is_signal: false }
    }

    /// jal at 0x20; addiu sp,sp,-32; sw ra,28(sp); sw s8,24(sp); move s8,sp
    const CODE: [(usize, u32); 5] = [
        (0x20, 0x0c00_0000),
        (0x80, 0x27bd_ffe0),
        (0x84, 0xafbf_001c),
        (0x88, 0xafbe_0018),
        (0x8c, 0x03a0_f025),
    ];

    #[test]
    fn a_prologue_shows_where_the_return_address_is_saved() {
        let stack = [0, 0, 0, 0, 0, 0, 0x7777, (TEXT + 0x28) as u32];
        let memory = memory(&CODE, &stack);
        let (pc, registers) = caller(&memory, &frame(Left::Called)).unwrap();
        assert_eq!(pc, TEXT + 0x28);
        assert_eq!(registers.get(Register(29)), Some(STACK + 32));
        assert_eq!(registers.get(Register(30)), Some(0x7777), "the caller's frame pointer");
    }

    #[test]
    fn only_an_interrupted_function_may_still_have_it_in_the_link_register() {
        let memory = memory(&CODE[..2], &[0; 8]);
        assert_eq!(caller(&memory, &frame(Left::Interrupted)).map(|it| it.0), Some(TEXT + 0x28));
        assert!(caller(&memory, &frame(Left::Called)).is_none());
    }
}
