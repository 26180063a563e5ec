//! Pages for a browser: one crash, or many; each a self-contained file that makes no network requests.
//!
//! The [`page`] is the frame that pages share, [`crash`] puts that of one crash together,
//! [`triage`] that of many; each other module is one part of them. Text of the report passes [`escape`], and what a part
//! may cost is a [`budget::Budget`]: a page stays readable whatever the report holds.

mod assets;
mod budget;
mod cause;
mod commands;
mod contents;
mod crash;
mod editor;
mod escape;
mod heap;
mod incidents;
mod instructions;
mod lock_graph;
mod memory_map;
mod modules;
mod notices;
mod page;
mod registers;
mod source;
mod stack_use;
mod tasks;
mod threads;
mod triage;
mod variables;

use std::io;

use obit_incident::Incidents;
use obit_report::Report;
use obit_report::answer::{Contents, TasksReport};
use obit_report::heap::HeapAnswer;

pub(crate) use triage::digest::write_digest as write_digest_html;
pub use triage::served;
pub use triage::{
    Beside, DUMPS_FILE, DumpsPage, Remembered, crash_file, dumps_page, write_triage_html,
};

/// Writes the page of one crash.
///
/// # Errors
/// Those of `out`.
pub fn write_html(out: &mut dyn io::Write, report: &Report) -> io::Result<()> {
    out.write_all(crash::crash(report, None).into_string().as_bytes())
}

/// Writes the page of what memory holds.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write_contents_html(out: &mut dyn io::Write, found: &Contents) -> io::Result<()> {
    out.write_all(contents::contents(found).into_string().as_bytes())
}

/// Writes the page of what a heap holds.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write_heap_html(out: &mut dyn io::Write, answer: &HeapAnswer) -> io::Result<()> {
    out.write_all(heap::heap(answer).into_string().as_bytes())
}

/// Writes the page of tasks.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write_tasks_html(out: &mut dyn io::Write, found: &TasksReport) -> io::Result<()> {
    out.write_all(tasks::tasks(found).into_string().as_bytes())
}

/// Writes the page of incidents.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write_incidents_html(out: &mut dyn io::Write, found: &Incidents) -> io::Result<()> {
    out.write_all(incidents::incidents(found).into_string().as_bytes())
}

/// Writes the page of a crash that stands for `group`, to lie beside `index.html`.
///
/// # Errors
/// Those of `out`.
pub fn write_html_of_group(
    out: &mut dyn io::Write,
    report: &Report,
    group: &str,
) -> io::Result<()> {
    let home = format!("index.html#{}", triage::anchor(group));
    out.write_all(crash::crash(report, Some(&home)).into_string().as_bytes())
}

#[cfg(test)]
mod tests;
