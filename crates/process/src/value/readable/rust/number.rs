//! Numbers in wrappers, spans of time, ranges.

use super::object::{self, RustObject};
use crate::value::readable::{Readable, date};
use crate::value::{Object, Text, TextOrigin};
use obit_dwarf::TypeKind;
use obit_dwarf::types::Encoding;

/// `AtomicU32`, `NonZero`, `Wrapping`: the number.
pub(super) fn wrapped<'d>(view: &RustObject<'d>) -> Option<Readable<'d>> {
    let inner = object::only(&view.object, view.scene);
    if object::is_record(&inner, view.scene) {
        return None;
    }
    Some(view.summarized_value(view.name(), inner))
}

/// `Duration`: seconds and nanoseconds.
pub(super) fn duration<'d>(view: &RustObject<'d>) -> Option<Readable<'d>> {
    let seconds = view.number("secs")?;
    Some(spelled(format!("{} s", date::decimal(seconds, view.number("nanos")?, 1)?)))
}

/// `SystemTime`: a `timespec`.
pub(super) fn system_time<'d>(view: &RustObject<'d>) -> Option<Readable<'d>> {
    let seconds = object::only(&view.part("tv_sec")?, view.scene).signed(view.scene).ok()?;
    Some(spelled(date::utc(seconds, view.number("tv_nsec")?)?))
}

/// `Range` and `RangeInclusive` of integers.
pub(super) fn range<'d>(view: &RustObject<'d>) -> Option<Readable<'d>> {
    let end = |name| integer(&view.object.member(view.scene, name)?, view);
    let (start, last) = (end("start")?, end("end")?);
    let Some(exhausted) = view.object.member(view.scene, "exhausted") else {
        return Some(spelled(format!("{start}..{last}")));
    };
    let over = exhausted.unsigned(view.scene).ok().filter(|flag| *flag <= 1)? == 1;
    let summary = over.then(|| "RangeInclusive, exhausted".to_owned());
    Some(Readable { summary, ..spelled(format!("{start}..={last}")) })
}

/// An integer as text; `None` for anything else.
fn integer<'d>(object: &Object<'d>, view: &RustObject<'d>) -> Option<String> {
    let ty = object.resolved(view.scene).get();
    let TypeKind::Base(base) = &ty.kind else { return None };
    match base.encoding {
        Encoding::Signed => Some(object.integer(view.scene).ok()?.to_string()),
        Encoding::Unsigned => Some((object.integer(view.scene).ok()? as u128).to_string()),
        _ => None,
    }
}

fn spelled<'d>(text: String) -> Readable<'d> {
    let text = Some(Text { text, origin: TextOrigin::Number, left_out: Some(0) });
    Readable { text, ..Readable::default() }
}
