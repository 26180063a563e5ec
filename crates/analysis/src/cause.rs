//! The root cause: which class of cause the facts show, and how sure that is.

use super::assertion;
use super::blame::{blame, own_about};
use super::confidence::Confidence;
use super::fault::{Access, AccessKind, Fault, Reason};
use super::locks::LockFinding;
use super::memory::{self, Verdict};
use super::misuse;
use super::null::{is_sure_of_null, of_null_array};
use super::origin::{self, Gone, Origin};
use super::outside::{ended_for, is_from_outside, only_stops, sender};
use super::owner::is_foreign;
use super::said::{self, Fact, Said, Speaker, Subject};
use super::source::{self, Judged, SourceTerms};
use crate::signals::{SIGABRT, SIGBUS, SIGXCPU, SIGXFSZ};
use obit_causes::CauseClass;
use obit_corefile::addr::Avma;
use obit_corefile::dump::{Signal, SignalDetail};
use obit_dwarf::SourceLocation;
use obit_process::process::{FrameKind, Process};

/// Why the process crashed.
#[derive(Clone, Debug)]
pub struct Cause {
    /// Of the catalogue in docs/causes.md.
    pub class: CauseClass,
    /// How sure it is: the class, and where a frame is to blame that it is that one.
    pub confidence: Confidence,
    /// How sure the class is.
    pub class_confidence: Confidence,
    /// The instruction that failed.
    pub fault: Option<Fault>,
    /// Where the value came from that made the fault.
    pub origin: Option<Origin>,
    /// What is known of the pointer that was used.
    pub verdict: Option<Verdict>,
    /// What the program said.
    pub said: Option<Said>,
    /// Who sent the signal, if another process did.
    pub sender: Option<i64>,
    /// The signal that was sent, where a runtime ended the process for it by another one.
    pub sent: Option<Signal>,
    /// The threads that wait for each other, if that is why it hung.
    pub deadlock: Option<LockFinding>,
    /// Id of the thread to look at first, where it is not the crashed one.
    pub thread: Option<i64>,
    /// Index of the frame of that thread to look at first.
    pub blame: Option<usize>,
    /// The function to blame, where it jumped on and left no frame: that one called it.
    pub gone: Option<Gone>,
    /// A line of the application near that frame's place, where the frame's own line is of a
    /// system header.
    pub near: Option<SourceLocation>,
    /// How sure that is.
    pub blame_confidence: Confidence,
    /// What the source calls what went wrong there.
    pub terms: SourceTerms,
    /// Index of the frame of the crashed thread that failed, if one did.
    pub failed: Option<usize>,
    /// What else the process left that bears on it.
    pub facts: Vec<Fact>,
}

impl Cause {
    /// The fault that the cause is about. What the program said is mostly of something else,
    /// but for a runtime that makes a message of a fault.
    pub fn own_fault(&self) -> Option<&Fault> {
        self.fault.as_ref().filter(|fault| is_about(fault, self.said.as_ref()))
    }

    /// Where the value came from that made that fault.
    pub fn own_origin(&self) -> Option<&Origin> {
        self.origin.as_ref().filter(|_| self.said.is_none() || self.own_fault().is_some())
    }
}

/// Whether the cause is this fault, if the program said that.
fn is_about(fault: &Fault, said: Option<&Said>) -> bool {
    said.is_none_or(|said| fault.is_panic && said.subject == Some(Subject::UsedPointer))
}

