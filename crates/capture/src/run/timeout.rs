//! The end of a command that takes too long: all processes of its tree are stopped and
//! recorded, then asked to end, then killed.

use std::time::{Duration, Instant};

use super::recorder::NoCore;
use super::signals;
use super::tasks;
use super::tracer::{STEP, Tracer};
use super::{Event, Trigger};
use crate::{Held, Tid};

/// How long killed processes are waited for: some wait for a device that does not answer.
const LAST: Duration = Duration::from_secs(5);

/// How far the time has gone.
#[derive(Clone, Copy, Debug)]
pub(super) enum Clock {
    /// The command may run as long as it likes.
    Unlimited,
    /// It hangs if it runs at this time.
    Until(Instant),
    /// It was asked to end, and is killed at this time.
    Ending(Instant),
    /// It was killed, and is waited for until this time.
    Killed(Instant),
}

impl Clock {
    pub(super) fn start(timeout: Option<Duration>) -> Self {
        let end = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        end.map_or(Self::Unlimited, Self::Until)
    }

    /// Whether the time was over.
    pub(super) fn has_run_out(self) -> bool {
        matches!(self, Self::Ending(_) | Self::Killed(_))
    }

    /// How long until something is to be done.
    pub(super) fn left(self) -> Option<Duration> {
        let (Self::Until(at) | Self::Ending(at) | Self::Killed(at)) = self else { return None };
        Some(at.saturating_duration_since(Instant::now()))
    }
}

impl Tracer<'_> {
    /// Does what is to be done by now.
    pub(super) fn check_clock(&mut self) {
        // One that was about to make a process may have made it since.
        if self.killed.is_some_and(|killed| killed.elapsed() >= STEP) {
            self.kill_tree();
        }
        if self.clock.left() != Some(Duration::ZERO) {
            return;
        }
        let now = Instant::now();
        match self.clock {
            Clock::Unlimited | Clock::Killed(_) => {}
            Clock::Until(_) => {
                self.clock = Clock::Ending(now + self.kill_after());
                self.record_hang();
                self.signal_tree(&[libc::SIGTERM, libc::SIGCONT]);
            }
            Clock::Ending(_) => {
                self.clock = Clock::Killed(now + LAST);
                self.kill_tree();
            }
        }
    }

    /// All processes are stopped before the first is recorded, so that the cores show one
    /// moment. The youngest come first: what hangs is rarely the script that started it.
    fn record_hang(&mut self) {
        self.recorder.event(Event::TimedOut);
        let is_zombie = |process: &Tid| {
            tasks::state(*process) == Some('Z') && tasks::threads_of(*process).len() <= 1
        };
        let mut processes = self.processes();
        processes.retain(|process| !is_zombie(process));
        if !self.is_traced() {
            return;
        }
        let held: Vec<_> =
            processes.into_iter().map(|process| (process, self.hold(process, None))).collect();
        for (process, stopped) in held {
            let mut threads: Vec<Tid> = stopped.iter().map(|(tid, _)| *tid).collect();
            threads.sort_by_key(|tid| (*tid != process, *tid));
            if threads.is_empty() {
                self.recorder.fail(process, Trigger::Timeout, NoCore::Unstoppable);
            } else if self.recorder.is_full() {
                self.recorder.count(process, Trigger::Timeout);
            } else {
                let held = Held::unharmed(process, threads);
                self.recorder.record(&held, Trigger::Timeout);
            }
            self.handle_later(stopped);
        }
    }

    fn kill_tree(&mut self) {
        self.signal_tree(&[libc::SIGKILL]);
        self.killed = Some(Instant::now());
    }

    fn signal_tree(&mut self, signals: &[i32]) {
        for process in self.processes() {
            for signal in signals {
                // One that is gone needs none.
                let _ = signals::send(process, *signal);
            }
        }
    }
}
