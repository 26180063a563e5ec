//! One thread's stack in full: a line for each frame.

use std::collections::BTreeSet;
use std::io;
use std::ops::Range;

use super::excerpt::{Extent, Line, excerpt, locals, write_lines};
use super::values::one_line;
use crate::chain::Origins;
use crate::fold::{Fold, folds};
use crate::layout::{cut_end, cut_middle, grouped, pad, width, wrap};
use crate::name;
use crate::style::Style;
use crate::summary::blamed;
use crate::{Detail, Names, PageOptions};
use obit_report::{FrameKind, FrameReport, FrameTrust, Hex, Report, ThreadReport, Variable};

/// Frames that fit a screen; of deeper stacks the ends are shown.
const FRAMES_ON_PAGE: usize = 40;
/// Of a deeper stack: innermost frames shown, …
const INNERMOST: usize = 28;
/// … innermost frames shown where the rest only repeats, …
const INNERMOST_OF_RECURSION: usize = 10;
/// … and outermost frames shown.
const OUTERMOST: usize = 8;
/// Frames that are explained by their source and locals, …
const EXPLAINED: usize = 6;
/// … where they repeat, …
const EXPLAINED_OF_RECURSION: usize = 2;
/// … and lines that this takes at most.
const EXPLAINING: usize = 32;
/// Lines of locals: of the first frame that has source, …
const LOCALS_OF_FIRST: usize = 8;
/// … and of the others.
const LOCALS: usize = 5;
/// Columns that an explanation lacks on its left at most.
const EXCERPT_INDENT: usize = 8;
/// Columns of all arguments where they have a line of their own.
pub(crate) const WIDEST_ARGUMENTS: usize = 100;
/// Columns of one argument.
const WIDEST_ARGUMENT: usize = 40;

/// One line of the stack.
enum Row {
    Frame(FrameRow),
    /// The kernel's frame: below it another context went on.
    Signal {
        label: String,
    },
    /// Frames that are not in the report, or too many for a screen.
    Gap {
        text: String,
    },
    /// System frames that are not shown.
    Fold {
        text: String,
    },
}

struct FrameRow {
    label: String,
    /// Its index in the thread; a tail call has none.
    at: Option<usize>,
    name: String,
    /// ` (n=0x0, count=3)`, or nothing.
    args: String,
    /// What is below the frame.
    excerpt: Vec<Line>,
    name_ink: Style,
    place: String,
    mark: &'static str,
    mark_ink: Style,
}

/// Whose values a stack shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Values {
    /// The thread's own.
    Own {
        /// Index of the frame whose source the reader has seen already.
        explained: Option<u64>,
    },
    /// None is shown: the stack stands for those of several threads.
    Nobodys,
}

/// Writes the stack of `thread`, one frame a line, with what is known of each below it.
pub(crate) fn write_stack(
    out: &mut dyn io::Write,
    thread: &ThreadReport,
    values: Values,
    origins: &Origins<'_>,
    options: &PageOptions,
) -> io::Result<()> {
    let mut excerpts = Excerpts::new(thread, values, origins, options);
    let mut rows = rows(thread, &mut excerpts, origins, options);
    let label_width = rows.iter().map(label).map(width).max().unwrap_or(0);
    let room = options.width.saturating_sub(label_width + 2);
    if options.detail != Detail::Verbose && options.names == Names::Demangled {
        shorten_names(&mut rows, room);
    }
    if let Values::Own { .. } = values {
        add_arguments(&mut rows, thread, room, origins, options);
    }
    let name_width = name_column(&rows, room);
    for row in &rows {
        match row {
            Row::Frame(frame) => {
                write_frame(out, frame, label_width, name_width, room, options)?;
                write_lines(out, &frame.excerpt, label_width + 2, options)?;
            }
            Row::Signal { label } => {
                let rule = "\u{2500}".repeat(4);
                let text = format!("{rule} <signal handler called> {rule}");
                let text = options.color.paint(Style::Aside, &text);
                writeln!(out, "{}  {text}", pad(label, label_width))?;
            }
            Row::Fold { text } => {
                let text = cut_end(text, room);
                let text = options.color.paint(Style::Aside, &text);
                writeln!(out, "{:label_width$}  {text}", "")?;
            }
            Row::Gap { text } => {
                for line in wrap(text, room) {
                    let line = options.color.paint(Style::Doubt, &line);
                    writeln!(out, "{:label_width$}  {line}", "")?;
                }
            }
        }
    }
    if rows.is_empty() {
        writeln!(out, "{}", options.color.paint(Style::Doubt, "no frame could be recovered"))?;
    }
    Ok(())
}

