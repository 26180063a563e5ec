//! What `obit tasks` answers, in words and redacted.

mod words;

use std::collections::HashMap;
use std::time::Duration;

use super::answer::{
    RuntimeReport, TaskCreated, TaskFrameReport, TaskLocal, TaskReport, TaskStack, TaskWait,
    TasksReport, VerdictReport,
};
use super::{BuildOptions, Judge};
use crate::report::Hex;
use obit_process::process::Process;
use obit_redact::{Named, Origin, Redactor};
use obit_runtime::{Blocker, Created, Kind, Place, Runtime, Task, TaskFrame, Wait, runtimes};

/// The version of this document.
const SCHEMA: &str = "obit.tasks/1";

/// Which tasks are asked for, and how much of each.
#[derive(Clone, Debug)]
pub struct TasksWanted {
    /// Only of these runtimes; of all where it is empty.
    pub runtimes: Vec<String>,
    /// Only in these states; in all where it is empty.
    pub states: Vec<String>,
    /// Only these, by their numbers; all where it is empty.
    pub ids: Vec<u64>,
    /// Those of the runtime itself, too.
    pub of_runtime: bool,
    /// The first of each runtime.
    pub most: usize,
    /// Frames of each: the innermost.
    pub frames: usize,
}

impl Default for TasksWanted {
    fn default() -> Self {
        Self {
            runtimes: Vec::new(),
            states: Vec::new(),
            ids: Vec::new(),
            of_runtime: false,
            most: usize::MAX,
            frames: usize::MAX,
        }
    }
}

impl TasksWanted {
    fn has_runtime(&self, kind: Kind) -> bool {
        self.runtimes.is_empty() || self.runtimes.iter().any(|one| one == words::runtime(kind))
    }

    fn has(&self, task: &Task) -> bool {
        let state = words::state(task.state);
        (self.of_runtime || !task.is_of_runtime || task.crashed)
            && (self.states.is_empty() || self.states.iter().any(|one| one == state))
            && (self.ids.is_empty() || self.ids.contains(&task.id))
    }
}

/// The tasks of the process.
pub fn tasks(process: &Process, options: &BuildOptions, wanted: &TasksWanted) -> TasksReport {
    let mut judge = Judge::new(process, &[], options);
    if let Some(crashed) = process.threads.iter().position(|thread| thread.crashed) {
        judge.learn(crashed);
    }
    tasks_of(process, wanted, judge.redactor())
}

/// The same, as much as `redactor` shows.
pub(crate) fn tasks_of(
    process: &Process,
    wanted: &TasksWanted,
    redactor: &mut Redactor,
) -> TasksReport {
    let found = runtimes(process);
    let found = found.iter().filter(|runtime| wanted.has_runtime(runtime.kind));
    let runtimes = found.map(|found| runtime(process, found, wanted, redactor)).collect();
    TasksReport {
        schema: SCHEMA.to_owned(),
        id: super::id::crash_id(&process.dump),
        policy: redactor.level().word().to_owned(),
        runtimes,
    }
}

fn runtime(
    process: &Process,
    found: &Runtime,
    wanted: &TasksWanted,
    redactor: &mut Redactor,
) -> RuntimeReport {
    let mut stacks = Stacks::default();
    let asked: Vec<&Task> = found.tasks.iter().filter(|task| wanted.has(task)).collect();
    let shown = asked.iter().take(wanted.most);
    let tasks: Vec<TaskReport> =
        shown.map(|task| one(process, task, wanted, &mut stacks, redactor)).collect();
    let omitted = asked.len().saturating_sub(tasks.len()) as u64;
    let verdicts = found.verdicts.iter().map(|verdict| {
        let (kind, tasks, text) = words::verdict(verdict);
        VerdictReport { kind, tasks, text: redactor.show(Origin::OwnWords, &text) }
    });
    RuntimeReport {
        kind: words::runtime(found.kind).to_owned(),
        verdicts: verdicts.collect(),
        version: found.version.as_ref().map(|it| redactor.show(Origin::PackageMetadata, it)),
        total: (found.tasks.len() as u64).saturating_add(found.omitted),
        tasks,
        stacks: stacks.all,
        omitted: omitted.saturating_add(found.omitted),
        notes: found
            .gaps
            .iter()
            .map(|gap| redactor.show(Origin::OwnWords, &words::gap(gap)))
            .collect(),
    }
}

