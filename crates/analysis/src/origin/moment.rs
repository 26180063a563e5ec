//! One activation of a function at the moment it was left, and what its registers and
//! memory held at earlier instructions.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::body::{Body, Definition, Overlap, Reaching, Slot};
use crate::owner::is_foreign_call;
use obit_corefile::addr::Avma;
use obit_corefile::arch::{Facts, Register, Registers};
use obit_disassembly::{Effects, MemoryOperand, Part, Target, Term, Write, effects};
use obit_process::process::{Process, Thread};
use obit_process::unwind::{Activation, Left, Trust};

/// Definitions of registers that are followed to compute one number.
const DEEPEST: usize = 12;
/// Bytes below the stack pointer a leaf function may use (psABI AMD64 § 3.2.2).
const RED_ZONE: u64 = 128;

/// One activation of a function.
pub(super) struct Moment<'p> {
    pub(super) process: &'p Process,
    /// Its index in the thread's stack.
    pub(super) index: usize,
    pub(super) activation: Cow<'p, Activation>,
    pub(super) facts: &'static Facts,
    /// The frame pointer of this function's code.
    pub(super) fp: Register,
    pub(super) body: Body,
    /// The step it was left at: the one that was interrupted, or the call.
    pub(super) stop: usize,
    /// What is known to hold its content until the end.
    kept: RefCell<HashMap<Register, Rc<Reaching>>>,
    stack_pointers: RefCell<Option<Rc<Vec<Option<u64>>>>>,
    /// By instruction, see [`Self::foreign_calls`].
    foreign: RefCell<HashMap<Avma, Rc<[bool]>>>,
}

/// A number, and whether nothing else is possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) value: u64,
    pub(super) is_certain: bool,
    /// No register that it was made of may have got its content only later.
    pub(super) is_of_then: bool,
}

impl Known {
    fn certain(value: u64) -> Self {
        Self { value, is_certain: true, is_of_then: true }
    }
}

fn frame_pointer(process: &Process, facts: &Facts, body: &Body) -> Register {
    let decoder = body.steps.first().and_then(|step| process.decoder_at(step.address));
    decoder.map_or(facts.fp, |decoder| facts.frame_pointer(decoder))
}

impl<'p> Moment<'p> {
    /// Activation `index` of the crashed thread; `None` where its function is not known or
    /// it was not found by means that can be relied on.
    pub(super) fn new(process: &'p Process, thread: &'p Thread, index: usize) -> Option<Self> {
        let activation = thread.stack.frames.get(index)?;
        if activation.is_signal || activation.trust == Trust::Scan {
            return None;
        }
        Self::scanned(process, index, activation)
    }

    /// The same of one that was found by scanning: its registers mean nothing.
    pub(super) fn scanned(
        process: &'p Process,
        index: usize,
        activation: &'p Activation,
    ) -> Option<Self> {
        let facts = process.dump.machine.facts()?;
        let body = Body::around(process, activation.lookup_pc())?;
        let stop = match activation.left {
            Left::Interrupted => body.index_of(activation.pc)?,
            Left::Called => body.index_before(activation.pc)?,
        };
        Some(Self {
            process,
            index,
            activation: Cow::Borrowed(activation),
            facts,
            fp: frame_pointer(process, facts, &body),
            body,
            stop,
            kept: RefCell::default(),
            stack_pointers: RefCell::default(),
            foreign: RefCell::default(),
        })
    }

    /// A function that was left at step `stop` and is gone: nothing of its registers is
    /// known.
    pub(super) fn gone(process: &'p Process, body: Body, stop: usize) -> Option<Self> {
        let facts = process.dump.machine.facts()?;
        let activation = Activation {
            pc: body.steps.get(stop)?.address,
            cfa: None,
            registers: Registers::default(),
            trust: Trust::CallSite,
            left: Left::Interrupted,
            is_signal: false,
        };
        Some(Self {
            process,
            index: 0,
            activation: Cow::Owned(activation),
            facts,
            fp: frame_pointer(process, facts, &body),
            body,
            stop,
            kept: RefCell::default(),
            stack_pointers: RefCell::default(),
            foreign: RefCell::default(),
        })
    }

