//! `obit redact`: any text, without what is sensitive in it.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use obit::redact::{Level, Redactor, RuleError, Rules, stream};
use obit::render::Format;

use super::args::{Cli, Files, RedactPolicy};
use super::exit::Exit;
use super::outlet::Outlet;
use super::progress::Progress;
use super::{Failure, Request, View, analyze, formats, inputs, say, screen};

/// How to redact a text.
#[derive(Clone, Debug, Args)]
pub(crate) struct Redact {
    /// The text [default: the standard input]; with --explain, the core
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// With --explain, the program that died
    #[arg(value_name = "EXE", requires = "explain")]
    program: Option<PathBuf>,
    /// Say what a report on a core hides: where, as what and why, without showing it
    #[arg(long)]
    explain: bool,
    /// How much to hide [default: as --redact says]
    #[arg(long, value_enum, value_name = "LEVEL")]
    level: Option<RedactPolicy>,
    /// Take the key of the tokens from this file, so that equal values have equal tokens in
    /// all texts redacted with it; without it each run has a key of its own
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Read what to hide and what to show from this file, too (repeatable; see
    /// docs/redaction.md)
    #[arg(long, value_name = "FILE")]
    rules: Vec<PathBuf>,
}

/// Bytes of a key, at least and at most.
const SHORTEST_KEY: usize = 16;
const LONGEST_KEY: u64 = 1 << 16;

pub(super) fn redact(cli: &Cli, args: &Redact) -> Result<Exit, Failure> {
    let content = &cli.options.content;
    let level = args.level.unwrap_or(content.redact).level();
    if args.explain {
        return explain(cli, args, level);
    }
    let key = match args.key.as_deref().or(content.redact_key.as_deref()) {
        Some(path) => key(path)?,
        None => random()?,
    };
    let files: Vec<_> = args.rules.iter().chain(&content.redact_rules).cloned().collect();
    let rules = rules(&files, content.trust_project_rules)?;
    let mut redactor = Redactor::with_key(level, &key).with_rules(rules);
    // No pager: a log that is still being written is passed on as it comes.
    let outlet = Outlet::new(cli.options.output.output.as_deref(), None)?;
    let mut input: Box<dyn Read> = match &args.file {
        Some(path) => Box::new(File::open(path).map_err(|error| unreadable(path, &error))?),
        None => Box::new(io::stdin().lock()),
    };
    outlet.write(|out| stream::redact(&mut redactor, &mut input, out))?;
    Ok(Exit::Success)
}

/// What of a report on the core is hidden, where and why.
fn explain(cli: &Cli, args: &Redact, level: Level) -> Result<Exit, Failure> {
    let options = &cli.options;
    let files = Files::both(args.file.clone(), args.program.clone());
    let inputs = inputs::inputs(&cli.files, &files, options)
        .map_err(|error| Failure::new(Exit::Usage, &error))?;
    let outlet = Outlet::of(&options.output, Some(&inputs))?;
    let mut request = Request::new(inputs, options)?;
    request.build.redaction = level;
    if let Some(path) = &args.key {
        request.build.key = Some(Arc::from(key(path)?));
    }
    if !args.rules.is_empty() {
        let all: Vec<_> = args.rules.iter().chain(&options.content.redact_rules).cloned().collect();
        request.build.rules = rules(&all, options.content.trust_project_rules)?;
    }
    let progress = Progress::new(options.output.quiet);
    let opened = analyze::open(&request, View::Page, &progress);
    // Cleared before anything is written.
    drop(progress);
    let process = opened.map_err(|error| Failure::new(Exit::Unusable, &error))?;
    let what = "what a report hides";
    let write = formats::writer(cli.format(), what, Format::hidden)?;
    let hidden = obit::report::hidden(&process, request.build);
    let page = screen::page_options(options, outlet.destination());
    outlet.write(|out| write(out, &hidden, &page))?;
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
/// directory or one above, and of the configuration directory. The project may be anybody's,
/// cloned to look at a crash: unless it `is_trusted` its rules may hide and not show.
pub(super) fn rules(files: &[PathBuf], is_trusted: bool) -> Result<Rules, Failure> {
    read_rules(files, is_trusted).map_err(|error| Failure::new(Exit::Usage, &error))
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
                    "{}: {refused} `allow` not taken, since a project may be anybody's; \
                     --trust-project-rules takes them",
                    path.display()
                ));
            }
        }
        all.append(rules);
    }
    Ok(all)
}

fn read_file(path: &Path) -> Result<Rules, RulesError> {
    let unreadable = |source| RulesError::Read { path: path.to_owned(), source };
    let mut text = String::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(LARGEST_RULES).read_to_string(&mut text).map_err(unreadable)?;
    let parsed = Rules::parse(&text);
    let parsed = parsed.map_err(|error| RulesError::Malformed { path: path.to_owned(), error })?;
    Ok(parsed.of_file(&path.display().to_string()))
}

fn of_project() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    here.ancestors().map(|above| above.join(".obit/redact.toml")).find(|path| path.is_file())
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
