//! The document: all that leaves an analysis. Renderers, stores and other people's
//! programs read it and nothing else. Names and nesting are a promise (`docs/report.md`):
//! additive only within a schema version, and every field is optional to the reader.
//!
//! The root has what a report is made of, from [`Report`] down. Beside it: [`json`] writes
//! and reads documents, [`Portions`] are threads that were written before the rest, [`module`]
//! has the loaded images, [`memory`] the address space, [`answer`] the documents of single
//! questions, [`class_name`] the names of causes.
//!
//! Not for: finding anything out. A report states what `obit` found.
//!
//! ```
//! use obit_report::{Cause, Report, json};
//!
//! let cause = Cause { class: "null-read".to_owned(), ..Cause::default() };
//! let mut document = Vec::new();
//! json::write_report(&Report { cause: Some(cause), ..Report::default() }, &mut document)?;
//!
//! let report = json::read_report(&document)?;
//! assert_eq!(report.cause.map(|cause| cause.class).as_deref(), Some("null-read"));
//! # Ok::<(), std::io::Error>(())
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

pub mod answer;
mod cause;
pub mod class_name;
pub mod heap;
mod hex;
pub mod json;
pub mod memory;
pub mod module;
mod notice;
mod owner;
mod portions;
#[cfg(feature = "schema")]
mod schema;
mod stack;
mod subject;
mod tighten;
mod variable;
mod words;

pub use cause::{
    Blame, Cause, Confidence, Decision, DecisionAction, Evidence, EvidenceKind, Finding,
    LockReport, Signature,
};
pub use hex::Hex;
pub use notice::{LOOKED_FOR, NoticeCode, NoticeReport};
pub use obit_causes::Severity;
pub use portions::{Portions, Rest, write_with};
#[cfg(feature = "schema")]
pub use schema::{write_schema, write_schema_of};
pub use stack::{
    FrameKind, FrameReport, FrameTrust, InstructionReport, ModulePlace, SourceLine, SourcePlace,
    SourceValue, ThreadReport, Truncated,
};
pub use subject::{
    Circumstances, Collector, CoreReport, Package, ProcessReport, Recorded, SignalReport,
    TimeSource,
};
pub use variable::{Variable, VariableStatus, VariableValue};
pub use words::Pointees;

use std::collections::BTreeMap;

use memory::MemoryReport;
use module::ModuleReport;
use obit_redact::Shown;
use serde::{Deserialize, Serialize};

/// The version of the contract this library writes.
pub const SCHEMA: &str = "obit.report/1";

/// Why a process crashed, and all that is known about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Report {
    /// `obit.report/1`.
    pub schema: String,
    /// What wrote the report.
    pub obit: Tool,
    /// The crash's name: `obit-` and 16 hexadecimal digits, derived from the core alone.
    pub id: String,
    /// The core file.
    pub core: CoreReport,
    /// The crashed process.
    pub process: ProcessReport,
    /// When and where that was.
    pub circumstances: Circumstances,
    /// What killed it.
    pub signal: Option<SignalReport>,
    /// Why, as far as it can be said.
    pub cause: Option<Cause>,
    /// What crashes of the same cause have in common.
    pub signature: Option<Signature>,
    /// Every thread, in the core's order.
    pub threads: Vec<ThreadReport>,
    /// Every image that was loaded, by address.
    pub modules: Vec<ModuleReport>,
    /// What was mapped where, if that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<MemoryReport>,
    /// What else is wrong in the process.
    pub findings: Vec<Finding>,
    /// What was hidden from this report.
    pub redactions: Redactions,
    /// What could not be known, and how to fix that.
    pub notices: Vec<NoticeReport>,
}

/// The program that wrote a report.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Tool {
    /// Its version.
    pub version: String,
}

/// What was hidden.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Redactions {
    /// `default`, `strict` or `off`.
    pub policy: String,
    /// How often a text of each kind was hidden.
    pub counts: BTreeMap<String, u64>,
    /// The sum of `counts`.
    pub total: u64,
    /// Which rules were in force.
    pub rules: RedactionRules,
    /// The user's rules that matched nothing in this report, by file and line.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unused_rules: Vec<Shown>,
}

/// The rules by which a report was redacted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct RedactionRules {
    /// The version of the built-in rules. Empty in reports of before it was recorded.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// SHA-256 of the user's file of rules, in hexadecimal; of several files, SHA-256 of a line
    /// with the digest of each. Absent if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_sha256: Option<String>,
}

impl Default for Report {
    fn default() -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            obit: Tool { version: env!("CARGO_PKG_VERSION").to_owned() },
            id: String::new(),
            core: CoreReport::default(),
            process: ProcessReport::default(),
            circumstances: Circumstances::default(),
            signal: None,
            cause: None,
            signature: None,
            threads: Vec::new(),
            modules: Vec::new(),
            memory: None,
            findings: Vec::new(),
            redactions: Redactions::default(),
            notices: Vec::new(),
        }
    }
}

impl Report {
    /// The thread that brought the process down.
    pub fn crashed_thread(&self) -> Option<&ThreadReport> {
        self.threads.iter().find(|thread| thread.crashed)
    }

    /// Whether nothing crashed: the process lived, and was stopped for the core (`obit
    /// snapshot`, gdb's `gcore`).
    pub fn is_snapshot(&self) -> bool {
        const ONLY_STOP: [&str; 4] = ["SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU"];
        self.signal.as_ref().is_some_and(|signal| ONLY_STOP.contains(&signal.name.as_str()))
    }

    /// The thread of the frame that is to blame for certain, else the one that crashed.
    pub fn thread_to_blame(&self) -> Option<&ThreadReport> {
        let blame = self.cause.as_ref().and_then(|cause| cause.blame.as_ref());
        let proved = blame.filter(|blame| blame.confidence == Confidence::Proved);
        let proved = proved.and_then(|blame| blame.thread);
        let proved = proved.and_then(|tid| self.threads.iter().find(|thread| thread.tid == tid));
        proved.or_else(|| self.crashed_thread())
    }

    /// Whether the process that read the core ended before the report was complete.
    pub fn has_ended_early(&self) -> bool {
        self.notices.iter().any(|notice| notice.code == NoticeCode::AnalysisEnded)
    }

    /// Whether something that belongs to a full report is missing from this one.
    pub fn is_incomplete(&self) -> bool {
        self.notices.iter().any(|notice| notice.code.is_incompleteness())
    }
}