/// Writes the registers of `thread`, as many in a line as fit.
pub(crate) fn write_registers(
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
        writeln!(out, "{}", options.color.paint(Style::Aside, &line.join("  ")))?;
    }
    let name_width = thread.vector_registers.keys().map(|name| width(name)).max().unwrap_or(0);
    for (name, value) in &thread.vector_registers {
        let line = format!("{name:<name_width$} {value}");
        writeln!(out, "{}", options.color.paint(Style::Aside, &line))?;
    }
    Ok(())
}

fn rows(
    thread: &ThreadReport,
    excerpts: &mut Excerpts<'_>,
    origins: &Origins<'_>,
    options: &PageOptions,
) -> Vec<Row> {
    let frames = &thread.frames;
    let cut = thread.truncated.as_ref();
    let missing = cut.map_or(0, |cut| cut.frames_total.saturating_sub(cut.shown));
    let recursion = cut.and_then(|cut| cut.recursion.as_ref());
    let whole = is_whole(options);
    let skipped = skipped(thread, options);
    let folds = if whole { Vec::new() } else { folds(thread, excerpts.explained, origins) };
    let mut rows = Vec::with_capacity(frames.len() - skipped.len() + 1);
    for (at, frame) in frames.iter().enumerate().take(skipped.start) {
        if push_fold(&mut rows, at, &folds) {
            continue;
        }
        push_frame(&mut rows, at, frame, options);
        let excerpt = excerpts.of(frame);
        let mut pushed = rows.iter_mut().rev().skip(frame.tail_calls.len());
        if let Some(Row::Frame(row)) = pushed.next() {
            row.excerpt = excerpt;
        }
    }
    let left_out = skipped.len() as u64 + missing;
    if left_out > 0 {
        let mut text = format!("\u{2026} {} frames (--frames 0 shows them)", grouped(left_out));
        if let Some(recursion) = recursion {
            text.push_str(": ");
            text.push_str(&name::shown(recursion));
        }
        rows.push(Row::Gap { text });
    }
    for (at, frame) in frames.iter().enumerate().skip(skipped.end) {
        if push_fold(&mut rows, at, &folds) {
            continue;
        }
        push_frame(&mut rows, at, frame, options);
    }
    rows
}

/// Whether no frame of a report is left out.
fn is_whole(options: &PageOptions) -> bool {
    options.detail == Detail::Verbose || options.whole_stacks
}

/// Where the frames are in the list of `thread` that the page does not show: between the ends of
/// a deep stack. Without any, where those are missing that the report does not have.
fn skipped(thread: &ThreadReport, options: &PageOptions) -> Range<usize> {
    let count = thread.frames.len();
    let cut = thread.truncated.as_ref();
    if is_whole(options) || count <= FRAMES_ON_PAGE {
        let gap_at = cut.and_then(|cut| usize::try_from(cut.gap_after).ok());
        let at = gap_at.unwrap_or(count).min(count);
        return at..at;
    }
    let is_recursion = cut.is_some_and(|cut| cut.recursion.is_some());
    let head = if is_recursion { INNERMOST_OF_RECURSION } else { INNERMOST };
    head..count - OUTERMOST
}

/// Takes from `report` the variables of frames that its page does not show: of a deep stack, and
/// of many threads, they are nearly all of it.
pub(crate) fn drop_unshown(report: &mut Report, options: &PageOptions) {
    let blame = report.cause.as_ref().and_then(|cause| cause.blame.as_ref());
    let blamed = blame.and_then(|blame| blamed(report, blame));
    let blamed = blamed.map(|(thread, frame)| (thread.tid, frame.index));
    for thread in &mut report.threads {
        let frame = blamed.filter(|(tid, _)| *tid == thread.tid).map(|(_, frame)| frame);
        drop_unshown_of(thread, frame, options);
    }
}

/// The same of a single thread, of which frame `blamed` is the one to look at.
pub(crate) fn drop_unshown_of(
    thread: &mut ThreadReport,
    blamed: Option<u64>,
    options: &PageOptions,
) {
    // Of the others there is only a line for each stack.
    let is_shown = match options.thread {
        Some(tid) => thread.tid == tid,
        None => thread.crashed || options.all_threads,
    };
    let unshown = if is_shown { skipped(thread, options) } else { 0..thread.frames.len() };
    for frame in thread.frames.get_mut(unshown).unwrap_or_default() {
        if blamed != Some(frame.index) {
            frame.args = Vec::new();
            frame.locals = Vec::new();
        }
    }
}

