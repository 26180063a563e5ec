//! A way that a thread went, and what is known of each state on it.

use super::World;
use super::bits::Bits;
use super::function::Code;
use obit_corefile::arch::Register;
use obit_disassembly::{Condition, Target, Term};
use std::collections::HashMap;
use std::rc::Rc;

/// General registers, by their DWARF numbers.
pub const REGISTERS: usize = 16;
/// Where the flags are among the registers of a state.
pub(super) const FLAGS: usize = REGISTERS;
/// General registers and the flags.
pub(super) const ALL: usize = FLAGS + 1;

/// What general registers held, by their DWARF numbers, and behind them the flags.
pub type State = [Bits; ALL];

/// One instruction that was executed.
#[derive(Clone, Debug)]
pub struct Link {
    /// Where it lies.
    pub address: u64,
    pub(super) code: Rc<Code>,
    /// What must have been so before it, or execution had gone elsewhere.
    pub(super) requires: Option<(Term, u64)>,
    /// Of a conditional jump: whether it jumped.
    pub(super) taken: Option<bool>,
    /// How far the frame pointer lies above the stack pointer before it.
    pub(super) frame: Option<i64>,
    /// How far the stack pointer lies above where it was when the function was entered.
    pub(super) moved: Option<i64>,
    /// Where each of its writes goes to memory, as soon as it is known.
    pub(super) places: Vec<Option<(u64, u64)>>,
    is_queued: bool,
}

impl Link {
    pub(super) fn new(address: u64, code: Rc<Code>) -> Self {
        let places = vec![None; code.writes.len()];
        Self {
            address,
            code,
            requires: None,
            taken: None,
            frame: None,
            moved: None,
            places,
            is_queued: false,
        }
    }

    /// The condition of a conditional jump, and whether it jumped.
    pub fn branch(&self) -> Option<(Condition, bool)> {
        Some((self.code.arithmetic.condition?, self.taken?))
    }
}

/// Instructions that were executed, the last one first, and the states before and behind them.
#[derive(Clone, Debug)]
pub struct Chain {
    pub(super) links: Vec<Link>,
    /// The state after all links, and that before each.
    states: Vec<State>,
    /// What memory held in a state: by address and size.
    facts: HashMap<(u64, u64), Vec<(usize, u64)>>,
    /// Links that write to memory.
    storing: Vec<usize>,
    queue: Vec<usize>,
    changes: Vec<Change>,
    /// Whether something became known of memory that no link in the queue stands for.
    is_memory_new: bool,
    /// Work that is left, by links that are related and stores that are looked at.
    pub(super) budget: u64,
}

/// What is undone.
#[derive(Clone, Copy, Debug)]
enum Change {
    Link,
    Register(usize, usize, Bits),
    Fact(u64, u64),
    Place(usize, usize),
}

/// The way cannot have been gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Contradiction;

pub(super) type Checked<T = ()> = Result<T, Contradiction>;

impl Chain {
    /// No instruction, before the state in which the thread ended.
    pub fn new(end: State, budget: u64) -> Self {
        Self {
            links: Vec::new(),
            states: vec![end],
            facts: HashMap::new(),
            storing: Vec::new(),
            queue: Vec::new(),
            changes: Vec::new(),
            is_memory_new: false,
            budget,
        }
    }

    /// Instructions.
    pub fn len(&self) -> usize {
        self.links.len()
    }

    /// Whether it has no instruction.
    pub fn is_empty(&self) -> bool {
        self.links.is_empty()
    }

    /// The instruction that was executed so many steps before the end, from 1.
    pub fn link(&self, steps: usize) -> Option<&Link> {
        self.links.get(steps.checked_sub(1)?)
    }

    /// Where it lies.
    pub fn address(&self, steps: usize) -> Option<u64> {
        self.link(steps).map(|link| link.address)
    }

    /// The state so many steps before the end.
    pub fn state(&self, steps: usize) -> Option<&State> {
        self.states.get(steps)
    }

