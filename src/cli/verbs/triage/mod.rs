//! `obit triage`: many cores.

mod emit;
mod output;
mod paths;
mod words;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use obit::batch::{self, Order, Settings, Summary, Watcher};
use obit::render::{Format, Remembered};
use obit::triage::shard::Shard;
use obit::triage::store::Store;
use obit::triage::views::ViewOptions;

use self::emit::{Emitted, emit};
use self::output::{Batch, Streamed, Written};
use self::paths::Paths;
use crate::cli::args::Output;
use crate::cli::args::batch::BatchArgs;
use crate::cli::args::choices::{ORDERS, one_of};
use crate::cli::args::fail_on::FailOn;
use crate::cli::args::general::General;
use crate::cli::args::page::Width;
use crate::cli::args::period::Period;
use crate::cli::args::quantities::{bytes, seconds};
use crate::cli::args::store::StoreArgs;
use crate::cli::batch::{failure, is_all_missing, request, settings, stop_on_interrupt};
use crate::cli::batch_progress::BatchProgress;
use crate::cli::comparison::{Comparison, Side};
use crate::cli::destination::Destination;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::formats::TERMINAL;
use crate::cli::html_pages::{self, HtmlPages};
use crate::cli::page_layout::page_options;
use crate::cli::request::Request;

/// Groups on a page.
const GROUPS: usize = 20;

/// Which cores, how they are read, and what is written of them.
#[derive(Clone, Debug, Args)]
pub(crate) struct TriageArgs {
    #[command(flatten)]
    paths: Paths,
    /// Cores read at the same time [default: one for each processor]
    #[arg(short, long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Seconds that one core may take
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    timeout: Duration,
    /// Memory that one core may take, besides mapped files
    #[arg(long, value_name = "SIZE", default_value = "2G", value_parser = bytes)]
    pub(crate) max_memory: u64,
    /// Read unchanged files again
    #[arg(long, conflicts_with = "resume")]
    rescan: bool,
    /// Skip files that have not changed since they were read (the default)
    #[arg(long, hide_short_help = true)]
    resume: bool,
    /// Use no store, only these cores
    #[arg(long, conflicts_with = "db")]
    no_db: bool,
    /// Read only the Ith of N parts of the files, from 1: which part a file is of follows from
    /// its path below DIR
    #[arg(long, value_name = "I/N", default_value = "1/1", hide_default_value = true)]
    shard: Shard,
    /// Use no store, and write the records for `obit merge`: as lines of JSON or Parquet
    #[arg(long, value_enum, value_name = "FORMAT", conflicts_with_all =
        ["db", "baseline", "html", "format", "json", "order", "limit", "since", "until", "now",
         "fail_on"])]
    emit: Option<Emitted>,
    /// When the records of NDJSON are written
    #[arg(long, value_parser = one_of(ORDERS), default_value = "input", value_name = "ORDER",
        hide_short_help = true)]
    order: Order,
    /// Compare with a directory of cores or a store instead
    #[arg(long, value_name = "DIR|DB")]
    baseline: Option<PathBuf>,
    /// Also write the groups of the store as an HTML page: one file, or a directory that also
    /// has a page for one crash of each group
    #[arg(long, value_name = "DIR/|FILE.html", conflicts_with = "baseline")]
    html: Option<PathBuf>,
    /// Groups to list; 0 is all [default: 20]
    #[arg(short = 'n', long, value_name = "N")]
    limit: Option<usize>,
    #[command(flatten)]
    period: Period,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    pub(crate) batch: BatchArgs,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    width: Width,
    #[command(flatten)]
    fail_on: FailOn,
    /// Exit with 1 if a core could not be read
    #[arg(long, help_heading = "Exit code", hide_short_help = true)]
    strict: bool,
}

impl TriageArgs {
    /// The format of what is written; records for `obit merge` have none.
    pub(crate) fn format(&self) -> &'static Format {
        if self.emit.is_some() { TERMINAL } else { self.output.format() }
    }

    fn settings(&self, request: &Request) -> Settings {
        let usual = settings(request);
        Settings {
            jobs: self.jobs.unwrap_or(usual.jobs),
            timeout: self.timeout,
            follow: self.batch.follow,
            rescan: self.rescan,
            shard: self.shard,
            // Which code is compared is known when all parts are there.
            compares_code: self.emit.is_none(),
            ..usual
        }
    }

    /// 0 even if cores could not be read; but a batch that could not look at all files is
    /// incomplete.
    fn exit(&self, summary: &Summary) -> Exit {
        if is_all_missing(summary) {
            return Exit::Unusable;
        }
        let is_strict = self.strict && summary.failures() > 0;
        if summary.is_partial() || is_strict { Exit::Incomplete } else { Exit::Success }
    }
}

