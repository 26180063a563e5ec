//! What the kernel says of threads in `/proc`: whose they are, how they are, which signals
//! they handle.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;

use libc::c_int;

use crate::Tid;

/// The signals whose default action is to dump core (signal(7)).
const DUMPING: [c_int; 10] = [
    libc::SIGQUIT,
    libc::SIGILL,
    libc::SIGTRAP,
    libc::SIGABRT,
    libc::SIGBUS,
    libc::SIGFPE,
    libc::SIGSEGV,
    libc::SIGSYS,
    libc::SIGXCPU,
    libc::SIGXFSZ,
];

/// Longest name of a program that becomes part of a file's name, in bytes.
const LONGEST_NAME: usize = 64;

/// What a signal that dumps core will do to a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It ends the process.
    Fatal,
    /// The process has a handler for it, as runtimes do.
    Caught,
    /// Nothing.
    Ignored,
}

/// Whether the default action of `signal` is to dump core.
pub(crate) fn dumps_core(signal: c_int) -> bool {
    DUMPING.contains(&signal)
}

/// Whether the kernel sends `signal` to a thread for what the thread itself does.
pub(crate) fn is_of_fault(signal: c_int) -> bool {
    matches!(
        signal,
        libc::SIGILL | libc::SIGTRAP | libc::SIGBUS | libc::SIGFPE | libc::SIGSEGV | libc::SIGSYS
    )
}

/// What `signal`, about to be delivered to `tid`, will do. A fault whose signal is blocked or
/// ignored has the default action by then: the kernel resets it before it asks the tracer.
///
/// `None` if the thread is gone.
pub(crate) fn effect(tid: Tid, signal: c_int) -> Option<Effect> {
    let status = status(tid)?;
    let bit = 1_u64.checked_shl(u32::try_from(signal).ok()?.checked_sub(1)?)?;
    if mask(&status, "SigCgt")? & bit != 0 {
        return Some(Effect::Caught);
    }
    Some(if mask(&status, "SigIgn")? & bit != 0 { Effect::Ignored } else { Effect::Fatal })
}

/// The process of a thread; `None` if it is gone.
pub(crate) fn process_of(tid: Tid) -> Option<Tid> {
    field(&status(tid)?, "Tgid")?.parse().ok()
}

/// The number by which `/proc` knows this process; another one if it shows another pid
/// namespace.
pub(crate) fn shown_as() -> Option<Tid> {
    fs::read_link("/proc/self").ok()?.to_str()?.parse().ok()
}

/// The threads of a process, empty if it is gone.
pub(crate) fn threads_of(process: Tid) -> Vec<Tid> {
    let entries = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// The state letter of a thread: `R`, `S`, `D`, `t`, `Z`.
pub(crate) fn state(tid: Tid) -> Option<char> {
    field(&status(tid)?, "State")?.chars().next()
}

/// The thread that traces this one, 0 for none; `None` if it is gone.
pub(crate) fn tracer_of(tid: Tid) -> Option<Tid> {
    field(&status(tid)?, "TracerPid")?.parse().ok()
}

/// All processes that a thread traces, those included that it has not seen yet.
pub(crate) fn processes_traced_by(tracer: Tid) -> Vec<Tid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let processes = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    processes.filter(|process| tracer_of(*process) == Some(tracer)).collect()
}

/// Whether the process is the first of a pid namespace: signals that it has no handler for,
/// sent by kill(2), have no effect on it.
pub(crate) fn is_first_of_namespace(process: Tid) -> bool {
    let ids = status(process);
    let ids = ids.as_deref().and_then(|status| field(status, "NSpid")).unwrap_or_default();
    ids.split_whitespace().last() == Some("1")
}

/// Whether a thread, stopped at its exit, called `exit` for itself, not `exit_group` for its
/// process, and is not killed by another one that did.
pub(crate) fn ends_alone(tid: Tid) -> bool {
    let call = fs::read_to_string(format!("/proc/{tid}/syscall")).unwrap_or_default();
    let number = call.split_whitespace().next().and_then(|number| number.parse().ok());
    number == Some(libc::SYS_exit)
}

/// The name of the program that a process runs, fit to be part of a file's name.
pub(crate) fn program_of(process: Tid) -> String {
    let exe = fs::read_link(format!("/proc/{process}/exe")).ok();
    let name = exe.as_ref().and_then(|path| path.file_name()).map(OsStr::as_bytes);
    let name = name.map(|name| name.strip_suffix(b" (deleted)").unwrap_or(name).to_vec());
    let name = name.or_else(|| fs::read(format!("/proc/{process}/comm")).ok());
    file_name(&name.unwrap_or_default())
}

/// The file of the program that a process runs.
pub(crate) fn executable_of(process: Tid) -> Option<File> {
    File::open(format!("/proc/{process}/exe")).ok()
}

/// Letters, digits and a few signs of a name that somebody else chose.
fn file_name(name: &[u8]) -> String {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._+-".contains(&byte);
    let name = name.trim_ascii_end().iter().take(LONGEST_NAME);
    let name: String = name.map(|byte| if fits(*byte) { char::from(*byte) } else { '_' }).collect();
    match name.trim_start_matches(['.', '-']) {
        "" => "process".to_owned(),
        name => name.to_owned(),
    }
}

fn status(tid: Tid) -> Option<String> {
    let bytes = fs::read(format!("/proc/{tid}/status")).ok()?;
    // A name of any bytes is in it.
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn field<'s>(status: &'s str, name: &str) -> Option<&'s str> {
    let mut lines = status.lines().filter_map(|line| line.split_once(':'));
    lines.find(|(key, _)| *key == name).map(|(_, value)| value.trim())
}

fn mask(status: &str, name: &str) -> Option<u64> {
    u64::from_str_radix(field(status, name)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_described() {
        let me = i32::try_from(std::process::id()).unwrap();
        assert_eq!(process_of(me), Some(me));
        assert!(threads_of(me).contains(&me));
        assert!(shown_as() == Some(me) && state(me).is_some());
        assert!(program_of(me).starts_with("obit_capture"));
        // Rust's runtime handles SIGSEGV and ignores SIGPIPE.
        assert_eq!(effect(me, libc::SIGSEGV), Some(Effect::Caught));
        assert_eq!(effect(me, libc::SIGPIPE), Some(Effect::Ignored));
        assert_eq!(effect(me, libc::SIGABRT), Some(Effect::Fatal));
    }

    #[test]
    fn a_name_becomes_one_name_of_a_file() {
        assert_eq!(file_name(b"../etc/passwd\n"), "_etc_passwd");
        assert_eq!(file_name(b"-rf"), "rf");
        assert_eq!(file_name(b"\xff\x1b[0m"), "__\x5b0m".replace('[', "_"));
        assert_eq!(file_name(b""), "process");
        assert_eq!(file_name(&[b'a'; 300]).len(), LONGEST_NAME);
    }

    #[test]
    fn one_who_is_gone_has_no_description() {
        assert_eq!(process_of(0), None);
        assert_eq!(effect(-1, libc::SIGSEGV), None);
        assert!(threads_of(0).is_empty());
    }
}
