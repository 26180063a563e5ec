//! `NT_SIGINFO`: why the signal was sent (sigaction(2); Linux
//! `include/uapi/asm-generic/siginfo.h`, `kernel/signal.c` `siginfo_layout`).

use crate::addr::Avma;
use crate::elf::Encoding;

const SIGILL: u16 = 4;
const SIGTRAP: u16 = 5;
const SIGBUS: u16 = 7;
const SIGFPE: u16 = 8;
const SIGSEGV: u16 = 11;
const SIGCHLD: u16 = 17;
const SIGPOLL: u16 = 29;
const SIGSYS: u16 = 31;
/// The kernel's first real-time signal. glibc keeps 32 and 33 and calls 34 `SIGRTMIN`.
const SIGRTMIN: u16 = 34;
const SIGRTMAX: u16 = 64;

const SI_KERNEL: i32 = 0x80;
const SI_TIMER: i32 = -2;
const SI_SIGIO: i32 = -5;
const SI_TKILL: i32 = -6;
const SI_DETHREAD: i32 = -7;

const EM_MIPS: u16 = 8;

/// The signal that ended the process, or that the dumper found pending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signal {
    /// `si_signo`, in the numbering of x86 and Arm (see [`signal_name`]).
    pub number: u16,
    /// `si_code`; `None` when the core holds only the number (`pr_cursig`).
    pub code: Option<i32>,
    /// `si_errno`, hardly ever set by Linux.
    pub errno: i32,
    /// What else the kernel said, by signal and code.
    pub detail: SignalDetail,
}

/// The part of `siginfo_t` that depends on the signal and its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignalDetail {
    /// The processor raised it at an instruction.
    Fault {
        /// `si_addr`.
        address: Avma,
        /// What `address` is.
        meaning: AddressMeaning,
        /// What only some codes report.
        cause: FaultCause,
    },
    /// The kernel raised it without an address (`SI_KERNEL`). For a SIGSEGV on x86_64
    /// that is a general protection fault, as a rule an access to a non-canonical
    /// address; the access is in the registers, not here.
    Kernel,
    /// A process sent it: `kill`, `tgkill` (`abort`, `raise`), `sigqueue`.
    Sent {
        /// `si_pid`; 0 when the sender is outside the PID namespace.
        pid: i32,
        /// `si_uid`.
        uid: u32,
        /// `si_value`, where the code says there is one.
        value: Option<u64>,
    },
    /// A POSIX timer expired.
    Timer {
        /// `si_timerid`.
        id: i32,
        /// `si_overrun`.
        overrun: i32,
    },
    /// A child changed its state.
    Child {
        /// `si_pid`.
        pid: i32,
        /// `si_uid`.
        uid: u32,
        /// `si_status`: exit status or signal.
        status: i32,
    },
    /// A file descriptor became ready.
    Poll {
        /// `si_fd`.
        fd: i32,
    },
    /// A system call was refused (seccomp).
    SystemCall {
        /// `si_call_addr`: the instruction after the call.
        address: Avma,
        /// `si_syscall`.
        number: i32,
        /// `si_arch`: an `AUDIT_ARCH_` value.
        arch: u32,
    },
    /// The core does not say, or its note is cut short.
    Unknown,
}

/// What `si_addr` is for a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressMeaning {
    /// The address of the access that failed (SIGSEGV, SIGBUS).
    Access,
    /// The address of the instruction that failed (SIGILL, SIGFPE, SIGTRAP).
    Instruction,
}

/// More about a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultCause {
    /// The code says all.
    Plain,
    /// `SEGV_BNDERR`: the bounds that were violated.
    Bounds {
        /// `si_lower`.
        lower: Avma,
        /// `si_upper`.
        upper: Avma,
    },
    /// `SEGV_PKUERR`: the protection key of the page.
    ProtectionKey(u32),
    /// `BUS_MCEERR_*`: the poisoned memory is `2^n` bytes long.
    PoisonedMemory(u16),
}

