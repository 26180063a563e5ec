//! The cause in words. What is said here the analysis found; nothing is added but names
//! from the frames.

use super::notice_text::bytes;
use super::source_place::source_place;
use super::values::path_of;
use super::{
    Blame, Cause, Confidence, Evidence, EvidenceKind, FrameKind, FrameReport, Hex, SourcePlace,
    ThreadReport, findings,
};
use obit_analysis as analysis;
use obit_analysis::{
    Access, AccessKind, CauseClass, Fact, Fault, LockFinding, Reason, Said, Source, Words,
    WordsFrom,
};
use obit_corefile::addr::Avma;
use obit_corefile::dump::{Signal, SignalDetail};
use obit_redact::{Origin, Redactor, Shown};

/// The note on a line shown in place of one of a system header.
const NEAR: &str = "near: the instruction itself is from a system header";

/// The note on a fault that the core does not record.
const COMPUTED: &str = "the core has no fault record (a handler sent the signal again, or the \
    core was not written by the kernel): computed from the instruction and the registers";

/// The source's words for a cause, as far as they may leave.
pub(super) struct ShownTerms {
    expression: Option<Shown>,
    member: Option<Shown>,
    /// `` `n` came from `ns[1]` in `walk` ``.
    through: Option<String>,
    /// What the expression is a part of.
    pub(super) object: Option<Shown>,
}

impl ShownTerms {
    /// The words of `cause`, of which `thread` has the frame to blame.
    pub(super) fn new(
        cause: &analysis::Cause,
        thread: Option<&ThreadReport>,
        redactor: &mut Redactor,
    ) -> Self {
        let terms = &cause.terms;
        let mut show = |words: &Option<Words>| words.as_ref().map(|it| shown_words(it, redactor));
        let (expression, member) = (show(&terms.expression), show(&terms.member));
        let object = show(&terms.object);
        let through = terms.through.as_ref().map(|through| {
            let pointer = shown_words(&through.pointer, redactor);
            let holder = shown_words(&through.holder, redactor);
            let how = if through.is_traced { "came from" } else { "is" };
            let frame = thread.and_then(|thread| frame_of(thread, through.frame));
            let function = frame.and_then(|frame| frame.function.as_ref());
            let function = function.map(|name| format!(" in `{}`", name.as_str()));
            let function = function.unwrap_or_default();
            format!("`{}` {how} `{}`{function}", pointer.as_str(), holder.as_str())
        });
        Self { expression, member, through, object }
    }
}

fn shown_words(words: &Words, redactor: &mut Redactor) -> Shown {
    match words.from {
        WordsFrom::DebugInfo => redactor.show(Origin::OwnWords, &words.text),
        WordsFrom::SourceLine => redactor.show(Origin::SourceText, &words.text),
        WordsFrom::Variables => path_of(&words.text, redactor),
    }
}

/// Frame number `index` of the stack, not counting tail calls put in line.
fn frame_of(thread: &ThreadReport, index: usize) -> Option<&FrameReport> {
    thread.frames.iter().filter(|frame| frame.kind != FrameKind::TailCall).nth(index)
}

