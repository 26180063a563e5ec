//! Tables for spreadsheets (RFC 4180, but with plain newlines).

use std::io;

use csv::{Terminator, WriterBuilder};

use super::Format;
use crate::terminal::groups::{text, title};
use obit_triage::views::GroupDifference;
use obit_triage::views::GroupSummary;

pub(super) const CSV: Format = Format {
    about: "A table for spreadsheets: groups, and rows of a query",
    groups: Some(|out, groups, _, _| write_table(out, GROUPS, &groups.groups)),
    group: Some(|out, group, _| write_table(out, GROUPS, std::slice::from_ref(&group.group))),
    difference: Some(|out, difference, _| write_table(out, DIFFERENCES, &difference.groups)),
    digest: Some(|out, groups| write_table(out, GROUPS, &groups.groups)),
    findings: Some(|out, findings, _| write_cells(out, &findings.table)),
    ..Format::new("csv", "csv")
};

/// A column: its heading, and its cell in the row of a `T`.
type Column<T> = (&'static str, fn(&T) -> String);

/// Of a list of groups.
const GROUPS: &[Column<GroupSummary>] = &[
    ("group", |g| g.id.clone()),
    ("name", |g| g.name.clone().unwrap_or_default()),
    ("status", |g| g.status.word().to_owned()),
    ("in_latest", |g| g.in_latest.to_string()),
    ("is_sure", |g| g.is_sure.to_string()),
    ("rank", |g| format!("{:.2}", g.rank.score)),
    ("count", |g| g.count.to_string()),
    ("hosts", |g| g.hosts.to_string()),
    ("first", |g| g.first.as_ref().map_or_else(String::new, |moment| moment.time.to_string())),
    ("last", |g| g.last.as_ref().map_or_else(String::new, |moment| moment.time.to_string())),
    ("releases", |g| {
        let with = g.releases.iter().filter(|release| release.count > 0);
        with.map(|release| release.name.clone()).collect::<Vec<_>>().join(" ")
    }),
    ("class", |g| g.class.clone().unwrap_or_default()),
    ("severity", |g| g.severity.clone().unwrap_or_default()),
    ("programs", |g| g.programs.join(" ")),
    ("modules", |g| g.modules.join(" ")),
    ("signature", |g| g.signature.clone()),
    ("title", |g| g.title.clone().unwrap_or_default()),
    ("reason", |g| g.reason.clone()),
    ("headline", title),
    ("before", |g| g.before.map_or_else(String::new, |before| before.to_string())),
    ("share_of_program", |g| g.share_of_program.map_or_else(String::new, |s| format!("{s:.4}"))),
    ("share_of_all", |g| g.share_of_all.map_or_else(String::new, |s| format!("{s:.4}"))),
    ("surge", |g| g.surge.map_or_else(String::new, |surge| surge.hour.to_string())),
    ("assignee", |g| g.assignee.clone().unwrap_or_default()),
    ("link", |g| g.link.clone().unwrap_or_default()),
];

/// Of the groups of two sets of crashes.
const DIFFERENCES: &[Column<GroupDifference>] = &[
    ("change", |g| g.change.word().to_owned()),
    ("group", |g| g.id.clone()),
    ("before", |g| g.baseline.to_string()),
    ("now", |g| g.current.to_string()),
    ("p", |g| format!("{:.4}", g.p)),
    ("is_sure", |g| g.is_sure.to_string()),
    ("class", |g| g.class.clone().unwrap_or_default()),
    ("severity", |g| g.severity.clone().unwrap_or_default()),
    ("signature", |g| g.signature.clone()),
    ("title", |g| g.title.clone().unwrap_or_default()),
    ("reason", |g| g.reason.clone()),
    ("headline", |g| g.headline.clone().unwrap_or_default()),
];

/// A line of headings, then a row for each.
fn write_table<T>(out: &mut dyn io::Write, columns: &[Column<T>], rows: &[T]) -> io::Result<()> {
    let mut table = WriterBuilder::new().terminator(Terminator::Any(b'\n')).from_writer(out);
    table.write_record(columns.iter().map(|(heading, _)| *heading))?;
    for row in rows {
        table.write_record(columns.iter().map(|(_, value)| inert(&value(row))))?;
    }
    table.flush()
}

/// The rows of a query.
fn write_cells(out: &mut dyn io::Write, table: &obit_query::Table) -> io::Result<()> {
    let mut csv = WriterBuilder::new().terminator(Terminator::Any(b'\n')).from_writer(out);
    csv.write_record(table.columns.iter().map(|name| inert(name)))?;
    for row in &table.rows {
        csv.write_record(row.iter().map(|cell| inert(&cell.words())))?;
    }
    csv.flush()
}

/// Spreadsheets take text that starts like a formula for one: it gets an apostrophe before
/// it, as they themselves would write it.
fn inert(cell: &str) -> String {
    let cell = text(cell);
    let is_formula = cell.starts_with(['=', '+', '-', '@']) && cell.parse::<f64>().is_err();
    if is_formula { format!("'{cell}") } else { cell }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spreadsheet_runs_nothing() {
        assert_eq!(inert("=cmd()"), "'=cmd()");
        assert_eq!(inert("-3.5"), "-3.5");
        assert_eq!(inert("a\nb"), "a\\nb");
    }

    #[test]
    fn a_cell_with_a_comma_or_quotes_stays_one_cell() {
        let columns: &[Column<&str>] =
            &[("text", |text| (*text).to_owned()), ("n", |_| 1.to_string())];
        let mut out = Vec::new();
        write_table(&mut out, columns, &["a, b", "say \"so\"", "plain words"]).unwrap();
        let wanted = "text,n\n\"a, b\",1\n\"say \"\"so\"\"\",1\nplain words,1\n";
        assert_eq!(String::from_utf8(out).unwrap(), wanted);
    }
}
