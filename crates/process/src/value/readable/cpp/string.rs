//! `std::string` and other types that hold text.

use super::form_result::{FormResult, Trouble};
use super::layout::{Field, Shape};
use super::object::{CppObject, counted};
use crate::value::readable::Readable;
use crate::value::text::counted_text;
use crate::value::{Absence, Object, Text};
use obit_corefile::addr::Avma;
use obit_dwarf::TypeKind;

/// `std::basic_string`.
pub(super) fn owned<'d>(view: &CppObject<'d>) -> FormResult<'d> {
    if let (Some(long), Some(short)) = (view.named(&["__l"]), view.named(&["__s"])) {
        return libcxx(view, &view.part(long), &view.part(short));
    }
    let size = character_size(view)?;
    let pointer = pointer_to_characters(view).ok_or(Trouble::Unfamiliar)?;
    let behind = |field: &&Field<'d>| field.bits > pointer.bits && field.shape == Shape::Integer;
    let start = view.number(pointer)?;
    let Some(length) = view.fields.iter().find(behind) else {
        return counted_references(view, start, size);
    };
    let inner = view.fields.iter().find(|field| field.in_union).ok_or(Trouble::Unfamiliar)?;
    let length = view.number(length)?;
    let capacity = match view.part(inner).address() {
        Some(at) if at.0 == start => {
            let whole = view.object.size(view.scene).ok_or(Trouble::Unfamiliar)?;
            let bytes = whole.checked_sub(inner.offset()).ok_or(Trouble::Unfamiliar)?;
            bytes.checked_div(size).and_then(|room| room.checked_sub(1))
        }
        _ => {
            let capacity = |field: &&Field<'d>| field.in_union && field.shape == Shape::Integer;
            Some(view.number(view.fields.iter().find(capacity).ok_or(Trouble::Unfamiliar)?)?)
        }
    };
    if length > capacity.ok_or(Trouble::Unfamiliar)? {
        return Err(Trouble::Damaged("it is longer than its storage"));
    }
    terminated(view, start, length, size)
}

/// libstdc++'s strings from before C++11: length and capacity lie before the text.
fn counted_references<'d>(view: &CppObject<'d>, start: u64, size: u64) -> FormResult<'d> {
    let word = view.object.size(view.scene).ok_or(Trouble::Unfamiliar)?;
    let header = start.checked_sub(word.saturating_mul(3));
    let header = header.ok_or(Trouble::Damaged("its memory is not mapped"))?;
    view.check_mapped(header, word.saturating_mul(3))?;
    let length = view.word(header)?;
    if length > view.word(header.saturating_add(word))? {
        return Err(Trouble::Damaged("it is longer than its storage"));
    }
    terminated(view, start, length, size)
}

/// A union of a long form and a short one. One bit of the first or last byte shows which
/// it is: a bit-field since LLVM 15, a mask before.
fn libcxx<'d>(view: &CppObject<'d>, long: &Object<'d>, short: &Object<'d>) -> FormResult<'d> {
    let scene = view.scene;
    let member = |of: &Object<'d>, name| of.member(scene, name).ok_or(Trouble::Unfamiliar);
    let data = member(short, "__data_")?;
    let stated = member(short, "__size_")?;
    let number = stated.unsigned(scene)?;
    // The short length shares its byte with the flag, before the text or after it.
    // In memory whole bytes are in the address, in parts all bits are in the offset.
    let place = |of: &Object<'d>| (of.address(), of.bit_offset);
    let is_first = place(&data) != place(short);
    let in_lowest_bit = is_first == scene.memory.is_little_endian();
    let flag = short.member(scene, "__is_long_");
    let (is_long, short_length) = match &flag {
        Some(flag) => (flag.unsigned(scene)? != 0, number),
        None if in_lowest_bit => (number & 1 != 0, number >> 1),
        None => (number & 0x80 != 0, number & 0x7f),
    };
    let size = character_size(view)?;
    if is_long {
        let length = member(long, "__size_")?.unsigned(scene)?;
        let stated = member(long, "__cap_")?.unsigned(scene)?;
        let capacity = match (flag, in_lowest_bit) {
            // Without its lowest bit, which is the flag.
            (Some(_), true) => stated.saturating_mul(2),
            (Some(_), false) => stated,
            (None, true) => stated & !1,
            (None, false) => stated & (u64::MAX >> 1),
        };
        if length > capacity {
            return Err(Trouble::Damaged("it is longer than its storage"));
        }
        return terminated(view, member(long, "__data_")?.unsigned(scene)?, length, size);
    }
    let room = data.length(scene).ok_or(Trouble::Unfamiliar)?;
    if short_length >= room {
        return Err(Trouble::Damaged("it is longer than its storage"));
    }
    let bytes = data.bytes(scene)?;
    let used = usize::try_from(short_length.saturating_mul(size)).unwrap_or(usize::MAX);
    let text = bytes.get(..used).ok_or(Trouble::Unfamiliar)?;
    let text = (short_length > 0).then(|| decode(view, text, size, 0));
    Ok(Readable { text, ..of_length(view, short_length) })
}

