//! `obit differ`: what the dumps of a group share and others lack.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use obit::batch::{look_up, path_key, walk};
use obit::query::{CoreFeatures, Settings, ask_all, features};
use obit::render::Format;
use obit::triage::differ::{Features, differ};
use obit::triage::store::{Against, Compared, Sides};

use super::find;
use crate::cli::args::Output;
use crate::cli::args::batch::BatchArgs;
use crate::cli::args::core_files::Inputs;
use crate::cli::args::general::General;
use crate::cli::args::page::Width;
use crate::cli::args::quantities::{bytes, seconds};
use crate::cli::args::store::StoreArgs;
use crate::cli::batch::{settings, stop_on_interrupt};
use crate::cli::batch_progress::BatchProgress;
use crate::cli::batch_worker::Work;
use crate::cli::destination::Destination;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::formats;
use crate::cli::page_layout::page_options;
use crate::cli::request::Request;
use obit::query::RunError;
use obit::triage::store::Store;

/// Which group, against what.
#[derive(Clone, Debug, Args)]
pub(crate) struct DifferArgs {
    /// The id or name of a group, or the id of one of its crashes; the start of an id is enough
    #[arg(value_name = "GROUP")]
    group: String,
    /// Look for the cores in these directories, too: what the store has of a path may be hidden
    #[arg(value_name = "DIR")]
    directories: Vec<PathBuf>,
    /// What it is compared with: another group, `all` other crashes, or those of the same
    /// `program` [default: program, unless these are too few]
    #[arg(long, value_name = "GROUP|all|program")]
    against: Option<String>,
    /// Compare what the store has, and read no core: no environment, no globals
    #[arg(long)]
    no_cores: bool,
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
    store: StoreArgs,
    #[command(flatten)]
    pub(crate) batch: BatchArgs,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    width: Width,
}

impl DifferArgs {
    /// How a core is read.
    pub(crate) fn request(&self) -> Result<Request, Failure> {
        let inputs = Inputs { exe: self.batch.exe.clone(), ..Inputs::default() };
        let request = Request::new(inputs, &self.batch.search, &self.batch.redaction)?;
        Ok(request.limited(&self.batch.limits))
    }

    fn against(&self, store: &Store) -> Result<Against, Failure> {
        Ok(match self.against.as_deref() {
            None | Some("program") => Against::Program,
            Some("all") => Against::All,
            Some(group) => Against::Group(find::group(store, group)?),
        })
    }
}

/// What a worker does with a core.
pub(crate) fn work() -> Box<Work<'static>> {
    Box::new(|core, options, build| features(core, options, &build).to_message())
}

pub(crate) fn run(args: &DifferArgs, general: &General) -> Result<Exit, Failure> {
    let format = args.output.format();
    let write = formats::writer(format, "what distinguishes a group", Format::distinctions)?;
    let destination = Destination::of(&args.output.file, format, general, None)?;
    let request = args.request()?;
    let mut store = Store::open(&args.store.path()?)?;
    store.view_at(args.batch.redaction.level);
    let group = find::group(&store, &args.group)?;
    let against = args.against(&store)?;
    if against == Against::Group(group.clone()) {
        return Err(Failure::usage(&"--against: this is the group itself"));
    }
    let Sides { group: here, others: there, against } = store.sides(&group, &against)?;
    let read = if args.no_cores {
        BTreeMap::new()
    } else {
        let mut progress = BatchProgress::new(general.quiet, general.verbose);
        read(args, &request, here.iter().chain(&there), &mut progress)?
    };
    let merged = |side: Vec<Compared>| {
        let mut cores = 0;
        let merge = |one: Compared| {
            let more = one.file.and_then(|file| read.get(&file.key));
            cores += u64::from(more.is_some());
            match read.is_empty() {
                true => one.features,
                false => one.features.with_core(more.cloned()),
            }
        };
        let features: Vec<Features> = side.into_iter().map(merge).collect();
        (features, cores)
    };
    let ((here, cores), (there, other_cores)) = (merged(here), merged(there));
    let mut found = differ(&here, &there);
    (found.group, found.against, found.cores, found.other_cores) =
        (group, against, cores, other_cores);
    if cores < found.dumps || other_cores < found.other_dumps {
        found.notes.push(
            "arguments, environment, globals, libraries and processor are compared only of dumps \
             whose core was read, if any was: `obit differ GROUP DIR` looks for them below DIR, too"
                .to_owned(),
        );
    }
    let page = page_options(general, &args.width, &destination);
    destination.write(|out| write(out, &found, &page))?;
    let is_none = found.distinctions.iter().all(|row| row.is_weak);
    Ok(if is_none { Exit::Incomplete } else { Exit::Success })
}

/// What the cores say that are still there, by file.
fn read<'c>(
    args: &DifferArgs,
    request: &Request,
    compared: impl Iterator<Item = &'c Compared>,
    progress: &mut BatchProgress,
) -> Result<BTreeMap<[u8; 32], Features>, Failure> {
    let files = compared.filter_map(|one| one.file.as_ref());
    let mut wanted: BTreeMap<[u8; 32], PathBuf> =
        files.map(|file| (file.key, PathBuf::from(&file.shown))).collect();
    // A path of which a part is hidden leads nowhere, or elsewhere.
    let mut paths = Vec::new();
    wanted.retain(|key, path| {
        let is_there = path_key(path) == *key && path.is_file();
        if is_there {
            paths.push(path.clone());
        }
        !is_there
    });
    walk(args.directories.clone(), args.batch.follow, &mut |found| {
        if wanted.remove(&path_key(&found.path)).is_some() {
            paths.push(found.path);
        }
    });
    let usual = settings(request);
    let mut batch = obit::batch::Settings {
        jobs: args.jobs.unwrap_or(usual.jobs),
        timeout: args.timeout,
        journal: args.batch.journal()?,
        ..usual
    };
    if let Ok(stop) = stop_on_interrupt() {
        batch.stop = stop;
    }
    let search = |take: &mut dyn FnMut(obit::batch::FoundFile)| {
        look_up(&paths, paths.clone(), true, take, &mut |_| {}, &|| false);
    };
    let answers = ask_all::<CoreFeatures>(search, Settings { batch, cache: None }, progress);
    let answers = answers.map_err(|error| match error {
        error @ RunError::Interrupted { .. } => Failure::new(Exit::Interrupted, &error),
        error @ RunError::Worker(_) => Failure::new(Exit::Output, &error),
    })?;
    let known = answers.into_iter().filter_map(|(key, answer)| Some((key, answer.0?)));
    Ok(known.collect())
}
