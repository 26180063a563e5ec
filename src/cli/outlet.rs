//! Where output goes, and what becomes of a failure to write it.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use obit::render::formats::Audience;

use super::args::Output;
use super::inputs::Inputs;
use super::pager::{Paged, Pager};
use super::screen::Destination;

/// The standard output, a pager before it, or a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outlet {
    StandardOutput,
    Pager(Pager),
    File(PathBuf),
}

/// Why nothing was, or not all could be, written; printed after `obit: `.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutletError {
    /// obit never writes to what it reads.
    #[error("{} is being read; choose another file for --output", .0.display())]
    IsInput(PathBuf),
    #[error("cannot write {}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("cannot write to the standard output: {0}")]
    StandardOutput(io::Error),
    /// Whoever read went away: `obit … | head`.
    #[error("the reader of the output went away")]
    BrokenPipe,
}

impl Outlet {
    pub(crate) fn new(path: Option<&Path>, inputs: Option<&Inputs>) -> Result<Self, OutletError> {
        let Some(path) = path.filter(|path| *path != Path::new("-")) else {
            return Ok(Self::StandardOutput);
        };
        let read = inputs.into_iter().flat_map(|inputs| inputs.exe.iter().chain([&inputs.core]));
        for input in read {
            if is_same_file(path, input) {
                return Err(OutletError::IsInput(path.to_owned()));
            }
        }
        Ok(Self::File(path.to_owned()))
    }

    /// As the user asks; pages on a terminal go through a pager.
    pub(crate) fn of(output: &Output, inputs: Option<&Inputs>) -> Result<Self, OutletError> {
        let outlet = Self::new(output.output.as_deref(), inputs)?;
        let is_page =
            outlet == Self::StandardOutput && output.format().audience == Audience::Terminal;
        let pager = if is_page && !output.no_pager { Pager::wanted() } else { None };
        Ok(pager.map_or(outlet, Self::Pager))
    }

    pub(crate) fn destination(&self) -> Destination {
        match self {
            Self::StandardOutput | Self::Pager(_) => Destination::StandardOutput,
            Self::File(_) => Destination::File,
        }
    }

    /// Runs `fill` on the opened outlet, and sees to it that all is written.
    pub(crate) fn write(
        &self,
        fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), OutletError> {
        let of_standard_output = |error: io::Error| match error.kind() {
            io::ErrorKind::BrokenPipe => OutletError::BrokenPipe,
            _ => OutletError::StandardOutput(error),
        };
        match self {
            Self::StandardOutput => {
                let mut out = BufWriter::new(io::stdout().lock());
                fill(&mut out).and_then(|()| out.flush()).map_err(of_standard_output)
            }
            Self::Pager(pager) => {
                let mut paged = Paged::new(pager);
                let mut out = BufWriter::new(&mut paged);
                let filled = fill(&mut out).and_then(|()| out.flush());
                drop(out);
                filled.and_then(|()| paged.finish()).map_err(of_standard_output)
            }
            Self::File(path) => {
                let failed = |source| OutletError::File { path: path.clone(), source };
                let mut out = BufWriter::new(File::create(path).map_err(failed)?);
                fill(&mut out).and_then(|()| out.flush()).map_err(failed)
            }
        }
    }
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    let (Ok(one), Ok(other)) = (fs::metadata(one), fs::metadata(other)) else { return false };
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
        let inputs = Inputs { core, exe: None };
        let refused = Outlet::new(Some(&link), Some(&inputs));
        assert!(matches!(refused, Err(OutletError::IsInput(_))));
        let other = directory.path().join("report");
        let outlet = Outlet::new(Some(&other), Some(&inputs)).unwrap();
        outlet.write(|out| out.write_all(b"done")).unwrap();
        assert_eq!(fs::read(&other).unwrap(), b"done");
    }

    #[test]
    fn a_dash_is_the_standard_output() {
        assert_eq!(Outlet::new(Some(Path::new("-")), None).unwrap(), Outlet::StandardOutput);
    }
}
