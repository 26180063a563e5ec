//! From a core to its report: obit runs itself on it, so that what parses the core is confined
//! as always; the report comes back as JSON and is laid out here.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, IsTerminal, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use obit::capture::{Crash, CrashDirectory};
use obit::render::formats::{Audience, ReportView, ReportWriter};
use obit::render::{Color, DEFAULT_WIDTH, Detail, Format, PageOptions};
use obit::report::Report;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{Keep, RunArgs};
use crate::cli::args::choices::LEVELS;
use crate::cli::args::general::{ColorChoice, General};
use crate::cli::args::redaction::Redaction;
use crate::cli::failure::Failure;
use crate::cli::formats;

/// The longest that one core may take.
const LONGEST: Duration = Duration::from_secs(120);
/// How long to try to start a process when there are too many (EAGAIN).
const PATIENCE: Duration = Duration::from_secs(2);
/// The longest report that is read.
const LARGEST: usize = 256 << 20;
/// Lines that belong into the log of a job; the others are documents, for their files alone.
const OF_LOGS: &[&str] = &["brief", "github", "teamcity"];

/// Makes reports as the user asked.
pub(super) struct Analyst<'a> {
    directory: &'a CrashDirectory,
    keep: Keep,
    format: &'static Format,
    writer: ReportWriter,
    /// The options of redaction, as they are given to obit.
    redaction: Vec<OsString>,
    /// On the standard error; `None` if nothing is to be printed there.
    page: Option<PageOptions>,
    /// Signatures whose report was printed.
    printed: Mutex<HashSet<String>>,
}

/// A crash, and what is kept of it.
pub(super) struct Analyzed {
    pub(super) crash: Crash,
    pub(super) report: Option<Report>,
    /// The files, by name.
    pub(super) files: Vec<PathBuf>,
    /// What failed.
    pub(super) problems: Vec<String>,
}

impl<'a> Analyst<'a> {
    pub(super) fn new(
        args: &RunArgs,
        general: &General,
        directory: &'a CrashDirectory,
    ) -> Result<Self, Failure> {
        let format = args.format;
        let is_printed = format.audience == Audience::Terminal || OF_LOGS.contains(&format.name);
        Ok(Self {
            directory,
            keep: if args.scrub { Keep::Scrubbed } else { args.keep },
            format,
            writer: formats::writer(format, "a report", Format::report)?,
            redaction: options_of(&args.redaction),
            page: (is_printed && !general.quiet).then(|| page(general)),
            printed: Mutex::default(),
        })
    }

    /// Reads the core and writes what is to be kept.
    pub(super) fn analyse(&self, crash: Crash) -> Analyzed {
        let mut analyzed =
            Analyzed { crash, report: None, files: Vec::new(), problems: Vec::new() };
        let core = analyzed.crash.core.clone();
        match self.report_on(&core, analyzed.crash.executable.as_ref()) {
            Ok(report) => {
                match self.write(&core, &report) {
                    Ok(file) => analyzed.files.push(file),
                    Err(problem) => analyzed.problems.push(problem),
                }
                self.print_once(&analyzed.crash.program, &report);
                analyzed.report = Some(report);
            }
            Err(problem) => analyzed.problems.push(format!("no report: {problem}")),
        }
        // It may be the only thing that keeps a deleted file on the disk.
        analyzed.crash.executable = None;
        self.keep_core(&core, &mut analyzed);
        analyzed
    }

    fn report_on(&self, core: &Path, executable: Option<&File>) -> Result<Report, String> {
        // Where the program has a name, obit finds it, and what is beside it.
        let deleted = executable.filter(|file| is_deleted(file));
        let report = self.report_with(core, deleted);
        // `go test` deletes it as soon as the process has ended.
        match executable.filter(|file| deleted.is_none() && is_deleted(file)) {
            Some(file) => self.report_with(core, Some(file)),
            None => report,
        }
    }

