//! The tree of processes while the command runs: each change is answered, so that nothing of
//! it waits for obit longer than a core takes to write.

use std::collections::{HashMap, HashSet, VecDeque};
use std::io;
use std::time::{Duration, Instant};

use libc::c_int;

use super::command::Started;
use super::job::{Job, stops};
use super::recorder::{NoCore, Recorder};
use super::signals::{self, Signals};
use super::tasks::{self, Effect};
use super::timeout::Clock;
use super::wait::{self, Change, Ended, Whose};
use super::{OnExit, Outcome, RunError, RunOptions, Trigger};
use crate::{Held, Tid, ptrace};

/// Changes after which obit's own signals are looked at, even if more changes wait.
const IN_A_ROW: usize = 64;
/// How long other threads of a process wait for its death.
const LONGEST_DEATH: Duration = Duration::from_secs(1);
/// How often to look whether all processes of a tree that was asked to end have.
pub(super) const STEP: Duration = Duration::from_millis(50);

/// Who is traced, and what is under way.
pub(super) struct Tracer<'a> {
    started: Started,
    pub(super) signals: Signals,
    options: &'a RunOptions,
    pub(super) recorder: Recorder<'a>,
    is_traced: bool,
    /// Threads that were seen and have not ended. The id of one that executed a program in the
    /// place of its first thread stays: nothing says that it is gone. So no signal is sent to
    /// an id of these alone.
    tasks: HashSet<Tid>,
    /// Those of them that are known to be the first of their process.
    processes: HashSet<Tid>,
    /// Changes that were seen while a process was held.
    kept: VecDeque<(Tid, Change)>,
    /// Processes that got a signal that ends them, and the thread that got it.
    dying: HashMap<Tid, Tid>,
    /// Other threads of such processes, by the thread that got it. They stay where they were
    /// stopped until they are killed, as they would without obit.
    waiting: HashMap<Tid, (Instant, Vec<(Tid, Change)>)>,
    /// Threads that handled a `SIGSEGV`, with its `siginfo_t`.
    handled: HashMap<Tid, Vec<u8>>,
    pub(super) job: Job,
    pub(super) clock: Clock,
    /// When the tree was killed last.
    pub(super) killed: Option<Instant>,
    ended: Option<Ended>,
    /// This thread, which traces.
    own: Tid,
}

/// The options of ptrace(2) for each thread; children have those of their parents. An event
/// at exit costs each process a stop more.
pub(super) fn options(on_exit: Option<OnExit>) -> c_int {
    let follow = libc::PTRACE_O_TRACEFORK | libc::PTRACE_O_TRACEVFORK | libc::PTRACE_O_TRACECLONE;
    follow | if on_exit.is_some() { libc::PTRACE_O_TRACEEXIT } else { 0 }
}

impl<'a> Tracer<'a> {
    pub(super) fn new(
        started: Started,
        signals: Signals,
        options: &'a RunOptions,
        recorder: Recorder<'a>,
        is_traced: bool,
    ) -> Self {
        Self {
            tasks: HashSet::from([started.process]),
            processes: HashSet::from([started.process]),
            clock: Clock::start(options.timeout),
            killed: None,
            started,
            signals,
            options,
            recorder,
            is_traced,
            kept: VecDeque::new(),
            dying: HashMap::new(),
            waiting: HashMap::new(),
            handled: HashMap::new(),
            job: Job::default(),
            ended: None,
            own: rustix::thread::gettid().as_raw_nonzero().get(),
        }
    }

    /// Until the command has ended.
    pub(super) fn run(mut self) -> Result<Outcome, RunError> {
        loop {
            let is_idle = self.answer_changes().map_err(RunError::Wait)?;
            self.check_clock();
            self.release_overdue();
            self.forward_due();
            self.stop_with_command();
            if let Some(ended) = self.ended.filter(|_| self.is_over(is_idle)) {
                return self.finish(ended);
            }
            let within = if is_idle && self.kept.is_empty() {
                self.time_left()
            } else {
                Some(Duration::ZERO)
            };
            if let Some(arrived) = self.signals.next(within) {
                self.on_signal(arrived);
            }
        }
    }

