//! What happened in a period, as HTML for a mail: one file without a script, and nothing is
//! loaded.

use std::io;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::drawing::title;
use crate::html::budget::{Budget, more_by};
use crate::html::escape::{NAME, stored, visible_text};
use crate::layout::{counted, grouped};
use crate::markdown::digest::DIGEST_ROWS;
use crate::terminal::groups::{releases, surge};
use crate::terminal::rates;
use obit_triage::history::Status;
use obit_triage::time::{day_of, minute_of};
use obit_triage::views::{GroupSummary, Overview};

/// Bytes of the tables: programs of mail cut long ones.
const BUDGET: usize = 80_000;
/// Programs of mail know little of CSS, and of what a browser's user prefers.
const STYLE: &str = "body{font-family:sans-serif;font-size:14px;color:#1c2024;background:#fff;\
    max-width:60em}table{border-collapse:collapse}td,th{border-bottom:1px solid #c9ced6;\
    padding:4px 8px;text-align:left;vertical-align:top}.n{text-align:right}\
    .a{color:#565d68}code{font-family:monospace}";

/// Writes the digest of `overview`, as [`crate::markdown::digest::write_digest`] does.
pub(crate) fn write_digest(out: &mut dyn io::Write, overview: &Overview) -> io::Result<()> {
    out.write_all(page(overview).into_string().as_bytes())
}

fn page(overview: &Overview) -> Markup {
    let since = minute_of(overview.since.unwrap_or(overview.now));
    let heading = match overview.until {
        Some(until) => format!("Crashes from {since} to {} UTC", minute_of(until)),
        None => format!("Crashes since {since} UTC"),
    };
    let urgent = [Status::Regressed, Status::New, Status::Increasing];
    let of = |status: Status| overview.groups.iter().filter(move |group| group.status == status);
    let others = overview.groups.iter().filter(|group| !urgent.contains(&group.status));
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                title { (heading) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { (heading) }
                p {
                    (counted(usize::try_from(overview.dumps).unwrap_or(usize::MAX), "dump")) " in "
                    (counted(overview.groups.len(), "group")) "; "
                    (grouped(overview.before.unwrap_or(0)))
                    " in the preceding period of the same length."
                }
                @for status in urgent {
                    @if of(status).next().is_some() {
                        h2 { (first_upper(status.word())) }
                        (table(of(status)))
                    }
                }
                @if others.clone().next().is_some() { h2 { "Others" } (table(others)) }
                p.a { "All data is redacted as in the store. Times are in UTC. "
                    code { "obit show GROUP" } " has the details." }
            }
        }
    }
}

fn table<'g>(groups: impl Iterator<Item = &'g GroupSummary>) -> Markup {
    let groups: Vec<&GroupSummary> = groups.collect();
    let (rows, left_out) = Budget::new(BUDGET).fill(groups.iter().copied(), DIGEST_ROWS, row);
    html! {
        table {
            thead { tr {
                th scope="col" { "Group" } th scope="col" { "Dumps" } th scope="col" { "Before" }
                th scope="col" { "Builds" } th scope="col" { "Last" } th scope="col" { "Cause" }
            } }
            tbody { (rows) }
        }
        (more_by(left_out, "group", "obit digest"))
    }
}

fn row(group: &GroupSummary) -> Markup {
    let began = rates::began(group).map(|began| format!("began in {began}"));
    let notes = began.into_iter().chain(surge(group)).chain(rates::newest(group));
    html! {
        tr {
            td { code { (stored(&group.id, NAME / 4)) } br; span.a { (group.status_words()) } }
            td.n { (grouped(group.count)) }
            td.n { (grouped(group.before.unwrap_or(0))) }
            td { (visible_text(&releases(&group.releases), NAME / 2)) }
            td { @if let Some(last) = &group.last { (day_of(last.time)) } }
            td {
                strong { (title(group)) } br;
                code { (stored(&group.signature, NAME)) } br;
                span.a { (stored(&group.reason, NAME * 4)) }
                @for note in notes { br; span.a { (visible_text(&note, NAME * 4)) } }
            }
        }
    }
}

fn first_upper(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_loads_nothing_and_no_name_is_markup() {
        let group = |status| GroupSummary {
            id: "0a1b".to_owned(),
            status,
            headline: Some("<img src=x onerror=alert(1)>".to_owned()),
            signature: "</code><script>".to_owned(),
            reason: "first seen in <b>3.0</b>".to_owned(),
            ..GroupSummary::default()
        };
        let groups = (0..30).map(|_| group(Status::New)).chain([group(Status::Active)]);
        let overview = Overview { groups: groups.collect(), ..Overview::default() };
        let page = page(&overview).into_string();
        for part in ["<img", "<script", "<b>", "<a ", "<link"] {
            assert!(!page.contains(part), "{part}: {page}");
        }
        assert!(page.contains("&lt;img src=x"), "{page}");
        assert!(page.contains("<h2>New</h2>") && page.contains("<h2>Others</h2>"), "{page}");
        assert!(page.contains("10 more groups") || page.contains("10 groups"), "{page}");
    }
}