/// Puts the facts together.
pub(super) fn judge(
    process: &Process,
    fault: Option<Fault>,
    said: Option<Said>,
    deadlock: Option<&LockFinding>,
) -> Option<Cause> {
    let is_hung = said.is_none() && fault.is_none() && is_from_outside(process);
    if let Some(deadlock) = deadlock.filter(|_| is_hung) {
        return Some(of_deadlock(process, deadlock));
    }
    let signal = process.dump.signal.as_ref()?;
    let (fault, said, aftermath) = first_trouble(process, fault, said);
    let said = said.map(|said| assertion::with_text(process, said));
    let sender = sender(process);
    let sender_pid = sender.map(|sender| sender.pid);
    let sent = ended_for(process).filter(|_| fault.is_none() && said.is_none());
    let subject = said.as_ref().and_then(|said| said.subject);
    let is_of_block = matches!(subject, Some(Subject::GivenBlock | Subject::FreedBlock));
    let freed = said.as_ref().filter(|_| is_of_block);
    let freed = freed.and_then(|said| Some(origin::first_argument(process, said.frame?)));
    // A stack that ran out, and an overwritten return address, are of no value's making.
    let has_value = |of: &&Fault| !matches!(of.reason, Reason::StackOverflow | Reason::Returned);
    let own_fault = fault.as_ref().filter(|fault| is_about(fault, said.as_ref()));
    let origin = own_fault.filter(has_value);
    let origin = origin.and_then(|fault| {
        let found = origin::of_fault(process, fault).filter(|origin| !is_aligned(fault, origin));
        found.filter(|origin| !is_of_file(process, fault, origin))
    });
    let is_panic_of_fault = said.is_some() && own_fault.is_some();
    let fault = fault.map(|fault| of_null_array(fault, origin.as_ref()));
    // That a stack pointer is on the stack says nothing.
    let judged = fault.as_ref().filter(|fault| fault.reason != Reason::StackOverflow);
    let pointer = judged.and_then(|fault| fault.access.as_ref()).and_then(Access::pointer);
    let verdict = pointer.and_then(|at| memory::verdict(process, at));
    let (class, confidence) = match (&said, &fault) {
        (Some(said), _) => {
            let given = freed.as_ref().and_then(|given| {
                // The call has not returned: what was passed is still where it came from.
                let by_name =
                    || source::address_given_by(process, said.frame?, given.name.as_ref()?);
                given.value.or_else(by_name)
            });
            of_said(process, said, given)
        }
        (None, Some(fault)) => {
            let (class, confidence) = of_fault(fault, signal.number);
            let is_assertion = class == CauseClass::Trap && is_library_assertion(process, fault);
            let class = if is_assertion { CauseClass::Assertion } else { class };
            let misuse = origin
                .as_ref()
                .and_then(|origin| misuse::of_fault(process, fault, origin, verdict.as_ref()));
            let most = match misuse.map_or_else(
                || is_sure_of_null(process, fault, origin.as_ref()),
                |misuse| misuse.is_proved,
            ) {
                true => Confidence::Proved,
                false => Confidence::Likely,
            };
            (misuse.map_or(class, |misuse| misuse.class), confidence.min(most))
        }
        (None, None) if only_stops(signal.number) => (CauseClass::Snapshot, Confidence::Proved),
        (None, None) if sender.is_some_and(|sender| sender.is_recorded) => {
            (CauseClass::ExternalSignal, Confidence::Proved)
        }
        (None, None) if sender.is_some() => (CauseClass::ExternalSignal, Confidence::Likely),
        (None, None) if sent.is_some() => (CauseClass::Signal, Confidence::Likely),
        (None, None) if signal.number == SIGABRT => (CauseClass::Abort, Confidence::Likely),
        (None, None) => (of_signal(signal), Confidence::Proved),
    };
    let mut facts: Vec<Fact> = aftermath.into_iter().map(Fact::Aftermath).collect();
    facts.extend(said::facts(process, fault.as_ref(), said.as_ref(), sender_pid));
    facts.extend(fault.as_ref().and_then(|fault| large_frame(process, fault)));
    facts.extend(fault.as_ref().and_then(|fault| trap_message(process, fault)));
    let sent_again = sender.filter(|sender| {
        class == CauseClass::ExternalSignal && !sender.is_recorded && sent.is_none()
    });
    facts.extend(sent_again.map(|sender| Fact::SentAgain(sender.pid)));
    let raised = said.as_ref().filter(|_| !is_panic_of_fault).and_then(|said| said.frame);
    let failed = fault.as_ref().map(|fault| fault.frame(process));
    let made = origin.as_ref().and_then(|origin| match origin.gone {
        Some(_) => Some(origin.frame),
        None => own_about(process, origin.frame, failed.unwrap_or(0), origin.is_certain),
    });
    let gone = match (&origin, raised) {
        (Some(origin), _) => origin.gone.clone(),
        (None, Some(raised)) => origin::jumped_from(process, raised),
        (None, None) => None,
    };
    // What came before, which may be the cause, does not show.
    let is_passed_on = matches!(
        subject,
        Some(
            Subject::UsedPointer
                | Subject::CaughtException
                | Subject::LostException
                | Subject::LaterPanic
        )
    );
    // A stack that is not aligned was so when the function was entered.
    let is_of_stack = fault.as_ref().is_some_and(|fault| fault.reason == Reason::Misaligned)
        && matches!(verdict, Some(Verdict::Stack(_)));
    let is_traced = origin.as_ref().is_some_and(|origin| {
        origin.is_certain
            && !is_of_stack
            && made.is_none_or(|made| is_of_module(process, origin.frame, made))
    });
    let (blame, blame_confidence) = match (raised, made) {
        (Some(raised), _) if gone.is_some() || is_passed_on => (Some(raised), Confidence::Likely),
        (Some(raised), _) if is_found_later(class) => (Some(raised), Confidence::Likely),
        // A function that only passes on what it frees is not to blame for it.
        (Some(raised), _) if freed.as_ref().is_some_and(|given| !given.is_made_here) => {
            (Some(raised), Confidence::Likely)
        }
        (Some(raised), _) => (Some(raised), Confidence::Proved),
        (None, Some(made)) if is_traced => (Some(made), Confidence::Proved),
        (None, Some(made)) => (Some(made), Confidence::Likely),
        (None, None) => {
            let is_sent_again = match class {
                CauseClass::Abort => true,
                CauseClass::Signal | CauseClass::ExternalSignal => {
                    signal.sender().is_some() && !sender.is_some_and(|sender| sender.is_recorded)
                }
                _ => false,
            };
            let from = failed.or_else(|| is_sent_again.then(|| interrupted(process)).flatten());
            let blame = blame(process, from.unwrap_or(0));
            let by_itself = stopped_itself(process, fault.as_ref(), blame);
            (blame, if by_itself { Confidence::Proved } else { Confidence::Likely })
        }
    };
    let terms = source::terms(
        process,
        &Judged {
            fault: fault.as_ref().filter(|fault| is_about(fault, said.as_ref())),
            origin: origin.as_ref(),
            // A name of a frame between the one to blame and start-up code is neither's.
            is_of_library: origin.as_ref().is_some_and(|of| {
                is_of_library(process, of) || of.is_of_callee && made.is_none() && raised.is_none()
            }),
            is_given: subject == Some(Subject::GivenBlock),
            freed: freed.and_then(|given| given.name),
            blame,
            failed,
            confidence: blame_confidence,
        },
    );
    Some(Cause {
        class,
        confidence: blame.map_or(confidence, |_| confidence.min(blame_confidence)),
        class_confidence: confidence,
        fault,
        origin,
        verdict,
        said,
        sender: sender_pid,
        sent,
        deadlock: None,
        thread: None,
        blame,
        near: blame.and_then(|at| source::near(process, process.crashed()?.frames.get(at)?)),
        gone,
        blame_confidence,
        terms,
        failed,
        facts,
    })
}

