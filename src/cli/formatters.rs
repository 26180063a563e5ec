//! The user's own formatters: files named on the command line, and the one in the
//! configuration directory.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use obit::value::readable::{FormatterError, UserFormatters};

use super::directories;

/// Bytes of a file of formatters.
const LARGEST: u64 = 1 << 20;

/// Why the formatters cannot be used; printed after `obit: `.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FormattersError {
    #[error("cannot read the formatters in {}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{}:{}: {}", path.display(), error.line, error.problem)]
    Malformed { path: PathBuf, error: FormatterError },
}

/// Those of `files`, in their order, then those of the configuration directory, if it has
/// any: the first that fits a type is taken.
pub(crate) fn formatters(files: &[PathBuf]) -> Result<UserFormatters, FormattersError> {
    let mut all = UserFormatters::default();
    for path in files {
        all.append(read(path)?);
    }
    if let Some(path) = configured().filter(|path| path.exists()) {
        all.append(read(&path)?);
    }
    Ok(all)
}

fn read(path: &Path) -> Result<UserFormatters, FormattersError> {
    let unreadable = |source| FormattersError::Read { path: path.to_owned(), source };
    let mut text = String::new();
    let file = fs::File::open(path).map_err(unreadable)?;
    file.take(LARGEST).read_to_string(&mut text).map_err(unreadable)?;
    UserFormatters::parse(&text)
        .map_err(|error| FormattersError::Malformed { path: path.to_owned(), error })
}

fn configured() -> Option<PathBuf> {
    Some(directories::configuration()?.join("obit/formatters.toml"))
}
