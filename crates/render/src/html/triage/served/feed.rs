//! New and regressed groups as a feed (Atom, RFC 4287).

use std::cmp::Reverse;

use maud::{PreEscaped, html};

use super::group_path;
use crate::html::escape::bounded;
use crate::terminal::groups::stored_title;
use obit_triage::history::Status;
use obit_triage::time::instant_of;
use obit_triage::views::GroupSummary;

/// Its media type.
pub const FEED_MEDIA: &str = "application/atom+xml";

/// Entries of the feed.
pub const FEED_ENTRIES: usize = 50;

/// The feed of the newest of these groups, of which there are `all`; `now` is when that was
/// found out, `base` the address of the server, without the last slash.
pub fn feed(mut groups: Vec<GroupSummary>, all: usize, now: i64, base: &str) -> String {
    groups.sort_by_key(|group| Reverse(when(group)));
    groups.truncate(FEED_ENTRIES);
    let newest = groups.iter().filter_map(when).max().unwrap_or(now);
    let entry = |group: &GroupSummary| {
        let link = format!("{base}{}", group_path(&group.id));
        let title = format!("{}: {}", group.status.word(), bounded(stored_title(group)));
        html! {
            entry {
                id { (link) "?" (group.status.word()) }
                title { (title) }
                link href=(link) {}
                updated { (instant_of(when(group).unwrap_or(now))) }
                summary { (bounded(&group.signature)) ". " (bounded(&group.reason)) }
            }
        }
    };
    let feed = html! {
        (PreEscaped("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"))
        feed xmlns="http://www.w3.org/2005/Atom" {
            id { (base) "/feed.atom" }
            title { "obit: new and regressed groups" }
            @if groups.len() < all {
                subtitle { "the newest " (groups.len()) " of " (all) }
            }
            link rel="self" href={ (base) "/feed.atom" } {}
            author { name { "obit" } }
            updated { (instant_of(newest)) }
            @for group in &groups { (entry(group)) }
        }
    };
    feed.into_string()
}

/// When it got its status. Since when a group is regressed is not stored: of these, when it was
/// seen last.
fn when(group: &GroupSummary) -> Option<i64> {
    let moment = match group.status {
        Status::Regressed => group.last.as_ref(),
        _ => group.first.as_ref(),
    };
    moment.map(|moment| moment.time)
}
