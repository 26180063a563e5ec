//! Walks stacks, frame by frame, to the outermost one.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

use super::budget::{Budget, FEWEST_FRAMES};
use super::by_code::Followed;
use super::cfi::{CfiTable, RowContext};
use super::exidx;
use super::repetition::leap;
use super::return_address::{CallBefore, call_before};
use super::row::{Context, Convention, Row, interrupted_at};
use super::without_cfi::Search;
use super::{Activation, Left, Skipped, Stack, Trust, go, goroutine, signal_frame, trampoline};
use crate::module::Modules;
use obit_corefile::addr::Avma;
use obit_corefile::arch::{Facts, Machine, Registers, SigreturnCode, ThreadPointer};
use obit_corefile::limits::Limits;
use obit_corefile::memory::{AddressSpace, Cursor};
use obit_corefile::notice::UnwindStop;

/// Rows that are kept.
const CACHED_ROWS: usize = 1 << 16;
/// Times a stack may go on at a lower address (split stacks, coroutines, a handler's own
/// stack) before it is taken for a loop.
const STACK_SWITCHES: usize = 32;

/// Frames outside of a recursion that is too deep to unwind.
const BEYOND: usize = 1 << 12;

/// Unwinds the threads of one process. Keeps tables and rows between them: one per
/// worker.
pub struct Unwinder<'m> {
    machine: Machine,
    facts: Option<&'static Facts>,
    memory: Cursor<'m>,
    modules: &'m Modules,
    limits: &'m Limits,
    tables: Vec<OnceCell<Option<CfiTable<'m>>>>,
    /// By lookup pc, and how it was left: a trampoline is known by the code at the pc itself.
    rows: HashMap<(Avma, Left), Way<'m>>,
    followed: Followed,
    /// See [`Search::without_handler`].
    without_handler: Range<u64>,
    context: RowContext,
    code_mask: u64,
    /// Of the thread that is unwound, where a register holds it.
    thread_pointer: Option<u64>,
    budget: Budget,
}

