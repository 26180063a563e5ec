//! What is missing or in doubt, what fixes it, and what was hidden.

use maud::{Markup, html};

use super::budget::{Budget, more};
use super::escape::visible_prose;
use crate::layout::{counted, grouped};
use crate::terminal::notices::paragraphs;
use crate::{Detail, PageOptions, visible};
use obit_report::Report;

/// Paragraphs.
const MOST: usize = 64;
/// Texts of one of them.
const TEXTS: usize = 64;
/// Bytes of all.
const BUDGET: usize = 120_000;
/// Kinds of hidden text that are counted.
const KINDS: usize = 32;

/// How many there are.
pub(super) fn aside(report: &Report) -> String {
    counted(report.notices.len(), "notice")
}

/// One paragraph for each hint; `None` where nothing is missing.
pub(super) fn part(report: &Report) -> Option<Markup> {
    let options = PageOptions { detail: Detail::Verbose, ..PageOptions::default() };
    let paragraphs = paragraphs(report, &options);
    if paragraphs.is_empty() {
        return None;
    }
    let budget = Budget::new(BUDGET);
    let (shown, left_out) = budget.fill(paragraphs.iter(), MOST, |paragraph| {
        let texts_left = paragraph.texts.len().saturating_sub(TEXTS);
        html! {
            li {
                @for text in paragraph.texts.iter().take(TEXTS) {
                    p.detail[text.starts_with(' ')] { (visible_prose(text.trim_start())) }
                }
                (more(texts_left, "notice"))
                p.hint { (visible_prose(&paragraph.hint)) }
            }
        }
    });
    Some(html! { ul.notices { (shown) } (more(left_out, "notice")) })
}

/// How much was hidden, and of what kinds.
pub(super) fn redactions(report: &Report) -> Markup {
    let hidden = &report.redactions;
    html! {
        @match (hidden.policy.as_str(), hidden.total) {
            ("off", _) => strong.doubt { "Nothing was redacted: this page may hold secrets." },
            (_, 0) => "Nothing in it had to be redacted.",
            (_, total) => {
                "Hidden in it: " (counted(usize::try_from(total).unwrap_or(usize::MAX), "text")) " ("
                @for (at, (kind, count)) in hidden.counts.iter().take(KINDS).enumerate() {
                    @if at > 0 { ", " }
                    (grouped(*count)) " " (visible(kind))
                }
                ")."
            }
        }
    }
}
