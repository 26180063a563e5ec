//! Where a bad value came from: followed backwards through the machine code of the
//! function that used it, and through arguments into its callers, to the instruction that
//! made it or loaded it (after Cui et al., RETracer, ICSE 2016).

mod accessor;
mod address;
mod body;
mod frame_of_load;
mod handed_on;
mod moment;
mod names;
mod path;
mod pieces;
mod start;
mod stub;
mod through;
mod trace;

use moment::Moment;
use names::Names;
use obit_corefile::addr::Avma;
use obit_disassembly::MemoryOperand;
use obit_dwarf::SourceLocation;
use obit_process::process::{FrameView, Process};
use trace::Trace;

pub(super) use accessor::call_of;
pub(super) use start::{
    argument_value, called_by, first_argument, jumped_from, likely_argument, of_fault,
};

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Index among the crashed thread's frames of the one that made or loaded it rather than
    /// passed it on.
    pub frame: usize,
    /// The function, where it jumped on and left no frame.
    pub gone: Option<Gone>,
    /// The instruction that did.
    pub at: Avma,
    /// The line of that instruction, where it is another one than the line the frame is at.
    pub line: Option<SourceLocation>,
    /// The value, where it is known.
    pub value: Option<u64>,
    /// It is the index of an access whose base is sound.
    pub is_index: bool,
    /// Something was added to it on the way, or it was multiplied: what failed is another
    /// number.
    pub is_part: bool,
    /// It was loaded from a thread-local variable.
    pub is_thread_local: bool,
    /// How.
    pub source: Source,
    /// What held the value, in that frame's words where it has any, else in those of the
    /// frame it was passed to.
    pub expression: Option<String>,
    /// A variable of that frame that it was kept in afterwards.
    pub kept_in: Option<String>,
    /// The value is the address of what the expression names: an accessor returned a
    /// reference to it.
    pub is_reference: bool,
    /// The words are those of the frame it was passed to.
    pub is_of_callee: bool,
    /// The member of its pointee that was wanted where it was used.
    pub member: Option<String>,
    /// The pointer through which it was loaded, before anything was added to that, where that
    /// is known.
    pub base: Option<Avma>,
    /// Where that pointer came from.
    pub through: Option<Through>,
    /// Whether every step backwards was the only possible one.
    pub is_certain: bool,
    /// Whether the function that used the value also made or loaded it, with no call in
    /// between: no other code of the thread ran since.
    pub is_direct: bool,
}

/// A function that jumped where it could have called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gone {
    /// Its name.
    pub function: String,
    /// Where it jumped.
    pub source: Option<SourceLocation>,
}

/// How a value came about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// It is an immediate of the instruction.
    Constant,
    /// It lay in memory that is no local variable of the function.
    Loaded {
        /// Where, if that is known.
        address: Option<Avma>,
    },
    /// A function returned it.
    Returned {
        /// Its name, if the call says it.
        function: Option<String>,
    },
    /// Arithmetic.
    Computed,
    /// It lay below the stack pointer: in the frame of a function that has returned.
    DeadFrame {
        /// Where.
        address: Avma,
    },
    /// A local variable that nothing has set.
    NeverSet,
    /// A local variable that is not set on every path that leads here; the core does not show
    /// which was taken.
    MaybeNeverSet,
    /// It was there when the function was entered, and the caller does not show it.
    Passed,
    /// Several paths lead here, and the core does not show which was taken.
    Unclear,
}

/// Where the pointer came from through which a bad value was loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Through {
    /// What holds the pointer where the value was loaded.
    pub name: String,
    /// Index of the frame that made or loaded the pointer.
    pub frame: usize,
    /// What held it there.
    pub expression: String,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    /// The pointer that an access of the instruction went through, or its index where the
    /// pointer is sound.
    Address(MemoryOperand),
    /// The number an instruction took.
    Operand(obit_disassembly::Source),
    /// The argument of a call that was one of these.
    Passed([Option<u64>; 2]),
}

/// Activations that are looked at.
const MOST_ACTIVATIONS: usize = 24;

/// The origin of what the instruction at which activation `index` of the crashed thread was
/// left used; of a caller, its call.
fn origin(process: &Process, index: usize, wanted: Wanted) -> Option<Origin> {
    let thread_index = process.threads.iter().position(|thread| thread.crashed)?;
    let thread = process.threads.get(thread_index)?;
    let last = thread.stack.frames.len().min(index.saturating_add(MOST_ACTIVATIONS));
    let views: Vec<Option<FrameView<'_>>> = (index..last)
        .map(|at| {
            let end = thread.frames.partition_point(|frame| frame.activation <= at);
            let physical = end.checked_sub(1)?;
            let frame = thread.frames.get(physical).filter(|frame| frame.activation == at)?;
            frame.module?;
            process.frame_view(thread_index, physical)
        })
        .collect();
    let moments: Vec<std::cell::OnceCell<Option<Moment<'_>>>> =
        (index..last).map(|_| std::cell::OnceCell::new()).collect();
    let names = |at: usize| {
        let nth = at.checked_sub(index)?;
        let moment = moments.get(nth)?.get_or_init(|| Moment::new(process, thread, at)).as_ref()?;
        Some(Names { moment, view: views.get(nth)?.as_ref()? })
    };
    Trace { process, thread, names: &names }.origin(index, wanted)
}
