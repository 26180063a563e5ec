//! How what is no text, or may be obeyed by who shows it, is recognised and shown.

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

/// Whether a terminal, an editor or a log viewer obeys a character or shows nothing for it:
/// controls, separators of lines, marks that change the direction of text, joiners and fillers
/// without a glyph, variation selectors and tags, private use.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{e000}'..='\u{f8ff}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{10ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_obeyed_or_not_seen_is_hidden_and_text_of_any_script_is_not() {
        // ESC, CSI, DEL; a line separator, an override of direction, a zero-width space, a soft
        // hyphen, a tag, private use, a byte order mark.
        let hidden = "\u{1b}\u{9b}\u{7f}\u{2028}\u{202e}\u{200b}\u{ad}\u{e0041}\u{e000}\u{feff}";
        for c in hidden.chars() {
            assert!(is_hidden(c), "{c:?}");
        }
        for c in "a ~\u{e9}\u{4e2d}\u{5d0}\u{1f600}\u{301}".chars() {
            assert!(!is_hidden(c), "{c:?}");
        }
    }

    #[test]
    fn bytes_that_are_no_utf8_stay_visible() {
        assert_eq!(visible_utf8(b"a\xff\xc3\xa9\x0a"), "a\\xff\u{e9}\n");
        assert_eq!(visible_utf8(b""), "");
    }
}
