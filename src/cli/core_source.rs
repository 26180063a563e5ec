//! Opens a core: a file, or `-` for the standard input.

use std::fs::File;
use std::io::{self, IsTerminal, Seek};
use std::os::fd::AsFd;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use obit::dump::{CoreFile, Dump, OpenError};
use obit::limits::Limits;

use super::exit::Exit;
use super::failure::Failure;
use super::no_core;

/// What stands for the standard input.
const STANDARD_INPUT: &str = "-";
/// What it is called in messages.
const NAME: &str = "the standard input";

/// Whether `path` stands for the standard input. A file of that name is given as `./-`.
pub(crate) fn is_standard_input(path: &Path) -> bool {
    path == Path::new(STANDARD_INPUT)
}

/// Whether the standard input is a pipe or a file, in which a core may be.
pub(crate) fn is_fed() -> bool {
    let metadata = io::stdin().as_fd().try_clone_to_owned().map(File::from);
    let metadata = metadata.and_then(|file| file.metadata());
    metadata.is_ok_and(|metadata| metadata.is_file() || metadata.file_type().is_fifo())
}

/// Opens the core at `path`, and reads nothing of it.
pub(crate) fn open(path: &Path) -> Result<CoreFile, Failure> {
    if is_standard_input(path) {
        return standard_input();
    }
    CoreFile::open(path).map_err(|error| match error {
        OpenError::Directory { path } => no_core::directory(&path),
        OpenError::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => {
            no_core::no_such_file(&[path.to_owned()], 0)
        }
        error => Failure::new(Exit::Unusable, &error),
    })
}

/// Reads a core.
pub(crate) fn read(core: CoreFile, limits: &Limits) -> Result<Dump, Failure> {
    let is_named = core.path != Path::new(NAME);
    let dump = Dump::open_file(core, limits);
    let mut dump = dump.map_err(|error| Failure::new(Exit::Unusable, &error))?;
    if !is_named {
        dump.path = STANDARD_INPUT.into();
    }
    Ok(dump)
}

fn standard_input() -> Result<CoreFile, Failure> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        let problem = "the standard input is a terminal, not a core; try `zcat core.gz | obit -`";
        return Err(Failure::usage(&problem));
    }
    let name = Path::new(NAME);
    let failed = |error: io::Error| {
        Failure::new(Exit::Unusable, &format_args!("cannot read {NAME}: {error}"))
    };
    match regular_file() {
        Some(file) => CoreFile::of_file(name, file).map_err(failed),
        None => {
            let pipe = stdin.as_fd().try_clone_to_owned().map_err(failed)?;
            Ok(CoreFile::of_stream(name, pipe.into()))
        }
    }
}

/// The file that the standard input is, if all of it is ahead: `obit - < core`. It need not
/// be copied.
pub(crate) fn regular_file() -> Option<File> {
    let mut file = File::from(io::stdin().as_fd().try_clone_to_owned().ok()?);
    let is_file = file.metadata().ok()?.is_file();
    (is_file && file.stream_position().ok()? == 0).then_some(file)
}