impl Signal {
    /// A signal of which only the number is known (`pr_cursig`).
    pub(super) fn from_number(number: u16) -> Self {
        Self { number, code: None, errno: 0, detail: SignalDetail::Unknown }
    }

    /// Reads the note's descriptor; `None` if it is too short for number and code.
    pub(super) fn parse(desc: &[u8], encoding: Encoding, e_machine: u16) -> Option<Self> {
        let int = |at: usize| encoding.u32(desc, at).map(u32::cast_signed);
        let number = u16::try_from(int(0)?).ok()?;
        // Mips alone has code before errno.
        let (errno_at, code_at) = if e_machine == EM_MIPS { (8, 4) } else { (4, 8) };
        let code = int(code_at)?;
        let detail = read_detail(desc, encoding, number, code).unwrap_or(SignalDetail::Unknown);
        Some(Self { number, code: Some(code), errno: int(errno_at)?, detail })
    }

    /// Reads a `siginfo_t` as it lies in memory, on a machine that has the usual order of
    /// its fields (all but Mips); `None` if it is too short for number and code.
    pub fn from_siginfo(bytes: &[u8], encoding: Encoding) -> Option<Self> {
        const EM_NONE: u16 = 0;
        Self::parse(bytes, encoding, EM_NONE)
    }

    /// That of a fault at `address`, as the kernel would have reported it.
    pub fn of_fault(number: u16, code: i32, address: Avma) -> Self {
        let meaning = match number {
            SIGSEGV | SIGBUS => AddressMeaning::Access,
            _ => AddressMeaning::Instruction,
        };
        let detail = match code {
            SI_KERNEL => SignalDetail::Kernel,
            _ => SignalDetail::Fault { address, meaning, cause: FaultCause::Plain },
        };
        Self { number, code: Some(code), errno: 0, detail }
    }

    /// `si_addr` of a fault.
    pub fn address(&self) -> Option<Avma> {
        match self.detail {
            SignalDetail::Fault { address, .. } => Some(address),
            _ => None,
        }
    }

    /// Who sent it: pid and uid.
    pub fn sender(&self) -> Option<(i32, u32)> {
        match self.detail {
            SignalDetail::Sent { pid, uid, .. } => Some((pid, uid)),
            _ => None,
        }
    }

    /// `SIGSEGV`, `SIGRTMIN+3`, or `signal 99` where there is no name.
    pub fn name(&self) -> String {
        match (signal_name(self.number), self.number) {
            (Some(name), _) => name.to_owned(),
            (None, SIGRTMIN) => "SIGRTMIN".to_owned(),
            (None, number @ SIGRTMIN..=SIGRTMAX) => {
                format!("SIGRTMIN+{}", number.saturating_sub(SIGRTMIN))
            }
            (None, number) => format!("signal {number}"),
        }
    }

    /// `SEGV_MAPERR`, `SI_TKILL`; `None` for a code without a name or no code at all.
    pub fn code_name(&self) -> Option<&'static str> {
        code_name(self.number, self.code?)
    }

    /// Whether the default action is to end the process with a core (signal(7)).
    pub fn is_fatal(&self) -> bool {
        dumps_core(self.number)
    }
}

/// Signals whose default action is a core dump (signal(7)).
pub(super) fn dumps_core(number: u16) -> bool {
    matches!(number, 3..=8 | 11 | 24 | 25 | 31)
}

