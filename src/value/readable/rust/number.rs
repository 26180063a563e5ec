//! Numbers in wrappers, spans of time, ranges.

use super::view::{self, View};
use crate::debuginfo::{Encoding, TypeKind};
use crate::value::readable::Readable;
use crate::value::{Object, Text, TextOrigin};

const NANOSECONDS: u64 = 1_000_000_000;

/// `AtomicU32`, `NonZero`, `Wrapping`: the number.
pub(super) fn wrapped<'d>(view: &View<'d>) -> Option<Readable<'d>> {
    let inner = view::only(&view.object, view.scene);
    if view::is_record(&inner, view.scene) {
        return None;
    }
    Some(view.told_value(view.name(), inner))
}

/// `Duration`: seconds and nanoseconds.
pub(super) fn duration<'d>(view: &View<'d>) -> Option<Readable<'d>> {
    let seconds = view.number("secs")?;
    let nanoseconds = view.number("nanos").filter(|nanos| *nanos < NANOSECONDS)?;
    Some(spelled(format!("{} s", decimal(seconds.into(), nanoseconds))))
}

/// `SystemTime`: a `timespec`.
pub(super) fn system_time<'d>(view: &View<'d>) -> Option<Readable<'d>> {
    let seconds = view::only(&view.part("tv_sec")?, view.scene).signed(view.scene).ok()?;
    let nanoseconds = view.number("tv_nsec").filter(|nanos| *nanos < NANOSECONDS)?;
    let seconds = u64::try_from(seconds).ok()?;
    Some(spelled(format!("{} s after 1970-01-01 UTC", decimal(seconds.into(), nanoseconds))))
}

/// `Range` and `RangeInclusive` of integers.
pub(super) fn range<'d>(view: &View<'d>) -> Option<Readable<'d>> {
    let end = |name| integer(&view.object.member(view.scene, name)?, view);
    let (start, last) = (end("start")?, end("end")?);
    let Some(exhausted) = view.object.member(view.scene, "exhausted") else {
        return Some(spelled(format!("{start}..{last}")));
    };
    let over = exhausted.unsigned(view.scene).ok().filter(|flag| *flag <= 1)? == 1;
    let summary = over.then(|| "RangeInclusive, exhausted".to_owned());
    Some(Readable { summary, ..spelled(format!("{start}..={last}")) })
}

/// An integer as text; `None` for what is none.
fn integer<'d>(object: &Object<'d>, view: &View<'d>) -> Option<String> {
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

/// Seconds with as many digits as there are.
fn decimal(seconds: u128, nanoseconds: u64) -> String {
    let digits = format!("{nanoseconds:09}");
    let digits = digits.trim_end_matches('0');
    let point = if digits.is_empty() { "" } else { "." };
    format!("{seconds}{point}{digits}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_of_time_has_no_needless_digits() {
        assert_eq!(decimal(1, 500_000_000), "1.5");
        assert_eq!(decimal(0, 7), "0.000000007");
        assert_eq!(decimal(60, 0), "60");
    }
}
