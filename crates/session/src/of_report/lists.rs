//! What is open, and its modules, sources, locks and registers.

use std::collections::BTreeSet;

use obit_redact::Shown;
use obit_report::Report;
use obit_report::module::{DebugReport, ModuleFile};

use super::missing;
use super::why::question;
use crate::SCHEMA;
use crate::answer::{
    LocksAnswer, ModuleAnswer, ModulesAnswer, Overview, RegistersAnswer, SourceAnswer, SourceLine,
    SourcesAnswer, Wait,
};
use crate::handle::FrameHandle;
use crate::page::page;

/// Gaps that are listed.
const MISSING: usize = 3;
/// Files that are listed.
const FILES: usize = 500;

/// What is open.
pub fn overview(report: &Report) -> Overview {
    let cause = report.cause.as_ref();
    Overview {
        schema: SCHEMA.to_owned(),
        id: report.id.clone(),
        program: report.process.exe.clone().or_else(|| report.process.comm.clone()),
        signal: report.signal.as_ref().map(|signal| signal.name.clone()),
        class: cause.map(|cause| cause.class.clone()),
        title: cause.map(|cause| cause.title.clone()),
        arch: report.core.arch.clone(),
        threads: report.threads.len() as u64,
        crashed_thread: report.crashed_thread().map(|thread| thread.tid),
        modules: report.modules.len() as u64,
        missing: missing(report, MISSING),
        redaction: report.redactions.policy.clone(),
        next: vec![question("why", &[], "the cause, with evidence")],
        ..Overview::default()
    }
}

/// Modules, those that `matching` names.
pub fn modules(report: &Report, matching: Option<&str>, from: u64, most: u64) -> ModulesAnswer {
    let is_match = |path: &Shown| matching.is_none_or(|text| path.as_str().contains(text));
    let all = report.modules.iter().filter(|module| is_match(&module.path));
    let all = all.map(|module| ModuleAnswer {
        path: module.path.clone(),
        base: module.base,
        build_id: module.build_id.clone(),
        file: match module.file {
            ModuleFile::Found => "found",
            ModuleFile::Mismatch => "mismatch",
            ModuleFile::Missing => "missing",
            ModuleFile::InCore => "in-core",
        }
        .to_owned(),
        debug: match module.debug {
            DebugReport::None => "none",
            DebugReport::Symbols => "symbols",
            DebugReport::LineTables => "line-tables",
            DebugReport::Full => "full",
        }
        .to_owned(),
    });
    let page = page(all.collect(), from, most);
    ModulesAnswer {
        modules: page.items,
        total: page.total,
        next_cursor: page.next.map(|next| next.to_string()),
    }
}

/// Source files of the frames.
pub fn sources(report: &Report) -> SourcesAnswer {
    let frames = report.threads.iter().flat_map(|thread| &thread.frames);
    let files = frames.filter_map(|frame| Some(frame.source.as_ref()?.file.clone()));
    let files: BTreeSet<_> = files.collect();
    SourcesAnswer { files: files.into_iter().take(FILES).collect() }
}

/// Lines around a frame, as far as the report has them; `None` where there is no such frame.
pub fn source(report: &Report, at: FrameHandle) -> Option<SourceAnswer> {
    let thread = report.threads.iter().find(|thread| thread.tid == at.thread)?;
    let frame = thread.frames.iter().find(|frame| frame.index == at.frame)?;
    let mut answer = SourceAnswer { frame: at.to_string(), ..SourceAnswer::default() };
    let Some(source) = &frame.source else {
        answer.doubt = Some(Shown::own("no line information for this frame"));
        return Some(answer);
    };
    answer.file = Some(source.file.clone());
    answer.line = source.line;
    answer.doubt = source.doubt.clone();
    if source.lines.is_empty() {
        answer.doubt.get_or_insert(Shown::own("the source file was not found"));
    }
    let lines = source.lines.iter();
    answer.lines =
        lines.map(|line| SourceLine { line: line.line, text: line.text.clone() }).collect();
    Some(answer)
}

/// Locks of all findings, and who waits for whom.
pub fn locks(report: &Report) -> LocksAnswer {
    let with_locks = report.findings.iter().filter(|finding| !finding.locks.is_empty());
    let mut answer = LocksAnswer::default();
    for finding in with_locks {
        answer.findings.push(finding.title.clone());
        for lock in &finding.locks {
            let Some(holder) = lock.holder else { continue };
            for waiter in &lock.waiters {
                let wait = Wait {
                    thread: *waiter,
                    waits_for: Some(holder),
                    lock: lock.name.clone(),
                    sure: lock.is_sure,
                    exit: lock.address.is_none(),
                };
                if !answer.waits.contains(&wait) {
                    answer.waits.push(wait);
                }
            }
        }
        answer.locks.extend(finding.locks.iter().cloned());
    }
    answer
}

/// Registers of thread `wanted`, or of the one that crashed.
pub fn registers(report: &Report, wanted: Option<i64>) -> Option<RegistersAnswer> {
    let thread = match wanted {
        Some(tid) => report.threads.iter().find(|thread| thread.tid == tid)?,
        None => report.crashed_thread()?,
    };
    Some(RegistersAnswer { thread: thread.tid, registers: thread.registers.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use obit_report::{Finding, LockReport};

    #[test]
    fn a_holder_is_waited_for_once_whatever_names_it() {
        let lock = LockReport {
            name: Shown::own("mutex `a`"),
            holder: Some(7),
            waiters: vec![3, 4],
            ..LockReport::default()
        };
        let finding = Finding { locks: vec![lock], ..Finding::default() };
        let report = Report { findings: vec![finding.clone(), finding], ..Report::default() };
        let found = locks(&report);
        let pairs: Vec<_> = found.waits.iter().map(|wait| (wait.thread, wait.waits_for)).collect();
        assert_eq!(pairs, [(3, Some(7)), (4, Some(7))]);
    }
}
