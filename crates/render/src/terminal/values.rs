//! A variable on a page: in one line, or as an indented tree where one line is too short.

use std::io;

use crate::layout::{cut_end, width, wrap};
use crate::name;
use crate::style::Style;
use crate::visible::visible;
use crate::{Detail, PageOptions};
use obit_report::{Pointees, Variable};

/// Columns of one level.
const INDENT: usize = 2;
/// Levels that are indented. What is deeper is shown in one line.
const DEPTH: usize = 32;
/// Columns of a type's whole name.
const WIDEST_TYPE: usize = 40;
/// Columns that a line has at least, however deep it is indented.
const LEAST_WIDTH: usize = 40;

/// Writes a variable, whole: in one line if it fits there, else each member in its own.
pub(crate) fn write_variable(
    out: &mut dyn io::Write,
    variable: &Variable,
    options: &PageOptions,
) -> io::Result<()> {
    let name = name::shown(&variable.name);
    let lead = if name.is_empty() { String::new() } else { format!("{name} = ") };
    let note = type_note(variable, options);
    write_tree(out, &Entry { lead: &lead, variable, note }, 0, DEPTH, options)
}

/// What one line begins with.
struct Entry<'v> {
    /// `name = `, or `-> `.
    lead: &'v str,
    variable: &'v Variable,
    /// What follows the first line.
    note: String,
}

/// `name=value` in about `room` columns.
pub(crate) fn one_line(variable: &Variable, room: usize) -> String {
    let name = name::shown(&variable.name);
    let left = room.saturating_sub(width(&name) + 1);
    format!("{name}={}", visible(&variable.words(left, Pointees::Hidden)))
}

/// The value alone in at most `room` columns.
pub(crate) fn value_line(variable: &Variable, room: usize, pointees: Pointees) -> String {
    cut_end(&visible(&variable.words(room, pointees)), room)
}

fn write_tree(
    out: &mut dyn io::Write,
    entry: &Entry<'_>,
    indent: usize,
    depth: usize,
    options: &PageOptions,
) -> io::Result<()> {
    let Entry { lead, variable, note } = entry;
    let color = options.color;
    write!(out, "{:indent$}{}", "", color.paint(Style::Focus, lead))?;
    let room = options.width.saturating_sub(indent + width(lead)).max(LEAST_WIDTH);
    let object = variable.referent().unwrap_or(variable);
    // The whole value in a line, if that is what it needs.
    let whole = visible(&variable.whole_words()).into_owned();
    let (children, pointee) = parts(object);
    if width(&whole) <= room || depth == 0 || (children.is_empty() && pointee.is_none()) {
        let text = if depth == 0 { cut_end(&whole, room) } else { whole };
        return writeln!(out, "{text}{note}");
    }
    let head = object.leaf_words(usize::MAX).unwrap_or_else(|| object.head());
    let head = visible(&head);
    if let Some(pointee) = pointee {
        writeln!(out, "{head}{note}")?;
        let inner = indent + INDENT;
        let entry = Entry { lead: "-> ", variable: pointee, note: String::new() };
        return write_tree(out, &entry, inner, depth.saturating_sub(1), options);
    }
    let gap = if head.is_empty() { "" } else { " " };
    writeln!(out, "{head}{gap}{{{note}")?;
    let inner = indent + INDENT;
    let mut rest = children;
    while let Some((child, others)) = rest.split_first() {
        // Elements without parts are side by side.
        let row =
            if object.is_keyed() { 0 } else { rest.iter().take_while(|one| is_small(one)).count() };
        if row > 1 {
            let (small, others) = rest.split_at(row);
            write_row(out, small, inner, options)?;
            rest = others;
            continue;
        }
        rest = others;
        let name = name::shown(&child.name);
        let (lead, child) = match child.as_entry().filter(|_| object.is_keyed()) {
            Some((key, value)) => (format!("{}: ", visible(&key.whole_words())), value),
            None if name.is_empty() => (String::new(), child),
            None => (format!("{name} = "), child),
        };
        let entry = Entry { lead: &lead, variable: child, note: String::new() };
        write_tree(out, &entry, inner, depth.saturating_sub(1), options)?;
    }
    if object.omitted > 0 {
        let text = format!("\u{2026} {} more", object.omitted);
        writeln!(out, "{:inner$}{}", "", color.paint(Style::Doubt, &text))?;
    }
    writeln!(out, "{:indent$}}}", "")
}

