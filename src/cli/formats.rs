//! One report in the format that was asked for.

use std::io::{self, Write};

use obit::render::exchange::{self, Item};
use obit::render::{self, PageOptions};
use obit::report::{self, Report};

use super::args::Format;
use super::exit::Exit;
use super::failure::Failure;
use super::view::View;

/// The formats of what is no report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plain {
    /// For a person.
    Text,
    /// For a program, in one document.
    Json,
    /// For a program, a document a line.
    Lines,
}

/// Which of them was asked for.
pub(crate) fn plain(format: Format) -> Result<Plain, Failure> {
    match format {
        Format::Human => Ok(Plain::Text),
        Format::Json => Ok(Plain::Json),
        Format::Ndjson => Ok(Plain::Lines),
        _ => {
            let problem = "this is written as text or JSON: leave --format away, or give --json";
            Err(Failure::new(Exit::Usage, &problem))
        }
    }
}

/// The formats of lists of groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listed {
    /// For a person.
    Text,
    /// For a program, in one document.
    Json,
    /// For a program, a group a line.
    Lines,
    /// For a spreadsheet.
    Csv,
    /// For a ticket.
    Markdown,
}

/// Which of them was asked for.
pub(crate) fn listed(format: Format) -> Result<Listed, Failure> {
    match format {
        Format::Human => Ok(Listed::Text),
        Format::Json => Ok(Listed::Json),
        Format::Ndjson => Ok(Listed::Lines),
        Format::Csv => Ok(Listed::Csv),
        Format::Markdown => Ok(Listed::Markdown),
        _ => {
            let problem = "groups are written as human, json, ndjson, csv or markdown";
            Err(Failure::new(Exit::Usage, &problem))
        }
    }
}

/// Writes `report`. A view is of the page alone; the other formats are always whole.
pub(crate) fn write(
    out: &mut dyn Write,
    report: &Report,
    format: Format,
    view: View,
    page: &PageOptions,
) -> io::Result<()> {
    let item = [Item::of(report)];
    match (format, view) {
        (Format::Json | Format::Ndjson, _) => report::write_json(report, out),
        (Format::Human, View::Page) => render::write_page(out, report, page),
        (Format::Human, View::Summary) => render::write_summary(out, report, page),
        (Format::Human, View::Modules) => render::write_modules(out, report, page),
        (Format::Human, View::Signature { explained }) => {
            render::write_signature(out, report, explained, page)
        }
        (Format::Html, _) => render::write_html(out, report),
        (Format::Brief, _) => render::write_brief(out, report),
        // Refused before anything is read.
        (Format::Csv, _) => Ok(()),
        (Format::Markdown, _) => render::write_markdown(out, report, page),
        (Format::Sarif, _) => exchange::write_sarif(out, &item),
        (Format::Junit, _) => exchange::write_junit(out, &item),
        (Format::Sentry, _) => exchange::write_sentry(out, &item),
        (Format::Github, _) => exchange::write_github(out, &item),
        (Format::Gitlab, _) => exchange::write_gitlab(out, &item),
    }
}
