//! What the kernel says about a process by its pidfd (`include/uapi/linux/pidfd.h`).
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;

use crate::Tid;

/// `_IOWR(0xFF, 11, struct pidfd_info)` for the size of [`PidfdInfo`].
const PIDFD_GET_INFO: libc::c_ulong =
    (3 << 30) | ((size_of::<PidfdInfo>() as libc::c_ulong) << 16) | (0xff << 8) | 11;
/// The descriptor of the process at the other end of a socket (Linux 6.5).
const SO_PEERPIDFD: libc::c_int = 77;

/// Bits of `pidfd_info.mask`.
const INFO_COREDUMP: u64 = 1 << 4;
const INFO_COREDUMP_SIGNAL: u64 = 1 << 6;
/// Bits of `pidfd_info.coredump_mask`.
const COREDUMPED: u32 = 1 << 0;
const COREDUMP_USER: u32 = 1 << 2;

/// `struct pidfd_info`, up to what Linux 7.1 has. An older kernel leaves the rest zero.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
struct PidfdInfo {
    mask: u64,
    cgroup: u64,
    thread: u32,
    process: u32,
    parent: u32,
    /// Real, effective, saved, of the file system; each a user and a group.
    ids: [u32; 8],
    exit_code: i32,
    coredump_mask: u32,
    coredump_signal: u32,
    coredump_code: u32,
    padding: u32,
    supported_mask: u64,
}

/// How a process is dumping its core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dumping {
    /// The process.
    pub(crate) process: Tid,
    /// Whether it is.
    pub(crate) is_dumping: bool,
    /// Whether the core is its user's; one of a privileged program is root's.
    pub(crate) is_of_user: bool,
    /// The signal, where the kernel says it (since 6.19).
    pub(crate) signal: Option<i32>,
}

/// A descriptor of our own for the number `raw`, which the starter of this process left open:
/// the kernel, systemd, obit. The original stays open, and is not used further.
///
/// # Errors
/// If nothing is open under that number.
pub fn duplicate(raw: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: the call takes numbers and touches no memory; a number that is not open is EBADF.
    let copy = unsafe { libc::fcntl(raw, libc::F_DUPFD_CLOEXEC, 0) };
    owned(copy)
}

/// The pidfd of the process that connected to a socket.
///
/// # Errors
/// Those of getsockopt(2); kernels before 6.5 do not know the option.
pub(crate) fn of_peer(socket: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let mut raw: libc::c_int = -1;
    let mut length = libc::socklen_t::try_from(size_of::<libc::c_int>()).unwrap_or(4);
    // SAFETY: `raw` has room for the `length` bytes that the kernel writes; both live until
    // the call returns.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            SO_PEERPIDFD,
            ptr::from_mut(&mut raw).cast(),
            &raw mut length,
        )
    };
    if result == -1 {
        return Err(io::Error::last_os_error());
    }
    owned(raw)
}

/// What the kernel says about the dump of a process, if it says anything: since 6.16, and for
/// pidfds that it made for a dump.
pub(crate) fn dumping(pidfd: &OwnedFd) -> Option<Dumping> {
    let mut info = PidfdInfo { mask: INFO_COREDUMP | INFO_COREDUMP_SIGNAL, ..PidfdInfo::default() };
    // SAFETY: `info` is as long as the request says, and lives until the call returns.
    let result = unsafe {
        libc::ioctl(pidfd.as_fd().as_raw_fd(), PIDFD_GET_INFO as _, ptr::from_mut(&mut info))
    };
    if result == -1 || info.mask & INFO_COREDUMP == 0 {
        return None;
    }
    let signal = Some(info.coredump_signal).filter(|_| info.mask & INFO_COREDUMP_SIGNAL != 0);
    Some(Dumping {
        process: Tid::try_from(info.process).ok()?,
        is_dumping: info.coredump_mask & COREDUMPED != 0,
        is_of_user: info.coredump_mask & COREDUMP_USER != 0,
        signal: signal.and_then(|signal| i32::try_from(signal).ok()),
    })
}

fn owned(raw: libc::c_int) -> io::Result<OwnedFd> {
    if raw < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just opened this number for us, and no one else closes it.
    Ok(unsafe { OwnedFd::from_raw_fd(raw) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::{Pid, PidfdFlags, pidfd_open};

    #[test]
    fn the_structure_is_as_long_as_the_kernels() {
        assert_eq!(size_of::<PidfdInfo>(), 88);
        assert_eq!(std::mem::offset_of!(PidfdInfo, coredump_mask), 64);
        assert_eq!(std::mem::offset_of!(PidfdInfo, supported_mask), 80);
    }

    #[test]
    fn a_process_that_lives_is_not_dumping() {
        let own = Pid::from_raw(i32::try_from(std::process::id()).unwrap()).unwrap();
        let pidfd = pidfd_open(own, PidfdFlags::empty()).unwrap();
        assert!(dumping(&pidfd).is_none_or(|dumping| !dumping.is_dumping));
    }

    #[test]
    fn a_number_that_is_not_open_is_an_error() {
        assert!(duplicate(9999).is_err());
        assert!(duplicate(-1).is_err());
    }
}
