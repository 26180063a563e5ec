//! `obit scrub`: a core that can be handed on.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use obit::dump::Dump;
use obit::limits::Limits;
use obit::process::Process;
use obit::report::{self, Report};
use obit::scrub::{self, LeftOut, Options};

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
    let failed = |source| OutletError::File { path: path.clone(), source };
    let draft = Draft::of(path).map_err(failed)?;
    let scrubbed = write(&process, wanted, &draft).map_err(failed)?;
    let size = std::fs::metadata(draft.written()).map_or(0, |metadata| metadata.len());
    let differs = if draft.is_file() {
        prove(&process.dump, &draft, path)?;
        check(&request, &draft, &scrubbed.report)?
    } else {
        Vec::new()
    };
    draft.publish().map_err(failed)?;
    if !options.output.quiet {
        tell(path, size, &process.dump, &scrubbed);
    }
    if !differs.is_empty() {
        say(&format!("obit does not say the same of it: {} differ", differs.join(", ")));
        return Ok(Exit::Incomplete);
    }
    if !options.output.quiet {
        say("obit says the same of it: stacks, cause, id");
    }
    Ok(Exit::Success)
}

/// What was written, and what is not in it.
fn tell(path: &Path, size: u64, original: &Dump, scrubbed: &scrub::Scrubbed) {
    say(&format!(
        "{}: {size} bytes, {} of memory, of {} in the core",
        path.display(),
        scrubbed.kept,
        original.bytes.len()
    ));
    if scrubbed.masked_registers > 0 {
        let count = scrubbed.masked_registers;
        say(&format!("{count} general registers held text or what is hidden, and are masked"));
    }
    if scrubbed.hidden_numbers > 0 {
        let count = scrubbed.hidden_numbers;
        say(&format!("{count} numbers of variables are hidden: they read 1, or -1"));
    }
    match scrubbed.left_out {
        LeftOut::Nothing => {}
        LeftOut::Objects => say("not all that variables reach was kept; --max-size keeps more"),
        LeftOut::Stacks => say("stacks were cut: raise --max-size to keep them whole"),
    }
}

/// The file while it is written: it gets its name when it is whole and proved.
struct Draft {
    /// Where it is written.
    path: PathBuf,
    /// What it is to be called; `None` where there is no file to replace: a device, a pipe.
    name: Option<PathBuf>,
    is_compressed: bool,
}

impl Draft {
    fn of(path: &Path) -> io::Result<Self> {
        let is_compressed = path.extension().is_some_and(|extension| extension == "zst");
        // A link stays one, to a new file.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if std::fs::metadata(&path).is_ok_and(|metadata| !metadata.is_file()) {
            return Ok(Self { path, name: None, is_compressed });
        }
        let Some(file) = path.file_name() else {
            return Err(io::Error::other("that is no name of a file"));
        };
        let mut draft = std::ffi::OsString::from(".");
        draft.push(file);
        draft.push(format!(".{}.part", std::process::id()));
        Ok(Self { path: path.with_file_name(draft), name: Some(path), is_compressed })
    }

    fn open(&self) -> io::Result<File> {
        match self.name {
            // Never through a link that someone left there.
            Some(_) => File::options().write(true).create_new(true).open(&self.path),
            None => File::options().write(true).open(&self.path),
        }
    }

    fn is_file(&self) -> bool {
        self.name.is_some()
    }

    fn written(&self) -> &Path {
        &self.path
    }

    fn publish(mut self) -> io::Result<()> {
        match self.name.take() {
            Some(name) => std::fs::rename(&self.path, name),
            None => Ok(()),
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if self.name.is_some() {
            // Nobody is left to tell of a failure.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn write(process: &Process, options: Options, draft: &Draft) -> io::Result<scrub::Scrubbed> {
    let file = draft.open()?;
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

/// Nothing gets its name that holds what was masked.
fn prove(original: &Dump, draft: &Draft, path: &Path) -> Result<(), Failure> {
    let written = Dump::open(draft.written(), &Limits::default())
        .map_err(|error| Failure::new(Exit::Unusable, &error))?;
    let leaks = scrub::verify(&written, original);
    let Some(first) = leaks.first() else { return Ok(()) };
    let problem = format!(
        "{} was not written: masked text would stand at {} places of it, {} bytes at offset {:#x} \
         first; please report this",
        path.display(),
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
    original: &Report,
) -> Result<Vec<&'static str>, Failure> {
    let mut request = request.clone();
    request.log_reads = false;
    request.core_directory = request.inputs.core.parent().map(Path::to_owned);
    request.inputs.core = draft.written().to_owned();
    let process = analyze::open(&request, View::Page, &())
        .map_err(|error| Failure::new(Exit::Unusable, &error))?;
    Ok(differences(original, &report::build(&process, request.build)))
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
