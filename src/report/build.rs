//! From the crashed process to the document. The only place that knows both.

use std::collections::{BTreeMap, HashMap};
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;

use super::cause_text::ShownTerms;
use super::code::Code;
use super::id::{crash_id, shown_command};
use super::known::{core, redactions, signal};
use super::module::{DebugReport, ModuleFile, ModuleReport, ModuleRole};
use super::next::Known;
use super::notice_text::{module_of, notice_report};
use super::source_lines::SourceLines;
use super::source_place::source_place;
use super::values::Whose;
use super::variables::Variables;
use super::{
    BuildOptions, Cause, Circumstances, Confidence, Context, CoreReport, FrameKind, FrameReport,
    FrameTrust, Hex, ModulePlace, NoticeCode, NoticeReport, Package, ProcessReport, Report, Rest,
    TailCalls, ThreadReport, Truncated, WhichRegisters, WhichStacks, values,
};
use super::{cause_text, findings, mappings, next, registers, source_values};
use crate::circumstances::FileEvidence;
use obit_analysis::{self as analysis, CauseClass, Owners};
use obit_corefile::dump::{Dump, signal_name};
use obit_corefile::notice::Notice;
use obit_dwarf::DebugLevel;
use obit_process::module::{FileState, Module, ModuleKind};
use obit_process::process::{self, Frame, Process, Recursion, Thread};
use obit_redact::{Origin, Redactor, Shown};

/// Puts all that is known of `process` into one document.
pub fn build(process: &Process, options: BuildOptions) -> Report {
    build_in_portions(process, options, &mut Some).report
}

/// Takes a thread of a report as soon as it is complete, or hands it back with what is wanted of
/// it. A thread that other parts of the report speak of is not offered.
pub type TakeThread<'t> = dyn FnMut(ThreadReport) -> Option<ThreadReport> + 't;

/// The same without the threads that were taken.
pub fn build_in_portions(
    process: &Process,
    options: BuildOptions,
    take: &mut TakeThread<'_>,
) -> Rest {
    let id = crash_id(&process.dump);
    let redactor = options.redactor(process);
    let (mut rest, _) = built(process, options, id, redactor, take);
    rest.report.signature = obit_triage::signature(&rest.report);
    rest
}

/// The same by `redactor`, which knows then what was hidden.
pub(crate) fn build_with(
    process: &Process,
    options: BuildOptions,
    redactor: Redactor,
) -> (Report, Redactor) {
    let id = crash_id(&process.dump);
    let (mut rest, redactor) = built(process, options, id, redactor, &mut Some);
    rest.report.signature = obit_triage::signature(&rest.report);
    (rest.report, redactor)
}

