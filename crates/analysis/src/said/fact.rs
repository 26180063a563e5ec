//! One fact beside the cause.

use super::Said;
use obit_corefile::dump::Signal;

/// One fact about the crashed thread or the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// What the program said from the handler that caught the fault.
    Aftermath(Said),
    /// A fault before this one: its handler had not returned when it failed, too.
    Earlier(Signal),
    /// The system call that was refused: its number, and its name where that is known.
    SystemCall(i32, Option<&'static str>),
    /// The thread's `errno`, as the last call of the C library that failed left it: its
    /// number and its name on Linux.
    Errno(i32, &'static str),
    /// An exception of C++ that the crashed thread has caught and not done with: its type,
    /// and what it says where that is sure.
    Handled {
        /// As its author wrote the type.
        exception: String,
        /// What it says.
        text: Option<String>,
    },
    /// Where a Rust panic was raised, as the panic itself has it: file, line, column. Of a
    /// frame without a line.
    PanicAt(String, u32, u32),
    /// A `std::thread` that was still joinable was destroyed or assigned to.
    JoinableThread,
    /// systemd expects a sign of life this often, in microseconds (`WATCHDOG_USEC`), and
    /// sends SIGABRT otherwise (sd_watchdog_enabled(3)).
    Watchdog(u64),
    /// The stack ran out in one frame: its bytes.
    LargeFrame(u64),
    /// The message that the compiler put into the name of a trap
    /// (`__builtin_verbose_trap` of clang).
    TrapMessage(String),
    /// A handler was given the signal of another process, with this id, and sent it again.
    SentAgain(i64),
}
