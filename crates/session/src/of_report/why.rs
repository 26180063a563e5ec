//! Why the process crashed, in few words.

use std::collections::BTreeMap;

use obit_redact::Shown;
use obit_report::{Blame, Cause, Evidence, Report, SourcePlace, ThreadReport};

use super::{blame_place, confidence, cut, missing};
use crate::answer::{BlameAnswer, EvidenceAnswer, Next, Why};
use crate::handle::FrameHandle;

/// Facts, findings and gaps that are listed: more are in the report.
const FACTS: usize = 4;
const FINDINGS: usize = 2;
const MISSING: usize = 2;
/// Characters of a text of the program, and of other texts.
const LONGEST: usize = 240;
/// Questions that are suggested.
const QUESTIONS: usize = 3;

/// Why, by the report.
pub fn why(report: &Report) -> Why {
    let mut why = Why {
        id: report.id.clone(),
        findings: report
            .findings
            .iter()
            .take(FINDINGS)
            .map(|one| cut(&one.title, LONGEST))
            .collect(),
        missing: missing(report, MISSING).iter().map(|text| cut(text, LONGEST)).collect(),
        next: next(report),
        ..Why::default()
    };
    let Some(cause) = &report.cause else { return why };
    why.class = Some(cause.class.clone());
    why.title = Some(cut(&cause.title, LONGEST));
    why.explanation = cause.explanation.as_ref().map(|text| cut(text, 2 * LONGEST));
    why.confidence = Some(confidence(cause.confidence));
    why.class_confidence =
        (cause.of_class() != cause.confidence).then(|| confidence(cause.of_class()));
    why.message = cause.message.as_ref().map(|text| cut(text, LONGEST));
    why.blame = cause.blame.as_ref().map(|blame| blame_answer(blame, report));
    why.evidence = evidence(cause, report);
    why
}

fn evidence(cause: &Cause, report: &Report) -> Vec<EvidenceAnswer> {
    let crashed = report.crashed_thread().map(|thread| thread.tid);
    let one = |evidence: &Evidence| {
        let frame = crashed.zip(evidence.frame);
        EvidenceAnswer {
            text: cut(&evidence.text, LONGEST),
            frame: frame.map(|(thread, frame)| FrameHandle { thread, frame }.to_string()),
            address: evidence.address,
        }
    };
    cause.evidence.iter().take(FACTS).map(one).collect()
}

fn blame_answer(blame: &Blame, report: &Report) -> BlameAnswer {
    let place = blame_place(report);
    let source = blame.source.as_ref();
    BlameAnswer {
        frame: handle(place),
        function: blame.function.as_ref().map(|name| cut(name, LONGEST)),
        file: source.map(|source| source.file.clone()),
        line: source.and_then(|source| source.line),
        code: line_text(source, place, report),
        made_at_line: blame.made_at_line,
        expression: blame.expression.as_ref().map(|text| cut(text, LONGEST)),
        reason: blame.reason.as_ref().map(|text| cut(text, LONGEST)),
        confidence: confidence(blame.confidence),
    }
}

fn handle(place: Option<(i64, u64)>) -> String {
    place.map(|(thread, frame)| FrameHandle { thread, frame }.to_string()).unwrap_or_default()
}

/// The text of the line, which the frame has if the place of the cause has not.
fn line_text(
    source: Option<&SourcePlace>,
    place: Option<(i64, u64)>,
    report: &Report,
) -> Option<Shown> {
    let line = source?.line?;
    let of = |source: &SourcePlace| {
        let found = source.lines.iter().find(|one| one.line == line)?;
        Some(Shown::from_report(found.text.as_str().trim().to_owned()))
    };
    let of_frame = || {
        let (tid, frame) = place?;
        let thread = report.threads.iter().find(|thread| thread.tid == tid)?;
        of(thread.frames.iter().find(|one| one.index == frame)?.source.as_ref()?)
    };
    source.and_then(of).or_else(of_frame).map(|text| cut(&text, LONGEST))
}

