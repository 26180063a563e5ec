//! `obit triage`: many cores.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Write};
use std::num::NonZeroUsize;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Parser, ValueEnum};
use obit::batch::{self, BatchError, Code, Order, Settings, Summary, Watcher, WorkerCommand};
use obit::module::Library;
use obit::render::{self, PageOptions, Remembered};
use obit::report::{Context, WhichStacks, WhoseLocals};
use obit::triage::store::{Store, StoreError, StoreTrouble};
use obit::triage::views::{Overview, ViewOptions};
use obit::triage::{PackedRecord, Record, Rules, WITH_VARIABLES, write_record};

use super::analyze::Request;
use super::args::{Cli, Format, Verb};
use super::batch_progress::BatchProgress;
use super::exit::Exit;
use super::formats::{self, Plain};
use super::groups::Exchange;
use super::inputs::Inputs;
use super::outlet::Outlet;
use super::pages::{self, Pages};
use super::store_advice::advice;
use super::{Failure, View, diff, screen};

/// Groups that a person is shown.
const GROUPS: usize = 20;
/// Levels of a variable and elements of an array that a record holds.
const DEPTH: usize = 3;
const ELEMENTS: usize = 8;

/// What one core may take, if nothing else is said: as the help of `obit triage` says.
const TIMEOUT: Duration = Duration::from_secs(60);
const MAX_MEMORY: u64 = 2 << 30;

/// Directories with cores whose files a worker keeps at hand.
const LIBRARIES: usize = 4;

/// Many cores, brought together by what they died of.
#[derive(Clone, Debug, Args)]
pub(crate) struct TriageArgs {
    /// Directories, searched to the bottom, core files and patterns; - reads such a list
    /// from the standard input
    #[arg(value_name = "DIR|FILE|-")]
    pub(crate) paths: Vec<PathBuf>,
    /// Read paths from this file, or the standard input (-), a line each
    #[arg(long, value_name = "FILE")]
    pub(crate) files_from: Option<PathBuf>,
    /// Paths that are read from a list end with a NUL, as `find -print0` writes them
    #[arg(short = '0', long)]
    pub(crate) null: bool,
    /// Cores that are read at once [default: one for each processor]
    #[arg(short, long, value_name = "N")]
    pub(crate) jobs: Option<NonZeroUsize>,
    /// Seconds that one core may take
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    pub(crate) timeout: Duration,
    /// Memory that one core may take, beside mapped files
    #[arg(long, value_name = "SIZE", default_value = "2G", value_parser = bytes)]
    pub(crate) max_memory: u64,
    /// Read files again that have not changed since they were read
    #[arg(long, conflicts_with = "resume")]
    pub(crate) rescan: bool,
    /// Leave out files that have not changed since they were read (this is the default)
    #[arg(long)]
    pub(crate) resume: bool,
    /// Remember nothing: this batch alone
    #[arg(long, conflicts_with = "db")]
    pub(crate) no_db: bool,
    /// When NDJSON is written: at the end, in the order of the files, each with its group;
    /// or each record as it is done
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    pub(crate) order: RecordOrder,
    /// Say what is different from these instead: a directory of cores, or a store
    #[arg(long, value_name = "DIR|DB")]
    pub(crate) baseline: Option<PathBuf>,
    /// Write the groups of the store as a page for a browser, too: to one file, or to a
    /// directory with a page for one crash of each group
    #[arg(long, value_name = "DIR/|FILE.html", conflicts_with = "baseline")]
    pub(crate) html: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

/// A worker's command line is that of the batch it works for.
#[derive(Clone, Debug, Args)]
pub(crate) struct WorkerArgs {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) arguments: Vec<OsString>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum RecordOrder {
    /// At the end, in the order of the files
    #[default]
    Input,
    /// Each as it is done; a group that is new is not known then
    Finished,
}

/// Where the store is.
#[derive(Clone, Debug, Args)]
pub(crate) struct StoreArgs {
    /// The store of crashes [default: obit/triage.db below $XDG_STATE_HOME or ~/.local/state]
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) db: Option<PathBuf>,
}

