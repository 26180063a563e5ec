//! Backwards along the only way that a thread can have come.

use super::World;
use super::calls::{Entered, Left, Site, left_by};
use super::chain::{Chain, Link};
use super::function::{Function, SP, at_stack_pointer};
use obit_corefile::addr::Avma;
use obit_disassembly::{Next, Term};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// How far ways are followed until they are compared with what is known, one after the other.
const AHEAD: [usize; 5] = [4, 16, 64, 160, 400];
/// Instructions on all ways that are tried for one decision and one distance.
const MOST_TRIED: usize = 3_000;
/// Ways to one instruction that are compared.
const MOST_WAYS: usize = 24;
/// Functions that returned, within one another.
const DEEPEST: usize = 64;
/// How often all is gone through again for what became known of memory.
const ROUNDS: usize = 4;

/// What a walk may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Work {
    /// Comparisons of two neighbouring states, weighted by how many stores the way has.
    pub relations: u64,
    /// Instructions on ways that are tried.
    pub tried: usize,
}

impl Default for Work {
    fn default() -> Self {
        Self { relations: 3_000_000, tried: 150_000 }
    }
}

/// Why it is not known what was executed before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// As many steps as were asked for.
    Enough,
    /// Several instructions can have been the one before.
    SeveralWays,
    /// No instruction can: the code or the memory is not what was executed.
    NoWay,
    /// Code that is not known may jump here.
    JumpFromOutside,
    /// A function was called and had returned whose code is not followed.
    CallNotFollowed,
    /// The caller is not known.
    CallerUnknown,
    /// The kernel was asked for something.
    SystemCall,
    /// It cost as much as it may.
    WorkDone,
}

/// A place on a way.
#[derive(Clone, Debug)]
struct Place {
    function: Rc<Function>,
    index: usize,
    entered: Option<Rc<Entered>>,
}

/// One instruction that can have been executed before.
struct Way {
    link: Link,
    to: Place,
    /// Whether it is one of the ways only by a rule that is not always kept.
    is_assumed: bool,
}

/// A chain that is made longer.
pub struct Walk<'w> {
    world: &'w dyn World,
    chain: Chain,
    at: Place,
    left: RefCell<HashMap<u64, Option<Rc<Left>>>>,
    tried: usize,
    /// The chain before the first step that is assumed.
    proved: Option<Chain>,
}

impl<'w> Walk<'w> {
    /// Before the instruction of this index, which was not executed, in the last state.
    pub fn new(
        world: &'w dyn World,
        function: Rc<Function>,
        index: usize,
        end: super::State,
        work: Work,
    ) -> Self {
        let chain = Chain::new(end, work.relations);
        let proved = world.is_shared().then(|| chain.clone());
        let at = Place { function, index, entered: None };
        Self { world, chain, at, left: RefCell::default(), tried: work.tried, proved }
    }

    /// What is known, or likely where it is not in [`Walk::proved`].
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// What is known for certain.
    pub fn proved(&self) -> &Chain {
        self.proved.as_ref().unwrap_or(&self.chain)
    }

    /// Goes back so many steps, or as far as only one way leads.
    pub fn back(&mut self, steps: usize) -> End {
        let end = loop {
            if self.chain.len() >= steps {
                break End::Enough;
            }
            if let Err(end) = self.before() {
                break end;
            }
        };
        // What contradicts itself here is no way at all, and its values mean nothing.
        if let Some(proved) = &mut self.proved
            && proved.solve(self.world, ROUNDS).is_err()
        {
            *proved = Chain::new(first(proved), 0);
        }
        if end != End::NoWay && self.chain.solve(self.world, ROUNDS).is_ok() {
            return end;
        }
        self.chain = match &self.proved {
            Some(proved) => proved.clone(),
            None => Chain::new(first(&self.chain), 0),
        };
        End::NoWay
    }

