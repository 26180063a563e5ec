//! Whether a claim holds. What is hidden is neither confirmed nor denied.

use super::opened::{At, Opened};
use crate::query::{Cell, Datum};
use obit_analysis::memory::{BlockState, Verdict as Memory, verdict};
use obit_causes::current_name;
use obit_ownership::is_function;
use obit_process::process::FrameTrust;
use obit_redact::Shown;
use obit_report::Confidence;
use obit_report::answer::Answer as Found;
use obit_session::{Claim, Comparison, Place, Problem, Verdict, VerifyAnswer, Wait};

/// Bytes of a value that are shown.
const BYTES: u64 = 16;

impl Opened {
    /// Checks a claim.
    pub(super) fn verify(&self, claim: &Claim) -> VerifyAnswer {
        let mut claim = claim.clone();
        if let Claim::OnStack { thread, .. } = &mut claim {
            // The answer says which thread was searched.
            *thread = thread.or_else(|| self.process.crashed().map(|thread| thread.tid));
        }
        let claim = &claim;
        let (verdict, reason, evidence) = match self.checked(claim) {
            Ok(checked) => checked,
            Err(problem) => (Verdict::Unknown, problem.text.into_string(), Vec::new()),
        };
        VerifyAnswer {
            claim: self.shown(&described(claim)),
            verdict,
            reason: self.shown(&reason),
            evidence,
        }
    }

    fn checked(&self, claim: &Claim) -> Result<(Verdict, String, Vec<Shown>), Problem> {
        match claim {
            Claim::Compare { at, expression, comparison, value } => {
                self.compared(*at, expression, *comparison, value)
            }
            Claim::Waits { thread, waits_for } => Ok(self.waits(*thread, *waits_for)),
            Claim::Freed { at, expression } => self.freed(*at, expression),
            Claim::OnStack { thread, function } => self.on_stack(*thread, function),
            Claim::Class { class } => Ok(self.class(class)),
        }
    }

    fn compared(
        &self,
        at: Place,
        expression: &str,
        comparison: Comparison,
        value: &str,
    ) -> Result<(Verdict, String, Vec<Shown>), Problem> {
        let at = self.place(at)?;
        if let Some(open) = [expression, value].into_iter().find(|part| !is_closed(part)) {
            let reason = format!("the brackets or quotes of `{open}` are not closed");
            return Ok((Verdict::Unknown, reason, Vec::new()));
        }
        let text = format!("({expression}) {} ({value})", comparison.word());
        let asked = self.ask(at, &text, &Self::budget(1, 1));
        asked.map_err(|error| self.problem(&error, "print"))?;
        let cell = self.cell(at, &text).map(|cell| cell.datum);
        let evidence = || self.value_and_bytes(at, expression);
        let frame = at.handle;
        let (verdict, reason) = match cell {
            Some(Datum::Boolean(true)) => (Verdict::Holds, format!("in frame {frame} it is true")),
            Some(Datum::Integer(number)) if number != 0 => {
                (Verdict::Holds, format!("in frame {frame} it is true"))
            }
            Some(Datum::Boolean(false) | Datum::Integer(_)) => {
                (Verdict::DoesNotHold, format!("in frame {frame} it is false"))
            }
            Some(Datum::Hidden(_)) => {
                let reason = "the value is hidden at this level of redaction";
                return Ok((Verdict::Unknown, reason.to_owned(), Vec::new()));
            }
            Some(datum @ Datum::Unavailable(_)) => {
                (Verdict::Unknown, format!("no value: {}", Cell::from(datum).words()))
            }
            _ => (Verdict::Unknown, "the comparison has no truth value".to_owned()),
        };
        Ok((verdict, reason, evidence()))
    }

