//! Strings in the process: the text of the characters at a place.

use std::fmt::Write as _;

use super::character::literal_prefix;
use super::decode::FORTRAN_CHARACTER;
use super::object::{Contents, Object, Scene, TypeRef};
use super::{Text, TextOrigin};
use obit_corefile::addr::Avma;
use obit_corefile::escape::EscapedByte;
use obit_corefile::memory::ReadError;
use obit_dwarf::types::Encoding;
use obit_dwarf::{Language, Type, TypeKind};

/// The code units of a string.
#[derive(Clone, Copy)]
pub(super) struct Units {
    /// Bytes of one: 1, 2 or 4.
    size: usize,
    /// Whether the type is for text alone. `unsigned char` is as often a byte.
    is_text: bool,
    is_little_endian: bool,
    /// Whether a pointer to one stands for a string that ends with a NUL.
    is_c: bool,
    /// Whether an array of them is text as far as a NUL only.
    ends_at_nul: bool,
    /// How literals of them begin.
    pub(super) prefix: &'static str,
}

impl Units {
    /// Of strings of this type; `None` if it is not a character type.
    pub(super) fn of<'d>(ty: TypeRef<'d>, scene: Scene<'d>) -> Option<Self> {
        // What is declared alone is a structure or an enumeration: its definition, which is
        // looked for in all units, is no character either.
        let entry = ty.without_names().get();
        let TypeKind::Base(base) = &entry.kind else { return None };
        let name = entry.name.as_deref().unwrap_or_default();
        let prefix = literal_prefix(ty, scene);
        let is_text = match base.encoding {
            _ if prefix.is_some() => true,
            Encoding::Utf => true,
            Encoding::UnsignedChar if entry.language == Language::Ada => true,
            Encoding::SignedChar | Encoding::UnsignedChar => name == "char",
            Encoding::Unsigned if name.starts_with(FORTRAN_CHARACTER) => true,
            // Zig's: the characters of C have another encoding.
            Encoding::Unsigned if is_zig_byte(entry) => false,
            _ => return None,
        };
        let size = usize::try_from(entry.byte_size?).ok()?;
        let is_little_endian = scene.memory.is_little_endian();
        let is_c = !matches!(entry.language, Language::Rust | Language::Ada | Language::Scoped)
            && !is_zig_byte(entry);
        let prefix = prefix.unwrap_or_default();
        let ends_at_nul = entry.language != Language::Ada;
        let units = Self { size, is_text, is_little_endian, is_c, ends_at_nul, prefix };
        matches!(size, 1 | 2 | 4).then_some(units)
    }

    /// The same, where bytes are to be read as characters.
    pub(super) fn of_bytes<'d>(ty: TypeRef<'d>, scene: Scene<'d>) -> Option<Self> {
        let entry = ty.without_names().get();
        let TypeKind::Base(base) = &entry.kind else { return None };
        let is_number = matches!(
            base.encoding,
            Encoding::Signed | Encoding::Unsigned | Encoding::SignedChar | Encoding::UnsignedChar
        );
        if is_number && entry.byte_size == Some(1) {
            let is_little_endian = scene.memory.is_little_endian();
            return Some(Self {
                size: 1,
                is_text: true,
                is_little_endian,
                is_c: true,
                ends_at_nul: true,
                prefix: "",
            });
        }
        Self::of(ty, scene)
    }

    /// The string that a pointer to its first character stands for.
    pub(super) fn at(self, at: Avma, scene: Scene<'_>, longest: usize) -> Option<Text> {
        if !self.is_c {
            return None;
        }
        let bytes = scene.memory.read_up_to(at, scene.limits.string_bytes);
        let end = self.end(&bytes);
        if bytes.is_empty() || (end.is_none() && !self.is_text) {
            return None;
        }
        let text = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default();
        self.spelled(text, end.is_some(), longest)
    }

    /// The string in an array of `count` characters, as far as a NUL.
    pub(super) fn in_array<'d>(
        self,
        array: &Object<'d>,
        count: u64,
        scene: Scene<'d>,
        longest: usize,
    ) -> Option<Text> {
        if array.is_scattered(scene) {
            return None;
        }
        let all = usize::try_from(count.checked_mul(self.size as u64)?).ok()?;
        let read = all.min(scene.limits.string_bytes);
        let bytes = match &array.contents {
            Contents::Memory(_) => scene.memory.read_up_to(array.address()?, read),
            Contents::Parts(_) => array.bytes(scene).ok()?,
            Contents::Absent(_) => return None,
        };
        let end = self.end(&bytes).filter(|_| self.ends_at_nul);
        if end.is_none() && bytes.len() < read {
            return None;
        }
        let text = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default();
        self.spelled(text, end.is_some() || bytes.len() == all, longest)
    }

    /// The string of `count` characters at `at`, whatever they are.
    pub(super) fn counted(self, at: Avma, count: u64, scene: Scene<'_>) -> Option<Text> {
        let all = usize::try_from(count.checked_mul(self.size as u64)?).ok()?;
        let longest = scene.limits.string_bytes.checked_div(self.size)?.checked_mul(self.size)?;
        let bytes = scene.memory.read_up_to(at, all.min(longest));
        if bytes.is_empty() && all > 0 {
            return None;
        }
        let units = bytes.len().checked_div(self.size)? as u64;
        let left_out = count.saturating_sub(units);
        Some(counted_text(&bytes, self.size, self.is_little_endian, left_out))
    }

    /// Bytes before the first NUL.
    fn end(self, bytes: &[u8]) -> Option<usize> {
        let nul = bytes.chunks_exact(self.size).position(|unit| unit.iter().all(|b| *b == 0));
        nul?.checked_mul(self.size)
    }

    /// `bytes` as text; `None` if they are none and the type does not promise it.
    fn spelled(self, bytes: &[u8], is_whole: bool, longest: usize) -> Option<Text> {
        if !self.is_text && !is_printable(bytes) {
            return None;
        }
        let units = bytes.chunks_exact(self.size);
        Some(match self.size {
            1 => cut(utf8(bytes), is_whole, longest),
            2 => {
                let units = units.map(|unit| self.unit(unit) as u16);
                let spelled = char::decode_utf16(units).map(|result| match result {
                    Ok(c) => Spelled::Char(c),
                    Err(lone) => Spelled::Unit(lone.unpaired_surrogate().into()),
                });
                cut(spelled, is_whole, longest)
            }
            _ => {
                let spelled = units.map(|unit| {
                    let code = self.unit(unit);
                    char::from_u32(code).map_or(Spelled::Unit(code), Spelled::Char)
                });
                cut(spelled, is_whole, longest)
            }
        })
    }

    fn unit(self, bytes: &[u8]) -> u32 {
        let fold = |value: u32, byte: &u8| (value << 8) | u32::from(*byte);
        match self.is_little_endian {
            true => bytes.iter().rev().fold(0, fold),
            false => bytes.iter().fold(0, fold),
        }
    }
}