impl StoreArgs {
    /// The file that was named, else the one of this user.
    pub(crate) fn path(&self) -> Result<PathBuf, Failure> {
        if let Some(path) = &self.db {
            return Ok(path.clone());
        }
        let absolute =
            |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let base = absolute("XDG_STATE_HOME")
            .or_else(|| Some(absolute("HOME")?.join(".local/state")))
            .ok_or_else(|| {
                Failure::new(Exit::Usage, &"no home directory: say where the store is by --db FILE")
            })?;
        Ok(base.join("obit/triage.db"))
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let exit = match error.trouble() {
            StoreTrouble::Unusable => Exit::Unusable,
            StoreTrouble::NotWritten => Exit::Output,
            StoreTrouble::Asked => Exit::Usage,
        };
        Self::new(exit, &format_args!("{error}{}", advice(&error)))
    }
}

impl TriageArgs {
    /// All that is to be searched, in order.
    fn inputs(&self) -> Result<Vec<PathBuf>, Failure> {
        let mut inputs = Vec::new();
        for path in &self.paths {
            match path == Path::new("-") {
                true => self.list(path, &mut inputs)?,
                false => inputs.push(path.clone()),
            }
        }
        if let Some(list) = &self.files_from {
            self.list(list, &mut inputs)?;
        }
        if self.paths.is_empty() && self.files_from.is_none() {
            let problem = "no directory or file given; try `obit triage DIR`";
            return Err(Failure::new(Exit::Usage, &problem));
        }
        Ok(inputs)
    }

    fn list(&self, list: &Path, inputs: &mut Vec<PathBuf>) -> Result<(), Failure> {
        let failed = |error: io::Error| {
            let problem = format!("{}: {error}", list.display());
            Failure::new(Exit::Unusable, &problem)
        };
        let from: Box<dyn BufRead> = match list == Path::new("-") {
            true => Box::new(io::stdin().lock()),
            false => Box::new(BufReader::new(std::fs::File::open(list).map_err(failed)?)),
        };
        let end = if self.null { 0 } else { b'\n' };
        for path in from.split(end) {
            let mut path = path.map_err(failed)?;
            if !self.null && path.last() == Some(&b'\r') {
                path.pop();
            }
            if !path.is_empty() {
                inputs.push(PathBuf::from(OsString::from_vec(path)));
            }
        }
        Ok(())
    }

    fn settings(&self, request: &Request) -> Settings {
        Settings {
            jobs: self.jobs.unwrap_or_else(processors),
            timeout: self.timeout,
            rescan: self.rescan,
            programs: Some(request.process_options(View::Page).rules),
            ..settings(request)
        }
    }
}

fn processors() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

/// Those of a batch that was not told more.
fn settings(request: &Request) -> Settings {
    let arguments = ["triage-worker", "--"].map(OsString::from);
    Settings {
        worker: WorkerCommand {
            // Whatever has become of the file since it was started.
            program: PathBuf::from("/proc/self/exe"),
            arguments: arguments.into_iter().chain(std::env::args_os().skip(1)).collect(),
        },
        jobs: processors(),
        timeout: TIMEOUT,
        rescan: false,
        build: request.build.clone(),
        programs: None,
    }
}

/// The cores below `path`, in a store that is gone with the process.
pub(super) fn in_memory(cli: &Cli, path: &Path) -> Result<Store, Failure> {
    let request = request(cli)?;
    let mut store = Store::temporary()?;
    let output = &cli.options.output;
    let mut progress = BatchProgress::new(output.quiet, output.verbose);
    let summary = batch::run([path.to_owned()], &mut store, &settings(&request), &mut progress);
    drop(progress);
    let summary = match summary {
        Ok(summary) => summary,
        Err(BatchError::Store(error)) => return Err(error.into()),
        Err(error) => return Err(Failure::new(Exit::Output, &error)),
    };
    if exit(cli, &summary) == Exit::Unusable {
        let problem = format!("{}: there is no such directory or file", path.display());
        return Err(Failure::new(Exit::Unusable, &problem));
    }
    Ok(store)
}

