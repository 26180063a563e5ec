//! `obit redact`: any text, without what is sensitive in it.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use obit::redact::{Level, Redactor, RuleError, Rules, stream};

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
    /// Read what to hide and what to show from this file, too (repeatable; see
    /// docs/redaction.md)
    #[arg(long, value_name = "FILE")]
    rules: Vec<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum TextLevel {
    /// Secrets and personal data
    #[default]
    Default,
    /// Also all quoted text
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
    let content = &cli.options.content;
    let key = match args.key.as_deref().or(content.redact_key.as_deref()) {
        Some(path) => key(path)?,
        None => random()?,
    };
    let files: Vec<_> = args.rules.iter().chain(&content.redact_rules).cloned().collect();
    let rules = rules(&files)?;
    let mut redactor = Redactor::with_key(level, &key).with_rules(rules);
    let outlet = Outlet::new(cli.options.output.output.as_deref(), None)?;
    let mut input: Box<dyn Read> = match &args.file {
        Some(path) => Box::new(File::open(path).map_err(|error| unreadable(path, &error))?),
        None => Box::new(io::stdin().lock()),
    };
    outlet.write(|out| stream::redact(&mut redactor, &mut input, out))?;
    Ok(Exit::Success)
}

/// Why rules cannot be used; printed after `obit: `.
#[derive(Debug, thiserror::Error)]
enum RulesError {
    #[error("cannot read the rules in {}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{}:{}: {}", path.display(), error.line, error.problem)]
    Malformed { path: PathBuf, error: RuleError },
}

/// Bytes of a file of rules.
const LARGEST_RULES: u64 = 1 << 20;

/// Those of `files`, then those of the project, `.obit/redact.toml` in the working
/// directory or one above, and of the configuration directory.
pub(super) fn rules(files: &[PathBuf]) -> Result<Rules, Failure> {
    read_rules(files).map_err(|error| Failure::new(Exit::Usage, &error))
}

fn read_rules(files: &[PathBuf]) -> Result<Rules, RulesError> {
    let mut all = Rules::default();
    let found = [of_project(), configured()];
    let found = found.into_iter().flatten().filter(|path| path.exists());
    for path in files.iter().cloned().chain(found) {
        let unreadable = |source| RulesError::Read { path: path.clone(), source };
        let mut text = String::new();
        let file = File::open(&path).map_err(unreadable)?;
        file.take(LARGEST_RULES).read_to_string(&mut text).map_err(unreadable)?;
        let parsed = Rules::parse(&text);
        all.append(parsed.map_err(|error| RulesError::Malformed { path: path.clone(), error })?);
    }
    Ok(all)
}

fn of_project() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    here.ancestors().map(|above| above.join(".obit/redact.toml")).find(|path| path.exists())
}

/// `$XDG_CONFIG_HOME/obit/redact.toml`, else below `~/.config`.
fn configured() -> Option<PathBuf> {
    let absolute =
        |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")));
    Some(base?.join("obit/redact.toml"))
}

/// The user's key.
pub(super) fn key(path: &Path) -> Result<Vec<u8>, Failure> {
    let key = read(path, LONGEST_KEY)?;
    if key.len() < SHORTEST_KEY {
        let problem = format!("the key in {} is shorter than {SHORTEST_KEY} bytes", path.display());
        return Err(Failure::new(Exit::Usage, &problem));
    }
    Ok(key)
}

/// Random bytes that nobody keeps.
fn random() -> Result<Vec<u8>, Failure> {
    read(Path::new("/dev/urandom"), 32)
}

fn read(path: &Path, most: u64) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    file.take(most).read_to_end(&mut bytes).map_err(|error| unreadable(path, &error))?;
    Ok(bytes)
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(Exit::Usage, &format!("cannot read {}: {error}", path.display()))
}
