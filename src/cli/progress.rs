//! Progress of one report, for a person who waits.

use std::io::{self, IsTerminal};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use obit::process::{Observer, Phase};

/// Runs that end sooner show nothing.
const PATIENCE: Duration = Duration::from_millis(400);
/// Time between two steps of the spinner.
const TICK: Duration = Duration::from_millis(120);

/// A spinner on the standard error, from the time that a person would wonder; gone when
/// dropped.
pub(crate) struct Progress {
    bar: ProgressBar,
    /// Draws nothing until its time has come; `None` if the output is not a terminal.
    starter: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    pub(crate) fn new(quiet: bool) -> Self {
        Self::started(!quiet && io::stderr().is_terminal())
    }

    fn started(watched: bool) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            bar.set_style(style);
        }
        let starter = watched.then(|| {
            let (ended, end) = mpsc::channel::<()>();
            let bar = bar.clone();
            let thread = thread::spawn(move || {
                if end.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                    bar.set_draw_target(ProgressDrawTarget::stderr());
                    bar.enable_steady_tick(TICK);
                }
            });
            (ended, thread)
        });
        Self { bar, starter }
    }
}

impl Observer for Progress {
    fn begin(&self, what: Phase) {
        self.bar.set_message(match what {
            Phase::Core => "reading the core",
            Phase::Files => "finding the files that belong to it",
            Phase::Stacks => "unwinding and naming stacks",
        });
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((ended, thread)) = self.starter.take() {
            drop(ended);
            // It cannot panic; and if it did, there is nothing to clear.
            let _ = thread.join();
        }
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_fast_run_shows_nothing_and_does_not_wait_for_the_spinner() {
        let begun = Instant::now();
        let progress = Progress::started(true);
        progress.begin(Phase::Stacks);
        assert!(progress.bar.is_hidden());
        drop(progress);
        assert!(begun.elapsed() < PATIENCE);
    }
}
