//! One core of many.

use std::path::Path;

use super::code::Code;
use super::identity::{dump_id, file_id};
use crate::circumstances::FileEvidence;
use crate::report::{self, BuildOptions, CoreReport};
use obit_process::process::{Options, Process};
use obit_redact::{Origin, Redactor};
use obit_triage::time::When;
use obit_triage::{FileFacts, Reason, Record, Rules};

/// The record of the core at `path`, whatever it is.
pub fn analyze(path: &Path, options: Options, build: BuildOptions, rules: &Rules) -> Record {
    match Process::open(path, options, &()) {
        Ok(process) => {
            let report = report::build(&process, build);
            let dump = dump_id(&process, &report.id);
            let known = &report.circumstances;
            let time = known.time.as_deref().and_then(|text| When::parse(text).ok());
            // A time that is stated does not count from now.
            let time = time.map(|time| time.seconds(0));
            let host = known.host.clone();
            Record::of(report, FileFacts { dump, time, host }, rules)
        }
        Err(error) => failed(path, &build, Code::of_open_error(&error), &error.to_string()),
    }
}

/// The record of a file of which there is no report, `why` in a sentence.
pub fn failed(path: &Path, build: &BuildOptions, code: Code, why: &str) -> Record {
    let mut redactor = Redactor::new(build.redaction, "").with_rules(build.rules.clone());
    let core = CoreReport {
        path: redactor.show(Origin::Path, &path.to_string_lossy()),
        size: path.metadata().map(|metadata| metadata.len()).unwrap_or(0),
        ..CoreReport::default()
    };
    let text = redactor.show(Origin::Path, why);
    let reason = Reason { code: code.word().to_owned(), text };
    let evidence = FileEvidence::of(path);
    let host = evidence.host.as_ref().map(|host| redactor.show(Origin::ProcessName, host));
    let facts = FileFacts { dump: file_id(path), time: evidence.seconds(), host };
    Record::failed(core, facts, reason)
}