/// Whether a check finds what was done before, by anybody: of two calls that freed a block
/// either may be the wrong one.
fn is_found_later(class: CauseClass) -> bool {
    matches!(class, CauseClass::HeapCorruption | CauseClass::StackSmashing | CauseClass::DoubleFree)
}

/// Whether a misaligned access came, or may have come, of an aligned pointer: what was added to it is to blame,
/// not what made the pointer.
fn is_aligned(fault: &Fault, origin: &Origin) -> bool {
    let size = fault.access.as_ref().and_then(|access| access.size).filter(|size| *size > 0);
    let is_multiple = match (origin.value, size) {
        (Some(value), Some(size)) => value.is_multiple_of(size),
        // It may have been, if something was added to it.
        _ => origin.is_part,
    };
    fault.reason == Reason::Misaligned && !origin.is_index && is_multiple
}

/// Whether a pointer into a mapped file that is too short came from elsewhere: it is right, and
/// who made it has no part in what became of the file.
fn is_of_file(process: &Process, fault: &Fault, origin: &Origin) -> bool {
    let frame = |index: usize| process.crashed()?.frames.get(index);
    fault.reason == Reason::BeyondFile
        && frame(origin.frame).is_none_or(|made| made.activation != fault.activation)
}

/// Whether both frames are of one module. What another library found in data of its own (the
/// allocator's lists, a stream) anybody may have damaged, not only its caller.
fn is_of_module(process: &Process, one: usize, other: usize) -> bool {
    let module = |index: usize| process.crashed()?.frames.get(index)?.module;
    module(one) == module(other)
}

