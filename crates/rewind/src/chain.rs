//! A way that a thread went, and what follows from its end for each state before.

use super::World;
use obit_corefile::arch::Register;
use obit_disassembly::{MemoryOperand, Part, Target, Term, Write};
use std::collections::HashMap;
use std::rc::Rc;

/// General registers, by their DWARF numbers.
pub const REGISTERS: usize = 16;
/// Rounds until nothing new follows; more are not tried.
const MOST_ROUNDS: usize = 12;

/// What general registers held, by their DWARF numbers.
pub type State = [Option<u64>; REGISTERS];

/// One instruction that was executed.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) address: u64,
    pub(super) writes: Rc<[Write]>,
    /// What must have been so before it, or execution had gone elsewhere.
    pub(super) requires: Option<(Term, u64)>,
}

/// Instructions that were executed, the last one first, and the states before and behind them.
#[derive(Clone, Debug)]
pub struct Chain {
    links: Vec<Link>,
    /// The state after all links, and that before each.
    states: Vec<State>,
    /// What memory held in a state: by address and size.
    facts: HashMap<(u64, u64), Vec<(usize, u64)>>,
}

/// The way cannot have been gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Contradiction;

type Checked = Result<(), Contradiction>;

impl Chain {
    /// No instruction, before the state in which the thread ended.
    pub fn new(end: State) -> Self {
        Self { links: Vec::new(), states: vec![end], facts: HashMap::new() }
    }

    /// Instructions.
    pub fn len(&self) -> usize {
        self.links.len()
    }

    /// Whether it has no instruction.
    pub fn is_empty(&self) -> bool {
        self.links.is_empty()
    }

    /// Where the instruction lies that was executed so many steps before the end, from 1.
    pub fn address(&self, steps: usize) -> Option<u64> {
        self.links.get(steps.checked_sub(1)?).map(|link| link.address)
    }

    /// The state so many steps before the end.
    pub fn state(&self, steps: usize) -> Option<&State> {
        self.states.get(steps)
    }

    pub(super) fn push(&mut self, link: Link) {
        self.links.push(link);
        self.states.push([None; REGISTERS]);
    }

    /// Fills in what follows for every state, from instruction to instruction both ways, until
    /// nothing new does. After a contradiction the states mean nothing.
    pub(super) fn solve(&mut self, world: &dyn World) -> Checked {
        for _ in 0..MOST_ROUNDS {
            let mut changed = false;
            for link in 0..self.links.len() {
                changed |= self.relate(link, world)?;
            }
            for link in (0..self.links.len()).rev() {
                changed |= self.relate(link, world)?;
            }
            if !changed {
                break;
            }
        }
        Ok(())
    }

    /// What the states on both sides of a link say of each other.
    fn relate(&mut self, at: usize, world: &dyn World) -> Result<bool, Contradiction> {
        let Some(link) = self.links.get(at).cloned() else { return Ok(false) };
        let (after, before) = (at, at.saturating_add(1));
        let mut changed = false;
        for number in 0..REGISTERS {
            let is_written = link.writes.iter().any(|write| writes_register(write, number));
            if !is_written {
                changed |= self.set_optional(before, number, self.register(after, number))?;
                changed |= self.set_optional(after, number, self.register(before, number))?;
            }
        }
        if let Some((term, value)) = link.requires {
            changed |= self.term_is(term, before, value, world)?;
        }
        for write in link.writes.iter() {
            let from = self.term(write.from, before, world);
            match write.to {
                Target::Register(part) => {
                    let Some(number) = general(part.register) else { continue };
                    let is_whole = part.shift == 0 && part.size == 8;
                    if !is_whole {
                        let old = self.register(before, number);
                        let new = old.zip(from).and_then(|(old, new)| merged(old, new, part));
                        changed |= self.set_optional(after, number, new)?;
                        if let Some(now) = self.register(after, number) {
                            let part_now = low(now.checked_shr(part.shift).unwrap_or(0), part.size);
                            changed |= self.term_is(write.from, before, part_now, world)?;
                        }
                        continue;
                    }
                    changed |= self.set_optional(after, number, from)?;
                    if let Some(value) = self.register(after, number) {
                        changed |= self.term_is(write.from, before, value, world)?;
                    }
                }
                Target::Memory(operand) => {
                    let Some((place, size)) = self.place(&operand, before, world) else { continue };
                    let Some(now) = self.read(place, size, after, world) else { continue };
                    if from.is_some_and(|from| low(from, size) != now) {
                        return Err(Contradiction);
                    }
                    changed |= self.term_is(write.from, before, now, world)?;
                }
            }
        }
        Ok(changed)
    }

