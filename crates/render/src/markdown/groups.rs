//! The list of groups.

use std::io;

use super::{cell, code_cell};
use crate::terminal::groups::{cause, heading, releases, signature, sparkline};
use obit_triage::time::day_of;
use obit_triage::views::{GroupSummary, Overview};

/// Writes the list as a table of Markdown.
pub(crate) fn write_groups_markdown(
    out: &mut dyn io::Write,
    overview: &Overview,
) -> io::Result<()> {
    writeln!(out, "{}\n", cell(&heading(overview)))?;
    if overview.groups.is_empty() {
        return Ok(());
    }
    write_table_markdown(out, overview.groups.iter())
}

/// The rows of a Markdown table, with its headings.
pub(crate) fn write_table_markdown<'g>(
    out: &mut dyn io::Write,
    groups: impl Iterator<Item = &'g GroupSummary>,
) -> io::Result<()> {
    writeln!(out, "| group | status | count | trend | releases | last | cause | signature |")?;
    writeln!(out, "|---|---|--:|---|---|---|---|---|")?;
    for group in groups {
        let last = group.last.as_ref().map_or_else(String::new, |moment| day_of(moment.time));
        let title = group.title.clone().unwrap_or_else(|| cause(group));
        writeln!(
            out,
            "| {} | {} | {} | {} | {} | {last} | {} | {} |",
            code_cell(&group.id),
            group.status_words(),
            group.count,
            sparkline(&group.trend.counts, 16),
            cell(&releases(&group.releases)),
            cell(&title),
            code_cell(&signature(group)),
        )?;
    }
    Ok(())
}
