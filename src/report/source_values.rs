//! What the names in a line of source stood for: a function of the report alone. Names
//! are arguments and locals of the frame, and members of them: `n`, `a->b.c`.

use super::{
    FrameReport, Pointees, SourceLine, SourceValue, ThreadReport, Variable, VariableStatus,
};
use obit_analysis::spelling::{is_name_start, literal_length, name_at};
use obit_redact::Shown;

/// Values shown for one line.
const VALUES: usize = 8;
/// Characters of one value.
const ROOM: usize = 48;
/// Parts of a path of members.
const PARTS: usize = 8;

/// Adds to each frame's own line what its names stood for.
pub(super) fn add(thread: &mut ThreadReport) {
    for frame in &mut thread.frames {
        let FrameReport { source, args, locals, .. } = frame;
        let Some(place) = source else { continue };
        let current = place.line;
        for line in &mut place.lines {
            if Some(line.line) == current {
                line.values = values(line, locals, args);
            }
        }
    }
}

fn values(line: &SourceLine, locals: &[Variable], args: &[Variable]) -> Vec<SourceValue> {
    let mut values: Vec<SourceValue> = Vec::new();
    for path in paths(line.text.as_str()) {
        if values.len() >= VALUES {
            break;
        }
        // Of names that hide each other, the innermost comes first.
        let mut known = locals.iter().chain(args);
        let Some(first) = path.parts.first() else { continue };
        let Some(root) = known.find(|known| known.name.as_str() == *first) else { continue };
        let mut variable = root;
        let mut spelled = path.spelled(1);
        note(&mut values, spelled, variable);
        for (at, part) in path.parts.iter().enumerate().skip(1) {
            let Some(member) = member(variable, part) else { break };
            variable = member;
            spelled = path.spelled(at + 1);
            note(&mut values, spelled, variable);
        }
    }
    values.truncate(VALUES);
    values
}

fn note(values: &mut Vec<SourceValue>, name: &str, variable: &Variable) {
    let is_known = variable.status == VariableStatus::Ok;
    if !is_known || values.iter().any(|value| value.name.as_str() == name) {
        return;
    }
    let text = Shown::from_report(variable.words(ROOM, Pointees::Hidden));
    // Made of names and values that the report holds already.
    values.push(SourceValue { name: Shown::from_report(name.to_owned()), text });
}

/// The member called `name` of a structure, or of what a pointer or reference points at.
fn member<'v>(variable: &'v Variable, name: &str) -> Option<&'v Variable> {
    if variable.status != VariableStatus::Ok {
        return None;
    }
    let pointee = variable.pointee.as_deref();
    let object = if variable.members.is_empty() { pointee? } else { variable };
    let object = object.pointee.as_deref().filter(|_| object.members.is_empty()).unwrap_or(object);
    find(&object.members, name, PARTS)
}

/// Looks in anonymous members and bases, too.
fn find<'v>(members: &'v [Variable], name: &str, depth: usize) -> Option<&'v Variable> {
    let is_called = |member: &&Variable| {
        let known = member.name.as_str();
        // Rust's `t.0` is `__0` in DWARF.
        known == name || known.strip_prefix("__").is_some_and(|number| number == name)
    };
    let direct = members.iter().find(is_called);
    direct.or_else(|| {
        let depth = depth.checked_sub(1)?;
        let nested = members.iter().filter(|member| {
            let type_name = member.type_name.as_ref().map(Shown::as_str);
            member.name.as_str().is_empty() || type_name == Some(member.name.as_str())
        });
        nested.filter_map(|member| find(&member.members, name, depth)).next()
    })
}

/// `a->b.c` in a line: its names, and how it is spelled.
#[derive(Debug, PartialEq, Eq)]
struct NamePath<'l> {
    text: &'l str,
    parts: Vec<&'l str>,
    /// Where each part ends in `text`.
    ends: Vec<usize>,
}

impl<'l> NamePath<'l> {
    fn spelled(&self, parts: usize) -> &'l str {
        let end = parts.checked_sub(1).and_then(|last| self.ends.get(last));
        end.and_then(|end| self.text.get(..*end)).unwrap_or(self.text)
    }
}

/// The names in a line, outside of strings and comments. Names of functions that are
/// called are among them: no variable has such a name, or else it is a pointer.
fn paths(line: &str) -> Vec<NamePath<'_>> {
    let mut paths = Vec::new();
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        let skipped = match c {
            '/' if rest.starts_with("//") => break,
            '/' if rest.starts_with("/*") => {
                rest.get(2..).and_then(|inner| Some(inner.find("*/")? + 4)).unwrap_or(rest.len())
            }
            '"' => literal_length(rest, '"'),
            // A lifetime of Rust is no character.
            '\'' => character(rest),
            c if is_name_start(c) => {
                let path = path(rest);
                let len = path.text.len();
                paths.push(path);
                len
            }
            c if c.is_ascii_digit() => {
                rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
            }
            c => c.len_utf8(),
        };
        rest = rest.get(skipped.max(1)..).unwrap_or_default();
    }
    paths
}

