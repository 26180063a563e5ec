//! Stops all threads of a process, and releases them (ptrace(2), `PTRACE_SEIZE`).

use std::collections::HashSet;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, WaitOptions, waitpid};

use super::refused::Refused;
use crate::proc::{self, Stat};
use crate::{Tid, ptrace};

/// Between two looks whether a thread has stopped: most do within a few microseconds.
const SHORTEST_WAIT: Duration = Duration::from_micros(20);
const LONGEST_WAIT: Duration = Duration::from_millis(2);
/// Time for a thread that waits in the kernel and cannot be interrupted (state `D`): one that
/// reads from a disk is back sooner, and the others are stopped meanwhile.
const WAIT_IN_KERNEL: Duration = Duration::from_millis(200);
/// `PTRACE_EVENT_STOP`, in the upper half of a wait status.
const EVENT_STOP: i32 = 128;

/// A thread that is traced.
#[derive(Debug)]
struct Traced {
    thread: Tid,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Asked to stop.
    Asked,
    /// In a ptrace-stop. The signal, unless it is 0, was about to be delivered.
    Stopped(i32),
    Gone,
}

/// A process whose threads are in ptrace-stops of the calling thread; dropping releases them.
#[derive(Debug)]
pub(super) struct Stopped {
    process: Tid,
    all: Vec<Traced>,
}

impl Stopped {
    /// Stops all threads of `process`, those that are made meanwhile, too. A thread that has not
    /// stopped at `deadline` is left out.
    pub(super) fn all(process: Tid, deadline: Instant) -> Result<Self, Refused> {
        let mut stopped = Self { process, all: Vec::new() };
        // Threads that run may make others: until a look finds no new one.
        while stopped.ask_new()? && Instant::now() < deadline {
            stopped.wait(deadline);
        }
        if stopped.threads().is_empty() {
            return Err(stopped.why_none());
        }
        Ok(stopped)
    }

    /// Asks threads to stop that were not asked yet; whether there were any.
    fn ask_new(&mut self) -> Result<bool, Refused> {
        let known: HashSet<Tid> = self.all.iter().map(|traced| traced.thread).collect();
        let threads =
            proc::threads(self.process).map_err(|error| Refused::because(self.process, &error))?;
        let mut is_new = false;
        for thread in threads.into_iter().filter(|thread| !known.contains(thread)) {
            let asked = ptrace::seize(thread, 0).and_then(|()| ptrace::interrupt(thread));
            match asked {
                Ok(()) => {
                    self.all.push(Traced { thread, state: State::Asked });
                    is_new = true;
                }
                // Ended meanwhile; the first may have ended long before the others.
                Err(_) if thread != self.process || is_over(thread) => {}
                Err(error) => return Err(Refused::because(self.process, &error)),
            }
        }
        Ok(is_new)
    }

    /// Waits until all have stopped or are gone, or until `deadline`.
    fn wait(&mut self, deadline: Instant) {
        let begin = Instant::now();
        let mut pause = SHORTEST_WAIT;
        loop {
            for traced in self.all.iter_mut().filter(|traced| traced.state == State::Asked) {
                traced.look();
            }
            let is_done = self.all.iter().all(|traced| traced.state != State::Asked);
            if is_done || Instant::now() >= deadline {
                return;
            }
            if begin.elapsed() > WAIT_IN_KERNEL && self.only_waits_in_kernel() {
                return;
            }
            thread::sleep(pause);
            pause = pause.saturating_mul(2).min(LONGEST_WAIT);
        }
    }

    /// Whether the threads that have not stopped are in waits that nothing interrupts.
    fn only_waits_in_kernel(&self) -> bool {
        let mut asked = self.all.iter().filter(|traced| traced.state == State::Asked);
        asked.all(|traced| Stat::of(traced.thread).is_ok_and(|stat| stat.state == b'D'))
    }

    /// The threads that are stopped, the leader first if it is among them.
    pub(super) fn threads(&self) -> Vec<Tid> {
        let is_stopped = |traced: &&Traced| matches!(traced.state, State::Stopped(_));
        let mut threads: Vec<_> =
            self.all.iter().filter(is_stopped).map(|traced| traced.thread).collect();
        threads.sort_by_key(|thread| *thread != self.process);
        threads
    }

    /// Those that did not stop in time.
    pub(super) fn missing(&self) -> Vec<Tid> {
        let missing = self.all.iter().filter(|traced| traced.state == State::Asked);
        missing.map(|traced| traced.thread).collect()
    }

    fn why_none(&self) -> Refused {
        match self.all.iter().any(|traced| traced.state == State::Asked) {
            true => Refused::DoesNotStop(self.process),
            false => Refused::Exited(self.process),
        }
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        for traced in &self.all {
            if let State::Stopped(signal) = traced.state {
                // It fails only if the thread was killed.
                let _ = ptrace::detach(traced.thread, signal);
            }
        }
    }
}

/// Whether the thread has ended, and is kept for the others of its process.
fn is_over(thread: Tid) -> bool {
    Stat::of(thread).is_ok_and(|stat| matches!(stat.state, b'Z' | b'X'))
}

impl Traced {
    /// Whether it has stopped by now.
    fn look(&mut self) {
        let options = libc::__WALL | libc::WNOHANG;
        let options = WaitOptions::from_bits_retain(options.cast_unsigned());
        match waitpid(Pid::from_raw(self.thread), options).map_err(io::Error::from) {
            Ok(None) => {}
            Ok(Some((_, status))) => {
                let raw = status.as_raw();
                self.state = match status.stopping_signal() {
                    // Asked to stop, or stopped before by job control, which goes on by itself.
                    Some(_) if raw >> 16 == EVENT_STOP => State::Stopped(0),
                    Some(signal) => State::Stopped(signal),
                    None => State::Gone,
                };
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // ECHILD: it ended, and its own parent has heard of it.
            Err(_) => self.state = State::Gone,
        }
    }
}
