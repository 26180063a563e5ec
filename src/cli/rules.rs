//! The user's own rules and key of redaction: the files named on the command line, the
//! project's, and the one in the configuration directory.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use obit::redact::{RuleError, Rules};

use super::directories;
use super::failure::Failure;
use super::message::say;
use super::trusted_file::trusted;

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
/// directory or one above, and of the configuration directory. The project may be anyone's,
/// cloned to look at a crash: unless it `is_trusted` its rules may hide but not show.
pub(crate) fn rules(files: &[PathBuf], is_trusted: bool) -> Result<Rules, Failure> {
    read_rules(files, is_trusted).map_err(|error| Failure::usage(&error))
}

fn read_rules(files: &[PathBuf], is_trusted: bool) -> Result<Rules, RulesError> {
    let mut all = Rules::default();
    let named = files.iter().cloned().map(|path| (path, true));
    let project = of_project().map(|path| (path, is_trusted));
    let configured = configured().filter(|path| path.exists()).map(|path| (path, true));
    for (path, may_allow) in named.chain(project).chain(configured) {
        let mut rules = read_file(&path)?;
        if !may_allow {
            let refused;
            (rules, refused) = rules.denying();
            if refused > 0 {
                say(&format!(
                    "{}: {refused} `allow` ignored: rules of a project are not trusted; \
                     --trust-project-rules applies them",
                    path.display()
                ));
            }
        }
        all.append(rules);
    }
    for rule in all.without_limits() {
        say(&format!("{rule}: this `allow` shows everything: it matches any value of any kind"));
    }
    Ok(all)
}

/// Names the rules that matched nothing: what they were to hide is shown.
pub(crate) fn say_unused<'r>(unused: impl IntoIterator<Item = &'r str>) {
    let unused: Vec<&str> = unused.into_iter().collect();
    let named = unused.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    match unused.len() {
        0 => {}
        1 => say(&format!("a redaction rule matched nothing: {named}")),
        count => {
            let more = if count > NAMED { ", \u{2026}" } else { "" };
            say(&format!("{count} redaction rules matched nothing: {named}{more}"));
        }
    }
}

/// Rules that are named in one message.
const NAMED: usize = 5;

fn read_file(path: &Path) -> Result<Rules, RulesError> {
    let unreadable = |source| RulesError::Read { path: path.to_owned(), source };
    let mut text = String::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(LARGEST_RULES).read_to_string(&mut text).map_err(unreadable)?;
    let parsed = Rules::parse(&text);
    let parsed = parsed.map_err(|error| RulesError::Malformed { path: path.to_owned(), error })?;
    Ok(parsed.of_file(&path.display().to_string()))
}

/// The nearest one that the user or root put there.
fn of_project() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    let above = here.ancestors().map(|above| above.join(".obit/redact.toml"));
    above.filter(|path| path.is_file()).find(|path| match trusted(path) {
        Ok(()) => true,
        Err(why) => {
            say(&format!("{} is ignored: {why}; --redact-rules {0} uses it", path.display()));
            false
        }
    })
}

fn configured() -> Option<PathBuf> {
    Some(directories::configuration()?.join("obit/redact.toml"))
}

/// Bytes of a key, at least and at most.
const SHORTEST_KEY: usize = 16;
const LONGEST_KEY: u64 = 1 << 16;

/// The user's key.
pub(crate) fn key(path: &Path) -> Result<Vec<u8>, Failure> {
    let key = read(path, LONGEST_KEY)?;
    if key.len() < SHORTEST_KEY {
        let problem = format!("the key in {} is shorter than {SHORTEST_KEY} bytes", path.display());
        return Err(Failure::usage(&problem));
    }
    Ok(key)
}

fn read(path: &Path, most: u64) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    file.take(most).read_to_end(&mut bytes).map_err(|error| unreadable(path, &error))?;
    Ok(bytes)
}

pub(crate) fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::usage(&format!("cannot read {}: {error}", path.display()))
}
