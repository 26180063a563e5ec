//! What `obit tasks` found, for a ticket.

use std::io;

use super::cell;
use crate::terminal::tasks::{
    NONE, frame_line, group_details, group_line, groups, heading, local_lines, stack_of,
};
use obit_report::answer::TasksReport;

/// Writes the same as Markdown.
pub(crate) fn write_tasks_markdown(out: &mut dyn io::Write, found: &TasksReport) -> io::Result<()> {
    if found.runtimes.is_empty() {
        writeln!(out, "{}", cell(NONE))?;
    }
    for runtime in &found.runtimes {
        writeln!(out, "**{}**\n", cell(&heading(runtime)))?;
        for note in runtime.verdicts.iter().map(|one| &one.text).chain(&runtime.notes) {
            writeln!(out, "- {}", cell(note.as_str()))?;
        }
        for group in groups(runtime) {
            writeln!(out, "- {}", cell(&group_line(&group)))?;
            for line in group_details(&group) {
                writeln!(out, "  - {}", cell(&line))?;
            }
            for (at, frame) in stack_of(runtime, group.first).iter().enumerate() {
                writeln!(out, "  - {}", cell(&frame_line(at, frame)))?;
                for local in local_lines(frame) {
                    writeln!(out, "    - {}", cell(&local))?;
                }
            }
        }
    }
    Ok(())
}
