//! What the tables of the store hold of a record.

use serde::{Deserialize, Serialize};

use crate::groups::CrashKey;
use crate::history::{is_local_path, version_of_path};
use crate::record::{Reason, Record, RecordStatus};
use crate::signature::module_name;
use obit_redact::without_digests;
use obit_report::{Confidence, NoticeCode};

/// What the tables hold of a record, beside its body.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RecordHead {
    /// See [`Record::dump`].
    pub dump: String,
    /// See [`Record::id`].
    pub crash: String,
    /// Whether the core could be read.
    pub status: RecordStatus,
    /// Why it could not.
    pub reason: Option<Reason>,
    /// Where the core was, redacted.
    pub path: String,
    /// Whether the core was read and is not cut, and no server failed that may have had its
    /// files.
    pub is_complete: bool,
    /// Whether a server failed: reading the same file again may give more.
    pub servers_failed: bool,
    /// When the process crashed, seconds since 1970.
    pub time: Option<i64>,
    pub(crate) host: Option<String>,
    /// `None` where the core could not be read.
    pub(crate) build: Option<BuildHead>,
    pub(super) key: Option<CrashKey>,
    #[serde(deserialize_with = "obit_report::class_name::current_if_any")]
    pub(crate) class: Option<String>,
    pub(crate) severity: Option<String>,
    pub(crate) confidence: Option<Confidence>,
    /// Image of the frame to blame.
    pub(crate) module: Option<String>,
    /// How much was hidden of it: a word of `obit_redact::Level`.
    pub(super) level: Option<String>,
    pub(super) pid: Option<i64>,
    /// Which thread crashed, and at which address.
    pub(super) crashed_at: Option<(i64, u64)>,
}

/// The build of the crashed program.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct BuildHead {
    /// Its build ID; empty where it has none.
    pub(crate) id: String,
    pub(crate) program: String,
    pub(crate) version: Option<String>,
    pub(crate) variant: Option<String>,
    /// Whether its path is one where people build and try programs.
    pub(crate) is_local: bool,
}

impl RecordHead {
    pub(crate) fn of(record: &Record) -> Self {
        let is_ok = record.status == RecordStatus::Ok;
        let mut notices = record.notices.iter();
        let servers_failed = notices.any(|notice| notice.code == NoticeCode::DebuginfodFailed);
        let cause = record.cause.as_ref();
        let blamed = cause.and_then(|cause| cause.blame.as_ref()).and_then(|blame| blame.frame);
        let crashed = record.threads.iter().find(|thread| thread.crashed);
        let frame = crashed.and_then(|thread| {
            let mut frames = thread.frames.iter();
            frames.find(|frame| blamed.is_none_or(|blamed| frame.index == blamed))
        });
        let module = frame.and_then(|frame| frame.module.as_ref());
        Self {
            dump: record.dump.clone(),
            crash: record.id.clone(),
            status: record.status,
            reason: record.reason.clone(),
            path: record.core.path.as_str().to_owned(),
            is_complete: is_ok && !record.core.truncated && !servers_failed,
            servers_failed,
            time: record.time,
            host: record.host.as_ref().map(|host| host.as_str().to_owned()),
            build: is_ok.then(|| BuildHead::of(record)),
            key: CrashKey::of(record),
            class: cause.map(|cause| cause.class.clone()),
            severity: cause.and_then(|cause| cause.severity.clone()),
            confidence: cause.map(|cause| cause.confidence),
            module: module.map(|module| module_name(module.path.as_str())),
            level: Some(record.redactions.policy.clone()).filter(|policy| !policy.is_empty()),
            pid: record.process.pid,
            crashed_at: crashed.and_then(|thread| Some((thread.tid, thread.frames.first()?.pc.0))),
        }
    }
}

impl BuildHead {
    fn of(record: &Record) -> Self {
        let process = &record.process;
        let program = process.exe.as_ref().map(|exe| module_name(exe.as_str()));
        let program = program.or_else(|| {
            process.comm.as_ref().map(|comm| without_digests(comm.as_str()).into_owned())
        });
        // What a file at the path holds now says nothing of what ran then.
        let package = process.package.as_ref().filter(|_| !process.build_id_of_file);
        let build_id = process.build_id.clone().filter(|_| !process.build_id_of_file);
        let version = package.and_then(|package| package.version.as_ref());
        let by_path = process.exe.as_ref().and_then(|exe| version_of_path(exe.as_str()));
        let (by_path, variant) = by_path.map_or((None, None), |named| {
            let variant = Some(named.variant).filter(|variant| !variant.is_empty());
            (Some(named.version), variant)
        });
        Self {
            id: build_id.unwrap_or_default(),
            program: program.unwrap_or_default(),
            version: version.map(|version| version.as_str().to_owned()).or(by_path),
            variant,
            is_local: process.exe.as_ref().is_some_and(|exe| is_local_path(exe.as_str())),
        }
    }
}
