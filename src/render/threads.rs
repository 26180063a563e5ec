//! The threads that did not crash: those with the same stack in one line.

use std::collections::HashMap;
use std::io;

use super::ink::Ink;
use super::layout::{counted, cut_end, cut_middle, pad, width};
use super::name;
use super::stack::write_stack;
use super::{Detail, PageOptions};
use crate::report::{FrameKind, FrameReport, ThreadReport};

/// Groups on a page, unless all are asked for.
const GROUPS_ON_PAGE: usize = 20;
/// Columns of what stands before a stack.
const WIDEST_LABEL: usize = 36;
/// Columns of one function's name in a row of them.
const WIDEST_NAME: usize = 40;
/// Runs of thread ids that are written out.
const TID_RUNS: usize = 3;

const ARROW: &str = " \u{2190} ";
const ELLIPSIS: &str = " \u{2190} \u{2026}";
const ELLIPSIS_BETWEEN: &str = " \u{2190} \u{2026} \u{2190} ";
/// Frames of one stack that are looked at for a row.
const FRAMES_OF_CHAIN: usize = 64;
/// Columns of a stack that is worth showing; beside less, ids go to a line of their own.
const NARROWEST_STACK: usize = 36;

/// Threads of one stack, in the report's order.
struct Group<'r> {
    threads: Vec<&'r ThreadReport>,
}

/// Writes all of `threads`, grouped by stack: odd ones first, since the crowd is mostly
/// idle.
pub(super) fn write_threads(
    out: &mut dyn io::Write,
    threads: &[&ThreadReport],
    options: &PageOptions,
) -> io::Result<()> {
    let mut groups = groups(threads);
    groups.sort_by_key(|group| group.threads.len());
    if options.all_threads {
        return groups.iter().try_for_each(|group| write_whole(out, group, options));
    }
    let title = format!("{} not crashed", counted(threads.len(), "thread"));
    writeln!(out, "\n{}", options.color.paint(Ink::Aside, &title))?;
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
            writeln!(out, "{}", options.color.paint(Ink::Doubt, &text))?;
        }
        if left_out == 0 || at < on_page / 2 || at >= on_page / 2 + left_out {
            write_brief(out, group, label_width, options)?;
        }
    }
    Ok(())
}

fn groups<'r>(threads: &[&'r ThreadReport]) -> Vec<Group<'r>> {
    let mut groups: Vec<Group<'r>> = Vec::new();
    let mut by_stack: HashMap<Vec<Function<'r>>, usize> = HashMap::new();
    for thread in threads {
        let stack = thread.frames.iter().map(Function::of).collect();
        let at = *by_stack.entry(stack).or_insert(groups.len());
        match groups.get_mut(at) {
            Some(group) => group.threads.push(thread),
            None => groups.push(Group { threads: vec![thread] }),
        }
    }
    groups
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
    group: &Group<'_>,
    options: &PageOptions,
) -> io::Result<()> {
    let mut title = label(group);
    if group.threads.len() > 1 {
        title.push_str("  ");
        title.push_str(&tids(group, usize::MAX));
    }
    writeln!(out, "\n{}", options.color.paint(Ink::Focus, &title))?;
    match group.threads.first() {
        Some(thread) => write_stack(out, thread, options),
        None => Ok(()),
    }
}

fn write_brief(
    out: &mut dyn io::Write,
    group: &Group<'_>,
    label_width: usize,
    options: &PageOptions,
) -> io::Result<()> {
    let label = pad(&cut_end(&label(group), label_width), label_width);
    let tids = if group.threads.len() > 1 { tids(group, TID_RUNS) } else { String::new() };
    let room = options.width.saturating_sub(2 + label_width + 2);
    let beside = if tids.is_empty() { 0 } else { width(&tids) + 2 };
    let frames = group.threads.first().map_or(&[][..], |thread| &thread.frames);
    let painted = options.color.paint(Ink::Aside, &tids);
    if room >= NARROWEST_STACK + beside {
        let gap = if tids.is_empty() { "" } else { "  " };
        let stack = chain(frames, room - beside, options);
        return writeln!(out, "  {label}  {stack}{gap}{painted}");
    }
    writeln!(out, "  {label}  {}", chain(frames, room.max(NARROWEST_STACK), options))?;
    if tids.is_empty() {
        return Ok(());
    }
    writeln!(out, "    {painted}")
}

/// `3 threads "pool"`, `thread 3021 "main"`.
fn label(group: &Group<'_>) -> String {
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

/// `(tids 3023–3063, 3070)`.
fn tids(group: &Group<'_>, most: usize) -> String {
    let mut all: Vec<_> = group.threads.iter().map(|thread| thread.tid).collect();
    all.sort_unstable();
    let mut runs: Vec<(i64, i64)> = Vec::new();
    for tid in all {
        match runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(tid) => *last = tid,
            _ => runs.push((tid, tid)),
        }
    }
    let written = runs.iter().take(most).map(|(first, last)| match last - first {
        0 => first.to_string(),
        _ => format!("{first}\u{2013}{last}"),
    });
    let written: Vec<_> = written.collect();
    let more = if runs.len() > most { ", \u{2026}" } else { "" };
    format!("(tids {}{more})", written.join(", "))
}

/// As many functions of a stack as fit, innermost first, and of those that do not the
/// first whose source is known: `poll ← … ← Server::run ← …`.
fn chain(frames: &[FrameReport], room: usize, options: &PageOptions) -> String {
    let known = frames.iter().position(|frame| frame.source.is_some());
    let widest = WIDEST_NAME.min((room / 2).saturating_sub(width(ELLIPSIS)));
    let names: Vec<_> = frames
        .iter()
        .take(FRAMES_OF_CHAIN)
        .map(|frame| chain_name(frame, widest, options))
        .collect();
    let Some(whole) = (!names.is_empty()).then(|| names.join(ARROW)) else {
        return "no frame could be recovered".to_owned();
    };
    if names.len() == frames.len() && width(&whole) <= room {
        return whole;
    }
    let mut best = None;
    for shown in 1..=names.len() {
        let mut text = names.iter().take(shown).cloned().collect::<Vec<_>>().join(ARROW);
        if let Some(name) = known.filter(|at| *at >= shown).and_then(|at| names.get(at)) {
            let gap = if known == Some(shown) { ARROW } else { ELLIPSIS_BETWEEN };
            text.push_str(gap);
            text.push_str(name);
        }
        text.push_str(ELLIPSIS);
        if width(&text) > room && best.is_some() {
            break;
        }
        best = Some(text);
    }
    best.unwrap_or(whole)
}

fn chain_name(frame: &FrameReport, widest: usize, options: &PageOptions) -> String {
    let named = match frame.kind {
        FrameKind::Signal => "<signal handler called>".to_owned(),
        FrameKind::Normal | FrameKind::Inline | FrameKind::TailCall => {
            let function = name::function(frame, options.names);
            function.map_or_else(|| name::code_place(frame), |name| name::brief(&name))
        }
    };
    cut_middle(&named, widest)
}
