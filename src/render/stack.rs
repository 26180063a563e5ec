//! One thread's stack in full: a line for each frame.

use std::io;

use super::ink::Ink;
use super::layout::{cut_middle, grouped, pad, width, wrap};
use super::name;
use super::{Detail, Names, PageOptions};
use crate::report::{FrameKind, FrameReport, FrameTrust, Hex, ThreadReport};

/// Frames that fit a screen; of deeper stacks the ends are shown.
const FRAMES_ON_PAGE: usize = 40;
/// Of a deeper stack: innermost frames shown, …
const INNERMOST: usize = 28;
/// … innermost frames shown where the rest only repeats, …
const INNERMOST_OF_RECURSION: usize = 10;
/// … and outermost frames shown.
const OUTERMOST: usize = 8;

/// One line of the stack.
enum Row {
    Frame(FrameRow),
    /// The kernel's frame: below it another context went on.
    Signal {
        label: String,
    },
    /// Frames that are not shown.
    Gap {
        text: String,
    },
}

struct FrameRow {
    label: String,
    name: String,
    name_ink: Ink,
    place: String,
    mark: &'static str,
    mark_ink: Ink,
}

/// Writes the stack of `thread`, one frame a line.
pub(super) fn write_stack(
    out: &mut dyn io::Write,
    thread: &ThreadReport,
    options: &PageOptions,
) -> io::Result<()> {
    let mut rows = rows(thread, options);
    let label_width = rows.iter().map(label).map(width).max().unwrap_or(0);
    let room = options.width.saturating_sub(label_width + 2);
    if options.detail != Detail::Verbose && options.names == Names::Demangled {
        shorten_names(&mut rows, room);
    }
    let name_width = name_column(&rows, room);
    for row in &rows {
        match row {
            Row::Frame(frame) => {
                write_frame(out, frame, label_width, name_width, room, options)?;
            }
            Row::Signal { label } => {
                let rule = "\u{2500}".repeat(4);
                let text = format!("{rule} <signal handler called> {rule}");
                let text = options.color.paint(Ink::Aside, &text);
                writeln!(out, "{}  {text}", pad(label, label_width))?;
            }
            Row::Gap { text } => {
                for line in wrap(text, room) {
                    let line = options.color.paint(Ink::Doubt, &line);
                    writeln!(out, "{:label_width$}  {line}", "")?;
                }
            }
        }
    }
    if rows.is_empty() {
        writeln!(out, "{}", options.color.paint(Ink::Doubt, "no frame could be recovered"))?;
    }
    Ok(())
}

/// Writes the registers of `thread`, as many in a line as fit.
pub(super) fn write_registers(
    out: &mut dyn io::Write,
    thread: &ThreadReport,
    options: &PageOptions,
) -> io::Result<()> {
    let name_width = thread.registers.keys().map(|name| width(name)).max().unwrap_or(0);
    let cells: Vec<_> = thread
        .registers
        .iter()
        .map(|(name, Hex(value))| format!("{name:<name_width$} {value:#018x}"))
        .collect();
    let cell_width = name_width + 1 + 18 + 2;
    let in_a_line = (options.width / cell_width).max(1);
    for line in cells.chunks(in_a_line) {
        writeln!(out, "{}", options.color.paint(Ink::Aside, &line.join("  ")))?;
    }
    Ok(())
}

fn rows(thread: &ThreadReport, options: &PageOptions) -> Vec<Row> {
    let frames = &thread.frames;
    let cut = thread.truncated.as_ref();
    let gap_at = cut.and_then(|cut| usize::try_from(cut.gap_after).ok());
    let missing = cut.map_or(0, |cut| cut.frames_total.saturating_sub(cut.shown));
    let recursion = cut.and_then(|cut| cut.recursion.as_ref());
    let whole = options.detail == Detail::Verbose || options.whole_stacks;
    let too_deep = !whole && frames.len() > FRAMES_ON_PAGE;
    let skipped = if too_deep {
        let head = if recursion.is_some() { INNERMOST_OF_RECURSION } else { INNERMOST };
        head..frames.len() - OUTERMOST
    } else {
        let at = gap_at.unwrap_or(frames.len()).min(frames.len());
        at..at
    };
    let mut rows = Vec::with_capacity(frames.len() - skipped.len() + 1);
    for frame in frames.iter().take(skipped.start) {
        push_frame(&mut rows, frame, options);
    }
    let left_out = skipped.len() as u64 + missing;
    if left_out > 0 {
        let mut text = format!("\u{2026} {} frames (-n 0 shows them)", grouped(left_out));
        if let Some(recursion) = recursion {
            text.push_str(": ");
            text.push_str(&name::shown(recursion));
        }
        rows.push(Row::Gap { text });
    }
    for frame in frames.iter().skip(skipped.end) {
        push_frame(&mut rows, frame, options);
    }
    rows
}

