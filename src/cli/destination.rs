//! Where the result is written, and what becomes of a failure to write it.

use std::fs::{self, File};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use obit::render::Format;
use obit::render::formats::Audience;

use super::archive::within_file;
use super::args::OutputFile;
use super::args::core_files::Inputs;
use super::args::general::General;
use super::core_source::is_standard_input;
use super::exit::Exit;
use super::failure::Failure;
use super::formats::TERMINAL;
use super::pager::{Paged, Pager};
use super::private_file::{self, Draft};

/// Where the result goes, and in which format it is.
#[derive(Clone, Debug)]
pub(crate) struct Destination {
    to: To,
    /// `None`: bytes, which are written as they are.
    format: Option<&'static Format>,
}

/// The standard output, a pager before it, or a file.
#[derive(Clone, Debug, PartialEq, Eq)]
enum To {
    StandardOutput,
    Pager(Pager),
    File(PathBuf),
    /// A file in a directory of ours: a link there is replaced, not followed.
    Own(PathBuf),
    /// A file for everyone, as the umask says.
    Public(PathBuf),
}

/// Why nothing was, or not all could be, written; printed after `obit: `.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DestinationError {
    /// obit never writes to what it reads.
    #[error("{} is being read; choose another file for --output", .0.display())]
    IsInput(PathBuf),
    /// A terminal would obey it.
    #[error("{0} is no text for a terminal: name a file with --output")]
    Binary(&'static str),
    #[error("cannot write {}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("cannot write to the standard output: {0}")]
    StandardOutput(io::Error),
    /// The reader went away: `obit … | head`.
    #[error("the reader of the output went away")]
    BrokenPipe,
}

impl Destination {
    /// For bytes of any kind. None of `inputs` is written to.
    pub(crate) fn new(
        path: Option<&Path>,
        inputs: Option<&Inputs>,
    ) -> Result<Self, DestinationError> {
        let Some(path) = path.filter(|path| *path != Path::new("-")) else {
            return Ok(Self { to: To::StandardOutput, format: None });
        };
        let read = inputs.into_iter().flat_map(|inputs| inputs.exe.iter().chain([&inputs.core]));
        for input in read {
            // Of a core in an archive, the archive.
            let archive = within_file(input).map(|(archive, _)| archive);
            if is_same_file(path, archive.as_deref().unwrap_or(input)) {
                return Err(DestinationError::IsInput(path.to_owned()));
            }
        }
        Ok(Self::file(path.to_owned()))
    }

    /// A file of any bytes.
    pub(crate) fn file(path: PathBuf) -> Self {
        Self { to: To::File(path), format: None }
    }

    /// Bytes of any kind; a file has its name when all of it is written.
    pub(crate) fn whole(path: Option<&Path>) -> Self {
        match path.filter(|path| *path != Path::new("-")) {
            Some(path) => Self::own_file(path.to_owned()),
            None => Self { to: To::StandardOutput, format: None },
        }
    }

    /// Refuses a terminal as the standard output for what is called `what` and no text.
    pub(crate) fn refuse_terminal(what: &'static str) -> Result<(), DestinationError> {
        if io::stdout().is_terminal() { Err(DestinationError::Binary(what)) } else { Ok(()) }
    }

    /// A file of any bytes in a directory that obit fills.
    pub(crate) fn own_file(path: PathBuf) -> Self {
        Self { to: To::Own(path), format: None }
    }

    /// A file that says nothing of any crash.
    pub(crate) fn public_file(path: PathBuf) -> Self {
        Self { to: To::Public(path), format: None }
    }

    /// The standard output, for lines of text.
    pub(crate) fn lines() -> Self {
        Self { to: To::StandardOutput, format: Some(TERMINAL) }
    }

    /// As the user asks; pages on a terminal go through a pager. None of `inputs` is written
    /// to.
    pub(crate) fn of(
        file: &OutputFile,
        format: &'static Format,
        general: &General,
        inputs: Option<&Inputs>,
    ) -> Result<Self, DestinationError> {
        let Self { to, .. } = Self::new(file.output.as_deref(), inputs)?;
        if format.is_binary && to == To::StandardOutput {
            Self::refuse_terminal("Parquet")?;
        }
        let is_page = to == To::StandardOutput && format.audience == Audience::Terminal;
        let pager = if is_page && !general.no_pager { Pager::of_terminal() } else { None };
        Ok(Self { to: pager.map_or(to, To::Pager), format: Some(format) })
    }

    /// Whether it may be the user's terminal.
    pub(crate) fn is_standard_output(&self) -> bool {
        match self.to {
            To::StandardOutput | To::Pager(_) => true,
            To::File(_) | To::Own(_) | To::Public(_) => false,
        }
    }