pub(crate) fn triage(cli: &Cli, args: &TriageArgs) -> Result<Exit, Failure> {
    let inputs = args.inputs()?;
    let request = request(cli)?;
    let outlet = Outlet::of(&cli.options.output, None)?;
    let mut store = match args.no_db {
        true => Store::temporary()?,
        false => Store::create(&args.store.path()?)?,
    };
    let format = Written::of(cli, args)?;
    let settings = args.settings(&request);
    let output = &cli.options.output;
    let order = match args.order {
        RecordOrder::Input => Order::Input,
        RecordOrder::Finished => Order::Finished,
    };
    let is_streamed = order == Order::Finished && format == Written::Plain(Plain::Lines);
    let mut progress = BatchProgress::new(output.quiet, output.verbose);
    let mut batch =
        |progress: &mut dyn Watcher| batch::run(inputs.clone(), &mut store, &settings, progress);
    let outcome = if is_streamed {
        let mut outcome = None;
        outlet.write(|out| {
            let mut streamed = Streamed { out, progress: &mut progress };
            match batch(&mut streamed) {
                Err(BatchError::Output(error)) => Err(error),
                other => {
                    outcome = Some(other);
                    Ok(())
                }
            }
        })?;
        outcome
    } else {
        Some(batch(&mut progress))
    };
    // Cleared before anything is written.
    drop(progress);
    let summary = match outcome {
        Some(Ok(summary)) => summary,
        Some(Err(BatchError::Store(error))) => return Err(error.into()),
        Some(Err(error @ (BatchError::Worker(_) | BatchError::Output(_)))) => {
            return Err(Failure::new(Exit::Output, &error));
        }
        None => return Ok(Exit::Success),
    };
    if let Some(baseline) = &args.baseline {
        let old = diff::side(cli, baseline)?;
        let name = inputs.first().cloned().unwrap_or_default();
        let compared = diff::against(cli, &outlet, (&old, baseline), (&store, &name))?;
        return Ok(if compared == Exit::Success { exit(cli, &summary) } else { compared });
    }
    if !is_streamed {
        match format {
            Written::Plain(format) => {
                let page = screen::page_options(&cli.options, outlet.destination());
                write(format, &outlet, &store, &summary, &page)?;
            }
            Written::Exchange(format) => {
                format.write(&outlet, &store, &seen(&store, &summary)?.groups)?;
            }
            Written::Csv => {
                let found = seen(&store, &summary)?;
                outlet.write(|out| render::write_groups_csv(out, &found))?;
            }
            Written::Markdown => {
                let found = seen(&store, &summary)?;
                outlet.write(|out| render::write_groups_markdown(out, &found))?;
            }
        }
    }
    if let Some(path) = &args.html {
        let remembered =
            if args.no_db { Remembered::Nowhere } else { pages::remembered(&args.store) };
        Pages::at(path).write(&store, &ViewOptions::default(), remembered)?;
    }
    let gate = &cli.options.gate;
    if gate.is_shut() {
        let found = store.overview(&ViewOptions::default(), usize::MAX)?;
        let failed = gate.exit(&found.groups);
        if failed != Exit::Success {
            return Ok(failed);
        }
    }
    Ok(exit(cli, &summary))
}

/// What a batch is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
    /// The records, or a summary for a person.
    Plain(Plain),
    /// A result for each group.
    Exchange(Exchange),
    /// A row for each group.
    Csv,
    Markdown,
}

impl Written {
    /// Known before anything is read.
    fn of(cli: &Cli, args: &TriageArgs) -> Result<Self, Failure> {
        if args.baseline.is_some() {
            if Exchange::of(cli.format()).is_none() {
                formats::listed(cli)?;
            }
            return Ok(Self::Plain(Plain::Text));
        }
        if let Some(exchange) = Exchange::of(cli.format()) {
            return Ok(Self::Exchange(exchange));
        }
        match cli.format() {
            Format::Csv => Ok(Self::Csv),
            Format::Markdown => Ok(Self::Markdown),
            _ => formats::plain(cli).map(Self::Plain),
        }
    }
}

