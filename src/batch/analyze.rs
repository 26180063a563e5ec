//! One core of many.

use std::path::Path;

use super::code::Code;
use super::identity::{dump_id, file_id};
use crate::circumstances::FileEvidence;
use crate::report::{self, BuildOptions, CoreReport};
use obit_process::process::{Options, Process};
use obit_redact::{Origin, Redactor, Shown};
use obit_triage::{FileFacts, Reason, Record, Rules};

/// The record of the core at `path`, whatever it is.
pub fn analyze(path: &Path, options: Options, build: BuildOptions, rules: &Rules) -> Record {
    match Process::open(path, options, &()) {
        Ok(process) => {
            let evidence = FileEvidence::of(path);
            let host = host(&evidence, &build);
            let report = report::build(&process, build);
            let dump = dump_id(&process, &report.id);
            Record::of(report, FileFacts { dump, time: evidence.seconds(), host }, rules)
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
    let host = host(&evidence, build);
    let facts = FileFacts { dump: file_id(path), time: evidence.seconds(), host };
    Record::failed(core, facts, reason)
}

fn host(evidence: &FileEvidence, build: &BuildOptions) -> Option<Shown> {
    let mut redactor = Redactor::new(build.redaction, "").with_rules(build.rules.clone());
    Some(redactor.show(Origin::ProcessName, evidence.host.as_ref()?))
}
