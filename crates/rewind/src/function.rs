//! The instructions of one function, and from where execution comes to each.

use obit_corefile::addr::Avma;
use obit_corefile::arch::{Decoder, Register};
use obit_disassembly::{
    AccessMode, Arithmetic, Condition, InstructionKind, MemoryOperand, Next, Part, Source, Step,
    Target, Term, Write, arithmetic, effects, steps,
};
use std::rc::Rc;

use super::bits::mask;
use super::chain::{ALL, FLAGS, general};
use super::frame_register::{Frame, distances};

const X86: Decoder = Decoder::X86 { bits: 64 };

pub(super) const SP: Register = Register(7);

/// What one instruction does.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    pub(super) writes: Rc<[Write]>,
    pub(super) arithmetic: Arithmetic,
    /// The bits of each register that it may change.
    pub(super) written: [u64; ALL],
}

impl Code {
    fn of(step: &Step, bytes: &[u8]) -> Self {
        let writes = match step.next {
            Next::Calls(_) => called(step),
            _ => step.writes.as_slice().into(),
        };
        let unknown = Arithmetic { operation: None, condition: None, flags: Condition::FLAGS };
        let arithmetic = arithmetic(X86, step.address, bytes).unwrap_or(unknown);
        let mut written = [0; ALL];
        for write in writes.iter() {
            if let Target::Register(part) = write.to
                && let Some(number) = general(part.register)
                && let Some(bits) = written.get_mut(number)
            {
                *bits |= mask(part).unwrap_or(u64::MAX);
            }
        }
        if let Some(bits) = written.get_mut(FLAGS) {
            *bits = arithmetic.flags;
        }
        Self { writes, arithmetic, written }
    }

    pub(super) fn stores(&self) -> bool {
        self.writes.iter().any(|write| matches!(write.to, Target::Memory(_)))
    }
}

/// The instructions of one function.
#[derive(Clone, Debug)]
pub struct Function {
    start: u64,
    steps: Vec<Step>,
    before: Vec<Vec<usize>>,
    /// Jumps whose target is not in the instruction: from where they take it.
    indirect: Vec<(usize, Option<Term>)>,
    /// Where jumps of code outside of the function end that lead there.
    from_outside: Vec<Vec<u64>>,
    codes: Vec<Rc<Code>>,
    /// System calls and what else does more than its writes say.
    is_opaque: Vec<bool>,
    is_part: bool,
    /// The frame pointer and the stack pointer before each step.
    frames: Vec<Frame>,
}

impl Function {
    /// The function whose code lies at `start`. `None` where it is not instructions throughout,
    /// or a jump leads into the middle of one. `jumps_to` says where jumps of code outside
    /// of the function end that may lead to an address.
    /// `constant` has the words that are never written.
    pub fn new(
        start: u64,
        code: &[u8],
        jumps_to: impl Fn(u64) -> Vec<u64>,
        constant: impl Fn(u64) -> Option<u64>,
    ) -> Option<Self> {
        let decoded = steps(X86, Avma(start), code);
        let last = decoded.last()?;
        let end = start.checked_add(u64::try_from(code.len()).ok()?)?;
        if last.address.0.checked_add(last.len)? != end {
            return None;
        }
        let mut function = Self {
            start,
            before: vec![Vec::new(); decoded.len()],
            indirect: Vec::new(),
            from_outside: decoded.iter().map(|step| jumps_to(step.address.0)).collect(),
            codes: Vec::with_capacity(decoded.len()),
            is_opaque: Vec::new(),
            is_part: false,
            frames: Vec::new(),
            steps: decoded,
        };
        for index in 0..function.steps.len() {
            let step = function.steps.get_mut(index)?;
            let at = usize::try_from(step.address.0.checked_sub(start)?).ok()?;
            let bytes = code.get(at..)?.get(..usize::try_from(step.len).ok()?)?;
            let is_indirect = matches!(step.next, Next::Jumps(None) | Next::Calls(None));
            if is_indirect && let Some(Term::Memory(place)) = indirect_source(step, bytes) {
                let is_fixed = (place.base, place.index, place.segment) == (None, None, None);
                let place = place.displacement.cast_unsigned();
                let target = is_fixed.then(|| constant(place)).flatten().map(Avma);
                step.next = match step.next {
                    Next::Calls(_) => Next::Calls(target),
                    _ => Next::Jumps(target),
                };
            }
            // System calls, and beginnings of transactions, which may be undone.
            let is_opaque = bytes.windows(2).any(|two| matches!(two, [0x0f, 0x05 | 0x34]))
                || matches!(bytes, [0xcd, ..] | [0xc7, 0xf8, ..]);
            let step = function.steps.get(index)?;
            let made = Rc::new(Code::of(step, bytes));
            function.is_opaque.push(is_opaque);
            function.codes.push(made);
            let target = match step.next {
                Next::Jumps(None) => {
                    let from = indirect_source(step, bytes);
                    function.indirect.push((index, from));
                    None
                }
                Next::Jumps(target) => target,
                Next::Branches(target) => Some(target),
                Next::Falls | Next::Calls(_) | Next::Ends => None,
            };
            if let Some(target) = target.filter(|it| (start..end).contains(&it.0)) {
                let to = function.index_of(target.0)?;
                function.before.get_mut(to)?.push(index);
            }
            let falls = !matches!(function.steps.get(index)?.next, Next::Jumps(_) | Next::Ends);
            if falls && let Some(next) = function.before.get_mut(index.checked_add(1)?) {
                next.push(index);
            }
        }
        let is_open = |index: usize| {
            !function.indirect.is_empty() || !function.jumps_from_outside(index).is_empty()
        };
        function.frames = distances(&function.steps, |at| function.index_of(at), is_open);
        Some(function)
    }

