//! `obit scrub`: a core that can be handed on.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use obit::dump::{CoreFile, Dump, OpenError};
use obit::limits::Limits;
use obit::process::Process;
use obit::redact::without_digests;
use obit::report::{self, FrameReport, Report};
use obit::scrub::{self, LeftOut, Options};

use crate::cli::args::OutputFile;
use crate::cli::args::content::{Locals, ReadLimits, Registers};
use crate::cli::args::core_files::CoreFiles;
use crate::cli::args::general::General;
use crate::cli::args::quantities::bytes;
use crate::cli::args::redaction::Redaction;
use crate::cli::args::search::Search;
use crate::cli::confined::{self, Outside, core_files};
use crate::cli::core_source;
use crate::cli::destination::{Destination, DestinationError};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::message::say;
use crate::cli::private_file;
use crate::cli::request::Request;

/// Which core, how much to keep, and what debugging it needs.
#[derive(Clone, Debug, Args)]
pub(crate) struct ScrubArgs {
    #[command(flatten)]
    files: CoreFiles,
    #[command(flatten)]
    file: OutputFile,
    /// Keep at most this much memory: 512K, 8M
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    max_size: Option<u64>,
    /// Check that OUT, a scrubbed core, has nothing that was masked or hidden in CORE
    #[arg(long, value_name = "OUT", conflicts_with_all = ["max_size", "output"])]
    verify: Option<PathBuf>,
    #[command(flatten)]
    search: Search,
    #[command(flatten)]
    limits: ReadLimits,
    #[command(flatten)]
    locals: Locals,
    #[command(flatten)]
    registers: Registers,
    #[command(flatten)]
    pub(crate) redaction: Redaction,
}

/// Level of compression for names that end in `.zst`.
const LEVEL: i32 = 15;

/// Writes the scrubbed core to `--output`, and checks that its report is the same.
pub(crate) fn run(args: &ScrubArgs, general: &General) -> Result<Exit, Failure> {
    let inputs = args.files.inputs()?;
    if inputs.force_exe {
        let problem = "scrub finds what to hide by the types of the program, so it does not accept \
            another build";
        return Err(Failure::usage(&problem));
    }
    if let Some(scrubbed) = &args.verify {
        let request = Request::new(inputs, &args.search, &args.redaction)?;
        return verify(&request, scrubbed, general.quiet);
    }
    let destination = Destination::new(args.file.output.as_deref(), Some(&inputs))?;
    let Some(path) = destination.path() else {
        let problem = "no output file given; try `obit scrub CORE -o OUT`";
        return Err(Failure::usage(&problem));
    };
    let mut request = Request::new(inputs, &args.search, &args.redaction)?.limited(&args.limits);
    request.build.locals = args.locals.locals;
    args.registers.apply(&mut request.build);
    request.log_reads = true;
    let options = Options { max_size: args.max_size, build: request.build.clone() };
    let failed = |source| DestinationError::File { path: path.to_owned(), source };
    let draft = Draft::of(path).map_err(failed)?;
    let core = request.open(general.quiet)?;
    let kept: Vec<_> = draft.files().collect();
    let done = confined::run(&request, &core, &kept, general.quiet, &|core, outside, observer| {
        let process = request.read(core, outside, observer)?;
        let scrubbed = write(&process, options.clone(), &draft).map_err(failed)?;
        let differs = if draft.is_file() {
            refuse_leaks(&process.dump, &scrubbed.secrets, &draft, path)?;
            check(&request, &draft, outside, &scrubbed.report)?
        } else {
            Vec::new()
        };
        let size = draft.size().map_err(failed)?;
        if !general.quiet {
            describe(path, size, &process.dump, &scrubbed);
        }
        Ok(differs)
    });
    let differs = done??;
    draft.publish().map_err(failed)?;
    if !differs.is_empty() {
        say(&format!("the report on the scrubbed core differs: {}", differs.join(", ")));
        return Ok(Exit::Incomplete);
    }
    if !general.quiet {
        say("the report on the scrubbed core is the same: stacks, cause, id");
    }
    Ok(Exit::Success)
}