fn read_detail(desc: &[u8], encoding: Encoding, number: u16, code: i32) -> Option<SignalDetail> {
    // `_sifields` is aligned for a pointer: after three ints, at 16 or 12.
    let word = encoding.word();
    let base: usize = if encoding.is_64 { 16 } else { 12 };
    let int = |at: usize| encoding.u32(desc, base.saturating_add(at));
    let signed = |at: usize| int(at).map(u32::cast_signed);
    let pointer = |at: usize| encoding.word_at(desc, base.saturating_add(at));
    let fault = |meaning| {
        let cause = match (number, code) {
            (SIGSEGV, 3) => FaultCause::Bounds {
                lower: Avma(pointer(word.saturating_mul(2))?),
                upper: Avma(pointer(word.saturating_mul(3))?),
            },
            (SIGSEGV, 4) => FaultCause::ProtectionKey(int(word.saturating_mul(2))?),
            (SIGBUS, 4 | 5) => {
                let at = base.saturating_add(word);
                let bits = encoding.unsigned(desc, at, 2)?;
                FaultCause::PoisonedMemory(u16::try_from(bits).ok()?)
            }
            _ => FaultCause::Plain,
        };
        Some(SignalDetail::Fault { address: Avma(pointer(0)?), meaning, cause })
    };
    let sent = |value| Some(SignalDetail::Sent { pid: signed(0)?, uid: int(4)?, value });
    match (code, number) {
        (SI_KERNEL, _) => Some(SignalDetail::Kernel),
        (SI_TIMER, _) => Some(SignalDetail::Timer { id: signed(0)?, overrun: signed(4)? }),
        (SI_SIGIO, _) => Some(SignalDetail::Poll { fd: signed(word)? }),
        (0 | SI_TKILL | SI_DETHREAD, _) => sent(None),
        (..0, _) => sent(pointer(8)),
        (_, SIGSEGV | SIGBUS) => fault(AddressMeaning::Access),
        (_, SIGILL | SIGFPE | SIGTRAP) => fault(AddressMeaning::Instruction),
        (_, SIGCHLD) => {
            Some(SignalDetail::Child { pid: signed(0)?, uid: int(4)?, status: signed(8)? })
        }
        (_, SIGPOLL) => Some(SignalDetail::Poll { fd: signed(word)? }),
        (_, SIGSYS) => Some(SignalDetail::SystemCall {
            address: Avma(pointer(0)?),
            number: signed(word)?,
            arch: int(word.saturating_add(4))?,
        }),
        (1.., _) => None,
    }
}

/// The name of a signal in the numbering of x86, Arm, RISC-V, PowerPC and s390 (signal(7));
/// Mips, Sparc, Alpha and PA-RISC number some differently. `None` past 31.
pub fn signal_name(number: u16) -> Option<&'static str> {
    const NAMES: [&str; 31] = [
        "SIGHUP",
        "SIGINT",
        "SIGQUIT",
        "SIGILL",
        "SIGTRAP",
        "SIGABRT",
        "SIGBUS",
        "SIGFPE",
        "SIGKILL",
        "SIGUSR1",
        "SIGSEGV",
        "SIGUSR2",
        "SIGPIPE",
        "SIGALRM",
        "SIGTERM",
        "SIGSTKFLT",
        "SIGCHLD",
        "SIGCONT",
        "SIGSTOP",
        "SIGTSTP",
        "SIGTTIN",
        "SIGTTOU",
        "SIGURG",
        "SIGXCPU",
        "SIGXFSZ",
        "SIGVTALRM",
        "SIGPROF",
        "SIGWINCH",
        "SIGIO",
        "SIGPWR",
        "SIGSYS",
    ];
    NAMES.get(usize::from(number).checked_sub(1)?).copied()
}

