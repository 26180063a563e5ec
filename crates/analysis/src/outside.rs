//! Whether the process would have gone on: it was stopped or killed from outside.

use crate::signals::{SIGINT, SIGQUIT, SIGSTOP, SIGTERM, SIGTSTP};
use obit_corefile::dump::SignalDetail;
use obit_process::process::Process;

/// The process that sent the signal, if it was another than the dead one.
pub(super) fn sender(process: &Process) -> Option<i64> {
    let (pid, _) = process.dump.signal.as_ref()?.sender()?;
    let own = process.dump.process.as_ref().map(|info| info.pid);
    let own = own.or_else(|| process.threads.first().map(|thread| thread.tid))?;
    (pid > 0 && i64::from(pid) != own).then_some(i64::from(pid))
}

/// Whether the core was taken of a process that had no fault of its own: somebody sent the
/// signal, stopped it for a look, or there was no signal at all.
pub(super) fn is_from_outside(process: &Process) -> bool {
    let Some(signal) = &process.dump.signal else { return true };
    let is_request = matches!(signal.number, 0 | SIGINT | SIGQUIT | SIGTERM | SIGSTOP | SIGTSTP);
    // A sender outside of the process' namespace has no id in it.
    let is_foreign = matches!(signal.detail, SignalDetail::Sent { pid: 0, .. });
    is_request || is_foreign || sender(process).is_some()
}
