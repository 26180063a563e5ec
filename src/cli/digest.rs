//! `obit digest`: what happened since some time.

use clap::Args;
use obit::render;
use obit::triage::time::When;
use obit::triage::views::{self, Filter, FilterError};

use super::Failure;
use super::args::Cli;
use super::exit::Exit;
use super::formats::{self, Listed};
use super::outlet::Outlet;
use super::view::{ViewArgs, clock};

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
    let format = formats::listed(cli)?;
    let clock = clock();
    let since = args.view.since.unwrap_or(DAY).seconds(clock);
    let usage = |problem: FilterError| Failure::new(Exit::Usage, &problem);
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
    outlet.write(|out| match format {
        Listed::Text | Listed::Markdown => render::write_digest(out, &found, since, before),
        Listed::Json => views::write_overview(&found, out),
        Listed::Lines => views::write_group_lines(&found, out),
        Listed::Csv => render::write_groups_csv(out, &found),
    })?;
    Ok(cli.options.gate.exit(&found.groups))
}
