//! The report on a captured core: made by obit started anew, with the rights of the user of
//! the crashed process, and with its files.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use clap::Args;
use obit_capture::handler::{CrashRecord, Held, Role, take_role};
use obit_capture::spool::{Owner, Part, Spool, SpoolError};
use rustix::io::FdFlags;
use rustix::process::{Pid, Signal, kill_process_group};

use super::settings::CaptureSettings;
use crate::cli::args::general::General;
use crate::cli::command::{self, Verb};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::verbs::report as of_core;

/// Bytes of a report. One with all that a report may hold has a few megabytes.
const LARGEST: u64 = 64 << 20;
/// How often it is looked whether the report is complete.
const STEP: Duration = Duration::from_millis(5);
/// How long a reader that was killed may take to end. One that waits for a file server that does
/// not answer never ends.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// Whose rights to take, and whose files to see.
#[derive(Clone, Debug, Args)]
pub(super) struct RoleArgs {
    /// The user
    #[arg(long, value_name = "UID")]
    user: Option<u32>,
    /// The group
    #[arg(long, value_name = "GID")]
    group: Option<u32>,
    /// The open root directory
    #[arg(long, value_name = "FD", requires = "mounts")]
    root: Option<RawFd>,
    /// The open mount namespace
    #[arg(long, value_name = "FD", requires = "root")]
    mounts: Option<RawFd>,
    /// Bytes that may be written
    #[arg(long, value_name = "BYTES")]
    file_bytes: u64,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReportError {
    #[error(transparent)]
    Spool(#[from] SpoolError),
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("it took longer than {} s", .0.as_secs())]
    Time(Duration),
    #[error(
        "it took longer than {} s, and process {process} did not end when it was killed: it waits \
         for a file system that does not answer", .time.as_secs()
    )]
    Stuck { time: Duration, process: u32 },
    #[error("other reports took longer than {} s", .0.as_secs())]
    Busy(Duration),
    #[error("the analysis ended with {0} and wrote nothing")]
    Empty(String),
    #[error("it has more than {LARGEST} bytes")]
    TooLarge,
}

/// The side that becomes the user, and reports.
pub(super) fn run(args: &RoleArgs, general: &General) -> Result<Exit, Failure> {
    let role = Role {
        user: args.user,
        group: args.group,
        place: args.root.zip(args.mounts),
        file_bytes: args.file_bytes,
    };
    // Should any of it fail, nothing is read: this is still root.
    take_role(&role).map_err(|error| Failure::new(Exit::Unusable, &error))?;
    let words = ["--json", "--no-cache", "-"].map(OsString::from);
    let line = command::parse(words.to_vec()).map_err(|error| Failure::usage(&error))?;
    match line.verb {
        Verb::Analyze(args) => of_core::run(&args, general),
        _ => Err(Failure::usage(&"not a report")),
    }
}

/// Has the report on a captured crash made, within its time, and puts it into the spool. The
/// process of the crash is let go when the reader has ended or was killed.
pub(super) fn make(
    record: &CrashRecord,
    held: Option<Held>,
    spool: &Spool,
    settings: &CaptureSettings,
) -> Result<(), ReportError> {
    // Until this report is complete, or given up.
    let slot = spool.report_slot(settings.report_time)?;
    let _slot = slot.ok_or(ReportError::Busy(settings.report_time))?;
    let core = spool.read(&record.id, Part::Core)?;
    let draft = spool.draft()?;
    let mut command = Command::new("/proc/self/exe");
    command.args(["capture", "report", "--quiet"]);
    // What an unpacked core takes beyond memory is a file, too.
    let most = record.core.bytes.saturating_add(LARGEST);
    command.arg(format!("--file-bytes={most}"));
    let ids = record.core.owner.and_then(|_| record.facts.only_user());
    if let Some((user, group)) = ids {
        command.arg(format!("--user={user}")).arg(format!("--group={group}"));
    }
    if let Some(place) = held.as_ref().and_then(|held| held.place.as_ref()) {
        for (name, fd) in [("root", &place.root), ("mounts", &place.mounts)] {
            rustix::io::fcntl_setfd(fd, FdFlags::empty()).map_err(io::Error::from)?;
            command.arg(format!("--{name}={}", fd.as_fd().as_raw_fd()));
        }
    }
    // No home directory: with one, files of the user would decide what is shown.
    command.env_clear().current_dir("/");
    command.env("HOME", "/nonexistent").env("PATH", "/usr/bin:/bin");
    command.stdin(core).stdout(draft.file.try_clone()?).stderr(Stdio::null());
    // A group of its own, which its worker is in.
    let mut child = command.process_group(0).spawn()?;
    let status = wait(&mut child, held, settings.report_time)?;
    match draft.file.metadata()?.len() {
        0 => return Err(ReportError::Empty(status.to_string())),
        length if length > LARGEST => return Err(ReportError::TooLarge),
        _ => {}
    }
    let owner = ids.map(|(user, group)| Owner { user, group });
    spool.publish(draft, &record.id, Part::Report, owner)?;
    Ok(())
}

/// Waits for the reader, which leads a group of processes, and kills it when its time is over.
fn wait(child: &mut Child, held: Option<Held>, time: Duration) -> Result<ExitStatus, ReportError> {
    if let Some(status) = ended(child, time)? {
        return Ok(status);
    }
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let killed = group.map_or(Ok(()), |group| kill_process_group(group, Signal::KILL));
    // A reader in the middle of a system call may not end: the crashed process does not wait.
    drop(held);
    killed.map_err(io::Error::from)?;
    match ended(child, LAST_WAIT)? {
        Some(_) => Err(ReportError::Time(time)),
        None => Err(ReportError::Stuck { time, process: child.id() }),
    }
}

/// The status of a process that ends within `time`.
fn ended(child: &mut Child, time: Duration) -> io::Result<Option<ExitStatus>> {
    let until = Instant::now() + time;
    loop {
        let status = child.try_wait()?;
        if status.is_some() || Instant::now() >= until {
            return Ok(status);
        }
        std::thread::sleep(STEP);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_takes_too_long_is_killed_and_one_that_does_not_end_is_not_waited_for() {
        let sleeper = || Command::new("sleep").arg("60").process_group(0).spawn().unwrap();
        let short = Duration::from_millis(20);
        let mut slow = sleeper();
        assert!(matches!(wait(&mut slow, None, short), Err(ReportError::Time(_))));
        assert!(slow.try_wait().unwrap().is_some(), "it is reaped");
        let mut alive = sleeper();
        assert!(ended(&mut alive, short).unwrap().is_none());
        alive.kill().unwrap();
        alive.wait().unwrap();
    }
}