fn built(
    process: &Process,
    options: BuildOptions,
    id: String,
    redactor: Redactor,
    take: &mut TakeThread<'_>,
) -> (Rest, Redactor) {
    let packages = process.modules.list().iter().map(Packaged::of).collect();
    let sources = SourceLines::default();
    // Who asks for more elements gets them.
    let elements = options.max_elements.unwrap_or(0);
    let owners = Owners::of(process);
    let mut builder = Builder {
        process,
        options,
        redactor,
        packages,
        sources,
        owners,
        variables: Variables::default(),
        evidence: FileEvidence::of(
            &process.dump.path,
            process.dump.file.as_ref(),
            &process.dump.beside,
        ),
        further: Vec::new(),
    };
    builder.further = builder.contradictions();
    let analysis = analysis::analyze(process);
    let blamed = analysis.cause.as_ref().and_then(|cause| cause.thread);
    let threads = process.threads.iter().enumerate();
    let wanted = threads.filter(|(_, thread)| match builder.options.stacks {
        WhichStacks::All => true,
        WhichStacks::ToBlame => thread.crashed || Some(thread.tid) == blamed,
    });
    // Those that matter are written whatever their place is.
    let is_needed = |thread: &Thread| thread.crashed || Some(thread.tid) == blamed;
    let all = wanted.clone().count();
    let wanted = wanted.filter(|(at, thread)| *at < THREADS || is_needed(thread));
    let wanted: Vec<_> = wanted.map(|(at, _)| at).collect();
    if wanted.len() < all {
        let limit = THREADS as u64;
        builder.further.push(Notice::LimitReached { what: "threads of a report", limit });
    }
    let most = VALUES.max(elements.saturating_mul(10));
    let options = &builder.options;
    builder.variables = Variables::read(process, options, &wanted, most, &mut builder.redactor);
    if builder.variables.is_cut {
        let limit = most as u64;
        builder.further.push(Notice::LimitReached { what: "values of a report", limit });
    }
    let thread_count = wanted.len();
    let (mut threads, mut after, mut taken) = (Vec::new(), Vec::new(), 0);
    for at in wanted {
        let Some(mut thread) = builder.thread(at) else { continue };
        source_values::add(&mut thread);
        let is_needed = thread.crashed || Some(thread.tid) == blamed;
        match if is_needed { Some(thread) } else { take(thread) } {
            Some(thread) => {
                threads.push(thread);
                after.push(taken);
            }
            None => taken += 1,
        }
    }
    let crashed = threads.iter().find(|thread| thread.crashed);
    let redactor = &mut builder.redactor;
    redactor.enter(0, || "cause".to_owned());
    let judged = analysis.cause.as_ref().map(|cause| {
        let other = threads.iter().find(|thread| Some(thread.tid) == cause.thread);
        let terms = ShownTerms::new(cause, other.or(crashed), redactor);
        let signal = process.dump.signal.as_ref();
        let shown = cause_text::cause(cause, &terms, other.or(crashed), signal, redactor);
        (shown, terms, cause)
    });
    if let Some((tid, blame)) = analysis.cause.as_ref().and_then(|c| c.thread.zip(c.blame)) {
        builder.add_place(&mut threads, tid, blame);
    }
    let redactor = &mut builder.redactor;
    redactor.enter(0, || "findings".to_owned());
    let mut findings: Vec<_> =
        analysis.findings.iter().map(|one| findings::finding(one, process, redactor)).collect();
    let is_fatal = |cause: &analysis::Cause| cause.class == CauseClass::GoFatal;
    let asleep = analysis.cause.as_ref().filter(|cause| is_fatal(cause));
    let asleep = asleep.and_then(|_| findings::asleep::read(process));
    findings.extend(asleep.as_ref().map(|runtime| findings::asleep::finding(runtime, redactor)));
    findings.extend(findings::python::finding(process, redactor));
    let modules: Vec<_> =
        (0..process.modules.list().len()).filter_map(|at| builder.module(at)).collect();
    let mut notices = builder.notices();
    if let Some((shown, ..)) = &judged {
        drop_explained(&mut notices, shown, &threads);
    }
    let cause = judged.map(|(mut cause, terms, analysis)| {
        let (threads, modules) = (&threads[..], &modules[..]);
        let (findings, notices) = (&findings[..], &notices[..]);
        let terms = &terms;
        let known = Known { analysis, terms, threads, thread_count, modules, findings, notices };
        cause.next = next::steps(&cause, &known, &mut builder.redactor);
        if let Some(runtime) = asleep.as_ref().filter(|_| cause.blame.is_none()) {
            let executable = modules.iter().find(|module| module.role == ModuleRole::Executable);
            let executable = executable.map(|module| &module.path);
            cause.blame = findings::asleep::blame(runtime, executable, &mut builder.redactor);
        }
        if process.modules.list().iter().any(|module| module.file == FileState::Forced) {
            no_longer_proved(&mut cause);
        }
        cause
    });
    let redactor = &mut builder.redactor;
    redactor.enter(0, || "memory".to_owned());
    let memory = builder.options.memory.then(|| mappings::memory(process, &mut builder.redactor));
    let report = Report {
        core: builder.core(),
        process: builder.process(),
        circumstances: builder.circumstances(),
        signal: process.dump.signal.as_ref().map(|it| signal(it, &mut builder.redactor)),
        cause,
        threads,
        modules,
        memory,
        findings,
        notices,
        redactions: redactions(&builder.redactor),
        id,
        ..Report::default()
    };
    (Rest { report, after }, builder.redactor)
}

