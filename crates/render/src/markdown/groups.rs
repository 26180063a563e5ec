//! The list of groups.

use std::io;

use super::{cell, code_cell};
use crate::terminal::chart;
use crate::terminal::groups::{class, heading, releases, signature, sparkline, ticket, title};
use obit_triage::store::is_web_link;
use obit_triage::time::day_of;
use obit_triage::views::{GroupSummary, Overview};

/// Columns of the line of dumps over time.
const LINE: usize = 100;

/// Writes the list as a table of Markdown.
pub(crate) fn write_groups_markdown(
    out: &mut dyn io::Write,
    overview: &Overview,
) -> io::Result<()> {
    writeln!(out, "{}\n", cell(&heading(overview)))?;
    write_course(out, overview)?;
    if overview.groups.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    write_table_markdown(out, overview.groups.iter())
}

/// Why there is no dump, or dumps over time.
pub(crate) fn write_course(out: &mut dyn io::Write, overview: &Overview) -> io::Result<()> {
    if let Some(why) = overview.why_empty() {
        return writeln!(out, "{}", cell(&why));
    }
    chart::lines(&overview.series, LINE).iter().try_for_each(|line| writeln!(out, "{line}"))
}

/// A column of the table: its heading, its rule, and its cell.
type Column = (&'static str, &'static str, fn(&GroupSummary) -> String);

const COLUMNS: &[Column] = &[
    ("group", "---", |group| code_cell(&group.id)),
    ("status", "---", |group| {
        let surge = if group.surge.is_some() { ", surge" } else { "" };
        format!("{}{surge}", group.status_words())
    }),
    ("count", "--:", |group| group.count.to_string()),
    ("before", "--:", |group| group.before.map_or_else(String::new, |n| n.to_string())),
    ("trend", "---", |group| sparkline(&group.trend.counts, 16)),
    ("releases", "---", |group| cell(&releases(&group.releases))),
    ("last", "---", |group| {
        group.last.as_ref().map_or_else(String::new, |moment| day_of(moment.time))
    }),
    ("cause", "---", |group| format!("{} ({})", code_cell(&title(group)), cell(&class(group)))),
    ("signature", "---", |group| code_cell(&signature(group))),
    ("ticket", "---", ticket_cell),
];

/// The rows of a Markdown table, with its headings. Of what no group has there is no column.
pub(crate) fn write_table_markdown<'g>(
    out: &mut dyn io::Write,
    groups: impl Iterator<Item = &'g GroupSummary>,
) -> io::Result<()> {
    let groups: Vec<&GroupSummary> = groups.collect();
    let is_used = |column: &&Column| match column.0 {
        "before" => groups.iter().any(|group| group.before.is_some()),
        "ticket" => groups.iter().any(|group| ticket(group).is_some()),
        _ => true,
    };
    let columns: Vec<&Column> = COLUMNS.iter().filter(is_used).collect();
    let mut row = |cells: Vec<String>| writeln!(out, "| {} |", cells.join(" | "));
    row(columns.iter().map(|column| column.0.to_owned()).collect())?;
    row(columns.iter().map(|column| column.1.to_owned()).collect())?;
    groups.iter().try_for_each(|group| row(columns.iter().map(|(.., of)| of(group)).collect()))
}

/// Who works on a group, and its ticket as a link.
pub(crate) fn ticket_cell(group: &GroupSummary) -> String {
    let assignee = group.assignee.as_ref().map(|name| format!("assigned to {}", cell(name)));
    // What is not a link of the web is not one here.
    let link = group.link.as_ref().map(|link| match is_web_link(link) {
        true => format!("<{link}>"),
        false => cell(link),
    });
    assignee.into_iter().chain(link).collect::<Vec<_>>().join(", ")
}
