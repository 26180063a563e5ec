//! One line, for a chat or a log.

use std::io;

use super::{Format, Group, Item, Records};
use crate::layout::{cut_end, grouped};
use crate::summary::{self, Location};
use crate::visible::visible;
use obit_report::Report;

pub(super) const BRIEF: Format = Format {
    about: "One line of text, for a chat or a log",
    items: Some(write_items),
    records: Some(Records::items(write_items)),
    ..Format::new("brief", "txt")
};

/// Columns of the sentence.
const SENTENCE: usize = 240;

/// Writes program, signal, place, title and, last, the crash's id in one line.
fn write_brief(out: &mut dyn io::Write, report: &Report) -> io::Result<()> {
    if let Some(program) = summary::program(report) {
        write!(out, "{program}: ")?;
    }
    write!(out, "{}", summary::kind(report))?;
    if let Some(place) = Location::of(report).text() {
        write!(out, " in {place}")?;
    }
    if report.cause.is_some() {
        write!(out, ": {}", cut_end(&summary::headline(report), SENTENCE))?;
    }
    writeln!(out, " {}", report.id)
}

/// Before the line of a group's crash: the group's id, its status and its crashes.
fn write_items(out: &mut dyn io::Write, items: &[Item<'_>]) -> io::Result<()> {
    for item in items {
        if let Some(Group { summary, status, .. }) = item.group {
            let count = grouped(summary.count);
            let weak = if summary.is_sure { "" } else { " (weak)" };
            write!(out, "{} {status}{weak} {count}\u{d7} ", visible(&summary.id))?;
        }
        write_brief(out, item.report)?;
    }
    Ok(())
}
