//! `std::string` and all that hold text.

use super::layout::{Field, Shape};
use super::view::{View, counted};
use super::{Told, Trouble};
use crate::addr::Avma;
use crate::debuginfo::TypeKind;
use crate::value::readable::Readable;
use crate::value::{Absence, Object, Text, TextOrigin};

/// The name people know a string type by, for the characters it is made of.
pub(super) fn label(family: &'static str, character: &str) -> Option<&'static str> {
    let names = match character {
        "char" => ["std::string", "std::string_view"],
        "wchar_t" => ["std::wstring", "std::wstring_view"],
        "char8_t" => ["std::u8string", "std::u8string_view"],
        "char16_t" => ["std::u16string", "std::u16string_view"],
        "char32_t" => ["std::u32string", "std::u32string_view"],
        _ => return None,
    };
    let [owned, borrowed] = names;
    match family {
        "std::basic_string" => Some(owned),
        "std::basic_string_view" => Some(borrowed),
        _ => None,
    }
}

/// `std::basic_string`.
pub(super) fn owned<'d>(view: &View<'d>) -> Told<'d> {
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

/// libstdc++'s strings of before C++11: length and capacity lie before the text.
fn counted_references<'d>(view: &View<'d>, start: u64, size: u64) -> Told<'d> {
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

/// A long form and a short one over each other. One bit of the first or last byte tells
/// which it is: since LLVM 15 a bit-field, before by a mask.
fn libcxx<'d>(view: &View<'d>, long: &Object<'d>, short: &Object<'d>) -> Told<'d> {
    let scene = view.scene;
    let member = |of: &Object<'d>, name| of.member(scene, name).ok_or(Trouble::Unfamiliar);
    let data = member(short, "__data_")?;
    let stated = member(short, "__size_")?;
    let number = stated.unsigned(scene)?;
    let (is_long, short_length) = match short.member(scene, "__is_long_") {
        Some(flag) => (flag.unsigned(scene)? != 0, number),
        None => {
            let is_first =
                stated.bit_offset == short.bit_offset && stated.address() == short.address();
            // The lowest bit of the long form's capacity, or its highest.
            match is_first == scene.memory.is_little_endian() {
                true => (number & 1 != 0, number >> 1),
                false => (number & 0x80 != 0, number & 0x7f),
            }
        }
    };
    let size = character_size(view)?;
    if is_long {
        let length = member(long, "__size_")?.unsigned(scene)?;
        let capacity = member(long, "__cap_")?.unsigned(scene)?;
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
    Ok(Readable { text: Some(decode(view, text, size, 0)), ..of_length(view, short_length) })
}

/// A string whose characters are followed by a NUL.
fn terminated<'d>(view: &View<'d>, start: u64, length: u64, size: u64) -> Told<'d> {
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
pub(super) fn borrowed<'d>(view: &View<'d>) -> Told<'d> {
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

/// `std::filesystem::path`: a string, and what it was parted into.
pub(super) fn path<'d>(view: &View<'d>) -> Told<'d> {
    let inner = view.named(&["_M_pathname", "__pn_"]).ok_or(Trouble::Unfamiliar)?;
    let inner = super::super::readable(&view.part(inner), view.scene, view.limit);
    let inner = inner.ok_or(Trouble::Absent)?;
    if inner.text.is_none() && inner.total.is_none() {
        let how = inner.summary.as_deref().and_then(|summary| summary.split_once(", damaged: "));
        return how.map(|(_, how)| view.damaged(how)).ok_or(Trouble::Absent);
    }
    let rest = if inner.total == Some(0) { ", empty" } else { "" };
    Ok(Readable { text: inner.text, ..view.told(rest) })
}

fn pointer_to_characters<'v, 'd>(view: &'v View<'d>) -> Option<&'v Field<'d>> {
    let size = character_size(view).ok();
    view.words().find(|field| {
        let target = field.target(view.scene);
        let is_base = |ty: &crate::value::TypeRef<'_>| matches!(ty.get().kind, TypeKind::Base(_));
        target.filter(is_base).is_some_and(|target| view.size_of(target).ok() == size)
    })
}

/// Bytes of one character.
fn character_size(view: &View<'_>) -> Result<u64, Trouble> {
    let character = view.argument(0).ok_or(Trouble::Unfamiliar)?;
    let size = view.size_of(character)?;
    if matches!(size, 1 | 2 | 4) { Ok(size) } else { Err(Trouble::Unfamiliar) }
}

fn of_length<'d>(view: &View<'d>, length: u64) -> Readable<'d> {
    Readable { total: Some(length), ..view.told(&counted(length)) }
}

/// The text of `length` characters at `start`, as much of it as is shown.
fn characters<'d>(view: &View<'d>, start: u64, length: u64, size: u64) -> Told<'d> {
    let most = u64::try_from(view.scene.limits.string_bytes).unwrap_or(u64::MAX);
    let shown = length.min(most.checked_div(size).unwrap_or(0));
    let mut bytes = vec![0; usize::try_from(shown.saturating_mul(size)).unwrap_or(0)];
    view.scene.memory.read(Avma(start), &mut bytes).map_err(Absence::from)?;
    let text = decode(view, &bytes, size, length.saturating_sub(shown));
    Ok(Readable { text: (length > 0).then_some(text), ..of_length(view, length) })
}

/// The text of these bytes, after which `left_out` characters follow.
fn decode(view: &View<'_>, bytes: &[u8], size: u64, left_out: u64) -> Text {
    let unit = |chunk: &[u8]| u32::try_from(view.scene.memory.unsigned(chunk)).unwrap_or(u32::MAX);
    let (text, dropped) = match size {
        1 => utf8(bytes, left_out > 0),
        2 => {
            let units = bytes.chunks_exact(2).map(|chunk| unit(chunk) as u16);
            let decoded = char::decode_utf16(units).map(|character| match character {
                Ok(character) => character.to_string(),
                Err(lone) => format!("\\u{{{:x}}}", lone.unpaired_surrogate()),
            });
            (decoded.collect(), 0)
        }
        _ => {
            let units = bytes.chunks_exact(4).map(unit);
            let decoded = units.map(|code| match char::from_u32(code) {
                Some(character) => character.to_string(),
                None => format!("\\u{{{code:x}}}"),
            });
            (decoded.collect(), 0)
        }
    };
    Text { text, origin: TextOrigin::Data, left_out: Some(left_out.saturating_add(dropped)) }
}

/// Bytes as text; what is no UTF-8 stands as `\xff`. Where more would follow, a character
/// that is cut in two is dropped: also how many bytes that were.
fn utf8(bytes: &[u8], is_cut: bool) -> (String, u64) {
    let mut text = String::new();
    let mut chunks = bytes.utf8_chunks().peekable();
    while let Some(chunk) = chunks.next() {
        text.push_str(chunk.valid());
        let invalid = chunk.invalid();
        let is_last = chunks.peek().is_none();
        if is_cut
            && is_last
            && std::str::from_utf8(invalid).is_err_and(|error| error.error_len().is_none())
        {
            return (text, u64::try_from(invalid.len()).unwrap_or(0));
        }
        for byte in invalid {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    (text, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_text_are_spelled_as_bytes() {
        assert_eq!(utf8(b"caf\xc3\xa9 \xff", false), ("caf\u{e9} \\xff".to_owned(), 0));
    }

    #[test]
    fn a_character_cut_in_two_is_left_out_whole() {
        assert_eq!(utf8(b"ab\xc3", true), ("ab".to_owned(), 1));
        assert_eq!(utf8(b"ab\xc3", false), ("ab\\xc3".to_owned(), 0));
    }
}
