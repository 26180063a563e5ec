//! The table of a query.

use std::io;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use crate::layout::{counted, cut_end};
use crate::style::Style;
use crate::visible::visible;
use crate::{Detail, PageOptions};
use obit_query::{Cell, Datum, Findings};

/// Columns of a cell in a table that may be shortened.
const WIDEST: usize = 60;

/// Writes how much was found, the rows, and what a reader has to know.
pub(crate) fn write_findings(
    out: &mut dyn io::Write,
    findings: &Findings,
    options: &PageOptions,
) -> io::Result<()> {
    let plural =
        |count: u64, what: &str| counted(usize::try_from(count).unwrap_or(usize::MAX), what);
    let frames = plural(findings.frames, "frame");
    let cores = plural(findings.cores, "core");
    writeln!(out, "{frames} in {} of {cores}", findings.with_place)?;
    let table = &findings.table;
    if !table.rows.is_empty() {
        writeln!(out)?;
        write_rows(out, findings, options)?;
    }
    let shown = table.rows.len() as u64;
    if let Some(more @ 1..) = findings.rows.checked_sub(shown) {
        let text = format!("\u{2026} {more} more; -n 0 shows all");
        writeln!(out, "{}", options.color.paint(Style::Doubt, &text))?;
    }
    for note in &findings.notes {
        writeln!(out, "{}", options.color.paint(Style::Aside, &visible(note)))?;
    }
    Ok(())
}

fn write_rows(
    out: &mut dyn io::Write,
    findings: &Findings,
    options: &PageOptions,
) -> io::Result<()> {
    let is_short = options.shorten_tables && options.detail != Detail::Verbose;
    let source = &findings.table;
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(source.columns.iter().map(|name| cell_text(name, is_short)));
    for row in &source.rows {
        let cells = source.columns.iter().zip(row);
        table.add_row(cells.map(|(name, cell)| match &cell.datum {
            // The end of a path says most.
            Datum::Text(path) if is_short && matches!(name.as_str(), "core" | "file") => {
                cell_text(end_of(path), true)
            }
            _ => cell_text(&cell.words(), is_short),
        }));
    }
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        let mut cells = source.rows.iter().filter_map(|row| row.get(at)).filter(|c| c.is_known());
        if cells.clone().next().is_some() && cells.all(Cell::is_number) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut lines = table.lines();
    if let Some(header) = lines.next() {
        writeln!(out, "{}", options.color.paint(Style::Aside, header.trim_end()))?;
    }
    lines.try_for_each(|line| writeln!(out, "{}", line.trim_end()))
}

fn cell_text(text: &str, is_short: bool) -> String {
    let text = visible(text);
    if is_short { cut_end(&text, WIDEST) } else { text.into_owned() }
}

/// The last two components of a path.
fn end_of(path: &str) -> &str {
    let mut slashes = path.rmatch_indices('/').map(|(at, _)| at);
    match slashes.nth(1) {
        Some(at) => path.get(at + 1..).unwrap_or(path),
        None => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use obit_query::{Table as Rows, Unavailable};

    #[test]
    fn a_table_shows_hostile_text_and_does_not_obey_it() {
        let mut table = Rows::new(["core", "n", "name"].map(str::to_owned));
        table.push(vec![
            Datum::Text("/var/crash/a/core\n".into()).into(),
            Datum::Integer(7).into(),
            Datum::Text("\u{1b}[31m\n".into()).into(),
        ]);
        table.push(vec![
            Datum::Text("/var/crash/b/core".into()).into(),
            Datum::Unavailable(Unavailable::OptimizedOut).into(),
            Cell::unknown("not dumped"),
        ]);
        let findings = Findings {
            table,
            cores: 3,
            with_place: 2,
            frames: 2,
            rows: 5,
            notes: vec!["a note".to_owned()],
            ..Findings::default()
        };
        let mut out = Vec::new();
        write_findings(&mut out, &findings, &PageOptions::default()).unwrap();
        let out = String::from_utf8(out).unwrap();
        assert!(!out.contains('\u{1b}'), "{out}");
        let lines: Vec<&str> = out.lines().collect();
        assert_eq!(lines[0], "2 frames in 2 of 3 cores");
        assert!(lines[2].starts_with("core"), "{out}");
        assert!(lines[3].starts_with("a/core\\n"), "{out}");
        assert!(lines[4].contains("<optimized out>  <unavailable: not dumped>"), "{out}");
        assert_eq!(lines[5], "\u{2026} 3 more; -n 0 shows all");
        assert_eq!(lines[6], "a note");
    }
}