/// Lowers what rests on a program of another build: nothing is proved by it.
fn no_longer_proved(cause: &mut Cause) {
    cause.confidence = cause.confidence.min(Confidence::Likely);
    cause.class_confidence = cause.class_confidence.map(|of| of.min(Confidence::Likely));
    if let Some(blame) = &mut cause.blame {
        blame.confidence = blame.confidence.min(Confidence::Likely);
    }
}

/// A stack overflow leaves the stack pointer beyond the stack: that is no gap in the core.
fn drop_explained(notices: &mut Vec<NoticeReport>, cause: &Cause, threads: &[ThreadReport]) {
    let crashed = threads.iter().find(|thread| thread.crashed);
    let crashed = crashed.map(|thread| format!("thread {}", thread.tid));
    let is_overflow = cause.class == CauseClass::StackOverflow.word();
    notices.retain(|notice| {
        let is_its = notice.subject.as_ref().map(Shown::as_str) == crashed.as_deref();
        !(is_overflow && is_its && notice.code == NoticeCode::StackPointerUnmapped)
    });
}

/// Threads of a report, beside the crashed one and the one to blame, and values of all of them. A
/// thread takes about 1.6 KB of JSON, a value 250 bytes: what is beyond cannot be read by people.
const THREADS: usize = 16_000;
const VALUES: usize = 140_000;

struct Builder<'p> {
    process: &'p Process,
    options: BuildOptions,
    redactor: Redactor,
    /// One for each module.
    packages: Vec<Option<Packaged>>,
    sources: SourceLines,
    owners: Owners<'p>,
    variables: Variables,
    evidence: FileEvidence,
    /// What there was no room for, and what the file contradicts.
    further: Vec<Notice>,
}

