//! `obit snapshot PID`: what a process that runs is doing.

mod compare;
mod core;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use obit::render::Format;
use obit::report::Report;
use obit_capture::{Refused, Snapshot, SnapshotError, WriteError};

use super::report::ReportOptions;
use crate::cli::args::core_files::Inputs;
use crate::cli::args::general::General;
use crate::cli::args::quantities::{bytes, interval};
use crate::cli::destination::Destination;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::formats;
use crate::cli::message::say;
use crate::cli::no_core;
use compare::Sample;
use core::TakenCore;

/// Snapshots with `--every` alone.
const SEVERAL: u32 = 3;
/// Between snapshots with `--count` alone.
const INTERVAL: Duration = Duration::from_secs(10);
/// Snapshots at most: each report is kept until all are compared.
const MOST: i64 = 1000;

/// Which process, how often, and what of it.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct SnapshotArgs {
    /// The id of the process
    #[arg(value_name = "PID", value_parser = clap::value_parser!(i32).range(1..))]
    process: i32,
    /// Keep the core, too: the same as -o with a name such as core, core.1234 or app.core
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    core: Option<PathBuf>,
    /// Take several snapshots, one every so often (10s, 500ms, 2m), and compare the stacks of
    /// each thread [default: 10s with --count]
    #[arg(long, value_name = "TIME", value_parser = interval, help_heading = "What to take")]
    every: Option<Duration>,
    /// How many snapshots [default: 3 with --every]
    #[arg(long, value_name = "N", help_heading = "What to take",
        value_parser = clap::value_parser!(u32).range(1..=MOST))]
    count: Option<u32>,
    /// Copy at most so much memory (512M, 2G): stacks first, then the smaller mappings
    #[arg(long, value_name = "SIZE", value_parser = bytes, help_heading = "What to take")]
    max_core: Option<u64>,
    #[command(flatten)]
    pub(crate) options: ReportOptions,
}

/// `obit PID`.
pub(crate) fn of_process(
    process: i32,
    options: &ReportOptions,
    general: &General,
) -> Result<Exit, Failure> {
    let args = SnapshotArgs { process, options: options.clone(), ..SnapshotArgs::default() };
    run(&args, general)
}

pub(crate) fn run(args: &SnapshotArgs, general: &General) -> Result<Exit, Failure> {
    let mut args = args.clone();
    args.take_core_from_output();
    let options = &args.options;
    let format = options.output.format();
    let writer = formats::writer(format, "a report", Format::report)?;
    let destination = Destination::of(&options.output.file, format, general, None)?;
    let page = options.page(general, &destination);
    let is_quiet = general.quiet || destination.is_pager();
    let mut report = args.reports(format, is_quiet)?;
    options.check(&report)?;
    report.findings.sort_by_key(|finding| compare::rank(&finding.kind));
    destination.write(|out| writer.write(out, &report, options.view(), &page))?;
    options.say_unused_rules(&report, general);
    Ok(options.exit(&report))
}

impl SnapshotArgs {
    /// `-o core` is meant as gcore and coredumpctl mean it.
    fn take_core_from_output(&mut self) {
        let file = &mut self.options.output.file.output;
        let is_core = file.as_deref().is_some_and(is_named_as_core);
        if is_core && self.core.is_none() {
            self.core = file.take();
        }
    }

    fn count(&self) -> u32 {
        self.count.unwrap_or(if self.every.is_some() { SEVERAL } else { 1 })
    }

    /// The report on the last snapshot, with what the others show by comparison.
    fn reports(&self, format: &Format, is_quiet: bool) -> Result<Report, Failure> {
        let interval = self.every.unwrap_or(INTERVAL);
        let begin = Instant::now();
        let mut samples = Vec::new();
        let mut last = self.one(1, format, is_quiet, &mut samples)?;
        for nth in 2..=self.count() {
            let due = begin.checked_add(interval.saturating_mul(nth.saturating_sub(1)));
            thread::sleep(
                due.map_or(interval, |due| due.saturating_duration_since(Instant::now())),
            );
            match self.one(nth, format, is_quiet, &mut samples) {
                Ok(report) => last = report,
                // What was seen until it ended is worth a report.
                Err(failure) => {
                    failure.say();
                    break;
                }
            }
        }
        last.findings.extend(compare::findings(&samples, self.options.redaction.level));
        Ok(last)
    }

    fn one(
        &self,
        nth: u32,
        format: &Format,
        is_quiet: bool,
        samples: &mut Vec<Sample>,
    ) -> Result<Report, Failure> {
        let kept = self.core.as_deref().map(|path| self.numbered(path, nth));
        let most = self.max_core.or(self.options.search.max_spill);
        let taken = TakenCore::of(self.process, kept.as_deref(), most)?;
        let at = Instant::now();
        if !is_quiet {
            self.say_taken(&taken);
        }
        let inputs =
            Inputs { core: taken.core.path.clone(), exe: taken.exe.clone(), ..Inputs::default() };
        let mut request = self.options.request(&inputs, format)?;
        request.core_directory = Some(PathBuf::from("."));
        let report = request.report_of(&taken.core, is_quiet)?;
        samples.push(Sample::new(&report, &taken.snapshot, at));
        Ok(report)
    }

    /// A name for each of several cores.
    fn numbered(&self, path: &Path, nth: u32) -> PathBuf {
        if self.count() == 1 {
            return path.to_owned();
        }
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{nth}"));
        name.into()
    }

    fn say_taken(&self, taken: &TakenCore) {
        let Snapshot { written, pause, missing, .. } = &taken.snapshot;
        let process = self.process;
        let millis = pause.as_secs_f64() * 1000.0;
        let mib = written.bytes as f64 / f64::from(1 << 20);
        say(&format!("process {process} was stopped for {millis:.1} ms; {mib:.1} MiB copied"));
        if written.left_out > 0 {
            let mib = written.left_out >> 20;
            say(&format!("{mib} MiB of its memory are left out (--max-core, --max-spill)"));
        }
        if !missing.is_empty() {
            let count = missing.len();
            say(&format!(
                "{count} of its threads did not stop: they wait in the kernel (state D); the \
                 report lacks them"
            ));
        }
    }
}

/// `core`, `core.1234`, `app.core`: what no one calls a report, unless the rest of the name is
/// that of a format, as in `core.html`.
fn is_named_as_core(path: &Path) -> bool {
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let is_core = name == "core" || name.starts_with("core.") || name.ends_with(".core");
    is_core && formats::of_file(path).is_none()
}

/// The exit code and the message.
fn failed(error: &SnapshotError) -> Failure {
    let exit = match error {
        SnapshotError::Core(WriteError::Write(_)) => Exit::Output,
        SnapshotError::Refused(Refused::NoSuchProcess(process)) => {
            return Failure::new(Exit::Unusable, &no_core::of_missing_process(*process));
        }
        _ => Exit::Unusable,
    };
    Failure::new(exit, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_is_written_where_the_name_says_core() {
        for name in ["core", "/tmp/core", "core.1234", "app.core"] {
            assert!(is_named_as_core(Path::new(name)), "{name}");
        }
        for name in ["crash.html", "core.json", "report", "hardcore", "-"] {
            assert!(!is_named_as_core(Path::new(name)), "{name}");
        }
    }
}
