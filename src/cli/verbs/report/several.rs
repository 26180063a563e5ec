//! `obit CORE CORE …`: a report on each.

use std::collections::BTreeSet;

use obit::redact::Shown;
use obit::render::formats::Audience;
use obit::render::{Format, visible};

use super::ReportOptions;
use crate::cli::args::core_files::Inputs;
use crate::cli::args::general::General;
use crate::cli::destination::Destination;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::formats;
use crate::cli::message::discreet;
use crate::cli::rules;

/// Writes the reports one after the other. A core that cannot be read costs its own report
/// only; the exit code is the highest.
pub(super) fn run(
    args: &ReportOptions,
    all: &[Inputs],
    format: &'static Format,
    general: &General,
) -> Result<Exit, Failure> {
    let format = in_a_row(format)?;
    let writer = formats::writer(format, "a report", Format::report)?;
    for inputs in all {
        Destination::of(&args.output.file, format, general, Some(inputs))?;
    }
    let destination = Destination::of(&args.output.file, format, general, None)?;
    let page = args.page(general, &destination);
    // A pager has the terminal.
    let is_quiet = general.quiet || destination.is_pager();
    let mut failures = Vec::new();
    let mut exits = Vec::new();
    let mut unused: Option<BTreeSet<Shown>> = None;
    destination.write(|out| {
        let mut first = true;
        for inputs in all {
            match args.report(inputs, format, &page, is_quiet) {
                Ok((rest, portions)) => {
                    if format.audience == Audience::Terminal {
                        let path = discreet(&inputs.core.display().to_string());
                        let space = if first { "" } else { "\n" };
                        writeln!(out, "{space}==> {} <==", visible(&path))?;
                    }
                    first = false;
                    writer.write_portions(out, (&rest, &portions), args.view(), &page)?;
                    let report = rest.report;
                    exits.push(args.exit(&report));
                    // What was not read says nothing of the rules.
                    if !report.has_ended_early() {
                        let here: BTreeSet<Shown> =
                            report.redactions.unused_rules.into_iter().collect();
                        unused = Some(match unused.take() {
                            Some(before) => before.intersection(&here).cloned().collect(),
                            None => here,
                        });
                    }
                }
                Err(failure) => failures.push(failure),
            }
        }
        Ok(())
    })?;
    failures.iter().for_each(Failure::say);
    if !general.quiet {
        rules::say_unused(unused.iter().flatten().map(Shown::as_str));
    }
    let exits = exits.into_iter().chain(failures.iter().map(|failure| failure.exit));
    Ok(exits.max_by_key(|exit| exit.code()).unwrap_or(Exit::Success))
}

/// The format in which reports can follow each other: JSON as a document a line.
fn in_a_row(format: &'static Format) -> Result<&'static Format, Failure> {
    let lines = if format.name == "json" { Format::named("ndjson") } else { None };
    let format = lines.unwrap_or(format);
    let follows = |format: &Format| {
        let has_lines = format.records().is_some_and(|records| records.is_lines());
        has_lines || format.audience == Audience::Terminal
    };
    formats::writer(format, "several reports", |format| {
        follows(format).then_some(format.report()?)
    })?;
    Ok(format)
}
