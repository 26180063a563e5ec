//! Contiguous elements and text of containers that store a pointer and a length: what is
//! the same for every language.

use std::sync::Arc;

use super::{Readable, form};
use crate::value::text::utf8_text;
use crate::value::{Object, Scene, Text, TypeRef};
use obit_corefile::addr::Avma;

/// `[3]`.
pub(super) fn element_name(index: u64) -> Arc<str> {
    format!("[{index}]").into()
}

/// Whether `[start, start + len)` begins and ends in mappings of the process. What lies
/// between may be missing from the core all the same.
pub(super) fn is_mapped(scene: Scene<'_>, start: Avma, len: u64) -> bool {
    let Some(last) = len.checked_sub(1) else { return true };
    let end = start.checked_add(last);
    let holds = |at| scene.memory.range_at(at).is_some();
    holds(start) && end.is_some_and(holds)
}

/// The size of a type in bytes.
pub(super) fn size_of<'d>(ty: TypeRef<'d>, scene: Scene<'d>) -> Option<u64> {
    Object::at(ty, Avma(0)).size(scene)
}

/// Indices of the elements to look up, of `count`.
pub(super) fn wanted(count: u64, limit: usize) -> std::ops::Range<u64> {
    0..count.min(u64::try_from(limit).unwrap_or(u64::MAX))
}

/// A container called `what` of `count` elements of type `ty` that lie one after the
/// other from `start`; `None` if there cannot be so many.
pub(super) fn contiguous<'d>(
    what: &str,
    ty: TypeRef<'d>,
    start: Avma,
    count: u64,
    scene: Scene<'d>,
    limit: usize,
) -> Option<Readable<'d>> {
    let size = size_of(ty, scene)?;
    let len = count.checked_mul(size).filter(|len| i64::try_from(*len).is_ok())?;
    if !is_mapped(scene, start, len) {
        return None;
    }
    let mut elements = Vec::new();
    for index in wanted(count, limit) {
        let at = start.checked_add(index.checked_mul(size)?)?;
        elements.push((element_name(index), Object::at(ty, at)));
    }
    Some(Readable {
        summary: Some(form::counted(what, count)),
        elements,
        total: Some(count),
        ..Readable::default()
    })
}

/// The `len` bytes of text at `start`; `None` if there cannot be so many or their start
/// is absent.
pub(super) fn text(start: Avma, len: u64, scene: Scene<'_>) -> Option<Text> {
    if i64::try_from(len).is_err() || !is_mapped(scene, start, len) {
        return None;
    }
    let wanted = len.min(u64::try_from(scene.limits.string_bytes).ok()?);
    let mut bytes = scene.memory.read_up_to(start, usize::try_from(wanted).ok()?);
    if bytes.is_empty() && len > 0 {
        return None;
    }
    if (bytes.len() as u64) < len {
        drop_broken_end(&mut bytes);
    }
    let left_out = Some(len.saturating_sub(bytes.len() as u64));
    Some(Text { left_out, ..utf8_text(&bytes, true, bytes.len()) })
}

/// Drops a character that was cut in two at the end.
fn drop_broken_end(bytes: &mut Vec<u8>) {
    if let Err(error) = std::str::from_utf8(bytes)
        && error.error_len().is_none()
    {
        bytes.truncate(error.valid_up_to());
    }
}
