//! Conditions on rows: `count > 3 and not (function ~ '^my_' or state == RUNNING)`.
//!
//! The logic has three values, as SQL's has: a comparison with what is not known or hidden is
//! neither true nor false, and neither is its opposite. So no condition reveals a hidden value.

use std::ops::Range;

use regex::RegexBuilder;

use crate::cell::Cell;
use crate::compare::{Operator, Wanted, is_so};
use crate::error::QueryError;
use crate::words::matching;

/// A condition that was read.
#[derive(Clone, Debug)]
pub struct Filter(Condition);

#[derive(Clone, Debug)]
enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    /// A column, by its place, compared.
    Compare(usize, Operator, Wanted),
    /// Whether there is a value that may be shown.
    Known(usize),
}

/// Conditions within conditions.
const DEEPEST: usize = 100;
/// Bytes that a pattern may take when it is made ready.
const PATTERN_BYTES: usize = 1 << 20;

impl Filter {
    /// Reads a condition on `columns`.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn parse(text: &str, columns: &[String]) -> Result<Self, QueryError> {
        let mut parser = Parser { text, tokens: tokens(text)?, at: 0, columns };
        let condition = parser.any(0)?;
        match parser.tokens.get(parser.at) {
            None => Ok(Self(condition)),
            Some(token) => Err(QueryError::new(
                token.span.clone(),
                format!("expected `and` or `or`, found `{}`", token.text),
            )),
        }
    }

    /// Whether a row is so; `None` where that is not known or may not be said.
    pub fn takes(&self, row: &[Cell]) -> Option<bool> {
        self.0.takes(row)
    }

    /// The places of the columns it looks at.
    pub fn columns(&self) -> Vec<usize> {
        let mut found = Vec::new();
        self.0.add_columns(&mut found);
        found
    }
}

impl Condition {
    fn takes(&self, row: &[Cell]) -> Option<bool> {
        match self {
            Self::All(all) => of_all(all.iter().map(|one| one.takes(row)), false),
            Self::Any(any) => of_all(any.iter().map(|one| one.takes(row)), true),
            Self::Not(one) => one.takes(row).map(|so| !so),
            Self::Compare(at, operator, wanted) => is_so(row.get(*at)?, *operator, wanted),
            Self::Known(at) => Some(row.get(*at)?.is_known()),
        }
    }

    fn add_columns(&self, found: &mut Vec<usize>) {
        match self {
            Self::All(many) | Self::Any(many) => {
                many.iter().for_each(|one| one.add_columns(found));
            }
            Self::Not(one) => one.add_columns(found),
            Self::Compare(at, ..) | Self::Known(at) => found.push(*at),
        }
    }
}

/// `decisive` if one of them is; else unknown if one is unknown.
fn of_all(mut values: impl Iterator<Item = Option<bool>>, decisive: bool) -> Option<bool> {
    let mut is_known = true;
    let found = values.any(|value| {
        is_known &= value.is_some();
        value == Some(decisive)
    });
    if found { Some(decisive) } else { is_known.then_some(!decisive) }
}

#[derive(Clone, Debug, PartialEq)]
struct Token {
    kind: Kind,
    /// The content of a quoted one.
    text: String,
    span: Range<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A word: a column, a value, `and`.
    Word,
    /// In quotes.
    Quoted,
    /// In backquotes: a column.
    Column,
    /// An operator or a parenthesis.
    Sign,
}

/// The signs, longer ones first.
const SIGNS: [&str; 13] = ["==", "!=", "<=", ">=", "&&", "||", "<", ">", "~", "=", "!", "(", ")"];

fn tokens(text: &str) -> Result<Vec<Token>, QueryError> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let Some(first) = rest.chars().next() else { break };
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        if let '"' | '\'' | '`' = first {
            let end = match first {
                '`' => rest.get(1..).and_then(|rest| rest.find('`')).map(|end| at + 1 + end),
                _ => matching(text, at),
            };
            let Some(end) = end else {
                return Err(QueryError::new(at..at + 1, "the quote is not closed"));
            };
            let content = text.get(at + 1..end).unwrap_or_default();
            let (kind, content) = match first {
                '`' => (Kind::Column, content.to_owned()),
                _ => (Kind::Quoted, unescaped(content, first)),
            };
            found.push(Token { kind, text: content, span: at..end + 1 });
            at = end + 1;
            continue;
        }
        if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            let span = at..at + sign.len();
            found.push(Token { kind: Kind::Sign, text: (*sign).to_owned(), span });
            at += sign.len();
            continue;
        }
        let length = word_length(rest);
        if length == 0 {
            let problem = format!("`{first}` is no part of a condition");
            return Err(QueryError::new(at..at + first.len_utf8(), problem));
        }
        let word = rest.get(..length).unwrap_or_default().to_owned();
        found.push(Token { kind: Kind::Word, text: word, span: at..at + length });
        at += length;
    }
    Ok(found)
}

