//! One frame in the chain of calls, as a DWARF expression asks it: its registers, its
//! memory, and through the call site of its caller what it was passed.

use std::cell::Cell;
use std::sync::Arc;

use super::frame_view::{FrameView, Level};
use super::{Frame, Process, signal_vectors};
use crate::module::thread_local_block;
use crate::unwind::{Activation, CallBefore, Left, Trust, call_before};
use obit_corefile::addr::{Avma, Svma};
use obit_corefile::arch::{Register, Registers};
use obit_corefile::memory::ReadError;
use obit_dwarf::{
    CallTarget, EntryValue, Expression, Location, NoPlace, Passed, Scopes, Surroundings,
};

/// Callers that are asked in turn: each may have been passed what it passes on.
const MOST_CALLERS: usize = 64;

impl<'p> FrameView<'p> {
    fn activation(&self, index: usize) -> Option<&'p Activation> {
        self.stack.frames.get(index)
    }

    /// The tail calls between activation `index` and its caller, the innermost first.
    fn tail_calls(&self, index: usize) -> &'p [Frame] {
        let frames = self.frames;
        let end = frames.partition_point(|frame| frame.activation <= index);
        let physical = end.checked_sub(1).and_then(|at| frames.get(at));
        let physical = physical.filter(|frame| frame.activation == index);
        physical.map_or(&[], |frame| &frame.tail_calls)
    }

    fn tail_call(&self, level: Level) -> Option<&'p Frame> {
        let nth = level.tail_calls.checked_sub(1)?;
        self.tail_calls(level.activation).get(nth)
    }

    fn caller_of(&self, level: Level) -> Level {
        if level.tail_calls < self.tail_calls(level.activation).len() {
            return Level { tail_calls: level.tail_calls + 1, ..level };
        }
        Level { activation: level.activation + 1, tail_calls: 0 }
    }

    /// The registers of a frame; of a tail call those of its caller: that is what it had
    /// when it had taken down its frame.
    fn registers(&self, level: Level) -> Option<&'p Registers> {
        let index = match level.tail_calls {
            0 => level.activation,
            _ => level.activation + 1,
        };
        let activation = self.activation(index)?;
        activation.is_confirmed().then_some(&activation.registers)
    }

    /// Where execution goes on in a frame, and the address to look it up by.
    fn place(&self, level: Level) -> Option<(Avma, Avma)> {
        if level.tail_calls == 0 {
            if let Some(at) = self.instruction.filter(|_| level == Level::of(self.frame)) {
                return Some((at, at));
            }
            let activation = self.activation(level.activation)?;
            return Some((activation.pc, activation.lookup_pc()));
        }
        let pc = self.tail_call(level)?.pc;
        Some((pc, Left::Called.lookup_pc(pc)))
    }

    /// The address to look the frame up by in line tables and scopes.
    pub fn lookup_pc(&self) -> Avma {
        let place = self.place(Level::of(self.frame));
        place.map_or(self.frame.pc, |(_, lookup)| lookup)
    }

    /// The variables in scope in a frame.
    pub(super) fn scopes_of(&self, level: Level) -> Arc<Scopes> {
        let found = self.place(level).and_then(|(_, lookup)| {
            let index = self.process.modules.index_at(lookup)?;
            let module = self.process.modules.get(index)?;
            Some(self.process.modules.debug(index)?.scopes_at(module.to_svma(lookup)))
        });
        found.unwrap_or_default()
    }

    /// A register's content in memory order. Vector registers are known for the innermost
    /// frame and of one that a signal interrupted: no ABI here has callees keep them.
    pub(super) fn register_bytes(&self, level: Level, register: Register) -> Option<Vec<u8>> {
        let memory = &self.process.memory;
        if let Some(value) = self.registers(level)?.get(register) {
            let mut bytes = value.to_le_bytes().to_vec();
            let facts = self.process.dump.machine.facts();
            bytes.truncate(facts.map_or(memory.word(), |facts| usize::from(facts.word)));
            if !memory.is_little_endian() {
                bytes.reverse();
            }
            return Some(bytes);
        }
        if level.tail_calls > 0 {
            return None;
        }
        if let Some(inner) = level.activation.checked_sub(1) {
            let kernel = self.activation(inner).filter(|inner| inner.is_signal)?;
            let machine = self.process.dump.machine;
            let sp = kernel.registers.get(machine.facts()?.sp)?;
            return signal_vectors::register(machine, memory, Avma(sp), register);
        }
        self.dumped?.vectors.register(register)
    }

    /// What a register that no callee of this frame touches still holds: its content in
    /// the innermost frame that was called from here. This does not hold for callee-saved
    /// registers: they may have been saved and used.
    fn untouched(&self, level: Level, register: Register) -> Option<Vec<u8>> {
        let machine = self.process.dump.machine;
        let facts = machine.facts().filter(|facts| !facts.is_callee_saved(register))?;
        if facts.keeps_floats && facts.register_name(register).is_none() {
            return None;
        }
        for index in (0..level.activation).rev() {
            let inner = self.activation(index).filter(|inner| !inner.is_signal)?;
            let inside = Level { activation: index, tail_calls: 0 };
            let found = self.register_bytes(inside, register);
            if found.is_some() || inner.left == Left::Interrupted {
                return found;
            }
        }
        None
    }
}

