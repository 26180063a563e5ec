//! Backwards along the only way that a thread can have come.

use super::World;
use super::chain::{Chain, Link};
use super::function::{Function, is_return};
use obit_corefile::addr::Avma;
use obit_corefile::arch::Register;
use obit_disassembly::{AccessMode, MemoryOperand, Next, Part, Step, Target, Term, Write};
use std::rc::Rc;

const SP: Register = Register(7);
/// Instructions that a way is followed until it is compared with what is known.
const AHEAD: usize = 24;
/// Ways to one instruction that are compared.
const MOST_WAYS: usize = 24;
/// Functions that one may go on in by jumps.
const MOST_TAILS: usize = 16;
/// Functions that returned, within one another.
const DEEPEST: usize = 64;

/// Why it is not known what was executed before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// As many steps as were asked for.
    Enough,
    /// Several instructions can have been the one before.
    SeveralWays,
    /// No instruction can: the code or the memory is not what was executed.
    NoWay,
    /// Code of another function may jump here.
    JumpFromOutside,
    /// A function was called and had returned whose code is not followed.
    CallNotFollowed,
    /// The caller is not known.
    CallerUnknown,
    /// The kernel was asked for something.
    SystemCall,
}

/// A place in a function.
type Site = (Rc<Function>, usize);

/// How a function was entered that is left by a return later on the way.
#[derive(Clone, Debug)]
struct Entered {
    call: Site,
    target: u64,
    jumps: Rc<[Site]>,
}

/// A chain that is made longer.
#[derive(Clone)]
pub struct Walk<'w> {
    world: &'w dyn World,
    chain: Chain,
    function: Rc<Function>,
    index: usize,
    entered: Vec<Entered>,
}

impl<'w> Walk<'w> {
    /// Before the instruction of this index, which was not executed, in the last state.
    pub fn new(world: &'w dyn World, function: Rc<Function>, index: usize, chain: Chain) -> Self {
        Self { world, chain, function, index, entered: Vec::new() }
    }

    /// What is known.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// Goes back so many steps, or as far as only one way leads.
    pub fn back(&mut self, steps: usize) -> End {
        let end = loop {
            if self.chain.len() >= steps {
                break End::Enough;
            }
            match self.before() {
                Ok(before) => *self = before,
                Err(end) => break end,
            }
        };
        // What contradicts itself here is no way at all, and its values mean nothing.
        let mut solved = self.chain.clone();
        match solved.solve(self.world) {
            Ok(()) => {
                self.chain = solved;
                end
            }
            Err(_) => {
                let first = self.chain.state(0).copied().unwrap_or_default();
                self.chain = Chain::new(first);
                End::NoWay
            }
        }
    }

    fn before(&mut self) -> Result<Self, End> {
        let is_simple = {
            let before = self.function.before(self.index);
            let step = before.first().and_then(|before| self.function.step(*before));
            before.len() == 1 && step.is_some_and(|step| !matches!(step.next, Next::Calls(_)))
        };
        if !is_simple {
            self.chain.solve(self.world).map_err(|_| End::NoWay)?;
        }
        let mut ways = self.ways()?;
        if ways.len() > MOST_WAYS {
            return Err(End::SeveralWays);
        }
        if ways.len() > 1 {
            ways.retain(Self::is_possible);
        }
        let only = ways.pop().ok_or(End::NoWay)?;
        if ways.is_empty() { Ok(only) } else { Err(End::SeveralWays) }
    }

    /// Whether what is known does not contradict the way that ends so.
    fn is_possible(&self) -> bool {
        let mut way = self.clone();
        for _ in 0..AHEAD {
            match way.ways() {
                Ok(mut ways) if ways.len() == 1 => {
                    if let Some(only) = ways.pop() {
                        way = only;
                    }
                }
                Ok(ways) if ways.is_empty() => return false,
                _ => break,
            }
        }
        way.chain.solve(self.world).is_ok()
    }

    /// All instructions that can have been executed before, each as the longer walk.
    fn ways(&self) -> Result<Vec<Self>, End> {
        let address =
            self.function.step(self.index).map(|step| step.address.0).ok_or(End::NoWay)?;
        let is_entry = address == self.function.start();
        if !is_entry && self.function.is_from_outside(self.index) {
            return Err(End::JumpFromOutside);
        }
        let mut ways = Vec::new();
        let mut before = self.function.before(self.index).to_vec();
        before.dedup();
        for index in before {
            let step = self.function.step(index).ok_or(End::NoWay)?;
            match step.next {
                Next::Calls(target) => self.returned(target, index, address, &mut ways)?,
                _ => ways.push(self.longer((Rc::clone(&self.function), index), None)?),
            }
        }
        for (index, from) in self.function.indirect() {
            let from = from.ok_or(End::SeveralWays)?;
            let site = (Rc::clone(&self.function), *index);
            ways.push(self.longer(site, Some((from, address)))?);
        }
        if is_entry {
            self.callers(address, &mut ways)?;
        }
        Ok(ways)
    }