/// Whether what made a value is a library's alone, whose names are not the program's: no
/// function of the application was inlined there.
fn is_of_library(process: &Process, origin: &Origin) -> bool {
    if origin.gone.is_some() || origin.is_of_callee {
        return false;
    }
    let frames = process.crashed().map_or(&[][..], |thread| &thread.frames);
    let Some(made) = frames.get(origin.frame) else { return false };
    let mut same = frames.iter().filter(|frame| frame.activation == made.activation);
    same.all(|frame| is_foreign(process, frame))
}

/// The frame in which the stack ran out, if that is not one of many but large itself.
fn large_frame(process: &Process, fault: &Fault) -> Option<Fact> {
    /// Half of what musl gives a thread.
    const LARGE: u64 = 1 << 16;
    let sp = process.dump.machine.facts()?.sp;
    let frame = process.crashed()?.stack.frames.get(fault.activation)?;
    let bytes = frame.cfa?.0.checked_sub(frame.registers.get(sp)?)?;
    (fault.reason == Reason::StackOverflow && bytes >= LARGE).then_some(Fact::LargeFrame(bytes))
}

/// What `__builtin_verbose_trap(category, text)` says: clang makes a function of it, inlined
/// at the trap.
fn trap_message(process: &Process, fault: &Fault) -> Option<Fact> {
    let text = match verbose_trap(process, fault)? {
        ("", text) => text.to_owned(),
        (category, text) => format!("{category}: {text}"),
    };
    Some(Fact::TrapMessage(text.trim_end().to_owned()))
}

/// Whether the trap is a failed assertion of libc++ (`__assertion_handler`).
fn is_library_assertion(process: &Process, fault: &Fault) -> bool {
    let trap = verbose_trap(process, fault);
    trap.is_some_and(|(category, text)| category == "libc++" && text.contains("assertion "))
}

/// Category and text of a verbose trap.
fn verbose_trap<'p>(process: &'p Process, fault: &Fault) -> Option<(&'p str, &'p str)> {
    let frame = process.crashed()?.frames.get(fault.frame(process))?;
    let message = frame.function.as_deref()?.strip_prefix("__clang_trap_msg$")?;
    Some(message.split_once('$').unwrap_or(("", message)))
}

/// Index of the frame that a signal interrupted whose handler then ended the process: the
/// handler only says that something is wrong elsewhere.
fn interrupted(process: &Process) -> Option<usize> {
    let frames = &process.crashed()?.frames;
    let handler = frames.iter().position(|frame| frame.kind == FrameKind::Signal)?;
    handler.checked_add(1).filter(|at| *at < frames.len())
}

