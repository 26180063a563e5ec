//! Lines of source, the one that was being executed marked, the values at their names.

use maud::{Markup, html};

use super::budget::{Budget, more};
use super::escape::{NAME, text, words};
use crate::terminal::excerpt::untabbed;
use crate::visible::visible;
use obit_report::{SourceLine, SourcePlace};

/// Lines of one place.
const LINES: usize = 200;
/// Characters of one line.
const LINE: usize = 400;
/// Values beside one line.
const VALUES: usize = 24;
/// Characters of one value.
const VALUE: usize = 80;

/// The lines around a place.
pub(super) fn source(place: &SourcePlace, budget: &Budget) -> Markup {
    let lines = trimmed(place);
    let texts: Vec<_> = lines.iter().map(|line| untabbed(line.text.as_str())).collect();
    let indented = texts.iter().filter(|text| !text.trim().is_empty());
    let common = indented.map(|text| text.len() - text.trim_start_matches(' ').len()).min();
    let common = common.unwrap_or(0);
    let (rows, left_out) = budget.fill(lines.iter(), LINES, |line| row(place, line, common));
    html! {
        div.scroll.source role="region" aria-label="Source" tabindex="0" {
            table { tbody { (rows) } }
        }
        (more(left_out, "line"))
    }
}

/// All lines but blank ones at the ends.
fn trimmed(place: &SourcePlace) -> &[SourceLine] {
    let is_shown =
        |line: &SourceLine| Some(line.line) == place.line || !line.text.as_str().trim().is_empty();
    let first = place.lines.iter().position(is_shown);
    let last = place.lines.iter().rposition(is_shown);
    let range = first.zip(last).and_then(|(first, last)| place.lines.get(first..=last));
    range.unwrap_or_default()
}

fn row(place: &SourcePlace, line: &SourceLine, common: usize) -> Markup {
    let is_current = Some(line.line) == place.line;
    let (before, token, after) = parts(place, line, is_current);
    let before = untabbed(before);
    let before = before.get(common..).unwrap_or_default();
    let after = untabbed(after);
    // Of the values within its line the first part has the budget.
    let cut = |part: &str| visible(part.get(..).unwrap_or_default()).chars().take(LINE).collect();
    let (before, token, after): (String, String, String) = (cut(before), cut(token), cut(&after));
    html! {
        tr.current[is_current] {
            th scope="row" {
                (line.line)
                @if is_current { span.sr { " (here)" } }
            }
            td {
                code.line {
                    (before)
                    @if !token.is_empty() { mark { (token) } }
                    (after)
                }
                @for value in line.values.iter().take(VALUES) {
                    " " span.value {
                        span.vname { (text(&value.name, NAME / 2)) }
                        " = " (words(value.text.as_str(), VALUE))
                    }
                }
            }
        }
    }
}

/// The line before the place in it, the name at the place, and the rest.
fn parts<'l>(
    place: &SourcePlace,
    line: &'l SourceLine,
    is_current: bool,
) -> (&'l str, &'l str, &'l str) {
    let whole = line.text.as_str();
    let at = place.column.filter(|_| is_current).and_then(|column| column.checked_sub(1));
    let at = at.and_then(|at| usize::try_from(at).ok());
    let Some((before, rest)) = at.and_then(|at| whole.split_at_checked(at)) else {
        // `common` is cut from the first part.
        return (whole, "", "");
    };
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
    let end = if end == 0 { rest.chars().next().map_or(0, char::len_utf8) } else { end };
    match rest.split_at_checked(end) {
        Some((token, after)) if !token.trim().is_empty() => (before, token, after),
        _ => (whole, "", ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;
    use obit_report::SourceValue;

    fn place(text: &str, column: u32) -> SourcePlace {
        let values = vec![SourceValue { name: samples::text("n"), text: samples::text("0x0") }];
        let line = SourceLine { line: 7, text: samples::text(text), values };
        let blank = SourceLine { line: 8, text: samples::text("  "), values: Vec::new() };
        SourcePlace {
            line: Some(7),
            column: Some(column),
            lines: vec![line, blank],
            ..SourcePlace::default()
        }
    }

    fn shown(text: &str, column: u32) -> String {
        source(&place(text, column), &Budget::new(10_000)).into_string()
    }

    #[test]
    fn the_name_at_the_place_is_marked_and_its_value_is_beside_it() {
        let page = shown("\treturn n->next;", 9);
        assert!(page.contains("return <mark>n</mark>-&gt;next;"), "{page}");
        assert!(page.contains("<span class=\"vname\">n</span> = 0x0"), "{page}");
        assert!(!page.contains(">8<"), "a blank line at the end says nothing: {page}");
    }

    #[test]
    fn a_column_beyond_the_line_or_within_a_letter_marks_nothing() {
        assert!(!shown("x", 40).contains("<mark>"));
        assert!(!shown("\u{e9}\u{e9}", 2).contains("<mark>"));
        assert!(!shown("a  b", 2).contains("<mark>"));
    }
}
