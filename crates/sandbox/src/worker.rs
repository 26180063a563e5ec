//! A confined process for one function.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::fd::{AsFd, BorrowedFd};
use std::panic::{self, AssertUnwindSafe};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions, WaitStatus};

use crate::channel::Channel;
use crate::confine::{Confined, Limits, confine};
use crate::files_of_worker;

/// Bytes of the end of a worker's standard error that are kept.
const LAST_WORDS: u64 = 64 << 10;
/// How long a worker that was killed may take to be gone.
const FAREWELL: Duration = Duration::from_secs(5);
/// The status of a worker whose function panicked.
const PANICKED: i32 = 101;
/// The status of a worker that could not answer.
const NOT_ANSWERED: i32 = 102;

/// A process that runs one function, confined, and answers through a channel.
#[derive(Debug)]
pub struct Worker {
    channel: Channel,
    pid: Pid,
    errors: Option<File>,
    is_gone: bool,
}

/// How a worker ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Its function returned.
    InGoodOrder,
    /// Its function panicked: a bug.
    Panicked,
    /// It could not send its answer.
    NotAnswered,
    /// It ran out of memory.
    OutOfMemory,
    /// It used a system call that no analysis uses.
    Forbidden,
    /// A file was cut short while it was mapped (SIGBUS).
    FileCut,
    /// A signal killed it.
    Killed(i32),
    /// With this status.
    With(i32),
    /// It could not be waited for.
    Unknown,
}

impl Worker {
    /// Forks a process that is confined by `limits`, keeps only the descriptors `kept`, and runs
    /// `work` with its end of the channel and what holds of the confinement.
    ///
    /// The caller must have one thread: in a forked process no other goes on, and locks that
    /// others hold stay locked.
    ///
    /// # Errors
    /// Those of `fork`, `socketpair` and `memfd_create`.
    pub fn start(
        limits: &Limits,
        kept: &[BorrowedFd<'_>],
        work: impl FnOnce(Channel, &Confined) -> io::Result<()>,
    ) -> io::Result<Self> {
        let (ours, theirs) = Channel::pair()?;
        let errors = rustix::fs::memfd_create("obit-worker", rustix::fs::MemfdFlags::CLOEXEC)?;
        let errors = File::from(errors);
        // SAFETY: the child runs with a copy of all memory. It has the only thread there was,
        // so no lock is held by anyone else; it never returns from here, so nothing is dropped
        // or flushed twice.
        #[allow(unsafe_code)]
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            drop(ours);
            let status = serve(limits, kept, &errors, theirs, work);
            // SAFETY: ends the process at once, without the handlers that belong to the parent.
            #[allow(unsafe_code)]
            unsafe {
                libc::_exit(status)
            }
        }
        let pid = Pid::from_raw(pid).filter(|_| pid > 0).ok_or_else(io::Error::last_os_error)?;
        Ok(Self { channel: ours, pid, errors: Some(errors), is_gone: false })
    }

    /// The way to it.
    pub fn channel(&self) -> &Channel {
        &self.channel
    }

    /// Waits for its end; kills it first if it does not come at once.
    pub fn wait(mut self) -> Ended {
        self.end()
    }

    /// The same, with the end of what it wrote to its standard error.
    pub fn wait_with_words(mut self) -> (Ended, String) {
        let mut ended = self.end();
        let words = self.words().unwrap_or_default();
        // What Rust's allocator says before it aborts; musl's abort() uses a call that is not
        // allowed.
        if words.contains("memory allocation of")
            && matches!(ended, Ended::Killed(_) | Ended::Forbidden)
        {
            ended = Ended::OutOfMemory;
        }
        (ended, words)
    }

    fn words(&mut self) -> Option<String> {
        let mut file = self.errors.take()?;
        let length = rustix::fs::fstat(&file).ok()?.st_size;
        let length = u64::try_from(length).unwrap_or(0);
        file.seek(SeekFrom::Start(length.saturating_sub(LAST_WORDS))).ok()?;
        let mut words = Vec::new();
        file.take(LAST_WORDS).read_to_end(&mut words).ok()?;
        Some(String::from_utf8_lossy(&words).into_owned())
    }

    fn end(&mut self) -> Ended {
        self.is_gone = true;
        let soon = Instant::now() + Duration::from_millis(50);
        let end = Instant::now() + FAREWELL;
        let mut is_killed = false;
        loop {
            match rustix::process::waitpid(Some(self.pid), WaitOptions::NOHANG) {
                Ok(Some((_, status))) if is_killed && status.terminating_signal() == Some(9) => {
                    return Ended::Unknown;
                }
                Ok(Some((_, status))) => return Ended::of(status),
                Err(error) if error != rustix::io::Errno::INTR => return Ended::Unknown,
                _ if Instant::now() > end => return Ended::Unknown,
                _ => {}
            }
            if !is_killed && Instant::now() > soon {
                let _ = rustix::process::kill_process(self.pid, Signal::KILL);
                is_killed = true;
            }
            std::thread::sleep(Duration::from_micros(200));
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if !self.is_gone {
            let _ = rustix::process::kill_process(self.pid, Signal::KILL);
            self.end();
        }
    }
}

impl Ended {
    /// By the exit status or the signal of a process.
    pub fn by(status: Option<i32>, signal: Option<i32>) -> Self {
        match (status, signal) {
            (Some(0), _) => Self::InGoodOrder,
            (Some(PANICKED), _) => Self::Panicked,
            (Some(NOT_ANSWERED), _) => Self::NotAnswered,
            (Some(status), _) => Self::With(status),
            (_, Some(libc::SIGSYS)) => Self::Forbidden,
            (_, Some(libc::SIGBUS)) => Self::FileCut,
            (_, Some(signal)) => Self::Killed(signal),
            _ => Self::Unknown,
        }
    }

    fn of(status: WaitStatus) -> Self {
        Self::by(status.exit_status(), status.terminating_signal())
    }
}

impl fmt::Display for Ended {
    /// Continues "the process …".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InGoodOrder => f.write_str("ended in good order"),
            Self::Panicked => f.write_str("met a bug in obit"),
            Self::NotAnswered => f.write_str("could not send its result"),
            Self::OutOfMemory => f.write_str("ran out of memory"),
            Self::Forbidden => {
                f.write_str("was ended, since it used a system call that the sandbox forbids")
            }
            Self::FileCut => f.write_str("was ended by a file that changed while it was read"),
            // Nothing here sends that while a worker works: often the kernel does.
            Self::Killed(libc::SIGKILL) => {
                f.write_str("was killed: the system may be out of memory")
            }
            Self::Killed(signal) => write!(f, "was killed by signal {signal}"),
            Self::With(status) => write!(f, "ended with {status}"),
            Self::Unknown => f.write_str("is gone"),
        }
    }
}

/// The life of the worker; its exit status.
fn serve(
    limits: &Limits,
    kept: &[BorrowedFd<'_>],
    errors: &File,
    channel: Channel,
    work: impl FnOnce(Channel, &Confined) -> io::Result<()>,
) -> i32 {
    let mut all = kept.to_vec();
    all.push(channel.as_fd());
    if files_of_worker::keep_only(errors, &all).is_err() {
        return NOT_ANSWERED;
    }
    let confined = confine(limits);
    match panic::catch_unwind(AssertUnwindSafe(|| work(channel, &confined))) {
        Ok(Ok(())) => 0,
        Ok(Err(_)) => NOT_ANSWERED,
        Err(_) => PANICKED,
    }
}

#[cfg(test)]
#[path = "worker_tests.rs"]
mod tests;
