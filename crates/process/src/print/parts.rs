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

/// What an expression is computed from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// Variables, members, elements; the outer ones first.
    pub list: Vec<Part>,
    /// Whether there are more than are listed.
    pub is_cut: bool,
    /// Whether the expression itself is, or is read at, an address that no type of the program
    /// gives.
    pub is_computed: bool,
}

/// An expression within an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// It.
    pub text: String,
    /// Only its address counts, as of `key` in `&key`.
    pub is_place: bool,
    /// Whether it is read at an address that no type of the program gives: one made by a cast
    /// or from a number or a register.
    pub is_computed: bool,
}

/// What `text` is computed from. Not what it takes the size of alone.
pub fn parts(process: &Process, view: &FrameView<'_>, text: &str) -> Parts {
    let evaluator = Evaluator::new(process, view, 0);
    let Ok(asked) = request(text, &|name| evaluator.is_variable(name)) else {
        return Parts::default();
    };
    let operand = text.get(asked.start..).unwrap_or_default();
    let Ok(expression) = parse(operand, &|path| evaluator.is_type(path)) else {
        return Parts::default();
    };
    parts_of(&expression, operand)
}

fn parts_of(expression: &Expr, text: &str) -> Parts {
    let is_computed = is_computed(expression) || is_made(expression);
    let mut found = Parts { is_computed, ..Parts::default() };
    match &expression.kind {
        // An address is no value of the object, unless more is done with it.
        ExprKind::Unary(UnaryOp::AddressOf, operand) => add(operand, text, true, &mut found),
        _ => within(expression, text, false, &mut found),
    }
    found
}

/// Adds the parts below `expression`, of which perhaps only the place counts. The parser limits
/// how deep they are.
fn within(expression: &Expr, text: &str, is_place: bool, found: &mut Parts) {
    match &expression.kind {
        ExprKind::SizeOf(_) => {}
        // The place of an element depends on its index, which is a value.
        ExprKind::Index { of, index } if is_place => {
            add(of, text, true, found);
            add(index, text, false, found);
        }
        ExprKind::Member { of, .. } if is_place => add(of, text, true, found),
        kind => kind.operands().for_each(|part| add(part, text, false, found)),
    }
}

fn add(part: &Expr, text: &str, is_place: bool, found: &mut Parts) {
    let has_value = matches!(
        part.kind,
        ExprKind::Name(_)
            | ExprKind::Member { .. }
            | ExprKind::Index { .. }
            | ExprKind::Slice { .. }
            | ExprKind::Repeat { .. }
            | ExprKind::ObjectAt(..)
            | ExprKind::Unary(UnaryOp::Dereference, _)
    );
    if let Some(words) = text.get(part.span.clone()).filter(|_| has_value) {
        let has_room = found.list.len() < MOST;
        match found.list.iter_mut().find(|known| known.text == words) {
            Some(known) => known.is_place &= is_place,
            None if has_room => {
                let is_computed = is_computed(part);
                found.list.push(Part { text: words.to_owned(), is_place, is_computed });
            }
            None => found.is_cut = true,
        }
    }
    within(part, text, is_place, found);
}

/// Whether an expression reads memory at an address that is not that of an object of the
/// program as its type has it.
fn is_computed(expression: &Expr) -> bool {
    match &expression.kind {
        // `@` goes on behind the object.
        ExprKind::ObjectAt(..) | ExprKind::Repeat { .. } => true,
        ExprKind::Unary(UnaryOp::Dereference, of)
        | ExprKind::Index { of, .. }
        | ExprKind::Slice { of, .. } => is_made(of),
        // What is computed of a value that was read so is judged as its part.
        _ => false,
    }
}

/// Whether an address, or an object, is made by a cast or from a number or a register.
fn is_made(expression: &Expr) -> bool {
    match &expression.kind {
        // Its own type says what it is.
        ExprKind::Name(_) | ExprKind::Member { .. } | ExprKind::SizeOf(_) => false,
        ExprKind::Cast(..) | ExprKind::ObjectAt(..) | ExprKind::Register(_) => true,
        ExprKind::Unary(UnaryOp::AddressOf, _) => false,
        ExprKind::Binary(_, left, right) => is_made(left) || is_made(right),
        ExprKind::Conditional { then, otherwise, .. } => is_made(then) || is_made(otherwise),
        ExprKind::Index { of, .. } | ExprKind::Slice { of, .. } => is_made(of),
        ExprKind::Repeat { first, .. } => is_made(first),
        ExprKind::Unary(_, operand) => is_made(operand),
        ExprKind::Literal(_) | ExprKind::Boolean(_) | ExprKind::Null | ExprKind::SizeOfType(_) => {
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_of(text: &str) -> Parts {
        parts_of(&parse(text, &|path| path.to_string() == "T").unwrap(), text)
    }

    fn parts_in(text: &str) -> Vec<String> {
        let list = all_of(text).list.into_iter();
        list.map(|part| part.text + if part.is_place { " (place)" } else { "" }).collect()
    }

    #[test]
    fn what_an_expression_is_computed_from_is_listed() {
        assert_eq!(parts_in("a"), [""; 0]);
        assert_eq!(parts_in("a->b.c"), ["a->b", "a"]);
        assert_eq!(parts_in("key[0] == 104"), ["key[0]", "key"]);
        assert_eq!(parts_in("(long)*p + n"), ["*p", "p", "n"]);
        assert_eq!(parts_in("sizeof key"), [""; 0]);
    }

    #[test]
    fn of_an_address_the_place_alone_counts_unless_it_is_used() {
        assert_eq!(parts_in("&key"), ["key (place)"]);
        assert_eq!(parts_in("&key[n]"), ["key[n] (place)", "key (place)", "n"]);
        assert_eq!(parts_in("*(&key[2])"), ["key[2]", "key"]);
        assert_eq!(parts_in("(&a[0].mail[0])[3]"), ["a[0].mail[0]", "a[0].mail", "a[0]", "a"]);
        assert_eq!(parts_in("(&a)->b"), ["a"]);
        assert_eq!(parts_in("(T)&key"), ["key"]);
        assert_eq!(parts_in("&key + 1"), ["key"]);
        assert_eq!(parts_in("&key == &key"), ["key"]);
    }

    #[test]
    fn that_there_are_too_many_parts_is_known() {
        let many = |count: usize| {
            let names: Vec<String> = (0..count).map(|number| format!("v{number}")).collect();
            names.chunks(16).map(|part| format!("({})", part.join("+"))).collect::<Vec<_>>()
        };
        assert!(!all_of(&many(MOST).join("+")).is_cut);
        let all = all_of(&many(MOST + 1).join("+"));
        assert!(all.is_cut && all.list.len() == MOST);
    }

    #[test]
    fn what_is_read_at_an_address_that_was_made_is_distinguished() {
        for text in ["*(T*)((T)&key + 2)", "((T*)p)[3]", "{T} p", "*($rdi + 1)", "*(1 ? (T*)p : q)"]
        {
            assert!(all_of(text).is_computed, "{text}");
        }
        for text in ["*p", "*(p + 1)", "((T*)p)->n", "((T*)p)->n[1]", "*&key[2]", "key[0] + 1"] {
            assert!(!all_of(text).is_computed, "{text}");
        }
        let inner = all_of("*(T*)((T)&key + 2) == 97").list;
        assert!(inner[0].is_computed && !inner[1].is_computed, "{inner:?}");
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
