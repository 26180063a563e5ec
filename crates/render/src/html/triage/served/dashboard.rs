//! The list of groups, a part at a time, with what is asked for and what the whole has.

use maud::{Markup, html};

use super::series::counts;
use super::{group_path, value};
use crate::html::escape::{NAME, bounded, stored};
use crate::html::page::scrolling;
use crate::html::triage::chart::chart;
use crate::html::triage::first::{heading, tiles};
use crate::html::triage::list::row;
use crate::layout::grouped;
use obit_triage::history::Status;
use obit_triage::time::minute_of;
use obit_triage::views::{GroupPage, Survey};

/// Steps of the chart whose numbers are listed.
const NUMBERS: usize = 120;

/// What the reader asked for, as it was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// In the signature.
    pub find: String,
    /// Conditions, as `--where` takes them.
    pub conditions: String,
    /// A status.
    pub status: String,
    /// `24h`, `7d`, a day; empty for all.
    pub since: String,
    /// The same.
    pub until: String,
    /// `hour`, `day`, `week`; empty for what fits.
    pub per: String,
    /// `rank`, `count` and others.
    pub sort: String,
    /// The number of the page, from 1.
    pub page: usize,
    /// Groups of a page.
    pub size: usize,
}

/// Periods that can be selected.
const PERIODS: [(&str, &str); 5] = [
    ("", "all time"),
    ("24h", "last 24 hours"),
    ("7d", "last 7 days"),
    ("30d", "last 30 days"),
    ("90d", "last 90 days"),
];
const STEPS: [(&str, &str); 4] =
    [("", "automatic"), ("hour", "hour"), ("day", "day"), ("week", "week")];
/// Columns: the heading, and the order that it leads to.
const COLUMNS: [(&str, Option<&str>); 10] = [
    ("#", Some("rank")),
    ("Status", Some("status")),
    ("Severity", Some("severity")),
    ("Dumps", Some("count")),
    ("Trend", None),
    ("Cause", None),
    ("Signature", None),
    ("Builds", None),
    ("First", Some("first")),
    ("Last", Some("last")),
];

impl Asked {
    /// The address of another page, or of another order, of the same groups.
    fn path(&self, page: usize, sort: &str) -> String {
        let mut path = String::new();
        let page = if page > 1 { page.to_string() } else { String::new() };
        let sort = if sort == "rank" { "" } else { sort };
        for (name, of) in [
            ("find", self.find.as_str()),
            ("where", &self.conditions),
            ("status", &self.status),
            ("since", &self.since),
            ("until", &self.until),
            ("per", &self.per),
            ("sort", sort),
            ("page", &page),
        ] {
            if !of.is_empty() {
                path.push(if path.is_empty() { '?' } else { '&' });
                path.push_str(&format!("{name}={}", value(of)));
            }
        }
        format!("/{path}")
    }
}

/// The content of the page.
pub fn dashboard(page: &GroupPage, asked: &Asked) -> String {
    let overview = &page.overview;
    let mut of_all = overview.clone();
    of_all.groups.clear();
    let survey = Survey {
        reasons: [(String::new(), overview.failed)].into(),
        overview: of_all,
        ..Survey::default()
    };
    let content = html! {
        section.cause aria-labelledby="top-title" {
            h1 id="top-title" { (heading(&survey)) }
            p.who { "As of " (minute_of(overview.now)) " UTC" }
            @if let Some(why) = overview.why_empty() { p.who { (why) } }
            (tiles(&survey))
            (chart(&overview.series, NUMBERS))
            div.columns {
                (counts("Dumps by class", &page.classes, Some("class")))
                (counts("Dumps by build", &page.builds, None))
            }
        }
        section.part id="groups" aria-labelledby="groups-title" {
            h2 id="groups-title" {
                "Groups " span.aside { (grouped(overview.groups_total)) }
            }
            (filters(page, asked))
            (table(page, asked))
            (pages(page, asked))
        }
    };
    content.into_string()
}