/// Quotes of its own kind are escaped by a backslash, and so is a backslash before one; other
/// backslashes are a pattern's.
fn unescaped(content: &str, quote: char) -> String {
    content.replace(&format!("\\{quote}"), &quote.to_string())
}

/// Bytes of a word: a number, a name, or a way into a variable such as `n->next[2].x`.
fn word_length(text: &str) -> usize {
    let mut at = 0;
    while let Some(rest) = text.get(at..) {
        let Some(c) = rest.chars().next() else { break };
        let is_way = c == '[' && at > 0;
        at += match c {
            _ if is_way => match matching(rest, 0) {
                Some(end) => end + 1,
                None => break,
            },
            '-' if rest.starts_with("->") => 2,
            c if c.is_alphanumeric() || "_.:$-+/".contains(c) => c.len_utf8(),
            _ => break,
        };
    }
    at
}

struct Parser<'f> {
    text: &'f str,
    tokens: Vec<Token>,
    at: usize,
    columns: &'f [String],
}

impl Parser<'_> {
    fn take(&mut self, kind: Kind, texts: &[&str]) -> Option<Token> {
        let token = self.tokens.get(self.at)?;
        if token.kind != kind || !texts.contains(&token.text.as_str()) {
            return None;
        }
        self.at += 1;
        self.tokens.get(self.at - 1).cloned()
    }

    fn take_joint(&mut self, word: &str, sign: &str) -> bool {
        self.take(Kind::Word, &[word]).or_else(|| self.take(Kind::Sign, &[sign])).is_some()
    }

    fn next(&mut self, expected: &str) -> Result<Token, QueryError> {
        let Some(token) = self.tokens.get(self.at).cloned() else {
            let end = self.text.len();
            return Err(QueryError::new(end..end, format!("expected {expected} here")));
        };
        self.at += 1;
        Ok(token)
    }

    fn any(&mut self, depth: usize) -> Result<Condition, QueryError> {
        let mut any = vec![self.all(depth)?];
        while self.take_joint("or", "||") {
            any.push(self.all(depth)?);
        }
        Ok(if any.len() == 1 { any.remove(0) } else { Condition::Any(any) })
    }

    fn all(&mut self, depth: usize) -> Result<Condition, QueryError> {
        let mut all = vec![self.one(depth)?];
        while self.take_joint("and", "&&") {
            all.push(self.one(depth)?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Condition::All(all) })
    }

    fn one(&mut self, depth: usize) -> Result<Condition, QueryError> {
        if depth > DEEPEST {
            let end = self.text.len();
            return Err(QueryError::new(end..end, "the condition is nested too deeply"));
        }
        if self.take_joint("not", "!") {
            return Ok(Condition::Not(Box::new(self.one(depth + 1)?)));
        }
        if self.take(Kind::Sign, &["("]).is_some() {
            let within = self.any(depth + 1)?;
            let close = self.next("`)`")?;
            if close.kind != Kind::Sign || close.text != ")" {
                let problem = format!("expected `)`, found `{}`", close.text);
                return Err(QueryError::new(close.span, problem));
            }
            return Ok(within);
        }
        let name = self.next("a column")?;
        if name.kind == Kind::Word
            && name.text == "known"
            && self.take(Kind::Sign, &["("]).is_some()
        {
            let column = self.next("a column")?;
            let at = self.column(&column)?;
            let close = self.next("`)`")?;
            return match close.text.as_str() {
                ")" => Ok(Condition::Known(at)),
                other => {
                    let problem = format!("expected `)`, found `{other}`");
                    Err(QueryError::new(close.span, problem))
                }
            };
        }
        let column = self.column(&name)?;
        let operators = [
            ("==", Operator::Equal),
            ("=", Operator::Equal),
            ("!=", Operator::NotEqual),
            ("<=", Operator::LessOrEqual),
            (">=", Operator::GreaterOrEqual),
            ("<", Operator::Less),
            (">", Operator::Greater),
            ("~", Operator::Like),
        ];
        let signs = operators.map(|(sign, _)| sign);
        let Some(sign) = self.take(Kind::Sign, &signs) else {
            return Ok(Condition::Compare(column, Operator::Equal, Wanted::Boolean(true)));
        };
        let found = operators.iter().find(|(text, _)| *text == sign.text);
        let operator = found.map_or(Operator::Equal, |(_, operator)| *operator);
        let value = self.next("a value")?;
        Ok(Condition::Compare(column, operator, wanted(&value, operator)?))
    }

    fn column(&self, token: &Token) -> Result<usize, QueryError> {
        if let Kind::Sign | Kind::Quoted = token.kind {
            let problem = format!("expected a column, found `{}`", token.text);
            return Err(QueryError::new(token.span.clone(), problem));
        }
        self.columns.iter().position(|column| *column == token.text).ok_or_else(|| QueryError {
            unknown_column: Some(token.text.clone()),
            ..QueryError::new(token.span.clone(), format!("no column `{}`", token.text))
        })
    }
}

