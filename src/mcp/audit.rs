//! A line for each call: who asked for what, and how much was revealed.

use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

/// Where the lines go; nowhere unless the user says so.
pub(super) struct Audit(Option<Mutex<Box<dyn Write + Send>>>);

/// What is logged.
pub(super) struct Entry<'e> {
    pub(super) client: &'e str,
    pub(super) tool: &'e str,
    pub(super) arguments: &'e Value,
    pub(super) is_error: bool,
    /// Bytes of the answer.
    pub(super) bytes: usize,
    /// Tokens of hidden texts in it.
    pub(super) hidden: usize,
    pub(super) level: &'e str,
    pub(super) took: Duration,
}

impl Audit {
    pub(super) fn new(out: Option<Box<dyn Write + Send>>) -> Self {
        Self(out.map(Mutex::new))
    }

    /// Writes a line.
    ///
    /// # Errors
    /// It could not be written: then nothing is to be revealed.
    pub(super) fn log(&self, entry: &Entry<'_>) -> std::io::Result<()> {
        let Some(out) = &self.0 else { return Ok(()) };
        let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let line = json!({
            "schema": "obit.mcp-audit/1",
            "time": time.as_secs(),
            "client": entry.client,
            "tool": entry.tool,
            "arguments": entry.arguments,
            "outcome": if entry.is_error { "error" } else { "answered" },
            "bytes": entry.bytes,
            "hidden": entry.hidden,
            "redaction": entry.level,
            "milliseconds": u64::try_from(entry.took.as_millis()).unwrap_or(u64::MAX),
        });
        let mut out = out.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(out, "{line}")?;
        out.flush()
    }
}
