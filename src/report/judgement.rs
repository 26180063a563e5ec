//! The cause in words. What is said here the analysis found; nothing is added but names
//! from the frames.

use super::{
    Blame, Cause, Confidence, Evidence, EvidenceKind, FrameReport, Hex, SourceValue, ThreadReport,
    findings,
};
use crate::addr::Avma;
use crate::analysis::{
    self, Access, AccessKind, CauseClass, Fault, LockFinding, Reason, Said, Severity,
};
use crate::redact::{Origin, Redactor, Shown};

/// `cause` with what the frames of the thread to blame, mostly the crashed one, know of it.
pub(super) fn cause(
    cause: &analysis::Cause,
    crashed: Option<&ThreadReport>,
    redactor: &mut Redactor,
) -> Cause {
    let frame = cause.blame.and_then(|index| crashed?.frames.get(index));
    let bad =
        cause.fault.as_ref().and_then(|fault| fault.access.as_ref()).and_then(Access::pointer);
    let expression = bad.zip(frame).and_then(|(bad, frame)| holder(frame, bad));
    let own = |redactor: &mut Redactor, text: &str| redactor.show(Origin::OwnWords, text);
    let explanation = explanation(cause, expression.map(|value| value.name.as_str()), crashed);
    Cause {
        class: cause.class.word().to_owned(),
        severity: Some(severity(cause.class.severity()).to_owned()),
        title: own(redactor, &title(cause)),
        explanation: explanation.map(|text| own(redactor, &text)),
        confidence: match cause.confidence {
            analysis::Confidence::Guess => Confidence::Guess,
            analysis::Confidence::Likely => Confidence::Likely,
            analysis::Confidence::Proved => Confidence::Proved,
        },
        message: cause.said.as_ref().and_then(|said| message(said, redactor)),
        evidence: all_evidence(cause, redactor),
        blame: frame.zip(crashed).map(|(frame, thread)| Blame {
            thread: Some(thread.tid),
            frame: Some(frame.index),
            function: frame.function.clone(),
            source: frame
                .source
                .clone()
                .map(|place| super::SourcePlace { lines: Vec::new(), ..place }),
            expression: expression.map(|value| value.name.clone()),
            reason: Some(own(redactor, reason(cause, expression.is_some()))),
        }),
    }
}

