//! The signals that obit itself gets: all are blocked and taken one by one, so there is no
//! handler, and nothing is lost between two system calls.
#![allow(unsafe_code)]

use std::io;
use std::mem;
use std::ptr::{self, null_mut};
use std::time::Duration;

use libc::{c_int, sigset_t};

use crate::Tid;

/// Not blocked: what cannot be or would have no effect, what obit's own faults raise, what
/// concerns only who writes, and what is ignored anyway.
const LEFT: &[c_int] = &[
    libc::SIGKILL,
    libc::SIGSTOP,
    libc::SIGSEGV,
    libc::SIGBUS,
    libc::SIGFPE,
    libc::SIGILL,
    libc::SIGTRAP,
    libc::SIGABRT,
    libc::SIGSYS,
    libc::SIGPIPE,
    libc::SIGWINCH,
    libc::SIGURG,
];

/// The signals of the calling thread, blocked until [`Signals::release`].
pub(crate) struct Signals {
    /// The mask before, which is the command's.
    original: sigset_t,
    blocked: sigset_t,
    /// `SIGCHLD` alone.
    of_children: sigset_t,
    /// Whether `SIGCHLD` was ignored, as after `trap '' CHLD`.
    ignores_children: bool,
}

/// A signal that obit got.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrived {
    pub(crate) signal: c_int,
    /// Who sent it with kill(2): 0 from another pid namespace. `None` if the kernel did,
    /// which sends the terminal's signals to all processes of the foreground.
    pub(crate) sender: Option<Tid>,
}

impl Signals {
    /// Blocks all signals that can be taken.
    pub(crate) fn block() -> io::Result<Self> {
        let mut blocked = full();
        for signal in LEFT {
            // SAFETY: `blocked` is a valid set, `signal` a number.
            unsafe { libc::sigdelset(&raw mut blocked, *signal) };
        }
        let mut of_children = empty();
        // SAFETY: as above.
        unsafe { libc::sigaddset(&raw mut of_children, libc::SIGCHLD) };
        let mut original = empty();
        // SAFETY: both sets are valid and live until the call returns.
        let done = unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const blocked, &raw mut original)
        };
        if done != 0 {
            return Err(io::Error::from_raw_os_error(done));
        }
        // One that is ignored is never pending, and children are not reported then.
        let ignores_children = set_disposition(libc::SIGCHLD, libc::SIG_DFL)? == libc::SIG_IGN;
        Ok(Self { original, blocked, of_children, ignores_children })
    }

    /// The next signal, or `None` if none came `within` this time; without a limit it waits.
    pub(crate) fn next(&self, within: Option<Duration>) -> Option<Arrived> {
        take(&self.blocked, within)
    }

    /// Waits until a child may have changed, or `within` is over.
    pub(crate) fn await_child(&self, within: Duration) {
        // Whether one did is asked of waitpid.
        let _ = take(&self.of_children, Some(within));
    }

    /// Mask and dispositions as they were: in the child before it becomes the command.
    ///
    /// Rust ignores `SIGPIPE` in each of its programs; what it was before is not known, and
    /// the default is what commands expect.
    pub(crate) fn restore_for_command(&self) {
        // A failure leaves the default, and there is no one to report it to.
        let _ = set_disposition(libc::SIGPIPE, libc::SIG_DFL);
        if self.ignores_children {
            let _ = set_disposition(libc::SIGCHLD, libc::SIG_IGN);
        }
        self.unblock();
    }

    /// The end: signals that came too late are dropped, further ones act as usual.
    pub(crate) fn release(self) {
        while take(&self.blocked, Some(Duration::ZERO)).is_some() {}
        self.unblock();
    }

    fn unblock(&self) {
        // SAFETY: `original` is the set that the kernel gave; nothing is written back.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.original, null_mut()) };
    }
}

/// Sends a signal to a process.
pub(crate) fn send(process: Tid, signal: c_int) -> io::Result<()> {
    // SAFETY: two numbers. `process` comes from the kernel and is positive, so no group is meant.
    match unsafe { libc::kill(process, signal) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Stops obit itself, as job control does, until `SIGCONT`.
pub(crate) fn stop_self() {
    // Nothing to be done if it fails: obit runs on.
    let _ = send(i32::try_from(std::process::id()).unwrap_or(0), libc::SIGSTOP);
}

fn take(set: &sigset_t, within: Option<Duration>) -> Option<Arrived> {
    let limit = within.map(|within| libc::timespec {
        tv_sec: libc::time_t::try_from(within.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_nsec: libc::c_long::from(within.subsec_nanos()),
    });
    let limit = limit.as_ref().map_or(ptr::null(), ptr::from_ref);
    // SAFETY: `siginfo_t` is plain data, for which zeros are a value.
    let mut info: libc::siginfo_t = unsafe { mem::zeroed() };
    // SAFETY: the set, the info and the limit (or null: none) live until the call returns.
    let signal = unsafe { libc::sigtimedwait(set, &raw mut info, limit) };
    if signal <= 0 {
        return None;
    }
    // SI_USER, SI_QUEUE and SI_TKILL are not positive, and have a sender.
    // SAFETY: the kernel filled in `info`, and for these codes that member.
    let sender = (info.si_code <= 0).then(|| unsafe { info.si_pid() });
    Some(Arrived { signal, sender })
}

/// Sets what a signal does and gives what it did.
fn set_disposition(signal: c_int, to: usize) -> io::Result<usize> {
    // SAFETY: `sigaction` is plain data, for which zeros are a value.
    let mut new: libc::sigaction = unsafe { mem::zeroed() };
    let mut old = new;
    new.sa_sigaction = to;
    // SAFETY: both structures live until the call returns; `to` is SIG_DFL or SIG_IGN, no
    // address of code.
    match unsafe { libc::sigaction(signal, &raw const new, &raw mut old) } {
        0 => Ok(old.sa_sigaction),
        _ => Err(io::Error::last_os_error()),
    }
}

fn empty() -> sigset_t {
    // SAFETY: `sigset_t` is plain data; `sigemptyset` makes it a valid set.
    unsafe {
        let mut set = mem::zeroed();
        libc::sigemptyset(&raw mut set);
        set
    }
}

fn full() -> sigset_t {
    let mut set = empty();
    // SAFETY: the set is valid.
    unsafe { libc::sigfillset(&raw mut set) };
    set
}
