//! From the cells of tokio to tasks as all runtimes have them.

use std::collections::{HashMap, HashSet};

use super::cells::{Cell, Cells, from};
use super::chain::{Chains, End, MOST_BRANCHES};
use super::ended;
use super::names;
use super::running;
use super::search::Search;
use super::spot::{Reader, Spot, plain};
use super::timers::Now;
use super::waits;
use crate::model::{Created, Place, State, Task, TaskFrame, TaskFrameKind, TaskKind};
use obit_corefile::addr::Avma;

/// The bits of tokio's state that say what a task does.
const RUNNING: u64 = 0b001;
const COMPLETE: u64 = 0b010;
const NOTIFIED: u64 = 0b100;
/// Tasks, and futures within them, that are read in all.
const MOST_TASKS: usize = 1 << 19;
/// Futures that poll several, within one another.
const DEEPEST: usize = 8;
/// A future of the program holds the one that it is seen to wait for.
const MAY_WAIT_BESIDES: &str =
    "it awaits by a type that is not known, which may wait for something else besides";
/// Objects that are looked at in search of handles.
const MOST_FOR_HANDLES: usize = 1 << 15;
/// Bytes of the path in a place where a task was spawned.
const LONGEST_PATH: u64 = 4096;

pub(super) struct Builder<'r, 'p> {
    reader: &'r Reader<'p>,
    chains: Chains<'r, 'p>,
    now: Option<Now>,
    current: &'r HashMap<u64, usize>,
    pub(super) tasks: Vec<Task>,
    pub(super) omitted: u64,
    /// Tasks of which the future is not known.
    pub(super) unnamed: u64,
    blocked_on: HashSet<(usize, Avma)>,
}

impl<'r, 'p> Builder<'r, 'p> {
    pub(super) fn new(
        reader: &'r Reader<'p>,
        now: Option<Now>,
        current: &'r HashMap<u64, usize>,
    ) -> Self {
        Self {
            reader,
            chains: Chains::new(reader),
            now,
            current,
            tasks: Vec::new(),
            omitted: 0,
            unnamed: 0,
            blocked_on: HashSet::new(),
        }
    }

    /// Adds a task of one of tokio's lists.
    pub(super) fn add(&mut self, cells: &mut Cells<'_, 'p>, cell: &Cell<'p>) {
        let mut task = empty(cell.id.unwrap_or(cell.at.0), cell.at, TaskKind::TokioTask);
        task.state = match cell.state {
            state if state & COMPLETE != 0 => State::Ended,
            state if state & RUNNING != 0 => State::Running,
            state if state & NOTIFIED != 0 => State::Runnable,
            _ => State::Waiting,
        };
        let Some(layout) = &cell.layout else {
            self.unnamed = self.unnamed.saturating_add(1);
            task.doubts.push("its future is not described by the debug information");
            self.keep(task);
            return;
        };
        task.created = layout.spawned_at.and_then(|at| self.spawned_at(from(at, cell.at)?));
        if task.state == State::Running {
            let thread = self.current.get(&task.id).copied();
            task.thread = thread;
            let running = thread.and_then(|at| self.reader.process.threads.get(at));
            match running {
                Some(thread) => {
                    task.frames = running::frames(thread);
                    task.crashed = thread.crashed;
                }
                None => task.doubts.push("the thread that runs it is not known"),
            }
            self.keep(task);
            return;
        }
        let stage = layout.stage(cell.at);
        let future = stage.and_then(|stage| self.future(stage));
        match future {
            Some(future) => self.follow(cells, task, future, DEEPEST),
            None => {
                if task.state != State::Ended {
                    task.doubts.push("it is not complete, and its future is gone");
                }
                self.push_type(&mut task, layout.future.name().to_string());
                self.keep(task);
            }
        }
    }