/// The name of `si_code` for a signal.
pub fn code_name(number: u16, code: i32) -> Option<&'static str> {
    Some(match (number, code) {
        (_, 0) => "SI_USER",
        (_, SI_KERNEL) => "SI_KERNEL",
        (_, -1) => "SI_QUEUE",
        (_, SI_TIMER) => "SI_TIMER",
        (_, -3) => "SI_MESGQ",
        (_, -4) => "SI_ASYNCIO",
        (_, SI_SIGIO) => "SI_SIGIO",
        (_, SI_TKILL) => "SI_TKILL",
        (_, SI_DETHREAD) => "SI_DETHREAD",
        (_, -60) => "SI_ASYNCNL",
        (SIGILL, 1) => "ILL_ILLOPC",
        (SIGILL, 2) => "ILL_ILLOPN",
        (SIGILL, 3) => "ILL_ILLADR",
        (SIGILL, 4) => "ILL_ILLTRP",
        (SIGILL, 5) => "ILL_PRVOPC",
        (SIGILL, 6) => "ILL_PRVREG",
        (SIGILL, 7) => "ILL_COPROC",
        (SIGILL, 8) => "ILL_BADSTK",
        (SIGILL, 9) => "ILL_BADIADDR",
        (SIGFPE, 1) => "FPE_INTDIV",
        (SIGFPE, 2) => "FPE_INTOVF",
        (SIGFPE, 3) => "FPE_FLTDIV",
        (SIGFPE, 4) => "FPE_FLTOVF",
        (SIGFPE, 5) => "FPE_FLTUND",
        (SIGFPE, 6) => "FPE_FLTRES",
        (SIGFPE, 7) => "FPE_FLTINV",
        (SIGFPE, 8) => "FPE_FLTSUB",
        (SIGFPE, 14) => "FPE_FLTUNK",
        (SIGFPE, 15) => "FPE_CONDTRAP",
        (SIGSEGV, 1) => "SEGV_MAPERR",
        (SIGSEGV, 2) => "SEGV_ACCERR",
        (SIGSEGV, 3) => "SEGV_BNDERR",
        (SIGSEGV, 4) => "SEGV_PKUERR",
        (SIGSEGV, 5) => "SEGV_ACCADI",
        (SIGSEGV, 6) => "SEGV_ADIDERR",
        (SIGSEGV, 7) => "SEGV_ADIPERR",
        (SIGSEGV, 8) => "SEGV_MTEAERR",
        (SIGSEGV, 9) => "SEGV_MTESERR",
        (SIGSEGV, 10) => "SEGV_CPERR",
        (SIGBUS, 1) => "BUS_ADRALN",
        (SIGBUS, 2) => "BUS_ADRERR",
        (SIGBUS, 3) => "BUS_OBJERR",
        (SIGBUS, 4) => "BUS_MCEERR_AR",
        (SIGBUS, 5) => "BUS_MCEERR_AO",
        (SIGTRAP, 1) => "TRAP_BRKPT",
        (SIGTRAP, 2) => "TRAP_TRACE",
        (SIGTRAP, 3) => "TRAP_BRANCH",
        (SIGTRAP, 4) => "TRAP_HWBKPT",
        (SIGTRAP, 5) => "TRAP_UNK",
        (SIGTRAP, 6) => "TRAP_PERF",
        (SIGCHLD, 1) => "CLD_EXITED",
        (SIGCHLD, 2) => "CLD_KILLED",
        (SIGCHLD, 3) => "CLD_DUMPED",
        (SIGCHLD, 4) => "CLD_TRAPPED",
        (SIGCHLD, 5) => "CLD_STOPPED",
        (SIGCHLD, 6) => "CLD_CONTINUED",
        (SIGPOLL, 1) => "POLL_IN",
        (SIGPOLL, 2) => "POLL_OUT",
        (SIGPOLL, 3) => "POLL_MSG",
        (SIGPOLL, 4) => "POLL_ERR",
        (SIGPOLL, 5) => "POLL_PRI",
        (SIGPOLL, 6) => "POLL_HUP",
        (SIGSYS, 1) => "SYS_SECCOMP",
        (SIGSYS, 2) => "SYS_USER_DISPATCH",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LE64: Encoding = Encoding { is_64: true, little_endian: true };
    const BE32: Encoding = Encoding { is_64: false, little_endian: false };
    const EM_X86_64: u16 = 62;

    fn le64(ints: &[(usize, u64, usize)]) -> Vec<u8> {
        let mut desc = vec![0; 128];
        for (at, value, size) in ints {
            desc[*at..at + size].copy_from_slice(&value.to_le_bytes()[..*size]);
        }
        desc
    }

    fn signal(number: u64, code: i32, rest: &[(usize, u64, usize)]) -> Signal {
        let mut fields = vec![(0, number, 4), (8, u64::from(code.cast_unsigned()), 4)];
        fields.extend(rest);
        Signal::parse(&le64(&fields), LE64, EM_X86_64).unwrap()
    }

    #[test]
    fn a_fault_names_the_address_that_was_accessed() {
        let signal = signal(11, 1, &[(16, 0xdead_beef, 8)]);
        assert_eq!(signal.name(), "SIGSEGV");
        assert_eq!(signal.code_name(), Some("SEGV_MAPERR"));
        let detail = SignalDetail::Fault {
            address: Avma(0xdead_beef),
            meaning: AddressMeaning::Access,
            cause: FaultCause::Plain,
        };
        assert_eq!(signal.detail, detail);
    }

    #[test]
    fn the_address_of_a_division_by_zero_is_the_instruction() {
        let detail = signal(8, 1, &[(16, 0x40_1000, 8)]).detail;
        assert!(matches!(detail, SignalDetail::Fault { meaning: AddressMeaning::Instruction, .. }));
    }

    #[test]
    fn a_general_protection_fault_has_no_address_rather_than_address_zero() {
        let signal = signal(11, 0x80, &[]);
        assert_eq!(signal.detail, SignalDetail::Kernel);
        assert_eq!(signal.address(), None);
    }

    #[test]
    fn an_abort_names_its_sender() {
        let signal = signal(6, -6, &[(16, 42, 4), (20, 1000, 4)]);
        assert_eq!(signal.code_name(), Some("SI_TKILL"));
        assert_eq!(signal.sender(), Some((42, 1000)));
    }

    #[test]
    fn a_segv_sent_by_kill_has_a_sender_and_no_address() {
        let signal = signal(11, 0, &[(16, 42, 4), (20, 1000, 4)]);
        assert_eq!((signal.address(), signal.sender()), (None, Some((42, 1000))));
    }

    #[test]
    fn a_protection_key_and_bounds_follow_the_address() {
        let signal_4 = signal(11, 4, &[(16, 9, 8), (32, 5, 4)]);
        assert!(matches!(
            signal_4.detail,
            SignalDetail::Fault { cause: FaultCause::ProtectionKey(5), .. }
        ));
        let signal_3 = signal(11, 3, &[(16, 9, 8), (32, 1, 8), (40, 2, 8)]);
        let bounds = FaultCause::Bounds { lower: Avma(1), upper: Avma(2) };
        assert!(matches!(signal_3.detail, SignalDetail::Fault { cause, .. } if cause == bounds));
    }

    #[test]
    fn in_32_bit_cores_the_fields_start_at_12() {
        let mut desc = vec![0; 128];
        desc[3] = 7;
        desc[11] = 2;
        desc[12..16].copy_from_slice(&0x1234_5678_u32.to_be_bytes());
        let signal = Signal::parse(&desc, BE32, 20).unwrap();
        assert_eq!(signal.code_name(), Some("BUS_ADRERR"));
        assert_eq!(signal.address(), Some(Avma(0x1234_5678)));
    }

    #[test]
    fn on_mips_the_code_comes_before_errno() {
        let mut desc = vec![0; 128];
        desc[3] = 11;
        desc[7] = 1;
        assert_eq!(Signal::parse(&desc, BE32, EM_MIPS).unwrap().code, Some(1));
    }

    #[test]
    fn a_note_cut_behind_its_code_still_names_the_signal() {
        let desc = le64(&[(0, 11, 4), (8, 1, 4)]);
        let signal = Signal::parse(&desc[..12], LE64, EM_X86_64).unwrap();
        assert_eq!((signal.code, signal.detail), (Some(1), SignalDetail::Unknown));
        assert_eq!(Signal::parse(&desc[..11], LE64, EM_X86_64), None);
    }

    #[test]
    fn signals_past_31_are_counted_from_sigrtmin() {
        assert_eq!(Signal::from_number(37).name(), "SIGRTMIN+3");
        assert_eq!(Signal::from_number(0).name(), "signal 0");
        assert_eq!(Signal::from_number(999).name(), "signal 999");
    }
}
