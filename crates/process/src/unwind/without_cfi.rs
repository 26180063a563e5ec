//! Steps where no table helps: by what a call leaves on the stack, by the chain of frame
//! pointers, by scanning for return addresses. Each says how far it is to be trusted.

use std::ops::Range;

use super::budget::take;
use super::by_code::Followed;
use super::return_address::{CallBefore, call_before, call_in_mode, calls};
use super::row::code_address;
use super::{Activation, Left, Trust, signal_frame, trampoline};
use obit_corefile::addr::{Avma, AvmaRange};
use obit_corefile::arch::{Calls, Decoder, Facts, FrameRecord, Register, Registers, Saved};
use obit_corefile::memory::Cursor;

/// How far a direct call's target may lie before the pc to be the same function.
const LARGEST_FUNCTION: u64 = 1 << 16;
/// Frames of the frame-pointer chain lie this close together, bytes.
pub(super) const LARGEST_FRAME: u64 = 16 << 20;
/// How much code of a function without CFI is read to see that it calls nothing.
const LARGEST_LEAF: u64 = 1 << 12;
/// How far below its stack a thread that overflowed it may have crashed.
const LARGEST_OVERFLOW: u64 = 1 << 20;

/// A way out of a frame.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) registers: Registers,
    pub(super) pc: Avma,
    pub(super) trust: Trust,
}

/// What the steps need.
pub(super) struct Search<'c, 'm> {
    pub(super) facts: &'static Facts,
    pub(super) memory: &'c mut Cursor<'m>,
    pub(super) scan_words: usize,
    /// See [`code_address`].
    pub(super) code_mask: u64,
    /// Words that may still be looked at for all stacks.
    pub(super) words: &'c mut usize,
    /// What following code has found before.
    pub(super) followed: &'c mut Followed,
    /// Addresses of return addresses that no handler's frame has, by earlier scans: in missing
    /// code each frame is scanned for, over much of what the last one was.
    pub(super) without_handler: &'c mut Range<u64>,
    /// Where the symbols say that the function at the pc starts, and how long it is; 0 is not
    /// known.
    pub(super) function: &'c dyn Fn() -> Option<(Avma, u64)>,
    /// Who decodes the code there.
    pub(super) decoder_at: &'c dyn Fn(Avma) -> Option<Decoder>,
}

/// How far a function without CFI has got with its frame.
enum Progress {
    /// Nothing is pushed but the return address, according to its first instructions.
    Frameless,
    /// The caller's frame pointer lies on top of the stack.
    FramePointerPushed,
    /// The frame pointer points to the frame.
    FrameBuilt,
}

/// `mov %rsp,%rbp` in its two forms, `mov %esp,%ebp` on i386.
fn is_frame_pointer_set(code: &[u8]) -> bool {
    let code = code.strip_prefix(&[0x48]).unwrap_or(code);
    matches!(code, [0x89, 0xe5, ..] | [0x8b, 0xec, ..])
}

impl Search<'_, '_> {
    /// The caller of `frame`, by the best means that applies.
    pub(super) fn caller(&mut self, frame: &Activation) -> Option<Step> {
        if frame.left == Left::Interrupted {
            if !self.is_executable(frame.pc) {
                if let Some(step) = self.after_wild_jump(frame) {
                    return Some(step);
                }
            } else if let Some(step) = self
                .by_direct_call(frame)
                .or_else(|| self.by_link(frame))
                .or_else(|| self.by_prologue(frame))
            {
                return Some(step);
            }
        }
        self.by_code(frame)
            .or_else(|| self.by_record(frame))
            .or_else(|| self.by_begun(frame))
            .or_else(|| self.by_scan(frame))
    }

    /// Where the function at the pc starts.
    pub(super) fn function_start(&self) -> Option<Avma> {
        Some((self.function)()?.0)
    }

    fn is_executable(&self, at: Avma) -> bool {
        self.memory.space().region_at(at).is_some_and(|region| region.permissions.execute)
    }