/// Whether a base type is the byte of Zig, whose compiler says that it writes C.
fn is_zig_byte(entry: &Type) -> bool {
    entry.name.as_deref() == Some("u8") && entry.language == Language::C
}

/// Bytes that are a string as Rust and Go hold them: UTF-8, with a length.
pub fn utf8_text(bytes: &[u8], is_whole: bool, longest: usize) -> Text {
    cut(utf8(bytes), is_whole, longest)
}

/// The string of characters of `size` bytes at `at`, up to a NUL, and how many bytes it
/// takes with that. Of a long one the first `longest` characters.
///
/// # Errors
/// Not one character of it can be read.
pub fn string_at(
    at: Avma,
    size: u64,
    longest: usize,
    scene: Scene<'_>,
) -> Result<(Text, u64), ReadError> {
    let is_little_endian = scene.memory.is_little_endian();
    let size = usize::try_from(size).unwrap_or(1).clamp(1, 4);
    let units =
        Units { size, is_text: true, is_little_endian, is_c: true, ends_at_nul: true, prefix: "" };
    let bytes = scene.memory.read_up_to(at, scene.limits.string_bytes);
    if bytes.len() < size {
        let mut one = [0; 4];
        scene.memory.read(at, one.get_mut(..size).unwrap_or_default())?;
    }
    let end = units.end(&bytes);
    let text = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default();
    let spelled = units.spelled(text, end.is_some(), longest);
    let empty = Text { text: String::new(), origin: TextOrigin::Data, left_out: Some(0) };
    let length = end.map_or(bytes.len(), |end| end.saturating_add(size)).max(1);
    Ok((spelled.unwrap_or(empty), length as u64))
}

/// A string that states its length: `bytes` begin it, in units of `size` bytes, and
/// `left_out` units follow.
pub(super) fn counted_text(
    bytes: &[u8],
    size: usize,
    is_little_endian: bool,
    left_out: u64,
) -> Text {
    let units =
        Units { size, is_text: true, is_little_endian, is_c: false, ends_at_nul: true, prefix: "" };
    let text = units.spelled(bytes, true, usize::MAX).map_or(String::new(), |text| text.text);
    Text { text, origin: TextOrigin::Data, left_out: Some(left_out) }
}

