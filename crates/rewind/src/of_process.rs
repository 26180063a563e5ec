//! A process as what a walk is made in.

use super::World;
use super::bits::Bits;
use super::chain::{FLAGS, REGISTERS, State};
use super::function::{Function, SP};
use super::walk::{Walk, Work};
use obit_corefile::addr::Avma;
use obit_corefile::arch::{Decoder, Machine, Register};
use obit_disassembly::{Condition, Next, steps};
use obit_process::process::{Process, Thread};
use obit_process::unwind::{Activation, Left, Trust};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// Bytes of a function that are decoded; larger ones are not followed.
const MOST_CODE: u64 = 64 << 10;
/// Bytes of a module that are searched for jumps into a function.
const MOST_SEARCHED: u64 = 64 << 20;
/// Bytes that a short jump leads over.
const SHORT: u64 = 130;
/// How far before an address the function is searched whose padding it may be.
const BACK: [u64; 3] = [1, 8, 16];
/// Bytes of the longest instruction.
const LONGEST: u64 = 15;

/// Functions that return more than once, or on another stack.
const TWICE: [&str; 4] = ["setjmp", "vfork", "context", "longjmp"];
/// Libraries that unwind stacks; a program that is linked statically may have one in it.
const UNWINDERS: [&str; 4] = ["libgcc_s", "libstdc++", "libc++", "libunwind"];
const C_LIBRARIES: [&str; 2] = ["/libc.so", "/libc-"];

fn is_without_unwinder(process: &Process) -> bool {
    let has = |names: &[&str]| {
        let mut modules = process.modules.list().iter();
        modules.any(|module| {
            let path = module.path.to_string_lossy();
            names.iter().any(|name| path.contains(name))
        })
    };
    has(&C_LIBRARIES) && !has(&UNWINDERS)
}

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

/// Targets of jumps, and where the jumps end, sorted.
type Jumps = Rc<[(u64, u64)]>;

/// A process and the thread that is read backwards.
#[derive(Debug)]
pub struct OfProcess<'p> {
    pub(super) process: &'p Process,
    thread: &'p Thread,
    functions: RefCell<HashMap<u64, Option<Rc<Function>>>>,
    /// By addresses in them.
    extents: RefCell<HashMap<u64, Option<Rc<Function>>>>,
    jumps: RefCell<HashMap<u64, Option<Jumps>>>,
    words: RefCell<HashMap<(u64, u64), Option<u64>>>,
    /// Whether nothing in the process unwinds stacks.
    is_without_unwinder: bool,
    /// The stack of the thread.
    stack: Option<(u64, u64)>,
    /// The frame before whose call it begins; `None` where the thread itself ended.
    frame: Option<&'p Activation>,
}

impl<'p> OfProcess<'p> {
    /// One thread of a process.
    pub fn new(process: &'p Process, thread: &'p Thread) -> Self {
        Self::of(process, thread, thread.registers.get(SP), None)
    }

    /// The thread before what its frame of this number (of [`Thread::stack`]) called, or before the
    /// instruction at which that was interrupted.
    ///
    /// What was called is taken not to have written to the frames around it; so nothing is certain.
    pub fn before_call(process: &'p Process, thread: &'p Thread, frame: usize) -> Option<Self> {
        let frame = thread.stack.frames.get(frame)?;
        let sp = frame.registers.get(SP)?;
        (frame.trust < Trust::Scan).then(|| Self::of(process, thread, Some(sp), Some(frame)))
    }

    fn of(
        process: &'p Process,
        thread: &'p Thread,
        sp: Option<u64>,
        frame: Option<&'p Activation>,
    ) -> Self {
        let region = sp.and_then(|sp| process.memory.region_at(Avma(sp)));
        let stack = region.map(|region| (region.range.start.0, region.range.end.0));
        Self {
            process,
            thread,
            functions: RefCell::default(),
            extents: RefCell::default(),
            jumps: RefCell::default(),
            words: RefCell::default(),
            is_without_unwinder: is_without_unwinder(process),
            stack,
            frame,
        }
    }

    /// Where a function begins, its bytes, and whether it is a part of another that is entered
    /// by jumps only.
    fn extent(&self, at: u64) -> Option<(u64, u64, bool)> {
        let modules = &self.process.modules;
        let index = modules.index_at(Avma(at))?;
        let module = modules.get(index)?;
        let Some(symbol) = modules.debug(index)?.symbol_at(module.to_svma(Avma(at))) else {
            return self.stub(at).map(|size| (at, size, false));
        };
        let is_inside = symbol.offset < symbol.size && symbol.size <= MOST_CODE;
        let is_part = symbol.linkage_name.contains(".cold");
        is_inside.then(|| (module.to_avma(symbol.address).0, symbol.size, is_part))
    }