/// Whether the function in frame `blame` stopped at its own instruction, by no value that
/// may have come from elsewhere.
fn stopped_itself(process: &Process, fault: Option<&Fault>, blame: Option<usize>) -> bool {
    let frame = blame.and_then(|index| process.crashed()?.frames.get(index));
    let by_itself = matches!(
        fault.map(|fault| fault.reason),
        Some(
            Reason::StackOverflow | Reason::Trap | Reason::IllegalInstruction | Reason::Privileged
        )
    );
    by_itself && frame.zip(fault).is_some_and(|(frame, fault)| frame.activation == fault.activation)
}

/// Of a fault that a handler caught and of what the program said, the one that came first;
/// what was said from the handler is the aftermath, and a fault that came of ending the
/// process for what was said is none.
fn first_trouble(
    process: &Process,
    fault: Option<Fault>,
    said: Option<Said>,
) -> (Option<Fault>, Option<Said>, Option<Said>) {
    match (fault, said) {
        (Some(fault), Some(said)) if fault.caught.is_some() => {
            let handler = fault.frame(process).saturating_sub(1);
            match said::said_before(process, handler) {
                Some(aftermath) => (Some(fault), None, Some(aftermath)),
                None => (None, Some(said), None),
            }
        }
        // Of a panic that came later, or of none that ended the process.
        (Some(fault), said)
            if fault.is_panic && (said.is_none() || !is_about(&fault, said.as_ref())) =>
        {
            (None, said, None)
        }
        (fault, said) => (fault, said, None),
    }
}

/// The cause of a process that somebody ended or looked at because it hung.
fn of_deadlock(process: &Process, deadlock: &LockFinding) -> Cause {
    let first = match deadlock {
        LockFinding::Deadlock(cycle) => cycle.first().map(|link| &link.waiter),
        LockFinding::Abandoned { .. } | LockFinding::Held(_) => None,
    };
    let crashed = process.crashed().map(|thread| thread.tid);
    Cause {
        class: CauseClass::Deadlock,
        confidence: deadlock.confidence(),
        class_confidence: deadlock.confidence(),
        fault: None,
        origin: None,
        verdict: None,
        said: None,
        sender: sender(process).map(|sender| sender.pid),
        sent: None,
        deadlock: Some(deadlock.clone()),
        thread: first.map(|place| place.tid).filter(|tid| Some(*tid) != crashed),
        blame: first.and_then(|place| place.frame),
        gone: None,
        near: None,
        blame_confidence: deadlock.confidence(),
        terms: SourceTerms::default(),
        failed: None,
        facts: Vec::new(),
    }
}

/// The class of a signal that the kernel sent for no instruction's sake.
fn of_signal(signal: &Signal) -> CauseClass {
    match signal.detail {
        SignalDetail::SystemCall { .. } => CauseClass::BadSystemCall,
        _ if matches!(signal.number, SIGXCPU | SIGXFSZ) => CauseClass::ResourceLimit,
        _ => CauseClass::Signal,
    }
}

/// The class of what the program said, and how sure it is. `given` is the pointer that the
/// allocator was given, if it complains of one and that is known.
fn of_said(process: &Process, said: &Said, given: Option<Avma>) -> (CauseClass, Confidence) {
    if said.speaker == Speaker::Allocator {
        let complaint = misuse::of_allocator(process, said, given);
        let is_proved = complaint.is_proved && !said.is_inferred;
        return (complaint.class, if is_proved { Confidence::Proved } else { Confidence::Likely });
    }
    let class = match (said.speaker, said.exception.as_deref()) {
        (Speaker::CppException, Some("std::bad_alloc")) => CauseClass::OutOfMemory,
        (speaker, _) => of_speaker(speaker),
    };
    (class, if said.is_inferred { Confidence::Likely } else { Confidence::Proved })
}

