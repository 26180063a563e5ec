//! Two crashes side by side.

use obit_redact::Shown;
use obit_report::Report;

use super::cut;
use crate::answer::{CompareAnswer, Compared};

/// Characters of a text, and functions of a stack that are compared.
const LONGEST: usize = 400;
const FUNCTIONS: usize = 12;

/// What two crashes have in common, and what not.
pub fn compare(first: &Report, second: &Report) -> CompareAnswer {
    let mut answer = CompareAnswer::default();
    let id = |report: &Report| report.signature.as_ref().map(|signature| signature.id.clone());
    answer.same_signature = id(first).is_some() && id(first) == id(second);
    let (one, two) = (rows(first), rows(second));
    for ((what, one), (_, two)) in one.into_iter().zip(two) {
        match (one, two) {
            (None, None) => {}
            (Some(one), Some(two)) if one == two => {
                answer.same.push(cut(&Shown::from_report(format!("{what}: {one}")), LONGEST));
            }
            (one, two) => {
                let text = |text: Option<String>| {
                    cut(&Shown::from_report(text.unwrap_or_else(|| "none".to_owned())), LONGEST)
                };
                let (first, second) = (text(one), text(two));
                answer.different.push(Compared { what: what.to_owned(), first, second });
            }
        }
    }
    answer
}

fn rows(report: &Report) -> Vec<(&'static str, Option<String>)> {
    let shown = |text: &Shown| text.as_str().to_owned();
    let cause = report.cause.as_ref();
    let blame = cause.and_then(|cause| cause.blame.as_ref());
    let source = blame.and_then(|blame| blame.source.as_ref());
    let stack = report.thread_to_blame().map(|thread| {
        let functions = thread.frames.iter().take(FUNCTIONS);
        let names = functions.map(|frame| frame.function.as_ref().map_or("??", Shown::as_str));
        names.collect::<Vec<_>>().join(" < ")
    });
    vec![
        ("program", report.process.exe.as_ref().map(shown)),
        ("build ID", report.process.build_id.clone()),
        ("machine", Some(report.core.arch.clone())),
        ("signal", report.signal.as_ref().map(|signal| signal.name.clone())),
        ("class", cause.map(|cause| cause.class.clone())),
        ("explanation", cause.and_then(|cause| cause.explanation.as_ref()).map(shown)),
        ("message", cause.and_then(|cause| cause.message.as_ref()).map(shown)),
        ("blamed function", blame.and_then(|blame| blame.function.as_ref()).map(shown)),
        (
            "blamed line",
            source.map(|source| match source.line {
                Some(line) => format!("{}:{line}", source.file.as_str()),
                None => shown(&source.file),
            }),
        ),
        ("expression", blame.and_then(|blame| blame.expression.as_ref()).map(shown)),
        ("signature", report.signature.as_ref().map(|signature| shown(&signature.text))),
        ("stack", stack),
        ("threads", Some(report.threads.len().to_string())),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use obit_report::Cause;

    #[test]
    fn equal_and_different_facts_are_apart_and_unknown_ones_are_left_out() {
        let of = |class: &str| Report {
            cause: Some(Cause { class: class.into(), ..Cause::default() }),
            ..Report::default()
        };
        let answer = compare(&of("null-read"), &of("abort"));
        let different: Vec<_> = answer.different.iter().map(|one| one.what.as_str()).collect();
        assert_eq!(different, ["class"]);
        assert!(!answer.same_signature);
        assert!(answer.same.iter().all(|same| !same.as_str().starts_with("message")));
    }
}
