//! The way back from the use of a value to where it was made or loaded.

use super::accessor::is_accessor;
use super::address::Culprit;
use super::body::{Definition, Reaching, Slot};
use super::moment::low_bytes;
use super::names::{Named, Names, Returned, argument_registers};
use super::{Origin, Source, Wanted};
use obit_corefile::addr::Avma;
use obit_corefile::arch::Register;
use obit_disassembly as disassembly;
use obit_disassembly::{MemoryOperand, Next, Part, Term};
use obit_dwarf::SourceLocation;
use obit_process::process::{Process, Thread};

/// Definitions that are followed to compute one number.
const DEEPEST: usize = 12;
/// Steps from one definition to the one before.
const MOST_STEPS: usize = 96;

/// What the way back leads through.
pub(super) struct Trace<'t> {
    pub(super) process: &'t Process,
    pub(super) thread: &'t Thread,
    /// The words of an activation; `None` where its code cannot be followed.
    pub(super) names: &'t dyn Fn(usize) -> Option<Names<'t>>,
}

/// A value at one place on the way back: what is in `slot` before step `at`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) activation: usize,
    pub(super) at: usize,
    pub(super) slot: Slot,
    /// What it was, where that is known.
    pub(super) value: Option<u64>,
}

/// What the way back ended at.
pub(super) struct End {
    pub(super) activation: usize,
    /// The step there.
    pub(super) at: usize,
    pub(super) source: Source,
    pub(super) expression: Option<String>,
    /// See [`Origin::kept_in`].
    pub(super) kept_in: Option<String>,
    /// See [`Origin::is_of_callee`].
    pub(super) is_of_callee: bool,
    /// See [`Named::depth`](super::names::Named::depth).
    pub(super) depth: Option<usize>,
    /// The operand it was loaded by.
    pub(super) operand: Option<MemoryOperand>,
    /// What it was there.
    pub(super) value: Option<u64>,
    /// It is not the pointer but what was added to one.
    pub(super) is_index: bool,
    /// Something was added to it on the way, or it was multiplied.
    pub(super) is_part: bool,
    /// See [`Origin::is_reference`].
    pub(super) is_reference: bool,
    pub(super) is_certain: bool,
}

impl<'t> Trace<'t> {
    /// Where what `wanted` asks for came from.
    pub(super) fn origin(&self, activation: usize, wanted: Wanted) -> Option<Origin> {
        let names = (self.names)(activation)?;
        let stop = names.moment.stop;
        let (value, is_index, end) = match wanted {
            Wanted::Address(operand) => {
                let sum = names.moment.address(&operand, stop).map(|known| known.value);
                let culprit = self.culprit(&names, stop, &operand, sum)?;
                let place = self.part(&names, culprit.part);
                let end = match culprit.is_index {
                    true => self.follow_index(place)?,
                    false => self.follow(place)?,
                };
                let end = End { is_certain: end.is_certain && culprit.is_certain, ..end };
                (place.value, culprit.is_index, end)
            }
            Wanted::Operand(disassembly::Source::Register(part)) => {
                let place = self.part(&names, part);
                (place.value, false, self.follow_number(place)?)
            }
            Wanted::Passed(bad) => {
                let registers = argument_registers(self.process.dump.machine).iter();
                let mut values = registers.filter_map(|register| {
                    Some((*register, self.value(&names, *register, stop, DEEPEST)?))
                });
                let (register, value) = values.find(|(_, value)| bad.contains(&Some(*value)))?;
                let slot = Slot::Register(register);
                let value = Some(value);
                let place = Place { activation, at: stop, slot, value };
                (value, false, self.follow(place)?)
            }
            Wanted::Operand(disassembly::Source::Memory(nth)) => {
                let operand = *names.moment.effects()?.accesses.get(nth)?;
                let term = Term::Memory(operand);
                let value = names.moment.term(term, stop).map(|known| known.value);
                (value, false, self.in_memory(&names, operand, stop, value)?)
            }
        };
        // Where a part was split off later, the value was that of the sum.
        let value = value.filter(|_| (is_index || !end.is_index) && !end.is_part);
        let (value, is_index) = (end.value.or(value), is_index || end.is_index);
        let member = match wanted {
            Wanted::Address(operand) if !is_index => names.wanted(stop, &operand),
            Wanted::Address(_) | Wanted::Operand(_) | Wanted::Passed(_) => None,
        };
        let (base, through) = self.led_by(&end);
        let made = (self.names)(end.activation)?;
        let at = made.moment.body.steps.get(end.at)?.address;
        let (frame, gone) = self.place(end.activation, at, end.depth)?;
        let is_direct = end.activation == activation
            && !matches!(wanted, Wanted::Passed(_))
            && names.moment.body.has_no_call_between(end.at, stop);
        // Compilers put the making of a constant anywhere.
        let line = self.line(at, frame).filter(|_| gone.is_none());
        let is_astray = end.source == Source::Constant && gone.is_some();
        let gone = gone.filter(|_| !is_astray);
        Some(Origin {
            frame,
            gone,
            at,
            line,
            value,
            is_index,
            is_part: end.is_part,
            is_thread_local: end.operand.is_some_and(|operand| operand.segment.is_some()),
            source: end.source,
            expression: end.expression,
            kept_in: end.kept_in,
            is_reference: end.is_reference,
            is_of_callee: end.is_of_callee,
            member,
            base,
            through,
            is_certain: end.is_certain && !is_astray,
            is_direct,
        })
    }