/// A string whose characters are followed by a NUL.
fn terminated<'d>(view: &CppObject<'d>, start: u64, length: u64, size: u64) -> FormResult<'d> {
    let end = length.checked_mul(size).and_then(|len| start.checked_add(len));
    let end = end.ok_or(Trouble::Damaged("it is larger than memory"))?;
    view.check_mapped(start, end.saturating_sub(start).saturating_add(size))?;
    let nul = view.scene.memory.read_up_to(Avma(end), usize::try_from(size).unwrap_or(1));
    if nul.iter().any(|byte| *byte != 0) {
        return Err(Trouble::Damaged("no NUL follows it"));
    }
    characters(view, start, length, size)
}

/// `std::basic_string_view`: a pointer and a length, in either order.
pub(super) fn borrowed<'d>(view: &CppObject<'d>) -> FormResult<'d> {
    let size = character_size(view)?;
    let pointer = pointer_to_characters(view).ok_or(Trouble::Unfamiliar)?;
    let length = view.words().find(|field| field.shape == Shape::Integer);
    let length = view.number(length.ok_or(Trouble::Unfamiliar)?)?;
    let start = view.number(pointer)?;
    if length == 0 {
        return Ok(of_length(view, 0));
    }
    let len = length.checked_mul(size).ok_or(Trouble::Damaged("it is larger than memory"))?;
    view.check_mapped(start, len)?;
    characters(view, start, length, size)
}

/// `std::filesystem::path`: a string, and its components.
pub(super) fn path<'d>(view: &CppObject<'d>) -> FormResult<'d> {
    let inner = view.named(&["_M_pathname", "__pn_"]).ok_or(Trouble::Unfamiliar)?;
    let inner = view.inner(&view.part(inner)).ok_or(Trouble::Absent)?;
    let summary = inner.summary.as_deref().unwrap_or_default();
    if let Some((_, how)) = summary.split_once(", damaged: ") {
        return Ok(view.damaged(how));
    }
    let rest = if inner.text.is_none() { ", empty" } else { "" };
    Ok(Readable { text: inner.text, ..view.summarized(rest) })
}

fn pointer_to_characters<'v, 'd>(view: &'v CppObject<'d>) -> Option<&'v Field<'d>> {
    let size = character_size(view).ok();
    view.words().find(|field| {
        let target = field.target(view.scene);
        let is_base = |ty: &crate::value::TypeRef<'_>| matches!(ty.get().kind, TypeKind::Base(_));
        target.filter(is_base).is_some_and(|target| view.size_of(target).ok() == size)
    })
}

/// Bytes of one character.
fn character_size(view: &CppObject<'_>) -> Result<u64, Trouble> {
    let character = view.argument(0).ok_or(Trouble::Unfamiliar)?;
    let size = view.size_of(character)?;
    if matches!(size, 1 | 2 | 4) { Ok(size) } else { Err(Trouble::Unfamiliar) }
}

fn of_length<'d>(view: &CppObject<'d>, length: u64) -> Readable<'d> {
    view.summarized(&counted(length))
}

/// The text of `length` characters at `start`, as much of it as is shown.
fn characters<'d>(view: &CppObject<'d>, start: u64, length: u64, size: u64) -> FormResult<'d> {
    let most = u64::try_from(view.scene.limits.string_bytes).unwrap_or(u64::MAX);
    let shown = length.min(most.checked_div(size).unwrap_or(0));
    let mut bytes = vec![0; usize::try_from(shown.saturating_mul(size)).unwrap_or(0)];
    view.scene.memory.read(Avma(start), &mut bytes).map_err(Absence::from)?;
    let text = decode(view, &bytes, size, length.saturating_sub(shown));
    Ok(Readable { text: (length > 0).then_some(text), ..of_length(view, length) })
}

/// The text of these bytes, after which `left_out` characters follow.
fn decode(view: &CppObject<'_>, bytes: &[u8], size: u64, left_out: u64) -> Text {
    let mut whole = bytes;
    if size == 1 && left_out > 0 {
        whole = without_cut_character(bytes);
    }
    let dropped = bytes.len().saturating_sub(whole.len());
    let left_out = left_out.saturating_add(u64::try_from(dropped).unwrap_or(0));
    let size = usize::try_from(size).unwrap_or(1);
    counted_text(whole, size, view.scene.memory.is_little_endian(), left_out)
}

/// Without the beginning of a UTF-8 character at the end.
fn without_cut_character(bytes: &[u8]) -> &[u8] {
    let last = bytes.utf8_chunks().last().map_or(&[][..], |chunk| chunk.invalid());
    let is_cut = std::str::from_utf8(last).is_err_and(|error| error.error_len().is_none());
    let kept = bytes.len().saturating_sub(if is_cut { last.len() } else { 0 });
    bytes.get(..kept).unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_cut_in_two_is_left_out_whole() {
        assert_eq!(without_cut_character(b"ab\xc3"), b"ab");
        assert_eq!(without_cut_character(b"ab\xff"), b"ab\xff");
        assert_eq!(without_cut_character(b"ab"), b"ab");
    }
}