    fn report_with(&self, core: &Path, executable: Option<&File>) -> Result<Report, String> {
        let mut obit = self.obit(&[OsStr::new("--json"), OsStr::new("--core")], core);
        if let Some(file) = executable {
            let (process, descriptor) = (std::process::id(), file.as_raw_fd());
            obit.arg("--exe").arg(format!("/proc/{process}/fd/{descriptor}"));
        }
        if self.format.has_more_code {
            obit.args(["-C", "8"]);
        }
        let json = output_of(&mut obit)?;
        serde_json::from_slice(&json).map_err(|error| error.to_string())
    }

    /// obit itself, even if its file was replaced meanwhile.
    fn obit(&self, words: &[&OsStr], core: &Path) -> Command {
        let mut obit = Command::new("/proc/self/exe");
        obit.args(words);
        // A name may begin like an option.
        obit.arg(if core.as_os_str().as_encoded_bytes().starts_with(b"-") {
            Path::new(".").join(core)
        } else {
            core.to_owned()
        });
        obit.args(&self.redaction).arg("--quiet").stdin(Stdio::null());
        obit
    }

    fn write(&self, core: &Path, report: &Report) -> Result<PathBuf, String> {
        let name = core.file_stem().and_then(OsStr::to_str).unwrap_or("report");
        let (file, path) = self
            .directory
            .create(name, self.format.extension)
            .map_err(|error| error.to_string())?;
        let page = PageOptions { width: DEFAULT_WIDTH, ..PageOptions::default() };
        let mut out = io::BufWriter::new(file);
        let written = self.written(&mut out, report, &page).and_then(|()| out.flush());
        written.map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        Ok(path)
    }

    fn written(&self, out: &mut dyn Write, report: &Report, page: &PageOptions) -> io::Result<()> {
        let mut out = self.format.inert(out);
        let filled = self.writer.write(&mut out, report, ReportView::Page, page);
        let finished = out.finish().map(drop);
        filled.and(finished)
    }

    /// A test that crashes a hundred times is explained once.
    fn print_once(&self, program: &str, report: &Report) {
        let Some(page) = &self.page else { return };
        let signature = report.signature.as_ref().map_or(&*report.id, |s| s.text.as_str());
        let mut printed = self.printed.lock().unwrap_or_else(PoisonError::into_inner);
        if !printed.insert(format!("{program} {signature}")) {
            return;
        }
        let mut text = Vec::new();
        let is_terminal = io::stderr().is_terminal();
        let written = match is_terminal {
            true => self.writer.write(&mut text, report, ReportView::Page, page),
            false => self.written(&mut text, report, page),
        };
        if written.is_ok() {
            // There is no one to report a failure to.
            let _ = io::stderr().write_all(&text);
        }
    }

    fn keep_core(&self, core: &Path, analyzed: &mut Analyzed) {
        if self.keep == Keep::Core {
            analyzed.files.insert(0, core.to_owned());
            return;
        }
        if self.keep == Keep::Scrubbed {
            let scrubbed = core.with_extension("scrubbed.core");
            let mut obit = self.obit(&[OsStr::new("scrub"), OsStr::new("--core")], core);
            obit.arg("--output").arg(&scrubbed);
            match output_of(&mut obit) {
                Ok(_) => {
                    let size = fs::metadata(&scrubbed).map_or(0, |file| file.len());
                    self.directory.add_used(size);
                    analyzed.files.insert(0, scrubbed);
                }
                Err(problem) => analyzed.problems.push(format!("no scrubbed core: {problem}")),
            }
        }
        // The user does not want it, whatever failed.
        match self.directory.remove(core) {
            Ok(()) => self.directory.subtract_used(analyzed.crash.written.bytes),
            Err(error) => {
                analyzed.problems.push(format!("cannot delete {}: {error}", core.display()));
            }
        }
    }
}

fn is_deleted(file: &File) -> bool {
    file.metadata().is_ok_and(|metadata| metadata.nlink() == 0)
}