pub(crate) fn run(args: &TriageArgs, general: &General) -> Result<Exit, Failure> {
    let journal = args.batch.journal()?;
    let inputs = args.paths.all(args.batch.journal.as_deref().filter(|_| journal.has_cores))?;
    // Before the store is there.
    let baseline = args.baseline.as_ref().filter(|path| !path.exists());
    if let Some(path) = batch::first_of_none(&inputs).or(baseline.map(PathBuf::as_path)) {
        let problem = format!("no such file or directory: {}", path.display());
        return Err(Failure::new(Exit::Unusable, &problem));
    }
    args.emit.map_or(Ok(()), |form| form.check(&args.output.file))?;
    let format = args.format();
    let request = request(&args.batch, format)?;
    let baseline = match &args.baseline {
        Some(path) => {
            let how =
                Comparison::new(&args.output, &args.width, &args.period, &args.fail_on, general)?;
            Some((path, how))
        }
        None => None,
    };
    let written = if baseline.is_some() { None } else { Some(Written::of(format)?) };
    let destination = Destination::of(&args.output.file, format, general, None)?;
    let mut store = match args.no_db || args.emit.is_some() {
        true => Store::temporary()?,
        false => Store::create(&args.store.path()?)?,
    };
    let mut settings = args.settings(&request);
    settings.journal = journal;
    // Where that fails, Ctrl-C ends the run as it ends any other program.
    if let Ok(stop) = stop_on_interrupt() {
        settings.stop = stop;
    }
    let streamed = written.and_then(Written::lines).filter(|_| args.order == Order::Finished);
    let options = args.period.of(ViewOptions::default());
    let mut progress = BatchProgress::new(general.quiet, general.verbose);
    let name = inputs.first().cloned().unwrap_or_default();
    let mut read =
        |progress: &mut dyn Watcher| batch::run(inputs.clone(), &mut store, &settings, progress);
    let outcome = if let Some(records) = streamed {
        let mut outcome = None;
        destination.write(|out| {
            let mut streamed =
                Streamed { out, records, period: args.period, progress: &mut progress };
            match read(&mut streamed) {
                Err(batch::BatchError::Output(error)) => Err(error),
                other => {
                    outcome = Some(other);
                    Ok(())
                }
            }
        })?;
        outcome
    } else {
        Some(read(&mut progress))
    };
    // Cleared before anything is written.
    drop(progress);
    let Some(outcome) = outcome else { return Ok(Exit::Success) };
    let summary = outcome.map_err(failure)?;
    if let Some(form) = args.emit {
        emit(form, &args.output.file, args.shard, &summary, &store)?;
        return Ok(args.exit(&summary));
    }
    store.view_at(args.batch.redaction.level);
    if let Some((path, comparison)) = &baseline {
        let old = Side::read(path, &args.batch, format, general)?;
        let compared = comparison.write(&old, &Side::of(store, name))?;
        return Ok(if compared == Exit::Success { args.exit(&summary) } else { compared });
    }
    if let Some(written) = written.filter(|_| streamed.is_none()) {
        let most = args.limit.unwrap_or(GROUPS);
        let most = if most == 0 { usize::MAX } else { most };
        let page = page_options(general, &args.width, &destination);
        let batch = Batch {
            store: &store,
            summary: &summary,
            period: args.period,
            options: &options,
            most,
        };
        batch.write(written, &destination, &page)?;
    }
    if let Some(path) = &args.html {
        let remembered =
            if args.no_db { Remembered::Nowhere } else { html_pages::remembered(&args.store) };
        HtmlPages::at(path).write(&store, &options, remembered)?;
    }
    if args.fail_on.is_set() {
        let found = store.overview(&options, usize::MAX)?;
        let failed = args.fail_on.exit(&found.groups);
        if failed != Exit::Success {
            return Ok(failed);
        }
    }
    Ok(args.exit(&summary))
}
