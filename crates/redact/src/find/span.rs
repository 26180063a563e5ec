//! Stretches of text to hide, and how several become one list.

use std::borrow::Cow;
use std::ops::Range;

use crate::kind::Kind;

/// A stretch of text to hide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// Bytes of the text.
    pub(crate) range: Range<usize>,
    /// As what.
    pub(crate) kind: Kind,
    /// The bytes of a character there.
    pub(crate) unit: Unit,
}

/// The bytes that make a character.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Unit {
    #[default]
    Byte,
    Utf16Little,
    Utf16Big,
    Utf32Little,
    Utf32Big,
}

impl Unit {
    pub(in crate::find) fn size(self) -> usize {
        match self {
            Self::Byte => 1,
            Self::Utf16Little | Self::Utf16Big => 2,
            Self::Utf32Little | Self::Utf32Big => 4,
        }
    }

    /// Whether the lower byte is first.
    pub(in crate::find) fn is_little(self) -> bool {
        !matches!(self, Self::Utf16Big | Self::Utf32Big)
    }

    /// The unit at `place`.
    #[inline]
    pub(in crate::find) fn value(self, bytes: &[u8], place: usize) -> Option<u32> {
        let unit = bytes.get(place..place.checked_add(self.size())?)?;
        let fold = |sum: u32, byte: &u8| sum << 8 | u32::from(*byte);
        Some(match self.is_little() {
            true => unit.iter().rev().fold(0, fold),
            false => unit.iter().fold(0, fold),
        })
    }

    /// The character at `place`, a mark in place of what is none, and its length.
    #[inline]
    pub(in crate::find) fn character(self, bytes: &[u8], place: usize) -> Option<(char, usize)> {
        let value = self.value(bytes, place)?;
        let size = self.size();
        if size == 2
            && (0xd800..0xdc00).contains(&value)
            && let Some(low @ 0xdc00..0xe000) = self.value(bytes, place + size)
        {
            let value = 0x10000 + ((value & 0x3ff) << 10) + (low & 0x3ff);
            return Some((char::from_u32(value)?, 2 * size));
        }
        Some((char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER), size))
    }

    /// `bytes` in UTF-8, so that a text has one token in all encodings.
    pub(crate) fn narrowed(self, bytes: &[u8]) -> Cow<'_, [u8]> {
        match self {
            Self::Byte => Cow::Borrowed(bytes),
            _ => {
                let mut place = 0;
                let characters = std::iter::from_fn(|| {
                    let (character, len) = self.character(bytes, place)?;
                    place += len;
                    Some(character)
                });
                Cow::Owned(characters.collect::<String>().into_bytes())
            }
        }
    }

    /// `text` in such characters.
    pub(crate) fn encoded(self, text: &str) -> Vec<u8> {
        let units = text.encode_utf16();
        match self {
            Self::Byte => text.as_bytes().to_vec(),
            Self::Utf16Little => units.flat_map(u16::to_le_bytes).collect(),
            Self::Utf16Big => units.flat_map(u16::to_be_bytes).collect(),
            Self::Utf32Little => text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect(),
            Self::Utf32Big => text.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect(),
        }
    }
}

/// Sorts, and joins what overlaps: the earlier kind counts, then the longer.
pub(crate) fn in_order(mut found: Vec<Span>) -> Vec<Span> {
    found.sort_by_key(|span| (span.range.start, std::cmp::Reverse(span.range.end)));
    let mut apart: Vec<Span> = Vec::with_capacity(found.len());
    for span in found {
        match apart.last_mut() {
            Some(last) if span.range.start < last.range.end => {
                last.range.end = last.range.end.max(span.range.end);
            }
            _ => apart.push(span),
        }
    }
    apart
}

/// `found`, and every quoted text of `bytes` besides.
pub(crate) fn with_quoted(bytes: &[u8], mut found: Vec<Span>) -> Vec<Span> {
    let mut place = 0;
    let next_quote =
        |from: usize| bytes.get(from..)?.iter().position(|byte| *byte == b'"').map(|at| from + at);
    // `\"` is in the text, not its end.
    let end_from = |from: usize| {
        let mut at = from;
        loop {
            match bytes.get(at)? {
                b'"' | b'\n' | 0 => return Some(at),
                b'\\' if !matches!(bytes.get(at + 1), Some(b'\n' | 0)) => at += 2,
                _ => at += 1,
            }
        }
    };
    while let Some(open) = next_quote(place) {
        let Some(end) = end_from(open + 1) else { break };
        place = end + 1;
        // A name of a field is no value.
        let is_name = bytes.get(end + 1) == Some(&b':');
        if bytes.get(end) == Some(&b'"') && end > open + 1 && !is_name {
            found.push(Span { range: open + 1..end, kind: Kind::Text, unit: Unit::Byte });
        }
    }
    in_order(found)
}