    fn before(&mut self) -> Result<(), End> {
        let mut ways = self.ways()?;
        if ways.len() > MOST_WAYS {
            return Err(End::SeveralWays);
        }
        if ways.len() > 1 {
            self.chain.solve(self.world, 1).map_err(|_| End::NoWay)?;
            self.chain.keep();
            for depth in AHEAD {
                let mut most = MOST_TRIED;
                ways.retain(|way| self.is_possible(way, depth, &mut most));
                if ways.len() < 2 {
                    break;
                }
                if self.tried == 0 || self.chain.budget == 0 {
                    return Err(End::WorkDone);
                }
            }
        }
        let only = ways.pop().ok_or(End::NoWay)?;
        if !ways.is_empty() {
            return Err(End::SeveralWays);
        }
        if only.is_assumed && self.proved.is_none() {
            self.proved = Some(self.chain.clone());
        }
        self.take(&only).map_err(|()| End::NoWay)?;
        self.chain.keep();
        if self.chain.budget == 0 { Err(End::WorkDone) } else { Ok(()) }
    }

    fn take(&mut self, way: &Way) -> Result<(), ()> {
        self.chain.push(way.link.clone());
        self.at = way.to.clone();
        self.chain.settle(self.world).map_err(|_| ())
    }

    /// Whether what is known does not contradict a way and one of those that lead to it.
    fn is_possible(&mut self, way: &Way, depth: usize, most: &mut usize) -> bool {
        if *most == 0 || self.tried == 0 {
            return true;
        }
        *most = most.saturating_sub(1);
        self.tried = self.tried.saturating_sub(1);
        let (mark, at) = (self.chain.mark(), self.at.clone());
        let is_possible = self.take(way).is_ok()
            && match depth.checked_sub(1) {
                Some(rest) if rest > 0 => match self.ways() {
                    Ok(ways) => ways.iter().any(|way| self.is_possible(way, rest, most)),
                    Err(_) => true,
                },
                _ => true,
            };
        self.chain.undo(mark);
        self.at = at;
        is_possible
    }

    /// All instructions that can have been executed before.
    fn ways(&self) -> Result<Vec<Way>, End> {
        let function = &self.at.function;
        let address = function.step(self.at.index).map(|step| step.address.0).ok_or(End::NoWay)?;
        let mut ways = Vec::new();
        let mut before = function.before(self.at.index).to_vec();
        before.dedup();
        for index in before {
            let step = function.step(index).ok_or(End::NoWay)?;
            let site = (Rc::clone(function), index);
            match step.next {
                Next::Calls(target) => self.returned(target, &site, address, &mut ways)?,
                Next::Branches(target) => {
                    let falls_to = step.address.0.saturating_add(step.len);
                    let mut way = self.way(site)?;
                    way.link.taken = (target.0 != falls_to).then_some(target.0 == address);
                    ways.push(way);
                }
                _ => ways.push(self.way(site)?),
            }
        }
        for (index, from) in function.indirect() {
            let from = from.ok_or(End::SeveralWays)?;
            let mut way = self.way((Rc::clone(function), *index))?;
            way.link.requires = Some((from, address));
            ways.push(way);
        }
        if address == function.start() && !function.is_part() {
            self.callers(address, &mut ways)?;
        } else {
            self.jumps_from_outside(address, &mut ways)?;
        }
        Ok(ways)
    }

    fn way(&self, site: Site) -> Result<Way, End> {
        let (function, index) = site;
        let step = function.step(index).ok_or(End::NoWay)?;
        if function.is_opaque(index) {
            return Err(End::SystemCall);
        }
        let code = function.code(index).ok_or(End::NoWay)?;
        let mut link = Link::new(step.address.0, Rc::clone(code));
        let frame = function.frame(index);
        (link.frame, link.moved) = (frame.distance, frame.moved);
        let to = Place { function, index, entered: self.at.entered.clone() };
        Ok(Way { link, to, is_assumed: false })
    }

