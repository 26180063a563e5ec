//! Characters of two or four bytes within other bytes, in either order: text of programs
//! for Windows and Java, and of `wchar_t`.

use std::ops::Range;

use crate::find::span::Unit;

/// Characters in a row that make a text rather than small numbers.
const LEAST: usize = 4;

/// A stretch of such text.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::find) struct Region {
    pub(in crate::find) range: Range<usize>,
    pub(in crate::find) unit: Unit,
}

/// The stretches of `bytes` that are such text.
pub(in crate::find) fn regions(bytes: &[u8]) -> Vec<Region> {
    let mut found: Vec<Region> = Vec::new();
    let mut place = 0;
    // A plain character is a byte and NULs: NULs alone decide, most texts have none.
    while let Some(nul) = bytes.get(place + 1..).and_then(|rest| memchr::memchr(0, rest)) {
        place += nul;
        let lowest = found.last().map_or(0, |last| last.range.end);
        let size = [2, 4].into_iter().find(|size| is_plain_row(bytes, place, *size));
        let Some(region) = size.map(|size| region(bytes, place, size, lowest)) else {
            place += 1;
            continue;
        };
        place = region.range.end;
        found.push(region);
    }
    found
}

/// Whether plain characters are at `place`, each followed by NULs.
fn is_plain_row(bytes: &[u8], place: usize, size: usize) -> bool {
    let at = |place: usize| bytes.get(place).copied().unwrap_or(1);
    // The NULs behind the last character may be those of the next one.
    (0..LEAST * size).all(|offset| match offset % size {
        0 => matches!(at(place + offset), b' '..=b'~' | b'\t' | b'\n' | b'\r'),
        _ if size == 4 && offset > (LEAST - 1) * size => true,
        _ => at(place + offset) == 0,
    })
}

/// The text that has plain characters at `place`. Both orders of bytes look the same there;
/// the one in which more of what is around is text counts.
fn region(bytes: &[u8], place: usize, size: usize, lowest: usize) -> Region {
    let of = |unit: Unit, first: usize| {
        let range = start_before(bytes, first, unit, lowest)..end_behind(bytes, first, unit);
        Region { range, unit }
    };
    let (little, big) = match size {
        2 => (Unit::Utf16Little, Unit::Utf16Big),
        _ => (Unit::Utf32Little, Unit::Utf32Big),
    };
    let little = of(little, place);
    // The higher bytes of the first character.
    let higher = place.checked_sub(size - 1).filter(|start| *start >= lowest);
    let is_zero = |start: &usize| {
        bytes.get(*start..place).is_some_and(|all| all.iter().all(|byte| *byte == 0))
    };
    let Some(start) = higher.filter(is_zero) else { return little };
    let big = of(big, start);
    // Of a string before it, that ends with NUL.
    let ends_text = start >= 2
        && bytes.get(start - 2..start).unwrap_or_default().iter().all(u8::is_ascii_graphic);
    let is_aligned = start.is_multiple_of(size) && !ends_text;
    let is_big =
        big.range.len() > little.range.len() || big.range.len() == little.range.len() && is_aligned;
    if is_big { big } else { little }
}

/// How a unit fits into text.
#[derive(PartialEq, Eq)]
enum Fit {
    Yes,
    /// NUL, or two bytes that are ASCII as well: only if plain text follows.
    IfFollowed,
    No,
}

fn fit(value: u32, unit: Unit) -> Fit {
    let is_ascii = |byte: u32| (0x20..=0x7e).contains(&byte);
    let (low, high) = (value & 0xff, value >> 8);
    if unit.size() == 4 && high > 0xff {
        let is_character = char::from_u32(value).is_some_and(|character| !character.is_control());
        return if is_character { Fit::Yes } else { Fit::No };
    }
    match high {
        0 if low == 0 => Fit::IfFollowed,
        0 if is_ascii(low) || matches!(low, 9 | 10 | 13) || low >= 0xa0 => Fit::Yes,
        _ if is_ascii(low) && is_ascii(high) && unit.size() == 2 => Fit::IfFollowed,
        0x01..=0x06 | 0x09..=0x0e | 0x10 | 0x1e | 0x1f | 0x20 | 0x21 => Fit::Yes,
        0x30 | 0x31 | 0x4e..=0x9f | 0xac..=0xdf => Fit::Yes,
        // The mark of the order, and full-width characters.
        0xfe | 0xff if value == 0xfeff || (0xff01..=0xff60).contains(&value) => Fit::Yes,
        _ => Fit::No,
    }
}

