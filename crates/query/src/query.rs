//! A whole query: a place, and what is asked there.

use std::ops::Range;

use crate::error::QueryError;
use crate::place::Place;
use crate::words::{is_word, matching};

/// `PLACE { EXPRESSION, NAME = EXPRESSION, … }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// In which frames.
    pub place: Place,
    /// What is evaluated there. None: the frames alone are listed.
    pub columns: Vec<Column>,
}

/// An expression and what it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The name that the user gave, else the expression.
    pub name: String,
    /// The expression, perhaps with a format before it.
    pub expression: String,
    /// Where the expression is in the query.
    pub span: Range<usize>,
}

/// Expressions of one query.
const MOST_COLUMNS: usize = 64;
/// Bytes of a query.
const LONGEST: usize = 64 << 10;

impl Query {
    /// Reads a query.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        if text.len() > LONGEST {
            return Err(QueryError::new(0..0, format!("a query has at most {LONGEST} bytes")));
        }
        let open = opening(text);
        let before = text.get(..open.unwrap_or(text.len())).unwrap_or_default();
        let start = before.len() - before.trim_start().len();
        let place = Place::parse(before.trim(), start)?;
        let Some(open) = open else { return Ok(Self { place, columns: Vec::new() }) };
        let Some(close) = matching(text, open) else {
            return Err(QueryError::new(open..open + 1, "the brace is not closed"));
        };
        let after = text.get(close + 1..).unwrap_or_default();
        if !after.trim().is_empty() {
            let at = close + 1 + (after.len() - after.trim_start().len());
            return Err(QueryError::new(at..text.len(), "nothing may follow the closing brace"));
        }
        let mut columns: Vec<Column> = Vec::new();
        for span in split(text, open + 1..close) {
            let column = column(text, span)?;
            if let Some(other) = columns.iter().find(|other| other.name == column.name) {
                let problem = format!("two columns are called `{}`", other.name);
                return Err(QueryError::new(column.span, problem));
            }
            columns.push(column);
        }
        if columns.len() > MOST_COLUMNS {
            let problem = format!("a query has at most {MOST_COLUMNS} expressions");
            return Err(QueryError::new(open..close + 1, problem));
        }
        Ok(Self { place, columns })
    }
}

/// The brace that opens the list of expressions. One that follows `::` or is within other
/// brackets is of a name: `main::{lambda(int)#1}`.
fn opening(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(c) = text.get(at..)?.chars().next() {
        let before = text.get(..at).unwrap_or_default();
        match c {
            '{' if before.ends_with("::") || depth > 0 => at = matching(text, at)?,
            '{' => return Some(at),
            '(' | '<' if !before.trim_end_matches(['<', '>', '=']).ends_with("operator") => {
                depth += 1;
            }
            ')' | '>' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += text.get(at..)?.chars().next().map_or(1, char::len_utf8);
    }
    None
}

/// The parts of `within` between commas that are in no brackets and no text. A list of nothing
/// has none.
fn split(text: &str, within: Range<usize>) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let (mut start, mut at) = (within.start, within.start);
    while at < within.end {
        let Some(c) = text.get(at..within.end).and_then(|rest| rest.chars().next()) else { break };
        match c {
            ',' => {
                parts.push(start..at);
                start = at + 1;
            }
            '(' | '[' | '{' | '"' | '\'' => {
                at = matching(text, at).filter(|end| *end < within.end).unwrap_or(at);
            }
            _ => {}
        }
        at += text.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
    }
    let is_empty = text.get(start..within.end).is_none_or(|rest| rest.trim().is_empty());
    if !(is_empty && parts.is_empty()) {
        parts.push(start..within.end);
    }
    parts
}

