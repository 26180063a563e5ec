//! What `obit heap` found, for a ticket.

use std::io;

use super::cell;
use crate::heap::{Part, Table, notices, parts};
use obit_report::heap::HeapAnswer;

/// Writes the same as Markdown.
pub(crate) fn write_heap_markdown(out: &mut dyn io::Write, answer: &HeapAnswer) -> io::Result<()> {
    for part in parts(answer) {
        write_part(out, &part)?;
    }
    let notices = notices(answer);
    notices.iter().try_for_each(|notice| writeln!(out, "- note: {}", cell(notice.as_str())))
}

fn write_part(out: &mut dyn io::Write, part: &Part) -> io::Result<()> {
    match (part.title.as_str(), part.behind_title.as_str()) {
        ("", "") => {}
        ("", text) => writeln!(out, "{}\n", cell(text))?,
        (title, behind) => writeln!(out, "**{}**{}\n", cell(title), cell(behind))?,
    }
    for line in &part.lines {
        writeln!(out, "- {}", cell(line.text.trim_start()))?;
    }
    if !part.lines.is_empty() {
        writeln!(out)?;
    }
    if let Some(table) = &part.table {
        write_table(out, table)?;
    }
    match &part.omitted {
        Some(text) => writeln!(out, "{}\n", cell(text)),
        None => Ok(()),
    }
}

fn write_table(out: &mut dyn io::Write, table: &Table) -> io::Result<()> {
    let last = table.header.len().saturating_sub(1);
    let rule = |at: usize| if at < last { "--:" } else { "---" };
    writeln!(out, "| {} |", table.header.join(" | "))?;
    writeln!(out, "|{}|", (0..table.header.len()).map(rule).collect::<Vec<_>>().join("|"))?;
    for row in &table.rows {
        let cells: Vec<String> = row.iter().map(|text| cell(text)).collect();
        writeln!(out, "| {} |", cells.join(" | "))?;
    }
    writeln!(out)
}
