//! The list of groups: a table.

use std::io;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::{chart, rates};
use crate::layout::{counted, cut_middle, grouped, width, wrap};
use crate::style::Style;
use crate::visible::visible;
use crate::{Detail, PageOptions};
use obit_triage::history::Status;
use obit_triage::time::{day_of, minute_of};
use obit_triage::views::{GroupSummary, Overview, ReleaseCount};

/// Columns from which releases and dates have columns of their own.
const WIDE: usize = 140;
/// Columns below which a title has a line of its own: in the table's last column
/// nothing of it could be read.
pub(crate) const NARROW: usize = 96;
/// Columns of a title that a page leaves, however narrow it is.
const NARROWEST: usize = 16;
/// Columns between two columns.
const GAP: u16 = 2;
/// Characters of one text that are laid out at all.
const LONGEST: usize = 4096;

/// Writes the table: the number in the list, the group's id, its status, its dumps, their
/// course over time, releases, first and last time, and the title; below each the signature
/// and what else is known. With `explained`, a line below each says why it has its rank and
/// its status.
///
/// # Errors
/// Those of `out`.
pub fn write_groups(
    out: &mut dyn io::Write,
    overview: &Overview,
    explained: bool,
    options: &PageOptions,
) -> io::Result<()> {
    let mut aside = |lines: Vec<String>, indent: &str| -> io::Result<()> {
        for line in lines {
            writeln!(out, "{indent}{}", options.color.paint(Style::Aside, &line))?;
        }
        Ok(())
    };
    aside(in_parts(&heading(overview), options.width), "")?;
    if let Some(why) = overview.why_empty() {
        aside(wrap(&why, options.width), "")?;
    }
    if overview.groups.is_empty() {
        return Ok(());
    }
    if options.detail != Detail::Quiet {
        aside(chart::lines(&overview.series, options.width), "")?;
    }
    let (header, rows) = table(overview, options);
    let room = options.width.saturating_sub(4).max(NARROWEST);
    aside(vec![header], "")?;
    for (group, line) in overview.groups.iter().zip(rows) {
        for (at, line) in with_title(&line, group, options).iter().enumerate() {
            let line = if at == 0 { painted(line, group, options) } else { line.clone() };
            writeln!(out, "{line}")?;
        }
        if options.detail != Detail::Quiet {
            let signature = signature(group);
            let lines = match options.detail {
                Detail::Verbose => wrap(&signature, room),
                Detail::Quiet | Detail::Normal => vec![cut_middle(&signature, room)],
            };
            for line in lines.iter().filter(|line| !line.is_empty()) {
                writeln!(out, "    {line}")?;
            }
            let lines = wrap(&where_and_when(group, options.width >= WIDE), room);
            for line in lines.iter().filter(|line| !line.is_empty()) {
                writeln!(out, "    {}", options.color.paint(Style::Aside, line))?;
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

/// The header, and a line for each group without its title: all as wide as each other.
fn table(overview: &Overview, options: &PageOptions) -> (String, Vec<String>) {
    let (is_wide, is_narrow) = (options.width >= WIDE, options.width < NARROW);
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    let mut header = vec!["#", "group", "status", "count", "trend"];
    if is_wide {
        header.extend(["releases", "first", "last"]);
    }
    if is_narrow {
        header.push("class");
    }
    table.set_header(header);
    for (at, group) in overview.groups.iter().enumerate() {
        let mut row = cells(at, group, is_wide);
        if is_narrow {
            row.push(class(group));
        }
        if options.shorten_tables || options.detail != Detail::Verbose {
            row.iter_mut().for_each(|cell| *cell = cut_middle(cell, 20));
        }
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
    let mut header = lines.next().unwrap_or_default();
    if is_narrow {
        header = header.trim_end().to_owned();
    } else {
        header.push_str("cause");
    }
    (header, lines.collect())
}

/// The line of a group with its title: behind it, or on lines of its own where the page is
/// narrow. The class is the label behind the title.
fn with_title(line: &str, group: &GroupSummary, options: &PageOptions) -> Vec<String> {
    // A word may be wider than the page.
    let in_lines = |text: &str, room: usize| -> Vec<String> {
        let room = room.max(NARROWEST);
        let lines = wrap(text, room);
        match options.detail {
            Detail::Verbose => lines,
            Detail::Quiet | Detail::Normal => {
                lines.iter().map(|line| cut_middle(line, room)).collect()
            }
        }
    };
    if options.width < NARROW {
        let title = in_lines(&title(group), options.width.saturating_sub(4));
        let below = title.iter().map(|line| format!("    {line}"));
        return std::iter::once(line.trim_end().to_owned()).chain(below).collect();
    }
    let used = width(line);
    let text = format!("{} ({})", title(group), class(group));
    let lines = in_lines(&text, options.width.saturating_sub(used));
    let blank = " ".repeat(used);
    let start = |at: usize| if at == 0 { line } else { blank.as_str() };
    lines.iter().enumerate().map(|(at, text)| format!("{}{text}", start(at))).collect()
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
    row
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

/// `2.0–3.0, 2026-02-01 to 2026-03-31, 3 hosts, 12 % of the crashes of shopd; surge: …`.
/// On a wide page releases and dates have columns of their own.
fn where_and_when(group: &GroupSummary, is_wide: bool) -> String {
    let mut parts = Vec::new();
    let releases = releases(&group.releases);
    if !releases.is_empty() && !is_wide {
        parts.push(releases);
    }
    if let (Some(first), Some(last), false) = (&group.first, &group.last, is_wide) {
        let (first, last) = (day_of(first.time), day_of(last.time));
        parts.push(if first == last { first } else { format!("{first} to {last}") });
    }
    if group.hosts > 1 {
        parts.push(counted(group.hosts as usize, "host"));
    }
    parts.extend(shares(group));
    parts.extend(rates::newest(group));
    let mut line = parts.join(", ");
    for note in surge(group).into_iter().chain(ticket(group)) {
        line.push_str(if line.is_empty() { "" } else { "; " });
        line.push_str(&note);
    }
    line
}

/// `12 % of the crashes of shopd, 3 % of all`; of the only program, one number.
pub(crate) fn shares(group: &GroupSummary) -> Option<String> {
    let (of_program, of_all) = (group.share_of_program?, group.share_of_all?);
    if of_program <= of_all {
        return Some(format!("{} of all crashes", percent(of_all)));
    }
    let program = group.programs.first().filter(|name| !name.is_empty());
    let program = program.map_or_else(|| "its program".to_owned(), |name| text(name));
    let of_program = format!("{} of the crashes of {program}", percent(of_program));
    Some(format!("{of_program}, {} of all", percent(of_all)))
}

/// `12 %`; what is there is more than 0 %, and what is not all less than 100 %.
fn percent(share: f64) -> String {
    let percent = share * 100.0;
    match percent {
        _ if percent > 0.0 && percent < 1.0 => "< 1 %".to_owned(),
        _ if percent < 100.0 && percent > 99.0 => "> 99 %".to_owned(),
        _ => format!("{percent:.0} %"),
    }
}

/// The hour with far more crashes than usual, if there is one.
pub(crate) fn surge(group: &GroupSummary) -> Option<String> {
    group.surge.map(|surge| format!("surge: {}", surge.text()))
}

/// `assigned to ada, https://bugs.example/4711`.
pub(crate) fn ticket(group: &GroupSummary) -> Option<String> {
    let assignee = group.assignee.as_ref().map(|name| format!("assigned to {}", text(name)));
    let link = group.link.as_ref().map(|link| text(link));
    let parts: Vec<String> = assignee.into_iter().chain(link).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
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

/// The class of the cause: the label behind a title.
pub(crate) fn class(group: &GroupSummary) -> String {
    text(group.class.as_deref().unwrap_or("unknown"))
}

/// The title of a group, the same in every format.
pub(crate) fn title(group: &GroupSummary) -> String {
    text(stored_title(group))
}

/// The same, as the store has it.
pub(crate) fn stored_title(group: &GroupSummary) -> &str {
    let titles = [&group.headline, &group.title, &group.class];
    let shown = titles.into_iter().flatten().find(|title| !title.trim().is_empty());
    shown.map_or("the cause is not known", String::as_str)
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
    let sums: Vec<u64> = counts
        .chunks(each)
        .map(|chunk| chunk.iter().fold(0, |sum: u64, count| sum.saturating_add(*count)))
        .collect();
    let most = sums.iter().copied().max().unwrap_or(0).max(1);
    let bar = |sum: &u64| match usize::try_from((u128::from(*sum) * 8).div_ceil(u128::from(most))) {
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