impl Builder<'_> {
    fn core(&mut self) -> CoreReport {
        self.redactor.enter(0, || "core".to_owned());
        let dump = &self.process.dump;
        core(dump, self.redactor.show_bytes(Origin::Path, dump.path.as_os_str().as_bytes()))
    }

    fn process(&mut self) -> ProcessReport {
        let info = self.process.dump.process.as_ref();
        let executable = self.process.modules.executable();
        let module = executable.and_then(|at| self.process.modules.list().get(at));
        let argv = self.process.argv().unwrap_or_default();
        let exe = self.process.executable_path();
        self.redactor.enter(0, || "process".to_owned());
        ProcessReport {
            pid: info.map(|info| info.pid),
            ppid: info.and_then(|info| info.parent),
            uid: info.and_then(|info| info.uid).map(u64::from),
            comm: info
                .filter(|info| !info.command.is_empty())
                .map(|info| shown_command(&self.process.dump, &info.command, &mut self.redactor)),
            exe: exe
                .map(|path| self.redactor.show_bytes(Origin::Path, path.as_os_str().as_bytes())),
            args: self.redactor.show_arguments(&argv),
            build_id: module.and_then(|m| m.build_id.as_ref()).map(ToString::to_string),
            build_id_of_file: module.is_some_and(|module| module.build_id_of_file),
            package: executable.and_then(|at| self.package(at)),
        }
    }

    fn circumstances(&mut self) -> Circumstances {
        self.redactor.enter(0, || "circumstances".to_owned());
        let environment = self.process.environment();
        self.evidence.report(environment.as_deref(), &mut self.redactor)
    }

    /// Where the file says something else than the core in it.
    fn contradictions(&self) -> Vec<Notice> {
        let signal = self.process.dump.signal.as_ref().map(|signal| i64::from(signal.number));
        let exe = self.process.executable_path();
        let collected = self.evidence.collected.as_ref();
        collected.map_or_else(Vec::new, |it| it.contradictions(signal, exe.as_deref()))
    }

    /// `NT_PRPSINFO` speaks of the thread group's leader.
    fn state(&self, thread: &Thread) -> Option<&'static str> {
        let info = self.process.dump.process.as_ref().filter(|info| info.pid == thread.tid)?;
        match info.state? {
            'R' => Some("running"),
            'S' => Some("sleeping"),
            'D' => Some("disk-sleep"),
            'T' | 't' => Some("stopped"),
            'Z' => Some("zombie"),
            'X' => Some("dead"),
            _ => None,
        }
    }

    fn thread(&mut self, index: usize) -> Option<ThreadReport> {
        let thread = self.process.threads.get(index)?;
        let index_of = index;
        self.redactor.enter(0, || format!("thread {}", thread.tid));
        let with_registers = thread.crashed || self.options.registers == WhichRegisters::All;
        let mut frames: Vec<FrameReport> = Vec::with_capacity(thread.frames.len());
        let mut gap = None;
        let mut left_out = 0;
        for (at, frame) in thread.frames.iter().enumerate() {
            let index = frames.len() + left_out;
            let mut report = self.frame(frame, index);
            self.variables(index_of, at, &mut report);
            if thread.crashed && report.kind != FrameKind::Inline {
                report.stack_bytes = self.stack_bytes(thread, frame.activation);
            }
            let tail_calls: Vec<_> = frame
                .tail_calls
                .iter()
                .enumerate()
                .map(|(nth, tail)| self.frame(tail, index + 1 + nth))
                .collect();
            match self.options.tail_calls {
                TailCalls::Nested => {
                    report.tail_calls = tail_calls;
                    frames.push(report);
                }
                TailCalls::Frames => {
                    frames.push(report);
                    frames.extend(tail_calls);
                }
            }
            if let Some((omitted, after)) = thread.omitted
                && after == at
            {
                left_out = omitted;
                gap = Some(frames.len());
            }
        }
        if thread.crashed {
            self.add_context(thread, &mut frames);
        }
        let total = thread.stack.depth();
        self.redactor.enter(1, || "registers".to_owned());
        let name = thread.name.as_ref();
        let name = name.map(|name| self.redactor.show(Origin::ThreadName, name));
        Some(ThreadReport {
            tid: thread.tid,
            name,
            crashed: thread.crashed,
            state: self.state(thread).map(str::to_owned),
            signal: signal_of(thread),
            registers: if with_registers {
                let dumped = self.process.dump.threads.get(index_of);
                let machine = self.process.dump.machine;
                registers::general(machine, &thread.registers, dumped, &mut self.redactor)
            } else {
                BTreeMap::new()
            },
            vector_registers: if self.options.registers == WhichRegisters::All {
                let dumped = self.process.dump.threads.get(index_of);
                registers::vectors(dumped, self.process.dump.encoding, &mut self.redactor)
            } else {
                BTreeMap::new()
            },
            truncated: gap.map(|gap| Truncated {
                frames_total: total as u64,
                shown: total.saturating_sub(left_out) as u64,
                gap_after: gap as u64,
                recursion: thread.recursion.as_ref().map(|round| self.recursion(round)),
            }),
            frames,
        })
    }

    /// From the end of the frame that activation number `at` called to its own.
    fn stack_bytes(&self, thread: &Thread, at: usize) -> Option<u64> {
        let frames = &thread.stack.frames;
        let end = frames.get(at)?.cfa?;
        let start = match at.checked_sub(1) {
            Some(callee) => frames.get(callee)?.cfa?.0,
            None => thread.registers.get(self.process.dump.machine.facts()?.sp)?,
        };
        let range = self.process.memory.range_at(obit_corefile::addr::Avma(start))?;
        // Of another stack: a signal handler's.
        let is_here = range.contains(end) || range.end == end;
        end.0.checked_sub(start).filter(|_| is_here)
    }

    /// Arguments and locals of frame number `frame` of thread number `thread`.
    fn variables(&mut self, thread: usize, frame: usize, report: &mut FrameReport) {
        let values = self.variables.take(thread, frame);
        let Some(frame) = self.process.threads.get(thread).and_then(|it| it.frames.get(frame))
        else {
            return;
        };
        let file = values::file_of(self.process, frame);
        let whose = Whose::of(self.process, frame, file.as_deref());
        for read in values {
            let v = values::variable(&read.value, whose, &mut self.redactor);
            if read.is_argument { report.args.push(v) } else { report.locals.push(v) }
        }
    }

    fn recursion(&mut self, recursion: &Recursion) -> Shown {
        let text = format!(
            "{} repeats {} times, {} bytes of stack each time",
            recursion.cycle.join(" \u{2190} "),
            recursion.rounds,
            recursion.bytes_per_round
        );
        self.redactor.show(Origin::SymbolName, &text)
    }

    fn frame(&mut self, frame: &Frame, index: usize) -> FrameReport {
        let symbol = |redactor: &mut Redactor, name: &Option<Arc<str>>| {
            name.as_ref().map(|name| redactor.show(Origin::SymbolName, name))
        };
        let module = frame.module.and_then(|at| self.process.modules.list().get(at));
        self.redactor
            .enter(1, || format!("#{index} {}", frame.function.as_deref().unwrap_or_default()));
        FrameReport {
            index: index as u64,
            pc: Hex(self.redactor.show_word(frame.pc.0)),
            kind: match frame.kind {
                process::FrameKind::Normal => FrameKind::Normal,
                process::FrameKind::Inline => FrameKind::Inline,
                process::FrameKind::Signal => FrameKind::Signal,
                process::FrameKind::TailCall => FrameKind::TailCall,
            },
            trust: trust_of(frame.trust),
            function: symbol(&mut self.redactor, &frame.function),
            linkage_name: symbol(&mut self.redactor, &frame.linkage_name),
            owner: self.owners.owner(frame),
            module: module.map(|module| ModulePlace {
                path: self.redactor.show_bytes(Origin::Path, module.path.as_os_str().as_bytes()),
                build_id: module.build_id.as_ref().map(ToString::to_string),
                offset: Hex(module.to_svma(frame.pc).0),
            }),
            source: frame.source.as_ref().map(|place| source_place(place, &mut self.redactor)),
            args: Vec::new(),
            locals: Vec::new(),
            disassembly: Vec::new(),
            stack_bytes: None,
            tail_calls: Vec::new(),
        }
    }

    /// Shows the places of the crashed stack: their source, and of the innermost one its
    /// code where there is no source.
    fn add_context(&mut self, thread: &Thread, frames: &mut [FrameReport]) {
        let Context::Lines(context) = self.options.context else { return };
        let physical = frames.iter_mut().filter(|frame| frame.kind != FrameKind::TailCall);
        for (report, frame) in physical.zip(&thread.frames) {
            let (Some(place), Some(location)) = (&mut report.source, &frame.source) else {
                continue;
            };
            let Some(module) = frame.module else { continue };
            let modules = &self.process.modules;
            self.sources.add(place, location, module, modules, context, &mut self.redactor);
        }
        let Some((report, frame)) = frames.first_mut().zip(thread.frames.first()) else { return };
        let has_source = report.source.as_ref().is_some_and(|place| !place.lines.is_empty());
        let is_wanted = !has_source || self.options.always_code;
        if is_wanted && stopped_at_an_instruction(&self.process.dump) {
            let before = context.saturating_mul(2) as usize;
            let code = Code { process: self.process, flavor: self.options.flavor };
            report.disassembly = code.around(frame, before, context as usize, &mut self.redactor);
        }
    }

    /// Shows the line of the frame to look at first, where it is not of the crashed thread.
    fn add_place(&mut self, reports: &mut [ThreadReport], tid: i64, frame: usize) {
        let Context::Lines(context) = self.options.context else { return };
        let Some(thread) = self.process.threads.iter().find(|thread| thread.tid == tid) else {
            return;
        };
        let report = reports.iter_mut().find(|thread| thread.tid == tid && !thread.crashed);
        let report = report.and_then(|thread| {
            let mut physical =
                thread.frames.iter_mut().filter(|frame| frame.kind != FrameKind::TailCall);
            physical.nth(frame)
        });
        let (Some(report), Some(frame)) = (report, thread.frames.get(frame)) else { return };
        let modules = &self.process.modules;
        if let (Some(place), Some(location), Some(module)) =
            (&mut report.source, &frame.source, frame.module)
        {
            self.sources.add(place, location, module, modules, context, &mut self.redactor);
        }
    }

    fn module(&mut self, at: usize) -> Option<ModuleReport> {
        let modules = &self.process.modules;
        let module = modules.list().get(at)?;
        self.redactor.enter(0, || "modules".to_owned());
        let file_path = module.image.as_ref().and_then(|image| image.path());
        let debug = modules.debug_if_searched(at);
        let debug_path = debug.and_then(|debug| debug.debug_file().map(std::path::Path::to_owned));
        let mut show = |path: &std::path::Path| {
            self.redactor.show_bytes(Origin::Path, path.as_os_str().as_bytes())
        };
        Some(ModuleReport {
            path: show(&module.path),
            file_path: file_path.map(&mut show),
            debug_path: debug_path.as_deref().map(&mut show),
            role: match module.kind {
                ModuleKind::Executable => ModuleRole::Executable,
                ModuleKind::Shared => ModuleRole::Shared,
                ModuleKind::Vdso => ModuleRole::Vdso,
                ModuleKind::Jit => ModuleRole::Jit,
            },
            build_id: module.build_id.as_ref().map(ToString::to_string),
            base: Hex(module.base.0),
            size: module.range.len(),
            file: match module.file {
                FileState::Found | FileState::Unverified => ModuleFile::Found,
                FileState::Mismatch | FileState::Forced => ModuleFile::Mismatch,
                FileState::Missing => ModuleFile::Missing,
                FileState::InCore => ModuleFile::InCore,
            },
            debug: match debug.map_or(DebugLevel::None, obit_dwarf::DebugInfo::level) {
                DebugLevel::None => DebugReport::None,
                DebugLevel::Symbols => DebugReport::Symbols,
                DebugLevel::LineTables => DebugReport::LineTables,
                DebugLevel::Full => DebugReport::Full,
            },
            package: self.package(at),
        })
    }

    fn package(&mut self, module: usize) -> Option<Package> {
        let package = self.packages.get(module)?.as_ref()?;
        let mut show = |field: &Option<String>| {
            let field = field.as_ref();
            field.map(|text| self.redactor.show(Origin::PackageMetadata, text))
        };
        Some(Package {
            format: show(&package.format),
            os: show(&package.os),
            name: show(&package.name),
            version: show(&package.version),
            architecture: show(&package.architecture),
        })
    }

    fn notices(&mut self) -> Vec<NoticeReport> {
        let mut modules = HashMap::new();
        for (at, module) in self.process.modules.list().iter().enumerate() {
            modules.entry(module.path.to_string_lossy()).or_insert(at);
        }
        let mut notices = Vec::new();
        self.redactor.enter(0, || "notices".to_owned());
        for notice in self.process.notices.iter().chain(self.sources.notices()).chain(&self.further)
        {
            let module = module_of(notice).and_then(|path| modules.get(path));
            let package = module.and_then(|at| self.packages.get(*at)?.as_ref()?.name.as_deref());
            notices.push(notice_report(notice, package, &mut self.redactor));
        }
        notices
    }
}

