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
        let start = (self.function_start)()?;
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
