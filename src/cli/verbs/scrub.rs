//! `obit scrub`: a core that can be handed on.

use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use obit::dump::Dump;
use obit::limits::Limits;
use obit::scrub::{self, LeftOut, Options};

use crate::cli::args::OutputFile;
use crate::cli::args::content::{Locals, ReadLimits, Registers};
use crate::cli::args::core_files::CoreFiles;
use crate::cli::args::general::General;
use crate::cli::args::quantities::bytes;
use crate::cli::args::redaction::Redaction;
use crate::cli::args::search::Search;
use crate::cli::confined::{self, core_files};
use crate::cli::core_source;
use crate::cli::destination::{Destination, DestinationError};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::message::say;
use crate::cli::request::Request;
use crate::cli::scrub_draft::{Draft, scrub_checked};

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
        let (scrubbed, differs) =
            scrub_checked(&request, &process, options.clone(), (&draft, path), outside)?;
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