/// The value that a token stands for. A word that is no number is a text.
fn wanted(token: &Token, operator: Operator) -> Result<Wanted, QueryError> {
    let text = token.text.as_str();
    if let Kind::Sign | Kind::Column = token.kind {
        let problem = format!("expected a value, found `{text}`");
        return Err(QueryError::new(token.span.clone(), problem));
    }
    if operator == Operator::Like {
        let built = RegexBuilder::new(text).size_limit(PATTERN_BYTES).build();
        return built.map(Wanted::Pattern).map_err(|error| {
            let why = error.to_string();
            let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ");
            QueryError::new(token.span.clone(), format!("not a regular expression: {why}"))
        });
    }
    if token.kind == Kind::Quoted {
        return Ok(Wanted::Text(text.to_owned()));
    }
    if let Some(value) = integer(text) {
        return Ok(Wanted::Integer(value));
    }
    // `inf` and `nan` are floats to Rust and words to a person.
    if text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c))
        && let Ok(value) = text.parse::<f64>()
    {
        return Ok(Wanted::Float(value));
    }
    Ok(match text {
        "true" => Wanted::Boolean(true),
        "false" => Wanted::Boolean(false),
        "NULL" | "nullptr" | "nil" | "null" => Wanted::Null,
        _ => Wanted::Text(text.to_owned()),
    })
}