/// An element of one number or short text.
fn is_small(element: &Variable) -> bool {
    element.is_element()
        && element.children().is_empty()
        && element.pointee.is_none()
        && element.text.as_ref().is_none_or(|text| text.as_str().len() <= INDENT * 4)
}

/// Writes small elements, as many in a line as fit.
fn write_row(
    out: &mut dyn io::Write,
    elements: &[Variable],
    indent: usize,
    options: &PageOptions,
) -> io::Result<()> {
    let words = elements.iter().map(|element| visible(&element.whole_words()).into_owned());
    let row = words.collect::<Vec<_>>().join(", ");
    let room = options.width.saturating_sub(indent).max(LEAST_WIDTH);
    wrap(&row, room).iter().try_for_each(|line| writeln!(out, "{:indent$}{line}", ""))
}

/// What lies below a value: its children, or else what it points at.
pub(crate) fn parts(object: &Variable) -> (&[Variable], Option<&Variable>) {
    let children = object.children();
    let pointee = object.pointee.as_deref().filter(|_| object.text.is_none());
    (children, pointee.filter(|_| children.is_empty()))
}

/// The type behind the value, for those who want to know everything. Of a long one, the
/// arguments of its templates are left out.
fn type_note(variable: &Variable, options: &PageOptions) -> String {
    let name = variable.type_name.as_ref().filter(|_| options.detail == Detail::Verbose);
    name.map_or_else(String::new, |name| {
        let mut name = name::shown(name);
        if width(&name) > WIDEST_TYPE {
            name = name::brief(&name);
        }
        let note = format!("  ({})", cut_end(&name, options.width));
        options.color.paint(Style::Aside, &note).to_string()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{number, record, text};

    fn tree(variable: &Variable, width: usize) -> String {
        let mut out = Vec::new();
        let options = PageOptions { width, ..PageOptions::default() };
        write_variable(&mut out, variable, &options).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn node() -> Variable {
        let mut inner = record("at", vec![number("line", 12), number("column", 7)]);
        inner.omitted = 3;
        let name = Variable {
            name: text("name"),
            text: Some(text("a long name of a node in the tree")),
            ..Variable::default()
        };
        record("node", vec![number("serial", 1), name, inner])
    }

    #[test]
    fn what_fits_a_line_is_one_line() {
        assert_eq!(tree(&number("n", 5), 80), "n = 5\n");
        assert_eq!(
            tree(&node(), 120),
            "node = {serial = 1, name = \"a long name of a node in the tree\", \
             at = {line = 12, column = 7, \u{2026} 3 more}}\n"
        );
    }

    #[test]
    fn what_does_not_fit_is_a_tree_with_nothing_cut() {
        insta::assert_snapshot!(tree(&node(), 60));
    }

    #[test]
    fn a_container_says_what_it_is_and_shows_its_elements() {
        let element = |at: i64| Variable {
            name: text(&format!("[{at}]")),
            ..record("", vec![number("a_long_member_name", at), number("another_one", 1000)])
        };
        let vector = Variable {
            name: text("v"),
            summary: Some(text("std::vector of 40")),
            elements: (0..3).map(element).collect(),
            omitted: 37,
            ..Variable::default()
        };
        insta::assert_snapshot!(tree(&vector, 60));
    }

    #[test]
    fn numbers_in_a_row_are_side_by_side() {
        let elements = (0..40).map(|at| number(&format!("[{at}]"), at)).collect();
        let summary = Some(text("std::vector of 40"));
        let vector = Variable { name: text("v"), summary, elements, ..Variable::default() };
        insta::assert_snapshot!(tree(&vector, 60));
    }

    #[test]
    fn control_characters_are_never_written_raw() {
        let mut evil = record("a\u{1b}[2J", vec![number("b\u{202e}", 1)]);
        evil.members.push(Variable {
            name: text("s"),
            text: Some(text("\u{1b}]0;x\u{7}\u{200b}")),
            type_name: Some(text("T\u{9b}")),
            ..Variable::default()
        });
        let options = PageOptions { detail: Detail::Verbose, width: 20, ..PageOptions::default() };
        let mut out = Vec::new();
        write_variable(&mut out, &evil, &options).unwrap();
        let page = String::from_utf8(out).unwrap();
        assert!(!page.chars().any(|c| c != '\n' && c.is_control()), "{page:?}");
        assert!(!page.contains(['\u{202e}', '\u{200b}']), "{page:?}");
        assert!(!one_line(&evil, 30).chars().any(char::is_control));
    }
}
