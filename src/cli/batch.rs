//! Many cores: how each is read, by which processes, and what a batch came to.

use std::ffi::OsString;
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use obit::batch::{self, BatchError, Code, Settings, Summary, WhenStopped, WorkerCommand};
use obit::render::Format;
use obit::report::{Context, WhichStacks, WhoseLocals};
use obit::triage::WITH_VARIABLES;
use obit::triage::shard::Shard;
use obit::triage::store::Store;
use signal_hook::consts::SIGINT;

use super::args::batch::BatchArgs;
use super::args::core_files::Inputs;
use super::args::general::General;
use super::batch_progress::BatchProgress;
use super::exit::Exit;
use super::failure::Failure;
use super::request::Request;

/// The verb of a worker, whose command line is that of its batch.
pub(crate) const WORKER: &str = "triage-worker";

/// What one core may take, unless the user says otherwise.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(60);
pub(crate) const MAX_MEMORY: u64 = 2 << 30;

/// Levels of a variable and elements of an array that a record holds.
const DEPTH: usize = 3;
const ELEMENTS: usize = 8;

/// A record needs less than a page.
pub(crate) fn request(args: &BatchArgs, format: &Format) -> Result<Request, Failure> {
    let inputs = Inputs { exe: args.exe.clone(), ..Inputs::default() };
    let request = Request::new(inputs, &args.search, &args.redaction)?;
    let mut request = request.limited(&args.limits).written_as(format);
    let build = &mut request.build;
    build.context = Context::Nothing;
    build.stacks = WhichStacks::ToBlame;
    build.locals = match args.locals.locals {
        WhoseLocals::All => WhoseLocals::Crashed,
        locals => locals,
    };
    build.variable_frames = Some(WITH_VARIABLES);
    build.max_depth.get_or_insert(DEPTH);
    build.max_elements.get_or_insert(ELEMENTS);
    Ok(request)
}

/// The settings of a batch for which the user gave none.
pub(crate) fn settings(request: &Request) -> Settings {
    let arguments = [WORKER, "--"].map(OsString::from);
    Settings {
        worker: WorkerCommand {
            // The running program, even if its file was replaced since.
            program: PathBuf::from("/proc/self/exe"),
            arguments: arguments.into_iter().chain(std::env::args_os().skip(1)).collect(),
            is_apart: false,
        },
        jobs: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
        timeout: TIMEOUT,
        follow: false,
        rescan: false,
        build: request.build.clone(),
        journal: Arc::default(),
        broker: request.broker(),
        shard: Shard::ALL,
        compares_code: false,
        stop: Arc::default(),
        when_stopped: WhenStopped::Abandon,
    }
}

/// Set by the first Ctrl-C; the second one ends the process at once.
///
/// # Errors
/// When the system does not allow it.
pub(crate) fn stop_on_interrupt() -> io::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register_conditional_default(SIGINT, Arc::clone(&stop))?;
    signal_hook::flag::register(SIGINT, Arc::clone(&stop))?;
    Ok(stop)
}

/// The cores below `path`, in a store that is gone with the process.
pub(crate) fn in_memory(
    path: &Path,
    args: &BatchArgs,
    format: &Format,
    general: &General,
) -> Result<Store, Failure> {
    let request = request(args, format)?;
    let mut store = Store::temporary()?;
    let mut progress = BatchProgress::new(general.quiet, general.verbose);
    let settings = Settings { follow: args.follow, journal: args.journal()?, ..settings(&request) };
    let summary = batch::run([path.to_owned()], &mut store, &settings, &mut progress);
    drop(progress);
    if is_all_missing(&summary.map_err(failure)?) {
        let problem = format!("{}: no such directory or file", path.display());
        return Err(Failure::new(Exit::Unusable, &problem));
    }
    Ok(store)
}

/// Why a batch ended early.
pub(crate) fn failure(error: BatchError) -> Failure {
    match error {
        BatchError::Store(error) => error.into(),
        error @ BatchError::Interrupted { .. } => Failure::new(Exit::Interrupted, &error),
        error @ (BatchError::Worker(_) | BatchError::Output(_)) => {
            Failure::new(Exit::Output, &error)
        }
    }
}

/// Whether there was nothing at all where the user said.
pub(crate) fn is_all_missing(summary: &Summary) -> bool {
    let missing = summary.failed.get(&Code::Missing).copied().unwrap_or(0);
    missing > 0 && summary.files.is_empty()
}
