//! A question to the cores, and its answer.

use maud::{Markup, html};

use crate::html::budget::{Budget, more_by};
use crate::html::escape::{NAME, bounded, stored};
use crate::html::page::scrolling;
use crate::layout::{counted, grouped};

/// Rows, and bytes of all of them.
const ROWS: usize = 500;
const BUDGET: usize = 800_000;
/// Columns.
const COLUMNS: usize = 40;

/// What the page shows.
#[derive(Clone, Copy, Debug, Default)]
pub struct QueryPage<'q> {
    /// What the form must send along.
    pub csrf: &'q str,
    /// What was asked.
    pub query: &'q str,
    /// The condition on the rows.
    pub condition: &'q str,
    /// Only the crashed thread.
    pub crashed: bool,
    /// Why there is no answer.
    pub problem: Option<&'q str>,
    /// The answer.
    pub table: Option<&'q QueryTable>,
}

/// The answer, as texts.
#[derive(Clone, Debug, Default)]
pub struct QueryTable {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// The cells of each row.
    pub rows: Vec<Vec<String>>,
    /// Rows that there are.
    pub total: u64,
    /// Cores that were asked.
    pub cores: u64,
    /// Those with a frame at the place.
    pub with_place: u64,
    /// What else a reader has to know.
    pub notes: Vec<String>,
}

/// The content of the page.
pub fn query(page: &QueryPage<'_>) -> String {
    let content = html! {
        section.cause aria-labelledby="query-title" {
            h1 id="query-title" { "Query" }
            p.who { "Expressions in every frame at a place of the code, in all cores that the owner chose. "
                "One question is asked at a time, for a minute at most; it goes into the audit log." }
            @if let Some(problem) = page.problem { p.problem role="alert" { (stored(problem, NAME * 4)) } }
            form.asked method="post" action="/query" aria-label="Query" {
                input type="hidden" name="csrf" value=(page.csrf);
                label.wide { span { "Place and expressions" }
                    input type="text" name="query" required maxlength="1000" autocomplete="off"
                        spellcheck="false" value=(bounded(page.query))
                        placeholder="list.c:12 { n->next, depth }";
                }
                label.wide { span { "Only rows with" }
                    input type="text" name="where" maxlength="1000" autocomplete="off"
                        spellcheck="false" value=(bounded(page.condition))
                        placeholder="depth > 100 and frame == 0";
                }
                label { span { "Crashed thread only" }
                    input type="checkbox" name="crashed" value="yes" checked[page.crashed];
                }
                button type="submit" { "Ask" }
            }
        }
        @if let Some(table) = page.table { (answer(table)) }
    };
    content.into_string()
}

fn answer(table: &QueryTable) -> Markup {
    let columns = table.columns.get(..COLUMNS).unwrap_or(&table.columns);
    let (rows, left_out) = Budget::new(BUDGET).fill(table.rows.iter(), ROWS, |row| {
        html! { tr { @for cell in row.iter().take(COLUMNS) { td { code { (stored(cell, NAME * 2)) } } } } }
    });
    let shown = table.rows.len() - left_out;
    let rest = usize::try_from(table.total).unwrap_or(usize::MAX).saturating_sub(shown);
    let body = html! {
        table.wide {
            caption.sr { "Answers" }
            thead { tr { @for name in columns { th scope="col" { (stored(name, NAME)) } } } }
            tbody { (rows) }
        }
    };
    html! {
        section.part aria-labelledby="answer-title" {
            h2 id="answer-title" {
                (counted(usize::try_from(table.total).unwrap_or(usize::MAX), "row")) " "
                span.aside {
                    (grouped(table.with_place)) " of " (grouped(table.cores)) " cores have the place"
                }
            }
            @if !table.notes.is_empty() {
                ul.traits { @for note in table.notes.iter().take(20) { li { (stored(note, NAME * 2)) } } }
            }
            @if table.rows.is_empty() { p { "No frame is so." } }
            @else { (scrolling("Answers", &body)) }
            (more_by(rest, "row", "obit query"))
        }
    }
}
