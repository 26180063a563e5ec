//! The requests of ptrace(2) that are used, with their arguments checked.
//!
//! Over nix's: it has neither the raw register sets nor the raw `siginfo_t`, which go into a
//! core as they are.
#![allow(unsafe_code)]

use std::io;
use std::ptr::{self, null_mut};

use libc::{c_int, c_void};

use crate::Tid;

/// Bytes of `siginfo_t` (`SI_MAX_SIZE`).
const SIGINFO: usize = 128;
/// What most register sets fit in, AVX-512 state included.
const USUAL_SET: usize = 4096;
/// The largest register set that is read: AVX-512 and AMX state has about 11 KiB.
const LARGEST_SET: usize = 64 << 10;

/// Attaches to a thread without stopping it (`PTRACE_SEIZE`).
pub(crate) fn seize(tid: Tid, options: c_int) -> io::Result<()> {
    // SAFETY: no memory of ours is read or written; `options` is a number.
    checked(unsafe { libc::ptrace(libc::PTRACE_SEIZE, tid, null_mut::<c_void>(), word(options)) })
}

/// Asks a seized thread to stop (`PTRACE_INTERRUPT`).
pub(crate) fn interrupt(tid: Tid) -> io::Result<()> {
    // SAFETY: no memory of ours is read or written.
    checked(unsafe { libc::ptrace(libc::PTRACE_INTERRUPT, tid, null_mut::<c_void>(), 0_usize) })
}

/// Changes the options of a stopped thread (`PTRACE_SETOPTIONS`).
pub(crate) fn set_options(tid: Tid, options: c_int) -> io::Result<()> {
    // SAFETY: no memory of ours is read or written; `options` is a number.
    checked(unsafe {
        libc::ptrace(libc::PTRACE_SETOPTIONS, tid, null_mut::<c_void>(), word(options))
    })
}

/// Resumes a stopped thread and delivers `signal`, unless it is 0 (`PTRACE_CONT`).
pub(crate) fn resume(tid: Tid, signal: c_int) -> io::Result<()> {
    // SAFETY: no memory of ours is read or written.
    checked(unsafe { libc::ptrace(libc::PTRACE_CONT, tid, null_mut::<c_void>(), word(signal)) })
}

/// Leaves a thread that is in a group-stop there until `SIGCONT` (`PTRACE_LISTEN`).
pub(crate) fn listen(tid: Tid) -> io::Result<()> {
    // SAFETY: no memory of ours is read or written.
    checked(unsafe { libc::ptrace(libc::PTRACE_LISTEN, tid, null_mut::<c_void>(), 0_usize) })
}

/// Lets go of a stopped thread and delivers `signal`, unless it is 0 (`PTRACE_DETACH`).
pub(crate) fn detach(tid: Tid, signal: c_int) -> io::Result<()> {
    // SAFETY: no memory of ours is read or written.
    checked(unsafe { libc::ptrace(libc::PTRACE_DETACH, tid, null_mut::<c_void>(), word(signal)) })
}

/// The message of an event: the new thread, or the status of an exit (`PTRACE_GETEVENTMSG`).
pub(crate) fn event_message(tid: Tid) -> io::Result<u64> {
    let mut message: libc::c_ulong = 0;
    // SAFETY: the kernel writes one `unsigned long` to `message`, which lives until it returns.
    checked(unsafe {
        libc::ptrace(
            libc::PTRACE_GETEVENTMSG,
            tid,
            null_mut::<c_void>(),
            ptr::from_mut(&mut message).cast::<c_void>(),
        )
    })?;
    Ok(message)
}

/// `siginfo_t` of the signal a thread stopped with (`PTRACE_GETSIGINFO`).
pub(crate) fn signal_info(tid: Tid) -> io::Result<Vec<u8>> {
    let mut info = vec![0_u8; SIGINFO];
    // SAFETY: the kernel writes `sizeof(siginfo_t)` = 128 bytes, the length of `info`.
    checked(unsafe {
        libc::ptrace(
            libc::PTRACE_GETSIGINFO,
            tid,
            null_mut::<c_void>(),
            info.as_mut_ptr().cast::<c_void>(),
        )
    })?;
    Ok(info)
}

/// Who sent the signal a thread stopped with; `None` if the kernel did, for a fault, a timer or
/// a terminal.
pub(crate) fn sender(tid: Tid) -> Option<Tid> {
    // `si_code`, then a union that begins at a multiple of a word.
    let info = signal_info(tid).ok()?;
    let at = |at: usize| {
        let bytes = info.get(at..at.checked_add(4)?)?;
        bytes.try_into().ok().map(i32::from_ne_bytes)
    };
    if !matches!(at(8)?, libc::SI_USER | libc::SI_QUEUE | libc::SI_TKILL) {
        return None;
    }
    at(if cfg!(target_pointer_width = "64") { 16 } else { 12 })
}

/// A register set by the type of its note, `NT_PRSTATUS` for the general registers
/// (`PTRACE_GETREGSET`).
pub(crate) fn register_set(tid: Tid, note: u32) -> io::Result<Vec<u8>> {
    let set = register_set_of(tid, note, USUAL_SET)?;
    // The kernel cuts what does not fit, and does not say so.
    if set.len() < USUAL_SET { Ok(set) } else { register_set_of(tid, note, LARGEST_SET) }
}

/// The same, of at most `length` bytes.
fn register_set_of(tid: Tid, note: u32, length: usize) -> io::Result<Vec<u8>> {
    let mut set = vec![0_u8; length];
    let mut room = libc::iovec { iov_base: set.as_mut_ptr().cast(), iov_len: set.len() };
    // SAFETY: `room` names `set`, which is as long as it says; the kernel writes no more than
    // that and puts the length it wrote into `room`.
    checked(unsafe {
        libc::ptrace(
            libc::PTRACE_GETREGSET,
            tid,
            ptr::without_provenance_mut::<c_void>(usize::try_from(note).unwrap_or(0)),
            ptr::from_mut(&mut room).cast::<c_void>(),
        )
    })?;
    set.truncate(room.iov_len);
    Ok(set)
}

/// A number where ptrace takes a word.
fn word(number: c_int) -> usize {
    usize::try_from(number).unwrap_or(0)
}

fn checked(result: libc::c_long) -> io::Result<()> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