/// What was written, and what is not in it.
fn describe(path: &Path, size: u64, original: &Dump, scrubbed: &scrub::Scrubbed) {
    say(&format!(
        "{}: {size} bytes, {} of memory, of {} in the core",
        path.display(),
        scrubbed.kept,
        original.bytes.len()
    ));
    if scrubbed.masked_registers > 0 {
        let count = scrubbed.masked_registers;
        say(&format!("{count} general registers held text or hidden values and are masked"));
    }
    if scrubbed.hidden_numbers > 0 {
        let count = scrubbed.hidden_numbers;
        say(&format!("{count} numeric variables are hidden: they read as 1 or -1"));
    }
    match scrubbed.left_out {
        LeftOut::Nothing => {}
        LeftOut::Objects => say("some objects that variables point to were left out; raise \
            --max-size to keep more"),
        LeftOut::Stacks => say("stacks were cut: raise --max-size to keep them whole"),
    }
}

/// The file while it is written: it gets its name when it is complete and checked.
struct Draft {
    /// Where it is written.
    path: PathBuf,
    /// What it is to be called; `None` where there is no file to replace: a device, a pipe.
    name: Option<PathBuf>,
    is_compressed: bool,
    /// Open before anything of the core is read.
    file: File,
    /// For what of a compressed one does not fit in memory when it is read back.
    disk: Option<File>,
}

