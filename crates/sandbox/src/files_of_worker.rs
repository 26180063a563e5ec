//! Which descriptors a worker keeps.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

use rustix::fs::{MemfdFlags, SealFlags};

/// Lets the standard input lead to nothing, the standard output, too, and the standard error to
/// `errors`; closes all else but `kept`.
///
/// # Errors
/// Those of the system calls.
pub(crate) fn keep_only(errors: &File, kept: &[BorrowedFd<'_>]) -> io::Result<()> {
    let nothing = nothing()?;
    rustix::stdio::dup2_stdin(&nothing)?;
    rustix::stdio::dup2_stdout(&nothing)?;
    rustix::stdio::dup2_stderr(errors)?;
    drop(nothing);
    let mut kept: Vec<RawFd> = kept.iter().map(AsRawFd::as_raw_fd).collect();
    kept.push(errors.as_fd().as_raw_fd());
    kept.sort_unstable();
    let mut next: RawFd = 3;
    for fd in kept.into_iter().filter(|fd| *fd >= 3) {
        close_range(next, fd.saturating_sub(1));
        next = fd.saturating_add(1);
    }
    close_range(next, RawFd::MAX);
    Ok(())
}

/// A file that is empty and stays so. A root directory with a program alone has no devices.
fn nothing() -> io::Result<File> {
    match File::options().read(true).write(true).open("/dev/null") {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        opened => return opened,
    }
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let file = rustix::fs::memfd_create("nothing", flags)?;
    let seals = SealFlags::WRITE | SealFlags::GROW | SealFlags::SEAL;
    rustix::fs::fcntl_add_seals(&file, seals)?;
    Ok(File::from(file))
}

/// Closes the descriptors from `first` to `last`. An old kernel cannot (Linux 5.9): they then
/// stay open, as they were before.
fn close_range(first: RawFd, last: RawFd) {
    let (Ok(first), Ok(last)) = (u32::try_from(first), u32::try_from(last)) else { return };
    if first > last {
        return;
    }
    // SAFETY: the call closes descriptors and touches no memory. Called in a process just
    // forked, whose only live owners of descriptors are those kept.
    #[allow(unsafe_code)]
    unsafe {
        libc::syscall(libc::SYS_close_range, first, last, 0_u32);
    }
}
