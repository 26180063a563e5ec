//! Whether a process lets itself be dumped (`PR_SET_DUMPABLE`), where obit runs as root.
//!
//! The kernel says it by who owns the files in `/proc/PID`, which are root's for a process
//! of root either way. So root asks as an ordinary user would: without `CAP_SYS_PTRACE`, the
//! memory of one's own process can be read only if it may be dumped.
#![allow(unsafe_code)]

use std::fs;
use std::io;

use rustix::thread::{CapabilitySet, capabilities, set_capabilities};

use crate::Tid;

/// Whether `process` may be dumped. Only of a process whose users and groups are all obit's
/// own; for others the owner of its files is the answer, and this is `true`.
pub(crate) fn is_dumpable(process: Tid) -> bool {
    // A seccomp filter may forbid the question, and Yama does without the capability.
    if !has_our_users(process) || probe(process) || yama_asks_for_the_capability() {
        return true;
    }
    let Ok(before) = capabilities(None) else { return true };
    let mut without = before;
    without.effective.remove(CapabilitySet::SYS_PTRACE);
    // Only of this thread, and only what is in force: it can be taken back.
    if set_capabilities(None, without).is_err() {
        return true;
    }
    let refused = probe(process);
    // It had them a moment ago, so it may have them.
    let _ = set_capabilities(None, before);
    !refused
}

/// Whether the kernel refuses a look at any memory: it checks that before the address, which
/// is the first page, where nothing is mapped.
fn probe(process: Tid) -> bool {
    let mut byte = 0_u8;
    let here = libc::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
    let there = libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 1 };
    // SAFETY: at most one byte is written, to `byte`, which lives until the call returns.
    // `there` is an address of the other process.
    let read =
        unsafe { libc::process_vm_readv(process, &raw const here, 1, &raw const there, 1, 0) };
    read == -1 && io::Error::last_os_error().raw_os_error() == Some(libc::EPERM)
}

/// Whether only who has `CAP_SYS_PTRACE` may look at other processes, be they dumpable or not.
fn yama_asks_for_the_capability() -> bool {
    let scope = fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope");
    scope.is_ok_and(|scope| scope.trim().parse::<u32>().is_ok_and(|scope| scope >= 2))
}

/// Whether real, effective, saved and file system ids of the process are those of obit.
fn has_our_users(process: Tid) -> bool {
    let Some(status) = fs::read(format!("/proc/{process}/status")).ok() else { return false };
    let status = String::from_utf8_lossy(&status);
    let are = |name: &str, own: u32| {
        let mut lines = status.lines().filter_map(|line| line.strip_prefix(name));
        lines.next().is_some_and(|ids| ids.split_whitespace().all(|id| id == own.to_string()))
    };
    are("Uid:", rustix::process::geteuid().as_raw())
        && are("Gid:", rustix::process::getegid().as_raw())
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn an_ordinary_child_may_be_dumped_and_the_rights_are_as_before() {
        let before = capabilities(None).unwrap();
        let mut child = Command::new("sleep").arg("60").stdin(Stdio::null()).spawn().unwrap();
        assert!(is_dumpable(i32::try_from(child.id()).unwrap()));
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(capabilities(None).unwrap(), before);
    }

    #[test]
    fn one_who_is_gone_is_left_to_who_reads_it() {
        assert!(is_dumpable(-1));
    }
}