impl Text {
    /// No more than its first `longest` characters.
    pub(super) fn cut(mut self, longest: usize) -> Self {
        let Some((end, _)) = self.text.char_indices().nth(longest) else { return self };
        let rest = self.text.get(end..).map_or(0, |rest| rest.chars().count());
        self.text.truncate(end);
        self.left_out = self.left_out.map(|left_out| left_out.saturating_add(rest as u64));
        self
    }
}

/// A character of a string, or what is in its place: a byte or code unit that is not one.
enum Spelled {
    Char(char),
    Byte(u8),
    Unit(u32),
}

fn utf8(bytes: &[u8]) -> impl Iterator<Item = Spelled> {
    bytes.utf8_chunks().flat_map(|chunk| {
        let bytes = chunk.invalid().iter().map(|byte| Spelled::Byte(*byte));
        chunk.valid().chars().map(Spelled::Char).chain(bytes)
    })
}

/// The first `longest` characters, and how many follow.
fn cut(mut characters: impl Iterator<Item = Spelled>, is_whole: bool, longest: usize) -> Text {
    let mut text = String::new();
    for character in characters.by_ref().take(longest) {
        // Writing to a String cannot fail.
        let _ = match character {
            Spelled::Char(c) => write!(text, "{c}"),
            Spelled::Byte(byte) => write!(text, "{}", EscapedByte(byte)),
            Spelled::Unit(unit) => write!(text, "\\u{{{unit:x}}}"),
        };
    }
    let rest = characters.count() as u64;
    Text { text, origin: TextOrigin::Data, left_out: is_whole.then_some(rest) }
}

/// Whether bytes are text, though their type does not say so.
pub(super) fn is_printable(bytes: &[u8]) -> bool {
    let is_plain = |c: char| !c.is_control() || matches!(c, '\n' | '\t' | '\r');
    !bytes.is_empty() && std::str::from_utf8(bytes).is_ok_and(|text| text.chars().all(is_plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(size: usize, is_text: bool) -> Units {
        Units { size, is_text, is_little_endian: true, is_c: true, ends_at_nul: true, prefix: "" }
    }

    #[test]
    fn a_text_is_cut_between_characters_and_says_how_many_follow() {
        let text = utf8_text("żółw".as_bytes(), true, 3);
        assert_eq!((text.text.as_str(), text.left_out), ("żół", Some(1)));
        assert_eq!(utf8_text(b"ab", false, 3).left_out, None);
        assert_eq!(utf8_text(b"ab", true, 3).left_out, Some(0));
    }

    #[test]
    fn a_text_that_was_cut_may_be_cut_again() {
        let text = counted_text("żółw".as_bytes(), 1, true, 10);
        let cut = text.clone().cut(3);
        assert_eq!((cut.text.as_str(), cut.left_out), ("żół", Some(11)));
        assert_eq!(text.clone().cut(4), text);
    }

    #[test]
    fn a_byte_that_is_no_utf8_is_not_lost() {
        assert_eq!(utf8_text(b"a\xffb", true, 9).text, "a\\xffb");
    }

    #[test]
    fn wide_strings_are_read_by_their_units() {
        let wide = [0x61, 0, 0x3d, 0xd8, 0, 0xde, 0, 0xd8];
        let text = units(2, true).spelled(&wide, true, 9).unwrap();
        assert_eq!(text.text, "a\u{1f600}\\u{d800}");
        let wide = [0xac, 0x20, 0, 0, 0, 0, 0x11, 0];
        let text = units(4, true).spelled(&wide, true, 9).unwrap();
        assert_eq!(text.text, "\u{20ac}\\u{110000}");
    }

    #[test]
    fn bytes_are_text_only_if_they_can_be_printed() {
        assert!(units(1, false).spelled(b"\x01\x02", true, 9).is_none());
        assert!(units(1, false).spelled(b"", true, 9).is_none());
        assert_eq!(units(1, false).spelled(b"ok\n", true, 9).unwrap().text, "ok\n");
        assert_eq!(units(1, true).spelled(b"\x01", true, 9).unwrap().text, "\u{1}");
    }

    #[test]
    fn a_string_ends_with_a_unit_of_zeros_not_with_a_zero() {
        assert_eq!(units(2, true).end(&[0x41, 0, 0, 1, 0, 0]), Some(4));
        assert_eq!(units(2, true).end(&[0x41, 0, 0]), None);
    }
}
