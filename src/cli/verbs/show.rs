//! `obit show`: one group, or one crash of the store.

use clap::Args;
use obit::render::Format;
use obit::render::formats::{ReportView, Writer};
use obit::triage::store::Found;

use super::find::{find, not_found};
use crate::cli::args::Output;
use crate::cli::args::content::Registers;
use crate::cli::args::general::General;
use crate::cli::args::page::{PageContent, Width};
use crate::cli::args::store::Selection;
use crate::cli::destination::Destination;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::formats;
use crate::cli::groups::write_groups;
use crate::cli::page_layout::{crash_page, page_options};

/// Which group or crash, and what to show of it.
#[derive(Clone, Debug, Args)]
pub(crate) struct ShowArgs {
    /// The id or name of a group, or the id of a crash; the start of an id is enough
    #[arg(value_name = "ID")]
    id: String,
    /// How many of the newest dumps of a group to list; 0 is all [default: 10]
    #[arg(short = 'n', long, value_name = "N")]
    limit: Option<usize>,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    content: PageContent,
    #[command(flatten)]
    registers: Registers,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    width: Width,
}

/// Dumps that are listed.
const DUMPS: usize = 10;

pub(crate) fn run(args: &ShowArgs, general: &General) -> Result<Exit, Failure> {
    let format = args.output.format();
    let destination = Destination::of(&args.output.file, format, general, None)?;
    let options = args.selection.options()?;
    let store = args.selection.open()?;
    let page = page_options(general, &args.width, &destination);
    let usage = |problem: &str| Failure::usage(&problem);
    match find(&store, &args.id)? {
        Found::Group(group) => {
            let writer = formats::writer(format, "a group", Format::group)?;
            let newest = args.limit.unwrap_or(DUMPS);
            let newest = if newest == 0 { usize::MAX } else { newest };
            let detail = store.detail(&group, &options, newest)?;
            let detail = match detail {
                Some(detail) => detail,
                None => {
                    let why = store.overview(&options, 0)?.why_empty();
                    return Err(usage(why.as_deref().unwrap_or("the group has no such dumps")));
                }
            };
            match writer {
                Writer::Items(write) => {
                    write_groups(write, &destination, &store, &[detail.group])?;
                }
                Writer::Own(write) => destination.write(|out| write(out, &detail, &page))?,
            }
        }
        Found::Dump(dump) => {
            let report = store.report_of(&dump)?;
            let report = report.ok_or_else(|| usage("its record was removed by `obit db gc`"))?;
            let writer = formats::writer(format, "a report", Format::report)?;
            let page = crash_page(page, &args.content, &args.registers, None);
            let view = if args.content.summary { ReportView::Summary } else { ReportView::Page };
            destination.write(|out| writer.write(out, &report, view, &page))?;
        }
        found => return Err(not_found(&args.id, &found)),
    }
    Ok(Exit::Success)
}
