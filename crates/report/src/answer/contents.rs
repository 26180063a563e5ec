//! What the memory of a crashed process holds besides its state: `obit memory`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{is_false, is_zero};
use crate::Hex;
use obit_redact::Shown;

/// What the process was about to write and to answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Contents {
    /// `obit.memory/1`.
    pub schema: String,
    /// The crash's name.
    pub id: String,
    /// How much is hidden: `default`, `strict` or `off`.
    pub policy: String,
    /// Output that never left the process.
    pub unwritten: UnwrittenOutput,
    /// Requests and statements that the crashed thread was working on, the likeliest first.
    pub in_flight: Vec<InFlight>,
    /// What may be missing of them.
    pub in_flight_notes: Vec<Shown>,
    /// Lines of the logs that were given and what the core knows, in the order of time.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub timeline: Vec<TimelineEntry>,
    /// What is to be known of the logs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub log_notes: Vec<Shown>,
}

/// Output that never left the process.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct UnwrittenOutput {
    /// Writers that hold bytes which were not written.
    pub writers: Vec<UnwrittenWriter>,
    /// Writers that were looked at, by kind.
    pub looked_at: BTreeMap<String, u64>,
    /// What could not be looked at.
    pub notes: Vec<Shown>,
}

/// A writer that holds bytes which were not written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct UnwrittenWriter {
    /// `c-stream`, `wide-c-stream`, `cpp-stream`, `rust-bufwriter`, `tokio-bufwriter`,
    /// `go-writer`, `python-buffer` or `python-text`.
    pub kind: String,
    /// What it is called in its language.
    pub name: String,
    /// Where it is.
    pub address: Hex,
    /// The descriptor that it writes to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub descriptor: Option<i64>,
    /// The file, where the writer or what was recorded with the core knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<Shown>,
    /// Bytes that were not written.
    pub bytes: u64,
    /// The lines, in their order.
    pub lines: Vec<UnwrittenLine>,
    /// Lines, or parts of them, before these that are not shown.
    #[serde(skip_serializing_if = "is_zero")]
    pub omitted_lines: u64,
    /// Bytes before these that are not shown.
    #[serde(skip_serializing_if = "is_zero")]
    pub omitted_bytes: u64,
    /// The first line may be the end of one whose beginning was written.
    pub first_may_continue: bool,
    /// What may be wrong with that.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<Shown>,
}

/// A line that was not written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct UnwrittenLine {
    /// `never-written`, or `unsure` where some or all of the bytes may have been written or be of something else: `doubts` says why.
    pub state: String,
    /// Without its end.
    pub text: Shown,
    /// It has no end: more of it was to come.
    #[serde(skip_serializing_if = "is_false")]
    pub is_partial: bool,
}

/// A request or a statement that a thread was working on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct InFlight {
    /// `http`, `sql`, `redis`, `grpc` or `json-rpc`.
    pub kind: String,
    /// The request line, the statement, the command, the method.
    pub text: Shown,
    /// Header fields of a request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<Shown>,
    /// The text goes on.
    #[serde(skip_serializing_if = "is_false")]
    pub is_cut: bool,
    /// How it was found: `variable`, `frame`, `object` or `memory`, the most trusted first.
    pub trust: String,
    /// Where, in words.
    pub place: Shown,
    /// Of the text.
    pub address: Hex,
    /// Ids for joining: what each is, and the id.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<InFlightId>,
}

/// An id of a request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct InFlightId {
    /// `trace id`, `span id`, `request id`, …
    pub kind: String,
    /// The id.
    pub id: Shown,
}

/// An event around the crash.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct TimelineEntry {
    /// Nanoseconds since 1970; none where the line has no time of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<i64>,
    /// The time in words, as its source has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<Shown>,
    /// `start`, `log`, `unwritten` or `fault`.
    pub kind: String,
    /// The line, or what happened.
    pub text: Shown,
    /// The log that it is of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Shown>,
    /// The line's number in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The line goes on.
    #[serde(skip_serializing_if = "is_false")]
    pub is_cut: bool,
    /// What joins it to the crash: `pid`, `tid`, `trace id`, `time`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub joined_by: Vec<String>,
}
