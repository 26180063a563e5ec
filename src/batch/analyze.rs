//! One core of many.

use std::fs::File;
use std::path::Path;

use super::code::Code;
use super::identity::{dump_id, file_id};
use crate::circumstances::FileEvidence;
use crate::report::{self, BuildOptions, CoreReport};
use obit_corefile::dump::{CoreFile, Dump};
use obit_corefile::notice::Notice;
use obit_process::process::{Options, Process};
use obit_redact::Origin;
use obit_triage::time::When;
use obit_triage::{FileFacts, Reason, Record, Rules};

/// The record of a core, whatever it is.
pub fn analyze(core: CoreFile, options: Options, build: BuildOptions, rules: &Rules) -> Record {
    let path = core.path.clone();
    // For what is known of a file that is not a core.
    let file = core.file.try_clone().ok();
    let urls = options.rules.debuginfod.as_ref().map(|servers| servers.urls.join(" "));
    let access = options.access.clone();
    match Dump::open_file(core, &options.limits) {
        Ok(dump) => {
            let mut process = Process::of_dump(dump, options, &());
            if let Some(urls) = urls
                && access.is_some_and(|access| access.servers_failed())
            {
                note_failed_servers(&mut process, urls);
            }
            let report = report::build(&process, build);
            let dump = dump_id(&process, &report.id);
            let known = &report.circumstances;
            let time = known.time.as_deref().and_then(|text| When::parse(text).ok());
            // A time that is stated does not count from now.
            let time = time.map(|time| time.seconds(0));
            let host = known.host.clone();
            Record::of(report, FileFacts { dump, time, host }, rules)
        }
        Err(error) => {
            let code = Code::of_open_error(&error);
            failed(&path, file.as_ref(), &build, code, &error.to_string())
        }
    }
}

/// Notes that what this core lacks may be on a server that failed for another core of the
/// run: such a record is made again by the next one.
fn note_failed_servers(process: &mut Process, urls: String) {
    let lacks_files = process.notices.iter().any(|notice| {
        matches!(
            notice,
            Notice::ModuleMissing { .. }
                | Notice::ModuleMismatch { .. }
                | Notice::DebugInfoMissing { .. }
                | Notice::DebugPartMissing { .. }
        )
    });
    let is_noted =
        process.notices.iter().any(|notice| matches!(notice, Notice::DebuginfodFailed { .. }));
    if lacks_files && !is_noted {
        process.notices.push(Notice::DebuginfodFailed {
            url: urls,
            error: "a server failed earlier in this run".to_owned(),
        });
    }
}

/// The record of a file of which there is no report, `why` in a sentence. `file` is what is at
/// `path`, if it could be opened.
pub fn failed(
    path: &Path,
    file: Option<&File>,
    build: &BuildOptions,
    code: Code,
    why: &str,
) -> Record {
    let mut redactor = build.redactor_of_texts();
    let core = CoreReport {
        path: redactor.show(Origin::Path, &path.to_string_lossy()),
        size: size(path, file).unwrap_or(0),
        ..CoreReport::default()
    };
    let text = redactor.show(Origin::Path, why);
    let reason = Reason { code: code.word().to_owned(), text };
    let evidence = FileEvidence::of(path, file, &[]);
    let host = evidence.host.as_ref().map(|host| redactor.show(Origin::ProcessName, host));
    let facts = FileFacts { dump: file_id(path, file), time: evidence.seconds(), host };
    Record::failed(core, facts, reason, redactor.level())
}

/// Bytes of the file.
fn size(path: &Path, file: Option<&File>) -> Option<u64> {
    match file {
        Some(file) => u64::try_from(rustix::fs::fstat(file).ok()?.st_size).ok(),
        None => Some(path.metadata().ok()?.len()),
    }
}
