//! Incidents for a ticket.

use std::io;

use super::cell;
use crate::terminal::incidents::{
    MOST_EVIDENCE, MOST_PROCESSES, details, evidence, first, heading, line, more_evidence,
    more_processes,
};
use obit_incident::Incidents;

/// Incidents that are written.
const MOST: usize = 50;

/// Writes the same as Markdown.
pub(crate) fn write_incidents_markdown(
    out: &mut dyn io::Write,
    found: &Incidents,
) -> io::Result<()> {
    writeln!(out, "{}", cell(&heading(found)))?;
    for incident in found.incidents.iter().take(MOST) {
        writeln!(out, "\n**{}**\n", cell(&first(incident)))?;
        for (at, member) in incident.processes.iter().enumerate().take(MOST_PROCESSES) {
            writeln!(out, "- {}", cell(&line(at, member)))?;
            for detail in details(member) {
                writeln!(out, "  - {}", cell(&detail))?;
            }
            writeln!(out, "  - {}", cell(&member.core))?;
        }
        if let Some(more) = more_processes(incident) {
            writeln!(out, "- {more}")?;
        }
        writeln!(out, "\n| between | strength | evidence |\n|---|---|---|")?;
        for ((a, b), evidence) in evidence(incident).take(MOST_EVIDENCE) {
            let (strength, text) = (evidence.strength.word(), cell(&evidence.text));
            writeln!(out, "| \\#{a}, \\#{b} | {strength} | {text} |")?;
        }
        if let Some(more) = more_evidence(incident) {
            writeln!(out, "\n{more}")?;
        }
        if !incident.next.is_empty() {
            writeln!(out)?;
        }
        for next in &incident.next {
            writeln!(out, "- next time: {}", cell(next))?;
        }
    }
    if !found.alone.is_empty() {
        writeln!(out, "\nNot joined to another dump:\n")?;
        for alone in found.alone.iter().take(MOST) {
            writeln!(out, "- {}: {}", cell(&alone.core), cell(&alone.text))?;
        }
    }
    for note in &found.notes {
        writeln!(out, "\n{}", cell(note))?;
    }
    Ok(())
}