fn end_behind(bytes: &[u8], start: usize, unit: Unit) -> usize {
    let size = unit.size();
    let mut end = start;
    while let Some(value) = unit.value(bytes, end) {
        match fit(value, unit) {
            Fit::Yes => end += size,
            Fit::No => break,
            Fit::IfFollowed => {
                let reach = if value == 0 { 1 } else { 8 };
                let follows = (1..=reach).any(|ahead| {
                    unit.value(bytes, end + size * ahead).is_some_and(|value| {
                        u8::try_from(value).is_ok_and(|low| {
                            low.is_ascii_graphic() || (reach > 1 && low.is_ascii_whitespace())
                        })
                    })
                });
                if !follows {
                    break;
                }
                end += size;
            }
        }
    }
    end
}

/// Text before the first plain characters in a row: letters of other alphabets.
fn start_before(bytes: &[u8], start: usize, unit: Unit, lowest: usize) -> usize {
    const MOST: usize = 64;
    let mut place = start;
    for _ in 0..MOST {
        let before = place.checked_sub(unit.size()).filter(|before| *before >= lowest);
        let Some(before) = before else { break };
        if unit.value(bytes, before).is_none_or(|value| fit(value, unit) != Fit::Yes) {
            break;
        }
        place = before;
    }
    place
}

impl Region {
    /// The text in UTF-8, and for each of its bytes where its unit starts; one more for the
    /// end.
    pub(in crate::find) fn decode(&self, bytes: &[u8]) -> (Vec<u8>, Vec<usize>) {
        let size = self.unit.size();
        let mut text = Vec::with_capacity(self.range.len() / size);
        let mut places = Vec::with_capacity(self.range.len() / size + 1);
        let mut place = self.range.start;
        let region = bytes.get(..self.range.end).unwrap_or_default();
        while let Some((character, len)) = self.unit.character(region, place) {
            if character.is_ascii() {
                text.push(character as u8);
                places.push(place);
            } else {
                let mut buffer = [0; 4];
                let encoded = character.encode_utf8(&mut buffer).as_bytes();
                text.extend_from_slice(encoded);
                places.extend(encoded.iter().map(|_| place));
            }
            place += len;
        }
        places.push(place);
        (text, places)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::find::{Carried, find};

    const UNITS: [Unit; 4] = [Unit::Utf16Little, Unit::Utf16Big, Unit::Utf32Little, Unit::Utf32Big];

    #[test]
    fn a_wide_text_is_found_among_numbers_and_narrow_text() {
        for unit in UNITS {
            let mut bytes = b"\x01\0\0\0narrow text\0\0\0\0\0\0\0\0\0".to_vec();
            let start = bytes.len();
            let text = "user=Zoë 名前\n";
            bytes.extend(unit.encoded(text));
            let end = bytes.len();
            bytes.extend([0; 9]);
            bytes.extend(b"more");
            let found = regions(&bytes);
            assert_eq!(found, [Region { range: start..end, unit }]);
            let (decoded, places) = found[0].decode(&bytes);
            assert_eq!(decoded, text.as_bytes());
            assert_eq!(places[5], start + 5 * unit.size());
            assert_eq!(places.last(), Some(&end));
        }
    }

    #[test]
    fn narrow_text_and_small_numbers_are_not_wide() {
        assert!(regions(b"plain text").is_empty());
        assert!(regions(b"a\0b\0 \0\0\0\x07\0\0\0A\0\0\0B\0\0\0").is_empty());
    }

    #[test]
    fn whole_characters_are_hidden_in_every_order_of_bytes() {
        for unit in UNITS {
            let bytes = unit.encoded("\u{feff}логин: x, password=hunter2, mail ann@example.com\n");
            let found = find(&bytes, &mut Carried::default(), true);
            let hidden = found.iter().map(|span| span.unit.narrowed(&bytes[span.range.clone()]));
            let hidden: Vec<_> = hidden.map(std::borrow::Cow::into_owned).collect();
            assert_eq!(hidden, [&b"hunter2"[..], b"ann@example.com"], "{unit:?}");
        }
    }
}
