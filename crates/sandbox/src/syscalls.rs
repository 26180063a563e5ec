//! The system calls of a confined process (seccomp(2)).

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};

/// What reading, computing and answering take, whatever the arguments.
const ALLOWED: &[i64] = &[
    // Descriptors that are open.
    libc::SYS_read,
    libc::SYS_pread64,
    libc::SYS_readv,
    libc::SYS_preadv,
    libc::SYS_write,
    libc::SYS_pwrite64,
    libc::SYS_writev,
    libc::SYS_lseek,
    libc::SYS_close,
    libc::SYS_fcntl,
    libc::SYS_fstat,
    libc::SYS_fstatfs,
    libc::SYS_fgetxattr,
    libc::SYS_ftruncate,
    libc::SYS_memfd_create,
    libc::SYS_ppoll,
    // The channel.
    libc::SYS_sendmsg,
    libc::SYS_recvmsg,
    libc::SYS_sendto,
    libc::SYS_recvfrom,
    // Memory.
    libc::SYS_brk,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    // The process itself.
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_futex,
    libc::SYS_getrandom,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_getuid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getegid,
    libc::SYS_sched_yield,
    // Threads of its own: names are indexed by several.
    libc::SYS_sched_getaffinity,
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    libc::SYS_restart_syscall,
    libc::SYS_exit,
    libc::SYS_exit_group,
    // Clocks.
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_gettimeofday,
];

/// What no honest analysis does: it ends the process at once, by SIGSYS.
const FATAL: &[i64] = &[
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_socket,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_kill,
    libc::SYS_tkill,
    libc::SYS_pidfd_send_signal,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_chroot,
    libc::SYS_pivot_root,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_kexec_load,
    libc::SYS_reboot,
    libc::SYS_keyctl,
    libc::SYS_unlinkat,
    libc::SYS_renameat2,
    libc::SYS_linkat,
    libc::SYS_symlinkat,
    libc::SYS_mkdirat,
    libc::SYS_mknodat,
    libc::SYS_fchmodat,
    libc::SYS_fchownat,
];

/// Installs both filters. Other system calls fail with EPERM, as `open` does: libraries try
/// files they can do without.
///
/// # Errors
/// What failed, in words.
pub(crate) fn filter() -> Result<(), String> {
    let mut fatal: BTreeMap<i64, Vec<SeccompRule>> =
        FATAL.iter().map(|call| (*call, Vec::new())).collect();
    #[cfg(target_arch = "x86_64")]
    fatal.extend([libc::SYS_fork, libc::SYS_vfork].map(|call| (call, Vec::new())));
    let thread = u64::from(libc::CLONE_THREAD.unsigned_abs());
    fatal.insert(libc::SYS_clone, vec![rule(0, SeccompCmpOp::MaskedEq(thread), 0)?]);
    // Later filters cannot allow what an earlier one forbids (seccomp(2)).
    install(fatal, SeccompAction::Allow, SeccompAction::KillProcess)?;
    let mut allowed: BTreeMap<i64, Vec<SeccompRule>> =
        ALLOWED.iter().map(|call| (*call, Vec::new())).collect();
    #[cfg(target_arch = "x86_64")]
    allowed.insert(libc::SYS_poll, Vec::new());
    // abort() sends a signal to its own thread.
    let pid = u64::from(std::process::id());
    allowed.insert(libc::SYS_tgkill, vec![rule(0, SeccompCmpOp::Eq, pid)?]);
    // No new code.
    const EXEC: u64 = libc::PROT_EXEC.unsigned_abs() as u64;
    for call in [libc::SYS_mmap, libc::SYS_mprotect] {
        allowed.insert(call, vec![rule(2, SeccompCmpOp::MaskedEq(EXEC), 0)?]);
    }
    let refused = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    allowed.insert(libc::SYS_clone, vec![rule(0, SeccompCmpOp::MaskedEq(thread), thread)?]);
    // The next filter.
    let only_this = u64::from(libc::PR_SET_NO_NEW_PRIVS.unsigned_abs());
    allowed.insert(libc::SYS_prctl, vec![rule(0, SeccompCmpOp::Eq, only_this)?]);
    allowed.insert(libc::SYS_seccomp, Vec::new());
    install(allowed, refused, SeccompAction::Allow)?;
    // Its flags are in memory, which a filter cannot read; the C library then uses `clone`. Last,
    // since of two error numbers that of the later filter counts.
    let absent = SeccompAction::Errno(libc::ENOSYS.unsigned_abs());
    install(BTreeMap::from([(libc::SYS_clone3, Vec::new())]), SeccompAction::Allow, absent)
}

fn rule(argument: u8, operator: SeccompCmpOp, value: u64) -> Result<SeccompRule, String> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)
        .and_then(|condition| SeccompRule::new(vec![condition]))
        .map_err(|error| error.to_string())
}

fn install(
    rules: BTreeMap<i64, Vec<SeccompRule>>,
    otherwise: SeccompAction,
    matched: SeccompAction,
) -> Result<(), String> {
    let machine =
        TargetArch::try_from(std::env::consts::ARCH).map_err(|error| error.to_string())?;
    let program: BpfProgram = SeccompFilter::new(rules, otherwise, matched, machine)
        .and_then(TryInto::try_into)
        .map_err(|error| error.to_string())?;
    seccompiler::apply_filter(&program).map_err(|error| error.to_string())
}