    /// Adds the future that a thread blocks on in frame number `frame`: most often that of `main`.
    pub(super) fn add_blocked_on(
        &mut self,
        cells: &mut Cells<'_, 'p>,
        thread: usize,
        frame: usize,
        future: Spot<'p>,
    ) {
        let Some(runs) = self.reader.process.threads.get(thread) else { return };
        let mut at = future;
        // The variable is the future, or a pinned reference to it.
        for _ in 0..8 {
            let ty = plain(at.ty);
            if at.target().is_some() {
                let Some(target) = self.reader.pointee(at) else { return };
                at = target;
            } else if ty.name().starts_with("core::pin::Pin<") {
                let Some((_, inner)) = self.reader.fields(at).into_iter().next() else { return };
                at = inner;
            } else {
                break;
            }
        }
        if self.blocked_on.iter().any(|(known, _)| *known == thread) {
            return;
        }
        let mut task = empty(at.at.0, at.at, TaskKind::Future);
        task.name = Some("block_on".to_owned());
        task.thread = Some(thread);
        if running::polls_its_own(runs, frame) {
            task.state = State::Running;
            task.crashed = runs.crashed;
            task.frames = running::frames_within(runs, frame);
            self.blocked_on.insert((thread, at.at));
            self.keep(task);
            return;
        }
        let chain = self.chains.follow(at);
        let is_whole = chain.frames.first().is_some_and(|frame| frame.place.is_some())
            || matches!(chain.end, End::Leaf(_) | End::Branches(..));
        // A variable that is not set up yet, or no longer: another frame may have it.
        if !is_whole || matches!(chain.end, End::NotStarted | End::Returned | End::Panicked) {
            return;
        }
        self.blocked_on.insert((thread, at.at));
        task.state = State::Waiting;
        self.follow(cells, task, at, DEEPEST);
    }

    /// Adds a future that a thread blocks on and of which only the type is known, by the name of
    /// the function that blocks: optimised code has no variable for it.
    pub(super) fn add_lost(&mut self, thread: usize) {
        if self.blocked_on.iter().any(|(known, _)| *known == thread) {
            return;
        }
        let Some(runs) = self.reader.process.threads.get(thread) else { return };
        let mut functions = runs.frames.iter().filter_map(|frame| frame.function.as_deref());
        let future = functions.find_map(names::future_blocked_on);
        let (Some(future), Some(outer)) = (future, running::block_on(runs)) else { return };
        let mut task = empty(thread as u64, Avma(0), TaskKind::Future);
        task.name = Some("block_on".to_owned());
        task.thread = Some(thread);
        if running::polls_its_own(runs, outer) {
            task.state = State::Running;
            task.crashed = runs.crashed;
            task.frames = running::frames_within(runs, outer);
        } else {
            task.doubts.push("optimised code does not say where this future lies");
            self.push_type(&mut task, names::of_async(future, None));
        }
        self.keep(task);
    }

    /// Adds what threads of the pool for blocking work run.
    pub(super) fn add_blocking(&mut self) {
        let known: HashSet<u64> = self.tasks.iter().map(|task| task.id).collect();
        let mut blocking: Vec<(u64, usize)> =
            self.current.iter().map(|(id, thread)| (*id, *thread)).collect();
        blocking.sort_unstable();
        for (id, at) in blocking.into_iter().filter(|(id, _)| !known.contains(id)) {
            let Some(thread) = self.reader.process.threads.get(at) else { continue };
            if !running::is_blocking(thread) {
                continue;
            }
            let mut task = empty(id, Avma(id), TaskKind::TokioTask);
            task.is_of_runtime = running::is_worker(thread);
            let name = if task.is_of_runtime { "worker" } else { "spawn_blocking" };
            task.name = Some(name.to_owned());
            task.state = State::Running;
            task.thread = Some(at);
            task.crashed = thread.crashed;
            task.frames = running::frames(thread);
            self.keep(task);
        }
    }

