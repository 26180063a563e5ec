//! What is known of a core before its memory and its program are read.

use std::os::unix::ffi::OsStrExt;

use super::id::{crash_id, shown_command};
use super::{
    BuildOptions, CoreReport, Hex, NoticeCode, NoticeReport, ProcessReport, RedactionRules,
    Redactions, Report, SCHEMA, SignalReport, Tool,
};
use obit_corefile::dump::{Dump, Signal};
use obit_redact::{Level, Origin, RULE_SET, Redactor, Shown};

/// The core, the process and the signal of `dump`, as its notes have them.
pub fn known(dump: &Dump, options: &BuildOptions) -> Report {
    let mut redactor = options.redactor_of_texts();
    let info = dump.process.as_ref();
    let process = ProcessReport {
        pid: info.map(|info| info.pid),
        ppid: info.and_then(|info| info.parent),
        uid: info.and_then(|info| info.uid).map(u64::from),
        comm: info.map(|info| shown_command(dump, &info.command, &mut redactor)),
        ..ProcessReport::default()
    };
    let path = redactor.show_bytes(Origin::Path, dump.path.as_os_str().as_bytes());
    Report {
        schema: SCHEMA.to_owned(),
        id: crash_id(dump),
        obit: Tool { version: env!("CARGO_PKG_VERSION").to_owned() },
        core: core(dump, path),
        process,
        signal: dump.signal.as_ref().map(|it| signal(it, &mut redactor)),
        redactions: redactions(&redactor),
        ..Report::default()
    }
}

/// `known`, with a notice that the analysis ended early, and why in a sentence.
pub fn ended_early(mut known: Report, why: &str, level: Level) -> Report {
    let mut redactor = Redactor::without_key(level);
    let mut show = |text: &str| redactor.show(Origin::OwnWords, text);
    known.notices.push(NoticeReport {
        code: NoticeCode::AnalysisEnded,
        subject: None,
        text: show(why),
        hint: show(NoticeCode::AnalysisEnded.hint()),
    });
    known
}

/// The core file of `dump`, which may be called `path`.
pub(super) fn core(dump: &Dump, path: Shown) -> CoreReport {
    CoreReport {
        path,
        size: dump.file_size,
        arch: dump.machine.name().to_owned(),
        os: "linux".to_owned(),
        truncated: dump.missing_bytes > 0,
        missing_bytes: dump.missing_bytes,
        container: dump.container.map(|container| container.name().to_owned()),
    }
}

/// What killed the process.
pub(super) fn signal(signal: &Signal, redactor: &mut Redactor) -> SignalReport {
    SignalReport {
        number: i64::from(signal.number),
        name: signal.name(),
        code: signal.code.map(i64::from),
        code_name: signal.code_name().map(str::to_owned),
        fault_address: signal.address().map(|at| Hex(redactor.show_word(at.0))),
        sender_pid: signal.sender().map(|(pid, _)| i64::from(pid)),
        sender_uid: signal.sender().map(|(_, uid)| u64::from(uid)),
    }
}

/// What was hidden so far.
pub(super) fn redactions(redactor: &Redactor) -> Redactions {
    let counts = redactor.counts().iter().map(|(kind, count)| ((*kind).to_owned(), *count));
    Redactions {
        policy: redactor.level().word().to_owned(),
        counts: counts.collect(),
        total: redactor.counts().values().sum(),
        rules: RedactionRules {
            version: RULE_SET.to_owned(),
            user_sha256: redactor.rules().sha256(),
        },
        unused_rules: match redactor.level() {
            Level::Off => Vec::new(),
            _ => redactor.rules().unused().into_iter().map(|rule| redactor.aside(rule)).collect(),
        },
    }
}
