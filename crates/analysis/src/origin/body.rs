//! The machine code of one function, as a graph in which values are followed backwards.

use obit_corefile::addr::Avma;
use obit_corefile::arch::{Decoder, Facts, Register};
use obit_disassembly::{Flavor, Next, Step, Target, Term, Write, first, steps};
use obit_dwarf::Language;
use obit_process::process::Process;

/// Bytes of a function that are decoded; larger ones are not followed.
const MOST_CODE: u64 = 64 << 10;
/// Bytes decoded beyond the pc where the function's end is not known.
const BEYOND: u64 = 256;

/// The instructions of one function.
pub(super) struct Body {
    pub(super) steps: Vec<Step>,
    /// For each step those that execution may come from.
    before: Vec<Vec<usize>>,
    /// Whether all ways to come to each step are known.
    is_whole: bool,
    /// It is a function of Go's, whose calls keep no register but the stack pointer and the
    /// goroutine (`cmd/compile/abi-internal.md`).
    is_go: bool,
}

/// The registers of arguments and results of Go on x86-64: rax, rbx, rcx, rdi, rsi, r8 to r11.
const OF_GO: [Register; 9] = [
    Register(0),
    Register(3),
    Register(2),
    Register(5),
    Register(4),
    Register(8),
    Register(9),
    Register(10),
    Register(11),
];
/// Where Go keeps the goroutine: r14.
const GOROUTINE: Register = Register(14);

/// Something whose content is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    /// A register.
    Register(Register),
    /// Memory.
    Memory(Avma, u64),
}

/// What gave a slot its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Definition {
    /// A step that wrote all of it, and what it wrote.
    Written(usize, Term),
    /// A call, which leaves something there.
    Called(usize),
    /// It was there when the function was entered.
    Entry,
    /// A step that wrote a part, or a place execution comes to in an unknown way.
    Lost,
}

/// All that may have given a slot its content, and the steps in between.
pub(super) struct Reaching {
    pub(super) definitions: Vec<Definition>,
    passed: Vec<bool>,
}

impl Reaching {
    /// Whether a way leads from before step `at` to the place asked from on which nothing
    /// writes the slot.
    pub(super) fn holds_at(&self, at: usize) -> bool {
        self.passed.get(at).copied().unwrap_or(false)
    }

    /// Whether it has what it had when the function was entered.
    pub(super) fn is_entry(&self) -> bool {
        matches!(*self.definitions, [Definition::Entry])
    }
}

impl Body {
    /// The function around `lookup`; `None` where neither a symbol nor debug information shows
    /// where it begins, or its code is not known here.
    pub(super) fn around(process: &Process, lookup: Avma) -> Option<Self> {
        let index = process.modules.index_at(lookup)?;
        let module = process.modules.get(index)?;
        let debug = process.modules.debug(index)?;
        let at = module.to_svma(lookup);
        let symbol = debug.symbol_at(at).filter(|symbol| symbol.offset < symbol.size);
        let (start, size) = match symbol {
            Some(symbol) => (symbol.address, Some(symbol.size)),
            None => (debug.scopes_at(at).entry?, None),
        };
        let known = at.0.checked_sub(start.0)?.saturating_add(BEYOND);
        let length = size.unwrap_or(known);
        if length > MOST_CODE {
            return None;
        }
        let code = process.memory.read_up_to(module.to_avma(start), usize::try_from(length).ok()?);
        let start = module.to_avma(start);
        let decoder = process.decoder_at(start)?;
        let mut body = Self::of(steps(decoder, start, &code), size.is_some())?;
        let there = debug.frames_at(at);
        body.is_go = decoder == (Decoder::X86 { bits: 64 })
            && there.iter().any(|frame| frame.language == Some(Language::Go));
        body.without_padding(|step| {
            let into = step.address.0.checked_sub(start.0).and_then(|at| usize::try_from(at).ok());
            let code = into.and_then(|into| code.get(into..)).unwrap_or_default();
            let decoded = first(decoder, Flavor::default(), step.address, code);
            decoded.is_some_and(|instruction| is_padding(&instruction.text))
        });
        body.without_restarts(|target| {
            let symbol = debug.symbol_at(module.to_svma(target));
            symbol.is_some_and(|symbol| symbol.name.starts_with("runtime.morestack"))
        });
        Some(body)
    }

