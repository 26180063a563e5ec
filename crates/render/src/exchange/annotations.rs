//! Annotations of code in CI: GitHub's workflow commands, GitLab's code quality report.

use std::io;

use serde_json::{Value, json};

use super::Item;
use super::place::File;
use crate::gist::{self, Place};
use crate::visible;
use obit_report::write_json_line;

/// Writes an `::error` command for each of `items`, as GitHub Actions reads it from a
/// step's output. Groups that are mended or ignored have none.
///
/// # Errors
/// Those of `out`.
pub fn write_github(out: &mut dyn io::Write, items: &[Item<'_>]) -> io::Result<()> {
    for item in items.iter().filter(|item| item.is_open()) {
        let place = Place::of(item.report);
        let mut properties = Vec::new();
        if let Some(source) = place.source {
            properties.push(format!("file={}", property(&File::of(source).shown())));
            properties.extend(source.line.map(|line| format!("line={line}")));
            properties.extend(source.column.map(|column| format!("col={column}")));
        }
        let title = match &place.function {
            Some(function) => format!("{} in {function}", gist::kind(item.report)),
            None => gist::kind(item.report),
        };
        properties.push(format!("title={}", property(&title)));
        writeln!(out, "::error {}::{}", properties.join(","), data(&message(item)))?;
    }
    Ok(())
}

/// Writes GitLab's code quality report. Groups that are mended or ignored have no issue.
///
/// # Errors
/// Those of `out`.
pub fn write_gitlab(out: &mut dyn io::Write, items: &[Item<'_>]) -> io::Result<()> {
    let issues: Vec<Value> = items.iter().filter(|item| item.is_open()).filter_map(issue).collect();
    write_json_line(&issues, out)
}

/// GitLab shows no issue without a place.
fn issue(item: &Item<'_>) -> Option<Value> {
    let report = item.report;
    let source = Place::of(report).source?;
    let signature = report.signature.as_ref().map(|signature| signature.id.as_str());
    let group = item.group.as_ref().map(|group| group.summary.id.as_str());
    let severity = match report.cause.as_ref().and_then(|cause| cause.severity.as_deref()) {
        Some("high") => "blocker",
        Some("medium") => "critical",
        _ => "major",
    };
    Some(json!({
        "description": message(item),
        "check_name": gist::class(report).unwrap_or_else(|| "crash".to_owned()),
        "fingerprint": visible(group.or(signature).unwrap_or(&report.id)),
        "severity": severity,
        "location": {
            "path": File::of(source).shown(),
            "lines": {"begin": source.line.unwrap_or(1)},
        },
    }))
}

fn message(item: &Item<'_>) -> String {
    let sentence = gist::sentence(item.report);
    let id = visible(&item.report.id);
    match &item.group {
        Some(group) => {
            format!("{sentence} ({}; group {}) [{id}]", group.numbers(), group.id())
        }
        None => format!("{sentence} [{id}]"),
    }
}

/// GitHub's escapes in what follows the colons.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Its escapes in a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
