//! `obit top`: what to look at first.

use std::path::PathBuf;

use clap::Args;
use obit::render::Format;
use obit::render::formats::{Audience, Writer};
use obit::triage::views::Sort;

use crate::cli::args::Output;
use crate::cli::args::choices::{SORTS, one_of};
use crate::cli::args::fail_on::FailOn;
use crate::cli::args::general::General;
use crate::cli::args::page::Width;
use crate::cli::args::store::Selection;
use crate::cli::destination::Destination;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::formats;
use crate::cli::groups::write_groups;
use crate::cli::html_pages::{self, HtmlPages};
use crate::cli::page_layout::page_options;

/// Which groups, in which order, how many.
#[derive(Clone, Debug, Args)]
pub(crate) struct TopArgs {
    #[command(flatten)]
    selection: Selection,
    /// The order of the groups
    #[arg(long, value_parser = one_of(SORTS), default_value = "rank", value_name = "BY")]
    sort: Sort,
    /// Groups to list; 0 is all [default: 20 on a page; all for programs]
    #[arg(short = 'n', long, value_name = "N")]
    limit: Option<usize>,
    /// Explain the rank and the status of each group
    #[arg(long)]
    explain_rank: bool,
    /// Write an HTML page instead: one file, or a directory that also has a page for one
    /// crash of each group
    #[arg(long, value_name = "DIR/|FILE.html")]
    html: Option<PathBuf>,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    width: Width,
    #[command(flatten)]
    fail_on: FailOn,
}

/// Groups of a page.
const GROUPS: usize = 20;

pub(crate) fn run(args: &TopArgs, general: &General) -> Result<Exit, Failure> {
    let destination = Destination::of(&args.output.file, args.output.format(), general, None)?;
    let mut options = args.selection.options()?;
    options.sort = args.sort;
    let format = args.output.format();
    let writer = formats::writer(format, "groups", Format::groups)?;
    let store = args.selection.open()?;
    // A page is for reading; programs get all.
    let most = match (args.limit, format.audience) {
        (Some(0), _) | (None, Audience::Program) => usize::MAX,
        (Some(most), _) => most,
        (None, Audience::Terminal | Audience::Document) => GROUPS,
    };
    let fail_on = &args.fail_on;
    let mut found = store.overview(&options, if fail_on.is_set() { usize::MAX } else { most })?;
    let all = found.groups.clone();
    found.groups.truncate(most);
    if let Some(path) = &args.html {
        let remembered = html_pages::remembered(args.selection.builds.store());
        HtmlPages::at(path).write(&store, &options, remembered)?;
        return Ok(fail_on.exit(&all));
    }
    match writer {
        Writer::Items(write) => write_groups(write, &destination, &store, &found.groups)?,
        Writer::Own(write) => {
            let page = page_options(general, &args.width, &destination);
            destination.write(|out| write(out, &found, args.explain_rank, &page))?;
        }
    }
    Ok(fail_on.exit(&all))
}
