//! The builds of programs, in the order that defines releases.

use std::io;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::groups::text;
use super::rates;
use crate::PageOptions;
use crate::identity::short_build_id;
use crate::layout::counted;
use crate::style::Style;
use obit_triage::time::day_of;
use obit_triage::views::{BuildReport, Builds, ProgramBuilds};

/// Writes a table for each program: its releases, oldest first, and builds that are none.
pub(crate) fn write_builds(
    out: &mut dyn io::Write,
    builds: &Builds,
    options: &PageOptions,
) -> io::Result<()> {
    if builds.programs.is_empty() {
        return writeln!(out, "no dumps");
    }
    for (at, program) in builds.programs.iter().enumerate() {
        if at > 0 {
            writeln!(out)?;
        }
        write_program(out, program, options)?;
    }
    Ok(())
}

fn write_program(
    out: &mut dyn io::Write,
    program: &ProgramBuilds,
    options: &PageOptions,
) -> io::Result<()> {
    let order = match program.ordered_by.as_str() {
        "list" => "in the order of --build-order",
        "version" => "by version",
        _ => "by their first dump",
    };
    let name = options.color.paint(Style::Focus, &text(&program.program)).to_string();
    let dumps = counted(program.dumps as usize, "dump");
    let releases = counted(program.releases.len(), "release");
    writeln!(out, "{name}: {dumps}, {releases} {order}")?;
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["release", "build ID", "built", "dumps", "hosts", "first", "last", ""]);
    for release in &program.releases {
        for (at, build) in release.builds.iter().enumerate() {
            let name = if at == 0 { text(&release.name) } else { String::new() };
            let note = if at == 0 && release.is_newest { "newest" } else { "" };
            table.add_row(row(name, build, note, options));
        }
    }
    for build in &program.others {
        let note = build.reason.as_deref().unwrap_or_default();
        table.add_row(row("-".to_owned(), build, note, options));
    }
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_padding((if at == 0 { 2 } else { 0 }, 2));
        if matches!(at, 3 | 4) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut lines = table.lines();
    if let Some(header) = lines.next() {
        writeln!(out, "{}", options.color.paint(Style::Aside, header.trim_end()))?;
    }
    lines.try_for_each(|line| writeln!(out, "{}", line.trim_end()))?;
    for release in &program.releases {
        let parts = rates::of_builds(release);
        if !parts.is_empty() {
            writeln!(out, "  {}: {}", text(&release.name), parts.join("; "))?;
        }
    }
    Ok(())
}

fn row(name: String, build: &BuildReport, note: &str, options: &PageOptions) -> [String; 8] {
    let day = |time: Option<i64>| time.map_or_else(String::new, day_of);
    let id = match build.id.as_str() {
        "" => "none".to_owned(),
        id if options.shorten_tables => short_build_id(id),
        id => text(id),
    };
    [
        name,
        id,
        build.variant.as_deref().map(text).unwrap_or_default(),
        build.dumps.to_string(),
        if build.hosts == 0 { String::new() } else { build.hosts.to_string() },
        day(build.first),
        day(build.last),
        note.to_owned(),
    ]
}
