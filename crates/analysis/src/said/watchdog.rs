//! Whether a service manager watched the process: if so, systemd sets variables in the
//! service's environment (sd_watchdog_enabled(3)).

use obit_process::process::Process;

/// Microseconds between two signs of life that systemd waits for, if this process is the
/// one to give them.
pub(super) fn expected(process: &Process) -> Option<u64> {
    let environment = process.environment()?;
    let value = |name: &[u8]| {
        let mut values =
            environment.iter().filter_map(|entry| entry.strip_prefix(name)?.strip_prefix(b"="));
        std::str::from_utf8(values.next()?).ok()
    };
    let own = process.dump.process.as_ref().map(|info| info.pid);
    let meant: Option<i64> = value(b"WATCHDOG_PID").and_then(|pid| pid.parse().ok());
    if meant.is_some_and(|meant| Some(meant) != own) {
        return None;
    }
    value(b"WATCHDOG_USEC")?.parse().ok().filter(|period| *period > 0)
}