    /// A call to null or to a wild address pushed its return address and did nothing
    /// else: it is on top of the stack, or in the link register.
    fn after_wild_jump(&mut self, frame: &Activation) -> Option<Step> {
        let sp = frame.registers.get(self.facts.sp)?;
        let (value, depth) = match self.facts.link {
            Some(link) => (frame.registers.get(link)?, 0),
            None => (self.slot(Avma(sp))?, u64::from(self.facts.word)),
        };
        let (pc, before) = self.return_to(value);
        let trust = match before {
            _ if calls(pc, frame.pc, self.facts, self.memory) => Trust::CallSite,
            CallBefore::Indirect => Trust::CallSite,
            CallBefore::Direct(_) | CallBefore::Unknown => Trust::Scan,
            CallBefore::None | CallBefore::NotCode => return None,
        };
        Some(self.popped(&frame.registers, sp.wrapping_add(depth), pc, trust))
    }

    /// Code without CFI that has not built its frame, or has just pushed the frame
    /// pointer: the word on top, or the one below it, returns past a call to this very
    /// function.
    fn by_direct_call(&mut self, frame: &Activation) -> Option<Step> {
        if self.facts.link.is_some() {
            return None;
        }
        let word = u64::from(self.facts.word);
        let sp = frame.registers.get(self.facts.sp)?;
        for slot in [sp, sp.wrapping_add(word)] {
            let pc = Avma(self.slot(Avma(slot))?);
            if let CallBefore::Direct(target) = call_before(pc, self.facts, self.memory)
                && target <= frame.pc
                && frame.pc.0.wrapping_sub(target.0) < LARGEST_FUNCTION
            {
                let mut registers = frame.registers.clone();
                if slot != sp {
                    registers.set(self.facts.fp, self.slot(Avma(sp)));
                }
                let above = slot.wrapping_add(word);
                return Some(self.popped(&registers, above, pc, Trust::CallSite));
            }
        }
        None
    }

    /// A function without CFI on a machine with a link register, which is still the
    /// function's own if it holds what a call to this function leaves and no call or
    /// return lies between the function's start and the pc.
    fn by_link(&mut self, frame: &Activation) -> Option<Step> {
        let link = self.facts.link?;
        let (return_to, before) = self.return_to(frame.registers.get(link)?);
        let CallBefore::Direct(target) = before else { return None };
        let size = frame.pc.0.checked_sub(target.0)?;
        if size > LARGEST_LEAF || !take(self.words, usize::try_from(size / 4).ok()?) {
            return None;
        }
        let mut is_built = false;
        for offset in (0..size).step_by(4) {
            let code = self.memory.read_unsigned(target.checked_add(offset)?, 4).ok()?;
            if self.facts.leaf.is_ended_by(code as u32) {
                return None;
            }
            is_built |= self.facts.leaf.is_frame_built_by(code as u32);
        }
        // The frame record may be built already: then it says the same and knows more.
        let by_record = self.by_record(frame).filter(|step| step.pc == return_to);
        let step = by_record.unwrap_or_else(|| {
            let sp = frame.registers.get(self.facts.sp).unwrap_or(0);
            // A function that calls nothing need not save its return address.
            let callers = is_built.then(|| self.slot(Avma(sp))).flatten();
            let sp = callers.unwrap_or(sp);
            self.popped(&frame.registers, sp, return_to, Trust::CallSite)
        });
        Some(Step { trust: Trust::CallSite, ..step })
    }

