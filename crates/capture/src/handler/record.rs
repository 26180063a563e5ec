//! What is kept of a crash beside its core.

use serde::{Deserialize, Serialize};

use super::{End, ProcessFacts};

/// The form of the record; a number is added when the meaning of a field changes.
const SCHEMA: &str = "obit-capture/1";

/// A captured crash: the content of `ID.json`.
///
/// Texts are as the process and the kernel had them: who prints them redacts and escapes them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrashRecord {
    /// The form: `obit-capture/1`.
    pub schema: String,
    /// `comm-time-pid`.
    pub id: String,
    /// Seconds since 1970.
    pub time: i64,
    /// The process, in the initial pid namespace.
    pub process: i32,
    /// The thread that crashed; the socket does not say which.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub thread: Option<i32>,
    /// The signal; the socket says it since Linux 6.19.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub signal: Option<i32>,
    /// The host name, of the container where it has one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub host: Option<String>,
    /// What the kernel knows of the process.
    pub facts: ProcessFacts,
    /// What was stored of the core.
    pub core: CoreRecord,
}

/// What was stored of a core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoreRecord {
    /// Bytes of the core.
    pub bytes: u64,
    /// Bytes of the compressed file.
    pub packed_bytes: u64,
    /// Why it ends there.
    pub end: End,
    /// Who may read it; `None` is root alone, or the user of the handler.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub owner: Option<u32>,
}

impl CrashRecord {
    /// The form of a new record.
    pub(crate) fn schema() -> String {
        SCHEMA.to_owned()
    }

    /// The name of the process, for names and lines.
    pub fn name(&self) -> &str {
        self.facts.comm.as_deref().unwrap_or("unknown")
    }
}
