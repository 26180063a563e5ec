//! Strings and slices.

use super::object::{GoObject, target};
use crate::value::readable::{Readable, extent};
use obit_corefile::addr::Avma;

/// `string`: a pointer and a length.
pub(super) fn string<'d>(view: &GoObject<'d>) -> Option<Readable<'d>> {
    let len = view.count("len")?;
    let start = view.number("str").filter(|start| *start != 0 || len == 0)?;
    let text = Some(extent::text(Avma(start), len, view.scene)?);
    Some(Readable { text, ..Readable::default() })
}

/// `[]T`: a pointer, a length and a capacity.
pub(super) fn slice<'d>(view: &GoObject<'d>) -> Option<Readable<'d>> {
    let (len, capacity) = (view.count("len")?, view.count("cap")?);
    let start = view.number("array")?;
    if len > capacity || (start == 0 && capacity > 0) {
        return None;
    }
    if start == 0 {
        let summary = Some("slice, nil".to_owned());
        return Some(Readable { summary, total: Some(0), ..Readable::default() });
    }
    let element = target(view.member("array")?.ty)?;
    let found = extent::contiguous("slice", element, Avma(start), len, view.scene, view.limit)?;
    let more = if capacity > len { format!(", room for {capacity}") } else { String::new() };
    let summary = found.summary.as_ref().map(|counted| format!("{counted}{more}"));
    Some(Readable { summary, ..found })
}
