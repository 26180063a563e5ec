//! The arguments of a call as a line of source spells them.

use super::spelling::{is_name_start, literal_length, name_at};

/// Calls of one line that are looked at.
const MOST: usize = 16;
/// Arguments of one call.
const MOST_ARGUMENTS: usize = 8;
/// Bytes of one argument.
const LONGEST: usize = 200;

/// A call on a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Call {
    /// The function's name, without what qualifies it.
    pub(super) function: String,
    /// Its arguments, up to the end of the line.
    pub(super) arguments: Vec<String>,
}

/// The only call in `line` of the function that the symbol `function` names, whose prefixes
/// and suffixes libraries choose: `__strlen_avx2`. Without a symbol, the only call there is.
pub(super) fn call_of(line: &str, function: Option<&str>) -> Option<Call> {
    let mut found = calls(line);
    if let Some(function) = function {
        found.retain(|call| names(function, &call.function));
    }
    match found.as_slice() {
        [only] => Some(only.clone()),
        _ => None,
    }
}

/// Whether `symbol` is a library's name for `function`.
fn names(symbol: &str, function: &str) -> bool {
    let symbol = symbol.split(['@', '(']).next().unwrap_or_default();
    let mut words = symbol.split(|c: char| !c.is_alphanumeric());
    symbol == function || words.any(|word| word == function)
}

/// The calls that `line` spells.
fn calls(line: &str) -> Vec<Call> {
    const KEYWORDS: [&str; 10] = [
        "if", "for", "while", "switch", "return", "sizeof", "alignof", "catch", "defined", "typeof",
    ];
    let mut found = Vec::new();
    let mut rest = line;
    while let Some(c) = rest.chars().next()
        && found.len() < MOST
    {
        let skipped = match c {
            '/' if rest.starts_with("//") => break,
            '"' | '\'' => literal_length(rest, c),
            c if is_name_start(c) => {
                let name = name_at(rest);
                let after = rest.get(name.len()..).unwrap_or_default();
                if let Some(inside) = after.strip_prefix('(')
                    && !KEYWORDS.contains(&name)
                {
                    found.push(Call { function: name.to_owned(), arguments: arguments(inside) });
                }
                name.len()
            }
            c => c.len_utf8(),
        };
        rest = rest.get(skipped.max(1)..).unwrap_or_default();
    }
    found
}

/// The arguments that `text` begins with, which follows an opening parenthesis.
fn arguments(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let (mut depth, mut start, mut at) = (0_usize, 0, 0);
    while let Some(c) = text.get(at..).and_then(|rest| rest.chars().next())
        && found.len() < MOST_ARGUMENTS
    {
        let rest = text.get(at..).unwrap_or_default();
        let is_end = matches!(c, ',' | ')') && depth == 0;
        if is_end {
            found.push(text.get(start..at).unwrap_or_default().trim().to_owned());
        }
        match c {
            ')' if depth == 0 => break,
            ',' if depth == 0 => start = at + 1,
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += match c {
            '"' | '\'' => literal_length(rest, c),
            c => c.len_utf8(),
        };
    }
    found
}

impl Call {
    /// What argument `number` is called, if it is a name or what is reached from one.
    pub(super) fn named(&self, number: usize) -> Option<&str> {
        let text = self.arguments.get(number)?;
        let begins = text.trim_start_matches(['*', '(']);
        let is_named = begins.chars().next().is_some_and(is_name_start);
        (is_named && text.len() <= LONGEST && !text.contains('"')).then_some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argument(line: &str, function: Option<&str>, number: usize) -> Option<String> {
        call_of(line, function)?.named(number).map(str::to_owned)
    }

    #[test]
    fn an_argument_is_the_text_between_the_commas_of_the_call() {
        let line = "if (strcmp(vh[i].host, get(a, b)) == 0) // strcmp(x)";
        let of = |number| argument(line, Some("__strcmp_evex"), number);
        assert_eq!(of(0).as_deref(), Some("vh[i].host"));
        assert_eq!(of(1).as_deref(), Some("get(a, b)"));
        assert_eq!(of(2), None);
    }

    #[test]
    fn a_library_names_a_function_with_prefixes_and_suffixes() {
        let line = "n = strlen(s) + size(t);";
        for symbol in ["strlen", "strlen@plt", "__strlen_avx2", "__GI_strlen"] {
            assert_eq!(argument(line, Some(symbol), 0).as_deref(), Some("s"), "{symbol}");
        }
        assert_eq!(argument(line, Some("strnlen"), 0), None);
        assert_eq!(argument(line, None, 0), None, "two calls");
        assert_eq!(argument("free(s);", None, 0).as_deref(), Some("s"));
    }

    #[test]
    fn literals_have_no_calls_and_are_no_names() {
        assert_eq!(argument("puts(\"f(x)\"); g(a)", Some("g"), 0).as_deref(), Some("a"));
        assert_eq!(argument("log(\"a,b\", x->y)", Some("log"), 1).as_deref(), Some("x->y"));
        assert_eq!(argument("log(\"a,b\", x->y)", Some("log"), 0), None);
        assert_eq!(argument("f(7)", Some("f"), 0), None);
        assert_eq!(argument("f(a, b", Some("f"), 1), None, "goes on in the next line");
    }

    #[test]
    fn two_calls_of_one_function_are_ambiguous() {
        assert_eq!(argument("n = strlen(a) + strlen(b);", Some("strlen"), 0), None);
    }
}
