//! The cause in the words of the source: which expression held the bad value, what was
//! wanted through it, where the pointer lies that led to it. The line is read whether or
//! not anybody is to see it, so every form of a report says the same.

mod call;
mod element;
mod evaluated;
mod line;
mod near;
pub mod spelling;
mod subscript;

use crate::blame::is_own;
use crate::confidence::Confidence;
use crate::fault::{AccessKind, Fault, Reason};
use crate::origin::{Origin, Source};
use element::element_holding;
use evaluated::{
    Match, Wanted, holder, is_known, is_unmapped, member_wanted, place_of, scalar_of, value_of,
};
use line::line_of;
pub(super) use near::near;
use obit_corefile::addr::Avma;
use obit_process::process::{FrameView, Process};
use obit_process::value::Scalar;
use spelling::{Known, containing, is_spelled, spelled};
use subscript::wrong_index;

/// Addresses below are a null pointer and an offset: two that are equal need not be copies
/// of one another.
const NULL_AREA: u64 = 0x1000;

/// Functions that are given a block to free or to resize.
const RELEASING: [&str; 4] = ["free", "realloc", "cfree", "reallocarray"];

/// The cause in the words of the source. Nothing of it has been redacted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceTerms {
    /// What held the bad value, as the frame to blame calls it: `n->next`.
    pub expression: Option<Words>,
    /// How sure it is that this expression did; of no meaning without one.
    pub expression_confidence: Confidence,
    /// The member of its pointee that was wanted: `v`.
    pub member: Option<Words>,
    /// Where the pointer lies through which the bad value was reached.
    pub through: Option<LedFrom>,
    /// What the expression is a part of, if it can be evaluated in the frame: `*n`.
    pub object: Option<Words>,
    /// What the expression gives in the frame, with the width and sign of its type, where it
    /// is an integer that can be evaluated.
    pub number: Option<i128>,
}

/// Words of the program's own, and where they come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// The words.
    pub text: String,
    /// Where they were found.
    pub from: WordsFrom,
}

/// Where words of the program were found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WordsFrom {
    /// Names in debug information and symbols.
    DebugInfo,
    /// A line of source.
    SourceLine,
    /// A variable and its contents: keys of a map are data.
    Variables,
}

impl Words {
    fn of_debug_info(text: String) -> Self {
        Self { text, from: WordsFrom::DebugInfo }
    }

    fn of_line(text: String) -> Self {
        Self { text, from: WordsFrom::SourceLine }
    }
}

/// `n` came from `ns[1]` of `walk`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedFrom {
    /// The pointer: `n`.
    pub pointer: Words,
    /// What held it elsewhere: `ns[1]`.
    pub holder: Words,
    /// Index of the frame where that is in scope.
    pub frame: usize,
    /// The pointer was loaded from there. Otherwise it is only known that both are equal.
    pub is_traced: bool,
}

/// What is known of a cause before a line of source is read.
pub(super) struct Judged<'j> {
    pub(super) fault: Option<&'j Fault>,
    pub(super) origin: Option<&'j Origin>,
    /// The frame that made the value is of a library.
    pub(super) is_of_library: bool,
    /// The allocator complained of what frame `blame` gave it.
    pub(super) is_given: bool,
    /// What that is called there.
    pub(super) freed: Option<String>,
    /// Index of the frame of the crashed thread to blame.
    pub(super) blame: Option<usize>,
    /// Index of the one that failed.
    pub(super) failed: Option<usize>,
    /// How sure the frame to blame is.
    pub(super) confidence: Confidence,
}

