//! Why a process cannot be stopped, and what to do.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;

use crate::Tid;
use crate::proc::{self, Stat, Status};

/// What forbids to trace a process (`kernel/ptrace.c`, `ptrace_attach`;
/// `security/yama/yama_lsm.c`).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// There is none with this number.
    #[error("there is no process {0}; `ps -e` lists them")]
    NoSuchProcess(Tid),
    /// It ended before it was stopped.
    #[error("process {0} exited before it could be stopped")]
    Exited(Tid),
    /// The number is one of another thread than the first.
    #[error("{thread} is a thread of process {process}; try `obit snapshot {process}`")]
    Thread {
        /// The number that was given.
        thread: Tid,
        /// Its process.
        process: Tid,
    },
    /// It has ended, and its parent has not asked how.
    #[error(
        "process {process} is a zombie: it has ended, and its parent {parent} has not waited \
         for it; nothing of its memory is left"
    )]
    Zombie {
        /// The process.
        process: Tid,
        /// Who should wait for it.
        parent: Tid,
    },
    /// It has no memory of its own.
    #[error("process {0} is a thread of the kernel; `cat /proc/{0}/stack` shows what it does")]
    KernelThread(Tid),
    /// A process can have one tracer.
    #[error(
        "process {process} is being traced by {tracer_name} (process {tracer}); detach that \
         first"
    )]
    Traced {
        /// The process.
        process: Tid,
        /// Who traces it.
        tracer: Tid,
        /// What the tracer is called.
        tracer_name: String,
    },
    /// This very process.
    #[error("process {0} is obit itself")]
    Oneself(Tid),
    /// It is another user's.
    #[error("process {process} belongs to user {user}; run obit as that user or as root")]
    OtherUser {
        /// The process.
        process: Tid,
        /// Its effective user.
        user: u32,
    },
    /// It asked not to be dumped or traced.
    #[error(
        "process {0} does not allow dumps (PR_SET_DUMPABLE, or it changed its user); only the \
         program itself can allow them"
    )]
    NotDumpable(Tid),
    /// `kernel.yama.ptrace_scope` forbids it.
    #[error(
        "kernel.yama.ptrace_scope = {scope} forbids to stop process {process}; {}",
        of_yama(*.scope)
    )]
    Yama {
        /// The process.
        process: Tid,
        /// The value.
        scope: u8,
    },
    /// A filter of system calls or missing rights, most often those of a container.
    #[error(
        "the kernel refuses to stop process {process}: {error}; in a container, SYS_PTRACE may \
         be missing (`docker run --cap-add=SYS_PTRACE`), elsewhere try as root"
    )]
    Forbidden {
        /// The process.
        process: Tid,
        /// What the kernel said.
        error: io::Error,
    },
    /// All its threads wait in the kernel and cannot be interrupted.
    #[error(
        "process {0} does not stop: it waits in the kernel (state D); `cat /proc/{0}/stack` \
         shows where"
    )]
    DoesNotStop(Tid),
}

/// Whether its files belong to root instead of to `user` (`task_dump_owner`). Those of threads
/// that have ended do in any case.
fn forbids_dumps(process: Tid, user: u32) -> bool {
    let threads = proc::threads(process).unwrap_or_default().into_iter();
    let owners = threads.filter_map(|thread| {
        let is_over = Stat::of(thread).is_ok_and(|stat| matches!(stat.state, b'Z' | b'X'));
        let metadata = fs::metadata(proc::path(thread, "mem")).ok().filter(|_| !is_over)?;
        Some(metadata.uid())
    });
    owners.take(1).any(|owner| owner != user)
}

/// What to do about a value of `kernel.yama.ptrace_scope`.
fn of_yama(scope: u8) -> &'static str {
    match scope {
        1 => "run obit as root, or `sysctl kernel.yama.ptrace_scope=0`",
        2 => "run obit as root",
        _ => "it can be changed only by restarting the machine",
    }
}

impl Refused {
    /// What can be known before trying.
    pub(super) fn beforehand(process: Tid) -> Result<(), Self> {
        if u32::try_from(process) == Ok(std::process::id()) {
            return Err(Self::Oneself(process));
        }
        let status = Status::of(process).map_err(|_| Self::NoSuchProcess(process))?;
        if status.process != process {
            return Err(Self::Thread { thread: process, process: status.process });
        }
        if Stat::of(process).is_ok_and(|stat| stat.is_of_kernel()) {
            return Err(Self::KernelThread(process));
        }
        // The leader of a process may have ended while other threads go on.
        let is_alone = proc::threads(process).is_ok_and(|threads| threads.len() <= 1);
        if matches!(status.state, b'Z' | b'X') && is_alone {
            return Err(Self::Zombie { process, parent: status.parent });
        }
        if status.tracer != 0 {
            return Err(Self::traced(process, status.tracer));
        }
        if forbids_dumps(process, status.users.1) {
            Err(Self::NotDumpable(process))
        } else {
            Ok(())
        }
    }

    /// Why the kernel said `error`.
    pub(super) fn because(process: Tid, error: &io::Error) -> Self {
        let Ok(status) = Status::of(process) else { return Self::Exited(process) };
        if matches!(status.state, b'Z' | b'X') {
            return Self::Exited(process);
        }
        if status.tracer != 0 {
            return Self::traced(process, status.tracer);
        }
        let own = rustix::process::geteuid();
        if status.users.1 != own.as_raw() && !own.is_root() {
            return Self::OtherUser { process, user: status.users.1 };
        }
        let yama = fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope");
        let scope = yama.ok().and_then(|scope| scope.trim().parse().ok()).unwrap_or(0);
        if scope == 3 || (scope > 0 && !own.is_root()) {
            return Self::Yama { process, scope };
        }
        let error = io::Error::from_raw_os_error(error.raw_os_error().unwrap_or(libc::EPERM));
        Self::Forbidden { process, error }
    }

    fn traced(process: Tid, tracer: Tid) -> Self {
        let name = Stat::of(tracer).map(|stat| stat.name).unwrap_or_default();
        let tracer_name = match name.is_empty() {
            true => "another program".to_owned(),
            false => String::from_utf8_lossy(&name).into_owned(),
        };
        Self::Traced { process, tracer, tracer_name }
    }
}