/// A frame, and the module whose expression asks.
pub(super) struct At<'v, 'p> {
    view: &'v FrameView<'p>,
    level: Level,
    module: usize,
    object: Option<Avma>,
    scopes: Arc<Scopes>,
    /// Callers asked so far.
    asked: usize,
    /// Callees leave the registers alone that are asked for.
    survives: Cell<bool>,
}

impl<'v, 'p> At<'v, 'p> {
    pub(super) fn new(
        view: &'v FrameView<'p>,
        level: Level,
        module: usize,
        object: Option<Avma>,
    ) -> Self {
        let scopes = view.scopes_of(level);
        Self { view, level, module, object, scopes, asked: 0, survives: Cell::new(false) }
    }

    pub(super) fn module(&self) -> usize {
        self.module
    }

    /// What the caller passed, as `read` picks it from the call site, computed in the
    /// caller's frame. gdb's `dwarf_expr_reg_to_entry_parameter`: a value is used
    /// only if the call certainly entered this very function.
    fn passed(
        &self,
        wanted: EntryValue,
        read: impl Fn(&Passed) -> Option<Expression>,
    ) -> Result<u64, NoPlace> {
        let unknown = |why| NoPlace::NoEntryValue(why);
        if self.asked >= MOST_CALLERS {
            return Err(unknown("too many callers pass it on"));
        }
        let process = self.view.process;
        let level = self.view.caller_of(self.level);
        let callee = process.modules.get(self.module).zip(self.scopes.entry);
        let callee = callee.map(|(module, entry)| (module.to_avma(entry), entry));
        let (entered, entry) = callee.ok_or(unknown("the function's start is not known"))?;
        if level.tail_calls == 0 {
            let caller = self.view.activation(level.activation);
            let caller = caller.ok_or(unknown("there is no caller"))?;
            let called = caller.left == Left::Called && caller.trust <= Trust::CallSite;
            if !called || caller.is_signal {
                return Err(unknown("the caller is not certain"));
            }
        }
        let (pc, lookup) = self.view.place(level).ok_or(unknown("there is no caller"))?;
        let index = process.modules.index_at(lookup);
        let index = index.ok_or(unknown("the caller is in no module"))?;
        let debug = process.modules.debug(index);
        let (module, debug) = process
            .modules
            .get(index)
            .zip(debug)
            .ok_or(unknown("the caller has no debug information"))?;
        let call = debug.call_returning_to(module.to_svma(pc));
        let call = call.ok_or(unknown("the caller does not describe the call"))?;
        let mut caller = At::new(self.view, level, index, None);
        caller.asked = self.asked + 1;
        // The arguments are described in terms of what holds after the call (§ 3.4.2).
        caller.survives.set(true);
        let target = match &call.target {
            CallTarget::Function(at) => Some(module.to_avma(*at)),
            CallTarget::Named(name) => self.function_named(name, index),
            CallTarget::Computed(expression) => {
                debug.compute(expression, None, &caller).ok().map(Avma)
            }
            CallTarget::Unknown => None,
        };
        // A call of a constructor names the abstract one; the code says which was entered.
        let is_called = || level.tail_calls == 0 && calls_directly(process, pc, entered);
        if target != Some(entered) && !is_called() {
            return Err(unknown("the call may have gone to another function"));
        }
        let callee_debug = process.modules.debug(self.module);
        if callee_debug.is_none_or(|debug| debug.may_run_anew(entry)) {
            return Err(unknown("the function may have called itself by a jump"));
        }
        let found = call.parameters.iter().find(|passed| match wanted {
            EntryValue::Parameter(id) => passed.parameter == Some(id),
            EntryValue::Pointee { register, .. } => {
                passed.place == Some(EntryValue::Register(register))
            }
            other => passed.place == Some(other),
        });
        let expression = found.and_then(read);
        let expression = expression.ok_or(unknown("the caller does not record it"))?;
        debug
            .compute(&expression, None, &caller)
            .map_err(|_| unknown("the caller no longer has it"))
    }

