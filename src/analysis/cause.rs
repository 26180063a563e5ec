//! The judgement: which class of cause the facts make, and how sure that is.

use super::blame::blame;
use super::fault::{Access, AccessKind, Fault, Reason};
use super::locks::LockFinding;
use super::memory::{self, Verdict};
use super::outside::{is_from_outside, sender};
use super::said::{Said, Speaker};
use crate::process::Process;

/// Why the process died.
#[derive(Clone, Debug)]
pub struct Cause {
    /// Of the catalogue in docs/causes.md.
    pub class: CauseClass,
    /// How sure the class is.
    pub confidence: Confidence,
    /// The instruction that failed.
    pub fault: Option<Fault>,
    /// What is known of the pointer that was used.
    pub verdict: Option<Verdict>,
    /// What the program said.
    pub said: Option<Said>,
    /// Who sent the signal, if another process did.
    pub sender: Option<i64>,
    /// The threads that wait for each other, if that is why it hung.
    pub deadlock: Option<LockFinding>,
    /// Id of the thread to look at first, where it is not the crashed one.
    pub thread: Option<i64>,
    /// Index of the frame of that thread to look at first.
    pub blame: Option<usize>,
}

/// A class of causes. Closed: docs/causes.md lists each with an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // the words below say what they are
pub enum CauseClass {
    NullRead,
    NullWrite,
    NullAccess,
    NullCall,
    WildRead,
    WildWrite,
    WildAccess,
    WildCall,
    ForbiddenWrite,
    ForbiddenRead,
    ForbiddenExecute,
    NonCanonical,
    StackOverflow,
    BeyondFile,
    Misaligned,
    DivideByZero,
    DivideOverflow,
    Trap,
    IllegalInstruction,
    PrivilegedInstruction,
    Assertion,
    HeapCorruption,
    StackSmashing,
    BufferOverflow,
    UncaughtException,
    PureVirtualCall,
    Terminate,
    RustPanic,
    GoPanic,
    GoFatal,
    Abort,
    Deadlock,
    SignalFromOutside,
    Signal,
}

/// How bad a class is for whoever runs the program: what an attacker could make of it, as
/// CASR and `!exploitable` rank it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum Severity {
    Info,
    Low,
    Medium,
    High,
}

impl CauseClass {
    /// All classes, in the catalogue's order.
    pub const ALL: [Self; 34] = [
        Self::NullRead,
        Self::NullWrite,
        Self::NullAccess,
        Self::NullCall,
        Self::WildRead,
        Self::WildWrite,
        Self::WildAccess,
        Self::WildCall,
        Self::ForbiddenWrite,
        Self::ForbiddenRead,
        Self::ForbiddenExecute,
        Self::NonCanonical,
        Self::StackOverflow,
        Self::BeyondFile,
        Self::Misaligned,
        Self::DivideByZero,
        Self::DivideOverflow,
        Self::Trap,
        Self::IllegalInstruction,
        Self::PrivilegedInstruction,
        Self::Assertion,
        Self::HeapCorruption,
        Self::StackSmashing,
        Self::BufferOverflow,
        Self::UncaughtException,
        Self::PureVirtualCall,
        Self::Terminate,
        Self::RustPanic,
        Self::GoPanic,
        Self::GoFatal,
        Self::Abort,
        Self::Deadlock,
        Self::SignalFromOutside,
        Self::Signal,
    ];

