//! The process that crashed, while the kernel holds it.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::PathBuf;

use rustix::fs::{AtFlags, Mode, OFlags, fstat, openat, readlinkat, statat};

use super::pidfd::{self, Dumping};
use super::{Announced, Identity};
use crate::Tid;

/// Bytes that are read of one file of `/proc`.
const MOST: u64 = 64 << 10;

/// A process by its directory in `/proc`. Should its number be given to another process, that
/// directory reads as empty: it never becomes the other's.
#[derive(Debug)]
pub(crate) struct Crashed {
    directory: OwnedFd,
    identity: Identity,
    dumping: Option<Dumping>,
}

impl Crashed {
    /// The process that `announced` names, or the one of `pidfd`.
    ///
    /// # Errors
    /// If there is no such process any more.
    pub(crate) fn open(announced: &Announced, pidfd: Option<&OwnedFd>) -> io::Result<Self> {
        let dumping = pidfd.and_then(pidfd::dumping);
        let path = format!("/proc/{}", announced.process);
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let directory = rustix::fs::open(path, flags, Mode::empty())?;
        let mut crashed = Self { directory, identity: Identity::Unverified, dumping };
        // In this order: what the pidfd names lived when the directory was open already.
        crashed.identity = match pidfd {
            Some(pidfd) if number_of(pidfd) == Some(announced.process) => Identity::Pidfd,
            Some(_) => return Err(io::ErrorKind::NotFound.into()),
            None if crashed.is_dumping() => Identity::Dumping,
            None => Identity::Unverified,
        };
        Ok(crashed)
    }

    /// How it is known that this is the process which crashed.
    pub(crate) fn identity(&self) -> Identity {
        self.identity
    }

    /// What the kernel says about the dump.
    pub(crate) fn dumping(&self) -> Option<Dumping> {
        self.dumping
    }

    /// The text of a file of its directory; `None` if it is not there, or the process is gone.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        Some(String::from_utf8_lossy(&self.bytes(name)?).into_owned())
    }

    /// The bytes of such a file, at most 64 KiB.
    pub(crate) fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = File::from(openat(&self.directory, name, flags, Mode::empty()).ok()?);
        let mut bytes = Vec::new();
        file.take(MOST).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    /// Where a link of its directory leads, as the kernel words it.
    pub(crate) fn link(&self, name: &str) -> Option<PathBuf> {
        let target = readlinkat(&self.directory, name, Vec::new()).ok()?;
        Some(String::from_utf8_lossy(target.as_bytes()).into_owned().into())
    }

    /// Device and inode of the program file, whatever its name is by now. It is not opened.
    pub(crate) fn program(&self) -> Option<(u64, u64)> {
        let stat = statat(&self.directory, "exe", AtFlags::empty()).ok()?;
        Some((stat.st_dev, stat.st_ino))
    }

    /// Its root directory: a handle, by which nothing can be read.
    pub(crate) fn root(&self) -> io::Result<OwnedFd> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(openat(&self.directory, "root", flags, Mode::empty())?)
    }

    /// Its mount namespace.
    pub(crate) fn mounts(&self) -> io::Result<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        Ok(openat(&self.directory, "ns/mnt", flags, Mode::empty())?)
    }

    /// Whether its files are not those of the host, by the first process: a container, or
    /// chroot(2). This process may see other files itself, as a service does that systemd
    /// protects.
    pub(crate) fn has_other_root(&self) -> bool {
        // The first process may be hidden.
        let of_host = rustix::fs::stat("/proc/1/root/").or_else(|_| rustix::fs::stat("/"));
        let of_host = of_host.map(|stat| (stat.st_dev, stat.st_ino));
        let root = self.root().and_then(|root| Ok(fstat(root)?));
        let is_other = |stat: rustix::fs::Stat| of_host != Ok((stat.st_dev, stat.st_ino));
        root.is_ok_and(is_other) || !self.is_in_namespace_of_host("mnt")
    }

    /// Whether a namespace of it is that of the host, by the first process: this one may run in
    /// namespaces of a service. True where it cannot be known.
    pub(crate) fn is_in_namespace_of_host(&self, kind: &str) -> bool {
        let name = format!("ns/{kind}");
        let of = |with: &str| rustix::fs::readlink(format!("/proc/{with}/{name}"), Vec::new());
        // The first process may be hidden.
        let one = of("1").or_else(|_| of("self"));
        let other = readlinkat(&self.directory, &*name, Vec::new());
        !matches!((one, other), (Ok(one), Ok(other)) if one != other)
    }

    /// `CoreDumping: 1` of its status (Linux 4.15).
    fn is_dumping(&self) -> bool {
        let status = self.text("status").unwrap_or_default();
        status
            .lines()
            .any(|line| line.strip_prefix("CoreDumping:").is_some_and(|value| value.trim() == "1"))
    }
}

