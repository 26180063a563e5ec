//! What to follow back for a fault.

use super::body::Body;
use super::handed_on::handed_on;
use super::names::{Names, argument_registers};
use super::{Gone, Moment, Origin, Source, Wanted, origin};
use crate::blame::own_from;
use crate::fault::{Access, AccessKind, Fault};
use crate::owner::is_foreign_call;
use obit_corefile::addr::Avma;
use obit_disassembly as disassembly;
use obit_disassembly::{InstructionKind, Next};
use obit_process::process::{FrameKind, Process};
use obit_process::unwind::Trust;

/// Where the value came from that made `fault`: a pointer, an index, a function, a divisor.
pub(crate) fn of_fault(process: &Process, fault: &Fault) -> Option<Origin> {
    match &fault.access {
        Some(access @ Access { operand: Some(operand), .. }) => {
            let found = origin(process, fault.activation, Wanted::Address(*operand));
            let is_lost = found.as_ref().is_none_or(|origin| {
                matches!(origin.source, Source::Unclear | Source::Computed | Source::Passed)
            });
            match is_lost {
                true => passed_to_library(process, fault, access).or(found),
                false => found,
            }
        }
        Some(Access { kind: AccessKind::Execute, .. }) => {
            let caller = fault.activation.checked_add(1)?;
            // The call itself failed, or what it led to.
            let address = fault.access.as_ref().map(|access| access.address.0);
            let is_it = |origin: &Origin| origin.value.is_none_or(|at| Some(at) == address);
            target_of(process, fault.activation)
                .or_else(|| target_of(process, caller).filter(is_it))
                .or_else(|| jumped(process, caller))
        }
        Some(_) => None,
        None => match kind_at(process, fault.activation)? {
            InstructionKind::Division(divisor) => {
                origin(process, fault.activation, Wanted::Operand(divisor))
            }
            _ => None,
        },
    }
}

/// A library was given the bad pointer, and what it did with it cannot be followed: the
/// argument of the call into it that had the value.
fn passed_to_library(process: &Process, fault: &Fault, access: &Access) -> Option<Origin> {
    let thread = process.crashed()?;
    let first = thread.frames.partition_point(|frame| frame.activation < fault.activation);
    let own = own_from(process, first)?;
    let caller = thread.frames.get(own)?;
    if caller.activation <= fault.activation || caller.kind == FrameKind::Signal {
        return None;
    }
    let bad = [access.pointer().map(|at| at.0), Some(access.address.0)];
    let found = origin(process, caller.activation, Wanted::Passed(bad));
    if let Some(gone) = jumped_from(process, own) {
        let at = thread.stack.frames.get(caller.activation)?.pc;
        let handed = handed_on(process, fault, own, &bad);
        let source = handed.location.or(gone.source);
        return Some(Origin {
            frame: own,
            gone: Some(Gone { source, ..gone }),
            at,
            line: None,
            value: access.pointer().map(|at| at.0),
            is_index: false,
            is_part: false,
            is_thread_local: false,
            source: match handed.is_loaded {
                true => Source::Loaded { address: None },
                false => Source::Passed,
            },
            expression: handed.expression,
            is_reference: false,
            kept_in: None,
            is_of_callee: false,
            member: None,
            base: None,
            through: None,
            is_certain: false,
            is_direct: false,
        });
    }
    let found = found?;
    Some(Origin { is_certain: false, ..found })
}

/// What frame `index` of the crashed thread gave as the first argument to what it called, as
/// it calls it and as a number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Argument {
    /// What held it, in that frame's words.
    pub(crate) name: Option<String>,
    /// What it was, where nothing else is possible.
    pub(crate) value: Option<Avma>,
    /// That frame made or loaded it, and was not given it.
    pub(crate) is_made_here: bool,
}

/// The first argument that frame `index` of the crashed thread gave.
pub(crate) fn first_argument(process: &Process, index: usize) -> Argument {
    let name = first_argument_name(process, index);
    let origin = argument_origin(process, index, 0).filter(|origin| origin.is_certain);
    let is_made_here = origin.as_ref().is_some_and(|origin| origin.frame == index);
    let value = origin.and_then(|origin| origin.value).map(Avma);
    Argument { name, value, is_made_here }
}

/// The value of argument number `number`, from 0, of the call that frame `index` of the crashed
/// thread is in, where nothing else is possible.
pub(crate) fn argument_value(process: &Process, index: usize, number: usize) -> Option<Avma> {
    let found = argument_origin(process, index, number)?;
    found.value.filter(|_| found.is_certain).map(Avma)
}

/// What argument number `number` of that call is, where it can be computed; a caller that
/// changed it since would show another value.
pub(crate) fn likely_argument(process: &Process, index: usize, number: usize) -> Option<u64> {
    argument_origin(process, index, number)?.value
}

fn argument_origin(process: &Process, index: usize, number: usize) -> Option<Origin> {
    let thread = process.crashed()?;
    let activation = thread.frames.get(index)?.activation;
    let register = *argument_registers(process.dump.machine).get(number)?;
    let size = process.memory.word() as u64;
    let part = disassembly::Part { register, shift: 0, size };
    origin(process, activation, Wanted::Operand(disassembly::Source::Register(part)))
}

/// The name of what frame `index` of the crashed thread calls, by its symbol, else by the
/// frame that was entered.
pub(crate) fn called_by(process: &Process, index: usize) -> Option<String> {
    let thread_index = process.threads.iter().position(|thread| thread.crashed)?;
    let thread = process.threads.get(thread_index)?;
    let activation = thread.frames.get(index)?.activation;
    let moment = Moment::new(process, thread, activation)?;
    let view = process.frame_view(thread_index, index)?;
    let names = Names { moment: &moment, view: &view };
    let first = thread.frames.partition_point(|frame| frame.activation < activation);
    let entered =
        || thread.frames.get(first.checked_sub(1)?)?.function.as_deref().map(str::to_owned);
    names.called(moment.stop).or_else(entered)
}

