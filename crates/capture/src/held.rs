//! A process that does not run while it is looked at.

/// The number of a thread or process, as the kernel counts them in obit's own pid namespace.
pub type Tid = i32;

/// A process all of whose threads are in ptrace-stops of the calling thread.
///
/// Who makes one has stopped them; nothing here resumes a thread.
#[derive(Clone, Debug)]
pub struct Held {
    /// The thread group.
    pub process: Tid,
    /// Its threads, the one that crashed first.
    pub threads: Vec<Tid>,
    /// Number of the signal that ends the process; 0 where none does.
    pub signal: i32,
    /// `siginfo_t` of that signal, as `PTRACE_GETSIGINFO` gives it.
    pub signal_info: Option<Vec<u8>>,
}

impl Held {
    /// One that nothing failed in. The core's signal is `SIGSTOP` by the kernel, as in those of
    /// gdb's `gcore`.
    pub(crate) fn unharmed(process: Tid, threads: Vec<Tid>) -> Self {
        let mut info = vec![0; 128];
        // si_signo, si_code
        for (at, value) in [(0_usize, libc::SIGSTOP), (8, libc::SI_KERNEL)] {
            if let Some(field) = info.get_mut(at..at.saturating_add(4)) {
                field.copy_from_slice(&value.to_ne_bytes());
            }
        }
        Self { process, threads, signal: libc::SIGSTOP, signal_info: Some(info) }
    }

    /// A thread by which `/proc` shows the memory of the process: its first thread has none any
    /// more if it has ended before the others.
    pub(crate) fn with_memory(&self) -> Tid {
        self.threads.first().copied().unwrap_or(self.process)
    }
}