    /// Of the functions that the instruction at `at` belongs to, calls inlined into one
    /// another, the innermost first: which are of anything but the application.
    pub(super) fn foreign_calls(&self, at: Avma) -> Rc<[bool]> {
        if let Some(known) = self.foreign.borrow().get(&at) {
            return Rc::clone(known);
        }
        let modules = &self.process.modules;
        let found = modules.index_at(at).and_then(|index| {
            let there = modules.debug(index)?.frames_at(modules.get(index)?.to_svma(at));
            let is_foreign = |called| is_foreign_call(self.process, index, called);
            Some(there.iter().map(is_foreign).collect())
        });
        let found: Rc<[bool]> = found.unwrap_or_default();
        self.foreign.borrow_mut().insert(at, Rc::clone(&found));
        found
    }

    /// What the instruction it was left at does.
    pub(super) fn effects(&self) -> Option<Effects> {
        let step = self.body.steps.get(self.stop)?;
        let code = self.process.memory.read_up_to(step.address, usize::try_from(step.len).ok()?);
        effects(self.process.decoder_at(step.address)?, step.address, &code)
    }

    /// What may have written `slot` before step `from`.
    pub(super) fn reaching(&self, from: usize, slot: Slot) -> Reaching {
        self.body.reaching(from, slot, self.facts, |index, write| self.overlap(index, write, slot))
    }

    /// How a write to memory meets the slot. Only writes by way of the frame's own
    /// registers are looked at: what goes through another pointer would have to point into
    /// this frame.
    fn overlap(&self, index: usize, write: &Write, slot: Slot) -> Option<Overlap> {
        let (Target::Memory(operand), Slot::Memory(at, size)) = (write.to, slot) else {
            return None;
        };
        let base = operand.base?.register;
        if base != self.facts.sp && base != self.fp {
            return None;
        }
        let start = self.address(&operand, index)?.value;
        let written = operand.size.unwrap_or(u64::from(self.facts.word));
        if start <= at.0 && start.saturating_add(written) >= at.0.saturating_add(size) {
            return Some(if start == at.0 { Overlap::All } else { Overlap::Part });
        }
        let meets = start < at.0.saturating_add(size) && start.saturating_add(written) > at.0;
        meets.then_some(Overlap::Part)
    }

    /// The address of an operand of step `at`.
    pub(super) fn address(&self, operand: &MemoryOperand, at: usize) -> Option<Known> {
        self.address_within(operand, at, DEEPEST)
    }

    fn address_within(&self, operand: &MemoryOperand, at: usize, depth: usize) -> Option<Known> {
        let mut sum = Known::certain(operand.displacement.cast_unsigned());
        if let Some(base) = operand.base {
            let base = self.part_within(base, at, depth)?;
            sum.value = sum.value.wrapping_add(base.value);
            sum.is_certain &= base.is_certain;
            sum.is_of_then &= base.is_of_then;
        }
        if let Some((part, scale)) = operand.index {
            let index = self.part_within(part, at, depth)?;
            let value = operand.index_value(part, index.value);
            sum.value = sum.value.wrapping_add(value.wrapping_mul(scale));
            sum.is_certain &= index.is_certain;
            sum.is_of_then &= index.is_of_then;
        }
        if let Some(segment) = operand.segment {
            sum.value = sum.value.wrapping_add(self.activation.registers.get(segment)?);
        }
        if self.facts.word == 4 {
            sum.value &= u64::from(u32::MAX);
        }
        Some(sum)
    }

    /// What a part of a register held before step `at`.
    pub(super) fn part(&self, part: Part, at: usize) -> Option<Known> {
        self.part_within(part, at, DEEPEST)
    }

    fn part_within(&self, part: Part, at: usize, depth: usize) -> Option<Known> {
        let whole = self.register_within(part.register, at, depth)?;
        let value = low_bytes(whole.value.checked_shr(part.shift)?, part.size);
        Some(Known { value, ..whole })
    }

    fn register_within(&self, register: Register, at: usize, depth: usize) -> Option<Known> {
        if register == self.facts.sp {
            let value = self.stack_pointers().get(at).copied().flatten()?;
            return Some(Known::certain(value));
        }
        let kept = self.kept(register);
        if kept.holds_at(at)
            && let Some(value) = self.activation.registers.get(register)
        {
            let is_of_then = kept.definitions.len() == 1;
            return Some(Known { value, is_certain: is_of_then, is_of_then });
        }
        let depth = depth.checked_sub(1)?;
        let reaching = self.reaching(at, Slot::Register(register));
        let [Definition::Written(by, term)] = *reaching.definitions else { return None };
        let known = self.term_within(term, by, depth)?;
        Some(Known { is_certain: known.is_certain && self.body.is_whole(), ..known })
    }