    fn finish(mut self, ended: Ended) -> Result<Outcome, RunError> {
        self.let_go();
        self.signals.release();
        if let Some(error) = self.started.failure() {
            return Err(error.into());
        }
        let timed_out = self.clock.has_run_out();
        Ok(Outcome { ended, timed_out, excess: self.recorder.into_excess() })
    }

    /// Answers some changes; `true` if there are no more.
    fn answer_changes(&mut self) -> io::Result<bool> {
        for _ in 0..IN_A_ROW {
            let next = match self.next_change() {
                // All have ended, the command too.
                Err(error) if error.raw_os_error() == Some(libc::ECHILD) => None,
                next => next?,
            };
            let Some((tid, change)) = next else { return Ok(true) };
            self.on_change(tid, change);
        }
        Ok(false)
    }

    /// What was kept, or what is new.
    pub(super) fn next_change(&mut self) -> io::Result<Option<(Tid, Change)>> {
        if let Some(kept) = self.kept.pop_front() {
            return Ok(Some(kept));
        }
        let next = wait::next_change(Whose::Own)?;
        if let Some((tid, Change::Stopped { .. })) = next {
            self.see(tid);
        }
        Ok(next)
    }

    /// A thread has just stopped, so it is one of the tree. It may be the first of a process
    /// that was made while the others were killed.
    pub(super) fn see(&mut self, tid: Tid) {
        if self.tasks.insert(tid)
            && matches!(self.clock, Clock::Killed(_))
            && let Some(process) = tasks::process_of(tid)
        {
            let _ = signals::send(process, libc::SIGKILL);
        }
    }

    /// Answers changes until there was none for as long as `quiet`, `longest` is over, or obit
    /// gets a signal.
    pub(super) fn settle(&mut self, quiet: Duration, longest: Duration) {
        let begun = Instant::now();
        let mut since = begun;
        while since.elapsed() < quiet && begun.elapsed() < longest {
            match self.next_change() {
                Ok(Some((tid, change))) => {
                    self.on_change(tid, change);
                    since = Instant::now();
                }
                Ok(None) => match self.signals.next(Some(quiet)) {
                    Some(arrived) if arrived.signal != libc::SIGCHLD => {
                        let is_about_to_stop = self.job.asked.is_some();
                        self.on_signal(arrived);
                        // Else it is the one that has just continued obit.
                        if arrived.signal != libc::SIGCONT || is_about_to_stop {
                            return;
                        }
                    }
                    _ => {}
                },
                Err(_) => return,
            }
        }
    }

    pub(super) fn on_change(&mut self, tid: Tid, change: Change) {
        let (signal, event) = match change {
            Change::Ended(ended) => return self.on_end(tid, ended),
            Change::Stopped { signal, event } => (signal, event),
        };
        self.release(tid);
        match event {
            0 => self.before_signal(tid, signal),
            libc::PTRACE_EVENT_STOP => self.at_stop(tid, signal),
            libc::PTRACE_EVENT_EXIT => self.at_exit(tid),
            libc::PTRACE_EVENT_FORK | libc::PTRACE_EVENT_VFORK => {
                let made = ptrace::event_message(tid).ok();
                self.processes.extend(made.and_then(|made| Tid::try_from(made).ok()));
                resume(tid, 0);
            }
            // A thread was made; it stops by itself, and so does a child.
            _ => resume(tid, 0),
        }
    }

    /// A thread has ended, or a process that was given to obit as the first of its pid
    /// namespace.
    pub(super) fn on_end(&mut self, tid: Tid, ended: Ended) {
        self.release(tid);
        // Its id may belong to another process soon.
        self.kept.retain(|(kept, _)| *kept != tid);
        for (_, others) in self.waiting.values_mut() {
            others.retain(|(other, _)| *other != tid);
        }
        let was_dying = self.dying.remove(&tid).is_some();
        let is_process = self.processes.remove(&tid);
        self.handled.remove(&tid);
        let was_traced = self.tasks.remove(&tid) && self.is_traced;
        if tid == self.started.process {
            self.ended = Some(ended);
        }
        if let Ended::Killed(signal) = ended
            && tasks::dumps_core(signal)
            && was_traced
            && !was_dying
            && is_process
        {
            self.recorder.fail(tid, Trigger::Signal(signal), NoCore::AtOnce);
        }
    }