/// The terms for a cause in the crashed thread.
pub(super) fn terms(process: &Process, judged: &Judged<'_>) -> SourceTerms {
    let origin = judged.origin;
    let named = origin.filter(|_| !judged.is_of_library);
    let traced = named.and_then(|origin| origin.expression.clone());
    let through = origin.and_then(|origin| origin.through.as_ref()).map(|through| LedFrom {
        pointer: Words::of_debug_info(through.name.clone()),
        holder: Words::of_debug_info(through.expression.clone()),
        frame: through.frame,
        is_traced: true,
    });
    let mut terms = SourceTerms {
        expression: traced.or_else(|| judged.freed.clone()).map(Words::of_debug_info),
        expression_confidence: judged.confidence,
        member: origin.and_then(|origin| origin.member.clone()).map(Words::of_debug_info),
        through,
        object: None,
        number: None,
    };
    // A function that left no frame has words of its own, and none of its caller's.
    let is_gone = origin.is_some_and(|origin| origin.gone.is_some());
    let crashed = process.threads.iter().position(|thread| thread.crashed).filter(|_| !is_gone);
    let view = crashed.zip(judged.blame);
    let view = view.and_then(|(thread, frame)| process.frame_view(thread, frame));
    if let Some(fault) = judged.fault {
        let here = match origin.is_some_and(|origin| origin.is_of_callee) {
            true => crashed.zip(judged.failed).and_then(|(t, frame)| process.frame_view(t, frame)),
            false => crashed.zip(judged.blame).and_then(|(t, frame)| process.frame_view(t, frame)),
        };
        if let Some(view) = &here {
            let member = terms.member.clone();
            check(&mut terms, process, fault, origin, view);
            // What it was loaded from has changed; where it was put may not have.
            let kept = named.and_then(|origin| origin.kept_in.clone());
            if let Some(kept) = kept.filter(|_| terms.expression.is_none()) {
                (terms.expression, terms.member) = (Some(Words::of_debug_info(kept)), member);
                check(&mut terms, process, fault, origin, view);
            }
        }
    }
    if view.as_ref().is_some_and(|view| is_anothers(process, judged, &terms, view)) {
        // The other one's name would be read as this frame's.
        (terms.expression, terms.member) = (None, None);
    }
    if let (Some(view), Some(fault)) = (&view, judged.fault) {
        add_line(&mut terms, process, judged, fault, view);
    }
    if let (Some(view), Some(fault), None) = (&view, judged.fault, &terms.expression) {
        add_index(&mut terms, process, judged, fault, view);
    }
    if let Some(view) = view.as_ref().filter(|_| terms.expression.is_none()) {
        add_argument(&mut terms, process, judged, view);
    }
    if let Some(view) = view.as_ref().filter(|_| terms.expression.is_none()) {
        add_thread_local(&mut terms, process, judged, view);
    }
    // A function's result has no name until it is kept.
    if terms.expression.is_none()
        && let Some(Source::Returned { function: Some(function) }) = origin.map(|o| &o.source)
    {
        terms.expression = Some(Words::of_debug_info(crate::origin::call_of(function)));
    }
    if let Some((view, whole)) = view.as_ref().zip(terms.expression.as_ref()) {
        let object = containing(&whole.text).filter(|object| is_known(process, view, object));
        terms.object = object.map(|text| Words { text, from: whole.from });
    }
    terms
}

/// Holds the traced expression against what it gives in `view`: one that gives another value
/// than the bad one was changed since, or is not what held it, and goes.
fn check(
    terms: &mut SourceTerms,
    process: &Process,
    fault: &Fault,
    origin: Option<&Origin>,
    view: &FrameView<'_>,
) {
    let Some(origin) = origin.filter(|origin| !origin.is_reference) else { return };
    let Some(expression) = &terms.expression else { return };
    if !Known::of(view).has_all_of(&expression.text) {
        return;
    }
    let Some(scalar) = scalar_of(process, view, &expression.text) else {
        // It could be read when it was loaded: something on the way has changed since.
        if is_unmapped(process, view, &expression.text) {
            terms.expression_confidence = terms.expression_confidence.min(Confidence::Likely);
        }
        return;
    };
    let number = number_of(&scalar);
    let is_right = match (&scalar, number) {
        (Scalar::Address(at), _) => {
            let is_pointer = fault.division.is_none() && !origin.is_index;
            let bad = fault.bad_pointer().map(|at| at.0);
            is_pointer && (Some(*at) == origin.value || Some(*at) == bad)
        }
        (_, Some(_)) if origin.is_index => true,
        (_, Some(number)) => match fault.division {
            Some(division) => division.divisor == number,
            None => origin.value.map(i128::from) == Some(number),
        },
        _ => return,
    };
    match is_right {
        true => terms.number = number,
        false => (terms.expression, terms.member) = (None, None),
    }
}

/// Whether the expression is that of the frame the value was passed to, and the frame to
/// blame has another variable of that name.
fn is_anothers(
    process: &Process,
    judged: &Judged<'_>,
    terms: &SourceTerms,
    view: &FrameView<'_>,
) -> bool {
    let Some(expression) = &terms.expression else { return false };
    let Some(origin) = judged.origin.filter(|origin| origin.is_of_callee) else { return false };
    if judged.blame == judged.failed || !Known::of(view).has_all_of(&expression.text) {
        return false;
    }
    let number = match scalar_of(process, view, &expression.text) {
        Some(Scalar::Address(at)) => i128::from(at),
        Some(scalar) => match number_of(&scalar) {
            Some(number) => number,
            None => return false,
        },
        None => return false,
    };
    let bad = judged.fault.and_then(Fault::bad_pointer).map(|at| at.0);
    let divisor = judged.fault.and_then(|fault| fault.division).map(|of| of.divisor);
    let is_it =
        |value: u64| number == i128::from(value) || number == i128::from(value.cast_signed());
    !origin.value.is_some_and(is_it) && !bad.is_some_and(is_it) && divisor != Some(number)
}

