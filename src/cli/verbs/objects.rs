//! `obit objects`: scrubbed cores and reports, kept by what is in them.

use std::fs::File;
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, Subcommand};
use obit::dump::CoreFile;
use obit::redact::{Level, Origin};
use obit::render::visible;
use obit::report::Report;
use obit::report::json::write_report;
use obit::scrub::Options;
use obit::triage::time::instant_of;
use obit_objects::{Entry, Id, ObjectError, Objects, Stored};

use crate::cli::args::OutputFile;
use crate::cli::args::content::ReadLimits;
use crate::cli::args::core_files::Inputs;
use crate::cli::args::general::General;
use crate::cli::args::redaction::Redaction;
use crate::cli::args::search::Search;
use crate::cli::args::store::{clock, length};
use crate::cli::confined;
use crate::cli::destination::Destination;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::message::{say, shown};
use crate::cli::request::Request;
use crate::cli::scrub_draft::{Draft, scrub_checked};

/// Level of compression of what is stored.
const LEVEL: i32 = 15;

/// What to do, and with which objects.
#[derive(Clone, Debug, Args)]
pub(crate) struct ObjectsArgs {
    #[command(subcommand)]
    what: ObjectsVerb,
    /// Where they are: a directory, or s3://BUCKET/PREFIX
    #[arg(
        long,
        global = true,
        env = "OBIT_OBJECTS",
        hide_env_values = true,
        value_name = "DIR|s3://…",
        value_parser = OsStringValueParser::new().map(PathBuf::from)
    )]
    objects: Option<PathBuf>,
}

#[derive(Clone, Debug, Subcommand)]
enum ObjectsVerb {
    /// Scrub cores and store them with their reports, or store files as they are
    Put(Box<PutArgs>),
    /// Write an object, after a check that it is what its name says
    Get {
        /// Its name: 64 digits
        #[arg(value_name = "ID")]
        id: String,
        #[command(flatten)]
        file: OutputFile,
    },
    /// List the objects: name, bytes, time
    List,
    /// Read all objects and compare each with its name
    Check,
    /// Delete old objects, and what interrupted puts left
    Gc {
        /// Delete objects that were stored longer ago than this: 90d
        #[arg(long, value_name = "LENGTH", value_parser = length)]
        older_than: i64,
        /// Say what would be deleted, and delete nothing
        #[arg(long)]
        dry_run: bool,
    },
}

/// What is stored.
#[derive(Clone, Debug, Args)]
pub(crate) struct PutArgs {
    /// Cores; with --as-is any files
    #[arg(value_name = "CORE", required = true)]
    files: Vec<PathBuf>,
    /// Store the files unchanged: memory, secrets and personal data leave with them
    #[arg(long)]
    as_is: bool,
    /// Store no reports
    #[arg(long, conflicts_with = "as_is")]
    no_report: bool,
    #[command(flatten)]
    search: Search,
    #[command(flatten)]
    limits: ReadLimits,
    #[command(flatten)]
    redaction: Redaction,
}

impl ObjectsArgs {
    /// How much messages hide.
    pub(crate) fn redaction(&self) -> Level {
        match &self.what {
            ObjectsVerb::Put(args) => args.redaction.level,
            _ => Level::Default,
        }
    }
}

impl From<ObjectError> for Failure {
    fn from(error: ObjectError) -> Self {
        let exit = match &error {
            ObjectError::Address(_)
            | ObjectError::NotAnId(_)
            | ObjectError::NoS3
            | ObjectError::Credentials(_)
            | ObjectError::Endpoint(_) => Exit::Usage,
            ObjectError::Target { .. } => Exit::Output,
            _ => Exit::Unusable,
        };
        Self::new(exit, &error)
    }
}

