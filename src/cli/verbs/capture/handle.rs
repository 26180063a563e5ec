//! `obit capture handle`: what the kernel starts for each crash.

use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use obit_capture::handler::{Announced, Captured, HandleError, Outcome, Source, handle};
use obit_capture::journal::{Priority, log};
use obit_capture::spool::Spool;
use rustix::process::{DumpableBehavior, set_dumpable_behavior};

use super::settings::CaptureSettings;
use super::{lines, report};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;

/// Stores the crash, then makes its report. What goes wrong is in the journal, too: the kernel
/// starts this without a standard error.
pub(super) fn run(
    words: &[OsString],
    is_connection: bool,
    config: Option<&Path>,
) -> Result<Exit, Failure> {
    if words.is_empty() && !is_connection {
        let problem = "the kernel starts `obit capture handle` when a process crashes, and writes \
                       the core to it; `obit capture install` sets that up";
        return Err(Failure::usage(&problem));
    }
    // A crash of the handler must not start another one.
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let mut spool = None;
    let outcome = capture(words, is_connection, config, &mut spool);
    if let Err(failure) = &outcome {
        let why = failure.message.as_deref().unwrap_or("no reason is known");
        let line = format!("a crash was not captured: {why}");
        log_some(spool.as_ref(), "failed", Priority::Error, &line, &[]);
    }
    outcome
}

/// Logs the first, second, fourth, eighth … line of a kind in a minute: programs that crash in a
/// loop must not fill the journal. Where lines cannot be counted, each is logged.
fn log_some(
    spool: Option<&Spool>,
    kind: &str,
    priority: Priority,
    line: &str,
    fields: &[(&str, &str)],
) {
    const SECONDS: u32 = 60;
    let count = spool.and_then(|spool| spool.count_line(kind, SECONDS, unix_seconds()).ok());
    match count.unwrap_or(1) {
        1 => log(priority, line, fields),
        count if count.is_power_of_two() => {
            log(priority, &format!("{line} ({count} such lines in {SECONDS} s)"), fields);
        }
        _ => {}
    }
}

fn unix_seconds() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.ok().and_then(|since| i64::try_from(since.as_secs()).ok()).unwrap_or(0)
}

fn capture(
    words: &[OsString],
    is_connection: bool,
    config: Option<&Path>,
    opened: &mut Option<Spool>,
) -> Result<Exit, Failure> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        let problem = "the core is expected on the standard input, which is a terminal";
        return Err(Failure::usage(&problem));
    }
    // A descriptor of our own: closing it ends the kernel's wait.
    let input = stdin.as_fd().try_clone_to_owned();
    let input = input.map_err(|error| Failure::new(Exit::Unusable, &error))?;
    close_standard_input()?;
    let source = match is_connection {
        true => Source::Socket(input),
        false => {
            let announced = Announced::parse(words).map_err(|error| Failure::usage(&error))?;
            Source::Pipe(input, announced)
        }
    };
    let settings = CaptureSettings::load(config).unwrap_or_else(|error| {
        // A crash is captured all the same.
        log(Priority::Warning, &format!("{error}; the default settings are used"), &[]);
        CaptureSettings::default()
    });
    let not_written = |error: &dyn std::fmt::Display| Failure::new(Exit::Output, error);
    let spool = Spool::create(&settings.spool).map_err(|error| not_written(&error))?;
    let spool = &*opened.insert(spool);
    match handle(source, spool, &settings.handler) {
        Ok(Outcome::Captured(captured)) => {
            captured_one(*captured, spool, &settings);
            Ok(Exit::Success)
        }
        Ok(Outcome::TooMany { name, most, refused }) => {
            // A program that crashes in a loop must not fill the journal.
            if !refused.is_power_of_two() {
                return Ok(Exit::Success);
            }
            let line = format!(
                "{name} crashed again and was not captured: {most} crashes in {} s are \
                 ({refused} were not)",
                settings.handler.rates.seconds
            );
            log(Priority::Warning, &line, &[("OBIT_PROGRAM", &name)]);
            Ok(Exit::Success)
        }
        Ok(Outcome::Unwanted { name }) => {
            let line = format!("{name} crashed and was not captured: its RLIMIT_CORE is 0");
            log_some(Some(spool), "unwanted", Priority::Notice, &line, &[("OBIT_PROGRAM", &name)]);
            Ok(Exit::Success)
        }
        Ok(_) => Ok(Exit::Success),
        Err(HandleError::Connection(error)) => Err(Failure::usage(&error)),
        Err(error) => Err(not_written(&error)),
    }
}

fn captured_one(captured: Captured, spool: &Spool, settings: &CaptureSettings) {
    let Captured { record, held, trouble, .. } = captured;
    let signal = lines::signal(record.signal);
    let fields = [
        ("OBIT_CRASH_ID", record.id.as_str()),
        ("OBIT_PROGRAM", record.name()),
        ("OBIT_SIGNAL", signal.as_str()),
    ];
    log(Priority::Warning, &lines::captured(&record), &fields);
    if let Some(trouble) = trouble {
        log(Priority::Error, &format!("{}: {trouble}", record.id), &fields);
    }
    if !settings.reports {
        return;
    }
    // Only a process with files of its own is held until the report is made.
    let held = Some(held).filter(|held| held.place.is_some());
    let made = report::make(&record, held, spool, settings);
    if let Err(error) = made {
        log(Priority::Error, &format!("no report on {}: {error}", record.id), &fields);
    }
}

/// The standard input is the kernel's pipe: as long as it is open, the process is held.
fn close_standard_input() -> Result<(), Failure> {
    let null = std::fs::File::open("/dev/null");
    let replaced = null.and_then(|null| Ok(rustix::stdio::dup2_stdin(&null)?));
    replaced.map_err(|error| Failure::new(Exit::Unusable, &error))
}