    /// A thread is in a group-stop, was just made, or was interrupted.
    fn at_stop(&mut self, tid: Tid, signal: c_int) {
        let is_stopped = stops(signal);
        if tid == self.started.process {
            self.job.is_stopped = is_stopped;
        }
        if is_stopped {
            // It may have been killed, or continued, meanwhile.
            let _ = ptrace::listen(tid);
        } else {
            resume(tid, 0);
        }
    }

    fn before_signal(&mut self, tid: Tid, signal: c_int) {
        if signal != libc::SIGCHLD {
            self.note_signal(tid, signal);
        }
        let effect = if tasks::dumps_core(signal) { tasks::effect(tid, signal) } else { None };
        match effect {
            Some(Effect::Fatal) => self.before_fatal(tid, signal),
            Some(Effect::Caught) if signal == libc::SIGSEGV => {
                self.watch_handler(tid);
                resume(tid, signal);
            }
            Some(Effect::Caught | Effect::Ignored) | None => resume(tid, signal),
        }
    }

    fn before_fatal(&mut self, tid: Tid, signal: c_int) {
        let Some(process) = tasks::process_of(tid) else { return resume(tid, signal) };
        // The kernel drops it, unless it is a fault, once nothing traces the process.
        let is_fault = tasks::is_of_fault(signal) && ptrace::sender(tid).is_none();
        if !is_fault && tasks::is_first_of_namespace(process) {
            return resume(tid, signal);
        }
        match self.dying.insert(process, tid) {
            None => {
                let info = ptrace::signal_info(tid).ok();
                let others = self.record(process, tid, Trigger::Signal(signal), info);
                self.waiting.insert(tid, (Instant::now(), others));
                resume(tid, signal);
            }
            // The first process of a pid namespace survives signals while it is traced.
            Some(before) if before == tid => {
                let _ = ptrace::detach(tid, signal);
            }
            Some(_) => resume(tid, signal),
        }
    }

    /// A thread whose stack has no room for the frame of its handler is killed at once, and
    /// stops only at its exit.
    fn watch_handler(&mut self, tid: Tid) {
        let Ok(info) = ptrace::signal_info(tid) else { return };
        let options = options(self.options.on_exit) | libc::PTRACE_O_TRACEEXIT;
        if self.handled.contains_key(&tid) || ptrace::set_options(tid, options).is_ok() {
            self.handled.insert(tid, info);
        }
    }

    fn at_exit(&mut self, tid: Tid) {
        if let Some((process, trigger)) = self.exit_to_record(tid) {
            let info = self.handled.get(&tid).filter(|_| trigger == Trigger::Signal(libc::SIGSEGV));
            let info = info.cloned();
            self.dying.insert(process, tid);
            let others = self.record(process, tid, trigger, info);
            self.handle_later(others);
        }
        resume(tid, 0);
    }

    /// What is to be recorded of a thread that exits.
    fn exit_to_record(&self, tid: Tid) -> Option<(Tid, Trigger)> {
        let status = c_int::try_from(ptrace::event_message(tid).ok()?).ok()?;
        let process = tasks::process_of(tid).filter(|process| !self.dying.contains_key(process))?;
        match Ended::of_status(status) {
            Ended::Killed(libc::SIGSEGV) if self.handled.contains_key(&tid) => {
                Some((process, Trigger::Signal(libc::SIGSEGV)))
            }
            Ended::Killed(_) => None,
            // obit's own child, which could not execute the command.
            Ended::Exited(_) if tid == self.started.process && !self.started.has_executed() => None,
            // The thread ends, and its process goes on.
            Ended::Exited(_) if tid != process && tasks::ends_alone(tid) => None,
            Ended::Exited(status) => {
                let is_wanted = self.options.on_exit.is_some_and(|wanted| wanted.takes(status));
                is_wanted.then_some((process, Trigger::Exit(status)))
            }
        }
    }