    /// What an operand in memory held: a local variable is followed on.
    fn in_memory(
        &self,
        names: &Names<'t>,
        operand: MemoryOperand,
        at: usize,
        value: Option<u64>,
    ) -> Option<End> {
        let address = names.moment.address(&operand, at).map(|known| Avma(known.value));
        match (address.filter(|address| names.moment.is_own(*address)), operand.size) {
            (Some(address), Some(size)) => self.follow_number(Place {
                activation: names.moment.index,
                at,
                slot: Slot::Memory(address, size),
                value,
            }),
            _ => self.load(names, Term::Memory(operand), at, None, true),
        }
    }

    fn part(&self, names: &Names<'t>, part: Part) -> Place {
        let moment = names.moment;
        Place {
            activation: moment.index,
            at: moment.stop,
            slot: Slot::Register(part.register),
            value: moment.part(part, moment.stop).map(|known| known.value),
        }
    }

    /// Goes back from `place` to the end of the way of a pointer.
    pub(super) fn follow(&self, place: Place) -> Option<End> {
        self.follow_as(place, false, false)
    }

    /// The same of an index.
    fn follow_index(&self, place: Place) -> Option<End> {
        self.follow_as(place, true, false)
    }

    /// The same of a number: a sum is another number than what it was made of.
    fn follow_number(&self, place: Place) -> Option<End> {
        self.follow_as(place, false, true)
    }

