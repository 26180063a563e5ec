//! What the compiler makes of closures and of async code: closures are records of what
//! they captured; an `async fn` is an enum with a variant for every place it waits at.

use std::sync::Arc;

use super::object::{self, RustObject};
use super::sum;
use crate::value::Object;
use crate::value::readable::Readable;
use obit_dwarf::types::Record;

/// A type whose own name, such as `{closure_env#0}`, the compiler made.
pub(super) fn readable<'d>(
    view: &RustObject<'d>,
    own: &str,
    record: &Record,
) -> Option<Readable<'d>> {
    let kind = own.strip_prefix('{')?.split_once("_env#")?.0;
    if record.variant_parts.is_empty() {
        let parts = captured(&view.object, view);
        let count = match parts.len() {
            0 => "nothing".to_owned(),
            1 => "1 variable".to_owned(),
            count => format!("{count} variables"),
        };
        return (kind == "closure")
            .then(|| view.summarized(format!("closure over {count}"), parts));
    }
    let what = match kind {
        "async_fn" => "async fn",
        "async_block" => "async block of",
        "async_closure" => "async closure of",
        "gen_fn" | "gen_block" | "generator" | "coroutine" => "coroutine of",
        _ => return None,
    };
    state_machine(view, what, record)
}

/// Where an async function or block is, and its variables there.
fn state_machine<'d>(view: &RustObject<'d>, what: &str, record: &Record) -> Option<Readable<'d>> {
    let (state, variant) = sum::active(view)?;
    let name = view.object.ty.name();
    let of = name.split_once("::{async").or_else(|| name.split_once("::{coroutine"));
    let of = of.or_else(|| name.split_once("::{gen")).map_or(&*name, |(function, _)| function);
    let said = match &*state {
        "Unresumed" => "not started".to_owned(),
        "Returned" => return Some(view.summarized(format!("{what} {of}, finished"), Vec::new())),
        "Panicked" => return Some(view.summarized(format!("{what} {of}, panicked"), Vec::new())),
        other => {
            let number: u32 = other.strip_prefix("Suspend")?.parse().ok()?;
            let line = line_of(record, &variant);
            let line = line.map_or(String::new(), |line| format!(" in line {line}"));
            let number = number.saturating_add(1);
            format!("at await {number} of {}{line}", awaits(record))
        }
    };
    Some(view.summarized(format!("{what} {of}, {said}"), captured(&variant, view)))
}

/// How many places there are where the code waits: all states but those before the
/// start, after the end, and after a panic.
fn awaits(record: &Record) -> usize {
    let states: usize = record.variant_parts.iter().map(|part| part.variants.len()).sum();
    states.saturating_sub(3)
}

/// The line where the code waits in a state: rustc states it with the variant.
fn line_of(record: &Record, state: &Object<'_>) -> Option<u32> {
    let variants = record.variant_parts.iter().flat_map(|part| &part.variants);
    let mut members = variants.flat_map(|variant| &variant.members);
    members.find(|member| member.ty == Some(state.ty.id))?.line
}

/// Captured variables by their own names: those captured by reference as what they refer
/// to, and each once, though a state may list an argument twice.
fn captured<'d>(object: &Object<'d>, view: &RustObject<'d>) -> Vec<(Arc<str>, Object<'d>)> {
    let mut parts: Vec<(Arc<str>, Object<'d>)> = Vec::new();
    for (name, part) in sum::payload(object, view) {
        let (name, part) = match name.strip_prefix("_ref__") {
            Some(own) if object::is_pointer(&part, view.scene) => {
                (Arc::from(own), part.pointee(view.scene).unwrap_or(part))
            }
            Some(own) => (Arc::from(own), part),
            None if &*name == "__awaitee" => (Arc::from("awaited"), part),
            None => (name, part),
        };
        let is_known = |(other, known): &(Arc<str>, Object<'d>)| {
            *other == name && known.address() == part.address() && part.address().is_some()
        };
        if !parts.iter().any(is_known) {
            parts.push((name, part));
        }
    }
    parts
}
