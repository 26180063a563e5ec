//! `obit run`: runs a command, and explains what crashes or hangs in it.

mod advice;
mod analysis;
mod analyst;
mod summary;

use std::ffi::OsString;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use clap::{Args, ValueEnum};
use obit::capture::{self, Chosen, CrashDirectory, Event, OnExit, Outcome, RunError, RunOptions};
use obit::render::Format;

use crate::cli::args::fail_on::FailOn;
use crate::cli::args::general::General;
use crate::cli::args::quantities::interval;
use crate::cli::args::redaction::Redaction;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::formats;
use crate::cli::message::say;

use analysis::Analyses;
use analyst::Analyst;

/// Which command, when to record it, and what to keep.
#[derive(Clone, Debug, Args)]
pub(crate) struct RunArgs {
    /// The command and its arguments
    #[arg(value_name = "COMMAND", required = true, num_args = 1.., trailing_var_arg = true,
        allow_hyphen_values = true)]
    command: Vec<OsString>,
    /// Record all processes of the command if it runs longer (600, 10m), end it, and exit
    /// with 124
    #[arg(long, value_name = "TIME", value_parser = interval, help_heading = "When to record")]
    timeout: Option<Duration>,
    /// After --timeout: the time from SIGTERM to SIGKILL
    #[arg(long, value_name = "TIME", value_parser = interval, default_value = "5",
        help_heading = "When to record", hide_short_help = true)]
    kill_after: Duration,
    /// Record each process that exits with this status, too, or with any but 0 (nonzero)
    #[arg(long, value_name = "STATUS", value_parser = on_exit, help_heading = "When to record")]
    on_exit: Option<OnExit>,
    /// Record at most N crashes; further ones are counted
    #[arg(long, value_name = "N", default_value = "20", help_heading = "When to record")]
    max_crashes: usize,
    /// The directory for cores and reports, made when there are any
    #[arg(short, long, value_name = "DIR", help_heading = "Output")]
    output: Option<PathBuf>,
    /// The format of the reports
    #[arg(long, default_value = "human", help_heading = "Output",
        value_parser = formats::parser(|format| format.report().is_some()))]
    format: &'static Format,
    /// What to keep of a crash besides its report
    #[arg(long, value_enum, default_value_t, value_name = "WHAT", help_heading = "Output")]
    keep: Keep,
    /// Keep scrubbed cores only, the same as --keep scrubbed
    #[arg(long, conflicts_with = "keep", help_heading = "Output")]
    scrub: bool,
    #[command(flatten)]
    pub(crate) redaction: Redaction,
    #[command(flatten)]
    fail_on: FailOn,
}

/// What is kept of a crash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Keep {
    /// The core
    #[default]
    Core,
    /// A core without personal data (`obit scrub`)
    Scrubbed,
    /// Nothing
    Report,
}

/// Where crashes are recorded unless the user says where.
const DIRECTORY: &str = "obit-crashes";
/// What timeout(1) exits with.
const TIMED_OUT: u8 = 124;
/// What env(1) and timeout(1) exit with if they themselves fail.
const FAILED: u8 = 125;

pub(crate) fn run(args: &RunArgs, general: &General) -> Result<Exit, Failure> {
    let chosen = if args.output.is_some() { Chosen::ByUser } else { Chosen::ByDefault };
    let path = args.output.clone().unwrap_or_else(|| PathBuf::from(DIRECTORY));
    let directory = CrashDirectory::new(path, chosen);
    let options = RunOptions {
        timeout: args.timeout,
        kill_after: args.kill_after,
        on_exit: args.on_exit,
        max_crashes: args.max_crashes,
    };
    let analyst = Analyst::new(args, general, &directory)?;
    let analyses = Analyses::new(&analyst);
    // What is being analysed is finished before the scope ends.
    let ended = thread::scope(|scope| {
        let mut report = |event| on_event(event, args, &|crash| analyses.add(scope, crash));
        capture::run(&args.command, &options, &directory, &mut report)
    });
    let outcome = ended.map_err(|error| not_run(&error))?;
    let analyzed = analyses.finish();
    summary::say_all(&analyzed, &outcome, directory.path(), args.max_crashes);
    let gate = args.fail_on.exit_of_all(analyzed.iter().filter_map(|one| one.report.as_ref()));
    Ok(exit(&outcome, gate))
}

/// The command's own failure is not hidden by a gate.
fn exit(outcome: &Outcome, gate: Exit) -> Exit {
    match outcome.ended.code() {
        _ if outcome.timed_out => Exit::OfCommand(TIMED_OUT),
        0 => gate,
        code => Exit::OfCommand(code),
    }
}

fn on_event(event: Event, args: &RunArgs, analyse: &dyn Fn(capture::Crash)) {
    match event {
        Event::Recorded(crash) => analyse(crash),
        Event::Untraced(why) => say(&advice::untraced(&why)),
        Event::Unrecorded { program, process, trigger, why } => {
            let program = program.unwrap_or_else(|| "process".to_owned());
            let trigger = summary::words(trigger);
            say(&format!("no core of {program} ({process}, {trigger}): {why}"));
        }
        Event::TimedOut => {
            let limit = args.timeout.unwrap_or_default().as_secs_f64();
            say(&format!("the command has run for {limit} s: recording its processes"));
        }
    }
}

fn not_run(error: &RunError) -> Failure {
    let code = match error {
        RunError::Command(error) => error.code(),
        _ => FAILED,
    };
    Failure::new(Exit::OfCommand(code), error)
}

fn on_exit(text: &str) -> Result<OnExit, String> {
    if text == "nonzero" {
        return Ok(OnExit::NonZero);
    }
    let status = text.parse().map(OnExit::Status);
    status.map_err(|_| "expected an exit status from 0 to 255, or nonzero".to_owned())
}

#[cfg(test)]
mod tests {
    use obit::capture::Ended;

    use super::*;

    #[test]
    fn the_status_of_the_command_comes_before_a_gate() {
        let ended = |ended| Outcome { ended, timed_out: false, excess: Vec::new() };
        assert_eq!(exit(&ended(Ended::Exited(0)), Exit::Gate), Exit::Gate);
        assert_eq!(exit(&ended(Ended::Exited(7)), Exit::Gate), Exit::OfCommand(7));
        assert_eq!(exit(&ended(Ended::Killed(11)), Exit::Gate), Exit::OfCommand(139));
        let late = Outcome { timed_out: true, ..ended(Ended::Exited(0)) };
        assert_eq!(exit(&late, Exit::Gate), Exit::OfCommand(124));
    }

    #[test]
    fn an_exit_status_is_a_number_or_nonzero() {
        assert_eq!(on_exit("3"), Ok(OnExit::Status(3)));
        assert_eq!(on_exit("nonzero"), Ok(OnExit::NonZero));
        assert!(on_exit("256").is_err() && on_exit("").is_err());
    }
}
