//! Text of a crashed process on a live terminal: nothing in it may be obeyed or hidden.

use std::borrow::Cow;
use std::fmt::Write as _;

use obit_corefile::escape::is_hidden;

/// `text` with control characters, marks of direction and characters without a glyph
/// written as escapes: `\n`, `\x1b`, `\u{202e}`.
pub fn visible(text: &str) -> Cow<'_, str> {
    let Some(first) = text.find(is_hidden) else { return Cow::Borrowed(text) };
    let mut shown = text.get(..first).unwrap_or_default().to_owned();
    for c in text.get(first..).unwrap_or_default().chars() {
        match c {
            '\n' => shown.push_str("\\n"),
            '\t' => shown.push_str("\\t"),
            '\r' => shown.push_str("\\r"),
            // Writing to a String cannot fail.
            c if is_hidden(c) && u32::from(c) < 0x100 => {
                let _ = write!(shown, "\\x{:02x}", u32::from(c));
            }
            c if is_hidden(c) => {
                let _ = write!(shown, "\\u{{{:x}}}", u32::from(c));
            }
            c => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown_instead() {
        assert_eq!(visible("a\u{1b}[31m\n\u{9b}0m\u{7f}"), "a\\x1b[31m\\n\\x9b0m\\x7f");
        assert_eq!(visible("x\u{202e}cod.exe\u{200b}"), "x\\u{202e}cod.exe\\u{200b}");
    }

    #[test]
    fn honest_text_is_not_copied() {
        assert!(matches!(visible("std::vec<\u{e9}\u{4e2d}>"), Cow::Borrowed(_)));
    }
}