/// `cause` with what the frames of the thread to blame, mostly the crashed one, know of it.
pub(super) fn cause(
    cause: &analysis::Cause,
    terms: &ShownTerms,
    crashed: Option<&ThreadReport>,
    signal: Option<&Signal>,
    redactor: &mut Redactor,
) -> Cause {
    let frame = cause.blame.and_then(|index| frame_of(crashed?, index));
    let expression = terms.expression.as_ref();
    let own = |redactor: &mut Redactor, text: &str| redactor.show(Origin::OwnWords, text);
    let gone = cause.gone.as_ref();
    let explanation = explanation(cause, terms, crashed);
    Cause {
        class: cause.class.word().to_owned(),
        cwe: cwe(cause, crashed),
        severity: Some(severity(cause).word().to_owned()),
        title: own(redactor, &title(cause, signal)),
        explanation: explanation.map(|text| own(redactor, &text)),
        confidence: confidence(cause.confidence),
        class_confidence: Some(confidence(cause.class_confidence)),
        message: said(cause, redactor),
        evidence: all_evidence(cause, redactor),
        blame: frame.zip(crashed).map(|(frame, thread)| Blame {
            thread: Some(thread.tid),
            frame: Some(frame.index),
            task: None,
            function: match gone {
                Some(gone) => Some(redactor.show(Origin::SymbolName, &gone.function)),
                None => frame.function.clone(),
            },
            source: match gone {
                Some(gone) => gone.source.as_ref().map(|place| source_place(place, redactor)),
                None => match &cause.near {
                    Some(near) => Some(SourcePlace {
                        doubt: Some(redactor.show(Origin::OwnWords, NEAR)),
                        ..source_place(near, redactor)
                    }),
                    None => {
                        let source = frame.source.clone();
                        source.map(|place| SourcePlace { lines: Vec::new(), ..place })
                    }
                },
            },
            expression: expression.cloned(),
            expression_confidence: Some(cause.terms.expression_confidence)
                .filter(|of| expression.is_some() && *of < cause.blame_confidence)
                .map(confidence),
            returned_by: returned_by(cause, redactor),
            made_at_line: origin_in_blame(cause)
                .and_then(|origin| origin.line.as_ref()?.line.map(u64::from)),
            is_expression_of_callee: expression.is_some()
                && origin_in_blame(cause).is_some_and(|origin| origin.is_of_callee),
            reason: Some(own(redactor, &reason(cause, expression.is_some()))),
            confidence: confidence(cause.blame_confidence),
        }),
        // They need the rest of the report.
        next: Vec::new(),
    }
}

/// Where the bad value came from, if that is the frame to blame.
fn origin_in_blame(cause: &analysis::Cause) -> Option<&analysis::Origin> {
    let origin = cause.own_origin();
    origin.filter(|origin| origin.gone.is_none() && cause.blame == Some(origin.frame))
}

fn returned_by(cause: &analysis::Cause, redactor: &mut Redactor) -> Option<Shown> {
    match &origin_in_blame(cause)?.source {
        Source::Returned { function: Some(function) } => {
            Some(redactor.show(Origin::SymbolName, function))
        }
        _ => None,
    }
}

fn title(cause: &analysis::Cause, signal: Option<&Signal>) -> String {
    let title = cause.class.title();
    match (&cause.said, cause.class) {
        (Some(Said { exception: Some(exception), .. }), class) => match class {
            CauseClass::OutOfMemory => format!("{title} ({exception})"),
            _ => format!("{title}: {exception}"),
        },
        (_, CauseClass::Deadlock) if is_alone(cause) => "a thread waits for itself".to_owned(),
        (_, CauseClass::ExternalSignal | CauseClass::Signal) => of_signal(cause, signal, title),
        _ => title.to_owned(),
    }
}

/// What a signal means that no fault of the process raised: signal(7), "Standard signals".
fn of_signal(cause: &analysis::Cause, signal: Option<&Signal>, title: &str) -> String {
    let Some(signal) = cause.sent.as_ref().or(signal) else { return title.to_owned() };
    let name = signal.name();
    let by = cause.sender.map(|pid| format!("another process (pid {pid})"));
    // What the kernel sends by itself, it sends for the terminal.
    let by = by.or_else(|| {
        let is_kernel = matches!(signal.detail, SignalDetail::Kernel);
        (is_kernel && name == "SIGQUIT").then(|| "the terminal (Ctrl-\\)".to_owned())
    });
    let asked = match name.as_str() {
        "SIGQUIT" => "asked to quit with a core dump",
        "SIGTERM" => "asked to terminate",
        "SIGINT" => "interrupted",
        "SIGHUP" => "hung up",
        _ => {
            return match cause.sender {
                Some(pid) if cause.sent.is_some() => format!("{title} ({name} of pid {pid})"),
                Some(pid) => format!("{title} (pid {pid})"),
                None if cause.class == CauseClass::Signal => {
                    format!("killed by {name}; cause unknown")
                }
                None => title.to_owned(),
            };
        }
    };
    match by {
        Some(by) => format!("{asked} ({name}) by {by}"),
        None => format!("{asked} ({name})"),
    }
}