fn next(report: &Report) -> Vec<Next> {
    let mut questions = Vec::new();
    let place = blame_place(report).or_else(|| {
        let thread = report.crashed_thread()?;
        Some((thread.tid, thread.frames.first()?.index))
    });
    let mut add = |tool: &str, arguments: &[(&str, String)], why: &'static str| {
        questions.push(question(tool, arguments, why));
    };
    if let Some((thread, frame)) = place {
        let handle = FrameHandle { thread, frame }.to_string();
        let frame = frame_of(report, thread, frame);
        let has_lines = |frame: &obit_report::FrameReport| {
            frame.source.as_ref().is_some_and(|source| !source.lines.is_empty())
        };
        if frame.is_some_and(has_lines) {
            add("source", &[("frame", handle.clone())], "the code around the blame frame");
        } else {
            let address = frame.map(|frame| frame.pc.to_string()).unwrap_or_default();
            add(
                "memory",
                &[("address", address), ("format", "i".to_owned())],
                "the instructions, as the source is not found",
            );
        }
        let has_variables =
            frame.is_some_and(|frame| !frame.args.is_empty() || !frame.locals.is_empty());
        if has_variables {
            add("variables", &[("frame", handle)], "what the frame holds");
        }
    }
    let has_locks = report.findings.iter().any(|finding| !finding.locks.is_empty());
    if has_locks {
        add("locks", &[], "who waits for whom");
    }
    add("stack", &[], "how it came there");
    questions.truncate(QUESTIONS);
    questions
}

fn frame_of(report: &Report, tid: i64, index: u64) -> Option<&obit_report::FrameReport> {
    let of = |thread: &&ThreadReport| thread.tid == tid;
    let thread = report.threads.iter().find(of)?;
    thread.frames.iter().find(|frame| frame.index == index)
}

/// A question with its arguments.
pub(super) fn question(tool: &str, arguments: &[(&str, String)], why: &'static str) -> Next {
    let arguments = arguments.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    let arguments: BTreeMap<_, _> = arguments.collect();
    Next { tool: tool.to_owned(), arguments, why: Shown::own(why) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use obit_report::{Confidence, FrameReport, SourceLine};

    #[test]
    fn long_texts_are_cut_and_the_line_comes_from_the_frame() {
        let source = |lines| SourcePlace {
            file: Shown::own("a.c"),
            line: Some(3),
            lines,
            ..SourcePlace::default()
        };
        let line = SourceLine { line: 3, text: Shown::own("  n->next"), ..SourceLine::default() };
        let frame =
            FrameReport { index: 1, source: Some(source(vec![line])), ..FrameReport::default() };
        let thread =
            ThreadReport { tid: 7, crashed: true, frames: vec![frame], ..ThreadReport::default() };
        let blame = Blame { frame: Some(1), source: Some(source(vec![])), ..Blame::default() };
        let cause = Cause {
            class: "assertion".into(),
            message: Some(Shown::from_report("\u{e9}".repeat(5000))),
            class_confidence: Some(Confidence::Proved),
            blame: Some(blame),
            ..Cause::default()
        };
        let report = Report { cause: Some(cause), threads: vec![thread], ..Report::default() };
        let why = why(&report);
        let blame = why.blame.unwrap();
        assert_eq!(blame.frame, "7/1");
        assert_eq!(blame.code.unwrap().as_str(), "n->next");
        assert_eq!(why.message.unwrap().as_str().chars().count(), LONGEST + 1);
        assert_eq!(why.confidence.as_deref(), Some("guess"));
        assert_eq!(why.class_confidence.as_deref(), Some("proved"));
        assert_eq!(why.next[0].tool, "source");
        assert_eq!(why.next[0].arguments["frame"], "7/1");
    }

    #[test]
    fn without_a_cause_there_is_no_class_and_still_a_question() {
        let why = why(&Report::default());
        assert_eq!(why.class, None);
        assert_eq!(why.next[0].tool, "stack");
    }
}
