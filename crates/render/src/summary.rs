//! A crash in a sentence, for every outlet that has room for no more.

use super::name;
use super::visible::visible;
use obit_report::{Blame, FrameReport, Report, SourcePlace, ThreadReport};
use obit_triage::views::headline as headline_of;

/// The crash in a sentence: `NULL pointer read: …`, without a full stop.
pub(super) fn sentence(report: &Report) -> String {
    let Some(cause) = &report.cause else { return signal(report) };
    let title = name::shown(&cause.title);
    let detail = cause.explanation.as_ref().or(cause.message.as_ref()).map(name::shown);
    match detail {
        Some(detail) if !detail.is_empty() => format!("{title}: {detail}"),
        _ => title,
    }
}

/// The title of the crash, as lists of groups show it.
pub(super) fn headline(report: &Report) -> String {
    match &report.cause {
        Some(cause) => visible(&headline_of(cause, report.signature.as_ref())).into_owned(),
        None => signal(report),
    }
}

/// `SIGSEGV`, or that there was none.
pub(super) fn signal(report: &Report) -> String {
    let signal = report.signal.as_ref().map(|signal| visible(&signal.name).into_owned());
    signal.unwrap_or_else(|| "no signal on record".to_owned())
}

/// `SIGSEGV (null-read)`.
pub(super) fn kind(report: &Report) -> String {
    match class(report) {
        Some(class) => format!("{} ({class})", signal(report)),
        None => signal(report),
    }
}

/// The word of the catalogue.
pub(super) fn class(report: &Report) -> Option<String> {
    report.cause.as_ref().map(|cause| visible(&cause.class).into_owned())
}

/// The program's name.
pub(super) fn program(report: &Report) -> Option<String> {
    let exe = report.process.exe.as_ref().map(name::base_name);
    exe.or_else(|| report.process.comm.as_ref().map(name::shown))
}

/// Where to look first: the frame to blame, else the innermost with a line.
#[derive(Clone, Debug, Default)]
pub(super) struct Location<'r> {
    pub(super) function: Option<String>,
    pub(super) source: Option<&'r SourcePlace>,
    /// The thread and the frame, if one stands for the place.
    pub(super) frame: Option<(&'r ThreadReport, &'r FrameReport)>,
}

impl<'r> Location<'r> {
    pub(super) fn of(report: &'r Report) -> Self {
        let blame = report.cause.as_ref().and_then(|cause| cause.blame.as_ref());
        if let Some(blame) = blame {
            return Self {
                function: blame.function.as_ref().map(name::shown),
                source: blame.source.as_ref(),
                frame: blamed(report, blame),
            };
        }
        let Some(thread) = report.crashed_thread() else { return Self::default() };
        let has_line =
            |frame: &&FrameReport| frame.source.as_ref().is_some_and(|s| s.line.is_some());
        let frame = thread.frames.iter().find(has_line).or(thread.frames.first());
        let Some(frame) = frame else { return Self::default() };
        Self {
            function: name::function(frame, super::Names::Demangled),
            source: frame.source.as_ref(),
            frame: Some((thread, frame)),
        }
    }

    /// `walk at t.cc:10`.
    pub(super) fn text(&self) -> Option<String> {
        let source = self.source.map(|place| name::source(place, &super::PageOptions::default()));
        let function = self.function.as_deref().map(name::brief);
        match (function, source) {
            (Some(function), Some(source)) => Some(format!("{function} at {source}")),
            (Some(one), None) | (None, Some(one)) => Some(one),
            (None, None) => self.frame.map(|(_, frame)| name::code_place(frame)),
        }
    }
}

/// The thread and frame that `blame` names.
pub(super) fn blamed<'r>(
    report: &'r Report,
    blame: &Blame,
) -> Option<(&'r ThreadReport, &'r FrameReport)> {
    let thread = match blame.thread {
        Some(tid) => report.threads.iter().find(|thread| thread.tid == tid),
        None => report.crashed_thread(),
    }?;
    let frame = thread.frames.iter().find(|frame| Some(frame.index) == blame.frame)?;
    Some((thread, frame))
}
