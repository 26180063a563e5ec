//! `obit pack`: a crash in one file that can be read on any machine.

use std::io::{self, BufWriter, Seek, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use clap::Args;
use obit::pack::{self, Packed};
use obit::process::Process;
use obit::redact::Level;
use obit::report::Report;
use obit::scrub::Options;
use obit_age::Lock;

use crate::cli::args::OutputFile;
use crate::cli::args::content::{Locals, ReadLimits, Registers};
use crate::cli::args::core_files::CoreFiles;
use crate::cli::args::general::General;
use crate::cli::args::quantities::bytes;
use crate::cli::args::redaction::Redaction;
use crate::cli::args::search::Search;
use crate::cli::confined;
use crate::cli::destination::{Destination, DestinationError};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::message::say;
use crate::cli::private_file::Draft;
use crate::cli::request::Request;
use crate::cli::scrub_draft::{self, scrub_checked};
use crate::cli::sealed;

/// Which core, for whom, and how much to keep.
#[derive(Clone, Debug, Args)]
pub(crate) struct PackArgs {
    #[command(flatten)]
    files: CoreFiles,
    #[command(flatten)]
    file: OutputFile,
    #[command(flatten)]
    encryption: Encryption,
    /// Also pack the source files of all frames, which are not redacted
    #[arg(long)]
    sources: bool,
    /// Keep at most this much memory of the core: 512K, 8M
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    max_size: Option<u64>,
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

/// Who can read the file.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Encryption")]
struct Encryption {
    /// Encrypt to this public key: age1… (repeatable)
    #[arg(long, value_name = "KEY")]
    recipient: Vec<String>,
    /// Encrypt to the public keys in this file, one a line (repeatable)
    #[arg(long, value_name = "FILE")]
    recipients_file: Vec<PathBuf>,
    /// Encrypt by a passphrase: OBIT_PASSPHRASE, or asked for on the terminal
    #[arg(long, conflicts_with_all = ["recipient", "recipients_file"])]
    passphrase: bool,
}

/// Writes the archive to `--output`.
pub(crate) fn run(args: &PackArgs, general: &General) -> Result<Exit, Failure> {
    let inputs = args.files.inputs()?;
    if inputs.force_exe {
        let problem = "pack finds what to hide by the types of the program, so it does not accept \
            another build";
        return Err(Failure::usage(&problem));
    }
    let destination = Destination::new(args.file.output.as_deref(), Some(&inputs))?;
    let Some(path) = destination.path() else {
        let problem = "no output file given; try `obit pack CORE -o crash.obit`";
        return Err(Failure::usage(&problem));
    };
    let Encryption { recipient, recipients_file, passphrase } = &args.encryption;
    let mut request = Request::new(inputs, &args.search, &args.redaction)?.limited(&args.limits);
    let lock = sealed::lock(recipient, recipients_file, *passphrase)?;
    if lock.is_none() && args.redaction.level == Level::Off {
        let problem = "what is not redacted is packed encrypted only: give --recipient KEY or \
            --passphrase";
        return Err(Failure::usage(&problem));
    }
    request.build.locals = args.locals.locals;
    args.registers.apply(&mut request.build);
    request.log_reads = true;
    let options = Options { max_size: args.max_size, build: request.build.clone() };
    let failed = |source| DestinationError::File { path: path.to_owned(), source };
    let draft = Draft::of(path).map_err(failed)?;
    let scrubbed_core = scrub_draft::Draft::unnamed(path).map_err(failed)?;
    let core = request.open(general.quiet)?;
    let kept: Vec<_> = scrubbed_core.files().chain([draft.file().as_fd()]).collect();
    let done = confined::run(&request, &core, &kept, general.quiet, &|core, outside, observer| {
        let process = request.read(core, outside, observer)?;
        let checked = (&scrubbed_core, path);
        let (scrubbed, differs) =
            scrub_checked(&request, &process, options.clone(), checked, outside)?;
        let content = (&scrubbed_core, &scrubbed.report, args.sources);
        let packed = write(&process, content, lock.as_ref(), &draft);
        let packed = packed.map_err(failed)?;
        if !general.quiet {
            let stat = rustix::fs::fstat(draft.file()).map_err(|error| failed(error.into()))?;
            let size = u64::try_from(stat.st_size).unwrap_or(0);
            describe(path, size, packed, lock.as_ref());
        }
        Ok((differs, packed.left_out))
    });
    let (differs, left_out) = done??;
    draft.publish().map_err(failed)?;
    if !differs.is_empty() {
        say(&format!("the report on the packed core differs: {}", differs.join(", ")));
        return Ok(Exit::Incomplete);
    }
    Ok(if left_out > 0 { Exit::Incomplete } else { Exit::Success })
}

fn write(
    process: &Process,
    (core, report, has_sources): (&scrub_draft::Draft, &Report, bool),
    lock: Option<&Lock>,
    draft: &Draft,
) -> io::Result<Packed> {
    let mut content = core.content()?;
    let core = (&mut content as &mut dyn io::Read, core.size()?);
    let mut file = draft.file().try_clone()?;
    // A process that was ended while it wrote may have come before this one.
    file.rewind()?;
    file.set_len(0)?;
    let mut out = BufWriter::new(file);
    match lock {
        None => {
            let packed = pack::write(process, core, report, has_sources, &mut out)?;
            out.flush()?;
            Ok(packed)
        }
        Some(lock) => {
            let mut out = obit_age::encrypt(lock, out)?;
            let packed = pack::write(process, core, report, has_sources, &mut out)?;
            out.finish()?;
            Ok(packed)
        }
    }
}

fn describe(path: &Path, size: u64, packed: Packed, lock: Option<&Lock>) {
    let Packed { images, debug_files, sources, left_out, .. } = packed;
    let encrypted = match lock {
        None => "not encrypted".to_owned(),
        Some(Lock::Passphrase(_)) => "encrypted by a passphrase".to_owned(),
        Some(Lock::Recipients(to)) if to.len() == 1 => "encrypted to 1 key".to_owned(),
        Some(Lock::Recipients(to)) => format!("encrypted to {} keys", to.len()),
    };
    say(&format!(
        "{}: {size} bytes, {encrypted}: the scrubbed core, the report, files of programs and \
         libraries: {images}, debug files: {debug_files}, sources: {sources}",
        path.display(),
    ));
    if left_out > 0 {
        say(&format!(
            "{left_out} files were left out: they have no build ID, and no name or that of \
             another, or are sources of more than 4 MiB; the report may differ elsewhere"
        ));
    }
}
