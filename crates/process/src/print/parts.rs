//! Expressions within an expression, and whether a text may be one at all.

use super::PrintError;
use super::ast::{Expr, ExprKind, UnaryOp};
use super::eval::Evaluator;
use super::parser::parse;
use super::request::{Command, request};
use super::syntax_error::{Problem, SyntaxError};
use crate::process::{FrameView, Process};

/// Parts of one expression that are listed.
const MOST: usize = 64;

/// Whether `text` may be an expression with one value, perhaps after a format (`/x flags`), in
/// some frame.
///
/// # Errors
/// It is none in any: what is wrong with it.
pub fn check(text: &str) -> Result<(), PrintError> {
    // `list` is a command of gdb, and a variable where there is one.
    let asked = request(text, &|_| true)?;
    if !matches!(asked.command, Command::Print(_)) {
        let problem = Problem::Format("this has no value: expected an expression".to_owned());
        return Err(SyntaxError::new(0..text.len(), problem).into());
    }
    let operand = text.get(asked.start..).unwrap_or_default();
    // Which names are types depends on the frame.
    let parsed = parse(operand, &|_| false);
    if let Err(error) = parsed
        && parse(operand, &|_| true).is_err()
    {
        return Err(PrintError::from(error).moved(asked.start));
    }
    Ok(())
}

/// The expressions within `text` whose values it is computed from: variables, members,
/// elements. Not those of which it takes the address or the size alone.
pub fn parts(process: &Process, view: &FrameView<'_>, text: &str) -> Vec<String> {
    let evaluator = Evaluator::new(process, view, 0);
    let Ok(asked) = request(text, &|name| evaluator.is_variable(name)) else { return Vec::new() };
    let operand = text.get(asked.start..).unwrap_or_default();
    let Ok(expression) = parse(operand, &|path| evaluator.is_type(path)) else { return Vec::new() };
    let mut found = Vec::new();
    within(&expression, operand, &mut found);
    found
}

/// Adds the parts below `expression`. The parser limits how deep they are.
fn within(expression: &Expr, text: &str, found: &mut Vec<String>) {
    if let ExprKind::SizeOf(_) | ExprKind::Unary(UnaryOp::AddressOf, _) = expression.kind {
        return;
    }
    for part in expression.kind.operands() {
        let has_value = matches!(
            part.kind,
            ExprKind::Name(_)
                | ExprKind::Member { .. }
                | ExprKind::Index { .. }
                | ExprKind::Slice { .. }
                | ExprKind::Repeat { .. }
                | ExprKind::Unary(UnaryOp::Dereference, _)
        );
        if has_value
            && found.len() < MOST
            && let Some(words) = text.get(part.span.clone())
            && !found.iter().any(|known| known == words)
        {
            found.push(words.to_owned());
        }
        within(part, text, found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts_of(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        within(&parse(text, &|_| false).unwrap(), text, &mut found);
        found
    }

    #[test]
    fn what_an_expression_is_computed_from_is_listed() {
        assert_eq!(parts_of("a"), [""; 0]);
        assert_eq!(parts_of("a->b.c"), ["a->b", "a"]);
        assert_eq!(parts_of("key[0] == 104"), ["key[0]", "key"]);
        assert_eq!(parts_of("(long)*p + n"), ["*p", "p", "n"]);
        assert_eq!(parts_of("&key"), [""; 0]);
        assert_eq!(parts_of("sizeof key"), [""; 0]);
    }

    #[test]
    fn what_is_an_expression_in_no_frame_is_refused_before_any_is_read() {
        for text in ["a->b", "list", "/x flags", "(node *)p", "p/d x", "{int} p", "a ? b : c"] {
            assert!(check(text).is_ok(), "{text}");
        }
        for text in ["a->", "a b", "x/4x p", "ptype a", "info locals", "/q a", ""] {
            assert!(check(text).is_err(), "{text}");
        }
        assert_eq!(check("/x a +").unwrap_err().span(), &(6..6));
    }
}
