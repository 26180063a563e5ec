//! Each group in full, closed until it is asked for.

use maud::{Markup, html};

use super::chart::chart;
use super::drawing::{severity, status, ticket, title};
use super::dumps::DUMPS_FILE;
use super::{Beside, anchor};
use crate::html::budget::{Budget, more_by};
use crate::html::cause::sure;
use crate::html::escape::{NAME, bounded, stored, stored_path, stored_prose};
use crate::html::page::{command, scrolling};
use crate::layout::{counted, cut_end, grouped};
use crate::terminal::group::{state, trait_line};
use crate::terminal::groups::{explanation, shares};
use crate::terminal::rates;
use obit_triage::time::{day_of, minute_of};
use obit_triage::views::{DumpLine, GroupDetail, ReleaseCount, StackLine, Survey};

/// Groups in full.
const GROUPS: usize = 1_000;
/// Bytes of all of them.
const BUDGET: usize = 600_000;

/// How much of each list is shown.
pub(super) struct Most {
    frames: usize,
    traits: usize,
    builds: usize,
    hosts: usize,
    dumps: usize,
    commands: usize,
    /// Steps of the chart whose numbers are listed; `None` is no chart.
    numbers: Option<usize>,
}

impl Most {
    /// Less of each if there are many groups, so that all have their place.
    pub(super) fn of(groups: usize) -> Self {
        match groups {
            0..=80 => Self {
                frames: 24,
                traits: 24,
                builds: 24,
                hosts: 12,
                dumps: 20,
                commands: 12,
                numbers: Some(30),
            },
            81..=160 => Self {
                frames: 12,
                traits: 8,
                builds: 8,
                hosts: 4,
                dumps: 6,
                commands: 4,
                numbers: Some(0),
            },
            _ => Self {
                frames: 4,
                traits: 3,
                builds: 3,
                hosts: 0,
                dumps: 1,
                commands: 3,
                numbers: None,
            },
        }
    }
}

/// The groups in their order, and how many of them found budget.
pub(super) fn parts(survey: &Survey, beside: &Beside) -> (Option<Markup>, usize) {
    if survey.details.is_empty() {
        return (None, 0);
    }
    let most = Most::of(survey.details.len());
    let (groups, left_out) = Budget::new(BUDGET)
        .fill(survey.details.iter(), GROUPS, |detail| group(detail, beside, &most));
    let printed = survey.details.len() - left_out;
    let rest = (survey.overview.groups_total as usize).saturating_sub(printed);
    let part = html! {
        div data-details { (groups) }
        (more_by(rest, "group", "obit show GROUP"))
    };
    (Some(part), printed)
}

fn group(detail: &GroupDetail, beside: &Beside, most: &Most) -> Markup {
    let group = &detail.group;
    let anchor = anchor(&group.id);
    html! {
        details.group id=(anchor) data-group=(anchor) {
            summary {
                (status(group)) " " code.id { (stored(&group.id, NAME / 4)) } " "
                span.name { (title(group)) } " "
                span.aside { (counted(group.count as usize, "dump")) }
            }
            div.group-body {
                (story(detail, beside))
                @if let Some(rows) = most.numbers { (chart(&group.series, rows)) }
                (stack(&detail.stack, most))
                (traits(detail, most))
                div.columns {
                    (builds(detail, most))
                    (hosts(detail, most))
                }
                (rates_of(detail, most))
                (dumps(detail, beside, most))
                (suspects(detail))
                (commands(detail, beside, most))
            }
        }
    }
}

/// Why, its status, and where the crash that stands for all is shown.
pub(super) fn story(detail: &GroupDetail, beside: &Beside) -> Markup {
    let group = &detail.group;
    let page = group.example.as_ref().and_then(|dump| beside.crashes.get(dump));
    let [rank, why] = explanation(group);
    let since = state(detail);
    html! {
        @if let Some(explanation) = &detail.explanation { p { (stored_prose(explanation)) } }
        @if let Some(message) = &detail.message {
            figure.said {
                figcaption { "the program said" }
                blockquote { (stored(message, crate::html::escape::SENTENCE)) }
            }
        }
        @if let Some(page) = page {
            p.open-crash {
                a href=(page) { "Open the crash that stands for this group" }
                " " span.aside { (stored(group.example.as_deref().unwrap_or_default(), NAME / 2)) }
            }
        }
        dl.pairs {
            (pair("signature", &html! { code { (stored(&group.signature, NAME * 2)) } }))
            (pair("status", &html! { (visible_line(&why)) (visible_line(&since)) }))
            (pair("rank", &html! { (visible_line(rank.strip_prefix("rank ").unwrap_or(&rank))) }))
            @if let Some(class) = &group.class {
                (pair("cause", &html! {
                    code { (stored(class, NAME)) } ", " (severity(group))
                    @if let Some(confidence) = group.confidence { ", " (sure(confidence)) }
                }))
            }
            @if let (Some(first), Some(last)) = (&group.first, &group.last) {
                (pair("seen", &html! {
                    (minute_of(first.time)) " to " (minute_of(last.time))
                }))
            }
            @if let Some(began) = rates::began(group) { (pair("began", &visible_line(&began))) }
            @if let Some(shares) = shares(group) { (pair("share", &visible_line(&shares))) }
            @if let Some(rate) = rates::newest(group) { (pair("rate", &visible_line(&rate))) }
            @if let Some(surge) = &group.surge { (pair("surge", &html! { (surge.text()) })) }
            @if let Some(ticket) = ticket(group) { (pair("ticket", &ticket)) }
            @if !group.programs.is_empty() {
                (pair("program", &html! { (joined(&group.programs)) }))
            }
            @if !group.modules.is_empty() {
                (pair("blamed image", &html! { (joined(&group.modules)) }))
            }
            @for note in detail.notes.iter().take(20) {
                (pair("note", &html! { (day_of(note.time)) ": " (stored(&note.text, NAME * 4)) }))
            }
        }
    }
}

