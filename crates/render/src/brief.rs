//! One line, for a chat or a log.

use std::io;

use super::exchange::Group;
use super::gist::{self, Place};
use super::layout::{cut_end, grouped};
use super::visible::visible;
use obit_report::Report;

/// Columns of the sentence.
const SENTENCE: usize = 240;

/// Writes program, signal, place, cause and, last, the crash's id in one line.
///
/// # Errors
/// Those of `out`.
pub fn write_brief(out: &mut dyn io::Write, report: &Report) -> io::Result<()> {
    if let Some(program) = gist::program(report) {
        write!(out, "{program}: ")?;
    }
    write!(out, "{}", gist::kind(report))?;
    if let Some(place) = Place::of(report).text() {
        write!(out, " in {place}")?;
    }
    if report.cause.is_some() {
        write!(out, ": {}", cut_end(&gist::sentence(report), SENTENCE))?;
    }
    writeln!(out, " {}", report.id)
}

/// Writes the group's id, how it stands and its crashes, then the line of the crash that
/// stands for it.
///
/// # Errors
/// Those of `out`.
pub fn write_group_brief(
    out: &mut dyn io::Write,
    group: &Group<'_>,
    report: &Report,
) -> io::Result<()> {
    let summary = group.summary;
    let count = grouped(summary.count);
    write!(out, "{} {} {count}\u{d7} ", visible(&summary.id), group.standing)?;
    write_brief(out, report)
}