/// The CWE entries of the class, without those that the core excludes.
fn cwe(cause: &analysis::Cause, crashed: Option<&ThreadReport>) -> Option<Vec<u32>> {
    const READ: u32 = 125;
    const WRITE: u32 = 787;
    const RECURSION: u32 = 674;
    let is_recursion = || {
        let cut = crashed.and_then(|thread| thread.truncated.as_ref());
        cut.is_some_and(|cut| cut.recursion.is_some())
    };
    let only = match cause.class {
        CauseClass::OutOfBounds => match access_kind(cause) {
            Some(AccessKind::Read) => Some(READ),
            Some(AccessKind::Write) => Some(WRITE),
            _ => None,
        },
        CauseClass::StackOverflow if is_recursion() => Some(RECURSION),
        _ => None,
    };
    let all = only.map_or_else(|| cause.class.cwe().to_vec(), |only| vec![only]);
    Some(all).filter(|all| !all.is_empty())
}

/// How bad it is: to read out of bounds is not as bad as to write, and a write is one
/// whatever is wrong with its address. What was to be read may be where to go on or where to
/// write.
fn severity(cause: &analysis::Cause) -> analysis::Severity {
    let is_used = cause.fault.as_ref().is_some_and(|fault| fault.purpose.is_some());
    match (cause.class, access_kind(cause)) {
        (
            CauseClass::UnmappedRead
            | CauseClass::ReadProtected
            | CauseClass::NonCanonical
            | CauseClass::OutOfBounds,
            Some(AccessKind::Read),
        ) if is_used => analysis::Severity::High,
        (CauseClass::OutOfBounds, Some(AccessKind::Read)) => analysis::Severity::Medium,
        (CauseClass::NonCanonical, Some(AccessKind::Write)) => analysis::Severity::High,
        (class, _) => class.severity(),
    }
}

fn access_kind(cause: &analysis::Cause) -> Option<AccessKind> {
    Some(cause.fault.as_ref()?.access.as_ref()?.kind)
}

fn confidence(confidence: analysis::Confidence) -> Confidence {
    match confidence {
        analysis::Confidence::Guess => Confidence::Guess,
        analysis::Confidence::Likely => Confidence::Likely,
        analysis::Confidence::Proved => Confidence::Proved,
    }
}

/// Whether the thread waits for itself.
fn is_alone(cause: &analysis::Cause) -> bool {
    matches!(&cause.deadlock, Some(LockFinding::Deadlock(cycle)) if cycle.len() == 1)
}