    /// Records a process, `first` of whose threads is stopped. Gives the others, which are
    /// stopped then, too.
    fn record(
        &mut self,
        process: Tid,
        first: Tid,
        trigger: Trigger,
        info: Option<Vec<u8>>,
    ) -> Vec<(Tid, Change)> {
        if self.recorder.is_full() {
            self.recorder.count(process, trigger);
            return Vec::new();
        }
        let stopped = self.hold(process, Some(first));
        let others = stopped.iter().map(|(tid, _)| *tid);
        let threads = std::iter::once(first).chain(others).collect();
        let held = match trigger {
            Trigger::Signal(signal) => Held { process, threads, signal, signal_info: info },
            Trigger::Timeout | Trigger::Exit(_) => Held::unharmed(process, threads),
        };
        self.recorder.record(&held, trigger);
        stopped
    }

    /// The thread that was to end its process has ended, or has survived: the others go on.
    fn release(&mut self, first: Tid) {
        if let Some((_, others)) = self.waiting.remove(&first) {
            self.handle_later(others);
        }
    }

    /// A process that nothing is heard of may have survived, as the first one of a pid
    /// namespace does. Threads of one that is dying lose nothing by going on.
    fn release_overdue(&mut self) {
        let is_overdue = |(since, _): &(Instant, Vec<_>)| since.elapsed() >= LONGEST_DEATH;
        let firsts: Vec<_> = self
            .waiting
            .iter()
            .filter(|(_, waiting)| is_overdue(waiting))
            .map(|(first, _)| *first)
            .collect();
        for first in firsts {
            self.release(first);
        }
    }

    /// Keeps what threads stopped for until it can be answered.
    pub(super) fn handle_later(&mut self, stopped: Vec<(Tid, Change)>) {
        self.kept.extend(stopped);
    }

    /// What a thread stopped for, if it waits for an answer.
    pub(super) fn take_kept(&mut self, tid: Tid) -> Option<Change> {
        let at = self.kept.iter().position(|(kept, _)| *kept == tid)?;
        self.kept.remove(at).map(|(_, change)| change)
    }

    /// All go on that wait for the end of another.
    pub(super) fn release_all(&mut self) {
        let waiting: Vec<_> = self.waiting.drain().map(|(_, (_, others))| others).collect();
        for others in waiting {
            self.handle_later(others);
        }
    }

    /// Drops ids of threads that are gone: such an id may belong to another process by now.
    pub(super) fn forget_tasks_of_others(&mut self) {
        let own = self.own;
        self.tasks.retain(|tid| tasks::tracer_of(*tid) == Some(own));
    }

    /// The threads that were seen and have not ended.
    pub(super) fn seen(&self) -> Vec<Tid> {
        self.tasks.iter().copied().collect()
    }

    /// The thread that traces.
    pub(super) fn own(&self) -> Tid {
        self.own
    }

    pub(super) fn await_child(&self, within: Duration) {
        self.signals.await_child(within);
    }

    pub(super) fn is_of_tree(&self, process: Tid) -> bool {
        self.tasks.contains(&process)
    }

    pub(super) fn command(&self) -> Tid {
        self.started.process
    }

    pub(super) fn is_traced(&self) -> bool {
        self.is_traced
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended.is_some()
    }

    pub(super) fn kill_after(&self) -> Duration {
        self.options.kill_after
    }

    /// A tree that hung is waited for as a whole, else a process that hangs would stay.
    fn is_over(&mut self, is_idle: bool) -> bool {
        match self.clock {
            Clock::Unlimited | Clock::Until(_) => true,
            Clock::Killed(end) if Instant::now() >= end => true,
            Clock::Ending(_) | Clock::Killed(_) => is_idle && self.processes().is_empty(),
        }
    }

    fn time_left(&self) -> Option<Duration> {
        let left = self.clock.left();
        let step = if self.clock.has_run_out() {
            Some(STEP)
        } else {
            (!self.waiting.is_empty()).then_some(LONGEST_DEATH)
        };
        left.into_iter().chain(step).chain(self.forward_left()).min()
    }
}

/// Lets a thread go on. It may have been killed meanwhile.
fn resume(tid: Tid, signal: c_int) {
    let _ = ptrace::resume(tid, signal);
}
