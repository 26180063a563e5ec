//! `obit man`: the manual pages, made from the command line's own help.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, Command};
use clap_mangen::Man;

use super::help::verb_named;
use crate::cli::destination::{Destination, DestinationError};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;

/// Of which verb, and where to.
#[derive(Clone, Debug, Args)]
pub(crate) struct ManArgs {
    /// The verb, as in `obit man triage`; none for all of obit. `obit man | man -l -` shows
    /// the page
    #[arg(value_name = "VERB")]
    verb: Vec<String>,
    /// Write the pages of obit and of all verbs to this directory: obit.1, obit-triage.1, …
    #[arg(long, value_name = "DIR", conflicts_with = "verb")]
    all: Option<PathBuf>,
}

pub(crate) fn run(args: &ManArgs) -> Result<Exit, Failure> {
    let command = verb_named(&args.verb)?;
    match &args.all {
        Some(directory) => {
            let made = fs::create_dir_all(directory);
            made.map_err(|source| DestinationError::File { path: directory.clone(), source })?;
            write_all(&command, directory)?;
        }
        None => Destination::new(None, None)?.write(|out| write_page(&command, out))?,
    }
    Ok(Exit::Success)
}

/// The page of `command` and those of its verbs.
fn write_all(command: &Command, directory: &Path) -> Result<(), DestinationError> {
    let path = directory.join(format!("{}.1", page_name(command)));
    Destination::public_file(path).write(|out| write_page(command, out))?;
    command.get_subcommands().try_for_each(|verb| write_all(verb, directory))
}

fn write_page(command: &Command, mut out: &mut dyn io::Write) -> io::Result<()> {
    let name = page_name(command);
    let version = format!("obit {}", env!("CARGO_PKG_VERSION"));
    // A page has what the long help has.
    let page = command.clone().mut_args(|arg| arg.hide_short_help(false));
    let ends = page.get_after_long_help().map(ToString::to_string);
    let has_verbs = page.has_subcommands();
    let man = Man::new(page).title(name).source(version).manual("obit");
    man.render_title(&mut out)?;
    man.render_name_section(&mut out)?;
    man.render_synopsis_section(&mut out)?;
    man.render_description_section(&mut out)?;
    man.render_options_section(&mut out)?;
    if has_verbs {
        man.render_subcommands_section(&mut out)?;
    }
    // Tables, whose lines clap_mangen would fill.
    ends.map_or(Ok(()), |text| write!(out, ".SH NOTES\n.nf\n{}.fi\n", as_it_is(&text)))
}

/// Text whose lines roff leaves alone.
fn as_it_is(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let line = line.replace('\\', "\\e").replace('-', "\\-");
        // A dot or a quote at the start would be a request.
        format!("\\&{line}\n")
    });
    lines.collect()
}

/// `obit-db-gc`.
fn page_name(command: &Command) -> String {
    command.get_bin_name().unwrap_or("obit").replace(' ', "-")
}
