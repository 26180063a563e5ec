//! What memory holds: the census of a heap, one address, the places of a search.

use std::io;

use comfy_table::{CellAlignment, ContentArrangement, presets};

use crate::PageOptions;
use crate::heap::{Part, Table, notices, parts};
use crate::name::shown;
use crate::style::Style;
use obit_report::heap::HeapAnswer;

/// Writes one of them.
///
/// # Errors
/// Those of `out`.
pub fn write_heap(
    out: &mut dyn io::Write,
    answer: &HeapAnswer,
    options: &PageOptions,
) -> io::Result<()> {
    for (nth, part) in parts(answer).iter().enumerate() {
        if nth > 0 {
            writeln!(out)?;
        }
        write_part(out, part, options)?;
    }
    for (nth, notice) in notices(answer).iter().enumerate() {
        let lead = if nth == 0 { "\n" } else { "" };
        let text = format!("note: {}", shown(notice));
        writeln!(out, "{lead}{}", options.color.paint(Style::Doubt, &text))?;
    }
    Ok(())
}

fn write_part(out: &mut dyn io::Write, part: &Part, options: &PageOptions) -> io::Result<()> {
    let style = if part.is_alarm { Style::Alarm } else { Style::Focus };
    let title = match part.title.is_empty() {
        true => String::new(),
        false => options.color.paint(style, &part.title).to_string(),
    };
    let has_title = !part.title.is_empty() || !part.behind_title.is_empty();
    if has_title {
        writeln!(out, "{title}{}", part.behind_title)?;
    }
    // What has no title is a list by itself.
    let indent = if has_title { "  " } else { "" };
    for line in &part.lines {
        let text = format!("{indent}{}", line.text);
        match line.is_doubt {
            true => writeln!(out, "{}", options.color.paint(Style::Doubt, &text))?,
            false => writeln!(out, "{text}")?,
        }
    }
    if let Some(table) = &part.table {
        write_table(out, table, options)?;
    }
    match &part.omitted {
        Some(text) => writeln!(out, "{}", options.color.paint(Style::Aside, &format!("  {text}"))),
        None => Ok(()),
    }
}

/// Columns of numbers to the right, the last one of text to the left.
fn write_table(out: &mut dyn io::Write, of: &Table, options: &PageOptions) -> io::Result<()> {
    let mut table = comfy_table::Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(of.header.iter().copied());
    table.add_rows(&of.rows);
    let last = of.header.len().saturating_sub(1);
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_padding((if at == 0 { 2 } else { 0 }, 2));
        if at < last {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut lines = table.lines();
    if let Some(header) = lines.next() {
        writeln!(out, "{}", options.color.paint(Style::Aside, header.trim_end()))?;
    }
    lines.try_for_each(|line| writeln!(out, "{}", line.trim_end()))
}
