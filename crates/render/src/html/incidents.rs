//! The page of incidents.

use maud::{Markup, html};

use super::assets::CRASH;
use super::budget::{Budget, more_by};
use super::escape::{NAME, SENTENCE, stored, stored_path};
use super::page::{Part, page, scrolling};
use crate::layout::counted;
use crate::terminal::incidents::{
    MOST_EVIDENCE, MOST_PROCESSES, details, evidence, first, heading, line, more_evidence,
    more_processes,
};
use obit_incident::{Alone, Incident, Incidents};

/// Incidents and dumps that are listed, and the bytes of each list.
const ROWS: usize = 200;
const BUDGET: usize = 400_000;
/// Bytes of the list of incidents: one with all that is listed of it fits.
const ALL_INCIDENTS: usize = 1_500_000;

/// The whole page.
pub(super) fn incidents(found: &Incidents) -> Markup {
    let mut parts = Vec::new();
    let count = counted(found.incidents.len(), "incident");
    let (body, left) = Budget::new(ALL_INCIDENTS).fill(found.incidents.iter(), ROWS, incident);
    let body = html! { (body) (more_by(left, "incident", "obit incident --format json")) };
    parts.push(Part { id: "incidents", title: "Incidents", body, aside: count });
    if !found.alone.is_empty() {
        let aside = counted(found.alone.len(), "dump");
        let body = files(&found.alone);
        parts.push(Part { id: "alone", title: "Not joined to another dump", body, aside });
    }
    if !found.failures.is_empty() {
        let aside = counted(found.failures.len(), "file");
        let body = files(&found.failures);
        parts.push(Part { id: "unreadable", title: "Not read", body, aside });
    }
    let heading = heading(found);
    let brand = html! { strong { "obit" } " incident" };
    let first = html! {
        h1 { (heading) }
        @for note in &found.notes { p { (stored(note, SENTENCE)) } }
    };
    let foot = html! { "Written by obit. Texts are redacted as asked." };
    page(CRASH, &heading, &brand, &html! {}, &first, &parts, &foot)
}

fn incident(incident: &Incident) -> Markup {
    let table = html! {
        table.wide {
            thead {
                tr {
                    th scope="col" { "Between" }
                    th scope="col" { "Strength" }
                    th scope="col" { "Evidence" }
                }
            }
            tbody {
                @for ((a, b), evidence) in evidence(incident).take(MOST_EVIDENCE) {
                    tr {
                        td { "#" (a) ", #" (b) }
                        td { (evidence.strength.word()) }
                        td { (stored(&evidence.text, SENTENCE)) }
                    }
                }
            }
        }
    };
    html! {
        h3 { (stored(&first(incident), SENTENCE)) }
        ol {
            @for (at, member) in incident.processes.iter().enumerate().take(MOST_PROCESSES) {
                li {
                    strong { (stored(&line(at, member), SENTENCE)) }
                    ul {
                        @for detail in details(member) { li { (stored(&detail, SENTENCE)) } }
                        li { code { (stored_path(&member.core, NAME)) } }
                    }
                }
            }
        }
        @if let Some(more) = more_processes(incident) { p { (more) } }
        (scrolling("What joins the dumps", &table))
        @if let Some(more) = more_evidence(incident) { p { (more) } }
        @if !incident.next.is_empty() {
            p { "Next time:" }
            ul { @for next in &incident.next { li { (stored(next, SENTENCE)) } } }
        }
    }
}

fn files(all: &[Alone]) -> Markup {
    let (rows, left) = Budget::new(BUDGET).fill(all.iter(), ROWS, |one| {
        html! { li { code { (stored_path(&one.core, NAME)) } ": " (stored(&one.text, SENTENCE)) } }
    });
    html! { ul { (rows) } (more_by(left, "file", "obit incident --format json")) }
}
