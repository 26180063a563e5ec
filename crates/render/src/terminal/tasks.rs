//! What `obit tasks` found, for people: tasks with the same stack and the same wait together.

use std::collections::BTreeMap;
use std::io;

use crate::PageOptions;
use crate::layout::counted;
use crate::name;
use crate::style::Style;
use obit_report::answer::{RuntimeReport, TaskFrameReport, TaskReport, TaskWait, TasksReport};

/// Numbers of tasks that the line of a group names.
const NAMED: usize = 10;

/// Writes each runtime with its tasks.
///
/// # Errors
/// Those of `out`.
pub fn write_tasks(
    out: &mut dyn io::Write,
    found: &TasksReport,
    options: &PageOptions,
) -> io::Result<()> {
    let color = options.color;
    if found.runtimes.is_empty() {
        writeln!(out, "{}", color.paint(Style::Focus, NONE))?;
    }
    for runtime in &found.runtimes {
        writeln!(out, "{}", color.paint(Style::Focus, &heading(runtime)))?;
        for verdict in &runtime.verdicts {
            writeln!(out, "  {}", color.paint(Style::Alarm, &name::shown(&verdict.text)))?;
        }
        for note in &runtime.notes {
            writeln!(out, "  {}", color.paint(Style::Doubt, &name::shown(note)))?;
        }
        for group in groups(runtime) {
            writeln!(out, "\n  {}", color.paint(Style::Place, &group_line(&group)))?;
            for line in group_details(&group) {
                writeln!(out, "    {line}")?;
            }
            let stack = stack_of(runtime, group.first);
            for (at, frame) in stack.iter().enumerate() {
                writeln!(out, "    {}", frame_line(at, frame))?;
                for local in local_lines(frame) {
                    writeln!(out, "        {}", color.paint(Style::Aside, &local))?;
                }
            }
            if let Some(more) = frames_left(runtime, group.first) {
                writeln!(out, "    {}", color.paint(Style::Aside, &more))?;
            }
        }
        if runtime.omitted > 0 {
            let more = format!("\u{2026} {} more; --limit shows more", tasks(runtime.omitted));
            writeln!(out, "\n  {}", color.paint(Style::Aside, &more))?;
        }
    }
    let last = format!("{}  --redact={}", found.id, found.policy);
    writeln!(out, "{}", color.paint(Style::Aside, &crate::visible(&last)))
}

/// What is written where no runtime was found.
pub(crate) const NONE: &str =
    "no runtime with tasks of its own was found; `obit CORE` shows the threads";

/// Tasks that do the same at the same place.
pub(crate) struct Group<'r> {
    pub(crate) first: &'r TaskReport,
    pub(crate) all: Vec<&'r TaskReport>,
}

/// The crashed ones first, then the largest.
pub(crate) fn groups(runtime: &RuntimeReport) -> Vec<Group<'_>> {
    let key = |task: &'_ TaskReport| -> (bool, String, String, String, String, u64) {
        let wait = task.wait.as_ref();
        (
            task.crashed,
            task.kind.clone(),
            task.state.clone(),
            wait.map(|wait| wait.reason.as_str().to_owned()).unwrap_or_default(),
            task.doubts.join(" "),
            task.stack,
        )
    };
    let mut found: BTreeMap<_, Group<'_>> = BTreeMap::new();
    for task in &runtime.tasks {
        let group = found.entry(key(task)).or_insert(Group { first: task, all: Vec::new() });
        group.all.push(task);
    }
    let mut groups: Vec<_> = found.into_values().collect();
    groups.sort_by_key(|group| {
        (!group.first.crashed, std::cmp::Reverse(group.all.len()), group.first.id)
    });
    groups
}

/// `go go1.19.8: 47 goroutines`.
pub(crate) fn heading(runtime: &RuntimeReport) -> String {
    let version = runtime.version.as_ref().map(|version| format!(" {}", name::shown(version)));
    let kind = crate::visible(&runtime.kind);
    format!("{kind}{}: {}", version.unwrap_or_default(), tasks(runtime.total))
}

fn tasks(count: u64) -> String {
    counted(usize::try_from(count).unwrap_or(usize::MAX), "task")
}

