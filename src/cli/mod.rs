//! The command line: a user of the library like any other, and the only one who prints.

mod analyze;
mod args;
mod exit;
mod explain;
mod formatters;
mod inputs;
mod outlet;
mod panic;
mod print;
mod progress;
mod redact;
mod screen;
mod scrub;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use analyze::Request;
use args::{Cli, Files, Format, Verb};
use exit::Exit;
use outlet::{Outlet, OutletError};
use progress::Progress;

/// Runs obit as the process' arguments say.
pub(crate) fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error).into(),
    };
    panic::caught(|| run(&cli)).unwrap_or(Exit::Bug).into()
}

fn run(cli: &Cli) -> Exit {
    let outcome = match &cli.verb {
        Some(Verb::Schema) => schema(cli),
        Some(Verb::Explain(args)) => explain::explain(cli, args),
        Some(Verb::Redact(args)) => redact::redact(cli, args),
        Some(Verb::Scrub(args)) => scrub::scrub(cli, args),
        Some(Verb::Print(args)) => print::print(cli, args),
        Some(Verb::Modules(files)) => report(cli, files, View::Modules),
        Some(Verb::Signature(args)) => {
            report(cli, &args.files, View::Signature { explained: args.explain })
        }
        Some(Verb::Analyze(files)) => report(cli, files, View::Page),
        None => report(cli, &Files::default(), View::Page),
    };
    outcome.unwrap_or_else(|failure| {
        failure.say();
        failure.exit
    })
}

/// Which part of the report a person sees. JSON is always whole.
#[derive(Clone, Copy)]
enum View {
    Page,
    Modules,
    Signature { explained: bool },
}

fn report(cli: &Cli, verb_files: &Files, view: View) -> Result<Exit, Failure> {
    let options = &cli.options;
    let inputs = inputs::inputs(&cli.files, verb_files, options)
        .map_err(|error| Failure::new(Exit::Usage, &error))?;
    let outlet = Outlet::new(options.output.output.as_deref(), Some(&inputs))?;
    let progress = Progress::new(options.output.quiet);
    let request = Request::new(inputs, options)?;
    let analyzed = analyze::analyze(&request, view, &progress);
    // Cleared before anything is written.
    drop(progress);
    let report = analyzed.map_err(|error| Failure::new(Exit::Unusable, &error))?;
    if let Some(tid) = options.content.thread
        && !report.threads.iter().any(|thread| thread.tid == tid)
    {
        let tids = report.threads.iter().map(|thread| thread.tid);
        return Err(no_such_thread(tid, tids));
    }
    let page = screen::page_options(options, outlet.destination());
    outlet.write(|out| match (options.output.format(), view) {
        (Format::Json, _) => obit::report::write_json(&report, out),
        (Format::Html, _) => obit::render::write_html(out, &report),
        (Format::Human, View::Page) => obit::render::write_page(out, &report, &page),
        (Format::Human, View::Modules) => obit::render::write_modules(out, &report, &page),
        (Format::Human, View::Signature { explained }) => {
            obit::render::write_signature(out, &report, explained, &page)
        }
    })?;
    if options.content.strict && report.is_incomplete() {
        return Ok(Exit::Incomplete);
    }
    Ok(Exit::Success)
}

/// The failure to find a thread among those there are.
fn no_such_thread(tid: i64, tids: impl Iterator<Item = i64>) -> Failure {
    const MOST: usize = 8;
    let known: Vec<_> = tids.take(MOST + 1).map(|tid| tid.to_string()).collect();
    let more = if known.len() > MOST { ", \u{2026}" } else { "" };
    let known = known[..known.len().min(MOST)].join(", ");
    let problem = format!("no thread {tid} in this core; it has {known}{more}");
    Failure::new(Exit::Usage, &problem)
}

fn schema(cli: &Cli) -> Result<Exit, Failure> {
    let outlet = Outlet::new(cli.options.output.output.as_deref(), None)?;
    outlet.write(|out| obit::report::write_schema(out))?;
    Ok(Exit::Success)
}

/// Why a run ended early.
struct Failure {
    exit: Exit,
    /// `None` where the user asked for the end: `obit … | head`.
    message: Option<String>,
}

impl Failure {
    fn new(exit: Exit, problem: &dyn std::fmt::Display) -> Self {
        Self { exit, message: Some(problem.to_string()) }
    }

    fn say(&self) {
        if let Some(message) = &self.message {
            say(message);
        }
    }
}

impl From<OutletError> for Failure {
    fn from(error: OutletError) -> Self {
        match error {
            OutletError::BrokenPipe => Self { exit: Exit::BrokenPipe, message: None },
            OutletError::IsInput(_) => Self::new(Exit::Usage, &error),
            OutletError::File { .. } | OutletError::StandardOutput(_) => {
                Self::new(Exit::Output, &error)
            }
        }
    }
}

/// One line on the standard error. If that is closed, nobody listens.
fn say(message: &str) {
    let _ = writeln!(io::stderr(), "obit: {}", obit::render::visible(message));
}

/// Help and versions in clap's words; errors in one line, like all of ours.
fn usage(error: &clap::Error) -> Exit {
    if error.use_stderr() {
        let text = error.to_string();
        // The first paragraph says what is wrong and what is possible.
        let lines: Vec<_> = text.lines().map(str::trim).take_while(|l| !l.is_empty()).collect();
        let problem = match error.kind() {
            // A third file stands where a verb could.
            ErrorKind::InvalidSubcommand => "one core and at most one program, please".to_owned(),
            _ => lines.join(" "),
        };
        let problem = problem.strip_prefix("error: ").unwrap_or(&problem);
        say(&format!("{problem}; see `obit --help`"));
        return Exit::Usage;
    }
    match error.print() {
        Ok(()) => Exit::Success,
        Err(failure) if failure.kind() == io::ErrorKind::BrokenPipe => Exit::BrokenPipe,
        Err(_) => Exit::Output,
    }
}