/// How to leave a frame whose lookup pc is known.
#[derive(Clone)]
enum Way<'m> {
    Row(Rc<Row<'m>>),
    Sigreturn(&'static SigreturnCode),
    NoTable,
}

/// The frame above, or the end. Lives for one step and is never stored: boxing the large
/// variant would cost an allocation for each frame.
#[allow(clippy::large_enum_variant)]
enum Next {
    Frame(Activation),
    Outermost,
    Stopped(UnwindStop),
}

impl<'m> Unwinder<'m> {
    /// An unwinder for the threads of a process with these modules and memory.
    pub fn new(
        machine: Machine,
        memory: &'m AddressSpace,
        modules: &'m Modules,
        limits: &'m Limits,
    ) -> Self {
        Self {
            machine,
            facts: machine.facts(),
            memory: memory.cursor(),
            modules,
            limits,
            tables: modules.list().iter().map(|_| OnceCell::new()).collect(),
            rows: HashMap::new(),
            followed: Followed::new(),
            without_handler: 0..0,
            context: RowContext::new(),
            code_mask: 0,
            thread_pointer: None,
            budget: Budget::new(),
        }
    }

    /// The stack of a thread with these registers. `code_mask` are the bits of
    /// its code addresses that hold an authentication code, as the core has it.
    pub fn unwind(&mut self, registers: &Registers, code_mask: Option<u64>) -> Stack {
        self.unwind_left(registers, Left::Interrupted, code_mask)
    }

    /// The stack of what will go on with these registers, and how it was left.
    pub fn unwind_left(
        &mut self,
        registers: &Registers,
        left: Left,
        code_mask: Option<u64>,
    ) -> Stack {
        self.code_mask = code_mask.unwrap_or(0);
        self.thread_pointer = match self.facts.map(|facts| facts.thread_pointer) {
            Some(ThreadPointer::Register(register)) => registers.get(register),
            _ => None,
        };
        let most = self.limits.frames.min(self.budget.frames.max(FEWEST_FRAMES));
        let stack = self.walk(registers, left, most);
        self.budget.frames = self.budget.frames.saturating_sub(stack.frames.len());
        stack
    }

    fn walk(&mut self, registers: &Registers, left: Left, most: usize) -> Stack {
        let Some(facts) = self.facts else {
            let stopped = Some(UnwindStop::UnknownMachine);
            return Stack { stopped, ..Stack::default() };
        };
        let Some(pc) = registers.get(facts.pc) else {
            let stopped = Some(UnwindStop::NoPc);
            return Stack { stopped, ..Stack::default() };
        };
        let mut frame = Activation {
            pc: interrupted_at(pc, facts),
            cfa: None,
            registers: registers.clone(),
            trust: Trust::Context,
            left,
            is_signal: false,
        };
        let mut frames = Vec::new();
        let mut switches = 0_usize;
        let mut skipped: Option<Skipped> = None;
        let mut most = most;
        loop {
            let next = self.step(&mut frame, facts);
            let sp = frame.registers.get(facts.sp);
            let pc = frame.pc;
            frames.push(frame);
            frame = match next {
                Next::Frame(next) => next,
                Next::Outermost => return Stack { frames, skipped, stopped: None },
                Next::Stopped(why) => return Stack { frames, skipped, stopped: Some(why) },
            };
            if frames.len() >= most {
                let (memory, words) = (&mut self.memory, &mut self.budget.words);
                let leap = || leap(&frames, facts, self.code_mask, memory, words);
                let Some(found) = skipped.is_none().then(leap).flatten() else {
                    let stopped = Some(UnwindStop::FrameLimit(most));
                    return Stack { frames, skipped, stopped };
                };
                skipped = Some(Skipped { after: frames.len(), count: found.skipped });
                most = most.saturating_add(BEYOND);
                frame = found.to;
                continue;
            }
            let next_sp = frame.registers.get(facts.sp);
            if next_sp == sp && frame.pc == pc {
                return Stack { frames, skipped, stopped: Some(UnwindStop::SameFrame) };
            }
            if next_sp < sp {
                switches = switches.saturating_add(1);
                if switches > STACK_SWITCHES {
                    return Stack { frames, skipped, stopped: Some(UnwindStop::GoesDown) };
                }
            }
        }
    }

    /// Completes `frame` (its CFA, whether the kernel made it) and finds its caller.
    fn step(&mut self, frame: &mut Activation, facts: &'static Facts) -> Next {
        let way = match self.way_out(frame, facts) {
            Way::NoTable => self.unseen_trampoline(frame, facts).unwrap_or(Way::NoTable),
            way => way,
        };
        let leaf = frame.left == Left::Interrupted;
        let why = match way {
            Way::Sigreturn(code) => {
                frame.is_signal = true;
                match self.interrupted(frame, code, facts) {
                    Some(next) => return Next::Frame(next),
                    None => UnwindStop::ContextMissing,
                }
            }
            Way::Row(row) => {
                frame.is_signal = row.is_signal;
                let steps = self.limits.expression_steps;
                let code_mask = self.code_mask;
                let operations = &mut self.budget.operations;
                let memory = &mut self.memory;
                let mut context = Context { facts, memory, steps, operations, code_mask };
                match row.apply(&frame.registers, leaf, &mut context) {
                    Ok(caller)
                        if frame.trust == Trust::Scan
                            && !self.is_confirmed(caller.pc, &row, facts) =>
                    {
                        // The frame pointer was a guess as well.
                        frame.registers.set(facts.fp, None);
                        UnwindStop::NoTable
                    }
                    Ok(caller) => {
                        frame.cfa = Some(caller.cfa);
                        if let Some(next) = self.goroutine(frame, Some(&row), facts) {
                            return Next::Frame(next);
                        }
                        let is_go = row.convention == Convention::Go;
                        if self.begins_goroutine(frame, &row)
                            || is_go && self.left_goroutine(frame, facts)
                        {
                            return Next::Outermost;
                        }
                        let Some(pc) = caller.pc else { return Next::Outermost };
                        let is_interrupted = row.is_signal || self.is_injected(frame, &row);
                        let left = if is_interrupted { Left::Interrupted } else { Left::Called };
                        if pc.0 == 0 && left == Left::Called {
                            return Next::Outermost;
                        }
                        return Next::Frame(Activation {
                            pc,
                            cfa: None,
                            registers: caller.registers,
                            trust: frame.trust.max(Trust::CallFrameInfo).after(),
                            left,
                            is_signal: false,
                        });
                    }
                    Err(problem) => UnwindStop::Row(problem),
                }
            }
            // Go's own table has no size for the frame that switches stacks.
            Way::NoTable => match self.goroutine(frame, None, facts) {
                Some(next) => return Next::Frame(next),
                None if self.left_goroutine(frame, facts) => return Next::Outermost,
                None if self.budget.table_bytes == 0 => UnwindStop::TablesTooCostly,
                None => UnwindStop::NoTable,
            },
        };
        let (modules, machine, at) = (self.modules, self.machine, frame.lookup_pc());
        let function = move || {
            let index = modules.index_at(at)?;
            let module = modules.get(index)?;
            let symbol = modules.debug(index)?.symbol_at(module.to_svma(at))?;
            Some((module.to_avma(symbol.address), symbol.size))
        };
        let mut search = Search {
            facts,
            memory: &mut self.memory,
            scan_words: self.limits.scan_words,
            code_mask: self.code_mask,
            words: &mut self.budget.words,
            followed: &mut self.followed,
            without_handler: &mut self.without_handler,
            function: &function,
            decoder_at: &|at| modules.decoder_at(machine, at),
        };
        match search.caller(frame) {
            Some(step) => Next::Frame(Activation {
                pc: step.pc,
                cfa: None,
                registers: step.registers,
                trust: frame.trust.after().max(step.trust),
                left: Left::Called,
                is_signal: false,
            }),
            None => Next::Stopped(why),
        }
    }

    /// Whether a frame is that of Go's `sigpanic`: the signal handler makes it look as if the
    /// interrupted instruction had called it, with the instruction's own address to return to.
    fn is_injected(&self, frame: &Activation, row: &Row<'_>) -> bool {
        row.convention == Convention::Go
            && self.symbol(frame).is_some_and(|name| name == "runtime.sigpanic")
    }

    /// Whether a frame is the one that every goroutine or every thread of Go's begins with: nothing
    /// called it, and its row does not say so.
    fn begins_goroutine(&self, frame: &Activation, row: &Row<'_>) -> bool {
        let is_first = |name: String| match name.trim_end_matches(".abi0") {
            "runtime.goexit" => true,
            // The thread that makes another is within it, too, but has called nothing from it.
            "runtime.clone" => frame.left == Left::Called,
            _ => false,
        };
        row.convention == Convention::Go && self.symbol(frame).is_some_and(is_first)
    }

    /// Whether a frame is the one that switched from a goroutine which the thread has let go since:
    /// below it on the stack of the thread is nothing.
    fn left_goroutine(&mut self, frame: &Activation, facts: &'static Facts) -> bool {
        let is_called = frame.left == Left::Called && frame.trust < Trust::Scan;
        let sp = frame.registers.get(facts.sp).filter(|_| self.machine == Machine::X86_64);
        let (Some(sp), Some(thread_pointer), true) = (sp, self.thread_pointer, is_called) else {
            return false;
        };
        let is_switch = self.symbol(frame).is_some_and(|name| goroutine::is_for_good(&name));
        let memory = &mut self.memory;
        let mut word = |at: u64| memory.read_unsigned(Avma(at), usize::from(facts.word)).ok();
        is_switch && goroutine::is_on_own_stack(&mut word, thread_pointer, sp)
    }

    fn symbol(&self, frame: &Activation) -> Option<String> {
        let index = self.modules.index_at(frame.lookup_pc())?;
        let at = self.modules.get(index)?.to_svma(frame.lookup_pc());
        Some(self.modules.debug(index)?.symbol_at(at)?.name)
    }

    /// The frame of the goroutine for which Go's runtime works on the thread's own stack, where
    /// `frame` is the one that switched to it.
    fn goroutine(
        &mut self,
        frame: &Activation,
        row: Option<&Row<'_>>,
        facts: &'static Facts,
    ) -> Option<Activation> {
        let is_called = frame.left == Left::Called && frame.trust < Trust::Scan;
        let is_go = row.is_none_or(|row| row.convention == Convention::Go);
        if !is_go || self.machine != Machine::X86_64 || !is_called {
            return None;
        }
        let left = goroutine::switch(&self.symbol(frame)?)?;
        let sp = frame.registers.get(facts.sp)?;
        let memory = &mut self.memory;
        let mut word = |at: u64| memory.read_unsigned(Avma(at), usize::from(facts.word)).ok();
        let saved = goroutine::saved(&mut word, self.thread_pointer?, sp)?;
        self.modules.index_at(saved.pc)?;
        let mut registers = Registers::default();
        for base in facts.segment_bases {
            registers.set(*base, frame.registers.get(*base));
        }
        registers.set(facts.sp, Some(saved.sp));
        registers.set(facts.pc, Some(saved.pc.0));
        let trust = frame.trust.max(Trust::CallFrameInfo).after();
        Some(Activation { pc: saved.pc, cfa: None, registers, trust, left, is_signal: false })
    }

    /// Whether a frame that a scan found is real, as far as its caller shows: the row of its
    /// code leads from its guessed registers to just past a call. What the kernel interrupted
    /// was not called.
    fn is_confirmed(&mut self, caller: Option<Avma>, row: &Row<'_>, facts: &'static Facts) -> bool {
        match caller {
            // The table says so; a return address of 0 may be any word of the stack.
            None => true,
            Some(_) if row.is_signal => true,
            Some(pc) => matches!(
                call_before(pc, facts, &mut self.memory),
                CallBefore::Direct(_) | CallBefore::Indirect
            ),
        }
    }

    /// The frame that a signal interrupted, from the context the kernel saved.
    fn interrupted(
        &mut self,
        frame: &Activation,
        code: &SigreturnCode,
        facts: &'static Facts,
    ) -> Option<Activation> {
        let sp = frame.registers.get(facts.sp)?;
        let context = sp.checked_add(code.context_offset)?;
        let mut registers = Registers::default();
        for row in code.registers {
            for (offset, register) in row.places() {
                let at = Avma(context.checked_add(offset)?);
                let value = self.memory.read_unsigned(at, usize::from(row.step)).ok();
                registers.set(register, value.map(|value| facts.wrap_register(value)));
            }
        }
        for base in facts.segment_bases {
            registers.set(*base, frame.registers.get(*base));
        }
        let pc = interrupted_at(registers.get(facts.pc)?, facts);
        Some(Activation {
            pc,
            cfa: None,
            registers,
            trust: frame.trust.max(Trust::CallFrameInfo).after(),
            left: Left::Interrupted,
            is_signal: false,
        })
    }

    fn way_out(&mut self, frame: &Activation, facts: &'static Facts) -> Way<'m> {
        let at = frame.lookup_pc();
        let key = (at, frame.left);
        if let Some(way) = self.rows.get(&key) {
            return way.clone();
        }
        let row = self.row_at(at, facts);
        // The bytes decide where the table is silent or does not know the kernel's
        // frame: musl, static programs, Go's runtime, the vDSO of some machines.
        let way = match row {
            Some(row) if row.is_signal && !facts.tables.code_knows_signal_frames => {
                Way::Row(Rc::new(row))
            }
            row => match trampoline::at(frame.pc, facts, &mut self.memory) {
                Some(code) => Way::Sigreturn(code),
                None => row.map_or(Way::NoTable, |row| Way::Row(Rc::new(row))),
            },
        };
        if self.rows.len() >= CACHED_ROWS {
            self.rows.clear();
        }
        self.rows.insert(key, way.clone());
        way
    }

    fn row_at(&mut self, at: Avma, facts: &'static Facts) -> Option<Row<'m>> {
        let index = self.modules.index_at(at)?;
        let module = self.modules.get(index)?;
        let image = module.image.as_deref()?;
        let table = self.tables.get(index)?;
        let table = table.get_or_init(|| Some(CfiTable::new(image, facts)));
        let modules = self.modules;
        let debug_frame = move || modules.debug(index)?.debug_frame();
        let svma = module.to_svma(at);
        let budget = &mut self.budget.table_bytes;
        let row = table.as_ref()?.row(svma, debug_frame, &mut self.context, budget);
        let has_index = facts.tables.has_exception_index;
        row.or_else(|| exidx::row(image, svma).filter(|_| has_index))
            .or_else(|| go::row(self.modules.debug(index)?.go_frame_at(svma)?, facts))
    }

    /// The trampoline of a library whose file is missing, so that its code cannot be read:
    /// known by what the kernel left on the stack behind its address.
    fn unseen_trampoline(&mut self, frame: &Activation, facts: &'static Facts) -> Option<Way<'m>> {
        let signs = facts.handler_frame.signs.filter(|_| frame.left == Left::Called)?;
        if self.memory.read(frame.pc, &mut [0]).is_ok() {
            return None;
        }
        let sp = frame.registers.get(facts.sp)?;
        signal_frame::is_context(Avma(sp), &signs, &mut self.memory).then_some(())?;
        facts.sigreturn.first().map(Way::Sigreturn)
    }
}

impl Trust {
    /// The highest trust of a frame found from one of this trust: what follows a guess is a
    /// guess, what follows a proved step does not depend on how that was proved.
    fn after(self) -> Self {
        if self == Self::Scan { Self::Scan } else { Self::CallFrameInfo }
    }
}
