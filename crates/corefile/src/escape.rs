//! How bytes that are no text are shown within one.

use std::fmt::{self, Write as _};

/// A byte that is no UTF-8, shown as `\xff`.
#[derive(Clone, Copy, Debug)]
pub struct EscapedByte(pub u8);

impl fmt::Display for EscapedByte {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\\x{:02x}", self.0)
    }
}

/// UTF-8 as it is, and each byte that is none escaped, so that no byte is lost.
pub fn visible_utf8(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            // Writing to a String cannot fail.
            let _ = write!(text, "{}", EscapedByte(*byte));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_utf8_stay_visible() {
        assert_eq!(visible_utf8(b"a\xff\xc3\xa9\x0a"), "a\\xff\u{e9}\n");
        assert_eq!(visible_utf8(b""), "");
    }
}