    /// Code without CFI that has not set up its frame pointer yet or has restored the
    /// caller's: the return address is on top of the stack, or below a frame pointer just
    /// pushed. As gdb's analysis of amd64 prologues, but trusted only if a call precedes the
    /// address.
    fn by_prologue(&mut self, frame: &Activation) -> Option<Step> {
        if !matches!(self.facts.calls, Calls::X86) {
            return None;
        }
        let word = u64::from(self.facts.word);
        let sp = frame.registers.get(self.facts.sp)?;
        let is_pushed = match self.progress(frame.pc) {
            Progress::FrameBuilt => return None,
            Progress::FramePointerPushed => true,
            Progress::Frameless => false,
        };
        let slot = if is_pushed { sp.checked_add(word)? } else { sp };
        let pc = Avma(self.slot(Avma(slot))?);
        match call_before(pc, self.facts, self.memory) {
            CallBefore::Direct(_) | CallBefore::Indirect => {}
            CallBefore::Unknown | CallBefore::None | CallBefore::NotCode => return None,
        }
        let mut registers = frame.registers.clone();
        if is_pushed {
            registers.set(self.facts.fp, self.slot(Avma(sp)));
        }
        Some(self.popped(&registers, slot.checked_add(word)?, pc, Trust::CallSite))
    }

    /// How far the x86 function at `pc` has got with its frame.
    fn progress(&mut self, pc: Avma) -> Progress {
        const PUSH: u8 = 0x55; // push %rbp
        let here = self.code(pc);
        if matches!(here, [0xc3 | 0xc2, ..] | [0xf3, 0xc3, ..]) {
            return Progress::Frameless;
        }
        let Some(start) = self.function_start() else {
            let before = self.code(Avma(pc.0.wrapping_sub(1)));
            return match is_frame_pointer_set(&here) && before.first() == Some(&PUSH) {
                true => Progress::FramePointerPushed,
                false => Progress::Frameless,
            };
        };
        let entry = self.code(start);
        // endbr64, endbr32
        let landing = if matches!(entry, [0xf3, 0x0f, 0x1e, 0xfa | 0xfb, ..]) { 4 } else { 0 };
        let push_at = Avma(start.0.wrapping_add(landing));
        let set_at = Avma(push_at.0.wrapping_add(1));
        if self.code(push_at).first() != Some(&PUSH) || pc <= push_at {
            return Progress::Frameless;
        }
        match pc > set_at && is_frame_pointer_set(&self.code(set_at)) {
            true => Progress::FrameBuilt,
            false => Progress::FramePointerPushed,
        }
    }

    /// The first bytes of the code at `at`, 0 if it is not available.
    fn code(&mut self, at: Avma) -> [u8; 4] {
        let mut code = [0; 4];
        if self.memory.read(at, &mut code).is_err() {
            return [0; 4];
        }
        code
    }

    /// What the caller's registers are when nothing but the return address was taken
    /// from the stack.
    fn popped(&self, registers: &Registers, sp: u64, pc: Avma, trust: Trust) -> Step {
        let mut caller = Registers::default();
        for register in self.facts.callee_saved {
            caller.set(*register, registers.get(*register));
        }
        caller.set(self.facts.sp, Some(sp));
        caller.set(self.facts.pc, Some(pc.0));
        Step { registers: caller, pc, trust }
    }

    /// What functions leave on the stack for a walk like this one.
    fn by_record(&mut self, frame: &Activation) -> Option<Step> {
        match self.facts.frame_record {
            FrameRecord::None => None,
            FrameRecord::FramePointer { saved, return_address, sp } => {
                self.by_frame_pointer(frame, saved, return_address, sp)
            }
            FrameRecord::BackChain { return_address } => self.by_back_chain(frame, return_address),
            FrameRecord::Window { bias, return_address, saved } => {
                self.by_window(frame, bias, return_address, saved)
            }
        }
    }

