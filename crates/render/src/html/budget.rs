//! What a part of a page may cost, so that no report makes a page that does not open.

use std::cell::Cell;

use maud::{Markup, PreEscaped, html};

use crate::layout::grouped;

/// Bytes that may yet be written.
pub(super) struct Budget(Cell<usize>);

impl Budget {
    pub(super) fn new(bytes: usize) -> Self {
        Self(Cell::new(bytes))
    }

    /// Whether nothing fits any more.
    pub(super) fn is_full(&self) -> bool {
        self.0.get() == 0
    }

    /// Takes `bytes`; `false` if they do not fit, and then nothing does any more.
    pub(super) fn take(&self, bytes: usize) -> bool {
        let left = self.0.get().checked_sub(bytes);
        self.0.set(left.unwrap_or(0));
        left.is_some()
    }

    /// Each of `items`, as many as fit, at most `most`; and how many do not.
    pub(super) fn fill<T>(
        &self,
        items: impl ExactSizeIterator<Item = T>,
        most: usize,
        mut each: impl FnMut(T) -> Markup,
    ) -> (Markup, usize) {
        let all = items.len();
        let mut filled = String::new();
        let mut shown = 0;
        for item in items.take(most) {
            if self.is_full() {
                break;
            }
            let markup = each(item).into_string();
            if !self.take(markup.len()) {
                break;
            }
            filled.push_str(&markup);
            shown += 1;
        }
        (PreEscaped(filled), all - shown)
    }
}

/// `… 17 more frames, see obit --json`, if there are any.
pub(super) fn more(left_out: usize, what: &str) -> Markup {
    more_by(left_out, what, "obit --json")
}

/// The same, where another command shows them.
pub(super) fn more_by(left_out: usize, what: &str, command: &str) -> Markup {
    let plural = if left_out == 1 { "" } else { "s" };
    html! {
        @if left_out > 0 {
            span.more {
                "\u{2026} " (grouped(left_out as u64)) " more " (what) (plural) ", see "
                code { (command) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_counted() {
        let (page, left_out) = Budget::new(10).fill(0..100, 50, |at| html! { (at % 10) ";" });
        assert_eq!((page.into_string().as_str(), left_out), ("0;1;2;3;4;", 95));
        let (page, left_out) = Budget::new(1000).fill(0..3, 2, |at| html! { (at) });
        assert_eq!((page.into_string().as_str(), left_out), ("01", 1));
        assert!(more(0, "thread").into_string().is_empty());
        assert!(more(1200, "thread").into_string().contains("1,200 more threads"));
    }
}
