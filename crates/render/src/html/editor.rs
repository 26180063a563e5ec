//! The crash as an editor shows it: frames on the left, on the right the selected one's
//! source with the values in it, its arguments and its locals.

use maud::{Markup, html};

use super::budget::{Budget, more};
use super::commands::quoted_core;
use super::escape::{NAME, prose, text, visible_text};
use super::page::command;
use super::source::source;
use super::variables::variables;
use crate::chain::Origins;
use crate::fold::folds;
use crate::identity::quoted_name;
use crate::layout::grouped;
use crate::{PageOptions, name};
use obit_report::{FrameKind, FrameReport, FrameTrust, Report, ThreadReport, Truncated};

/// Frames of one thread.
const FRAMES: usize = 340;
/// Bytes of the lists of frames, …
const LIST: usize = 160_000;
/// … of what belongs to frames without source or variables, …
const PANELS: usize = 250_000;
/// … and of all source and all variables.
const CONTENT: usize = 500_000;
/// Characters of a function's name in the list.
const IN_LIST: usize = 80;

/// Frames of the crashed thread and, if that is another, of the one to blame; that comes
/// first.
pub(super) fn editor(report: &Report, origins: &Origins<'_>) -> Option<Markup> {
    let threads = shown_here(report);
    if threads.iter().all(|thread| thread.frames.is_empty()) {
        return None;
    }
    let (list, panels) = (Budget::new(LIST), Budget::new(PANELS));
    let content = Budget::new(CONTENT);
    let first = first_frame(report, &threads);
    Some(html! {
        div.editor {
            div.frames {
                @for thread in &threads {
                    h3 id={ "t" (thread.tid) } { (heading(thread)) }
                    (frames(thread, origins, first, &list))
                }
            }
            div.panels {
                @for thread in &threads {
                    @let (printed, left_out) = panels.fill(thread.frames.iter(), FRAMES, |frame| {
                        panel(report, thread, frame, first, &content)
                    });
                    (printed)
                    (more(left_out, "frame"))
                }
            }
        }
    })
}

/// The threads whose frames are shown in full, not among the others.
pub(super) fn shown_here(report: &Report) -> Vec<&ThreadReport> {
    let blamed = report.cause.as_ref().and_then(|cause| cause.blame.as_ref()?.thread);
    let blamed = blamed.and_then(|tid| report.threads.iter().find(|thread| thread.tid == tid));
    let mut threads: Vec<_> = blamed.into_iter().chain(report.crashed_thread()).collect();
    threads.dedup_by_key(|thread| thread.tid);
    if threads.is_empty() {
        threads.extend(report.threads.first());
    }
    threads
}

/// The one that is selected when the page opens: to blame, else with source.
fn first_frame(report: &Report, threads: &[&ThreadReport]) -> Option<(i64, u64)> {
    let blame = report.cause.as_ref().and_then(|cause| cause.blame.as_ref());
    let blamed = blame.and_then(|blame| crate::summary::blamed(report, blame));
    let blamed = blamed.map(|(thread, frame)| (thread.tid, frame.index));
    blamed.or_else(|| {
        let thread = threads.first()?;
        let has_lines = |frame: &&FrameReport| {
            frame.source.as_ref().is_some_and(|place| !place.lines.is_empty())
        };
        let frame = thread.frames.iter().find(has_lines).or(thread.frames.first())?;
        Some((thread.tid, frame.index))
    })
}

fn heading(thread: &ThreadReport) -> Markup {
    html! {
        "Thread " (thread.tid) (quoted_name(thread))
        @if thread.crashed { " " span.badge.alarm { "crashed" } }
    }
}

