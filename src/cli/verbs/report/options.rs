//! What a report shows, and how: the options of every verb that makes one of a core.

use clap::Args;
use obit::redact::Shown;
use obit::render::formats::ReportView;
use obit::render::{Format, PageOptions};
use obit::report::{Portions, Report, Rest};

use crate::cli::args::Output;
use crate::cli::args::content::{Code, Locals, ReadLimits, Registers};
use crate::cli::args::core_files::Inputs;
use crate::cli::args::fail_on::FailOn;
use crate::cli::args::general::General;
use crate::cli::args::page::{PageContent, Width};
use crate::cli::args::redaction::Redaction;
use crate::cli::args::search::Search;
use crate::cli::destination::Destination;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::page_layout::{crash_page, page_options};
use crate::cli::request::Request;
use crate::cli::rules;

/// What to show of a core and how.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ReportOptions {
    #[command(flatten)]
    pub(crate) search: Search,
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
    pub(crate) output: Output,
    #[command(flatten)]
    width: Width,
    #[command(flatten)]
    fail_on: FailOn,
    /// Exit with 1 if anything is missing from the report
    #[arg(long, help_heading = "Exit code", hide_short_help = true)]
    strict: bool,
}

impl ReportOptions {
    /// What is asked about one core.
    pub(crate) fn request(&self, inputs: &Inputs, format: &Format) -> Result<Request, Failure> {
        let request = Request::new(inputs.clone(), &self.search, &self.redaction)?;
        let mut request = request.limited(&self.limits).written_as(format);
        request.build.locals = self.locals.locals;
        self.registers.apply(&mut request.build);
        self.code.apply(&mut request.build);
        Ok(request)
    }

    /// The report on one core, with what is written of it on `page`.
    pub(super) fn report(
        &self,
        inputs: &Inputs,
        format: &'static Format,
        page: &PageOptions,
        is_quiet: bool,
    ) -> Result<(Rest, Portions), Failure> {
        let mut request = self.request(inputs, format)?;
        request.written = Some((format, *page));
        let (rest, portions) = request.report_in_portions(is_quiet)?;
        self.check_threads(portions.tids(&rest).into_iter())?;
        Ok((rest, portions))
    }

    /// Refuses a report that lacks what was asked for.
    pub(crate) fn check(&self, report: &Report) -> Result<(), Failure> {
        self.check_threads(report.threads.iter().map(|thread| thread.tid))
    }

    fn check_threads(&self, tids: impl Iterator<Item = i64> + Clone) -> Result<(), Failure> {
        match self.content.thread {
            Some(tid) if !tids.clone().any(|known| known == tid) => {
                Err(Failure::no_thread(tid, tids))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn page(&self, general: &General, destination: &Destination) -> PageOptions {
        let page = page_options(general, &self.width, destination);
        crash_page(page, &self.content, &self.registers, Some(&self.limits))
    }

    pub(crate) fn view(&self) -> ReportView {
        if self.content.summary { ReportView::Summary } else { ReportView::Page }
    }

    /// How a run with this report ends.
    pub(crate) fn exit(&self, report: &Report) -> Exit {
        if report.has_ended_early() {
            return Exit::Bug;
        }
        if self.strict && report.is_incomplete() {
            return Exit::Incomplete;
        }
        self.fail_on.exit_of(report)
    }

    /// Names the user's rules that matched nothing.
    pub(crate) fn say_unused_rules(&self, report: &Report, general: &General) {
        if !general.quiet && !report.has_ended_early() {
            rules::say_unused(report.redactions.unused_rules.iter().map(Shown::as_str));
        }
    }
}
