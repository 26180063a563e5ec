//! `obit capture listen`: a server of the kernel's coredump socket (Linux 6.16,
//! `include/uapi/linux/coredump.h`). Each connection is handled by a process of its own.

use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use obit_capture::journal::{Priority, log};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::Mode;
use rustix::process::{DumpableBehavior, set_dumpable_behavior};

use super::settings::CaptureSettings;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;

/// Where the socket is made. The kernel looks it up in the initial mount namespace.
pub(super) const SOCKET: &str = "/run/obit/coredump.socket";
/// Crashes that are captured at once. Others wait in the queue of the socket.
const AT_ONCE: usize = 16;
/// How long the server waits before it looks for handlers that have ended.
const STEP: Duration = Duration::from_millis(500);

pub(super) fn run(socket: &Path, config: Option<&Path>) -> Result<Exit, Failure> {
    let failed = |what: &str, error: &dyn std::fmt::Display| {
        Failure::new(Exit::Unusable, &format_args!("{what} {}: {error}", socket.display()))
    };
    // Settings that are wrong are reported when the server starts, not at the first crash.
    CaptureSettings::load(config).map_err(|error| Failure::usage(&error))?;
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let listener = match passed() {
        Some(passed) => passed.map_err(|error| failed("cannot use the socket of", &error))?,
        None => bind(socket).map_err(|error| failed("cannot make the socket", &error))?,
    };
    let mut handlers: Vec<Child> = Vec::new();
    loop {
        handlers.retain_mut(|handler| matches!(handler.try_wait(), Ok(None)));
        if handlers.len() >= AT_ONCE {
            std::thread::sleep(Duration::from_millis(5));
            continue;
        }
        if !is_ready(&listener).map_err(|error| failed("cannot wait at", &error))? {
            continue;
        }
        let started =
            listener.accept().and_then(|(connection, _)| start(connection.into(), config));
        match started {
            Ok(handler) => handlers.push(handler),
            Err(error) => {
                log(Priority::Error, &format!("a crash was not captured: {error}"), &[]);
                // Out of processes or descriptors: some may be free again soon.
                std::thread::sleep(Duration::from_millis(50));
            }
        }
    }
}

/// Handles one connection, in a process of its own.
fn start(connection: OwnedFd, config: Option<&Path>) -> io::Result<Child> {
    let mut command = Command::new("/proc/self/exe");
    command.args(["capture", "handle", "--connection"]);
    if let Some(config) = config {
        command.arg("--config").arg(config);
    }
    command.stdin(connection).stdout(Stdio::null()).stderr(Stdio::null()).current_dir("/").spawn()
}

/// The socket that systemd made: descriptor 3 (sd_listen_fds(3)).
fn passed() -> Option<io::Result<UnixListener>> {
    let variable = |name: &str| std::env::var(name).ok()?.parse::<u32>().ok();
    let is_ours = variable("LISTEN_PID") == Some(std::process::id());
    (is_ours && variable("LISTEN_FDS") == Some(1))
        .then(|| obit_capture::handler::inherited(3).map(UnixListener::from))
}

/// Makes the socket, for root alone: the kernel connects whatever the mode is.
fn bind(path: &Path) -> io::Result<UnixListener> {
    if let Some(directory) = path.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o755).create(directory)?;
    }
    // What an earlier server left; another kind of file is not ours to remove.
    if fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket()) {
        fs::remove_file(path)?;
    }
    let before = rustix::process::umask(Mode::from_raw_mode(0o177));
    let listener = UnixListener::bind(path);
    rustix::process::umask(before);
    listener
}

fn is_ready(listener: &UnixListener) -> io::Result<bool> {
    let timeout = Timespec::try_from(STEP).ok();
    let mut fds = [PollFd::from_borrowed_fd(listener.as_fd(), PollFlags::IN)];
    match poll(&mut fds, timeout.as_ref()) {
        Ok(count) => Ok(count > 0),
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
