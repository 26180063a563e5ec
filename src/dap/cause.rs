//! Why the process crashed: as a reason to stop, as an exception, as a paragraph.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::debuggee::{Debuggee, arguments};
use super::text::{optional, plain};
use super::wire::Failed;
use obit_report::{Blame, Cause, Confidence};

/// Gaps that are listed in the summary.
const MISSING: usize = 3;
/// Frames of an exception's stack.
const FRAMES: usize = 20;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExceptionInfo {
    thread_id: i64,
}

impl Debuggee {
    /// The thread that a client shows first.
    pub(super) fn stopped_thread(&self) -> Option<i64> {
        let report = &self.report;
        report.thread_to_blame().or_else(|| report.threads.first()).map(|thread| thread.tid)
    }

    /// The event that says that the process has stopped, and why.
    pub(super) fn stopped(&self) -> Value {
        let cause = self.report.cause.as_ref();
        let is_snapshot = cause.is_none() && self.report.is_snapshot();
        let title = cause.map(|cause| plain(&cause.title));
        let signal = self.report.signal.as_ref().map(|signal| signal.name.clone());
        let description = match (&title, &signal) {
            (Some(title), _) => title.clone(),
            (None, _) if is_snapshot => "a process that was alive".to_owned(),
            (None, Some(signal)) => format!("killed by {signal}; no cause found"),
            (None, None) => "no cause found".to_owned(),
        };
        let explanation = cause.and_then(|cause| optional(cause.explanation.as_ref()));
        let text = explanation.unwrap_or_else(|| description.clone());
        let mut body = json!({
            "reason": if is_snapshot { "pause" } else { "exception" },
            "description": description,
            "text": text,
            "allThreadsStopped": true,
        });
        if let (Some(thread), Some(fields)) = (self.stopped_thread(), body.as_object_mut()) {
            fields.insert("threadId".to_owned(), thread.into());
        }
        body
    }

    pub(super) fn exception_info(&self, given: Map<String, Value>) -> Result<Value, Failed> {
        let wanted: ExceptionInfo = arguments(given)?;
        let is_known = self.report.threads.iter().any(|thread| thread.tid == wanted.thread_id);
        if !is_known {
            return Err(Failed::because("no such thread: `threads` lists them"));
        }
        let crashed = self.report.crashed_thread().map(|thread| thread.tid);
        let stopped = self.stopped_thread();
        if Some(wanted.thread_id) != crashed && Some(wanted.thread_id) != stopped {
            let other = crashed.or(stopped).map(|tid| format!(": thread {tid} did"));
            let other = other.unwrap_or_default();
            return Err(Failed::Refused(format!("this thread did not crash{other}")));
        }
        let Some(cause) = &self.report.cause else {
            let signal = self.report.signal.as_ref();
            let signal = signal.map_or("none", |signal| signal.name.as_str());
            return Ok(json!({
                "exceptionId": signal,
                "description": "no cause was found",
                "breakMode": "unhandled",
            }));
        };
        let mut details = json!({
            "message": self.cause_text(),
            "typeName": cause.class,
            "stackTrace": self.stack_text(wanted.thread_id),
        });
        let blame = cause.blame.as_ref();
        let expression = blame.and_then(|blame| blame.expression.as_ref()).map(plain);
        if let (Some(expression), Some(fields)) = (expression, details.as_object_mut()) {
            fields.insert("evaluateName".to_owned(), expression.into());
        }
        let sentence = cause.explanation.as_ref().unwrap_or(&cause.title);
        Ok(json!({
            "exceptionId": cause.class,
            "description": plain(sentence),
            "breakMode": "unhandled",
            "details": details,
        }))
    }

    /// The cause in a paragraph and a list of what it rests on.
    pub(super) fn cause_text(&self) -> String {
        let mut lines = Vec::new();
        match &self.report.cause {
            Some(cause) => lines.extend(cause_lines(cause)),
            None => {
                let signal = self.report.signal.as_ref().map(|signal| signal.name.as_str());
                lines.push(match signal {
                    Some(signal) => format!("No cause was found; the process got {signal}."),
                    None => "No cause was found.".to_owned(),
                });
            }
        }
        let missing = self.report.notices.iter().filter(|it| it.code.is_incompleteness());
        let missing: Vec<_> = missing.map(|notice| plain(&notice.text)).collect();
        for text in missing.iter().take(MISSING) {
            lines.push(format!("Missing: {text}"));
        }
        if missing.len() > MISSING {
            lines.push(format!("Missing: {} more, see `obit CORE`", missing.len() - MISSING));
        }
        lines.join("\n")
    }

    fn stack_text(&self, tid: i64) -> String {
        let thread = self.report.threads.iter().find(|thread| thread.tid == tid);
        let frames = thread.map(|thread| thread.frames.as_slice()).unwrap_or_default();
        let line = |frame: &obit_report::FrameReport| {
            let function = optional(frame.function.as_ref()).unwrap_or_else(|| "??".to_owned());
            let source = frame
                .source
                .as_ref()
                .and_then(|place| Some(format!(" at {}:{}", plain(&place.file), place.line?)));
            format!("#{} {function}{}", frame.index, source.unwrap_or_default())
        };
        let mut lines: Vec<_> = frames.iter().take(FRAMES).map(line).collect();
        if frames.len() > FRAMES {
            lines.push(format!("\u{2026} {} more", frames.len() - FRAMES));
        }
        lines.join("\n")
    }
}

fn word(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Guess => "guess",
        Confidence::Likely => "likely",
        Confidence::Proved => "proved",
    }
}

fn cause_lines(cause: &Cause) -> Vec<String> {
    let sentence = cause.explanation.as_ref().unwrap_or(&cause.title);
    let (class, confidence) = (&cause.class, word(cause.confidence));
    let mut lines = vec![format!("{class} ({confidence}): {}", plain(sentence))];
    if let Some(message) = &cause.message {
        lines.push(format!("The program reported: {}", plain(message)));
    }
    lines.extend(cause.blame.as_ref().map(blame_line));
    lines.extend(cause.evidence.iter().map(|fact| format!("- {}", plain(&fact.text))));
    lines
}

fn blame_line(blame: &Blame) -> String {
    let function = optional(blame.function.as_ref()).unwrap_or_else(|| "??".to_owned());
    let mut line = format!("Blame frame ({}): {function}", word(blame.confidence));
    if let Some(place) = &blame.source {
        line.push_str(&format!(" at {}", plain(&place.file)));
        if let Some(number) = place.line {
            line.push_str(&format!(":{number}"));
        }
    }
    if let Some(expression) = &blame.expression {
        line.push_str(&format!(", expression `{}`", plain(expression)));
        if let Some(confidence) = blame.expression_confidence {
            line.push_str(&format!(" ({})", word(confidence)));
        }
    }
    if let Some(reason) = &blame.reason {
        line.push_str(&format!(": {}", plain(reason)));
    }
    line
}