fn explanation(
    cause: &analysis::Cause,
    terms: &ShownTerms,
    crashed: Option<&ThreadReport>,
) -> Option<String> {
    if let Some(deadlock) = &cause.deadlock {
        return Some(findings::locks::sentences(deadlock).join("; "));
    }
    let fault = cause.own_fault()?;
    if fault.reason == Reason::StackOverflow {
        let recursion = crashed?.truncated.as_ref().and_then(|cut| cut.recursion.as_ref());
        let frame = cause.failed.and_then(|index| frame_of(crashed?, index));
        let large = cause.facts.iter().find_map(|fact| match fact {
            Fact::LargeFrame(size) => Some(large_frame(frame, *size)),
            _ => None,
        });
        return recursion.map(|recursion| recursion.as_str().to_owned()).or(large);
    }
    let held = held(cause, terms.expression.as_ref().map(Shown::as_str));
    let access = fault.access.as_ref();
    let done = access.map(|access| done(access, terms.member.as_ref().map(Shown::as_str)));
    let parts: Vec<String> = [held, done, terms.through.clone()].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// `the frame of `solve` takes 15.2 MiB (16000272 bytes) of stack`.
fn large_frame(frame: Option<&FrameReport>, size: u64) -> String {
    let function = frame.and_then(|frame| frame.function.as_ref());
    let of = function.map_or_else(String::new, |name| format!(" of `{}`", name.as_str()));
    format!("the frame{of} takes {} ({size} bytes) of stack", bytes(size))
}

/// `` `n->next` is NULL ``.
fn held(cause: &analysis::Cause, expression: Option<&str>) -> Option<String> {
    let fault = cause.fault.as_ref()?;
    let origin = cause.origin.as_ref();
    let base = fault.access.as_ref().and_then(|access| access.base.as_ref());
    let is_index = origin.is_some_and(|origin| origin.is_index);
    let traced = origin.and_then(|origin| origin.value);
    let pointer = fault.bad_pointer().map(|at| at.0);
    let number = cause.terms.number.or(fault.division.map(|division| division.divisor));
    let is_part = origin.is_some_and(|origin| origin.is_part);
    let value = traced.or(pointer.filter(|_| !is_index && !is_part));
    let shown = match (value, is_index, &fault.access) {
        (Some(0), false, Some(_)) => "NULL".to_owned(),
        (Some(value), false, Some(_)) => Hex(value).to_string(),
        (value, ..) => match (number, value) {
            (Some(number), _) => number.to_string(),
            (None, Some(value)) => value.cast_signed().to_string(),
            // What was computed from it is known, but not what it was itself.
            (None, None) => match expression.filter(|_| is_part) {
                Some(name) => return Some(format!("the address was computed from `{name}`")),
                None if expression.is_some() => return None,
                None => String::new(),
            },
        },
    };
    let is_reference = origin.is_some_and(|origin| origin.is_reference);
    let is = if is_reference { "refers to" } else { "is" };
    let made = origin.map(|origin| match &origin.source {
        Source::Returned { function: Some(function) } => format!(", returned by `{function}`"),
        Source::DeadFrame { address } => format!(
            ", read at {} below the stack pointer, from the frame of a function that has returned",
            Hex(address.0)
        ),
        Source::NeverSet => ", never initialized".to_owned(),
        Source::MaybeNeverSet => ", not initialized on every path to here".to_owned(),
        _ => String::new(),
    });
    let made = made.unwrap_or_default();
    match (expression, base) {
        (Some(name), _) => Some(format!("`{name}` {is} {shown}{made}")),
        (None, Some((register, value))) if !is_index => {
            Some(format!("{register} is {}{made}", Hex(*value)))
        }
        (None, _) => None,
    }
}

/// `reading 8 bytes at 0x20`.
fn done(access: &Access, member: Option<&str>) -> String {
    let Avma(address) = access.address;
    let address = Hex(address);
    let size = access.size.map(|size| match size {
        1 => "1 byte ".to_owned(),
        size => format!("{size} bytes "),
    });
    let size = size.unwrap_or_default();
    let base = access.base.as_ref().filter(|_| access.displacement != 0 && access.index.is_none());
    let offset = base.map(|_| match access.displacement {
        forward @ 0.. => format!(" (+{forward:#x})"),
        back => format!(" (-{:#x})", back.unsigned_abs()),
    });
    let offset = offset.unwrap_or_default();
    let what = member.map_or(size, |member| format!("`{member}` "));
    match access.kind {
        AccessKind::Read => format!("reading {what}at {address}{offset}"),
        AccessKind::Write => format!("writing {what}at {address}{offset}"),
        AccessKind::Execute => format!("executing at {address}"),
        AccessKind::Unknown => format!("an access at {address}"),
    }
}

/// What the program said, or the message of the trap it ran into.
fn said(cause: &analysis::Cause, redactor: &mut Redactor) -> Option<Shown> {
    let trap = cause.facts.iter().find_map(|fact| match fact {
        Fact::TrapMessage(text) => Some(redactor.show(Origin::MessageText, text)),
        _ => None,
    });
    trap.or_else(|| message(cause.said.as_ref()?, redactor))
}

fn message(said: &Said, redactor: &mut Redactor) -> Option<Shown> {
    (!said.text.is_empty()).then(|| redactor.show(Origin::MessageText, &said.text))
}

fn all_evidence(cause: &analysis::Cause, redactor: &mut Redactor) -> Vec<Evidence> {
    let mut all: Vec<Evidence> =
        cause.fault.iter().flat_map(|fault| evidence(fault, redactor)).collect();
    let other = |fault| findings::facts::instruction(fault, redactor);
    all.extend(cause.fault.iter().flat_map(other));
    for evidence in &mut all {
        evidence.frame = cause.failed.map(|index| index as u64);
    }
    let access = cause.fault.as_ref().and_then(|fault| fault.access.as_ref());
    let (used, accessed) = (access.and_then(Access::pointer), access.map(|access| access.address));
    let deadlock = cause.deadlock.iter();
    all.extend(deadlock.flat_map(|deadlock| findings::locks::evidence(deadlock, redactor)));
    let verdict = cause.verdict.as_ref();
    let verdict = verdict
        .map(|verdict| findings::memory::verdict(verdict, cause.class, used, accessed, redactor));
    all.extend(verdict);
    let computed = cause.fault.as_ref().filter(|fault| fault.is_computed);
    all.extend(computed.map(|_| Evidence {
        kind: EvidenceKind::Memory,
        text: redactor.show(Origin::OwnWords, COMPUTED),
        frame: cause.failed.map(|index| index as u64),
        address: None,
    }));
    let caught = cause.fault.as_ref().and_then(|fault| fault.caught.as_ref());
    all.extend(caught.map(|caught| findings::facts::caught(caught, redactor)));
    all.extend(cause.facts.iter().map(|fact| findings::facts::fact(fact, redactor)));
    all
}

fn evidence(fault: &Fault, redactor: &mut Redactor) -> Vec<Evidence> {
    let mut found = Vec::new();
    let mut add = |kind, text: &str, address: Option<Avma>| {
        let text = redactor.show(Origin::OwnWords, text);
        let address = address.map(|Avma(at)| Hex(redactor.show_word(at)));
        found.push(Evidence { kind, text, frame: Some(0), address });
    };
    if let Some(instruction) = &fault.instruction {
        add(EvidenceKind::Instruction, instruction, Some(fault.pc));
    }
    for (name, value) in
        fault.access.iter().flat_map(|access| [&access.base, &access.index]).flatten()
    {
        add(EvidenceKind::Register, &format!("{name} = {}", Hex(*value)), None);
    }
    if let Some(access) = &fault.access {
        let text = match fault.reason {
            Reason::Null if access.address.0 < NULL_ZONE => "the first pages are never mapped",
            Reason::Null | Reason::Unmapped => "nothing is mapped there",
            Reason::Forbidden => "mapped without the permission needed",
            Reason::NonCanonical => "non-canonical address",
            Reason::Returned => "the return address on the stack was overwritten",
            Reason::StackOverflow => "below the end of the thread's stack",
            Reason::BeyondFile => "beyond the end of the mapped file",
            Reason::NoPage => {
                "mapped from a file; the file system is full, the device failed, or the file is \
                 shorter than the mapping"
            }
            Reason::Misaligned => "address not aligned",
            Reason::DivideByZero
            | Reason::DivideOverflow
            | Reason::Trap
            | Reason::IllegalInstruction
            | Reason::Privileged
            | Reason::Unknown => return found,
        };
        add(EvidenceKind::Memory, text, Some(access.address));
    }
    found
}

/// Addresses that Linux maps nothing at: the default of `vm.mmap_min_addr`.
const NULL_ZONE: u64 = 1 << 16;

fn reason(cause: &analysis::Cause, has_expression: bool) -> String {
    if cause.deadlock.is_some() {
        return match is_alone(cause) {
            true => "waits here for itself".to_owned(),
            false => "waits here for another thread of the deadlock".to_owned(),
        };
    }
    let origin = cause.own_origin();
    let is_elsewhere = |origin: &&analysis::Origin| {
        origin.gone.is_some() || cause.blame.is_none_or(|blame| blame == origin.frame)
    };
    let origin = origin.filter(is_elsewhere);
    let line = origin.and_then(|origin| origin.line.as_ref()?.line);
    let place = line.map_or_else(|| "here".to_owned(), |line| format!("at line {line}"));
    let made = origin.map(|origin| match origin.source {
        Source::Constant => format!("the bad value was set {place}"),
        Source::Loaded { .. } => format!("the bad value was loaded {place}"),
        Source::DeadFrame { .. } => format!("the bad value was read from a dead frame {place}"),
        Source::Returned { .. } => {
            format!("the bad value was returned by a function called {place}")
        }
        Source::Computed => format!("the bad value was computed {place}"),
        Source::NeverSet => "the variable is not initialized".to_owned(),
        Source::MaybeNeverSet => "the variable is not initialized on every path".to_owned(),
        Source::Passed => {
            "the bad value was passed in; the caller does not show where it came from".to_owned()
        }
        Source::Unclear => "the bad value was set here (several paths are possible)".to_owned(),
    });
    let is_large = cause.facts.iter().any(|fact| matches!(fact, Fact::LargeFrame(_)));
    let subject = cause.said.as_ref().and_then(|said| said.subject);
    let fallback = match (&cause.said, has_expression) {
        _ if subject == Some(analysis::Subject::CaughtException) => {
            "the exception was thrown again here; where it was first thrown is unknown"
        }
        _ if subject == Some(analysis::Subject::LostException) => {
            "the function that the exception left; the frame that threw it is gone"
        }
        _ if subject == Some(analysis::Subject::LaterPanic) => {
            "a deferred function panicked while another panic was on its way"
        }
        (None, _) if is_large => "its frame does not fit on the stack",
        (_, true) if cause.own_fault().is_some() => {
            "first application frame; its line uses the bad value"
        }
        (Some(_), _) | (None, _) => "first application frame",
    };
    made.unwrap_or_else(|| fallback.to_owned())
}

#[cfg(test)]
mod tests {
    use crate::report::{BuildOptions, build};
    use obit_corefile::testkit::CoreBuilder;
    use obit_process::process::{Options, Process};
    use obit_report::Cause;

    const CODE: u64 = 0x40_1000;
    const STACK: u64 = 0x7ffe_0000_0000;

    fn cause(signal: u16, code: i32, value: u64, instructions: &[u8]) -> Cause {
        let core = CoreBuilder::x86_64().signal(signal).process(7, "prog", "./prog");
        let registers = [("rip", CODE), ("rsp", STACK + 0x800), ("rax", 0x5000_0000)];
        let core = core.thread(7, &registers).siginfo(i32::from(signal), code, value);
        let core = core.segment_with(CODE, instructions, 0x1000, "rx");
        let core = core.segment(STACK, &[0; 0x1000], 0x1000).write();
        let process = Process::open(core.path(), Options::default(), &()).unwrap();
        build(&process, BuildOptions::default()).cause.unwrap()
    }

    #[test]
    fn a_signal_that_asks_is_titled_by_who_sent_it() {
        let title =
            |signal, code, sender| cause(signal, code, sender, &[0x90; 16]).title.into_string();
        // SI_USER by another process, SI_TKILL by itself, SI_KERNEL.
        assert_eq!(
            title(3, 0, 99),
            "asked to quit with a core dump (SIGQUIT) by another process (pid 99)"
        );
        assert_eq!(title(3, -6, 7), "asked to quit with a core dump (SIGQUIT)");
        assert_eq!(
            title(3, 0x80, 0),
            "asked to quit with a core dump (SIGQUIT) by the terminal (Ctrl-\\)"
        );
        assert_eq!(title(1, 0, 99), "hung up (SIGHUP) by another process (pid 99)");
        assert_eq!(title(10, 0, 99), "killed by a signal from another process (pid 99)");
    }

    #[test]
    fn a_read_whose_value_is_written_through_is_severe_but_not_at_a_file_s_end() {
        // mov (%rax),%rax; mov %rdx,(%rax)
        let used = [0x48, 0x8b, 0x00, 0x48, 0x89, 0x10];
        // mov (%rax),%rax; ret
        let returned = [0x48, 0x8b, 0x00, 0xc3];
        let severity = |signal, code, instructions: &[u8]| {
            cause(signal, code, 0x5000_0000, instructions).severity.unwrap()
        };
        assert_eq!(severity(11, 1, &used), "high");
        assert_eq!(severity(11, 1, &returned), "medium");
        // BUS_ADRERR
        assert_eq!(severity(7, 2, &used), "low");
    }
}