/// `29 goroutines, waiting, chan receive: 6, 7, 8, …`.
pub(crate) fn group_line(group: &Group<'_>) -> String {
    let task = group.first;
    let kind = crate::visible(&task.kind).replace('-', " ");
    let what = match group.all.as_slice() {
        [_] => {
            let called = task.name.as_ref().map(|name| format!(" `{}`", name::shown(name)));
            format!("{kind} {}{}", number(task), called.unwrap_or_default())
        }
        all => counted(all.len(), &kind),
    };
    let mut line = format!("{what}, {}", crate::visible(&task.state).replace('-', " "));
    if let Some(wait) = &task.wait {
        line.push_str(&format!(", {}", name::shown(&wait.reason)));
    }
    if let [one] = group.all.as_slice() {
        one.wait.iter().for_each(|wait| line.push_str(&times(wait)));
        one.tid.iter().for_each(|tid| line.push_str(&format!(", on thread {tid}")));
    } else {
        let named: Vec<_> = group.all.iter().take(NAMED).map(|task| number(task)).collect();
        let more = if group.all.len() > NAMED { ", \u{2026}" } else { "" };
        line.push_str(&format!(": {}{more}", named.join(", ")));
    }
    if task.crashed {
        line.push_str(", crashed");
    }
    line
}

/// Its number, or its address where it has none.
fn number(task: &TaskReport) -> String {
    match task.id == task.address.0 {
        true => format!("{:#x}", task.id),
        false => task.id.to_string(),
    }
}

fn times(wait: &TaskWait) -> String {
    let since = wait.since_ms.map(|time| format!(" for {}", seconds(time)));
    let remaining = wait.remaining_ms.map(|time| format!(", {} left", seconds(time)));
    format!("{}{}", since.unwrap_or_default(), remaining.unwrap_or_default())
}

fn seconds(milliseconds: u64) -> String {
    format!("{}.{:03} s", milliseconds / 1000, milliseconds % 1000)
}

/// Who made them, what holds them up, and what may be wrong.
pub(crate) fn group_details(group: &Group<'_>) -> Vec<String> {
    let task = group.first;
    let mut lines = Vec::new();
    if let Some(wait) = &task.wait
        && group.all.len() == 1
    {
        let object = wait.object.map(|at| format!("at {:#x}", at.0));
        let tasks = held_by("task", wait.held_by_tasks.iter().map(ToString::to_string));
        let threads = held_by("thread", wait.held_by_threads.iter().map(ToString::to_string));
        let parts: Vec<_> = object.into_iter().chain(tasks).chain(threads).collect();
        if !parts.is_empty() {
            lines.push(parts.join(", "));
        }
    }
    let same = group.all.iter().all(|other| other.created == task.created);
    if let Some(created) = task.created.as_ref().filter(|_| same) {
        let function = created.function.as_ref().map(|name| format!(" by {}", name::shown(name)));
        let by = created.by.map(|id| format!(" in task {id}"));
        let place = created.file.as_ref().map(|file| {
            let line = created.line.map(|line| format!(":{line}")).unwrap_or_default();
            format!(" at {}{line}", name::shown(file))
        });
        let parts = [function, by, place].map(Option::unwrap_or_default);
        lines.push(format!("created{}", parts.concat()));
    }
    lines.extend(task.doubts.iter().map(|doubt| crate::visible(doubt).into_owned()));
    lines
}

/// `held by task 9, 10`.
fn held_by(what: &str, ids: impl Iterator<Item = String>) -> Option<String> {
    let ids: Vec<String> = ids.collect();
    (!ids.is_empty()).then(|| format!("held by {what} {}", ids.join(", ")))
}

/// The frames of a task.
pub(crate) fn stack_of<'r>(runtime: &'r RuntimeReport, task: &TaskReport) -> &'r [TaskFrameReport] {
    let stack = usize::try_from(task.stack).ok().and_then(|at| runtime.stacks.get(at));
    stack.map_or(&[], |stack| &stack.frames)
}

pub(crate) fn frames_left(runtime: &RuntimeReport, task: &TaskReport) -> Option<String> {
    let stack = usize::try_from(task.stack).ok().and_then(|at| runtime.stacks.get(at))?;
    let more = stack.omitted;
    let more = usize::try_from(more).unwrap_or(usize::MAX);
    (more > 0).then(|| format!("\u{2026} {}", counted(more, "frame")))
}

/// `#1 main.worker at main.go:17`.
pub(crate) fn frame_line(at: usize, frame: &TaskFrameReport) -> String {
    let function = frame.function.as_ref().map_or_else(|| "??".to_owned(), name::shown);
    let place = frame.file.as_ref().map(|file| {
        let line = frame.line.map(|line| format!(":{line}")).unwrap_or_default();
        format!(" at {}{line}", name::shown(file))
    });
    format!("#{at:<2} {function}{}", place.unwrap_or_default())
}

