//! A core of a process that lives and goes on living.

mod refused;
mod stop;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use stop::Stopped;

pub use refused::Refused;

use crate::core_writer::{self, Limits, WriteError, Written};
use crate::proc::{self, Stat, Status};
use crate::{Held, Tid};

/// Time that all threads have to stop; one that has not stopped then is left out.
const PATIENCE: Duration = Duration::from_secs(2);

/// What was taken of a process.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// What is in the file.
    pub written: Written,
    /// How long the threads were stopped: from the first request to stop to the last release.
    pub pause: Duration,
    /// What each thread did just before.
    pub threads: Vec<Activity>,
    /// Threads that did not stop in time; the core does not have them.
    pub missing: Vec<Tid>,
}

/// What a thread did when it was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Activity {
    /// Its number in its own pid namespace, as cores have it.
    pub thread: Tid,
    /// State as in ps(1): `R` runs or could, `S` and `D` wait, `T` is stopped.
    pub state: char,
    /// Processor time that it has used, user and kernel.
    pub used: Duration,
    /// How often it gave up the processor to wait for something. A snapshot adds two to four.
    pub waits: u64,
}

/// Why there is no snapshot.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The process cannot be stopped.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// It was stopped, and went on, without a core.
    #[error(transparent)]
    Core(#[from] WriteError),
    /// It was killed while its memory was copied; the core is incomplete.
    #[error("process {0} was killed while its core was written")]
    Killed(Tid),
    /// obit has no thread to do it.
    #[error("no thread to hold the process: {0}")]
    NoThread(io::Error),
}

/// Stops `process`, writes a core of it into the empty file `out` and lets it go on.
///
/// A process that was stopped before (`SIGSTOP`) is left as it was. It is released whatever
/// happens: the thread that traces it ends with this call, and the kernel then detaches, as it
/// does when the whole program is killed.
///
/// The core's signal is `SIGSTOP`, as in those of gdb's `gcore`: nothing failed.
pub fn snapshot(process: Tid, out: &File, limits: Limits) -> Result<Snapshot, SnapshotError> {
    thread::scope(|scope| {
        let tracer = thread::Builder::new().name("tracer".to_owned());
        let tracer = tracer
            .spawn_scoped(scope, || take(process, out, limits))
            .map_err(SnapshotError::NoThread)?;
        tracer.join().unwrap_or_else(|_| {
            Err(SnapshotError::NoThread(io::Error::other("the tracer panicked")))
        })
    })
}

fn take(process: Tid, out: &File, limits: Limits) -> Result<Snapshot, SnapshotError> {
    Refused::beforehand(process)?;
    let threads = activities(process);
    let begin = Instant::now();
    let stopped = Stopped::all(process, begin.checked_add(PATIENCE).unwrap_or(begin))?;
    let held = Held::unharmed(process, stopped.threads());
    let written = core_writer::write_core(&held, out, limits);
    let missing = stopped.missing();
    drop(stopped);
    let pause = begin.elapsed();
    match written {
        Ok(Written { is_cut: true, .. }) => Err(SnapshotError::Killed(process)),
        Ok(written) => Ok(Snapshot { written, pause, threads, missing }),
        Err(WriteError::Read { .. }) if is_over(process) => Err(Refused::Exited(process).into()),
        Err(error) => Err(error.into()),
    }
}

/// Whether the process was killed meanwhile.
fn is_over(process: Tid) -> bool {
    let threads = proc::threads(process).unwrap_or_default();
    let is_over =
        |thread: &Tid| Stat::of(*thread).map_or(true, |stat| matches!(stat.state, b'Z' | b'X'));
    threads.iter().all(is_over)
}

/// What all threads do, as far as they are still there.
fn activities(process: Tid) -> Vec<Activity> {
    let ticks = rustix::param::clock_ticks_per_second().max(1);
    let of_thread = |thread: Tid| {
        let stat = Stat::of_thread(process, thread).ok()?;
        let status = Status::of_thread(process, thread).ok()?;
        let used = stat.times.0.saturating_add(stat.times.1);
        let millis = used.saturating_mul(1000).checked_div(ticks).unwrap_or(0);
        Some(Activity {
            thread: status.own_id().unwrap_or(thread),
            state: char::from(stat.state),
            used: Duration::from_millis(millis),
            waits: status.waits,
        })
    };
    proc::threads(process).unwrap_or_default().into_iter().filter_map(of_thread).collect()
}