fn first_argument_name(process: &Process, index: usize) -> Option<String> {
    let thread_index = process.threads.iter().position(|thread| thread.crashed)?;
    let thread = process.threads.get(thread_index)?;
    let activation = thread.frames.get(index)?.activation;
    let moment = Moment::new(process, thread, activation)?;
    let view = process.frame_view(thread_index, index)?;
    let names = Names { moment: &moment, view: &view };
    let first = argument_registers(process.dump.machine).first()?;
    let named = names.register(moment.stop, *first)?;
    // A parameter of a library's function that was inlined is no name of the program's.
    let last = thread.frames.partition_point(|frame| frame.activation <= activation);
    let depth = last.checked_sub(index)?.checked_sub(1)?;
    named.depth.is_none_or(|of| of <= depth).then_some(named.text)
}

/// The function of the program's own that frame `index` called and that jumped on, leaving
/// the frame below it to another.
pub(crate) fn jumped_from(process: &Process, index: usize) -> Option<Gone> {
    let thread = process.crashed()?;
    let frame = thread.frames.get(index)?;
    let moment = Moment::new(process, thread, frame.activation)?;
    let Next::Calls(Some(called)) = moment.body.steps.get(moment.stop)?.next else { return None };
    let first = thread.frames.partition_point(|of| of.activation < frame.activation);
    let below = thread.frames.get(first.checked_sub(1)?)?;
    let modules = &process.modules;
    let module = modules.index_at(called)?;
    let debug = modules.debug(module)?;
    let at = modules.get(module)?.to_svma(called);
    let symbol = debug.symbol_at(at).filter(|symbol| symbol.offset == 0 && symbol.size > 0)?;
    let entered = debug.frames_at(at).pop()?;
    // By its name too: of a function that was split, the cold part has a symbol of its own.
    let is_below = below.function.as_deref() == entered.function.as_deref()
        || modules.index_at(below.pc) == Some(module)
            && debug.symbol_at(modules.get(module)?.to_svma(below.pc))?.address == symbol.address;
    let is_own =
        !is_foreign_call(process, module, &entered) && !is_below && below.kind != FrameKind::Signal;
    is_own.then_some(Gone { function: entered.function?, source: entered.location })
}

fn target_of(process: &Process, index: usize) -> Option<Origin> {
    match kind_at(process, index)? {
        InstructionKind::IndirectBranch(source) => origin(process, index, Wanted::Operand(source)),
        _ => None,
    }
}

/// The caller called a function that left no frame: it jumped to what was no function.
fn jumped(process: &Process, caller: usize) -> Option<Origin> {
    let thread = process.crashed()?;
    let activation = thread.stack.frames.get(caller)?;
    // A jump to nowhere has left the return address where the call put it.
    let facts = process.dump.machine.facts()?;
    let registers = &thread.stack.frames.get(caller.checked_sub(1)?)?.registers;
    let left = match facts.link {
        Some(link) => registers.get(link)? & !facts.code_address.mode_bits,
        None => process.memory.read_word(Avma(registers.get(facts.sp)?)).ok()?,
    };
    if activation.trust == Trust::Scan && left != activation.pc.0 {
        return None;
    }
    let moment = Moment::scanned(process, caller, activation)?;
    let Next::Calls(Some(called)) = moment.body.steps.get(moment.stop)?.next else { return None };
    let body = Body::around(process, called)?;
    let is_jump = |step: &disassembly::Step| step.next == Next::Jumps(None);
    let mut jumps = body.steps.iter().enumerate().filter(|(_, step)| is_jump(step));
    let (at, step) =
        jumps.next().filter(|_| body.steps.first().is_some_and(|s| s.address == called))?;
    if jumps.next().is_some() {
        return None;
    }
    let jump = step.address;
    let gone = Moment::gone(process, body, at)?;
    let modules = &process.modules;
    let index = modules.index_at(jump)?;
    let there = modules.debug(index)?.frames_at(modules.get(index)?.to_svma(jump));
    let innermost = there.first()?;
    let thread_index = process.threads.iter().position(|thread| thread.crashed)?;
    let frame = thread.frames.partition_point(|frame| frame.activation < caller);
    let view = process.frame_view(thread_index, frame)?;
    let names = Names { moment: &gone, view: &view };
    let expression = match gone.effects()?.kind {
        InstructionKind::IndirectBranch(disassembly::Source::Register(part)) => {
            names.register(at, part.register)
        }
        InstructionKind::IndirectBranch(disassembly::Source::Memory(nth)) => {
            names.memory(at, gone.effects()?.accesses.get(nth)?)
        }
        _ => None,
    };
    Some(Origin {
        frame: frame.checked_sub(1)?,
        gone: Some(Gone {
            function: innermost.function.clone()?,
            source: innermost.location.clone(),
        }),
        at: jump,
        line: None,
        value: None,
        is_index: false,
        is_part: false,
        is_thread_local: false,
        source: Source::Loaded { address: None },
        expression: expression.map(|named| named.text),
        is_reference: false,
        kept_in: None,
        is_of_callee: false,
        member: None,
        base: None,
        through: None,
        is_certain: false,
        is_direct: false,
    })
}

/// What the instruction is at which an activation was left.
fn kind_at(process: &Process, index: usize) -> Option<InstructionKind> {
    Some(Moment::new(process, process.crashed()?, index)?.effects()?.kind)
}