    /// Its word in reports, its severity, and what happened in a few words.
    fn entry(self) -> (&'static str, Severity, &'static str) {
        match self {
            Self::NullRead => ("null-read", Severity::Low, "a null pointer was read through"),
            Self::NullWrite => ("null-write", Severity::Low, "a null pointer was written through"),
            Self::NullAccess => ("null-access", Severity::Low, "a null pointer was used"),
            Self::NullCall => ("null-call", Severity::Medium, "a null function pointer was called"),
            Self::WildRead => ("wild-read", Severity::Medium, "memory that is not there was read"),
            Self::WildWrite => {
                ("wild-write", Severity::High, "memory that is not there was written")
            }
            Self::WildAccess => {
                ("wild-access", Severity::Medium, "memory that is not there was used")
            }
            Self::WildCall => {
                ("wild-call", Severity::High, "execution went to an address that is no code")
            }
            Self::ForbiddenWrite => {
                ("forbidden-write", Severity::High, "read-only memory was written")
            }
            Self::ForbiddenRead => {
                ("forbidden-read", Severity::Medium, "memory that may not be read was read")
            }
            Self::ForbiddenExecute => ("forbidden-execute", Severity::High, "data was executed"),
            Self::NonCanonical => {
                ("non-canonical", Severity::Medium, "a pointer that is no address was used")
            }
            Self::StackOverflow => ("stack-overflow", Severity::Low, "the stack ran out"),
            Self::BeyondFile => {
                ("beyond-file", Severity::Low, "a mapped file was read beyond its end")
            }
            Self::Misaligned => ("misaligned", Severity::Low, "an access was not aligned"),
            Self::DivideByZero => ("divide-by-zero", Severity::Low, "a number was divided by zero"),
            Self::DivideOverflow => ("divide-overflow", Severity::Low, "a quotient was too large"),
            Self::Trap => ("trap", Severity::Low, "the compiler's trap was reached"),
            Self::IllegalInstruction => (
                "illegal-instruction",
                Severity::Medium,
                "an instruction was not known to the machine",
            ),
            Self::PrivilegedInstruction => (
                "privileged-instruction",
                Severity::Medium,
                "an instruction was for the kernel alone",
            ),
            Self::Assertion => ("assertion", Severity::Low, "an assertion failed"),
            Self::HeapCorruption => {
                ("heap-corruption", Severity::High, "the allocator found its books damaged")
            }
            Self::StackSmashing => ("stack-smashing", Severity::High, "a stack buffer was overrun"),
            Self::BufferOverflow => {
                ("buffer-overflow", Severity::High, "a checked copy would have overrun its buffer")
            }
            Self::UncaughtException => {
                ("uncaught-exception", Severity::Low, "an exception was not caught")
            }
            Self::PureVirtualCall => {
                ("pure-virtual-call", Severity::Medium, "a pure virtual function was called")
            }
            Self::Terminate => ("terminate", Severity::Low, "std::terminate was called"),
            Self::RustPanic => ("rust-panic", Severity::Low, "Rust panicked"),
            Self::GoPanic => ("go-panic", Severity::Low, "Go panicked"),
            Self::GoFatal => ("go-fatal", Severity::Low, "Go's runtime gave up"),
            Self::Abort => ("abort", Severity::Low, "the program aborted itself"),
            Self::Deadlock => ("deadlock", Severity::Low, "threads wait for each other"),
            Self::SignalFromOutside => {
                ("signal-from-outside", Severity::Info, "another process sent the signal")
            }
            Self::Signal => ("signal", Severity::Info, "a signal ended it"),
        }
    }

    /// Its word in reports.
    pub fn word(self) -> &'static str {
        self.entry().0
    }

    /// How bad it is.
    pub fn severity(self) -> Severity {
        self.entry().1
    }

    /// What happened, in a few words.
    pub fn summary(self) -> &'static str {
        self.entry().2
    }

    /// The class called `word`.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.word() == word)
    }
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
    let (class, confidence) = match (&said, &fault) {
        (Some(said), _) => (of_speaker(said.speaker), Confidence::Proved),
        (None, Some(fault)) => of_fault(fault),
        (None, None) if sender(process).is_some() => {
            (CauseClass::SignalFromOutside, Confidence::Proved)
        }
        (None, None) if signal.number == SIGABRT => (CauseClass::Abort, Confidence::Likely),
        (None, None) => (CauseClass::Signal, Confidence::Proved),
    };
    let sender = sender(process);
    let raised = said.as_ref().and_then(|said| said.frame);
    let blame = raised.or_else(|| blame(process));
    let pointer = fault.as_ref().and_then(|fault| fault.access.as_ref()).and_then(Access::pointer);
    let verdict = pointer.and_then(|at| memory::verdict(process, at));
    let (deadlock, thread) = (None, None);
    Some(Cause { class, confidence, fault, verdict, said, sender, deadlock, thread, blame })
}