/// What `command` writes, if it ends well and in time.
fn output_of(command: &mut Command) -> Result<Vec<u8>, String> {
    let text = |error: io::Error| error.to_string();
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child =
        start(command).map_err(|error| format!("cannot start the analysis: {error}"))?;
    let read = read_to_end(&mut child);
    if read.is_err() {
        // It may have ended by itself.
        let _ = child.kill();
    }
    let status = child.wait().map_err(text)?;
    let (output, messages) = read?;
    // 70: a report on what was known when the analysis ended.
    match status.code() {
        Some(0) => Ok(output),
        Some(70) if !output.is_empty() => Ok(output),
        _ => {
            let messages = String::from_utf8_lossy(&messages);
            let last = messages.lines().last().unwrap_or_default();
            Err(format!("{} ({status})", last.trim_start_matches("obit: ")))
        }
    }
}

/// Starts a process. There may be too many for a moment (RLIMIT_NPROC, pids.max).
fn start(command: &mut Command) -> io::Result<Child> {
    let begun = Instant::now();
    loop {
        match command.spawn() {
            Err(error)
                if error.kind() == io::ErrorKind::WouldBlock && begun.elapsed() < PATIENCE =>
            {
                std::thread::sleep(Duration::from_millis(50));
            }
            started => return started,
        }
    }
}

/// Both outputs of `child`, read side by side.
fn read_to_end(child: &mut Child) -> Result<(Vec<u8>, Vec<u8>), String> {
    let end = Instant::now() + LONGEST;
    let (Some(output), Some(messages)) = (child.stdout.take(), child.stderr.take()) else {
        return Err("its output is not connected".to_owned());
    };
    let mut streams = [
        (File::from(std::os::fd::OwnedFd::from(output)), Vec::new(), true),
        (File::from(std::os::fd::OwnedFd::from(messages)), Vec::new(), true),
    ];
    let mut chunk = vec![0; 1 << 16];
    while streams.iter().any(|(.., is_open)| *is_open) {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(format!("it took longer than {} s", LONGEST.as_secs()));
        }
        let limit = Timespec::try_from(left).map_err(|error| error.to_string())?;
        let ready: Vec<bool> = {
            let mut asked: Vec<_> = streams
                .iter()
                .filter(|(.., is_open)| *is_open)
                .map(|(stream, ..)| PollFd::new(stream, PollFlags::IN))
                .collect();
            match poll(&mut asked, Some(&limit)) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.to_string()),
            }
            asked.iter().map(|stream| !stream.revents().is_empty()).collect()
        };
        let open = streams.iter_mut().filter(|(.., is_open)| *is_open);
        for ((stream, text, is_open), _) in open.zip(ready).filter(|(_, is_ready)| *is_ready) {
            let count = stream.read(&mut chunk).map_err(|error| error.to_string())?;
            text.extend_from_slice(chunk.get(..count).unwrap_or(&[]));
            *is_open = count > 0;
            if text.len() > LARGEST {
                return Err("its report is too large".to_owned());
            }
        }
    }
    let [(_, output, _), (_, messages, _)] = streams;
    Ok((output, messages))
}

fn page(general: &General) -> PageOptions {
    let columns = terminal_size::terminal_size_of(io::stderr());
    let is_colored = match general.color {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => {
            anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never
        }
    };
    PageOptions {
        width: columns.map_or(DEFAULT_WIDTH, |(columns, _)| usize::from(columns.0).max(40)),
        color: if is_colored { Color::Always } else { Color::Never },
        detail: if general.verbose { Detail::Verbose } else { Detail::Normal },
        ..PageOptions::default()
    }
}

fn options_of(redaction: &Redaction) -> Vec<OsString> {
    let level = LEVELS.iter().find(|(.., level)| *level == redaction.level);
    let mut words = vec![OsString::from("--redact")];
    words.push(level.map_or("default", |(word, ..)| word).into());
    if let Some(key) = &redaction.key {
        words.extend(["--redact-key".into(), key.clone().into()]);
    }
    for rules in &redaction.rules {
        words.extend(["--redact-rules".into(), rules.clone().into()]);
    }
    if redaction.trust_project_rules {
        words.push("--trust-project-rules".into());
    }
    words
}
