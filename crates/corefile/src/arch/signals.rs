//! What the kernel does to run a signal handler, and how a thread sleeps in it.

use super::{Register, Saved};

/// A signal trampoline recognised by its code.
#[derive(Debug)]
pub struct SigreturnCode {
    /// The code at the pc.
    pub code: TrampolineCode,
    /// Bytes from the stack pointer to the saved register block.
    pub context_offset: u64,
    /// Where each register lies in that block.
    pub registers: &'static [Saved],
}

/// The code of a trampoline.
#[derive(Clone, Copy, Debug)]
pub enum TrampolineCode {
    /// Byte by byte; at most 16.
    Bytes(&'static [u8]),
    /// Instructions of four bytes each, in the byte order of the machine; at most 4.
    Words(&'static [u32]),
}

/// What the kernel leaves on the stack for a signal handler besides registers. Offsets are
/// bytes from the stack pointer that the trampoline has.
#[derive(Clone, Copy, Debug)]
pub struct HandlerFrame {
    /// `siginfo_t`.
    pub siginfo: SiginfoPlace,
    /// The address of the last fault.
    pub fault_address: Option<u64>,
    /// The number of the processor's last exception.
    pub trap_number: Option<u64>,
    /// The pointer to the `fxsave` or `xsave` area.
    pub float_pointer: Option<u64>,
    /// How a `struct ucontext` is recognized where the trampoline's code is not available.
    pub signs: Option<ContextSigns>,
}

impl HandlerFrame {
    /// Nothing is looked for.
    pub(super) const UNKNOWN: Self = Self {
        siginfo: SiginfoPlace::Unknown,
        fault_address: None,
        trap_number: None,
        float_pointer: None,
        signs: None,
    };
}

/// Where `siginfo_t` lies.
#[derive(Clone, Copy, Debug)]
pub enum SiginfoPlace {
    /// Not known.
    Unknown,
    /// Here, whatever the handler was asked for.
    At(u64),
    /// Here, if the pointer says so.
    PointedTo {
        /// The pointer.
        pointer: u64,
        /// Where it must point.
        at: u64,
    },
}

/// Marks of x86_64's `struct ucontext` (Linux `arch/x86/include/asm/sigframe.h`,
/// `uapi/asm/ucontext.h`). Offsets are bytes from its start.
#[derive(Clone, Copy, Debug)]
pub struct ContextSigns {
    /// All of `UC_FP_XSTATE`, `UC_SIGCONTEXT_SS` and `UC_STRICT_RESTORE_SS`.
    pub flags: u64,
    /// `uc_link`, which the kernel sets to null.
    pub link: u64,
    /// `cs`, `gs`, `fs` and `ss`, two bytes each.
    pub selectors: u64,
    /// `__USER_CS`.
    pub user_code: u64,
    /// `__USER_DS` in `ss`, which old kernels leave zero.
    pub user_data: u64,
    /// The pointer to the state of the vector registers, which lies above on the same stack.
    pub float_pointer: u64,
}

/// How a thread waits for a lock: `futex(word, operation, value, timeout, …)`.
#[derive(Clone, Copy, Debug)]
pub struct FutexCall {
    /// Numbers of the system call (`futex`, `futex_time64`).
    pub numbers: &'static [u64],
    /// The register of its first argument.
    pub word: Register,
    /// That of the second.
    pub operation: Register,
    /// That of the fourth.
    pub timeout: Register,
}