fn frames(
    thread: &ThreadReport,
    origins: &Origins<'_>,
    first: Option<(i64, u64)>,
    budget: &Budget,
) -> Markup {
    let gap = thread.truncated.as_ref();
    let kept = first.filter(|(tid, _)| *tid == thread.tid).map(|(_, index)| index);
    let folds = folds(thread, kept, origins);
    let fold_at = |at: usize| folds.iter().find(|fold| fold.frames.contains(&at));
    let all = thread.frames.iter().enumerate();
    let (items, left_out) = budget.fill(all, FRAMES, |(at, frame)| {
        let here = gap.filter(|gap| gap.gap_after == at as u64);
        html! {
            @if let Some(gap) = here { (missing(gap)) }
            @match fold_at(at) {
                None => (item(thread, frame, origins, first)),
                Some(fold) if fold.frames.start == at => {
                    @let inner = thread.frames.get(fold.frames.clone()).unwrap_or_default();
                    li {
                        details.fold {
                            summary { (fold.title) }
                            ol { @for frame in inner { (item(thread, frame, origins, first)) } }
                        }
                    }
                }
                Some(_) => {}
            }
        }
    });
    html! {
        ol.frame-list aria-label={ "Frames of thread " (thread.tid) } { (items) }
        (more(left_out, "frame"))
    }
}

/// Frames of a deep stack that the report does not have.
fn missing(gap: &Truncated) -> Markup {
    let missing = gap.frames_total.saturating_sub(gap.shown);
    html! {
        li.gap {
            "\u{2026} " (grouped(missing)) " frames (--frames 0 shows them)"
            @if let Some(recursion) = &gap.recursion { ": " (text(recursion, NAME * 2)) }
        }
    }
}

fn item(
    thread: &ThreadReport,
    frame: &FrameReport,
    origins: &Origins<'_>,
    first: Option<(i64, u64)>,
) -> Markup {
    let own = if origins.is_program(frame) { "own" } else { "foreign" };
    let is_first = first == Some((thread.tid, frame.index));
    html! {
        li {
            a class={ "frame " (own) } href={ "#t" (thread.tid) "-f" (frame.index) }
                aria-current=[is_first.then_some("true")] {
                span.index { "#" (frame.index) } " "
                span.name { (visible_text(&called(frame), IN_LIST)) } " "
                span.place { (visible_text(&place(frame), IN_LIST)) }
                @if let Some(mark) = mark(frame) { " " span.mark { (mark) } }
            }
        }
        @for tail in frame.tail_calls.iter().take(8) {
            li.gap {
                (visible_text(&called(tail), IN_LIST)) " "
                span.place { (visible_text(&place(tail), IN_LIST)) } " "
                span.mark { "tail call" }
            }
        }
    }
}

/// The function in a row of them.
pub(super) fn called(frame: &FrameReport) -> String {
    match (frame.kind, name::function(frame, crate::Names::Demangled)) {
        (FrameKind::Signal, _) => "<signal handler called>".to_owned(),
        (_, Some(function)) => name::brief(&function),
        (_, None) => name::code_place(frame),
    }
}

/// File and line, or the module.
pub(super) fn place(frame: &FrameReport) -> String {
    match (&frame.source, &frame.module) {
        (Some(place), _) => name::source(place, &PageOptions::default()),
        (None, Some(module)) => name::base_name(&module.path),
        (None, None) if frame.kind == FrameKind::Signal => String::new(),
        (None, None) => "in no module".to_owned(),
    }
}

/// What is special about a frame, in a word.
pub(super) fn mark(frame: &FrameReport) -> Option<&'static str> {
    match (frame.trust, frame.kind) {
        (FrameTrust::Scan, _) => Some("found by scanning: may not be real"),
        (FrameTrust::Code, FrameKind::Inline) => Some("inlined, by its code"),
        (FrameTrust::Code, _) => Some("by its code"),
        (FrameTrust::FramePointer, FrameKind::Inline) => Some("inlined, by frame pointer"),
        (FrameTrust::FramePointer, _) => Some("by frame pointer"),
        (_, FrameKind::Inline) => Some("inlined"),
        (_, FrameKind::TailCall) => Some("tail call"),
        (_, FrameKind::Normal | FrameKind::Signal) => None,
    }
}