    fn follow_as(&self, mut place: Place, mut is_index: bool, is_number: bool) -> Option<End> {
        let mut expression: Option<String> = None;
        let (mut is_certain, mut is_of_callee) = (true, false);
        let mut is_part = false;
        for _ in 0..MOST_STEPS {
            let names = (self.names)(place.activation)?;
            if let Some(named) = names.variable(place.at, place.slot) {
                expression = Some(named.text);
                is_of_callee = false;
            }
            let ended = |source: Source, at: usize, expression: Option<String>, is_certain| End {
                activation: place.activation,
                at,
                source,
                is_of_callee: is_of_callee && expression.is_some(),
                expression,
                kept_in: None,
                depth: None,
                operand: None,
                value: place.value,
                is_index,
                is_part,
                is_reference: false,
                is_certain,
            };
            let reaching = names.moment.reaching(place.at, place.slot);
            is_certain &= names.moment.body.is_whole();
            // A function that got a variable's address may have written it.
            is_certain &= match place.slot {
                Slot::Memory(at, _) => !self.is_lent(&names, at),
                Slot::Register(_) => true,
            };
            let Some(definition) = self.choose(&names, &place, &reaching, &mut is_certain) else {
                let source = match place.slot {
                    Slot::Memory(at, _)
                        if reaching.definitions.contains(&Definition::Entry)
                            && !names.moment.is_argument(at)
                            && !self.is_lent(&names, at) =>
                    {
                        Source::MaybeNeverSet
                    }
                    _ => Source::Unclear,
                };
                return Some(ended(source, place.at, expression, false));
            };
            match definition {
                Definition::Lost => {
                    return Some(ended(Source::Computed, place.at, expression, false));
                }
                Definition::Called(by) => {
                    let moment = names.moment;
                    let is_result = |register| moment.body.is_result(register, moment.facts);
                    if !matches!(place.slot, Slot::Register(register) if is_result(register)) {
                        return Some(ended(Source::Unclear, by, expression, false));
                    }
                    // An accessor of a container only finds its way in it.
                    if let Some(Returned { named, is_reference, .. }) = names.accessed(by) {
                        let end = ended(
                            Source::Loaded { address: None },
                            by,
                            Some(named.text),
                            is_certain,
                        );
                        let depth = named.depth;
                        return Some(End { depth, is_reference, is_of_callee: false, ..end });
                    }
                    // What an accessor returned is what the object holds, whose name is not known.
                    let function = names.called(by).filter(|name| !is_accessor(name));
                    let kept = names.variable(by + 1, place.slot).map(|named| named.text);
                    let expression = expression.or(kept);
                    let source = Source::Returned { function };
                    return Some(ended(source, by, expression, is_certain));
                }
                Definition::Written(by, term) => match term {
                    Term::Constant(_) => {
                        return Some(ended(Source::Constant, by, expression, is_certain));
                    }
                    Term::Unknown => {
                        return Some(ended(Source::Computed, by, expression, is_certain));
                    }
                    Term::Register(part) | Term::SignExtended(part, _) => {
                        let is_whole = part.shift == 0;
                        if !is_whole {
                            return Some(ended(Source::Computed, by, expression, is_certain));
                        }
                        let word = u64::from(names.moment.facts.word);
                        place.value = place.value.filter(|_| part.size >= word);
                        place.at = by;
                        place.slot = Slot::Register(part.register);
                    }
                    Term::Address(_) if is_number => {
                        return Some(ended(Source::Computed, by, expression, is_certain));
                    }
                    Term::Address(operand) => {
                        let culprit = match is_index {
                            true => self.largest(&names, by, &operand, place.value),
                            false => self.culprit(&names, by, &operand, place.value),
                        };
                        let Some(culprit) = culprit else {
                            return Some(ended(Source::Computed, by, expression, is_certain));
                        };
                        let Culprit { part, scale, .. } = culprit;
                        is_index |= culprit.is_index;
                        is_certain &= culprit.is_certain;
                        is_part |= operand.index.is_some() || operand.displacement != 0;
                        place.value = self.share(&names, by, &operand, part, scale, place.value);
                        place.at = by;
                        place.slot = Slot::Register(part.register);
                    }
                    Term::Memory(operand) | Term::SignExtendedMemory(operand, _) => {
                        let address = names.moment.address(&operand, by);
                        let facts = names.moment.facts;
                        let is_frame = operand.base.is_some_and(|base| {
                            base.register == facts.sp || base.register == names.moment.fp
                        });
                        let local = address.filter(|at| {
                            let (at, is_of_then) = (Avma(at.value), at.is_of_then);
                            if !is_frame && is_of_then && self.is_dead(at) {
                                return false;
                            }
                            // Beyond the frame only what it reaches by its own registers.
                            names.moment.is_own(at) || is_frame && names.moment.is_argument(at)
                        });
                        let Some((at, size)) = local.zip(operand.size) else {
                            let kept_in = expression.clone().filter(|_| !is_of_callee);
                            let end = self.load(&names, term, by, expression, is_certain)?;
                            let is_of_callee = is_of_callee && end.is_of_callee;
                            let end = End { kept_in, value: place.value, is_of_callee, ..end };
                            return Some(End { is_index, is_part, ..end });
                        };
                        is_certain &= at.is_certain;
                        let slot = Slot::Memory(Avma(at.value), size);
                        // A member of a record was loaded, wherever the record lies.
                        if let Some(part) = names.variable(by, slot).filter(Named::is_part) {
                            let source = Source::Loaded { address: Some(Avma(at.value)) };
                            let end = ended(source, by, Some(part.text), is_certain);
                            return Some(End { is_of_callee: false, ..end });
                        }
                        place.slot = slot;
                        place.at = by;
                        place.value = place.value.filter(|_| size >= u64::from(facts.word));
                    }
                },
                Definition::Entry => {
                    if expression.is_none() {
                        // Where it is used, optimised code may call it its value at entry.
                        expression = names.variable(0, place.slot).map(|named| named.text);
                    }
                    if let Slot::Memory(at, _) = place.slot
                        && !names.moment.is_argument(at)
                    {
                        let source = match self.is_lent(&names, at) {
                            true => Source::Unclear,
                            false => Source::NeverSet,
                        };
                        let is_certain = is_certain && source == Source::NeverSet;
                        return Some(ended(source, place.at, expression, is_certain));
                    }
                    match self.caller(&names, &place) {
                        Some((caller, is_sure)) => {
                            is_certain &= is_sure;
                            is_of_callee |= expression.is_some();
                            place = caller;
                        }
                        None => return Some(ended(Source::Passed, 0, expression, false)),
                    }
                }
            }
        }
        None
    }