/// The fields of a `.note.package` that a report holds.
#[derive(serde::Deserialize)]
struct Packaged {
    #[serde(rename = "type")]
    format: Option<String>,
    os: Option<String>,
    name: Option<String>,
    version: Option<String>,
    architecture: Option<String>,
}

impl Packaged {
    /// `None` where there is no note, or one that is not the specification's JSON.
    fn of(module: &Module) -> Option<Self> {
        serde_json::from_str(module.package.as_ref()?).ok()
    }
}

/// Whether the signal is the fault of the instruction at the pc.
fn stopped_at_an_instruction(dump: &Dump) -> bool {
    let signal = dump.signal.as_ref();
    signal.is_some_and(|signal| {
        matches!(signal.name().as_str(), "SIGSEGV" | "SIGBUS" | "SIGILL" | "SIGFPE" | "SIGTRAP")
    })
}

fn signal_of(thread: &Thread) -> Option<String> {
    let number = Some(thread.signal).filter(|number| *number != 0)?;
    Some(signal_name(number).map_or_else(|| format!("signal {number}"), str::to_owned))
}
/// How a frame was found, in the words of a report.
pub(crate) fn trust_of(trust: process::FrameTrust) -> FrameTrust {
    match trust {
        process::FrameTrust::Context => FrameTrust::Context,
        process::FrameTrust::CallFrameInfo => FrameTrust::Cfi,
        process::FrameTrust::Code => FrameTrust::Code,
        process::FrameTrust::FramePointer => FrameTrust::FramePointer,
        process::FrameTrust::Scan => FrameTrust::Scan,
        process::FrameTrust::CallSite => FrameTrust::Inferred,
    }
}