    /// Adds the tasks that have ended and whose result nothing has asked for yet, by the handles in
    /// futures. The runtime does not list them any more.
    pub(super) fn add_ended(&mut self, cells: &mut Cells<'_, 'p>, futures: &[Spot<'p>]) {
        let mut handles = Vec::new();
        let mut search = Search::new(self.reader, MOST_FOR_HANDLES);
        for future in futures {
            search.from(*future, |spot, name| {
                let is_handle = name.starts_with("tokio::runtime::task::join::JoinHandle<");
                if is_handle {
                    handles.push(spot);
                }
                is_handle || name.starts_with("tokio::runtime::")
            });
        }
        let mut known: HashSet<u64> = self.tasks.iter().map(|task| task.address.0).collect();
        for handle in handles {
            let Some(cell) = waits::joined_cell(self.reader, cells, handle) else { continue };
            if cell.state & COMPLETE == 0 || !known.insert(cell.at.0) {
                continue;
            }
            let mut task = empty(cell.id.unwrap_or(cell.at.0), cell.at, TaskKind::TokioTask);
            task.state = State::Ended;
            let Some(layout) = &cell.layout else { continue };
            self.push_type(&mut task, names::of_async(&layout.future.name(), None));
            let stage = layout.stage(cell.at);
            if let Some(frame) = task.frames.first_mut() {
                frame.locals.extend(stage.and_then(|stage| ended::failure(self.reader, stage)));
            }
            self.keep(task);
        }
    }

    /// Futures of tasks that may hold handles of others.
    pub(super) fn future_of(&self, cell: &Cell<'p>) -> Option<Spot<'p>> {
        self.future(cell.layout.as_ref()?.stage(cell.at)?)
    }

    /// Fills in `task` by its future, and adds it and what it polls besides others.
    fn follow(&mut self, cells: &mut Cells<'_, 'p>, task: Task, future: Spot<'p>, depth: usize) {
        let mut task = task;
        let chain = self.chains.follow(future);
        if task.state != State::Ended {
            task.wait = waits::wait(self.reader, cells, &chain, self.now);
        }
        match chain.end {
            End::Returned | End::Panicked => task.state = State::Ended,
            End::NotStarted if task.state == State::Waiting && chain.frames.len() == 1 => {
                task.doubts.push("it was never polled, and nothing has scheduled it");
            }
            _ => {}
        }
        if chain.is_cut {
            task.doubts.push("its chain of awaits does not end");
        }
        let until = task.wait.as_ref().and_then(|wait| wait.remaining);
        if chain.timeout.is_some() && until.is_none() {
            task.doubts.push("a timeout ends its wait, and when is not known");
        }
        if !chain.is_exact {
            task.doubts.push(MAY_WAIT_BESIDES);
        }
        if matches!(&chain.end, End::Branches(branches, _) if branches.len() >= MOST_BRANCHES) {
            task.doubts.push("it polls more futures than are shown");
        }
        task.frames = chain.frames;
        if task.frames.is_empty() {
            self.push_type(&mut task, future.name().to_string());
        }
        let by = task.id;
        self.keep(task);
        let End::Branches(branches, _) = chain.end else { return };
        let Some(deeper) = depth.checked_sub(1) else { return };
        for branch in branches {
            if self.tasks.len() >= MOST_TASKS {
                self.omitted = self.omitted.saturating_add(1);
                continue;
            }
            let mut task = empty(branch.at.0, branch.at, TaskKind::Future);
            task.state = State::Waiting;
            task.created = Some(Created { function: None, place: None, by: Some(by) });
            self.follow(cells, task, branch, deeper);
        }
    }

    /// The future of a stage that is not finished.
    fn future(&self, stage: Spot<'p>) -> Option<Spot<'p>> {
        let active = self.reader.active(stage)?.first()?;
        let running = stage.member(active)?;
        let named = plain(running.ty).get().name.clone().or_else(|| active.name.clone())?;
        if !named.starts_with("Running") {
            return None;
        }
        let members = self.reader.fields(running).into_iter();
        members.map(|(_, future)| future).next()
    }

    /// A `core::panic::Location`.
    fn spawned_at(&self, spot: Spot<'p>) -> Option<Created> {
        let reader = self.reader;
        let location = reader.pointee(spot.pointer_here()?)?;
        let names = ["filename", "file", "file_bytes_with_nul"];
        let file = names.iter().find_map(|name| reader.field(location, name))?;
        let file = reader
            .text(file, LONGEST_PATH)
            .or_else(|| reader.text(reader.fields(file).first()?.1, LONGEST_PATH))?;
        let line = reader.unsigned(reader.field(location, "line")?.at, 4);
        let place = Some(Place { file, line });
        Some(Created { function: None, place, by: None })
    }

    fn push_type(&self, task: &mut Task, name: String) {
        task.frames.push(TaskFrame {
            kind: TaskFrameKind::Await,
            function: Some(name),
            pc: None,
            place: None,
            physical: None,
            locals: Vec::new(),
        });
    }

    fn keep(&mut self, task: Task) {
        match self.tasks.len() < MOST_TASKS {
            true => self.tasks.push(task),
            false => self.omitted = self.omitted.saturating_add(1),
        }
    }
}

/// A task of which nothing is known yet.
pub(super) fn empty(id: u64, address: Avma, kind: TaskKind) -> Task {
    Task {
        id,
        address,
        kind,
        name: None,
        state: State::Unknown,
        wait: None,
        created: None,
        thread: None,
        crashed: false,
        is_of_runtime: false,
        frames: Vec::new(),
        frames_omitted: 0,
        stack: None,
        doubts: Vec::new(),
    }
}
