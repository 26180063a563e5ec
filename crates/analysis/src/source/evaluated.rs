//! What the expressions that a line of source spells gave in its frame.

use super::spelling::{Known, spelled};
use obit_corefile::addr::Avma;
use obit_corefile::memory::{Absent, ReadError};
use obit_process::print::evaluate;
use obit_process::process::{FrameView, Process};
use obit_process::value::{Absence, Budget, Scalar, State, Value};

/// What kind of value is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// A pointer or reference.
    Pointer(Avma),
    /// An integer.
    Number(u64),
}

/// An expression that gave the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Match {
    /// As the line spells it.
    pub(super) text: String,
    /// Where its value lies, if in memory.
    pub(super) address: Option<Avma>,
}

/// The only expression in `line` that gives the value; `None` if several do.
pub(super) fn holder(
    process: &Process,
    view: &FrameView<'_>,
    known: &Known,
    line: &str,
    wanted: Wanted,
) -> Option<Match> {
    let budget = no_parts();
    let mut found: Option<Match> = None;
    let mut absent: Vec<String> = Vec::new();
    for text in known.of_line(line) {
        // Of what is nowhere no member is anywhere.
        let is_part = |whole: &String| {
            text.strip_prefix(whole.as_str()).is_some_and(|rest| rest.starts_with(['.', '-', '[']))
        };
        if absent.iter().any(is_part) {
            continue;
        }
        match evaluate(process, view, &text, &budget) {
            Ok(value) if is_wanted(&value, wanted) => {
                let address = value.address;
                if found.replace(Match { text, address }).is_some() {
                    return None;
                }
            }
            Ok(value) if !matches!(value.state, State::Absent(_)) => {}
            _ => absent.push(text),
        }
    }
    found
}

/// The member at `address` that `line` wants of what `holder` points at.
pub(super) fn member_wanted(
    process: &Process,
    view: &FrameView<'_>,
    known: &Known,
    line: &str,
    holder: &str,
    address: Avma,
) -> Option<String> {
    known.of_line(line).find_map(|text| {
        let rest = text.strip_prefix(holder)?;
        let member = rest.strip_prefix("->").or_else(|| rest.strip_prefix('.'))?;
        let is_there = value_of(process, view, &format!("&({text})")) == Some(address);
        is_there.then(|| member.to_owned())
    })
}

/// The address that `expression` gives.
pub(super) fn value_of(process: &Process, view: &FrameView<'_>, expression: &str) -> Option<Avma> {
    match scalar_of(process, view, expression)? {
        Scalar::Address(at) => Some(Avma(at)),
        _ => None,
    }
}

/// Where what `expression` gives lies in memory.
pub(super) fn place_of(process: &Process, view: &FrameView<'_>, expression: &str) -> Option<Avma> {
    evaluate(process, view, expression, &no_parts()).ok()?.address
}

/// The bytes that `expression` takes.
pub(super) fn size_of(process: &Process, view: &FrameView<'_>, expression: &str) -> Option<u64> {
    match scalar_of(process, view, &format!("sizeof({expression})"))? {
        Scalar::Unsigned(bytes) => u64::try_from(bytes).ok().filter(|bytes| *bytes > 0),
        Scalar::Signed(bytes) => u64::try_from(bytes).ok().filter(|bytes| *bytes > 0),
        _ => None,
    }
}

/// The number or address that `expression` gives.
pub(super) fn scalar_of(
    process: &Process,
    view: &FrameView<'_>,
    expression: &str,
) -> Option<Scalar> {
    match evaluate(process, view, expression, &no_parts()).ok()?.state {
        State::Scalar(scalar) => Some(scalar),
        _ => None,
    }
}

/// Whether `expression` leads to where nothing is mapped.
pub(super) fn is_unmapped(process: &Process, view: &FrameView<'_>, expression: &str) -> bool {
    let value = evaluate(process, view, expression, &no_parts()).ok();
    let is_of_mapping = |read: &ReadError| read.reason == Absent::Unmapped;
    value.is_some_and(
        |value| matches!(&value.state, State::Absent(Absence::Memory(read)) if is_of_mapping(read)),
    )
}

/// Whether all names of `expression` are in scope and it has a value.
pub(super) fn is_known(process: &Process, view: &FrameView<'_>, expression: &str) -> bool {
    let value = || evaluate(process, view, expression, &no_parts()).ok();
    Known::of(view).has_all_of(expression)
        && value().is_some_and(|value| !matches!(value.state, State::Absent(_)))
}

fn no_parts() -> Budget {
    Budget::default().with(Some(1), Some(1))
}

fn is_wanted(value: &Value, wanted: Wanted) -> bool {
    match (&value.state, wanted) {
        (State::Scalar(Scalar::Address(at)), Wanted::Pointer(wanted)) => *at == wanted.0,
        (State::Aggregate, Wanted::Pointer(Avma(0))) => is_empty_smart_pointer(value),
        (State::Scalar(Scalar::Signed(number)), Wanted::Number(wanted)) => {
            *number == i128::from(wanted.cast_signed()) || *number == i128::from(wanted)
        }
        (State::Scalar(Scalar::Unsigned(number)), Wanted::Number(wanted)) => {
            *number == u128::from(wanted)
        }
        _ => false,
    }
}

/// Whether a standard smart pointer holds nothing.
fn is_empty_smart_pointer(value: &Value) -> bool {
    const KINDS: [&str; 2] = ["std::unique_ptr", "std::shared_ptr"];
    let summary = value.summary.as_deref().unwrap_or_default();
    let kind = KINDS.iter().find_map(|kind| summary.strip_prefix(kind));
    kind.is_some_and(|rest| rest.ends_with("empty")) && value.pointee.is_none()
}

impl Known {
    /// The expressions in `line` made of arguments and locals in scope: to look for a name
    /// among all globals of all modules would cost more than all the rest.
    fn of_line(&self, line: &str) -> impl Iterator<Item = String> {
        spelled(line).into_iter().filter(|text| self.has_all_of(text))
    }
}
