//! The instructions of one function, and from where execution comes to each.

use obit_corefile::addr::Avma;
use obit_corefile::arch::Decoder;
use obit_disassembly::{InstructionKind, Next, Source, Step, Term, effects, steps};

const X86: Decoder = Decoder::X86 { bits: 64 };

/// The instructions of one function.
#[derive(Clone, Debug)]
pub struct Function {
    start: u64,
    steps: Vec<Step>,
    before: Vec<Vec<usize>>,
    /// Jumps whose target is not in the instruction: from where they take it.
    indirect: Vec<(usize, Option<Term>)>,
    /// Whether code outside of the function may jump there.
    from_outside: Vec<bool>,
    /// System calls and what else does more than its writes say.
    is_opaque: Vec<bool>,
}

impl Function {
    /// The function whose code lies at `start`. `None` where it is not instructions throughout,
    /// or a jump leads into the middle of one. `is_target` says whether code outside of the
    /// function may jump to an address.
    pub fn new(start: u64, code: &[u8], is_target: impl Fn(u64) -> bool) -> Option<Self> {
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
            from_outside: decoded.iter().map(|step| is_target(step.address.0)).collect(),
            is_opaque: Vec::new(),
            steps: decoded,
        };
        for index in 0..function.steps.len() {
            let step = function.steps.get(index)?;
            let at = usize::try_from(step.address.0.checked_sub(start)?).ok()?;
            let bytes = code.get(at..)?.get(..usize::try_from(step.len).ok()?)?;
            let is_opaque = bytes.windows(2).any(|two| matches!(two, [0x0f, 0x05 | 0x34]))
                || matches!(bytes, [0xcd, ..]);
            function.is_opaque.push(is_opaque);
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
        Some(function)
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

    pub(super) fn is_from_outside(&self, index: usize) -> bool {
        self.from_outside.get(index).copied().unwrap_or(true)
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
