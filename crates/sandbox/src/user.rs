//! Files with the rights of someone else.

use std::io;

use rustix::fs::{Gid, Uid};

/// Runs `open` so that files are opened with the rights of `user` and `group` (setfsuid(2)),
/// for a process of root that follows names given by someone else.
///
/// Only this thread is affected, and only meanwhile.
///
/// # Errors
/// If the rights cannot be given up; nothing is opened then.
pub fn as_user<T>(user: u32, group: u32, open: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let groups = own_groups()?;
    rustix::thread::set_thread_groups(&[])?;
    let outcome = match set(user, group) {
        Ok(()) => open(),
        Err(error) => Err(error),
    };
    let own = (rustix::process::geteuid(), rustix::process::getegid());
    let restored = set(own.0.as_raw(), own.1.as_raw());
    let groups = rustix::thread::set_thread_groups(&groups);
    restored.and(groups.map_err(io::Error::from)).and(outcome)
}

fn own_groups() -> io::Result<Vec<Gid>> {
    // SAFETY: with a length of 0 the call writes nothing and returns a count.
    #[allow(unsafe_code)]
    let count = unsafe { libc::getgroups(0, std::ptr::null_mut()) };
    let count = usize::try_from(count).map_err(|_| io::Error::last_os_error())?;
    let mut groups: Vec<libc::gid_t> = vec![0; count];
    let most = libc::c_int::try_from(count).map_err(io::Error::other)?;
    // SAFETY: `groups` has room for `most` numbers, and the call writes no more.
    #[allow(unsafe_code)]
    let written = unsafe { libc::getgroups(most, groups.as_mut_ptr()) };
    let written = usize::try_from(written).map_err(|_| io::Error::last_os_error())?;
    Ok(groups.into_iter().take(written).map(Gid::from_raw).collect())
}

/// Sets the ids that count for files, and makes sure that they are set: the calls themselves
/// report no error.
fn set(user: u32, group: u32) -> io::Result<()> {
    const NO_ID: u32 = u32::MAX;
    // SAFETY: the calls take numbers, touch no memory and change this thread only.
    #[allow(unsafe_code)]
    let now = unsafe {
        libc::setfsgid(group);
        libc::setfsuid(user);
        // An impossible id changes nothing and returns the current one.
        (libc::setfsuid(NO_ID), libc::setfsgid(NO_ID))
    };
    let is_set = u32::try_from(now.0) == Ok(user) && u32::try_from(now.1) == Ok(group);
    is_set.then_some(()).ok_or_else(|| io::Error::other(format!("cannot act as user {user}")))
}

/// Becomes the user who owns nothing, for good.
///
/// # Errors
/// Those of the system calls.
pub(crate) fn become_unprivileged() -> io::Result<()> {
    /// The overflow id of the kernel (`/proc/sys/kernel/overflowuid`).
    const OVERFLOW_ID: u32 = 65_534;
    let (user, group) = (Uid::from_raw(OVERFLOW_ID), Gid::from_raw(OVERFLOW_ID));
    rustix::thread::set_thread_groups(&[])?;
    rustix::thread::set_thread_res_gid(group, group, group)?;
    rustix::thread::set_thread_res_uid(user, user, user)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, File, Permissions};
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_file_of_root_is_not_opened_for_another_user() {
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
        let path = directory.path().join("private");
        fs::write(&path, "x").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let error = as_user(1000, 1000, || File::open(&path)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
        assert!(File::open(&path).is_ok());
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        assert!(as_user(1000, 1000, || File::open(&path)).is_ok());
    }
}
