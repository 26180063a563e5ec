//! `obit modules`: what was loaded.

use clap::Args;
use obit::render::Format;
use obit::render::formats::ReportView;

use crate::cli::args::Output;
use crate::cli::args::core_files::CoreFiles;
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

/// Which core.
#[derive(Clone, Debug, Args)]
pub(crate) struct ModulesArgs {
    #[command(flatten)]
    files: CoreFiles,
    #[command(flatten)]
    search: Search,
    #[command(flatten)]
    pub(crate) redaction: Redaction,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    width: Width,
    /// Exit with 1 if anything is missing
    #[arg(long, help_heading = "Exit code", hide_short_help = true)]
    strict: bool,
}

pub(crate) fn run(args: &ModulesArgs, general: &General) -> Result<Exit, Failure> {
    let format = args.output.format();
    let writer = formats::writer(format, "a report", Format::report)?;
    let inputs = args.files.inputs()?;
    let destination = Destination::of(&args.output.file, format, general, Some(&inputs))?;
    let mut request = Request::new(inputs, &args.search, &args.redaction)?.written_as(format);
    request.modules_only = true;
    let report = request.report(general)?;
    let page = page_options(general, &args.width, &destination);
    destination.write(|out| writer.write(out, &report, ReportView::Modules, &page))?;
    if report.has_ended_early() {
        return Ok(Exit::Bug);
    }
    let is_failure = args.strict && report.is_incomplete();
    Ok(if is_failure { Exit::Incomplete } else { Exit::Success })
}
