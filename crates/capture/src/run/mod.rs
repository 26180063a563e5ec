//! Runs a command with all its descendants, and records each that crashes or hangs.
//!
//! The processes are traced with ptrace(2), and stop for signals and for the start of
//! processes and threads only, never for system calls. A signal that ends a process by dumping
//! core is held back until a core is written; then the process ends by it as it would have.

mod command;
mod directory;
mod hold;
mod job;
mod recorder;
mod signals;
mod tasks;
mod timeout;
mod tracer;
mod tree;
mod wait;

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

pub use command::CommandError;
pub use directory::{Chosen, CrashDirectory, DirectoryError};
pub use recorder::NoCore;
pub use wait::Ended;

use crate::{Tid, Written, ptrace};
use recorder::Recorder;
use signals::Signals;
use tracer::{Tracer, options};

/// When to record, and how much.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// The command hangs if it runs longer.
    pub timeout: Option<Duration>,
    /// From `SIGTERM` to `SIGKILL`, once it hangs.
    pub kill_after: Duration,
    /// Exits of processes that are recorded like crashes.
    pub on_exit: Option<OnExit>,
    /// Crashes that are recorded; further ones are counted.
    pub max_crashes: usize,
}

/// Which exit statuses are recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnExit {
    /// This one.
    Status(u8),
    /// All but 0.
    NonZero,
}

impl OnExit {
    fn takes(self, status: u8) -> bool {
        match self {
            Self::Status(wanted) => status == wanted,
            Self::NonZero => status != 0,
        }
    }
}

/// What made a process worth recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trigger {
    /// A signal that ends it.
    Signal(i32),
    /// The time is over.
    Timeout,
    /// It exits with this status.
    Exit(u8),
}

/// A process that was recorded.
#[derive(Debug)]
pub struct Crash {
    /// The name of its program, fit for the name of a file.
    pub program: String,
    /// Its pid.
    pub process: Tid,
    /// What it was recorded for.
    pub trigger: Trigger,
    /// The core.
    pub core: PathBuf,
    /// The program, even if its file is deleted: test runners remove what they have built.
    pub executable: Option<File>,
    /// How much was written.
    pub written: Written,
}

/// What happens while the command runs. The tree waits until an event is taken.
#[derive(Debug)]
pub enum Event {
    /// The command runs, and cannot be traced.
    Untraced(Untraced),
    /// A core was written; its process is about to end.
    Recorded(Crash),
    /// There is no core of a process that crashed or hangs.
    Unrecorded {
        /// The name of its program, if it is known.
        program: Option<String>,
        /// Its pid.
        process: Tid,
        /// What it would have been recorded for.
        trigger: Trigger,
        /// Why there is none.
        why: NoCore,
    },
    /// The time is over; what hangs is about to be recorded.
    TimedOut,
}

/// Why a command cannot be traced. It runs nevertheless.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Untraced {
    /// ptrace(2) is refused.
    #[error("ptrace is not permitted ({0})")]
    Refused(#[source] io::Error),
    /// `/proc` shows other processes, or none, so that nothing can be read of one's own.
    #[error("/proc does not show this pid namespace")]
    OtherNamespace,
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// How the command ended.
    pub ended: Ended,
    /// Whether it was ended, since it took too long.
    pub timed_out: bool,
    /// Programs whose crashes were counted only, beyond [`RunOptions::max_crashes`].
    pub excess: Vec<(String, Trigger, usize)>,
}

/// Why a command was not run, or not to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The command cannot be run.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The kernel refused what is needed.
    #[error("cannot wait for processes: {0}")]
    Wait(#[source] io::Error),
}

/// Runs `words`, a program and its arguments, to its end.
///
/// All signals are blocked in the calling thread meanwhile, and passed on. It must be the only
/// thread at first; threads that `report` starts may have children of their own.
///
/// # Errors
/// If the command cannot be run.
pub fn run(
    words: &[OsString],
    settings: &RunOptions,
    directory: &CrashDirectory,
    report: &mut dyn FnMut(Event),
) -> Result<Outcome, RunError> {
    command::refuse_gain_of_rights(words.first().map(OsString::as_os_str).unwrap_or_default())?;
    let signals = Signals::block().map_err(RunError::Wait)?;
    let waiting = match command::fork(words, &signals) {
        Ok(waiting) => waiting,
        Err(error) => {
            signals.release();
            return Err(error.into());
        }
    };
    let traced = trace(waiting.process, settings);
    let started = waiting.go()?;
    let mut recorder = Recorder::new(directory, settings.max_crashes, report);
    let is_traced = traced.is_ok();
    if let Err(error) = traced {
        recorder.event(Event::Untraced(error));
    }
    Tracer::new(started, signals, settings, recorder, is_traced).run()
}

fn trace(process: Tid, run: &RunOptions) -> Result<(), Untraced> {
    if tasks::shown_as() != i32::try_from(std::process::id()).ok() {
        return Err(Untraced::OtherNamespace);
    }
    ptrace::seize(process, options(run.on_exit)).map_err(Untraced::Refused)
}