    fn number(&self, at: u64, size: u64) -> Option<u64> {
        let mut bytes = [0; 8];
        let bytes = bytes.get_mut(..usize::try_from(size).ok()?)?;
        self.process.memory.read(Avma(at), bytes).ok()?;
        Some(self.process.memory.unsigned(bytes))
    }

    /// The bytes of a stub of the procedure linkage table.
    fn stub(&self, at: u64) -> Option<u64> {
        let code = self.process.memory.read_up_to(Avma(at), 11);
        match code.as_slice() {
            [0xf3, 0x0f, 0x1e, 0xfa, 0xf2, 0xff, 0x25, ..] => Some(11),
            [0xf3, 0x0f, 0x1e, 0xfa, 0xff, 0x25, ..] => Some(10),
            [0xff, 0x25, ..] => Some(6),
            _ => None,
        }
    }

    fn decoded(&self, (start, size, is_part): (u64, u64, bool)) -> Option<Rc<Function>> {
        let code = self.process.memory.read_up_to(Avma(start), usize::try_from(size).ok()?);
        let jumps = self.jumps_around(start)?;
        let near = self.near_jumps(start, size);
        let jumps_to = |at: u64| {
            let first = jumps.partition_point(|(target, _)| *target < at);
            let found = jumps.get(first..).unwrap_or_default().iter();
            let of_target = found.take_while(|(target, _)| *target == at);
            let all = of_target.chain(near.iter().filter(|(target, _)| *target == at));
            let is_outside = |end: &u64| *end <= start || end.wrapping_sub(start) > size;
            let ends = all.map(|(_, end)| *end).filter(is_outside);
            ends.filter(|end| self.is_jump(*end, at)).collect()
        };
        let constant = |at| self.is_constant(at, 8).then(|| self.memory(at, 8)).flatten();
        Function::new(start, &code, jumps_to, constant).map(|it| Rc::new(it.part(is_part)))
    }

    /// What may be jumps over any distance in the memory around an address, wherever an
    /// instruction begins: their targets, sorted, and where they end.
    fn jumps_around(&self, at: u64) -> Option<Jumps> {
        let region = self.process.memory.region_at(Avma(at))?;
        let range = (region.range.start.0, region.range.len());
        if let Some(known) = self.jumps.borrow().get(&range.0) {
            return known.clone();
        }
        let found = self.long_jumps(range);
        self.jumps.borrow_mut().insert(range.0, found.clone());
        found
    }

    fn long_jumps(&self, (from, length): (u64, u64)) -> Option<Jumps> {
        if length > MOST_SEARCHED {
            return None;
        }
        let bytes = self.process.memory.read_up_to(Avma(from), usize::try_from(length).ok()?);
        let end = from.checked_add(length)?;
        let mut found = Vec::new();
        for (at, window) in (from..).zip(bytes.windows(6)) {
            let ([_, 0xe9, a, b, c, d] | [0x0f, 0x80..=0x8f, a, b, c, d]) = *window else {
                continue;
            };
            let behind = at.wrapping_add(6);
            let distance = i64::from(i32::from_le_bytes([a, b, c, d]));
            let target = behind.wrapping_add_signed(distance);
            if (from..end).contains(&target) {
                found.push((target, behind));
            }
        }
        found.sort_unstable();
        Some(found.into())
    }

    /// Whether an instruction that jumps there may end here: not if the bytes are the middle of
    /// one, or another.
    fn is_jump(&self, end: u64, target: u64) -> bool {
        let symbol = BACK.iter().find_map(|back| self.symbol_start(end.checked_sub(*back)?));
        let Some(start) = symbol else { return true };
        let length = end.wrapping_sub(start);
        if length > MOST_CODE {
            return true;
        }
        let code = self
            .process
            .memory
            .read_up_to(Avma(start), usize::try_from(length.saturating_add(LONGEST)).unwrap_or(0));
        let mut reached = false;
        for step in steps(Decoder::X86 { bits: 64 }, Avma(start), &code) {
            let behind = step.address.0.wrapping_add(step.len);
            reached |= behind >= end;
            if behind == end {
                return matches!(step.next, Next::Jumps(Some(to)) | Next::Branches(to) if to.0 == target);
            }
        }
        !reached
    }

    fn symbol_name(&self, at: u64) -> Option<String> {
        let modules = &self.process.modules;
        let index = modules.index_at(Avma(at))?;
        let module = modules.get(index)?;
        Some(modules.debug(index)?.symbol_at(module.to_svma(Avma(at)))?.linkage_name)
    }

    fn symbol_start(&self, at: u64) -> Option<u64> {
        let modules = &self.process.modules;
        let index = modules.index_at(Avma(at))?;
        let module = modules.get(index)?;
        let symbol = modules.debug(index)?.symbol_at(module.to_svma(Avma(at)))?;
        Some(module.to_avma(symbol.address).0)
    }