    /// A function by its linkage name: in the caller's module, else wherever it is.
    fn function_named(&self, name: &str, caller: usize) -> Option<Avma> {
        let modules = &self.view.process.modules;
        let within = |index: usize| {
            let at = modules.debug(index)?.function_named(name)?;
            Some(modules.get(index)?.to_avma(at))
        };
        // The callee's own module first: what is defined there is what runs.
        within(self.module).or_else(|| within(caller))
    }
}

/// Whether the instruction that returns to `pc` is a direct call of `entered`.
fn calls_directly(process: &Process, pc: Avma, entered: Avma) -> bool {
    let facts = process.dump.machine.facts();
    facts.is_some_and(|facts| {
        let before = call_before(pc, facts, &mut process.memory.cursor());
        before == CallBefore::Direct(entered)
    })
}

impl Surroundings for At<'_, '_> {
    fn register(&self, register: Register) -> Option<u64> {
        if let Some(value) = self.view.registers(self.level)?.get(register) {
            return Some(value);
        }
        let bytes = self.register_bytes(register)?;
        Some(self.view.process.memory.unsigned(bytes.get(..bytes.len().min(8))?))
    }

    fn register_name(&self, register: Register) -> String {
        self.view.process.dump.machine.register_name(register)
    }

    fn register_bytes(&self, register: Register) -> Option<Vec<u8>> {
        let own = self.view.register_bytes(self.level, register);
        own.or_else(|| self.view.untouched(self.level, register).filter(|_| self.survives.get()))
    }

    fn survives_call(&self, survives: bool) {
        self.survives.set(survives);
    }

    fn pc(&self) -> Option<Svma> {
        let (pc, _) = self.view.place(self.level)?;
        Some(self.view.process.modules.get(self.module)?.to_svma(pc))
    }

    fn read(&self, at: Avma, buf: &mut [u8]) -> Result<(), ReadError> {
        self.view.process.memory.read(at, buf)
    }

    fn to_avma(&self, at: Svma) -> Avma {
        let module = self.view.process.modules.get(self.module);
        module.map_or(Avma(at.0), |module| module.to_avma(at))
    }

    fn cfa(&self) -> Option<Avma> {
        match self.level.tail_calls {
            0 => self.view.activation(self.level.activation)?.cfa,
            _ => None,
        }
    }

    fn frame_base(&self) -> Option<&Location> {
        self.scopes.frame_base.as_ref()
    }

    fn thread_local(&self, offset: u64) -> Result<Avma, NoPlace> {
        let process = self.view.process;
        let dumped = self.view.dumped.ok_or(NoPlace::Tls("no thread runs on this stack"))?;
        let pointer = dumped
            .thread_pointer
            .ok_or(NoPlace::Tls("the core does not hold the thread pointer"))?;
        let (modules, memory) = (&process.modules, &process.memory);
        let machine = process.dump.machine;
        let block = thread_local_block(modules, memory, machine, pointer.0, self.module);
        let block = block.map_err(NoPlace::Tls)?;
        Ok(Avma(block.0.wrapping_add(offset)))
    }

    fn entry_value(&self, wanted: EntryValue) -> Result<u64, NoPlace> {
        match wanted {
            EntryValue::Pointee { size, .. } => {
                let value = self.passed(wanted, |passed| passed.pointee.clone())?;
                let bits = u32::from(size).saturating_mul(8);
                Ok(if bits < 64 { value & ((1 << bits) - 1) } else { value })
            }
            _ => self.passed(wanted, |passed| passed.value.clone()),
        }
    }

    fn object(&self) -> Option<Avma> {
        self.object
    }

    fn sees_views(&self) -> bool {
        self.view.instruction.is_some()
    }

    fn lookup_pc(&self) -> Option<Svma> {
        let (_, lookup) = self.view.place(self.level)?;
        Some(self.view.process.modules.get(self.module)?.to_svma(lookup))
    }
}
