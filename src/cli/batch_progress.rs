//! Progress of a batch, for a person who waits.

use std::io::{self, IsTerminal};
use std::path::Path;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use obit::batch::{Code, Watcher};
use obit::triage::store::Store;
use obit::triage::{PackedRecord, RecordStatus};

use super::message::say;

/// Time between two lines where no terminal is.
const BETWEEN: Duration = Duration::from_secs(10);
/// Failures that are shown one by one.
const SHOWN: u64 = 20;

/// Time until the first of them while files are looked for.
const AT_FIRST: Duration = Duration::from_secs(1);
/// Files that are looked at between two looks at the clock.
const STRIDE: u64 = 32;
/// What the bar shows while files are looked for, and while cores are read.
const SEARCHING: &str = "{spinner} looking for cores: {pos} files so far";
const READING: &str = "{bar:30} {pos}/{len} cores, {per_sec}, {eta} left{msg}";

fn style(bar: &ProgressBar, template: &str) {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
}

/// A bar on a terminal; else a line now and then.
pub(crate) struct BatchProgress {
    bar: Option<ProgressBar>,
    is_quiet: bool,
    is_verbose: bool,
    begun: Instant,
    /// When the next line is due.
    next: Instant,
    planned: u64,
    done: u64,
    failed: u64,
}

impl BatchProgress {
    pub(crate) fn new(is_quiet: bool, is_verbose: bool) -> Self {
        let bar = (!is_quiet && io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
            style(&bar, SEARCHING);
            bar
        });
        let now = Instant::now();
        let next = now + AT_FIRST;
        Self { bar, is_quiet, is_verbose, begun: now, next, planned: 0, done: 0, failed: 0 }
    }

    /// One more is done; or has failed, why: a word and a sentence.
    fn step(&mut self, failure: Option<(&str, &str)>) {
        self.done += 1;
        if let Some((code, reason)) = failure {
            self.failed += 1;
            if let (false, true) = (self.is_quiet, self.failed <= SHOWN || self.is_verbose) {
                self.say(&format!("{code}: {reason}"));
            }
            if let Some(bar) = &self.bar {
                bar.set_message(format!(", {} failed", self.failed));
            }
        }
        match &self.bar {
            Some(bar) => bar.set_position(self.done),
            None if !self.is_quiet && Instant::now() >= self.next => {
                self.next = Instant::now() + BETWEEN;
                let rate = self.done as f64 / self.begun.elapsed().as_secs_f64();
                let (done, planned) = (self.done, self.planned.max(self.done));
                say(&format!("{done} of {planned} cores, {rate:.0} a second"));
            }
            None => {}
        }
    }

    /// A line that stays.
    fn say(&self, message: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| say(message)),
            None => say(message),
        }
    }
}

impl Watcher for BatchProgress {
    fn looked_at(&mut self, files: u64) {
        // Asking for the time costs more than looking at a file that is in the cache.
        if files != 1 && !files.is_multiple_of(STRIDE) {
            return;
        }
        match &self.bar {
            Some(bar) => {
                if files == 1 {
                    style(bar, SEARCHING);
                }
                bar.set_position(files);
            }
            None if !self.is_quiet && Instant::now() >= self.next => {
                self.next = Instant::now() + BETWEEN;
                say(&format!("looking for cores: {files} files so far"));
            }
            None => {}
        }
    }

    fn missing(&mut self, why: &str) {
        if !self.is_quiet {
            self.say(&format!("missing: {why}"));
        }
    }

    fn left_out(&mut self, what: &str) {
        if !self.is_quiet {
            self.say(what);
        }
    }

    fn planned(&mut self, files: u64) {
        self.planned = files;
        self.begun = Instant::now();
        self.next = self.begun + BETWEEN;
        if let Some(bar) = &self.bar {
            style(bar, READING);
            bar.set_position(0);
            bar.set_length(files);
            bar.reset_eta();
        }
    }

    fn passed(&mut self, path: &Path, why: Code) {
        if self.is_verbose {
            self.say(&format!("skipped: {} ({})", path.display(), why.word()));
        }
    }

    fn stored(&mut self, record: &PackedRecord, _: &Store) -> io::Result<()> {
        let head = record.head();
        let reason = head.reason.as_ref().filter(|_| head.status == RecordStatus::Failed);
        self.step(reason.map(|reason| (reason.code.as_str(), reason.text.as_str())));
        Ok(())
    }

    fn answered(&mut self, failure: Option<(&str, &str)>) {
        self.step(failure);
    }
}

impl Drop for BatchProgress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        if let Some(more @ 1..) = self.failed.checked_sub(SHOWN)
            && !self.is_quiet
            && !self.is_verbose
        {
            say(&format!("{more} more failed; `obit list` lists them all"));
        }
    }
}