/// The groups that the files of this run are in, with the history they have in the store.
fn seen(store: &Store, summary: &Summary) -> Result<Overview, StoreError> {
    let mut found = store.overview(&ViewOptions::default(), usize::MAX)?;
    found.keep(&store.groups_of(&summary.files)?);
    Ok(found)
}

/// 0 whatever became of single cores; but a batch that was kept from looking at files is
/// not all that there is.
fn exit(cli: &Cli, summary: &Summary) -> Exit {
    let missing = summary.failed.get(&Code::Missing).copied().unwrap_or(0);
    if missing > 0 && missing == summary.files.len() as u64 {
        return Exit::Unusable;
    }
    let is_strict = cli.options.content.strict && summary.failures() > 0;
    if summary.is_partial() || is_strict { Exit::Incomplete } else { Exit::Success }
}

/// What a record needs is less than a page.
fn request(cli: &Cli) -> Result<Request, Failure> {
    let inputs = Inputs { core: PathBuf::new(), exe: cli.options.exe.clone() };
    let content = &cli.options.content;
    let mut request = Request::new(inputs, &cli.options)?;
    let build = &mut request.build;
    build.context = Context::Nothing;
    build.stacks = WhichStacks::ToBlame;
    if build.locals == WhoseLocals::All {
        build.locals = WhoseLocals::Crashed;
    }
    build.variable_frames = Some(WITH_VARIABLES);
    build.max_depth = Some(content.max_depth.unwrap_or(DEPTH));
    build.max_elements = Some(content.max_elements.unwrap_or(ELEMENTS));
    Ok(request)
}

/// One of the processes that do the work, started by [`triage`] alone.
pub(crate) fn worker(args: &WorkerArgs) -> Result<Exit, Failure> {
    let line = [OsString::from("obit")].into_iter().chain(args.arguments.iter().cloned());
    let cli = Cli::try_parse_from(line).map_err(|error| Failure::new(Exit::Usage, &error))?;
    let max_memory = match &cli.verb {
        Some(Verb::Triage(args)) => args.max_memory,
        Some(Verb::Diff(_)) => MAX_MEMORY,
        _ => return Err(Failure::new(Exit::Usage, &"a worker works for a batch")),
    };
    batch::with_limits(max_memory);
    let request = request(&cli)?;
    let rules = Rules::built_in();
    // What was found and read for one core serves the next; a directory's own files are for
    // its cores alone.
    let mut libraries: Vec<(Option<PathBuf>, Arc<Library>)> = Vec::new();
    let mut work = |path: &Path| {
        let mut one = request.clone();
        one.inputs.core = path.to_owned();
        let mut options = one.process_options(View::Page);
        let directory = options.rules.core_directory.clone();
        let library = match libraries.iter().position(|(known, _)| *known == directory) {
            Some(at) => libraries.remove(at).1,
            None => options.library(),
        };
        options.library = Some(Arc::clone(&library));
        libraries.truncate(LIBRARIES - 1);
        libraries.insert(0, (directory, library));
        batch::analyze(path, options, one.build, &rules)
    };
    let (mut from, mut to) = (io::stdin().lock(), io::stdout().lock());
    batch::serve(&mut from, &mut to, &mut work)
        .map_err(|error| Failure::new(Exit::Output, &error))?;
    Ok(Exit::Success)
}

/// Records are written as they come.
struct Streamed<'s> {
    out: &'s mut dyn Write,
    progress: &'s mut BatchProgress,
}

impl Watcher for Streamed<'_> {
    fn planned(&mut self, files: u64) {
        self.progress.planned(files);
    }

    fn passed(&mut self, path: &Path, why: Code) {
        self.progress.passed(path, why);
    }

    fn stored(&mut self, incoming: &PackedRecord, store: &Store) -> io::Result<()> {
        self.progress.stored(incoming, store)?;
        let Some(record) = incoming.record() else { return Ok(()) };
        let group = store.group_of(&record.dump).unwrap_or_default();
        write_record(&Record { group, ..record }, &mut *self.out)?;
        self.out.flush()
    }
}

