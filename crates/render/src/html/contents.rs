//! The page of what `obit memory` found.

use maud::{Markup, html};

use super::assets::CRASH;
use super::budget::{Budget, more_by};
use super::escape::{SENTENCE, text, visible_text};
use super::page::{Part, page};
use crate::layout::counted;
use crate::terminal::contents::{
    in_flight_heading, request_lines, request_place, timeline_line, unwritten_heading, writer_line,
    writer_lines,
};
use obit_report::answer::{Contents, InFlight, UnwrittenWriter};

/// Entries of each list, and their bytes.
const ROWS: usize = 2_000;
const BUDGET: usize = 2_000_000;
const COMMAND: &str = "obit memory --json";

/// The whole page.
pub(super) fn contents(found: &Contents) -> Markup {
    let budget = Budget::new(BUDGET);
    let notes = |notes: &[obit_redact::Shown]| {
        html! { @for note in notes { p { (text(note, SENTENCE)) } } }
    };
    let writers = &found.unwritten.writers;
    let (rows, left) = budget.fill(writers.iter(), ROWS, writer);
    let unwritten = html! {
        p { (unwritten_heading(found)) }
        (rows) (more_by(left, "writer", COMMAND)) (notes(&found.unwritten.notes))
    };
    let (rows, left) = budget.fill(found.in_flight.iter(), ROWS, request);
    let in_flight = html! {
        p { (in_flight_heading(found)) }
        (rows) (more_by(left, "request", COMMAND)) (notes(&found.in_flight_notes))
    };
    let mut parts = vec![
        Part {
            id: "unwritten",
            title: "Unwritten output",
            body: unwritten,
            aside: counted(writers.len(), "writer"),
        },
        Part {
            id: "in-flight",
            title: "In flight",
            body: in_flight,
            aside: counted(found.in_flight.len(), "request"),
        },
    ];
    if !found.timeline.is_empty() {
        let (rows, left) = budget.fill(found.timeline.iter(), ROWS, |entry| {
            html! { li { (line(&timeline_line(entry))) } }
        });
        let body = html! {
            ol { (rows) } (more_by(left, "line", COMMAND)) (notes(&found.log_notes))
        };
        let aside = counted(found.timeline.len(), "line");
        parts.push(Part { id: "timeline", title: "Timeline", body, aside });
    }
    let brand = html! { strong { "obit" } " memory" };
    let first = html! { h1 { (crate::visible(&found.id)) } };
    let foot = html! { "Written by obit. Texts are redacted as asked." };
    page(CRASH, "What memory holds", &brand, &html! {}, &first, &parts, &foot)
}

fn line(visible: &str) -> Markup {
    html! { code { (visible_text(visible, SENTENCE)) } }
}

fn writer(writer: &UnwrittenWriter) -> Markup {
    let lines = writer_lines(writer);
    let (rows, left) =
        Budget::new(BUDGET / 2).fill(lines.iter(), ROWS, |one| html! { li { (line(one)) } });
    html! {
        h3 { (visible_text(&writer_line(writer), SENTENCE)) }
        @for doubt in &writer.doubts { p { (text(doubt, SENTENCE)) } }
        ul { (rows) }
        (more_by(left, "line", COMMAND))
    }
}

fn request(request: &InFlight) -> Markup {
    html! {
        h3 { (visible_text(&request_place(request), SENTENCE)) }
        ul { @for one in request_lines(request) { li { (line(&one)) } } }
    }
}