/// The cause of a process that somebody ended or looked at because it hung.
fn of_deadlock(process: &Process, deadlock: &LockFinding) -> Cause {
    let first = match deadlock {
        LockFinding::Deadlock(ring) => ring.first().map(|link| &link.waiter),
        LockFinding::Abandoned { .. } | LockFinding::Held(_) => None,
    };
    let crashed = process.crashed().map(|thread| thread.tid);
    Cause {
        class: CauseClass::Deadlock,
        confidence: deadlock.confidence(),
        fault: None,
        verdict: None,
        said: None,
        sender: sender(process),
        deadlock: Some(deadlock.clone()),
        thread: first.map(|place| place.tid).filter(|tid| Some(*tid) != crashed),
        blame: first.and_then(|place| place.frame),
    }
}

const SIGABRT: u16 = 6;

fn of_speaker(speaker: Speaker) -> CauseClass {
    match speaker {
        Speaker::Assertion => CauseClass::Assertion,
        Speaker::Allocator => CauseClass::HeapCorruption,
        Speaker::StackProtector => CauseClass::StackSmashing,
        Speaker::Fortify => CauseClass::BufferOverflow,
        Speaker::Abort => CauseClass::Abort,
        Speaker::CppException => CauseClass::UncaughtException,
        Speaker::PureVirtual => CauseClass::PureVirtualCall,
        Speaker::Terminate => CauseClass::Terminate,
        Speaker::RustPanic => CauseClass::RustPanic,
        Speaker::GoPanic => CauseClass::GoPanic,
        Speaker::GoFatal => CauseClass::GoFatal,
    }
}

fn of_fault(fault: &Fault) -> (CauseClass, Confidence) {
    let kind = fault.access.as_ref().map_or(AccessKind::Unknown, |access| access.kind);
    let class = match (fault.reason, kind) {
        (Reason::Null, AccessKind::Read) => CauseClass::NullRead,
        (Reason::Null, AccessKind::Write) => CauseClass::NullWrite,
        (Reason::Null, AccessKind::Execute) => CauseClass::NullCall,
        (Reason::Null, AccessKind::Unknown) => CauseClass::NullAccess,
        (Reason::Unmapped, AccessKind::Read) => CauseClass::WildRead,
        (Reason::Unmapped, AccessKind::Write) => CauseClass::WildWrite,
        (Reason::Unmapped | Reason::NonCanonical, AccessKind::Execute) => CauseClass::WildCall,
        (Reason::Unmapped, AccessKind::Unknown) => CauseClass::WildAccess,
        (Reason::Forbidden, AccessKind::Write) => CauseClass::ForbiddenWrite,
        (Reason::Forbidden, AccessKind::Execute) => CauseClass::ForbiddenExecute,
        (Reason::Forbidden, AccessKind::Read | AccessKind::Unknown) => CauseClass::ForbiddenRead,
        (Reason::NonCanonical, _) => CauseClass::NonCanonical,
        (Reason::StackOverflow, _) => CauseClass::StackOverflow,
        (Reason::BeyondFile, _) => CauseClass::BeyondFile,
        (Reason::Misaligned, _) => CauseClass::Misaligned,
        (Reason::DivideByZero, _) => CauseClass::DivideByZero,
        (Reason::DivideOverflow, _) => CauseClass::DivideOverflow,
        (Reason::Trap, _) => CauseClass::Trap,
        (Reason::IllegalInstruction, _) => CauseClass::IllegalInstruction,
        (Reason::Privileged, _) => CauseClass::PrivilegedInstruction,
        (Reason::Unknown, _) => CauseClass::Signal,
    };
    // Without the instruction, what was done at the address is not known; and a file's end
    // looks like a disk's error.
    let is_known = match fault.reason {
        Reason::BeyondFile | Reason::Unknown => false,
        Reason::Null | Reason::Unmapped | Reason::Forbidden => kind != AccessKind::Unknown,
        _ => true,
    };
    (class, if is_known { Confidence::Proved } else { Confidence::Likely })
}
/// How sure a judgement is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum Confidence {
    Guess,
    Likely,
    Proved,
}