    /// Whether a person reads it at once; what is not a terminal may be the log of a job.
    fn is_terminal(&self) -> bool {
        match self.to {
            To::StandardOutput => io::stdout().is_terminal(),
            To::Pager(_) => true,
            To::File(_) | To::Own(_) | To::Public(_) => false,
        }
    }

    /// Whether a pager has the terminal.
    pub(crate) fn is_pager(&self) -> bool {
        matches!(self.to, To::Pager(_))
    }

    /// The file, if it is one.
    pub(crate) fn path(&self) -> Option<&Path> {
        match &self.to {
            To::File(path) | To::Own(path) | To::Public(path) => Some(path),
            To::StandardOutput | To::Pager(_) => None,
        }
    }

    /// Runs `fill` on the opened destination, and makes sure that all is written. What a
    /// format writes of the text of a process is no command to a CI runner.
    pub(crate) fn write(
        &self,
        fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), DestinationError> {
        self.write_as_it_is(|out| match self.format.filter(|_| !self.is_terminal()) {
            None => fill(out),
            Some(format) => {
                let mut out = format.inert(out);
                let filled = fill(&mut out);
                // What was held back belongs to what was written before a failure.
                let finished = out.finish().map(drop);
                filled.and(finished)
            }
        })
    }

    fn write_as_it_is(
        &self,
        fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), DestinationError> {
        let of_standard_output = |error: io::Error| match error.kind() {
            io::ErrorKind::BrokenPipe => DestinationError::BrokenPipe,
            _ => DestinationError::StandardOutput(error),
        };
        match &self.to {
            To::StandardOutput => {
                let mut out = BufWriter::new(io::stdout().lock());
                fill(&mut out).and_then(|()| out.flush()).map_err(of_standard_output)
            }
            To::Pager(pager) => {
                let mut paged = Paged::new(pager);
                let mut out = BufWriter::new(&mut paged);
                let filled = fill(&mut out).and_then(|()| out.flush());
                drop(out);
                filled.and_then(|()| paged.finish()).map_err(of_standard_output)
            }
            To::File(path) => into_file(path, private_file::create, fill),
            To::Public(path) => into_file(path, |path| File::create(path), fill),
            To::Own(path) => {
                let failed = |source| DestinationError::File { path: path.clone(), source };
                let mut out = BufWriter::new(Draft::of(path).map_err(failed)?);
                let filled = fill(&mut out).and_then(|()| out.flush());
                filled
                    .and_then(|()| out.into_inner().map_err(io::IntoInnerError::into_error))
                    .and_then(Draft::publish)
                    .map_err(failed)
            }
        }
    }
}

fn into_file(
    path: &Path,
    open: impl FnOnce(&Path) -> io::Result<File>,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), DestinationError> {
    let failed = |source| DestinationError::File { path: path.to_owned(), source };
    let mut out = BufWriter::new(open(path).map_err(failed)?);
    fill(&mut out).and_then(|()| out.flush()).map_err(failed)
}

impl From<DestinationError> for Failure {
    fn from(error: DestinationError) -> Self {
        match error {
            DestinationError::BrokenPipe => Self::broken_pipe(),
            DestinationError::IsInput(_) | DestinationError::Binary(_) => Self::usage(&error),
            DestinationError::File { .. } | DestinationError::StandardOutput(_) => {
                Self::new(Exit::Output, &error)
            }
        }
    }
}

fn is_same_file(path: &Path, input: &Path) -> bool {
    let input = match is_standard_input(input) {
        true => io::stdin().as_fd().try_clone_to_owned().and_then(|fd| File::from(fd).metadata()),
        false => fs::metadata(input),
    };
    let (Ok(one), Ok(other)) = (fs::metadata(path), input) else { return false };
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_is_never_written_to() {
        let directory = tempfile::tempdir().unwrap();
        let (core, link) = (directory.path().join("core"), directory.path().join("link"));
        fs::write(&core, "x").unwrap();
        fs::hard_link(&core, &link).unwrap();
        let inputs = Inputs { core: core.join("member"), ..Inputs::default() };
        assert!(Destination::new(Some(&link), Some(&inputs)).is_err(), "the archive of a core");
        let inputs = Inputs { core, ..Inputs::default() };
        let refused = Destination::new(Some(&link), Some(&inputs));
        assert!(matches!(refused, Err(DestinationError::IsInput(_))));
        let other = directory.path().join("report");
        let destination = Destination::new(Some(&other), Some(&inputs)).unwrap();
        destination.write(|out| out.write_all(b"done")).unwrap();
        assert_eq!(fs::read(&other).unwrap(), b"done");
    }

    #[test]
    fn a_dash_is_the_standard_output() {
        let destination = Destination::new(Some(Path::new("-")), None).unwrap();
        assert_eq!(destination.to, To::StandardOutput);
    }
}
