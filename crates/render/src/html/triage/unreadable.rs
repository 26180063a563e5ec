//! Files that are no readable core, and why.

use maud::{Markup, html};

use super::drawing::day_at;
use crate::html::budget::{Budget, more_by};
use crate::html::escape::{NAME, stored, stored_path, stored_prose};
use crate::html::page::scrolling;
use crate::layout::grouped;
use obit_triage::views::Survey;

/// Files that are listed.
const ROWS: usize = 200;
/// Bytes of all of them.
const BUDGET: usize = 80_000;

/// The reasons and the files; `None` if all could be read.
pub(super) fn part(survey: &Survey) -> Option<Markup> {
    let all: u64 = survey.reasons.values().sum();
    if all == 0 {
        return None;
    }
    let files = survey.unreadable.as_slice();
    let (rows, left) = Budget::new(BUDGET).fill(files.iter(), ROWS, |file| {
        html! {
            tr {
                td.number { @if let Some(time) = file.time { (day_at(time)) } }
                td { code { (stored(&file.code, NAME)) } }
                td { (stored_prose(&file.text)) }
                td.place {
                    @match &file.path { Some(path) => (stored_path(path, NAME)), None => "" }
                }
            }
        }
    });
    let left_out = all.saturating_sub((files.len() - left) as u64) as usize;
    let table = html! {
        table.wide {
            thead {
                tr {
                    th scope="col" { "Time" } th scope="col" { "Reason" } th scope="col" { "In words" }
                    th scope="col" { "File" }
                }
            }
            tbody { (rows) }
        }
    };
    Some(html! {
        ul.legend {
            @for (code, count) in survey.reasons.iter().take(40) {
                li { code { (stored(code, NAME)) } " " (grouped(*count)) }
            }
        }
        (scrolling("Files that could not be read", &table))
        (more_by(left_out, "file", "obit list"))
    })
}
