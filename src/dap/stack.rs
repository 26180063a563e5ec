//! Threads and their frames.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::debuggee::{Debuggee, FrameId, arguments};
use super::text::{base_name, optional, plain};
use super::wire::Failed;
use crate::session::FrameHandle;
use obit_ownership::Owner;
use obit_report::{FrameKind, FrameReport, FrameTrust, SourcePlace, ThreadReport};

/// Frames of one answer.
const MOST_FRAMES: usize = 1000;
/// Characters of a function's name.
const LONGEST_NAME: usize = 4000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StackTrace {
    thread_id: i64,
    #[serde(default)]
    start_frame: Option<u64>,
    #[serde(default)]
    levels: Option<u64>,
}

/// One line of a stack.
enum Line<'r> {
    Frame(&'r FrameReport),
    /// The nth of the tail calls beyond a frame.
    TailCall(&'r FrameReport, u64, &'r FrameReport),
    /// Frames that are left out behind the one of this number.
    Gap(u64, String),
}

impl Debuggee {
    /// All threads, the one that crashed first.
    pub(super) fn threads(&self) -> Value {
        let mut all: Vec<&ThreadReport> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        // A damaged core may have an id twice: what is asked of it is the first one's.
        all.extend(self.report.threads.iter().filter(|thread| seen.insert(thread.tid)));
        all.sort_by_key(|thread| !thread.crashed);
        let threads: Vec<_> = all.into_iter().map(described).collect();
        json!({ "threads": threads })
    }

    pub(super) fn stack_trace(&mut self, given: Map<String, Value>) -> Result<Value, Failed> {
        let wanted: StackTrace = arguments(given)?;
        let report = std::sync::Arc::clone(&self.report);
        let thread = report.threads.iter().find(|thread| thread.tid == wanted.thread_id);
        let thread =
            thread.ok_or_else(|| Failed::because("no such thread: `threads` lists them"))?;
        let lines = lines_of(thread);
        let skip = usize::try_from(wanted.start_frame.unwrap_or(0)).unwrap_or(usize::MAX);
        let levels = wanted.levels.filter(|levels| *levels > 0);
        let take = levels.map_or(MOST_FRAMES, |levels| {
            usize::try_from(levels).unwrap_or(MOST_FRAMES).min(MOST_FRAMES)
        });
        let executable = report.executable();
        let mut frames = Vec::new();
        for line in lines.iter().skip(skip).take(take) {
            frames.push(self.line(thread.tid, line, executable)?);
        }
        Ok(json!({ "stackFrames": frames, "totalFrames": lines.len() }))
    }

    fn line(
        &mut self,
        tid: i64,
        line: &Line<'_>,
        executable: Option<&str>,
    ) -> Result<Value, Failed> {
        match line {
            Line::Frame(frame) => {
                let id = self.frame_id(FrameId::Real(tid, frame.index))?;
                let at = FrameHandle { thread: tid, frame: frame.index };
                Ok(self.frame_json(id, frame, Some(at), executable))
            }
            Line::TailCall(frame, nth, call) => {
                let id = self.frame_id(FrameId::Beside(tid, frame.index, *nth))?;
                Ok(self.frame_json(id, call, None, executable))
            }
            Line::Gap(after, text) => {
                let id = self.frame_id(FrameId::Beside(tid, *after, u64::MAX))?;
                Ok(json!({
                    "id": id, "name": text, "line": 0, "column": 0, "presentationHint": "label",
                }))
            }
        }
    }

