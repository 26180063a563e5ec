//! Why a command cannot be traced, and what helps.

use std::fs;

use obit::capture::Untraced;

/// The message, with what to do about it as far as this machine shows.
pub(super) fn untraced(why: &Untraced) -> String {
    let help = match why {
        Untraced::OtherNamespace => "mount /proc in this pid namespace (unshare --mount-proc)",
        Untraced::Refused(_) if is_traced() => "obit itself is traced (strace -f, a debugger)",
        Untraced::Refused(_) => match scope() {
            Some(scope @ 2..) => {
                return line(why, &format!("kernel.yama.ptrace_scope is {scope}, 1 would do"));
            }
            _ => {
                "a seccomp filter may forbid ptrace; containers allow it with \
                 --cap-add=SYS_PTRACE"
            }
        },
        _ => return line(why, "see `obit doctor`"),
    };
    line(why, help)
}

fn line(why: &Untraced, help: &str) -> String {
    format!("crashes are not recorded: {why}; {help}")
}

fn is_traced() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let tracer = status.lines().find_map(|line| line.strip_prefix("TracerPid:"));
    tracer.is_some_and(|tracer| tracer.trim() != "0")
}

fn scope() -> Option<u32> {
    fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").ok()?.trim().parse().ok()
}