/// Whether frame number `at` is folded; the first of those shown adds the line for all.
fn push_fold(rows: &mut Vec<Row>, at: usize, folds: &[Fold]) -> bool {
    let Some(fold) = folds.iter().find(|fold| fold.frames.contains(&at)) else { return false };
    let text = format!("\u{2026} {} (-v shows them)", fold.title);
    if !matches!(rows.last(), Some(Row::Fold { text: last }) if *last == text) {
        rows.push(Row::Fold { text });
    }
    true
}

fn push_frame(rows: &mut Vec<Row>, at: usize, frame: &FrameReport, options: &PageOptions) {
    let label = format!("#{}", frame.index);
    if frame.kind == FrameKind::Signal {
        rows.push(Row::Signal { label });
    } else {
        rows.push(Row::Frame(frame_row(label, Some(at), frame, options)));
    }
    for tail_call in &frame.tail_calls {
        rows.push(Row::Frame(frame_row(String::new(), None, tail_call, options)));
    }
}

/// Chooses the frames that are explained, and how far: as much as fits a screen.
struct Excerpts<'p> {
    origins: &'p Origins<'p>,
    options: &'p PageOptions,
    room: usize,
    /// Frames that may yet be explained, …
    frames: usize,
    /// … and lines that this may take.
    lines: usize,
    is_first: bool,
    /// Index of the frame whose source the reader has seen already.
    explained: Option<u64>,
    /// Doubts that were already shown: once is enough.
    doubted: BTreeSet<String>,
}

impl<'p> Excerpts<'p> {
    fn new(
        thread: &ThreadReport,
        values: Values,
        origins: &'p Origins<'p>,
        options: &'p PageOptions,
    ) -> Self {
        let repeats = thread.truncated.as_ref().is_some_and(|cut| cut.recursion.is_some());
        let frames = match (values, options.detail) {
            (Values::Nobodys, _) => 0,
            (Values::Own { .. }, Detail::Verbose) => usize::MAX,
            (Values::Own { .. }, Detail::Quiet) => 1,
            (Values::Own { .. }, Detail::Normal) if repeats => EXPLAINED_OF_RECURSION,
            (Values::Own { .. }, Detail::Normal) => EXPLAINED,
        };
        let lines = if options.detail == Detail::Verbose { usize::MAX } else { EXPLAINING };
        let room = options.width.saturating_sub(EXCERPT_INDENT);
        let explained = match values {
            Values::Own { explained } => explained,
            Values::Nobodys => None,
        };
        let doubted = BTreeSet::new();
        Self { origins, options, room, frames, lines, is_first: true, explained, doubted }
    }

    /// The lines below `frame`.
    fn of(&mut self, frame: &FrameReport) -> Vec<Line> {
        let is_verbose = self.options.detail == Detail::Verbose;
        let is_own = self.origins.is_program(frame) || !frame.disassembly.is_empty();
        if self.frames == 0 || !(is_verbose || is_own) {
            return Vec::new();
        }
        let extent = match (is_verbose, self.is_first) {
            (true, _) => Extent::Whole,
            (false, true) => Extent::Around { locals: LOCALS_OF_FIRST },
            (false, false) => Extent::Line { locals: LOCALS },
        };
        let lines = if self.explained == Some(frame.index) {
            self.is_first = false;
            locals(frame, extent.locals(), self.room, self.options)
        } else {
            excerpt(frame, extent, self.room, self.options)
        };
        if lines.is_empty() || lines.len() > self.lines {
            return Vec::new();
        }
        // Code of a library says little about the program that called it.
        let mut lines = lines;
        if self.explained != Some(frame.index)
            && let Some(doubt) = frame.source.as_ref().and_then(|place| place.doubt.as_ref())
            && self.doubted.insert(doubt.as_str().to_owned())
        {
            lines.push(vec![(Style::Doubt, format!("  ({})", name::shown(doubt)))]);
        }
        self.is_first &= frame.source.as_ref().is_none_or(|place| place.lines.is_empty());
        self.lines = self.lines.saturating_sub(lines.len());
        self.frames -= 1;
        lines
    }
}