    /// The frame record at the frame pointer: the caller's frame pointer and the return
    /// address, at these distances.
    fn by_frame_pointer(
        &mut self,
        frame: &Activation,
        saved: i64,
        return_address: i64,
        caller_sp: i64,
    ) -> Option<Step> {
        let fp = frame.registers.get(self.facts.fp)?;
        let sp = frame.registers.get(self.facts.sp)?;
        let distance = fp.checked_sub(sp)?;
        if !fp.is_multiple_of(u64::from(self.facts.word)) || distance > LARGEST_FRAME {
            return None;
        }
        let caller_fp = self.slot(Avma(fp.checked_add_signed(saved)?))?;
        let pc = self.slot(Avma(fp.checked_add_signed(return_address)?))?;
        let (pc, trust) = self.chained(pc)?;
        let mut registers = Registers::default();
        registers.set(self.facts.fp, Some(caller_fp));
        registers.set(self.facts.sp, Some(fp.checked_add_signed(caller_sp)?));
        registers.set(self.facts.pc, Some(pc.0));
        Some(Step { registers, pc, trust })
    }

    /// The chain of stack pointers.
    fn by_back_chain(&mut self, frame: &Activation, return_address: i64) -> Option<Step> {
        let sp = frame.registers.get(self.facts.sp)?;
        let caller_sp = self.slot(Avma(sp))?;
        self.is_next(sp, caller_sp, 0).then_some(())?;
        let value = self.slot(Avma(caller_sp.checked_add_signed(return_address)?))?;
        let (pc, trust) = self.chained(value)?;
        let mut registers = Registers::default();
        registers.set(self.facts.sp, Some(caller_sp));
        registers.set(self.facts.pc, Some(pc.0));
        Some(Step { registers, pc, trust })
    }

    /// The windows of registers, each saved in its frame.
    fn by_window(
        &mut self,
        frame: &Activation,
        bias: i64,
        return_address: Register,
        saved: Saved,
    ) -> Option<Step> {
        let sp = frame.registers.get(self.facts.sp)?;
        let own = sp.checked_add_signed(bias)?;
        let facts = self.facts;
        let mut of_window = |register| {
            let known = frame.registers.get(register);
            let place = saved.places().find(|(_, other)| *other == register);
            known.or_else(|| self.slot(Avma(own.checked_add(place?.0)?)))
        };
        let (caller_sp, value) = (of_window(facts.fp)?, of_window(return_address)?);
        self.is_next(sp, caller_sp, bias).then_some(())?;
        let (pc, trust) = self.chained(value)?;
        let callers = caller_sp.checked_add_signed(bias)?;
        let mut registers = Registers::default();
        for (offset, register) in saved.places() {
            let value = callers.checked_add(offset).and_then(|at| self.slot(Avma(at)));
            registers.set(register, value);
        }
        registers.set(self.facts.sp, Some(caller_sp));
        registers.set(self.facts.pc, Some(pc.0));
        Some(Step { registers, pc, trust })
    }

    /// Whether the stack pointer `above` can be that of the caller of a frame at `sp`.
    fn is_next(&self, sp: u64, above: u64, bias: i64) -> bool {
        let distance = above.checked_sub(sp);
        above.wrapping_add_signed(bias).is_multiple_of(u64::from(self.facts.word))
            && distance.is_some_and(|distance| (1..=LARGEST_FRAME).contains(&distance))
    }

    /// The return address of a frame record, and how far it is to be trusted: without the
    /// code to look at, any word pair may look like a frame record.
    pub(super) fn chained(&mut self, value: u64) -> Option<(Avma, Trust)> {
        let (pc, before) = self.return_to(value);
        let trust = match before {
            CallBefore::Direct(_) | CallBefore::Indirect => Trust::FramePointer,
            CallBefore::Unknown => Trust::Scan,
            // The kernel does not call a handler: it makes the handler return to its
            // trampoline.
            CallBefore::None | CallBefore::NotCode => {
                trampoline::at(pc, self.facts, self.memory)?;
                Trust::FramePointer
            }
        };
        Some((pc, trust))
    }

    /// Where a return address leads, and what is before it.
    fn return_to(&mut self, value: u64) -> (Avma, CallBefore) {
        let pc = code_address(value, self.facts, self.code_mask);
        let mode = value & self.facts.code_address.mode_bits;
        (pc, call_in_mode(pc, Some(mode), self.facts, self.memory))
    }