fn column(text: &str, span: Range<usize>) -> Result<Column, QueryError> {
    let part = text.get(span.clone()).unwrap_or_default();
    let (name, expression) = match named(part) {
        Some((name, expression)) => (Some(name), expression),
        None => (None, part),
    };
    let start = span.end - expression.len() + (expression.len() - expression.trim_start().len());
    let expression = expression.trim();
    let span = start..start + expression.len();
    if expression.is_empty() {
        return Err(QueryError::new(span.start..span.start, "an expression is missing here"));
    }
    let name = name.unwrap_or(expression).to_owned();
    Ok(Column { name, expression: expression.to_owned(), span })
}

/// `name = expression`. Expressions have no assignment, so a single `=` after a word is nothing
/// else.
fn named(part: &str) -> Option<(&str, &str)> {
    let (name, expression) = part.split_once('=')?;
    let name = name.trim();
    (is_word(name) && !expression.starts_with('=')).then_some((name, expression))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(text: &str) -> Vec<(String, String)> {
        let query = Query::parse(text).unwrap();
        query.columns.into_iter().map(|column| (column.name, column.expression)).collect()
    }

    fn refused(text: &str) -> (String, Range<usize>) {
        let error = Query::parse(text).unwrap_err();
        (error.problem, error.span)
    }

    #[test]
    fn expressions_are_separated_by_commas_outside_of_brackets_and_texts() {
        let found = columns("walk { n->next, f(a, b), m[1,2], s == \"a,b}\", c == ',' }");
        let names: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["n->next", "f(a, b)", "m[1,2]", "s == \"a,b}\"", "c == ','"]);
    }

    #[test]
    fn a_word_before_a_single_equals_sign_is_a_name() {
        let found = columns("walk {depth = level + 1, a == b, /x flags, x=*p}");
        let pair = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        assert_eq!(
            found,
            [
                pair("depth", "level + 1"),
                pair("a == b", "a == b"),
                pair("/x flags", "/x flags"),
                pair("x", "*p")
            ]
        );
        let query = Query::parse("walk { depth = level }").unwrap();
        assert_eq!(query.columns[0].span, 15..20);
    }

    #[test]
    fn braces_of_a_name_are_not_those_of_the_list() {
        for (text, name) in [
            ("main::{lambda(int)#1}::operator() { x }", "main::{lambda(int)#1}::operator()"),
            ("app::main::{closure#0} {x}", "app::main::{closure#0}"),
            ("app::{{closure}}{x}", "app::{{closure}}"),
            ("operator<< { x }", "operator<<"),
        ] {
            let query = Query::parse(text).unwrap();
            assert_eq!(query.place, Place::Function(name.to_owned()), "{text}");
            assert_eq!(query.columns[0].expression, "x");
        }
        assert_eq!(Query::parse("walk").unwrap().columns, []);
        assert_eq!(Query::parse("walk {}").unwrap().columns, []);
        assert_eq!(columns("* { {int} p }")[0].0, "{int} p");
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        assert_eq!(refused("walk { a"), ("the brace is not closed".to_owned(), 5..6));
        assert_eq!(refused("walk {a} b").1, 9..10);
        assert_eq!(refused("walk {a,,b}"), ("an expression is missing here".to_owned(), 8..8));
        assert_eq!(refused("walk {x = }").0, "an expression is missing here");
        assert_eq!(refused("walk {a, a}"), ("two columns are called `a`".to_owned(), 9..10));
        assert!(refused("{a}").0.starts_with("no place"));
    }

    #[test]
    fn any_text_is_read_or_refused_within_itself() {
        const PARTS: [&str; 14] =
            ["walk", "{", "}", ",", "::", ":", "\"", "'", "\\", "=", "<", "(", "\u{e9}", " "];
        let mut random = 1_u64;
        for _ in 0..5_000 {
            let mut text = String::new();
            for _ in 0..8 {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                text += PARTS[usize::try_from(random >> 33).unwrap() % PARTS.len()];
            }
            if let Err(error) = Query::parse(&text) {
                assert!(text.get(error.span).is_some(), "{text:?}");
            }
        }
    }
}
