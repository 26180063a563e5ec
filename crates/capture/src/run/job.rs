//! Job control: `^Z` stops the command and then obit, `fg` resumes both.
//!
//! The terminal sends its signals to all processes of the foreground. So the command gets
//! `SIGTSTP` as it would without obit, and may handle it as editors do. Once it has stopped, and
//! obit was asked to stop as well, obit stops: its shell shall see a job that is stopped. A
//! command that somebody stops alone does not stop obit, which else could not let it continue.

use std::time::Duration;

use libc::c_int;

use super::signals::{self, Arrived};
use super::tracer::Tracer;

/// How long nothing may happen before all of the foreground counts as stopped.
const QUIET: Duration = Duration::from_millis(20);

/// What is known of stops.
#[derive(Debug, Default)]
pub(super) struct Job {
    /// obit got a stop signal, and has not stopped yet.
    pub(super) is_asked: bool,
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
            libc::SIGCONT => self.job.is_asked = false,
            signal if stops(signal) => self.job.is_asked = true,
            _ => {}
        }
        self.forward(arrived);
    }

    /// Sends the command what was sent to obit alone. What the terminal sends, it sends to
    /// both; and what a process of the tree sends to obit, it sends to its process group.
    fn forward(&self, arrived: Arrived) {
        let Some(sender) = arrived.sender else { return };
        if !self.has_ended() && !self.is_of_tree(sender) {
            // It may be gone by now.
            let _ = signals::send(self.command(), arrived.signal);
        }
    }

    /// Stops obit, if the command has stopped and both were meant.
    pub(super) fn stop_with_command(&mut self) {
        if !(self.job.is_asked && (self.job.is_stopped || !self.is_traced())) {
            return;
        }
        // Others of the foreground are about to stop, and need obit for it.
        self.settle(QUIET);
        if self.has_ended() {
            return;
        }
        self.job.is_asked = false;
        signals::stop_self();
        // Here someone has sent SIGCONT: to all, as shells do, or to obit alone.
        self.settle(QUIET);
        if self.job.is_stopped && !self.has_ended() {
            let _ = signals::send(self.command(), libc::SIGCONT);
        }
    }
}