    /// Takes down what follows from a term's value.
    fn term_is(
        &mut self,
        term: Term,
        at: usize,
        value: u64,
        world: &dyn World,
    ) -> Result<bool, Contradiction> {
        match term {
            Term::Register(part) if part.size == 8 && part.shift == 0 => {
                match general(part.register) {
                    Some(number) => self.set(at, number, value),
                    None => Ok(false),
                }
            }
            Term::Register(part) => {
                let whole = general(part.register).and_then(|number| self.register(at, number));
                let known = whole.and_then(|whole| whole.checked_shr(part.shift));
                match known {
                    Some(known) if low(known, part.size) != low(value, part.size) => {
                        Err(Contradiction)
                    }
                    _ => Ok(false),
                }
            }
            Term::Memory(operand) => {
                let Some((place, size)) = self.place(&operand, at, world) else { return Ok(false) };
                self.memory_is(place, size, at, low(value, size), world)
            }
            Term::Address(operand) if operand.address_size == 8 && operand.segment.is_none() => {
                self.address_is(&operand, at, value)
            }
            _ => Ok(false),
        }
    }

    fn address_is(
        &mut self,
        operand: &MemoryOperand,
        at: usize,
        value: u64,
    ) -> Result<bool, Contradiction> {
        let is_whole = |part: Part| part.size == 8 && part.shift == 0;
        let rest = value.wrapping_sub(operand.displacement.cast_unsigned());
        match (operand.base, operand.index) {
            (Some(base), None) if is_whole(base) => match general(base.register) {
                Some(number) => self.set(at, number, rest),
                None => Ok(false),
            },
            (Some(base), Some((index, scale)))
                if is_whole(base) && is_whole(index) && base.register != index.register =>
            {
                let (Some(base), Some(index)) = (general(base.register), general(index.register))
                else {
                    return Ok(false);
                };
                let known = (self.register(at, base), self.register(at, index));
                match known {
                    (_, Some(index)) => {
                        self.set(at, base, rest.wrapping_sub(index.wrapping_mul(scale)))
                    }
                    (Some(base), None) if scale == 1 => {
                        self.set(at, index, rest.wrapping_sub(base))
                    }
                    _ => Ok(false),
                }
            }
            _ => Ok(false),
        }
    }

    fn memory_is(
        &mut self,
        place: u64,
        size: u64,
        at: usize,
        value: u64,
        world: &dyn World,
    ) -> Result<bool, Contradiction> {
        if let Some(known) = self.read(place, size, at, world) {
            return if known == value { Ok(false) } else { Err(Contradiction) };
        }
        self.facts.entry((place, size)).or_default().push((at, value));
        Ok(true)
    }

    fn set_optional(
        &mut self,
        at: usize,
        number: usize,
        value: Option<u64>,
    ) -> Result<bool, Contradiction> {
        value.map_or(Ok(false), |value| self.set(at, number, value))
    }

    fn set(&mut self, at: usize, number: usize, value: u64) -> Result<bool, Contradiction> {
        let Some(known) = self.states.get_mut(at).and_then(|state| state.get_mut(number)) else {
            return Ok(false);
        };
        match *known {
            Some(old) if old == value => Ok(false),
            Some(_) => Err(Contradiction),
            None => {
                *known = Some(value);
                Ok(true)
            }
        }
    }

    pub(super) fn register(&self, at: usize, number: usize) -> Option<u64> {
        *self.states.get(at)?.get(number)?
    }

    /// The number that a part of a register held in a state.
    fn part(&self, part: Part, at: usize) -> Option<u64> {
        let whole = self.register(at, general(part.register)?)?;
        Some(low(whole.checked_shr(part.shift)?, part.size))
    }

    fn address_of(&self, operand: &MemoryOperand, at: usize, world: &dyn World) -> Option<u64> {
        let mut sum = operand.displacement.cast_unsigned();
        if let Some(base) = operand.base {
            sum = sum.wrapping_add(self.part(base, at)?);
        }
        if let Some((index, scale)) = operand.index {
            let value = operand.index_value(index, self.part(index, at)?);
            sum = sum.wrapping_add(value.wrapping_mul(scale));
        }
        let start = operand.segment.map_or(Some(0), |segment| world.segment(segment))?;
        Some(start.wrapping_add(low(sum, operand.address_size)))
    }

