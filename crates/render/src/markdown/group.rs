//! One group, for an issue.

use std::io;

use super::groups::ticket_cell;
use super::{cell, code_cell};
use crate::layout::counted;
use crate::terminal::group::{signatures, state, trait_line};
use crate::terminal::groups::{class, releases, shares, sparkline, surge, ticket, title};
use crate::terminal::{chart, rates};
use obit_triage::time::{day_of, minute_of};
use obit_triage::views::GroupDetail;

/// Columns of the line of dumps over time.
const LINE: usize = 100;
/// Frames of the stack.
const ROWS: usize = 12;

/// Writes the group as Markdown, for an issue.
pub(crate) fn write_group_markdown(
    out: &mut dyn io::Write,
    detail: &GroupDetail,
) -> io::Result<()> {
    let group = &detail.group;
    writeln!(out, "## {} ({})\n", code_cell(&title(group)), cell(&class(group)))?;
    if let Some(explanation) = &detail.explanation {
        writeln!(out, "{}\n", cell(explanation))?;
    }
    if let Some(message) = &detail.message {
        writeln!(out, "The program said: {}\n", code_cell(message))?;
    }
    writeln!(out, "- group {}: {}", code_cell(&group.id), code_cell(&group.signature))?;
    writeln!(
        out,
        "- **{}**: {}{}",
        group.status_words(),
        cell(&group.reason),
        cell(&state(detail))
    )?;
    writeln!(
        out,
        "- {}, releases {}, {}",
        counted(group.count as usize, "dump"),
        cell(&releases(&group.releases)),
        sparkline(&group.trend.counts, 16)
    )?;
    for line in chart::lines(&group.series, LINE) {
        writeln!(out, "- {line}")?;
    }
    for line in shares(group).into_iter().chain(surge(group)) {
        writeln!(out, "- {}", cell(&line))?;
    }
    if let Some(began) = rates::began(group) {
        writeln!(out, "- began in {}", cell(&began))?;
    }
    for release in &group.releases {
        let parts = rates::of_release(release);
        if !parts.is_empty() {
            writeln!(out, "- {}: {}", cell(&release.name), cell(&parts.join("; ")))?;
        }
    }
    if ticket(group).is_some() {
        writeln!(out, "- {}", ticket_cell(group))?;
    }
    for note in &detail.notes {
        writeln!(out, "- note of {}: {}", day_of(note.time), cell(&note.text))?;
    }
    for line in signatures(detail, ROWS) {
        writeln!(out, "- signature: {}", cell(&line))?;
    }
    for suspect in &detail.suspected_same {
        writeln!(
            out,
            "- may be the same as {}: {}",
            code_cell(&suspect.group),
            code_cell(&suspect.signature)
        )?;
    }
    if !detail.stack.is_empty() {
        writeln!(out, "\n| # | function | place |\n|--:|---|---|")?;
        for frame in detail.stack.iter().take(ROWS) {
            let place = frame.source.as_ref().or(frame.module.as_ref());
            let place = place.map(|place| code_cell(place)).unwrap_or_default();
            let function = code_cell(frame.function.as_deref().unwrap_or("??"));
            let mark = if frame.is_to_blame { " **to blame**" } else { "" };
            writeln!(out, "| {} | {function}{mark} | {place} |", frame.index)?;
        }
    }
    if !detail.traits.is_empty() {
        writeln!(out, "\nIn common:\n")?;
        for one in &detail.traits {
            writeln!(out, "- {}", cell(&trait_line(one)))?;
        }
    }
    if !detail.dumps.is_empty() {
        writeln!(out, "\nNewest dumps:\n")?;
        for dump in &detail.dumps {
            let path = dump.path.as_deref().map(code_cell).unwrap_or_default();
            writeln!(out, "- {} {} {path}", minute_of(dump.time), code_cell(&dump.crash))?;
        }
    }
    Ok(())
}
