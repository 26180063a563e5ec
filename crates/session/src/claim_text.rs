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
        if let Some(why) = compound(text) {
            return Err(why);
        }
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

/// `EXPR == VALUE`: the one operator outside of brackets and quotes.
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
    let outside = outside(text);
    let found = OPERATORS.iter().find_map(|(word, comparison)| {
        let at = outside.find(word)?;
        Some((text.get(..at)?, text.get(at + word.len()..)?, *comparison))
    });
    let (expression, value, comparison) = found?;
    let (expression, value) = (unquoted(expression), value.trim().trim_matches('`'));
    let is_whole = !expression.is_empty() && !value.is_empty();
    is_whole.then(|| Claim::Compare {
        at,
        expression: expression.to_owned(),
        comparison,
        value: value.to_owned(),
    })
}

/// The text with what is in brackets or quotes of C replaced by as many underscores.
fn outside(text: &str) -> String {
    let mut open = 0_usize;
    let mut quote = None;
    let mut is_escaped = false;
    let mut kept = String::with_capacity(text.len());
    for char in text.chars() {
        let is_outside = open == 0 && quote.is_none();
        match (quote, char) {
            (Some(_), _) if is_escaped => is_escaped = false,
            (Some(_), '\\') => is_escaped = true,
            (Some(end), _) if end == char => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(char),
            (None, '(' | '[' | '{') => open += 1,
            (None, ')' | ']' | '}') => open = open.saturating_sub(1),
            _ => {}
        }
        if is_outside && quote.is_none() && open == 0 {
            kept.push(char);
        } else {
            kept.extend(std::iter::repeat_n('_', char.len_utf8()));
        }
    }
    kept
}

/// Why the text is more than one comparison.
fn compound(text: &str) -> Option<String> {
    let outside = outside(text);
    let word = ["&&", "||", "?", ",", " and ", " or "].into_iter().find(|it| outside.contains(it));
    let several = || {
        let words = outside.split_whitespace();
        let count = words.filter(|it| matches!(*it, "==" | "!=" | "<=" | ">=")).count();
        (count > 1).then_some("a second comparison")
    };
    let found = word.map(str::trim).or_else(several)?;
    Some(format!(
        "the claim has {found} outside of brackets: verify one comparison at a time, or write the \
         whole condition in brackets: `(x == 1 && y == 2) != 0`"
    ))
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
    fn a_compound_condition_is_refused_unless_it_is_in_brackets() {
        for text in [
            "x == 1 && y == 2 in frame 0",
            "x == 1 || y is NULL",
            "x == y ? 1 : 2",
            "x == 1, y == 2",
            "x is 1 and y is 2",
            "x == y == 0",
            "x && y is not NULL",
        ] {
            let why = Claim::parse(text).unwrap_err();
            assert!(why.contains("one comparison at a time"), "{text}: {why}");
        }
        let whole = "(x == 1 && y == 2) != 0";
        let at = Place::default();
        let claim = compare("(x == 1 && y == 2)", Comparison::NotEqual, "0", at);
        assert_eq!(Claim::parse(whole), Ok(claim));
        let claim = compare("name[0]", Comparison::Equal, "','", at);
        assert_eq!(Claim::parse("name[0] == ','"), Ok(claim));
        let claim = compare("f(a == b, c)", Comparison::Less, "3", at);
        assert_eq!(Claim::parse("f(a == b, c) < 3"), Ok(claim));
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
