//! The cause in terms of the source: which expression held the bad value, what was wanted
//! through it, and where the pointer lies that led to it.

use super::holder::{Wanted, holder, is_in_sight, is_spelled, member_wanted, value_of};
use super::through::element_holding;
use super::{FrameReport, SourceLine, ThreadReport};
use obit_analysis as analysis;
use obit_analysis::{Fault, Reason};
use obit_corefile::addr::Avma;
use obit_process::process::{FrameView, Process};

/// The cause in terms of the source.
#[derive(Debug, Default)]
pub(super) struct SourceTerms {
    /// What held the bad value: `n->next`.
    pub(super) expression: Option<String>,
    /// It was found by its value, which others may have had.
    pub(super) is_by_value: bool,
    /// The member that was wanted of its pointee: `v`.
    pub(super) member: Option<String>,
    /// `` `n` came from `ns[1]` in `walk` ``.
    pub(super) through: Option<String>,
}

/// What the analysis and the line of the frame to blame tell.
pub(super) fn source_terms(
    cause: &analysis::Cause,
    process: &Process,
    thread: Option<&ThreadReport>,
) -> SourceTerms {
    let origin = cause.origin.as_ref();
    let traced = origin.and_then(|origin| origin.expression.clone());
    let mut terms = SourceTerms {
        expression: traced.or_else(|| cause.freed.clone()),
        is_by_value: false,
        member: origin.and_then(|origin| origin.member.clone()),
        through: origin.and_then(|origin| origin.through.as_ref()).map(|through| {
            let function = function_of(thread, through.frame);
            format!("`{}` came from `{}`{function}", through.name, through.expression)
        }),
    };
    let frame = cause.blame.zip(thread).and_then(|(index, thread)| thread.frames.get(index));
    let crashed = process.threads.iter().position(|thread| thread.crashed);
    let is_crashed = thread.is_some_and(|thread| thread.crashed) && cause.said.is_none();
    let view = crashed.zip(cause.blame).filter(|_| is_crashed);
    let view = view.and_then(|(thread, index)| process.frame_view(thread, index));
    if let (Some(thread), Some(frame), Some(view)) = (thread, frame, view) {
        add_from_line(&mut terms, cause, process, (thread, frame, &view));
    }
    terms
}

/// What the line itself says is what a person reads, though the compiler may have found
/// another way to the value.
fn add_from_line(
    terms: &mut SourceTerms,
    cause: &analysis::Cause,
    process: &Process,
    (thread, frame, view): (&ThreadReport, &FrameReport, &FrameView<'_>),
) {
    let Some(line) = own_line(frame) else { return };
    let line = line.text.as_str();
    let is_spelled = terms.expression.as_deref().is_some_and(|name| is_spelled(line, name));
    if !is_spelled && let Some(spelled) = on_the_line(cause, process, view, frame) {
        terms.expression = Some(spelled);
        terms.is_by_value = true;
    }
    let Some(expression) = terms.expression.as_deref() else { return };
    let access = cause.fault.as_ref().and_then(|fault| fault.access.as_ref());
    if terms.member.is_none()
        && cause.failed == cause.blame
        && let Some(access) = access
    {
        terms.member = member_wanted(process, view, line, expression, access.address.0);
    }
    if terms.through.is_none()
        && let Some((pointer, _)) = expression.rsplit_once("->").or(expression.rsplit_once('.'))
        && is_in_sight(view, pointer)
        && let Some(value) = value_of(process, view, pointer).filter(|value| *value != 0)
        && let Some(element) = cause.blame.and_then(|at| element_holding(thread, at, value))
    {
        let function = function_of(Some(thread), element.frame);
        terms.through = Some(format!("`{pointer}` is `{}`{function}", element.path));
    }
}

/// `` in `walk` ``.
fn function_of(thread: Option<&ThreadReport>, frame: usize) -> String {
    let frame = thread.and_then(|thread| thread.frames.get(frame));
    let name = frame.and_then(|frame| frame.function.as_ref());
    name.map(|name| format!(" in `{}`", name.as_str())).unwrap_or_default()
}

/// What was used as a pointer and was none. Where the compiler put the address into the
/// instruction, it knew the pointer to be null.
pub(super) fn bad_pointer(fault: &Fault) -> Option<Avma> {
    let pointer = fault.access.as_ref()?.pointer();
    pointer.or_else(|| (fault.reason == Reason::Null).then_some(Avma(0)))
}

/// The line of source where a frame is.
fn own_line(frame: &FrameReport) -> Option<&SourceLine> {
    let place = frame.source.as_ref()?;
    place.lines.iter().find(|line| Some(line.line) == place.line)
}

/// The only expression on the frame's line that gave what was bad.
fn on_the_line(
    cause: &analysis::Cause,
    process: &Process,
    view: &FrameView<'_>,
    frame: &FrameReport,
) -> Option<String> {
    let fault = cause.fault.as_ref()?;
    let traced = cause.origin.as_ref().and_then(|origin| Some((origin.value?, origin.is_index)));
    let wanted = match (bad_pointer(fault), fault.reason) {
        (Some(bad), _) => match traced {
            Some((index, true)) => Wanted::Number(index),
            Some((pointer, false)) => Wanted::Pointer(pointer),
            None => Wanted::Pointer(bad.0),
        },
        (None, Reason::DivideByZero) => Wanted::Number(0),
        _ => return None,
    };
    holder(process, view, own_line(frame)?.text.as_str(), wanted)
}
