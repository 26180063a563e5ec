//! `obit digest`: what happened since some time.

use clap::Args;
use obit::render::Format;
use obit::triage::time::When;
use obit::triage::views::{Filter, FilterError};

use crate::cli::args::Output;
use crate::cli::args::fail_on::FailOn;
use crate::cli::args::general::General;
use crate::cli::args::store::{Selection, clock};
use crate::cli::destination::Destination;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::formats;

/// Since when, and of which crashes.
#[derive(Clone, Debug, Args)]
pub(crate) struct DigestArgs {
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    fail_on: FailOn,
}

/// A day.
const DAY: When = When::Ago(86_400);

pub(crate) fn run(args: &DigestArgs, general: &General) -> Result<Exit, Failure> {
    let format = args.output.format();
    let destination = Destination::of(&args.output.file, format, general, None)?;
    let write = formats::writer(format, "a digest", Format::digest)?;
    let clock = clock();
    let since = args.selection.since.unwrap_or(DAY).seconds(clock);
    let usage = |problem: FilterError| Failure::usage(&problem);
    // The time is a condition of both filters below.
    let mut options = args.selection.options_since(None)?;
    let until = options.now.unwrap_or(clock);
    let all = options.filter.clone();
    let between = |from: i64, to: i64| {
        let between = Filter::parse(&format!("since=@{from},until=@{to}"), clock);
        between.map(|between| all.clone().and(between)).map_err(usage)
    };
    let store = args.selection.open()?;
    options.filter = between(since.saturating_mul(2).saturating_sub(until), since)?;
    let before = store.overview(&options, 0)?.dumps;
    options.filter = between(since, until.saturating_add(1))?;
    let found = store.overview(&options, usize::MAX)?;
    destination.write(|out| write(out, &found, since, before))?;
    Ok(args.fail_on.exit(&found.groups))
}
