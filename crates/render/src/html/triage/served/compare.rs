//! Two groups beside each other.

use maud::{Markup, html};

use super::group_path;
use crate::html::escape::{NAME, bounded, stored, stored_prose};
use crate::html::page::scrolling;
use crate::html::triage::chart::chart;
use crate::html::triage::drawing::{severity, status, title};
use crate::layout::grouped;
use crate::terminal::groups::releases;
use obit_triage::time::minute_of;
use obit_triage::views::{GroupDetail, StackLine};

/// Frames of each stack.
const FRAMES: usize = 24;

/// The content of the page; `pair` are the two, or what was asked for if one is not there.
pub fn compare(
    one: &str,
    other: &str,
    pair: Option<(&GroupDetail, &GroupDetail)>,
    problem: Option<&str>,
) -> String {
    let content = html! {
        (question(one, other, problem))
        @if let Some((one, other)) = pair {
            section.part aria-labelledby="facts-title" {
                h2 id="facts-title" { "Facts" }
                (scrolling("Facts", &facts(one, other)))
            }
            section.part aria-labelledby="stacks-title" {
                h2 id="stacks-title" { "Stacks" }
                (scrolling("Stacks", &stacks((&one.group.id, &one.stack), (&other.group.id, &other.stack))))
            }
        }
    };
    content.into_string()
}

/// What is to be compared.
pub(super) fn question(one: &str, other: &str, problem: Option<&str>) -> Markup {
    html! {
        section.cause aria-labelledby="compare-title" {
            h1 id="compare-title" { "Two groups or two crashes compared" }
            form.asked method="get" action="/compare" {
                label { span { "Group or crash" }
                    input type="text" name="one" value=(bounded(one)) required maxlength="200";
                }
                label { span { "Another" }
                    input type="text" name="other" value=(bounded(other)) required maxlength="200";
                }
                button type="submit" { "Compare" }
            }
            @if let Some(problem) = problem { p.problem role="alert" { (stored(problem, NAME * 4)) } }
        }
    }
}

/// A row of facts of two things.
pub(super) fn row(name: &str, left: &Markup, right: &Markup) -> Markup {
    let is_same = left.0 == right.0;
    html! {
        tr class=(if is_same { "same" } else { "differs" }) {
            th scope="row" { (name) }
            td { (left) }
            td { (right) }
            td.aside { @if is_same { "same" } @else { "differs" } }
        }
    }
}

fn facts(one: &GroupDetail, other: &GroupDetail) -> Markup {
    let row = |name: &str, of: &dyn Fn(&GroupDetail) -> Markup| row(name, &of(one), &of(other));
    let moment = |time: Option<i64>| html! { @if let Some(time) = time { (minute_of(time)) } };
    html! {
        table.wide.compared {
            thead { tr {
                th scope="col" { "What" }
                @for detail in [one, other] {
                    th scope="col" {
                        a href=(group_path(&detail.group.id)) { code { (stored(&detail.group.id, NAME / 4)) } }
                    }
                }
                th scope="col" { "Difference" }
            } }
            tbody {
                (row("Cause", &|detail| title(&detail.group)))
                (row("Signature", &|detail| html! { code { (stored(&detail.group.signature, NAME)) } }))
                (row("Status", &|detail| status(&detail.group)))
                (row("Severity", &|detail| severity(&detail.group)))
                (row("Dumps", &|detail| html! { (grouped(detail.group.count)) }))
                (row("Hosts", &|detail| html! { (grouped(detail.group.hosts)) }))
                (row("Programs", &|detail| names(&detail.group.programs)))
                (row("Blamed images", &|detail| names(&detail.group.modules)))
                (row("Builds", &|detail| html! { (releases(&detail.group.releases)) }))
                (row("First", &|detail| moment(detail.group.first.as_ref().map(|one| one.time))))
                (row("Last", &|detail| moment(detail.group.last.as_ref().map(|one| one.time))))
                (row("Explanation", &|detail| {
                    html! {
                        @match &detail.explanation { Some(text) => (stored_prose(text)), None => (none()) }
                    }
                }))
                (row("Message", &|detail| {
                    html! {
                        @match &detail.message { Some(text) => (stored(text, NAME * 2)), None => (none()) }
                    }
                }))
                @if [one, other].iter().any(|detail| detail.group.series.counts.len() > 1) {
                    (row("Over time", &|detail| chart(&detail.group.series, 0)))
                }
            }
        }
    }
}

pub(super) fn none() -> Markup {
    html! { span.aside { "none" } }
}

fn names(names: &[String]) -> Markup {
    html! { @for (at, name) in names.iter().take(8).enumerate() {
        @if at > 0 { ", " }
        (stored(name, NAME / 2))
    } }
}

/// Two stacks, each with the id of what it is of.
pub(super) fn stacks(
    (one, stack): (&str, &[StackLine]),
    (other, beside): (&str, &[StackLine]),
) -> Markup {
    let frame = |frame: Option<&StackLine>| {
        html! { td { @if let Some(frame) = frame {
            code { (stored(frame.function.as_deref().unwrap_or("??"), NAME)) }
            @if let Some(place) = frame.source.as_ref().or(frame.module.as_ref()) {
                " " span.place { (stored(place, NAME / 2)) }
            }
            @if frame.is_to_blame { " " span.badge.alarm { "to blame" } }
        } } }
    };
    let most = stack.len().max(beside.len()).min(FRAMES);
    html! {
        table.wide.compared {
            thead { tr {
                th scope="col" { "Frame" }
                th scope="col" { (stored(one, NAME / 4)) }
                th scope="col" { (stored(other, NAME / 4)) }
            } }
            tbody {
                @for at in 0..most {
                    @let (left, right) = (stack.get(at), beside.get(at));
                    @let function = |line: Option<&StackLine>| line.map(|line| line.function.clone());
                    tr class=(if function(left) == function(right) { "same" } else { "differs" }) {
                        th scope="row" { "#" (at) }
                        (frame(left))
                        (frame(right))
                    }
                }
            }
        }
    }
}
