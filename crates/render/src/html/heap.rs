//! The page of what `obit heap` found.

use maud::{Markup, html};

use super::assets::CRASH;
use super::budget::{Budget, more_by};
use super::escape::{NAME, SENTENCE, text, visible_text};
use super::page::{Part as PagePart, page, scrolling};
use crate::heap::{Part, Table, notices, parts};
use obit_report::heap::HeapAnswer;

/// Rows of all tables and lists, and their bytes.
const ROWS: usize = 5_000;
const BUDGET: usize = 4_000_000;
const COMMAND: &str = "obit heap --json";

/// The whole page.
pub(super) fn heap(answer: &HeapAnswer) -> Markup {
    let budget = Budget::new(BUDGET);
    let found = parts(answer);
    let (heading, title) = match answer {
        HeapAnswer::Census(_) => ("What the heap holds", "Census"),
        HeapAnswer::Place(_) => ("What is at an address", "Place"),
        HeapAnswer::Found(_) => ("Where it is in memory", "Places"),
    };
    let (each, left) = budget.fill(found.iter(), ROWS, |one| part(one, &budget));
    let body = html! { (each) (more_by(left, "part", COMMAND)) };
    let mut all = vec![PagePart { id: "heap", title, body, aside: String::new() }];
    let notices = notices(answer);
    if !notices.is_empty() {
        let (rows, left) =
            budget.fill(notices.iter(), ROWS, |one| html! { li { (text(one, SENTENCE)) } });
        let body = html! { ul { (rows) } (more_by(left, "notice", COMMAND)) };
        all.push(PagePart { id: "notices", title: "Notices", body, aside: String::new() });
    }
    let brand = html! { strong { "obit" } " heap" };
    let first = html! { h1 { (heading) } };
    let foot = html! { "Written by obit. Texts are redacted as asked." };
    page(CRASH, "Heap", &brand, &html! {}, &first, &all, &foot)
}

fn part(part: &Part, budget: &Budget) -> Markup {
    let (lines, lines_left) = budget.fill(part.lines.iter(), ROWS, |line| {
        html! { li { (visible_text(&line.text, SENTENCE)) } }
    });
    html! {
        @if !part.title.is_empty() {
            h3 { (visible_text(&format!("{}{}", part.title, part.behind_title), SENTENCE)) }
        } @else if !part.behind_title.is_empty() {
            p { (visible_text(&part.behind_title, SENTENCE)) }
        }
        @if !part.lines.is_empty() { ul { (lines) } (more_by(lines_left, "line", COMMAND)) }
        @if let Some(of) = &part.table { (table(&part.title, of, budget)) }
        @if let Some(omitted) = &part.omitted { p { (omitted) } }
    }
}

fn table(label: &str, of: &Table, budget: &Budget) -> Markup {
    let (rows, left) = budget.fill(of.rows.iter(), ROWS, |row| {
        html! { tr { @for cell in row { td { (visible_text(cell, NAME)) } } } }
    });
    let table = html! {
        table.figures {
            thead { tr { @for head in of.header {
                @if head.is_empty() { td {} } @else { th scope="col" { (head) } }
            } } }
            tbody { (rows) }
        }
    };
    html! { (scrolling(label, &table)) (more_by(left, "row", COMMAND)) }
}