/// Stacks, each once.
#[derive(Default)]
struct Stacks {
    all: Vec<TaskStack>,
    known: HashMap<(Vec<TaskFrameReport>, u64), u64>,
}

impl Stacks {
    fn number(&mut self, stack: TaskStack) -> u64 {
        let next = self.all.len() as u64;
        let number = *self.known.entry((stack.frames.clone(), stack.omitted)).or_insert(next);
        if number == next {
            self.all.push(stack);
        }
        number
    }
}

fn one(
    process: &Process,
    task: &Task,
    wanted: &TasksWanted,
    stacks: &mut Stacks,
    redactor: &mut Redactor,
) -> TaskReport {
    let tid = |index: usize| process.threads.get(index).map(|thread| thread.tid);
    let frames = task.frames.iter().take(wanted.frames);
    let frames: Vec<_> = frames.map(|it| frame(it, redactor)).collect();
    let left_out = task.frames.len().saturating_sub(frames.len()) as u64;
    let omitted = task.frames_omitted.saturating_add(left_out);
    TaskReport {
        id: task.id,
        kind: words::task(task.kind).to_owned(),
        address: Hex(task.address.0),
        name: task.name.as_ref().map(|name| redactor.show(Origin::ThreadName, name)),
        state: words::state(task.state).to_owned(),
        wait: task.wait.as_ref().map(|it| wait(it, &tid, redactor)),
        created: task.created.as_ref().map(|it| created(it, redactor)),
        tid: task.thread.and_then(tid),
        crashed: task.crashed,
        is_of_runtime: task.is_of_runtime,
        stack: stacks.number(TaskStack { frames, omitted }),
        doubts: task.doubts.iter().map(|doubt| (*doubt).to_owned()).collect(),
    }
}

fn wait(wait: &Wait, tid: &dyn Fn(usize) -> Option<i64>, redactor: &mut Redactor) -> TaskWait {
    let milliseconds = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let blockers = wait.blockers.iter();
    TaskWait {
        kind: words::wait(wait.kind).to_owned(),
        reason: redactor.show(Origin::SymbolName, &wait.reason),
        object: wait.object.map(|at| Hex(at.0)),
        since_ms: wait.since.map(milliseconds),
        remaining_ms: wait.remaining.map(milliseconds),
        held_by_tasks: blockers
            .clone()
            .filter_map(|blocker| match blocker {
                Blocker::Task(id) => Some(*id),
                Blocker::Thread(_) => None,
            })
            .collect(),
        held_by_threads: blockers
            .filter_map(|blocker| match blocker {
                Blocker::Thread(index) => tid(*index),
                Blocker::Task(_) => None,
            })
            .collect(),
    }
}

fn created(created: &Created, redactor: &mut Redactor) -> TaskCreated {
    let (file, line) = place(created.place.as_ref(), redactor);
    let function = created.function.as_ref();
    TaskCreated {
        function: function.map(|name| redactor.show(Origin::SymbolName, name)),
        file,
        line,
        by: created.by,
    }
}

fn place(
    place: Option<&Place>,
    redactor: &mut Redactor,
) -> (Option<obit_redact::Shown>, Option<u64>) {
    let file = place.map(|place| redactor.show(Origin::SourcePath, &place.file));
    (file, place.and_then(|place| place.line))
}

fn frame(frame: &TaskFrame, redactor: &mut Redactor) -> TaskFrameReport {
    let (file, line) = place(frame.place.as_ref(), redactor);
    let function = frame.function.as_deref();
    let locals = frame.locals.iter().map(|local| {
        let named = Named { name: &local.name, type_name: None, function, module: None };
        TaskLocal {
            name: redactor.show(Origin::SymbolName, &local.name),
            is_argument: local.is_argument,
            value: redactor.show_value(Origin::VariableText, &named, &local.value),
        }
    });
    TaskFrameReport {
        kind: words::frame(frame.kind).to_owned(),
        locals: locals.collect(),
        function: function.map(|name| redactor.show(Origin::SymbolName, name)),
        file,
        line,
        pc: frame.pc.map(|pc| Hex(redactor.show_word(pc.0))),
    }
}
