//! Texts as PostgreSQL can have them: it has no NUL.

/// The symbol for NUL, which begins what stands for a character: `\u{2400}0` for NUL, and
/// `\u{2400}1` for the symbol itself, so that different texts stay different.
const SYMBOL: char = '\u{2400}';

/// A text as it is sent.
pub(super) fn for_server(text: String) -> String {
    if !text.contains(['\0', SYMBOL]) {
        return text;
    }
    text.replace(SYMBOL, "\u{2400}1").replace('\0', "\u{2400}0")
}

/// The text that was sent.
pub(super) fn from_server(text: String) -> String {
    if !text.contains(SYMBOL) {
        return text;
    }
    text.replace("\u{2400}0", "\0").replace("\u{2400}1", "\u{2400}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_comes_back_as_it_was_and_has_no_nul_meanwhile() {
        for text in
            ["", "plain", "a\0b", "\u{2400}", "\u{2400}0", "\0\u{2400}1\0", "\u{2400}\u{2400}"]
        {
            let sent = for_server(text.to_owned());
            assert!(!sent.contains('\0'), "{sent:?}");
            assert_eq!(from_server(sent), text);
        }
    }
}
