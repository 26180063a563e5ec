//! The process that reads a captured core: it sees the files of the process that crashed, and
//! has the rights of its user.

use std::io;
use std::os::fd::{AsFd, OwnedFd, RawFd};

use rustix::fs::{Gid, Uid};
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::pidfd::duplicate;

/// The user who owns nothing (`/proc/sys/kernel/overflowuid`).
const NO_ONE: u32 = 65_534;

/// Whose rights the calling process takes, and whose files it sees.
#[derive(Clone, Copy, Debug, Default)]
pub struct Role {
    /// The user of the crash; `None` is the user who owns nothing. So is root.
    pub user: Option<u32>,
    /// Their group.
    pub group: Option<u32>,
    /// Root directory and mount namespace of the process that crashed, as open descriptors.
    pub place: Option<(RawFd, RawFd)>,
    /// Bytes that it may write to a file.
    pub file_bytes: u64,
}

/// Takes a role, for good: the calling process, which has one thread, gives up root. No program
/// is run afterwards, so that nothing of a container is run.
///
/// # Errors
/// Those of the system calls. The process must end then: it may still be root.
pub fn take_role(role: &Role) -> io::Result<()> {
    let place =
        role.place.map(|(root, mounts)| Ok::<_, io::Error>((duplicate(root)?, duplicate(mounts)?)));
    let place = place.transpose()?;
    setrlimit(
        Resource::Fsize,
        Rlimit { current: Some(role.file_bytes), maximum: Some(role.file_bytes) },
    )?;
    // A crash of the reader must not be captured in turn. 1 ends a dump into a pipe, and 0 does
    // not (`fs/coredump.c`); who may not raise the limit keeps 0.
    let core = |bytes| Rlimit { current: Some(bytes), maximum: Some(bytes) };
    setrlimit(Resource::Core, core(1)).or_else(|_| setrlimit(Resource::Core, core(0)))?;
    if let Some((root, mounts)) = place {
        change_root(&root, &mounts)?;
    }
    if rustix::process::geteuid().is_root() {
        let id = |id: Option<u32>| id.filter(|id| *id != 0).unwrap_or(NO_ONE);
        let (user, group) = (Uid::from_raw(id(role.user)), Gid::from_raw(id(role.group)));
        rustix::thread::set_thread_groups(&[])?;
        rustix::thread::set_thread_res_gid(group, group, group)?;
        rustix::thread::set_thread_res_uid(user, user, user)?;
    }
    // After the change of the user, which sets it anew.
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    Ok(rustix::thread::set_no_new_privs(true)?)
}

/// The directory is entered by its handle, so that no name of the container is looked up with
/// the rights of root.
fn change_root(root: &OwnedFd, mounts: &OwnedFd) -> io::Result<()> {
    move_into_link_name_space(mounts.as_fd(), Some(LinkNameSpaceType::Mount))?;
    rustix::process::fchdir(root)?;
    rustix::process::chroot(".")?;
    Ok(rustix::process::chdir("/")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_that_are_not_open_end_it_before_anything_is_given_up() {
        let role = Role { place: Some((9998, 9999)), ..Role::default() };
        assert!(take_role(&role).is_err());
    }
}