    /// The value of an expression, and the bytes it was read from.
    fn value_and_bytes(&self, at: At, expression: &str) -> Vec<Shown> {
        let mut lines = Vec::new();
        let place = Place { thread: Some(at.handle.thread), frame: Some(at.handle.frame) };
        if let Ok(printed) = self.print(place, &[expression.to_owned()]) {
            for one in printed.answers {
                let value = one.value.or(one.error);
                let value = value.as_ref().map_or("no value", Shown::as_str);
                lines.push(Shown::from_report(format!("{} = {value}", one.expression.as_str())));
            }
        }
        let size = match self.cell(at, &format!("sizeof({expression})")).map(|cell| cell.datum) {
            Some(Datum::Integer(size)) => u64::try_from(size).unwrap_or(BYTES).clamp(1, BYTES),
            _ => 8,
        };
        let text = format!("x/{size}xb &({expression})");
        let asked = self.ask(at, &text, &Self::budget(1, 1));
        let Ok(asked) = asked else {
            lines.push(Shown::own("it is not in memory: no bytes"));
            return lines;
        };
        for printed in self.judged(&[at.thread], |judge| judge.printed(&asked)) {
            let Found::Memory(memory) = printed.answer else { continue };
            for row in memory.rows {
                let bytes: Vec<_> = row.values.iter().map(Shown::as_str).collect();
                let bytes = match row.unavailable {
                    Some(why) if bytes.is_empty() => why.into_string(),
                    _ => bytes.join(" "),
                };
                lines.push(Shown::from_report(format!("bytes at {}: {bytes}", row.address)));
            }
        }
        lines
    }

    fn waits(&self, thread: i64, waits_for: i64) -> (Verdict, String, Vec<Shown>) {
        let known = |tid: i64| self.process.threads.iter().any(|thread| thread.tid == tid);
        if let Some(absent) = [thread, waits_for].into_iter().find(|tid| !known(*tid)) {
            let reason = self.no_thread(Some(absent)).text.into_string();
            return (Verdict::Unknown, reason, Vec::new());
        }
        let locks = self.locks();
        let of_thread: Vec<_> = locks.waits.iter().filter(|wait| wait.thread == thread).collect();
        let line = |wait: &&Wait| Shown::from_report(wait.sentence(wait.lock.as_str()));
        let evidence: Vec<_> = of_thread.iter().map(line).collect();
        let to_other = of_thread.iter().find(|wait| wait.waits_for == Some(waits_for));
        match (to_other, of_thread.first()) {
            (Some(wait), _) if wait.sure => {
                (Verdict::Holds, "the lock names its owner".to_owned(), evidence)
            }
            (Some(_), _) => {
                let reason = "the owner of the lock is not certain";
                (Verdict::Unknown, reason.to_owned(), evidence)
            }
            (None, Some(Wait { sure: true, waits_for: Some(other), .. })) => {
                let reason = format!("it waits for thread {other}");
                (Verdict::DoesNotHold, reason, evidence)
            }
            _ => {
                let reason = "no lock with a known owner was found that this thread waits for";
                (Verdict::Unknown, reason.to_owned(), evidence)
            }
        }
    }

    fn freed(&self, at: Place, expression: &str) -> Result<(Verdict, String, Vec<Shown>), Problem> {
        let at = self.place(at)?;
        if self.is_hidden_number(at, expression) {
            let reason = "the value is hidden at this level of redaction";
            return Ok((Verdict::Unknown, reason.to_owned(), Vec::new()));
        }
        let address = self.address_of(at, expression);
        let address = address.map_err(|error| self.problem(&error, "print"))?;
        let found = self.what_is(address);
        let what = found.what.as_ref().map_or("nothing is known of it", Shown::as_str);
        let evidence = vec![Shown::from_report(format!("{}: {what}", found.address))];
        let found = verdict(&self.process, address);
        let (verdict, reason) = match found {
            Some(Memory::Heap(block)) => match block.state {
                BlockState::Freed(_) => (Verdict::Holds, "the heap chunk is in a free list"),
                BlockState::InUse | BlockState::Mapping => {
                    (Verdict::DoesNotHold, "the program has this heap chunk")
                }
                BlockState::Top => (Verdict::Unknown, "it is in the top chunk of the heap"),
            },
            Some(Memory::ListHead | Memory::Link(_)) => {
                (Verdict::Unknown, "the value itself is metadata of a freed chunk")
            }
            Some(Memory::Stack(_) | Memory::Module(_) | Memory::File(_)) => {
                (Verdict::DoesNotHold, "it is no memory of the heap")
            }
            _ => (Verdict::Unknown, "the heap does not say"),
        };
        Ok((verdict, reason.to_owned(), evidence))
    }

