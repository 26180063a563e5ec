//! UTF-16 within other bytes, lower byte first: text of programs for Windows and Java, and
//! of `wchar_t` of two bytes.

use std::ops::Range;

/// Characters in a row that make a text rather than small numbers.
const LEAST: usize = 4;

/// The stretches of `bytes` that are such text.
pub(in crate::find) fn regions(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    if !bytes.contains(&0) {
        return found;
    }
    let at = |place: usize| bytes.get(place).copied().unwrap_or(1);
    let is_plain = |place: usize| {
        matches!(at(place), b' '..=b'~' | b'\t' | b'\n' | b'\r') && at(place + 1) == 0
    };
    let mut place = 0;
    while place + 2 * LEAST <= bytes.len() {
        // A plain character is a byte and a NUL: NULs alone decide, most texts have none.
        if at(place + 1) != 0 {
            let Some(next) =
                bytes.get(place + 1..).and_then(|rest| rest.iter().position(|byte| *byte == 0))
            else {
                break;
            };
            place += next.max(1);
            continue;
        }
        if !(0..LEAST).all(|unit| is_plain(place + 2 * unit)) {
            place += 1;
            continue;
        }
        let lowest = found.last().map_or(0, |last| last.end);
        let start = start_before(bytes, place, lowest);
        let end = end_behind(bytes, place);
        found.push(start..end);
        place = end;
    }
    found
}

/// How a unit of two bytes fits into text.
#[derive(PartialEq, Eq)]
enum Fit {
    Yes,
    /// NUL, or two bytes that are ASCII as well: only if plain text follows.
    IfFollowed,
    No,
}

fn fit(low: u8, high: u8) -> Fit {
    let is_ascii = |byte: u8| (b' '..=b'~').contains(&byte);
    match high {
        0 if low == 0 => Fit::IfFollowed,
        0 if is_ascii(low) || matches!(low, b'\t' | b'\n' | b'\r') || low >= 0xa0 => Fit::Yes,
        _ if is_ascii(low) && is_ascii(high) => Fit::IfFollowed,
        0x01..=0x06 | 0x09..=0x0e | 0x10 | 0x1e | 0x1f | 0x20 | 0x21 => Fit::Yes,
        0x30 | 0x31 | 0x4e..=0x9f | 0xac..=0xdf => Fit::Yes,
        _ => Fit::No,
    }
}

fn end_behind(bytes: &[u8], start: usize) -> usize {
    let unit = |place: usize| {
        bytes
            .get(place..place.saturating_add(2))
            .and_then(|pair| Some((*pair.first()?, *pair.get(1)?)))
    };
    let mut end = start;
    while let Some((low, high)) = unit(end) {
        match fit(low, high) {
            Fit::Yes => end += 2,
            Fit::No => break,
            Fit::IfFollowed => {
                let reach = if low == 0 { 1 } else { 8 };
                let follows = (1..=reach).any(|ahead| {
                    unit(end + 2 * ahead).is_some_and(|(low, high)| {
                        high == 0
                            && (low.is_ascii_graphic() || (reach > 1 && low.is_ascii_whitespace()))
                    })
                });
                if !follows {
                    break;
                }
                end += 2;
            }
        }
    }
    end
}

/// Text before the first plain characters in a row: letters of other alphabets.
fn start_before(bytes: &[u8], start: usize, lowest: usize) -> usize {
    const MOST: usize = 64;
    let mut place = start;
    for _ in 0..MOST {
        let Some(before) = place.checked_sub(2).filter(|before| *before >= lowest) else { break };
        let Some([low, high]) = bytes.get(before..place) else { break };
        if fit(*low, *high) != Fit::Yes {
            break;
        }
        place = before;
    }
    place
}

/// The text of a region in UTF-8, and for each of its bytes where its unit starts; one
/// more for the end.
pub(in crate::find) fn decode(bytes: &[u8], region: Range<usize>) -> (Vec<u8>, Vec<usize>) {
    let units = bytes.get(region.clone()).unwrap_or_default().chunks_exact(2);
    let units = units.map(|pair| match pair {
        [low, high] => u16::from_le_bytes([*low, *high]),
        _ => 0,
    });
    let mut text = Vec::with_capacity(region.len() / 2);
    let mut places = Vec::with_capacity(region.len() / 2 + 1);
    let mut place = region.start;
    for decoded in char::decode_utf16(units) {
        let character = decoded.unwrap_or(char::REPLACEMENT_CHARACTER);
        let mut buffer = [0; 4];
        let encoded = character.encode_utf8(&mut buffer).as_bytes();
        text.extend_from_slice(encoded);
        places.extend(encoded.iter().map(|_| place));
        place += if character > '\u{ffff}' { 4 } else { 2 };
    }
    places.push(place);
    (text, places)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn a_wide_text_is_found_among_numbers_and_narrow_text() {
        let mut bytes = b"\x01\0\0\0narrow text\0\0\0".to_vec();
        let start = bytes.len();
        bytes.extend(wide("user=Zoë 名前\n"));
        let end = bytes.len();
        bytes.extend([0; 9]);
        bytes.extend(b"more");
        assert_eq!(regions(&bytes).as_slice(), std::slice::from_ref(&(start..end)));
        let (text, places) = decode(&bytes, start..end);
        assert_eq!(text, "user=Zoë 名前\n".as_bytes());
        assert_eq!(places[5], start + 10);
        assert_eq!(places.last(), Some(&end));
    }

    #[test]
    fn narrow_text_and_small_numbers_are_not_wide() {
        assert!(regions(b"plain text").is_empty());
        assert!(regions(b"a\0b\0 \0\0\0\x07\0\0\0A\0\0\0B\0\0\0").is_empty());
    }
}