fn panel(
    report: &Report,
    thread: &ThreadReport,
    frame: &FrameReport,
    first: Option<(i64, u64)>,
    budget: &Budget,
) -> Markup {
    let is_first = first == Some((thread.tid, frame.index));
    let function = name::function(frame, crate::Names::Demangled);
    let function = match frame.kind {
        FrameKind::Signal => "<signal handler called>".to_owned(),
        _ => function.unwrap_or_else(|| name::code_place(frame)),
    };
    let id = format!("t{}-f{}", thread.tid, frame.index);
    html! {
        article.panel id=(id) tabindex="-1" data-first[is_first] aria-labelledby={ (id) "-name" } {
            header {
                h4 id={ (id) "-name" } {
                    span.index { "#" (frame.index) } " " code { (visible_text(&function, NAME * 2)) }
                }
                p.where {
                    @if let Some(place) = &frame.source {
                        span.place { (full_place(place)) } " "
                    }
                    @if let Some(module) = &frame.module {
                        span.aside { (visible_text(&name::code_place(frame), NAME)) } " "
                        @if module.offset != frame.pc { span.aside { "pc " (frame.pc) } " " }
                    } @else { span.aside { "pc " (frame.pc) } " " }
                    @if let Some(mark) = mark(frame) { span.mark { (mark) } }
                }
            }
            @if let Some(place) = &frame.source { @if !place.lines.is_empty() { (source(place, budget)) }
                @else if thread.crashed {
                    p.aside { "The source was not found: --source-path DIR says where it is." }
                } }
            (variables("Arguments", &frame.args, budget))
            (variables("Locals", &frame.locals, budget))
            @if frame.args.is_empty() && frame.locals.is_empty() && frame.kind != FrameKind::Signal {
                p.aside { (why_empty(report, thread, frame)) }
            }
            p.again { (command(&again(report, thread, frame))) }
        }
    }
}

fn full_place(place: &obit_report::SourcePlace) -> Markup {
    html! {
        (super::escape::path(&place.file, NAME))
        @if let Some(line) = place.line { ":" (line) }
        @if let Some(column) = place.column.filter(|_| place.line.is_some()) { ":" (column) }
        @if let Some(doubt) = &place.doubt { " " span.doubt { (prose(doubt)) } }
    }
}

/// Why a frame has no variables.
fn why_empty(report: &Report, thread: &ThreadReport, frame: &FrameReport) -> &'static str {
    use obit_report::module::DebugReport;
    let module = frame.module.as_ref();
    let module = module.and_then(|place| report.modules.iter().find(|m| m.path == place.path));
    match module.map(|module| module.debug) {
        Some(DebugReport::Full) if !thread.crashed => {
            "Variables of this thread are not in the report: --locals all reads them."
        }
        Some(DebugReport::Full) => "No arguments and no locals here.",
        _ => "Variables are not known: there is no debug information for this code.",
    }
}

/// The command that shows this frame.
fn again(report: &Report, thread: &ThreadReport, frame: &FrameReport) -> String {
    let core = quoted_core(report);
    let tid = if thread.crashed { String::new() } else { format!(" --thread {}", thread.tid) };
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let names = frame.args.iter().chain(&frame.locals);
    let known = names.filter(|variable| variable.status == obit_report::VariableStatus::Ok);
    let names = known.map(|variable| variable.name.as_str());
    let first = names
        .into_iter()
        .find(|name| !name.is_empty() && name.len() < 64 && name.chars().all(plain));
    match first {
        Some(variable) => {
            let at = if frame.index > 0 { format!(" -f {}", frame.index) } else { String::new() };
            format!("obit print {core} {variable}{at}{tid}")
        }
        None => format!("obit {core}{tid} -v"),
    }
}