impl Draft {
    fn of(path: &Path) -> io::Result<Self> {
        let is_compressed = path.extension().is_some_and(|extension| extension == "zst");
        // A link stays one, to a new file.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if std::fs::metadata(&path).is_ok_and(|metadata| !metadata.is_file()) {
            let file = File::options().write(true).open(&path)?;
            return Ok(Self { path, name: None, is_compressed, file, disk: None });
        }
        let name = private_file::name_of_draft(&path)?;
        let file = private_file::create_new(&name)?;
        let disk = if is_compressed { CoreFile::room().ok() } else { None };
        Ok(Self { path: name, name: Some(path), is_compressed, file, disk })
    }

    /// What was written, to be read as a core.
    fn core(&self) -> io::Result<CoreFile> {
        Ok(CoreFile {
            path: self.path.clone(),
            file: self.file.try_clone()?,
            disk: self.disk.as_ref().map(File::try_clone).transpose()?,
            is_stream: false,
            beside: Vec::new(),
            companions: Arc::default(),
        })
    }

    /// The descriptors that writing and checking take.
    fn files(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        [Some(&self.file), self.disk.as_ref()].into_iter().flatten().map(AsFd::as_fd)
    }

    /// Bytes that were written.
    fn size(&self) -> io::Result<u64> {
        Ok(u64::try_from(rustix::fs::fstat(&self.file)?.st_size).unwrap_or(0))
    }

    fn is_file(&self) -> bool {
        self.name.is_some()
    }

    fn publish(mut self) -> io::Result<()> {
        match self.name.take() {
            Some(name) => private_file::replace(&self.path, &name),
            None => Ok(()),
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if self.name.is_some() {
            // There is no one left to report a failure to.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn write(process: &Process, options: Options, draft: &Draft) -> io::Result<scrub::Scrubbed> {
    let file = draft.file.try_clone()?;
    if draft.is_compressed {
        let mut out = zstd::Encoder::new(file, LEVEL)?;
        let scrubbed = scrub::scrub(process, options, &mut out)?;
        out.finish()?.flush()?;
        return Ok(scrubbed);
    }
    if !draft.is_file() {
        return scrub::scrub(process, options, &mut io::BufWriter::new(file));
    }
    let mut out = Sparse { file, length: 0 };
    let scrubbed = scrub::scrub(process, options, &mut out)?;
    out.file.set_len(out.length)?;
    Ok(scrubbed)
}

/// No file with masked text in it gets its name.
fn refuse_leaks(
    original: &Dump,
    secrets: &scrub::Secrets,
    draft: &Draft,
    path: &Path,
) -> Result<(), Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::new(Exit::Unusable, error);
    let core = draft.core().map_err(|error| failed(&error))?;
    let written = Dump::open_file(core, &Limits::default()).map_err(|error| match error {
        OpenError::NoThreads { .. } => failed(&format_args!(
            "{} was not written: the notes of the threads are cut off in the core, and what is \
             cut off cannot be judged",
            path.display()
        )),
        error => failed(&error),
    })?;
    let leaks = scrub::verify(&written, original, secrets);
    let Some(first) = leaks.first() else { return Ok(()) };
    let problem = format!(
        "{} was not written: it would have {} at {} places, first {} bytes at offset {:#x}; \
         please report this",
        path.display(),
        first.what.words(),
        leaks.len(),
        first.length,
        first.offset
    );
    Err(Failure::new(Exit::Incomplete, &problem))
}

/// Leaves pages of zeros out of the file.
struct Sparse {
    file: File,
    length: u64,
}

impl Write for Sparse {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for page in bytes.chunks(4096) {
            if page.iter().all(|byte| *byte == 0) {
                self.file.seek(SeekFrom::Current(page.len() as i64))?;
            } else {
                self.file.write_all(page)?;
            }
            self.length += page.len() as u64;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Reads what was written, and compares.
fn check(
    request: &Request,
    draft: &Draft,
    outside: Option<&Outside>,
    original: &Report,
) -> Result<Vec<String>, Failure> {
    let mut request = request.clone();
    request.log_reads = false;
    request.core_directory = request.inputs.core.parent().map(Path::to_owned);
    request.inputs.core.clone_from(&draft.path);
    let core = draft.core().map_err(|error| Failure::new(Exit::Unusable, &error))?;
    let process = request.read(core, outside, &())?;
    let found = differences(original, &report::build(&process, request.build));
    Ok(found.into_iter().map(str::to_owned).collect())
}

/// What of a report is not the same on the scrubbed core.
fn differences(original: &Report, scrubbed: &Report) -> Vec<&'static str> {
    // Each report has its own key of tokens.
    let function = |frame: &FrameReport| {
        frame.function.as_ref().map(|name| without_digests(name.as_str()).into_owned())
    };
    let stacks = |report: &Report| -> Vec<(i64, Vec<_>)> {
        let threads = report.threads.iter();
        threads
            .map(|thread| {
                let frames = thread.frames.iter();
                let named = frames.map(|f| (f.pc, function(f), f.source.as_ref().map(|s| s.line)));
                (thread.tid, named.collect())
            })
            .collect()
    };
    let cause = |report: &Report| report.cause.as_ref().map(|cause| cause.class.clone());
    let blame = |report: &Report| {
        report.cause.as_ref().and_then(|cause| cause.blame.as_ref()).map(|blame| blame.frame)
    };
    [
        ("ids", original.id != scrubbed.id),
        ("stacks", stacks(original) != stacks(scrubbed)),
        ("causes", cause(original) != cause(scrubbed)),
        ("frames to blame", blame(original) != blame(scrubbed)),
    ]
    .into_iter()
    .filter_map(|(what, differs)| differs.then_some(what))
    .collect()
}

fn verify(request: &Request, scrubbed: &Path, quiet: bool) -> Result<Exit, Failure> {
    let original = request.open(quiet)?;
    let other = core_source::open(scrubbed)?;
    let kept: Vec<_> = core_files(&other).collect();
    let leaks = confined::run(request, &original, &kept, quiet, &|core, outside, observer| {
        let limits = Limits::default();
        let failed = |error: io::Error| Failure::new(Exit::Unusable, &error);
        let other = core_source::read(other.try_clone().map_err(failed)?, &limits)?;
        let process = request.read(core, outside, observer)?;
        let secrets = scrub::secrets(&process, &request.build);
        let leaks = scrub::verify(&other, &process.dump, &secrets).into_iter();
        let described = leaks.map(|leak| (leak.length, leak.offset, leak.what.words().to_owned()));
        Ok(described.collect::<Vec<_>>())
    });
    let leaks = leaks??;
    for (length, offset, what) in leaks.iter().take(20) {
        say(&format!("{length} bytes of {what} at offset {offset:#x}"));
    }
    if leaks.is_empty() {
        say(&format!(
            "{} has no masked text of six bytes or more, no hidden number and no key",
            scrubbed.display()
        ));
        return Ok(Exit::Success);
    }
    say(&format!("what was masked or hidden was found at {} places", leaks.len()));
    Ok(Exit::Incomplete)
}