fn of_speaker(speaker: Speaker) -> CauseClass {
    match speaker {
        Speaker::Assertion => CauseClass::Assertion,
        Speaker::Allocator => CauseClass::HeapCorruption,
        Speaker::StackProtector => CauseClass::StackSmashing,
        Speaker::Fortify => CauseClass::BufferOverflow,
        Speaker::Abort => CauseClass::Abort,
        Speaker::CppException | Speaker::ScriptException => CauseClass::UncaughtException,
        Speaker::NoexceptViolation => CauseClass::NoexceptViolation,
        Speaker::PureVirtual => CauseClass::PureVirtualCall,
        Speaker::Terminate => CauseClass::Terminate,
        Speaker::RustPanic => CauseClass::RustPanic,
        Speaker::GoPanic => CauseClass::GoPanic,
        Speaker::GoFatal => CauseClass::GoFatal,
        Speaker::Sanitizer => CauseClass::Sanitizer,
        Speaker::FatalLog => CauseClass::FatalLog,
        Speaker::OutOfMemory => CauseClass::OutOfMemory,
    }
}

fn of_fault(fault: &Fault, number: u16) -> (CauseClass, Confidence) {
    let number = fault.caught.as_ref().map_or(number, |caught| caught.signal.number);
    let kind = fault.access.as_ref().map_or(AccessKind::Unknown, |access| access.kind);
    let class = match (fault.reason, kind) {
        (Reason::Null, AccessKind::Read) => CauseClass::NullRead,
        (Reason::Null, AccessKind::Write) => CauseClass::NullWrite,
        (Reason::Null, AccessKind::Execute) => CauseClass::NullCall,
        (Reason::Null, AccessKind::Unknown) => CauseClass::NullAccess,
        (Reason::Unmapped, AccessKind::Read) => CauseClass::UnmappedRead,
        (Reason::Unmapped, AccessKind::Write) => CauseClass::UnmappedWrite,
        (Reason::Unmapped | Reason::NonCanonical, AccessKind::Execute) => CauseClass::WildJump,
        (Reason::Unmapped, AccessKind::Unknown) => CauseClass::UnmappedAccess,
        (Reason::Forbidden, AccessKind::Write) => CauseClass::WriteProtected,
        (Reason::Forbidden, AccessKind::Execute) => CauseClass::ExecuteProtected,
        (Reason::Forbidden, AccessKind::Read | AccessKind::Unknown) => CauseClass::ReadProtected,
        (Reason::NonCanonical, _) => CauseClass::NonCanonical,
        (Reason::StackOverflow, _) => CauseClass::StackOverflow,
        (Reason::NoPage, _) => CauseClass::BusError,
        (Reason::BeyondFile, _) => CauseClass::MappedFileTruncated,
        (Reason::Misaligned, _) => CauseClass::Misaligned,
        (Reason::DivideByZero, _) => CauseClass::DivideByZero,
        (Reason::DivideOverflow, _) => CauseClass::DivideOverflow,
        (Reason::Trap, _) => CauseClass::Trap,
        (Reason::IllegalInstruction, _) => CauseClass::IllegalInstruction,
        (Reason::Privileged, _) => CauseClass::PrivilegedInstruction,
        (Reason::Returned, _) => CauseClass::ReturnOverwritten,
        (Reason::Unknown, _) if number == SIGBUS => CauseClass::BusError,
        (Reason::Unknown, _) => CauseClass::Signal,
    };
    let is_inferred = fault.caught.as_ref().is_some_and(|caught| caught.is_inferred);
    let is_on_record = !is_inferred && !fault.is_computed;
    // Without the instruction, what was done at the address is not known; and a file's end
    // looks like a disk's error.
    let is_known = match fault.reason {
        Reason::BeyondFile | Reason::NoPage | Reason::Unknown => false,
        // A call to a bad address may look the same unless the instruction is available.
        // And on x86 the kernel has one code for all errors of a division, and one for all
        // invalid instructions.
        Reason::Returned
        | Reason::DivideByZero
        | Reason::IllegalInstruction
        | Reason::Trap
        | Reason::Privileged => fault.instruction.is_some(),
        Reason::Null | Reason::Unmapped | Reason::Forbidden => kind != AccessKind::Unknown,
        _ => true,
    };
    (class, if is_known && is_on_record { Confidence::Proved } else { Confidence::Likely })
}
