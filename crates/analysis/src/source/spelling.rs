//! Expressions as lines of source spell them.

use std::sync::Arc;

use obit_process::process::FrameView;

/// Expressions of one line that are looked at.
const MOST: usize = 24;
/// Bytes of one expression.
const LONGEST: usize = 200;

/// The names of the arguments and locals in scope in a frame.
pub(super) struct Known(Vec<Arc<str>>);

impl Known {
    pub(super) fn of(view: &FrameView<'_>) -> Self {
        Self(view.names())
    }

    /// Whether all variables of an expression are in scope.
    pub(super) fn has_all_of(&self, expression: &str) -> bool {
        variables(expression).iter().all(|name| self.has(name))
    }

    /// Whether `global` is not in scope and all other variables are.
    pub(super) fn has_all_but(&self, expression: &str, global: &str) -> bool {
        !self.has(global)
            && variables(expression).iter().all(|name| *name == global || self.has(name))
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|known| **known == *name)
    }
}

/// Whether the line itself has the expression.
pub(super) fn is_spelled(line: &str, expression: &str) -> bool {
    spelled(line).iter().any(|text| text == expression)
}

/// Whether a name may begin with `c`.
pub fn is_name_start(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

/// The name that `text` begins with; empty if it begins with none.
pub fn name_at(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    text.get(..end).unwrap_or(text)
}

/// Length in bytes of the string literal that `text` begins with, both quotes included.
pub fn literal_length(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

/// The names in an expression that are of no member.
fn variables(expression: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut before = ' ';
    let mut rest = expression;
    while let Some(c) = rest.chars().next() {
        let len = match c {
            c if is_name_start(c) => {
                let name = name_at(rest);
                if !matches!(before, '.' | '>') {
                    found.push(name);
                }
                name.len()
            }
            c if c.is_ascii_digit() => {
                rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
            }
            c => c.len_utf8(),
        };
        before = c;
        rest = rest.get(len..).unwrap_or_default();
    }
    found
}

/// The names in a line with members and indexes, and all that begins each: `a`, `a->b`,
/// `a->b[i]` for `a->b[i]`.
pub(super) fn spelled(line: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut rest = line;
    while let Some(c) = rest.chars().next()
        && found.len() < MOST
    {
        let skipped = match c {
            '/' if rest.starts_with("//") => break,
            '"' => literal_length(rest, '"'),
            c if is_name_start(c) => {
                let mut ends = vec![name_at(rest).len()];
                while let Some(end) = ends.last().copied()
                    && end < LONGEST
                    && let Some(len) = suffix(rest.get(end..).unwrap_or_default())
                {
                    ends.push(end + len);
                }
                for end in &ends {
                    let text = rest.get(..*end).unwrap_or_default().to_owned();
                    if !found.contains(&text) && found.len() < MOST {
                        found.push(text);
                    }
                }
                // The text in brackets has names of its own.
                name_at(rest).len()
            }
            c if c.is_ascii_digit() => {
                rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
            }
            // A member's name alone is none.
            '.' => 1 + name_at(rest.get(1..).unwrap_or_default()).len(),
            '-' if rest.starts_with("->") => 2 + name_at(rest.get(2..).unwrap_or_default()).len(),
            c => c.len_utf8(),
        };
        rest = rest.get(skipped.max(1)..).unwrap_or_default();
    }
    found
}

/// Bytes of the member or index that `text` begins with.
fn suffix(text: &str) -> Option<usize> {
    if let Some(after) = text.strip_prefix("->").or_else(|| text.strip_prefix('.')) {
        let field = name_at(after);
        return (!field.is_empty()).then(|| text.len() - after.len() + field.len());
    }
    let mut depth = 0_usize;
    if !text.starts_with('[') {
        return None;
    }
    for (at, c) in text.char_indices().take(LONGEST) {
        match c {
            '[' => depth += 1,
            ']' if depth == 1 => return Some(at + 1),
            ']' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// What an expression is a part of: `*job` of `job->owner`, `jobs` of `jobs[2]`, `shop.till` of `shop.till.open`.
pub(super) fn containing(expression: &str) -> Option<String> {
    let text = expression.trim();
    if text.ends_with(']') {
        let mut depth = 0_usize;
        let opening = text.char_indices().rev().find(|(_, c)| {
            match c {
                ']' => depth += 1,
                '[' => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0
        });
        let object = text.get(..opening?.0)?;
        return (!object.is_empty()).then(|| object.to_owned());
    }
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let before = text.trim_end_matches(is_name);
    if let Some(pointer) = before.strip_suffix("->") {
        return Some(format!("*{pointer}"));
    }
    before.strip_suffix('.').filter(|object| !object.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_tried_with_each_of_its_members_and_indexes() {
        let found = spelled("return job->owner[i + 1].name + f(n); // x");
        let expected = [
            "return",
            "job",
            "job->owner",
            "job->owner[i + 1]",
            "job->owner[i + 1].name",
            "i",
            "f",
            "n",
        ];
        assert_eq!(found, expected);
        assert_eq!(spelled("\"a\" b"), ["b"]);
        assert_eq!(spelled("a[0"), ["a"]);
    }

    #[test]
    fn members_and_numbers_are_no_variables() {
        assert_eq!(variables("job->owner[i + 0x1f].name"), ["job", "i"]);
    }

    #[test]
    fn a_line_that_has_the_letters_of_a_name_does_not_have_the_name() {
        assert!(is_spelled("use(n->next);", "n->next"));
        assert!(!is_spelled("unsigned done;", "n"));
    }

    #[test]
    fn what_holds_a_member_or_an_element_is_the_expression_before_it() {
        let cases = [
            ("job->owner", Some("*job")),
            ("a->b[1].next", Some("a->b[1]")),
            ("self->items[n[0]]", Some("self->items")),
            ("node.next", Some("node")),
            ("pair.0", Some("pair")),
            ("list->head->next", Some("*list->head")),
            ("owner", None),
            ("", None),
            (".x", None),
            ("]", None),
        ];
        for (expression, object) in cases {
            assert_eq!(containing(expression).as_deref(), object, "{expression}");
        }
    }
}
