//! `obit cache`: the cache of debug sections shown, cleared and filled.

mod status;
mod warm;

use clap::{Args, Subcommand};
use obit::debuginfo::{CacheProblem, SectionDirectory};
use obit::query::clear_answers;

use status::StatusArgs;
use warm::WarmArgs;

use crate::cli::args::cache_directory::{ANSWERS, CacheDirectory};
use crate::cli::args::general::General;
use crate::cli::destination::Destination;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::verbs::capture::size;

/// What to do.
#[derive(Clone, Debug, Args)]
pub(crate) struct CacheArgs {
    #[command(subcommand)]
    what: CacheVerb,
}

#[derive(Clone, Debug, Subcommand)]
enum CacheVerb {
    /// Print where the cache is, its size and what is in it
    Status(StatusArgs),
    /// Remove all entries and the answers that `obit query` keeps, and no other file; they are
    /// made again when they are needed
    Clear {
        #[command(flatten)]
        cache: CacheDirectory,
    },
    /// Unpack debug sections and index names ahead, so that the first report is as fast as the next
    Warm(Box<WarmArgs>),
}

pub(crate) fn run(args: &CacheArgs, general: &General) -> Result<Exit, Failure> {
    match &args.what {
        CacheVerb::Status(args) => status::run(args, general),
        CacheVerb::Clear { cache } => clear(&directory(cache)?),
        CacheVerb::Warm(args) => warm::run(args, general),
    }
}

fn clear(directory: &SectionDirectory) -> Result<Exit, Failure> {
    let cleared = directory.clear().map_err(|problem| unusable(&problem))?;
    // What `obit query` keeps.
    let answers = clear_answers(&directory.path().join(ANSWERS));
    let (questions, bytes) = answers.map_err(|error| Failure::new(Exit::Unusable, &error))?;
    let count = cleared.entries + questions;
    let entries = if count == 1 { "entry" } else { "entries" };
    let freed = size(cleared.bytes + bytes);
    let path = directory.path().display();
    Destination::lines()
        .write(|out| writeln!(out, "{path}: {count} {entries} removed, {freed} freed"))?;
    Ok(Exit::Success)
}

fn directory(cache: &CacheDirectory) -> Result<SectionDirectory, Failure> {
    cache.directory().ok_or_else(|| {
        let problem = "there is no home directory for the cache; --cache-dir names another place";
        Failure::new(Exit::Unusable, &problem)
    })
}

fn unusable(problem: &CacheProblem) -> Failure {
    Failure::new(Exit::Unusable, &format_args!("the cache cannot be used: {problem}"))
}
