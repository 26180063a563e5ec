//! The list of groups: a table.

use std::io;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use crate::layout::{counted, cut_middle, grouped, width, wrap};
use crate::style::Style;
use crate::visible::visible;
use crate::{Detail, PageOptions};
use obit_triage::history::Status;
use obit_triage::time::{day_of, minute_of};
use obit_triage::views::{GroupSummary, Overview, ReleaseCount};

/// Columns from which releases and dates have columns of their own.
const WIDE: usize = 140;
/// Columns below which a signature has a line of its own: in the table's last column
/// nothing of it could be read.
pub(crate) const NARROW: usize = 96;
/// Columns of a signature, or a cause, that a narrow table leaves.
const NARROWEST: usize = 16;
/// Columns between two columns.
const GAP: u16 = 2;
/// Characters of one text that are laid out at all.
const LONGEST: usize = 4096;

/// Writes the table: the number in the list, the group's id, its status, its dumps,
/// their course over time, releases, first and last time, cause and signature. With
/// `explained`, a line below each says why it has its rank and its status.
///
/// # Errors
/// Those of `out`.
pub fn write_groups(
    out: &mut dyn io::Write,
    overview: &Overview,
    explained: bool,
    options: &PageOptions,
) -> io::Result<()> {
    for line in in_parts(&heading(overview), options.width) {
        writeln!(out, "{}", options.color.paint(Style::Aside, &line))?;
    }
    if overview.groups.is_empty() {
        return Ok(());
    }
    let (is_wide, is_narrow) = (options.width >= WIDE, options.width < NARROW);
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    let mut header = vec!["#", "group", "status", "count", "trend"];
    if is_wide {
        header.extend(["releases", "first", "last"]);
    }
    header.push("cause");
    if !is_narrow {
        header.push("signature");
    }
    table.set_header(header.clone());
    let mut rows: Vec<Vec<String>> = Vec::new();
    for (at, group) in overview.groups.iter().enumerate() {
        let mut row = cells(at, group, is_wide);
        row.truncate(header.len());
        rows.push(row);
    }
    shorten(&mut rows, &header, options);
    for row in rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, GAP));
    }
    for right in [0, 3] {
        if let Some(column) = table.column_mut(right) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut lines = table.lines();
    if let Some(header) = lines.next() {
        writeln!(out, "{}", options.color.paint(Style::Aside, header.trim_end()))?;
    }
    for (group, line) in overview.groups.iter().zip(lines) {
        writeln!(out, "{}", painted(line.trim_end(), group, options))?;
        let room = options.width.saturating_sub(4);
        if is_narrow {
            let signature = signature(group);
            let lines = match options.detail {
                Detail::Verbose => wrap(&signature, room),
                Detail::Quiet | Detail::Normal => vec![cut_middle(&signature, room)],
            };
            for line in lines {
                writeln!(out, "    {line}")?;
            }
        }
        if !is_wide && options.detail != Detail::Quiet {
            for line in wrap(&where_and_when(group), room) {
                writeln!(out, "    {}", options.color.paint(Style::Aside, &line))?;
            }
        }
        if explained {
            for line in explanation(group).iter().flat_map(|line| wrap(line, options.width - 6)) {
                writeln!(out, "      {}", options.color.paint(Style::Aside, &line))?;
            }
        }
    }
    let rest = overview.groups_total.saturating_sub(overview.groups.len() as u64);
    if rest > 0 {
        let text = format!("{} more; -n 0 shows all", counted(rest as usize, "group"));
        writeln!(out, "{}", options.color.paint(Style::Aside, &text))?;
    }
    Ok(())
}

/// `48 groups of 287 dumps: 3 regressed, 6 new; 2 could not be read`.
pub(crate) fn heading(overview: &Overview) -> String {
    let groups = counted(overview.groups_total as usize, "group");
    let mut text = format!("{groups} of {}", counted(overview.dumps as usize, "dump"));
    let by_status: Vec<String> = overview
        .by_status
        .iter()
        .map(|(status, count)| format!("{} {}", grouped(*count), status.word()))
        .collect();
    if !by_status.is_empty() {
        text.push_str(&format!(": {}", by_status.join(", ")));
    }
    if overview.without_group > 0 {
        text.push_str(&format!("; {} in no group", grouped(overview.without_group)));
    }
    if overview.failed > 0 {
        text.push_str(&format!("; {} could not be read", grouped(overview.failed)));
    }
    if overview.dumps > 0 {
        text.push_str(&format!("; as of {} UTC", minute_of(overview.now)));
    }
    text
}

/// A heading in lines, broken where its parts end; a part that is too wide, at blanks.
pub(crate) fn in_parts(heading: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in heading.split_inclusive("; ") {
        match lines.last_mut() {
            Some(line) if width(line) + width(part.trim_end()) <= columns => line.push_str(part),
            _ => lines.push(part.to_owned()),
        }
    }
    lines.iter().flat_map(|line| wrap(line.trim_end(), columns)).collect()
}

fn cells(at: usize, group: &GroupSummary, is_wide: bool) -> Vec<String> {
    let mut row = vec![
        (at + 1).to_string(),
        group.id.clone(),
        group.status_words().into_owned(),
        grouped(group.count),
        sparkline(&group.trend.counts, if is_wide { 16 } else { 8 }),
    ];
    if is_wide {
        let day = |moment: &Option<obit_triage::views::Moment>| {
            moment.as_ref().map_or_else(String::new, |moment| day_of(moment.time))
        };
        row.extend([releases(&group.releases), day(&group.first), day(&group.last)]);
    }
    row.extend([cause(group), signature(group)]);
    row
}

