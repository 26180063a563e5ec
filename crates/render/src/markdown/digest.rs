//! What happened since some time, as Markdown for a mail or an issue.

use std::io;

use super::groups::{write_course, write_table_markdown};
use super::{cell, code_cell};
use crate::layout::{counted, grouped};
use crate::terminal::groups::surge;
use crate::terminal::rates;
use obit_triage::history::Status;
use obit_triage::time::minute_of;
use obit_triage::views::{GroupSummary, Overview};

/// Groups of one section of a digest: what is behind the first so many of each status is only
/// counted.
pub const DIGEST_ROWS: usize = 20;

/// Writes the digest of `overview`, which has the dumps of a period, and the numbers of the
/// period before it.
pub(crate) fn write_digest(out: &mut dyn io::Write, overview: &Overview) -> io::Result<()> {
    let since = minute_of(overview.since.unwrap_or(overview.now));
    match overview.until {
        Some(until) => writeln!(out, "# Crashes from {since} to {} UTC\n", minute_of(until))?,
        None => writeln!(out, "# Crashes since {since} UTC\n")?,
    }
    writeln!(
        out,
        "{} in {}; {} in the preceding period of the same length.{}\n",
        counted(overview.dumps as usize, "dump"),
        counted(overview.groups.len(), "group"),
        grouped(overview.before.unwrap_or(0)),
        match overview.without_group {
            0 => String::new(),
            count => format!(" {} without a signature.", counted(count as usize, "dump")),
        }
    )?;
    write_course(out, overview)?;
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
        write_table_markdown(out, groups().take(DIGEST_ROWS))?;
        writeln!(out)?;
        for group in groups().take(DIGEST_ROWS) {
            let weak = if group.is_sure { "" } else { "weak: " };
            let surge = surge(group).map(|surge| format!("; {surge}")).unwrap_or_default();
            let (id, reason) = (code_cell(&group.id), cell(&group.reason));
            writeln!(out, "- {id}: {weak}{reason}{}", cell(&surge))?;
            // Of a new group the reason says it.
            let began = rates::began(group).filter(|_| status != Status::New);
            let began = began.map(|began| format!("began in {began}"));
            for line in began.into_iter().chain(rates::newest(group)) {
                writeln!(out, "  - {}", cell(&line))?;
            }
        }
        let rest = groups().count().saturating_sub(DIGEST_ROWS);
        if rest > 0 {
            writeln!(out, "- and {} more", counted(rest, "group"))?;
        }
    }
    let others: Vec<&GroupSummary> =
        overview.groups.iter().filter(|group| !urgent.contains(&group.status)).collect();
    if !others.is_empty() {
        writeln!(out, "\n## Others\n")?;
        write_table_markdown(out, others.iter().copied().take(DIGEST_ROWS))?;
        let rest = others.len().saturating_sub(DIGEST_ROWS);
        if rest > 0 {
            writeln!(out, "\nAnd {} more.", counted(rest, "group"))?;
        }
    }
    Ok(())
}