/// The process of a pidfd, in our pid namespace; `None` once it is reaped.
pub(crate) fn number_of(pidfd: &OwnedFd) -> Option<Tid> {
    let path = format!("/proc/self/fdinfo/{}", pidfd.as_fd().as_raw_fd());
    let text = std::fs::read_to_string(path).ok()?;
    let number = text.lines().find_map(|line| line.strip_prefix("Pid:"))?;
    number.trim().parse().ok().filter(|number| *number > 0)
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command};

    use rustix::process::{Pid, PidfdFlags, pidfd_open};

    use super::*;

    fn sleeper() -> (Child, Announced, OwnedFd) {
        let child = Command::new("sleep").arg("60").spawn().unwrap();
        let process = Tid::try_from(child.id()).unwrap();
        // It has its name a moment after it has its memory.
        while std::fs::read(format!("/proc/{process}/comm")).unwrap() != b"sleep\n" {
            std::thread::yield_now();
        }
        let pidfd = pidfd_open(Pid::from_raw(process).unwrap(), PidfdFlags::empty()).unwrap();
        (child, Announced { process, ..Announced::default() }, pidfd)
    }

    #[test]
    fn a_process_is_known_by_its_pidfd_or_by_its_dump_else_it_is_not_verified() {
        let (mut child, announced, pidfd) = sleeper();
        let by_pidfd = Crashed::open(&announced, Some(&pidfd)).unwrap();
        assert_eq!(by_pidfd.identity(), Identity::Pidfd);
        assert_eq!(by_pidfd.text("comm").as_deref(), Some("sleep\n"));
        let by_number = Crashed::open(&announced, None).unwrap();
        assert_eq!(by_number.identity(), Identity::Unverified);
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(by_pidfd.text("comm"), None, "it is gone, and no other takes its place");
    }

    /// A process with the number of one that ended, if this process may say which number comes next
    /// and no other process takes it first.
    fn successor(number: Tid) -> Option<Child> {
        for _ in 0..100 {
            std::fs::write("/proc/sys/kernel/ns_last_pid", (number - 1).to_string()).ok()?;
            let mut child = Command::new("sleep").arg("60").spawn().unwrap();
            if Tid::try_from(child.id()).unwrap() == number {
                return Some(child);
            }
            child.kill().unwrap();
            child.wait().unwrap();
        }
        None
    }

    #[test]
    fn a_process_that_got_the_number_of_one_that_ended_is_not_taken_for_it() {
        let (mut child, announced, pidfd) = sleeper();
        let crashed = Crashed::open(&announced, Some(&pidfd)).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        let Some(mut other) = successor(announced.process) else {
            eprintln!("skipped: a number can be given again by root only (ns_last_pid)");
            return;
        };
        assert_eq!(crashed.text("comm"), None);
        assert_eq!(crashed.program(), None);
        assert!(Crashed::open(&announced, Some(&pidfd)).is_err());
        other.kill().unwrap();
        other.wait().unwrap();
    }

    #[test]
    fn a_pidfd_of_another_process_is_refused() {
        let (mut child, mut announced, pidfd) = sleeper();
        announced.process = Tid::try_from(std::process::id()).unwrap();
        assert!(Crashed::open(&announced, Some(&pidfd)).is_err());
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
