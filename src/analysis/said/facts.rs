//! What else the process left that bears on its end: not the cause, but beside it.

use super::stack::Stack;
use super::{Said, Speaker, cpp, errno, watchdog};
use crate::analysis::fault::{Fault, Reason, earlier};
use crate::dump::{Signal, SignalDetail};
use crate::process::Process;

/// One fact about the crashed thread or the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// What the program said from the handler that caught the fault.
    Aftermath(Said),
    /// A fault before this one: its handler had not returned when it failed, too.
    Earlier(Signal),
    /// The system call that was refused, by its number.
    SystemCall(i32),
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
    /// systemd expects a sign of life this often, in microseconds (`WATCHDOG_USEC`), and
    /// sends SIGABRT otherwise (sd_watchdog_enabled(3)).
    Watchdog(u64),
}

/// Facts beside the cause. Each is looked for only where it can bear on the end.
pub(in crate::analysis) fn facts(
    process: &Process,
    fault: Option<&Fault>,
    said: Option<&Said>,
    sender: Option<i64>,
) -> Vec<Fact> {
    let signal = process.dump.signal.as_ref();
    let Some(stack) = Stack::of_crashed(process) else { return Vec::new() };
    let mut found = Vec::new();
    if let (Some(fault), Some(thread)) = (fault, process.crashed()) {
        let earlier = earlier(process, thread).filter(|_| fault.activation == 0);
        found.extend(earlier.map(|caught| Fact::Earlier(caught.signal)));
    }
    if let Some(SignalDetail::SystemCall { number, .. }) = signal.map(|signal| signal.detail) {
        found.push(Fact::SystemCall(number));
    }
    if is_after_a_failure(fault, said, sender) {
        found.extend(errno::errno(&stack));
    }
    let is_told = said.is_some_and(|said| said.speaker == Speaker::CppException);
    if !is_told {
        let handled = cpp::handled(&stack).into_iter();
        found.extend(handled.map(|(exception, text)| Fact::Handled { exception, text }));
    }
    if sender.is_some() && stack.is_aborted() {
        found.extend(watchdog::expected(process).map(Fact::Watchdog));
    }
    found
}

/// Whether a call that failed may be behind the end: the program gave up by itself, or
/// used a pointer that it was given as a sign of failure.
fn is_after_a_failure(fault: Option<&Fault>, said: Option<&Said>, sender: Option<i64>) -> bool {
    match (said, fault) {
        (Some(said), _) => matches!(
            said.speaker,
            Speaker::Assertion | Speaker::Abort | Speaker::Terminate | Speaker::CppException
        ),
        (None, Some(fault)) => fault.reason == Reason::Null,
        (None, None) => sender.is_none(),
    }
}
