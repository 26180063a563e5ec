//! Text wrapped in base64 (RFC 4648), of either alphabet.

use std::ops::Range;

/// What a run of base64 holds.
pub(in crate::find) struct Inner {
    /// The text within.
    pub(in crate::find) text: Vec<u8>,
    /// Characters before the first whole group.
    skipped: usize,
}

impl Inner {
    /// Where the bytes `range` of the inner text are, widened to whole groups of four,
    /// so that what is left can still be decoded.
    pub(in crate::find) fn wrapped(&self, range: Range<usize>) -> Range<usize> {
        let start = range.start / 3 * 4;
        let end = range.end.div_ceil(3) * 4;
        start + self.skipped..end + self.skipped
    }
}

/// Decodes `wrapped` if it holds text rather than numbers.
pub(in crate::find) fn unwrap(wrapped: &[u8]) -> Option<Inner> {
    let mut text = Vec::with_capacity(wrapped.len() / 4 * 3 + 3);
    for group in wrapped.chunks(4) {
        let mut bits = 0u32;
        let mut count = 0;
        for byte in group.iter().take_while(|byte| **byte != b'=') {
            bits = bits << 6 | value(*byte)?;
            count += 1;
        }
        let [_, first, second, third] = (bits << (6 * (4 - count))).to_be_bytes();
        text.extend([first, second, third].iter().take((count * 6 / 8) as usize));
        // Most runs of letters are names: their first groups show it.
        if text.len() == 12 && !is_text(&text) {
            return None;
        }
    }
    is_text(&text).then_some(Inner { text, skipped: 0 })
}

fn value(byte: u8) -> Option<u32> {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

/// Whether nearly all of it is printable ASCII, or UTF-8.
fn is_text(bytes: &[u8]) -> bool {
    let plain =
        bytes.iter().filter(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\r' | b'\t' | 0)).count();
    let beyond: usize = bytes
        .utf8_chunks()
        .map(|chunk| chunk.valid().bytes().filter(|byte| *byte >= 0x80).count())
        .sum();
    let controls = bytes.iter().filter(|byte| **byte == 0).count();
    (plain + beyond) * 10 >= bytes.len() * 9 && controls * 4 <= bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_unwrapped_and_names_are_not() {
        let inner = unwrap(b"cGFzc3dvcmQ9aHVudGVyMjsgeD0x").unwrap();
        assert_eq!(inner.text, b"password=hunter2; x=1");
        // `hunter2` is bytes 9 to 16: groups three to six.
        assert_eq!(inner.wrapped(9..16), 12..24);
        assert!(unwrap(b"getApplicationContextFactoryBean").is_none());
    }
}
