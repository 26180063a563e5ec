//! One core: the frames at the place, and the values there.

use std::collections::BTreeSet;

use super::answer::{CoreAnswer, FrameAnswer};
use super::facts::CoreFacts;
use super::hidden::{For, fill};
use super::used_files::UsedFiles;
use crate::batch::{Answer as _, Code};
use crate::report::trust_of;
use crate::report::{Asked, BuildOptions, Judge, Variable};
use obit_corefile::dump::{CoreFile, Dump};
use obit_process::print::{Answer, answer, parts};
use obit_process::process::{FrameTrust, Options, Process};
use obit_process::value::{Budget, Value};
use obit_query::{Cell, Column, Datum, Query, Unavailable};
use obit_redact::{Level, Origin};
use obit_report::answer as document;

/// Frames of one core that are answered.
const MOST_FRAMES: usize = 2_000;
/// Characters of the values of one core.
const MOST_TEXT: usize = 8 << 20;
/// Characters of one text that are read.
const MOST_CHARACTERS: usize = 4096;
/// The reason in a cell of which it is not known whether it may be shown.
const TOO_MANY_PARTS: &str = "it has too many parts to say whether one of them is hidden; \
                              ask for fewer at once, or with --redact=off";
/// Names of functions that are sent where no frame is at the place.
const MOST_NAMES: usize = 256;

/// What is asked of each core.
#[derive(Clone, Debug)]
pub struct Question {
    /// The place and the expressions.
    pub query: Query,
    /// Only in the thread that crashed.
    pub crashed_only: bool,
    /// The class of the cause is wanted, too.
    pub wants_class: bool,
}

/// The answer of a core, whatever it is.
pub fn evaluate(
    core: CoreFile,
    options: Options,
    build: &BuildOptions,
    question: &Question,
) -> std::io::Result<CoreAnswer> {
    let path = core.path.clone();
    let file = core.file.try_clone().ok();
    let access = options.access.clone();
    let dump = match Dump::open_file(core, &options.limits) {
        Ok(dump) => dump,
        Err(error) => {
            let code = Code::of_open_error(&error);
            return CoreAnswer::failed(&path, file.as_ref(), build, code, &error.to_string());
        }
    };
    let process = Process::of_dump(dump, options, &());
    let mut answer = of_process(&process, build, question);
    answer.is_partial |= access.is_some_and(|access| access.servers_failed());
    Ok(answer)
}

/// A frame by the places of its thread and itself.
type At = (usize, usize);

fn of_process(process: &Process, build: &BuildOptions, question: &Question) -> CoreAnswer {
    let mut redactor = build.redactor_of_texts();
    let core = CoreFacts::of(process, question.wants_class, &mut redactor);
    let mut found = CoreAnswer { core, is_partial: lacks_lines(process), ..CoreAnswer::default() };
    let mut used = UsedFiles::default();
    if let Some(executable) = process.modules.executable() {
        used.add(process, executable, &mut redactor);
    }
    let (mut at, mut names) = (Vec::new(), BTreeSet::new());
    for (number, thread) in process.threads.iter().enumerate() {
        if question.crashed_only && !thread.crashed {
            continue;
        }
        let omitted = thread.omitted.map_or(0, |(count, _)| count as u64);
        found.unseen = found.unseen.saturating_add(omitted);
        for (place, frame) in thread.frames.iter().enumerate() {
            found.is_partial |= frame.trust == FrameTrust::Scan;
            if let Some(module) = frame.module {
                used.add(process, module, &mut redactor);
            }
            let source = frame.source.as_ref();
            let source = source.map(|source| (source.file.as_str(), source.line.unwrap_or(0)));
            let function = frame.function.as_deref();
            let is_linkage_name =
                || question.query.place.is_at(frame.linkage_name.as_deref(), None);
            if question.query.place.is_at(function, source) || is_linkage_name() {
                at.push((number, place));
            } else if let Some(name) = function.filter(|_| names.len() < MOST_NAMES) {
                names.insert(name);
            }
        }
    }
    if at.is_empty() {
        let shown = names.into_iter().map(|name| redactor.show(Origin::SymbolName, name));
        found.functions = shown.map(obit_redact::Shown::into_string).collect();
    }
    found.is_partial |= used.is_partial();
    found.files = used.into_list();
    found.left_out = at.len().saturating_sub(MOST_FRAMES) as u64;
    at.truncate(MOST_FRAMES);
    let rows = values(process, build, &question.query.columns, &at);
    let mut left = MOST_TEXT;
    for ((number, place), cells) in at.into_iter().zip(rows) {
        let Some(thread) = process.threads.get(number) else { continue };
        let Some(frame) = thread.frames.get(place) else { continue };
        let length: usize = cells.iter().map(|cell| cell.words().len()).sum();
        let Some(rest) = left.checked_sub(length) else {
            found.left_out += 1;
            continue;
        };
        left = rest;
        let source = frame.source.as_ref();
        let mut show = |origin, text: &str| redactor.show(origin, text).into_string();
        found.frames.push(FrameAnswer {
            thread: thread.tid,
            frame: thread.number_of(place) as u64,
            function: frame.function.as_ref().map(|name| show(Origin::SymbolName, name)),
            file: source.map(|source| show(Origin::SourcePath, &source.file)),
            line: source.and_then(|source| source.line),
            trust: trust_of(frame.trust),
            cells,
        });
    }
    found
}

