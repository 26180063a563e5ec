//! `obit redact`: any text, without what is sensitive in it.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use obit::redact::{Level, Redactor, stream};

use super::Failure;
use super::args::Cli;
use super::exit::Exit;
use super::outlet::Outlet;

/// How to redact a text.
#[derive(Clone, Debug, Args)]
pub(crate) struct Redact {
    /// The text [default: the standard input]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// How much to hide
    #[arg(long, value_enum, default_value_t, value_name = "LEVEL")]
    level: TextLevel,
    /// Take the key of the tokens from this file, so that equal values have equal tokens in
    /// all texts redacted with it; without it each run has a key of its own
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum TextLevel {
    /// Secrets and personal data
    #[default]
    Default,
    /// Also private addresses, ids of sessions and all quoted text
    Strict,
    /// Nothing
    Off,
}

/// Bytes of a key, at least and at most.
const SHORTEST_KEY: usize = 16;
const LONGEST_KEY: u64 = 1 << 16;

pub(super) fn redact(cli: &Cli, args: &Redact) -> Result<Exit, Failure> {
    let level = match args.level {
        TextLevel::Default => Level::Default,
        TextLevel::Strict => Level::Strict,
        TextLevel::Off => Level::Off,
    };
    let key = key(args.key.as_deref())?;
    let mut redactor = Redactor::with_key(level, &key);
    let outlet = Outlet::new(cli.options.output.output.as_deref(), None)?;
    let mut input: Box<dyn Read> = match &args.file {
        Some(path) => Box::new(File::open(path).map_err(|error| unreadable(path, &error))?),
        None => Box::new(io::stdin().lock()),
    };
    outlet.write(|out| stream::redact(&mut redactor, &mut input, out))?;
    Ok(Exit::Success)
}

/// The user's key; without one, random bytes that nobody keeps.
fn key(path: Option<&Path>) -> Result<Vec<u8>, Failure> {
    let mut key = Vec::new();
    let (path, most) = match path {
        Some(path) => (path, LONGEST_KEY),
        None => (Path::new("/dev/urandom"), 32),
    };
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    file.take(most).read_to_end(&mut key).map_err(|error| unreadable(path, &error))?;
    if key.len() < SHORTEST_KEY {
        let problem = format!("the key in {} is shorter than {SHORTEST_KEY} bytes", path.display());
        return Err(Failure::new(Exit::Usage, &problem));
    }
    Ok(key)
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(Exit::Usage, &format!("cannot read {}: {error}", path.display()))
}
