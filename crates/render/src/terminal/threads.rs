//! The threads that did not crash: those with the same stack in one line.

use std::collections::HashMap;
use std::io;

use super::stack::{Values, write_registers, write_stack};
use crate::chain::{ARROW, Origins, chain, columns};
use crate::layout::{counted, cut_end, pad, width};
use crate::name;
use crate::style::Style;
use crate::{Detail, PageOptions};
use obit_report::{FrameKind, FrameReport, Report, ThreadReport};

/// Groups on a page, unless all are asked for.
const GROUPS_ON_PAGE: usize = 20;
/// Columns of what is before a stack.
const WIDEST_LABEL: usize = 36;
/// Columns of a stack that is worth showing; beside less, it has lines of its own.
const NARROWEST_STACK: usize = 36;

/// Threads of one stack, in the report's order.
pub(crate) struct SameStack<'r> {
    /// At least one.
    pub(crate) threads: Vec<&'r ThreadReport>,
}

/// Writes all of `threads`, grouped by stack: odd ones first, since the crowd is mostly
/// idle.
pub(crate) fn write_threads(
    out: &mut dyn io::Write,
    report: &Report,
    threads: &[&ThreadReport],
    options: &PageOptions,
) -> io::Result<()> {
    let mut groups = groups(threads);
    groups.sort_by_key(|group| group.threads.len());
    let origins = Origins::of(report);
    if options.all_threads {
        return groups.iter().try_for_each(|group| write_whole(out, group, &origins, options));
    }
    if options.detail != Detail::Verbose {
        groups = alike(groups, &origins, options);
        groups.sort_by_key(|group| group.threads.len());
    }
    let title = match report.is_snapshot() {
        true => counted(threads.len(), "other thread"),
        false => format!("{} not crashed", counted(threads.len(), "thread")),
    };
    writeln!(out, "\n{}", options.color.paint(Style::Aside, &title))?;
    let on_page = match options.detail {
        Detail::Verbose => groups.len(),
        Detail::Quiet | Detail::Normal => GROUPS_ON_PAGE,
    };
    // The last groups are the largest: they count for most threads.
    let left_out = groups.len().saturating_sub(on_page);
    let (omitted, shown) = if left_out > 0 {
        (groups.get(on_page / 2..on_page / 2 + left_out), left_out)
    } else {
        (None, 0)
    };
    let omitted_threads: usize = omitted.into_iter().flatten().map(|g| g.threads.len()).sum();
    let label_width =
        groups.iter().map(|group| width(&label(group))).max().unwrap_or(0).min(WIDEST_LABEL);
    for (at, group) in groups.iter().enumerate() {
        if left_out > 0 && at == on_page / 2 {
            let text = format!(
                "  \u{2026} {} of {} (-a shows them) \u{2026}",
                counted(omitted_threads, "thread"),
                counted(shown, "other stack")
            );
            writeln!(out, "{}", options.color.paint(Style::Doubt, &text))?;
        }
        if left_out == 0 || at < on_page / 2 || at >= on_page / 2 + left_out {
            write_brief(out, group, label_width, &origins, options)?;
        }
    }
    Ok(())
}

/// Those with the same functions on their stacks.
pub(crate) fn groups<'r>(threads: &[&'r ThreadReport]) -> Vec<SameStack<'r>> {
    let mut groups: Vec<SameStack<'r>> = Vec::new();
    let mut by_stack: HashMap<Vec<Function<'r>>, usize> = HashMap::new();
    for thread in threads {
        let stack = thread.frames.iter().map(Function::of).collect();
        let at = *by_stack.entry(stack).or_insert(groups.len());
        match groups.get_mut(at) {
            Some(group) => group.threads.push(thread),
            None => groups.push(SameStack { threads: vec![thread] }),
        }
    }
    groups
}

/// Groups that would read the same in one: their stacks differ in what a row leaves out.
fn alike<'r>(
    groups: Vec<SameStack<'r>>,
    origins: &Origins<'_>,
    options: &PageOptions,
) -> Vec<SameStack<'r>> {
    let mut merged: Vec<SameStack<'r>> = Vec::new();
    let mut by_row: HashMap<Vec<String>, usize> = HashMap::new();
    for group in groups {
        let frames = group.threads.first().map_or(&[][..], |thread| &thread.frames);
        // A row on the page is narrower: what is the same here is the same there.
        let row = chain(frames, options.width, origins, options);
        let row = row.into_iter().flatten().map(|piece| piece.text).collect();
        let at = *by_row.entry(row).or_insert(merged.len());
        match merged.get_mut(at) {
            Some(same) => same.threads.extend(group.threads),
            None => merged.push(group),
        }
    }
    merged
}

