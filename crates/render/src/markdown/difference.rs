//! What is different between two sets of crashes.

use std::io;

use super::{cell, code_cell};
use crate::terminal::difference::heading;
use obit_triage::views::{Change, Difference};

/// Writes the same as Markdown.
pub(crate) fn write_difference_markdown(
    out: &mut dyn io::Write,
    difference: &Difference,
) -> io::Result<()> {
    writeln!(out, "{}\n", cell(&heading(difference)))?;
    let shown = || difference.groups.iter().filter(|group| group.change != Change::Same);
    if shown().next().is_none() {
        return writeln!(out, "No group differs.");
    }
    writeln!(out, "| change | group | before | now | cause | signature | numbers |")?;
    writeln!(out, "|---|---|--:|--:|---|---|---|")?;
    for group in shown() {
        writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} | {} |",
            group.change.words_if(group.is_sure),
            code_cell(&group.id),
            group.baseline,
            group.current,
            match group.headline.as_deref() {
                Some(title) => code_cell(title),
                None => cell(group.class.as_deref().unwrap_or("unknown")),
            },
            code_cell(&group.signature),
            cell(&group.reason)
        )?;
    }
    Ok(())
}
