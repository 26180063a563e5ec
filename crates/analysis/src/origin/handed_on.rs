//! What a function that is gone handed on: it was called by a frame of the stack, and ended with
//! a jump into a library, which has its place on the stack now.

use super::body::{Body, Definition, Slot};
use super::moment::Moment;
use super::names::{Names, argument_registers};
use crate::fault::Fault;
use obit_corefile::addr::Avma;
use obit_corefile::arch::Register;
use obit_disassembly::{MemoryOperand, Next, Part, Step, Term};
use obit_dwarf::SourceLocation;
use obit_process::process::Process;

/// Definitions that are followed to the start of a function.
const DEEPEST: usize = 12;

/// What is known of the bad argument.
#[derive(Default)]
pub(super) struct HandedOn {
    /// What the function calls it.
    pub(super) expression: Option<String>,
    /// The function loaded it, and was not given it.
    pub(super) is_loaded: bool,
    /// Where the function jumped.
    pub(super) location: Option<SourceLocation>,
}

/// What the function that frame `own` called, and that jumped on into the library where `fault`
/// happened, calls the bad one of its arguments: the one that the failed address was made of,
/// else the one that is bad, or of which alone nothing else is known.
pub(super) fn handed_on(
    process: &Process,
    fault: &Fault,
    own: usize,
    bad: &[Option<u64>],
) -> HandedOn {
    judged(process, fault, own, bad).unwrap_or_default()
}

fn judged(process: &Process, fault: &Fault, own: usize, bad: &[Option<u64>]) -> Option<HandedOn> {
    let thread_index = process.threads.iter().position(|thread| thread.crashed)?;
    let thread = process.threads.get(thread_index)?;
    let frame = thread.frames.get(own)?;
    let caller = Moment::new(process, thread, frame.activation)?;
    let Next::Calls(Some(called)) = caller.body.steps.get(caller.stop)?.next else { return None };
    let body = Body::around(process, called)?;
    let exit = only_exit(&body)?;
    let gone = Moment::gone(process, body, exit)?;
    let view = process.frame_view(thread_index, own)?;
    let names = Names { moment: &gone, view: &view };
    // Between them another function may have set the registers.
    let is_next = fault.activation.checked_add(1) == Some(frame.activation);
    let operand = fault.access.as_ref().and_then(|access| access.operand);
    let entered = operand
        .filter(|_| is_next)
        .and_then(|operand| from_entry(&Moment::new(process, thread, fault.activation)?, &operand));
    let register = match entered {
        Some(register) => register,
        None => the_only(process, &names, exit, bad)?,
    };
    Some(HandedOn {
        expression: named(&names, exit, register).filter(|_| may_be(&gone, exit, register, bad)),
        is_loaded: is_loaded(&gone, exit, register),
        location: location(process, gone.body.steps.get(exit)?.address),
    })
}

/// The step with which a function leaves its own code for another's, where there is one alone.
fn only_exit(body: &Body) -> Option<usize> {
    let inside = |at: Avma| body.steps.iter().any(|step| step.address == at);
    let leaves = |step: &Step| match step.next {
        Next::Jumps(to) => to.is_none_or(|to| !inside(to)),
        _ => false,
    };
    let mut exits = body.steps.iter().enumerate().filter(|(_, step)| leaves(step));
    let (exit, _) = exits.next()?;
    exits.next().is_none().then_some(exit)
}

/// The register that `operand` of the instruction where `moment` was left was made of, as the
/// function was entered.
fn from_entry(moment: &Moment<'_>, operand: &MemoryOperand) -> Option<Register> {
    let base = |operand: &MemoryOperand| match (operand.index, operand.segment) {
        (None, None) => operand.base.map(|part| part.register),
        _ => None,
    };
    let (mut register, mut at) = (base(operand)?, moment.stop);
    for _ in 0..DEEPEST {
        let reaching = moment.reaching(at, Slot::Register(register));
        // One that is moved on round by round began with what was passed.
        let mut others = reaching.definitions.iter().filter(|definition| match definition {
            Definition::Written(_, Term::Address(of)) => base(of) != Some(register),
            Definition::Entry => false,
            _ => true,
        });
        if reaching.definitions.contains(&Definition::Entry) {
            return others.next().is_none().then_some(register);
        }
        let [Definition::Written(by, term)] = *reaching.definitions else { return None };
        at = by;
        register = match term {
            Term::Register(Part { register, shift: 0, .. }) => register,
            Term::Address(of) => base(&of)?,
            _ => return None,
        };
    }
    None
}

/// The argument that alone is bad, or of which alone nothing is known.
fn the_only(
    process: &Process,
    names: &Names<'_>,
    exit: usize,
    bad: &[Option<u64>],
) -> Option<Register> {
    let mut unknown = Vec::new();
    for register in argument_registers(process.dump.machine) {
        let part = Part { register: *register, shift: 0, size: 8 };
        match names.moment.part(part, exit) {
            Some(known) if bad.contains(&Some(known.value)) => return Some(*register),
            Some(_) => {}
            // What has no name and was not set is hardly an argument.
            None if names.moment.reaching(exit, Slot::Register(*register)).is_entry()
                && named(names, exit, *register).is_none() => {}
            None => unknown.push(*register),
        }
    }
    match unknown.as_slice() {
        [only] => Some(*only),
        _ => None,
    }
}

fn named(names: &Names<'_>, exit: usize, register: Register) -> Option<String> {
    let slot = Slot::Register(register);
    let at_entry = || {
        let is_entry = names.moment.reaching(exit, slot).is_entry();
        is_entry.then(|| names.variable(0, slot)).flatten()
    };
    names.register(exit, register).or_else(at_entry).map(|named| named.text)
}

/// Whether nothing says that it was not bad.
fn may_be(gone: &Moment<'_>, exit: usize, register: Register, bad: &[Option<u64>]) -> bool {
    let known = gone.part(Part { register, shift: 0, size: 8 }, exit);
    known.is_none_or(|known| bad.contains(&Some(known.value)))
}

fn is_loaded(gone: &Moment<'_>, exit: usize, register: Register) -> bool {
    let reaching = gone.reaching(exit, Slot::Register(register));
    matches!(
        *reaching.definitions,
        [Definition::Written(_, Term::Memory(_) | Term::SignExtendedMemory(..))]
    )
}

fn location(process: &Process, at: Avma) -> Option<SourceLocation> {
    let modules = &process.modules;
    let index = modules.index_at(at)?;
    let there = modules.debug(index)?.frames_at(modules.get(index)?.to_svma(at));
    there.into_iter().last()?.location
}