/// What makes two frames the same: their function, or their place where it has no name.
#[derive(PartialEq, Eq, Hash)]
enum Function<'r> {
    Named(&'r str, FrameKind),
    Place(&'r str, u64),
    Unknown(u64),
}

impl<'r> Function<'r> {
    fn of(frame: &'r FrameReport) -> Self {
        let name = frame.linkage_name.as_ref().or(frame.function.as_ref());
        match (name, &frame.module) {
            (Some(name), _) => Self::Named(name.as_str(), frame.kind),
            (None, Some(module)) => Self::Place(module.path.as_str(), module.offset.0),
            (None, None) => Self::Unknown(frame.pc.0),
        }
    }
}

fn write_whole(
    out: &mut dyn io::Write,
    group: &SameStack<'_>,
    origins: &Origins<'_>,
    options: &PageOptions,
) -> io::Result<()> {
    let mut title = label(group);
    if group.threads.len() > 1 {
        title.push_str("  ");
        title.push_str(&tids(group, usize::MAX));
    }
    writeln!(out, "\n{}", options.color.paint(Style::Focus, &title))?;
    let own = Values::Own { explained: None };
    let values = if group.threads.len() == 1 { own } else { Values::Nobodys };
    match group.threads.first() {
        Some(thread) => write_stack(out, thread, values, origins, options)?,
        None => return Ok(()),
    }
    if options.registers {
        for thread in &group.threads {
            let title = format!("registers of thread {}", thread.tid);
            writeln!(out, "{}", options.color.paint(Style::Aside, &title))?;
            write_registers(out, thread, options)?;
        }
    }
    Ok(())
}

fn write_brief(
    out: &mut dyn io::Write,
    group: &SameStack<'_>,
    label_width: usize,
    origins: &Origins<'_>,
    options: &PageOptions,
) -> io::Result<()> {
    let color = options.color;
    let label = cut_end(&label(group), label_width);
    let frames = group.threads.first().map_or(&[][..], |thread| &thread.frames);
    let beside = options.width.saturating_sub(2 + label_width + 2);
    let indent = if beside < NARROWEST_STACK { 4 } else { 2 + label_width + 2 };
    let room = options.width.saturating_sub(indent);
    let lines = chain(frames, room, origins, options);
    if beside < NARROWEST_STACK {
        write!(out, "  {label}\n{:indent$}", "")?;
    } else {
        write!(out, "  {}  ", pad(&label, label_width))?;
    }
    if lines.is_empty() {
        write!(out, "{}", color.paint(Style::Doubt, "no frame could be recovered"))?;
    }
    for (at, line) in lines.iter().enumerate() {
        for (at, piece) in line.iter().enumerate() {
            let arrow = if at == 0 { "" } else { ARROW };
            write!(out, "{arrow}{}", color.paint(piece.ink, &piece.text))?;
        }
        if at + 1 < lines.len() {
            write!(out, "{}\n{:indent$}", ARROW.trim_end(), "")?;
        }
    }
    if group.threads.len() == 1 {
        return writeln!(out);
    }
    let used = lines.last().map_or(0, |line| columns(line)) + 2;
    let whole = tids(group, usize::MAX);
    if used + width(&whole) <= room {
        return writeln!(out, "  {}", color.paint(Style::Aside, &whole));
    }
    writeln!(out, "\n{:indent$}{}", "", color.paint(Style::Aside, &tids(group, room)))
}

/// `3 threads "pool"`, `thread 3021 "main"`.
pub(crate) fn label(group: &SameStack<'_>) -> String {
    let first = group.threads.first();
    let name = first.and_then(|thread| thread.name.as_ref());
    let named = name.filter(|name| !name.as_str().is_empty());
    let same = group.threads.iter().all(|thread| thread.name.as_ref() == name);
    let mut label = match (first, group.threads.len()) {
        (Some(thread), 1) => format!("thread {}", thread.tid),
        (_, count) => counted(count, "thread"),
    };
    if let Some(name) = named.filter(|_| same) {
        label.push_str(&format!(" \"{}\"", name::shown(name)));
    }
    label
}

/// `(tids 3023–3063, 3070)` in at most `room` columns.
pub(crate) fn tids(group: &SameStack<'_>, room: usize) -> String {
    let mut all: Vec<_> = group.threads.iter().map(|thread| thread.tid).collect();
    all.sort_unstable();
    let mut runs: Vec<(i64, i64)> = Vec::new();
    for tid in all {
        match runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(tid) => *last = tid,
            _ => runs.push((tid, tid)),
        }
    }
    let mut text = "(tids ".to_owned();
    for (at, (first, last)) in runs.iter().enumerate() {
        let run = match last - first {
            0 => first.to_string(),
            _ => format!("{first}\u{2013}{last}"),
        };
        let comma = if at == 0 { "" } else { ", " };
        // What follows: `, …)`.
        if width(&text) + width(comma) + width(&run) + 4 > room && at > 0 {
            text.push_str(", \u{2026}");
            break;
        }
        text.push_str(comma);
        text.push_str(&run);
    }
    text.push(')');
    text
}
