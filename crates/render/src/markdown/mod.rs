//! Markdown, as GitHub and GitLab read it, in which nothing of a crash is markup.

pub(crate) mod contents;
pub(crate) mod difference;
pub(crate) mod digest;
pub(crate) mod group;
pub(crate) mod groups;
pub(crate) mod heap;
pub(crate) mod incidents;
pub(crate) mod report;
pub(crate) mod tasks;

use crate::terminal::groups::text;

/// `text` as code in a line. Nothing in code is obeyed.
pub(crate) fn code(text: &str) -> String {
    let fence = "`".repeat(longest_run(text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// Words of ours in which what the process left is between backticks: that stays
/// code, and in the rest nothing is markup, a link or a mention.
pub(crate) fn prose(text: &str) -> String {
    let mut parts: Vec<&str> = text.split('`').collect();
    // A backtick without a partner is a character.
    let rest = if parts.len().is_multiple_of(2) { parts.pop() } else { None };
    let mut written = String::new();
    for (at, part) in parts.iter().enumerate() {
        if at % 2 == 1 {
            written.push_str(&code(part));
        } else {
            written.push_str(&escaped(part));
        }
    }
    if let Some(rest) = rest {
        written.push_str("\\`");
        written.push_str(&escaped(rest));
    }
    written
}

fn escaped(text: &str) -> String {
    let mut written = String::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '<' => written.push_str("&lt;"),
            '>' => written.push_str("&gt;"),
            '&' => written.push_str("&amp;"),
            // Only as entities do these stop to mention and to link.
            '@' => written.push_str("&#64;"),
            '#' => written.push_str("&#35;"),
            ':' if rest.peek() == Some(&'/') => written.push_str("&#58;"),
            '.' if written.ends_with("www") => written.push_str("&#46;"),
            '\\' | '*' | '_' | '[' | ']' | '|' | '~' | '!' | '`' => {
                written.push('\\');
                written.push(c);
            }
            c => written.push(c),
        }
    }
    written
}

pub(crate) fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// Text of a crash in a table or a list, where it means nothing but itself.
pub(crate) fn cell(raw: &str) -> String {
    let mut escaped = String::new();
    for c in text(raw).chars() {
        if c.is_ascii_punctuation()
            && !matches!(c, '.' | ',' | ':' | ';' | '/' | '%' | '=' | '\'' | '-' | '(' | ')')
        {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// The same as code. A backtick would end it, and a bar the cell.
pub(crate) fn code_cell(raw: &str) -> String {
    format!("`{}`", text(raw).replace('`', "'").replace('|', "\\|"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_the_process_left_is_markup() {
        assert_eq!(
            prose("`a->b` is <b>, see #1 and @root"),
            "`a->b` is &lt;b&gt;, see &#35;1 and &#64;root"
        );
        assert_eq!(prose("a lone ` and [x](http://y)"), "a lone \\` and \\[x\\](http&#58;//y)");
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("`x`"), "`` `x` ``");
    }

    #[test]
    fn names_do_not_become_cell() {
        assert_eq!(cell("<img src=x>|`a`"), "\\<img src=x\\>\\|\\`a\\`");
        assert_eq!(code_cell("a`|b\n"), "`a'\\|b\\n`");
    }
}