/// `text` begins with a name.
fn path(text: &str) -> NamePath<'_> {
    let first = name_at(text);
    let (mut parts, mut ends) = (vec![first], vec![first.len()]);
    let mut end = first.len();
    while parts.len() < PARTS {
        let rest = text.get(end..).unwrap_or_default();
        let Some(after) = rest.strip_prefix("->").or_else(|| rest.strip_prefix('.')) else { break };
        let field = name_at(after);
        // `a..b` is no member.
        if field.is_empty() {
            break;
        }
        end += rest.len() - after.len() + field.len();
        parts.push(field);
        ends.push(end);
    }
    NamePath { text: text.get(..end).unwrap_or(text), parts, ends }
}

fn character(text: &str) -> usize {
    let len = literal_length(text, '\'');
    // `'a'`, `'\n'`, `'\u{1f600}'`; anything longer is a lifetime.
    if text.get(..len).is_some_and(|text| text.chars().count() <= 12 && text.len() > 1) {
        let inner = text.get(1..len.saturating_sub(1)).unwrap_or_default();
        if inner.chars().count() == 1 || inner.starts_with('\\') {
            return len;
        }
    }
    1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{SourcePlace, VariableValue};

    fn shown(text: &str) -> Shown {
        Shown::from_report(text.to_owned())
    }

    fn spelled(line: &str) -> Vec<&str> {
        paths(line).into_iter().map(|path| path.text).collect()
    }

    fn number(name: &str, value: i64) -> Variable {
        let value = Some(VariableValue::Integer(value));
        Variable { name: shown(name), value, ..Variable::default() }
    }

    fn line(text: &str, locals: Vec<Variable>, args: Vec<Variable>) -> Vec<(String, String)> {
        let lines = vec![SourceLine { line: 7, text: shown(text), values: Vec::new() }];
        let source = Some(SourcePlace { line: Some(7), lines, ..SourcePlace::default() });
        let frame = FrameReport { source, locals, args, ..FrameReport::default() };
        let mut thread = ThreadReport { frames: vec![frame], ..ThreadReport::default() };
        add(&mut thread);
        let values = &thread.frames[0].source.as_ref().unwrap().lines[0].values;
        let text = |shown: &Shown| shown.as_str().to_owned();
        values.iter().map(|value| (text(&value.name), text(&value.text))).collect()
    }

    #[test]
    fn names_are_found_outside_of_strings_comments_and_numbers() {
        assert_eq!(spelled("n = a->b.c[i] + 0x1f; // x"), ["n", "a->b.c", "i"]);
        assert_eq!(spelled("f(\"a \\\" b\", 'c', '\\n', /* d */ e)"), ["f", "e"]);
        assert_eq!(spelled("let x: &'a str = y.0;"), ["let", "x", "a", "str", "y.0"]);
        assert_eq!(spelled("p->"), ["p"]);
        assert_eq!(spelled("for i in 0..n {"), ["for", "i", "in", "n"]);
        assert_eq!(spelled("'"), [] as [&str; 0]);
        assert_eq!(spelled("\"unfinished n"), [] as [&str; 0]);
    }

    #[test]
    fn locals_and_arguments_on_the_line_have_their_values() {
        let values =
            line("return n + m + n;", vec![number("n", 1)], vec![number("n", 2), number("m", 3)]);
        assert_eq!(values, [("n".into(), "1".into()), ("m".into(), "3".into())]);
    }

    #[test]
    fn members_are_followed_through_pointers_as_far_as_they_are_known() {
        let node = Variable { members: vec![number("serial", 4)], ..Variable::default() };
        let pointer = Variable {
            name: shown("n"),
            value: Some(VariableValue::Text("0x10".into())),
            pointee: Some(Box::new(node)),
            ..Variable::default()
        };
        let values = line("n->serial + n->next->serial", vec![pointer], vec![]);
        assert_eq!(values, [("n".into(), "0x10".into()), ("n->serial".into(), "4".into())]);
    }

    #[test]
    fn only_the_line_of_the_place_is_explained() {
        let lines = vec![SourceLine { line: 6, text: shown("n"), values: Vec::new() }];
        let source = Some(SourcePlace { line: Some(7), lines, ..SourcePlace::default() });
        let frame = FrameReport { source, args: vec![number("n", 1)], ..FrameReport::default() };
        let mut thread = ThreadReport { frames: vec![frame], ..ThreadReport::default() };
        add(&mut thread);
        assert!(thread.frames[0].source.as_ref().unwrap().lines[0].values.is_empty());
    }
}