/// The only name on the frame's line that stood for `bad`, a pointer.
fn holder(frame: &FrameReport, bad: Avma) -> Option<&SourceValue> {
    let place = frame.source.as_ref()?;
    let line = place.lines.iter().find(|line| Some(line.line) == place.line)?;
    let wanted = Hex(bad.0).to_string();
    let is_it = |value: &&SourceValue| {
        let text = value.text.as_str();
        text.strip_prefix(wanted.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    };
    let mut found = line.values.iter().filter(is_it);
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

fn title(cause: &analysis::Cause) -> String {
    let summary = cause.class.summary();
    match (&cause.said, cause.class) {
        (Some(Said { exception: Some(exception), .. }), _) => format!("{summary}: {exception}"),
        (_, CauseClass::Deadlock) if is_alone(cause) => "a thread waits for itself".to_owned(),
        (_, CauseClass::SignalFromOutside) => match cause.sender {
            Some(pid) => format!("{summary}: pid {pid}"),
            None => summary.to_owned(),
        },
        _ => summary.to_owned(),
    }
}

/// Whether one thread is the whole ring.
fn is_alone(cause: &analysis::Cause) -> bool {
    matches!(&cause.deadlock, Some(LockFinding::Deadlock(ring)) if ring.len() == 1)
}

fn explanation(
    cause: &analysis::Cause,
    expression: Option<&str>,
    crashed: Option<&ThreadReport>,
) -> Option<String> {
    if let Some(deadlock) = &cause.deadlock {
        return Some(findings::locks::sentences(deadlock).join("; "));
    }
    let fault = cause.fault.as_ref().filter(|_| cause.said.is_none())?;
    if fault.reason == Reason::StackOverflow {
        let recursion = crashed?.truncated.as_ref().and_then(|cut| cut.recursion.as_ref());
        return recursion.map(|recursion| recursion.as_str().to_owned());
    }
    let access = fault.access.as_ref()?;
    let done = done(access);
    let Some((register, value)) = &access.base else {
        let of = expression.map(|name| format!(": `{name}`")).unwrap_or_default();
        return Some(format!("{done}{of}"));
    };
    let is_null = *value == 0;
    let value = Hex(*value);
    Some(match (expression, is_null) {
        (Some(name), true) => format!("`{name}` is NULL; {done}"),
        (Some(name), false) => format!("`{name}` is {value}; {done}"),
        (None, _) => format!("{register} is {value}; {done}"),
    })
}

/// `reading 8 bytes at 0x20`.
fn done(access: &Access) -> String {
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
    match access.kind {
        AccessKind::Read => format!("reading {size}at {address}{offset}"),
        AccessKind::Write => format!("writing {size}at {address}{offset}"),
        AccessKind::Execute => format!("executing at {address}"),
        AccessKind::Unknown => format!("an access at {address}"),
    }
}

fn message(said: &Said, redactor: &mut Redactor) -> Option<Shown> {
    (!said.text.is_empty()).then(|| redactor.show(Origin::MessageText, &said.text))
}

fn all_evidence(cause: &analysis::Cause, redactor: &mut Redactor) -> Vec<Evidence> {
    let mut all: Vec<Evidence> =
        cause.fault.iter().flat_map(|fault| evidence(fault, redactor)).collect();
    let deadlock = cause.deadlock.iter();
    all.extend(deadlock.flat_map(|deadlock| findings::locks::evidence(deadlock, redactor)));
    let verdict = cause.verdict.as_ref();
    all.extend(verdict.and_then(|verdict| findings::memory::verdict(verdict, redactor)));
    all
}

fn evidence(fault: &Fault, redactor: &mut Redactor) -> Vec<Evidence> {
    let mut found = Vec::new();
    let mut add = |kind, text: &str, address| {
        let text = redactor.show(Origin::OwnWords, text);
        found.push(Evidence { kind, text, frame: Some(0), address });
    };
    if let Some(instruction) = &fault.instruction {
        add(EvidenceKind::Instruction, instruction, Some(Hex(fault.pc.0)));
    }
    for (name, value) in
        fault.access.iter().flat_map(|access| [&access.base, &access.index]).flatten()
    {
        add(EvidenceKind::Register, &format!("{name} = {}", Hex(*value)), None);
    }
    if let Some(access) = &fault.access {
        let text = match fault.reason {
            Reason::Null => "the first pages are never mapped",
            Reason::Unmapped => "nothing is mapped there",
            Reason::Forbidden => "mapped, but the right to do so is missing",
            Reason::NonCanonical => "no address of this machine",
            Reason::StackOverflow => "below the end of the thread's stack",
            Reason::BeyondFile => "mapped from a file that ends before",
            Reason::Misaligned => "not aligned",
            Reason::DivideByZero
            | Reason::DivideOverflow
            | Reason::Trap
            | Reason::IllegalInstruction
            | Reason::Privileged
            | Reason::Unknown => return found,
        };
        add(EvidenceKind::Memory, text, Some(Hex(access.address.0)));
    }
    found
}

fn reason(cause: &analysis::Cause, has_expression: bool) -> &'static str {
    if cause.deadlock.is_some() {
        return "it waits here for what another thread of the ring holds";
    }
    match (&cause.said, has_expression) {
        (Some(_), _) => "the innermost frame of the program's own code: it was raised from here",
        (None, true) => {
            "the innermost frame of the program's own code, and the value is on its line"
        }
        (None, false) => "the innermost frame of the program's own code",
    }
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
    }
}
