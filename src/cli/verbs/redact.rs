//! `obit redact`: any text, without what is sensitive in it.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use clap::{Args, Command};
use obit::redact::{Level, Redactor, stream};
use obit::render::Format;

use super::redact_policy;
use crate::cli::args::Output;
use crate::cli::args::choices::{LEVELS, one_of};
use crate::cli::args::content::{Code, Locals, ReadLimits, Registers};
use crate::cli::args::core_files::NamedFiles;
use crate::cli::args::general::General;
use crate::cli::args::page::Width;
use crate::cli::args::redaction::Redaction;
use crate::cli::args::search::Search;
use crate::cli::core_source::is_standard_input;
use crate::cli::destination::Destination;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::formats;
use crate::cli::page_layout::page_options;
use crate::cli::request::Request;
use crate::cli::rules::{self, unreadable};

/// Which text and how much of it, or which core.
#[derive(Clone, Debug, Args)]
pub(crate) struct RedactArgs {
    /// The text [default: the standard input (-)]; with --explain, the core
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// With --explain, the program that crashed
    #[arg(value_name = "EXE")]
    program: Option<PathBuf>,
    /// List what a report on a core hides: where, as what and why, without showing it
    #[arg(long)]
    explain: bool,
    /// Print the policy in force instead: levels, kinds, versions, key and rules
    #[arg(long, conflicts_with = "explain")]
    policy: bool,
    /// How much to hide
    #[arg(long, alias = "redact", value_parser = one_of(LEVELS), default_value = "default",
        value_name = "LEVEL")]
    pub(crate) level: Level,
    /// Read the key of the tokens from this file, so that equal values get equal tokens in
    /// all texts redacted with it; without it each run uses a new key
    #[arg(long, alias = "redact-key", value_name = "FILE")]
    key: Option<PathBuf>,
    /// Read what to hide and what to show from this file, too (repeatable; see
    /// docs/redaction.md)
    #[arg(long, alias = "redact-rules", value_name = "FILE")]
    rules: Vec<PathBuf>,
    /// Also use those rules of the project's .obit/redact.toml that show what would be hidden
    #[arg(long)]
    trust_project_rules: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    files: NamedFiles,
    #[command(flatten)]
    search: Search,
    #[command(flatten)]
    limits: ReadLimits,
    #[command(flatten)]
    locals: Locals,
    #[command(flatten)]
    registers: Registers,
    #[command(flatten)]
    code: Code,
    #[command(flatten)]
    width: Width,
}

/// Options that mean something for any text; the others describe how a core is reported.
const OF_ANY_TEXT: [&str; 8] =
    ["file", "explain", "policy", "level", "key", "rules", "trust_project_rules", "output"];

/// Options on how a core is reported are refused where there is no core.
pub(crate) fn require_explain(redact: Command) -> Command {
    redact.mut_args(|arg| match OF_ANY_TEXT.contains(&arg.get_id().as_str()) {
        true => arg,
        false => arg.requires("explain"),
    })
}

pub(crate) fn run(args: &RedactArgs, general: &General) -> Result<Exit, Failure> {
    if args.explain {
        return explain(args, general);
    }
    let redactor = match &args.key {
        Some(path) => Redactor::with_key(args.level, &rules::key(path)?),
        None => Redactor::with_random_key(args.level),
    };
    let rules = rules::rules(&args.rules, args.trust_project_rules)?;
    if args.policy {
        let destination = Destination::new(args.output.file.output.as_deref(), None)?;
        let key = args.key.as_deref();
        destination.write(|out| redact_policy::write(out, args.level, &rules, key))?;
        return Ok(Exit::Success);
    }
    let mut redactor = redactor.with_rules(rules);
    // No pager: a log that is still being written is passed on as it comes.
    let destination = Destination::new(args.output.file.output.as_deref(), None)?;
    let mut input: Box<dyn Read> = match &args.file {
        Some(path) if !is_standard_input(path) => {
            Box::new(File::open(path).map_err(|error| unreadable(path, &error))?)
        }
        _ => Box::new(io::stdin().lock()),
    };
    destination.write(|out| stream::redact(&mut redactor, &mut input, out))?;
    if args.level != Level::Off && !general.quiet {
        rules::say_unused(redactor.rules().unused_patterns());
    }
    Ok(Exit::Success)
}

/// What of a report on the core is hidden, where and why.
fn explain(args: &RedactArgs, general: &General) -> Result<Exit, Failure> {
    let inputs = args.files.with(args.file.iter().chain(&args.program))?;
    let format = args.output.format();
    let destination = Destination::of(&args.output.file, format, general, Some(&inputs))?;
    let write = formats::writer(format, "what a report hides", Format::hidden)?;
    let redaction = Redaction {
        level: args.level,
        key: args.key.clone(),
        rules: args.rules.clone(),
        trust_project_rules: args.trust_project_rules,
    };
    let request = Request::new(inputs, &args.search, &redaction)?;
    let mut request = request.limited(&args.limits).written_as(format);
    request.build.locals = args.locals.locals;
    args.registers.apply(&mut request.build);
    args.code.apply(&mut request.build);
    let hidden = request
        .on_process(general, |process| Ok(obit::report::hidden(process, request.build.clone())))?;
    let page = page_options(general, &args.width, &destination);
    destination.write(|out| write(out, &hidden, &page))?;
    Ok(Exit::Success)
}