fn push_frame(rows: &mut Vec<Row>, frame: &FrameReport, options: &PageOptions) {
    let label = format!("#{}", frame.index);
    if frame.kind == FrameKind::Signal {
        rows.push(Row::Signal { label });
    } else {
        rows.push(Row::Frame(frame_row(label, frame, options)));
    }
    for tail_call in &frame.tail_calls {
        rows.push(Row::Frame(frame_row(String::new(), tail_call, options)));
    }
}

fn frame_row(label: String, frame: &FrameReport, options: &PageOptions) -> FrameRow {
    let function = name::function(frame, options.names);
    let unnamed = function.is_none();
    let mut text = function.unwrap_or_else(|| frame.pc.to_string());
    if options.detail == Detail::Verbose && !unnamed {
        text = format!("{:#014x} in {text}", frame.pc.0);
    }
    if frame.trust == FrameTrust::Scan {
        text.insert_str(0, "? ");
    }
    let place = match (&frame.source, &frame.module) {
        (Some(place), _) => name::source(place, options),
        (None, Some(_)) if unnamed => format!("in {}", name::code_place(frame)),
        (None, Some(module)) => name::base_name(&module.path),
        (None, None) => "in no module".to_owned(),
    };
    let (mark, mark_ink) = match (frame.trust, frame.kind) {
        (FrameTrust::Scan, _) => ("(found by scanning: may not be real)", Ink::Doubt),
        (FrameTrust::FramePointer, FrameKind::Inline) => {
            ("[inlined] (by frame pointer)", Ink::Doubt)
        }
        (FrameTrust::FramePointer, _) => ("(by frame pointer)", Ink::Doubt),
        (_, FrameKind::Inline) => ("[inlined]", Ink::Aside),
        (_, FrameKind::TailCall) => ("[tail call]", Ink::Aside),
        (_, FrameKind::Normal | FrameKind::Signal) => ("", Ink::Plain),
    };
    // Code whose lines are known is most likely one's own.
    let name_ink = match (frame.trust, &frame.source) {
        (FrameTrust::Scan, _) => Ink::Doubt,
        (_, Some(_)) => Ink::Focus,
        (_, None) => Ink::Plain,
    };
    FrameRow { label, name: text, name_ink, place, mark, mark_ink }
}

fn label(row: &Row) -> &str {
    match row {
        Row::Frame(frame) => &frame.label,
        Row::Signal { label } => label,
        Row::Gap { .. } => "",
    }
}

/// Parameters and template arguments are the first to go, where places would not line up.
fn shorten_names(rows: &mut [Row], room: usize) {
    for row in rows {
        if let Row::Frame(frame) = row
            && width(&frame.name) > widest_name(room)
        {
            frame.name = name::brief(&frame.name);
        }
    }
}

/// Columns of a name that leaves room for places.
fn widest_name(room: usize) -> usize {
    room * 6 / 10
}

/// Columns of the names: as wide as the widest that leaves room for places.
fn name_column(rows: &[Row], room: usize) -> usize {
    let most = widest_name(room);
    let names = rows.iter().filter_map(|row| match row {
        Row::Frame(frame) => Some(width(&frame.name)),
        Row::Signal { .. } | Row::Gap { .. } => None,
    });
    names.filter(|columns| *columns <= most).max().unwrap_or(0)
}

fn write_frame(
    out: &mut dyn io::Write,
    row: &FrameRow,
    label_width: usize,
    name_width: usize,
    room: usize,
    options: &PageOptions,
) -> io::Result<()> {
    let color = options.color;
    let mark_width = if row.mark.is_empty() { 0 } else { width(row.mark) + 2 };
    let beside = width(&row.place) + mark_width + 2;
    let label = pad(&row.label, label_width);
    let fits = width(&row.name) + beside <= room;
    let place = color.paint(Ink::Place, &row.place);
    let mark = color.paint(row.mark_ink, row.mark);
    let gap = if row.mark.is_empty() { "" } else { "  " };
    if fits {
        let blanks = name_width.saturating_sub(width(&row.name));
        let blanks = blanks.min(room.saturating_sub(width(&row.name) + beside));
        let text = color.paint(row.name_ink, &row.name);
        return writeln!(out, "{label}  {text}{:blanks$}  {place}{gap}{mark}", "");
    }
    // Linkers' names are for tools: half of one is none.
    let text = match (options.detail, options.names) {
        (Detail::Verbose, _) | (_, Names::Raw) => row.name.clone(),
        (Detail::Quiet | Detail::Normal, Names::Demangled) => cut_middle(&row.name, room),
    };
    writeln!(out, "{label}  {}", color.paint(row.name_ink, &text))?;
    writeln!(out, "{:label_width$}      {place}{gap}{mark}", "")
}