    /// What aligns code behind the end of other code is not executed: nothing comes from there.
    /// Other code that nothing leads to may be a landing pad.
    fn without_padding(&mut self, is_padding: impl Fn(&Step) -> bool) {
        let mut is_behind_end = false;
        for index in 0..self.steps.len() {
            let Some(step) = self.steps.get(index) else { return };
            let is_unreached = index > 0 && self.before(index).is_empty();
            if is_behind_end && is_unreached && is_padding(step) {
                let next = self.before.get_mut(index + 1);
                next.into_iter().for_each(|before| before.retain(|from| *from != index));
                continue;
            }
            is_behind_end = matches!(step.next, Next::Jumps(_) | Next::Ends);
        }
    }

    /// A function of Go's that finds its stack too small calls `morestack` and begins again,
    /// with the same arguments: no value comes from there.
    fn without_restarts(&mut self, is_morestack: impl Fn(Avma) -> bool) {
        /// Loads of arguments that are between the call and the jump.
        const MOST_LOADS: usize = 24;
        let restarts = |index: &usize| {
            let is_jump =
                self.steps.get(*index).is_some_and(|it| matches!(it.next, Next::Jumps(_)));
            let before = self.steps.get(..*index).unwrap_or_default().iter().rev();
            let called = before.take(MOST_LOADS).find_map(|step| match step.next {
                Next::Falls => None,
                Next::Calls(target) => Some(target),
                Next::Jumps(_) | Next::Branches(_) | Next::Ends => Some(None),
            });
            is_jump && called.flatten().is_some_and(&is_morestack)
        };
        let first = self.before.first().into_iter().flatten();
        let first: Vec<usize> = first.copied().filter(|index| !restarts(index)).collect();
        if let Some(before) = self.before.first_mut() {
            *before = first;
        }
    }

    pub(super) fn of(steps: Vec<Step>, is_whole: bool) -> Option<Self> {
        if steps.is_empty() {
            return None;
        }
        let mut body =
            Self { before: vec![Vec::new(); steps.len()], steps, is_whole, is_go: false };
        for index in 0..body.steps.len() {
            let step = body.steps.get(index)?;
            let jump = match step.next {
                Next::Jumps(target) => target,
                Next::Branches(target) => Some(target),
                Next::Falls | Next::Calls(_) | Next::Ends => None,
            };
            let falls = !matches!(step.next, Next::Jumps(_) | Next::Ends);
            if matches!(step.next, Next::Jumps(None)) {
                body.is_whole = false;
            }
            let target = jump.and_then(|target| body.index_of(target));
            let next = Some(index + 1).filter(|next| falls && *next < body.steps.len());
            for to in target.into_iter().chain(next) {
                body.before.get_mut(to)?.push(index);
            }
        }
        Some(body)
    }

    /// The step that begins at `address`.
    pub(super) fn index_of(&self, address: Avma) -> Option<usize> {
        self.steps.binary_search_by_key(&address, |step| step.address).ok()
    }

    /// The step that ends at `address`: the call that returns there.
    pub(super) fn index_before(&self, address: Avma) -> Option<usize> {
        let next = self.steps.partition_point(|step| step.address < address);
        let index = next.checked_sub(1)?;
        let step = self.steps.get(index)?;
        (step.address.0.checked_add(step.len)? == address.0).then_some(index)
    }