fn number_of(scalar: &Scalar) -> Option<i128> {
    match scalar {
        Scalar::Signed(number) => Some(*number),
        Scalar::Unsigned(number) => i128::try_from(*number).ok(),
        _ => None,
    }
}

/// The address that `expression` gives in frame `index` of the crashed thread.
pub(super) fn address_given_by(process: &Process, index: usize, expression: &str) -> Option<Avma> {
    let crashed = process.threads.iter().position(|thread| thread.crashed)?;
    value_of(process, &process.frame_view(crashed, index)?, expression)
}

/// What the line of the frame to blame says itself is what a person reads, though the
/// compiler may have found another way to the value.
fn add_line(
    terms: &mut SourceTerms,
    process: &Process,
    judged: &Judged<'_>,
    fault: &Fault,
    view: &FrameView<'_>,
) {
    let Some(line) = line_of(process, view.frame()) else { return };
    let known = Known::of(view);
    let traced = terms.expression.as_ref().map(|words| words.text.as_str());
    // No variable held a constant that was passed as it is.
    let is_constant = judged.origin.is_some_and(|origin| {
        origin.source == Source::Constant && origin.value.is_none_or(|value| value < NULL_AREA)
    });
    if is_constant {
        return;
    }
    if traced.is_none_or(|traced| !is_spelled(&line, traced))
        && let Some(wanted) = wanted(fault, judged.origin)
        && let Some(found) = holder(process, view, &known, &line, wanted)
    {
        let is_it = is_the_traced(&found, wanted, judged.origin);
        let confidence = if is_it { judged.confidence } else { Confidence::Likely };
        let is_of_callee = judged.origin.is_some_and(|origin| origin.is_of_callee);
        // A name that is sure is not given up for one that is not.
        if traced.is_none() || is_of_callee || confidence >= terms.expression_confidence {
            terms.expression = Some(Words::of_line(found.text));
            terms.expression_confidence = confidence.min(judged.confidence);
        }
    }
    let Some(expression) = terms.expression.as_ref().map(|words| words.text.as_str()) else {
        return;
    };
    if terms.member.is_none()
        && judged.failed == judged.blame
        && let Some(access) = &fault.access
    {
        let member = member_wanted(process, view, &known, &line, expression, access.address);
        terms.member = member.map(Words::of_line);
    }
    if terms.through.is_none()
        && let Some((pointer, _)) = expression.rsplit_once("->").or(expression.rsplit_once('.'))
        && known.has_all_of(pointer)
        && let Some(value) = value_of(process, view, pointer).filter(|value| value.0 != 0)
        && let Some(element) = judged.blame.and_then(|at| element_holding(process, at, value))
    {
        let from = terms.expression.as_ref().map_or(WordsFrom::DebugInfo, |words| words.from);
        terms.through = Some(LedFrom {
            pointer: Words { text: pointer.to_owned(), from },
            holder: Words { text: element.path, from: WordsFrom::Variables },
            frame: element.frame,
            is_traced: false,
        });
    }
}

/// The index that led the failed access out of an array, as the line spells it.
fn add_index(
    terms: &mut SourceTerms,
    process: &Process,
    judged: &Judged<'_>,
    fault: &Fault,
    view: &FrameView<'_>,
) {
    // Of a frame that only passed a pointer on the line says nothing of the access.
    if judged.failed != judged.blame || judged.origin.is_some_and(|origin| origin.gone.is_some()) {
        return;
    }
    let Some(line) = line_of(process, view.frame()) else { return };
    let Some(wrong) = wrong_index(process, view, &line, fault) else { return };
    terms.expression = Some(wrong.expression);
    terms.number = Some(wrong.number);
    let confidence = if wrong.is_outside { Confidence::Proved } else { Confidence::Likely };
    terms.expression_confidence = confidence.min(judged.confidence);
}