    /// The end at a load from memory that outlives the frame.
    fn load(
        &self,
        names: &Names<'t>,
        term: Term,
        by: usize,
        held: Option<String>,
        is_certain: bool,
    ) -> Option<End> {
        let (Term::Memory(operand) | Term::SignExtendedMemory(operand, _)) = term else {
            return None;
        };
        let known = names.moment.address(&operand, by);
        let address = known.map(|known| Avma(known.value));
        // What a call left in a register may point anywhere.
        let dead = known.filter(|known| known.is_of_then).map(|known| Avma(known.value));
        let named = names.memory(by, &operand);
        Some(End {
            activation: names.moment.index,
            at: by,
            source: match dead.filter(|at| self.is_dead(*at)) {
                Some(address) => Source::DeadFrame { address },
                None => Source::Loaded { address },
            },
            depth: named.as_ref().and_then(|named| named.depth),
            is_of_callee: named.is_none() && held.is_some(),
            expression: named.map(|named| named.text).or(held),
            kept_in: None,
            operand: Some(operand),
            value: None,
            is_index: false,
            is_part: false,
            is_reference: false,
            is_certain,
        })
    }

    /// Of several definitions the one that agrees with what the value was.
    fn choose(
        &self,
        names: &Names<'t>,
        place: &Place,
        reaching: &Reaching,
        is_certain: &mut bool,
    ) -> Option<Definition> {
        let size = match place.slot {
            Slot::Register(_) => 8,
            Slot::Memory(_, size) => size,
        };
        // `None` where it agrees or nothing is known, else whether it surely does not.
        let disagrees = |definition: &Definition| {
            let value = place.value?;
            let known = match *definition {
                Definition::Written(by, term) => names.moment.term(term, by)?,
                Definition::Entry => self.passed(names, place)?,
                Definition::Called(_) | Definition::Lost => return None,
            };
            let is_other = low_bytes(known.value, size) != low_bytes(value, size);
            is_other.then_some(known.is_certain)
        };
        if let [only] = *reaching.definitions {
            let disagrees = disagrees(&only);
            *is_certain &= disagrees.is_none();
            return (disagrees != Some(true)).then_some(only);
        }
        *is_certain = false;
        let agrees = |definition: &&Definition| disagrees(definition).is_none();
        let mut left = reaching.definitions.iter().filter(agrees);
        let first = left.next()?;
        left.next().is_none().then_some(*first)
    }

    /// What a register held before step `at`, looked for in callers too.
    pub(super) fn value(
        &self,
        names: &Names<'t>,
        register: Register,
        at: usize,
        depth: usize,
    ) -> Option<u64> {
        if let Some(known) = names.moment.part(Part { register, shift: 0, size: 8 }, at) {
            return Some(known.value);
        }
        let depth = depth.checked_sub(1)?;
        let reaching = names.moment.reaching(at, Slot::Register(register));
        match *reaching.definitions {
            [Definition::Entry] => {
                let slot = Slot::Register(register);
                let here = Place { activation: names.moment.index, at, slot, value: None };
                let (caller, _) = self.caller(names, &here)?;
                let names = (self.names)(caller.activation)?;
                self.value(&names, register, caller.at, depth)
            }
            [Definition::Written(by, Term::Register(part))] if part.shift == 0 => {
                let value = self.value(names, part.register, by, depth)?;
                Some(low_bytes(value, part.size))
            }
            [Definition::Written(by, Term::Address(operand))] => {
                self.address(names, &operand, by, depth)
            }
            [Definition::Written(by, Term::Memory(operand))] => {
                let address = Avma(self.address(names, &operand, by, depth)?);
                let mut bytes = [0; 8];
                let bytes = bytes.get_mut(..usize::try_from(operand.size?).ok()?)?;
                self.process.memory.read(address, bytes).ok()?;
                Some(self.process.memory.unsigned(bytes))
            }
            _ => None,
        }
    }

    fn address(
        &self,
        names: &Names<'t>,
        operand: &MemoryOperand,
        at: usize,
        depth: usize,
    ) -> Option<u64> {
        if operand.segment.is_some() || operand.index.is_some() {
            return None;
        }
        let base = self.value(names, operand.base?.register, at, depth)?;
        Some(base.wrapping_add(operand.displacement.cast_unsigned()))
    }

