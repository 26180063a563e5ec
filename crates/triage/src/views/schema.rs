//! JSON Schemas of reports on many crashes, generated from their types.

use std::io;

use super::builds::Builds;
use super::detail::GroupDetail;
use super::difference::Difference;
use super::event::CrashEvent;
use super::summary::{GroupSummary, Overview};
use crate::differ;
use crate::record::Record;
use crate::shard::ShardHead;
use obit_report::write_schema_of;

/// What has a schema, beside the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Document {
    /// A line of `obit list`.
    Record,
    /// `obit top --json`.
    Top,
    /// A line of `obit top --format ndjson`.
    Group,
    /// `obit show GROUP --json`.
    Show,
    /// `obit diff --json`.
    Diff,
    /// `obit builds --json`.
    Builds,
    /// What `obit watch` hands to programs.
    Event,
    /// `obit differ GROUP --json`.
    Differ,
    /// The first line of `obit triage --emit ndjson`.
    Shard,
}

/// Writes the JSON Schema of a document, indented, and a newline.
///
/// # Errors
/// Those of `out`.
pub fn write_schema(document: Document, out: impl io::Write) -> io::Result<()> {
    match document {
        Document::Record => write_schema_of::<Record>(out),
        Document::Top => write_schema_of::<Overview>(out),
        Document::Group => write_schema_of::<GroupSummary>(out),
        Document::Show => write_schema_of::<GroupDetail>(out),
        Document::Builds => write_schema_of::<Builds>(out),
        Document::Diff => write_schema_of::<Difference>(out),
        Document::Event => write_schema_of::<CrashEvent>(out),
        Document::Differ => write_schema_of::<differ::Difference>(out),
        Document::Shard => write_schema_of::<ShardHead>(out),
    }
}
