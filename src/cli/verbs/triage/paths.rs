//! Which cores a batch reads.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;

/// Paths, and lists of paths.
#[derive(Clone, Debug, Args)]
pub(super) struct Paths {
    /// Directories, searched recursively, core files and patterns; - reads such a list
    /// from the standard input
    #[arg(value_name = "DIR|FILE|-")]
    paths: Vec<PathBuf>,
    /// Read paths from this file, or the standard input (-), a line each
    #[arg(long, value_name = "FILE")]
    files_from: Option<PathBuf>,
    /// Paths of a list end with a NUL, as `find -print0` writes them
    #[arg(short = '0', long, hide_short_help = true)]
    null: bool,
}

impl Paths {
    /// All that is to be searched, in order; then the file `with_cores`.
    pub(super) fn all(&self, with_cores: Option<&Path>) -> Result<Vec<PathBuf>, Failure> {
        let mut inputs = Vec::new();
        for path in &self.paths {
            match path == Path::new("-") {
                true => self.list(path, &mut inputs)?,
                false => inputs.push(path.clone()),
            }
        }
        if let Some(list) = &self.files_from {
            self.list(list, &mut inputs)?;
        }
        inputs.extend(with_cores.map(Path::to_owned));
        if self.paths.is_empty() && self.files_from.is_none() && with_cores.is_none() {
            let problem = "no directory or file given; try `obit triage DIR`";
            return Err(Failure::usage(&problem));
        }
        Ok(inputs)
    }

    fn list(&self, list: &Path, inputs: &mut Vec<PathBuf>) -> Result<(), Failure> {
        let failed = |error: io::Error| {
            let problem = format!("{}: {error}", list.display());
            Failure::new(Exit::Unusable, &problem)
        };
        let from: Box<dyn BufRead> = match list == Path::new("-") {
            true => Box::new(io::stdin().lock()),
            false => Box::new(BufReader::new(std::fs::File::open(list).map_err(failed)?)),
        };
        let end = if self.null { 0 } else { b'\n' };
        for path in from.split(end) {
            let mut path = path.map_err(failed)?;
            if !self.null && path.last() == Some(&b'\r') {
                path.pop();
            }
            if !path.is_empty() {
                inputs.push(PathBuf::from(OsString::from_vec(path)));
            }
        }
        Ok(())
    }
}
