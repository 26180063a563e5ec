//! A crash that was just stored, for programs that wait for one.

use std::io;

use serde::{Deserialize, Serialize};

use super::summary::GroupSummary;
use crate::history::Status;
use crate::record::Record;
use obit_report::json;

/// The version of an event's JSON.
pub const EVENT_SCHEMA: &str = "obit.event/1";

/// A dump that was added to the store, and what its group is with it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct CrashEvent {
    /// `obit.event/1`.
    pub schema: String,
    /// The same for each attempt to deliver the event, and for no other event of a store: a
    /// receiver that knows it has seen the event before.
    pub id: String,
    /// When the dump was stored: seconds since 1970.
    pub time: i64,
    /// The status of the group with the dump; nothing where the dump is in no group, as one
    /// that could not be read.
    pub status: Option<Status>,
    /// Dumps of the group that had the same status since the last event, and no event of their
    /// own, as the user asked for quiet.
    pub unreported: u64,
    /// The group, with the dump.
    pub group: Option<GroupSummary>,
    /// The dump.
    pub record: Record,
}

/// Writes the event as one line of JSON, safe to print, and a newline.
///
/// # Errors
/// Those of `out`.
pub fn write_event(event: &CrashEvent, out: impl io::Write) -> io::Result<()> {
    json::write_line(event, out)
}
