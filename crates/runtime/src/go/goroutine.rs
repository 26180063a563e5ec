//! One goroutine.

use std::collections::HashMap;

use obit_corefile::addr::Avma;
use obit_corefile::arch::Registers;
use obit_process::process::{ParkedStack, ParkedStacks};
use obit_process::unwind::Left;

use super::frames::{plain, task_frames};
use super::image::GoImage;
use super::layout::Layout;
use super::reasons;
use crate::{Created, Place, State, Task, TaskFrame, TaskKind, Wait};

/// `_Gscan`: the collector looks at its stack.
const SCANNED: u64 = 0x1000;
/// States of a goroutine (`runtime/runtime2.go`).
mod status {
    pub(super) const IDLE: u64 = 0;
    pub(super) const RUNNABLE: u64 = 1;
    pub(super) const RUNNING: u64 = 2;
    pub(super) const SYSCALL: u64 = 3;
    pub(super) const WAITING: u64 = 4;
    pub(super) const DEAD: u64 = 6;
    pub(super) const COPYSTACK: u64 = 8;
    pub(super) const PREEMPTED: u64 = 9;
    pub(super) const LEAKED: u64 = 10;
    pub(super) const DEAD_EXTRA: u64 = 11;
}
/// The goroutines of the runtime itself begin in functions of its package, but for these.
const OF_RUNTIME: &str = "runtime.";
const OF_PROGRAM: [&str; 3] = ["runtime.main", "runtime.handleAsyncEvent", "runtime.corostart"];

/// Reads goroutines; what is known of one serves the next.
pub(super) struct Goroutines<'p, 'i> {
    image: &'i GoImage<'p>,
    layout: Layout,
    reasons: Vec<String>,
    stacks: ParkedStacks<'p>,
    /// Creators by the address of their call.
    creators: HashMap<u64, Option<(String, Option<Place>)>>,
    /// Whether functions that goroutines begin in are of the runtime.
    starts: HashMap<u64, bool>,
}

impl<'p, 'i> Goroutines<'p, 'i> {
    pub(super) fn new(image: &'i GoImage<'p>, layout: Layout, reasons: Vec<String>) -> Self {
        let stacks = image.process.parked_stacks();
        let (creators, starts) = (HashMap::new(), HashMap::new());
        Self { image, layout, reasons, stacks, creators, starts }
    }

    fn number(&self, at: Avma, offset: u64, size: usize) -> Option<u64> {
        let memory = &self.image.process.memory;
        let bytes = memory.read_up_to(Avma(at.0.checked_add(offset)?), size);
        (bytes.len() == size).then(|| memory.unsigned(&bytes))
    }

    fn word(&self, at: Avma, offset: u64) -> Option<u64> {
        self.number(at, offset, 8)
    }

    /// The goroutine at `at`: `Some(None)` if it has ended or has not begun, `None` if its
    /// fields contradict themselves or are not in the core.
    pub(super) fn read(&mut self, at: Avma) -> Option<Option<Task>> {
        let layout = self.layout;
        let status = self.number(at, layout.status, 4)?;
        let is_scanned = status & SCANNED != 0;
        let status = status & !SCANNED;
        let state = match status {
            status::IDLE | status::DEAD | status::DEAD_EXTRA => return Some(None),
            status::RUNNABLE | status::PREEMPTED => State::Runnable,
            status::RUNNING | status::COPYSTACK => State::Running,
            status::SYSCALL => State::InSystemCall,
            status::WAITING | status::LEAKED => State::Waiting,
            _ => return None,
        };
        let of = self.word(at, layout.sched.checked_add(16)?)?;
        let low = self.word(at, layout.stack)?;
        let high = self.word(at, layout.stack.checked_add(8)?)?;
        if of != at.0 || low >= high {
            return None;
        }
        let thread = self.thread(at);
        let mut task = Task {
            id: self.word(at, layout.number)?,
            address: at,
            kind: TaskKind::Goroutine,
            name: None,
            state,
            wait: None,
            created: None,
            thread,
            crashed: false,
            is_of_runtime: self.is_of_runtime(at),
            frames: Vec::new(),
            frames_omitted: 0,
            stack: None,
            doubts: Vec::new(),
        };
        if is_scanned {
            task.doubts.push("the collector was reading its stack");
        }
        match status {
            status::RUNNING => self.running(&mut task, low, high),
            status::COPYSTACK => task.doubts.push("its stack was being moved"),
            _ => self.parked(&mut task, status == status::SYSCALL, low, high),
        }
        if state == State::Waiting {
            task.wait = self.wait(at, &task.frames);
        }
        task.created = self.created(at, task.id);
        Some(Some(task))
    }

    /// The thread whose `m` runs it.
    fn thread(&self, at: Avma) -> Option<usize> {
        let m = Avma(self.word(at, self.layout.m).filter(|m| *m != 0)?);
        if self.word(m, self.layout.current)? != at.0 {
            return None;
        }
        let tid = i64::try_from(self.word(m, self.layout.thread_id)?).ok()?;
        self.image.process.threads.iter().position(|thread| thread.tid == tid)
    }

