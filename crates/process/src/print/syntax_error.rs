//! Why a text is not an expression: what is wrong, where, and what to write instead.

use std::fmt;

use super::span::Span;

/// Why a text is not an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// The bytes at fault; empty at the end of the text.
    pub span: Span,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// Nothing but spaces.
    Empty,
    /// More bytes than are read.
    TooLong {
        /// How many are.
        limit: usize,
    },
    /// Operators and operands nested too deeply.
    TooDeep {
        /// How deeply they may be.
        limit: u16,
    },
    /// A character that starts no token.
    StrayCharacter(char),
    /// A quote that is not closed.
    Unclosed(char),
    /// A bracket that is not closed.
    Unmatched {
        /// The opening bracket.
        open: &'static str,
        /// The bracket that closes it.
        close: &'static str,
        /// What was found instead; empty at the end.
        found: String,
    },
    /// A malformed literal.
    Literal(&'static str),
    /// An operand was expected.
    NoOperand {
        /// What was found instead; empty at the end.
        found: String,
    },
    /// An operator or the end was expected.
    NoOperator {
        /// What was found instead.
        found: String,
    },
    /// A name was expected.
    NoName {
        /// The token before it.
        after: &'static str,
        /// What was found instead; empty at the end.
        found: String,
    },
    /// A type was expected.
    NoType {
        /// What was found instead; empty at the end.
        found: String,
    },
    /// Words of base types that do not name one together.
    UnknownBaseType(String),
    /// The `:` of a `?` is missing.
    NoColon,
    /// A function call.
    Call,
    /// An operator that writes.
    Assignment(&'static str),
    /// A format of `print` or `x`, or what follows `info`, that does not exist.
    Format(String),
    /// Something other debuggers or languages have.
    Unsupported(&'static str),
}

impl SyntaxError {
    pub(super) fn new(span: Span, problem: Problem) -> Self {
        Self { span, problem }
    }

    /// Whether the text breaks the grammar; the other errors are about what obit does not
    /// support.
    pub fn is_of_grammar(&self) -> bool {
        match self.problem {
            Problem::StrayCharacter(_)
            | Problem::Unclosed(_)
            | Problem::Unmatched { .. }
            | Problem::Literal(_)
            | Problem::NoOperand { .. }
            | Problem::NoOperator { .. }
            | Problem::NoName { .. }
            | Problem::NoType { .. }
            | Problem::UnknownBaseType(_)
            | Problem::NoColon => true,
            Problem::Empty
            | Problem::TooLong { .. }
            | Problem::TooDeep { .. }
            | Problem::Call
            | Problem::Assignment(_)
            | Problem::Format(_)
            | Problem::Unsupported(_) => false,
        }
    }

    /// What to write instead, if there is something to say.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match &self.problem {
            Problem::Empty => "name a variable, as in `obit print core config->name`",
            Problem::TooLong { .. } | Problem::TooDeep { .. } => "print a part of it",
            Problem::StrayCharacter(_) => "put a name with such characters in single quotes",
            Problem::Unclosed(_) => "quote the whole expression for the shell",
            Problem::NoOperator { .. } => "quote an expression with spaces for the shell",
            Problem::Call => "name the variable that holds the result, or the function alone",
            Problem::Assignment("=") => "compare with `==`",
            Problem::Assignment(_) => return None,
            Problem::NoOperand { .. } => "a value is a name, a number or a `$register`",
            Problem::NoType { .. } | Problem::UnknownBaseType(_) => {
                "write a type as in the source: `(struct node *)p`, `p as *const Node`"
            }
            Problem::Unmatched { .. }
            | Problem::Literal(_)
            | Problem::NoName { .. }
            | Problem::NoColon
            | Problem::Format(_)
            | Problem::Unsupported(_) => return None,
        })
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found_there = |found: &String| match found.as_str() {
            "" => "found the end of the expression".to_owned(),
            found => format!("found `{found}`"),
        };
        match &self.problem {
            Problem::Empty => f.write_str("the expression is empty"),
            Problem::TooLong { limit } => {
                write!(f, "the expression is longer than {limit} bytes")
            }
            Problem::TooDeep { limit } => {
                write!(f, "the expression is nested more than {limit} levels deep")
            }
            Problem::StrayCharacter(c) => write!(f, "unexpected character `{c}`"),
            Problem::Unclosed(quote) => write!(f, "unterminated {quote} quote"),
            Problem::Unmatched { open, close, found } => {
                write!(f, "expected `{close}` after `{open}`, {}", found_there(found))
            }
            Problem::Literal(why) => f.write_str(why),
            Problem::Format(why) => f.write_str(why),
            Problem::NoOperand { found } => write!(f, "expected a value, {}", found_there(found)),
            Problem::NoOperator { found } => write!(f, "expected an operator before `{found}`"),
            Problem::NoName { after, found } => {
                write!(f, "expected a name after `{after}`, {}", found_there(found))
            }
            Problem::NoType { found } => write!(f, "expected a type, {}", found_there(found)),
            Problem::UnknownBaseType(words) => write!(f, "`{words}` is not a type"),
            Problem::NoColon => f.write_str("expected `:` and a second value after `?`"),
            Problem::Call => f.write_str("function calls cannot be evaluated in a core dump"),
            Problem::Assignment(operator) => {
                write!(f, "`{operator}` assigns; obit only reads a core dump")
            }
            Problem::Unsupported(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for SyntaxError {}

/// The character at which `span` starts in `text`, counted from 1.
pub fn column(span: &Span, text: &str) -> usize {
    let before = text.get(..span.start).unwrap_or(text);
    before.chars().count().saturating_add(1)
}

/// `text` with carets under `span`, in two lines. Of a long text only the part around
/// `span` is shown.
pub fn pointed_at(span: &Span, text: &str) -> String {
    const BEFORE: usize = 60;
    const AFTER: usize = 30;
    let column = column(span, text).saturating_sub(1);
    let skipped = column.saturating_sub(BEFORE);
    let width = text.get(span.clone()).map_or(1, |at| at.chars().count());
    let width = width.clamp(1, AFTER);
    let shown: String = text
        .chars()
        .skip(skipped)
        .take(BEFORE.saturating_add(AFTER))
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let indent = " ".repeat(column.saturating_sub(skipped));
    format!("{shown}\n{indent}{}", "^".repeat(width))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn carets_are_under_the_fault_counted_in_characters() {
        let error = SyntaxError::new(4..5, Problem::StrayCharacter('#'));
        assert_eq!(column(&error.span, "äö#"), 3);
        assert_eq!(pointed_at(&error.span, "äö#"), "äö#\n  ^");
    }

    #[test]
    fn a_long_text_is_cut_to_the_part_around_the_fault() {
        let text = format!("{}#{}", "a".repeat(500), "b".repeat(500));
        let error = SyntaxError::new(500..501, Problem::StrayCharacter('#'));
        let shown = pointed_at(&error.span, &text);
        let (line, carets) = shown.split_once('\n').unwrap();
        assert_eq!(line.chars().count(), 90);
        assert_eq!(line.find('#'), carets.find('^'));
    }

    #[test]
    fn control_characters_are_not_repeated() {
        let error = SyntaxError::new(0..1, Problem::Empty);
        assert!(!pointed_at(&error.span, "\u{1b}[2J").contains('\u{1b}'));
    }
}
