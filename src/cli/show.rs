//! `obit show`: one group, or one crash of the store.

use clap::Args;
use obit::render::Format;
use obit::render::formats::Writer;
use obit::triage::store::Found;

use super::args::Cli;
use super::exit::Exit;
use super::groups::write_groups;
use super::outlet::Outlet;
use super::state::not_found;
use super::view::ViewArgs;
use super::{Failure, formats, page_view, screen};

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
    let usage = |problem: &str| Failure::new(Exit::Usage, &problem);
    match store.find(&args.id)? {
        Found::Group(group) => {
            let writer = formats::writer(cli.format(), "a group", Format::group)?;
            let newest = args.frames.unwrap_or(DUMPS);
            let newest = if newest == 0 { usize::MAX } else { newest };
            let detail = store.detail(&group, &options, newest)?;
            let detail = detail.ok_or_else(|| usage("the group has no such dumps"))?;
            match writer {
                Writer::Items(write) => write_groups(write, &outlet, &store, &[detail.group])?,
                Writer::Own(write) => outlet.write(|out| write(out, &detail, &page))?,
            }
        }
        Found::Dump(dump) => {
            let report = store.report_of(&dump)?;
            let report = report.ok_or_else(|| usage("its record was removed by `obit db gc`"))?;
            let writer = formats::writer(cli.format(), "a report", Format::report)?;
            outlet.write(|out| writer.write(out, &report, page_view(cli), &page))?;
        }
        found => return Err(not_found(&args.id, &found)),
    }
    Ok(Exit::Success)
}