    /// A slot of the stack.
    pub(super) fn slot(&mut self, at: Avma) -> Option<u64> {
        self.memory.read_unsigned(at, usize::from(self.facts.word)).ok()
    }

    /// The memory `sp` points into; of a thread that overflowed its stack the lowest part
    /// of that, just above the guard it ran into.
    fn stack_from(&self, sp: u64) -> Option<AvmaRange> {
        let space = self.memory.space();
        if let Some(range) = space.range_at(Avma(sp)) {
            return Some(range);
        }
        let above = space.regions().partition_point(|region| region.range.start.0 < sp);
        let region = space.regions().get(above)?;
        let is_near = region.range.start.0.wrapping_sub(sp) <= LARGEST_OVERFLOW;
        (is_near && region.permissions.write).then_some(region.range)
    }

    /// The first word up the stack that can be a return address. Where the code is missing that
    /// would show it, the frame that the kernel made for a handler is better known: what it
    /// left there, and the address of the trampoline below.
    fn by_scan(&mut self, frame: &Activation) -> Option<Step> {
        let word = u64::from(self.facts.word);
        let sp = frame.registers.get(self.facts.sp)?;
        let range = self.stack_from(sp)?;
        let start = sp.max(range.start.0).checked_next_multiple_of(word)?;
        let end = start.saturating_add(word.saturating_mul(self.scan_words as u64));
        let mut guess: Option<Step> = None;
        let mut at = start;
        while at < end {
            let is_without_handler = self.without_handler.contains(&at);
            if guess.is_some() && is_without_handler {
                at = self.without_handler.end;
                continue;
            }
            if !take(self.words, 1) {
                break;
            }
            let Some(value) = self.slot(Avma(at)) else { break };
            let (pc, call) = self.return_to(value);
            let Some(above) = at.checked_add(word) else { break };
            if !is_without_handler && self.is_handler_frame(pc, Avma(above)) {
                let mut registers = Registers::default();
                registers.set(self.facts.sp, Some(above));
                registers.set(self.facts.pc, Some(pc.0));
                return Some(Step { registers, pc, trust: Trust::Scan });
            }
            let slot = std::mem::replace(&mut at, above);
            if guess.is_some() || matches!(call, CallBefore::None | CallBefore::NotCode) {
                continue;
            }
            let mut registers = Registers::default();
            registers.set(self.facts.sp, Some(above));
            registers.set(self.facts.pc, Some(pc.0));
            // The word below a return address is often the saved frame pointer; it is
            // taken only if it points further up this stack.
            let below = self.slot(Avma(slot.wrapping_sub(word)));
            let current = frame.registers.get(self.facts.fp);
            let plausible = |fp: &u64| *fp > slot && range.contains(Avma(*fp));
            let fp = below.filter(plausible).or(current.filter(plausible));
            registers.set(self.facts.fp, fp);
            let step = Step { registers, pc, trust: Trust::Scan };
            // Nothing can distinguish a return address from another pointer into missing code.
            let is_open = call == CallBefore::Unknown && self.facts.handler_frame.signs.is_some();
            guess = Some(step);
            if !is_open {
                break;
            }
        }
        let known = &mut self.without_handler;
        match known.start <= start && start <= known.end {
            true => known.end = known.end.max(at),
            false => **known = start..at,
        }
        guess
    }

    /// Whether the kernel made the frame for a handler that returns to `pc`: the context that
    /// it saved lies at `above`, and `pc` is the trampoline or in code that is missing.
    fn is_handler_frame(&mut self, pc: Avma, above: Avma) -> bool {
        let Some(signs) = self.facts.handler_frame.signs else { return false };
        signal_frame::is_context(above, &signs, self.memory)
            && self.is_executable(pc)
            && (trampoline::at(pc, self.facts, self.memory).is_some()
                || self.memory.read(pc, &mut [0]).is_err())
    }
}
