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
    /// One without a name; `None` where the file system knows none.
    pub(super) fn nameless(directory: &File) -> io::Result<Option<Self>> {
        let mode = Mode::from_raw_mode(0o600);
        match openat(directory, ".", OFlags::RDWR | OFlags::TMPFILE | OFlags::CLOEXEC, mode) {
            Ok(file) => Ok(Some(Self { file: file.into(), named: None })),
            // NFS and some overlays cannot; kernels before 3.11 say that it is a directory.
            Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL | Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// One with a name that says what it is. The caller holds the lock of the spool: between its
    /// creation and its own lock no one takes it for one that was left. It is locked as long as its process lives, so that
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
                match renameat_with(&of, &*part, directory, name, RenameFlags::NOREPLACE) {
                    Ok(()) => {}
                    // NFS and 9p know no flags: a link never replaces a file either.
                    Err(Errno::INVAL | Errno::NOSYS) => link(&of, &part, directory, name)?,
                    Err(error) => {
                        remove(&of, &part);
                        return Err(error.into());
                    }
                }
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

/// Gives a file another name in the place of `part`.
fn link(of: &File, part: &str, directory: &File, name: &str) -> io::Result<()> {
    let linked = linkat(of, part, directory, name, AtFlags::empty());
    remove(of, part);
    Ok(linked?)
}

/// Removes a name; there is no one to report a failure to.
pub(super) fn remove(directory: &File, name: &str) {
    let _ = unlinkat(directory, name, AtFlags::empty());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_takes_the_place_of_the_name_and_replaces_nothing() {
        let path = tempfile::tempdir().unwrap();
        let directory = File::open(path.path()).unwrap();
        let is_there = |name: &str| path.path().join(name).exists();
        for (part, is_first) in [("a.part", true), ("b.part", false)] {
            std::fs::write(path.path().join(part), part).unwrap();
            assert_eq!(link(&directory, part, &directory, "x").is_ok(), is_first);
            assert!(!is_there(part));
        }
        assert_eq!(std::fs::read(path.path().join("x")).unwrap(), b"a.part");
    }
}
