//! What is known of a core before its memory and its program are read.

use std::os::unix::ffi::OsStrExt;

use super::build::{self, redactions};
use super::{BuildOptions, NoticeCode, NoticeReport, ProcessReport, Report, SCHEMA, Tool};
use obit_corefile::dump::Dump;
use obit_redact::{Level, Origin, Redactor};

/// The core, the process and the signal of `dump`, as its notes have them.
pub fn known(dump: &Dump, options: &BuildOptions) -> Report {
    let mut redactor = Redactor::new(options.redaction, "").with_rules(options.rules.clone());
    let info = dump.process.as_ref();
    let process = ProcessReport {
        pid: info.map(|info| info.pid),
        ppid: info.and_then(|info| info.parent),
        uid: info.and_then(|info| info.uid).map(u64::from),
        comm: info.map(|info| redactor.show(Origin::ProcessName, &info.command)),
        ..ProcessReport::default()
    };
    let path = redactor.show_bytes(Origin::Path, dump.path.as_os_str().as_bytes());
    Report {
        schema: SCHEMA.to_owned(),
        obit: Tool { version: env!("CARGO_PKG_VERSION").to_owned() },
        core: build::core(dump, path),
        process,
        signal: dump.signal.as_ref().map(|signal| build::signal(signal, &mut redactor)),
        redactions: redactions(&redactor),
        ..Report::default()
    }
}

/// `known`, with a notice that the analysis ended early, and why in a sentence.
pub fn ended_early(mut known: Report, why: &str, level: Level) -> Report {
    let mut redactor = Redactor::new(level, "");
    let mut show = |text: &str| redactor.show(Origin::OwnWords, text);
    known.notices.push(NoticeReport {
        code: NoticeCode::AnalysisEnded,
        subject: None,
        text: show(why),
        hint: show(NoticeCode::AnalysisEnded.hint()),
    });
    known
}
