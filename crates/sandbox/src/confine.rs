//! What a worker gives up, layer by layer.

use rustix::process::{DumpableBehavior, Resource, Rlimit, Signal};

use crate::{landlock, syscalls, user};

/// Descriptors that a worker may have open.
const FILES: u64 = 256;

/// What a confined process may use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of memory of its own (`RLIMIT_DATA`): maps of files take addresses, not memory.
    pub memory: Option<u64>,
}

/// One way in which the kernel confines a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// Bounds on memory and files.
    Limits,
    /// Of root: another user, without rights.
    User,
    /// No program that is run gives rights back.
    NoNewPrivileges,
    /// No path, port or other process.
    Landlock,
    /// A list of system calls.
    SystemCalls,
}

impl Layer {
    /// Its name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Limits => "resource limits",
            Self::User => "unprivileged user",
            Self::NoNewPrivileges => "no new privileges",
            Self::Landlock => "Landlock",
            Self::SystemCalls => "seccomp",
        }
    }
}

/// What holds of a process that was to be confined.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confined {
    /// Layers that the kernel did not give, and why.
    pub missing: Vec<(Layer, String)>,
}

impl Confined {
    fn note(&mut self, layer: Layer, outcome: Result<(), String>) {
        self.missing.extend(outcome.err().map(|why| (layer, why)));
    }
}

/// Sets limits on this process, and nothing else.
pub fn bound(limits: &Limits) -> Confined {
    let mut confined = Confined::default();
    fail_beyond_file_size();
    let set = |resource, bytes| {
        let limit = Rlimit { current: Some(bytes), maximum: Some(bytes) };
        rustix::process::setrlimit(resource, limit).map_err(|error| error.to_string())
    };
    confined.note(Layer::Limits, set(Resource::Core, 0));
    if let Some(memory) = limits.memory {
        confined.note(Layer::Limits, set(Resource::Data, memory));
    }
    let bound = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
    confined.note(Layer::Limits, bound.map_err(|error| error.to_string()));
    confined
}

/// Confines this process for good. It must have one thread: some layers are a thread's own.
/// What the kernel cannot give is noted, and the other layers are still set.
pub fn confine(limits: &Limits) -> Confined {
    let mut confined = Confined::default();
    fail_beyond_file_size();
    confined.note(Layer::Limits, set_limits(limits));
    // A worker whose parent is gone has no one to answer.
    let bound = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
    confined.note(Layer::Limits, bound.map_err(|error| error.to_string()));
    if rustix::process::geteuid().is_root() {
        confined.note(Layer::User, user::become_unprivileged().map_err(|error| error.to_string()));
        // Set again: changing the user clears it (prctl(2), PR_SET_PDEATHSIG).
        let _ = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
    }
    // Its memory holds that of a crashed process.
    let _ = rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let alone = rustix::thread::set_no_new_privs(true);
    confined.note(Layer::NoNewPrivileges, alone.map_err(|error| error.to_string()));
    confined.note(Layer::Landlock, landlock::restrict());
    confined.note(Layer::SystemCalls, syscalls::filter());
    confined
}

/// A write beyond `RLIMIT_FSIZE` is to fail, as one on a full disk does, and not to end the
/// process (setrlimit(2)): the cache can be done without.
fn fail_beyond_file_size() {
    // SAFETY: no handler is installed that could run.
    #[allow(unsafe_code)]
    unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
    }
}

fn set_limits(limits: &Limits) -> Result<(), String> {
    let limit = |bytes| Rlimit { current: Some(bytes), maximum: Some(bytes) };
    let set = |resource, value| rustix::process::setrlimit(resource, limit(value));
    let bounds = [
        (Resource::Core, Some(0)),
        (Resource::Nofile, Some(FILES)),
        (Resource::Data, limits.memory),
    ];
    bounds
        .into_iter()
        .filter_map(|(resource, value)| Some((resource, value?)))
        .try_for_each(|(resource, value)| set(resource, value))
        .map_err(|error| error.to_string())
}

/// What the kernel of this machine has for a sandbox: the version of Landlock's interface, and
/// whether filters of system calls can be set.
pub fn support() -> (Option<u32>, bool) {
    /// `SECCOMP_GET_ACTION_AVAIL` (linux/seccomp.h).
    const AVAILABLE: libc::c_uint = 2;
    let action: u32 = libc::SECCOMP_RET_KILL_PROCESS;
    // SAFETY: the call reads the four bytes of `action`, which outlives it.
    #[allow(unsafe_code)]
    let answer = unsafe { libc::syscall(libc::SYS_seccomp, AVAILABLE, 0_u32, &raw const action) };
    (landlock::version(), answer == 0)
}
