//! `obit who-points-to`: which words of memory point to an object, and whose they are.

use std::path::PathBuf;

use clap::Args;
use obit::render::Format;

use super::memory_place;
use crate::cli::args::Output;
use crate::cli::args::core_files::NamedFiles;
use crate::cli::args::general::General;
use crate::cli::args::page::Width;
use crate::cli::args::redaction::Redaction;
use crate::cli::args::search::Search;
use crate::cli::destination::Destination;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::formats;
use crate::cli::page_layout::page_options;
use crate::cli::request::Request;

/// Pointers that are shown, unless the user says how many.
const POINTERS: usize = 50;

/// Which core, and what is pointed to.
#[derive(Clone, Debug, Args)]
pub(crate) struct WhoPointsToArgs {
    /// The core file, unless --core names it; then an address or an expression whose object is
    /// meant: `0x55e0c1d0`, `job->next`. In a block of the heap, pointers to any of its bytes count
    #[arg(value_name = "CORE EXPR", required = true)]
    words: Vec<String>,
    /// Pointers that are shown [default: 50]
    #[arg(short = 'n', long, value_name = "N")]
    limit: Option<usize>,
    /// The frame in which the expression is evaluated [default: 0]
    #[arg(short, long, value_name = "N")]
    frame: Option<usize>,
    #[command(flatten)]
    files: NamedFiles,
    #[command(flatten)]
    search: Search,
    #[command(flatten)]
    pub(crate) redaction: Redaction,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    width: Width,
}

pub(crate) fn run(args: &WhoPointsToArgs, general: &General) -> Result<Exit, Failure> {
    let mut words = args.words.clone();
    let core: Option<PathBuf> = match args.files.core {
        Some(_) => None,
        None => Some(words.remove(0).into()),
    };
    let text = words.join(" ");
    if text.is_empty() {
        let problem = "no address given; try `obit who-points-to CORE 'job->next'`";
        return Err(Failure::usage(&problem));
    }
    let inputs = args.files.with(&core)?;
    let format = args.output.format();
    let destination = Destination::of(&args.output.file, format, general, Some(&inputs))?;
    let write = formats::writer(format, "pointers", Format::heap)?;
    let request = Request::new(inputs, &args.search, &args.redaction)?;
    let most = Some(args.limit.unwrap_or(POINTERS));
    let answer = memory_place::answer(&request, general, &text, args.frame, most)?;
    let page = page_options(general, &args.width, &destination);
    destination.write(|out| write(out, &answer, &page))?;
    Ok(Exit::Success)
}
