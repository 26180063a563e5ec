//! `obit digest`: what happened since some time.

use clap::Args;
use obit::render::Format;
use obit::triage::filter::Filter;
use obit::triage::time::When;

use super::args::Cli;
use super::exit::Exit;
use super::outlet::Outlet;
use super::view::{ViewArgs, clock};
use super::{Failure, formats};

/// What is told of.
#[derive(Clone, Debug, Args)]
pub(crate) struct DigestArgs {
    #[command(flatten)]
    view: ViewArgs,
}

/// A day.
const DAY: When = When::Ago(86_400);

pub(super) fn digest(cli: &Cli, args: &DigestArgs) -> Result<Exit, Failure> {
    let outlet = Outlet::of(&cli.options.output, None)?;
    let write = formats::writer(cli.format(), "a digest", Format::digest)?;
    let clock = clock();
    let since = args.view.since.unwrap_or(DAY).seconds(clock);
    let usage = |problem: String| Failure::new(Exit::Usage, &problem);
    // Which time is asked for is said twice below.
    let mut options = args.view.options_since(None)?;
    let until = options.now.unwrap_or(clock);
    let all = options.filter.clone();
    let between = |from: i64, to: i64| {
        let between = Filter::parse(&format!("since=@{from},until=@{to}"), clock);
        between.map(|between| all.clone().and(between)).map_err(usage)
    };
    let store = args.view.open()?;
    options.filter = between(since.saturating_mul(2).saturating_sub(until), since)?;
    let before = store.overview(&options, 0)?.dumps;
    options.filter = between(since, until.saturating_add(1))?;
    let found = store.overview(&options, usize::MAX)?;
    outlet.write(|out| write(out, &found, since, before))?;
    Ok(cli.options.gate.exit(&found.groups))
}
