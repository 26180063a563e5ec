//! What the kernel says of children and tracees (waitpid(2)).
#![allow(unsafe_code)]

use std::io;

use libc::c_int;

use crate::Tid;

/// What became of a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// It is gone, and reaped.
    Ended(Ended),
    /// It is in a ptrace-stop: of an event, if `event` is not 0, else before a signal.
    Stopped {
        /// The signal.
        signal: c_int,
        /// `PTRACE_EVENT_…`.
        event: c_int,
    },
}

/// How a process or thread ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// With this exit status.
    Exited(u8),
    /// By this signal.
    Killed(i32),
}

impl Ended {
    /// What a shell makes of it: the status, or 128 and the signal's number.
    pub fn code(self) -> u8 {
        match self {
            Self::Exited(status) => status,
            Self::Killed(signal) => u8::try_from(128 + signal).unwrap_or(u8::MAX),
        }
    }

    /// From a status as waitpid(2) and `PTRACE_EVENT_EXIT` give it.
    pub(crate) fn of_status(status: c_int) -> Self {
        match libc::WIFSIGNALED(status) {
            true => Self::Killed(libc::WTERMSIG(status)),
            false => Self::Exited(u8::try_from(libc::WEXITSTATUS(status)).unwrap_or(u8::MAX)),
        }
    }
}

/// Whose changes are asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Whose {
    /// All children and tracees of this thread. Children of obit's other threads, which
    /// analyse cores, are theirs to wait for.
    Own,
    /// This one's.
    Task(Tid),
}

/// The next change, or `None` if there is none yet.
///
/// # Errors
/// `ECHILD` if there is no one to wait for.
pub(crate) fn next_change(whose: Whose) -> io::Result<Option<(Tid, Change)>> {
    let of = match whose {
        Whose::Own => -1,
        Whose::Task(tid) => tid,
    };
    let mut status: c_int = 0;
    let options = libc::WNOHANG | libc::__WALL | libc::__WNOTHREAD;
    // SAFETY: the kernel writes one int to `status`, which lives until the call returns.
    match unsafe { libc::waitpid(of, &raw mut status, options) } {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(None),
        tid => Ok(change(status).map(|change| (tid, change))),
    }
}

/// `None` for a continued child, which is not asked for.
fn change(status: c_int) -> Option<Change> {
    if libc::WIFSTOPPED(status) {
        return Some(Change::Stopped { signal: libc::WSTOPSIG(status), event: status >> 16 });
    }
    let is_end = libc::WIFEXITED(status) || libc::WIFSIGNALED(status);
    is_end.then(|| Change::Ended(Ended::of_status(status)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_read_as_the_shell_reads_it() {
        assert_eq!(Ended::of_status(3 << 8).code(), 3);
        assert_eq!(Ended::of_status(libc::SIGSEGV | 0x80), Ended::Killed(libc::SIGSEGV));
        assert_eq!(Ended::of_status(libc::SIGSEGV).code(), 139);
    }

    #[test]
    fn an_event_and_a_signal_are_distinguished() {
        let event = libc::PTRACE_EVENT_FORK << 16 | libc::SIGTRAP << 8 | 0x7f;
        let stopped = Change::Stopped { signal: libc::SIGTRAP, event: libc::PTRACE_EVENT_FORK };
        assert_eq!(change(event), Some(stopped));
        let signal = Change::Stopped { signal: libc::SIGTERM, event: 0 };
        assert_eq!(change(libc::SIGTERM << 8 | 0x7f), Some(signal));
    }
}
