//! GitLab's code quality report.

use std::io;

use serde_json::{Value, json};

use super::source_file::SourceFile;
use super::{Format, Item, LogCommands};
use crate::summary::{self, Location};
use crate::visible;
use obit_report::{Severity, json};

pub(super) const GITLAB: Format = Format {
    about: "A code quality report for GitLab",
    log_commands: LogCommands::Json,
    items: Some(write_gitlab),
    ..Format::new("gitlab", "json")
};

/// Writes GitLab's code quality report. Groups that are resolved or ignored have no issue.
fn write_gitlab(out: &mut dyn io::Write, items: &[Item<'_>]) -> io::Result<()> {
    let issues: Vec<Value> = items.iter().filter(|item| item.is_open()).filter_map(issue).collect();
    json::write_line(&issues, out)
}

/// GitLab shows no issue without a place.
fn issue(item: &Item<'_>) -> Option<Value> {
    let report = item.report;
    let source = Location::of(report).source?;
    let signature = report.signature.as_ref().map(|signature| signature.id.as_str());
    let group = item.group.as_ref().map(|group| group.summary.id.as_str());
    let word = report.cause.as_ref().and_then(|cause| cause.severity.as_deref());
    let severity = match word.and_then(Severity::named) {
        Some(Severity::High) => "blocker",
        Some(Severity::Medium) => "critical",
        Some(Severity::Low | Severity::Info) | None => "major",
    };
    Some(json!({
        "description": item.message(),
        "check_name": summary::class(report).unwrap_or_else(|| "crash".to_owned()),
        "fingerprint": visible(group.or(signature).unwrap_or(&report.id)),
        "severity": severity,
        "location": {
            "path": SourceFile::of(source).shown(),
            "lines": {"begin": source.line.unwrap_or(1)},
        },
    }))
}