    fn longer(&self, site: Site, requires: Option<(Term, u64)>) -> Result<Self, End> {
        let step = site.0.step(site.1).ok_or(End::NoWay)?;
        if site.0.is_opaque(site.1) {
            return Err(End::SystemCall);
        }
        let mut way = self.clone();
        let writes = match step.next {
            Next::Calls(_) => called(step),
            _ => step.writes.as_slice().into(),
        };
        way.chain.push(Link { address: step.address.0, writes, requires });
        (way.function, way.index) = site;
        Ok(way)
    }

    /// The returns of the function that the call of step `index` called.
    fn returned(
        &self,
        target: Option<Avma>,
        index: usize,
        address: u64,
        ways: &mut Vec<Self>,
    ) -> Result<(), End> {
        let at = self.chain.len();
        let sp = self.chain.register(at, usize::from(SP.0));
        // A return leaves the address it went to below the stack pointer.
        let mark = sp.and_then(|sp| self.chain.read(sp.wrapping_sub(8), 8, at, self.world));
        if mark.is_some_and(|mark| mark != address) {
            return Ok(());
        }
        let target = target.ok_or(End::CallNotFollowed)?.0;
        let left = left_by(self.world, target).ok_or(End::CallNotFollowed)?;
        if left.returns.is_empty() {
            // It does not return; what follows the call is entered in another way.
            return Err(End::CallNotFollowed);
        }
        if self.entered.len() >= DEEPEST {
            return Err(End::CallNotFollowed);
        }
        let call = (Rc::clone(&self.function), index);
        let entered = Entered { call, target, jumps: left.jumps.into() };
        for site in left.returns {
            let mut way = self.longer(site, Some((Term::Memory(at_stack_pointer(0)), address)))?;
            way.entered.push(entered.clone());
            ways.push(way);
        }
        Ok(())
    }

    /// The calls, and the jumps of functions called, that enter the function.
    fn callers(&self, entry: u64, ways: &mut Vec<Self>) -> Result<(), End> {
        let mut outer = self.entered.clone();
        let entered = match outer.pop() {
            Some(entered) => entered,
            None => self.caller().ok_or(End::CallerUnknown)?,
        };
        for site in entered.jumps.iter() {
            let target = site.0.step(site.1).and_then(|step| match step.next {
                Next::Jumps(target) => target,
                Next::Branches(target) => Some(target),
                _ => None,
            });
            if target == Some(Avma(entry)) {
                let mut way = self.longer(site.clone(), None)?;
                way.entered = outer.clone();
                way.entered.push(entered.clone());
                ways.push(way);
            }
        }
        if entered.target == entry {
            let mut way = self.longer(entered.call.clone(), None)?;
            way.entered = outer;
            ways.push(way);
        }
        Ok(())
    }

    /// The call whose return address lies where the function was entered.
    fn caller(&self) -> Option<Entered> {
        let at = self.chain.len();
        let sp = self.chain.register(at, usize::from(SP.0))?;
        let back = self.chain.read(sp, 8, at, self.world)?;
        let function = self.world.function(back.checked_sub(1)?)?;
        let index = function.index_before(back)?;
        let Next::Calls(Some(target)) = function.step(index)?.next else { return None };
        let jumps = left_by(self.world, target.0)?.jumps;
        Some(Entered { call: (function, index), target: target.0, jumps: jumps.into() })
    }
}

/// How a function that was called is left.
struct Left {
    returns: Vec<Site>,
    jumps: Vec<Site>,
}

/// The returns of a function and of those it jumps to; `None` where one is not known.
fn left_by(world: &dyn World, target: u64) -> Option<Left> {
    let mut left = Left { returns: Vec::new(), jumps: Vec::new() };
    let mut open = vec![target];
    let mut seen = Vec::new();
    while let Some(next) = open.pop() {
        if seen.contains(&next) {
            continue;
        }
        if seen.len() >= MOST_TAILS {
            return None;
        }
        seen.push(next);
        let function = world.function(next).filter(|function| function.start() == next)?;
        if !function.indirect().is_empty() {
            return None;
        }
        for (index, step) in function.steps().iter().enumerate() {
            if !function.leaves(index) {
                continue;
            }
            let site = (Rc::clone(&function), index);
            match step.next {
                Next::Jumps(Some(to)) | Next::Branches(to) => {
                    left.jumps.push(site);
                    open.push(to.0);
                }
                _ if is_return(step) => left.returns.push(site),
                _ => return None,
            }
        }
    }
    Some(left)
}

fn at_stack_pointer(displacement: i64) -> MemoryOperand {
    MemoryOperand {
        mode: AccessMode::Read,
        size: Some(8),
        segment: None,
        base: Some(Part { register: SP, shift: 0, size: 8 }),
        index: None,
        index_is_signed: false,
        displacement,
        address_size: 8,
        rounds: None,
    }
}

/// What a call itself writes.
fn called(step: &Step) -> Rc<[Write]> {
    let back = step.address.0.saturating_add(step.len);
    let pushed = MemoryOperand { mode: AccessMode::Write, ..at_stack_pointer(-8) };
    let moved = MemoryOperand { size: None, ..at_stack_pointer(-8) };
    let sp = Part { register: SP, shift: 0, size: 8 };
    Rc::from([
        Write { to: Target::Memory(pushed), from: Term::Constant(back) },
        Write { to: Target::Register(sp), from: Term::Address(moved) },
    ])
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
