//! The command line: a user of the library like any other, and the only one who prints.

mod analyze;
mod args;
mod batch_progress;
mod db;
mod diff;
mod digest;
mod exit;
mod explain;
mod formats;
mod formatters;
mod gate;
mod group;
mod groups;
mod inputs;
mod list;
mod outlet;
mod pager;
mod pages;
mod panic;
mod print;
mod progress;
mod redact;
mod screen;
mod scrub;
mod show;
mod state;
mod store_advice;
mod top;
mod triage;
mod view;

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Parser;
use clap::error::ErrorKind;
use obit::redact::{Level, Origin, Redactor};

use analyze::Request;
use args::{Cli, Files, Format, SchemaOf, Verb};
use exit::Exit;
use obit::triage::views::Document;
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
    // Set once; a second time there is none.
    let _ = LEVEL.set(cli.options.content.redact.level());
    let outcome = match &cli.verb {
        Some(Verb::Schema(args)) => schema(cli, args.of),
        Some(Verb::Explain(args)) => explain::explain(cli, args),
        Some(Verb::Redact(args)) => redact::redact(cli, args),
        Some(Verb::Scrub(args)) => scrub::scrub(cli, args),
        Some(Verb::Triage(args)) => triage::triage(cli, args),
        Some(Verb::TriageWorker(args)) => triage::worker(args),
        Some(Verb::List(args)) => list::list(cli, args),
        Some(Verb::Group(args)) => group::group(cli, args),
        Some(Verb::Db(args)) => db::db(args),
        Some(Verb::Top(args)) => top::top(cli, args),
        Some(Verb::Show(args)) => show::show(cli, args),
        Some(Verb::Diff(args)) => diff::diff(cli, args),
        Some(Verb::Digest(args)) => digest::digest(cli, args),
        Some(Verb::State(args)) => state::state(args),
        Some(Verb::Print(args)) => print::print(cli, args),
        Some(Verb::Modules(files)) => report(cli, files, View::Modules),
        Some(Verb::Signature(args)) => {
            report(cli, &args.files, View::Signature { explained: args.explain })
        }
        Some(Verb::Analyze(files)) => report(cli, files, View::page(cli)),
        None => report(cli, &Files::default(), View::page(cli)),
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
    Summary,
    Modules,
    Signature { explained: bool },
}

impl View {
    /// The page, or what is asked for of it.
    fn page(cli: &Cli) -> Self {
        if cli.options.content.summary { Self::Summary } else { Self::Page }
    }
}

fn report(cli: &Cli, verb_files: &Files, view: View) -> Result<Exit, Failure> {
    let options = &cli.options;
    if cli.format() == Format::Csv {
        let problem = "csv is for groups: `obit top`";
        return Err(Failure::new(Exit::Usage, &problem));
    }
    let inputs = inputs::inputs(&cli.files, verb_files, options)
        .map_err(|error| Failure::new(Exit::Usage, &error))?;
    let outlet = Outlet::of(&options.output, Some(&inputs))?;
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
    outlet.write(|out| formats::write(out, &report, cli.format(), view, &page))?;
    if options.content.strict && report.is_incomplete() {
        return Ok(Exit::Incomplete);
    }
    Ok(options.gate.exit_of(&report))
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

fn schema(cli: &Cli, of: SchemaOf) -> Result<Exit, Failure> {
    let outlet = Outlet::of(&cli.options.output, None)?;
    let document = match of {
        SchemaOf::Report => None,
        SchemaOf::Record => Some(Document::Record),
        SchemaOf::Top => Some(Document::Top),
        SchemaOf::Group => Some(Document::Group),
        SchemaOf::Show => Some(Document::Show),
        SchemaOf::Diff => Some(Document::Diff),
    };
    outlet.write(|out| match document {
        None => obit::report::write_schema(out),
        Some(document) => obit::triage::views::write_schema(document, out),
    })?;
    Ok(Exit::Success)
}

impl Cli {
    fn format(&self) -> Format {
        self.options.output.format()
    }
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
    let message = discreet(message);
    let _ = writeln!(io::stderr(), "obit: {}", obit::render::visible(&message));
}

/// How much messages hide: what `--redact` says, once that is known.
static LEVEL: OnceLock<Level> = OnceLock::new();

/// What of a message may leave: it may quote a path, an option or an expression, and logs
/// keep what is written to the standard error.
fn discreet(message: &str) -> String {
    shown(Origin::OwnWords, message)
}

/// What of a text of the command line may leave.
fn shown(origin: Origin, text: &str) -> String {
    // No report's tokens, so that nobody can compare them.
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let key = format!("{}-{}", std::process::id(), since.as_nanos());
    let level = LEVEL.get().copied().unwrap_or_default();
    Redactor::new(level, &key).show(origin, text).into_string()
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