/// What `render` made visible already.
fn visible_line(line: &str) -> Markup {
    crate::html::escape::visible_text(line, NAME * 4)
}

pub(super) fn pair(name: &str, value: &Markup) -> Markup {
    html! { div { dt { (name) } dd { (value) } } }
}

fn joined(names: &[String]) -> Markup {
    let names: Vec<String> = names.iter().map(|name| cut_end(&bounded(name), NAME)).collect();
    visible_line(&names.join(", "))
}

pub(super) fn stack(stack: &[StackLine], most: &Most) -> Markup {
    html! {
        @if !stack.is_empty() {
            h3 { "Stack of the crash that stands for the group" }
            ol.stack {
                @for frame in stack.iter().take(most.frames) {
                    @let place = frame.source.as_ref().or(frame.module.as_ref());
                    li class=(if frame.source.is_some() { "own" } else { "foreign" }) {
                        span.index { "#" (frame.index) } " "
                        span.name { (stored(frame.function.as_deref().unwrap_or("??"), NAME)) } " "
                        @if let Some(place) = place { span.place { (stored(place, NAME / 2)) } }
                        @if frame.is_inline { " " span.mark { "inlined" } }
                        @if frame.is_to_blame { " " span.badge.alarm { "to blame" } }
                    }
                }
            }
            (more_by(stack.len().saturating_sub(most.frames), "frame", "obit show GROUP -v"))
        }
    }
}

pub(super) fn traits(detail: &GroupDetail, most: &Most) -> Markup {
    let (here, there) = detail.compared;
    html! {
        @if !detail.traits.is_empty() {
            h3 {
                "What its crashes have in common "
                span.aside {
                    (counted(here as usize, "dump"))
                    @if there > 0 { " compared with " (counted(there as usize, "other")) }
                }
            }
            ul.traits {
                @for one in detail.traits.iter().take(most.traits) {
                    li { (visible_line(&trait_line(one))) }
                }
            }
            (more_by(detail.traits.len().saturating_sub(most.traits), "line", "obit show GROUP -v"))
        }
    }
}

pub(super) fn builds(detail: &GroupDetail, most: &Most) -> Markup {
    let name = |count: &ReleaseCount| {
        let build = bounded(count.builds.first().map_or("", String::as_str));
        let build = cut_end(&build, 13);
        html! {
            @if !count.name.is_empty() { (stored(&count.name, NAME / 4)) " " }
            code.place { (build) }
        }
    };
    counts("Builds", &detail.builds, most.builds, &name)
}

/// What is known of releases beside their dumps, where exposures were given.
pub(super) fn rates_of(detail: &GroupDetail, most: &Most) -> Markup {
    let known = detail.group.releases.iter().rev().filter(|r| !rates::of_release(r).is_empty());
    let known: Vec<&ReleaseCount> = known.take(most.builds).collect();
    html! {
        @if !known.is_empty() {
            h3 { "Rates by release " span.aside { "95 % intervals" } }
            ul.traits {
                @for release in known {
                    li {
                        (stored(&release.name, NAME / 4)) ": "
                        (visible_line(&rates::of_release(release).join("; ")))
                    }
                }
            }
        }
    }
}

pub(super) fn hosts(detail: &GroupDetail, most: &Most) -> Markup {
    counts("Hosts", &detail.hosts, most.hosts, &|count| stored(&count.name, NAME / 2))
}

