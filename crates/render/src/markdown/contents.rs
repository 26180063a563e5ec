//! What `obit memory` found, for a ticket.

use std::io;

use super::cell;
use crate::terminal::contents::{
    in_flight_heading, request_lines, request_place, timeline_line, unwritten_heading, writer_line,
    writer_lines,
};
use obit_report::answer::Contents;

/// Lines of one writer, and entries of the timeline, that are written.
const MOST: usize = 200;

/// Writes the same as Markdown.
pub(crate) fn write_contents_markdown(out: &mut dyn io::Write, found: &Contents) -> io::Result<()> {
    writeln!(out, "**{}**\n", cell(&unwritten_heading(found)))?;
    for writer in &found.unwritten.writers {
        writeln!(out, "- {}", cell(&writer_line(writer)))?;
        for doubt in &writer.doubts {
            writeln!(out, "  - {}", cell(doubt.as_str()))?;
        }
        let lines = writer_lines(writer);
        for line in lines.iter().skip(lines.len().saturating_sub(MOST)) {
            writeln!(out, "  - {}", cell(line))?;
        }
    }
    for note in &found.unwritten.notes {
        writeln!(out, "- {}", cell(note.as_str()))?;
    }
    writeln!(out, "\n**{}**\n", cell(&in_flight_heading(found)))?;
    for request in &found.in_flight {
        writeln!(out, "- {}", cell(&request_place(request)))?;
        for line in request_lines(request) {
            writeln!(out, "  - {}", cell(&line))?;
        }
    }
    for note in &found.in_flight_notes {
        writeln!(out, "- {}", cell(note.as_str()))?;
    }
    if !found.timeline.is_empty() {
        writeln!(out, "\n**timeline**\n")?;
    }
    for entry in found.timeline.iter().skip(found.timeline.len().saturating_sub(MOST)) {
        writeln!(out, "- {}", cell(&timeline_line(entry)))?;
    }
    for note in &found.log_notes {
        writeln!(out, "- {}", cell(note.as_str()))?;
    }
    Ok(())
}