    /// What a general register held so many steps before the end.
    pub fn register(&self, steps: usize, number: usize) -> Option<u64> {
        self.bits(steps, number).whole()
    }

    pub(super) fn bits(&self, at: usize, number: usize) -> Bits {
        self.states.get(at).and_then(|state| state.get(number)).copied().unwrap_or_default()
    }

    pub(super) fn push(&mut self, link: Link) {
        let at = self.links.len();
        if link.code.stores() {
            self.storing.push(at);
        }
        self.links.push(link);
        self.states.push(State::default());
        self.changes.push(Change::Link);
        self.enqueue(at);
    }

    /// Changes from here on can be undone.
    pub(super) fn mark(&self) -> usize {
        self.changes.len()
    }

    /// Undoes what was changed since.
    pub(super) fn undo(&mut self, mark: usize) {
        self.clear_queue();
        while self.changes.len() > mark {
            match self.changes.pop() {
                Some(Change::Link) => {
                    self.links.pop();
                    self.states.pop();
                    if self.storing.last() == Some(&self.links.len()) {
                        self.storing.pop();
                    }
                }
                Some(Change::Register(at, number, old)) => {
                    let now = self.states.get_mut(at).and_then(|state| state.get_mut(number));
                    if let Some(now) = now {
                        *now = old;
                    }
                }
                Some(Change::Fact(place, size)) => {
                    if let Some(facts) = self.facts.get_mut(&(place, size)) {
                        facts.pop();
                    }
                }
                Some(Change::Place(link, nth)) => {
                    let link = self.links.get_mut(link);
                    if let Some(place) = link.and_then(|link| link.places.get_mut(nth)) {
                        *place = None;
                    }
                }
                None => break,
            }
        }
    }

    /// Nothing of what was changed until now can be undone any more.
    pub(super) fn keep(&mut self) {
        self.changes.clear();
    }

    /// Fills in what follows from what is new, near the links that it belongs to.
    pub(super) fn settle(&mut self, world: &dyn World) -> Checked {
        while let Some(at) = self.queue.pop() {
            if let Some(link) = self.links.get_mut(at) {
                link.is_queued = false;
            }
            if self.budget == 0 {
                continue;
            }
            // What is read of memory is looked for among all stores.
            let stores = u64::try_from(self.storing.len() / 32).unwrap_or(0);
            self.budget = self.budget.saturating_sub(stores.saturating_add(1));
            if let Err(contradiction) = self.relate(at, world) {
                self.clear_queue();
                return Err(contradiction);
            }
        }
        Ok(())
    }

    /// The same for all links, if memory that one of them reads may have become known.
    pub(super) fn solve(&mut self, world: &dyn World, rounds: usize) -> Checked {
        for _ in 0..rounds {
            if !self.is_memory_new {
                break;
            }
            self.is_memory_new = false;
            for at in 0..self.links.len() {
                self.enqueue(at);
            }
            self.settle(world)?;
        }
        Ok(())
    }

    fn enqueue(&mut self, at: usize) {
        if let Some(link) = self.links.get_mut(at).filter(|link| !link.is_queued) {
            link.is_queued = true;
            self.queue.push(at);
        }
    }

    fn clear_queue(&mut self) {
        while let Some(at) = self.queue.pop() {
            if let Some(link) = self.links.get_mut(at) {
                link.is_queued = false;
            }
        }
    }

    pub(super) fn set(&mut self, at: usize, number: usize, bits: Bits) -> Checked {
        let Some(now) = self.states.get_mut(at).and_then(|state| state.get_mut(number)) else {
            return Ok(());
        };
        let old = *now;
        if (old.value ^ bits.value) & old.known & bits.known != 0 {
            return Err(Contradiction);
        }
        if bits.known & !old.known == 0 {
            return Ok(());
        }
        now.value |= bits.value & bits.known;
        now.known |= bits.known;
        self.changes.push(Change::Register(at, number, old));
        if let Some(later) = at.checked_sub(1) {
            self.enqueue(later);
        }
        self.enqueue(at);
        Ok(())
    }

