//! Reading a file of rules.

use std::ops::Range;

use regex::bytes::RegexBuilder;
use sha2::{Digest, Sha256};
use thiserror::Error;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Matched, Rule, Rules};
use crate::kind::Kind;

/// What is wrong with a file of rules, and in which line (counted from 1).
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {problem}")]
#[non_exhaustive]
pub struct RuleError {
    /// The line.
    pub line: usize,
    /// What is wrong there.
    pub problem: RuleProblem,
}

/// What is wrong in one line of a file of rules.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RuleProblem {
    /// No TOML, in the words of its parser.
    #[error("{0}")]
    Syntax(String),
    /// A table that is neither `deny` nor `allow`.
    #[error("`{0}` is unknown here; there are `deny`, `allow`")]
    UnknownTable(String),
    /// A `deny` or `allow` that is no array of tables.
    #[error("`{0}` must be written as `[[{0}]]`")]
    NotAnArray(String),
    /// An element of the array that is no table.
    #[error("a rule must be a table")]
    NotATable,
    /// A key that no rule has.
    #[error("`{0}` is unknown in a rule; there are {keys}", keys = KEYS.join(", "))]
    UnknownKey(String),
    /// The value of this key is no string.
    #[error("`{0}` must be a string")]
    NotAString(String),
    /// A pattern that does not compile, in the words of its compiler.
    #[error("`regex`: {0}")]
    Pattern(String),
    /// A kind that does not exist.
    #[error("`kind`: no {0:?}; there are {known}", known = kinds())]
    UnknownKind(String),
    /// A rule about nothing in particular.
    #[error("a rule needs a condition: name, type, function, module or regex")]
    NoCondition,
}

/// The words of all kinds, for messages.
fn kinds() -> String {
    let words: Vec<_> = Kind::ALL.iter().map(|kind| kind.word()).collect();
    words.join(", ")
}

/// Bytes of a compiled pattern, so that no file of rules can exhaust memory.
const LARGEST_PATTERN: usize = 1 << 18;
const KEYS: &[&str] = &["name", "type", "function", "module", "regex", "kind", "reason"];

impl Rules {
    /// Reads a file of rules.
    ///
    /// # Errors
    /// The first thing that is wrong in it.
    pub fn parse(text: &str) -> Result<Self, RuleError> {
        let error = |span: Range<usize>, problem: RuleProblem| {
            let before = text.get(..span.start).unwrap_or(text);
            RuleError { line: 1 + before.matches('\n').count(), problem }
        };
        let table = DeTable::parse(text).map_err(|wrong| {
            let problem = RuleProblem::Syntax(wrong.message().to_owned());
            error(wrong.span().unwrap_or(0..0), problem)
        })?;
        let mut rules = Vec::new();
        for (key, value) in table.get_ref() {
            let denies = match key.get_ref().as_ref() {
                "deny" => true,
                "allow" => false,
                other => {
                    let problem = RuleProblem::UnknownTable(other.to_owned());
                    return Err(error(key.span(), problem));
                }
            };
            let DeValue::Array(entries) = value.get_ref() else {
                let problem = RuleProblem::NotAnArray(key.get_ref().to_string());
                return Err(error(key.span(), problem));
            };
            for entry in entries.iter() {
                let rule = rule(denies, entry).map_err(|(span, problem)| error(span, problem))?;
                let before = text.get(..entry.span().start).unwrap_or(text);
                let place = format!("{}", 1 + before.matches('\n').count());
                rules.push(Rule { place, ..rule });
            }
        }
        Ok(Self { rules, files: vec![Sha256::digest(text).into()] })
    }
}

type Wrong = (Range<usize>, RuleProblem);

fn rule(denies: bool, entry: &Spanned<DeValue<'_>>) -> Result<Rule, Wrong> {
    let DeValue::Table(table) = entry.get_ref() else {
        return Err((entry.span(), RuleProblem::NotATable));
    };
    let mut rule = Rule {
        denies,
        place: String::new(),
        name: None,
        type_name: None,
        function: None,
        module: None,
        regex: None,
        kind: None,
        matched: Matched::default(),
    };
    for (key, value) in table {
        let name = key.get_ref().as_ref();
        if !KEYS.contains(&name) {
            return Err((key.span(), RuleProblem::UnknownKey(name.to_owned())));
        }
        let DeValue::String(text) = value.get_ref() else {
            return Err((value.span(), RuleProblem::NotAString(name.to_owned())));
        };
        let text = text.as_ref();
        let glob = Some(text.to_owned());
        match name {
            "name" => rule.name = glob,
            "type" => rule.type_name = glob,
            "function" => rule.function = glob,
            "module" => rule.module = glob,
            "regex" => {
                let built = RegexBuilder::new(text).size_limit(LARGEST_PATTERN).build();
                let regex = built.map_err(|wrong| {
                    let wrong = wrong.to_string();
                    let last = wrong.lines().last().unwrap_or_default().trim();
                    let last = last.trim_start_matches("error: ");
                    (value.span(), RuleProblem::Pattern(last.to_owned()))
                })?;
                rule.regex = Some(regex);
            }
            "kind" => {
                let kind = Kind::named(text)
                    .ok_or_else(|| (value.span(), RuleProblem::UnknownKind(text.to_owned())))?;
                rule.kind = Some(kind);
            }
            _ => {}
        }
    }
    let has_condition = rule.names_value() || rule.regex.is_some();
    if !has_condition && (denies || rule.kind.is_none()) {
        return Err((entry.span(), RuleProblem::NoCondition));
    }
    Ok(rule)
}