    /// The steps that execution may come from to step `at`.
    pub(super) fn before(&self, at: usize) -> &[usize] {
        self.before.get(at).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether callers pass arguments in the register.
    pub(super) fn is_argument(&self, register: Register, facts: &Facts) -> bool {
        match self.is_go {
            true => OF_GO.contains(&register),
            false => facts.arguments.contains(&register),
        }
    }

    /// Whether a call that this function made leaves a result in the register.
    pub(super) fn is_result(&self, register: Register, facts: &Facts) -> bool {
        match self.is_go {
            true => OF_GO.contains(&register),
            false => facts.result == Some(register),
        }
    }

    /// Whether a caller finds in the register what it left there.
    pub(super) fn keeps(&self, register: Register, facts: &Facts) -> bool {
        !self.is_go && facts.is_callee_saved(register)
    }

    /// Whether all ways through the function are known.
    pub(super) fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// Whether all ways from step `at` to step `to` are known and none passes a call.
    pub(super) fn has_no_call_between(&self, at: usize, to: usize) -> bool {
        let mut seen = vec![false; self.steps.len()];
        let mut open = if at == to { Vec::new() } else { self.before(to).to_vec() };
        while let Some(index) = open.pop() {
            let Some(is_seen) = seen.get_mut(index) else { return false };
            if index == at || std::mem::replace(is_seen, true) {
                continue;
            }
            if self.steps.get(index).is_none_or(|step| matches!(step.next, Next::Calls(_))) {
                return false;
            }
            open.extend(self.before(index));
        }
        self.is_whole
    }

    /// Goes backwards from before step `from`, along all ways, to what wrote `slot`.
    /// `hit` decides what a write to memory does to the slot.
    pub(super) fn reaching(
        &self,
        from: usize,
        slot: Slot,
        facts: &Facts,
        hit: impl Fn(usize, &Write) -> Option<Overlap>,
    ) -> Reaching {
        let mut reaching =
            Reaching { definitions: Vec::new(), passed: vec![false; self.steps.len()] };
        let mut open = vec![from];
        let mut add = |found: Definition| {
            if !reaching.definitions.contains(&found) {
                reaching.definitions.push(found);
            }
        };
        while let Some(at) = open.pop() {
            match reaching.passed.get_mut(at) {
                Some(passed) if !*passed => *passed = true,
                _ => continue,
            }
            let before = self.before(at);
            if at == 0 {
                add(Definition::Entry);
            } else if before.is_empty() {
                add(Definition::Lost);
            }
            for index in before {
                match self.written(*index, slot, facts, &hit) {
                    Some(found) => add(found),
                    None => open.push(*index),
                }
            }
        }
        reaching
    }

    fn written(
        &self,
        index: usize,
        slot: Slot,
        facts: &Facts,
        hit: &impl Fn(usize, &Write) -> Option<Overlap>,
    ) -> Option<Definition> {
        let step = self.steps.get(index)?;
        let mut found = None;
        for write in &step.writes {
            let overlap = match (write.to, slot) {
                (Target::Register(part), Slot::Register(wanted)) if part.register == wanted => {
                    let is_all = part.shift == 0 && part.size >= u64::from(facts.word);
                    Some(if is_all { Overlap::All } else { Overlap::Part })
                }
                (Target::Memory(_), Slot::Memory(..)) => hit(index, write),
                _ => None,
            };
            match overlap {
                Some(Overlap::All) => found = Some(Definition::Written(index, write.from)),
                Some(Overlap::Part) => return Some(Definition::Lost),
                None => {}
            }
        }
        let keeps = |register| match self.is_go {
            true => register == GOROUTINE,
            false => facts.is_callee_saved(register),
        };
        let clobbers = |register| !keeps(register) && register != facts.sp;
        match (found, step.next, slot) {
            (Some(found), _, _) => Some(found),
            (None, Next::Calls(_), Slot::Register(register)) if clobbers(register) => {
                Some(Definition::Called(index))
            }
            _ => None,
        }
    }
}

/// How much of a slot is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Overlap {
    All,
    Part,
}

