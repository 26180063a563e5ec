//! A file that has no name until it is complete.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd};

use rustix::fs::{
    AtFlags, CWD, FlockOperation, Gid, Mode, OFlags, RenameFlags, Uid, fchmod, fchown, flock,
    linkat, openat, renameat_with, unlinkat,
};
use rustix::io::Errno;

/// The end of the name of a file in the making, where the file system knows no files without one.
pub(super) const PART: &str = ".part";

/// Who a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The user.
    pub user: u32,
    /// The group.
    pub group: u32,
}

/// A new file, mode 0600. Dropped before it is published, or with its process killed, it is
/// gone.
#[derive(Debug)]
pub struct Draft {
    /// To write to.
    pub file: File,
    /// Its name where it needs one (no `O_TMPFILE`), with the directory.
    named: Option<(File, String)>,
}

impl Draft {
    pub(super) fn new(directory: &File) -> io::Result<Self> {
        let mode = Mode::from_raw_mode(0o600);
        match openat(directory, ".", OFlags::RDWR | OFlags::TMPFILE | OFlags::CLOEXEC, mode) {
            Ok(file) => Ok(Self { file: file.into(), named: None }),
            // NFS and some overlays cannot; kernels before 3.11 say that it is a directory.
            Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL | Errno::NOENT) => {
                Self::with_name(directory)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// One with a name that says what it is. It is locked as long as its process lives, so that
    /// a later capture removes what a killed one left.
    pub(super) fn with_name(directory: &File) -> io::Result<Self> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let process = std::process::id();
        for number in 0..100 {
            let name = format!(".{process}-{number}{PART}");
            match openat(directory, &*name, flags | OFlags::NOFOLLOW, Mode::from_raw_mode(0o600)) {
                Ok(file) => {
                    flock(&file, FlockOperation::NonBlockingLockExclusive)?;
                    let named = Some((directory.try_clone()?, name));
                    return Ok(Self { file: file.into(), named });
                }
                Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Gives it to `owner` and names it; an existing file of that name stays.
    pub(super) fn publish(
        mut self,
        directory: &File,
        name: &str,
        owner: Option<Owner>,
    ) -> io::Result<File> {
        fchmod(&self.file, Mode::from_raw_mode(0o600))?;
        if let Some(Owner { user, group }) = owner {
            fchown(&self.file, Some(Uid::from_raw(user)), Some(Gid::from_raw(group)))?;
        }
        match self.named.take() {
            Some((of, part)) => {
                let renamed = renameat_with(&of, &*part, directory, name, RenameFlags::NOREPLACE);
                renamed.inspect_err(|_| remove(&of, &part))?;
            }
            None => {
                // The link of this very descriptor: no other name can be meant.
                let own = format!("/proc/self/fd/{}", self.file.as_fd().as_raw_fd());
                linkat(CWD, own, directory, name, AtFlags::SYMLINK_FOLLOW)?;
            }
        }
        self.file.try_clone()
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if let Some((directory, name)) = &self.named {
            remove(directory, name);
        }
    }
}

/// Removes a name; there is no one to report a failure to.
pub(super) fn remove(directory: &File, name: &str) {
    let _ = unlinkat(directory, name, AtFlags::empty());
}
