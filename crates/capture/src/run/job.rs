//! Job control: `^Z` stops the command and then obit, `fg` resumes both.
//!
//! The terminal sends its signals to all processes of the foreground. So the command gets
//! `SIGTSTP` as it would without obit, and may handle it as editors do. Once it has stopped, and
//! obit was asked to stop as well, obit stops: its shell shall see a job that is stopped. A
//! command that somebody stops alone does not stop obit, which else could not let it continue.

use std::time::{Duration, Instant};

use libc::c_int;

use super::signals::{self, Arrived};
use super::tasks;
use super::tracer::Tracer;
use crate::{Tid, ptrace};

/// How long nothing may happen before all of the foreground counts as stopped.
const QUIET: Duration = Duration::from_millis(20);

/// How long foreground processes that do not become quiet are waited for.
const LONGEST: Duration = Duration::from_millis(100);
/// How long the command may take to stop. One that ignores the signal, or handles it and goes
/// on, does not stop.
const OBEYING: Duration = Duration::from_secs(1);
/// How long a signal to obit may be one that the command got as well, or is about to get.
const TOGETHER: Duration = Duration::from_millis(20);
/// The same of a signal that the command got first: obit may have been busy.
const BEFORE: Duration = Duration::from_millis(100);

/// What is known of stops, and of signals that are passed on.
#[derive(Debug, Default)]
pub(super) struct Job {
    /// When obit got a stop signal, if it has not stopped yet.
    pub(super) asked: Option<Instant>,
    /// Signals that the command got by itself, and their senders.
    got: Vec<(c_int, Tid, Instant)>,
    /// Signals that obit got, which the command will get from it unless it gets them by itself.
    forwarded: Vec<(c_int, Tid, Instant)>,
    /// The command is stopped.
    pub(super) is_stopped: bool,
}

/// Whether a signal's default action is to stop.
pub(super) fn stops(signal: c_int) -> bool {
    matches!(signal, libc::SIGSTOP | libc::SIGTSTP | libc::SIGTTIN | libc::SIGTTOU)
}

impl Tracer<'_> {
    /// What obit does with a signal that it got.
    pub(super) fn on_signal(&mut self, arrived: Arrived) {
        match arrived.signal {
            libc::SIGCHLD => return,
            // Of obit's own writing and computing.
            libc::SIGXFSZ | libc::SIGXCPU => return,
            libc::SIGCONT => self.job.asked = None,
            signal if stops(signal) => self.job.asked = Some(Instant::now()),
            _ => {}
        }
        self.forward(arrived);
    }

    /// Sends the command what was sent to obit alone. What the terminal sends, it sends to
    /// both; and what a process of the tree sends to obit, it sends to its process group.
    ///
    /// What is sent to the process group of both, the command gets by itself at the same time:
    /// the tracer sees it, and nothing is sent again.
    fn forward(&mut self, arrived: Arrived) {
        let Some(sender) = arrived.sender else { return };
        if self.has_ended() || self.is_of_tree(sender) {
            return;
        }
        if !self.is_traced() {
            // It may be gone by now.
            let _ = signals::send(self.command(), arrived.signal);
            return;
        }
        self.job.got.retain(|(.., since)| since.elapsed() < BEFORE);
        if !take(&mut self.job.got, arrived.signal, sender) {
            self.job.forwarded.push((arrived.signal, sender, Instant::now()));
        }
    }

    /// Sends the command the signals that it did not get by itself.
    pub(super) fn forward_due(&mut self) {
        let (due, waiting): (Vec<_>, _) = std::mem::take(&mut self.job.forwarded)
            .into_iter()
            .partition(|(.., since)| since.elapsed() >= TOGETHER);
        self.job.forwarded = waiting;
        for (signal, ..) in due {
            if !self.has_ended() {
                let _ = signals::send(self.command(), signal);
            }
        }
    }

    /// How long until there is something to send.
    pub(super) fn forward_left(&self) -> Option<Duration> {
        let left = |(.., since): &(c_int, Tid, Instant)| TOGETHER.saturating_sub(since.elapsed());
        self.job.forwarded.iter().map(left).min()
    }

    /// A thread is about to get a signal, perhaps one that obit got as well.
    pub(super) fn note_signal(&mut self, tid: Tid, signal: c_int) {
        let Some(sender) = ptrace::sender(tid) else { return };
        let is_command = tid == self.command() || tasks::process_of(tid) == Some(self.command());
        if is_command && !take(&mut self.job.forwarded, signal, sender) {
            self.job.got.retain(|(.., since)| since.elapsed() < BEFORE);
            self.job.got.push((signal, sender, Instant::now()));
        }
    }

    /// Stops obit, if the command has stopped and both were meant.
    pub(super) fn stop_with_command(&mut self) {
        if self.job.asked.is_some_and(|asked| asked.elapsed() > OBEYING) {
            self.job.asked = None;
        }
        if !(self.job.asked.is_some() && (self.job.is_stopped || !self.is_traced())) {
            return;
        }
        // Others of the foreground are about to stop, and need obit for it.
        self.settle(QUIET, LONGEST);
        if self.has_ended() || self.job.asked.is_none() {
            return;
        }
        self.job.asked = None;
        signals::stop_self();
        // Here someone has sent SIGCONT: to all, as shells do, or to obit alone.
        self.settle(QUIET, LONGEST);
        if self.job.is_stopped && !self.has_ended() {
            let _ = signals::send(self.command(), libc::SIGCONT);
        }
    }
}

/// Removes this signal of this sender from the list; whether it was there.
fn take(signals: &mut Vec<(c_int, Tid, Instant)>, signal: c_int, sender: Tid) -> bool {
    let at = signals.iter().position(|(one, by, _)| (*one, *by) == (signal, sender));
    at.map(|at| signals.swap_remove(at)).is_some()
}
