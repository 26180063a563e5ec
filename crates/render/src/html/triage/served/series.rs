//! Counts by name, as bars.

use maud::{Markup, html};

use super::value;
use crate::html::escape::{NAME, stored};
use crate::html::triage::drawing::bar;
use crate::layout::grouped;
use obit_triage::views::Counted;

/// Names that are shown at once; the others are behind a fold.
const FIRST: usize = 8;

/// Counts by name. Each leads to the groups of that `field`, if it is one.
pub(super) fn counts(title: &str, all: &[Counted], field: Option<&str>) -> Markup {
    let most = all.iter().map(|one| one.dumps).max().unwrap_or(1);
    let rows = |rows: &[Counted]| {
        html! {
            ul.by-name {
                @for one in rows {
                    li {
                        span.name {
                            @match field {
                                Some(field) => a href={ "/?where=" (value(&format!("{field}={}", one.name))) } {
                                    (stored(&one.name, NAME / 4))
                                },
                                None => (stored(&one.name, NAME / 4)),
                            }
                        }
                        span.number { (grouped(one.dumps)) }
                        (bar(one.dumps, most))
                    }
                }
            }
        }
    };
    let (first, rest) = all.split_at(all.len().min(FIRST));
    html! {
        @if !all.is_empty() {
            div {
                h3 { (title) }
                (rows(first))
                @if !rest.is_empty() {
                    details { summary { (rest.len()) " more" } (rows(rest)) }
                }
            }
        }
    }
}