pub(crate) fn run(args: &ObjectsArgs, general: &General) -> Result<Exit, Failure> {
    let Some(address) = &args.objects else {
        let problem = "no store of objects given; try --objects DIR, --objects s3://BUCKET/PREFIX, \
            or set OBIT_OBJECTS";
        return Err(Failure::usage(&problem));
    };
    let store = Objects::open(address)?;
    match &args.what {
        ObjectsVerb::Put(args) => put_all(args, &store, general),
        ObjectsVerb::Get { id, file } => get(&store, Id::parse(id)?, file, general),
        ObjectsVerb::List => list(&store),
        ObjectsVerb::Check => check(&store, general),
        ObjectsVerb::Gc { older_than, dry_run } => gc(&store, *older_than, *dry_run),
    }
}

/// Each file by itself: what is wrong with one is said, and the others are stored.
fn put_all(args: &PutArgs, store: &Objects, general: &General) -> Result<Exit, Failure> {
    if args.redaction.level == Level::Off && !args.as_is {
        let problem = "what is not redacted is stored by --as-is only";
        return Err(Failure::usage(&problem));
    }
    let lines = Destination::lines();
    let mut failed = 0;
    for path in &args.files {
        let stored = match args.as_is {
            true => as_is(store, path),
            false => scrubbed(args, store, path, general),
        };
        let name = shown(Origin::Path, &path.to_string_lossy());
        match stored {
            Ok((stored, differs)) => {
                for (what, stored) in stored {
                    let line = format!("{}  {what}  {}", stored.id, visible(&name));
                    lines.write(|out| writeln!(out, "{line}"))?;
                    if !general.quiet {
                        let known = if stored.is_new { "" } else { ", was there already" };
                        say(&format!("{name}: {what}: {} bytes{known}", stored.size));
                    }
                }
                if !differs.is_empty() {
                    failed += 1;
                    let differs = differs.join(", ");
                    say(&format!("{name}: the report on the scrubbed core differs: {differs}"));
                }
            }
            // One file alone: its exit code says more.
            Err(failure) if args.files.len() == 1 => return Err(failure),
            Err(failure) => {
                failed += 1;
                failure.say();
            }
        }
    }
    Ok(if failed == 0 { Exit::Success } else { Exit::Incomplete })
}

