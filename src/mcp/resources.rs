//! Resources: the reports on the cores that are open.

use serde_json::{Value, json};

use crate::session::Overview;
use obit_render::formats::ReportView;
use obit_render::{Format, PageOptions};
use obit_report::Report;

/// Bytes of a resource.
const LONGEST: usize = 2 << 20;

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum As {
    Json,
    Markdown,
}

/// The reports, two of each core.
pub(super) fn list(open: &[Overview]) -> Value {
    let of = |core: &Overview| {
        let (handle, id) = (&core.core, &core.id);
        [("json", "application/json"), ("md", "text/markdown")].map(|(end, kind)| {
            json!({
                "uri": format!("obit://{handle}/report.{end}"),
                "name": format!("report-{handle}.{end}"),
                "title": format!("Report on {id}"),
                "mimeType": kind,
            })
        })
    };
    open.iter().flat_map(of).collect()
}

/// Their addresses.
pub(super) fn templates() -> Value {
    json!([
        {
            "uriTemplate": "obit://{core}/report.json", "name": "report",
            "title": "The whole report on a core", "mimeType": "application/json",
        },
        {
            "uriTemplate": "obit://{core}/report.md", "name": "page",
            "title": "The report for people", "mimeType": "text/markdown",
        },
    ])
}

/// The core and the form that an address names.
pub(super) fn parse(uri: &str) -> Option<(&str, As)> {
    let (core, name) = uri.strip_prefix("obit://")?.split_once('/')?;
    let number = core.strip_prefix('c')?;
    number.parse::<u64>().ok()?;
    match name {
        "report.json" => Some((core, As::Json)),
        "report.md" => Some((core, As::Markdown)),
        _ => None,
    }
}

/// A report as it is read; why not, otherwise.
pub(super) fn content(uri: &str, report: &Report, how: As) -> Result<Value, String> {
    let mut text = Vec::new();
    let (name, kind) = match how {
        As::Json => ("json", "application/json"),
        As::Markdown => ("markdown", "text/markdown"),
    };
    let writer = Format::named(name).and_then(Format::report);
    let writer = writer.ok_or_else(|| format!("no format {name}"))?;
    let page = PageOptions::default();
    writer.write(&mut text, report, ReportView::Page, &page).map_err(|error| error.to_string())?;
    if text.len() > LONGEST {
        return Err(format!(
            "the report has {} bytes; ask for parts of it with `why`, `stack`, `variables`",
            text.len()
        ));
    }
    let text = String::from_utf8_lossy(&text).into_owned();
    Ok(json!({ "contents": [{ "uri": uri, "mimeType": kind, "text": text }] }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_name_a_core_and_a_form_and_nothing_else() {
        assert_eq!(parse("obit://c1/report.md"), Some(("c1", As::Markdown)));
        for uri in [
            "",
            "obit://c1",
            "obit://c1/report",
            "obit:///etc/passwd",
            "file:///c1/report.md",
            "obit://cx/report.md",
            "obit://c1/../report.md",
        ] {
            assert_eq!(parse(uri), None, "{uri}");
        }
    }
}
