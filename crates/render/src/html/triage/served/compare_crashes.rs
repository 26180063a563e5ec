//! Two crashes beside each other.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::compare::{none, question, row, stacks};
use super::crash_path;
use crate::html::escape::{NAME, stored, stored_path, stored_prose};
use crate::html::page::scrolling;
use crate::layout::counted;
use obit_triage::time::minute_of;
use obit_triage::views::GroupDetail;
use obit_triage::{Record, module_name};

/// Modules that are listed.
const MODULES: usize = 40;

/// The content of the page: two records as they are shown.
pub fn compare_crashes(one: &Record, other: &Record) -> String {
    let content = html! {
        (question(&one.dump, &other.dump, None))
        section.part aria-labelledby="facts-title" {
            h2 id="facts-title" { "Facts" }
            (scrolling("Facts", &facts(one, other)))
        }
        section.part aria-labelledby="stacks-title" {
            h2 id="stacks-title" { "Stacks" }
            (scrolling("Stacks", &{
                let (left, right) = (described(one), described(other));
                stacks((&one.dump, &left.stack), (&other.dump, &right.stack))
            }))
        }
        (modules(one, other))
    };
    content.into_string()
}

fn described(record: &Record) -> GroupDetail {
    let mut detail = GroupDetail::default();
    detail.describe(record);
    detail
}

fn facts(one: &Record, other: &Record) -> Markup {
    let row = |name: &str, of: &dyn Fn(&Record) -> Markup| row(name, &of(one), &of(other));
    let text = |text: Option<&str>| match text {
        Some(text) => stored(text, NAME * 2),
        None => none(),
    };
    let cause = |record: &Record, of: &dyn Fn(&obit_report::Cause) -> Option<String>| {
        text(record.cause.as_ref().and_then(of).as_deref())
    };
    html! {
        table.wide.compared {
            thead { tr {
                th scope="col" { "What" }
                @for record in [one, other] {
                    th scope="col" {
                        a href=(crash_path(&record.dump)) { code { (stored(&record.dump, NAME / 4)) } }
                    }
                }
                th scope="col" { "Difference" }
            } }
            tbody {
                (row("Cause", &|record| cause(record, &|cause| Some(cause.title.as_str().to_owned()))))
                (row("Class", &|record| cause(record, &|cause| Some(cause.class.clone()))))
                (row("Explanation", &|record| {
                    let cause = record.cause.as_ref();
                    match cause.and_then(|cause| cause.explanation.as_ref()) {
                        Some(text) => stored_prose(text.as_str()),
                        None => none(),
                    }
                }))
                (row("Message", &|record| {
                    cause(record, &|cause| Some(cause.message.as_ref()?.as_str().to_owned()))
                }))
                (row("Signature", &|record| {
                    text(record.signature.as_ref().map(|signature| signature.text.as_str()))
                }))
                (row("Group", &|record| text(record.group.as_deref())))
                (row("Signal", &|record| {
                    text(record.signal.as_ref().map(|signal| signal.name.as_str()))
                }))
                (row("Program", &|record| match &record.process.exe {
                    Some(path) => stored_path(path.as_str(), NAME),
                    None => none(),
                }))
                (row("Build ID", &|record| text(record.process.build_id.as_deref())))
                (row("Host", &|record| text(record.host.as_ref().map(obit_redact::Shown::as_str))))
                (row("Time", &|record| match record.time {
                    Some(time) => html! { (minute_of(time)) },
                    None => none(),
                }))
                (row("Threads", &|record| html! { (record.threads.len()) " stored" }))
            }
        }
    }
}

/// The build IDs of the images that are on the stacks, by the names of these.
fn builds(record: &Record) -> BTreeMap<String, String> {
    let module = |module: &obit_report::module::ModuleReport| {
        (module_name(module.path.as_str()), module.build_id.clone().unwrap_or_default())
    };
    record.modules.iter().map(module).collect()
}

fn modules(one: &Record, other: &Record) -> Markup {
    let (left, right) = (builds(one), builds(other));
    let names = left.keys().chain(right.keys().filter(|name| !left.contains_key(*name)));
    let differ: Vec<&String> = names.filter(|name| left.get(*name) != right.get(*name)).collect();
    let build = |of: &BTreeMap<String, String>, name: &str| match of.get(name) {
        Some(id) if id.is_empty() => html! { span.aside { "no build ID" } },
        Some(id) => html! { code { (stored(id, 16)) } },
        None => html! { span.aside { "not on its stacks" } },
    };
    html! {
        section.part aria-labelledby="modules-title" {
            h2 id="modules-title" {
                "Images that differ " span.aside { (counted(differ.len(), "image")) }
            }
            @if differ.is_empty() { p { "The images on the stacks are the same builds." } }
            @else {
                (scrolling("Images that differ", &html! {
                    table.wide.compared {
                        thead { tr {
                            th scope="col" { "Image" }
                            th scope="col" { (stored(&one.dump, NAME / 4)) }
                            th scope="col" { (stored(&other.dump, NAME / 4)) }
                        } }
                        tbody {
                            @for name in differ.iter().take(MODULES) {
                                tr.differs {
                                    th scope="row" { (stored(name, NAME / 2)) }
                                    td { (build(&left, name)) }
                                    td { (build(&right, name)) }
                                }
                            }
                        }
                    }
                }))
            }
        }
    }
}
