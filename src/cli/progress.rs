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
    /// `None` if the output is not a terminal: making one takes longer than a short run.
    spinner: Option<Spinner>,
}

struct Spinner {
    bar: ProgressBar,
    /// Closed when the run ends.
    run: Sender<()>,
    /// Draws nothing until its time has come.
    starter: JoinHandle<()>,
}

impl Progress {
    pub(crate) fn new(quiet: bool) -> Self {
        Self::started(!quiet && io::stderr().is_terminal())
    }

    fn started(watched: bool) -> Self {
        Self { spinner: watched.then(Spinner::start) }
    }
}

impl Spinner {
    fn start() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            bar.set_style(style);
        }
        let (run, end) = mpsc::channel::<()>();
        let drawn = bar.clone();
        let starter = thread::spawn(move || {
            if end.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                drawn.set_draw_target(ProgressDrawTarget::stderr());
                drawn.enable_steady_tick(TICK);
            }
        });
        Self { bar, run, starter }
    }
}

impl Observer for Progress {
    fn begin(&self, what: Phase) {
        let Some(spinner) = &self.spinner else { return };
        spinner.bar.set_message(match what {
            Phase::Core => "reading the core",
            Phase::Files => "finding the files that belong to it",
            Phase::Stacks => "unwinding and naming stacks",
        });
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        let Some(Spinner { bar, run, starter }) = self.spinner.take() else { return };
        drop(run);
        // It cannot panic; and if it did, there is nothing to clear.
        let _ = starter.join();
        bar.finish_and_clear();
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
        assert!(progress.spinner.as_ref().unwrap().bar.is_hidden());
        drop(progress);
        assert!(begun.elapsed() < PATIENCE);
    }
}
