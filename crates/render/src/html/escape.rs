//! The one door from the report's text to a page.
//!
//! A [`Shown`] cannot be used in a template: only what these functions make of it can.
//! What a browser would obey or hide is visible first, as on a terminal; then it is cut;
//! and the templates escape whatever is left for HTML.

use maud::{Markup, html};

use crate::layout::{cut_middle, cut_start, width};
use crate::name;
use crate::visible::visible;
use obit_redact::Shown;

/// Characters of a name in running text.
pub(super) const NAME: usize = 160;
/// Characters of a sentence.
pub(super) const SENTENCE: usize = 1200;
/// Characters of a tooltip, which has a name in full within reason.
const TOOLTIP: usize = 1500;

/// A text of the report, whole up to `most` characters, the rest in a tooltip.
pub(super) fn text(shown: &Shown, most: usize) -> Markup {
    visible_text(&name::shown(shown), most)
}

/// The same for a text of the store, where all is redacted already.
pub(super) fn stored(text: &str, most: usize) -> Markup {
    visible_text(&bounded(text), most)
}

/// A path of the store.
pub(super) fn stored_path(path: &str, most: usize) -> Markup {
    let whole = bounded(path);
    with_tooltip(&cut_start(&whole, most), &whole)
}

/// A sentence of the store, with what is in backticks as code.
pub(super) fn stored_prose(sentence: &str) -> Markup {
    visible_prose(&bounded(sentence))
}

/// What of a text of the store is looked at: visible.
pub(super) fn bounded(text: &str) -> String {
    crate::terminal::groups::text(text)
}

/// The same for a path, which says most by its end.
pub(super) fn path(shown: &Shown, most: usize) -> Markup {
    let whole = name::shown(shown);
    let cut = cut_start(&whole, most);
    with_tooltip(&cut, &whole)
}

/// The same for what [`name`] made of text of the report, which is visible already.
pub(super) fn visible_text(whole: &str, most: usize) -> Markup {
    let cut = cut_middle(whole, most);
    with_tooltip(&cut, whole)
}

/// `short`, and `whole` for those who point at it.
pub(super) fn with_tooltip(short: &str, whole: &str) -> Markup {
    if short == whole {
        return breakable(short);
    }
    html! { span.cut title=(cut_middle(whole, TOOLTIP)) { (breakable(short)) } }
}

/// A name that is wider than a narrow column may be broken between its scopes, so that no
/// word is.
fn breakable(text: &str) -> Markup {
    const NARROW: usize = 32;
    const SCOPE: &str = "::";
    if width(text) <= NARROW {
        return html! { (text) };
    }
    let mut parts = text.split(SCOPE);
    let first = parts.next().unwrap_or_default();
    html! { (first) @for part in parts { (SCOPE) wbr; (part) } }
}

/// Words that are made by the report's own types: values, which may hold anything.
pub(super) fn words(words: &str, most: usize) -> Markup {
    let start = words.char_indices().nth(TOOLTIP).and_then(|(end, _)| words.get(..end));
    let mut whole = visible(start.unwrap_or(words)).into_owned();
    if start.is_some() {
        whole.push('\u{2026}');
    }
    let cut = crate::layout::cut_end(&whole, most);
    with_tooltip(&cut, &whole)
}

/// A sentence of the report, with what is in backticks as code.
pub(super) fn prose(shown: &Shown) -> Markup {
    visible_prose(&name::shown(shown))
}

/// The same for a sentence that is visible already.
pub(super) fn visible_prose(sentence: &str) -> Markup {
    let mut left = SENTENCE;
    let parts = sentence.split('`').collect::<Vec<_>>();
    // Without its partner the last one is only a letter.
    let is_paired = parts.len() % 2 == 1;
    let mut cut = |part: &str| {
        let cut = cut_middle(part, left);
        left = left.saturating_sub(width(part));
        cut
    };
    html! {
        @for (at, part) in parts.iter().enumerate() {
            @let cut = cut(part);
            @if at % 2 == 1 && (is_paired || at + 1 < parts.len()) { code { (cut) } }
            @else {
                @if at % 2 == 1 { "`" }
                (cut)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_may_be_broken_between_scopes() {
        let name = "core::panicking::panic_null_pointer_dereference";
        let broken = visible_text(name, NAME).into_string();
        assert_eq!(broken, "core::<wbr>panicking::<wbr>panic_null_pointer_dereference");
        assert_eq!(visible_text("core::fmt", NAME).into_string(), "core::fmt");
    }
    use crate::samples;

    #[test]
    fn markup_in_a_name_is_text() {
        let page = text(&samples::text("<script>alert(1)</script>\"><img onerror=x>"), NAME);
        let page = page.into_string();
        assert!(!page.contains(['<', '"']), "{page}");
        assert!(page.starts_with("&lt;script&gt;"), "{page}");
    }

    #[test]
    fn what_a_browser_would_hide_or_turn_around_is_visible() {
        let page = text(&samples::text("a\u{202e}b\u{1b}[31m\u{0}\u{200b}"), NAME).into_string();
        assert_eq!(page, "a\\u{202e}b\\x1b[31m\\x00\\u{200b}");
    }

    #[test]
    fn a_long_name_is_cut_and_bounded_even_in_its_tooltip() {
        let page = text(&samples::text(&"\"".repeat(10_000)), NAME).into_string();
        let quotes = page.matches("&quot;").count();
        // Both end in the mark of what no name is long enough for, and have one in the middle.
        assert_eq!(quotes, NAME - 2 + TOOLTIP - 2);
        assert!(page.starts_with("<span class=\"cut\" title=\"&quot;"), "{}", &page[..80]);
    }

    #[test]
    fn a_path_is_cut_at_its_start() {
        let page = path(&samples::text("/usr/lib/x86_64/libc.so.6"), 10).into_string();
        assert!(page.ends_with(">\u{2026}ibc.so.6</span>") || page.ends_with("libc.so.6</span>"));
    }

    #[test]
    fn what_is_in_backticks_is_code() {
        let printed = |sentence: &str| prose(&samples::text(sentence)).into_string();
        assert_eq!(printed("`a->b` is <NULL>"), "<code>a-&gt;b</code> is &lt;NULL&gt;");
        assert_eq!(printed("one ` alone"), "one ` alone");
        assert_eq!(printed("`a` and ` b"), "<code>a</code> and ` b");
    }
}
