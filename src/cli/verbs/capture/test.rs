//! `obit capture test`: a crash on purpose.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use obit_capture::spool::{Entry, Part, Spool};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::lines;
use super::machine::Machine;
use super::pattern::{is_ours, owner_of};
use super::settings::CaptureSettings;
use crate::cli::destination::Destination;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;

/// The program that crashes.
const SHELL: &str = "/bin/sh";
/// How often the spool is looked at.
const STEP: Duration = Duration::from_millis(10);

pub(super) fn run(patience: Duration, config: Option<&Path>) -> Result<Exit, Failure> {
    let settings = CaptureSettings::load(config).map_err(|error| Failure::usage(&error))?;
    let failed = |problem: &dyn std::fmt::Display| Failure::new(Exit::Unusable, problem);
    let values = Machine::at(Path::new("/")).values().map_err(|error| failed(&error))?;
    if !is_ours(&values.core_pattern) {
        let owner = owner_of(&values.core_pattern);
        let problem = format!("crashes go to {owner}; `obit capture install` changes that");
        return Err(failed(&problem));
    }
    let begun = Instant::now();
    let start = unix_seconds();
    let (process, status) = crash().map_err(|error| failed(&error))?;
    if !status.core_dumped() {
        let problem = format!(
            "process {process} crashed, and the kernel could not hand over its core; the kernel's \
             log (dmesg) and the journal say why"
        );
        return Err(failed(&problem));
    }
    let entry = loop {
        match find(&settings, process, start) {
            Ok(Some(entry)) => break entry,
            _ if begun.elapsed() < patience => std::thread::sleep(STEP),
            Ok(None) => {
                let problem = format!(
                    "the crash of process {process} did not arrive in {} within {} s; the journal \
                     says why (journalctl -t obit)",
                    settings.spool.display(),
                    patience.as_secs_f64()
                );
                return Err(failed(&problem));
            }
            Err(problem) => return Err(failed(&problem)),
        }
    };
    let took = begun.elapsed().as_millis();
    let what = if settings.reports { "captured and reported" } else { "captured" };
    let line = format!("{what} in {took} ms: {} ({} on disk)", entry.id, lines::size(entry.bytes));
    Destination::lines().write(|out| writeln!(out, "{line}"))?;
    Ok(Exit::Success)
}

/// A shell that ends itself by SIGSEGV, with as large a core as it may have.
fn crash() -> io::Result<(u32, ExitStatus)> {
    let before = getrlimit(Resource::Core);
    setrlimit(Resource::Core, Rlimit { current: before.maximum, maximum: before.maximum })?;
    let shell = Command::new(SHELL)
        .args(["-c", "kill -s SEGV $$"])
        .current_dir("/")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    setrlimit(Resource::Core, before)?;
    let mut shell = shell?;
    Ok((shell.id(), shell.wait()?))
}

/// The crash of the process of this test, once all of it is there.
fn find(settings: &CaptureSettings, process: u32, start: u64) -> Result<Option<Entry>, String> {
    let spool = Spool::open(&settings.spool).map_err(|error| error.to_string())?;
    let entries = spool.entries().map_err(|error| error.to_string())?;
    let is_complete = |entry: &Entry| {
        entry.parts.contains(&Part::Core)
            && (!settings.reports || entry.parts.contains(&Part::Report))
    };
    let mut newest = entries.into_iter().rev();
    Ok(newest.find(|entry| is_of(&entry.id, process, start) && is_complete(entry)))
}

/// Whether an id is that of [`SHELL`] under this number, at `start` (seconds since 1970) or
/// later: numbers of processes come again.
fn is_of(id: &str, process: u32, start: u64) -> bool {
    let name = SHELL.rsplit('/').next().unwrap_or(SHELL);
    let time = id.strip_prefix(name).and_then(|id| id.strip_prefix('-'));
    let time = time.and_then(|id| id.strip_suffix(&format!("-{process}")));
    let time = time.and_then(|time| time.parse::<u64>().ok());
    // The kernel's clock of seconds may be a tick behind.
    time.is_some_and(|time| time.saturating_add(1) >= start)
}

fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_crash_of_this_very_test_is_found() {
        assert!(is_of("sh-1767225600-7", 7, 1_767_225_600));
        assert!(is_of("sh-1767225605-7", 7, 1_767_225_600));
        for other in ["sh-1767225500-7", "bash-1767225600-7", "sh-1767225600-17", "sh-x-7"] {
            assert!(!is_of(other, 7, 1_767_225_600), "{other}");
        }
    }
}
