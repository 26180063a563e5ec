//! What happened since some time, as Markdown for a mail or an issue.

use std::io;

use super::groups::write_table_markdown;
use super::{cell, code_cell};
use crate::layout::counted;
use obit_triage::history::Status;
use obit_triage::time::minute_of;
use obit_triage::views::{GroupSummary, Overview};

/// Groups of one section.
const ROWS: usize = 20;

/// Writes the digest of `overview`, which holds the dumps since `since`; in the time before
/// that, as long, there were `before`.
pub(crate) fn write_digest(
    out: &mut dyn io::Write,
    overview: &Overview,
    since: i64,
    before: u64,
) -> io::Result<()> {
    writeln!(out, "# Crashes since {} UTC\n", minute_of(since))?;
    writeln!(
        out,
        "{} in {}; {before} in the preceding period of the same length.{}",
        counted(overview.dumps as usize, "dump"),
        counted(overview.groups.len(), "group"),
        match overview.without_group {
            0 => String::new(),
            count => format!(" {} without a signature.", counted(count as usize, "dump")),
        }
    )?;
    if overview.groups.is_empty() {
        return Ok(());
    }
    let urgent = [Status::Regressed, Status::New, Status::Increasing];
    for status in urgent {
        let groups = || overview.groups.iter().filter(move |group| group.status == status);
        if groups().next().is_none() {
            continue;
        }
        let word = status.word();
        let heading: String = word[..1].to_uppercase() + &word[1..];
        writeln!(out, "\n## {heading}\n")?;
        write_table_markdown(out, groups().take(ROWS))?;
        writeln!(out)?;
        for group in groups().take(ROWS) {
            let weak = if group.is_sure { "" } else { "weak: " };
            writeln!(out, "- {}: {weak}{}", code_cell(&group.id), cell(&group.reason))?;
        }
        let rest = groups().count().saturating_sub(ROWS);
        if rest > 0 {
            writeln!(out, "- and {} more", counted(rest, "group"))?;
        }
    }
    let others: Vec<&GroupSummary> =
        overview.groups.iter().filter(|group| !urgent.contains(&group.status)).collect();
    if !others.is_empty() {
        writeln!(out, "\n## Others\n")?;
        write_table_markdown(out, others.iter().copied().take(ROWS))?;
        let rest = others.len().saturating_sub(ROWS);
        if rest > 0 {
            writeln!(out, "\nAnd {} more.", counted(rest, "group"))?;
        }
    }
    Ok(())
}
