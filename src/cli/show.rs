//! `obit show`: one group, or one crash of the store.

use clap::Args;
use obit::render;
use obit::triage::detail;
use obit::triage::store::Found;

use super::args::{Cli, Format};
use super::exit::Exit;
use super::formats::{self, Listed};
use super::outlet::Outlet;
use super::state::not_found;
use super::view::ViewArgs;
use super::{Failure, screen};

/// Which group or crash.
#[derive(Clone, Debug, Args)]
pub(crate) struct ShowArgs {
    /// A group's id or name, or a crash's id; the start of an id will do
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    view: ViewArgs,
}

/// Dumps that are listed.
const DUMPS: usize = 10;

pub(super) fn show(cli: &Cli, args: &ShowArgs) -> Result<Exit, Failure> {
    let outlet = Outlet::new(cli.options.output.output.as_deref(), None)?;
    let options = args.view.options()?;
    let store = args.view.open()?;
    let page = screen::page_options(&cli.options, outlet.destination());
    let is_html = cli.format() == Format::Html;
    let format = if is_html { Listed::Text } else { formats::listed(cli)? };
    let usage = |problem: &str| Failure::new(Exit::Usage, &problem);
    match store.find(&args.id)? {
        Found::Group(_) if is_html => {
            return Err(usage(
                "a page shows a crash: name one of the group, or use `obit top --html`",
            ));
        }
        Found::Group(group) => {
            let newest = cli.options.content.frames.unwrap_or(DUMPS);
            let newest = if newest == 0 { usize::MAX } else { newest };
            let detail = store.detail(&group, &options, newest)?;
            let detail = detail.ok_or_else(|| usage("the group has no such dumps"))?;
            outlet.write(|out| match format {
                Listed::Text => render::write_group(out, &detail, &page),
                Listed::Json | Listed::Lines => detail::write_detail(&detail, out),
                Listed::Markdown | Listed::Csv => render::write_group_markdown(out, &detail),
            })?;
        }
        Found::Dump(dump) => {
            let report = store.report_of(&dump)?;
            let report = report.ok_or_else(|| usage("its record was removed by `obit db gc`"))?;
            outlet.write(|out| match format {
                Listed::Json | Listed::Lines => obit::report::write_json(&report, out),
                _ if is_html => render::write_html(out, &report),
                _ => render::write_page(out, &report, &page),
            })?;
        }
        found => return Err(not_found(&args.id, &found)),
    }
    Ok(Exit::Success)
}
