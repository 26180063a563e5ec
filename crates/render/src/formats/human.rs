//! Pages and tables for a person at a terminal.

use std::io;

use super::{Audience, Format, Records, ReportView};
use crate::PageOptions;
use crate::{visible, write_page};
use obit_report::Report;
use obit_triage::Record;
use obit_triage::time::minute_of;

pub(super) const HUMAN: Format = Format {
    about: "A page for a person",
    audience: Audience::Terminal,
    report: Some(write_report),
    drop_unshown: Some(crate::terminal::stack::drop_unshown),
    drop_unshown_of: Some(|thread, page| {
        crate::terminal::stack::drop_unshown_of(thread, None, page);
    }),
    groups: Some(crate::terminal::groups::write_groups),
    group: Some(crate::terminal::group::write_group),
    difference: Some(crate::terminal::difference::write_difference),
    digest: Some(crate::markdown::digest::write_digest),
    builds: Some(crate::terminal::builds::write_builds),
    records: Some(Records::lines(write_record)),
    printed: Some(crate::terminal::printed::write_printed),
    hidden: Some(crate::terminal::hidden::write_hidden),
    contents: Some(crate::terminal::contents::write_contents),
    heap: Some(crate::terminal::heap::write_heap),
    tasks: Some(crate::terminal::tasks::write_tasks),
    rewound: Some(crate::terminal::rewound::write_rewound),
    distinctions: Some(crate::terminal::distinctions::write_distinctions),
    findings: Some(crate::terminal::findings::write_findings),
    incidents: Some(crate::terminal::incidents::write_incidents),
    ..Format::new("human", "txt")
};

fn write_report(
    out: &mut dyn io::Write,
    report: &Report,
    view: ReportView,
    page: &PageOptions,
) -> io::Result<()> {
    match view {
        ReportView::Page => write_page(out, report, page),
        ReportView::Summary => crate::terminal::page::write_summary(out, report, page),
        ReportView::Modules => crate::terminal::modules::write_modules(out, report, page),
        ReportView::Signature { explained } => {
            crate::terminal::signature::write_signature(out, report, explained, page)
        }
    }
}

/// Time, group, cause, signature, file.
fn write_record(out: &mut dyn io::Write, record: &Record) -> io::Result<()> {
    let cause = match (&record.cause, &record.reason) {
        (Some(cause), _) => cause.class.clone(),
        (None, Some(reason)) => format!("({})", reason.code),
        (None, None) => "-".to_owned(),
    };
    writeln!(
        out,
        "{}  {:<8}  {:<16}  {}  {}",
        record.time.map_or_else(|| "-".to_owned(), minute_of),
        record.group.as_deref().unwrap_or("-"),
        visible(&cause).to_string(),
        visible(record.signature.as_ref().map_or("-", |signature| signature.text.as_str())),
        visible(record.core.path.as_str()),
    )
}
