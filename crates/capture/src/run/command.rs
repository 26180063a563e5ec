//! The command: a child that waits until it is traced, and then executes it.
#![allow(unsafe_code)]

use std::ffi::{CString, OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::ptr;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Access, StatVfsMountFlags};
use rustix::pipe::{PipeFlags, pipe_with};

use super::signals::Signals;
use crate::Tid;

/// Why the command does not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// There is no such program: 127 is what a shell exits with.
    #[error("{} was not found", .program.display())]
    NotFound {
        /// As it was given.
        program: PathBuf,
    },
    /// It is there and cannot be executed: 126.
    #[error("cannot execute {}: {error}", .program.display())]
    NotExecutable {
        /// As it was given.
        program: PathBuf,
        /// What the kernel said.
        error: io::Error,
    },
    /// It would run without the rights that its file gives it.
    #[error(
        "{} gains rights when it is executed ({how}), which the kernel does not give to a traced \
         program; put `obit run` behind it (`sudo obit run …`), or run it without obit",
        .program.display()
    )]
    GainsRights {
        /// Where it was found.
        program: PathBuf,
        /// `set-user-ID`, `file capabilities`.
        how: &'static str,
    },
    /// No process could be made.
    #[error("cannot start a process: {0}")]
    Fork(#[source] io::Error),
}

impl CommandError {
    /// The exit code by which shells, env(1) and timeout(1) say it.
    pub fn code(&self) -> u8 {
        match self {
            Self::NotFound { .. } => 127,
            Self::NotExecutable { .. } | Self::GainsRights { .. } => 126,
            Self::Fork(_) => 125,
        }
    }
}

/// A child that waits to become the command.
pub(crate) struct Waiting {
    pub(crate) process: Tid,
    /// A byte here lets it go on.
    gate: File,
    /// The error of exec, if there is one.
    failure: File,
    program: OsString,
}

/// A child that is the command, or failed to be.
pub(crate) struct Started {
    pub(crate) process: Tid,
    failure: File,
    program: OsString,
}

/// Forks a child that will become `words`. obit must have one thread.
pub(crate) fn fork(words: &[OsString], signals: &Signals) -> Result<Waiting, CommandError> {
    let program = words.first().cloned().unwrap_or_default();
    let refused = |error| CommandError::NotExecutable { program: program.clone().into(), error };
    let strings: Result<Vec<_>, _> =
        words.iter().map(|word| CString::new(word.clone().into_vec())).collect();
    let strings = strings.map_err(|error| refused(error.into()))?;
    let mut pointers: Vec<_> = strings.iter().map(|word| word.as_ptr()).collect();
    pointers.push(ptr::null());
    let pipe = || pipe_with(PipeFlags::CLOEXEC).map_err(|error| CommandError::Fork(error.into()));
    let (gate_read, gate) = pipe()?;
    let (failure, failure_write) = pipe()?;
    // SAFETY: no other thread exists, so the child's copy of memory and locks is whole; it
    // calls only what is async-signal-safe, and does not return.
    match unsafe { libc::fork() } {
        -1 => Err(CommandError::Fork(io::Error::last_os_error())),
        0 => {
            // Else it would keep its own gate open.
            drop(gate);
            become_command(&gate_read, &failure_write, &pointers, signals)
        }
        process => Ok(Waiting { process, gate: gate.into(), failure: failure.into(), program }),
    }
}

/// In the child: waits, executes, or says why not.
fn become_command(
    gate: &OwnedFd,
    failure: &OwnedFd,
    words: &[*const libc::c_char],
    signals: &Signals,
) -> ! {
    let mut byte = [0_u8; 1];
    let went_on = rustix::io::retry_on_intr(|| rustix::io::read(gate, &mut byte));
    let mut error = 0;
    if went_on == Ok(1) {
        signals.restore_for_command();
        let program = words.first().copied().unwrap_or(ptr::null());
        if !program.is_null() {
            // SAFETY: `words` are pointers to C strings that live in this function's caller,
            // the last is null.
            unsafe { libc::execvp(program, words.as_ptr()) };
        }
        error = io::Error::last_os_error().raw_os_error().unwrap_or(libc::ENOENT);
    }
    // obit is gone if it cannot be written.
    let _ = rustix::io::write(failure, &error.to_ne_bytes());
    // SAFETY: ends the process without running anything of the copied program.
    unsafe { libc::_exit(127) }
}

