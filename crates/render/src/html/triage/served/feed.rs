//! New and regressed groups as a feed (Atom, RFC 4287).

use maud::{PreEscaped, html};

use super::group_path;
use crate::html::escape::bounded;
use crate::terminal::groups::stored_title;
use obit_triage::time::instant_of;
use obit_triage::views::{GroupSummary, Overview};

/// Its media type.
pub const FEED_MEDIA: &str = "application/atom+xml";

/// The feed of these groups; `base` is the address of the server, without the last slash.
pub fn feed(overview: &Overview, base: &str) -> String {
    let newest = overview.groups.iter().filter_map(when).max().unwrap_or(overview.now);
    let entry = |group: &GroupSummary| {
        let link = format!("{base}{}", group_path(&group.id));
        let title = format!("{}: {}", group.status.word(), bounded(stored_title(group)));
        html! {
            entry {
                id { (link) "?" (group.status.word()) }
                title { (title) }
                link href=(link) {}
                updated { (instant_of(when(group).unwrap_or(overview.now))) }
                summary { (bounded(&group.signature)) ". " (bounded(&group.reason)) }
            }
        }
    };
    let feed = html! {
        (PreEscaped("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"))
        feed xmlns="http://www.w3.org/2005/Atom" {
            id { (base) "/feed.atom" }
            title { "obit: new and regressed groups" }
            link rel="self" href={ (base) "/feed.atom" } {}
            author { name { "obit" } }
            updated { (instant_of(newest)) }
            @for group in &overview.groups { (entry(group)) }
        }
    };
    feed.into_string()
}

fn when(group: &GroupSummary) -> Option<i64> {
    group.last.as_ref().map(|last| last.time)
}
