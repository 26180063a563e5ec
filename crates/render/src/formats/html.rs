//! A page for a browser.

use super::{Audience, Format, LogCommands};

pub(super) const HTML: Format = Format {
    about: "One self-contained page for a browser (see docs/html.md)",
    log_commands: LogCommands::AsIs,
    audience: Audience::Document,
    has_memory_map: true,
    has_more_code: true,
    digest: Some(crate::html::write_digest_html),
    report: Some(|out, report, _, _| crate::html::write_html(out, report)),
    contents: Some(|out, found, _| crate::html::write_contents_html(out, found)),
    heap: Some(|out, answer, _| crate::html::write_heap_html(out, answer)),
    tasks: Some(|out, found, _| crate::html::write_tasks_html(out, found)),
    incidents: Some(|out, found, _| crate::html::write_incidents_html(out, found)),
    ..Format::new("html", "html")
};
