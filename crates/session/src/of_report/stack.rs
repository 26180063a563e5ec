//! Frames, and threads that do the same.

use std::collections::BTreeMap;

use obit_redact::Shown;
use obit_report::{FrameKind, FrameReport, FrameTrust, Report, ThreadReport};

use super::{blame_place, cut};
use crate::answer::{Frame, StackAnswer, ThreadGroup};
use crate::handle::FrameHandle;
use crate::page::page;

/// Characters of a name.
const LONGEST: usize = 200;
/// Functions of a group's stack, and threads that are listed by id.
const FUNCTIONS: usize = 8;
const THREADS: usize = 8;

/// Frames of thread `wanted`, or of the one to blame; `None` where there is no such thread.
pub fn stack(report: &Report, wanted: Option<i64>, from: u64, most: u64) -> Option<StackAnswer> {
    let thread = match wanted {
        Some(tid) => report.threads.iter().find(|thread| thread.tid == tid)?,
        None => report.thread_to_blame()?,
    };
    let blame = blame_place(report);
    let frames = thread.frames.iter().map(|frame| one(thread, frame, blame)).collect();
    let page = page(frames, from, most);
    let omitted = thread.truncated.as_ref().map(|truncated| {
        let recursion = truncated.recursion.as_ref().map(|text| format!("; {}", text.as_str()));
        Shown::from_report(format!(
            "{} of {} physical frames are shown{}",
            truncated.shown,
            truncated.frames_total,
            recursion.unwrap_or_default()
        ))
    });
    Some(StackAnswer {
        thread: Some(thread.tid),
        name: thread.name.clone(),
        crashed: thread.crashed,
        frames: page.items,
        total: page.total,
        omitted,
        next_cursor: page.next.map(|next| next.to_string()),
        ..StackAnswer::default()
    })
}

fn one(thread: &ThreadReport, frame: &FrameReport, blame: Option<(i64, u64)>) -> Frame {
    let source = frame.source.as_ref();
    let kind = match frame.kind {
        FrameKind::Normal => None,
        FrameKind::Inline => Some("inline"),
        FrameKind::Signal => Some("signal"),
        FrameKind::TailCall => Some("tailcall"),
    };
    let is_certain = matches!(frame.trust, FrameTrust::Context | FrameTrust::Cfi);
    let module = frame.module.as_ref().filter(|_| source.is_none());
    Frame {
        frame: FrameHandle { thread: thread.tid, frame: frame.index }.to_string(),
        function: frame.function.as_ref().map(|name| cut(name, LONGEST)),
        file: source.map(|source| source.file.clone()),
        line: source.and_then(|source| source.line),
        module: module.map(|module| module.path.clone()),
        kind: kind.map(str::to_owned),
        doubt: (!is_certain).then(|| frame.trust.word().to_owned()),
        blame: blame == Some((thread.tid, frame.index)),
    }
}

/// Threads with the same functions on their stacks, the largest groups behind the crashed one.
pub fn groups(report: &Report, matching: Option<&str>, from: u64, most: u64) -> StackAnswer {
    let mut groups: BTreeMap<Vec<&str>, Vec<&ThreadReport>> = BTreeMap::new();
    for thread in report.threads.iter().filter(|thread| is_match(thread, matching)) {
        groups.entry(functions(thread).collect()).or_default().push(thread);
    }
    let mut groups: Vec<ThreadGroup> = groups.into_values().filter_map(|all| group(&all)).collect();
    groups.sort_by_key(|group| (!group.crashed, std::cmp::Reverse(group.count)));
    let page = page(groups, from, most);
    StackAnswer {
        groups: page.items,
        total: page.total,
        next_cursor: page.next.map(|next| next.to_string()),
        ..StackAnswer::default()
    }
}

fn group(all: &[&ThreadReport]) -> Option<ThreadGroup> {
    let first = all.first()?;
    let name = |name: &str| cut(&Shown::from_report(name.to_owned()), LONGEST);
    Some(ThreadGroup {
        count: all.len() as u64,
        threads: all.iter().take(THREADS).map(|thread| thread.tid).collect(),
        name: first.name.clone(),
        crashed: all.iter().any(|thread| thread.crashed),
        stack: functions(first).take(FUNCTIONS).map(name).collect(),
    })
}

fn functions(thread: &ThreadReport) -> impl Iterator<Item = &str> {
    thread.frames.iter().map(|frame| frame.function.as_ref().map_or("??", Shown::as_str))
}

fn is_match(thread: &ThreadReport, matching: Option<&str>) -> bool {
    let Some(text) = matching else { return true };
    thread.tid.to_string() == text
        || thread.name.as_ref().is_some_and(|name| name.as_str().contains(text))
        || functions(thread).any(|function| function.contains(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thread(tid: i64, functions: &[&'static str]) -> ThreadReport {
        let frames = functions.iter().zip(0..).map(|(name, index)| FrameReport {
            index,
            function: Some(Shown::own(name)),
            ..FrameReport::default()
        });
        ThreadReport { tid, frames: frames.collect(), ..ThreadReport::default() }
    }

    #[test]
    fn threads_with_one_stack_are_one_group_and_the_crashed_one_is_first() {
        let mut crashed = thread(9, &["walk", "main"]);
        crashed.crashed = true;
        let threads = vec![thread(1, &["wait"]), thread(2, &["wait"]), crashed];
        let report = Report { threads, ..Report::default() };
        let found = groups(&report, None, 0, 10);
        assert_eq!(found.total, 2);
        assert!(found.groups[0].crashed);
        assert_eq!((found.groups[1].count, &found.groups[1].threads[..]), (2, &[1, 2][..]));
        assert_eq!(groups(&report, Some("wai"), 0, 10).total, 1);
        assert_eq!(groups(&report, Some("9"), 0, 10).total, 1);
        assert_eq!(groups(&report, None, 0, 1).next_cursor.as_deref(), Some("1"));
    }

    #[test]
    fn frames_are_paged_and_an_unknown_thread_has_none() {
        let report = Report { threads: vec![thread(1, &["a", "b", "c"])], ..Report::default() };
        let found = stack(&report, Some(1), 1, 1).unwrap();
        assert_eq!((found.total, found.next_cursor.as_deref()), (3, Some("2")));
        assert_eq!(found.frames[0].frame, "1/1");
        assert!(stack(&report, Some(2), 0, 1).is_none());
    }
}
