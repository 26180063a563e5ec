//! `obit CORE`: why the process crashed.

use clap::Args;

use crate::cli::args::content::{Code, Locals, ReadLimits, Registers};
use crate::cli::args::core_files::CoreFiles;
use crate::cli::args::fail_on::FailOn;
use crate::cli::args::general::General;
use crate::cli::args::page::{PageContent, Width};
use crate::cli::args::redaction::Redaction;
use crate::cli::args::search::Search;
use crate::cli::args::{Format, Output};
use crate::cli::destination::Destination;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::formats;
use crate::cli::page_layout::{crash_page, page_options};
use crate::cli::request::Request;
use crate::cli::view::View;

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
    let format = of_one_crash(args.output.format())?;
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
    let view = if args.content.summary { View::Summary } else { View::Page };
    destination.write(|out| formats::write(out, &report, format, view, &page))?;
    if args.strict && report.is_incomplete() {
        return Ok(Exit::Incomplete);
    }
    Ok(args.fail_on.exit_of(&report))
}

/// A format that one crash can be written in.
pub(super) fn of_one_crash(format: Format) -> Result<Format, Failure> {
    match format {
        Format::Csv => Err(Failure::usage(&"csv is for groups: `obit top`")),
        format => Ok(format),
    }
}
