//! `obit show`: one group, or one crash of the store.

use clap::Args;
use obit::render;
use obit::triage::store::Found;
use obit::triage::views;
use obit::triage::views::Overview;

use super::args::{Cli, Format};
use super::exit::Exit;
use super::formats::{self, Listed};
use super::groups::Exchange;
use super::outlet::Outlet;
use super::state::not_found;
use super::view::ViewArgs;
use super::{Failure, View, screen};

/// Which group or crash.
#[derive(Clone, Debug, Args)]
pub(crate) struct ShowArgs {
    /// A group's id or name, or a crash's id; the start of an id will do
    #[arg(value_name = "ID")]
    id: String,
    /// Newest dumps of a group that are listed, 0 is all [default: 10]; of a crash, the
    /// frames of its page
    #[arg(short = 'n', long = "limit", alias = "frames", value_name = "N", help_heading = None)]
    frames: Option<usize>,
    #[command(flatten)]
    view: ViewArgs,
}

/// Dumps that are listed.
const DUMPS: usize = 10;

pub(super) fn show(cli: &Cli, args: &ShowArgs) -> Result<Exit, Failure> {
    let outlet = Outlet::of(&cli.options.output, None)?;
    let options = args.view.options()?;
    let store = args.view.open()?;
    let page = screen::page_options(&cli.options, outlet.destination());
    let is_html = cli.format() == Format::Html;
    let usage = |problem: &str| Failure::new(Exit::Usage, &problem);
    match store.find(&args.id)? {
        Found::Group(_) if is_html => {
            return Err(usage(
                "a page shows a crash: name one of the group, or use `obit top --html`",
            ));
        }
        Found::Group(group) => {
            let newest = args.frames.unwrap_or(DUMPS);
            let newest = if newest == 0 { usize::MAX } else { newest };
            let detail = store.detail(&group, &options, newest)?;
            let detail = detail.ok_or_else(|| usage("the group has no such dumps"))?;
            if let Some(exchange) = Exchange::of(cli.format()) {
                exchange.write(&outlet, &store, &[detail.group])?;
                return Ok(Exit::Success);
            }
            let format = formats::listed(cli)?;
            outlet.write(|out| match format {
                Listed::Text => render::write_group(out, &detail, &page),
                Listed::Json | Listed::Lines => views::write_detail(&detail, out),
                Listed::Markdown => render::write_group_markdown(out, &detail),
                Listed::Csv => {
                    let groups = vec![detail.group.clone()];
                    render::write_groups_csv(out, &Overview { groups, ..Overview::default() })
                }
            })?;
        }
        Found::Dump(dump) => {
            let report = store.report_of(&dump)?;
            let report = report.ok_or_else(|| usage("its record was removed by `obit db gc`"))?;
            if cli.format() == Format::Csv {
                return Err(usage("csv is for groups: `obit top`"));
            }
            outlet
                .write(|out| formats::write(out, &report, cli.format(), View::page(cli), &page))?;
        }
        found => return Err(not_found(&args.id, &found)),
    }
    Ok(Exit::Success)
}