    pub(super) fn place_is(&mut self, at: usize, nth: usize, place: (u64, u64)) {
        let known = self.links.get_mut(at).and_then(|link| link.places.get_mut(nth));
        if let Some(known) = known.filter(|known| known.is_none()) {
            *known = Some(place);
            self.changes.push(Change::Place(at, nth));
            self.is_memory_new = true;
        }
    }

    pub(super) fn memory_is(
        &mut self,
        (place, size): (u64, u64),
        at: usize,
        value: u64,
        world: &dyn World,
    ) -> Checked {
        if let Some(known) = self.read(place, size, at, world) {
            return if known == value { Ok(()) } else { Err(Contradiction) };
        }
        if (1..=8).contains(&size) {
            self.facts.entry((place, size)).or_default().push((at, value));
            self.changes.push(Change::Fact(place, size));
            self.is_memory_new = true;
        }
        Ok(())
    }

    /// What memory held in a state.
    pub fn read(&self, place: u64, size: u64, at: usize, world: &dyn World) -> Option<u64> {
        if !(1..=8).contains(&size) {
            return None;
        }
        if world.is_constant(place, size) {
            return world.memory(place, size);
        }
        // The states around this one between which nothing wrote there.
        let split = self.storing.partition_point(|link| *link < at);
        let (later, earlier) = self.storing.split_at_checked(split)?;
        let mut first = 0;
        let mut is_final = true;
        for link in later.iter().rev() {
            if self.overlap(*link, place, size) != Overlap::None {
                (first, is_final) = (link.saturating_add(1), false);
                break;
            }
        }
        if is_final && let Some(value) = world.memory(place, size) {
            return Some(value);
        }
        let mut last = self.links.len();
        for link in earlier {
            let overlap = self.overlap(*link, place, size);
            if overlap == Overlap::None {
                continue;
            }
            last = *link;
            // What a wider store left is known as a whole.
            if let Overlap::Within(start, length) = overlap
                && (start, length) != (place, size)
                && let Some(value) = self.fact((start, length), (last, last))
            {
                let shift = place.wrapping_sub(start).saturating_mul(8);
                let shift = u32::try_from(shift).ok()?;
                return Some(super::bits::low(value.checked_shr(shift)?, size));
            }
            break;
        }
        self.fact((place, size), (first, last))
    }

    fn fact(&self, place: (u64, u64), (first, last): (usize, usize)) -> Option<u64> {
        let mut facts = self.facts.get(&place)?.iter().rev();
        facts.find(|(state, _)| (first..=last).contains(state)).map(|(_, value)| *value)
    }

    /// What a link writes of these bytes.
    fn overlap(&self, at: usize, place: u64, size: u64) -> Overlap {
        let Some(link) = self.links.get(at) else { return Overlap::Partly };
        let mut found = Overlap::None;
        for (write, known) in link.code.writes.iter().zip(&link.places) {
            if !matches!(write.to, Target::Memory(_)) {
                continue;
            }
            let Some((start, length)) = *known else { return Overlap::Partly };
            // Addresses wrap: the distance from one to the other decides.
            let (into, ahead) = (place.wrapping_sub(start), start.wrapping_sub(place));
            if into >= length && ahead >= size {
                continue;
            }
            if into.checked_add(size).is_none_or(|end| end > length) || found != Overlap::None {
                return Overlap::Partly;
            }
            found = Overlap::Within(start, length);
        }
        found
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Overlap {
    None,
    /// All of them, by a store of these bytes.
    Within(u64, u64),
    Partly,
}

pub(super) fn general(register: Register) -> Option<usize> {
    Some(usize::from(register.0)).filter(|number| *number < REGISTERS)
}