    /// What step `by` wrote.
    pub(super) fn term(&self, term: Term, by: usize) -> Option<Known> {
        self.term_within(term, by, DEEPEST)
    }

    fn term_within(&self, term: Term, by: usize, depth: usize) -> Option<Known> {
        match term {
            Term::Constant(value) => Some(Known::certain(value)),
            Term::Register(part) => self.part_within(part, by, depth),
            Term::SignExtended(part, _) => {
                let known = self.part_within(part, by, depth)?;
                Some(Known { value: sign_extended(known.value, part.size), ..known })
            }
            Term::Address(operand) => self.address_within(&operand, by, depth),
            Term::Memory(operand) | Term::SignExtendedMemory(operand, _) => {
                let at = self.address_within(&operand, by, depth)?;
                let size = operand.size.filter(|size| *size <= 8)?;
                let mut bytes = [0; 8];
                let bytes = bytes.get_mut(..usize::try_from(size).ok()?)?;
                self.process.memory.read(Avma(at.value), bytes).ok()?;
                let value = self.process.memory.unsigned(bytes);
                let is_signed = matches!(term, Term::SignExtendedMemory(..));
                let value = if is_signed { sign_extended(value, size) } else { value };
                // It may have been written since.
                Some(Known { value, is_certain: false, ..at })
            }
            Term::Unknown => None,
        }
    }

    fn kept(&self, register: Register) -> Rc<Reaching> {
        if let Some(kept) = self.kept.borrow().get(&register) {
            return Rc::clone(kept);
        }
        let kept = Rc::new(self.reaching(self.stop, Slot::Register(register)));
        self.kept.borrow_mut().insert(register, Rc::clone(&kept));
        kept
    }

    /// The stack pointer before each step, as far as steps that move it by a constant lead
    /// back from the end.
    fn stack_pointers(&self) -> Rc<Vec<Option<u64>>> {
        if let Some(known) = &*self.stack_pointers.borrow() {
            return Rc::clone(known);
        }
        let sp = self.facts.sp;
        let mut known = vec![None; self.body.steps.len()];
        let mut open = Vec::new();
        if let Some(value) = self.activation.registers.get(sp) {
            open.push((self.stop, value));
        }
        while let Some((at, value)) = open.pop() {
            match known.get_mut(at) {
                Some(place @ None) => *place = Some(value),
                _ => continue,
            }
            for before in self.body.before(at) {
                let Some(step) = self.body.steps.get(*before) else { continue };
                let is_sp = |write: &&Write| matches!(write.to, Target::Register(part) if part.register == sp);
                let moved = match step.writes.iter().find(is_sp).map(|write| write.from) {
                    None => Some(0),
                    Some(Term::Address(MemoryOperand {
                        base: Some(base),
                        index: None,
                        segment: None,
                        displacement,
                        ..
                    })) if base.register == sp => Some(displacement),
                    Some(_) => None,
                };
                if let Some(moved) = moved {
                    open.push((*before, value.wrapping_sub(moved.cast_unsigned())));
                }
            }
        }
        let known = Rc::new(known);
        *self.stack_pointers.borrow_mut() = Some(Rc::clone(&known));
        known
    }

    /// Whether `at` lies among the locals and saved registers of this activation.
    pub(super) fn is_own(&self, at: Avma) -> bool {
        let sp = self.activation.registers.get(self.facts.sp);
        let (Some(sp), Some(cfa)) = (sp, self.activation.cfa) else { return false };
        at.0 >= sp.saturating_sub(RED_ZONE) && at < cfa
    }

    /// Whether `at` lies where a caller puts arguments that no register takes.
    pub(super) fn is_argument(&self, at: Avma) -> bool {
        const MOST_BYTES: u64 = 256;
        self.activation.cfa.is_some_and(|cfa| at >= cfa && at.0.saturating_sub(cfa.0) < MOST_BYTES)
    }
}

/// The low `size` bytes of `value`.
pub(super) fn low_bytes(value: u64, size: u64) -> u64 {
    match size.saturating_mul(8) {
        bits @ 0..64 => value & !(u64::MAX << bits),
        _ => value,
    }
}

fn sign_extended(value: u64, size: u64) -> u64 {
    match size.saturating_mul(8) {
        bits @ 1..64 => {
            let shift = 64 - bits;
            ((value << shift).cast_signed() >> shift).cast_unsigned()
        }
        _ => value,
    }
}
