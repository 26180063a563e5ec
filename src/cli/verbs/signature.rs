//! `obit signature`: what crashes of the same bug share.

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

/// Of which core.
#[derive(Clone, Debug, Args)]
pub(crate) struct SignatureArgs {
    #[command(flatten)]
    files: CoreFiles,
    /// List each frame that was considered and the rule that kept it or left it out
    #[arg(long)]
    explain: bool,
    #[command(flatten)]
    search: Search,
    #[command(flatten)]
    pub(crate) redaction: Redaction,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    width: Width,
}

pub(crate) fn run(args: &SignatureArgs, general: &General) -> Result<Exit, Failure> {
    let format = args.output.format();
    let writer = formats::writer(format, "a report", Format::report)?;
    let inputs = args.files.inputs()?;
    let destination = Destination::of(&args.output.file, format, general, Some(&inputs))?;
    let request = Request::new(inputs, &args.search, &args.redaction)?.written_as(format);
    let report = request.report(general)?;
    let page = page_options(general, &args.width, &destination);
    let view = ReportView::Signature { explained: args.explain };
    destination.write(|out| writer.write(out, &report, view, &page))?;
    Ok(if report.has_ended_early() { Exit::Bug } else { Exit::Success })
}
