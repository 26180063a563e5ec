//! Distinguishes the `<` of template arguments from the operator.

use super::lexer::{Token, TokenKind};
use super::literal::Literal;

/// The context of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Within {
    /// An expression.
    Expression,
    /// The angle brackets of `static_cast<T>`: a `>` may follow.
    Brackets,
}

/// How many of `tokens`, which start with `<`, are the arguments of a template or generic
/// type, both brackets included; `None` if the `<` is a comparison.
///
/// No symbols are consulted. Arguments are types and constants between balanced brackets,
/// followed by a token that continues a name and could not be an operand.
pub(super) fn length(tokens: &[Token], within: Within) -> Option<usize> {
    let mut open = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|index| tokens.get(index));
        let after = tokens.get(index.saturating_add(1));
        match mark(Some(token)) {
            Some("<") => open.push("<"),
            Some("(") => open.push("("),
            Some("[") => open.push("["),
            Some(")") if open.pop() != Some("(") => return None,
            Some("]") if open.pop() != Some("[") => return None,
            Some(")" | "]") => {}
            Some(">") if open.pop() != Some("<") => return None,
            Some(">") if open.is_empty() => {
                let continues = match mark(after) {
                    Some(">") => within == Within::Brackets,
                    _ => continues_name(after),
                };
                return continues.then_some(index.saturating_add(1));
            }
            Some(">" | "::" | "," | ";" | "->" | "=" | "..." | "+") => {}
            Some("*" | "&" | "&&") if modifies_type(before, after) => {}
            Some("-") if starts_argument(before) => {}
            Some(_) => return None,
            None => match token.kind {
                TokenKind::Word(_)
                | TokenKind::Quoted(_)
                | TokenKind::Literal(Literal::Integer { .. } | Literal::Character(_)) => {}
                _ => return None,
            },
        }
    }
    None
}

fn mark(token: Option<&Token>) -> Option<&'static str> {
    match token?.kind {
        TokenKind::Punctuation(mark) => Some(mark),
        _ => None,
    }
}

/// Whether the token after a closing bracket can follow a name but not a comparison.
fn continues_name(after: Option<&Token>) -> bool {
    let Some(after) = after else { return true };
    let follows = ["::", ")", "]", "}", ",", "*", "&", "&&", ".", "->"];
    mark(Some(after)).is_some_and(|mark| follows.contains(&mark))
}

/// Whether a `*` or `&` modifies a type: in C it follows the type, in Rust it precedes it.
fn modifies_type(before: Option<&Token>, after: Option<&Token>) -> bool {
    let behind = match after.map(|token| &token.kind) {
        Some(TokenKind::Punctuation(mark)) => [",", ">", "*", "&", "&&", ")", "("].contains(mark),
        Some(TokenKind::Word(word)) => ["const", "mut", "volatile"].contains(&word.as_str()),
        _ => false,
    };
    behind || starts_argument(before)
}

fn starts_argument(before: Option<&Token>) -> bool {
    mark(before).is_some_and(|mark| ["<", ",", "(", "[", "->", "=", "&", "*"].contains(&mark))
}

#[cfg(test)]
mod tests {
    use super::super::lexer::tokens;
    use super::*;

    fn arguments(text: &str) -> Option<&str> {
        let tokens = tokens(text).unwrap();
        let length = length(&tokens, Within::Expression)?;
        Some(&text[..tokens[length - 1].span.end])
    }

    #[test]
    fn arguments_of_templates_and_generics_are_taken_whole() {
        for text in [
            "<int>",
            "<int, std::string>",
            "<std::pair<int, char const*>>",
            "<std::less<int> >",
            "<-1, 'x', true>",
            "<int (*)(int, long)>",
            "<int&&, char&>",
            "<Ts...>",
            "<&str, [u8; 4], (i32,)>",
            "<*const u8>",
            "<dyn core::ops::Fn<(i32,), Output=i32> + Send, alloc::Global>",
        ] {
            assert_eq!(arguments(text), Some(text));
            let member = format!("{text}::member");
            assert_eq!(arguments(&member), Some(text));
        }
        assert_eq!(arguments("<int>*)"), Some("<int>"));
    }

    #[test]
    fn comparisons_are_left_alone() {
        for text in [
            "< b",
            "< b && c > d",
            "< b > c",
            "< b && c > (d)",
            "< b + 1 > -c",
            "< 3 || d > e",
            "< b * c > *p",
            "< b>>c",
            "< n]",
            "<int)>",
        ] {
            assert_eq!(arguments(text), None, "{text}");
        }
    }
}
