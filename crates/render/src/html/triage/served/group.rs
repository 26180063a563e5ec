//! One group: what is known of it, and what people record of it.

use maud::{Markup, html};

use super::{crash_path, group_path, value};
use crate::html::budget::more_by;
use crate::html::escape::{NAME, bounded, stored};
use crate::html::page::scrolling;
use crate::html::triage::Beside;
use crate::html::triage::chart::chart;
use crate::html::triage::drawing::{status, title};
use crate::html::triage::group::{
    Most, builds, dump_rows, hosts, pair, rates_of, stack, story, traits,
};
use crate::layout::counted;
use obit_triage::time::minute_of;
use obit_triage::views::{DumpLine, GroupDetail};

/// Steps of the chart whose numbers are listed.
const NUMBERS: usize = 60;

/// How a group is looked at.
#[derive(Clone, Copy, Debug)]
pub struct GroupView<'v> {
    /// The group.
    pub detail: &'v GroupDetail,
    /// What stands for all that people recorded: a change is made only if it is still so.
    pub revision: &'v str,
    /// What forms must send along; `None` where nothing may be changed.
    pub csrf: Option<&'v str>,
    /// Whether crashes may be revealed.
    pub can_reveal: bool,
    /// Why the last change was not made.
    pub problem: Option<&'v str>,
}

/// The content of the page.
pub fn group(view: &GroupView<'_>) -> String {
    let detail = view.detail;
    let group = &detail.group;
    let most = Most::of(1);
    let mut beside = Beside::default();
    if let Some(dump) = &group.example {
        beside.crashes.insert(dump.clone(), crash_path(dump));
    }
    let content = html! {
        section.cause aria-labelledby="group-title" {
            p.badges { (status(group)) " " code.id { (stored(&group.id, NAME / 4)) } }
            h1 id="group-title" { (title(group)) }
            p.who { (counted(usize::try_from(group.count).unwrap_or(usize::MAX), "dump")) }
            @if let Some(problem) = view.problem { p.problem role="alert" { (stored(problem, NAME * 4)) } }
            (story(detail, &beside))
            (chart(&group.series, NUMBERS))
        }
        section.part aria-labelledby="work-title" {
            h2 id="work-title" { "What people say of it" }
            (recorded(detail))
            @if let Some(csrf) = view.csrf { (forms(view, csrf)) }
        }
        section.part aria-labelledby="facts-title" {
            h2 id="facts-title" { "What is known of it" }
            (stack(&detail.stack, &most))
            (traits(detail, &most))
            div.columns {
                (builds(detail, &most))
                (hosts(detail, &most))
            }
            (rates_of(detail, &most))
            (signatures(detail))
            (suspects(detail))
        }
        section.part aria-labelledby="dumps-title" {
            h2 id="dumps-title" { "Newest dumps" }
            (scrolling("Dumps of the group", &dumps(&detail.dumps, view.can_reveal)))
            (more_by(
                usize::try_from(group.total).unwrap_or(usize::MAX).saturating_sub(detail.dumps.len()),
                "dump",
                "obit show GROUP -n 0"
            ))
        }
    };
    content.into_string()
}

fn recorded(detail: &GroupDetail) -> Markup {
    let group = &detail.group;
    html! {
        dl.pairs {
            (pair("state", &html! {
                (stored(&group.state, NAME))
                @if let Some(build) = &detail.state_build { " in " (stored(build, NAME / 2)) }
                @if let Some(at) = detail.state_since { " since " (minute_of(at)) }
            }))
            (pair("assigned to", &html! {
                @match &group.assignee { Some(name) => (stored(name, NAME)), None => "no one" }
            }))
        }
        @if !detail.notes.is_empty() {
            h3 { "Notes" }
            ol.notes {
                @for note in detail.notes.iter().rev().take(100) {
                    li { span.aside { (minute_of(note.time)) } " " (stored(&note.text, NAME * 26)) }
                }
            }
        }
    }
}

fn forms(view: &GroupView<'_>, csrf: &str) -> Markup {
    let group = &view.detail.group;
    let path = group_path(&group.id);
    let form = |what: &str, fields: &Markup, button: &str| {
        html! {
            form method="post" action=(path) {
                input type="hidden" name="csrf" value=(csrf);
                input type="hidden" name="revision" value=(view.revision);
                input type="hidden" name="action" value=(what);
                (fields)
                button type="submit" { (button) }
            }
        }
    };
    let states = [("open", "open"), ("resolved", "resolved"), ("ignored", "ignored")];
    let state = html! {
        label { span { "State" }
            select name="state" {
                @for (word, text) in states { option value=(word) selected[group.state == word] { (text) } }
            }
        }
        label { span { "Resolved in build" }
            input type="text" name="build" maxlength="200" autocomplete="off"
                value=(bounded(view.detail.state_build.as_deref().unwrap_or_default()));
        }
    };
    let assignee = html! {
        label { span { "Assigned to" }
            input type="text" name="assignee" maxlength="100" autocomplete="off"
                value=(bounded(group.assignee.as_deref().unwrap_or_default()));
        }
    };
    let ticket = html! {
        label { span { "Ticket (URL)" }
            input type="url" name="link" maxlength="2048" autocomplete="off"
                value=(bounded(group.link.as_deref().unwrap_or_default()));
        }
    };
    let note = html! {
        label.wide { span { "Note" } textarea name="note" rows="2" maxlength="4096" required {} }
    };
    html! {
        div.work {
            (form("state", &state, "Set state"))
            (form("assign", &assignee, "Assign"))
            (form("link", &ticket, "Set ticket"))
            (form("note", &note, "Add note"))
            form method="post" action={ (path) "/share" } {
                input type="hidden" name="csrf" value=(csrf);
                label { span { "Link for others, holds" }
                    select name="hours" {
                        option value="24" { "a day" } option value="168" { "a week" }
                        option value="720" { "30 days" }
                    }
                }
                button type="submit" { "Make link" }
            }
        }
    }
}

fn dumps(dumps: &[DumpLine], can_reveal: bool) -> Markup {
    dump_rows(dumps, &|dump, id| {
        let path = crash_path(&dump.dump);
        html! {
            a href=(path) { (id) }
            @if can_reveal { " " a.aside href={ (path) "/reveal" } { "reveal" } }
        }
    })
}

fn signatures(detail: &GroupDetail) -> Markup {
    html! {
        @if !detail.signatures.is_empty() {
            h3 { "Signatures" }
            ul.traits {
                @for one in detail.signatures.iter().take(12) {
                    li {
                        code { (stored(&one.text, NAME)) } " "
                        span.aside {
                            (counted(usize::try_from(one.count).unwrap_or(usize::MAX), "dump"))
                            @if let Some(because) = one.because() { ": " (stored(&because, NAME)) }
                        }
                    }
                }
            }
        }
    }
}

fn suspects(detail: &GroupDetail) -> Markup {
    html! {
        @if !detail.suspected_same.is_empty() {
            h3 { "Perhaps the same bug" }
            ul.traits {
                @for suspect in detail.suspected_same.iter().take(6) {
                    @let both = format!("/compare?one={}&other={}",
                        value(&detail.group.id), value(&suspect.group));
                    li {
                        (format!("{:.0} %", suspect.likeness * 100.0)) " alike: "
                        a href=(group_path(&suspect.group)) { code { (stored(&suspect.group, NAME / 4)) } } " "
                        code { (stored(&suspect.signature, NAME / 2)) } " "
                        a.aside href=(both) { "compare" }
                    }
                }
            }
        }
    }
}