    /// The memory of an operand, if its extent is known.
    fn place(&self, operand: &MemoryOperand, at: usize, world: &dyn World) -> Option<(u64, u64)> {
        let size = operand.size.filter(|size| (1..=64).contains(size))?;
        if operand.rounds.is_some() {
            return None;
        }
        Some((self.address_of(operand, at, world)?, size))
    }

    pub(super) fn term(&self, term: Term, at: usize, world: &dyn World) -> Option<u64> {
        match term {
            Term::Constant(value) => Some(value),
            Term::Register(part) => self.part(part, at),
            Term::SignExtended(part, to) => Some(low(signed(self.part(part, at)?, part.size), to)),
            Term::Memory(operand) => {
                let (place, size) = self.place(&operand, at, world)?;
                self.read(place, size, at, world)
            }
            Term::SignExtendedMemory(operand, to) => {
                let (place, size) = self.place(&operand, at, world)?;
                Some(low(signed(self.read(place, size, at, world)?, size), to))
            }
            Term::Address(operand) => self.address_of(&operand, at, world),
            Term::Unknown => None,
        }
    }

    /// What memory held in a state.
    pub fn read(&self, place: u64, size: u64, at: usize, world: &dyn World) -> Option<u64> {
        if !(1..=8).contains(&size) {
            return None;
        }
        if world.is_constant(place, size) {
            return world.memory(place, size);
        }
        let facts = self.facts.get(&(place, size)).map(Vec::as_slice).unwrap_or_default();
        let fact = |at: usize| facts.iter().find(|fact| fact.0 == at).map(|fact| fact.1);
        // Later: until something may have written it.
        let mut state = at;
        loop {
            if let Some(value) = fact(state) {
                return Some(value);
            }
            let Some(link) = state.checked_sub(1) else {
                return world.memory(place, size);
            };
            if self.stored(link, place, size, world) != Stored::Elsewhere {
                break;
            }
            state = link;
        }
        // Earlier: back to what wrote it.
        for link in at..self.links.len() {
            match self.stored(link, place, size, world) {
                Stored::Elsewhere => {}
                Stored::Here(value) => return value,
                Stored::Perhaps => return None,
            }
            if let Some(value) = fact(link.saturating_add(1)) {
                return Some(value);
            }
        }
        None
    }

    /// What a link did to memory.
    fn stored(&self, at: usize, place: u64, size: u64, world: &dyn World) -> Stored {
        let Some(link) = self.links.get(at) else { return Stored::Perhaps };
        let before = at.saturating_add(1);
        let mut found = Stored::Elsewhere;
        for write in link.writes.iter() {
            let Target::Memory(operand) = write.to else { continue };
            let Some((start, length)) = self.place(&operand, before, world) else {
                return Stored::Perhaps;
            };
            // Addresses wrap: the distance from one to the other decides.
            let (into, ahead) = (place.wrapping_sub(start), start.wrapping_sub(place));
            if into >= length && ahead >= size {
                continue;
            }
            if into.checked_add(size).is_none_or(|end| end > length.min(8)) {
                return Stored::Perhaps;
            }
            let shift = u32::try_from(into.saturating_mul(8)).unwrap_or(64);
            // Only a term as wide as the store says what it left.
            let value = if length > 8 { None } else { self.term(write.from, before, world) };
            found =
                Stored::Here(value.map(|value| low(value.checked_shr(shift).unwrap_or(0), size)));
        }
        found
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stored {
    Elsewhere,
    Here(Option<u64>),
    Perhaps,
}

pub(super) fn general(register: Register) -> Option<usize> {
    Some(usize::from(register.0)).filter(|number| *number < REGISTERS)
}

fn writes_register(write: &Write, number: usize) -> bool {
    matches!(write.to, Target::Register(part) if general(part.register) == Some(number))
}

fn merged(old: u64, new: u64, part: Part) -> Option<u64> {
    let mask = low(u64::MAX, part.size).checked_shl(part.shift)?;
    Some((old & !mask) | (new.checked_shl(part.shift)? & mask))
}

fn low(value: u64, size: u64) -> u64 {
    match size.saturating_mul(8) {
        bits @ 0..64 => value & !(u64::MAX << bits),
        _ => value,
    }
}

fn signed(value: u64, size: u64) -> u64 {
    match size.saturating_mul(8) {
        bits @ 1..64 => {
            let shift = 64_u64.saturating_sub(bits);
            ((value << shift).cast_signed() >> shift).cast_unsigned()
        }
        _ => value,
    }
}
