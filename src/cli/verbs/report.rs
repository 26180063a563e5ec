//! `obit CORE`: why the process crashed.

use clap::Args;
use obit::render::Format;
use obit::render::formats::ReportView;

use crate::cli::args::Output;
use crate::cli::args::content::{Code, Locals, ReadLimits, Registers};
use crate::cli::args::core_files::CoreFiles;
use crate::cli::args::fail_on::FailOn;
use crate::cli::args::general::General;
use crate::cli::args::page::{PageContent, Width};
use crate::cli::args::redaction::Redaction;
use crate::cli::args::search::Search;
use crate::cli::destination::Destination;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::formats;
use crate::cli::page_layout::{crash_page, page_options};
use crate::cli::request::Request;

/// Which core, what to show of it and how.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ReportArgs {
    #[command(flatten)]
    files: CoreFiles,
    #[command(flatten)]
    search: Search,
    #[command(flatten)]
    limits: ReadLimits,
    #[command(flatten)]
    locals: Locals,
    #[command(flatten)]
    content: PageContent,
    #[command(flatten)]
    registers: Registers,
    #[command(flatten)]
    code: Code,
    #[command(flatten)]
    pub(crate) redaction: Redaction,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    width: Width,
    #[command(flatten)]
    fail_on: FailOn,
    /// End with 1 if anything is missing from the report
    #[arg(long, help_heading = "Exit code", hide_short_help = true)]
    strict: bool,
}

pub(crate) fn run(args: &ReportArgs, general: &General) -> Result<Exit, Failure> {
    let format = args.output.format();
    let writer = formats::writer(format, "a report", Format::report)?;
    let inputs = args.files.inputs()?;
    let destination = Destination::of(&args.output.file, format, general, Some(&inputs))?;
    let request = Request::new(inputs, &args.search, &args.redaction)?;
    let mut request = request.limited(&args.limits).written_as(format);
    request.build.locals = args.locals.locals;
    args.registers.apply(&mut request.build);
    args.code.apply(&mut request.build);
    let report = request.report(general)?;
    if let Some(tid) = args.content.thread
        && !report.threads.iter().any(|thread| thread.tid == tid)
    {
        return Err(Failure::no_thread(tid, report.threads.iter().map(|thread| thread.tid)));
    }
    let page = page_options(general, &args.width, &destination);
    let page = crash_page(page, &args.content, &args.registers, Some(&args.limits));
    let view = if args.content.summary { ReportView::Summary } else { ReportView::Page };
    destination.write(|out| writer.write(out, &report, view, &page))?;
    if args.strict && report.is_incomplete() {
        return Ok(Exit::Incomplete);
    }
    Ok(args.fail_on.exit_of(&report))
}
