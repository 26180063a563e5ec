//! The groups as a table: by rank, and by what else its headings sort it.

use maud::{Markup, html};

use super::anchor;
use super::drawing::{bar, day, severity, sparkline, status, ticket, title};
use crate::html::budget::{Budget, more_by};
use crate::html::escape::{NAME, bounded, stored, visible_text};
use crate::html::page::scrolling;
use crate::layout::{cut_end, grouped};
use crate::terminal::groups::releases;
use crate::terminal::rates;
use obit_report::Severity;
use obit_triage::history::Status;
use obit_triage::views::{GroupSummary, Survey};

/// Rows.
const ROWS: usize = 1_000;
/// Bytes of all of them.
const BUDGET: usize = 550_000;
/// Characters of names that are found by, and not shown.
const WORDS: usize = 300;

/// The columns: their heading, and whether it sorts numbers up or down first.
const COLUMNS: [(&str, Option<Order>); 10] = [
    ("#", Some(Order::Up)),
    ("Status", Some(Order::Up)),
    ("Severity", Some(Order::Down)),
    ("Dumps", Some(Order::Down)),
    ("Trend", None),
    ("Cause", Some(Order::Up)),
    ("Signature", Some(Order::Up)),
    ("Builds", Some(Order::Down)),
    ("First", Some(Order::Down)),
    ("Last", Some(Order::Down)),
];

/// What a heading does first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Up,
    Down,
}

/// The table, with its search; `None` if there is no group.
pub(super) fn list(survey: &Survey, printed: usize) -> Option<Markup> {
    let groups = &survey.overview.groups;
    if groups.is_empty() {
        return None;
    }
    let most = groups.iter().map(|group| group.count).max().unwrap_or(1);
    let (rows, left) = Budget::new(BUDGET).fill(groups.iter().enumerate(), ROWS, |(at, group)| {
        let href = (at < printed).then(|| format!("#{}", anchor(&group.id)));
        row(at, group, most, href.as_deref())
    });
    let shown = groups.len() - left;
    let left_out = (survey.overview.groups_total as usize).saturating_sub(shown);
    let table = html! {
        table.groups data-groups {
            caption.sr { "Groups of crashes, the highest rank first" }
            thead {
                tr {
                    @for (at, (name, order)) in COLUMNS.into_iter().enumerate() {
                        th scope="col" data-sort=[order.map(word)]
                            aria-sort=[(at == 0).then_some("ascending")] { (name) }
                    }
                }
            }
            tbody { (rows) }
        }
    };
    Some(html! {
        (filters(survey))
        (scrolling("Groups", &table))
        (more_by(left_out, "group", "obit top -n 0"))
    })
}

fn word(order: Order) -> &'static str {
    match order {
        Order::Up => "ascending",
        Order::Down => "descending",
    }
}

fn filters(survey: &Survey) -> Markup {
    html! {
        div.filters data-js hidden {
            p.search {
                label for="find" { "Search groups" } " "
                input id="find" type="search" data-find autocomplete="off" spellcheck="false"
                    placeholder="function, cause, program, build or id";
            }
            div.chips role="group" aria-label="Status" {
                @for (status, count) in &survey.overview.by_status {
                    button type="button" class={ "chip s-" (status.word()) }
                        data-status=(status.word()) aria-pressed="false" {
                        (status.word()) " " span { (grouped(*count)) }
                    }
                }
            }
            p.aside data-shown aria-live="polite" {}
        }
    }
}

/// One group. Its cause leads to `href`.
pub(super) fn row(at: usize, group: &GroupSummary, most: u64, href: Option<&str>) -> Markup {
    let place = |status| Status::ALL.iter().position(|one| *one == status).unwrap_or(0);
    let level = group.severity.as_deref().and_then(Severity::named);
    let badness = level.map_or(0, |level| level as usize + 1);
    let time = |moment: &Option<_>| {
        moment.as_ref().map_or(0, |moment: &obit_triage::views::Moment| moment.time)
    };
    let cause = title(group);
    html! {
        tr data-group=(anchor(&group.id)) data-status=(group.status.word()) data-words=(words(group)) {
            td.rank data-value=(at + 1) title={ "rank " (format!("{:.1}", group.rank.score)) } {
                (at + 1)
            }
            td.state data-value=(place(group.status)) title=(reason(group)) { (status(group)) }
            td.severity data-value=(badness) { (severity(group)) }
            td.count data-value=(group.count) {
                span.number { (grouped(group.count)) } (bar(group.count, most))
            }
            td.trend { (sparkline(&group.trend)) }
            th.cause scope="row" {
                @if let Some(href) = href { a href=(href) { (cause) } } @else { (cause) }
                @if let Some(name) = &group.name { " " span.badge { (stored(name, NAME)) } }
                @if let Some(ticket) = ticket(group) { " " span.aside { (ticket) } }
                @if let Some(rate) = rates::newest(group) { " " span.aside { (visible_text(&rate, NAME * 2)) } }
            }
            td.sig { code { (stored(&group.signature, NAME / 2)) } }
            td.builds data-value=(extent(group)) { (cut_end(&releases(&group.releases), NAME / 4)) }
            td.first data-value=(time(&group.first)) title=[rates::began(group).map(|began| cut_end(&bounded(&format!("began in {began}")), WORDS))] {
                (day(group.first.as_ref()))
            }
            td.last data-value=(time(&group.last)) { (day(group.last.as_ref())) }
        }
    }
}

/// Why the group has its status.
fn reason(group: &GroupSummary) -> String {
    cut_end(&bounded(&group.reason), WORDS)
}

/// What a search finds beside what the row shows.
fn words(group: &GroupSummary) -> String {
    let builds = group.releases.iter().filter(|release| release.count > 0);
    let title = group.title.as_deref().unwrap_or_default();
    let names = [group.id.as_str(), group.class.as_deref().unwrap_or_default(), title].into_iter();
    let names = names
        .chain(group.surge.is_some().then_some("surge"))
        .chain(group.programs.iter().chain(&group.modules).map(String::as_str))
        .chain(builds.map(|release| release.name.as_str()));
    let words: Vec<String> = names.map(|name| cut_end(&bounded(name), NAME / 2)).collect();
    cut_end(&words.join(" "), WORDS)
}

/// The place of the last build with a dump, and then of the first, as a number.
fn extent(group: &GroupSummary) -> usize {
    let with = |release: &obit_triage::views::ReleaseCount| release.count > 0;
    let last = group.releases.iter().rposition(with).unwrap_or(0);
    let first = group.releases.iter().position(with).unwrap_or(0);
    last * (group.releases.len() + 1) + first
}
