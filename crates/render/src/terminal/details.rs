//! What the first screen had no room for: texts of the cause in full, and what shows the
//! other findings.

use std::io;

use super::head::{Head, other_findings, title_of_others};
use crate::layout::wrap;
use crate::name;
use crate::style::Style;
use crate::{Detail, PageOptions};
use obit_report::Report;

/// Findings that are shown with all their evidence.
const FINDINGS: usize = 12;
/// Lines of one text of the cause.
const OF_TEXT: usize = 24;

/// Writes them, if there is anything.
pub(crate) fn write_details(
    out: &mut dyn io::Write,
    report: &Report,
    head: &Head<'_>,
    options: &PageOptions,
) -> io::Result<()> {
    let color = options.color;
    let wrapped = |text: &str, indent: usize| wrap(text, options.width.saturating_sub(indent));
    if !head.cut.is_empty() {
        writeln!(out, "\n{}", color.paint(Style::Aside, "the cause in full"))?;
    }
    let most = if options.detail == Detail::Verbose { usize::MAX } else { OF_TEXT };
    for (_, text) in &head.cut {
        let lines = wrapped(&name::shown(text), 2);
        for line in lines.iter().take(most) {
            writeln!(out, "  {line}")?;
        }
        if lines.len() > most {
            writeln!(out, "  {}", color.paint(Style::Aside, "\u{2026} (-v shows all)"))?;
        }
    }
    let findings: Vec<_> = other_findings(report).collect();
    if findings.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", color.paint(Style::Aside, title_of_others(report)))?;
    let most = if options.detail == Detail::Verbose { usize::MAX } else { FINDINGS };
    for finding in findings.iter().take(most) {
        for line in wrapped(&name::shown(&finding.title), 2) {
            writeln!(out, "  {}", color.paint(Style::Focus, &line))?;
        }
        for evidence in &finding.evidence {
            for line in wrapped(&name::shown(&evidence.text), 4) {
                writeln!(out, "    {line}")?;
            }
        }
    }
    if findings.len() > most {
        let text = format!("  \u{2026} and {} more (-v shows them)", findings.len() - most);
        writeln!(out, "{}", color.paint(Style::Aside, &text))?;
    }
    Ok(())
}
