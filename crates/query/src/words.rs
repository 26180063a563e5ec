//! What the readers of queries and filters share: words, brackets, texts.

/// Whether it is a name: a letter or an underscore, then digits, too.
pub(crate) fn is_word(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && chars.all(|c| c.is_alphanumeric() || c == '_')
}

/// Levels of brackets within brackets.
const DEEPEST: usize = 200;

/// Where the bracket or quote at `open` is closed. Brackets within texts do not count.
pub(crate) fn matching(text: &str, open: usize) -> Option<usize> {
    let mut rest = text.get(open..)?.char_indices();
    let (_, first) = rest.next()?;
    if matches!(first, '"' | '\'') {
        let mut is_escaped = false;
        return rest.find_map(|(at, c)| {
            let ends = c == first && !is_escaped;
            is_escaped = c == '\\' && !is_escaped;
            ends.then_some(open + at)
        });
    }
    let mut expected = vec![closing(first)?];
    while let Some((at, c)) = rest.next() {
        match c {
            '"' | '\'' => {
                // Rust's lifetimes are no texts: `'a`.
                let Some(end) = matching(text, open + at) else { continue };
                while rest.clone().next().is_some_and(|(at, _)| open + at <= end) {
                    rest.next();
                }
            }
            c if Some(&c) == expected.last() => {
                expected.pop();
                if expected.is_empty() {
                    return Some(open + at);
                }
            }
            c => {
                if let Some(close) = closing(c) {
                    expected.push(close);
                }
                if expected.len() > DEEPEST {
                    return None;
                }
            }
        }
    }
    None
}

fn closing(open: char) -> Option<char> {
    match open {
        '(' => Some(')'),
        '[' => Some(']'),
        '{' => Some('}'),
        _ => None,
    }
}