/// What the frame to blame gave to a library that could not use it, as its line spells it:
/// optimised code often keeps no variable for it.
fn add_argument(
    terms: &mut SourceTerms,
    process: &Process,
    judged: &Judged<'_>,
    view: &FrameView<'_>,
) {
    let Some(blame) = judged.blame else { return };
    let Some(frames) = process.crashed().map(|thread| &thread.frames) else { return };
    // Only a call that leads straight into a library.
    let is_own = |at: usize| frames.get(at).is_some_and(|frame| is_own(process, frame));
    let is_straight = |failed: usize| failed < blame && !(failed..blame).any(is_own);
    let activation = |at: usize| frames.get(at).map(|frame| frame.activation);
    // Of a call that led nowhere the function is bad, not what it was given.
    let kind = judged.fault.and_then(|fault| fault.access.as_ref()).map(|access| access.kind);
    if kind == Some(AccessKind::Execute) {
        return;
    }
    let Some(line) = line_of(process, view.frame()) else { return };
    let argument = match (judged.is_given, judged.fault) {
        (true, _) => RELEASING.iter().find_map(|function| {
            let call = call::call_of(&line, Some(function))?;
            call.named(0).map(str::to_owned)
        }),
        (false, Some(fault)) if judged.failed.is_some_and(is_straight) => {
            let called = crate::origin::called_by(process, blame);
            let call = call::call_of(&line, called.as_deref());
            call.and_then(|call| {
                let bad = [fault.bad_pointer(), fault.access.as_ref().map(|of| of.address)];
                let bad = bad.map(|at| at.map(|at| at.0));
                let value = |number| crate::origin::likely_argument(process, blame, number);
                let values: Vec<Option<u64>> = (0..call.arguments.len()).map(value).collect();
                let number = only(&values, |value| value.is_some() && bad.contains(value));
                // Of the others it is known that they are not it. What a function calls in turn
                // may be given something else.
                let is_none_bad = !values.iter().flatten().any(|at| bad.contains(&Some(*at)));
                let is_it = is_none_bad && fault.activation.checked_add(1) == activation(blame);
                let left = || only(&values, Option::is_none).filter(|_| is_it);
                call.named(number.or_else(left)?).map(str::to_owned)
            })
        }
        _ => None,
    };
    if let Some(text) = argument {
        terms.expression = Some(Words::of_line(text));
        terms.expression_confidence = Confidence::Likely;
    }
}

/// The position of the only one of `values` that is so.
fn only(values: &[Option<u64>], is_so: impl Fn(&Option<u64>) -> bool) -> Option<usize> {
    let mut found = values.iter().enumerate().filter(|(_, value)| is_so(value));
    let (at, _) = found.next()?;
    found.next().is_none().then_some(at)
}

/// The thread-local variable that the bad value was loaded from, by a name on the line:
/// debug information has no address of it that would lead to its name.
fn add_thread_local(
    terms: &mut SourceTerms,
    process: &Process,
    judged: &Judged<'_>,
    view: &FrameView<'_>,
) {
    let loaded = judged.origin.filter(|origin| origin.is_thread_local).map(|origin| &origin.source);
    let Some(Source::Loaded { address: Some(at) }) = loaded else { return };
    let Some(line) = line_of(process, view.frame()) else { return };
    let known = Known::of(view);
    let others = spelled(&line).into_iter().filter(|text| !known.has_all_of(text));
    let mut found = others.filter(|text| place_of(process, view, text) == Some(*at));
    if let Some(text) = found.next() {
        terms.expression = Some(Words::of_line(text));
        terms.expression_confidence = judged.confidence;
    }
}

/// Whether an expression that gave the bad value held it without doubt: it is the very
/// place the value was loaded from, or the value is one that no two places have by chance.
fn is_the_traced(found: &Match, wanted: Wanted, origin: Option<&Origin>) -> bool {
    let loaded = origin.and_then(|origin| match origin.source {
        Source::Loaded { address } => address,
        _ => None,
    });
    let is_place = loaded.is_some() && loaded == found.address;
    let is_rare = matches!(wanted, Wanted::Pointer(Avma(at)) if at >= NULL_AREA);
    is_place || is_rare
}

/// The value to look for on the line.
fn wanted(fault: &Fault, origin: Option<&Origin>) -> Option<Wanted> {
    let traced = origin.and_then(|origin| Some((origin.value?, origin.is_index)));
    match (fault.bad_pointer(), fault.reason) {
        // That a variable points where the stack ended says nothing of why it did.
        (_, Reason::StackOverflow) => None,
        (Some(bad), _) => Some(match traced {
            Some((index, true)) => Wanted::Number(index),
            Some((pointer, false)) => Wanted::Pointer(Avma(pointer)),
            None => Wanted::Pointer(bad),
        }),
        (None, Reason::DivideByZero | Reason::DivideOverflow) => {
            let divisor = fault.division.map_or(0, |division| division.divisor);
            Some(Wanted::Number(i64::try_from(divisor).ok()?.cast_unsigned()))
        }
        _ => None,
    }
}
