//! `obit incident`: which dumps belong together, and which process failed first.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use obit::batch::walk;
use obit::incident::{Alone, CoreFacts, Incidents, Settings as Joining, facts, find};
use obit::query::{RunError, Settings, ask_all};
use obit::render::Format;

use crate::cli::args::Output;
use crate::cli::args::batch::BatchArgs;
use crate::cli::args::core_files::Inputs;
use crate::cli::args::general::General;
use crate::cli::args::page::Width;
use crate::cli::args::quantities::{bytes, interval, seconds};
use crate::cli::batch::{settings, stop_on_interrupt};
use crate::cli::batch_progress::BatchProgress;
use crate::cli::batch_worker::Work;
use crate::cli::destination::Destination;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::formats;
use crate::cli::page_layout::page_options;
use crate::cli::request::Request;

/// Of which dumps.
#[derive(Clone, Debug, Args)]
pub(crate) struct IncidentArgs {
    /// Directories, core files and patterns
    #[arg(value_name = "DIR|CORE", required = true)]
    paths: Vec<PathBuf>,
    /// How far apart two dumps of one incident may be: 30s, 5m, 1h
    #[arg(long, value_name = "LENGTH", default_value = "5m", value_parser = interval)]
    window: Duration,
    /// Cores read at the same time [default: one for each processor]
    #[arg(short, long, value_name = "N", hide_short_help = true)]
    jobs: Option<NonZeroUsize>,
    /// Seconds that one core may take
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds,
        hide_short_help = true)]
    timeout: Duration,
    /// Memory that one core may take, besides mapped files
    #[arg(long, value_name = "SIZE", default_value = "2G", value_parser = bytes,
        hide_short_help = true)]
    pub(crate) max_memory: u64,
    #[command(flatten)]
    pub(crate) batch: BatchArgs,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    width: Width,
}

impl IncidentArgs {
    /// How a core is read.
    pub(crate) fn request(&self) -> Result<Request, Failure> {
        let inputs = Inputs { exe: self.batch.exe.clone(), ..Inputs::default() };
        let request = Request::new(inputs, &self.batch.search, &self.batch.redaction)?;
        Ok(request.limited(&self.batch.limits))
    }
}

/// What a worker does with a core.
pub(crate) fn work() -> Box<Work<'static>> {
    Box::new(|core, options, build| facts(core, options, build)?.to_message())
}

pub(crate) fn run(args: &IncidentArgs, general: &General) -> Result<Exit, Failure> {
    let format = args.output.format();
    let write = formats::writer(format, "incidents", Format::incidents)?;
    let destination = Destination::of(&args.output.file, format, general, None)?;
    for path in &args.paths {
        let is_pattern = path.to_string_lossy().contains(['*', '?', '[']);
        if !is_pattern && path.symlink_metadata().is_err() {
            let problem = format!("no such file or directory: {}", path.display());
            return Err(Failure::new(Exit::Unusable, &problem));
        }
    }
    let request = args.request()?;
    let mut progress = BatchProgress::new(general.quiet, general.verbose);
    let answers = read(args, &request, &mut progress);
    drop(progress);
    let found = incidents(answers?, args.window);
    if found.dumps == 0 && found.failures.is_empty() {
        return Err(Failure::new(Exit::Unusable, &"there is no core dump"));
    }
    let page = page_options(general, &args.width, &destination);
    destination.write(|out| write(out, &found, &page))?;
    Ok(match (found.dumps, found.incidents.is_empty()) {
        (0, _) => Exit::Unusable,
        (_, true) => Exit::Incomplete,
        (_, false) => Exit::Success,
    })
}

fn incidents(answers: Vec<CoreFacts>, window: Duration) -> Incidents {
    let (mut all, mut failures) = (Vec::new(), Vec::new());
    for answer in answers {
        match answer.failure {
            Some((_, text)) => failures.push(Alone { core: answer.facts.core, text }),
            None => all.push(answer.facts),
        }
    }
    // Parts of a second are no window.
    let window = window.as_secs().max(1);
    Incidents { failures, ..find(all, Joining { window }) }
}

fn read(
    args: &IncidentArgs,
    request: &Request,
    progress: &mut BatchProgress,
) -> Result<Vec<CoreFacts>, Failure> {
    let usual = settings(request);
    let mut batch = obit::batch::Settings {
        jobs: args.jobs.unwrap_or(usual.jobs),
        timeout: args.timeout,
        follow: args.batch.follow,
        journal: args.batch.journal()?,
        ..usual
    };
    // Where that fails, Ctrl-C ends the run as it ends any other program.
    if let Ok(stop) = stop_on_interrupt() {
        batch.stop = stop;
    }
    let (paths, follow) = (args.paths.clone(), batch.follow);
    let search = |take: &mut dyn FnMut(obit::batch::FoundFile)| walk(paths, follow, take);
    let answers = ask_all::<CoreFacts>(search, Settings { batch, cache: None }, progress);
    let answers = answers.map_err(|error| match error {
        error @ RunError::Interrupted { .. } => Failure::new(Exit::Interrupted, &error),
        error @ RunError::Worker(_) => Failure::new(Exit::Output, &error),
    })?;
    Ok(answers.into_iter().map(|(_, answer)| answer).collect())
}
