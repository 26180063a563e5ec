//! `obit top`: what to look at first.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use obit::render;
use obit::triage::views::{self, Sort};

use super::args::Cli;
use super::exit::Exit;
use super::formats::{self, Listed};
use super::groups::Exchange;
use super::outlet::Outlet;
use super::pages::{self, Pages};
use super::view::ViewArgs;
use super::{Failure, screen};

/// The list of groups.
#[derive(Clone, Debug, Args)]
pub(crate) struct TopArgs {
    #[command(flatten)]
    view: ViewArgs,
    /// What comes first
    #[arg(long, value_enum, default_value_t, value_name = "BY")]
    sort: SortBy,
    /// Groups that are listed; 0 is all [default: 20 on a page; all for programs]
    // In the place of the number of frames, which every other view takes.
    #[arg(short = 'n', long = "limit", alias = "frames", value_name = "N", help_heading = None)]
    frames: Option<usize>,
    /// Say of each group why it has its rank and its status
    #[arg(long)]
    explain_rank: bool,
    /// Write a page for a browser instead: to one file, or to a directory with a page for
    /// one crash of each group
    #[arg(long, value_name = "DIR/|FILE.html")]
    html: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum SortBy {
    /// The highest rank
    #[default]
    Rank,
    /// The most dumps
    Count,
    /// Those seen last
    Last,
    /// Those that came last
    First,
    /// The most urgent status
    Status,
    /// The worst
    Severity,
}

/// Groups of a page.
const GROUPS: usize = 20;

pub(super) fn top(cli: &Cli, args: &TopArgs) -> Result<Exit, Failure> {
    let outlet = Outlet::of(&cli.options.output, None)?;
    let mut options = args.view.options()?;
    options.sort = match args.sort {
        SortBy::Rank => Sort::Rank,
        SortBy::Count => Sort::Count,
        SortBy::Last => Sort::Last,
        SortBy::First => Sort::First,
        SortBy::Status => Sort::Status,
        SortBy::Severity => Sort::Severity,
    };
    let exchange = Exchange::of(cli.format());
    let format = match exchange {
        Some(_) => Listed::Lines,
        None => formats::listed(cli)?,
    };
    let store = args.view.open()?;
    // A page is for reading; programs get all.
    let most = match (args.frames, format) {
        (Some(0), _) => usize::MAX,
        (Some(most), _) => most,
        (None, Listed::Text | Listed::Markdown) => GROUPS,
        (None, _) => usize::MAX,
    };
    let gate = &cli.options.gate;
    let mut found = store.overview(&options, if gate.is_shut() { usize::MAX } else { most })?;
    let all = found.groups.clone();
    found.groups.truncate(most);
    if let Some(path) = &args.html {
        let remembered = pages::remembered(&args.view.store);
        Pages::at(path).write(&store, &options, remembered)?;
        return Ok(gate.exit(&all));
    }
    if let Some(exchange) = exchange {
        exchange.write(&outlet, &store, &found.groups)?;
        return Ok(gate.exit(&all));
    }
    let page = screen::page_options(&cli.options, outlet.destination());
    outlet.write(|out| match format {
        Listed::Text => render::write_groups(out, &found, args.explain_rank, &page),
        Listed::Json => views::write_overview(&found, out),
        Listed::Lines => views::write_group_lines(&found, out),
        Listed::Csv => render::write_groups_csv(out, &found),
        Listed::Markdown => render::write_groups_markdown(out, &found),
    })?;
    Ok(gate.exit(&all))
}
