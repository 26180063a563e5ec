//! Claims as people write them: `x is NULL in frame 2`, `thread 3 waits for thread 7`.

use crate::claim::{Claim, Comparison};
use crate::question::Place;

/// Longest claim, in bytes.
const LONGEST: usize = 4096;

impl Claim {
    /// Reads a claim in words.
    ///
    /// # Errors
    /// It has none of the known forms; the forms, in a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("a claim has at most {LONGEST} bytes"));
        }
        let text = text.trim().trim_end_matches('.');
        if let Some(waits) = waits(text) {
            return Ok(waits);
        }
        if let Some(on_stack) = on_stack(text) {
            return Ok(on_stack);
        }
        if let Some(class) = text.strip_prefix("the class is ").or(text.strip_prefix("class is ")) {
            return Ok(Self::Class { class: unquoted(class).to_owned() });
        }
        let (text, at) = without_place(text)?;
        if let Some(claim) = in_words(text, at) {
            return Ok(claim);
        }
        compared(text, at).ok_or_else(|| {
            "write the claim as `EXPR is NULL in frame N`, `EXPR == VALUE in frame N of thread TID`, \
             `EXPR points to freed memory`, `thread A waits for thread B`, `FUNCTION is on the stack \
             of thread A` or `the class is CLASS`"
                .to_owned()
        })
    }
}

fn unquoted(text: &str) -> &str {
    text.trim().trim_matches(['`', '"', '\''])
}

fn thread_id(text: &str) -> Option<i64> {
    text.trim().strip_prefix("thread ").unwrap_or(text.trim()).trim().parse().ok()
}

fn waits(text: &str) -> Option<Claim> {
    let (thread, other) = text.split_once(" waits for ").or(text.split_once(" is waiting for "))?;
    Some(Claim::Waits { thread: thread_id(thread)?, waits_for: thread_id(other)? })
}

fn on_stack(text: &str) -> Option<Claim> {
    let (function, rest) = text.split_once(" is on the stack")?;
    let thread = match rest.trim() {
        "" => None,
        rest => Some(thread_id(rest.strip_prefix("of ")?)?),
    };
    Some(Claim::OnStack { thread, function: unquoted(function).to_owned() })
}

/// The claim without `in frame N` and `of thread TID` at its end.
fn without_place(text: &str) -> Result<(&str, Place), String> {
    let mut at = Place::default();
    let mut text = text;
    for before in [" of thread ", " in thread "] {
        if let Some((rest, thread)) = text.rsplit_once(before) {
            let thread = thread.trim().parse();
            at.thread = Some(thread.map_err(|_| "a thread is named by its id".to_owned())?);
            text = rest;
        }
    }
    if let Some((rest, frame)) = text.rsplit_once(" in frame ") {
        let frame = frame.trim().trim_start_matches('#');
        if let Some((thread, frame)) = frame.split_once('/') {
            at.thread = thread.parse().ok();
            at.frame = frame.parse().ok();
        } else {
            let frame = frame.parse();
            at.frame = Some(frame.map_err(|_| "a frame is named by its number".to_owned())?);
        }
        text = rest;
    }
    Ok((text.trim(), at))
}

fn in_words(text: &str, at: Place) -> Option<Claim> {
    let lower = text.to_ascii_lowercase();
    let begin = |end: &str| text.get(..text.len().checked_sub(end.len())?).map(unquoted);
    for (end, comparison) in [
        (" is not null", Comparison::NotEqual),
        (" is null", Comparison::Equal),
        (" is nullptr", Comparison::Equal),
        (" is zero", Comparison::Equal),
    ] {
        if lower.ends_with(end) {
            let (expression, value) = (begin(end)?.to_owned(), "0".to_owned());
            return Some(Claim::Compare { at, expression, comparison, value });
        }
    }
    for end in [" points to freed memory", " is freed", " was freed", " is dangling"] {
        if lower.ends_with(end) {
            return Some(Claim::Freed { at, expression: begin(end)?.to_owned() });
        }
    }
    None
}

/// `EXPR == VALUE`; the operator is the first outside of brackets that is one.
fn compared(text: &str, at: Place) -> Option<Claim> {
    const OPERATORS: [(&str, Comparison); 9] = [
        (" == ", Comparison::Equal),
        (" != ", Comparison::NotEqual),
        (" <= ", Comparison::LessOrEqual),
        (" >= ", Comparison::GreaterOrEqual),
        (" < ", Comparison::Less),
        (" > ", Comparison::Greater),
        (" is not ", Comparison::NotEqual),
        (" is ", Comparison::Equal),
        (" = ", Comparison::Equal),
    ];
    OPERATORS.iter().find_map(|(word, comparison)| {
        let (expression, value) = text.split_once(word)?;
        let (expression, value) = (unquoted(expression), value.trim().trim_matches('`'));
        let is_whole = !expression.is_empty() && !value.is_empty();
        is_whole.then(|| Claim::Compare {
            at,
            expression: expression.to_owned(),
            comparison: *comparison,
            value: value.to_owned(),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(expression: &str, comparison: Comparison, value: &str, at: Place) -> Claim {
        Claim::Compare { at, expression: expression.into(), comparison, value: value.into() }
    }

    #[test]
    fn claims_are_read_as_they_are_written() {
        let at = Place { thread: None, frame: Some(2) };
        for (text, claim) in [
            ("x is NULL in frame 2", compare("x", Comparison::Equal, "0", at)),
            ("`job->owner` is not NULL", {
                compare("job->owner", Comparison::NotEqual, "0", Place::default())
            }),
            (
                "n >= 3 in frame #1 of thread 7",
                compare(
                    "n",
                    Comparison::GreaterOrEqual,
                    "3",
                    Place { thread: Some(7), frame: Some(1) },
                ),
            ),
            (
                "p == 0x20 in frame 7/1.",
                compare("p", Comparison::Equal, "0x20", Place { thread: Some(7), frame: Some(1) }),
            ),
            ("thread 3 waits for thread 7", Claim::Waits { thread: 3, waits_for: 7 }),
            ("3 is waiting for 7", Claim::Waits { thread: 3, waits_for: 7 }),
            ("the class is null-read", Claim::Class { class: "null-read".into() }),
            ("p points to freed memory in frame 2", Claim::Freed { at, expression: "p".into() }),
            (
                "`walk` is on the stack of thread 9",
                Claim::OnStack { thread: Some(9), function: "walk".into() },
            ),
        ] {
            assert_eq!(Claim::parse(text), Ok(claim), "{text}");
        }
    }

    #[test]
    fn what_is_no_claim_is_refused_with_the_forms() {
        for text in ["", "is NULL", "it crashed", "x is NULL in frame two", "thread x waits for 3"]
        {
            assert!(Claim::parse(text).is_err(), "{text}");
        }
        assert!(Claim::parse("it crashed").unwrap_err().contains("is NULL in frame N"));
        assert!(Claim::parse(&"x".repeat(5000)).is_err());
    }
}
