//! One core of many.

use std::path::Path;

use sha2::{Digest, Sha256};

use crate::dump::OpenError;
use crate::process::{Options, Process};
use crate::redact::{Origin, Redactor};
use crate::report::{self, BuildOptions, CoreReport};
use crate::triage::{FileFacts, Reason, Record, Rules};

/// What is to be said of the core at `path`, whatever it is.
pub fn analyze(
    path: &Path,
    time: Option<i64>,
    options: Options,
    build: BuildOptions,
    rules: &Rules,
) -> Record {
    match Process::open(path, options, &()) {
        Ok(process) => {
            let report = report::build(&process, build);
            let facts = FileFacts { dump: report.id.clone(), time, host: None };
            Record::of(report, facts, rules)
        }
        Err(error) => {
            let mut redactor = Redactor::new(build.redaction, "");
            let shown = redactor.show(Origin::Path, &path.to_string_lossy());
            let digest = Sha256::digest(path.as_os_str().as_encoded_bytes());
            let digest: String = digest.iter().take(8).map(|b| format!("{b:02x}")).collect();
            let facts = FileFacts { dump: format!("file-{digest}"), time, host: None };
            let text = redactor.show(Origin::Path, &error.to_string());
            let reason = Reason { code: code(&error).to_owned(), text };
            Record::failed(CoreReport { path: shown, ..CoreReport::default() }, facts, reason)
        }
    }
}

fn code(error: &OpenError) -> &'static str {
    match error {
        OpenError::Io { .. } => "unreadable",
        OpenError::Empty { .. } => "empty",
        _ => "not-a-core",
    }
}