fn frame_row(
    label: String,
    at: Option<usize>,
    frame: &FrameReport,
    options: &PageOptions,
) -> FrameRow {
    let is_whole = options.detail == Detail::Verbose || options.names == Names::Raw;
    let function = name::function(frame, options.names).map(|name| match is_whole {
        true => name,
        false => name::without_crate_hashes(&name).into_owned(),
    });
    let function = function.map(|name| match options.names {
        // The arguments themselves say more than their types.
        Names::Demangled if !frame.args.is_empty() => name::without_parameters(&name).to_owned(),
        Names::Demangled | Names::Raw => name,
    });
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
        (FrameTrust::Scan, _) => ("(found by scanning: may not be real)", Style::Doubt),
        (FrameTrust::Code, FrameKind::Inline) => ("[inlined] (by its code)", Style::Doubt),
        (FrameTrust::Code, _) => ("(by its code)", Style::Doubt),
        (FrameTrust::FramePointer, FrameKind::Inline) => {
            ("[inlined] (by frame pointer)", Style::Doubt)
        }
        (FrameTrust::FramePointer, _) => ("(by frame pointer)", Style::Doubt),
        (_, FrameKind::Inline) => ("[inlined]", Style::Aside),
        (_, FrameKind::TailCall) => ("[tail call]", Style::Aside),
        (_, FrameKind::Normal | FrameKind::Signal) => ("", Style::Plain),
    };
    // Code whose lines are known is most likely one's own.
    let name_ink = match (frame.trust, &frame.source) {
        (FrameTrust::Scan, _) => Style::Doubt,
        (_, Some(_)) => Style::Focus,
        (_, None) => Style::Plain,
    };
    FrameRow {
        label,
        at,
        name: text,
        args: String::new(),
        excerpt: Vec::new(),
        name_ink,
        place,
        mark,
        mark_ink,
    }
}

/// Puts arguments behind the names, as far as there is room for them.
fn add_arguments(
    rows: &mut [Row],
    thread: &ThreadReport,
    room: usize,
    origins: &Origins<'_>,
    options: &PageOptions,
) {
    for row in rows {
        let Row::Frame(row) = row else { continue };
        let frame = row.at.and_then(|at| thread.frames.get(at));
        let args = frame.map_or(&[][..], |frame| &frame.args);
        // What the kernel and the C library hand over says nothing about a crash.
        let is_start =
            frame.is_some_and(|frame| origins.is_start(frame)) && options.detail != Detail::Verbose;
        if args.is_empty() || is_start {
            continue;
        }
        let beside = width(&row.name) + row.beside();
        let left = room.saturating_sub(beside + " ()".len());
        row.args = format!(" ({})", arguments(args, left));
    }
}

/// `n=0x0, count=3`, with `…` for what does not fit.
pub(crate) fn arguments(args: &[Variable], room: usize) -> String {
    let mut row = String::new();
    for (at, arg) in args.iter().enumerate() {
        let separator = if at == 0 { "" } else { ", " };
        let reserve = if at + 1 == args.len() { 0 } else { ", \u{2026}".chars().count() };
        let left = room.saturating_sub(width(&row) + separator.len() + reserve);
        let mut text = one_line(arg, left.min(WIDEST_ARGUMENT));
        if width(&text) > left {
            text = format!("{}=\u{2026}", name::shown(&arg.name));
        }
        row.push_str(separator);
        if width(&text) > left {
            row.push('\u{2026}');
            break;
        }
        row.push_str(&text);
    }
    row
}

impl FrameRow {
    fn beside(&self) -> usize {
        let mark_width = if self.mark.is_empty() { 0 } else { width(self.mark) + 2 };
        width(&self.place) + mark_width + 2
    }

    fn name_width(&self) -> usize {
        width(&self.name) + width(&self.args)
    }
}

fn label(row: &Row) -> &str {
    match row {
        Row::Frame(frame) => &frame.label,
        Row::Signal { label } => label,
        Row::Gap { .. } | Row::Fold { .. } => "",
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
        Row::Frame(frame) => Some(frame.name_width()),
        Row::Signal { .. } | Row::Gap { .. } | Row::Fold { .. } => None,
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
    let beside = row.beside();
    let label = pad(&row.label, label_width);
    let fits = row.name_width() + beside <= room;
    let args = color.paint(Style::Plain, &row.args);
    let place = color.paint(Style::Place, &row.place);
    let mark = color.paint(row.mark_ink, row.mark);
    let gap = if row.mark.is_empty() { "" } else { "  " };
    if fits {
        let blanks = name_width.saturating_sub(row.name_width());
        let blanks = blanks.min(room.saturating_sub(row.name_width() + beside));
        let text = color.paint(row.name_ink, &row.name);
        return writeln!(out, "{label}  {text}{args}{:blanks$}  {place}{gap}{mark}", "");
    }
    // Linkers' names are for tools: half of one is none.
    let text = match (options.detail, options.names) {
        (Detail::Verbose, _) | (_, Names::Raw) => row.name.clone(),
        (Detail::Quiet | Detail::Normal, Names::Demangled) => cut_middle(&row.name, room),
    };
    let args = if width(&text) + width(&row.args) <= room { row.args.as_str() } else { "" };
    writeln!(out, "{label}  {}{args}", color.paint(row.name_ink, &text))?;
    writeln!(out, "{:label_width$}      {place}{gap}{mark}", "")
}