/// Whether the program has no line anywhere on the stacks: its debug information may be found
/// another time.
fn lacks_lines(process: &Process) -> bool {
    let Some(executable) = process.modules.executable() else { return true };
    let frames = || {
        let all = process.threads.iter().flat_map(|thread| &thread.frames);
        all.filter(|frame| frame.module == Some(executable))
    };
    frames().next().is_some() && !frames().any(|frame| frame.source.is_some())
}

/// A cell for each expression in each frame, which are places of threads and of frames in them.
pub(crate) fn values(
    process: &Process,
    build: &BuildOptions,
    columns: &[Column],
    at: &[At],
) -> Vec<Vec<Cell>> {
    let unanswered = || vec![Cell::unknown("no value"); columns.len()];
    let mut rows: Vec<Vec<Cell>> = at.iter().map(|_| unanswered()).collect();
    if columns.is_empty() {
        return rows;
    }
    let (mut asked, mut wanted) = (Vec::new(), Vec::new());
    for (row, (thread, frame)) in at.iter().copied().enumerate() {
        let Some(view) = process.frame_view(thread, frame) else { continue };
        let budget = || {
            let mut budget = Budget::default().with(build.max_depth, build.max_elements);
            budget.max_text = MOST_CHARACTERS;
            budget
        };
        for (column, of) in columns.iter().enumerate() {
            let mut ask = |text: &str, what: For| match answer(process, &view, text, &budget()) {
                Ok(Answer::Values(values)) if values.len() == 1 => {
                    let answer = Answer::Values(values);
                    let text = text.to_owned();
                    asked.push(Asked { text, thread, frame, frame_number: 0, answer });
                    wanted.push((row, column, what));
                    None
                }
                Ok(_) => Some("this has no value: expected an expression".to_owned()),
                Err(error) => Some(error.to_string()),
            };
            let parts = parts(process, &view, &of.expression);
            let is_cut = parts.is_cut && build.redaction != Level::Off;
            let problem = match is_cut {
                true => Some(Unavailable::Reason(TOO_MANY_PARTS.to_owned())),
                false => ask(&of.expression, For::Cell { is_computed: parts.is_computed })
                    .map(Unavailable::NoMeaning),
            };
            if let Some(problem) = problem {
                let cell = rows.get_mut(row).and_then(|row| row.get_mut(column));
                if let Some(cell) = cell {
                    *cell = Datum::Unavailable(problem).into();
                }
            }
            // Why there is no value may say what a part is, too.
            if build.redaction != Level::Off && !is_cut {
                for part in parts.list {
                    let text = part.text.clone();
                    let _ = ask(&text, For::Part(part));
                }
            }
        }
    }
    let mut judge = Judge::new(process, &asked, build);
    for (asked, (row, column, what)) in asked.iter().zip(wanted) {
        let Some(cell) = rows.get_mut(row).and_then(|row| row.get_mut(column)) else { continue };
        let printed = judge.printed(asked);
        let shown = printed.first().and_then(|printed| variable_of(&printed.answer));
        if let (Some(value), Some(shown)) = (value_of(asked), shown) {
            fill(cell, (value, shown), &what, build.redaction, &mut judge);
        }
    }
    rows
}

fn value_of(asked: &Asked) -> Option<&Value> {
    match &asked.answer {
        Answer::Values(values) => values.first(),
        _ => None,
    }
}

fn variable_of(answer: &document::Answer) -> Option<&Variable> {
    match answer {
        document::Answer::Value(variable) => Some(variable),
        _ => None,
    }
}
