//! `obit tasks`: goroutines, futures and frames of interpreters.

use clap::Args;
use clap::builder::PossibleValuesParser;
use obit::render::Format;
use obit::render::formats::Audience;
use obit::report::{TasksWanted, tasks};

use crate::cli::args::Output;
use crate::cli::args::core_files::CoreFiles;
use crate::cli::args::general::General;
use crate::cli::args::page::Width;
use crate::cli::args::redaction::Redaction;
use crate::cli::args::search::Search;
use crate::cli::destination::Destination;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::formats;
use crate::cli::page_layout::page_options;
use crate::cli::request::Request;

/// Tasks of each runtime, and frames of each, that people see.
const SHOWN: usize = 1000;
const FRAMES_SHOWN: usize = 64;

/// Which core, and which of its tasks.
#[derive(Clone, Debug, Args)]
pub(crate) struct TasksArgs {
    #[command(flatten)]
    files: CoreFiles,
    /// Only tasks of this runtime
    #[arg(long = "runtime", value_name = "RUNTIME",
        value_parser = PossibleValuesParser::new(
            ["go", "tokio", "cpython"]))]
    runtimes: Vec<String>,
    /// Only tasks in this state
    #[arg(long = "state", value_name = "STATE",
        value_parser = PossibleValuesParser::new(
            ["running", "runnable", "in-system-call", "waiting", "ended", "unknown"]))]
    states: Vec<String>,
    /// Only the task with this number
    #[arg(long = "id", value_name = "NUMBER")]
    ids: Vec<u64>,
    /// Also tasks of the runtime itself
    #[arg(long)]
    all: bool,
    /// Tasks of each runtime that are shown [default: 1000, for programs all]
    #[arg(short = 'n', long, value_name = "N")]
    limit: Option<usize>,
    /// Frames of each task that are shown: the innermost [default: 64, for programs all]
    #[arg(long, value_name = "N")]
    frames: Option<usize>,
    #[command(flatten)]
    search: Search,
    #[command(flatten)]
    pub(crate) redaction: Redaction,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    width: Width,
}

pub(crate) fn run(args: &TasksArgs, general: &General) -> Result<Exit, Failure> {
    let format = args.output.format();
    let write = formats::writer(format, "tasks", Format::tasks)?;
    let inputs = args.files.inputs()?;
    let destination = Destination::of(&args.output.file, format, general, Some(&inputs))?;
    let request = Request::new(inputs, &args.search, &args.redaction)?;
    let is_for_programs = format.audience == Audience::Program;
    let of = |asked: Option<usize>, shown: usize| match asked {
        Some(asked) => asked,
        None if is_for_programs => usize::MAX,
        None => shown,
    };
    let wanted = TasksWanted {
        runtimes: args.runtimes.clone(),
        states: args.states.clone(),
        ids: args.ids.clone(),
        of_runtime: args.all,
        most: of(args.limit, SHOWN),
        frames: of(args.frames, FRAMES_SHOWN),
    };
    let found =
        request.on_process(general, |process| Ok(tasks(process, &request.build, &wanted)))?;
    let page = page_options(general, &args.width, &destination);
    destination.write(|out| write(out, &found, &page))?;
    Ok(Exit::Success)
}
