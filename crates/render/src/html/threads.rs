//! All threads: those with the same stack once, with a search.

use maud::{Markup, html};

use super::budget::{Budget, more};
use super::commands::of_threads;
use super::editor::{called, mark, place, shown_here};
use super::escape::{NAME, visible_text};
use super::variables::variables;
use crate::PageOptions;
use crate::chain::{ARROW, Origins, chain};
use crate::terminal::threads::{SameStack, groups, label, tids};
use obit_report::{Report, ThreadReport};

/// Stacks on a page.
const GROUPS: usize = 400;
/// Frames of one stack.
const FRAMES: usize = 64;
/// Bytes of all of them, …
const BUDGET: usize = 600_000;
/// … of one list of ids, …
const IDS: usize = 2_000;
/// … and of the variables of threads that did not crash, where the report has them.
const VARIABLES: usize = 200_000;
/// Threads of one stack that a link finds.
const LINKED: usize = 500;
/// Columns of a stack in a row.
const ROW: usize = 150;

/// Those that are not in the editor; `None` if there are no others.
pub(super) fn threads(report: &Report, origins: &Origins<'_>) -> Option<Markup> {
    let here: Vec<_> = shown_here(report).iter().map(|thread| thread.tid).collect();
    let others: Vec<_> =
        report.threads.iter().filter(|thread| !here.contains(&thread.tid)).collect();
    if others.is_empty() {
        return None;
    }
    let mut groups = groups(&others);
    // Odd ones first: the crowd is mostly idle.
    groups.sort_by_key(|group| group.threads.len());
    let (budget, values) = (Budget::new(BUDGET), Budget::new(VARIABLES));
    let (printed, left_out) =
        budget.fill(groups.iter(), GROUPS, |group| stack(report, group, origins, &values));
    Some(html! {
        p.search data-js hidden {
            label for="search" { "Search threads" } " "
            input id="search" type="search" data-filter="threads" autocomplete="off"
                spellcheck="false" placeholder="function, file, name or id";
            " " span.aside data-count aria-live="polite" {}
        }
        @for tid in &here {
            p.aside { a href={ "#t" (tid) } { "Thread " (tid) } " is shown above." }
        }
        div.groups data-filtered="threads" { (printed) }
        (more(left_out, "stack"))
    })
}

fn stack(report: &Report, group: &SameStack<'_>, origins: &Origins<'_>, values: &Budget) -> Markup {
    let Some(first) = group.threads.first() else { return html! {} };
    let ids: Vec<_> = group.threads.iter().take(LINKED).map(|one| one.tid.to_string()).collect();
    html! {
        details.thread id={ "t" (first.tid) } data-tids=(ids.join(" ")) {
            summary {
                span.name { (visible_text(&label(group), NAME)) } " "
                @if group.threads.len() > 1 {
                    span.aside { (visible_text(&tids(group, IDS), IDS)) } " "
                }
                span.row { (row(first, origins)) }
            }
            (frames(first, origins))
            @if has_values(first) && group.threads.len() == 1 { (own_values(first, values)) }
            @else {
                @for thread in group.threads.iter().filter(|thread| has_values(thread)) {
                    @if !values.is_full() {
                        details {
                            summary { "Values of thread " (thread.tid) }
                            (own_values(thread, values))
                        }
                    }
                }
            }
            p.again { (of_threads(report, group.threads.iter().map(|thread| thread.tid))) }
        }
    }
}

/// The stack in one row, as on a terminal.
fn row(thread: &ThreadReport, origins: &Origins<'_>) -> Markup {
    let options = PageOptions { width: ROW, ..PageOptions::default() };
    let lines = chain(&thread.frames, ROW, origins, &options);
    let names: Vec<_> = lines.into_iter().flatten().map(|piece| piece.text).collect();
    html! {
        @if names.is_empty() { span.doubt { "no frame could be recovered" } }
        @else { (visible_text(&names.join(ARROW), ROW * 2)) }
    }
}

fn frames(thread: &ThreadReport, origins: &Origins<'_>) -> Markup {
    let left_out = thread.frames.len().saturating_sub(FRAMES);
    html! {
        ol.stack {
            @for frame in thread.frames.iter().take(FRAMES) {
                li id={ "t" (thread.tid) "-f" (frame.index) }
                    class=(if origins.is_program(frame) { "own" } else { "foreign" }) {
                    span.index { "#" (frame.index) } " "
                    span.name { (visible_text(&called(frame), NAME)) } " "
                    span.place { (visible_text(&place(frame), NAME)) }
                    @if let Some(mark) = mark(frame) { " " span.mark { (mark) } }
                }
            }
        }
        (more(left_out, "frame"))
    }
}

fn has_values(thread: &ThreadReport) -> bool {
    thread.frames.iter().any(|frame| !(frame.args.is_empty() && frame.locals.is_empty()))
}

fn own_values(thread: &ThreadReport, budget: &Budget) -> Markup {
    html! {
        @for frame in thread.frames.iter().take(FRAMES) {
            @let is_shown = !frame.args.is_empty() || !frame.locals.is_empty();
            @if is_shown && !budget.is_full() {
                h4 { "#" (frame.index) " " (visible_text(&called(frame), NAME)) }
                (variables("Arguments", &frame.args, budget))
                (variables("Locals", &frame.locals, budget))
            }
        }
    }
}