    /// Jumps of other functions to a place that is not the beginning of this one.
    fn jumps_from_outside(&self, address: u64, ways: &mut Vec<Way>) -> Result<(), End> {
        for end in self.at.function.jumps_from_outside(self.at.index) {
            let last = end.checked_sub(1).ok_or(End::NoWay)?;
            let function = self.world.function(last).ok_or(End::JumpFromOutside)?;
            // Bytes in the middle of an instruction are not executed.
            let Some(index) = function.index_before(*end) else { continue };
            let mut way = self.way((Rc::clone(&function), index))?;
            match function.step(index).map(|step| step.next) {
                Some(Next::Jumps(Some(target))) if target.0 == address => {}
                Some(Next::Branches(target)) if target.0 == address => way.link.taken = Some(true),
                _ => continue,
            }
            ways.push(way);
        }
        Ok(())
    }

    fn left_by(&self, target: u64) -> Option<Rc<Left>> {
        if let Some(known) = self.left.borrow().get(&target) {
            return known.clone();
        }
        let left = left_by(self.world, target).map(Rc::new);
        self.left.borrow_mut().insert(target, left.clone());
        left
    }

    /// The returns of the function that a call called.
    fn returned(
        &self,
        target: Option<Avma>,
        call: &Site,
        address: u64,
        ways: &mut Vec<Way>,
    ) -> Result<(), End> {
        let at = self.chain.len();
        let sp = self.chain.register(at, usize::from(SP.0));
        // A return leaves the address it went to below the stack pointer.
        let mark = sp.and_then(|sp| self.chain.read(sp.wrapping_sub(8), 8, at, self.world));
        if mark.is_some_and(|mark| mark != address) {
            return Ok(());
        }
        let target = target.ok_or(End::CallNotFollowed)?.0;
        let left = self.left_by(target).ok_or(End::CallNotFollowed)?;
        let depth = self.at.entered.as_ref().map_or(0, |entered| entered.depth).saturating_add(1);
        // One that does not return: what follows the call is entered in another way.
        if left.returns.is_empty() || depth > DEEPEST {
            return Err(End::CallNotFollowed);
        }
        let entered = Rc::new(Entered {
            call: call.clone(),
            target,
            jumps: Rc::clone(&left.jumps),
            outer: self.at.entered.clone(),
            depth,
        });
        for site in &left.returns {
            let mut way = self.way(site.clone())?;
            way.link.requires = Some((Term::Memory(at_stack_pointer(0)), address));
            way.to.entered = Some(Rc::clone(&entered));
            way.is_assumed = !left.is_once || mark.is_none() && self.world.may_unwind();
            ways.push(way);
        }
        Ok(())
    }

    /// The calls, and the jumps of functions called, that enter the function.
    fn callers(&self, entry: u64, ways: &mut Vec<Way>) -> Result<(), End> {
        let entered = match &self.at.entered {
            Some(entered) => Rc::clone(entered),
            None => Rc::new(self.caller().ok_or(End::CallerUnknown)?),
        };
        for site in entered.jumps.iter() {
            let next = site.0.step(site.1).map(|step| step.next);
            let (target, taken) = match next {
                Some(Next::Jumps(target)) => (target, None),
                Some(Next::Branches(target)) => (Some(target), Some(true)),
                _ => (None, None),
            };
            if target == Some(Avma(entry)) {
                let mut way = self.way(site.clone())?;
                way.link.taken = taken;
                way.to.entered = Some(Rc::clone(&entered));
                ways.push(way);
            }
        }
        if entered.target == entry {
            let mut way = self.way(entered.call.clone())?;
            way.to.entered.clone_from(&entered.outer);
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
        let jumps = Rc::clone(&self.left_by(target.0)?.jumps);
        Some(Entered { call: (function, index), target: target.0, jumps, outer: None, depth: 0 })
    }
}

fn first(chain: &Chain) -> super::State {
    chain.state(0).copied().unwrap_or_default()
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
