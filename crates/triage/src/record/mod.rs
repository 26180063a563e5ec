//! One core among many, in one line.

use std::io;

use serde::{Deserialize, Serialize};

use crate::signature::Rules;
use obit_redact::{Level, Origin, Redactor, Shown};
use obit_report::module::ModuleReport;
use obit_report::{
    Cause, Circumstances, CoreReport, Finding, NoticeReport, ProcessReport, Redactions, Report,
    SignalReport, Signature, ThreadReport, Tool, json,
};

/// The version of the record this library writes.
pub const RECORD_SCHEMA: &str = "obit.record/1";

/// Frames of the crashed thread that a record keeps.
const FRAMES: usize = 64;
/// Innermost of them that keep their variables.
pub const WITH_VARIABLES: usize = 8;

/// Functions of the program that a record names.
const FUNCTIONS: usize = 8;

/// What a batch says of one core: the report without what only one reader of that one
/// crash would want, or the reason why there is none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Record {
    /// `obit.record/1`.
    pub schema: String,
    /// Whether the core could be read.
    pub status: RecordStatus,
    /// Why it could not.
    pub reason: Option<Reason>,
    /// The group it belongs to, where there is a store or the whole batch is known.
    pub group: Option<String>,
    /// The content's name: the same for copies of the core, and for compressed ones.
    pub dump: String,
    /// When the process crashed: seconds since 1970, as the file's name or its time says.
    pub time: Option<i64>,
    /// Where, if that is known.
    pub host: Option<Shown>,
    /// What wrote the record.
    pub obit: Tool,
    /// The crash's name; see [`Report::id`]. Empty where the core could not be read.
    pub id: String,
    /// The core file.
    pub core: CoreReport,
    /// The crashed process.
    pub process: ProcessReport,
    /// When and where it crashed.
    pub circumstances: Circumstances,
    /// What killed it.
    pub signal: Option<SignalReport>,
    /// Why.
    pub cause: Option<Cause>,
    /// What crashes of the same cause have in common.
    pub signature: Option<Signature>,
    /// Functions of the program on the crashed stack, innermost first, by normal name.
    pub frames: Vec<Shown>,
    /// Which of them the cause is in, if that is known; a normal name.
    pub blamed: Option<Shown>,
    /// The crashed thread, and the one to blame where that is another.
    pub threads: Vec<ThreadReport>,
    /// The program, and what is on those threads' stacks.
    pub modules: Vec<ModuleReport>,
    /// What else is wrong in the process.
    pub findings: Vec<Finding>,
    /// What was hidden.
    pub redactions: Redactions,
    /// What could not be known.
    pub notices: Vec<NoticeReport>,
}

/// Whether a core could be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum RecordStatus {
    /// There is a report.
    Ok,
    /// There is none.
    #[default]
    Failed,
}

/// Why a core could not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Reason {
    /// A word of a documented list; see docs/triage.md.
    pub code: String,
    /// In words.
    pub text: Shown,
}

/// What the file and its name say beside its content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileFacts {
    /// The content's name; see [`Record::dump`].
    pub dump: String,
    /// When the process crashed.
    pub time: Option<i64>,
    /// Where.
    pub host: Option<Shown>,
}

/// A record or a report with the fields that both have, taken from the other; and the rest.
macro_rules! with_fields_of {
    ($from:ident, $to:ident { $($rest:tt)* }) => {
        $to {
            obit: $from.obit,
            id: $from.id,
            core: $from.core,
            process: $from.process,
            circumstances: $from.circumstances,
            signal: $from.signal,
            cause: $from.cause,
            signature: $from.signature,
            threads: $from.threads,
            modules: $from.modules,
            findings: $from.findings,
            redactions: $from.redactions,
            notices: $from.notices,
            $($rest)*
        }
    };
}

impl Default for Record {
    fn default() -> Self {
        let report = Report::default();
        with_fields_of!(
            report,
            Record {
                schema: RECORD_SCHEMA.to_owned(),
                status: RecordStatus::default(),
                reason: None,
                group: None,
                dump: String::new(),
                time: None,
                host: None,
                frames: Vec::new(),
                blamed: None,
            }
        )
    }
}

impl Record {
    /// Of a core that could be read.
    pub fn of(mut report: Report, facts: FileFacts, rules: &Rules) -> Self {
        report.signature = report.signature.take().or_else(|| rules.signature(&report));
        let program = rules.program(&report, FUNCTIONS);
        let blamed = report.thread_to_blame().map(|thread| thread.tid);
        report.threads.retain(|thread| thread.crashed || Some(thread.tid) == blamed);
        report.threads.iter_mut().for_each(shorten);
        report.modules.retain(|module| is_on_stack(module, &report.threads));
        with_fields_of!(
            report,
            Record {
                status: RecordStatus::Ok,
                dump: facts.dump,
                time: facts.time,
                host: facts.host,
                frames: program.functions.into_iter().map(Shown::from_report).collect(),
                blamed: program.blamed.map(Shown::from_report),
                ..Self::default()
            }
        )
    }

    /// Of a file that could not be read as a core; its texts were redacted at `level`.
    pub fn failed(core: CoreReport, facts: FileFacts, reason: Reason, level: Level) -> Self {
        Self {
            status: RecordStatus::Failed,
            reason: Some(reason),
            dump: facts.dump,
            time: facts.time,
            host: facts.host,
            core,
            redactions: Redactions { policy: level.word().to_owned(), ..Redactions::default() },
            ..Self::default()
        }
    }

    /// Hides what `redactor` hides beyond what is hidden already.
    pub fn tighten(&mut self, redactor: &mut Redactor) {
        if redactor.level() <= self.redactions.level() {
            return;
        }
        let mut show = |origin, text: &mut Shown| *text = redactor.show(origin, text.as_str());
        self.host.iter_mut().for_each(|host| show(Origin::ProcessName, host));
        let names = self.frames.iter_mut().chain(&mut self.blamed);
        names.for_each(|name| show(Origin::SymbolName, name));
        self.reason.iter_mut().for_each(|reason| show(Origin::OwnWords, &mut reason.text));
        let Self { schema, status, reason, group, dump, time, host, frames, blamed, .. } =
            self.clone();
        let mut report = std::mem::take(self).into_report();
        report.tighten(redactor);
        *self = with_fields_of!(
            report,
            Self { schema, status, reason, group, dump, time, host, frames, blamed }
        );
    }

    /// The report again, as far as it was kept.
    pub fn into_report(self) -> Report {
        with_fields_of!(self, Report { ..Report::default() })
    }
}

/// Writes `record` as one line of JSON, safe to print, and a newline.
///
/// # Errors
/// Those of `out`.
pub fn write_record(record: &Record, out: impl io::Write) -> io::Result<()> {
    json::write_line(record, out)
}

/// Reads a record back. Unknown fields are ignored, missing ones take their defaults.
///
/// # Errors
/// When `bytes` is not JSON, or a known field has another type.
pub fn read_record(bytes: &[u8]) -> io::Result<Record> {
    Ok(serde_json::from_slice(bytes)?)
}

fn shorten(thread: &mut ThreadReport) {
    thread.frames.truncate(FRAMES);
    for frame in thread.frames.iter_mut().skip(WITH_VARIABLES) {
        frame.args.clear();
        frame.locals.clear();
    }
}

fn is_on_stack(module: &ModuleReport, threads: &[ThreadReport]) -> bool {
    let mut places = threads.iter().flat_map(|thread| &thread.frames);
    module.role == obit_report::module::ModuleRole::Executable
        || places.any(|f| f.module.as_ref().is_some_and(|place| place.path == module.path))
}