fn counts(
    title: &str,
    counts: &[ReleaseCount],
    most: usize,
    name: &dyn Fn(&ReleaseCount) -> Markup,
) -> Markup {
    html! {
        @if !counts.is_empty() && most > 0 {
            div {
                h3 { (title) }
                ul.counts {
                    @for count in counts.iter().take(most) {
                        li {
                            (name(count)) " "
                            span.number { (grouped(count.count)) " of " (grouped(count.dumps)) } " "
                            span.aside {
                                @if let (Some(first), Some(last)) = (count.first, count.last) {
                                    (day_of(first)) " to " (day_of(last))
                                }
                            }
                        }
                    }
                }
                (more_by(counts.len().saturating_sub(most), "line", "obit show GROUP -v"))
            }
        }
    }
}

/// How many dumps of each group are shown here, if there are so many groups.
pub(super) fn shown_dumps(groups: usize) -> usize {
    Most::of(groups).dumps
}

/// Dumps as a table: when, where, and which file. `name` lays out the id of a crash.
pub(super) fn dump_rows(dumps: &[DumpLine], name: &dyn Fn(&DumpLine, &Markup) -> Markup) -> Markup {
    html! {
        table.wide.dumps {
            thead {
                tr {
                    th scope="col" { "Time" } th scope="col" { "Crash" } th scope="col" { "Build" }
                    th scope="col" { "Host" } th scope="col" { "File" }
                }
            }
            tbody {
                @for dump in dumps {
                    @let id = if dump.crash.is_empty() { &dump.dump } else { &dump.crash };
                    tr {
                        td.number { (minute_of(dump.time)) }
                        td {
                            (name(dump, &html! {
                                code { (stored(id, NAME / 4)) }
                                @if !dump.is_complete { " " span.badge.doubt { "incomplete" } }
                            }))
                        }
                        td { (stored(dump.release.as_deref().unwrap_or_default(), NAME / 4)) }
                        td { (stored(dump.host.as_deref().unwrap_or_default(), NAME / 4)) }
                        td.place {
                            @if let Some(path) = &dump.path { (stored_path(path, NAME / 2)) }
                        }
                    }
                }
            }
        }
    }
}

fn dumps(detail: &GroupDetail, beside: &Beside, most: &Most) -> Markup {
    let shown = detail.dumps.get(..most.dumps).unwrap_or(&detail.dumps);
    let rest = (detail.group.total as usize).saturating_sub(shown.len());
    let is_beside = beside.dumps.contains(&detail.group.id);
    let plain = |_: &DumpLine, id: &Markup| id.clone();
    html! {
        @if !shown.is_empty() {
            h3 { "Newest dumps" }
            (scrolling("Dumps of the group", &dump_rows(shown, &plain)))
        }
        @if is_beside {
            p {
                a href={ (DUMPS_FILE) "#" (anchor(&detail.group.id)) } {
                    "The newest " (counted(detail.dumps.len(), "dump"))
                }
                " of " (grouped(detail.group.total))
            }
        } @else {
            (more_by(rest, "dump", "obit show GROUP -n 0"))
        }
    }
}

fn suspects(detail: &GroupDetail) -> Markup {
    html! {
        @if !detail.suspected_same.is_empty() {
            h3 { "Perhaps the same bug" }
            ul.traits {
                @for suspect in detail.suspected_same.iter().take(6) {
                    li {
                        (format!("{:.0} %", suspect.likeness * 100.0)) " alike: "
                        code { (stored(&suspect.group, NAME / 4)) } " "
                        code { (stored(&suspect.signature, NAME / 2)) }
                    }
                }
            }
        }
    }
}

/// What to say to the store of this group: what is used most goes first.
fn commands(detail: &GroupDetail, beside: &Beside, most: &Most) -> Markup {
    let group = &detail.group;
    let id = bounded(&group.id);
    let mut all = vec![
        ("all of this group", format!("obit show {id}")),
        ("it is fixed", format!("obit state {id} resolved --in BUILD")),
        ("it is not to be reported", format!("obit state {id} ignored")),
        ("who works on it", format!("obit state {id} --assign NAME --link URL")),
    ];
    if group.state != "open" {
        all.insert(1, ("it is open again", format!("obit state {id} open")));
    }
    if let Some(dump) = group.example.as_ref().filter(|dump| !beside.crashes.contains_key(*dump)) {
        let crash = format!("obit show {} --format html -o crash.html", bounded(dump));
        all.insert(1, ("its crash as a page", crash));
    }
    for suspect in detail.suspected_same.iter().take(3) {
        let other = bounded(&suspect.group);
        all.push(("the same bug", format!("obit group merge {id} {other}")));
    }
    all.push(("what is in it, to split it", format!("obit group signatures {id}")));
    let all = all.into_iter().filter_map(|(what, text)| Some((what, beside.command(&text)?)));
    let all: Vec<_> = all.take(most.commands).collect();
    html! {
        @if !all.is_empty() {
            h3 { "Commands" }
            dl.commands {
                @for (what, text) in &all { div { dt { (what) } dd { (command(text)) } } }
            }
        }
    }
}