/// Whether an instruction does nothing, by its text. `endbr64` begins what is jumped to.
fn is_padding(text: &str) -> bool {
    let mut words = text.split_whitespace().skip_while(|word| matches!(*word, "data16" | "cs"));
    match words.next() {
        Some("xchg") => words.next() == Some("%ax,%ax"),
        Some("int3" | "nop" | "nopw" | "nopl" | "c.nop") => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use obit_corefile::arch::Machine;
    use obit_disassembly::Part;

    const RAX: Register = Register(0);
    const RBX: Register = Register(3);

    /// Steps of one byte each: what is written, and where execution goes on.
    fn body(steps: &[(Option<(Register, Term)>, Next)]) -> Body {
        let steps = steps.iter().zip(0x1000..).map(|((write, next), at)| {
            let whole = |register| Target::Register(Part { register, shift: 0, size: 8 });
            let write = write.map(|(register, from)| Write { to: whole(register), from });
            Step { address: Avma(at), len: 1, writes: write.into_iter().collect(), next: *next }
        });
        Body::of(steps.collect(), true).unwrap()
    }

    fn definitions(body: &Body, from: usize, register: Register) -> Vec<Definition> {
        let facts = Machine::X86_64.facts().unwrap();
        let reaching = body.reaching(from, Slot::Register(register), facts, |_, _| None);
        reaching.definitions
    }

    fn number(register: Register, value: u64) -> Option<(Register, Term)> {
        Some((register, Term::Constant(value)))
    }

    #[test]
    fn code_that_only_aligns_other_code_leads_nowhere() {
        let code = [
            (None, Next::Branches(Avma(0x1004))),
            (None, Next::Ends),
            (None, Next::Falls),
            (None, Next::Falls),
            (None, Next::Falls),
        ];
        let mut padded = body(&code);
        padded.without_padding(|_| true);
        assert_eq!(definitions(&padded, 4, RAX), [Definition::Entry]);
        // A landing pad is no padding.
        let mut landing = body(&code);
        landing.without_padding(|step| step.address == Avma(0x1002));
        assert_eq!(definitions(&landing, 4, RAX).len(), 2);
        assert!(is_padding("nopw 0x0(%rax,%rax,1)") && is_padding("xchg %ax,%ax"));
        assert!(!is_padding("endbr64") && !is_padding("test %eax,%eax"));
    }

    #[test]
    fn what_is_loaded_again_for_a_larger_stack_is_no_definition() {
        let code = [
            (None, Next::Branches(Avma(0x1003))),
            (None, Next::Falls),
            (None, Next::Ends),
            (None, Next::Calls(Some(Avma(0x9000)))),
            (number(RAX, 0), Next::Falls),
            (None, Next::Jumps(Some(Avma(0x1000)))),
        ];
        let mut restarted = body(&code);
        restarted.without_restarts(|target| target == Avma(0x9000));
        assert_eq!(definitions(&restarted, 1, RAX), [Definition::Entry]);
        // Any other call in a loop may be followed by another round.
        let mut looping = body(&code);
        looping.without_restarts(|target| target == Avma(0x8000));
        assert_eq!(definitions(&looping, 1, RAX).len(), 2);
    }

    #[test]
    fn a_call_on_any_way_between_two_steps_is_seen() {
        let back = Next::Branches(Avma(0x1000));
        let straight = body(&[(None, Next::Falls), (None, Next::Falls), (None, Next::Calls(None))]);
        assert!(straight.has_no_call_between(0, 2));
        assert!(straight.has_no_call_between(2, 2));
        let call = body(&[(None, Next::Falls), (None, Next::Calls(None)), (None, Next::Falls)]);
        assert!(!call.has_no_call_between(0, 2));
        // The call is behind the use, and leads to it again.
        let around = body(&[
            (None, Next::Falls),
            (None, Next::Falls),
            (None, Next::Calls(None)),
            (None, back),
            (None, Next::Ends),
        ]);
        assert!(!around.has_no_call_between(4, 1));
        assert!(around.has_no_call_between(0, 1));
        let lost = Body::of(straight.steps, false).unwrap();
        assert!(!lost.has_no_call_between(0, 2));
    }

    #[test]
    fn the_last_write_on_a_straight_way_is_the_only_definition() {
        let body = body(&[
            (number(RAX, 1), Next::Falls),
            (number(RAX, 2), Next::Falls),
            (number(RBX, 3), Next::Falls),
            (None, Next::Ends),
        ]);
        let expected = Definition::Written(1, Term::Constant(2));
        assert_eq!(definitions(&body, 3, RAX), [expected]);
    }

    #[test]
    fn both_arms_of_a_branch_define() {
        let body = body(&[
            (None, Next::Branches(Avma(0x1003))),
            (number(RAX, 1), Next::Falls),
            (None, Next::Jumps(Some(Avma(0x1004)))),
            (number(RAX, 2), Next::Falls),
            (None, Next::Ends),
        ]);
        let found = definitions(&body, 4, RAX);
        assert_eq!(found.len(), 2);
        assert!(found.contains(&Definition::Written(1, Term::Constant(1))));
        assert!(found.contains(&Definition::Written(3, Term::Constant(2))));
    }

    #[test]
    fn a_loop_ends_and_what_it_writes_counts_beside_what_was_there() {
        let body = body(&[
            (None, Next::Falls),
            (number(RAX, 1), Next::Branches(Avma(0x1000))),
            (None, Next::Ends),
        ]);
        let found = definitions(&body, 0, RAX);
        assert!(found.contains(&Definition::Entry) && found.len() == 2, "{found:?}");
    }

    #[test]
    fn a_call_leaves_what_callees_must_keep() {
        let body = body(&[
            (number(RAX, 1), Next::Falls),
            (number(RBX, 2), Next::Falls),
            (None, Next::Calls(None)),
            (None, Next::Ends),
        ]);
        assert_eq!(definitions(&body, 3, RAX), [Definition::Called(2)]);
        assert_eq!(definitions(&body, 3, RBX), [Definition::Written(1, Term::Constant(2))]);
    }

    #[test]
    fn code_that_nothing_leads_to_is_no_source() {
        let body = body(&[(None, Next::Ends), (None, Next::Ends)]);
        assert_eq!(definitions(&body, 1, RAX), [Definition::Lost]);
    }
}