/// `name = value` for each variable of an interpreter's frame.
pub(crate) fn local_lines(frame: &TaskFrameReport) -> Vec<String> {
    let line = |local: &obit_report::answer::TaskLocal| {
        format!("{} = {}", name::shown(&local.name), name::shown(&local.value))
    };
    frame.locals.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::FORMATS;
    use obit_redact::Shown;
    use obit_report::Hex;
    use obit_report::answer::{TaskCreated, TaskStack, VerdictReport};

    fn shown(text: &str) -> Shown {
        Shown::from_report(text.to_owned())
    }

    fn frame(function: &str, line: u64) -> TaskFrameReport {
        TaskFrameReport {
            kind: "native".to_owned(),
            function: Some(shown(function)),
            file: Some(shown("main.go")),
            line: Some(line),
            ..TaskFrameReport::default()
        }
    }

    fn task(id: u64, state: &str, reason: &str, stack: u64) -> TaskReport {
        TaskReport {
            id,
            kind: "goroutine".to_owned(),
            address: Hex(0xc000_0000 + id),
            state: state.to_owned(),
            wait: Some(TaskWait {
                kind: "receive".to_owned(),
                reason: shown(reason),
                since_ms: Some(61_005),
                ..TaskWait::default()
            }),
            created: Some(TaskCreated {
                function: Some(shown("main.main")),
                by: Some(1),
                ..TaskCreated::default()
            }),
            stack,
            ..TaskReport::default()
        }
    }

    fn found() -> TasksReport {
        let mut crashed = task(9, "running", "panic", 1);
        (crashed.crashed, crashed.tid, crashed.wait) = (true, Some(77), None);
        TasksReport {
            id: "obit-1".to_owned(),
            policy: "default".to_owned(),
            runtimes: vec![RuntimeReport {
                kind: "go".to_owned(),
                version: Some(shown("go1.19.8")),
                total: 3,
                tasks: vec![
                    task(6, "waiting", "chan receive", 0),
                    task(7, "waiting", "chan receive", 0),
                    crashed,
                ],
                stacks: vec![
                    TaskStack { frames: vec![frame("main.worker", 17)], omitted: 2 },
                    TaskStack { frames: vec![frame("main.\u{1b}[2Jboom", 30)], omitted: 0 },
                ],
                verdicts: vec![VerdictReport {
                    kind: "never-woken".to_owned(),
                    tasks: vec![6, 7],
                    text: shown("6, 7 wait at what nothing else refers to"),
                }],
                ..RuntimeReport::default()
            }],
            ..TasksReport::default()
        }
    }

    #[test]
    fn tasks_that_do_the_same_are_one_group_and_the_crashed_one_is_first() {
        let mut out = Vec::new();
        write_tasks(&mut out, &found(), &PageOptions::default()).unwrap();
        let expected = "\
go go1.19.8: 3 tasks
  6, 7 wait at what nothing else refers to

  goroutine 9, running, on thread 77, crashed
    created by main.main in task 1
    #0  main.\\x1b[2Jboom at main.go:30

  2 goroutines, waiting, chan receive: 6, 7
    created by main.main in task 1
    #0  main.worker at main.go:17
    \u{2026} 2 frames
obit-1  --redact=default
";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn a_task_alone_says_how_long_it_waits() {
        let runtime = RuntimeReport {
            tasks: vec![task(6, "waiting", "chan receive", 0)],
            ..RuntimeReport::default()
        };
        let groups = groups(&runtime);
        assert_eq!(group_line(&groups[0]), "goroutine 6, waiting, chan receive for 61.005 s");
    }

    #[test]
    fn every_format_that_writes_tasks_has_the_frames_and_no_control_character() {
        let writers = FORMATS.iter().filter_map(|format| Some((format.name, format.tasks()?)));
        let mut names = Vec::new();
        for (name, write) in writers {
            let mut out = Vec::new();
            write(&mut out, &found(), &PageOptions::default()).unwrap();
            let text = String::from_utf8(out).unwrap();
            assert!(text.contains("main.worker"), "{name}: {text}");
            assert!(!text.contains('\u{1b}'), "{name}: {text}");
            names.push(name);
        }
        assert_eq!(names, ["human", "json", "ndjson", "html", "markdown"]);
    }
}