    /// What the caller had in the slot at its call.
    fn passed(&self, names: &Names<'t>, place: &Place) -> Option<super::moment::Known> {
        let (caller, _) = self.caller(names, place)?;
        let Slot::Register(register) = caller.slot else { return None };
        let names = (self.names)(caller.activation)?;
        names.moment.part(Part { register, shift: 0, size: 8 }, caller.at)
    }

    /// The same slot in the caller, at its call, and whether that call is sure to have
    /// entered this function.
    fn caller(&self, names: &Names<'t>, place: &Place) -> Option<(Place, bool)> {
        let end = self.thread.frames.partition_point(|frame| frame.activation <= place.activation);
        let physical = end.checked_sub(1).and_then(|at| self.thread.frames.get(at))?;
        // The function that jumped here set the registers, and has no frame any more.
        if physical.activation != place.activation || !physical.tail_calls.is_empty() {
            return None;
        }
        if let Slot::Register(register) = place.slot
            && !names.moment.body.is_argument(register, names.moment.facts)
            && !names.moment.body.keeps(register, names.moment.facts)
        {
            return None;
        }
        let activation = place.activation.checked_add(1)?;
        let caller = (self.names)(activation)?;
        if caller.moment.activation.left != obit_process::unwind::Left::Called {
            return None;
        }
        let at = caller.moment.stop;
        let entry = names.moment.body.steps.first()?.address;
        let is_sure = match caller.moment.body.steps.get(at)?.next {
            Next::Calls(Some(target)) if target == entry => true,
            Next::Calls(Some(target)) => match super::stub::target(self.process, target) {
                // Else another function jumped here.
                Some(called) => called == entry,
                None if caller.called(at).is_some() => return None,
                None => false,
            },
            Next::Calls(None) => false,
            _ => return None,
        };
        Some((Place { activation, at, ..*place }, is_sure))
    }

    /// Whether `at` lies on the crashed thread's stack below all its frames.
    fn is_dead(&self, at: Avma) -> bool {
        let Some(facts) = self.process.dump.machine.facts() else { return false };
        let Some(range) = self.process.memory.range_at(at) else { return false };
        let frames = self.thread.stack.frames.iter();
        let here = frames
            .filter_map(|frame| frame.registers.get(facts.sp))
            .filter(|sp| range.contains(Avma(*sp)));
        here.min().is_some_and(|lowest| at.0 < lowest)
    }

    /// Whether the address of the local variable at `at` is taken: others may write it.
    fn is_lent(&self, names: &Names<'t>, at: Avma) -> bool {
        let steps = names.moment.body.steps.iter().enumerate();
        steps.flat_map(|(index, step)| step.writes.iter().map(move |write| (index, write))).any(
            |(index, write)| match write.from {
                Term::Address(operand) => {
                    let facts = names.moment.facts;
                    let base = operand.base.map(|base| base.register);
                    let is_frame = base == Some(facts.sp) || base == Some(names.moment.fp);
                    is_frame
                        && names.moment.address(&operand, index).is_some_and(|start| {
                            // Of an array or a record the start is lent.
                            start.value <= at.0 && at.0 - start.value < 4096
                        })
                        && !matches!(write.to, disassembly::Target::Register(part)
                            if part.register == facts.sp || part.register == names.moment.fp)
                }
                _ => false,
            },
        )
    }

    /// The line of the instruction at `at`, in the function of frame `frame`, unless the frame
    /// is at that line.
    fn line(&self, at: Avma, frame: usize) -> Option<SourceLocation> {
        let frame = self.thread.frames.get(frame)?;
        let modules = &self.process.modules;
        let index = modules.index_at(at)?;
        let there = modules.debug(index)?.frames_at(modules.get(index)?.to_svma(at));
        let there = there
            .into_iter()
            .find(|there| there.function.as_deref() == frame.function.as_deref())?;
        let place = |location: &SourceLocation| (location.file.clone(), location.line);
        let found = there.location?;
        (Some(place(&found)) != frame.source.as_deref().map(place) && found.line.is_some())
            .then_some(found)
    }
}

/// Whether a symbol names an entry of the linker's table.
pub(super) fn is_stub(name: &str) -> bool {
    name.contains("@plt") || name.starts_with("*ABS*") || name.starts_with(".plt")
}
