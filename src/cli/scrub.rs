//! `obit scrub`: a core that can be handed on.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use obit::dump::Dump;
use obit::limits::Limits;
use obit::process::Process;
use obit::report::{self, Report};
use obit::scrub::{self, Options};

use super::args::{Cli, Files};
use super::exit::Exit;
use super::outlet::{Outlet, OutletError};
use super::progress::Progress;
use super::{Failure, Request, View, analyze, inputs, say};

/// What to scrub.
#[derive(Clone, Debug, Args)]
pub(crate) struct ScrubArgs {
    #[command(flatten)]
    files: Files,
    /// Keep at most so many bytes of memory: 512K, 8M
    #[arg(long, value_name = "SIZE", value_parser = size)]
    max_size: Option<u64>,
    /// Prove that OUT, a scrubbed core, holds no text that was masked in CORE
    #[arg(long, value_name = "OUT", conflicts_with = "max_size")]
    verify: Option<PathBuf>,
}

/// Level of compression for names that end in `.zst`.
const LEVEL: i32 = 15;

/// Writes the scrubbed core to `--output`, and looks whether it says the same.
pub(crate) fn scrub(cli: &Cli, args: &ScrubArgs) -> Result<Exit, Failure> {
    let options = &cli.options;
    let inputs = inputs::inputs(&cli.files, &args.files, options)
        .map_err(|error| Failure::new(Exit::Usage, &error))?;
    if let Some(scrubbed) = &args.verify {
        return verify(scrubbed, &inputs.core);
    }
    let outlet = Outlet::new(options.output.output.as_deref(), Some(&inputs))?;
    let Outlet::File(path) = &outlet else {
        let problem = "say where the scrubbed core goes: `obit scrub CORE -o OUT`";
        return Err(Failure::new(Exit::Usage, &problem));
    };
    let progress = Progress::new(options.output.quiet);
    let mut request = Request::new(inputs, options)?;
    request.log_reads = true;
    let opened = analyze::open(&request, View::Page, &progress);
    // Cleared before anything is written.
    drop(progress);
    let process = opened.map_err(|error| Failure::new(Exit::Unusable, &error))?;
    let wanted = Options { max_size: args.max_size, build: request.build.clone() };
    let scrubbed = write(&process, wanted, path)
        .map_err(|source| OutletError::File { path: path.clone(), source })?;
    if options.output.quiet {
        return Ok(Exit::Success);
    }
    let size = std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    say(&format!(
        "{}: {size} bytes, {} of memory, of {} in the core",
        path.display(),
        scrubbed.kept,
        process.dump.bytes.len()
    ));
    if scrubbed.masked_registers > 0 {
        let count = scrubbed.masked_registers;
        say(&format!("{count} general registers held text and are masked"));
    }
    if scrubbed.is_cut {
        say("not all that variables reach was kept; --max-size keeps more");
    }
    check(&request, path, &scrubbed.report)
}

fn write(process: &Process, options: Options, path: &Path) -> io::Result<scrub::Scrubbed> {
    let file = File::create(path)?;
    if path.extension().is_some_and(|extension| extension == "zst") {
        let mut out = zstd::Encoder::new(file, LEVEL)?;
        let scrubbed = scrub::scrub(process, options, &mut out)?;
        out.finish()?.flush()?;
        return Ok(scrubbed);
    }
    let mut out = Sparse { file, length: 0 };
    let scrubbed = scrub::scrub(process, options, &mut out)?;
    out.file.set_len(out.length)?;
    Ok(scrubbed)
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
fn check(request: &Request, path: &Path, original: &Report) -> Result<Exit, Failure> {
    let mut request = request.clone();
    request.log_reads = false;
    request.core_directory = request.inputs.core.parent().map(Path::to_owned);
    request.inputs.core = path.to_owned();
    let process = analyze::open(&request, View::Page, &())
        .map_err(|error| Failure::new(Exit::Unusable, &error))?;
    let report = report::build(&process, request.build);
    let differs = differences(original, &report);
    if differs.is_empty() {
        say("obit says the same of it: stacks, cause, id");
        return Ok(Exit::Success);
    }
    say(&format!("obit does not say the same of it: {} differ", differs.join(", ")));
    Ok(Exit::Incomplete)
}

/// What of a report is not the same on the scrubbed core.
fn differences(original: &Report, scrubbed: &Report) -> Vec<&'static str> {
    let stacks = |report: &Report| -> Vec<(i64, Vec<_>)> {
        let threads = report.threads.iter();
        threads
            .map(|thread| {
                let frames = thread.frames.iter();
                let named =
                    frames.map(|f| (f.pc, f.function.clone(), f.source.as_ref().map(|s| s.line)));
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

fn verify(scrubbed: &Path, original: &Path) -> Result<Exit, Failure> {
    let limits = Limits::default();
    let open = |path: &Path| {
        Dump::open(path, &limits).map_err(|error| Failure::new(Exit::Unusable, &error))
    };
    let leaks = scrub::verify(&open(scrubbed)?, &open(original)?);
    for leak in leaks.iter().take(20) {
        say(&format!("{} bytes of masked text at offset {:#x}", leak.length, leak.offset));
    }
    if leaks.is_empty() {
        say("no text of six bytes or more that was masked stands in it");
        return Ok(Exit::Success);
    }
    say(&format!("masked text stands at {} places", leaks.len()));
    Ok(Exit::Incomplete)
}

/// `512K`, `8M`, `1G`, or bytes.
fn size(text: &str) -> Result<u64, String> {
    let (digits, shift) = match text.as_bytes().last() {
        Some(b'k' | b'K') => (&text[..text.len() - 1], 10),
        Some(b'm' | b'M') => (&text[..text.len() - 1], 20),
        Some(b'g' | b'G') => (&text[..text.len() - 1], 30),
        _ => (text, 0),
    };
    let number: u64 = digits.parse().map_err(|_| "write a size as in 512K or 8M".to_owned())?;
    number.checked_mul(1 << shift).ok_or_else(|| "that is too much".to_owned())
}