    /// Its frames among those of the thread that runs it: those on its own stack.
    fn running(&self, task: &mut Task, low: u64, high: u64) {
        let process = self.image.process;
        let thread = task.thread.and_then(|index| process.threads.get(index));
        let Some((thread, facts)) = thread.zip(process.dump.machine.facts()) else {
            task.doubts.push("the thread that runs it is not known");
            return;
        };
        let is_own = |activation: usize| {
            let frame = thread.stack.frames.get(activation);
            let sp = frame.and_then(|frame| frame.registers.get(facts.sp));
            sp.is_some_and(|sp| (low..=high).contains(&sp))
        };
        let own = thread.frames.iter().filter(|frame| is_own(frame.activation));
        let own = own.filter(|frame| frame.kind != obit_process::process::FrameKind::Signal);
        task.frames = task_frames(own);
        task.frames_omitted = thread.omitted.map_or(0, |(count, _)| count as u64);
        if task.frames.is_empty() {
            task.doubts.push("the stack of its thread does not lead to it");
        }
    }

    /// The frames of one that no thread runs, or whose thread is in a system call or in foreign
    /// code.
    fn parked(&mut self, task: &mut Task, is_in_call: bool, low: u64, high: u64) {
        let layout = self.layout;
        let place = |offset: Option<u64>| self.word(task.address, offset?);
        let (sp, pc) = match is_in_call {
            true => (place(Some(layout.syscall_sp)), place(layout.syscall_sp.checked_add(8))),
            false => (place(Some(layout.sched)), place(layout.sched.checked_add(8))),
        };
        let bp = place(layout.sched.checked_add(layout.sched_bp)).filter(|_| !is_in_call);
        let Some((sp, pc)) = sp.zip(pc).filter(|(sp, _)| (low..=high).contains(sp)) else {
            task.doubts.push("where it goes on is not on its stack");
            return;
        };
        let Some(facts) = self.image.process.dump.machine.facts() else { return };
        let mut registers = Registers::default();
        registers.set(facts.sp, Some(sp));
        registers.set(facts.pc, Some(pc));
        registers.set(facts.fp, bp.filter(|bp| *bp != 0));
        // One that has not run yet goes on at the start of its function.
        let is_start = self.image.function_at(Avma(pc)).is_some_and(|(_, into)| into == 0);
        let left = if is_start { Left::Interrupted } else { Left::Called };
        let stack = self.stacks.read(&registers, left);
        task.frames = task_frames(stack.frames.iter());
        task.frames_omitted = omitted(&stack);
        task.stack = Some(stack);
    }

    fn wait(&self, at: Avma, frames: &[TaskFrame]) -> Option<Wait> {
        let number = self.number(at, self.layout.wait_reason, 1)?;
        let reason = self.reasons.get(usize::try_from(number).ok()?).cloned();
        let reason = reason.filter(|reason| !reason.is_empty())?;
        let functions = frames.iter().filter_map(|frame| frame.function.as_deref());
        Some(Wait {
            kind: reasons::kind(&reason, functions),
            object: self.channel(at),
            since: None,
            remaining: None,
            blockers: Vec::new(),
            reason,
        })
    }

    /// The channel that it waits at, where it is one.
    fn channel(&self, at: Avma) -> Option<Avma> {
        let sudog = Avma(self.word(at, self.layout.waiting).filter(|at| *at != 0)?);
        let is_own = self.word(sudog, 0)? == at.0;
        let is_only = self.word(sudog, self.layout.next_waiting)? == 0;
        let channel = self.word(sudog, self.layout.channel)?;
        (is_own && is_only && channel != 0).then_some(Avma(channel))
    }

    fn created(&mut self, at: Avma, number: u64) -> Option<Created> {
        // The runtime made the first itself.
        let pc = self.word(at, self.layout.creator_pc).filter(|pc| *pc != 0 && number != 1)?;
        let by = self.layout.parent.and_then(|offset| self.word(at, offset));
        let known = match self.creators.get(&pc) {
            Some(known) => known.clone(),
            None => {
                let found = self.creator(Left::Called.lookup_pc(Avma(pc)));
                self.creators.insert(pc, found.clone());
                found
            }
        };
        let (function, place) = known?;
        Some(Created { function: Some(function), place, by: by.filter(|by| *by != 0) })
    }

    fn creator(&self, at: Avma) -> Option<(String, Option<Place>)> {
        let modules = &self.image.process.modules;
        let index = modules.index_at(at)?;
        let frames = modules.debug(index)?.frames_at(modules.get(index)?.to_svma(at));
        let innermost = frames.into_iter().next()?;
        let place = innermost
            .location
            .map(|location| Place { file: location.file, line: location.line.map(u64::from) });
        Some((plain(&innermost.function?).to_owned(), place))
    }

    fn is_of_runtime(&mut self, at: Avma) -> bool {
        let Some(start) = self.word(at, self.layout.start_pc) else { return false };
        if let Some(known) = self.starts.get(&start) {
            return *known;
        }
        let name = self.image.function_at(Avma(start)).map(|(name, _)| name);
        let is_own =
            |name: &str| plain(name).starts_with(OF_RUNTIME) && !OF_PROGRAM.contains(&plain(name));
        let found = name.as_deref().is_some_and(is_own);
        self.starts.insert(start, found);
        found
    }
}

fn omitted(stack: &ParkedStack) -> u64 {
    stack.omitted.map_or(0, |(count, _)| count as u64)
}
