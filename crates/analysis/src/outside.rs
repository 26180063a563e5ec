//! Whether the process would have gone on: it was stopped or killed from outside.

use super::fault::given_first;
use crate::signals::{SIGABRT, SIGINT, SIGQUIT, SIGSTOP, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU};
use obit_corefile::dump::{Signal, SignalDetail};
use obit_process::process::Process;

/// Another process that sent the signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sender {
    /// Its id.
    pub(super) pid: i64,
    /// Whether the core's own signal says so, and not only what a handler was given.
    pub(super) is_recorded: bool,
}

/// The process that sent the signal, if it was not the crashed process itself. A handler that
/// sends the signal again only hands it on.
pub(super) fn sender(process: &Process) -> Option<Sender> {
    let own = process.dump.process.as_ref().map(|info| info.pid);
    let own = own.or_else(|| process.threads.first().map(|thread| thread.tid))?;
    let other = |signal: &Signal| {
        let (pid, _) = signal.sender()?;
        (pid > 0 && i64::from(pid) != own).then_some(i64::from(pid))
    };
    let signal = process.dump.signal.as_ref()?;
    if let Some(pid) = other(signal) {
        return Some(Sender { pid, is_recorded: true });
    }
    if signal.sender().is_none_or(|(pid, _)| i64::from(pid) != own) {
        return None;
    }
    let before = given_first(process, process.crashed()?)?;
    let before = match before.number == signal.number {
        true => before,
        false => ended_for(process)?,
    };
    Some(Sender { pid: other(&before)?, is_recorded: false })
}

/// The signal from outside for which Go's runtime ended the process by a SIGABRT of its own
/// (`runtime/signal_unix.go`: `sighandler`, `crash`). The thread that was given it sends SIGQUIT to
/// all others, so that each prints its stack, and the last one aborts.
pub(super) fn ended_for(process: &Process) -> Option<Signal> {
    let crashed = process.crashed()?;
    let signal = process.dump.signal.as_ref().filter(|signal| signal.number == SIGABRT)?;
    let has = |name| crashed.frames.iter().any(|frame| frame.function.as_deref() == Some(name));
    if !has("runtime.crash") || !has("runtime.sighandler") {
        return None;
    }
    let own = signal.sender().map(|(pid, _)| pid);
    let is_from_outside = |given: &Signal| match given.detail {
        SignalDetail::Kernel => true,
        _ => given.sender().is_some_and(|(pid, _)| Some(pid) != own),
    };
    let mut given = process.threads.iter().filter_map(|thread| given_first(process, thread));
    given.find(is_from_outside)
}

/// Whether this signal stops a process and never ends one: a core that has it is of a process
/// that a debugger (`gcore`) had stopped.
pub(super) fn only_stops(signal: u16) -> bool {
    matches!(signal, SIGSTOP | SIGTSTP | SIGTTIN | SIGTTOU)
}

/// Whether the core was taken of a process that had no fault of its own: somebody sent the
/// signal, stopped it for a look, or there was no signal at all.
pub(super) fn is_from_outside(process: &Process) -> bool {
    let Some(signal) = &process.dump.signal else { return true };
    let is_request = matches!(signal.number, 0 | SIGINT | SIGQUIT | SIGTERM);
    // A sender outside of the process' namespace has no id in it.
    let is_foreign = matches!(signal.detail, SignalDetail::Sent { pid: 0, .. });
    is_request || only_stops(signal.number) || is_foreign || sender(process).is_some()
}

#[cfg(test)]
mod tests {
    use crate::analyze;
    use obit_causes::CauseClass;
    use obit_corefile::testkit::CoreBuilder;
    use obit_process::process::{Options, Process};

    #[test]
    fn a_core_with_a_signal_that_only_stops_is_a_snapshot() {
        let class = |signal: u16, code: i32, sender: u64| {
            let core = CoreBuilder::x86_64().signal(signal).process(7, "prog", "./prog");
            let core = core.thread(7, &[("rip", 0x40_1000), ("rsp", 0x7ffe_0000_0800)]);
            let core = core.siginfo(i32::from(signal), code, sender);
            let core = core.segment(0x7ffe_0000_0000, &[0; 0x1000], 0x1000).write();
            let process = Process::open(core.path(), Options::default(), &()).unwrap();
            analyze(&process).cause.unwrap().class
        };
        // SI_KERNEL, as a debugger's attaching leaves it; sent by another process.
        assert_eq!(class(19, 0x80, 0), CauseClass::Snapshot);
        assert_eq!(class(20, 0, 99), CauseClass::Snapshot);
        assert_eq!(class(3, 0, 99), CauseClass::ExternalSignal);
    }
}
