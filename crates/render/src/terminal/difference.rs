//! What is different between two sets of crashes.

use std::io;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::groups::{NARROW, in_parts, text};
use crate::layout::{counted, cut_middle, wrap};
use crate::style::Style;
use crate::{Detail, PageOptions};
use obit_triage::views::{Change, Difference, GroupDifference};

/// Columns of the table without its last.
const OTHER_COLUMNS: usize = 54;

/// Writes a line for each group that differs; all of them with `-v`.
pub(crate) fn write_difference(
    out: &mut dyn io::Write,
    difference: &Difference,
    options: &PageOptions,
) -> io::Result<()> {
    let is_shown = |group: &&GroupDifference| {
        group.change != Change::Same || options.detail == Detail::Verbose
    };
    for line in in_parts(&heading(difference), options.width) {
        writeln!(out, "{}", options.color.paint(Style::Aside, &line))?;
    }
    let shown: Vec<&GroupDifference> = difference.groups.iter().filter(is_shown).collect();
    if shown.is_empty() {
        return writeln!(out, "no group differs");
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    let is_narrow = options.width < NARROW;
    let header = ["change", "group", "before", "now", "cause", "signature"];
    let columns = if is_narrow { header.len() - 1 } else { header.len() };
    table.set_header(header.into_iter().take(columns));
    let room = options.width.saturating_sub(OTHER_COLUMNS);
    for group in &shown {
        let row = [
            group.change.words_if(group.is_sure).into_owned(),
            group.id.clone(),
            group.baseline.to_string(),
            group.current.to_string(),
            cut_middle(&text(group.class.as_deref().unwrap_or("unknown")), 20),
            cut_middle(&text(&group.signature), room),
        ];
        table.add_row(row.into_iter().take(columns));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    for right in [2, 3] {
        if let Some(column) = table.column_mut(right) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut lines = table.lines();
    if let Some(header) = lines.next() {
        writeln!(out, "{}", options.color.paint(Style::Aside, header.trim_end()))?;
    }
    for (group, line) in shown.iter().zip(lines) {
        let ink = match group.change {
            Change::New | Change::More => Style::Alarm,
            Change::Same => Style::Plain,
            Change::Fewer | Change::Gone => Style::Aside,
        };
        let rest = line.trim_end();
        let words = group.change.words_if(group.is_sure);
        let rest = rest.strip_prefix(&*words).unwrap_or(rest);
        writeln!(out, "{}{rest}", options.color.paint(ink, &words))?;
        let below = options.width.saturating_sub(4).max(20);
        if is_narrow {
            writeln!(out, "    {}", cut_middle(&text(&group.signature), below))?;
        }
        let title = group.headline.as_deref().or(group.title.as_deref());
        let title = title.map(|title| format!("{}; ", text(title)));
        let line = format!("{}{}", title.unwrap_or_default(), text(&group.reason));
        for line in wrap(&line, below) {
            writeln!(out, "    {}", options.color.paint(Style::Aside, &line))?;
        }
    }
    Ok(())
}

/// `nightly: 48 dumps, release: 46 dumps; 2 new, 1 more, 3 gone`.
pub(crate) fn heading(difference: &Difference) -> String {
    let side = |side: &obit_triage::views::Side| {
        let failed = match side.failed {
            0 => String::new(),
            failed => format!(" and {failed} that could not be read"),
        };
        format!("{}: {}{failed}", text(&side.name), counted(side.dumps as usize, "dump"))
    };
    let all = [Change::New, Change::More, Change::Same, Change::Fewer, Change::Gone];
    let counts = all.into_iter().filter_map(|change| {
        let count = difference.groups.iter().filter(|group| group.change == change).count();
        (count > 0).then(|| format!("{count} {}", change.word()))
    });
    let counts: Vec<String> = counts.collect();
    let (current, baseline) = (side(&difference.current), side(&difference.baseline));
    format!("{current}; baseline {baseline}; groups: {}", counts.join(", "))
}
