//! The page of what `obit tasks` found.

use maud::{Markup, html};

use super::assets::CRASH;
use super::budget::{Budget, more_by};
use super::escape::{SENTENCE, text, visible_text};
use super::page::{Part, page};
use crate::layout::counted;
use crate::terminal::tasks::{
    Group, NONE, frame_line, frames_left, group_details, group_line, groups, heading, local_lines,
    stack_of,
};
use obit_report::answer::{RuntimeReport, TasksReport};

/// Groups of tasks of one runtime, and their bytes.
const ROWS: usize = 1_000;
const BUDGET: usize = 2_000_000;
const COMMAND: &str = "obit tasks --json";

/// Identifiers of runtimes, and what a person calls them.
const TITLES: [(&str, &str); 3] = [("go", "Go"), ("tokio", "Tokio"), ("cpython", "Python")];

/// The whole page.
pub(super) fn tasks(found: &TasksReport) -> Markup {
    let parts = found.runtimes.iter().filter_map(|runtime| {
        let (id, title) = TITLES.into_iter().find(|(id, _)| *id == runtime.kind)?;
        let total = usize::try_from(runtime.total).unwrap_or(usize::MAX);
        Some(Part { id, title, body: of_runtime(runtime), aside: counted(total, "task") })
    });
    let parts: Vec<Part> = parts.collect();
    let brand = html! { strong { "obit" } " tasks" };
    let first = html! {
        h1 { (crate::visible(&found.id)) }
        @if found.runtimes.is_empty() { p { (NONE) } }
    };
    let foot = html! { "Written by obit. Texts are redacted as asked." };
    page(CRASH, "Tasks", &brand, &html! {}, &first, &parts, &foot)
}

fn of_runtime(runtime: &RuntimeReport) -> Markup {
    let groups = groups(runtime);
    let each = |group: &Group<'_>| of_group(runtime, group);
    let (rows, left) = Budget::new(BUDGET).fill(groups.iter(), ROWS, each);
    html! {
        p { (visible_text(&heading(runtime), SENTENCE)) }
        @for verdict in &runtime.verdicts { p { strong { (text(&verdict.text, SENTENCE)) } } }
        @for note in &runtime.notes { p { (text(note, SENTENCE)) } }
        (rows)
        (more_by(left, "group of tasks", COMMAND))
    }
}

fn of_group(runtime: &RuntimeReport, group: &Group<'_>) -> Markup {
    html! {
        h3 { (visible_text(&group_line(group), SENTENCE)) }
        @for detail in group_details(group) { p { (visible_text(&detail, SENTENCE)) } }
        ul {
            @for (at, frame) in stack_of(runtime, group.first).iter().enumerate() {
                li {
                    code { (visible_text(&frame_line(at, frame), SENTENCE)) }
                    @for local in local_lines(frame) {
                        br; code { (visible_text(&local, SENTENCE)) }
                    }
                }
            }
            @if let Some(more) = frames_left(runtime, group.first) { li { (more) } }
        }
    }
}