impl Waiting {
    /// Lets the child become the command.
    pub(crate) fn go(mut self) -> Result<Started, CommandError> {
        self.gate.write_all(&[1]).map_err(CommandError::Fork)?;
        Ok(Started { process: self.process, failure: self.failure, program: self.program })
    }
}

impl Started {
    /// Whether the child has become the command: exec closed its end of the pipe.
    pub(crate) fn has_executed(&self) -> bool {
        let mut pipe = [PollFd::new(&self.failure, PollFlags::IN)];
        let asked = poll(&mut pipe, Some(&Timespec::default()));
        let [pipe] = pipe;
        let seen = pipe.revents();
        asked.is_ok() && seen.contains(PollFlags::HUP) && !seen.contains(PollFlags::IN)
    }

    /// Why the command was not executed. To be asked once the child has ended.
    pub(crate) fn failure(&mut self) -> Option<CommandError> {
        let mut bytes = [0_u8; 4];
        // Nothing comes of a command that was executed: exec closed its end.
        self.failure.read_exact(&mut bytes).ok()?;
        let error = io::Error::from_raw_os_error(i32::from_ne_bytes(bytes));
        let program = PathBuf::from(&self.program);
        Some(match error.kind() {
            io::ErrorKind::NotFound => CommandError::NotFound { program },
            _ => CommandError::NotExecutable { program, error },
        })
    }
}

/// Refuses a program that the kernel would run without the rights it is meant to have.
///
/// A tracer that may trace everything (`CAP_SYS_PTRACE`) does not hinder it.
pub(crate) fn refuse_gain_of_rights(program: &OsStr) -> Result<(), CommandError> {
    if rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let Some(found) = search(program) else { return Ok(()) };
    let gain = |how| Err(CommandError::GainsRights { program: found.clone(), how });
    let Ok(file) = fs::metadata(&found) else { return Ok(()) };
    let has_no_effect = rustix::fs::statvfs(&found)
        .is_ok_and(|stat| stat.f_flag.contains(StatVfsMountFlags::NOSUID));
    if has_no_effect || rustix::thread::no_new_privs().unwrap_or(false) {
        return Ok(());
    }
    let mode = file.mode();
    if mode & libc::S_ISUID != 0 && file.uid() != rustix::process::geteuid().as_raw() {
        return gain("set-user-ID");
    }
    let of_group = libc::S_ISGID | libc::S_IXGRP;
    if mode & of_group == of_group && file.gid() != rustix::process::getegid().as_raw() {
        return gain("set-group-ID");
    }
    let mut capabilities = [0_u8; 64];
    if rustix::fs::getxattr(&found, "security.capability", &mut capabilities).is_ok() {
        return gain("file capabilities");
    }
    Ok(())
}

/// Where execvp(3) finds the program.
fn search(program: &OsStr) -> Option<PathBuf> {
    if program.as_bytes().contains(&b'/') {
        return Some(PathBuf::from(program));
    }
    let path = std::env::var_os("PATH").unwrap_or_else(|| OsString::from("/bin:/usr/bin"));
    let mut places = std::env::split_paths(&path).map(|directory| directory.join(program));
    places.find(|place| is_executable(place))
}

fn is_executable(path: &Path) -> bool {
    path.is_file() && rustix::fs::access(path, Access::EXEC_OK).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_where_execvp_finds_it() {
        assert!(search(OsStr::new("sh")).unwrap().ends_with("sh"));
        assert_eq!(search(OsStr::new("./x")), Some(PathBuf::from("./x")));
        assert_eq!(search(OsStr::new("no-such-program")), None);
    }
}
