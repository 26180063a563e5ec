//! A scrubbed core while it is written, and the checks that it passes before it gets its name.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use obit::dump::{CoreFile, Dump, OpenError};
use obit::limits::Limits;
use obit::process::Process;
use obit::redact::without_digests;
use obit::report::{self, FrameReport, Report};
use obit::scrub::{self, Options, Scrubbed};

use super::confined::Outside;
use super::destination::DestinationError;
use super::exit::Exit;
use super::failure::Failure;
use super::private_file;
use super::request::Request;

/// Level of compression for names that end in `.zst`.
const LEVEL: i32 = 15;

/// Writes the scrubbed core of `process` into `draft`, which is to be called `path`, and refuses it
/// if something hidden is in it. What of its report differs from that on the original is listed.
pub(super) fn scrub_checked(
    request: &Request,
    process: &Process,
    options: Options,
    (draft, path): (&Draft, &Path),
    outside: Option<&Outside>,
) -> Result<(Scrubbed, Vec<String>), Failure> {
    let failed = |source| DestinationError::File { path: path.to_owned(), source };
    let scrubbed = write(process, options, draft).map_err(failed)?;
    if !draft.is_readable {
        return Ok((scrubbed, Vec::new()));
    }
    refuse_leaks(&process.dump, &scrubbed.secrets, draft, path)?;
    let differs = check(request, draft, outside, &scrubbed.report)?;
    Ok((scrubbed, differs))
}

/// The file while it is written: it gets its name when it is complete and checked.
pub(super) struct Draft {
    /// Where it is written.
    path: PathBuf,
    /// What it is to be called; `None` where there is no file to replace: a device, a pipe.
    name: Option<PathBuf>,
    is_compressed: bool,
    /// It can be read back.
    is_readable: bool,
    /// Open before anything of the core is read.
    file: File,
    /// For what of a compressed one does not fit in memory when it is read back.
    disk: Option<File>,
}

impl Draft {
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let is_compressed = path.extension().is_some_and(|extension| extension == "zst");
        // A link stays one, to a new file.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if std::fs::metadata(&path).is_ok_and(|metadata| !metadata.is_file()) {
            let file = File::options().write(true).open(&path)?;
            return Ok(Self {
                path,
                name: None,
                is_compressed,
                is_readable: false,
                file,
                disk: None,
            });
        }
        let name = private_file::name_of_draft(&path)?;
        let file = private_file::create_new(&name)?;
        let disk = if is_compressed { CoreFile::room().ok() } else { None };
        Ok(Self { path: name, name: Some(path), is_compressed, is_readable: true, file, disk })
    }

    /// One that never gets a name; messages call it `label`.
    pub(super) fn unnamed(label: &Path) -> io::Result<Self> {
        let file = CoreFile::room()?;
        let path = label.to_owned();
        Ok(Self { path, name: None, is_compressed: false, is_readable: true, file, disk: None })
    }

    /// The file itself, at its start.
    pub(super) fn content(&self) -> io::Result<File> {
        let mut file = self.file.try_clone()?;
        file.rewind()?;
        Ok(file)
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
    pub(super) fn files(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        [Some(&self.file), self.disk.as_ref()].into_iter().flatten().map(AsFd::as_fd)
    }

    /// Bytes that were written.
    pub(super) fn size(&self) -> io::Result<u64> {
        Ok(u64::try_from(rustix::fs::fstat(&self.file)?.st_size).unwrap_or(0))
    }

    pub(super) fn publish(mut self) -> io::Result<()> {
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

fn write(process: &Process, options: Options, draft: &Draft) -> io::Result<Scrubbed> {
    let mut file = draft.file.try_clone()?;
    if draft.is_readable {
        // A process that was ended while it wrote may have come before this one.
        file.rewind()?;
        file.set_len(0)?;
    }
    if draft.is_compressed {
        let mut out = zstd::Encoder::new(file, LEVEL)?;
        let scrubbed = scrub::scrub(process, options, &mut out)?;
        out.finish()?.flush()?;
        return Ok(scrubbed);
    }
    if !draft.is_readable {
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
