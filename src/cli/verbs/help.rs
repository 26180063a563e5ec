//! `obit help VERB`: what `obit VERB --help` prints.

use clap::{Args, Command};
use obit::render::Color;

use crate::cli::args::OutputFile;
use crate::cli::args::general::General;
use crate::cli::args::page::Width;
use crate::cli::command::command;
use crate::cli::destination::Destination;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::formats::TERMINAL;
use crate::cli::nearest::nearest;
use crate::cli::page_layout::page_options;

/// Of which verb.
#[derive(Clone, Debug, Args)]
pub(crate) struct HelpArgs {
    /// The verb, as in `obit help triage` or `obit help db gc`; none for all of obit
    #[arg(value_name = "VERB")]
    verb: Vec<String>,
}

pub(crate) fn run(args: &HelpArgs, general: &General) -> Result<Exit, Failure> {
    let help = verb_named(&args.verb)?.render_long_help();
    let destination = Destination::of(&OutputFile::default(), TERMINAL, general, None)?;
    let page = page_options(general, &Width::default(), &destination);
    destination.write(|out| match page.color {
        Color::Always => write!(out, "{}", help.ansi()),
        Color::Never => write!(out, "{help}"),
    })?;
    Ok(Exit::Success)
}

/// The verb that these words lead to: `db gc`.
pub(crate) fn verb_named(words: &[String]) -> Result<Command, Failure> {
    let mut found = command();
    // Only then it knows what its verbs are called in full.
    found.build();
    for word in words {
        let next = found.find_subcommand(word).cloned();
        found = next.ok_or_else(|| unknown(word, &found))?;
    }
    Ok(found)
}

fn unknown(word: &str, of: &Command) -> Failure {
    let name = of.get_bin_name().unwrap_or("obit");
    let verbs: Vec<_> = of.get_subcommands().map(Command::get_name).collect();
    let hint = match nearest(word, &verbs) {
        Some(verb) => format!("did you mean `{name} {verb}`?"),
        None if verbs.is_empty() => format!("`{name}` has no verbs of its own"),
        None => format!("`{name} --help` lists the verbs"),
    };
    Failure::usage(&format!("there is no verb {word}; {hint}"))
}
