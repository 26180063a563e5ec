//! What is shown below a frame: its lines of source with the values of their names, or its
//! code, and its local variables.

use std::io;

use super::values::{value_line, write_variable};
use crate::layout::{cut_end, cut_start, width};
use crate::name;
use crate::style::Style;
use crate::{Detail, PageOptions};
use obit_report::{
    FrameReport, InstructionReport, Pointees, SourceLine, SourcePlace, Variable, VariableStatus,
};

/// Marks the line or instruction that was being executed.
const MARK: &str = "\u{2192} ";
const NO_MARK: &str = "  ";
/// Between numbers and text.
const RULE: &str = " \u{2502} ";
/// Separates a line from the values beside it.
const VALUES: &str = "\u{25c2} ";
const VALUES_LEAD: usize = 2;
/// Columns of a tabulator: few, as room is short.
const TAB: usize = 4;
/// Columns from the start of the names to the values of locals.
const WIDEST_NAME: usize = 24;

/// Pieces of a line, each in its ink.
pub(crate) type Line = Vec<(Style, String)>;

/// How much of a frame is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// All that the report has.
    Whole,
    /// The lines around the place, and so many locals.
    Around {
        /// Lines for local variables.
        locals: usize,
    },
    /// The line itself, and so many locals.
    Line {
        /// Lines for local variables.
        locals: usize,
    },
}

impl Extent {
    pub(crate) fn locals(self) -> usize {
        match self {
            Self::Whole => usize::MAX,
            Self::Around { locals } | Self::Line { locals } => locals,
        }
    }
}

/// The lines below `frame`, in at most `room` columns.
pub(crate) fn excerpt(
    frame: &FrameReport,
    extent: Extent,
    room: usize,
    options: &PageOptions,
) -> Vec<Line> {
    let mut lines = match &frame.source {
        Some(place) if !place.lines.is_empty() => source(place, extent, room),
        _ => code(&frame.disassembly, room, options),
    };
    lines.extend(locals(frame, extent.locals(), room, options));
    lines
}