/// Cuts signatures, and what else is long, to what the page leaves.
fn shorten(rows: &mut [Vec<String>], header: &[&str], options: &PageOptions) {
    if !options.shorten_tables && options.detail == Detail::Verbose {
        return;
    }
    let Some(columns) = rows.first().map(Vec::len) else { return };
    for row in rows.iter_mut() {
        for (at, cell) in row.iter_mut().enumerate() {
            if at + 1 < columns {
                *cell = cut_middle(cell, 20);
            }
        }
    }
    let width_of = |at: usize| {
        let cells = rows.iter().filter_map(|row| row.get(at)).map(|cell| width(cell)).max();
        cells.unwrap_or(0).max(header.get(at).map_or(0, |header| width(header)))
    };
    let used: usize = (0..columns - 1).map(|at| width_of(at) + usize::from(GAP)).sum();
    let room = options.width.saturating_sub(used).max(NARROWEST);
    for cell in rows.iter_mut().filter_map(|row| row.last_mut()) {
        *cell = cut_middle(cell, room);
    }
}

/// The line with colours: the id, and the status by its urgency.
fn painted(line: &str, group: &GroupSummary, options: &PageOptions) -> String {
    let word = &*group.status_words();
    let ink = match group.status {
        Status::Regressed => Style::Alarm,
        Status::New | Status::Increasing => Style::Doubt,
        Status::Active => Style::Plain,
        Status::Fading | Status::Resolved | Status::Ignored => Style::Aside,
    };
    let Some((start, rest)) = line.split_once(group.id.as_str()) else { return line.to_owned() };
    let Some((middle, end)) = rest.split_once(word) else { return line.to_owned() };
    let id = options.color.paint(Style::Focus, &group.id);
    format!("{start}{id}{middle}{}{end}", options.color.paint(ink, word))
}

pub(crate) fn explanation(group: &GroupSummary) -> [String; 2] {
    let rank = group.rank;
    [
        format!(
            "rank {:.1} = severity {:.0} ({}) \u{d7} count {:.2} \u{d7} trend {:.2} ({}) \
             \u{d7} confidence {:.2}",
            rank.score,
            rank.severity,
            text(group.severity.as_deref().unwrap_or("unknown")),
            rank.count,
            rank.trend,
            group.status_words(),
            rank.confidence
        ),
        format!("{}: {}", group.status_words(), text(&group.reason)),
    ]
}

/// `2.0–3.0, 2026-02-01 to 2026-03-31, 3 hosts`, and the title.
fn where_and_when(group: &GroupSummary) -> String {
    let mut parts = Vec::new();
    let releases = releases(&group.releases);
    if !releases.is_empty() {
        parts.push(releases);
    }
    if let (Some(first), Some(last)) = (&group.first, &group.last) {
        let (first, last) = (day_of(first.time), day_of(last.time));
        parts.push(if first == last { first } else { format!("{first} to {last}") });
    }
    if group.hosts > 1 {
        parts.push(counted(group.hosts as usize, "host"));
    }
    let mut line = parts.join(", ");
    if let Some(title) = &group.title {
        line.push_str(&format!(": {}", text(title)));
    }
    line
}

/// `1.0–3.0`, or the one.
pub(crate) fn releases(counts: &[ReleaseCount]) -> String {
    let mut with = counts.iter().filter(|release| release.count > 0);
    let (first, last) = (with.next(), with.next_back());
    match (first, last) {
        (Some(first), Some(last)) => format!("{}\u{2013}{}", text(&first.name), text(&last.name)),
        (Some(only), None) => text(&only.name),
        _ => String::new(),
    }
}

pub(crate) fn cause(group: &GroupSummary) -> String {
    text(group.class.as_deref().unwrap_or("unknown"))
}

pub(crate) fn signature(group: &GroupSummary) -> String {
    match &group.name {
        Some(name) => format!("{}: {}", text(name), text(&group.signature)),
        None => text(&group.signature),
    }
}

/// Text from the store, fit for a terminal.
pub(crate) fn text(text: &str) -> String {
    match text.char_indices().nth(LONGEST).and_then(|(end, _)| text.get(..end)) {
        Some(start) => format!("{}\u{2026}", visible(start)),
        None => visible(text).into_owned(),
    }
}

/// Eight heights; a dot where there is nothing.
pub(crate) fn sparkline(counts: &[u64], columns: usize) -> String {
    const BARS: [char; 8] = [
        '\u{2581}', '\u{2582}', '\u{2583}', '\u{2584}', '\u{2585}', '\u{2586}', '\u{2587}',
        '\u{2588}',
    ];
    let each = counts.len().div_ceil(columns.max(1)).max(1);
    let sums: Vec<u64> = counts.chunks(each).map(|chunk| chunk.iter().sum()).collect();
    let most = sums.iter().copied().max().unwrap_or(0).max(1);
    let bar = |sum: &u64| match usize::try_from((sum * 8).div_ceil(most)) {
        Ok(0) | Err(_) => '\u{b7}',
        Ok(height) => BARS.get(height - 1).copied().unwrap_or('\u{2588}'),
    };
    sums.iter().map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sparkline_shows_the_course_and_where_nothing_was() {
        assert_eq!(sparkline(&[0, 1, 4, 8], 4), "\u{b7}\u{2581}\u{2584}\u{2588}");
        assert_eq!(sparkline(&[1, 1, 0, 0], 2), "\u{2588}\u{b7}");
        assert_eq!(sparkline(&[0; 16], 8), "\u{b7}".repeat(8));
        assert_eq!(sparkline(&[], 8), "");
    }
}
