//! Which expression of a line of source held a value: those the line itself spells are
//! evaluated in the frame, and the one that gives the value is it.

use std::sync::Arc;

use super::source_values::{is_start, literal, name};
use obit_process::print::evaluate;
use obit_process::process::{FrameView, Process};
use obit_process::value::{Budget, Scalar, State, Value};

/// Expressions of one line that are evaluated.
const MOST: usize = 24;
/// Bytes of one expression.
const LONGEST: usize = 200;

/// What kind of value is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// A pointer or reference.
    Pointer(u64),
    /// An integer.
    Number(u64),
}

/// The only expression in `line` that gives the value; `None` if several do.
pub(super) fn holder(
    process: &Process,
    view: &FrameView<'_>,
    line: &str,
    wanted: Wanted,
) -> Option<String> {
    let budget = Budget::default().with(Some(1), Some(1));
    let mut found = None;
    let mut absent: Vec<String> = Vec::new();
    for text in expressions(line, view) {
        // Of what is nowhere no member is anywhere.
        let is_part = |whole: &String| {
            text.strip_prefix(whole.as_str()).is_some_and(|rest| rest.starts_with(['.', '-', '[']))
        };
        if absent.iter().any(is_part) {
            continue;
        }
        match evaluate(process, view, &text, &budget) {
            Ok(value) if is_wanted(&value, wanted) => {
                if found.replace(text).is_some() {
                    return None;
                }
            }
            Ok(value) if !matches!(value.state, State::Absent(_)) => {}
            _ => absent.push(text),
        }
    }
    found
}

/// The member at `address` that `line` wants of what `holder` points at.
pub(super) fn member_wanted(
    process: &Process,
    view: &FrameView<'_>,
    line: &str,
    holder: &str,
    address: u64,
) -> Option<String> {
    expressions(line, view).into_iter().find_map(|text| {
        let rest = text.strip_prefix(holder)?;
        let member = rest.strip_prefix("->").or_else(|| rest.strip_prefix('.'))?;
        let is_there = value_of(process, view, &format!("&({text})")) == Some(address);
        is_there.then(|| member.to_owned())
    })
}

/// The address that `expression` gives.
pub(super) fn value_of(process: &Process, view: &FrameView<'_>, expression: &str) -> Option<u64> {
    let budget = Budget::default().with(Some(1), Some(1));
    let value = evaluate(process, view, expression, &budget).ok()?;
    match value.state {
        State::Scalar(Scalar::Address(at)) => Some(at),
        _ => None,
    }
}

fn is_wanted(value: &Value, wanted: Wanted) -> bool {
    match (&value.state, wanted) {
        (State::Scalar(Scalar::Address(at)), Wanted::Pointer(wanted)) => *at == wanted,
        (State::Scalar(Scalar::Signed(number)), Wanted::Number(wanted)) => {
            *number == i128::from(wanted.cast_signed()) || *number == i128::from(wanted)
        }
        (State::Scalar(Scalar::Unsigned(number)), Wanted::Number(wanted)) => {
            *number == u128::from(wanted)
        }
        _ => false,
    }
}

/// What [`spelled`] finds that is made of arguments and locals in sight: to look for a name
/// among all globals of all modules would cost more than all the rest.
fn expressions(line: &str, view: &FrameView<'_>) -> Vec<String> {
    let known = view.names();
    spelled(line).into_iter().filter(|text| is_of(text, &known)).collect()
}

/// Whether all variables of an expression are arguments and locals in sight.
pub(super) fn is_in_sight(view: &FrameView<'_>, expression: &str) -> bool {
    is_of(expression, &view.names())
}

/// Whether the line itself has the expression.
pub(super) fn is_spelled(line: &str, expression: &str) -> bool {
    spelled(line).iter().any(|text| text == expression)
}

fn is_of(expression: &str, known: &[Arc<str>]) -> bool {
    variables(expression).iter().all(|name| known.iter().any(|known| **known == **name))
}

/// The names in an expression that are of no member.
fn variables(expression: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut before = ' ';
    let mut rest = expression;
    while let Some(c) = rest.chars().next() {
        let len = match c {
            c if is_start(c) => {
                let name = name(rest);
                if !matches!(before, '.' | '>') {
                    found.push(name);
                }
                name.len()
            }
            c if c.is_ascii_digit() => {
                rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
            }
            c => c.len_utf8(),
        };
        before = c;
        rest = rest.get(len..).unwrap_or_default();
    }
    found
}

/// The names in a line with members and indexes, and all that begins each: `a`, `a->b`,
/// `a->b[i]` for `a->b[i]`.
fn spelled(line: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut rest = line;
    while let Some(c) = rest.chars().next()
        && found.len() < MOST
    {
        let skipped = match c {
            '/' if rest.starts_with("//") => break,
            '"' => literal(rest, '"'),
            c if is_start(c) => {
                let mut ends = vec![name(rest).len()];
                while let Some(end) = ends.last().copied()
                    && end < LONGEST
                    && let Some(len) = suffix(rest.get(end..).unwrap_or_default())
                {
                    ends.push(end + len);
                }
                for end in &ends {
                    let text = rest.get(..*end).unwrap_or_default().to_owned();
                    if !found.contains(&text) && found.len() < MOST {
                        found.push(text);
                    }
                }
                // What stands in brackets has names of its own.
                name(rest).len()
            }
            c if c.is_ascii_digit() => {
                rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
            }
            // A member's name alone is none.
            '.' => 1 + name(rest.get(1..).unwrap_or_default()).len(),
            '-' if rest.starts_with("->") => 2 + name(rest.get(2..).unwrap_or_default()).len(),
            c => c.len_utf8(),
        };
        rest = rest.get(skipped.max(1)..).unwrap_or_default();
    }
    found
}

/// Bytes of the member or index that `text` begins with.
fn suffix(text: &str) -> Option<usize> {
    if let Some(after) = text.strip_prefix("->").or_else(|| text.strip_prefix('.')) {
        let field = name(after);
        return (!field.is_empty()).then(|| text.len() - after.len() + field.len());
    }
    let mut depth = 0_usize;
    if !text.starts_with('[') {
        return None;
    }
    for (at, c) in text.char_indices().take(LONGEST) {
        match c {
            '[' => depth += 1,
            ']' if depth == 1 => return Some(at + 1),
            ']' => depth -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{is_spelled, spelled, variables};

    #[test]
    fn each_name_is_tried_with_each_of_its_members_and_indexes() {
        let found = spelled("return job->owner[i + 1].name + f(n); // x");
        let expected = [
            "return",
            "job",
            "job->owner",
            "job->owner[i + 1]",
            "job->owner[i + 1].name",
            "i",
            "f",
            "n",
        ];
        assert_eq!(found, expected);
        assert_eq!(spelled("\"a\" b"), ["b"]);
        assert_eq!(spelled("a[0"), ["a"]);
    }

    #[test]
    fn members_and_numbers_are_no_variables() {
        assert_eq!(variables("job->owner[i + 0x1f].name"), ["job", "i"]);
    }

    #[test]
    fn a_line_that_has_the_letters_of_a_name_does_not_have_the_name() {
        assert!(is_spelled("use(n->next);", "n->next"));
        assert!(!is_spelled("unsigned done;", "n"));
    }
}