    /// The same for jumps over short distances, around a function.
    fn near_jumps(&self, start: u64, size: u64) -> Vec<(u64, u64)> {
        let from = start.saturating_sub(SHORT);
        let length = size.saturating_add(2 * SHORT);
        let read = |from: u64, length: u64| {
            let length = usize::try_from(length).unwrap_or(0);
            self.process.memory.read_up_to(Avma(from), length)
        };
        let (mut from, mut bytes) = (from, read(from, length));
        if bytes.is_empty() {
            // The function is the first of its mapping.
            (from, bytes) = (start, read(start, size.saturating_add(SHORT)));
        }
        let mut found = Vec::new();
        for (at, window) in (from..).zip(bytes.windows(2)) {
            let [0xeb | 0x70..=0x7f | 0xe0..=0xe3, distance] = *window else { continue };
            let behind = at.wrapping_add(2);
            found.push((
                behind.wrapping_add_signed(i64::from(i8::from_le_bytes([distance]))),
                behind,
            ));
        }
        found
    }
}

impl World for OfProcess<'_> {
    fn function(&self, at: u64) -> Option<Rc<Function>> {
        if let Some(known) = self.extents.borrow().get(&at) {
            return known.clone();
        }
        let extent = self.extent(at)?;
        let known = self.functions.borrow().get(&extent.0).cloned();
        let decoded = known.unwrap_or_else(|| self.decoded(extent));
        self.functions.borrow_mut().insert(extent.0, decoded.clone());
        self.extents.borrow_mut().insert(at, decoded.clone());
        decoded
    }

    fn memory(&self, at: u64, size: u64) -> Option<u64> {
        if let Some(known) = self.words.borrow().get(&(at, size)) {
            return *known;
        }
        // Another thread may have written what is not this thread's stack.
        let is_own = self.stack.is_some_and(|(start, end)| (start..end).contains(&at));
        // What was called since has written below the frame.
        let sp = self.frame.and_then(|frame| frame.registers.get(SP));
        let is_own = is_own && sp.is_none_or(|sp| at >= sp);
        let value = if !self.is_shared() || is_own || self.is_constant(at, size) {
            self.number(at, size)
        } else {
            None
        };
        self.words.borrow_mut().insert((at, size), value);
        value
    }

    fn returns_once(&self, function: u64) -> bool {
        let name = self.symbol_name(function).unwrap_or_default();
        !TWICE.iter().any(|twice| name.contains(twice))
    }

    fn may_unwind(&self) -> bool {
        !self.is_without_unwinder
    }

    fn is_shared(&self) -> bool {
        self.process.threads.len() != 1 || self.frame.is_some()
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
pub fn rewind<'w>(world: &'w OfProcess<'_>, work: Work) -> Result<Walk<'w>, NotRewound> {
    if world.process.dump.machine != Machine::X86_64 {
        return Err(NotRewound::Machine);
    }
    if let Some(frame) = world.frame {
        return rewind_frame(world, frame, work);
    }
    let frames = &world.thread.stack.frames;
    if frames.iter().any(|frame| frame.is_signal) {
        return Err(NotRewound::HandlerRan);
    }
    let pc = frames.first().ok_or(NotRewound::NoFrame)?.pc.0;
    let function = world.function(pc).ok_or(NotRewound::Function)?;
    let index = function.index_of(pc).ok_or(NotRewound::Function)?;
    let mut state = State::default();
    for (number, bits) in (0..).zip(state.iter_mut()).take(REGISTERS) {
        *bits = world.thread.registers.get(Register(number)).map(Bits::all).unwrap_or_default();
    }
    let dumped = world.process.dump.threads.iter().find(|it| it.tid == world.thread.tid);
    let others = dumped.map(|dumped| dumped.other_registers.as_slice()).unwrap_or_default();
    if let (Some((_, value)), Some(flags)) =
        (others.iter().find(|(name, _)| *name == "eflags"), state.get_mut(FLAGS))
    {
        *flags = Bits { value: value & Condition::FLAGS, known: Condition::FLAGS };
    }
    Ok(Walk::new(world, function, index, state, work))
}

/// The walk that ends before what a frame called. Registers that the call may have changed are not
/// known.
fn rewind_frame<'w>(
    world: &'w OfProcess<'_>,
    frame: &Activation,
    work: Work,
) -> Result<Walk<'w>, NotRewound> {
    let function = world.function(frame.lookup_pc().0).ok_or(NotRewound::Function)?;
    let index = match frame.left {
        Left::Called => function.index_before(frame.pc.0),
        Left::Interrupted => function.index_of(frame.pc.0),
    };
    let mut state = State::default();
    for (number, bits) in (0..).zip(state.iter_mut()).take(REGISTERS) {
        *bits = frame.registers.get(Register(number)).map(Bits::all).unwrap_or_default();
    }
    Ok(Walk::new(world, function, index.ok_or(NotRewound::Function)?, state, work))
}
