//! What to do next about a cause: commands of obit, and what closes the gap that hides more.

use super::cause_text::ShownTerms;
use super::module::ModuleReport;
use super::{Cause, Finding, NoticeCode, NoticeReport, ThreadReport, findings};
use obit_analysis as analysis;
use obit_analysis::CauseClass;
use obit_analysis::memory::{BlockState, Verdict};
use obit_redact::{Origin, Redactor, Shown};

/// Threads of one cycle that are named.
const MOST_THREADS: usize = 3;

/// What the steps are taken from, beside the report's own cause.
pub(super) struct Known<'k> {
    /// What the report says of the cause was made of this.
    pub(super) analysis: &'k analysis::Cause,
    pub(super) terms: &'k ShownTerms,
    /// The crashed one and the one to blame, and perhaps more.
    pub(super) threads: &'k [ThreadReport],
    /// How many the report has.
    pub(super) thread_count: usize,
    pub(super) modules: &'k [ModuleReport],
    pub(super) findings: &'k [Finding],
    pub(super) notices: &'k [NoticeReport],
}

/// Steps for `cause`, the most useful first. `CORE` stands for the core file.
pub(super) fn steps(cause: &Cause, known: &Known<'_>, redactor: &mut Redactor) -> Vec<Shown> {
    let mut steps = Vec::new();
    steps.extend(missing_file(cause, known));
    steps.extend(whole_core(known));
    // Threads that wait for each other beside another cause come after it.
    let is_fault = known.analysis.fault.is_some() || known.analysis.said.is_some();
    let (before, after) = match other_threads(cause, known) {
        threads if is_fault => (None, threads),
        threads => (threads, None),
    };
    steps.extend(before);
    steps.extend(sanitizer(known.analysis));
    steps.extend(print(cause, known));
    steps.extend(after);
    let is_of_go = matches!(known.analysis.class, CauseClass::GoPanic | CauseClass::GoFatal);
    // Only Go's runtime ends a process for a signal in this way.
    let has_python = known.findings.iter().any(|one| one.kind == findings::python::KIND);
    if is_of_go || has_python || known.analysis.sent.is_some() {
        steps.push("obit tasks CORE".to_owned());
    }
    if known.analysis.class == CauseClass::StackOverflow {
        steps.push("obit CORE --frames 0".to_owned());
    }
    steps.push(format!("obit explain {}", cause.class));
    steps.iter().map(|step| redactor.show(Origin::OwnWords, step)).collect()
}

/// The file without which the frame to look at has no lines.
fn missing_file(cause: &Cause, known: &Known<'_>) -> Option<String> {
    let blame = cause.blame.as_ref();
    if blame.is_some_and(|blame| blame.source.is_some()) {
        return None;
    }
    let crashed = known.threads.iter().find(|thread| thread.crashed);
    let tid = blame.and_then(|blame| blame.thread);
    let thread = known.threads.iter().find(|thread| Some(thread.tid) == tid).or(crashed)?;
    let index = blame.and_then(|blame| blame.frame).unwrap_or(0);
    let frame = thread.frames.iter().find(|frame| frame.index == index)?;
    let path = &frame.module.as_ref()?.path;
    let base = path.as_str().rsplit('/').next()?;
    let about = |notice: &&NoticeReport| {
        notice.subject.as_ref().is_some_and(|subject| subject.as_str() == base)
    };
    known.notices.iter().filter(about).find_map(|notice| match notice.code {
        NoticeCode::ModuleMissing | NoticeCode::ModuleMismatch => {
            Some(format!("fetch the {base} that ran, and pass --sysroot DIR or --debuginfod"))
        }
        NoticeCode::DebugInfoMissing => {
            let module = known.modules.iter().find(|module| module.path == *path);
            let package = module.and_then(|module| module.package.as_ref()?.name.as_ref());
            Some(match package {
                Some(package) => format!(
                    "install {}-dbgsym (or -debuginfo), or pass --debuginfod",
                    package.as_str()
                ),
                None => {
                    format!("get debug information for {base}: --debuginfod, or a build with -g")
                }
            })
        }
        NoticeCode::DebugFileMismatch | NoticeCode::DebugPartMissing => {
            Some(format!("get the debug file of the {base} that ran, or pass --debuginfod"))
        }
        _ => None,
    })
}