fn filters(page: &GroupPage, asked: &Asked) -> Markup {
    let select = |name: &str, label: &str, is: &str, all: &[(&str, &str)]| {
        html! {
            label { span { (label) }
                select name=(name) {
                    @if !all.iter().any(|(word, _)| *word == is) {
                        option value=(bounded(is)) selected { (stored(is, NAME / 4)) }
                    }
                    @for (word, text) in all {
                        option value=(word) selected[*word == is] { (text) }
                    }
                }
            }
        }
    };
    let mut statuses = vec![("", "any")];
    statuses.extend(Status::ALL.iter().map(|status| (status.word(), status.word())));
    html! {
        form.asked method="get" action="/" role="search" aria-label="Groups" {
            label.wide { span { "Function, id or name" }
                input type="search" name="find" value=(bounded(&asked.find)) maxlength="200"
                    autocomplete="off" spellcheck="false";
            }
            (select("status", "Status", &asked.status, &statuses))
            (select("since", "Period", &asked.since, &PERIODS))
            (select("per", "Counted by", &asked.per, &STEPS))
            label.wide { span { "Conditions" }
                input type="text" name="where" value=(bounded(&asked.conditions)) maxlength="1000"
                    autocomplete="off" spellcheck="false"
                    placeholder="severity>=high,assignee=none,class=null-*";
            }
            @if !asked.until.is_empty() { input type="hidden" name="until" value=(bounded(&asked.until)); }
            @if !asked.sort.is_empty() { input type="hidden" name="sort" value=(bounded(&asked.sort)); }
            button type="submit" { "Show" }
            a href="/" { "All" }
        }
        @if !page.overview.by_status.is_empty() {
            ul.chips aria-label="Statuses of these groups" {
                @for (status, count) in &page.overview.by_status {
                    @let one = Asked { status: status.word().to_owned(), ..asked.clone() };
                    li {
                        a class={ "chip s-" (status.word()) } href=(one.path(1, &asked.sort)) {
                            (status.word()) " " span { (grouped(*count)) }
                        }
                    }
                }
            }
        }
    }
}

fn table(page: &GroupPage, asked: &Asked) -> Markup {
    let groups = &page.overview.groups;
    if groups.is_empty() {
        return html! { p { "No group matches." } };
    }
    let most = groups.iter().map(|group| group.count).max().unwrap_or(1);
    let skipped = asked.page.saturating_sub(1).saturating_mul(asked.size);
    let sort = if asked.sort.is_empty() { "rank" } else { &asked.sort };
    let table = html! {
        table.groups {
            caption.sr { "Groups of crashes" }
            thead {
                tr {
                    @for (name, by) in COLUMNS {
                        th scope="col" aria-sort=[(by == Some(sort)).then_some(direction(sort))] {
                            @match by {
                                Some(by) => a href=(asked.path(1, by)) { (name) },
                                None => (name),
                            }
                        }
                    }
                }
            }
            tbody {
                @for (at, group) in groups.iter().enumerate() {
                    (row(skipped.saturating_add(at), group, most, Some(&group_path(&group.id))))
                }
            }
        }
    };
    scrolling("Groups", &table)
}

/// How a column is ordered where it decides.
fn direction(sort: &str) -> &'static str {
    if matches!(sort, "rank" | "status") { "ascending" } else { "descending" }
}

fn pages(page: &GroupPage, asked: &Asked) -> Markup {
    let all = usize::try_from(page.overview.groups_total).unwrap_or(usize::MAX);
    let last = all.div_ceil(asked.size.max(1)).max(1);
    let at = asked.page.clamp(1, last);
    html! {
        @if last > 1 {
            nav.pages aria-label="Pages of groups" {
                @if at > 1 { a href=(asked.path(at - 1, &asked.sort)) rel="prev" { "\u{2190} Previous" } }
                span { "Page " (at) " of " (last) }
                @if at < last { a href=(asked.path(at + 1, &asked.sort)) rel="next" { "Next \u{2192}" } }
            }
        }
    }
}