/// What was stored, each with what it is; and what of the report differs.
type Put = (Vec<(&'static str, Stored)>, Vec<String>);

fn as_is(store: &Objects, path: &Path) -> Result<Put, Failure> {
    let unusable = |error: io::Error| {
        Failure::new(Exit::Unusable, &format_args!("{}: {error}", path.display()))
    };
    let mut file = File::open(path).map_err(unusable)?;
    if !file.metadata().map_err(unusable)?.is_file() {
        return Err(unusable(io::Error::other("is not a file")));
    }
    Ok((vec![("file", store.put(&mut file)?)], Vec::new()))
}

fn scrubbed(
    args: &PutArgs,
    store: &Objects,
    path: &Path,
    general: &General,
) -> Result<Put, Failure> {
    let inputs = Inputs { core: path.to_owned(), ..Inputs::default() };
    let mut request = Request::new(inputs, &args.search, &args.redaction)?.limited(&args.limits);
    request.log_reads = true;
    let options = Options { max_size: None, build: request.build.clone() };
    let failed = |source| ObjectError::Target { source };
    let label = path.with_extension("scrubbed");
    let draft = Draft::unnamed(&label).map_err(failed)?;
    let report = CoreFile::room().map_err(failed)?;
    let core = request.open(general.quiet)?;
    let of_report = std::os::fd::AsFd::as_fd(&report);
    let kept: Vec<_> = draft.files().chain([of_report]).collect();
    let done = confined::run(&request, &core, &kept, general.quiet, &|core, outside, observer| {
        let process = request.read(core, outside, observer)?;
        let (scrubbed, differs) =
            scrub_checked(&request, &process, options.clone(), (&draft, &label), outside)?;
        let written = write_again(&report, &scrubbed.report);
        written.map_err(failed)?;
        Ok(differs)
    });
    let differs: Vec<String> = done??;
    let mut compressed = CoreFile::room().map_err(failed)?;
    let mut content = draft.content().map_err(failed)?;
    zstd::stream::copy_encode(&mut content, &mut compressed, LEVEL).map_err(failed)?;
    let mut stored = vec![("core", store.put(&mut compressed)?)];
    if !args.no_report {
        stored.push(("report", store.put(&mut report.try_clone().map_err(failed)?)?));
    }
    Ok((stored, differs))
}

/// A process that was ended while it wrote may have come before this one.
fn write_again(file: &File, report: &Report) -> io::Result<()> {
    let mut file = file.try_clone()?;
    file.rewind()?;
    file.set_len(0)?;
    let mut out = io::BufWriter::new(file);
    write_report(report, &mut out)?;
    out.flush()
}

fn get(store: &Objects, id: Id, file: &OutputFile, general: &General) -> Result<Exit, Failure> {
    let destination = Destination::whole(file.output.as_deref());
    if file.output.is_none() {
        Destination::refuse_terminal("an object")?;
    }
    let failed = |source| ObjectError::Target { source };
    let mut content = CoreFile::room().map_err(failed)?;
    let size = store.get(id, &mut content)?;
    content.rewind().map_err(failed)?;
    destination.write(|out| io::copy(&mut content, out).map(drop))?;
    if let (Some(path), false) = (destination.path(), general.quiet) {
        say(&format!("{}: {size} bytes, as they were stored", path.display()));
    }
    Ok(Exit::Success)
}

fn entries(store: &Objects) -> Result<Vec<Entry>, Failure> {
    let mut all = Vec::new();
    store.list(&mut |entry| all.push(entry))?;
    Ok(all)
}

fn list(store: &Objects) -> Result<Exit, Failure> {
    let all = entries(store)?;
    Destination::lines().write(|out| {
        for Entry { id, size, stored } in &all {
            let time = stored.map_or_else(|| "at an unknown time".to_owned(), instant_of);
            writeln!(out, "{id}  {size:>12}  {time}")?;
        }
        Ok(())
    })?;
    Ok(Exit::Success)
}

fn check(store: &Objects, general: &General) -> Result<Exit, Failure> {
    let (mut damaged, mut bytes) = (0_usize, 0_u64);
    let mut all = Vec::new();
    store.list_with(&mut |entry| all.push(entry), &mut |path| {
        damaged += 1;
        let path = shown(Origin::Path, &path.to_string_lossy());
        say(&format!("{path}: no object, but a link, a pipe or a directory in its place"));
    })?;
    for entry in &all {
        let mut content = CoreFile::room().map_err(|source| ObjectError::Target { source })?;
        match store.get(entry.id, &mut content) {
            Ok(size) => bytes = bytes.saturating_add(size),
            // Someone deleted it meanwhile.
            Err(ObjectError::Missing(_)) => {}
            Err(error @ (ObjectError::Damaged(_) | ObjectError::TooLarge)) => {
                damaged += 1;
                say(&format!("{}: {error}", entry.id));
            }
            Err(error) => return Err(error.into()),
        }
    }
    if !general.quiet {
        let count = all.len();
        let line = format!("objects: {count}, bytes: {bytes}, damaged: {damaged}");
        Destination::lines().write(|out| writeln!(out, "{line}"))?;
    }
    Ok(if damaged == 0 { Exit::Success } else { Exit::Incomplete })
}

fn gc(store: &Objects, older_than: i64, dry_run: bool) -> Result<Exit, Failure> {
    let before = clock().saturating_sub(older_than);
    let old = |entry: &Entry| entry.stored.is_some_and(|stored| stored < before);
    let all = entries(store)?;
    let (mut count, mut bytes) = (0_usize, 0_u64);
    for entry in all.iter().filter(|entry| old(entry)) {
        if !dry_run {
            store.remove(entry.id)?;
        }
        count += 1;
        bytes = bytes.saturating_add(entry.size);
    }
    let parts = if dry_run { 0 } else { store.remove_parts()? };
    let (verb, kept) = (if dry_run { "would delete" } else { "deleted" }, all.len() - count);
    Destination::lines().write(|out| {
        writeln!(out, "{verb}: {count} objects, {bytes} bytes; kept: {kept}")?;
        match parts {
            0 => Ok(()),
            parts => writeln!(out, "deleted what {parts} interrupted puts left"),
        }
    })?;
    Ok(Exit::Success)
}