/// How to get a core that has the stack, where this one has not.
fn whole_core(known: &Known<'_>) -> Option<String> {
    let crashed = known.threads.iter().find(|thread| thread.crashed)?;
    let thread = format!("thread {}", crashed.tid);
    let is_lost = known.notices.iter().any(|notice| {
        let is_its = notice.subject.as_ref().is_some_and(|subject| subject.as_str() == thread);
        is_its && notice.code == NoticeCode::StackMissing
    });
    let is_cut = known.notices.iter().any(|notice| notice.code == NoticeCode::CoreTruncated);
    match (is_lost, is_cut) {
        (true, true) => {
            Some("get a complete core: ulimit -c unlimited, enough disk space".to_owned())
        }
        (true, false) => Some("get a core with stacks: /proc/PID/coredump_filter".to_owned()),
        (false, _) => None,
    }
}

/// The stacks of the threads that wait for each other, or of all where none is to blame.
fn other_threads(cause: &Cause, known: &Known<'_>) -> Option<String> {
    let is_cycle =
        |finding: &&Finding| matches!(finding.kind.as_str(), "deadlock" | "self-deadlock");
    let is_crashed = |tid: i64| known.threads.iter().any(|one| one.tid == tid && one.crashed);
    if let Some(cycle) = known.findings.iter().find(is_cycle) {
        let others = cycle.threads.iter().copied().filter(|tid| !is_crashed(*tid));
        let tids: Vec<_> = others.take(MOST_THREADS).map(|tid| tid.to_string()).collect();
        let (first, rest) = tids.split_first()?;
        let rest = match rest {
            [] => String::new(),
            rest => format!(" (and {})", rest.join(", ")),
        };
        return Some(format!("obit CORE --thread {first}{rest}"));
    }
    let blamed = cause.blame.as_ref().and_then(|blame| blame.thread);
    if let Some(tid) = blamed.filter(|tid| !is_crashed(*tid)) {
        return Some(format!("obit CORE --thread {tid}"));
    }
    let is_from_outside =
        matches!(known.analysis.class, CauseClass::ExternalSignal | CauseClass::Snapshot);
    (is_from_outside && known.thread_count > 1).then(|| "obit CORE --all-threads".to_owned())
}

/// Where the damage was done before it was noticed, only a run that watches memory can show it.
fn sanitizer(cause: &analysis::Cause) -> Option<String> {
    let is_damage = matches!(
        cause.class,
        CauseClass::HeapCorruption
            | CauseClass::UseAfterFree
            | CauseClass::DoubleFree
            | CauseClass::InvalidFree
            | CauseClass::StackSmashing
            | CauseClass::BufferOverflow
            | CauseClass::ReturnOverwritten
    );
    let is_freed = match &cause.verdict {
        Some(Verdict::Heap(block)) => matches!(block.state, BlockState::Freed { .. }),
        Some(Verdict::Link(_) | Verdict::ListHead | Verdict::PastHeap(_)) => true,
        _ => false,
    };
    (is_damage || is_freed).then(|| {
        "run a build with AddressSanitizer: it stops at the first invalid access".to_owned()
    })
}

/// The object that held the bad value. The value itself is shown already.
fn print(cause: &Cause, known: &Known<'_>) -> Option<String> {
    let blame = cause.blame.as_ref()?;
    let object = known.terms.object.as_ref()?;
    let object = object.as_str();
    // A shell's quotes; a name with one of them needs more than a line to explain.
    if object.contains('\'') {
        return None;
    }
    let tid = blame.thread?;
    let thread = known.threads.iter().find(|thread| thread.tid == tid)?;
    let thread = if thread.crashed { String::new() } else { format!(" --thread {tid}") };
    let frame = blame.frame.filter(|index| *index > 0);
    let frame = frame.map(|index| format!(" -f {index}")).unwrap_or_default();
    Some(format!("obit print CORE '{object}'{frame}{thread}"))
}