    fn on_stack(
        &self,
        thread: Option<i64>,
        function: &str,
    ) -> Result<(Verdict, String, Vec<Shown>), Problem> {
        let tid = thread.ok_or_else(|| self.no_thread(None))?;
        let thread = self.process.threads.iter().find(|thread| thread.tid == tid);
        let thread = thread.ok_or_else(|| self.no_thread(Some(tid)))?;
        let named = |name: Option<&str>| name.and_then(|name| is_function(name, function));
        let mut frames = thread.frames.iter().enumerate();
        let found = frames.find(|(_, frame)| named(frame.function.as_deref()) == Some(true));
        let is_partial = thread.omitted.is_some()
            || thread.stack.stopped.is_some()
            || thread.frames.iter().any(|frame| frame.trust == FrameTrust::Scan);
        let mut frames = thread.frames.iter().enumerate();
        let unsure = frames.find(|(_, frame)| named(frame.function.as_deref()).is_none());
        let evidence =
            |place| vec![Shown::from_report(format!("frame {tid}/{}", thread.number_of(place)))];
        Ok(match (found, unsure) {
            (Some((place, frame)), _) if frame.trust == FrameTrust::Scan => {
                let reason = "the frame was found by scanning the stack";
                (Verdict::Unknown, reason.to_owned(), evidence(place))
            }
            (Some((place, _)), _) => {
                (Verdict::Holds, format!("a frame of it is in thread {tid}"), evidence(place))
            }
            (None, _) if is_partial => {
                let reason = format!("the stack of thread {tid} is not known in full");
                (Verdict::Unknown, reason, Vec::new())
            }
            (None, Some((place, frame))) => {
                let reason = match frame.function {
                    Some(_) => "a frame may be of it: the names do not say",
                    None => "the function of a frame is not known",
                };
                (Verdict::Unknown, reason.to_owned(), evidence(place))
            }
            (None, None) => {
                let reason =
                    format!("no frame of it is in thread {tid}; only that one was searched");
                (Verdict::DoesNotHold, reason, Vec::new())
            }
        })
    }

    fn class(&self, class: &str) -> (Verdict, String, Vec<Shown>) {
        let Some(cause) = &self.report().cause else {
            return (Verdict::Unknown, "no cause was found".to_owned(), Vec::new());
        };
        let is_proved = cause.of_class() == Confidence::Proved;
        let is_same = cause.class == current_name(class);
        let reason = format!("the class is {}", cause.class);
        let evidence = vec![cause.title.clone()];
        match (is_same, is_proved) {
            (true, true) => (Verdict::Holds, format!("{reason}, proved"), evidence),
            (false, true) => (Verdict::DoesNotHold, format!("{reason}, proved"), evidence),
            (_, false) => (Verdict::Unknown, format!("{reason}, but not proved"), evidence),
        }
    }
}

/// Whether an operand ends all brackets and quotes that it begins, and no other: in brackets of
/// its own it is one operand.
fn is_closed(text: &str) -> bool {
    let (mut open, mut quote, mut is_escaped) = (Vec::new(), None, false);
    for c in text.chars() {
        match (quote, c) {
            (Some(_), _) if is_escaped => is_escaped = false,
            (Some(_), '\\') => is_escaped = true,
            (Some(end), c) if c == end => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '(') => open.push(')'),
            (None, '[') => open.push(']'),
            (None, '{') => open.push('}'),
            (None, ')' | ']' | '}') if open.pop() != Some(c) => return false,
            _ => {}
        }
    }
    open.is_empty() && quote.is_none()
}

fn described(claim: &Claim) -> String {
    let place = |at: &Place| {
        let frame = at.frame.map(|frame| format!(" in frame {frame}")).unwrap_or_default();
        let thread = at.thread.map(|thread| format!(" of thread {thread}")).unwrap_or_default();
        format!("{frame}{thread}")
    };
    match claim {
        Claim::Compare { at, expression, comparison, value } => {
            format!("{expression} {} {value}{}", comparison.word(), place(at))
        }
        Claim::Waits { thread, waits_for } => {
            format!("thread {thread} waits for thread {waits_for}")
        }
        Claim::Freed { at, expression } => {
            format!("{expression} points to freed memory{}", place(at))
        }
        Claim::OnStack { thread, function } => {
            let thread = thread.map(|thread| format!(" of thread {thread}")).unwrap_or_default();
            format!("{function} is on the stack{thread}")
        }
        Claim::Class { class } => format!("the class is {class}"),
    }
}

#[cfg(test)]
mod tests {
    use super::is_closed;

    #[test]
    fn an_operand_that_would_end_the_brackets_around_it_is_none() {
        for text in ["x", "f[a(1)] + (b)", "c == ')'", "\"\\\")\""] {
            assert!(is_closed(text), "{text}");
        }
        for text in ["1) || (1", "(x", "a[1)", "'x"] {
            assert!(!is_closed(text), "{text}");
        }
    }
}