fn integer(text: &str) -> Option<i128> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let hexadecimal = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X"));
    let value = match hexadecimal {
        Some(digits) if !digits.starts_with('+') => i128::from_str_radix(digits, 16).ok()?,
        Some(_) => return None,
        None if digits.starts_with(|c: char| c.is_ascii_digit()) => digits.parse().ok()?,
        None => return None,
    };
    Some(sign * value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::{Datum, Unavailable};

    const COLUMNS: [&str; 6] = ["n", "name", "p", "state", "n->next", "x"];

    fn filter(text: &str) -> Filter {
        Filter::parse(text, &COLUMNS.map(str::to_owned)).unwrap()
    }

    fn refused(text: &str) -> (String, Range<usize>) {
        let error = Filter::parse(text, &COLUMNS.map(str::to_owned)).unwrap_err();
        (error.problem, error.span)
    }

    fn row(x: Datum) -> Vec<Cell> {
        vec![
            Datum::Integer(7).into(),
            Datum::Text("alice".to_owned()).into(),
            Datum::Pointer(0, None).into(),
            Datum::Enumerator("job::RUNNING".to_owned(), 2).into(),
            Datum::Pointer(0x10, Some("list".to_owned())).into(),
            x.into(),
        ]
    }

    fn takes(text: &str, x: Datum) -> Option<bool> {
        filter(text).takes(&row(x))
    }

    #[test]
    fn cells_are_compared_by_their_type() {
        for text in [
            "n == 7",
            "n = 7",
            "n != 8",
            "n < 7.5",
            "n >= 0x7",
            "name == alice",
            "name == 'alice'",
            "name ~ '^al'",
            "p == NULL",
            "p == 0",
            "state == RUNNING",
            "state == job::RUNNING",
            "state == 2",
            "n->next == list",
            "n->next != NULL",
            "`n->next` == 0x10",
            "not n == 8",
            "!(n == 8)",
            "n == 8 or n == 7",
            "n == 7 && name != bob",
            "known(n) and not known(x)",
            "name > aa",
        ] {
            let absent = Datum::Unavailable(Unavailable::OptimizedOut);
            assert_eq!(takes(text, absent), Some(true), "{text}");
        }
        assert_eq!(takes("x", Datum::Boolean(true)), Some(true));
        assert_eq!(takes("x == 1", Datum::Boolean(true)), Some(true));
        assert_eq!(takes("x == a", Datum::Character(97, Some('a'))), Some(true));
        assert_eq!(takes("x == x", Datum::Float(f64::NAN)), None);
        assert_eq!(takes("x != 1.5", Datum::Float(f64::NAN)), Some(true));
        assert_eq!(takes("x < -1", Datum::Integer(-2)), Some(true));
        let large = i128::from(u64::MAX);
        assert_eq!(takes("x == 18446744073709551615", Datum::Integer(large)), Some(true));
        assert_eq!(takes("x == 18446744073709551614", Datum::Integer(large)), Some(false));
    }

    #[test]
    fn what_is_hidden_or_unknown_is_neither_equal_nor_different() {
        let hidden = Datum::Hidden("<email:a91f>".to_owned());
        let absent = Datum::Unavailable(Unavailable::Reason("not dumped".to_owned()));
        for x in [hidden, absent] {
            for text in [
                "x == 1",
                "x != 1",
                "not x == 1",
                "not x != 1",
                "x == '<email:a91f>'",
                "x ~ '.'",
                "not x ~ '.'",
                "x == NULL",
                "x > a",
                "x",
                "not x",
            ] {
                assert_eq!(takes(text, x.clone()), None, "{text}");
            }
            assert_eq!(takes("x == 1 or n == 7", x.clone()), Some(true));
            assert_eq!(takes("x == 1 and n == 8", x.clone()), Some(false));
            assert_eq!(takes("x == 1 and n == 7", x.clone()), None);
            assert_eq!(takes("known(x)", x), Some(false));
        }
    }

    #[test]
    fn types_that_have_nothing_in_common_are_not_compared() {
        assert_eq!(takes("name == 7", Datum::Integer(0)), None);
        assert_eq!(takes("n == alice", Datum::Integer(0)), None);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let error = Filter::parse("nmae == 7", &COLUMNS.map(str::to_owned)).unwrap_err();
        assert_eq!(error.unknown_column.as_deref(), Some("nmae"));
        assert_eq!(refused("nmae == 7"), ("no column `nmae`".to_owned(), 0..4));
        assert_eq!(refused("n == "), ("expected a value here".to_owned(), 5..5));
        assert_eq!(refused("(n == 7"), ("expected `)` here".to_owned(), 7..7));
        assert_eq!(
            refused("n == 7 name"),
            ("expected `and` or `or`, found `name`".to_owned(), 7..11)
        );
        assert_eq!(refused("name ~ '('").1, 7..10);
        assert!(refused("name ~ '('").0.starts_with("not a regular expression: "));
        assert_eq!(refused("name == 'a"), ("the quote is not closed".to_owned(), 8..9));
        assert!(refused(&"(".repeat(1000)).0.contains("nested too deeply"));
        assert!(refused(&"not ".repeat(1000)).0.contains("nested too deeply"));
    }

    #[test]
    fn any_text_is_read_or_refused_within_itself() {
        const PARTS: [&str; 14] =
            ["n", "==", "7", "(", ")", "and", "not", "'", "~", "`", "[", "\u{e9}", " ", "known"];
        let mut random = 1_u64;
        for _ in 0..5_000 {
            let mut text = String::new();
            for _ in 0..8 {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                text += PARTS[usize::try_from(random >> 33).unwrap() % PARTS.len()];
            }
            if let Err(error) = Filter::parse(&text, &COLUMNS.map(str::to_owned)) {
                assert!(text.get(error.span).is_some(), "{text:?}");
            }
        }
    }
}