    /// The same as a part of another function, which is entered by jumps only, or not.
    pub fn part(self, is_part: bool) -> Self {
        Self { is_part, ..self }
    }

    pub(super) fn is_part(&self) -> bool {
        self.is_part
    }

    /// Its first instruction.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// The step that begins at an address.
    pub fn index_of(&self, at: u64) -> Option<usize> {
        self.steps.binary_search_by_key(&at, |step| step.address.0).ok()
    }

    /// The step that ends at an address.
    pub fn index_before(&self, at: u64) -> Option<usize> {
        let index = self.steps.partition_point(|step| step.address.0 < at).checked_sub(1)?;
        let step = self.steps.get(index)?;
        (step.address.0.checked_add(step.len)? == at).then_some(index)
    }

    /// A step.
    pub fn step(&self, index: usize) -> Option<&Step> {
        self.steps.get(index)
    }

    /// All steps.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    pub(super) fn before(&self, index: usize) -> &[usize] {
        self.before.get(index).map(Vec::as_slice).unwrap_or_default()
    }

    pub(super) fn indirect(&self) -> &[(usize, Option<Term>)] {
        &self.indirect
    }

    pub(super) fn jumps_from_outside(&self, index: usize) -> &[u64] {
        self.from_outside.get(index).map(Vec::as_slice).unwrap_or_default()
    }

    /// Of a part of another function, nothing is known of where it is entered.
    pub(super) fn frame(&self, index: usize) -> Frame {
        self.frames.get(index).copied().filter(|_| !self.is_part).unwrap_or_default()
    }

    pub(super) fn code(&self, index: usize) -> Option<&Rc<Code>> {
        self.codes.get(index)
    }

    pub(super) fn is_opaque(&self, index: usize) -> bool {
        self.is_opaque.get(index).copied().unwrap_or(true)
    }

    /// Returns, and jumps to what is outside of it.
    pub(super) fn leaves(&self, index: usize) -> bool {
        let inside = |at: Avma| self.index_of(at.0).is_some();
        self.steps.get(index).is_some_and(|step| match step.next {
            Next::Ends => is_return(step),
            Next::Jumps(target) => !target.is_some_and(inside),
            Next::Branches(target) => !inside(target),
            Next::Falls | Next::Calls(_) => false,
        })
    }
}

/// Whether it returns: what ends otherwise moves no stack pointer.
pub(super) fn is_return(step: &Step) -> bool {
    step.next == Next::Ends && !step.writes.is_empty()
}

pub(super) fn at_stack_pointer(displacement: i64) -> MemoryOperand {
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

fn indirect_source(step: &Step, bytes: &[u8]) -> Option<Term> {
    let effects = effects(X86, step.address, bytes)?;
    match effects.kind {
        InstructionKind::IndirectBranch(Source::Register(part)) => Some(Term::Register(part)),
        InstructionKind::IndirectBranch(Source::Memory(nth)) => {
            effects.accesses.get(nth).map(|operand| Term::Memory(*operand))
        }
        _ => None,
    }
}