fn write(
    format: Plain,
    outlet: &Outlet,
    store: &Store,
    summary: &Summary,
    page: &PageOptions,
) -> Result<(), Failure> {
    let mut failure = None;
    outlet.write(|out| {
        let mut each = |take: &mut dyn FnMut(Record) -> io::Result<()>| {
            let mut written = Ok(());
            let outcome = store.each_record_of(&summary.files, &mut |record| {
                take(record).inspect_err(|error| {
                    written = Err(io::Error::from(error.kind()));
                })
            });
            failure = outcome.err();
            written
        };
        match format {
            Plain::Lines => each(&mut |record| write_record(&record, &mut *out)),
            Plain::Json => {
                out.write_all(b"[")?;
                let mut comma: &[u8] = b"";
                each(&mut |record| {
                    out.write_all(comma)?;
                    comma = b",";
                    write_record(&record, &mut *out)
                })?;
                out.write_all(b"]\n")
            }
            Plain::Text => match human(store, summary, page) {
                Ok(text) => out.write_all(text.as_bytes()),
                Err(error) => {
                    failure = Some(error);
                    Ok(())
                }
            },
        }
    })?;
    failure.map_or(Ok(()), |error| Err(error.into()))
}

/// A summary, and what to look at first.
fn human(store: &Store, summary: &Summary, page: &PageOptions) -> Result<String, StoreError> {
    let mut text = in_words(summary).into_bytes();
    text.push(b'\n');
    let found = store.overview(&ViewOptions::default(), GROUPS)?;
    // Writing to memory does not fail.
    let _ = render::write_groups(&mut text, &found, false, page);
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// What a batch came to, in a line or three.
pub(super) fn in_words(summary: &Summary) -> String {
    let counted = |count: u64, one: &str, some: &str| {
        format!("{count} {}", if count == 1 { one } else { some })
    };
    let mut parts = vec![format!(
        "{}: {} new, {} known",
        counted(summary.files.len() as u64, "core", "cores"),
        summary.new,
        summary.known + summary.unchanged,
    )];
    if summary.completed > 0 {
        parts.push(format!("{} now whole", summary.completed));
    }
    if summary.failures() > 0 {
        let reasons = reasons(&summary.failed);
        parts.push(format!("{} failed ({reasons})", summary.failures()));
    }
    let mut text = parts.join(", ");
    let _ = writeln!(
        text,
        "; {}, {} new; {:.1} s",
        counted(summary.groups, "group", "groups"),
        summary.new_groups,
        summary.took.as_secs_f64()
    );
    let passed: u64 = summary.passed.values().sum();
    if passed > 0 {
        let files = counted(passed, "other file", "other files");
        let _ = writeln!(text, "{files} passed over ({})", reasons(&summary.passed));
    }
    text
}

fn reasons(counts: &std::collections::BTreeMap<Code, u64>) -> String {
    let each = counts.iter().map(|(code, count)| format!("{count} {}", code.word()));
    each.collect::<Vec<_>>().join(", ")
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().filter(|seconds: &f64| *seconds > 0.0);
    let duration = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    duration.ok_or_else(|| "a number of seconds, as in 60 or 0.5".to_owned())
}

fn bytes(text: &str) -> Result<u64, String> {
    let (digits, shift) = match text.char_indices().last() {
        Some((at, 'k' | 'K')) => (&text[..at], 10),
        Some((at, 'm' | 'M')) => (&text[..at], 20),
        Some((at, 'g' | 'G')) => (&text[..at], 30),
        _ => (text, 0),
    };
    let number = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(1 << shift));
    number.filter(|bytes| *bytes > 0).ok_or_else(|| "a size, as in 512M or 2G".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_are_read() {
        assert_eq!(bytes("512M"), Ok(512 << 20));
        assert_eq!(bytes("4096"), Ok(4096));
        assert!(bytes("0").is_err() && bytes("").is_err() && bytes("99999999999G").is_err());
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        assert!(seconds("-1").is_err() && seconds("0").is_err() && seconds("soon").is_err());
    }
}