/// Writes lines, each after `indent` blanks.
pub(crate) fn write_lines(
    out: &mut dyn io::Write,
    lines: &[Line],
    indent: usize,
    options: &PageOptions,
) -> io::Result<()> {
    for line in lines {
        write!(out, "{:indent$}", "")?;
        let filled = line.iter().rposition(|(_, text)| !text.trim_end().is_empty());
        for (at, (ink, text)) in line.iter().enumerate().take(filled.map_or(0, |last| last + 1)) {
            let text = if Some(at) == filled { text.trim_end() } else { text };
            write!(out, "{}", options.color.paint(*ink, text))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn source(place: &SourcePlace, extent: Extent, room: usize) -> Vec<Line> {
    let current = place.line;
    let is_shown = |line: &&SourceLine| match extent {
        Extent::Line { .. } => Some(line.line) == current,
        Extent::Whole | Extent::Around { .. } => true,
    };
    let mut shown: Vec<_> = place.lines.iter().filter(is_shown).collect();
    let is_blank = |line: &&SourceLine| line.text.as_str().trim().is_empty();
    // Blank lines at the ends say nothing.
    while shown.first().is_some_and(|line| is_blank(line) && Some(line.line) != current) {
        shown.remove(0);
    }
    while shown.last().is_some_and(|line| is_blank(line) && Some(line.line) != current) {
        shown.pop();
    }
    let texts: Vec<_> = shown.iter().map(|line| untabbed(line.text.as_str())).collect();
    let indented = texts.iter().filter(|text| !text.trim().is_empty());
    let common = indented.map(|text| text.len() - text.trim_start_matches(' ').len()).min();
    let common = common.unwrap_or(0);
    let digits = shown.last().map_or(0, |line| line.line.to_string().len());
    let room = room.saturating_sub(NO_MARK.len() + digits + width(RULE));
    let mut lines = Vec::new();
    for (line, text) in shown.iter().zip(&texts) {
        let is_current = Some(line.line) == current;
        let text = crate::visible(text.get(common..).unwrap_or_default()).into_owned();
        let column = column(place, line, common).filter(|_| is_current);
        let (text, column) = window(&text, column, room);
        let number = format!("{:>digits$}", line.line);
        let (mark, ink) = if is_current { (MARK, Style::Focus) } else { (NO_MARK, Style::Plain) };
        let mut row = vec![
            (Style::Alarm, mark.to_owned()),
            (Style::Aside, format!("{number}{RULE}")),
            (ink, text.clone()),
        ];
        let below = |pieces: Line| {
            let gutter = (Style::Aside, format!("{NO_MARK}{:digits$}{RULE}", ""));
            [gutter].into_iter().chain(pieces).collect::<Line>()
        };
        if !is_current {
            lines.push(row);
            continue;
        }
        let values = printed(line, room.saturating_sub(VALUES_LEAD));
        let with_caret = !matches!(extent, Extent::Line { .. });
        // Where the line simply begins, there is nothing to point at.
        let caret = column.filter(|at| with_caret && text.chars().take(*at).any(|c| c != ' '));
        match caret {
            Some(at) => {
                lines.push(row);
                let pointer = (Style::Alarm, format!("{:at$}^ ", ""));
                if at + 2 + width(&values) <= room || values.is_empty() {
                    lines.push(below(vec![pointer, (Style::Place, values)]));
                } else {
                    lines.push(below(vec![pointer]));
                    lines.push(below(vec![(Style::Place, values)]));
                }
            }
            None if values.is_empty() => lines.push(row),
            None if width(&text) + 2 + VALUES_LEAD + width(&values) <= room => {
                row.push((Style::Place, format!("  {VALUES}{values}")));
                lines.push(row);
            }
            None => {
                lines.push(row);
                lines.push(below(vec![(Style::Place, format!("{VALUES}{values}"))]));
            }
        }
    }
    lines
}

/// Blanks instead of tabulators.
pub(crate) fn untabbed(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut column = 0;
    for c in text.chars() {
        let columns = if c == '\t' { TAB - column % TAB } else { 0 };
        match c {
            '\t' => plain.extend(std::iter::repeat_n(' ', columns)),
            c => plain.push(c),
        }
        column += if c == '\t' { columns } else { 1 };
    }
    plain
}

/// Columns before the place in its line.
fn column(place: &SourcePlace, line: &SourceLine, common: usize) -> Option<usize> {
    let text = line.text.as_str();
    let at = usize::try_from(place.column?).ok()?.checked_sub(1)?;
    let before = text.get(..at).filter(|_| at < text.len())?;
    width(&crate::visible(&untabbed(before))).checked_sub(common)
}

/// `text` in at most `room` columns, cut so that column `at` is seen, and where that is.
fn window(text: &str, at: Option<usize>, room: usize) -> (String, Option<usize>) {
    let Some(at) = at.filter(|at| width(text) > room && *at > room * 2 / 3) else {
        return (cut_end(text, room), at.filter(|at| *at < room));
    };
    let kept = cut_start(text, width(text).saturating_sub(at) + room / 3);
    let shift = width(text) - width(&kept);
    (cut_end(&kept, room), Some(at - shift))
}

/// `n = 0x0, n->next = …`: the values of a line, as many as fit. Structures are left to the
/// list of locals.
fn printed(line: &SourceLine, room: usize) -> String {
    let mut row = String::new();
    for value in line.values.iter().filter(|value| !value.text.as_str().contains('{')) {
        let text = format!("{} = {}", name::shown(&value.name), name::shown(&value.text));
        let separator = if row.is_empty() { "" } else { ", " };
        if width(&row) + separator.len() + width(&text) > room {
            continue;
        }
        row.push_str(separator);
        row.push_str(&text);
    }
    row
}

/// Locals with nothing left out.
fn trees(locals: &[Variable], room: usize, options: &PageOptions) -> Vec<Line> {
    let options = PageOptions { width: room.saturating_sub(NO_MARK.len()), ..*options };
    let mut text = Vec::new();
    for local in locals {
        // Writing to a Vec cannot fail.
        let _ = write_variable(&mut text, local, &options);
    }
    let text = String::from_utf8_lossy(&text);
    text.lines().map(|line| vec![(Style::Plain, format!("{NO_MARK}{line}"))]).collect()
}

/// Locals in the order they are shown: where not all can be, those that the line names
/// first, and those that the compiler made last.
fn chosen<'r>(frame: &FrameReport, mut known: Vec<&'r Variable>, most: usize) -> Vec<&'r Variable> {
    if known.len() <= most {
        return known;
    }
    let place = frame.source.as_ref();
    let named = place.into_iter().flat_map(|place| &place.lines).flat_map(|line| &line.values);
    let named: Vec<_> = named.map(|value| value.name.as_str()).collect();
    known.sort_by_key(|local| match local.name.as_str() {
        name if named.contains(&name) => 0,
        name if name.starts_with('_') => 2,
        _ => 1,
    });
    known
}

fn code(instructions: &[InstructionReport], room: usize, options: &PageOptions) -> Vec<Line> {
    let places: Vec<_> = instructions.iter().map(|one| place(one, options)).collect();
    let places_width = places.iter().map(|place| width(place)).max().unwrap_or(0);
    let room = room.saturating_sub(NO_MARK.len() + places_width + width(RULE));
    let lines = instructions.iter().zip(places).map(|(instruction, place)| {
        let (mark, ink) = match instruction.current {
            true => (MARK, Style::Focus),
            false => (NO_MARK, Style::Plain),
        };
        let text = cut_end(&name::shown(&instruction.text), room);
        let note = instruction.note.as_ref().map(|note| format!("  {VALUES}{}", name::shown(note)));
        let note = cut_end(&note.unwrap_or_default(), room.saturating_sub(width(&text)));
        vec![
            (Style::Alarm, mark.to_owned()),
            (Style::Aside, format!("{place:>places_width$}{RULE}")),
            (ink, text),
            (Style::Place, note),
        ]
    });
    lines.collect()
}

/// The address, and the distance from the start of the function.
pub(crate) fn place(instruction: &InstructionReport, options: &PageOptions) -> String {
    let Some(place) = &instruction.place else { return instruction.address.to_string() };
    let place = name::shown(place);
    match place.rsplit_once('+') {
        _ if options.detail == Detail::Verbose => format!("{} <{place}>", instruction.address),
        Some((_, offset)) => format!("+{offset}"),
        None => "+0".to_owned(),
    }
}

/// One `name = value` a line; those that have no value, in one line.
pub(crate) fn locals(
    frame: &FrameReport,
    most: usize,
    room: usize,
    options: &PageOptions,
) -> Vec<Line> {
    if options.detail == Detail::Verbose {
        return trees(&frame.locals, room, options);
    }
    // Of one that is lost in part the rest is shown.
    let is_gone = |local: &&Variable| {
        local.status == VariableStatus::OptimizedOut && local.children().is_empty()
    };
    let (gone, known): (Vec<_>, Vec<_>) = frame.locals.iter().partition(is_gone);
    let known = chosen(frame, known, most);
    let most = if known.len() > most { most.saturating_sub(1) } else { most };
    let names: Vec<_> = known.iter().take(most).map(|local| name::shown(&local.name)).collect();
    let widest = names.iter().map(|name| width(name)).filter(|name| *name <= WIDEST_NAME).max();
    let column = widest.unwrap_or(0);
    let room = room.saturating_sub(NO_MARK.len());
    let mut lines: Vec<Line> = Vec::new();
    for (local, name) in known.iter().zip(&names) {
        let name = cut_end(name, room / 2);
        let blanks = column.saturating_sub(width(&name));
        let lead = format!("{NO_MARK}{name}{:blanks$} = ", "");
        let left = room.saturating_sub(width(&lead));
        let value = value_line(local, left, Pointees::Shown);
        let ink = match local.status {
            VariableStatus::Ok => Style::Plain,
            _ => Style::Aside,
        };
        lines.push(vec![(Style::Plain, lead), (ink, value)]);
    }
    let more = known.len() - names.len();
    if more > 0 {
        let text = format!("{NO_MARK}\u{2026} {more} more locals (-v shows them)");
        lines.push(vec![(Style::Aside, text)]);
    }
    if !gone.is_empty() && most > 0 {
        let mut names: Vec<_> = gone.iter().map(|local| name::shown(&local.name)).collect();
        names.sort();
        names.dedup();
        let text = format!("{NO_MARK}optimized out: {}", names.join(", "));
        lines.push(vec![(Style::Aside, cut_end(&text, room))]);
    }
    lines
}
