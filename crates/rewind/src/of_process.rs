//! A process as what a walk is made in.

use super::World;
use super::chain::{Chain, REGISTERS, State};
use super::function::Function;
use super::walk::Walk;
use obit_corefile::addr::Avma;
use obit_corefile::arch::{Machine, Register};
use obit_process::process::{Process, Thread};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// Bytes of a function that are decoded; larger ones are not followed.
const MOST_CODE: u64 = 64 << 10;
/// Bytes of a module that are searched for jumps into a function.
const MOST_SEARCHED: u64 = 64 << 20;

/// Why nothing is read backwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotRewound {
    /// Another machine than x86-64.
    Machine,
    /// A handler of a signal ran after the instruction that failed: what it left is not what was.
    HandlerRan,
    /// The thread has no frame.
    NoFrame,
    /// The function that ended is not known, or its code is not decoded throughout.
    Function,
}

/// A process and the thread that is read backwards.
#[derive(Debug)]
pub struct OfProcess<'p> {
    process: &'p Process,
    thread: &'p Thread,
    functions: RefCell<HashMap<u64, Option<Rc<Function>>>>,
}

impl<'p> OfProcess<'p> {
    /// One thread of a process.
    pub fn new(process: &'p Process, thread: &'p Thread) -> Self {
        Self { process, thread, functions: RefCell::default() }
    }

    /// Where a function begins, and its bytes.
    fn extent(&self, at: u64) -> Option<(u64, u64)> {
        let modules = &self.process.modules;
        let index = modules.index_at(Avma(at))?;
        let module = modules.get(index)?;
        let symbol = modules.debug(index)?.symbol_at(module.to_svma(Avma(at)))?;
        let is_inside = symbol.offset < symbol.size && symbol.size <= MOST_CODE;
        is_inside.then(|| (module.to_avma(symbol.address).0, symbol.size))
    }

    fn decoded(&self, start: u64, size: u64) -> Option<Rc<Function>> {
        let mut code = vec![0; usize::try_from(size).ok()?];
        self.process.memory.read(Avma(start), &mut code).ok()?;
        let targets = self.jumps_into(start, size)?;
        let is_target = |at| targets.binary_search(&at).is_ok();
        Function::new(start, &code, is_target).map(Rc::new)
    }

    /// What bytes around the function may be jumps to, wherever an instruction begins.
    fn jumps_into(&self, start: u64, size: u64) -> Option<Vec<u64>> {
        let region = self.process.memory.region_at(Avma(start))?;
        let (from, length) = (region.range.start.0, region.range.len());
        if length > MOST_SEARCHED {
            return None;
        }
        let bytes =
            self.process.memory.read_up_to(region.range.start, usize::try_from(length).ok()?);
        let end = start.checked_add(size)?;
        let mut targets = Vec::new();
        for (at, window) in (from..).zip(bytes.windows(5)) {
            if (start..end).contains(&at) {
                continue;
            }
            let (length, distance) = match *window {
                [0xe9, a, b, c, d] => (5, i64::from(i32::from_le_bytes([a, b, c, d]))),
                // The second byte of a conditional jump; the first was 0x0f.
                [0x80..=0x8f, a, b, c, d] => (5, i64::from(i32::from_le_bytes([a, b, c, d]))),
                [0xeb | 0x70..=0x7f | 0xe0..=0xe3, a, ..] => (2, i64::from(i8::from_le_bytes([a]))),
                _ => continue,
            };
            let target = at.wrapping_add(length).wrapping_add_signed(distance);
            if target > start && target < end {
                targets.push(target);
            }
        }
        targets.sort_unstable();
        Some(targets)
    }
}

impl World for OfProcess<'_> {
    fn function(&self, at: u64) -> Option<Rc<Function>> {
        let (start, size) = self.extent(at)?;
        if let Some(known) = self.functions.borrow().get(&start) {
            return known.clone();
        }
        let decoded = self.decoded(start, size);
        self.functions.borrow_mut().insert(start, decoded.clone());
        decoded
    }

    fn memory(&self, at: u64, size: u64) -> Option<u64> {
        // Another thread may have written what is not this thread's stack.
        let is_alone = self.process.threads.len() == 1;
        let is_own = || {
            let sp = self.thread.registers.get(Register(7));
            let stack = sp.and_then(|sp| self.process.memory.region_at(Avma(sp)));
            stack.is_some_and(|stack| stack.range.contains(Avma(at)))
        };
        if !(is_alone || is_own() || self.is_constant(at, size)) {
            return None;
        }
        let mut bytes = [0; 8];
        let bytes = bytes.get_mut(..usize::try_from(size).ok()?)?;
        self.process.memory.read(Avma(at), bytes).ok()?;
        Some(self.process.memory.unsigned(bytes))
    }

    fn is_constant(&self, at: u64, size: u64) -> bool {
        let Some(last) = at.checked_add(size.saturating_sub(1)) else { return false };
        let region = self.process.memory.region_at(Avma(at));
        region.is_some_and(|it| !it.permissions.write && it.range.contains(Avma(last)))
    }

    fn segment(&self, register: Register) -> Option<u64> {
        self.thread.registers.get(register)
    }
}

/// The walk that ends where the thread ended.
pub fn rewind<'w>(world: &'w OfProcess<'_>) -> Result<Walk<'w>, NotRewound> {
    if world.process.dump.machine != Machine::X86_64 {
        return Err(NotRewound::Machine);
    }
    let frames = &world.thread.stack.frames;
    if frames.iter().any(|frame| frame.is_signal) {
        return Err(NotRewound::HandlerRan);
    }
    let pc = frames.first().ok_or(NotRewound::NoFrame)?.pc.0;
    let function = world.function(pc).ok_or(NotRewound::Function)?;
    let index = function.index_of(pc).ok_or(NotRewound::Function)?;
    let mut state: State = [None; REGISTERS];
    for (number, value) in (0..).zip(state.iter_mut()) {
        *value = world.thread.registers.get(Register(number));
    }
    Ok(Walk::new(world, function, index, Chain::new(state)))
}