    fn frame_json(
        &mut self,
        id: i64,
        frame: &FrameReport,
        at: Option<FrameHandle>,
        executable: Option<&str>,
    ) -> Value {
        let is_own = frame.ownership(executable).owner == Owner::Application;
        let is_subtle = !is_own || frame.kind == FrameKind::Signal || at.is_none();
        let mut shown = json!({
            "id": id,
            "name": name(frame, at.is_none()),
            "line": 0,
            "column": 0,
            "presentationHint": if is_subtle { "subtle" } else { "normal" },
        });
        let Some(fields) = shown.as_object_mut() else { return shown };
        // A tail call left no place to which it returns.
        if at.is_some() {
            fields.insert("instructionPointerReference".to_owned(), frame.pc.to_string().into());
        }
        let modules = &self.report.modules;
        let module = frame
            .module
            .as_ref()
            .and_then(|place| modules.iter().position(|module| module.path == place.path));
        if let Some(module) = module {
            fields.insert("moduleId".to_owned(), module.into());
        }
        if let Some(place) = &frame.source {
            let source = self.source_of(place, at);
            if let Some(line) = place.line {
                fields.insert("line".to_owned(), self.counting.line(line).into());
                let column = self.counting.column(place.column.unwrap_or(1));
                fields.insert("column".to_owned(), column.into());
            }
            fields.insert("source".to_owned(), source);
        }
        shown
    }

    /// A source file. Where it is, is found out once.
    pub(super) fn source_of(&mut self, place: &SourcePlace, at: Option<FrameHandle>) -> Value {
        let compiled = compiled_path(place);
        let found = self.found_source(&compiled, at);
        let mut source = json!({ "name": base_name(&compiled) });
        let Some(fields) = source.as_object_mut() else { return source };
        match (found.path, found.reference) {
            (Some(path), _) => {
                fields.insert("path".to_owned(), path.into());
            }
            (None, 0) => {
                fields.insert("path".to_owned(), compiled.into());
                fields.insert("presentationHint".to_owned(), "deemphasize".into());
                fields.insert("origin".to_owned(), "the file was not found".into());
            }
            (None, reference) => {
                fields.insert("path".to_owned(), compiled.into());
                fields.insert("sourceReference".to_owned(), reference.into());
            }
        }
        source
    }
}

/// The path of a file as it was compiled, in its directory.
fn compiled_path(place: &SourcePlace) -> String {
    let file = plain(&place.file);
    match &place.directory {
        Some(directory) if !file.starts_with('/') => {
            format!("{}/{file}", plain(directory).trim_end_matches('/'))
        }
        _ => file,
    }
}

fn described(thread: &ThreadReport) -> Value {
    let name = optional(thread.name.as_ref()).filter(|name| !name.is_empty());
    let id = thread.tid;
    let mut text = name.map_or_else(|| format!("thread {id}"), |name| format!("{name} ({id})"));
    if thread.crashed {
        text.push_str(" crashed");
    }
    json!({ "id": id, "name": text })
}

fn lines_of(thread: &ThreadReport) -> Vec<Line<'_>> {
    let gap = thread.truncated.as_ref().filter(|cut| cut.frames_total > cut.shown);
    let mut lines = Vec::new();
    for (number, frame) in thread.frames.iter().enumerate() {
        if let Some(cut) = gap.filter(|cut| cut.gap_after == number as u64) {
            let recursion = cut.recursion.as_ref().map(|text| format!("; {}", plain(text)));
            let left_out = cut.frames_total - cut.shown;
            let text = format!("{left_out} frames left out{}", recursion.unwrap_or_default());
            lines.push(Line::Gap(frame.index, text));
        }
        lines.push(Line::Frame(frame));
        let calls = (0..).zip(&frame.tail_calls);
        lines.extend(calls.map(|(nth, call)| Line::TailCall(frame, nth, call)));
    }
    lines
}

/// The function, and how the frame is known where that is not certain.
fn name(frame: &FrameReport, is_beside: bool) -> String {
    if frame.kind == FrameKind::Signal {
        return "<signal handler called>".to_owned();
    }
    let function = frame.function.as_ref().map_or_else(|| "??".to_owned(), plain);
    let mut name: String = function.chars().take(LONGEST_NAME).collect();
    if name.len() < function.len() {
        name.push('\u{2026}');
    }
    match frame.trust {
        _ if is_beside => name.push_str(" [tail call]"),
        FrameTrust::Scan => name.push_str(" [found on the stack: may be stale]"),
        FrameTrust::Inferred => name.push_str(" [inferred]"),
        FrameTrust::Context | FrameTrust::Cfi | FrameTrust::Code | FrameTrust::FramePointer => {}
    }
    name
}
